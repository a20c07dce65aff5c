"""The log as the pipeline uses it: intent before, outcome after, and nothing without a durable entry."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.audit.entry import Event, Intent, MaskedSpan, Outcome, StageNote, prompt_bytes, trace_id_of
from gateway.audit.log import AuditLog
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.sinks import FileSink, read_notes
from gateway.errors import AuditUnavailableError
from gateway.store.schema import audit_entry, audit_head
from gateway.store.seal import MasterKey
from gateway.store.state import State
from redaction.segments import Message, Segment, SegmentKind

pytestmark = pytest.mark.anyio

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARY = "ada@lovelace.example"


def opened(folder: Path) -> tuple[State, AuditLog]:
    state = State.open(f"sqlite:///{folder / 'state.db'}", MasterKey(b"m" * 32))
    return state, AuditLog.open(state, [FileSink(folder / "checkpoints")])


def intent(question: str = f"orders of {CANARY}") -> Intent:
    segment = Segment(kind=SegmentKind.QUESTION, text="orders of ⟨email:1⟩")
    return Intent(
        tenant="northwind",
        user="mallory",
        source="shop",
        question=question,
        masked_question="orders of ⟨email:1⟩",
        messages=(Message(role="user", segments=(segment,)),),
        masked=(MaskedSpan(kind="email", placeholder="email:1", start=10, end=30),),
        template="chart_spec",
        template_version="1",
        model="offline",
        traceparent=TRACE,
    )


def answered() -> Outcome:
    return Outcome(
        decision="answered",
        spec='{"mark":"bar"}',
        rows=3,
        stages=(StageNote(name="plan", ms=1.25, says="one chart"), StageNote(name="plan", ms=1.0)),
    )


def rows_of(state: State) -> list[dict[str, object]]:
    with state.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(audit_entry).order_by(audit_entry.c.seq))]


async def test_intent_and_outcome_are_two_entries_of_one_tree(tmp_path: Path) -> None:
    """The head is the Merkle tree over exactly the stored canonical bodies."""
    state, log = opened(tmp_path)
    entry_id = await log.intent(intent())
    await log.outcome(entry_id, answered())
    log.close()
    rows = rows_of(state)
    assert [row["kind"] for row in rows] == ["intent", "outcome"]
    frontier = Frontier()
    for row in rows:
        frontier.append(leaf_hash(str(row["body"]).encode()))
    with state.read() as connection:
        head = connection.execute(select(audit_head)).one()
    assert (head.size, head.frontier) == (2, frontier.to_bytes())
    last = log.verifier.read(read_notes(tmp_path / "checkpoints")[-1])
    assert (last.size, last.root) == (2, frontier.root())
    body = json.loads(str(rows[1]["body"]))
    assert body["facts"]["ms"] == {"plan": 2.25}
    assert body["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    state.close()


async def test_no_word_of_a_person_is_readable_in_the_database(tmp_path: Path) -> None:
    """Question, prompt, tenant and user are sealed or hashed with a key."""
    state, log = opened(tmp_path)
    await log.outcome(await log.intent(intent()), answered())
    log.close()
    state.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in (CANARY, "northwind", "mallory", "orders of", '"mark"'):
        assert word.encode() not in raw


async def test_outcome_without_intent_is_the_wrong_order(tmp_path: Path) -> None:
    """An outcome needs an intent, and an intent has one outcome, also within one batch."""
    state, log = opened(tmp_path)
    with pytest.raises(RuntimeError):
        await log.outcome("0" * 32, answered())
    entry_id = await log.intent(intent())
    ended = await asyncio.gather(*(log.outcome(entry_id, answered()) for _ in range(5)), return_exceptions=True)

    assert sum(e is None for e in ended) == 1
    log.close()
    assert len(rows_of(state)) == 2
    state.close()


async def test_outcome_finds_its_intent_after_a_restart(tmp_path: Path) -> None:
    """A gateway that was restarted between the two can still write the second."""
    state, log = opened(tmp_path)
    entry_id = await log.intent(intent())
    log.close()
    state.close()
    state, log = opened(tmp_path)
    await log.outcome(entry_id, answered())
    log.close()
    first, second = rows_of(state)
    assert (first["tenant_h"], first["actor_h"]) == (second["tenant_h"], second["actor_h"])
    state.close()


def test_log_does_not_open_without_a_sink(tmp_path: Path) -> None:
    """A log that nobody else holds a checkpoint of is no log."""
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"m" * 32))
    with pytest.raises(AuditUnavailableError):
        AuditLog.open(state, [])
    state.close()


async def test_cancelled_caller_does_not_stop_the_write(tmp_path: Path) -> None:
    """A client that leaves while the entry is being written cannot unwrite it."""
    state, log = opened(tmp_path)
    task = asyncio.create_task(log.intent(intent()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline = time.monotonic() + 5
    while len(rows_of(state)) < 2 and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    log.close()
    assert [row["kind"] for row in rows_of(state)] == ["intent", "outcome"]
    assert '"code":"not_sent"' in str(rows_of(state)[1]["body"])
    state.close()


async def test_nothing_is_taken_after_close(tmp_path: Path) -> None:
    """A closed log refuses."""
    state, log = opened(tmp_path)
    log.close()
    with pytest.raises(AuditUnavailableError):
        await log.intent(intent())
    log.close()
    state.close()


async def test_event_is_an_entry(tmp_path: Path) -> None:
    """Administrative acts are in the same tree; who did it is sealed."""
    state, log = opened(tmp_path)
    await log.event(Event(event="key.created", actor="root@example.org", details={"key": "abc"}))
    log.record(Event(event="auth.failed", decision="refused", code="unauthorized"))
    log.close()
    assert [row["event"] for row in rows_of(state)] == ["key.created", "auth.failed"]
    state.close()
    assert b"root@example.org" not in (tmp_path / "state.db").read_bytes()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (TRACE, "0af7651916cd43dd8448eb211c80319c"),
        ("", ""),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", ""),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ""),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", ""),
        ("x" * 300, ""),
    ],
)
def test_trace_id_is_read_from_a_sound_header_only(header: str, expected: str) -> None:
    """W3C Trace Context, version 00 and later; anything else is no trace."""
    assert trace_id_of(header) == expected


async def test_entry_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    """A text that is no Unicode is refused for its own caller; those beside it in a batch are written."""
    state, log = opened(tmp_path)
    broken = [intent("\ud800"), replace(intent(), tenant="\ud800"), replace(intent(), source="\ud800"),
              replace(intent(), tokens=2**60), replace(intent(), user="\udfff")]  # fmt: skip
    done = await asyncio.gather(*(log.intent(i) for i in (intent(), *broken, intent())), return_exceptions=True)
    log.close()
    assert [isinstance(d, AuditUnavailableError) for d in done] == [False, True, True, True, True, True, False]
    assert len(rows_of(state)) == 2
    state.close()


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=40))
def test_prompt_bytes_are_canonical_json(texts: list[str], schema: str) -> None:
    """Byte for byte what RFC 8785 asks for, by another implementation."""
    messages = [Message(role="user", segments=(Segment(kind=SegmentKind.QUESTION, text=t),)) for t in texts]
    said = [{"role": "user", "content": t} for t in texts]
    assert prompt_bytes(messages, schema) == rfc8785.dumps({"messages": said, "reply_schema": schema})
