"""From a driver's values to cells of a result, counted in bytes as they come."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from gateway.types import Cell, ResultColumn

_NUMBER_BYTES: Final = 8
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?!.*BC)")


def to_cell(value: object, kind: str) -> Cell:
    """One driver value as a cell.

    Args:
        value: What the driver gave.
        kind: The type of the result column (`ResultColumn.type`); settles what engines without booleans mean.

    Returns:
        Text for dates and times (ISO 8601; an instant in UTC without offset), int or float for numbers, None for
        what a chart cannot show (NaN, infinity, binary, a day before the year 1 or after 9999).
    """
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return None
    if kind == "boolean" and isinstance(value, int | Decimal):
        return bool(value)
    cell = _scalar(value)
    if kind == "number" and isinstance(cell, str):
        return _number(cell)
    if kind == "text" and isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(cell)
    if kind in ("date", "datetime") and isinstance(cell, str):
        # What Python has no type for comes as text: years before 1 or after 9999, which no chart can place.
        cell = cell if _ISO_DAY.match(cell) else None
    if kind == "date" and isinstance(cell, str):
        return cell[:10]
    return cell


def _scalar(value: object) -> Cell:
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return (int(value) if value == value.to_integral_value() else float(value)) if value.is_finite() else None
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def size(row: Sequence[Cell]) -> int:
    """Bytes of one row as the limit counts them: 8 a number, the UTF-8 length of text, 2 for anything else."""
    return sum(
        len(c.encode()) if isinstance(c, str) else 2 if c is None or isinstance(c, bool) else _NUMBER_BYTES for c in row
    )


def convert(rows: Sequence[Sequence[object]], columns: tuple[ResultColumn, ...]) -> list[tuple[Cell, ...]]:
    """Driver rows as result rows. A row of another width than `columns` is our bug."""
    kinds = [column.type for column in columns]
    return [tuple(to_cell(v, k) for v, k in zip(row, kinds, strict=True)) for row in rows]
