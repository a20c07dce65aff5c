"""How values are written: currency, percent, short numbers (1.2M), dates by grain. One place for every output.

A percent is a share (0.12 is 12%). Times are the wall clock of the tenant's time zone and are never shifted here.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Final

from gateway.types import Cell, ResultColumn

SYMBOLS: Final = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "BRL": "R$", "CAD": "CA$",
    "AUD": "A$", "NZD": "NZ$", "MXN": "MX$", "ILS": "₪", "VND": "₫", "UAH": "₴", "TRY": "₺", "PHP": "₱", "NGN": "₦",
}  # fmt: skip
"""Narrow or disambiguated symbols as in Unicode CLDR 45, locale en; other codes are written out, ``CHF 12``."""
NO_MINOR_UNIT: Final = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF", "PYG"})
"""Currencies without decimals in ISO 4217."""

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MISSING: Final = "(none)"
"""Shown for a missing value."""


VAST: Final = 1e15
"""From here on a number is written as a power of ten: a float no longer holds its units."""


def currency_symbol(code: str | None) -> str:
    """What stands before an amount: ``€``, ``CHF `` (with a no-break space), or nothing if the currency is unknown."""
    return "" if code is None else SYMBOLS.get(code, f"{code}\u00a0")


def short_number(value: float) -> str:
    """Three significant digits and a unit: ``1.23M``, ``45.6k``, ``950``. Billions are B, not giga."""
    size = abs(value)
    if size >= VAST:
        return f"{value:.2e}"
    for limit, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k")):
        # 999,950 would be written 1,000k: it is 1M. Below 10,000 there is room for the number itself.
        if size >= limit * (1 if unit == "k" else 0.9995):
            scaled = value / (1e3 if unit == "k" else limit)
            return _digits(scaled, 3) + unit
    return _digits(value, 4 if size >= 1000 else 3)


def _digits(value: float, significant: int) -> str:
    if value == 0:
        return "0"
    places = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_number(value: float, kind: str, currency: str | None, *, short: bool = False) -> str:
    """A number in full (``€1,234.50``), or short (``€1.23k`` from 10,000 on)."""
    if not math.isfinite(value):
        return MISSING
    if kind == "percent" and abs(value) < VAST:
        share = value * 100
        return f"{share:,.0f}%" if short and abs(share) >= 10 else f"{_digits(round(share, 2), 12)}%"
    sign = "-" if value < 0 else ""
    size = abs(value)
    if size >= VAST:
        return f"{value:.2e}"
    if kind == "currency":
        symbol = currency_symbol(currency)
        if short:
            return f"{sign}{symbol}{short_number(size)}"
        return f"{sign}{symbol}{size:,.{0 if currency in NO_MINOR_UNIT else 2}f}"
    if short:
        return sign + short_number(size)
    if float(value).is_integer():
        return f"{int(value):,}"
    return sign + _digits(size, max(6, math.floor(math.log10(size)) + 3) if size else 6)


def format_cell(value: Cell, column: ResultColumn, currency: str | None, *, part: str = "", short: bool = False) -> str:
    """Any cell as text for a person: by the column's format, its grain, or the part of a date it holds."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if part:
        return format_part(value, part)
    if isinstance(value, int | float):
        if column.type == "boolean":
            return "Yes" if value else "No"
        return format_number(value, column.format, currency, short=short)
    if column.type in ("date", "datetime"):
        at = parse_time(value)
        return value if at is None else format_time(at, column.grain or ("" if column.type == "datetime" else "day"))
    return value


def format_part(value: Cell, part: str) -> str:
    """A part of a date: weekday 1 is Monday (ISO 8601), month 1 is January, hour 9 is ``09:00``."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not float(value).is_integer():
        return str(value)
    number = int(value)
    if part == "weekday" and 1 <= number <= 7:
        return WEEKDAYS[number - 1]
    if part == "month_of_year" and 1 <= number <= 12:
        return MONTHS[number - 1]
    if part == "quarter_of_year":
        return f"Q{number}"
    if part == "hour_of_day":
        return f"{number:02d}:00"
    return str(number)


def parse_time(value: Cell) -> datetime | None:
    """ISO 8601 text as a wall-clock time; an offset is dropped, not applied. None if it is no time."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            day = date.fromisoformat(value)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        return None


def format_time(at: datetime, grain: str) -> str:
    """A period by its first moment: ``2024``, ``Q1 2024``, ``Mar 2024``, ``Week of 4 Mar 2024``."""
    day = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    if grain == "year":
        return str(at.year)
    if grain == "quarter":
        return f"Q{(at.month - 1) // 3 + 1} {at.year}"
    if grain == "month":
        return f"{MONTHS[at.month - 1]} {at.year}"
    if grain == "week":
        return f"Week of {day}"
    if grain == "day":
        return day
    return f"{day} {at:%H:%M}" + (f":{at:%S}" if at.second and grain != "hour" else "")


def axis_format(kind: str, values: list[float], currency: str | None) -> dict[str, object]:
    """Vega axis settings for numbers: d3 format, and the one constant expression that writes billions as B."""
    sizes = [abs(v) for v in values if math.isfinite(v)]
    top = max(sizes, default=0.0)
    if kind == "percent":
        return {"format": ".0%" if top >= 0.1 else ".1~%" if top >= 0.01 else ".2~%"}
    sign = "$" if kind == "currency" and currency else ""
    if top >= 1e9:
        return {"format": f"{sign}.3~s", "labelExpr": BILLIONS}
    if top >= 1e4:
        return {"format": f"{sign}.3~s"}
    if top < 10 and any(not float(v).is_integer() for v in values if math.isfinite(v)):
        return {"format": f"{sign},.3~f"}
    return {"format": f"{sign},.0f", "tickMinStep": 1}


BILLIONS: Final = "replace(datum.label, 'G', 'B')"
"""The only expression that a chart of ours may hold (see `gateway.chart.render.inert`); a constant."""
