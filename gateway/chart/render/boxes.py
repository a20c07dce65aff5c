"""Box plots: from five numbers that the query computed for each group, or from the values themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.chart.render.bars import bar
from gateway.chart.render.channels import Json, category_axis, number_axis, spoken
from gateway.chart.render.data import Drawing, Shown
from gateway.chart.render.shape import as_category, first_groups, grouping
from gateway.chart.render.theme import CATEGORY, part

FIVE: Final = (
    ("min", "low", "lowest", "p5", "whisker_low"),
    ("q1", "p25", "lower"),
    ("median", "p50", "mid", "q2"),
    ("q3", "p75", "upper"),
    ("max", "high", "highest", "p95", "whisker_high"),
)
"""Endings of the columns that carry the five numbers, lowest first: ``m1_min``, ``m1_q1``, …"""
MAX_BOXES: Final = 30


def boxplot(drawing: Drawing) -> tuple[Json, Drawing]:
    """One box for each group: quartiles, the median, and whiskers."""
    measures = drawing.measures
    if not measures:
        return bar(drawing)
    numbers = five_numbers(measures)
    group, split, drawing = grouping(drawing)
    if group is not None:
        group, drawing = first_groups(as_category(group, drawing), drawing, MAX_BOXES)
    if split is not None and group is not None:
        # A box for each pair: the second grouping is written beside the first, as boxes are not coloured apart.
        values = [dict(row, pair=f"{row[group.field]} · {row[split.field]}") for row in drawing.values]
        labels = tuple(dict.fromkeys(str(row["pair"]) for row in values))
        column = replace(group.column, field="pair")
        group = replace(group, column=column, title=f"{group.title} · {split.title}", labels=labels)
        drawing = replace(drawing, values=values)
        group, drawing = first_groups(group, drawing, MAX_BOXES)
    if numbers is None:
        return _from_values(measures[0], group, drawing)
    return _from_five(numbers, group, drawing)


def five_numbers(measures: tuple[Shown, ...]) -> tuple[Shown, ...] | None:
    """The columns that hold the five numbers, lowest first; None if the query did not compute them."""
    if len(measures) < 5:
        return None
    found = []
    for endings in FIVE:
        match = next((m for m in measures if m.field.partition("_")[2].lower() in endings), None)
        if match is None:
            return measures[:5]
        found.append(match)
    return tuple(found)


def _place(measure: Shown, group: Shown | None, drawing: Drawing, title: str) -> tuple[Json, bool]:
    every = tuple(n for m in drawing.measures for n in m.numbers)
    across = number_axis(replace(measure, numbers=every, title=title), drawing, zero=False)
    if group is None:
        return {"x": across}, True
    lying = drawing.spec.orientation != "vertical" if drawing.spec.orientation else len(group.labels) > 6
    along = category_axis(group, horizontal=lying)
    return ({"y": along, "x": across} if lying else {"x": along, "y": across}), lying


def _from_five(numbers: tuple[Shown, ...], group: Shown | None, drawing: Drawing) -> tuple[Json, Drawing]:
    low, q1, median, q3, high = numbers
    title = low.title
    place, lying = _place(low, group, drawing, title)
    axis = "x" if lying else "y"

    def span(start: Shown, end: Shown) -> Json:
        ends: Json = {axis: part(place, axis) | {"field": start.field}}
        return place | (ends if start is end else ends | {f"{axis}2": {"field": end.field}})

    said = spoken(drawing)
    thick = 22
    box: Json = {"type": "bar", "size": thick, "color": CATEGORY[5], "cornerRadius": 2}
    middle: Json = {"type": "tick", "thickness": 2.5, "size": thick, "color": CATEGORY[0]}
    layers: list[Json] = [
        {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": span(low, high) | said},
        {"mark": box, "encoding": span(q1, q3) | said},
        {"mark": middle, "encoding": span(median, median) | said},
    ]
    return _sized({"layer": layers}, group, drawing, lying=lying), drawing


def _from_values(measure: Shown, group: Shown | None, drawing: Drawing) -> tuple[Json, Drawing]:
    place, lying = _place(measure, group, drawing, measure.title)
    mark: Json = {
        "type": "boxplot",
        "extent": 1.5,
        "size": 22,
        "median": {"color": "#FFFFFF"},
        "outliers": {"size": 18},
    }
    return _sized({"mark": mark, "encoding": place}, group, drawing, lying=lying), drawing


def _sized(body: Json, group: Shown | None, drawing: Drawing, *, lying: bool) -> Json:
    count = len(group.labels) if group else 1
    if lying:
        body["height"] = max(70, count * 38)
    elif count <= 5:
        body["width"] = min(drawing.width, 110 * max(2, count))
    return body
