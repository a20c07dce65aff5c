"""From a draft to what can be put into the log: pseudonyms made, content sealed, only place and time missing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from gateway.audit.entry import Draft, Json
from gateway.audit.pseudonyms import CONTENT, Pseudonyms
from gateway.store.clock import iso, now_us
from gateway.store.seal import DataKey, Place
from gateway.store.state import State

MAX_TEMPLATE: Final = 80
MAX_MODEL: Final = 120
MAX_KINDS: Final = 400
"""Widths of the columns for filters, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What an outcome takes over from its intent."""

    tenant_h: str
    actor_h: str
    template: str
    model: str
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An entry without place and time. `columns` repeat parts of `body` for filters; `blob` is the sealed content."""

    id: str
    kind: str
    intent_id: str | None
    origin: Origin
    columns: dict[str, Json]
    body: dict[str, Json]
    key_id: str
    blob: bytes = field(repr=False)


def prepare(draft: Draft, state: State, names: Pseudonyms, of: Origin | None) -> Prepared:
    """Make pseudonyms and seal the content.

    Args:
        draft: The entry to be.
        state: Where the keys are.
        names: The keyed hashes.
        of: For an outcome, what it takes over from its intent.
    """
    if of is None:
        tenant_h = names.enter(draft.tenant)
        of = Origin(
            tenant_h=tenant_h,
            actor_h=names.actor(tenant_h, draft.actor),
            template=draft.template,
            model=draft.model,
            trace_id=draft.trace_id,
        )
    key, blob = seal_content(draft.content, state, of.tenant_h, draft.id)
    facts: dict[str, Json] = dict(draft.facts)
    for name, text in draft.hashed.items():
        facts[name] = names.hashed(of.tenant_h, name, text)
    columns: dict[str, Json] = {
        "id": draft.id,
        "kind": draft.kind,
        "event": draft.event,
        "intent_id": draft.intent_id,
        "tenant_h": of.tenant_h,
        "actor_h": of.actor_h,
        "decision": draft.decision,
        "template": of.template[:MAX_TEMPLATE],
        "model": of.model[:MAX_MODEL],
        "kinds": _kinds(draft.kinds),
    }
    body: dict[str, Json] = {
        "v": 1,
        **columns,
        "trace_id": of.trace_id,
        "content": {"key": key.id, "sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob)},
        "facts": facts,
    }
    return Prepared(
        id=draft.id, kind=draft.kind, intent_id=draft.intent_id, origin=of, columns=columns, body=body, key_id=key.id,
        blob=blob,
    )  # fmt: skip


def _kinds(kinds: tuple[str, ...]) -> str:
    """Kinds between commas, as many as the column holds, so that a filter finds whole names."""
    text = ","
    for kind in kinds:
        if len(text) + len(kind) < MAX_KINDS:
            text += f"{kind},"
    return text if len(text) > 1 else ""


def seal_content(content: bytes, state: State, tenant_h: str, entry_id: str) -> tuple[DataKey, bytes]:
    """Seal the content of an entry under the tenant's key of this month."""
    key = state.keys.live(tenant_h, CONTENT + iso(now_us())[:7])
    return key, key.seal(content, content_place(tenant_h, entry_id))


def content_place(tenant_h: str, entry_id: str) -> Place:
    """Where the content of an entry belongs."""
    return Place(tenant=tenant_h, table="audit_content", column="blob", row=entry_id)
