"""How each engine says the few things that engines say differently; everything else is plain SQL.

Only what is true of the engine is here, as sqlglot expressions; `gateway.summary.measure` decides what is asked. No
statement holds a per cent sign, which one driver would take for a parameter mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Final

from sqlglot import exp

from gateway.catalog import Column, ColumnType, Dialect
from gateway.errors import ConfigError

_BOUND: Final = "1e100"
"""Numbers beyond are left out of numeric facts: their squares overflow; it also drops NaN and infinities."""

CLASSES: Final[dict[str, str]] = {
    "email-like": r"^[^@[:space:]]+@[^@[:space:]]+\.[A-Za-z]+$",
    "uuid": r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    "iso-date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?$",
    "int": r"^-?[0-9]+$",
    "decimal": r"^-?[0-9]+\.[0-9]+$",
    "url-like": r"^(https?|ftp)://[^[:space:]]+$",
    "phone-like": r"^[+(]?[0-9][0-9 ()./-]{6,18}[0-9]$",
    "word": r"^[A-Za-z]+$",
    "code-like": r"^[A-Za-z0-9]+([_/:#.-][A-Za-z0-9]+)*$",
    "free-text": r"^[^[:space:]]+([[:space:]]+[^[:space:]]+){4,}[[:space:]]*$",
    "name-like": r"^[^0-9@[:space:]]+( [^0-9@[:space:]]+){1,4}$",
}
"""Text classes in the order they are tried; POSIX patterns that PostgreSQL, MySQL and RE2 read alike."""

_GLOBS: Final[dict[str, tuple[tuple[str, bool], ...]]] = {
    "email-like": (("?*@?*.?*", True), ("*[ @]*@*", False), ("* *", False)),
    "uuid": (("-".join("[0-9A-Fa-f]" * n for n in (8, 4, 4, 4, 12)), True),),
    "iso-date": (("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*", True),),
    "int": (("*[^0-9]*", False), ("?*", True)),
    "decimal": (("[0-9]*.*[0-9]", True), ("*[^0-9.]*", False), ("*.*.*", False)),
    "url-like": (("http*://?*", True), ("* *", False)),
    "word": (("*[^A-Za-z]*", False), ("?*", True)),
    "code-like": (("*[^A-Za-z0-9_/:#.-]*", False), ("[A-Za-z0-9]*", True)),
    "free-text": (("?* ?* ?* ?* ?*", True),),
    "name-like": (("?* ?*", True), ("*[0-9@]*", False)),
}
"""The same for SQLite, which has GLOB but no regular expressions: all of a class's patterns hold, or do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What an engine can do. `sample_above` and `sample_rows` cap the owner's thresholds where sorting is costly."""

    dialect: Dialect
    top_lists: bool
    """Gathers values in lists, so that tails, dominance and quantiles take one pass (`gateway.summary.lists`)."""
    distinct: str
    """Name of the approximate distinct count; empty for an exact one."""
    columns_at_once: int = 15
    """Columns of one statement; a UNION of short rows has a limit on its parts (SQLite: 100)."""
    sample_above: int = 200_000
    sample_rows: int = 100_000


ENGINES: Final[dict[Dialect, Engine]] = {
    engine.dialect: engine
    for engine in (
        Engine(
            dialect=Dialect.DUCKDB, top_lists=True, distinct="approx_count_distinct",
            columns_at_once=40,
            sample_above=1_000_000_000, sample_rows=5_000_000,
        ),
        Engine(dialect=Dialect.POSTGRES, top_lists=True, columns_at_once=40, distinct=""),
        Engine(dialect=Dialect.MYSQL, top_lists=False, distinct=""),
        Engine(dialect=Dialect.SQLITE, top_lists=False, distinct=""),
        # A list is collected by one task, so its length is bounded more tightly.
        Engine(
            dialect=Dialect.SPARK, top_lists=True, distinct="approx_count_distinct", columns_at_once=25,
            sample_above=100_000, sample_rows=100_000,
        ),
    )
}  # fmt: skip


def engine_for(dialect: Dialect) -> Engine:
    """The engine of a dialect.

    Raises:
        ConfigError: Summaries are not written for it.
    """
    if dialect not in ENGINES:
        msg = f"summaries of a {dialect.value} source are not supported"
        raise ConfigError(msg)
    return ENGINES[dialect]


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A function of the engine, by its own name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(text: str | float) -> exp.Expression:
    """A numeric literal."""
    return exp.Literal.number(text)


def case(condition: exp.Expression, value: exp.Expression) -> exp.Case:
    """The value where the condition holds, else null."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def as_number(column: exp.Expression, engine: Engine) -> exp.Expression:
    """A number as a double, null where it is not finite or absurdly large."""
    inside = exp.Between(this=column, low=exp.Neg(this=number(_BOUND)), high=number(_BOUND))
    if engine.dialect is Dialect.SQLITE:
        # A column holds what it was given: a text among the numbers is no number.
        kinds = exp.In(this=call("typeof", column.copy()), expressions=[_text("integer"), _text("real")])
        return case(exp.And(this=inside, expression=kinds), exp.Mul(this=column.copy(), expression=number("1.0")))
    return case(inside, exp.Cast(this=column.copy(), to=exp.DataType.build("double")))


def distinct_form(column: exp.Expression, kind: Column, engine: Engine) -> exp.Expression:
    """What of a value is told apart when its distinct values are counted exactly."""
    if engine.dialect is Dialect.POSTGRES and kind.type is ColumnType.TEXT:
        # Texts are sorted by the rules of a language there, which is slow; their 64-bit hashes are as many.
        return call("hashtextextended", exp.Cast(this=column.copy(), to=exp.DataType.build("text")), number(0))
    return column.copy()


def date_parts(column: exp.Expression, kind: ColumnType, engine: Engine) -> dict[str, exp.Expression]:
    """Whole numbers of a date, by name.

    Returns:
        ``month`` (year * 12 + month - 1), ``clock`` (above 0 past midnight), ``day``, ``year_day`` (month * 100 + day)
        and ``weekday`` (0 is Monday); what the engine cannot tell cheaply is left out.
    """
    if engine.dialect is Dialect.SQLITE:
        return _sqlite_date_parts(column)
    year, month, day = (_extract(part, column) for part in ("YEAR", "MONTH", "DAY"))
    months = exp.Add(this=exp.Mul(this=year, expression=number(12)), expression=month)
    parts: dict[str, exp.Expression] = {
        "month": exp.Sub(this=months, expression=number(1)),
        "day": day,
        "year_day": exp.Add(this=exp.Mul(this=month.copy(), expression=number(100)), expression=day.copy()),
    }
    if kind is ColumnType.DATETIME:
        hour, minute, second = (_extract(part, column) for part in ("HOUR", "MINUTE", "SECOND"))
        parts["clock"] = exp.Add(this=exp.Add(this=hour, expression=minute), expression=second)
    if engine.dialect in (Dialect.MYSQL, Dialect.SPARK):
        parts["weekday"] = call("WEEKDAY", column.copy())
    else:
        parts["weekday"] = exp.Sub(this=_extract("ISODOW", column), expression=number(1))
    if engine.dialect is Dialect.MYSQL:
        # '0000-00-00' and '2024-00-00' are what this engine keeps for a date that nobody knows.
        known = exp.And(this=exp.GT(this=month.copy(), expression=number(0)),
                        expression=exp.GT(this=day.copy(), expression=number(0)))  # fmt: skip
        return {name: case(known.copy(), part) for name, part in parts.items()}
    return parts


def _extract(part: str, column: exp.Expression) -> exp.Expression:
    return exp.Extract(this=exp.Var(this=part), expression=column.copy())


def _sqlite_date_parts(column: exp.Expression) -> dict[str, exp.Expression]:
    """From ISO 8601 text by position: SQLite's own date functions would also read numbers and 'now'."""
    looks_like = call("GLOB", _text("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"), column.copy())

    def digits(start: int, length: int) -> exp.Expression:
        cut = call("SUBSTR", column.copy(), number(start), number(length))
        return case(looks_like.copy(), exp.Add(this=cut, expression=number(0)))

    month = exp.Add(this=exp.Mul(this=digits(1, 4), expression=number(12)), expression=digits(6, 2))
    # Nothing but zeros, colons and a zone after the date is midnight.
    rest = call("RTRIM", call("LTRIM", call("SUBSTR", column.copy(), number(11)), _text(" T0:.")), _text("Z+0:"))
    clock = case(looks_like.copy(), call("LENGTH", rest))
    return {
        "month": exp.Sub(this=month, expression=number(1)),
        "day": digits(9, 2),
        "year_day": exp.Add(this=exp.Mul(this=digits(6, 2), expression=number(100)), expression=digits(9, 2)),
        "clock": clock,
    }


def text_classes(column: exp.Expression, engine: Engine) -> dict[str, exp.Expression]:
    """For each text class, whether a value fits it."""
    if engine.dialect is Dialect.SQLITE:
        return {word: _all_globs(globs, column) for word, globs in _GLOBS.items()}
    return {word: _matches(pattern, column, engine) for word, pattern in CLASSES.items()}


def _all_globs(globs: tuple[tuple[str, bool], ...], column: exp.Expression) -> exp.Expression:
    tests = [_glob(pattern, column, holds) for pattern, holds in globs]
    return reduce(lambda left, right: exp.And(this=left, expression=right), tests)


def _glob(pattern: str, column: exp.Expression, holds: bool) -> exp.Expression:
    test = call("GLOB", _text(pattern), column.copy())
    return test if holds else exp.Not(this=test)


def _matches(pattern: str, column: exp.Expression, engine: Engine) -> exp.Expression:
    if engine.dialect is Dialect.DUCKDB:
        return call("regexp_matches", column.copy(), _text(pattern))
    if engine.dialect is Dialect.MYSQL:
        # MariaDB has no REGEXP_LIKE; both have this one.
        return exp.GT(this=call("REGEXP_INSTR", column.copy(), _text(pattern)), expression=number(0))
    spaces = pattern.replace("[[:space:]]", r"\s")
    if engine.dialect is Dialect.SPARK:
        # Java has no class names within brackets.
        spaces = spaces.replace("[:space:]", r"\s")
    return exp.RegexpLike(this=column.copy(), expression=_text(spaces))


def sample_rows(share: float, engine: Engine) -> exp.Expression:
    """A condition that a random `share` of the rows meet, each row by itself."""
    if engine.dialect is Dialect.SQLITE:
        # random() is a 64-bit whole number there.
        return exp.LT(this=call("RANDOM"), expression=number(int((share * 2 - 1) * 2**63)))
    name = "RAND" if engine.dialect in (Dialect.MYSQL, Dialect.SPARK) else "RANDOM"
    return exp.LT(this=call(name), expression=number(f"{share:.9f}"))


def _text(value: str) -> exp.Expression:
    return exp.Literal.string(value)
