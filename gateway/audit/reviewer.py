"""What a reviewer may do. Each act is an entry of the log itself, written before anything is shown.

Whoever reads what others asked is to be seen doing so: a list is one entry with its filter, an opened question is one
entry with its id. If the log cannot be written, nothing is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from gateway.audit.entry import Event
from gateway.audit.log import AuditLog
from gateway.audit.merkle import Levels, inclusion_proof
from gateway.audit.note import write_proof
from gateway.audit.numbers import Numbers, count
from gateway.audit.reader import Filter, Head, Line, Opened, Reader
from gateway.errors import NotFoundError
from gateway.store.schema import audit_checkpoint, audit_entry
from gateway.store.state import State


class Reviewer:
    """The review functions, in the name of one reviewer. Thread-safe; methods block.

    Args:
        state: Where the log is.
        log: The opened log, which records the reads.
        actor: Who reviews: the name of a key, or of the account at the command line.
    """

    def __init__(self, state: State, log: AuditLog, actor: str) -> None:
        self._state = state
        self._log = log
        self._actor = actor
        self._reader = Reader(state)

    def lines(self, which: Filter, *, limit: int = 50, before: int | None = None) -> list[Line]:
        """Lines, newest first; see `Reader.lines`."""
        self.record("audit.listed", filter=describe(which), limit=limit)
        return self._reader.lines(which, limit=limit, before=before)

    def actors(self, lines: list[Line]) -> dict[int, str]:
        """Who asked or acted, by index of the line; the list they are for was recorded."""
        return {line.seq: self._reader.actor(line) for line in lines}

    def tenants(self) -> list[str]:
        """Names of the tenants, for a filter's choices."""
        return self._reader.tenants()

    def open(self, entry_id: str, *, tenant: str = "") -> Opened:
        """One line with its content; see `Reader.open`.

        Args:
            entry_id: Which.
            tenant: Only if it is this tenant's.

        Raises:
            NotFoundError: There is none, or it is another tenant's.
        """
        found = self._reader.open(entry_id)
        if tenant and found.line.tenant != tenant:
            msg = "no entry has this id"
            raise NotFoundError(msg)
        self.record("audit.read", entry=found.line.id)
        return found

    def search(self, words: str, which: Filter, *, limit: int = 50) -> list[Line]:
        """Lines whose content holds the words; see `Reader.search`."""
        # Up to here: the entry of this very search holds the words too.
        size = self._reader.head().size
        self.record("audit.searched", words=words, filter=describe(which))
        return self._reader.search(words, which, limit=limit, before=size)

    def numbers(self, which: Filter) -> Numbers:
        """Sums over the lines of a filter."""
        self.record("audit.counted", filter=describe(which))
        return count(self._reader.stream(which))

    def head(self) -> Head:
        """State of the log."""
        return self._reader.head()

    def diff(self, first: str, second: str) -> list[str]:
        """The prompts of two entries as a unified diff, line by line.

        Raises:
            NotFoundError: One of them has no prompt, or its content was erased.
        """
        one, other = self.open(first), self.open(second)
        return list(
            difflib.unified_diff(
                _prompt_lines(one), _prompt_lines(other), one.line.id[:12], other.line.id[:12], lineterm=""
            )
        )

    def prove(self, entry_id: str) -> tuple[str, str]:
        """An offline proof that an entry is in the log: its canonical text, and a C2SP tlog-proof of it.

        Raises:
            NotFoundError: There is no such entry, or no checkpoint covers it yet.
        """
        opened = self._reader.open(entry_id)
        found = self.inclusion(opened.line.seq)
        if found is None:
            msg = "no checkpoint covers this entry yet: try again in ten seconds"
            raise NotFoundError(msg)
        self.record("audit.proved", entry=opened.line.id)
        return opened.body, write_proof(opened.line.seq, *found)

    def inclusion(self, seq: int) -> tuple[list[bytes], str] | None:
        """Hashes from an entry to the root of the first checkpoint that covers it, and that checkpoint; or None."""
        with self._state.read() as connection:
            row = connection.execute(
                select(audit_checkpoint.c.size, audit_checkpoint.c.note)
                .where(audit_checkpoint.c.size > seq)
                .order_by(audit_checkpoint.c.size)
                .limit(1)
            ).first()
            if row is None:
                return None
            query = select(audit_entry.c.leaf).where(audit_entry.c.seq < row.size).order_by(audit_entry.c.seq)
            leaves = [leaf for (leaf,) in connection.execute(query)]
        if len(leaves) != row.size:
            return [], row.note  # An entry before it is missing: no proof can be made, and none will hold.
        return inclusion_proof(seq, row.size, Levels(leaves).root), row.note

    def read(self, which: Filter) -> Iterator[Line]:
        """Every line, oldest first, for an export that was recorded by its caller."""
        return self._reader.stream(which)

    def newest(self, which: Filter, *, limit: int) -> Iterator[Line]:
        """At most `limit` lines, newest first, for the counts beside a list that was recorded."""
        return self._reader.newest(which, limit=limit)

    def record(self, event: str, *, tenant: str = "", **details: str | int) -> None:
        """Write down what the reviewer does.

        Raises:
            AuditUnavailableError: It cannot be written, so it may not be done.
        """
        self._log.record(Event(event=event, tenant=tenant, actor=self._actor, details=details))


def describe(which: Filter) -> str:
    """A filter in one line, for the entry that records its use."""
    default = asdict(Filter())
    said = [f"{name}={value}" for name, value in asdict(which).items() if value != default[name]]
    return " ".join(said) or "everything"


def prompt_text(content: dict[str, Any]) -> str:
    """What the model saw, byte for byte, message after message, with a line between them that names the role."""
    parts = []
    for message in content.get("messages", []):
        text = "".join(segment["text"] for segment in message["segments"])
        parts.append(f"[{message['role']}]\n{text}")
    return "\n".join(parts)


def _prompt_lines(opened: Opened) -> list[str]:
    if not opened.content or not opened.content.get("messages"):
        msg = "this entry has no prompt, or its content was erased"
        raise NotFoundError(msg)
    return prompt_text(opened.content).splitlines()
