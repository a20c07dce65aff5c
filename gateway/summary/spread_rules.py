"""Rules for bins and pairs, applied by `gateway.summary.disclosure` alone. Pure functions of counts.

Bins: at most ten, between rounded ends; one that fewer than `min_group` units fill is merged with its smaller
neighbour, an empty one too (an empty bin says of everybody that they are not in it); fewer than three left say nothing.

Pairs: the phi coefficient of "above the mean" in both columns, read as a correlation r = sin(pi phi / 2), which is
exact for normal variables (Sheppard 1899), and told as a band (Cohen 1988: 0.1 weak, 0.3 medium, 0.5 strong).
"""

from __future__ import annotations

import math
from typing import Final

from gateway.summary.measured import NumberMeasured, PairMeasured
from gateway.summary.model import Band, Count, Histogram
from gateway.summary.rounding import round_count

_FEWEST_BINS: Final = 3
_LADDER: Final[tuple[tuple[float, Band], ...]] = ((0.5, "strong"), (0.3, "medium"), (0.1, "weak"))
_NEAR: Final = 0.05
"""A band is kept while the correlation is within this of it."""
_FEW: Final = 15


def histogram(
    facts: NumberMeasured, *, values: int, scale: float | None, min_group: int, last: Histogram | None
) -> Histogram | None:
    """Bins with counts on the ladder; None where they cannot be told.

    Args:
        facts: `edges` and the units between them.
        values: Values counted by the first statement, in all.
        scale: Rows of the table per row of its sample; None if all were counted.
        min_group: Smallest group that may show.
        last: The last release, whose counts are kept while near.
    """
    if not facts.bins or (scale is None and sum(facts.bins) != values):
        return None
    edges, counts = merged(facts.edges, facts.bins, min_group)
    if len(counts) < _FEWEST_BINS:
        return None
    kept = last.counts if last is not None and last.edges == edges else (None,) * len(counts)
    told = tuple(_count(count, scale, was) for count, was in zip(counts, kept, strict=True))
    return Histogram(edges=edges, counts=told)


def _count(count: int, scale: float | None, last: Count | None) -> Count:
    if count < _FEW:
        return "few"
    return max(_FEW + 5, round_count(count * (scale or 1), last if isinstance(last, int) else None))


def merged(edges: tuple[float, ...], bins: tuple[int, ...], least: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Merge the smallest bin with its smaller neighbour until every bin has at least `least`."""
    between, counts = list(edges), list(bins)
    while len(counts) > 1 and min(counts) < least:
        place = counts.index(min(counts))
        left = counts[place - 1] if place else math.inf
        right = counts[place + 1] if place + 1 < len(counts) else math.inf
        start = place - 1 if left <= right else place
        counts[start : start + 2] = [counts[start] + counts[start + 1]]
        del between[start]
    return tuple(between), tuple(counts)


def band(pair: PairMeasured, *, min_spread: int, last: Band | None) -> Band | None:
    """How strongly two columns move together; None for fewer than `min_spread` rows or where one hardly varies."""
    n, a, b = pair.rows, pair.left_above, pair.right_above
    spread = a * (n - a) * b * (n - b)
    if n < min_spread or spread <= 0:
        return None
    phi = (n * pair.both_above - a * b) / math.sqrt(spread)
    strength = abs(math.sin(math.pi / 2 * max(-1.0, min(1.0, phi))))
    if last is not None and last in (_word(strength - _NEAR), _word(strength + _NEAR)):
        return last
    return _word(strength)


def _word(strength: float) -> Band:
    return next((word for least, word in _LADDER if strength >= least), "none")
