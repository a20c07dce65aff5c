"""What goes into the line and what comes out of it: the asker, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.chart.spec import ChartSpec, Plan
from gateway.trace import StageRecord
from gateway.types import Chart, Reply, ResultTable
from redaction.mask import MaskedQuestion
from redaction.scan import ScannedPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: what a verified session says. Never made from a question or a model's reply."""

    source: str
    tenant: str | int
    user: str = ""
    session: str = ""
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPart:
    """One part of the question that stayed here: its placeholder, what kind it is, and which columns it fits."""

    placeholder: str
    kind: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another reading of the question: its sentence, its spec, and the sealed context that draws it."""

    sentence: str
    spec: ChartSpec
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Every stage laid open. Safe to show to the asker: it holds the asker's own words and no one's rows.

    Attributes:
        masked_question: The question as the planner saw it.
        prompt: The messages exactly as they would leave, as (role, ((kind, text), …)).
        findings: What the scan decided on each segment.
        reply: The planner's reply.
        answered_by: Model of the planner that gave it, the offline planner's where that took over.
        sends: How often the prompt left the process for it; 0 where the reply was made or kept here.
        statement: The scoped statement with parameter names in place of values.
        stages: The stages in order, with times in milliseconds.
    """

    masked_question: str = ""
    prompt: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    findings: tuple[str, ...] = ()
    reply: str = ""
    answered_by: str = ""
    sends: int = 0
    statement: str = ""
    stages: tuple[StageRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A chart, in words, as a spec, as Vega-Lite and as rows, with the id of its audit entry."""

    audit_id: str
    sentence: str
    spec: ChartSpec
    chart: Chart
    result: ResultTable = field(repr=False)
    context: str = field(repr=False)
    notes: tuple[str, ...] = ()
    masked: tuple[MaskedPart, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    ambiguous: bool = False
    explanation: Explanation = field(default_factory=Explanation, repr=False)


def explained(
    answer: Answer,
    *,
    plan: Plan,
    prompt: ScannedPrompt,
    reply: Reply,
    masked: MaskedQuestion,
    alternatives: tuple[Alternative, ...],
    sends: int,
) -> Answer:
    """An answer with how its question was read: other readings, what was masked, what left, what came back."""
    left_out = prompt.prompt.left_out
    notes = [f"{len(left_out)} names did not fit the prompt"] if left_out else []
    if plan.missing:
        notes.append("not in this data, or not understood: " + ", ".join(plan.missing))
    if reply.fallback:
        notes.append(f"the configured model did not answer; {reply.model} did")
    return replace(
        answer,
        ambiguous=plan.ambiguous,
        alternatives=alternatives,
        masked=(
            *(MaskedPart(placeholder=e.placeholder, kind=e.entity_type) for e in masked.entities),
            *(MaskedPart(placeholder=v.placeholder, kind="value", columns=v.columns) for v in masked.values),
        ),
        notes=(*answer.notes, *notes),
        explanation=replace(
            answer.explanation,
            masked_question=masked.text,
            findings=tuple(
                f"{segment.kind.value}, {segment.chars} characters: {segment.verdict}"
                + (" (known from before)" if segment.cached else "")
                for segment in prompt.report.segments
            ),
            prompt=tuple(
                (message.role, tuple((segment.kind.value, segment.text) for segment in message.segments))
                for message in prompt.messages
            ),
            reply=reply.text,
            answered_by=reply.model,
            sends=sends,
        ),
    )
