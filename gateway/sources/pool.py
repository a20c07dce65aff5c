"""A small pool of connections to one server: bounded, last used first, and only clean ones come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Generic, TypeVar

from gateway.sources.errors import Code, failure
from gateway.sources.slots import Slots

Connection = TypeVar("Connection")

MAX_CONNECTIONS: Final = 5
_WAIT_S: Final = 5.0
_TRUST_S: Final = 10.0
"""Seconds of idleness for which a connection is taken to be alive without asking."""
_MAX_IDLE_S: Final = 300.0
_MAX_AGE_S: Final = 3600.0


class Pool(Generic[Connection]):
    """Connections to one server.

    Args:
        name: The source, for errors.
        connect: Opens a connection; raises `GatewayError` only.
        is_clean: Whether a connection that came back can be lent again: alive, and outside a transaction.
        close: Closes one; what it raises is dropped.
        ping: Asks the server for a sign of life and raises if there is none; done before a connection that has been
            idle for a while is lent, as servers and firewalls drop idle ones without a word.
        size: Most connections at once.
    """

    def __init__(
        self,
        name: str,
        *,
        connect: Callable[[], Connection],
        is_clean: Callable[[Connection], bool],
        close: Callable[[Connection], object],
        ping: Callable[[Connection], object] | None = None,
        size: int = MAX_CONNECTIONS,
    ) -> None:
        self._name = name
        self._connect = connect
        self._is_clean = is_clean
        self._close = close
        self._ping = ping
        self._slots = Slots(size)
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, float, float]] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection. One that does not come back clean is closed.

        Raises:
            QueryError: All connections are in use for 5 seconds, or the pool is closed.
            SourceError: A new one cannot be opened.
        """
        if self._closed or not self._slots.acquire(timeout_s=_WAIT_S):
            raise failure(Code.CONNECTION if self._closed else Code.TIMEOUT, self._name)
        try:
            connection, born = self._take()
            try:
                yield connection
            finally:
                self._put_back(connection, born)
        finally:
            self._slots.release()

    def _take(self) -> tuple[Connection, float]:
        while True:
            with self._lock:
                entry = self._idle.pop() if self._idle else None
            if entry is None:
                return self._connect(), time.monotonic()
            connection, born, since = entry
            now = time.monotonic()
            young = now - since < _MAX_IDLE_S and now - born < _MAX_AGE_S
            if young and self._is_clean(connection) and (now - since < _TRUST_S or self._answers(connection)):
                return connection, born
            self._discard(connection)

    def _answers(self, connection: Connection) -> bool:
        try:
            if self._ping is not None:
                self._ping(connection)
        except Exception:  # noqa: BLE001
            # Whatever it raises, a connection that does not answer is of no use; it is closed, and a new one opened.
            return False
        return True

    def _put_back(self, connection: Connection, born: float) -> None:
        clean = False
        with suppress(Exception):
            clean = self._is_clean(connection)
        with self._lock:
            if clean and not self._closed:
                self._idle.append((connection, born, time.monotonic()))
                return
        self._discard(connection)

    def _discard(self, connection: Connection) -> None:
        with suppress(Exception):
            self._close(connection)

    @property
    def idle(self) -> int:
        """How many connections wait to be lent."""
        with self._lock:
            return len(self._idle)

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection, _, _ in idle:
            self._discard(connection)
