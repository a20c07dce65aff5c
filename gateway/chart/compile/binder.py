"""Small builders of SQL trees. Every value goes through `Binder`, so no literal of a spec is ever SQL text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlglot import exp

from gateway.types import Cell


class Binder:
    """Parameters of one statement, in order: ``p0``, ``p1`` …; equal values of the same type share one."""

    def __init__(self) -> None:
        self.parameters: dict[str, Cell | tuple[Cell, ...]] = {}
        self._known: dict[tuple[type, Cell], str] = {}

    def bind(self, value: Cell) -> exp.Expr:
        """A mark for a value."""
        key = (type(value), value)
        if key not in self._known:
            self._known[key] = f"p{len(self._known)}"
            self.parameters[self._known[key]] = value
        return exp.Placeholder(this=self._known[key])


def ident(name: str) -> exp.Identifier:
    """A quoted name."""
    return exp.Identifier(this=name, quoted=True)


def col(table: str, name: str) -> exp.Column:
    """``"table"."name"``."""
    return exp.Column(this=ident(name), table=ident(table))


def number(value: int | float) -> exp.Expr:
    """A number the compiler itself needs, such as 1 or 12. Never one of a spec."""
    return exp.Literal(this=str(value), is_string=False)


def word(value: str) -> exp.Expr:
    """A word of an engine's own language, such as the unit of DATE_TRUNC. Never one of a spec."""
    return exp.Literal(this=value, is_string=True)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A function of the engine, by name."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(value: exp.Expr, kind: str, dialect: str) -> exp.Expr:
    """CAST to a type of the engine."""
    return exp.Cast(this=value, to=_type(kind, dialect).copy())


@lru_cache(maxsize=128)
def _type(kind: str, dialect: str) -> exp.DataType:
    """A type, parsed once: naming one costs the parser as much as a small statement."""
    return exp.DataType.build(kind, dialect=dialect)


def paren(value: exp.Expr) -> exp.Expr:
    """Brackets, so that precedence never decides what a filter means; once is enough."""
    return value if isinstance(value, exp.Paren | exp.Column | exp.Placeholder) else exp.Paren(this=value)


def named(value: exp.Expr, name: str) -> exp.Alias:
    """``value AS "name"``."""
    return exp.Alias(this=value, alias=ident(name))


def conjunction(parts: Iterable[exp.Expr]) -> exp.Expr | None:
    """All of the conditions, each in brackets; None if there is none."""
    return _joined(parts, exp.And)


def disjunction(parts: Iterable[exp.Expr]) -> exp.Expr | None:
    """Any of the conditions, each in brackets; None if there is none."""
    return _joined(parts, exp.Or)


def _joined(parts: Iterable[exp.Expr], kind: type[exp.And] | type[exp.Or]) -> exp.Expr | None:
    tree: exp.Expr | None = None
    for part in parts:
        tree = paren(part) if tree is None else kind(this=tree, expression=paren(part))
    return tree


def when(cases: Sequence[tuple[exp.Expr, exp.Expr]], otherwise: exp.Expr | None = None) -> exp.Expr:
    """CASE WHEN … THEN … ELSE … END."""
    return exp.Case(ifs=[exp.If(this=test, true=value) for test, value in cases], default=otherwise)


def is_null(value: exp.Expr) -> exp.Expr:
    """Whether a value is missing."""
    return exp.Is(this=value, expression=exp.Null())


def not_null(value: exp.Expr) -> exp.Expr:
    """Whether a value is there."""
    return exp.Not(this=is_null(value))


def aggregate(kind: type[exp.Expr], value: exp.Expr) -> exp.Expr:
    """An aggregate function."""
    return kind(this=value)


def derived(select: exp.Query, alias: str) -> exp.Subquery:
    """A statement as a table."""
    return exp.Subquery(this=select, alias=exp.TableAlias(this=ident(alias)))


def select_from(expressions: Sequence[exp.Expr], source: exp.Expr) -> exp.Select:
    """SELECT expressions FROM source."""
    return exp.Select(expressions=list(expressions), from_=exp.From(this=source))


def window(
    function: exp.Expr,
    partition: Sequence[exp.Expr] = (),
    order: Sequence[exp.Expr] = (),
    spec: exp.WindowSpec | None = None,
) -> exp.Expr:
    """Function OVER (PARTITION BY … ORDER BY … frame)."""
    return exp.Window(
        this=function,
        partition_by=list(partition) or None,
        # Nulls first is what every engine can do within a window; callers leave no nulls that matter.
        order=exp.Order(expressions=[exp.Ordered(this=key, nulls_first=True) for key in order]) if order else None,
        spec=spec,
        over="OVER",
    )
