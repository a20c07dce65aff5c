"""What goes into the log: frozen values of allow-listed fields, and the draft of an entry made from them.

An entry has two parts. Its *facts* are readable by whoever holds the log: counts, codes, versions, keyed hashes.
Its *content* (questions, prompts, specs, names of persons) is sealed under a key of the tenant and month, so that
destroying the key erases it while every proof still holds: the entry carries only the hash of the sealed bytes.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import rfc8785

from redaction.segments import Message

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Decision = Literal["answered", "clarified", "refused", "failed"]
Kind = Literal["intent", "outcome", "event"]

_EVENT: Final = re.compile(r"[a-z_]{1,19}\.[a-z_]{1,20}")
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedSpan:
    """One masked span: kind (``email``, ``value``), placeholder, and place in characters of the question as typed."""

    kind: str
    placeholder: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentVerdict:
    """What the scan said of one segment of the prompt."""

    kind: str
    sha256: str
    verdict: str
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNote:
    """One stage of the line: milliseconds it took, and one safe sentence on what it decided."""

    name: str
    ms: float = 0.0
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to leave, written down before it does.

    Also written, without messages, for a question that was refused before there was a prompt.

    Attributes:
        tenant: Who pays; sealed, and a keyed hash in clear.
        user: The asking user's id at the product; sealed, and a keyed hash in clear.
        session: Id of the session, empty on the command line.
        source: Name of the datasource.
        question: The question as typed; sealed.
        masked_question: The question after masking; sealed.
        messages: The messages of the prompt with their segments, exactly as they leave; sealed.
        reply_schema: JSON Schema that is sent along; sealed.
        masked: The spans that were masked.
        verdicts: What the scan said, segment by segment.
        scanner: Version of the scanner.
        template: Name of the prompt template.
        template_version: Its version.
        planner: Name of the planner.
        model: Name of the model.
        leaves: Whether the prompt is to leave the process; whether it did is in the outcome.
        summary_release: Content hash of the Summary in the prompt.
        scope_shape: Hash of what is visible, names only.
        scope_fingerprint: Hash of the whole right; a keyed hash of it in clear.
        tokens: Size of the prompt in tokens.
        attempt: 1 for the first send of a question, 2 and up for repair rounds and retries.
        first: Entry id of the first attempt, if this is a later one.
        traceparent: The caller's W3C trace context header, if it sent one.
    """

    tenant: str
    source: str
    question: str = field(repr=False)
    user: str = ""
    session: str = ""
    masked_question: str = field(default="", repr=False)
    messages: tuple[Message, ...] = field(default=(), repr=False)
    reply_schema: str = field(default="", repr=False)
    masked: tuple[MaskedSpan, ...] = ()
    verdicts: tuple[SegmentVerdict, ...] = ()
    scanner: str = ""
    template: str = ""
    template_version: str = ""
    planner: str = ""
    model: str = ""
    leaves: bool = True
    summary_release: str = ""
    scope_shape: str = ""
    scope_fingerprint: str = ""
    tokens: int = 0
    attempt: int = 1
    first: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        decision: ``answered``, ``clarified`` (the asker was given a choice), ``refused`` by a guard, or ``failed``.
        code: The error's code, empty if answered.
        stage: Name of the stage that ended the line, if it ended early.
        reply: What the model answered; sealed.
        spec: Canonical JSON of the chart spec; sealed, and a keyed hash in clear.
        statement: Shape of the statement without literals and without parameters' values.
        checker: What the independent checker said: ``proved``, ``refused`` or empty.
        left: Whether the prompt was let go to the intent's model: false too for an intent that came to no send.
        rows: Rows of the answer.
        bytes: Bytes of the answer.
        tokens_in: Tokens the provider counted in.
        tokens_out: Tokens it counted out.
        cost_usd: Price, if known.
        stages: The stages of the line; names and times in clear, sentences sealed.
    """

    decision: Decision
    code: str = ""
    stage: str = ""
    reply: str = field(default="", repr=False)
    spec: str = field(default="", repr=False)
    statement: str = ""
    checker: str = ""
    left: bool = False
    rows: int = 0
    bytes: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    stages: tuple[StageNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An act that is no question: of an administrator, a failed authorisation, a reviewer's read.

    Attributes:
        event: ``thing.act``, for example ``key.created``, ``session.revoked``, ``auth.failed``, ``audit.read``.
        tenant: Whose tenant it concerns; empty for the gateway itself.
        actor: Who did it; sealed, and a keyed hash in clear.
        decision: ``allowed`` or ``refused``.
        code: The error's code, if refused.
        details: Names and numbers of what was done; sealed.
        keys: Ids of data keys that were destroyed, in clear: a verifier holds erasures against them.
        traceparent: The caller's W3C trace context header, if it sent one.
    """

    event: str
    tenant: str = ""
    actor: str = ""
    decision: Literal["allowed", "refused"] = "allowed"
    code: str = ""
    details: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)
    keys: tuple[str, ...] = ()
    traceparent: str = ""

    def __post_init__(self) -> None:
        if not _EVENT.fullmatch(self.event):
            msg = "an event is called thing.act in small letters"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry before it has a place in the log.

    Attributes:
        id: 32 hex digits, random.
        hashed: Facts that go in as keyed hashes: name of the fact to the text behind it.
        content: What will be sealed, as JSON.

    Raises:
        ValueError: It cannot be written: a text that is no Unicode, a number that JSON cannot hold. Noticed here, in
            the caller's thread, as within a batch it would take the entries of others with it.
    """

    id: str
    kind: Kind
    event: str
    tenant: str = field(default="", repr=False)
    actor: str = field(default="", repr=False)
    intent_id: str | None = None
    decision: str = ""
    template: str = ""
    model: str = ""
    kinds: tuple[str, ...] = ()
    trace_id: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    hashed: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"{}", repr=False)

    def __post_init__(self) -> None:
        rfc8785.dumps(dict(self.facts))
        for text in (self.tenant, self.actor, self.template, self.model, *self.kinds, *self.hashed.values()):
            text.encode()


def trace_id_of(traceparent: str) -> str:
    """Trace id (32 hex digits) of a W3C Trace Context header, or empty if it is not one."""
    found = _TRACEPARENT.fullmatch(traceparent.strip()) if len(traceparent) < 200 else None
    return found.group(1) if found else ""


def prompt_bytes(messages: Sequence[Message], reply_schema: str) -> bytes:
    """The messages and the reply schema as canonical JSON (RFC 8785): the bytes whose hash the entry carries."""
    said: Json = [{"role": m.role, "content": m.text} for m in messages]
    # Texts under plain keys only, for which the standard library writes what RFC 8785 asks for, and much faster.
    return to_json({"messages": said, "reply_schema": reply_schema})


def to_json(value: Json) -> bytes:
    """Compact JSON with sorted keys. Canonical (RFC 8785) where the keys are ASCII and no number is a float.

    Raises:
        ValueError: A text is no Unicode, or a number is not finite.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def draft_intent(intent: Intent) -> Draft:
    """The draft of an intent."""
    kinds = Counter(span.kind for span in intent.masked)
    verdicts = Counter(v.verdict for v in intent.verdicts)
    prompt = prompt_bytes(intent.messages, intent.reply_schema) if intent.messages else b""
    return Draft(
        id=secrets.token_hex(16),
        kind="intent",
        event="question",
        tenant=intent.tenant,
        actor=intent.user,
        template=f"{intent.template}@{intent.template_version}" if intent.template else "",
        model=intent.model,
        kinds=tuple(sorted(kinds)),
        trace_id=trace_id_of(intent.traceparent),
        facts={
            "source": intent.source,
            "planner": intent.planner,
            "leaves": intent.leaves,
            "summary_release": intent.summary_release,
            "scope_shape": intent.scope_shape,
            "masked": dict(sorted(kinds.items())),
            "scan": dict(sorted(verdicts.items())),
            "scanner": intent.scanner,
            "prompt_bytes": len(prompt),
            "tokens": intent.tokens,
            "attempt": intent.attempt,
            "first": intent.first,
        },
        hashed={
            "prompt_h": prompt.decode(),
            "question_h": intent.question,
            "session_h": intent.session,
            "scope_h": intent.scope_fingerprint,
        },
        content=to_json({
            "user": intent.user,
            "session": intent.session,
            "question": intent.question,
            "masked_question": intent.masked_question,
            "messages": [
                {"role": m.role, "segments": [{"kind": s.kind.value, "text": s.text} for s in m.segments]}
                for m in intent.messages
            ],
            "reply_schema": intent.reply_schema,
            "masked": [
                {"kind": s.kind, "placeholder": s.placeholder, "start": s.start, "end": s.end} for s in intent.masked
            ],
            "verdicts": [
                {"kind": v.kind, "sha256": v.sha256, "verdict": v.verdict, "cached": v.cached}
                for v in intent.verdicts
            ],
            "scope_fingerprint": intent.scope_fingerprint,
        }),
    )  # fmt: skip


def draft_outcome(intent_id: str, outcome: Outcome) -> Draft:
    """The draft of an outcome. Tenant, actor, template and model are those of its intent."""
    times: dict[str, Json] = {}
    for stage in outcome.stages:
        before = times.get(stage.name, 0.0)
        times[stage.name] = round((before if isinstance(before, float) else 0.0) + finite(stage.ms), 3)
    return Draft(
        id=secrets.token_hex(16),
        kind="outcome",
        event="question",
        intent_id=intent_id,
        decision=outcome.decision,
        facts={
            "code": outcome.code,
            "stage": outcome.stage,
            "statement": outcome.statement,
            "checker": outcome.checker,
            "left": outcome.left,
            "rows": outcome.rows,
            "bytes": outcome.bytes,
            "tokens_in": outcome.tokens_in,
            "tokens_out": outcome.tokens_out,
            "cost_usd": None if outcome.cost_usd is None else finite(outcome.cost_usd),
            "ms": times,
        },
        hashed={"spec_h": outcome.spec},
        content=to_json(
            {
                "reply": outcome.reply,
                "spec": outcome.spec,
                "stages": [{"name": s.name, "ms": finite(s.ms), "says": s.says} for s in outcome.stages],
            }
        ),
    )


def draft_event(event: Event) -> Draft:
    """The draft of an event."""
    return Draft(
        id=secrets.token_hex(16),
        kind="event",
        event=event.event,
        tenant=event.tenant,
        actor=event.actor,
        decision=event.decision,
        trace_id=trace_id_of(event.traceparent),
        facts={"code": event.code, **({"keys": list(event.keys)} if event.keys else {})},
        content=to_json({"actor": event.actor, "details": dict(event.details)}),
    )


def finite(number: float) -> float:
    """The number, or 0 where it is none: JSON has no infinity."""
    return float(number) if math.isfinite(number) else 0.0
