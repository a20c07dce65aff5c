"""The writer: one thread that gives drafts their place in the log, many at a time, and answers once they are durable.

Replicas that share a PostgreSQL database, or processes that share an SQLite file, take turns by the lock on
`audit_head`: who holds it reads the size and the right edge of the tree, adds its entries, and commits all in one
transaction. A batch is whatever waited while the batch before it was being written (group commit).
"""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import rfc8785
from sqlalchemy import Connection, Row, func, insert, select, update

from gateway.audit.entry import Draft
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.note import Signer
from gateway.audit.prepare import Origin, Prepared, prepare
from gateway.audit.pseudonyms import Pseudonyms
from gateway.errors import AuditUnavailableError
from gateway.store.clock import iso, now_us
from gateway.store.schema import audit_checkpoint, audit_content, audit_entry, audit_head
from gateway.store.state import State

CHECKPOINT_EVERY: Final = 100
"""Entries after which a checkpoint is signed."""
CHECKPOINT_S: Final = 10.0
"""Seconds after which an entry is in a checkpoint at the latest: the window that only the host vouches for."""
MAX_BATCH: Final = 256
MAX_WAITING: Final = 2_000
"""Drafts that may wait; more are refused at once."""
LINGER_S: Final = 0.002
"""How long a busy writer waits for more to commit together; a lone caller never waits."""
_OPEN_INTENTS: Final = 10_000


class OrderError(RuntimeError):
    """An outcome without an intent, or a second outcome of one: the line was run in the wrong order."""

    def __init__(self) -> None:
        super().__init__("an outcome needs its intent before it, and an intent has one outcome")


def unavailable() -> AuditUnavailableError:
    """The error of an entry that is not known to be durable."""
    return AuditUnavailableError("the audit log cannot be written", stage="log")


@dataclass(frozen=True, slots=True)
class _Waiting:
    draft: Draft
    done: Future[str]


class Writer:
    """Appends drafts. Thread-safe; started by `start`, ended by `stop`.

    Args:
        state: Where the log is.
        signer: The log's key.
        on_checkpoint: Set whenever there is a new checkpoint to export.
        checkpoint_every: Entries after which a checkpoint is signed.
        checkpoint_s: Seconds after which an entry is in a checkpoint at the latest.
    """

    def __init__(
        self,
        state: State,
        signer: Signer,
        *,
        on_checkpoint: threading.Event,
        checkpoint_every: int = CHECKPOINT_EVERY,
        checkpoint_s: float = CHECKPOINT_S,
    ) -> None:
        self._state = state
        self._signer = signer
        self._names = Pseudonyms(state)
        self._on_checkpoint = on_checkpoint
        self._every = checkpoint_every
        self._after_s = checkpoint_s
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(MAX_WAITING)
        self._intents: OrderedDict[str, Origin] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._closing = threading.Lock()
        self._is_closed = False
        self._due: float | None = None
        self._is_busy = False

    def start(self) -> None:
        """Sign a checkpoint of what is there, and start the thread."""
        with self._state.write() as connection:
            if connection.execute(select(audit_head.c.id)).first() is None:
                connection.execute(insert(audit_head).values(id=1, size=0, frontier=b""))
        self.checkpoint()
        self._thread.start()

    def submit(self, draft: Draft) -> Future[str]:
        """Hand over a draft. The future ends with the entry's id once it is durable, or with AuditUnavailableError.

        A future that is cancelled before its turn is not written.
        """
        done: Future[str] = Future()
        with self._closing:
            if self._is_closed:
                done.set_exception(unavailable())
                return done
            try:
                self._queue.put_nowait(_Waiting(draft, done))
            except queue.Full:
                done.set_exception(unavailable())
        return done

    def stop(self) -> None:
        """Write what waits, sign a last checkpoint, and end the thread."""
        with self._closing:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._collect()
            if batch:
                self._append(batch)
            if is_last or (self._due is not None and time.monotonic() >= self._due):
                self._try_checkpoint()

    def _collect(self) -> tuple[list[_Waiting], bool]:
        """Take what waits; after a batch of several, wait a moment for the others that will come together again."""
        wait = None if self._due is None else max(0.0, self._due - time.monotonic())
        batch: list[_Waiting] = []
        is_last = False
        try:
            item = self._queue.get(timeout=wait)
            until = time.monotonic() + (LINGER_S if self._is_busy else 0.0)
            while item is not None:
                if item.done.set_running_or_notify_cancel():
                    batch.append(item)
                if len(batch) >= MAX_BATCH:
                    break
                left = until - time.monotonic()
                item = self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait()
            is_last = item is None
        except queue.Empty:
            pass
        self._is_busy = len(batch) > 1
        return batch, is_last

    def _append(self, batch: list[_Waiting]) -> None:
        try:
            refused = self._write(batch)
        except Exception:  # noqa: BLE001  # whatever went wrong, the entries are not known to be durable
            for waiting in batch:
                waiting.done.set_exception(unavailable())
            return
        for waiting in batch:
            if waiting.draft.id in refused:
                waiting.done.set_exception(OrderError())
            else:
                waiting.done.set_result(waiting.draft.id)

    def _write(self, batch: list[_Waiting]) -> set[str]:
        """Write a batch in one transaction. Returns the ids of outcomes that came in the wrong order."""
        drafts = [waiting.draft for waiting in batch]
        origins = self._origins(drafts)
        ready: list[Prepared] = []
        refused: set[str] = set()
        ended: set[str] = set()
        for draft in drafts:
            origin = None
            if draft.kind == "outcome":
                origin = origins.get(draft.intent_id or "")
                if origin is None or draft.intent_id in ended:
                    refused.add(draft.id)
                    continue
                ended.add(draft.intent_id or "")
            ready.append(prepare(draft, self._state, self._names, origin))
        with self._state.write() as connection:
            late = self._already_ended(connection, ended)
            refused.update(p.id for p in ready if p.intent_id in late)
            ready = [p for p in ready if p.intent_id not in late]
            is_signed = bool(ready) and self._insert(connection, ready)
        if is_signed:
            self._on_checkpoint.set()
        for entry in ready:
            if entry.kind == "intent":
                self._remember(entry.id, entry.origin)
            elif entry.intent_id:
                self._intents.pop(entry.intent_id, None)
        if ready and self._due is None:
            self._due = time.monotonic() + self._after_s
        return refused

    def _insert(self, connection: Connection, ready: list[Prepared]) -> bool:
        """Give each entry its place. Returns whether a checkpoint was signed too."""
        head = connection.execute(select(audit_head).with_for_update()).one()
        frontier = Frontier.from_bytes(head.size, head.frontier)
        at_us = now_us()
        rows, contents = [], []
        for entry in ready:
            seq = frontier.size
            body = rfc8785.dumps({**entry.body, "log": self._signer.origin, "seq": seq, "at": iso(at_us)})
            leaf = leaf_hash(body)
            frontier.append(leaf)
            place = {"seq": seq, "at_us": at_us, "body": body.decode(), "leaf": leaf}
            rows.append({**entry.columns, **place, "signature": self._signer.sign_entry(seq, leaf)})
            contents.append({"seq": seq, "key_id": entry.key_id, "blob": entry.blob})
        connection.execute(insert(audit_entry), rows)
        connection.execute(insert(audit_content), contents)
        connection.execute(update(audit_head).values(size=frontier.size, frontier=frontier.to_bytes()))
        is_due = frontier.size - self._last_signed(connection) >= self._every
        if is_due:
            self._sign(connection, frontier)
        return is_due

    def _try_checkpoint(self) -> None:
        try:
            self.checkpoint()
        except Exception:  # noqa: BLE001  # tried again in a second; export lag refuses intents if it goes on
            self._due = time.monotonic() + 1.0

    def checkpoint(self) -> None:
        """Sign a checkpoint of what is there, unless the newest one covers it."""
        with self._state.write() as connection:
            head = connection.execute(select(audit_head).with_for_update()).one()
            if head.size > self._last_signed(connection) or head.size == 0:
                self._sign(connection, Frontier.from_bytes(head.size, head.frontier))
        self._due = None
        # Only now is it there to be read: told within the transaction, the exporter would look too early.
        self._on_checkpoint.set()

    def _last_signed(self, connection: Connection) -> int:
        return int(connection.execute(select(func.max(audit_checkpoint.c.size))).scalar() or 0)

    def _sign(self, connection: Connection, frontier: Frontier) -> None:
        known = connection.execute(
            select(audit_checkpoint.c.note).where(audit_checkpoint.c.size == frontier.size)
        ).first()
        if known is None:
            note = self._signer.sign(frontier.size, frontier.root())
            connection.execute(insert(audit_checkpoint).values(size=frontier.size, at_us=now_us(), note=note))

    def _origins(self, drafts: list[Draft]) -> dict[str, Origin]:
        """What the outcomes of a batch take over from their intents: from memory, or from the log after a restart."""
        wanted = {draft.intent_id for draft in drafts if draft.intent_id}
        found = {intent_id: self._intents[intent_id] for intent_id in wanted if intent_id in self._intents}
        missing = wanted - found.keys()
        if missing:
            with self._state.read() as connection:
                rows = connection.execute(
                    select(audit_entry).where(audit_entry.c.id.in_(missing), audit_entry.c.kind == "intent")
                )
                found.update({row.id: _origin(row) for row in rows})
        return found

    def _already_ended(self, connection: Connection, intent_ids: set[str]) -> set[str]:
        if not intent_ids:
            return set()
        rows = connection.execute(select(audit_entry.c.intent_id).where(audit_entry.c.intent_id.in_(intent_ids)))
        return {row.intent_id for row in rows}

    def _remember(self, intent_id: str, origin: Origin) -> None:
        self._intents[intent_id] = origin
        while len(self._intents) > _OPEN_INTENTS:
            self._intents.popitem(last=False)


def _origin(row: Row[tuple[object, ...]]) -> Origin:
    import json

    return Origin(
        tenant_h=row.tenant_h,
        actor_h=row.actor_h,
        template=row.template,
        model=row.model,
        trace_id=json.loads(row.body)["trace_id"],
    )
