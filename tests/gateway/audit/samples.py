"""Logs to test with: opened in a folder, and filled with questions, outcomes and events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.audit.entry import Event, Intent, MaskedSpan, Outcome, SegmentVerdict, StageNote
from gateway.audit.log import AuditLog
from gateway.audit.sinks import FileSink
from gateway.store.seal import MasterKey
from gateway.store.state import State
from redaction.segments import Message, Segment, SegmentKind

MASTER = MasterKey(b"m" * 32)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUESTION = "shipped orders for ada@lovelace.example by month"
SCHEMA_TEXT = "table orders ~52000 rows\nid int key\nordered_at datetime 2023-01..2025-12 daily\nfee number 2..12 ~5\n"


def open_state(folder: Path) -> State:
    """The state database in a folder."""
    return State.open(f"sqlite:///{folder / 'state.db'}", MASTER)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[State, AuditLog]]:
    """State and log in a folder, with a checkpoint file beside them."""
    state = open_state(folder)
    log = AuditLog.open(state, [FileSink(folder / "checkpoints")])
    try:
        yield state, log
    finally:
        log.close()
        state.close()


def question(number: int = 0, *, tenant: str = "", text: str = QUESTION) -> Intent:
    """An intent; tenants and users take turns by number."""
    at = text.find("ada@")
    spans = (MaskedSpan(kind="email", placeholder="email:1", start=at, end=at + 20),) if at >= 0 else ()
    return Intent(
        tenant=tenant or ("northwind", "lumen", "atlas")[number % 3],
        user=f"user-{number % 4}",
        session="s-1",
        source="shop",
        question=text,
        masked_question="shipped orders for ⟨email:1⟩ by month",
        messages=(
            Message(role="system", segments=(Segment(kind=SegmentKind.METADATA, text=SCHEMA_TEXT),)),
            Message(role="user", segments=(Segment(kind=SegmentKind.QUESTION, text="orders for ⟨email:1⟩"),)),
        ),
        reply_schema='{"type":"object"}',
        masked=spans,
        verdicts=(SegmentVerdict(kind="question", sha256="cd" * 32, verdict="clean"),),
        scanner="1",
        template="chart_spec",
        template_version=str(1 + number % 2),
        planner="offline",
        model=("offline", "other")[number % 2],
        summary_release="e3" * 32,
        scope_fingerprint="bb" * 32,
        traceparent=TRACE,
    )


def ended(number: int = 0) -> Outcome:
    """An outcome; every fifth is a refusal."""
    if number % 5 == 4:
        return Outcome(
            decision="refused", code="prompt_refused", stage="scan", stages=(StageNote(name="scan", ms=2.0),)
        )
    return Outcome(
        decision="answered",
        reply='{"charts":[]}',
        spec='{"mark":"bar"}',
        statement="SELECT 1",
        checker="proved",
        rows=3,
        bytes=90,
        tokens_in=100,
        tokens_out=10,
        cost_usd=0.25,
        stages=(StageNote(name="plan", ms=1.5, says="one chart"), StageNote(name="run", ms=8.5, says="3 rows")),
    )


async def fill(log: AuditLog, count: int) -> list[str]:
    """Write `count` questions with outcomes, and an event after every tenth. Returns the intents' ids."""
    ids = []
    for number in range(count):
        ids.append(await log.intent(question(number)))
        await log.outcome(ids[-1], ended(number))
        if number % 10 == 9:
            await log.event(Event(event="key.created", actor="root", details={"key": str(number)}))
    return ids


def filled(folder: Path, count: int) -> list[str]:
    """Make a closed log of `count` questions in a folder."""
    with opened(folder) as (_, log):
        return asyncio.run(fill(log, count))
