"""Where the replies to a prepared case come from: a planner asked now, or a model's recorded replies."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import ConfigError, GatewayError
from gateway.llm.offline.planner import OfflinePlanner
from gateway.llm.port import Planner
from gateway.refusals import kinds_of
from gateway.regression.cassette import (
    Cassette,
    Cassettes,
    ModelFacts,
    Recorded,
    Repair,
    fits,
    is_intact,
    request_key,
    staleness,
)
from gateway.regression.prepare import Prepared, messages_text
from gateway.regression.rounds import note_of, repair_prompt
from gateway.regression.stored import found_in_prompt
from gateway.types import Reply
from prompts.build import RepairNote
from redaction.scan import ScannedPrompt, Scanner

OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The last reply of a model, with tokens, cost and time of its repair rounds too; or the code of why there is none.

    Attributes:
        latency_ms: Time in milliseconds.
        repairs: How many replies before it did not fit.
    """

    reply: Reply | None
    latency_ms: float = 0.0
    code: str = ""
    repairs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The replies to one case. `stale`: there is none to what would be sent now, and why. `privacy`: found in that."""

    given: tuple[Given, ...] = ()
    stale: str = ""
    privacy: tuple[str, ...] = ()


class Answers(Protocol):
    """A source of replies; thread-safe.

    Attributes:
        name: Endpoint and model, as written to results.
    """

    name: str

    def of(self, made: Prepared, scanned: ScannedPrompt) -> Answered:
        """The replies to what may leave."""
        ...


class AskedNow:
    """A planner that is asked now, once: the offline one."""

    def __init__(self, planner: Planner | None = None) -> None:
        self._planner = planner or OfflinePlanner()
        self.name = f"{self._planner.name}/{self._planner.model}"

    def of(self, made: Prepared, scanned: ScannedPrompt) -> Answered:  # noqa: ARG002 - of the protocol
        """Ask it."""
        started = time.perf_counter()
        try:
            reply = asyncio.run(self._planner.plan(scanned))
        except GatewayError as error:
            return Answered(given=(Given(reply=None, code=error.code),))
        return Answered(given=(Given(reply=reply, latency_ms=(time.perf_counter() - started) * 1000),))


class Replayed:
    """Recorded replies of a model; one is played back only if exactly what it was recorded under would be sent now.

    Args:
        folder: The folder of recorded replies.
        model: Name of the model.
        scanner: Reads the old prompt of a stale case before it is shown.
        samples: Most replies that are played back for a case; all if None.
        facts: The model as it would be asked now; as it was recorded if None.

    Raises:
        ConfigError: Nothing was recorded of the model.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        scanner: Scanner,
        *,
        samples: int | None = None,
        facts: ModelFacts | None = None,
    ) -> None:
        self._cassettes = Cassettes(folder, model)
        self._facts = facts or self._cassettes.facts()
        self._scanner = scanner
        self._samples = samples
        self.name = f"{self._facts.endpoint}/{self._facts.model}"

    def of(self, made: Prepared, scanned: ScannedPrompt) -> Answered:
        """The recorded replies, or how today's prompt differs from the recorded one."""
        try:
            kept = self._cassettes.get(made.case.id)
        except ConfigError as problem:
            return Answered(stale=str(problem))
        if kept is None:
            return Answered(stale="not recorded")
        schema = scanned.prompt.reply_schema
        old_schema = self._cassettes.schema(kept.schema_sha256)
        now = messages_text(scanned.prompt)
        if fits(kept, self._facts, scanned.spoken, schema) and is_intact(kept, old_schema or schema):
            some = kept.replies[: self._samples]
            played = [play(made, kept, one, schema, facts=self._facts, scanner=self._scanner) for one in some]
            broken = next((one for one in played if isinstance(one, Answered)), None)
            return broken or Answered(given=tuple(one for one in played if isinstance(one, Given)))
        privacy = () if made.known is None else found_in_prompt(kept.prompt, now, made.known, self._scanner)
        if privacy:
            # What a guard finds is shown nowhere; the file itself has to go.
            return Answered(stale="the recorded prompt holds what must not be kept", privacy=privacy)
        return Answered(stale=staleness(kept, self._facts, now, schema, old_schema))


def play(
    made: Prepared, kept: Cassette, first: Recorded, schema: str, *, facts: ModelFacts, scanner: Scanner
) -> Given | Answered:
    """A recorded reply, followed by those of its repair rounds as far as today's reader asks for them.

    Args:
        made: The prepared case.
        kept: The recording that the reply is of; it fits what would be sent.
        first: The reply.
        schema: The reply schema that would be sent.
        facts: The model as it would be asked now.
        scanner: Scans the prompts of repair rounds.

    Returns:
        The last reply; or why there is none to what would be sent in a repair round.
    """
    given = Given(reply=_reply(kept.parameters.model, first), latency_ms=first.latency_ms)
    notes: tuple[RepairNote, ...] = ()
    while len(notes) < facts.repair_rounds and given.reply is not None:
        note = note_of(made, given.reply)
        if note is None:
            break
        notes = (*notes, note)
        if len(notes) > len(first.repairs):
            return Answered(stale=f"the reply does not fit, and repair round {len(notes)} was not recorded")
        try:
            prompt = repair_prompt(made, notes, scanner)
        except GatewayError as error:
            return Answered(stale=f"a guard stops repair round {len(notes)}", privacy=kinds_of(error) or (error.code,))
        repair = first.repairs[len(notes) - 1]
        if repair.request_sha256 != request_key(facts, prompt.spoken, schema, repair.mode):
            return Answered(stale=f"what would be sent in repair round {len(notes)} is not what was recorded")
        given = Given(
            reply=_reply(kept.parameters.model, repair, after=given.reply),
            latency_ms=given.latency_ms + repair.latency_ms,
            repairs=len(notes),
        )
    return given


def _reply(model: str, said: Recorded | Repair, *, after: Reply | None = None) -> Reply:
    """A recorded reply, with tokens and cost of those before it."""
    cost = said.cost_usd
    if after is not None:
        cost = None if cost is None or after.cost_usd is None else cost + after.cost_usd
    return Reply(
        text=said.text,
        model=model,
        tokens_in=said.tokens_in + (after.tokens_in if after else 0),
        tokens_out=said.tokens_out + (after.tokens_out if after else 0),
        cost_usd=cost,
    )
