"""Stage 12. Render: rows and a ChartSpec become a Vega-Lite chart with its data inline.

In: a spec that was checked, and the typed rows of its query. Out: a `Chart` that fetches nothing, runs nothing and
links nowhere (`check_inert` is its last step). Text of rows is only ever data: it appears as labels, which Vega draws
as text, and never as a key, a title of an axis, or an expression. Not proved here: that the rows are in scope
(stage 10).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Final

from gateway.chart.conditions import plain_line
from gateway.chart.formats import currency_symbol
from gateway.chart.render.bars import area, bar, histogram, line, point
from gateway.chart.render.boxes import boxplot
from gateway.chart.render.channels import Json
from gateway.chart.render.data import NO_VALUES, Drawing, is_scale, prepare
from gateway.chart.render.figures import arc, rect
from gateway.chart.render.inert import SCHEMA, check_inert
from gateway.chart.render.texts import empty, table, text
from gateway.chart.render.theme import Theme, config, dressed
from gateway.chart.spec import ChartSpec, Mark
from gateway.summary.model import Summary
from gateway.types import Chart, ResultTable

MARKS: Final[dict[Mark, Callable[[Drawing], tuple[Json, Drawing]]]] = {
    "bar": bar, "line": line, "area": area, "point": point, "arc": arc, "rect": rect, "boxplot": boxplot,
    "histogram": histogram, "text": text, "table": table,
}  # fmt: skip
MAX_SENTENCE: Final = 600
WIDTH: Final = 640
"""Of the drawing area, in pixels, unless the place it is shown in is narrower or wider."""


def render(
    spec: ChartSpec,
    result: ResultTable,
    *,
    summary: Summary,
    sentence: str,
    theme: Theme = "light",
    width: int = WIDTH,
    height: int = 320,
) -> Chart:
    """Draw a result.

    Args:
        spec: The checked spec of the query.
        result: Its rows, in the order they are to be drawn.
        summary: Names and currency of the scope.
        sentence: What the chart shows, from `gateway.chart.sentence.describe`; the title and the description.
        theme: Colours.
        width: Of the drawing area, in pixels, 240 to 2000.
        height: The same, 120 to 1200. Lying bars, heat maps and tables take what they need instead.

    Returns:
        A Vega-Lite v6 chart with all data inline.

    Raises:
        RefusedError: The chart would hold something that runs or is fetched (a bug of ours; see `check_inert`).
    """
    width, height = max(240, min(2000, width)), max(120, min(1200, height))
    drawing = prepare(spec, result, summary=summary, width=width, height=height)
    mark = empty if drawing.is_empty else MARKS[spec.mark] if _is_drawable(drawing) else table
    body, drawn = mark(drawing)
    said = plain_line(sentence, MAX_SENTENCE)
    title: Json = {"text": textwrap.wrap(said, max(30, width // 8)) or [""]}
    if drawn.notes:
        title["subtitle"] = [line for note in drawn.notes for line in textwrap.wrap(note, max(30, width // 7))]
    colours = max((len(s.labels) for s in (drawn.series, *drawn.dimensions) if s is not None), default=1)
    chart: Json = {
        "$schema": SCHEMA,
        "description": describe_chart(said, spec, drawing, drawn.notes),
        "title": title,
    }
    if "vconcat" not in body:
        chart |= {"width": width, "height": height}
    chart |= body
    chart["data"] = {"values": drawn.values}
    chart["config"] = config("light", currency_symbol(summary.currency), colours)
    chart = dressed(chart, theme)
    check_inert(chart)
    return Chart(vega_lite=chart, description=str(chart["description"]))


def _is_drawable(drawing: Drawing) -> bool:
    """Whether a mark has numbers to show: an earliest date, or a list of rows, is a table."""
    if drawing.measures:
        return all(look.kind == "number" for look in drawing.measures)
    return drawing.spec.mark == "point" and len([d for d in drawing.dimensions if is_scale(d)]) > 1


def describe_chart(sentence: str, spec: ChartSpec, drawing: Drawing, notes: list[str]) -> str:
    """The accessible description: the kind of chart, what it shows, and how much of it there is."""
    kinds = {
        "bar": "Bar chart", "line": "Line chart", "area": "Area chart", "point": "Scatter plot", "arc": "Ring chart",
        "rect": "Heat map", "boxplot": "Box plot", "histogram": "Histogram", "text": "Number", "table": "Table",
    }  # fmt: skip
    rows = len(drawing.values)
    count = "No rows match." if not rows else f"{rows:,} {'row' if rows == 1 else 'rows'} of data."
    count = NO_VALUES if rows and drawing.is_empty else count
    return " ".join([f"{kinds[spec.mark]}. {sentence.rstrip('.')}. {count}", *notes])
