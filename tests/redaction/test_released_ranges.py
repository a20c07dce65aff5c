"""Released ranges are no telephone numbers, and telephone numbers do not hide as ranges."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.scan import Scanner

SCANNER = Scanner()


@pytest.mark.parametrize(
    "line",
    [
        "duration_ms int 400..110000 ~6200 null 10%",
        "price number 9.9..150 ~27",
        "x int -50..2000000",
        "duration_ms int 400..100000 null 10%",
        "top ten 2023 2024 2025",
        "acc rec 0-30 31-60 61-90 90+",
        "03/2024 payroll cost",
        "FY25 budget vs FY24 actuals",
    ],
)
def test_a_released_range_is_clean(line: str) -> None:
    assert SCANNER.find(line, prose=False) == ()


_ROUNDED = st.builds(lambda digits, power: digits * 10**power, st.integers(1, 99), st.integers(0, 8))


@settings(max_examples=300, deadline=None)
@given(low=_ROUNDED, high=_ROUNDED, middle=_ROUNDED, nulls=st.integers(0, 99), shown=st.booleans())
def test_whatever_is_released_of_a_column_is_clean(low: int, high: int, middle: int, nulls: int, shown: bool) -> None:
    half = f" ~{middle}" if shown else ""
    lacking = f" null {nulls}%" if nulls else ""
    for line in (
        f"amount int {low}..{high}{half}{lacking}",
        f"name text {middle} distinct{lacking}",
        f"table t ~{high} rows",
    ):
        assert SCANNER.find(line, prose=False) == ()


@pytest.mark.parametrize(
    "line",
    ["call +1 415 555 0123", "415..555..0123 please", "+49 30 901820", "tel 020 7946 0018", "030-123 456-789"],
)
def test_a_telephone_number_is_found(line: str) -> None:
    assert [finding.entity_type for finding in SCANNER.find(line)] == ["PHONE_NUMBER"]
