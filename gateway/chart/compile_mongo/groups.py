"""From rows to groups: the aggregates of each leg, bins, top-n-and-other, and the legs put together.

A ``$sum`` of nothing is 0 in MongoDB and null here, as in SQL, so what was there is counted beside it. Percentiles are
taken from the sorted values of the group, as ``$percentile`` only promises an approximation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.compile.question import BOX, DEFAULT_BINS, OTHER, OTHER_FLAG, Grouping, has_value
from gateway.chart.compile_mongo.expressions import (
    Expression,
    as_double,
    is_null,
    not_null,
    of,
    op,
    when,
)
from gateway.chart.compile_mongo.rows import Build, leg_rows, project
from gateway.chart.legs import Leg
from gateway.chart.spec import Bin, Dimension, Measure
from gateway.mongo import Stage

_NUDGE: Final = 1e-09
_WIDEST: Final = 10_000_000_000
Key = tuple[Expression, bool]
"""What to sort by, and whether the greatest comes first."""


@dataclass(frozen=True)
class Shape(Grouping):
    """A grouping in a pipeline.

    Attributes:
        top: The lookup of the top values, for `other`.
        bins: Lookups of the width of bins, by group.
    """

    top: Mapping[str, Expression] = field(default_factory=dict)
    bins: dict[str, Mapping[str, Expression]] = field(default_factory=dict)


def grouped(build: Build, shape: Shape) -> tuple[str, list[Stage]]:
    """One document per group, with a field per group and per measure (``m1`` …, or five of a box).

    Legs are put together in one document, each as a list: without a group there is one even if no row is read.
    """
    legs = [_leg(build, shape, leg) for leg in shape.legs]
    collection, stages = legs[0]
    if len(legs) == 1 and shape.names:
        return collection, stages
    lists = ["u~1"]
    stages = [*stages, {"$facet": {"u~1": [{"$match": {}}]}}]
    for number, (other, pipeline) in enumerate(legs[1:], start=2):
        lists.append(f"u~{number}")
        stages.append({"$lookup": {"from": other, "pipeline": pipeline, "as": lists[-1]}})
    fields = {name: place for place, leg in enumerate(shape.legs) for name in _fields(shape, leg)}
    counts = {
        f"m{position + 1}"
        for position, measure in shape.measures.items()
        if build.names.aggregate_of(measure) in {"count", "count_distinct"} and not shape.boxplot
    }
    merged: dict[str, Expression] = {}
    if not shape.names:
        for name, place in fields.items():
            merged[name] = op("ifNull", first_of(f"${lists[place]}", name), 0 if name in counts else None)
        return collection, [*stages, project(merged)]
    stages += [project({"u": op("concatArrays", *[f"${part}" for part in lists])}), {"$unwind": "$u"}]
    best: dict[str, Expression] = {name: of("max", f"$u.{name}") for name in fields}
    stages.append({"$group": {"_id": {name: f"$u.{name}" for name in shape.names}, **best}})
    for name in fields:
        merged[name] = op("ifNull", f"${name}", 0) if name in counts else f"${name}"
    return collection, [*stages, project({**{name: f"$_id.{name}" for name in shape.names}, **merged})]


def _fields(shape: Shape, leg: Leg) -> list[str]:
    """The fields of a leg's own measures."""
    names = [f"m{position + 1}" for position in leg.measures if position in shape.measures]
    return [f"{name}_{part}" for name in names for part in BOX] if shape.boxplot else names


def top_values(build: Build, shape: Shape, name: str, by: int, n: int, *, descending: bool) -> dict[str, Expression]:
    """A lookup of the first n values of a group by a measure over the whole group, as a list of ``k``."""
    measure = shape.measures[by]
    leg = next(leg for leg in shape.legs if by in leg.measures)
    ranking = Shape(groups={name: shape.groups[name]}, measures={by: measure}, legs=(leg,), bins=shape.bins)
    collection, stages = _leg(build, ranking, leg)
    keys = [*order_keys(build, None, f"$m{by + 1}", descending=descending)]
    keys += order_keys(build, shape.groups[name], f"${name}")
    stages = [*stages, *sorted_by(keys), {"$limit": n}, project({"k": f"${name}"})]
    return {"from": collection, "pipeline": stages, "as": "top~"}  # type: ignore[dict-item]


def is_top(value: Expression) -> Expression:
    """Whether a value, or its absence, is in the top list."""
    return op("in", value, of("map", {"input": "$top~", "as": "t", "in": "$$t.k"}))


def first_of(documents: Expression, name: str) -> Expression:
    """A field of the first of some documents; nothing if there is none."""
    return of("let", {"vars": {"d": of("first", documents)}, "in": f"$$d.{name}"})


def order_keys(build: Build, dimension: Dimension | None, value: Expression, *, descending: bool = False) -> list[Key]:
    """How groups follow one another: nulls last; text by letters, then by code points."""
    nulls: Key = (is_null(value), False)
    if dimension is None:
        return [nulls, (value, descending)]
    _, column = build.column(dimension.column)
    if dimension.part == "weekday" and build.scope.week_start == "sunday":
        return [nulls, (op("mod", value, 7), descending)]
    if column.type is not ColumnType.TEXT:
        return [nulls, (value, descending)]
    labels = column.vocabulary or ()
    first: Expression = of("toLower", value)
    if 1 < len(labels) <= 30:
        # The owner's declared order (low, medium, high) is the natural one; what is not in it comes after.
        place = op("indexOfArray", [build.bound.value(label) for label in labels], value)
        first = of("let", {"vars": {"at": place}, "in": when(op("lt", "$$at", 0), len(labels), "$$at")})
    return [nulls, (first, descending), (value, descending)]


def sorted_by(keys: list[Key]) -> list[Stage]:
    """Sort by expressions. The names of the fields they are put in sort as the keys do, as JSON has sorted keys."""
    fields: dict[str, Expression] = {f"o~{place:03}": key for place, (key, _) in enumerate(keys)}
    order = {f"o~{place:03}": -1 if descending else 1 for place, (_, descending) in enumerate(keys)}
    return [{"$set": fields}, {"$sort": order}]


def add_bins(build: Build, shape: Shape) -> None:
    """For bins by count: a lookup per dimension that finds a round width from the least and greatest value."""
    for name, dimension in shape.groups.items():
        if dimension.bin is None or dimension.bin.width is not None:
            continue
        collection, stages = leg_rows(build, shape.legs[0], {name: dimension}, {})
        count = as_double(build.bound.value(dimension.bin.count or DEFAULT_BINS))
        width = op("divide", op("subtract", "$hi", "$lo"), count)
        steps: list[Expression] = [{"case": op("lte", "$$raw", 0), "then": 1}]
        steps += [{"case": op("lte", "$$raw", _plain(step)), "then": _plain(step)} for step in build.ladder(dimension)]
        rounded: Expression = {"vars": {"raw": width}, "in": of("switch", {"branches": steps, "default": _WIDEST})}
        extent = {"_id": None, "lo": of("min", f"${name}"), "hi": of("max", f"${name}")}
        stages = [*stages, {"$group": extent}, project({"w": as_double(of("let", rounded))})]
        body = {"from": collection, "pipeline": stages, "as": f"w~{name}"}
        shape.bins[name] = body  # type: ignore[assignment]


def _plain(step: str) -> int | float:
    digit, _, power = step.partition("e")
    return int(digit) * 10 ** int(power) if int(power) >= 0 else float(f"{digit}e{power}")


def _leg(build: Build, shape: Shape, leg: Leg) -> tuple[str, list[Stage]]:
    """The groups of one grain. Measures of other grains are not there, so that legs can be put together."""
    mine = {position: shape.measures[position] for position in leg.measures if position in shape.measures}
    collection, stages = leg_rows(build, leg, shape.groups, mine)
    stages = [*stages, *_cut(build, shape, mine)]
    keys: Expression = {name: f"${name}" for name in shape.names} or None
    gathered: dict[str, Expression] = {}
    shown: dict[str, Expression] = {name: f"$_id.{name}" for name in shape.names}
    for position, measure in mine.items():
        _aggregate(build, position, measure, shape, gathered, shown)
    return collection, [*stages, {"$group": {"_id": keys, **gathered}}, project(shown)]


def _cut(build: Build, shape: Shape, mine: dict[int, Measure]) -> list[Stage]:
    """Cut values into bins, and turn what is not in the top list into "Other"."""
    cut = {name: d.bin for name, d in shape.groups.items() if d.bin is not None}
    if not cut and not shape.other:
        return []
    stages: list[Stage] = [{"$lookup": shape.bins[name]} for name in cut if name in shape.bins]
    if shape.other:
        stages.append({"$lookup": shape.top})
    shown: dict[str, Expression] = {}
    for name in shape.groups:
        value: Expression = f"${name}"
        if name in cut:
            value = _bin(build, value, cut[name], name in shape.bins and name)
        if shape.other == name:
            member = is_top(value)
            shown[OTHER_FLAG] = when(member, 0, 1)
            value = when(member, value, build.bound.value(OTHER))
        shown[name] = value
    shown.update({f"x{p + 1}": f"$x{p + 1}" for p, m in mine.items() if has_value(m)})
    return [*stages, project(shown)]


def _bin(build: Build, value: Expression, cut: Bin, looked_up: str | bool) -> Expression:
    """The lower edge of a value's bin. The small addend keeps 0.3 in the bin that starts at 0.3."""
    width = first_of(f"$w~{looked_up}", "w") if looked_up else as_double(build.bound.value(cut.width or 1.0))
    return op("multiply", of("floor", op("add", op("divide", value, width), _NUDGE)), width)


def _aggregate(
    build: Build,
    position: int,
    measure: Measure,
    shape: Shape,
    gathered: dict[str, Expression],
    shown: dict[str, Expression],
) -> None:
    """Add what a measure gathers from its rows, and what it is made of that."""
    x, a, n, m = (f"{letter}{position + 1}" for letter in "xanm")
    value: Expression = f"${x}"
    there: Expression = when(not_null(value), 1, 0)
    if shape.boxplot:
        gathered[a] = of("push", as_double(value))
        shares = (0.0, 0.25, 0.5, 0.75, 1.0)
        for part, share in zip(BOX, shares, strict=True):
            shown[f"{m}_{part}"] = _quantile(build, f"${a}", share)
        return
    kind = build.names.aggregate_of(measure)
    if kind == "count":
        gathered[a] = of("sum", there if has_value(measure) else 1)
        shown[m] = f"${a}"
    elif kind == "count_distinct":
        gathered[a] = of("addToSet", value)
        shown[m] = of("size", op("setDifference", f"${a}", [None]))
    elif kind == "sum":
        gathered[a], gathered[n] = of("sum", value), of("sum", there)
        shown[m] = when(op("gt", f"${n}", 0), f"${a}", None)
    elif kind in {"median", "percentile"}:
        gathered[a] = of("push", as_double(value))
        shown[m] = _quantile(build, f"${a}", 0.5 if kind == "median" else (measure.percentile or 50) / 100)
    else:
        name = {"avg": "avg", "stddev": "stdDevSamp", "min": "min", "max": "max"}[kind]
        gathered[a] = of(name, as_double(value) if kind in {"avg", "stddev"} else value)
        shown[m] = f"${a}"


def _quantile(build: Build, values: Expression, share: float) -> Expression:
    """Percentile with linear interpolation (type 7 of Hyndman and Fan 1996) of the values that are there."""
    there = of("filter", {"input": values, "as": "v", "cond": not_null("$$v")})
    ordered = of("sortArray", {"input": there, "sortBy": 1})
    last = op("subtract", of("size", "$$sorted"), 1)
    at = op("multiply", build.bound.value(share), last)
    lower = op("arrayElemAt", "$$sorted", of("toInt", of("floor", "$$at")))
    upper = op("arrayElemAt", "$$sorted", of("toInt", of("ceil", "$$at")))
    rest = op("subtract", "$$at", of("floor", "$$at"))
    between = op("add", op("multiply", lower, op("subtract", 1, rest)), op("multiply", upper, rest))
    empty = op("eq", of("size", "$$sorted"), 0)
    inner = of("let", {"vars": {"at": at}, "in": when(empty, None, between)})
    return of("let", {"vars": {"sorted": ordered}, "in": inner})
