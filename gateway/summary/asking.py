"""What is asked of each column: aggregates of its rows and of its units, tails, quantiles and text classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from gateway.catalog import Column, ColumnType, Dialect, Table
from gateway.summary.engine import Engine, as_number, call, case, date_parts, distinct_form, number, text_classes
from gateway.summary.lists import number_lists, tenths
from gateway.summary.measured import GRID, QUANTILES, TAIL
from gateway.summary.shapes import (
    Fields,
    count_all,
    flag_of,
    named_table,
    or_null,
    quoted,
    select_over,
    total_of,
)

CLASS_ROWS: Final = 5_000
"""Text classes are judged on the first so many rows of the scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to measure.

    Attributes:
        subject: Column that names the data subject, or None for rows as units.
        keys: Columns that only tell rows apart: counted, never described as numbers.
        labels: Approved labels by column.
        bounds: Declared bounds by column.
        private: Ask for what differential privacy needs.
        share: Random share of the rows to look at; None for all.
        exact: Few enough rows for exact quantiles.
    """

    table: Table
    columns: tuple[Column, ...]
    subject: str | None = None
    keys: frozenset[str] = frozenset()
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    private: bool = False
    share: float | None = None
    exact: bool = True

    def describes_number(self, column: Column) -> bool:
        """Whether a column has a range, a mean and so on."""
        return column.type.is_numeric and column.name not in self.keys


@dataclass(slots=True)
class Parts:
    """What is asked of each relation, as (key, aggregate), and subqueries of one row each."""

    rows: list[tuple[str, exp.Expression]] = field(default_factory=list)
    units: list[tuple[str, exp.Expression]] = field(default_factory=list)
    outer: list[tuple[str, exp.Expression]] = field(default_factory=list)
    single: list[tuple[tuple[str, ...], exp.Select]] = field(default_factory=list)


def typed_fields(ask: Ask, engine: Engine) -> tuple[Fields, Fields]:
    """Typed columns of ``r`` and columns of ``u``, by position of the column: ``v3`` is its value."""
    rows: Fields = [("one", number(1))]
    units: Fields = [("unit", exp.Count(this=quoted("one")) if ask.subject else number(1))]
    if ask.subject is not None:
        rows.append(("subject", quoted(ask.subject)))
    for i, column in enumerate(ask.columns):
        raw = quoted(column.name)
        rows.append((f"c{i}", raw))
        if ask.describes_number(column):
            rows.append((f"v{i}", as_number(raw, engine)))
        elif column.type.is_temporal:
            parts = date_parts(raw, column.type, engine)
            rows.append((f"v{i}", parts.pop("month")))
            rows += [(f"{name}{i}", part) for name, part in parts.items()]
        else:
            rows.append((f"v{i}", raw.copy()))
        units += unit_fields_of(i, column, ask, {name for name, _ in rows})
    return rows, units


def unit_fields_of(i: int, column: Column, ask: Ask, known: set[str]) -> Fields:
    """What of a column each unit says, see `gateway.summary.statement`."""
    value = quoted(f"v{i}")
    grouped = ask.subject is not None

    def flag(condition: exp.Expression) -> exp.Expression:
        test = exp.Case(ifs=[exp.If(this=condition, true=number(1))], default=number(0))
        return exp.Max(this=test) if grouped else test

    empty = exp.Is(this=value.copy(), expression=exp.Null())
    # Where a row is a unit, the number of values says the same.
    fields: Fields = [(f"has{i}", flag(exp.Not(this=empty))), (f"nil{i}", flag(empty.copy()))] if grouped else []
    if ask.describes_number(column):
        size: exp.Expression = exp.Abs(this=value.copy())
        whole = exp.NEQ(this=value.copy(), expression=call("floor", value.copy()))
        fields += [
            (f"lo{i}", exp.Min(this=value.copy()) if grouped else value.copy()),
            (f"hi{i}", exp.Max(this=value.copy()) if grouped else value.copy()),
            (f"ab{i}", exp.Sum(this=size) if grouped else size),
            (f"zero{i}", flag(exp.EQ(this=value.copy(), expression=number(0)))),
            (f"pos{i}", flag(exp.GT(this=value.copy(), expression=number(0)))),
            (f"neg{i}", flag(exp.LT(this=value.copy(), expression=number(0)))),
            (f"frac{i}", flag(whole)),
        ]
    elif column.type.is_temporal:
        off = {"clock": 0, "day": 1, "year_day": 101, "weekday": 0}
        fields += [
            (f"lo{i}", exp.Min(this=value.copy()) if grouped else value.copy()),
            (f"hi{i}", exp.Max(this=value.copy()) if grouped else value.copy()),
            *(
                (f"off_{name}{i}", flag(exp.NEQ(this=quoted(f"{name}{i}"), expression=number(at))))
                for name, at in off.items()
                if f"{name}{i}" in known
            ),
        ]
    return fields


def ask_column(parts: Parts, i: int, column: Column, ask: Ask, engine: Engine) -> None:
    """Ask for everything the rule table needs of one column."""
    value, raw = quoted(f"v{i}"), quoted(f"c{i}")
    parts.rows.append((f"values{i}", exp.Count(this=value)))
    if ask.subject is not None:
        parts.units += [(f"unit_values{i}", total_of(f"has{i}")), (f"unit_nulls{i}", total_of(f"nil{i}"))]
    if _can_compare(column):
        distinct = exp.Count(this=exp.Distinct(expressions=[distinct_form(raw, column, engine)]))
        parts.rows.append((f"distinct{i}", call(engine.distinct, raw) if engine.distinct else distinct))
    if ask.describes_number(column):
        _ask_number(parts, i, ask, engine)
        if ask.private and column.name in ask.bounds and ask.subject is None:
            parts.rows.append((f"grid{i}", _grid_sum(value, *ask.bounds[column.name])))
    elif column.type.is_temporal:
        flags = (
            ("clock", "day", "year_day", "weekday")
            if column.type is ColumnType.DATETIME
            else ("day", "year_day", "weekday")
        )
        if engine.dialect is Dialect.SQLITE:
            flags = ("clock", "day", "year_day")
        parts.units += [(f"off_{name}{i}", total_of(f"off_{name}{i}")) for name in flags]
        _ask_tenths(parts, i, engine)
    elif column.type is ColumnType.TEXT:
        length = call("char_length" if engine.dialect is Dialect.MYSQL else "length", value.copy())
        parts.rows.append((f"length{i}", exp.Avg(this=length)))
    for j, label in enumerate(ask.labels.get(column.name, ())):
        same = exp.EQ(this=raw.copy(), expression=exp.Literal.string(label))
        parts.rows.append((f"label_rows{i}_{j}", exp.Sum(this=flag_of(same))))
        who = case(same.copy(), quoted("subject")) if ask.subject else None
        units = exp.Count(this=exp.Distinct(expressions=[who])) if who else exp.Sum(this=flag_of(same.copy()))
        parts.rows.append((f"label_units{i}_{j}", units))


def _grid_sum(value: exp.Expression, low: float, high: float) -> exp.Expression:
    """Sum of the values, clamped to the bounds and counted in whole steps between them (`gateway.summary.private`)."""
    away = exp.Paren(this=exp.Sub(this=value.copy(), expression=exp.Paren(this=number(repr(low)))))
    steps = call("round", exp.Mul(this=away, expression=number(repr(GRID / (high - low)))))
    below = exp.If(this=exp.LTE(this=value.copy(), expression=number(repr(low))), true=number(0))
    above = exp.If(this=exp.GTE(this=value.copy(), expression=number(repr(high))), true=number(GRID))
    known = exp.If(this=exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())), true=steps)
    return exp.Sum(this=exp.Case(ifs=[below, above, known]))


def _can_compare(column: Column) -> bool:
    """Whether values can be told apart cheaply: PostgreSQL has types without equality, such as json and point."""
    uuid = column.type is ColumnType.OTHER and column.native_type.lower().startswith("uuid")
    return uuid or column.type not in {ColumnType.JSON, ColumnType.BINARY, ColumnType.OTHER}


def _ask_number(parts: Parts, i: int, ask: Ask, engine: Engine) -> None:
    value = quoted(f"v{i}")
    mean = exp.Avg(this=value)
    parts.rows += [
        (f"mean{i}", mean),
        (f"zeros{i}", exp.Sum(this=flag_of(exp.EQ(this=value.copy(), expression=number(0))))),
    ]
    squares = _squares(value, engine)
    farthest = exp.Greatest(
        this=exp.Sub(this=exp.Max(this=value.copy()), expression=mean.copy()),
        expressions=[exp.Sub(this=mean.copy(), expression=exp.Min(this=value.copy()))],
    )
    parts.rows.append((f"squares{i}", squares))
    if ask.subject is None:
        # Largest squared deviation over their sum. With several rows a subject it would not bound the subject's part.
        share = exp.Div(this=exp.Mul(this=farthest, expression=farthest.copy()), expression=or_null(squares.copy()))
        parts.rows.append((f"spread{i}", share))
    parts.units += [(f"unit_{name}{i}", total_of(f"{name}{i}")) for name in ("zero", "pos", "neg", "frac")]
    if engine.top_lists:
        rows, units, outer = number_lists(i, engine, exact=ask.exact, grouped=ask.subject is not None)
        parts.rows += rows
        parts.units += units
        parts.outer += outer
        return
    parts.single.append((tuple(f"q{i}_{j}" for j in range(len(QUANTILES))), _ranked(value)))
    parts.single.append((_tail_keys(f"lo{i}"), _tail(f"lo{i}", descending=False)))
    parts.single.append((_tail_keys(f"hi{i}"), _tail(f"hi{i}", descending=True)))
    parts.single.append(((f"p_ratio{i}", f"top_two{i}"), _dominance(i)))


def _squares(value: exp.Expression, engine: Engine) -> exp.Expression:
    """Sum of squared deviations from the mean, computed so that a large mean does not swallow it."""
    if engine.dialect is not Dialect.SQLITE:
        return exp.Mul(this=call("var_pop", value.copy()), expression=exp.Count(this=value.copy()))
    mean = exp.Subquery(this=exp.Select(expressions=[exp.Avg(this=value.copy())]).from_(named_table("r"), copy=False))
    away = exp.Paren(this=exp.Sub(this=value.copy(), expression=mean))
    return exp.Sum(this=exp.Mul(this=away, expression=away.copy()))


def _ask_tenths(parts: Parts, i: int, engine: Engine) -> None:
    if engine.top_lists:
        units, outer = tenths(i, engine)
        parts.units += units
        parts.outer += outer
        return
    for end, field_name, descending in (("first", f"lo{i}", False), ("last", f"hi{i}", True)):
        value = exp.Min(this=quoted("x")) if descending else exp.Max(this=quoted("x"))
        full = exp.EQ(this=count_all(), expression=number(TAIL))
        tenth = exp.Select(expressions=[case(full, value)]).from_(
            _ends(field_name, TAIL, descending=descending), copy=False
        )
        parts.single.append(((f"{end}{i}",), tenth))


def _tail_keys(name: str) -> tuple[str, ...]:
    return (f"{name}_units", f"{name}_mean", f"{name}_p")


def _ends(name: str, count: int, *, descending: bool) -> exp.Subquery:
    """The first `count` values of a unit column from one end, as ``x``."""
    value = quoted(name)
    inner = (
        exp.Select(expressions=[exp.alias_(value, "x", quoted=True, copy=False)])
        .from_(named_table("u"), copy=False)
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())), copy=False)
        .order_by(exp.Ordered(this=value.copy(), desc=descending, nulls_first=not descending), copy=False)
        .limit(count, copy=False)
    )
    return exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("e", quoted=True)))


def _tail(name: str, *, descending: bool) -> exp.Select:
    size = exp.Abs(this=quoted("x"))
    order = exp.Order(expressions=[exp.Ordered(this=size.copy(), desc=True, nulls_first=False)])
    rank = exp.Window(this=exp.RowNumber(), order=order)
    ranked = exp.Select(
        expressions=[
            exp.alias_(quoted("x"), "x", quoted=True, copy=False),
            exp.alias_(size, "a", quoted=True, copy=False),
            exp.alias_(rank, "k", quoted=True, copy=False),
        ]
    ).from_(_ends(name, TAIL, descending=descending), copy=False)
    below = exp.LTE(this=quoted("k"), expression=number(2))
    rest = exp.Sub(this=exp.Sum(this=quoted("a")), expression=exp.Sum(this=case(below, quoted("a"))))
    ratio = exp.Div(this=exp.Paren(this=rest), expression=or_null(exp.Max(this=quoted("a"))))
    return select_over(ranked, "t", [("n", count_all()), ("m", exp.Avg(this=quoted("x"))), ("p", ratio)])


def _dominance(i: int) -> exp.Select:
    """P ratio and share of the two largest contributions, from them and the sum of all."""
    largest, both = exp.Max(this=quoted("x")), exp.Sum(this=quoted("x"))
    total = exp.Subquery(
        this=exp.Select(expressions=[exp.Sum(this=quoted(f"ab{i}"))]).from_(named_table("u"), copy=False)
    )
    ratio = exp.Div(this=exp.Paren(this=exp.Sub(this=total, expression=both)), expression=or_null(largest))
    share = exp.Div(this=both.copy(), expression=or_null(total.copy()))
    return exp.Select(expressions=[ratio, share]).from_(_ends(f"ab{i}", 2, descending=True), copy=False)


def _ranked(value: exp.Expression) -> exp.Select:
    """All quantiles from one sort: rows numbered by value, the two beside each quantile weighed (linear, type 7)."""
    order = exp.Order(expressions=[exp.Ordered(this=value.copy())])
    ranked = (
        exp.Select(
            expressions=[
                exp.alias_(value.copy(), "x", quoted=True, copy=False),
                exp.alias_(exp.Window(this=exp.RowNumber(), order=order), "k", quoted=True, copy=False),
                exp.alias_(exp.Window(this=count_all()), "n", quoted=True, copy=False),
            ]
        )
        .from_(named_table("r"), copy=False)
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())), copy=False)
    )
    fields: Fields = []
    for j, share in enumerate(QUANTILES):
        # Place of the quantile among k = 1 … n; a row's weight is 1 less its distance from it, if that is below 1.
        place = exp.Add(
            this=exp.Mul(
                this=exp.Paren(this=exp.Sub(this=quoted("n"), expression=number(1))), expression=number(share)
            ),
            expression=number(1),
        )
        away = exp.Abs(this=exp.Sub(this=quoted("k"), expression=exp.Paren(this=place)))
        near = exp.LT(this=away, expression=number(1))
        weight = exp.Paren(this=exp.Sub(this=number("1.0"), expression=away.copy()))
        fields.append((f"q{j}", exp.Sum(this=case(near, exp.Mul(this=quoted("x"), expression=weight)))))
    return select_over(ranked, "t", fields)


def ask_classes(ask: Ask, engine: Engine, source: exp.Expression) -> list[tuple[tuple[str, ...], exp.Select]]:
    """For each text column, how many of the first rows of the scope fit each text class; one look for all columns."""
    texts = [(i, column) for i, column in enumerate(ask.columns) if column.type is ColumnType.TEXT]
    if not texts:
        return []
    first = exp.Select(expressions=[exp.alias_(quoted(c.name), f"t{i}", quoted=True, copy=False) for i, c in texts])
    first = first.from_(source.copy(), copy=False).limit(CLASS_ROWS, copy=False)
    fields: Fields = []
    for i, _ in texts:
        value = quoted(f"t{i}")
        fields.append((f"class_looked{i}", exp.Count(this=value)))
        fields.append((f"class_json{i}", exp.Sum(this=flag_of(_begins_like_json(value)))))
        fields += [
            (f"class_{word}{i}", exp.Sum(this=flag_of(test)))
            for word, test in text_classes(value.copy(), engine).items()
        ]
    return [(tuple(key for key, _ in fields), select_over(first, "t", fields))]


def _begins_like_json(value: exp.Expression) -> exp.Expression:
    """Whether a text may be a document or a list."""
    begins = call("SUBSTR", call("LTRIM", value.copy()), number(1), number(1))
    return exp.In(this=begins, expressions=[exp.Literal.string("{"), exp.Literal.string("[")])
