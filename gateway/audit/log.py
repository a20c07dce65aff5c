"""Stage 6. The audit log: what is about to leave is written down, durably, before it leaves.

What is proved when `intent` returns: the entry is committed with an fsync (SQLite WAL with synchronous=FULL, or
PostgreSQL with synchronous_commit), has its place in the Merkle tree, and will be in a signed checkpoint within ten
seconds. Writing happens in a thread of its own: a caller that leaves or is cancelled does not stop it. What is not
proved: that entries after the last exported checkpoint survive a hostile administrator of this very host.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final

from nacl.signing import SigningKey
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.audit.entry import Draft, Event, Intent, Outcome, draft_event, draft_intent, draft_outcome
from gateway.audit.exporter import MAX_LAG_S, Exporter
from gateway.audit.note import Signer, Verifier
from gateway.audit.sinks import CheckpointSink
from gateway.audit.stream import Stream
from gateway.audit.writer import CHECKPOINT_EVERY, CHECKPOINT_S, Writer, unavailable
from gateway.errors import AuditUnavailableError, ConfigError
from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import audit_origin
from gateway.store.seal import Place, SealError, key_id_of
from gateway.store.state import State

__all__ = ["AuditLog", "Event", "Intent", "Outcome", "signer_of"]

DEADLINE_S: Final = 10.0
"""Longest wait for an entry to become durable (HashiCorp Vault's audit broker uses the same)."""


class AuditLog:
    """The log of one state database. Thread-safe; several processes may have the same one open.

    Attributes:
        verifier: The public key of the log, for reviewers.
    """

    def __init__(
        self,
        writer: Writer,
        exporter: Exporter,
        verifier: Verifier,
        *,
        deadline_s: float,
        streams: Sequence[Stream] = (),
    ) -> None:
        self.verifier = verifier
        self._streams = streams
        self._writer = writer
        self._exporter = exporter
        self._deadline_s = deadline_s

    @classmethod
    def open(
        cls,
        state: State,
        sinks: Sequence[CheckpointSink],
        *,
        origin: str = "",
        deadline_s: float = DEADLINE_S,
        max_lag_s: float = MAX_LAG_S,
        checkpoint_every: int = CHECKPOINT_EVERY,
        checkpoint_s: float = CHECKPOINT_S,
        streams: Sequence[Stream] = (),
    ) -> AuditLog:
        """Open the log, check it against the sinks, export a checkpoint, and start writing.

        Args:
            state: The opened state database.
            sinks: Where checkpoints go; at least one, and each must take the first.
            origin: Name of a log that is made now; chosen at random if empty, and kept for ever.
            deadline_s: Longest wait for an entry, in seconds.
            max_lag_s: Longest time a signed checkpoint may wait for its export, in seconds.
            checkpoint_every: Entries after which a checkpoint is signed.
            checkpoint_s: Seconds after which one is signed.
            streams: Streams of entries to a SIEM, started and stopped with the log.

        Raises:
            AuditUnavailableError: No sink, a sink or the database that cannot be written, or a log that was
                rolled back behind its exported checkpoint.
        """
        try:
            signer = signer_of(state, origin=origin)
            exporter = Exporter(state, sinks, signer.verifier, max_lag_s=max_lag_s)
            exporter.check_not_rolled_back()
            writer = Writer(
                state, signer, on_checkpoint=exporter.wake, checkpoint_every=checkpoint_every,
                checkpoint_s=checkpoint_s,
            )  # fmt: skip
            writer.start()
        except (SQLAlchemyError, SealError, KeyDestroyedError):
            raise unavailable() from None
        try:
            exporter.start()
        except (AuditUnavailableError, SQLAlchemyError) as error:
            writer.stop()
            raise (error if isinstance(error, AuditUnavailableError) else unavailable()) from None
        for stream in streams:
            stream.start()
        return cls(writer, exporter, signer.verifier, deadline_s=deadline_s, streams=streams)

    async def intent(self, intent: Intent) -> str:
        """Write down what is about to leave. Returns the entry's id once it is durable.

        Raises:
            AuditUnavailableError: It is not known to be durable, so nothing may leave.
        """
        done = self._submit_intent(intent)
        try:
            return await self._wait(done)
        except (asyncio.CancelledError, AuditUnavailableError):
            # The caller never learns the id, so nothing will leave. If the entry is written yet, it says so.
            done.add_done_callback(self._abandon)
            raise

    async def outcome(self, entry_id: str, outcome: Outcome) -> None:
        """Write down what came of an intent.

        Raises:
            AuditUnavailableError: It is not known to be durable, so the answer may not be given.
            RuntimeError: There is no such intent, or it has its outcome: the line was run in the wrong order.
        """
        await self._wait(self._submit(lambda: draft_outcome(entry_id, outcome)))

    async def event(self, event: Event) -> str:
        """Write down an act that is no question. Returns the entry's id once it is durable.

        Raises:
            AuditUnavailableError: It is not known to be durable, so the act may not be done.
        """
        return await self._wait(self._submit(lambda: draft_event(event)))

    def record(self, event: Event) -> str:
        """`event` for callers without an event loop; blocks."""
        try:
            return self._submit(lambda: draft_event(event)).result(self._deadline_s)
        except FutureTimeoutError:
            raise unavailable() from None

    @property
    def is_healthy(self) -> bool:
        """Whether a new intent would be taken, as far as the checkpoint sinks are concerned."""
        return not self._exporter.is_overdue

    def checkpoint(self) -> None:
        """Sign a checkpoint of everything written so far, and have it exported. Blocks for the signing."""
        try:
            self._writer.checkpoint()
        except SQLAlchemyError:
            raise unavailable() from None

    def close(self) -> None:
        """Write what waits, sign and export a last checkpoint, send what the SIEM has not got. Blocks."""
        self._writer.stop()
        self._exporter.stop()
        for stream in self._streams:
            stream.stop()

    def _submit_intent(self, intent: Intent) -> Future[str]:
        if self._exporter.is_overdue:
            msg = "the audit log's checkpoints cannot be exported"
            raise AuditUnavailableError(msg, stage="log")
        return self._submit(lambda: draft_intent(intent))

    def _abandon(self, done: Future[str]) -> None:
        if not done.cancelled() and done.exception() is None:
            self._submit(lambda: draft_outcome(done.result(), Outcome(decision="failed", code="not_sent", stage="log")))

    def _submit(self, make: Callable[[], Draft]) -> Future[str]:
        try:
            draft = make()
        except (ValueError, TypeError):
            # An entry that cannot be written in full is not written, and so nothing is sent.
            raise unavailable() from None
        return self._writer.submit(draft)

    async def _wait(self, done: Future[str]) -> str:
        waiting = asyncio.wrap_future(done)
        waiting.add_done_callback(_look_at)
        # `wait` does not cancel what it waits for: a caller that leaves does not stop the write.
        finished, _ = await asyncio.wait({waiting}, timeout=self._deadline_s)
        if not finished:
            # Not begun: it is never written. Begun: it may be written yet, which is an intent without an outcome.
            done.cancel()
            raise unavailable()
        return waiting.result()


def _look_at(waiting: asyncio.Future[str]) -> None:
    """Fetch the error of an entry whose caller has left, so that the loop does not report it as lost."""
    if not waiting.cancelled():
        waiting.exception()


def signer_of(state: State, *, origin: str = "") -> Signer:
    """The log's signing key, made on first use.

    Raises:
        ConfigError: The name for a new log is not one.
    """
    row = _read_origin(state)
    if row is None:
        try:
            signer = Signer(origin=origin or f"rowless.local/{secrets.token_hex(4)}", seed=secrets.token_bytes(32))
        except ValueError:
            msg = "the audit log's name must not have a space, a plus or a control character"
            raise ConfigError(msg) from None
        key = state.keys.live("", "audit-signing")
        try:
            with state.write() as connection:
                connection.execute(
                    insert(audit_origin).values(
                        id=1,
                        origin=signer.origin,
                        public_key=signer.verifier.public_key,
                        seed=key.seal(signer.seed, _seed_place(signer.origin)),
                    )
                )
        except IntegrityError:
            row = _read_origin(state)  # Another replica named the log a moment ago.
        else:
            return signer
    if row is None:
        raise unavailable()
    name, public_key, sealed = row
    seed = state.keys.by_id(key_id_of(sealed)).open(sealed, _seed_place(name))
    if bytes(SigningKey(seed).verify_key) != public_key:
        raise unavailable()
    return Signer(origin=name, seed=seed)


def _read_origin(state: State) -> tuple[str, bytes, bytes] | None:
    with state.read() as connection:
        row = connection.execute(select(audit_origin)).first()
    return None if row is None else (row.origin, row.public_key, row.seed)


def _seed_place(origin: str) -> Place:
    return Place(table="audit_origin", column="seed", row=origin)
