"""The few shapes of SQL that summary statements are made of, as sqlglot expressions. All names are quoted."""

from __future__ import annotations

from sqlglot import exp

from gateway.summary.engine import number

Fields = list[tuple[str, exp.Expression]]
"""What is selected, with the name it gets."""


def named_table(name: str) -> exp.Table:
    """A table or CTE of the statement."""
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def alias_of(name: str) -> exp.TableAlias:
    """An alias, quoted."""
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


def quoted(name: str) -> exp.Column:
    """A column, quoted."""
    return exp.column(name, quoted=True)


def count_all() -> exp.Count:
    """``COUNT(*)``."""
    return exp.Count(this=exp.Star())


def flag_of(condition: exp.Expression) -> exp.Expression:
    """1 where a condition holds, else 0."""
    return exp.Case(ifs=[exp.If(this=condition, true=number(1))], default=number(0))


def total_of(name: str) -> exp.Expression:
    """Sum of a column."""
    return exp.Sum(this=quoted(name))


def select_over(inner: exp.Select, alias: str, fields: Fields) -> exp.Select:
    """Select fields from a subquery."""
    # A column that keeps its name needs no alias: statements have hundreds of them, and engines parse each.
    named = [
        e if isinstance(e, exp.Column) and e.name == n else exp.alias_(e, n, quoted=True, copy=False) for n, e in fields
    ]
    return exp.Select(expressions=named).from_(exp.Subquery(this=inner, alias=alias_of(alias)), copy=False)


def or_null(value: exp.Expression) -> exp.Expression:
    """The value, or null for zero, so that a division by it is null."""
    return exp.Nullif(this=value, expression=number(0))


def all_of(fields: Fields) -> Fields:
    """Every field, by its name."""
    return [(name, quoted(name)) for name, _ in fields]
