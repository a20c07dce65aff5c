"""Which functions an SQLite statement may call, the one that some builds of SQLite lack, and the digest of columns."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from typing import Final

DIGEST: Final = "rowless_digest"
"""The aggregate of `gateway.summary.digest_forms`. No chart is compiled to it; the checker of stage 10 refuses it."""
_MEMORY: Final = 50_000
"""Hashes of cells that are remembered, as most columns repeat themselves."""

_NAMES: Final = """
abs char coalesce concat concat_ws format glob hex ifnull iif instr length like lower ltrim max min nullif octet_length
printf quote replace round rtrim sign substr substring trim typeof unicode upper if
date datetime julianday strftime time timediff unixepoch current_date current_time current_timestamp
avg count group_concat string_agg sum total
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
ceil ceiling floor ln log log10 log2 mod pi pow power radians sqrt exp degrees trunc
json json_array json_array_length json_extract json_type json_valid json_quote json_each json_tree -> ->>
"""
ALLOWED_FUNCTIONS: Final = frozenset(_NAMES.split()) | {DIGEST}
"""Core, date, aggregate, window, math and JSON functions, less those that read files, load code, make large values out
of small ones, or tell of the server. Source: sqlite.org/lang_corefunc.html and the lists beside it."""


def register(connection: sqlite3.Connection) -> None:
    """Add the digest, and the square root, which SQLite has only if it was built with its math functions."""
    connection.create_aggregate(DIGEST, -1, Digest)  # type: ignore[arg-type]  # the stub knows one argument only
    try:
        connection.execute("SELECT sqrt(1)").fetchone()
    except sqlite3.OperationalError:
        connection.create_function("sqrt", 1, _sqrt, deterministic=True)


def _sqrt(value: object) -> float | None:
    return math.sqrt(value) if isinstance(value, int | float) and value >= 0 else None


def digest_of(key: bytes, value: bytes) -> int:
    """The keyed hash of one cell, 64 bits."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8, key=key).digest(), "little")


class Digest:
    """Filled cells and the sum of a keyed hash of each, by column: ``rowless_digest(key, copies, cell, …)``.

    SQLite has no hash of its own, so this one is called back for each row; cells come as blobs, and count as often as
    there are copies. The result is JSON, a list of pairs, as the sums are larger than a number of SQLite.
    """

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._sums: list[int] = []
        self._known: dict[bytes, int] = {}

    def step(self, key: str, copies: int, *cells: bytes | None) -> None:
        """Add one row. The key is hexadecimal."""
        if not self._counts:
            self._counts, self._sums = [0] * len(cells), [0] * len(cells)
        if len(self._known) > _MEMORY:
            self._known.clear()
        for i, cell in enumerate(cells):
            if cell is None:
                continue
            hashed = self._known.get(cell)
            if hashed is None:
                hashed = self._known[cell] = digest_of(bytes.fromhex(key), cell)
            self._counts[i] += copies
            self._sums[i] += copies * hashed

    def finalize(self) -> str:
        """The pairs, one a column; none if there was no row."""
        return json.dumps(list(zip(self._counts, self._sums, strict=True)))
