"""Bars, lines, areas and points: marks on a plane of a group and a measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway.chart.render.channels import (
    Json,
    category_axis,
    color,
    number_axis,
    position,
    spoken,
    time_axis,
)
from gateway.chart.render.data import Drawing, Shown, is_scale
from gateway.chart.render.shape import (
    as_category,
    drop_blank,
    drop_missing,
    first_groups,
    fold_measures,
    grouping,
)
from gateway.chart.render.theme import part

MAX_BARS: Final = 60
"""Categories drawn as bars; more than a reader can take in."""
MAX_SERIES: Final = 16
"""Colours that can be told apart at all (see theme)."""
GRAIN_DAYS: Final = {"year": 365.25, "quarter": 91.3, "month": 30.44, "week": 7.0, "day": 1.0, "hour": 1 / 24}


def bar(drawing: Drawing) -> tuple[Json, Drawing]:
    """Bars: upright for time and few short categories, else lying."""
    if len(drawing.measures) > 1:
        return _several(drawing, bar)
    group, split, drawing = grouping(drop_blank(drawing))
    measure = drawing.measures[0]
    if group is None:
        return _single(drawing)
    if group.bin_width and split is None:
        return _binned(group, None, drawing)
    stack = _stack(drawing, measure, split)
    if split is not None:
        split, drawing = first_groups(split, drawing, MAX_SERIES)
    beside = split is not None and stack is None
    if group.kind == "time" and len(group.times) > 1 and not beside and drawing.spec.orientation != "horizontal":
        return _time_bars(group, split, measure, stack, drop_missing(group, drawing))
    group, drawing = first_groups(as_category(group, drawing), drawing, MAX_BARS)
    lying = _is_lying(group, drawing)
    across = number_axis(measure, drawing, zero=True)
    if split is not None:
        across["stack"] = stack
    along = category_axis(group, horizontal=lying)
    encoding: Json = {"y": along, "x": across} if lying else {"x": along, "y": across}
    if split is not None:
        encoding["color"] = color(split, drawing)
        if beside:
            encoding["yOffset" if lying else "xOffset"] = {
                "field": split.field, "type": "nominal", "sort": list(split.labels),
            }  # fmt: skip
    count = len(group.labels) or len(group.numbers)
    body: Json = {"mark": {"type": "bar", "cornerRadiusEnd": 0 if split and not beside else 2}}
    body["encoding"] = encoding | spoken(drawing)
    if lying:
        step = 26 if not beside or split is None else max(26, 12 * len(split.labels) + 6)
        body["height"] = max(60, min(1800, count * step))
    elif count <= 4:
        body["width"] = min(drawing.width, 120 * max(2, count))
    return body, drawing


def _single(drawing: Drawing) -> tuple[Json, Drawing]:
    """A lone number as one lying bar."""
    measure = drawing.measures[0]
    body: Json = {
        "mark": {"type": "bar"},
        "encoding": {"x": number_axis(measure, drawing, zero=True)} | spoken(drawing),
        "height": 60,
    }
    return body, drawing


def _time_bars(
    group: Shown, split: Shown | None, measure: Shown, stack: str | bool | None, drawing: Drawing
) -> tuple[Json, Drawing]:
    days = (group.times[-1] - group.times[0]).total_seconds() / 86400
    unit = GRAIN_DAYS.get(group.column.grain, 1.0)
    slots = max(2.0, days / unit + 1)
    slot = drawing.width / slots
    y = number_axis(measure, drawing, zero=True)
    encoding: Json = {"x": time_axis(group, drawing, padding=round(slot / 2, 2)), "y": y}
    if split is not None:
        y["stack"] = stack
        encoding["color"] = color(split, drawing)
    mark: Json = {"type": "bar", "width": round(max(1.0, min(90.0, slot * 0.72)), 2)}
    mark["cornerRadiusEnd"] = 0 if split else 2
    return {"mark": mark, "encoding": encoding | spoken(drawing)}, drawing


def _stack(drawing: Drawing, measure: Shown, split: Shown | None) -> str | None:
    asked = drawing.spec.stack
    if asked is not None:
        return None if asked == "none" else asked
    if split is not None and (split.times or split.part):
        # Periods as a series are there to be compared: 2024 beside 2025, not on top of it.
        return None
    return "zero" if measure.additive else None


def _is_lying(group: Shown, drawing: Drawing) -> bool:
    if drawing.spec.orientation is not None:
        return drawing.spec.orientation == "horizontal"
    labels = group.labels
    if group.column.grain or group.part or not labels:
        return False
    return len(labels) > 10 or len(labels) * (max(map(len, labels)) * 7 + 14) > drawing.width


def line(drawing: Drawing) -> tuple[Json, Drawing]:
    """Lines: one for each series, with points where there are few."""
    if len(drawing.measures) > 1:
        return _several(drawing, line)
    return _trend(drawing, "line")


def area(drawing: Drawing) -> tuple[Json, Drawing]:
    """Areas, stacked where the measure adds up."""
    if len(drawing.measures) > 1:
        return _several(drawing, area)
    return _trend(drawing, "area")


def _trend(drawing: Drawing, kind: str) -> tuple[Json, Drawing]:
    group, split, drawing = grouping(drawing)
    measure = drawing.measures[0]
    if group is None or (group.kind == "time" and len(group.times) <= 1):
        return bar(drawing)
    drawing = drop_missing(group, drawing)
    if group.bin_width:
        group = as_category(group, drawing)
    x = position(group, drawing)
    if split is not None:
        split, drawing = first_groups(split, drawing, MAX_SERIES)
    positive = min(measure.numbers, default=0) >= 0
    spread = max(measure.numbers, default=0) > 3 * min(measure.numbers, default=0)
    y = number_axis(measure, drawing, zero=kind == "area" or (positive and spread))
    encoding: Json = {"x": x, "y": y}
    mark: Json = {"type": kind}
    if split is not None:
        encoding["color"] = color(split, drawing)
        if kind == "area":
            y["stack"] = _stack(drawing, measure, split)
            if y["stack"] is None:
                mark |= {"fillOpacity": 0.25, "line": {"strokeWidth": 2}}
    elif kind == "area":
        mark |= {"fillOpacity": 0.22, "line": {"strokeWidth": 2.5}}
    places = max(len(group.times), len(group.labels), len(set(group.numbers)))
    if kind == "line" and places <= 40:
        mark["point"] = {"filled": True, "size": 45, "opacity": 1}
    return {"mark": mark, "encoding": encoding | spoken(drawing)}, drawing


def point(drawing: Drawing) -> tuple[Json, Drawing]:
    """Points: two measures against each other (a third as size), or one against its group."""
    split = as_category(drawing.series, drawing) if drawing.series else None
    measures = list(drawing.measures)
    numbers = [d for d in drawing.dimensions if is_scale(d)]
    places = measures[:2] if len(measures) > 1 else (numbers + measures)[:2]
    if len(places) < 2:
        group, split, drawing = grouping(drawing)
        if group is None or not measures:
            return bar(drawing)
        drawing = drop_missing(group, drawing)
        x = position(group, drawing)
        y = number_axis(measures[0], drawing, zero=False)
    else:
        x, y = (number_axis(p, drawing, zero=_near_zero(p), grid=True) for p in places)
    encoding: Json = {"x": x, "y": y}
    if split is not None:
        split, drawing = first_groups(split, drawing, MAX_SERIES)
        encoding["color"] = color(split, drawing)
    if len(measures) > 2:
        size = measures[2]
        encoding["size"] = {
            "field": size.field, "type": "quantitative", "scale": {"range": [30, 600]},
            "legend": {"title": size.title, "format": "~s"},
        }  # fmt: skip
    many = len(drawing.values) > 400
    mark: Json = {"type": "point", "filled": True, "size": 30 if many else 70, "opacity": 0.5 if many else 0.8}
    return {"mark": mark, "encoding": encoding | spoken(drawing)}, drawing


def _near_zero(look: Shown) -> bool:
    low, high = min(look.numbers, default=0.0), max(look.numbers, default=0.0)
    return low >= 0 and low < high / 2


def histogram(drawing: Drawing) -> tuple[Json, Drawing]:
    """Bars over bins that touch, on a number axis."""
    binned = next((d for d in drawing.dimensions if d.bin_width), None)
    if binned is None:
        return bar(drawing)
    return _binned(binned, drawing.series, drawing)


def _binned(binned: Shown, series: Shown | None, drawing: Drawing) -> tuple[Json, Drawing]:
    drawing = drop_missing(binned, drawing)
    measure = drawing.measures[0]
    width = binned.bin_width or 1.0
    values = [dict(row, upper=_edge(row[binned.field], width)) for row in drawing.values]
    drawing = replace(drawing, values=values)
    edges = (*binned.numbers, *(n + width for n in binned.numbers))
    x = number_axis(replace(binned, numbers=edges), drawing, zero=False, grid=False)
    x["scale"] = {"zero": False, "nice": False}
    y = number_axis(measure, drawing, zero=True)
    encoding: Json = {"x": x | {"bin": "binned"}, "x2": {"field": "upper"}, "y": y}
    if series is not None:
        encoding["color"] = color(as_category(series, drawing), drawing)
        y["stack"] = _stack(drawing, measure, series)
    mark: Json = {"type": "bar", "binSpacing": 1, "cornerRadiusEnd": 0}
    return {"mark": mark, "encoding": encoding | spoken(drawing)}, drawing


def _edge(low: object, width: float) -> float | None:
    return low + width if isinstance(low, int | float) else None


Painter = Callable[[Drawing], tuple[Json, Drawing]]


def _several(drawing: Drawing, one: Painter) -> tuple[Json, Drawing]:
    """Several measures: one picture if they share a format and nothing else is coloured, else one panel each."""
    formats = {m.column.format if m.column.format != "integer" else "number" for m in drawing.measures}
    _, split, _ = grouping(drawing)
    if drawing.spec.dual_axis and len(drawing.measures) == 2 and split is None and drawing.dimensions:
        return _dual(drawing)
    if len(formats) == 1 and split is None and drawing.dimensions and _comparable(drawing):
        folded = fold_measures(drawing)
        asked = folded.spec.stack or "none"
        return one(replace(folded, spec=folded.spec.model_copy(update={"stack": asked})))
    panels = []
    height = max(120, drawing.height // len(drawing.measures) + 40)
    notes = drawing.notes
    for measure in drawing.measures:
        body, drawn = one(replace(drawing, measures=(measure,)))
        notes = drawn.notes
        panels.append({"width": drawing.width, "height": height} | body)
    return {"vconcat": panels, "spacing": 28}, replace(drawing, notes=notes)


def _comparable(drawing: Drawing) -> bool:
    """Whether measures are of one order of magnitude, so that none is flattened by another."""
    tops = [max((abs(n) for n in m.numbers), default=0.0) for m in drawing.measures]
    return min(tops) > 0 and max(tops) / min(tops) < 50


def _dual(drawing: Drawing) -> tuple[Json, Drawing]:
    """Two measures on two axes, which a reader can misread: only when it was asked for."""
    layers = []
    for side, measure in zip(("left", "right"), drawing.measures, strict=True):
        kind = bar if side == "left" and drawing.spec.mark == "bar" else line
        body, drawn = kind(replace(drawing, measures=(measure,)))
        encoding = part(body, "encoding")
        y = part(encoding, "y")
        axis = part(y, "axis") | {"orient": side, "grid": side == "left"}
        shade = {"datum": measure.title, "type": "nominal", "legend": {"title": None, "orient": "top"}}
        layers.append({"mark": body["mark"], "encoding": encoding | {"y": y | {"axis": axis}, "color": shade}})
        drawing = replace(drawing, notes=drawn.notes)
    return {"layer": layers, "resolve": {"scale": {"y": "independent"}}}, drawing
