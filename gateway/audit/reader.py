"""Reading the log: lists with filters, single entries with their content opened, and numbers over time.

A *line* is one question (an intent with its outcome, if it has one yet) or one event. Nothing here records that it
was read; `gateway.audit.reviewer` does, and it is what commands and pages use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from gateway.audit.note import Verifier
from gateway.audit.prepare import content_place
from gateway.audit.pseudonyms import Pseudonyms
from gateway.errors import NotFoundError
from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import audit_checkpoint, audit_content, audit_entry, audit_head, audit_origin
from gateway.store.seal import SealError
from gateway.store.state import State

MAX_PAGE: Final = 1_000
MIN_ID: Final = 6
"""Shortest beginning of an entry's id that may stand for it."""

_INTENT = audit_entry.alias("intent")
_OUTCOME = audit_entry.alias("outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines. Empty or None means any.

    Attributes:
        since_us: Not before this (microseconds since 1970).
        until_us: Before this.
        kind: Kind of entity that was masked, for example ``email``.
        template: ``name@version``, or a name for all its versions.
        what: Questions, events, or both.
        event: Name of an event, or its thing (``audit``).
    """

    tenant: str = ""
    user: str = ""
    since_us: int | None = None
    until_us: int | None = None
    decision: str = ""
    kind: str = ""
    template: str = ""
    model: str = ""
    what: Literal["all", "questions", "events"] = "all"
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One question or event. `tenant` is its name, or its pseudonym if it was erased.

    Attributes:
        seq: Index of its first entry in the log.
        outcome_seq: Index of its outcome, None if there is none.
        facts: Facts of its first entry.
        ended: Facts of its outcome.
    """

    seq: int
    id: str
    at_us: int
    event: str
    tenant: str
    tenant_h: str
    actor_h: str
    decision: str
    template: str
    model: str
    kinds: tuple[str, ...]
    trace_id: str
    outcome_seq: int | None
    facts: dict[str, Any]
    ended: dict[str, Any]

    @property
    def tenant_shown(self) -> str:
        """The tenant's name, or that it was erased."""
        return f"erased {self.tenant_h[:8]}" if self.tenant and self.tenant == self.tenant_h else self.tenant

    @property
    def code(self) -> str:
        """The error's code, or empty."""
        return str(self.ended.get("code") or self.facts.get("code") or "")

    @property
    def left(self) -> bool | None:
        """Whether a prompt left the process; None if it may have, as no outcome says."""
        if not self.facts.get("leaves"):
            return False
        said = self.ended.get("left")
        return said if isinstance(said, bool) else None

    @property
    def went(self) -> str:
        """`left`, in words."""
        return {True: "left the process", False: "stayed in the process", None: "may have left the process"}[self.left]

    @property
    def ms(self) -> float:
        """Milliseconds of all stages."""
        return round(float(sum(self.ended.get("ms", {}).values())), 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One line with its content. `content` and `outcome` are None where the content was erased."""

    line: Line
    content: dict[str, Any] | None = field(repr=False)
    outcome: dict[str, Any] | None = field(repr=False)
    body: str
    outcome_body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """State of the log: entries, the newest checkpoint, and up to which entry checkpoints were exported."""

    size: int
    checkpoint: str
    exported_size: int
    verifier: Verifier


class Reader:
    """Reads one log. Thread-safe.

    Args:
        state: Where it is.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._names = Pseudonyms(state)

    def lines(self, which: Filter, *, limit: int = 50, before: int | None = None) -> list[Line]:
        """Lines, newest first.

        Args:
            which: The filter.
            limit: At most this many, up to 1,000.
            before: Only lines whose index is below this: the next page.
        """
        query = self._query(which).order_by(_INTENT.c.seq.desc()).limit(min(limit, MAX_PAGE))
        if before is not None:
            query = query.where(_INTENT.c.seq < before)
        with self._state.read() as connection:
            rows = connection.execute(query).all()
        return self._named(rows)

    def stream(self, which: Filter) -> Iterator[Line]:
        """Every line, oldest first."""
        after = -1
        while True:
            query = self._query(which).where(_INTENT.c.seq > after).order_by(_INTENT.c.seq).limit(MAX_PAGE)
            with self._state.read() as connection:
                rows = connection.execute(query).all()
            yield from self._named(rows)
            if len(rows) < MAX_PAGE:
                return
            after = rows[-1].seq

    def newest(self, which: Filter, *, limit: int) -> Iterator[Line]:
        """At most `limit` lines, newest first, however many there are."""
        before: int | None = None
        while limit > 0:
            page = self.lines(which, limit=min(limit, MAX_PAGE), before=before)
            yield from page
            limit = limit - len(page) if len(page) == MAX_PAGE else 0
            before = page[-1].seq if page else None

    def open(self, entry_id: str) -> Opened:
        """One line with its content.

        Args:
            entry_id: The id of an intent, outcome or event; its first six digits or more; or an index, as ``#12``.

        Raises:
            NotFoundError: There is none, or more than one.
        """
        row = self._find(entry_id)
        line = self._named([row])[0]
        with self._state.read() as connection:
            bodies = dict(
                connection.execute(
                    select(audit_entry.c.seq, audit_entry.c.body).where(
                        audit_entry.c.seq.in_([s for s in (line.seq, line.outcome_seq) if s is not None])
                    )
                ).all()
            )
        outcome_body = bodies.get(line.outcome_seq, "")
        return Opened(
            line=line,
            content=self.content(line.seq),
            outcome=None if line.outcome_seq is None else self.content(line.outcome_seq),
            body=bodies[line.seq],
            outcome_body=outcome_body,
        )

    def content(self, seq: int) -> dict[str, Any] | None:
        """The content of one entry, or None if it was erased.

        Raises:
            SealError: It is there and does not open: it was changed.
        """
        query = (
            select(audit_content.c.blob, audit_content.c.key_id, audit_entry.c.id, audit_entry.c.tenant_h)
            .join(audit_entry, audit_entry.c.seq == audit_content.c.seq)
            .where(audit_content.c.seq == seq)
        )
        with self._state.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        try:
            opened = self._state.keys.by_id(row.key_id).open(row.blob, content_place(row.tenant_h, row.id))
        except KeyDestroyedError:
            return None
        return dict(json.loads(opened))

    def search(self, words: str, which: Filter, *, limit: int = 50, before: int | None = None) -> list[Line]:
        """Lines whose content holds the words, newest first. Opens contents one by one: narrow the filter first."""
        needle = words.casefold()
        found: list[Line] = []
        while len(found) < limit:
            page = self.lines(which, limit=200, before=before)
            if not page:
                break
            for line in page:
                texts = [self._content_text(line.seq)]
                if line.outcome_seq is not None:
                    texts.append(self._content_text(line.outcome_seq))
                if any(needle in text.casefold() for text in texts) and len(found) < limit:
                    found.append(line)
            before = page[-1].seq
        return found

    def head(self) -> Head:
        """State of the log.

        Raises:
            NotFoundError: There is no log yet.
        """
        with self._state.read() as connection:
            size = connection.execute(select(audit_head.c.size)).scalar()
            origin = connection.execute(select(audit_origin)).first()
            newest = connection.execute(
                select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size.desc()).limit(1)
            ).scalar()
            exported = connection.execute(
                select(func.max(audit_checkpoint.c.size)).where(audit_checkpoint.c.exported_us.is_not(None))
            ).scalar()
        if size is None or origin is None:
            msg = "there is no audit log yet"
            raise NotFoundError(msg)
        verifier = Verifier(origin=origin.origin, public_key=origin.public_key)
        return Head(size=size, checkpoint=newest or "", exported_size=exported or 0, verifier=verifier)

    def actor(self, line: Line) -> str:
        """Name of who asked or acted, or the pseudonym if it was erased."""
        try:
            content = self.content(line.seq)
        except SealError:
            return line.actor_h[:8]
        if content is None:
            return line.actor_h[:8]
        return str(content.get("user") or content.get("actor") or "")

    def tenants(self) -> list[str]:
        """Names of the tenants in the log, pseudonyms of those that were erased."""
        return sorted(set(self._names.names().values()))

    def _named(self, rows: Sequence[Row[Any]]) -> list[Line]:
        names = self._names.names_of({row.tenant_h for row in rows})
        return [_line(row, names) for row in rows]

    def _content_text(self, seq: int) -> str:
        try:
            content = self.content(seq)
        except SealError:
            return ""
        return "" if content is None else "\n".join(_texts(content))

    def _find(self, entry_id: str) -> Row[Any]:
        if entry_id.startswith("#") and entry_id[1:].isdigit():
            one: ColumnElement[bool] = audit_entry.c.seq == int(entry_id[1:])
        elif len(entry_id) >= MIN_ID and entry_id.isalnum():
            one = audit_entry.c.id.startswith(entry_id, autoescape=True)
        else:
            msg = "an entry is called by at least six digits of its id, or by its index as #12"
            raise NotFoundError(msg)
        with self._state.read() as connection:
            found = connection.execute(select(audit_entry.c.id, audit_entry.c.intent_id).where(one).limit(2)).all()
            if len(found) != 1:
                msg = "no entry has this id" if not found else "more than one entry has an id that begins so"
                raise NotFoundError(msg)
            return connection.execute(_joined().where(_INTENT.c.id == (found[0].intent_id or found[0].id))).one()

    def _query(self, which: Filter) -> Select[Any]:
        query, entry = _joined().where(_INTENT.c.kind != "outcome"), _INTENT.c
        if which.tenant:
            query = query.where(entry.tenant_h == self._tenant_h(which.tenant))
        if which.user:
            query = query.where(entry.actor_h.in_(self._actors(which)))
        if which.since_us is not None:
            query = query.where(entry.at_us >= which.since_us)
        if which.until_us is not None:
            query = query.where(entry.at_us < which.until_us)
        if which.decision:
            query = query.where(_decision_is(which.decision))
        if which.kind:
            query = query.where(entry.kinds.contains(f",{which.kind},", autoescape=True))
        if which.template:
            versions = entry.template.startswith(which.template + "@", autoescape=True)
            query = query.where(or_(entry.template == which.template, versions))
        if which.model:
            query = query.where(entry.model == which.model)
        if which.what != "all":
            query = query.where((entry.kind == "intent") == (which.what == "questions"))
        if which.event:
            query = query.where(
                or_(entry.event == which.event, entry.event.startswith(which.event + ".", autoescape=True))
            )
        return query

    def _tenant_h(self, tenant: str) -> str:
        # A pseudonym is taken as it is, so that an erased tenant's lines can still be listed.
        return tenant if self._names.names_of([tenant]) else self._names.tenant(tenant)

    def _actors(self, which: Filter) -> list[str]:
        tenants = [self._tenant_h(which.tenant)] if which.tenant else ["", *self._names.names()]
        return [self._names.actor(tenant_h, which.user) for tenant_h in tenants]


def _joined() -> Select[Any]:
    return select(
        _INTENT.c.seq, _INTENT.c.id, _INTENT.c.at_us, _INTENT.c.kind, _INTENT.c.event, _INTENT.c.tenant_h,
        _INTENT.c.actor_h, _INTENT.c.decision, _INTENT.c.template, _INTENT.c.model, _INTENT.c.kinds, _INTENT.c.body,
        _OUTCOME.c.seq.label("outcome_seq"), _OUTCOME.c.decision.label("ended"), _OUTCOME.c.body.label("outcome_body"),
    ).select_from(_INTENT.outerjoin(_OUTCOME, _OUTCOME.c.intent_id == _INTENT.c.id))  # fmt: skip


def _decision_is(decision: str) -> ColumnElement[bool]:
    if decision == "unfinished":
        return and_(_INTENT.c.kind == "intent", _OUTCOME.c.seq.is_(None))
    return or_(_OUTCOME.c.decision == decision, and_(_INTENT.c.kind == "event", _INTENT.c.decision == decision))


def _line(row: Row[Any], names: dict[str, str]) -> Line:
    body = json.loads(row.body)
    is_event = row.kind == "event"
    return Line(
        seq=row.seq,
        id=row.id,
        at_us=row.at_us,
        event=row.event,
        tenant=names.get(row.tenant_h, row.tenant_h),
        tenant_h=row.tenant_h,
        actor_h=row.actor_h,
        decision=row.decision if is_event else row.ended or "unfinished",
        template=row.template,
        model=row.model,
        kinds=tuple(kind for kind in row.kinds.split(",") if kind),
        trace_id=body["trace_id"],
        outcome_seq=row.outcome_seq,
        facts=body["facts"],
        ended=json.loads(row.outcome_body)["facts"] if row.outcome_body else {},
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
