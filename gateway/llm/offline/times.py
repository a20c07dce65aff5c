"""Dates and stretches of time in a question: ``in Q3 2024``, ``since May 2023``, ``the last 6 months``.

The words are read as the asker's calendar: the compiler turns a period into bounds in the tenant's time zone, so
nothing here needs to know what day it is.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from typing import Final, Literal, cast

from gateway.chart.spec import Period, Unit

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"), 1)
} | {"a couple of": 2, "thirty": 30, "fifty": 50, "a hundred": 100, "hundred": 100}  # fmt: skip

_MONTH: Final = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
_YEAR: Final = r"(?:19|20)\d\d"
_POINT: Final = (
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}-\d{{1,2}}(?!\d)|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH},? {_YEAR}|{_MONTH},? (?:of )?{_YEAR}|q[1-4],? (?:of )?{_YEAR}"
    rf"|{_YEAR},? q[1-4]|(?:first|second|third|fourth|1st|2nd|3rd|4th) quarter (?:of )?{_YEAR}|{_YEAR})"
)
_COUNT: Final = r"(?:\d{1,3}|" + "|".join(w for w in NUMBERS) + ")"
_UNIT: Final = r"(?:year|quarter|month|week|day|hour)"

_PATTERNS: Final = (
    (
        "between",
        re.compile(
            rf"\b(?:between |from )?(?P<c>{_MONTH}) (?:and|to|until|till|through|-|"
            rf"–) (?P<b>{_MONTH},? (?:of )?(?P<y>{_YEAR}))\b"
        ),
    ),
    ("between", re.compile(rf"\b(?:between|from) (?P<a>{_POINT}) (?:and|to|until|till|through|-|–) (?P<b>{_POINT})\b")),
    ("between", re.compile(rf"\b(?:in |during )?(?P<a>{_YEAR}) ?(?:-|–|to|through) ?(?P<b>{_YEAR})\b")),
    (
        "since",
        re.compile(
            rf"\b(?:since|starting (?:in|from)?|from|as of|beginning(?: in)?|"
            rf"on or after) (?P<a>{_POINT})"
            r"(?: on| onwards?)?\b"
        ),
    ),
    ("after", re.compile(rf"\b(?:after|later than|past) (?P<a>{_POINT})\b")),
    ("before", re.compile(rf"\b(?:before|prior to|earlier than) (?P<a>{_POINT})\b")),
    ("until", re.compile(rf"\b(?:until|up to|through|till|by the end of|on or before) (?P<a>{_POINT})\b")),
    (
        "ago",
        re.compile(
            rf"\b(?:in |within |over |during |for )?(?:the )?(?P<kind>last|past|previous|prior|recent|"
            rf"trailing)"
            rf" (?P<n>{_COUNT}) (?:full |calendar |complete )?(?P<unit>{_UNIT})s?\b"
        ),
    ),
    (
        "ago",
        re.compile(
            rf"\b(?:in |within |over |during |for )?(?:the )?(?P<kind>last|past|previous|prior)"
            rf" (?P<unit>{_UNIT})(?!s| over)\b"
        ),
    ),
    ("this", re.compile(rf"\b(?:in |during |for )?(?:the )?(?:this|current) (?P<unit>{_UNIT})(?: so far)?\b")),
    (
        "to_date",
        re.compile(
            r"\b(?P<unit>year|month|quarter|week)[- ]to[- ]date\b|\b(?P<short>ytd|mtd|qtd)\b|"
            r"\bso far (?:this )?(?P<so>year|month)\b"
        ),
    ),
    ("today", re.compile(r"\b(?P<day>today|yesterday)\b")),
    (
        "or",
        re.compile(
            rf"\b(?:in |for |during )?(?P<a>{_YEAR}(?:, ?{_YEAR})*),? (?:and|or|vs\.?|versus|against|compared (?:to|"
            rf"with)) (?:in )?(?P<b>{_YEAR})\b"
        ),
    ),
    (
        "in",
        re.compile(
            rf"\b(?:in|during|for|of|on|throughout|within) (?:the )?(?:year |month of |"
            rf"year of )?(?P<a>{_POINT})\b"
        ),
    ),
    ("in", re.compile(rf"(?P<a>{_POINT})(?![\d.,]*\d)\b")),
)

Kind = Literal["between", "since", "after", "before", "until", "ago", "this", "to_date", "today", "or", "in"]


@dataclass(frozen=True, slots=True)
class TimeExpr:
    """A time expression: what it says, and where (offsets in the question).

    Exactly one of `period`, `periods` (any of them), or bounds `low`, `high`, `below` (ISO dates; `high` included,
    `below` not) is given. `bare` marks a lone year without a preposition, which may be a plain number;
    `either` periods that are joined by "or", and so not set against each other.
    """

    start: int
    end: int
    period: Period | None = None
    periods: tuple[Period, ...] = ()
    low: str | None = None
    high: str | None = None
    below: str | None = None
    bare: bool = False
    either: bool = False


def find_times(lowered: str) -> list[TimeExpr]:
    """Find time expressions in a lower-case question, not overlapping, the widest patterns first."""
    found: list[TimeExpr] = []
    used: list[tuple[int, int]] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(lowered):
            if any(match.start() < end and start < match.end() for start, end in used):
                continue
            expr = _read(cast("Kind", kind), match)
            if expr is not None:
                found.append(expr)
                used.append(match.span())
    return sorted(found, key=lambda e: e.start)


def _read(kind: Kind, match: re.Match[str]) -> TimeExpr | None:
    start, end = match.span()
    groups = match.groupdict()
    try:
        if kind in {"ago", "this", "to_date", "today"}:
            return TimeExpr(start, end, period=_relative(kind, groups))
        first = _calendar(groups.get("a") or f"{groups['c']} {groups['y']}")
        low, below = _bounds(first)
        if kind == "between":
            second = _calendar(groups["b"] or "")
            if first.unit == second.unit == "year" and first.year == second.year:
                return TimeExpr(start, end, period=_named(first))
            return TimeExpr(start, end, low=low, below=_bounds(second)[1])
        if kind == "or":
            return TimeExpr(
                start,
                end,
                periods=tuple(_named(_calendar(y)) for y in re.findall(_YEAR, match.group(0))),
                either=" or " in match.group(0),
            )
        if kind == "in":
            return TimeExpr(start, end, period=_named(first), bare=match.group(0).isdigit())
        return {
            "since": TimeExpr(start, end, low=low),
            "after": TimeExpr(start, end, low=below),
            "before": TimeExpr(start, end, below=low),
            "until": TimeExpr(start, end, below=below),
        }[kind]
    except (ValueError, KeyError):
        return None


def _relative(kind: Kind, groups: dict[str, str | None]) -> Period:
    if kind == "today":
        return Period(kind="this", unit="day") if groups["day"] == "today" else Period(kind="last", unit="day", n=1)
    if kind == "to_date":
        short = {"ytd": "year", "mtd": "month", "qtd": "quarter"}.get(groups["short"] or "")
        return Period(kind="this", unit=cast("Unit", groups["unit"] or groups["so"] or short))
    unit = cast("Unit", groups["unit"])
    if kind == "this":
        return Period(kind="this", unit=unit)
    amount = groups.get("n")
    count = 1 if amount is None else NUMBERS.get(amount) or int(amount)
    rolling = groups["kind"] in {"past", "trailing", "recent"} or (count > 1 and unit in {"day", "hour"})
    return Period(kind="past" if rolling else "last", unit=unit, n=count)


def _calendar(text: str) -> Period:
    """A named year, quarter, month or day."""
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?", text):
        year, month = int(match[1]), int(match[2])
        if match[3]:
            return Period(kind="calendar", unit="day", year=year, month=month, day=int(match[3]))
        return Period(kind="calendar", unit="month", year=year, month=month)
    year_found = re.search(_YEAR, text)
    year = int(year_found[0]) if year_found else 0
    ordinals = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
    if match := re.search(r"q([1-4])", text):
        return Period(kind="calendar", unit="quarter", year=year, quarter=int(match[1]))
    if match := re.match(r"(\w+) quarter", text):
        return Period(kind="calendar", unit="quarter", year=year, quarter=ordinals[match[1]])
    if match := re.search(_MONTH, text):
        month = MONTHS[match[0].rstrip(".")]
        rest = text.replace(match[0], " ").replace(str(year), " ")
        if day := re.search(r"\d{1,2}", rest):
            return Period(kind="calendar", unit="day", year=year, month=month, day=int(day[0]))
        return Period(kind="calendar", unit="month", year=year, month=month)
    return Period(kind="calendar", unit="year", year=year)


def _named(period: Period) -> Period:
    """A calendar period as the chart language has it: its parts say its unit."""
    return period.model_copy(update={"unit": None})


def _bounds(period: Period) -> tuple[str, str]:
    """First day of a named period, and the first day after it, as ISO dates."""
    year, month = period.year or 1, period.month or 1
    if period.unit == "day":
        days = monthrange(year, month)[1]
        day = period.day or 1
        if day > days:
            msg = "no such day"
            raise ValueError(msg)
        after = f"{year:04}-{month:02}-{day + 1:02}" if day < days else _month_start(year, month + 1)
        return f"{year:04}-{month:02}-{day:02}", after
    if period.unit == "quarter":
        month = 3 * (period.quarter or 1) - 2
        return _month_start(year, month), _month_start(year, month + 3)
    if period.unit == "month":
        return _month_start(year, month), _month_start(year, month + 1)
    return _month_start(year, 1), _month_start(year + 1, 1)


def _month_start(year: int, month: int) -> str:
    return f"{year + (month - 1) // 12:04}-{(month - 1) % 12 + 1:02}-01"
