"""The last look at a chart before it leaves: nothing in it can run, fetch or link.

Values of rows are only ever under ``data.values`` and in labels; outside of them a chart holds constants of this
package. So a chart that holds an expression, a signal, an address or a transform was not made by this package, and
is refused. Vega evaluates text only under the keys below.
"""

from __future__ import annotations

from typing import Final

from gateway.chart.formats import BILLIONS
from gateway.errors import RefusedError

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the language of a chart; Vega never fetches it."""

FORBIDDEN: Final = frozenset({
    "url", "href", "expr", "signal", "transform", "params", "calculate", "filter", "test", "lookup", "sphere",
    "graticule", "sequence", "projection", "usermeta", "image", "labelExpr", "format_type", "formatType", "loader",
    "script", "on", "bind", "events", "update", "encode", "datasets", "name", "condition",
})  # fmt: skip
MARKS: Final = frozenset({"boxplot", "bar", "line", "area", "point", "arc", "rect", "text", "rule", "tick", "circle"})
MAX_DEPTH: Final = 24


def check_inert(chart: dict[str, object]) -> None:
    """Refuse a chart that holds more than pictures of inline data.

    Raises:
        RefusedError: It holds a key that Vega would evaluate, fetch or link, or an unknown mark.
    """
    if chart.get("$schema") != SCHEMA:
        raise RefusedError("the chart is not of the language that was asked for", stage="render")
    _walk(chart, depth=0)


def _walk(node: object, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RefusedError("the chart is nested too deeply", stage="render")
    if isinstance(node, list | tuple):
        for item in node:
            _walk(item, depth=depth + 1)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "data":
                _check_data(value)
                continue
            if key in FORBIDDEN and not (key == "labelExpr" and value == BILLIONS):
                raise RefusedError("the chart holds something that would run or be fetched", stage="render")
            if key == "mark" and _mark_of(value) not in MARKS:
                raise RefusedError("the chart holds an unknown mark", stage="render")
            _walk(value, depth=depth + 1)


def _mark_of(value: object) -> object:
    return value.get("type") if isinstance(value, dict) else value


def _check_data(data: object) -> None:
    values = data["values"] if isinstance(data, dict) and set(data) == {"values"} else None
    if not isinstance(values, list):
        raise RefusedError("the data of a chart is a list of rows", stage="render")
    for row in values:
        if isinstance(row, dict) and any(isinstance(cell, dict | list) for cell in row.values()):
            raise RefusedError("a cell of a chart is a single value", stage="render")
