"""The only place where a statement may read a base table: a scope CTE, of one exact shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from gateway.chart.prove.nodes import (
    bare_column,
    collated,
    conjuncts,
    given,
    mark,
    number_text,
    plain_name,
    refuse,
    type_name,
    utf8,
)

_NO_CUT = "18446744073709551615"
_FENCE = "~fence"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition of a scope CTE.

    Attributes:
        kind: ``equal`` to bound values; among the keys of a ``parent``; or ``never``.
        column: Physical name of the column tested.
        form: How it is compared: as it is, by binary collation, or by bytes.
        marks: Parameters it is compared with (``equal``).
        parent: CTE and column of the keys (``parent``).
    """

    kind: Literal["equal", "parent", "never"]
    column: str = ""
    form: Literal["plain", "binary", "bytes"] = "plain"
    marks: tuple[str, ...] = ()
    parent: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class ScopeCte:
    """One scope CTE: the only place where a base table is read.

    Attributes:
        materialized, limited, by_chance: Which fence it stands behind.
    """

    table: str
    physical: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    predicates: tuple[Predicate, ...]
    materialized: bool
    limited: bool
    by_chance: bool


class ScopeCteReader:
    """Reads the scope CTEs of one statement in order, as each may stand on those before it.

    Attributes:
        ctes: Those read so far, by name; kept by the caller.
        marks: Parameters that carry scope values.
    """

    def __init__(self, ctes: dict[str, ScopeCte], marks: set[str]) -> None:
        self.ctes = ctes
        self.marks = marks

    def read(self, cte: exp.CTE, table: str) -> ScopeCte:
        """Read one scope CTE.

        Raises:
            ScopeRefusedError: It does anything but read columns of one base table under conditions of a scope.
        """
        body, by_chance = cte.this, False
        if type(body) is exp.Select and type(getattr(body.args.get("from_"), "this", None)) is exp.Subquery:
            body, by_chance = _behind_chance(body), True
        if type(body) is not exp.Select or not set(given(body)) <= {"expressions", "from_", "where", "limit"}:
            raise refuse("a scope CTE has an unknown part")
        source = body.args["from_"].this if type(body.args.get("from_")) is exp.From else None
        if type(source) is not exp.Table or not set(given(source)) <= {"this", "db", "catalog"}:
            raise refuse("a scope CTE does not read one base table")
        physical = tuple(plain_name(source.args[part]) for part in ("catalog", "db", "this") if source.args.get(part))
        columns = tuple(self._projection(item) for item in body.expressions)
        where = body.args.get("where")
        predicates = tuple(self._predicate(p) for p in conjuncts(where.this)) if where is not None else ()
        limit = body.args.get("limit")
        if limit is not None and (type(limit) is not exp.Limit or number_text(limit.expression) != _NO_CUT):
            raise refuse("a scope CTE cuts its rows")
        materialized = cte.args.get("materialized") is True
        return ScopeCte(table, physical, columns, predicates, materialized, limit is not None, by_chance)

    def _projection(self, item: exp.Expr) -> tuple[str, str]:
        """Physical and safe name of a column let through; ``("", "one")`` if only rows are counted."""
        if type(item) is exp.Column:
            return bare_column(item), bare_column(item)
        if type(item) is not exp.Alias:
            raise refuse("a scope CTE lets through something without a name")
        alias, value = plain_name(item.args.get("alias")), item.this
        if type(value) is exp.Literal and number_text(value) == "1" and alias == "one":
            return "", alias
        if type(value) is exp.Cast and set(given(value)) <= {"this", "to"} and type_name(value) in {"TEXT", "VARCHAR"}:
            value = value.this
        elif type(value) is exp.Collate and type(value.this) is exp.Cast and type_name(value.this) == "CHARACTER_SET":
            value = utf8(collated(value, "utf8mb4_bin"))
        elif type(value) is exp.Collate:
            value = collated(value, "BINARY", "UTF8_BINARY")
        return bare_column(value), alias

    def _predicate(self, test: exp.Expr) -> Predicate:
        if type(test) is exp.Boolean and not test.this:
            return Predicate("never")
        if type(test) is exp.EQ and type(test.this) is exp.Literal:
            if (number_text(test.this), number_text(test.expression)) != ("1", "0"):
                raise refuse("a scope CTE has an unknown condition")
            return Predicate("never")
        if type(test) is exp.In and test.args.get("query") is not None:
            return self._parent(test)
        if type(test) is exp.EQ:
            values = [test.expression]
        elif type(test) is exp.In and set(given(test)) == {"this", "expressions"}:
            values = test.expressions
        else:
            raise refuse("a scope CTE has an unknown condition")
        form, column = self._compared(test.this)
        marks = tuple(self._scope_mark(value, form) for value in values)
        return Predicate("equal", column, form, marks)

    def _compared(self, target: exp.Expr) -> tuple[Literal["plain", "binary", "bytes"], str]:
        if type(target) is exp.Collate:
            return "binary", bare_column(collated(target, "BINARY", "UTF8_BINARY"))
        if type(target) is exp.Cast and type_name(target) == "BINARY":
            if type(target.this) is not exp.Cast or type_name(target.this) != "CHARACTER_SET":
                raise refuse("a scope CTE compares in an unknown way")
            return "bytes", bare_column(utf8(target.this))
        return "plain", bare_column(target)

    def _scope_mark(self, value: exp.Expr, form: str) -> str:
        if form == "bytes":
            if type(value) is not exp.Cast or type_name(value) != "BINARY":
                raise refuse("a scope CTE compares in an unknown way")
            value = value.this
        if type(value) is not exp.Placeholder:
            raise refuse("a scope value is not bound")
        self.marks.add(mark(value))
        return mark(value)

    def _parent(self, test: exp.In) -> Predicate:
        query = test.args["query"]
        body = query.this if type(query) is exp.Subquery and set(given(query)) == {"this"} else None
        if type(body) is not exp.Select or set(given(body)) != {"expressions", "from_"} or len(body.expressions) != 1:
            raise refuse("a scope CTE has an unknown condition")
        source = body.args["from_"].this
        key = body.expressions[0]
        if type(source) is not exp.Table or set(given(source)) != {"this"} or type(key) is not exp.Column:
            raise refuse("a scope CTE has an unknown condition")
        parent = plain_name(source.this)
        if parent not in self.ctes or plain_name(key.args.get("table")) != parent:
            raise refuse("a scope CTE stands on a table that is not scoped before it")
        return Predicate("parent", bare_column(test.this), parent=(parent, plain_name(key.this)))


def _behind_chance(body: exp.Select) -> exp.Select:
    """The SELECT within Spark's fence: a random column that must be at least 0, and the other columns as they are."""
    source, where = body.args["from_"].this, body.args.get("where")
    inner = source.this
    if set(given(body)) != {"expressions", "from_", "where"} or set(given(source)) != {"this", "alias"}:
        raise refuse("a scope CTE has an unknown part")
    if type(inner) is not exp.Select or type(where) is not exp.Where or len(inner.expressions) < 2:
        raise refuse("a scope CTE has an unknown part")
    *others, chance = inner.expressions
    test = where.this
    is_random = type(chance) is exp.Alias and type(chance.this) is exp.Rand and not given(chance.this)
    if not is_random or plain_name(chance.args.get("alias")) != _FENCE or type(test) is not exp.GTE:
        raise refuse("a scope CTE has an unknown fence")
    if bare_column(test.this) != _FENCE or number_text(test.expression) != "0":
        raise refuse("a scope CTE has an unknown fence")
    names = [plain_name(part.args.get("alias") if type(part) is exp.Alias else part.this) for part in others]
    if [bare_column(part) for part in body.expressions] != names or _FENCE in names:
        raise refuse("a scope CTE lets through other columns than it reads")
    return exp.Select(**{**inner.args, "expressions": others})
