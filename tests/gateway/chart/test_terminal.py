"""Charts in a terminal: readable without colour, and harmless."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.chart.render.data import NO_VALUES
from gateway.chart.spec import ChartSpec
from gateway.chart.terminal import to_text
from gateway.summary.model import ColumnSummary, Summary, TableSummary
from gateway.types import Cell, ResultColumn, ResultTable

SHOP = Summary(
    source="shop",
    currency="EUR",
    tables=(TableSummary(name="t", rows=100, columns=(ColumnSummary.model_validate({"name": "at", "type": "date"}),)),),
)
COUNT: dict[str, Any] = {"aggregate": "count"}
MONTH: dict[str, Any] = {"column": "t.at", "grain": "month"}
D1 = ResultColumn(field="d1", title="A", type="text", role="dimension")
DATE = ResultColumn(field="d1", title="Month", type="date", role="dimension", format="date", grain="month")
S = ResultColumn(field="s", title="S", type="text", role="series")
M1 = ResultColumn(field="m1", title="Rows", type="number", role="measure", format="integer")


def text(
    mark: str,
    columns: tuple[ResultColumn, ...],
    rows: list[tuple[Cell, ...]],
    *,
    width: int = 60,
    color: bool = False,
    **parts: Any,
) -> str:
    spec = ChartSpec.model_validate({"mark": mark, "table": "t", "measures": [COUNT]} | parts)
    return to_text(spec, ResultTable(columns=columns, rows=tuple(rows)), width=width, color=color, summary=SHOP)


def test_bars_are_as_long_as_their_numbers() -> None:
    lines = text("bar", (D1, M1), [("a", 40), ("b", 20), ("c", 0)], dimensions=[{"column": "t.a"}]).split("\n")
    bars = [len(line.rstrip().rsplit(" ", 1)[0].rstrip()) for line in lines[1:]]
    assert lines[0] == "Number of ts"
    assert bars[0] > bars[1] > bars[2]
    assert [line.split()[-1] for line in lines[1:]] == ["40", "20", "0"]


def test_negative_bars_go_the_other_way() -> None:
    lines = text("bar", (D1, M1), [("a", 10), ("b", -10)], dimensions=[{"column": "t.a"}]).split("\n")
    assert "█" in lines[1]
    assert "▒" in lines[2]
    assert lines[2].index("▒") < lines[1].index("█")


def test_a_line_has_an_axis_and_its_ends() -> None:
    rows: list[tuple[Cell, ...]] = [(f"2024-{m:02d}-01", m * m) for m in range(1, 13)]
    drawn = text("line", (DATE, M1), rows, dimensions=[MONTH])
    assert "Jan 2024" in drawn
    assert "Dec 2024" in drawn
    assert drawn.count("●") == 12
    assert "144 ┤" in drawn


def test_series_are_told_apart_without_colour() -> None:
    rows: list[tuple[Cell, ...]] = [
        (f"2024-{m:02d}-01", s, m * k) for m in range(1, 6) for k, s in enumerate(("web", "shop"), 1)
    ]
    drawn = text("line", (DATE, S, M1), rows, dimensions=[MONTH], series={"column": "t.s"})
    assert "● web" in drawn
    assert "○ shop" in drawn


def test_boxes_show_their_five_numbers() -> None:
    five = tuple(
        ResultColumn(field=f"m1_{part}", title=part, type="number", role="measure", format="number")
        for part in ("min", "q1", "median", "q3", "max")
    )
    rows: list[tuple[Cell, ...]] = [("a", 0, 25, 50, 75, 100), ("b", 40, 50, 50, 50, 60)]
    lines = text("boxplot", (D1, *five), rows, dimensions=[{"column": "t.a"}]).split("\n")
    assert lines[1].startswith("a ├")
    assert lines[1].endswith("┤")
    assert lines[1].index("├") < lines[1].index("▒") < lines[1].index("┃") < lines[1].index("┤")
    assert lines[2].index("├") > lines[1].index("▒")
    assert lines[3].split() == ["0", "100"]


def test_points_stand_where_their_numbers_are() -> None:
    m2 = ResultColumn(field="m2", title="Sum", type="number", role="measure", format="integer")
    rows: list[tuple[Cell, ...]] = [("a", 0, 0), ("b", 100, 10), ("c", 50, 5)]
    measures = [COUNT, {"aggregate": "sum", "column": "t.n"}]
    lines = text("point", (D1, M1, m2), rows, measures=measures, dimensions=[{"column": "t.a"}]).split("\n")
    assert lines[1].endswith("●")
    assert lines[12].split("┤")[1].startswith("●")
    assert sum(line.count("●") for line in lines) == 3


def test_a_note_is_folded_to_the_width() -> None:
    spec = ChartSpec.model_validate(
        {"mark": "bar", "table": "t", "measures": [COUNT], "dimensions": [{"column": "t.a"}]}
    )
    result = ResultTable(columns=(D1, M1), rows=(("a", 1),), truncated=True)
    lines = to_text(spec, result, width=40, color=False, summary=SHOP).split("\n")
    assert max(map(len, lines)) <= 40
    assert "more rows than the limit" in " ".join(lines)


def test_a_number_is_a_number() -> None:
    assert text("text", (M1,), [(1234567,)]).split("\n") == ["1,234,567", "Number of ts"]


def test_no_escape_without_colour_and_reset_with_it() -> None:
    rows: list[tuple[Cell, ...]] = [("a", 1), ("b", 2)]
    assert "\x1b" not in text("bar", (D1, M1), rows, dimensions=[{"column": "t.a"}])
    coloured = text("bar", (D1, M1), rows, color=True, dimensions=[{"column": "t.a"}])
    assert coloured.count("\x1b[") == 2 * coloured.count("\x1b[0m")


@pytest.mark.parametrize("mark", ["bar", "table", "rect", "arc"])
def test_an_escape_sequence_in_a_cell_does_not_reach_the_terminal(mark: str) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\rname\u202e"
    drawn = text(mark, (D1, M1), [(evil, 1), ("b", 2)], dimensions=[{"column": "t.a"}])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", drawn)
    assert "name" in drawn


def test_wide_characters_keep_the_columns() -> None:
    drawn = text("bar", (D1, M1), [("日本語", 5), ("abc", 5)], dimensions=[{"column": "t.a"}]).split("\n")
    assert drawn[1].startswith("日本語 █")
    assert drawn[2].startswith("abc    █")


def test_no_rows() -> None:
    assert text("bar", (D1, M1), [], dimensions=[{"column": "t.a"}]) == "No rows match."
    assert text("bar", (D1, M1), [("a", None)], dimensions=[{"column": "t.a"}]) == NO_VALUES


def test_many_rows_are_cut_and_counted() -> None:
    rows: list[tuple[Cell, ...]] = [(f"g{i}", i) for i in range(100)]
    assert "… and 60 more" in text("bar", (D1, M1), rows, dimensions=[{"column": "t.a"}])
    assert "… and 60 more rows" in text("table", (D1, M1), rows, dimensions=[{"column": "t.a"}])
