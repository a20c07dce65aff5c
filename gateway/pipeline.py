"""The line: from a question and a session to a chart, in twelve stages. Read this file to know the system.

     1 scope      who asks: tables, columns, rows, limits       gateway.tenancy
     2 summarise  datasource -> Summary and value index         gateway.summary (kept per scope)
     3 mask       question -> text with typed placeholders      redaction
     4 build      Summary + masked question -> UnscannedPrompt  prompts
     5 scan       UnscannedPrompt -> ScannedPrompt, or refusal  redaction
     6 log        the intent is durable before anything leaves  gateway.audit
     7 plan       ScannedPrompt -> Reply                        gateway.llm
     8 read       Reply -> ChartSpec, checked                   gateway.chart
     9 compile    ChartSpec + Scope -> CompiledQuery            gateway.chart
    10 prove      CompiledQuery -> ScopedQuery, or refusal      gateway.chart
    11 run        ScopedQuery -> rows, read-only, bounded       gateway.sources
    12 render     rows + ChartSpec -> chart                     gateway.chart

Where data could leave: stage 7, and only what `scan` returned; the answer, to the asker alone; the audit log, where
text is sealed. Rows exist inside stages 2, 11 and 12. A stage that cannot finish raises, and the line ends there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.answer import Alternative, Answer, Asker, Explanation, explained
from gateway.attached import AttachedSource, Known
from gateway.chart.canonical import canonical
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.read import read_reply
from gateway.chart.render import WIDTH, render
from gateway.chart.sentence import describe
from gateway.chart.spec import Plan
from gateway.chart.support import support_note, without_support
from gateway.config import Settings
from gateway.context import Context, ContextSeal, as_past
from gateway.errors import (
    NotFoundError,
    ReplyInvalidError,
    RequestError,
    SpecInvalidError,
)
from gateway.planning import Planning
from gateway.question_budget import QuestionBudget
from gateway.record import Entry, Recorder
from gateway.refusals import mapped, repair_note, unanswerable
from gateway.results import age_notes
from gateway.sources.base import Cancel
from gateway.spelling import Stored, as_stored, suggestions
from gateway.summary.model import Summary
from gateway.summary.summarise import TableDone
from gateway.tenancy.scope import Scope
from gateway.trace import OnStep, Trace
from gateway.types import Reply, ResultTable
from prompts.build import RepairNote, build_prompt
from redaction.mask import MaskedQuestion, mask
from redaction.policy import Policy
from redaction.scan import ScannedPrompt, Scanner, scan
from redaction.segments import UnscannedPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What stages 4 to 8 made: the reading, the prompt that left, and the reply to it."""

    plan: Plan
    prompt: ScannedPrompt
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What a question is asked in: its datasource, its right, what is known, and the words of an earlier answer."""

    attached: AttachedSource
    scope: Scope
    known: Known
    past: Context | None = None


class Gateway:
    """The twelve stages over attached datasources.

    Args:
        sources: Datasources by name.
        scanner: The one scanner of the process; its verdicts are cached by content.
        policy: What is done with each kind of personal data in a question.
        planning: The model endpoint or the offline planner, with budgets and memory.
        recorder: Writes intents and outcomes to the audit log.
        seal: Seals the contexts that answers carry.
        settings: Bounds and template choice.
        clock: The time that relative dates are counted from; UTC.
    """

    def __init__(
        self,
        sources: Mapping[str, AttachedSource],
        *,
        scanner: Scanner,
        policy: Policy,
        planning: Planning,
        recorder: Recorder,
        seal: ContextSeal,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.sources = dict(sources)
        self.recorder = recorder
        self.planning = planning
        self._scanner = scanner
        self._policy = policy
        self._seal = seal
        self._settings = settings
        self._questions = QuestionBudget(per_hour=settings.limits.questions_per_hour, ledger=planning.accounts.ledger)
        self._clock = clock

    async def ask(
        self,
        question: str,
        asker: Asker,
        *,
        context: str | None = None,
        cancel: Cancel | None = None,
        on_step: OnStep = lambda _: None,
        width: int = WIDTH,
    ) -> Answer:
        """Answer a question with a chart.

        Args:
            question: The asker's words.
            asker: Who asks, from a verified session.
            context: The sealed context of an earlier answer, for a follow-up such as "now by region".
            cancel: Stops the database's work when the caller has left.
            on_step: Told how far the line is; of a model's reply its size, if it is streamed (setting ``llm.stream``).
            width: Of the drawing area, in pixels, 240 to 2000.

        Raises:
            GatewayError: One of its kinds; each is safe to return, and each is in the audit log.
        """
        trace = Trace(on_step)
        async with self.recorder.question(asker, question, trace) as entry:
            self._check(question)
            await self._questions.take(asker)
            setting = await self._setting(asker, context, trace)
            entry.known(setting.scope, setting.known)
            masked = await self._mask(question, setting, trace)
            entry.masked(masked)
            bindings = {**(setting.past.bindings if setting.past else {}), **masked.vault.bindings()}
            placeholders = {**(setting.past.placeholders if setting.past else {}), **masked.placeholders()}
            planned = await self._plan(masked, placeholders, setting, entry, trace)
            if not planned.plan.charts:
                raise unanswerable(planned.plan)
            entry.is_ambiguous = planned.plan.ambiguous
            read = [Context(spec=s, bindings=bindings, placeholders=placeholders) for s in planned.plan.charts]
            stored = Stored(tuple(read))
            if masked.looked_up:
                stored = await asyncio.to_thread(as_stored, read, masked.values, setting.attached, setting.scope)
            answer = await self._draw(stored.contexts[0], setting, entry, trace, cancel, width)
            return explained(
                replace(answer, notes=(*stored.notes, *answer.notes)),
                plan=planned.plan,
                prompt=planned.prompt,
                reply=planned.reply,
                masked=masked,
                alternatives=self._alternatives(stored.contexts[1:], setting),
                sends=entry.sends,
            )

    async def redraw(self, context: str, asker: Asker, *, cancel: Cancel | None = None, width: int = WIDTH) -> Answer:
        """Draw the chart of a sealed context: an alternative that the asker chose, or an earlier answer again."""
        trace = Trace()
        async with self.recorder.question(asker, "", trace) as entry:
            await self._questions.take(asker)
            setting = await self._setting(asker, context, trace)
            entry.known(setting.scope, setting.known)
            assert setting.past is not None  # noqa: S101  (a context was given, so it was opened or refused)
            with trace.stage("read") as stage:
                reply = Reply(text=Plan(charts=(setting.past.spec,)).model_dump_json(), model="chosen")
                plan = read_reply(reply, setting.known.summary, placeholders=setting.past.placeholders)
                stage.says = "the spec of the sealed context, checked anew"
            with trace.stage("log") as stage:
                await entry.intend()
                stage.says = "intent is durable"
            chosen = Context(
                spec=plan.charts[0], bindings=setting.past.bindings, placeholders=setting.past.placeholders
            )
            return await self._draw(chosen, setting, entry, trace, cancel, width)

    async def known(self, asker: Asker, *, progress: Callable[[TableDone], None] | None = None) -> Known:
        """Exactly what a model may know when this asker asks (stages 1 and 2)."""
        attached = self._attached(asker.source)
        scope = attached.scope(tenant=asker.tenant, user=asker.user, attributes=asker.attributes)
        return await asyncio.to_thread(attached.known, scope, progress=progress)

    async def summary(self, asker: Asker, *, progress: Callable[[TableDone], None] | None = None) -> Summary:
        """All that a model may know when this asker asks, to be shown (stages 1 and 2)."""
        attached = self._attached(asker.source)
        scope = attached.scope(tenant=asker.tenant, user=asker.user, attributes=asker.attributes)
        return await asyncio.to_thread(attached.summary, scope, progress=progress)

    async def warm(self, asker: Asker) -> None:
        """Do what the first question of a scope would have to wait for: its Summary, and the scan of its metadata."""
        known = await self.known(asker)

        def prepare() -> None:
            with mapped("mask"):
                masked = mask("number of rows", self._scanner, index=known.index, known_names=known.names)
            self._scan(self._build(known, masked.text), known)

        await asyncio.to_thread(prepare)

    # 1 scope, 2 summarise

    async def _setting(self, asker: Asker, context: str | None, trace: Trace) -> _Setting:
        with trace.stage("scope") as stage:
            attached = self._attached(asker.source)
            scope = attached.scope(tenant=asker.tenant, user=asker.user, attributes=asker.attributes)
            past = None
            if context is not None:
                past = as_past(self._seal.open(context, scope_fingerprint=scope.fingerprint()))
            stage.says = f"{len(scope.tables)} tables in scope"
        with trace.stage("summarise") as stage:
            progress = trace.counting("summarise", of=len(scope.tables))
            known = await asyncio.to_thread(attached.known, scope, progress=progress)
            columns = sum(len(table.columns) for table in known.summary.tables)
            age = f"values of {known.values_age_s():.0f} s ago"
            stage.says = f"{columns} columns, release {known.summary.release[:12]}, {age}"
        return _Setting(attached=attached, scope=scope, known=known, past=past)

    # 3 mask

    async def _mask(self, question: str, setting: _Setting, trace: Trace) -> MaskedQuestion:
        with trace.stage("mask") as stage, mapped("mask"):
            masked = await asyncio.to_thread(
                mask,
                question,
                self._scanner,
                index=setting.known.index,
                policy=self._policy,
                known_names=setting.known.names,
                taken=setting.past.placeholders if setting.past else (),
            )
            stage.says = f"{len(masked.entities)} personal, {len(masked.values)} row values stayed here"
            return masked

    # 4 build, 5 scan, 6 log, 7 plan, 8 read; again with closed error codes if the reply does not fit

    async def _plan(
        self,
        masked: MaskedQuestion,
        placeholders: Mapping[str, tuple[str, ...]],
        setting: _Setting,
        entry: Entry,
        trace: Trace,
    ) -> _Planned:
        known = setting.known
        previous = canonical(setting.past.spec) if setting.past else None
        rounds = self._settings.llm.repair_rounds if self.planning.planner.leaves else 0
        repair: tuple[RepairNote, ...] = ()
        while True:
            with trace.stage("build") as stage, mapped("build"):
                prompt = self._build(known, masked.text, repair=repair, previous=previous)
                stage.says = f"{prompt.tokens} tokens, {len(prompt.left_out)} names left out"
            with trace.stage("scan") as stage:
                scanned = await asyncio.to_thread(self._scan, prompt, known)
                stage.says = f"{len(prompt.dynamic_segments)} segments, nothing found"
            key = self.planning.key(scanned, setting.scope, known)
            # A repair round is never answered from memory: its reply was found wrong.
            kept = None if repair else self.planning.recall(key)
            with trace.stage("log") as stage:
                await entry.intend(scanned if kept is None else None, self.planning.planner)
                stage.says = "intent is durable"
            with trace.stage("plan") as stage:
                reply = kept or await self.planning.reply(
                    scanned,
                    tenant=setting.scope.tenant,
                    before_send=entry.before_send,
                    in_house=entry.in_house,
                    rescan=lambda prompt: self._scan(prompt, known),
                    on_progress=lambda told: trace.working("plan", done=told.tokens, attempt=told.attempt),
                )
                stage.says = f"{reply.model}, from memory: nothing left" if kept else reply.model
            entry.replied(reply)
            try:
                with trace.stage("read") as stage:
                    plan = read_reply(reply, known.summary, placeholders=placeholders)
                    stage.says = f"{len(plan.charts)} charts fit"
            except (ReplyInvalidError, SpecInvalidError) as problem:
                if len(repair) >= rounds:
                    raise
                repair = (*repair, repair_note(problem))
                continue
            if kept is None and not repair:
                self.planning.keep(key, reply)
            return _Planned(plan=plan, prompt=scanned, reply=reply)

    def _build(
        self, known: Known, question: str, *, repair: tuple[RepairNote, ...] = (), previous: str | None = None
    ) -> UnscannedPrompt:
        chosen = self._settings.prompt
        return build_prompt(
            known.facts,
            question,
            reply_schema=known.schema,
            template=chosen.template,
            version=chosen.version,
            budget_tokens=chosen.budget_tokens,
            encoding=chosen.encoding,
            repair=repair,
            previous=previous,
        )

    def _scan(self, prompt: UnscannedPrompt, known: Known) -> ScannedPrompt:
        with mapped("scan"):
            return scan(prompt, self._scanner, index=known.index, known_names=known.names, policy=self._policy)

    # 9 compile, 10 prove, 11 run, 12 render

    async def _draw(
        self, chosen: Context, setting: _Setting, entry: Entry, trace: Trace, cancel: Cancel | None, width: int
    ) -> Answer:
        spec, scope, catalog, summary = chosen.spec, setting.scope, setting.attached.catalog, setting.known.summary
        with trace.stage("compile") as stage:
            compiled = compile_spec(
                spec,
                catalog=catalog,
                scope=scope,
                summary=summary,
                bindings=chosen.bindings,
                now=self._clock(),
            )
            stage.says = f"{len(compiled.tables)} tables, {len(compiled.parameters)} bound values"
        with trace.stage("prove") as stage:
            scoped = prove(compiled, catalog=catalog, scope=scope)
            stage.says = "stays in scope"
        entry.proved(spec, compiled)
        with trace.stage("run") as stage:
            cancel = cancel or Cancel()
            try:
                result = await asyncio.to_thread(setting.attached.run, scoped, limits=scope.limits, cancel=cancel)
            except asyncio.CancelledError:
                cancel.cancel()
                raise
            result = without_support(result)
            stage.says = f"{len(result.rows)} rows" + (f", read {result.age_s:.0f} s ago" if result.age_s else "")
        with trace.stage("render") as stage:
            sentence = describe(spec, summary, bindings=chosen.bindings)
            chart = render(spec, result, summary=summary, sentence=sentence, width=width)
            stage.says = f"{spec.mark} chart"
        entry.answered(result)
        return Answer(
            audit_id=entry.audit_id,
            sentence=sentence,
            spec=spec,
            chart=chart,
            result=result,
            context=self._seal.seal(chosen, scope_fingerprint=scope.fingerprint()),
            notes=await self._notes(chosen, result, setting),
            explanation=Explanation(statement=compiled.statement, stages=tuple(trace.records)),
        )

    def _alternatives(self, readings: Sequence[Context], setting: _Setting) -> tuple[Alternative, ...]:
        fingerprint = setting.scope.fingerprint()
        return tuple(
            Alternative(
                sentence=describe(reading.spec, setting.known.summary, bindings=reading.bindings),
                spec=reading.spec,
                context=self._seal.seal(reading, scope_fingerprint=fingerprint),
            )
            for reading in readings
        )

    async def _notes(self, chosen: Context, result: ResultTable, setting: _Setting) -> tuple[str, ...]:
        notes = (*setting.attached.catalog.warnings, *support_note(setting.scope), *age_notes(result))
        if result.truncated:
            return (*notes, f"only the first {len(result.rows)} rows are shown")
        if not result.is_empty:
            return notes
        near = await asyncio.to_thread(suggestions, chosen, setting.attached, setting.scope)
        return (*notes, *(near or ("no rows match",)))

    def _attached(self, name: str) -> AttachedSource:
        found = self.sources.get(name)
        if found is None:
            msg = "no such datasource, or not for this session"
            raise NotFoundError(msg, stage="scope")
        return found

    def _check(self, question: str) -> None:
        if not question.strip():
            msg = "the question is empty"
            raise RequestError(msg, code="question_empty")
        longest = self._settings.limits.max_question_chars
        if len(question) > longest:
            msg = f"the question is longer than {longest} characters"
            raise RequestError(msg, code="question_too_long")
