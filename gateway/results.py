"""Answers' rows kept for a while, if the owner asks for it (setting `limits.keep_results_s`; off unless set).

Rows stay in the memory of the process that read them, for at most the seconds the owner named, within a number of
bytes; nothing is written. What was read under one right is never given to another: the key is a hash over the whole
scope (tenant, user, row filters with their values, columns, time zone, week start, limits), the proved statement and
every bound value with its type. A changed rule is another scope, so a row that may no longer be seen is not found.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway.types import ResultTable, ScopedQuery

MAX_BYTES: Final = 64_000_000
"""Bytes of results kept in one process, by the size each source reported; the least recently used go first."""


def result_key(query: ScopedQuery) -> str:
    """The key of a proved statement: 64 hex digits over everything its rows depend on, but the data."""
    compiled = query.query
    values = sorted([name, _typed(value)] for name, value in compiled.parameters.items())
    types = [[column.field, column.type] for column in compiled.columns]
    asked = [compiled.dialect.value, compiled.collection, compiled.statement, compiled.max_rows, types]
    parts = [query.scope_fingerprint, asked, values]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _typed(value: object) -> list[object]:
    # 1, 1.0, True and "1" are four values to a database.
    if isinstance(value, tuple):
        return ["tuple", [_typed(item) for item in value]]
    return [type(value).__name__, value]


def age_notes(result: ResultTable) -> tuple[str, ...]:
    """What an asker is told of rows that were not read just now."""
    if result.age_s < 1:
        return ()
    return (f"rows as read {result.age_s:.0f} seconds ago",)


class ResultCache:
    """Results by key, in memory.

    Args:
        keep_s: Seconds a result is good for; 0 keeps nothing.
        max_bytes: Most bytes kept.
        clock: Monotonic seconds.
    """

    def __init__(
        self, keep_s: float, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, ResultTable]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def run(self, query: ScopedQuery, read: Callable[[], ResultTable]) -> ResultTable:
        """The rows of a statement: kept ones with their age, else read now.

        Args:
            query: A proved statement; only one can be a key, so no result is kept that no scope holds.
            read: Runs it. An error of it is never kept.
        """
        if self._keep_s <= 0:
            return read()
        key = result_key(query)
        found = self._get(key)
        if found is not None:
            # Titles are the asking spec's own: two specs can mean one statement.
            return replace(found, columns=query.query.columns)
        result = read()
        self._put(key, result)
        return result

    def _get(self, key: str) -> ResultTable | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            read_at, result = found
            age = self._clock() - read_at
            if age >= self._keep_s:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return replace(result, age_s=age)

    def _put(self, key: str, result: ResultTable) -> None:
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = (self._clock(), result)
            self._bytes += result.bytes
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        _, result = self._kept.pop(key)
        self._bytes -= result.bytes
