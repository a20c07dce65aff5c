"""Records a live model's replies to cases: as `serve` would ask it, each send in the audit log before it leaves.

A case whose recorded replies fit what would be sent is left alone, so that a recording that was stopped goes on where
it was. It stops before its budget is passed, and when the endpoint fails again and again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from gateway.answer import Asker
from gateway.errors import BudgetSpentError, ModelError, RefusedError, ScanUnfinishedError
from gateway.llm.attempt import AttemptInfo
from gateway.llm.modes import ReplyMode
from gateway.planning import Planning
from gateway.record import Entry, Recorder
from gateway.refusals import kinds_of, mapped
from gateway.regression.answers import Given, play
from gateway.regression.cassette import Cassette, Cassettes, ModelFacts, Recorded, Repair, Said, fits, is_intact
from gateway.regression.fixtures import Fixtures
from gateway.regression.prepare import Choice, Prepared, prepare
from gateway.regression.purse import Purse
from gateway.regression.rounds import note_of, repair_prompt
from gateway.regression.stored import found_in_reply
from gateway.trace import Trace
from gateway.types import Reply
from prompts.build import RepairNote
from prompts.regression.case import Case
from prompts.regression.fingerprint import request_hash, text_hash
from redaction.scan import ScannedPrompt, Scanner, scan
from redaction.segments import UnscannedPrompt

Wanted = Literal["needed", "missing", "stale", "all"]
"""Which cases are recorded: those without a fitting reply, only those never recorded, only stale ones, or every one."""
MAX_FAILURES = 5
"""So many calls in a row without an answer end a recording."""


@dataclass(slots=True, kw_only=True)
class Recording:
    """What came of a recording.

    Attributes:
        cases: Cases that have all their replies now, by this recording.
        kept: Cases that needed nothing, or were not asked for.
        replies: Replies that were written.
        refused: Cases that a guard stopped, with kinds: the prompt was not sent, or the reply not kept.
        failed: Cases that the endpoint did not answer, with the code.
        stopped: ``budget`` or ``endpoint`` if it ended early.
        left: Cases that were not come to.
    """

    cases: int = 0
    kept: int = 0
    replies: int = 0
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One reply, its time, and the send that got it."""

    reply: Reply
    took_ms: float
    last: AttemptInfo

    def told(self) -> dict[str, object]:
        """What is kept of it."""
        return {
            "text": self.reply.text,
            "tokens_in": self.reply.tokens_in,
            "tokens_out": self.reply.tokens_out,
            "cost_usd": self.reply.cost_usd,
            "latency_ms": self.took_ms,
            "day": datetime.now(UTC).date().isoformat(),
        }

    def repair(self) -> Repair:
        """What is kept of a reply to a repair round."""
        key = request_hash(json.loads(self.last.body))
        return Repair.model_validate(self.told() | {"request_sha256": key, "mode": ReplyMode(self.last.mode)})


@dataclass(slots=True, kw_only=True)
class Tape:
    """Records the replies of one model. One per event loop.

    Attributes:
        planning: The model's endpoint, with its accounts.
        recorder: The audit log's pen.
        store: Where replies go.
        facts: The model as it is asked.
        purse: What may be spent.
        samples: Replies that a case shall have.
    """

    planning: Planning
    recorder: Recorder
    fixtures: Fixtures
    scanner: Scanner
    choice: Choice
    store: Cassettes
    facts: ModelFacts
    purse: Purse
    samples: int = 1
    _result: Recording = field(default_factory=Recording)
    _failures: int = 0

    async def record(
        self,
        cases: Sequence[Case],
        *,
        wanted: Wanted = "needed",
        jobs: int = 4,
        progress: Callable[[Recording], None] = lambda _: None,
    ) -> Recording:
        """Record cases.

        Args:
            cases: The cases, in the order in which they are come to.
            wanted: Which of them.
            jobs: Calls at once.
            progress: Called after each case.

        Raises:
            AuditUnavailableError: The audit log cannot be written; nothing more is sent.
            ConfigError: A case names no fixture, or the folder cannot be written.
        """
        self.purse.check(self.facts)
        result = self._result = Recording()
        waiting = list(reversed(cases))

        async def work() -> None:
            while waiting and not result.stopped:
                await self._case(waiting.pop(), wanted)
                progress(result)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, jobs)):
                    group.create_task(work())
        except ExceptionGroup as several:
            # Each worker stops at the first; one of them says why.
            raise several.exceptions[0] from None
        result.left += len(waiting)
        return result

    async def _case(self, case: Case, wanted: Wanted) -> None:
        made = await asyncio.to_thread(prepare, case, self.fixtures, self.scanner, self.choice)
        if made.faulty or made.scanned is None or made.known is None:
            # A question that a guard refuses never gets to a model, so there is nothing to record.
            if made.privacy or made.faulty:
                self._result.refused[case.id] = tuple(made.privacy) or ("case",)
            else:
                self._result.kept += 1
            return
        kept = await asyncio.to_thread(self._fitting, made, made.scanned, wanted)
        if kept is None or len(kept) >= self.samples:
            self._result.kept += 1
            return
        replies = list(kept)
        while len(replies) < self.samples:
            if not await self._one(made, made.scanned, replies):
                return
        self._result.cases += 1

    def _fitting(self, made: Prepared, scanned: ScannedPrompt, wanted: Wanted) -> tuple[Recorded, ...] | None:
        """The replies that go on being good; None if the case is not asked for."""
        old = self.store.get(made.case.id)
        if wanted == "all" or old is None:
            return () if wanted != "stale" else None
        schema = scanned.prompt.reply_schema
        good: tuple[Recorded, ...] = ()
        if is_intact(old, self.store.schema(old.schema_sha256) or schema) and fits(
            old, self.facts, scanned.spoken, schema
        ):
            played = [play(made, old, one, schema, facts=self.facts, scanner=self.scanner) for one in old.replies]
            good = tuple(one for one, now in zip(old.replies, played, strict=True) if isinstance(now, Given))
        if len(good) == len(old.replies):
            return good if wanted != "stale" else None
        return good if wanted != "missing" else None

    async def _one(self, made: Prepared, scanned: ScannedPrompt, replies: list[Recorded]) -> bool:
        """One more reply with its repair rounds, written; False if there is none."""
        case, result = made.case, self._result
        if not self.purse.hold(self.facts, scanned.prompt.tokens):
            result.stopped = result.stopped or "budget"
            result.left += 1
            return False
        turns: list[_Turn] = []
        try:
            await self._talk(made, scanned, turns)
        except BudgetSpentError:
            result.stopped = "budget"
            result.left += 1
            return False
        except ModelError as error:
            result.failed[case.id] = error.code
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                result.stopped = "endpoint"
            return False
        except (RefusedError, ScanUnfinishedError) as error:
            result.refused[case.id] = kinds_of(error) or (error.code,)
            return False
        self._failures = 0
        text = "\n".join(turn.reply.text for turn in turns)
        found = await asyncio.to_thread(found_in_reply, text, made.known, self.scanner) if made.known else ()
        if found:
            result.refused[case.id] = found
            return False
        first, *later = turns
        replies.append(Recorded.model_validate(first.told() | {"repairs": tuple(turn.repair() for turn in later)}))
        await asyncio.to_thread(self._put, case, scanned, first.last, tuple(replies))
        result.replies += 1
        return True

    async def _talk(self, made: Prepared, scanned: ScannedPrompt, turns: list[_Turn]) -> None:
        """Ask, and tell the model what does not fit, as long as the settings allow. The purse holds the first turn."""
        case, known = made.case, made.known
        asker = Asker(source=case.fixture or "inline", tenant=case.tenant or "regression", user="rowless regress")
        trace = Trace()
        prompt, notes = scanned, tuple[RepairNote, ...]()
        async with self.recorder.question(asker, case.question, trace) as entry:
            if made.masked is not None:
                entry.masked(made.masked)
            if known is not None and made.scope is not None:
                entry.known(made.scope, known)
            while True:
                turns.append(await self._turn(made, prompt, entry, trace))
                note = note_of(made, turns[-1].reply) if len(notes) < self.facts.repair_rounds else None
                if note is None:
                    return
                notes = (*notes, note)
                prompt = await asyncio.to_thread(repair_prompt, made, notes, self.scanner)
                if not self.purse.hold(self.facts, prompt.prompt.tokens):
                    msg = "the budget of the recording does not allow a repair round"
                    raise BudgetSpentError(msg)

    async def _turn(self, made: Prepared, prompt: ScannedPrompt, entry: Entry, trace: Trace) -> _Turn:
        """One prompt and the reply to it."""
        sent: list[AttemptInfo] = []
        reply: Reply | None = None

        async def before_send(attempt: AttemptInfo) -> None:
            await entry.before_send(attempt)
            sent.append(attempt)

        started = time.perf_counter()
        try:
            await entry.intend(prompt, self.planning.planner)
            with trace.stage("plan") as stage:
                reply = await self.planning.reply(
                    prompt,
                    tenant=made.case.tenant or "regression",
                    before_send=before_send,
                    in_house=entry.in_house,
                    rescan=lambda again: self._rescan(made, again),
                )
                stage.says = f"{reply.model}, to be recorded"
        finally:
            self.purse.settle(self.facts, prompt.prompt.tokens, len(sent), reply)
        entry.replied(reply)
        return _Turn(reply=reply, took_ms=round((time.perf_counter() - started) * 1000, 1), last=sent[-1])

    def _rescan(self, made: Prepared, prompt: UnscannedPrompt) -> ScannedPrompt:
        known = made.known
        if known is None:
            msg = "a prompt of a case without facts cannot be scanned"
            raise ScanUnfinishedError(msg)
        with mapped("scan"):
            return scan(prompt, self.scanner, index=known.index, known_names=known.names)

    def _put(self, case: Case, scanned: ScannedPrompt, last: AttemptInfo, replies: tuple[Recorded, ...]) -> None:
        prompt = scanned.prompt
        self.store.put(
            self.facts,
            Cassette(
                case=case.id,
                template=f"{prompt.template} {prompt.version}",
                request_sha256=request_hash(json.loads(last.body)),
                mode=ReplyMode(last.mode),
                parameters=self.facts,
                schema_sha256=text_hash(prompt.reply_schema),
                messages=tuple(Said(role=role, text=text) for role, text in scanned.spoken),
                replies=replies,
            ),
            prompt.reply_schema,
        )
