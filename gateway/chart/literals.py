"""What a literal of a spec means for a column of a given type. Pure; used by validation and by the compiler."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.catalog import ColumnType

_YEAR = re.compile(r"\d{4}\Z", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?\Z|[-+]?\d{1,18}(\.\d{1,18})?\Z", re.ASCII)
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
MAX_INTEGER = 2**63 - 1


class LiteralInvalidError(ValueError):
    """The literal does not fit the column. Carries no value."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of local days from `start` up to but without `end`."""

    start: date
    end: date


Meaning = bool | int | float | str | Span | datetime
"""A datetime without zone is local to the tenant."""


def read_literal(raw: bool | int | float | str, kind: ColumnType) -> Meaning:
    """Read a literal as a value of a column.

    Args:
        raw: As the spec, or the caller's own words behind a placeholder, has it.
        kind: Type of the column it is compared with.

    Returns:
        A value of the column's type; for dates a span of days (``2024``, ``2024-03``, ``2024-03-05``) or a datetime.

    Raises:
        LiteralInvalidError: The literal is not a value of that type.
    """
    if kind.is_numeric:
        return _number(raw)
    if kind is ColumnType.BOOLEAN:
        return _boolean(raw)
    if kind.is_temporal:
        return _moment(raw)
    if kind in {ColumnType.TEXT, ColumnType.OTHER}:
        if isinstance(raw, bool) or (isinstance(raw, str) and not _is_storable(raw)):
            raise LiteralInvalidError
        return str(raw)
    raise LiteralInvalidError


def _is_storable(text: str) -> bool:
    """Whether a database can hold it: half of a surrogate pair makes drivers fail with the text in their error."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _number(raw: bool | int | float | str) -> int | float:
    if isinstance(raw, bool):
        raise LiteralInvalidError
    if isinstance(raw, str):
        text = raw.strip()
        if not _NUMBER.match(text):
            raise LiteralInvalidError
        text = text.replace(",", "")
        raw = float(text) if "." in text else int(text)
    if abs(raw) > MAX_INTEGER or (isinstance(raw, float) and not math.isfinite(raw)):
        raise LiteralInvalidError
    return raw


def _boolean(raw: bool | int | float | str) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise LiteralInvalidError


def _moment(raw: bool | int | float | str) -> Span | datetime:
    if isinstance(raw, bool | float):
        raise LiteralInvalidError
    text = str(raw).strip()
    try:
        if _YEAR.match(text):
            return Span(date(int(text), 1, 1), date(int(text) + 1, 1, 1))
        if month := _MONTH.match(text):
            start = date(int(month[1]), int(month[2]), 1)
            return Span(start, (start + timedelta(days=32)).replace(day=1))
        if len(text) == 10:
            day = date.fromisoformat(text)
            return Span(day, day + timedelta(days=1))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise LiteralInvalidError from None
    if isinstance(raw, int) or moment.year < 2:
        raise LiteralInvalidError
    return moment
