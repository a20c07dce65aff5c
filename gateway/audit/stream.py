"""The stream to a SIEM: every entry once at least, in order, as JSON Lines in a file or as syslog over TCP or UDP.

Where it got to is kept in the state database, per stream. A SIEM that is away is caught up with later; it never
holds up a question, as the log itself is what counts.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import insert, select, update

from gateway.audit.ocsf import to_ocsf
from gateway.store.schema import audit_cursor, audit_entry
from gateway.store.state import State

EVERY_S: Final = 1.0
_PAGE: Final = 500
_SYSLOG_INFO: Final = 13 * 8 + 6
"""Facility 13 (log audit), severity 6 (informational), as RFC 5424 counts priorities."""


class Outlet(Protocol):
    """Where events go. `send` blocks, and raises OSError if they are not known to have arrived."""

    name: str

    def send(self, events: list[str]) -> None:
        """Send events, each one line of JSON."""
        ...


class FileOutlet:
    """JSON Lines, appended to a file that a collector reads.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.name = "file"
        self._path = path

    def send(self, events: list[str]) -> None:
        """Append and fsync."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(event + "\n" for event in events)
            file.flush()
            os.fsync(file.fileno())


class SyslogOutlet:
    """RFC 5424 messages; over TCP framed by their length (RFC 6587), over UDP one a datagram.

    Args:
        host: The collector's host.
        port: Its port.
        tcp: TCP, which knows when the collector is away; UDP does not.
        timeout_s: Seconds to connect and to send.
    """

    def __init__(self, host: str, port: int, *, tcp: bool = True, timeout_s: float = 5.0) -> None:
        self.name = "syslog"
        self._address = (host, port)
        self._tcp = tcp
        self._timeout_s = timeout_s

    def send(self, events: list[str]) -> None:
        """Send each event as one message."""
        kind = socket.SOCK_STREAM if self._tcp else socket.SOCK_DGRAM
        family = socket.getaddrinfo(*self._address, type=kind)[0][0]
        with socket.socket(family, kind) as channel:
            channel.settimeout(self._timeout_s)
            channel.connect(self._address)
            for event in events:
                message = self._message(event)
                channel.sendall(f"{len(message)} ".encode() + message if self._tcp else message)

    def _message(self, event: str) -> bytes:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"<{_SYSLOG_INFO}>1 {at} - rowless {os.getpid()} audit - {event}".encode()


class Stream:
    """Sends what the log gained to an outlet.

    Args:
        state: Where the log is.
        outlet: Where to.
        product_version: Version of Rowless, for the events.
        every_s: Seconds between looks at the log.
    """

    def __init__(self, state: State, outlet: Outlet, *, product_version: str = "", every_s: float = EVERY_S) -> None:
        self._state = state
        self._outlet = outlet
        self._version = product_version
        self._every_s = every_s
        self.is_behind = False
        """Whether the outlet did not take what was sent last."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-stream", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Send what there is, once more, and end the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def send(self) -> int:
        """Send what is new. Returns how many entries.

        Raises:
            OSError: The outlet did not take it; the next call sends it again.
        """
        sent = 0
        while True:
            after = self._cursor()
            with self._state.read() as connection:
                rows = connection.execute(
                    select(audit_entry.c.seq, audit_entry.c.body, audit_entry.c.at_us)
                    .where(audit_entry.c.seq > after)
                    .order_by(audit_entry.c.seq)
                    .limit(_PAGE)
                ).all()
            if not rows:
                return sent
            events = [json.dumps(to_ocsf(r.body, r.at_us, product_version=self._version)) for r in rows]
            self._outlet.send(events)
            self._advance(rows[-1].seq)
            sent += len(rows)

    def _run(self) -> None:
        while True:
            is_last = self._stop.wait(self._every_s)
            try:
                self.send()
                self.is_behind = False
            except Exception:  # noqa: BLE001  # sent again in a second; the log itself is what counts
                self.is_behind = True
            if is_last:
                return

    def _cursor(self) -> int:
        with self._state.read() as connection:
            found = connection.execute(
                select(audit_cursor.c.seq).where(audit_cursor.c.name == self._outlet.name)
            ).scalar()
        return -1 if found is None else int(found)

    def _advance(self, seq: int) -> None:
        with self._state.write() as connection:
            moved = connection.execute(
                update(audit_cursor).where(audit_cursor.c.name == self._outlet.name).values(seq=seq)
            ).rowcount
            if not moved:
                connection.execute(insert(audit_cursor).values(name=self._outlet.name, seq=seq))
