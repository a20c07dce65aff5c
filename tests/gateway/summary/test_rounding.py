"""Rounding ladders: every value is near its cell, on the ladder, and stays put near a border."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.summary.rounding import count_step, round_count, round_digits, round_share, snap_outward

NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-9)


@pytest.mark.parametrize(
    ("count", "rounded"),
    [(15, 20), (16, 20), (94, 90), (95, 100), (99, 100), (124, 100), (126, 150), (974, 950), (976, 1000), (1049, 1000),
     (1051, 1100), (9_949, 9_900), (9_951, 10_000), (12_499, 12_000), (999_999, 1_000_000), (1_234_567, 1_200_000)],
)  # fmt: skip
def test_counts_are_on_the_ladder(count: int, rounded: int) -> None:
    assert round_count(count) == rounded


@given(st.integers(min_value=15, max_value=10**12))
def test_a_rounded_count_is_within_its_cell_and_has_two_digits_from_a_thousand_on(count: int) -> None:
    rounded = round_count(count)
    assert abs(rounded - count) <= count_step(count) / 2 + 1e-9
    assert round_count(rounded) == rounded
    if rounded >= 1000:
        assert len(str(rounded).rstrip("0")) <= 2


@given(NUMBERS)
def test_rounded_numbers_have_two_digits(value: float) -> None:
    rounded = round_digits(value)
    assert float(f"{rounded:.1e}") == pytest.approx(rounded, rel=1e-12)
    assert rounded == pytest.approx(value, rel=0.0501)


@given(NUMBERS, st.booleans())
def test_ends_are_snapped_away_from_the_data_to_one_two_or_five(value: float, up: bool) -> None:
    snapped = snap_outward(value, up=up)
    if value == 0:
        assert snapped == 0
        return
    assert snapped >= value * (1 - 1e-8 * math.copysign(1, value)) if up else snapped <= value + abs(value) * 1e-8
    assert f"{abs(snapped):e}"[0] in "125"
    assert 0.39 < abs(snapped / value) < 2.51


@given(st.floats(min_value=20, max_value=1e9), st.floats(min_value=-0.4, max_value=0.4))
def test_a_value_half_a_cell_outside_its_cell_keeps_the_last_release(value: float, part: float) -> None:
    """Hysteresis: moving by less than half a cell, from anywhere in the cell, changes nothing."""
    last = round_digits(value)
    step = 10.0 ** (math.floor(math.log10(last)) - 1)
    assert round_digits(value + part * step, 2, last) == last
    count = round_count(value)
    assert round_count(value + part * count_step(count), count) == count


def test_a_value_far_outside_moves() -> None:
    assert round_digits(150.0, 2, 120.0) == 150
    assert round_count(5_000, 4_000) == 5_000
    assert round_share(0.5, 0.2) == 0.5
    assert snap_outward(900.0, up=True, previous=500.0) == 1000
    assert snap_outward(-3.0, up=False, previous=5.0) == -5


def test_ends_near_a_border_stay() -> None:
    assert snap_outward(510.0, up=True, previous=500.0) == 500
    assert snap_outward(190.0, up=True, previous=500.0) == 500
    assert snap_outward(190.0, up=False, previous=200.0) == 200


@given(st.floats(min_value=0, max_value=1))
def test_shares_are_twentieths(share: float) -> None:
    rounded = round_share(share)
    assert abs(rounded - share) <= 0.0251
    assert round(rounded * 20) == pytest.approx(rounded * 20)
    assert 0 <= rounded <= 1
