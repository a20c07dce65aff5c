"""Statistics against published values, and coverage counted exactly over every possible outcome."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.regression.statistics import Paired, mcnemar, newcombe, spread, wilson


def test_mcnemar_is_the_binomial() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)


def test_wilson_meets_its_published_values() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("better", "worse", "both"), [(0.1, 0.1, 0.7), (0.2, 0.05, 0.6), (0.02, 0.02, 0.9)])
def test_the_paired_interval_holds_the_truth_as_often_as_it_says(better: float, worse: float, both: float) -> None:
    n, neither, inside = 20, 1 - better - worse - both, 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            for c in range(n + 1 - a - b):
                d = n - a - b - c
                ways = comb(n, a) * comb(n - a, b) * comb(n - a - b, c)
                chance = ways * both**a * better**b * worse**c * neither**d
                low, high = newcombe(a, b, c, d)
                inside += chance if low <= better - worse <= high else 0.0
    assert 0.93 <= inside <= 1 + 1e-9
    low, high = newcombe(round(n * both), round(n * better), round(n * worse), round(n * neither))
    assert high - low < 0.55


@given(st.tuples(*[st.integers(0, 200)] * 4))
def test_the_paired_interval_is_sound_whatever_the_table(cells: tuple[int, int, int, int]) -> None:
    both, better, worse, neither = cells
    low, high = newcombe(both, better, worse, neither)
    n = sum(cells)
    assert -1 <= low <= high <= 1
    if n:
        assert low - 1e-9 <= (better - worse) / n <= high + 1e-9
        mirrored = newcombe(both, worse, better, neither)
        assert mirrored == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(
    ("paired", "says"),
    [
        (Paired(both=0, better=0, worse=0, neither=0), "nothing can be said"),
        (Paired(both=90, better=0, worse=0, neither=10), "No case changed sides"),
        (Paired(both=200, better=0, worse=12, neither=50), "unlikely to be chance"),
        (Paired(both=200, better=3, worse=2, neither=50), "may well be chance"),
        (Paired(both=5, better=1, worse=0, neither=1), "These are few cases"),
    ],
)
def test_the_note_says_what_the_numbers_allow(paired: Paired, says: str) -> None:
    assert says in paired.in_words()


def test_the_spread_over_samples_counts_cases_not_samples() -> None:
    assert spread((3, 3, 0, 0), 3) == pytest.approx((0.5, (1 / 3) ** 0.5 / 2))
    assert spread((2,), 4) == (0.5, 0.0)
    assert spread((), 4) == (0.0, 0.0)
