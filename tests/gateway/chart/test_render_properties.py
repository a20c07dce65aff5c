"""Any result of any spec can be drawn: as Vega-Lite, as a terminal chart at any width, and said in a sentence."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.chart.image import to_svg
from gateway.chart.render import render
from gateway.chart.sentence import describe
from gateway.chart.spec import ChartSpec
from gateway.chart.terminal import to_text
from gateway.chart.terminal_pen import cells_wide
from gateway.summary.model import ColumnSummary, Summary, TableSummary
from gateway.types import Cell, ResultColumn, ResultTable

TYPES = {"at": "datetime", "a": "text", "b": "text", "n": "number", "flag": "boolean", "day": "date"}
SHOP = Summary(
    source="shop",
    currency="EUR",
    tables=(
        TableSummary(
            name="t",
            rows=100,
            columns=tuple(ColumnSummary.model_validate({"name": n, "type": k}) for n, k in TYPES.items()),
        ),
    ),
)
MARKS = ("bar", "line", "area", "point", "arc", "rect", "boxplot", "histogram", "text", "table")

TEXT = st.one_of(
    st.none(), st.text(max_size=80), st.sampled_from(["a", "b", "Ünï", "日本語", "\x1b[31mred", "\u202eb", "x" * 300])
)
NUMBERS = st.one_of(st.none(), st.integers(-(10**18), 10**18), st.floats(allow_nan=True, allow_infinity=True))
DATES = st.one_of(st.none(), st.dates().map(str))
TIMES = st.one_of(st.none(), st.datetimes().map(lambda d: d.isoformat()))


@st.composite
def answers(draw: st.DrawFn) -> tuple[ChartSpec, ResultTable]:
    """A spec that may or may not make sense, and a result with the columns its query would have."""
    mark = draw(st.sampled_from(MARKS))
    dimensions: list[dict[str, Any]] = []
    columns: list[ResultColumn] = []
    cells: list[st.SearchStrategy[Any]] = []

    def group(field: str) -> dict[str, Any]:
        kind = draw(st.sampled_from(("text", "month", "hour", "weekday", "bin", "number", "boolean")))
        role: Any = "series" if field == "s" else "dimension"
        if kind == "text":
            columns.append(ResultColumn(field=field, title="A", type="text", role=role))
            cells.append(TEXT)
            return {"column": "t.a"}
        if kind in ("month", "hour"):
            columns.append(
                ResultColumn(
                    field=field,
                    title="At",
                    type="date" if kind == "month" else "datetime",
                    role=role,
                    format="date",
                    grain=kind,
                )
            )
            cells.append(DATES if kind == "month" else TIMES)
            return {"column": "t.at", "grain": kind}
        if kind == "weekday":
            columns.append(
                ResultColumn(field=field, title="Day", type="number", role=role, format="integer", grain=kind)
            )
            cells.append(st.one_of(st.none(), st.integers(1, 7)))
            return {"column": "t.at", "part": "weekday"}
        if kind == "boolean":
            columns.append(ResultColumn(field=field, title="Flag", type="boolean", role=role))
            cells.append(st.sampled_from((None, True, False)))
            return {"column": "t.flag"}
        columns.append(ResultColumn(field=field, title="N", type="number", role=role, format="number"))
        cells.append(NUMBERS if kind == "number" else st.integers(-50, 50))
        return {"column": "t.n"} | ({"bin": {"width": 10}} if kind == "bin" else {})

    dimensions.extend(group(f"d{index + 1}") for index in range(draw(st.integers(0, 3))))
    series = group("s") if draw(st.booleans()) else None
    measures: list[dict[str, Any]] = []
    for index in range(draw(st.integers(0, 3))):
        measures.append(
            draw(
                st.sampled_from(
                    (
                        {"aggregate": "count"},
                        {"aggregate": "avg", "column": "t.n"},
                        {"aggregate": "max", "column": "t.day"},
                    )
                )
            )
        )
        dated = measures[-1].get("column") == "t.day"
        parts = [f"m{index + 1}"]
        if mark == "boxplot" and draw(st.booleans()):
            parts = [f"m{index + 1}_{part}" for part in ("min", "q1", "median", "q3", "max")]
        for field in parts:
            shown: Any = "date" if dated else draw(st.sampled_from(("number", "integer", "currency", "percent")))
            columns.append(
                ResultColumn(field=field, title=field, type="date" if dated else "number", role="measure", format=shown)
            )
            cells.append(DATES if dated else NUMBERS)
    if not columns:
        columns.append(ResultColumn(field="m1", title="Rows", type="number", role="measure", format="integer"))
        cells.append(NUMBERS)
    rows: list[tuple[Cell, ...]] = draw(st.lists(st.tuples(*cells), max_size=12))
    spec = {"mark": mark, "table": "t", "measures": measures, "dimensions": dimensions, "series": series}
    spec["stack"] = draw(st.sampled_from((None, "none", "zero", "normalize")))
    spec["orientation"] = draw(st.sampled_from((None, "horizontal", "vertical")))
    spec["dual_axis"] = draw(st.booleans())
    return ChartSpec.model_validate(spec), ResultTable(
        columns=tuple(columns), rows=tuple(rows), truncated=draw(st.booleans())
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(answers())
def test_any_result_is_drawn_as_strict_json(answer: tuple[ChartSpec, ResultTable]) -> None:
    """No spec and no result makes rendering fail, and the chart is JSON without NaN or Infinity."""
    spec, result = answer
    chart = render(spec, result, summary=SHOP, sentence=describe(spec, SHOP))
    json.dumps(chart.vega_lite, allow_nan=False)
    assert chart.description


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(answers(), st.integers(40, 200), st.booleans())
def test_any_result_fits_the_terminal(answer: tuple[ChartSpec, ResultTable], width: int, with_summary: bool) -> None:
    """Without colour no line is wider than the terminal, and no control character of a cell gets out."""
    spec, result = answer
    text = to_text(spec, result, width=width, color=False, summary=SHOP if with_summary else None)
    assert text
    for line in text.split("\n"):
        assert cells_wide(line) <= width
        assert line.isprintable() or not set(line) & {chr(c) for c in (*range(32), *range(127, 160))}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(answers())
def test_vega_draws_whatever_is_rendered(answer: tuple[ChartSpec, ResultTable]) -> None:
    """Vega-Lite's own compiler accepts every chart, and no missing field shows as a word."""
    spec, result = answer
    svg = to_svg(render(spec, result, summary=SHOP, sentence="A sentence"))
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert ">undefined<" not in svg
    assert ">NaN<" not in svg
