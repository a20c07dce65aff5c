"""Numbers that are nobody's: years, months, ranges, and figures as coarse as statistics are released."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_YEARS: Final = re.compile(r"(?:(?:19|20)\d\d[ ,;/\-]+)+(?:19|20)\d\d|(?:0?[1-9]|1[0-2])[/.](?:19|20)\d\d")
_RANGES: Final = re.compile(r"\d{1,3}-\d{1,3}(?:[ ,]+\d{1,3}(?:-\d{1,3})?)+")
_ROUND: Final = re.compile(r"[1-9]\d?0{3,}")


def is_year(digits: str) -> bool:
    """Whether digits may be a year, 1900 to 2099."""
    return _YEAR.fullmatch(digits) is not None


def is_figure(text: str) -> bool:
    """Whether digits are years, a month, or a number of at most two significant digits, as statistics are released.

    One in ten of either has the check digit of some country's identifier by chance; no register gives such ones out.
    """
    return bool(_YEARS.fullmatch(text) or _ROUND.fullmatch(text.replace(",", ""))) or _is_buckets(text)


def _is_buckets(text: str) -> bool:
    """Whether numbers are ranges that go on where the one before ends: "0-30 31-60 61-90 90"."""
    if not _RANGES.fullmatch(text):
        return False
    bounds = [tuple(map(int, part.split("-"))) for part in re.split("[ ,]+", text)]
    rising = all(bound[0] < bound[-1] or len(bound) == 1 for bound in bounds)
    return rising and all(after[0] - before[-1] in (0, 1) for before, after in pairwise(bounds))
