"""Rules for dates and texts, applied by `gateway.summary.disclosure` alone. Pure functions of counts."""

from __future__ import annotations

import re
from typing import Final, Literal

from gateway.project_rules import Thresholds
from gateway.summary.measured import ColumnMeasured, TextMeasured, TimeMeasured
from gateway.summary.model import TextFacts, TimeFacts

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2099
"""Other years are not told: "valid until 9999" says nothing, and to the egress guard (`redaction.egress`) such a number
is a value with too many digits, at which it would refuse every question."""
_BIRTH = re.compile(r"birth|(^|_)dob($|_)|born|death|died", re.IGNORECASE)


def absent(count: int, k: int, limits: Thresholds) -> bool | None:
    """Whether something never occurs: None where one to nine units decide it."""
    if count == 0:
        return True if k >= limits.min_spread else None
    return False if count >= limits.min_group else None


def time_facts(facts: TimeMeasured, column: ColumnMeasured, limits: Thresholds) -> TimeFacts:
    """First and last period of the tenth unit from either end, and the finest step in use."""
    k = column.unit_values
    if k < limits.min_spread:
        return TimeFacts()
    birth_like = _BIRTH.search(column.name) is not None
    unit: Literal["month", "quarter", "year"] = "year" if birth_like else "month" if k >= 1_000 else "quarter"
    return TimeFacts(
        first=_period(facts.tenth_first, unit),
        last=_period(facts.tenth_last, unit),
        grain=None if birth_like else _grain(facts, k, limits),
    )


def _period(month: int | None, unit: Literal["month", "quarter", "year"]) -> str | None:
    if month is None:
        return None
    year, index = divmod(month, 12)
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    if unit == "year":
        return f"{year:04d}"
    return f"{year:04d}-Q{index // 3 + 1}" if unit == "quarter" else f"{year:04d}-{index + 1:02d}"


def _grain(
    facts: TimeMeasured, k: int, limits: Thresholds
) -> Literal["hourly", "daily", "weekly", "monthly", "yearly"] | None:
    """Finest step that the dates use; None where one to nine units decide it."""
    clock = absent(facts.off_midnight, k, limits)
    if clock is not True:
        return "hourly" if clock is False else None
    steps = ((facts.off_first_of_year, "yearly"), (facts.off_first_of_month, "monthly"), (facts.off_monday, "weekly"))
    for count, word in steps:
        never = None if count is None else absent(count, k, limits)
        if never is True:
            return word  # type: ignore[return-value]
        if never is None and count is not None:
            return None
    return "daily"


_BANDS: Final = ((4.5, "1-4"), (10.5, "5-10"), (20.5, "11-20"), (50.5, "21-50"), (200.5, "51-200"))


def text_facts(facts: TextMeasured, column: ColumnMeasured, limits: Thresholds) -> TextFacts:
    """Band of the mean length, and the class that at least nine in ten values fit."""
    if column.unit_values < limits.min_distinct or facts.mean_length is None:
        return TextFacts()
    length = next((word for bound, word in _BANDS if facts.mean_length < bound), "over 200")
    pattern = next(
        (
            word
            for word, count in facts.classes.items()
            if facts.looked_at >= limits.min_distinct and count >= 0.9 * facts.looked_at
        ),
        None,
    )
    return TextFacts.model_validate({"length": length, "pattern": pattern})
