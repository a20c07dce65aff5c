"""Time: periods in the tenant's zone as instants, and a zone's offsets for engines that know no zones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.chart.spec import Period, Unit

FIRST_YEAR = 1970
"""Engines without zones use the zone's first known offset for earlier times."""


@dataclass(frozen=True, slots=True)
class OffsetTree:
    """Offsets east of UTC in seconds: `earlier` for instants before `before`, else `later`."""

    before: datetime
    earlier: OffsetTree | int
    later: OffsetTree | int


@lru_cache(maxsize=64)
def offsets(zone: str, last_year: int) -> OffsetTree | int:
    """All changes of a zone's offset from `FIRST_YEAR` to the end of `last_year`, as a balanced search tree."""
    info = ZoneInfo(zone)
    changes: list[tuple[datetime, int]] = []
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(last_year + 1, 1, 1, tzinfo=UTC)
    first = current = _offset(info, at)
    while at < end:
        following = at + timedelta(days=7)
        if _offset(info, following) != current:
            change = _change(info, at, following)
            current = _offset(info, following)
            changes.append((change, current))
        at = following
    return _tree(changes, first)


def _offset(info: ZoneInfo, at: datetime) -> int:
    delta = at.astimezone(info).utcoffset()
    return int(delta.total_seconds()) if delta is not None else 0


def _change(info: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset changes, by bisection."""
    before = _offset(info, low)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(info, middle) == before else (low, middle)
    return high


def _tree(changes: list[tuple[datetime, int]], first: int) -> OffsetTree | int:
    if not changes:
        return first
    middle = len(changes) // 2
    before, offset = changes[middle]
    return OffsetTree(before, _tree(changes[:middle], first), _tree(changes[middle + 1 :], offset))


def truncate(at: datetime, unit: Unit, week_start: Literal["monday", "sunday"]) -> datetime:
    """The start of the unit a local time is in."""
    if unit == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        gone = day.weekday() if week_start == "monday" else (day.weekday() + 1) % 7
        return day - timedelta(days=gone)
    if unit == "day":
        return day
    month = {"year": 1, "quarter": (day.month - 1) // 3 * 3 + 1}.get(unit, day.month)
    return day.replace(month=month, day=1)


def shift(at: datetime, unit: Unit, n: int) -> datetime:
    """`n` units later; a day that the month does not have becomes its last day. Clamped to years 1 to 9999."""
    try:
        if unit in {"week", "day", "hour"}:
            return at + n * {"week": timedelta(weeks=1), "day": timedelta(days=1), "hour": timedelta(hours=1)}[unit]
        months = at.year * 12 + at.month - 1 + n * {"year": 12, "quarter": 3, "month": 1}[unit]
        first = at.replace(year=months // 12, month=months % 12 + 1, day=1)
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        return first.replace(day=min(at.day, last.day))
    except (ValueError, OverflowError):
        return at.replace(year=1 if n < 0 else 9998, month=1, day=1)


def bounds(
    period: Period, now: datetime, zone: str, week_start: Literal["monday", "sunday"], *, days: bool
) -> tuple[datetime, datetime]:
    """The local start (included) and end (excluded) of a period.

    Args:
        period: A period of the right shape.
        now: An instant with zone.
        zone: The tenant's zone.
        week_start: First day of the tenant's week.
        days: The column holds days, not instants: a rolling period counts whole days up to today.

    Returns:
        Two local times without zone.
    """
    here = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if period.kind == "calendar":
        return _calendar(period)
    unit = period.unit or "day"
    n = period.n or 1
    start = truncate(here, unit, week_start)
    if period.kind == "this":
        return start, shift(start, unit, 1)
    if period.kind == "last":
        return shift(start, unit, -n), start
    if days:
        tomorrow = truncate(here, "day", week_start) + timedelta(days=1)
        return shift(tomorrow, "day" if unit == "hour" else unit, -n), tomorrow
    return shift(here, unit, -n), here


def _calendar(period: Period) -> tuple[datetime, datetime]:
    year = period.year or 1
    if period.quarter:
        start = datetime(year, period.quarter * 3 - 2, 1)  # noqa: DTZ001
        return start, shift(start, "quarter", 1)
    start = datetime(year, period.month or 1, period.day or 1)  # noqa: DTZ001
    return start, shift(start, "day" if period.day else "month" if period.month else "year", 1)


def instant(local: datetime | date, zone: str) -> datetime:
    """The instant of a local time; the earlier one where clocks were turned back."""
    at = local if isinstance(local, datetime) else datetime(local.year, local.month, local.day)  # noqa: DTZ001
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    try:
        return at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)
