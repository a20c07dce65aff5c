"""From groups to the answer: derived measures, having, the top n, order and limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.chart.compile_mongo.expressions import (
    Expression,
    as_double,
    every,
    is_null,
    not_null,
    of,
    op,
    quotient,
    when,
)
from gateway.chart.compile_mongo.groups import Key, is_top, order_keys, sorted_by
from gateway.chart.compile_mongo.rows import Build, project
from gateway.chart.spec import Dimension, Measure
from gateway.mongo import Stage

_COMPARE: Final = {"eq": "eq", "ne": "ne", "lt": "lt", "le": "lte", "gt": "gt", "ge": "gte"}


def derived(build: Build, groups: dict[str, Dimension]) -> list[Stage]:
    """Add the derived measures, each a function of the groups already there."""
    stages: list[Stage] = []
    for position, measure in enumerate(build.spec.measures):
        if measure.derive == "ratio":
            stages.append({"$set": {f"m{position + 1}": _ratio(measure)}})
        elif measure.derive is not None:
            stages += _windowed(build, groups, position, measure)
    return stages


def _ratio(measure: Measure) -> Expression:
    return quotient(f"${measure.of or 'm1'}", f"${measure.by or 'm1'}")


def _value(build: Build, name: str) -> Expression:
    """A measure by its name; a ratio is spelled out, as it may come later."""
    measure = build.spec.measures[int(name[1:]) - 1]
    return _ratio(measure) if measure.derive == "ratio" else f"${name}"


def _windowed(build: Build, groups: dict[str, Dimension], position: int, measure: Measure) -> list[Stage]:
    value, total, count, along, gap = (f"{letter}~{position + 1}" for letter in "vtcog")
    before: dict[str, Expression] = {value: _value(build, measure.of or "m1")}
    partition: list[str] = []
    keys: list[Key] = []
    window: Mapping[str, Expression] | None = None
    axis = measure.by or (build.first_ordered(groups) if groups else "")
    step = None if measure.derive == "share_of_total" else _ordinal(build, groups[axis], f"${axis}")
    if measure.derive == "share_of_total":
        partition = [measure.by] if measure.by else []
    elif step is None:
        # Names have no steps between them: only a running total makes sense, in their natural order.
        partition = [name for name in groups if name != axis]
        keys = order_keys(build, groups[axis], f"${axis}")
        window = {"documents": ["unbounded", "current"]}
    else:
        # A group without a period follows no other: it is a part of its own, where every step is 0.
        before[gap] = is_null(f"${axis}")
        before[along] = op("ifNull", step, 0)
        partition = [*(name for name in groups if name != axis), gap]
        window = {"range": _range(measure)}
    order: dict[str, int] = {}
    for place, (key, descending) in enumerate(keys):
        before[f"{along}{place:02}"] = key
        order[f"{along}{place:02}"] = -1 if descending else 1
    frame: Mapping[str, Expression] = {"window": window} if window is not None else {}
    gather: Expression = {"$avg": as_double(f"${value}")} if measure.derive == "moving_average" else of(
        "sum", f"${value}")  # fmt: skip
    output: dict[str, Expression] = {
        total: {**_object(gather), **frame},
        count: {**_object(of("sum", when(not_null(f"${value}"), 1, 0))), **frame},
    }
    body: dict[str, Expression] = {"output": output}
    if partition:
        body["partitionBy"] = {f"b{number}": f"${name}" for number, name in enumerate(partition)}
    if window is not None:
        body["sortBy"] = order or {along: 1}
    summed = when(op("gt", f"${count}", 0), f"${total}", None)
    finished = _finished(measure, f"${value}", summed, f"${gap}")
    return [{"$set": before}, {"$setWindowFields": body}, {"$set": {f"m{position + 1}": finished}}]


def _finished(measure: Measure, value: Expression, summed: Expression, gap: Expression) -> Expression:
    if measure.derive == "share_of_total":
        return quotient(value, summed)
    if measure.derive in {"running_total", "moving_average"}:
        return summed
    # SQL frames by value hold a group without a period to be its own peer.
    previous = when(gap, value, summed)
    change = op("subtract", value, previous)
    return change if measure.derive == "change" else quotient(change, of("abs", previous))


def _object(expression: Expression) -> Mapping[str, Expression]:
    assert isinstance(expression, Mapping)  # noqa: S101  (built here)
    return expression


def _range(measure: Measure) -> list[Expression]:
    if measure.derive == "running_total":
        return ["unbounded", "current"]
    if measure.derive == "moving_average":
        # The periods of the window that exist, so that a gap is not filled with an older period.
        return [1 - (measure.window or 2), 0]
    return [-1, -1]


def _ordinal(build: Build, dimension: Dimension, value: Expression) -> Expression | None:
    """A whole number that grows by one from a group to the next; None for names and measures."""
    step = build.step(dimension)
    if step is None:
        return None
    return value if step == "itself" else build.clock.ordinal(value, step)


def final(
    build: Build,
    groups: dict[str, Dimension],
    fields: tuple[str, ...],
    *,
    top: Mapping[str, Expression],
    flag: str,
    limit: int,
) -> list[Stage]:
    """The answer's rows: kept groups, in order, at most as many as may be shown and one more.

    Args:
        build: The pipeline.
        groups: Dimensions by name.
        fields: Output fields in order.
        top: Lookup of the top values to keep; empty to keep all.
        flag: Name of the group that has an "Other"; empty if none has.
        limit: Rows.
    """
    spec = build.spec
    stages: list[Stage] = [{"$lookup": top}] if top else []
    tests: list[Expression] = []
    for having in spec.having:
        measure: Expression = f"${having.measure}"
        compared = as_double(measure) if isinstance(having.value, float) else measure
        tests += [not_null(measure), op(_COMPARE[having.op], compared, build.bound.value(having.value))]
    if spec.mark == "histogram":
        # What has no value is in no bin.
        tests.append(not_null("$d1"))
    if top and spec.top is not None:
        tests.append(is_top(f"${spec.top.of}"))
    if tests:
        stages.append({"$match": {"$expr": every(tests)}})
    keys: list[Key] = []
    for name, descending in build.wanted_order(groups, fields, flag):
        keys += order_keys(build, groups.get(name), f"${name}", descending=descending)
    stages += sorted_by(keys) if keys else []
    return [*stages, {"$limit": limit}, project({name: f"${name}" for name in fields})]
