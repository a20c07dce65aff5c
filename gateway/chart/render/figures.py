"""Rings and heat maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.chart.formats import format_number
from gateway.chart.render.bars import bar
from gateway.chart.render.channels import Json, category_axis, color, number_axis, spoken, words
from gateway.chart.render.data import Drawing, Shown, Value
from gateway.chart.render.shape import as_category, fold_measures, grouping
from gateway.chart.render.theme import ON_ENDS, ON_MIDDLE, ON_PALE, ON_STRONG

MAX_SLICES: Final = 8
MAX_ACROSS: Final = 31
"""Columns of a heat map that was turned: the days of a month still fit."""


def arc(drawing: Drawing) -> tuple[Json, Drawing]:
    """A ring, each part with its share; bars instead where a ring would mislead (many parts, negative numbers)."""
    if len(drawing.measures) > 1 and not drawing.dimensions and drawing.series is None:
        drawing = fold_measures(drawing)
    group, split, drawing = grouping(drawing)
    measure = drawing.measures[0]
    if group is None or split is not None or min(measure.numbers, default=0) < 0:
        return bar(drawing)
    group = as_category(group, drawing)
    parts = group.labels or tuple(str(n) for n in group.numbers)
    total = sum(measure.numbers)
    if len(parts) > MAX_SLICES or total <= 0:
        return bar(drawing)
    rows: list[dict[str, Value]] = []
    for rank, row in enumerate(drawing.values):
        cell = row[measure.field]
        share = float(cell) / total if isinstance(cell, int | float) else 0.0
        text = format_number(round(share, 3), "percent", None)
        rows.append(dict(row, rank=rank, share=text if share >= 0.02 else "", label=f"{row['label']} ({text} of all)"))
    drawing = replace(drawing, values=rows)
    theta: Json = {"field": measure.field, "type": "quantitative", "stack": True}
    shades = color(replace(group, labels=parts) if group.labels else group, drawing)
    shades["legend"] = {"title": group.title, "orient": "right", "offset": 36}
    order: Json = {"field": "rank", "type": "quantitative"}
    base: Json = {"theta": theta, "order": order} | spoken(drawing)
    size = min(drawing.width, drawing.height)
    ring: Json = {"type": "arc", "innerRadius": size * 0.24, "outerRadius": size * 0.42, "cornerRadius": 3}
    around: Json = {"theta": theta, "order": order}
    layers: list[Json] = [
        {"mark": ring | {"padAngle": 0.008}, "encoding": base | {"color": shades}},
        words("share", around, radius=size * 0.49, fontSize=12, fontWeight=600),
    ]
    return {"layer": layers, "width": size + 60, "height": size}, drawing


def rect(drawing: Drawing) -> tuple[Json, Drawing]:
    """A heat map with the number in each cell where it fits."""
    if len(drawing.measures) > 1:
        if len(drawing.dimensions) + (drawing.series is not None) > 1:
            # A measure without one value has no scale: its legend would read NaN.
            measured = next((m for m in drawing.measures if m.numbers), drawing.measures[0])
            drawing = replace(drawing, measures=(measured,))
        else:
            drawing = fold_measures(drawing)
    group, split, drawing = grouping(drawing)
    if group is None or split is None:
        return bar(drawing)
    across, down = as_category(group, drawing), split
    measure = drawing.measures[0]
    if _count(down) > max(12, _count(across)) and _count(down) <= MAX_ACROSS:
        # The longer side lies down: a screen is wider than it is high.
        across, down = down, across
    columns, rows = _count(across), _count(down)
    low, high = min(measure.numbers, default=0.0), max(measure.numbers, default=0.0)
    signed = low < 0 < high
    scale: Json = {"scheme": "blueorange", "reverse": True, "domainMid": 0} if signed else {}
    legend: Json = {"title": measure.title or None, "gradientLength": 160}
    axis = number_axis(measure, drawing, zero=False)["axis"]
    if isinstance(axis, dict):
        legend |= {k: v for k, v in axis.items() if k in ("format", "labelExpr")}
    x = category_axis(across, horizontal=False) | {"scale": {"paddingInner": 0.04}}
    if len(across.labels) * 48 <= drawing.width or all(len(label) <= 5 for label in across.labels):
        x["axis"] = {"title": across.title, "grid": False, "labelAngle": 0}
    y = category_axis(down, horizontal=True) | {"scale": {"paddingInner": 0.04}}
    place: Json = {"x": x, "y": y}
    shade: Json = {"field": measure.field, "type": "quantitative", "scale": scale, "legend": legend}
    layers: list[Json] = [
        {"mark": {"type": "rect", "cornerRadius": 2}, "encoding": place | {"color": shade} | spoken(drawing)}
    ]
    if columns * 44 <= drawing.width and rows <= 24:
        drawing = _cell_texts(drawing, measure, low, high, signed=signed)
        pale, strong = (ON_MIDDLE, ON_ENDS) if signed else (ON_PALE["light"], ON_STRONG["light"])
        inks = (("on_pale", pale), ("on_strong", strong))
        layers += [words(name, place, fontSize=11, color=ink) for name, ink in inks]
    body: Json = {"layer": layers, "height": max(80, min(900, rows * 30))}
    if columns <= 8:
        body["width"] = min(drawing.width, columns * 78)
    return body, drawing


def _count(look: Shown) -> int:
    return len(look.labels) or len(look.numbers)


def _cell_texts(drawing: Drawing, measure: Shown, low: float, high: float, *, signed: bool) -> Drawing:
    rows = []
    for row in drawing.values:
        cell = row[measure.field]
        texts: dict[str, Value] = {"on_pale": "", "on_strong": ""}
        if isinstance(cell, int | float):
            strong = _is_strong(float(cell), low, high, signed=signed)
            text = format_number(float(cell), measure.column.format, drawing.currency, short=True)
            texts["on_strong" if strong else "on_pale"] = text
        rows.append(row | texts)
    return replace(drawing, values=rows)


def _is_strong(cell: float, low: float, high: float, *, signed: bool) -> bool:
    """Whether a cell's colour is so dark that its number must be light; orange stays pale for longer than blue."""
    if not signed:
        return (cell - low) / ((high - low) or 1) > 0.5
    return cell / low > 0.8 if cell < 0 else cell / high > 0.6
