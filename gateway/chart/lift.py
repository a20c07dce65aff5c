"""A filter on rows below the root means a related row: "customers with shipped orders" filters orders, not customers.

A model often writes the condition on the child's column directly. There is one sensible reading of that, so it is
taken rather than sent back for repair. Conditions on one child table that stand together speak of the same row.
"""

from __future__ import annotations

from gateway.chart.legs import Resolver
from gateway.chart.spec import AllOf, AnyOf, ChartSpec, Exists, Filter, Negation
from gateway.summary.model import Summary


def with_related_rows(spec: ChartSpec, summary: Summary) -> ChartSpec:
    """The spec with filters of child tables put into ``exists``; unchanged if it has none."""
    if spec.filter is None:
        return spec
    lifted = _lift(spec.filter, spec.table, Resolver(summary))
    return spec if lifted == spec.filter else spec.model_copy(update={"filter": lifted})


def _child_of(part: Filter, root: str, names: Resolver) -> str | None:
    """The table of a plain condition, if its rows hang below the root."""
    if isinstance(part, AllOf | AnyOf | Negation | Exists):
        return None
    table = part.column.partition(".")[0]
    below = not names.graph.reaches(root, table) and names.graph.reaches(table, root)
    return table if below else None


def _lift(part: Filter, root: str, names: Resolver) -> Filter:
    if isinstance(part, Negation):
        return Negation(op="not", filter=_lift(part.filter, root, names))
    if isinstance(part, AnyOf):
        return AnyOf(op="or", filters=tuple(_lift(p, root, names) for p in part.filters))
    if isinstance(part, AllOf):
        kept: list[Filter] = []
        children: dict[str, list[Filter]] = {}
        for inner in part.filters:
            child = _child_of(inner, root, names)
            if child is None:
                kept.append(_lift(inner, root, names))
            else:
                children.setdefault(child, []).append(inner)
        kept.extend(_related(table, parts) for table, parts in children.items())
        return kept[0] if len(kept) == 1 else AllOf(op="and", filters=tuple(kept))
    child = _child_of(part, root, names)
    return part if child is None else _related(child, [part])


def _related(table: str, parts: list[Filter]) -> Filter:
    together = parts[0] if len(parts) == 1 else AllOf(op="and", filters=tuple(parts))
    return Exists(op="exists", table=table, filter=together)
