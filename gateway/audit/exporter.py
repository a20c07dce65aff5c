"""The exporter: a thread that takes signed checkpoints to every sink, so that a slow sink slows no question.

It knows how far behind it is. Entries that are in no exported checkpoint are only as trustworthy as the host, so a
log that falls behind for long refuses new intents (`is_overdue`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update

from gateway.audit.note import NoteError, Verifier
from gateway.audit.sinks import CheckpointSink, SinkError
from gateway.errors import AuditUnavailableError
from gateway.store.clock import now_us
from gateway.store.schema import audit_checkpoint, audit_head
from gateway.store.state import State

MAX_LAG_S: Final = 30.0
"""Longest time between a checkpoint's signing and its being in every sink; past it, no prompt leaves."""
_RETRY_S: Final = 1.0
_LOOK_S: Final = 10.0
"""Seconds between looks for checkpoints that another replica signed and did not live to export."""


class Exporter:
    """Exports checkpoints. Thread-safe.

    Args:
        state: Where checkpoints are.
        sinks: Where they go; each must take every exported checkpoint.
        verifier: The log's public key.
        max_lag_s: See `MAX_LAG_S`.
    """

    def __init__(
        self, state: State, sinks: Sequence[CheckpointSink], verifier: Verifier, *, max_lag_s: float = MAX_LAG_S
    ) -> None:
        self.wake = threading.Event()
        self._state = state
        self._sinks = tuple(sinks)
        self._verifier = verifier
        self._max_lag_s = max_lag_s
        self._stop = threading.Event()
        self._behind_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="audit-exporter", daemon=True)

    def check_not_rolled_back(self) -> None:
        """Compare the log with the newest checkpoint each sink holds, before anything is signed.

        Raises:
            AuditUnavailableError: A sink cannot be read, or holds a checkpoint that the log does not lead to.
        """
        for sink in self._sinks:
            try:
                note = sink.latest()
            except SinkError as error:
                raise AuditUnavailableError(str(error), stage="log") from None
            if note is not None:
                self._check_leads_to(note)

    def start(self) -> None:
        """Export what there is, once, in the foreground; then go on in a thread.

        Raises:
            AuditUnavailableError: There is no sink, or one does not take a checkpoint.
        """
        if not self._sinks:
            msg = "the audit log has no checkpoint sink: without one nothing is sent"
            raise AuditUnavailableError(msg, stage="log")
        try:
            self._export(is_first=True)
        except SinkError as error:
            raise AuditUnavailableError(str(error), stage="log") from None
        self._thread.start()

    def stop(self) -> None:
        """Export what there is, once more, and end the thread."""
        self._stop.set()
        self.wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def lag_s(self) -> float:
        """Seconds for which a signed checkpoint has been waiting; 0 if none is."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_overdue(self) -> bool:
        """Whether the sinks are so far behind that no prompt may leave."""
        return self.lag_s > self._max_lag_s

    def _run(self) -> None:
        while True:
            self.wake.wait(_RETRY_S if self._behind_since is not None else _LOOK_S)
            self.wake.clear()
            is_last = self._stop.is_set()
            if self._behind_since is None:
                self._behind_since = time.monotonic()
            try:
                self._export()
                self._behind_since = None
            except Exception:  # noqa: BLE001  # tried again in a second, and `is_overdue` refuses if it goes on
                self._stop.wait(_RETRY_S)
            if is_last:
                return

    def _export(self, *, is_first: bool = False) -> None:
        """Take the newest checkpoint to every sink: it vouches for all before it."""
        with self._state.read() as connection:
            row = connection.execute(select(audit_checkpoint).order_by(audit_checkpoint.c.size.desc())).first()
        if row is None or (row.exported_us is not None and not is_first):
            return
        for sink in self._sinks:
            sink.put(row.size, row.note)
        with self._state.write() as connection:
            connection.execute(
                update(audit_checkpoint)
                .where(audit_checkpoint.c.size <= row.size, audit_checkpoint.c.exported_us.is_(None))
                .values(exported_us=now_us())
            )

    def _check_leads_to(self, note: str) -> None:
        try:
            exported = self._verifier.read(note)
        except NoteError:
            raise _rolled_back() from None
        with self._state.read() as connection:
            size = connection.execute(select(audit_head.c.size)).scalar() or 0
            known = connection.execute(
                select(audit_checkpoint.c.note).where(audit_checkpoint.c.size == exported.size)
            ).scalar()
        if size < exported.size or known is None:
            raise _rolled_back()
        try:
            is_same = self._verifier.read(known).root == exported.root
        except NoteError:
            is_same = False
        if not is_same:
            raise _rolled_back()


def _rolled_back() -> AuditUnavailableError:
    msg = (
        "the audit log does not lead to its exported checkpoint: it was rolled back, replaced or changed"
        " (to begin a new log on purpose, move the old checkpoints away)"
    )
    return AuditUnavailableError(msg, stage="log")
