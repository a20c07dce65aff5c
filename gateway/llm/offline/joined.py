"""Conditions of a spec taken apart and put together again, for what a follow-up adds to them."""

from __future__ import annotations

from gateway.chart.spec import AllOf, Compare, Filter, InList, Value


def either(old: Filter, new: Filter) -> Filter | None:
    """``also for France``: one of the values before or the new one; None if the two cannot be told as one list."""
    if column_of(old) != column_of(new):
        return None
    values: list[Value] = []
    for part in (old, new):
        if isinstance(part, Compare) and part.op == "eq":
            values.append(part.value)
        elif isinstance(part, InList) and part.op == "in":
            values.extend(part.values)
        else:
            return None
    return InList(op="in", column=column_of(new), values=tuple(dict.fromkeys(values)))


def parts_of(part: Filter | None) -> list[Filter]:
    """The conditions that all have to hold."""
    if part is None:
        return []
    return list(part.filters) if isinstance(part, AllOf) else [part]


def column_of(part: Filter) -> str:
    """The column that a condition is about; its operator, for related rows."""
    if isinstance(part, AllOf) or part.op == "or":
        return column_of(part.filters[0])
    return getattr(part, "column", part.op)
