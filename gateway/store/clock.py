"""The clock of the state database: whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def iso(at_us: int) -> str:
    """ISO 8601 in UTC with six decimals, for example ``2026-01-31T09:30:00.000000Z``."""
    return datetime.fromtimestamp(at_us / 1_000_000, tz=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_iso(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 date or time; UTC where it names no zone.

    Raises:
        ValueError: It is neither.
    """
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return round(at.timestamp() * 1_000_000)
