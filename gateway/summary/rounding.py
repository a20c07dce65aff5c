"""Rounding ladders: how coarse a released number is, and when an earlier release is kept.

Pure arithmetic, no thresholds: `gateway.summary.disclosure` decides whether a number is released at all. Every
function takes the value of the last release, and keeps it until the new value is more than half a cell outside that
value's cell (hysteresis), so that a value near a border does not flip back and forth and tell of single rows.

Sources: US Census DRB rounding rules (drb_rounder, Garfinkel 2019); 1-2-5 snapping and hysteresis: docs/disclosure.md.
"""

from __future__ import annotations

import math
from typing import Final

_DRB: Final = ((100, 10), (1_000, 50))
"""Below each bound, round to the step. From 1,000 on: two significant digits, coarser than DRB's 100 to 1,000."""


def count_step(count: float) -> int:
    """Width of the cell that a count falls into."""
    for bound, step in _DRB:
        if count < bound:
            return step
    return int(10 ** (math.floor(math.log10(count)) - 1))


def round_count(count: float, previous: int | None = None) -> int:
    """Round a count on the ladder, ties to even; `previous` is kept within half a cell of its own cell."""
    if previous is not None and abs(count - previous) <= count_step(previous):
        return previous
    step = count_step(count)
    rounded = round(count / step) * step
    # The last cell of one step may round up into the next: 96 to 100, 995 to 1,000.
    return round(rounded / count_step(rounded)) * count_step(rounded) if rounded else 0


def digits_step(value: float, digits: int) -> float:
    """Width of the cell of a number with that many significant digits; 0 for 0."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)


def round_digits(value: float, digits: int = 2, previous: float | None = None) -> float:
    """Round to significant digits, ties to even."""
    if previous is not None and abs(value - previous) <= digits_step(previous, digits):
        return previous
    if value == 0 or not math.isfinite(value):
        return 0.0
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return float(rounded)


def round_mean(value: float, spread: float | None, previous: float | None = None) -> float:
    """Round a mean to two significant digits, but to no less than about a hundredth of its standard deviation.

    A mean near zero has digits far below its rows: times their number it would be an exact sum, and two of those give
    a row away.
    """
    floor = digits_step(spread / 20, 1) if spread is not None else 0.0
    if previous is not None and abs(value - previous) <= max(digits_step(previous, 2), floor):
        return previous
    step = max(digits_step(value, 2), floor)
    return float(f"{round(value / step) * step:.12g}") if step else 0.0


def snap_outward(value: float, *, up: bool, previous: float | None = None) -> float:
    """Snap to 1, 2 or 5 times a power of ten, away from the data: up for a high end, down for a low end."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    if previous is not None and previous != 0 and (previous > 0) == (value > 0):
        # The cell of a high end 500 is (200, 500]; half a cell more on either side on a log scale is about 1.6.
        magnitude, kept = abs(value), abs(previous)
        away = up == (value > 0)
        low, high = (_next_below(kept), kept) if away else (kept, _next_above(kept))
        if low / 1.6 < magnitude <= high * 1.6:
            return previous
    magnitude = abs(value)
    exponent = math.floor(math.log10(magnitude))
    ladder = [step * 10.0**e for e in (exponent - 1, exponent, exponent + 1) for step in (1, 2, 5)]
    tolerance = magnitude * 1e-9
    if up == (value > 0):
        snapped = min(step for step in ladder if step >= magnitude - tolerance)
    else:
        snapped = max(step for step in ladder if step <= magnitude + tolerance)
    return math.copysign(float(f"{snapped:.0e}"), value)


def _next_below(step: float) -> float:
    lead = round(step / 10 ** math.floor(math.log10(step)))
    return step / 2.5 if lead == 5 else step / 2


def _next_above(step: float) -> float:
    lead = round(step / 10 ** math.floor(math.log10(step)))
    return step * 2.5 if lead == 2 else step * 2


def round_share(share: float, previous: float | None = None) -> float:
    """Round a share to 0.05."""
    if previous is not None and abs(share - previous) <= 0.05 + 1e-12:
        return previous
    return round(round(share * 20) / 20, 2)


def bin_edges(low: float, high: float, most: int = 10) -> tuple[float, ...]:
    """Edges of at most `most` bins between two ends: multiples of a step of 1, 2 or 5 times a power of ten."""
    if not low < high:
        return ()
    exponent = math.floor(math.log10((high - low) / most))
    for step in (lead * 10.0**e for e in (exponent, exponent + 1, exponent + 2) for lead in (1, 2, 5)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first <= most:
            return tuple(float(f"{place * step:.12g}") for place in range(first + 1, last))
    return ()
