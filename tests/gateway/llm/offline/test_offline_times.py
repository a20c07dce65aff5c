"""Time expressions: what each says, in the chart language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.llm.offline.times import find_times


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("revenue in 2024", {"kind": "calendar", "year": 2024}),
        ("revenue in q3 2024", {"kind": "calendar", "year": 2024, "quarter": 3}),
        ("revenue in the first quarter of 2024", {"kind": "calendar", "year": 2024, "quarter": 1}),
        ("orders in march 2025", {"kind": "calendar", "year": 2025, "month": 3}),
        ("orders on 2025-03-09", {"kind": "calendar", "year": 2025, "month": 3, "day": 9}),
        ("orders on 9th of march 2025", {"kind": "calendar", "year": 2025, "month": 3, "day": 9}),
        ("orders last month", {"kind": "last", "unit": "month", "n": 1}),
        ("orders in the last 6 months", {"kind": "last", "unit": "month", "n": 6}),
        ("orders over the past three weeks", {"kind": "past", "unit": "week", "n": 3}),
        ("orders in the last 30 days", {"kind": "past", "unit": "day", "n": 30}),
        ("orders this year", {"kind": "this", "unit": "year"}),
        ("orders year to date", {"kind": "this", "unit": "year"}),
        ("orders ytd", {"kind": "this", "unit": "year"}),
        ("orders yesterday", {"kind": "last", "unit": "day", "n": 1}),
    ],
)
def test_a_period_is_read(text: str, period: dict[str, object]) -> None:
    (found,) = find_times(text)
    assert found.period is not None
    assert found.period.model_dump(exclude_none=True) == period


@pytest.mark.parametrize(
    ("text", "low", "below"),
    [
        ("since may 2023", "2023-05-01", None),
        ("after june 2024", "2024-07-01", None),
        ("before 2024", None, "2024-01-01"),
        ("until the end of", None, None),
        ("between january 2024 and march 2024", "2024-01-01", "2024-04-01"),
        ("from q4 2023 to q1 2024", "2023-10-01", "2024-04-01"),
        ("2023-2024", "2023-01-01", "2025-01-01"),
        ("after 31 december 2024", "2025-01-01", None),
    ],
)
def test_bounds_are_half_open(text: str, low: str | None, below: str | None) -> None:
    found = find_times(text)
    if low is None and below is None:
        assert found == []
        return
    assert (found[0].low, found[0].below) == (low, below)


def test_two_years_are_either() -> None:
    (found,) = find_times("revenue in 2024 vs 2025")
    assert [p.year for p in found.periods] == [2024, 2025]


def test_no_such_day_is_no_time() -> None:
    assert all(t.period is None or t.period.day is None for t in find_times("since 2024-02-31"))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789-q /lastyermonhd", max_size=40))
def test_any_text_can_be_read(text: str) -> None:
    for found in find_times(text):
        assert 0 <= found.start < found.end <= len(text)
