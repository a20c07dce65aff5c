"""The port of a datasource (stages 2 and 11). Everything that holds a database driver sits behind it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from typing import Protocol

from gateway.catalog import Catalog, Dialect
from gateway.tenancy.scope import Limits, Scope
from gateway.types import Cell, ResultTable, ScopedQuery


class Cancel:
    """A caller's wish to stop, seen by the source that is running its query.

    A source registers what stops its statement in the server; `cancel` calls it at once, from any thread.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stop: list[object] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller has left."""
        return self._event.is_set()

    def on_cancel(self, stop: object) -> None:
        """Register a callable without arguments; it is called at once if the caller has already left."""
        with self._lock:
            self._stop.append(stop)
            late = self._event.is_set()
        if late and callable(stop):
            stop()

    def forget(self, stop: object) -> None:
        """What was registered is over, and is not called any more."""
        with self._lock:
            if stop in self._stop:
                self._stop.remove(stop)

    def cancel(self) -> None:
        """Stop every registered statement."""
        self._event.set()
        with self._lock:
            stops = list(self._stop)
        for stop in stops:
            if callable(stop):
                stop()


class Source(Protocol):
    """One datasource, opened read-only. Methods block; the pipeline calls them from a worker thread.

    Every method maps all that the driver can raise to `SourceError`, `QueryError` or a subclass, with the driver's
    text dropped: it can quote cells.
    """

    name: str
    dialect: Dialect

    def reflect(self) -> Catalog:
        """Read the structure: tables, columns, types, keys, relationships, vocabularies. No statistic, no row."""
        ...

    def run(self, query: ScopedQuery, *, limits: Limits, cancel: Cancel | None = None) -> ResultTable:
        """Run a proved statement read-only within the limits (stage 11)."""
        ...

    def aggregate(
        self, statement: str, parameters: dict[str, Cell | tuple[Cell, ...]], *, timeout_s: float
    ) -> list[tuple[object, ...]]:
        """Run a summary statement, which fetches aggregates only. Called by `gateway.summary` alone (stage 2)."""
        ...

    def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
        """Stream the distinct text values of a column under a scope, to be hashed at once and dropped.

        Called by `gateway.summary.values` alone, which feeds `redaction.fingerprints`. Stops after `max_values` + 1.
        """
        ...

    def look_again(self, tables: Collection[str]) -> bool:
        """Forget what is remembered of where the rows of some tables lie, so that what is read next is not old.

        Returns:
            Whether rows may have changed since the source was opened; False only where nothing could change them.

        Raises:
            GatewayError: It could not be done; what would be read may be old.
        """
        ...

    def close(self) -> None:
        """Stop summaries that run, in the server too, and release connections. Nothing can be asked afterwards."""
        ...
