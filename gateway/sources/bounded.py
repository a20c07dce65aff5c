"""What every source does alike: only a proved statement is run, within limits, and its values become cells."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Final

from gateway.catalog import Catalog, Dialect
from gateway.errors import ScopeRefusedError
from gateway.sources.base import Cancel
from gateway.sources.cells import convert, size
from gateway.sources.errors import Code, failure
from gateway.tenancy.scope import Limits
from gateway.types import Cell, CompiledQuery, ResultTable, ScopedQuery

Fetched = Callable[[int], Sequence[Sequence[object]]]
"""Gives up to that many further rows of a running statement; none when it is done."""

BATCH: Final = 500
"""Rows asked of a driver at once."""


class BoundedSource(ABC):
    """A datasource. A language brings `_run`, an engine `_reflect`.

    Args:
        name: The owner's name of the source; may be spoken.
        dialect: What the engine understands.
    """

    def __init__(self, name: str, dialect: Dialect) -> None:
        self.name = name
        self.dialect = dialect
        self._catalog: Catalog | None = None
        self._catalog_lock = threading.Lock()
        self._closing = Cancel()
        """Stops what runs for nobody in particular: summaries and value indexes."""

    @abstractmethod
    def _run(self, query: CompiledQuery, *, timeout_s: float, cancel: Cancel | None) -> AbstractContextManager[Fetched]:
        """Run a statement read-only; every driver error leaves as a `GatewayError` of the closed set."""

    @abstractmethod
    def _reflect(self) -> Catalog:
        """Read the structure from the engine."""

    @abstractmethod
    def _close(self) -> None:
        """Release connections."""

    def close(self) -> None:
        """Stop summaries that run, in the server too, and release connections.

        A process that ends would else wait for the longest of them, and leave it running in the database.
        """
        self._closing.cancel()
        self._close()

    def look_again(self, tables: Collection[str]) -> bool:  # noqa: ARG002  (most engines remember nothing)
        """Rows may have changed (see `gateway.sources.base.Source`)."""
        return True

    def reflect(self) -> Catalog:
        """Read the structure anew (see `gateway.sources.base.Source`)."""
        catalog = self._reflect()
        with self._catalog_lock:
            self._catalog = catalog
        return catalog

    def _known_catalog(self) -> Catalog:
        with self._catalog_lock:
            known = self._catalog
        return known if known is not None else self.reflect()

    def run(self, query: ScopedQuery, *, limits: Limits, cancel: Cancel | None = None) -> ResultTable:
        """Run a proved statement within the limits.

        Raises:
            ScopeRefusedError: The statement was not proved.
            QueryTimeoutError: `limits.timeout_s` passed.
            QueryLimitError: The answer is larger than `limits.max_bytes`.
            QueryError: Anything else, with a code of `gateway.sources.errors.Code`.
        """
        if not isinstance(query, ScopedQuery):
            raise ScopeRefusedError("only a proved statement is run", stage="run")
        compiled = query.query
        if compiled.dialect is not self.dialect:
            raise ScopeRefusedError("the statement is for another engine", stage="run")
        shown = min(limits.max_rows, compiled.max_rows)
        started = time.perf_counter()
        rows: list[tuple[Cell, ...]] = []
        total = 0
        with self._run(compiled, timeout_s=limits.timeout_s, cancel=cancel) as fetch:
            while len(rows) <= shown and (batch := fetch(min(BATCH, shown + 1 - len(rows)))):
                converted = convert(batch, compiled.columns)
                total += sum(map(size, converted))
                if total > limits.max_bytes:
                    raise failure(Code.BYTES, self.name)
                rows.extend(converted)
        return ResultTable(
            columns=compiled.columns,
            rows=tuple(rows[:shown]),
            truncated=len(rows) > shown,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            bytes=total,
        )
