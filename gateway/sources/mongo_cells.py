"""From BSON values to plain ones: what `gateway.sources.cells` and the summaries read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bson import Decimal128, ObjectId
from bson.int64 import Int64


def plain(value: object) -> object:
    """One BSON value without the driver's own types.

    Returns:
        Numbers, text, booleans, datetimes in UTC without offset, lists and dictionaries as they are; a Decimal128 as a
        Decimal and an ObjectId as its 24 hexadecimal digits. None for what no chart shows: binary, code, regular
        expressions, timestamps, and dates that Python cannot hold.
    """
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return int(value) if isinstance(value, Int64) else value
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None
