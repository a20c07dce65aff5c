"""The line's pen: writes each question's intents and its outcome to the audit log (stage 6).

An entry is opened before the first stage and closed whatever happens, so that a question that was refused, failed or
abandoned is in the log as surely as one that was answered. If the log cannot be written, the line stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, Protocol

from gateway.answer import Asker
from gateway.attached import Known
from gateway.audit.entry import Decision, Intent, MaskedSpan, Outcome, SegmentVerdict, StageNote
from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec
from gateway.errors import AmbiguousError, GatewayError, GuardFailedError, RefusedError, UnanswerableError
from gateway.llm.attempt import AttemptInfo
from gateway.llm.port import Planner
from gateway.tenancy.scope import Scope
from gateway.trace import Trace
from gateway.types import CompiledQuery, Reply, ResultTable
from redaction.mask import MaskedQuestion
from redaction.scan import ScannedPrompt

_HELD_BACK: Final = frozenset({"budget_spent", "ledger_unavailable"})
"""Refusals after a send was announced and before a byte of it left (`gateway.planning`)."""


class Log(Protocol):
    """What the pen needs of the audit log."""

    async def intent(self, intent: Intent) -> str:
        """Write what is about to leave; durable when it returns."""
        ...

    async def outcome(self, entry_id: str, outcome: Outcome) -> None:
        """Write what came of it; durable when it returns."""
        ...


class Recorder:
    """Opens an entry for each question.

    Args:
        log: The audit log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    @asynccontextmanager
    async def question(self, asker: Asker, question: str, trace: Trace) -> AsyncIterator[Entry]:
        """Record one question: its intents as they come, and its outcome at the end, however it ends.

        Raises:
            AuditUnavailableError: The log could not be written. Nothing more is sent or run.
        """
        entry = Entry(self._log, asker, question, trace)
        try:
            yield entry
        except asyncio.CancelledError:
            await entry.close("failed", code="caller_left")
            raise
        except GatewayError as error:
            error.stage = error.stage or trace.current
            await entry.close(_decision(error), code=error.code)
            raise
        except Exception:
            await entry.close("failed", code="internal")
            raise
        else:
            await entry.close("clarified" if entry.is_ambiguous else "answered")


class Entry:
    """One question's place in the log."""

    def __init__(self, log: Log, asker: Asker, question: str, trace: Trace) -> None:
        self._log = log
        self._trace = trace
        self._intent = Intent(
            tenant=str(asker.tenant),
            source=asker.source,
            question=question,
            user=asker.user,
            session=asker.session,
            traceparent=asker.traceparent,
            leaves=False,
        )
        self._outcome = Outcome(decision="failed")
        self._open: list[str] = []
        self._sent: set[str] = set()
        self.is_ambiguous = False

    @property
    def audit_id(self) -> str:
        """Id of the question's first entry; empty before it is written."""
        return self._intent.first

    @property
    def sends(self) -> int:
        """How often a prompt of this question was let go to a model outside the process."""
        return len(self._sent)

    def masked(self, masked: MaskedQuestion) -> None:
        """Note what was masked, so that a refusal after it says so too."""
        self._intent = replace(
            self._intent,
            masked_question=masked.text,
            masked=(
                *(
                    MaskedSpan(kind=e.entity_type.lower(), placeholder=e.placeholder, start=e.start, end=e.end)
                    for e in masked.entities
                ),
                *(MaskedSpan(kind="value", placeholder=v.placeholder, start=v.start, end=v.end) for v in masked.values),
            ),
        )

    def known(self, scope: Scope, known: Known) -> None:
        """Note under which right and which release the question is asked."""
        self._intent = replace(
            self._intent,
            summary_release=known.summary.release,
            scope_shape=scope.shape(),
            scope_fingerprint=scope.fingerprint(),
        )

    async def intend(self, prompt: ScannedPrompt | None = None, planner: Planner | None = None) -> None:
        """Write down what is about to leave or, without a prompt, what is about to be run."""
        if prompt is not None and planner is not None:
            self._intent = replace(
                self._intent,
                messages=prompt.messages,
                reply_schema=prompt.prompt.reply_schema,
                verdicts=tuple(
                    SegmentVerdict(kind=v.kind.value, sha256=v.sha256, verdict=v.verdict, cached=v.cached)
                    for v in prompt.report.segments
                ),
                scanner=f"{prompt.report.scanner}, {prompt.report.language}, {prompt.report.mode}",
                template=prompt.prompt.template,
                template_version=prompt.prompt.version,
                tokens=prompt.prompt.tokens,
                planner=planner.name,
                model=planner.model,
                leaves=planner.leaves,
            )
        await self.again()

    async def again(self) -> None:
        """Write one more intent: the next attempt of the same question."""
        if self._open:
            self._intent = replace(self._intent, attempt=self._intent.attempt + 1)
        entry_id = await self._log.intent(self._intent)
        self._open.append(entry_id)
        if not self._intent.first:
            self._intent = replace(self._intent, first=entry_id)

    async def before_send(self, attempt: AttemptInfo) -> None:
        """Write one more intent before a planner sends again, or another planner sends in its place.

        The first intent names the first of several planners; that one can be passed over without a send.
        """
        if self._open[-1] in self._sent or attempt.planner != self._intent.planner.partition(">")[0]:
            self._intent = replace(self._intent, planner=attempt.planner, model=attempt.model, leaves=True)
            await self.again()
        self._sent.add(self._open[-1])

    async def in_house(self, planner: str, model: str) -> None:
        """Write one more intent before a planner inside the process takes over: nothing leaves for its answer."""
        self._intent = replace(self._intent, planner=planner, model=model, leaves=False)
        await self.again()

    def replied(self, reply: Reply) -> None:
        """Note a planner's reply and what it cost."""
        cost = None if reply.cost_usd is None else reply.cost_usd + (self._outcome.cost_usd or 0.0)
        self._outcome = replace(
            self._outcome,
            reply=reply.text,
            tokens_in=self._outcome.tokens_in + reply.tokens_in,
            tokens_out=self._outcome.tokens_out + reply.tokens_out,
            cost_usd=cost,
        )

    def proved(self, spec: ChartSpec, compiled: CompiledQuery) -> None:
        """Note the spec and the shape of the statement that the checker let through."""
        self._outcome = replace(self._outcome, spec=canonical(spec), statement=compiled.statement, checker="proved")

    def answered(self, result: ResultTable) -> None:
        """Note the size of the answer, not the answer."""
        self._outcome = replace(self._outcome, rows=len(result.rows), bytes=result.bytes)

    async def close(self, decision: Decision, *, code: str = "") -> None:
        """Write the outcome of every intent of this question."""
        if not self._open:
            await self.again()
        checker = "refused" if decision == "refused" and self._trace.current == "prove" else self._outcome.checker
        outcome = replace(
            self._outcome,
            decision=decision,
            code=code,
            stage=self._trace.current if code else "",
            checker=checker,
            stages=tuple(StageNote(name=r.name, ms=r.ms, says=r.says) for r in self._trace.records),
        )
        if code in _HELD_BACK:
            self._sent.discard(self._open[-1])
        for earlier in self._open[:-1]:
            await self._log.outcome(earlier, Outcome(decision="failed", code="tried_again", left=earlier in self._sent))
        await self._log.outcome(self._open[-1], replace(outcome, left=self._open[-1] in self._sent))


def _decision(error: GatewayError) -> Decision:
    if isinstance(error, RefusedError | GuardFailedError):
        return "refused"
    if isinstance(error, AmbiguousError | UnanswerableError):
        return "clarified"
    return "failed"
