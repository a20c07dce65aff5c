"""The offset of a time zone at an instant, spelled out for engines that know no zones."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import when
from gateway.chart.compile.engine import Engine
from gateway.chart.compile.zones import OffsetTree, offsets

_UTC = Column(name="at", physical="at", type=ColumnType.DATETIME)


def offset_case(engine: Engine, x: exp.Expr, shift: Callable[[int], exp.Expr]) -> exp.Expr:
    """The offset of the tenant's zone at an instant, as a search tree over the zone's changes."""

    def build(tree: OffsetTree | int) -> exp.Expr:
        if isinstance(tree, int):
            return shift(tree)
        limit = engine.bound_instant(tree.before, _UTC)
        return when([(exp.LT(this=x.copy(), expression=limit), build(tree.earlier))], build(tree.later))

    return build(offsets(engine.timezone, engine.now.year + 2))
