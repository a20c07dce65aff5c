"""What every SQL source does alike: deadline, cancellation, distinct values under a scope."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

from sqlglot import exp

from gateway.catalog import Dialect
from gateway.sources.base import Cancel
from gateway.sources.bounded import BATCH, BoundedSource, Fetched
from gateway.sources.errors import Code, failure
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope
from gateway.types import Cell, CompiledQuery

Parameters = Mapping[str, Cell | tuple[Cell, ...]]
Fetch = Fetched

_INSIST_S: Final = 0.25
"""Seconds between two stops of a statement that has not ended."""
_VALUES_TIMEOUT_S: Final = 30.0


def value_text(column: str, dialect: Dialect) -> exp.Expr:
    """A column of a scoped table as the text that is indexed, told apart by its code points.

    A cast gives PostgreSQL's text the column's collation and MySQL's that of the connection: under one that ignores
    accents or punctuation, or takes "ß" for "s", a DISTINCT would keep one of two values and the index miss the other.
    """
    text = exp.cast(exp.column(column, quoted=True), "text")
    if dialect is Dialect.POSTGRES:
        return exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True))
    if dialect is Dialect.MYSQL:
        return exp.Collate(this=text, expression=exp.Var(this="utf8mb4_bin"))
    return text


class Watch:
    """Stops a statement when its time is up or its caller leaves, and remembers which of the two it was.

    A stop that comes a moment before the statement begins hits nothing, so it is said again until the statement is
    over. Once the watch is left it stops nothing any more: a late cancel must not hit the next statement on the
    connection.

    Args:
        name: The source, for the error.
        stop: Stops what the connection is running, from any thread; does nothing if there is nothing to stop.
        timeout_s: Seconds from entering the watch.
        cancel: The caller's wish to stop.
    """

    def __init__(self, name: str, stop: Callable[[], object], *, timeout_s: float, cancel: Cancel | None) -> None:
        self._name = name
        self._stop = stop
        self._cancel = cancel
        self._lock = threading.RLock()
        self._done = False
        self._timer = self._after(timeout_s, lambda: self._halt(Code.TIMEOUT))
        self.reason: Code | None = None

    def _after(self, seconds: float, act: Callable[[], None]) -> threading.Timer:
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        return timer

    def _halt(self, reason: Code) -> None:
        with self._lock:
            if self.reason is None and not self._done:
                self.reason = reason
                self._timer.cancel()
                self._insist()

    def _insist(self) -> None:
        with self._lock:
            if self._done:
                return
            self._stop()
            self._timer = self._after(_INSIST_S, self._insist)
            self._timer.start()

    def __enter__(self) -> Self:
        if self._cancel is not None:
            if self._cancel.is_cancelled:
                self._done = True
                raise failure(Code.CANCELLED, self._name)
            self._cancel.on_cancel(self._leave)
        with self._lock:
            if self.reason is None:
                self._timer.start()
        return self

    def _leave(self) -> None:
        self._halt(Code.CANCELLED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cancel is not None:
            self._cancel.forget(self._leave)
        with self._lock:
            self._done = True
            self._timer.cancel()


class SqlSource(BoundedSource):
    """A datasource that speaks SQL. An engine brings `_rows` and `_reflect`; the rest is here."""

    @abstractmethod
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> AbstractContextManager[Fetch]:
        """Run a statement read-only; every driver error leaves as a `GatewayError` of the closed set."""

    def _run(self, query: CompiledQuery, *, timeout_s: float, cancel: Cancel | None) -> AbstractContextManager[Fetch]:
        return self._rows(query.statement, query.parameters, timeout_s=timeout_s, cancel=cancel)

    def aggregate(self, statement: str, parameters: Parameters, *, timeout_s: float) -> list[tuple[object, ...]]:
        """Run a summary statement of `gateway.summary` (see `gateway.sources.base.Source`)."""
        with self._rows(statement, parameters, timeout_s=timeout_s, cancel=self._closing) as fetch:
            found: list[tuple[object, ...]] = []
            while batch := fetch(BATCH):
                found.extend(tuple(row) for row in batch)
            return found

    def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
        """Stream the distinct texts of a column under a scope, at most `max_values` + 1.

        Raises:
            ScopeRefusedError: The table or column is outside the scope.
        """
        barrier = scoped_tables(self._known_catalog(), scope, {table: {column}})
        value = exp.column(column, quoted=True)
        select = (
            exp.Select(expressions=[value_text(column, self.dialect)])
            .distinct()
            .from_(exp.Table(this=exp.to_identifier(CTE_PREFIX + table, quoted=True)))
            .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
            .limit(max_values + 1)
        )
        select.set("with_", exp.With(expressions=list(barrier.ctes)))
        statement = select.sql(dialect=self.dialect.value, comments=False)
        with self._rows(statement, barrier.parameters, timeout_s=_VALUES_TIMEOUT_S, cancel=self._closing) as fetch:
            while batch := fetch(BATCH):
                for (text,) in batch:
                    if text is not None:
                        yield str(text)
