"""Which functions an SQLite statement may call, and the aggregates that SQLite lacks.

The added ones are pure arithmetic on what they are given: ``stddev_samp``, ``median`` and
``percentile_cont`` (value, share in [0, 1]; linear interpolation, as PostgreSQL's and DuckDB's).
"""

from __future__ import annotations

import math
import sqlite3
from typing import Any, Final, cast

ALLOWED_FUNCTIONS: Final = frozenset(
    # Core and date functions (sqlite.org/lang_corefunc.html, lang_datefunc.html) less those that read files, load
    # code, make large values or tell of the server.
    [
        "abs",
        "char",
        "coalesce",
        "concat",
        "concat_ws",
        "format",
        "glob",
        "hex",
        "ifnull",
        "iif",
        "instr",
        "length",
        "like",
        "lower",
        "ltrim",
        "max",
        "min",
        "nullif",
        "octet_length",
        "printf",
        "quote",
        "replace",
        "round",
        "rtrim",
        "sign",
        "substr",
        "substring",
        "trim",
        "typeof",
        "unicode",
        "upper",
        "if",
        "date",
        "datetime",
        "julianday",
        "strftime",
        "time",
        "timediff",
        "unixepoch",
        "current_date",
        "current_time",
        "current_timestamp",
        "avg",
        "count",
        "group_concat",
        "string_agg",
        "sum",
        "total",
        "median",
        "percentile",
        "percentile_cont",
        "stddev",
        "stddev_samp",
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
        "ceil",
        "ceiling",
        "floor",
        "ln",
        "log",
        "log10",
        "log2",
        "mod",
        "pi",
        "pow",
        "power",
        "radians",
        "sqrt",
        "exp",
        "degrees",
        "trunc",
        "acos",
        "asin",
        "atan",
        "atan2",
        "cos",
        "sin",
        "tan",
        "json",
        "json_array",
        "json_array_length",
        "json_extract",
        "json_type",
        "json_valid",
        "json_each",
        "json_tree",
        "->",
        "->>",
    ]
)


class _Numbers:
    """Collects numbers; text and NULL are passed over, as the engine's own aggregates pass over NULL."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def step(self, value: object, /) -> None:
        if isinstance(value, int | float):
            self.seen.append(float(value))

    def _at(self, share: float) -> float | None:
        if not self.seen:
            return None
        ordered = sorted(self.seen)
        place = (len(ordered) - 1) * min(max(share, 0.0), 1.0)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class _Median(_Numbers):
    def finalize(self) -> float | None:
        return self._at(0.5)


class _Percentile(_Numbers):
    def __init__(self) -> None:
        super().__init__()
        self._share = 0.5

    def step(self, value: object, share: object = 0.5, /) -> None:
        if isinstance(share, int | float):
            self._share = float(share)
        super().step(value)

    def finalize(self) -> float | None:
        return self._at(self._share)


class _Stddev:
    """Sample standard deviation in one pass (Welford 1962)."""

    def __init__(self) -> None:
        self._n = 0
        self._mean = 0.0
        self._m2 = 0.0

    def step(self, value: object, /) -> None:
        if isinstance(value, int | float):
            self._n += 1
            delta = value - self._mean
            self._mean += delta / self._n
            self._m2 += delta * (value - self._mean)

    def finalize(self) -> float | None:
        return math.sqrt(self._m2 / (self._n - 1)) if self._n > 1 else None


def register(connection: sqlite3.Connection) -> None:
    """Add the aggregates to a connection."""
    # The stub wants `step(int)`; SQLite passes whatever the column holds.
    connection.create_aggregate("median", 1, cast("Any", _Median))
    connection.create_aggregate("percentile_cont", 2, cast("Any", _Percentile))
    for name in ("stddev", "stddev_samp"):
        connection.create_aggregate(name, 1, cast("Any", _Stddev))
