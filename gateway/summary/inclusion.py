"""The statement that tests a guessed relationship: how many values of a child column are keys of the parent."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from gateway.catalog import Relationship
from gateway.summary.shapes import alias_of, count_all, named_table, quoted, select_over
from gateway.tenancy.barrier import CTE_PREFIX

_VALUES: Final = 10_000
"""Distinct values of a child column that are looked up."""


def inclusion(link: Relationship) -> exp.Select:
    """Rows with a value, distinct values, those the parent has, rows and keys of the parent; all from one snapshot."""
    child, parent = link.columns[0], link.parent_columns[0]
    kids, keys = named_table(CTE_PREFIX + link.table), named_table(CTE_PREFIX + link.parent)
    there = exp.Not(this=exp.Is(this=quoted("v"), expression=exp.Null()))
    values = (
        exp.Select(expressions=[exp.alias_(quoted(child), "v", quoted=True, copy=False)])
        .from_(kids, copy=False)
        .distinct()
    )
    some = select_over(values, "d", [("v", quoted("v"))]).where(there, copy=False).limit(_VALUES, copy=False)
    lookup = (
        exp.Select(expressions=[exp.alias_(quoted(parent), "k", quoted=True, copy=False)])
        .from_(keys.copy(), copy=False)
        .distinct()
    )
    looked = exp.column("v", table="c", quoted=True)
    match = exp.EQ(this=looked, expression=exp.column("k", table="p", quoted=True))
    matched = (
        exp.Select(
            expressions=[
                exp.alias_(exp.Count(this=looked.copy()), "n", quoted=True, copy=False),
                exp.alias_(exp.Count(this=exp.column("k", table="p", quoted=True)), "m", quoted=True, copy=False),
            ]
        )
        .from_(exp.Subquery(this=some, alias=alias_of("c")), copy=False)
        .join(exp.Subquery(this=lookup, alias=alias_of("p")), on=match, join_type="left", copy=False)
    )
    rows = exp.Select(expressions=[exp.alias_(exp.Count(this=quoted(child)), "r", quoted=True, copy=False)]).from_(
        kids.copy(), copy=False
    )
    unique = exp.Count(this=exp.Distinct(expressions=[quoted(parent)]))
    sizes = exp.Select(
        expressions=[
            exp.alias_(count_all(), "a", quoted=True, copy=False),
            exp.alias_(unique, "b", quoted=True, copy=False),
        ]
    ).from_(keys.copy(), copy=False)
    parts = [
        exp.Subquery(this=tree, alias=alias_of(name)) for name, tree in (("x", rows), ("y", matched), ("z", sizes))
    ]
    select = exp.Select(expressions=[quoted(name) for name in ("r", "n", "m", "a", "b")]).from_(parts[0], copy=False)
    for part in parts[1:]:
        select = select.join(part, join_type="cross", copy=False)
    return select
