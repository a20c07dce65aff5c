"""Which functions an SQLite statement may call, and the one that some builds of SQLite lack."""

from __future__ import annotations

import math
import sqlite3
from typing import Final

_NAMES: Final = """
abs char coalesce concat concat_ws format glob hex ifnull iif instr length like lower ltrim max min nullif octet_length
printf quote replace round rtrim sign substr substring trim typeof unicode upper if
date datetime julianday strftime time timediff unixepoch current_date current_time current_timestamp
avg count group_concat string_agg sum total
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
ceil ceiling floor ln log log10 log2 mod pi pow power radians sqrt exp degrees trunc
json json_array json_array_length json_extract json_type json_valid json_quote json_each json_tree -> ->>
"""
ALLOWED_FUNCTIONS: Final = frozenset(_NAMES.split())
"""Core, date, aggregate, window, math and JSON functions, less those that read files, load code, make large values out
of small ones, or tell of the server. Source: sqlite.org/lang_corefunc.html and the lists beside it."""


def register(connection: sqlite3.Connection) -> None:
    """Add the square root, which SQLite has only if it was built with its math functions."""
    try:
        connection.execute("SELECT sqrt(1)").fetchone()
    except sqlite3.OperationalError:
        connection.create_function("sqrt", 1, _sqrt, deterministic=True)


def _sqrt(value: object) -> float | None:
    return math.sqrt(value) if isinstance(value, int | float) and value >= 0 else None
