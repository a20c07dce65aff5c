"""A chart holds inline data and constants: nothing in it runs, is fetched, or links."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from gateway.chart.render import render
from gateway.chart.render.inert import SCHEMA, check_inert
from gateway.chart.spec import ChartSpec
from gateway.errors import RefusedError
from gateway.summary.model import Summary
from gateway.types import ResultColumn, ResultTable

SHOP = Summary(source="shop", tables=())
EVIL = (
    "<script>alert(1)</script>", "javascript:alert(1)", "datum.x; alert(1)", "https://evil.example/x.png", "'); DROP",
    "__proto__", "{{7*7}}", "signal", "\x1b[2J", "a" * 10_000, "\u202eright to left", "image", "", "  ",
)  # fmt: skip


def _bars() -> dict[str, Any]:
    spec = ChartSpec.model_validate(
        {
            "mark": "bar",
            "table": "orders",
            "measures": [{"aggregate": "count"}],
            "dimensions": [{"column": "orders.status"}],
        }
    )
    columns = (
        ResultColumn(field="d1", title="image", type="text", role="dimension"),
        ResultColumn(field="m1", title="title", type="number", role="measure", format="integer"),
    )
    rows = tuple((text, i + 1) for i, text in enumerate(EVIL))
    chart = render(spec, ResultTable(columns=columns, rows=rows), summary=SHOP, sentence="<b>Orders</b> by status")
    return dict(chart.vega_lite)


def test_a_chart_of_ours_passes() -> None:
    check_inert(_bars())


def test_values_of_rows_are_only_ever_data_or_labels_of_categories() -> None:
    """Outside `data` and category order, no text of a row is in the chart; no key of the chart is one either."""
    chart = _bars()
    chart.pop("data")

    def strip(node: object) -> object:
        if isinstance(node, dict):
            return {k: strip(v) for k, v in node.items() if k not in ("sort", "domain")}
        return [strip(v) for v in node] if isinstance(node, list) else node

    text = json.dumps(strip(chart))
    for evil in ("alert", "evil.example", "DROP", "__proto__", "7*7"):
        assert evil not in text


def test_titles_never_are_keys_that_the_tooltip_library_treats_as_its_own() -> None:
    """vega-tooltip loads a picture from the value under a key `image`."""
    chart = _bars()
    titles = {line["title"] for line in chart["encoding"]["tooltip"]}
    assert not titles & {"image", "title"}


def test_different_long_labels_stay_different() -> None:
    spec = ChartSpec.model_validate(
        {"mark": "bar", "table": "t", "measures": [{"aggregate": "count"}], "dimensions": [{"column": "t.a"}]}
    )
    columns = (
        ResultColumn(field="d1", title="", type="text", role="dimension"),
        ResultColumn(field="m1", title="", type="number", role="measure"),
    )
    rows = tuple(("same start " * 20 + str(i), i) for i in range(5))
    chart = render(spec, ResultTable(columns=columns, rows=rows), summary=SHOP, sentence="x")
    labels = [row["d1"] for row in chart.vega_lite["data"]["values"]]  # type: ignore[index,call-overload]
    assert len(set(labels)) == 5
    assert max(map(len, labels)) <= 48


def _deep(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for _ in range(levels):
        node = {"a": node}
    return node


ATTACKS: dict[str, dict[str, Any]] = {
    "remote data": {"data": {"url": "https://evil.example/d.json"}},
    "remote data beside values": {"data": {"values": [], "url": "https://evil.example"}},
    "named data": {"data": {"name": "x"}},
    "generated data": {"data": {"sequence": {"start": 0, "stop": 1_000_000_000}}},
    "nested cells": {"data": {"values": [{"a": {"signal": "1"}}]}},
    "calculated field": {"transform": [{"calculate": "fetch('//evil.example')", "as": "a"}]},
    "expression value": {"encoding": {"x": {"value": {"expr": "1"}}}},
    "signal": {"height": {"signal": "1"}},
    "parameter": {"params": [{"name": "p", "bind": {"input": "text"}}]},
    "link": {"encoding": {"href": {"field": "d1"}}},
    "picture": {"encoding": {"url": {"field": "d1"}}, "mark": "image"},
    "picture mark": {"mark": "image"},
    "map": {"mark": {"type": "geoshape"}},
    "condition with a test": {"encoding": {"color": {"condition": {"test": "true", "value": "red"}}}},
    "label expression": {"encoding": {"x": {"axis": {"labelExpr": "datum.value"}}}},
    "custom format type": {"encoding": {"x": {"axis": {"formatType": "evil"}}}},
    "usermeta": {"usermeta": {"embedOptions": {"loader": {}}}},
    "another language": {"$schema": "https://vega.github.io/schema/vega/v6.json"},
    "deep nesting": {"config": _deep(200)},
    "inside a layer": {"layer": [{"mark": "bar", "data": {"url": "x"}}]},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_refused(name: str) -> None:
    chart = copy.deepcopy(_bars()) | ATTACKS[name]
    with pytest.raises(RefusedError) as caught:
        check_inert(chart)
    assert "evil" not in str(caught.value)


def test_schema_is_version_six() -> None:
    assert SCHEMA.endswith("/v6.json")
    assert _bars()["$schema"] == SCHEMA
