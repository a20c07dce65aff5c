"""Numbers and dates as people write them."""

from __future__ import annotations

import math

import pytest

from gateway.chart.formats import axis_format, format_cell, format_number, format_part, short_number
from gateway.types import ResultColumn


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0123456, "0.0123"), (1, "1"), (950, "950"), (1234, "1,234"), (9999, "9,999"), (12_345, "12.3k"),
        (999_949, "1M"), (1_234_567, "1.23M"), (2_500_000_000, "2.5B"), (-45_000, "-45k"),
        (3e12, "3T"), (7e20, "7.00e+20"),
    ],
)  # fmt: skip
def test_short_number(value: float, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("value", "kind", "currency", "short", "text"),
    [
        (1234.5, "currency", "EUR", False, "€1,234.50"),
        (-1234.5, "currency", "USD", False, "-$1,234.50"),
        (1234.5, "currency", "JPY", False, "¥1,234"),
        (1234.5, "currency", "CHF", False, "CHF\u00a01,234.50"),
        (1234.5, "currency", None, False, "1,234.50"),
        (1_284_310, "currency", "EUR", True, "€1.28M"),
        (0.1234, "percent", None, False, "12.34%"),
        (0.5, "percent", None, True, "50%"),
        (12.0, "integer", None, False, "12"),
        (1234.5678, "number", None, False, "1,234.57"),
        (math.inf, "number", None, False, "(none)"),
        (math.nan, "currency", "EUR", False, "(none)"),
    ],
)
def test_format_number(value: float, kind: str, currency: str | None, short: bool, text: str) -> None:
    assert format_number(value, kind, currency, short=short) == text


@pytest.mark.parametrize(
    ("value", "grain", "text"),
    [
        ("2024-01-01", "year", "2024"), ("2024-04-01", "quarter", "Q2 2024"), ("2024-03-01", "month", "Mar 2024"),
        ("2024-03-04", "week", "Week of 4 Mar 2024"), ("2024-03-04", "day", "4 Mar 2024"),
        ("2024-03-04T09:00:00", "hour", "4 Mar 2024 09:00"), ("2024-03-04T09:30:15", "", "4 Mar 2024 09:30:15"),
        ("2024-03-04T23:00:00-08:00", "hour", "4 Mar 2024 23:00"), ("not a date", "day", "not a date"),
    ],
)  # fmt: skip
def test_a_period_is_written_by_its_grain_and_never_shifted(value: str, grain: str, text: str) -> None:
    kind = "datetime" if "T" in value else "date"
    column = ResultColumn(field="d1", title="", type=kind, role="dimension", format="date", grain=grain)  # type: ignore[arg-type]
    assert format_cell(value, column, None) == text


@pytest.mark.parametrize(
    ("value", "part", "text"),
    [(1, "weekday", "Mon"), (7, "weekday", "Sun"), (12, "month_of_year", "Dec"), (3, "quarter_of_year", "Q3"),
     (9, "hour_of_day", "09:00"), (31, "day_of_month", "31"), (8, "weekday", "8"), ("x", "weekday", "x")],
)  # fmt: skip
def test_parts_of_dates(value: int | str, part: str, text: str) -> None:
    assert format_part(value, part) == text


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([3, 8], "number", ",.0f"), ([0.5, 2.25], "number", ",.3~f"), ([20_000], "currency", "$.3~s"),
        ([0.2], "percent", ".0%"), ([0.02], "percent", ".1~%"),
    ],
)  # fmt: skip
def test_axis_format(values: list[float], kind: str, expected: str) -> None:
    assert axis_format(kind, values, "EUR")["format"] == expected


def test_billions_are_written_with_b() -> None:
    """d3 writes 2e9 as 2G; the one constant expression of a chart turns it into 2B."""
    assert axis_format("number", [2e9], None)["labelExpr"] == "replace(datum.label, 'G', 'B')"
