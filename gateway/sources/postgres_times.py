"""Dates and times that PostgreSQL can hold and Python cannot: ``infinity``, years before 1 or after 9999, 24:00.

psycopg refuses a whole answer for one of them. A chart cannot show such a value either, so it is read as null, as NaN
and infinite numbers are.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.types import datetime as own


def _lenient(loader: type[Any]) -> type[Any]:
    class Lenient(loader):  # type: ignore[misc]  # its base is an argument
        def load(self, data: object) -> object:
            try:
                return super().load(data)
            except (psycopg.DataError, ValueError, OverflowError):
                return None

    return Lenient


_LOADERS: Final = {
    "date": _lenient(own.DateLoader),
    "time": _lenient(own.TimeLoader),
    "timetz": _lenient(own.TimetzLoader),
    "timestamp": _lenient(own.TimestampLoader),
    "timestamptz": _lenient(own.TimestamptzLoader),
}


def read_leniently(connection: psycopg.Connection[Any]) -> None:
    """Read what Python cannot hold as null, on this connection."""
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)
