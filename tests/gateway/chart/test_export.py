"""Rows as CSV and JSON: exact, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.chart.export import to_csv, to_json
from gateway.types import Cell, ResultColumn, ResultTable


def _result(*rows: tuple[Cell, ...]) -> ResultTable:
    columns = tuple(
        ResultColumn(field=f"d{i + 1}", title=f"Column {i + 1}", type="text", role="dimension")
        for i in range(len(rows[0]))
    )
    return ResultTable(columns=columns, rows=rows)


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\ufeff=1", "＝1+1", "=HYPERLINK(\"http://x\")",
     "=cmd|' /C calc'!A0"],
)  # fmt: skip
def test_csv_cell_that_a_spreadsheet_would_run_is_defused(cell: str) -> None:
    read = list(csv.reader(io.StringIO(to_csv(_result((cell,))), newline="")))
    assert read[1] == [f"'{cell}"]


def test_csv_title_that_a_spreadsheet_would_run_is_defused() -> None:
    assert to_csv(_result(("x",)), titles=["=1"]).startswith('"\'=1"')


def test_csv_numbers_stay_numbers() -> None:
    assert to_csv(_result((-1.5, 2, None, True, math.nan))).split("\r\n")[1] == '-1.5,2,"","true",""'


def test_csv_has_no_float_dust() -> None:
    assert to_csv(_result((181324.0200000001, 0.1 + 0.2))).split("\r\n")[1] == "181324.02,0.3"


def test_csv_for_programs_keeps_values_as_they_are() -> None:
    assert '"=1"' in to_csv(_result(("=1",)), sheet_safe=False)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_csv_reads_back_as_written(rows: list[tuple[str, str]]) -> None:
    """Every cell comes back, with at most an apostrophe before it."""
    read = list(csv.reader(io.StringIO(to_csv(_result(*rows)), newline="")))[1:]
    assert len(read) == len(rows)
    for got, sent in zip(read, rows, strict=True):
        assert all(a in (b, f"'{b}") for a, b in zip(got, sent, strict=True))
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in got)


def test_json_has_no_number_that_json_has_no_word_for() -> None:
    facts = json.loads(to_json(_result((math.inf, 1.5, "é", None))))
    assert facts["rows"] == [[None, 1.5, "é", None]]
    assert facts["columns"][0]["field"] == "d1"
    assert facts["truncated"] is False
