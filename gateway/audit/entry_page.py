"""What the page of one entry shows: the line of twelve stages, the question with its masked spans, and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.audit.merkle import ProofError, check_inclusion, leaf_hash
from gateway.audit.note import NoteError
from gateway.audit.printing import marked_question
from gateway.audit.reader import Opened
from gateway.audit.reviewer import Reviewer
from gateway.audit.rules import statistics_in
from gateway.trace import STAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One stage of the line as it is shown. `state` is ``done``, ``stopped`` or ``absent``; `ms` None if not run."""

    name: str
    ms: float | None
    says: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether the entry is proved to be in the log, in words, with the checkpoint that covers it."""

    ok: bool
    says: str
    note: str


def entry_values(opened: Opened, reviewer: Reviewer) -> dict[str, Any]:
    """Everything the template of an entry names."""
    content = opened.content
    is_question = opened.line.event == "question" and content is not None
    segments = [s for m in content["messages"] for s in m["segments"]] if is_question and content else []
    return {
        "line": opened.line,
        "actor": reviewer.actors([opened.line])[opened.line.seq],
        "content": content,
        "outcome": opened.outcome,
        "question": marked_question(content) if is_question and content else [],
        "statistics": [
            s for segment in segments if segment["kind"] == "metadata" for s in statistics_in(segment["text"])
        ],
        "stages": stages_of(opened),
        "proof": proof_of(opened, reviewer),
    }


def stages_of(opened: Opened) -> list[StageView]:
    """The twelve stages, those that did not run included; a stage that ran twice shows its last word."""
    said: dict[str, str] = {}
    for stage in (opened.outcome or {}).get("stages", []):
        said[stage["name"]] = stage["says"]
    times = opened.line.ended.get("ms", {})
    stopped = opened.line.ended.get("stage", "")
    return [
        StageView(
            name=name,
            ms=times.get(name),
            says=said.get(name, "" if name in times else "did not run"),
            state="stopped" if name == stopped else "done" if name in times else "absent",
        )
        for name in STAGES
    ]


def proof_of(opened: Opened, reviewer: Reviewer) -> Proof:
    """Prove that the entry's text is in the tree of the first checkpoint that covers it."""
    line = opened.line
    found = reviewer.inclusion(line.seq)
    if found is None:
        return Proof(ok=True, says="Durable, and not yet in a checkpoint.", note="")
    hashes, note = found
    try:
        checkpoint = reviewer.head().verifier.read(note)
        check_inclusion(leaf_hash(opened.body.encode()), line.seq, checkpoint.size, hashes, checkpoint.root)
    except (NoteError, ProofError):
        return Proof(ok=False, says="This entry does not lead to the signed checkpoint: it was changed.", note=note)
    says = f"In the log: its text leads to the signed checkpoint of {checkpoint.size:,} entries."
    return Proof(ok=True, says=says, note=note)
