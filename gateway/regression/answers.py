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
from gateway.regression.cassette import Cassettes, ModelFacts, fits, is_intact, staleness
from gateway.regression.prepare import Prepared, messages_text
from gateway.regression.stored import found_in_prompt
from gateway.types import Reply
from redaction.scan import ScannedPrompt, Scanner

OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One reply, and how long it took in milliseconds; or the code of why there is none."""

    reply: Reply | None
    latency_ms: float = 0.0
    code: str = ""


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
        spoken = [(message.role, message.text) for message in scanned.messages]
        schema = scanned.prompt.reply_schema
        old_schema = self._cassettes.schema(kept.schema_sha256)
        now = messages_text(scanned.prompt)
        if fits(kept, self._facts, spoken, schema) and is_intact(kept, old_schema or schema):
            return Answered(
                given=tuple(
                    Given(
                        reply=Reply(
                            text=one.text,
                            model=kept.parameters.model,
                            tokens_in=one.tokens_in,
                            tokens_out=one.tokens_out,
                            cost_usd=one.cost_usd,
                        ),
                        latency_ms=one.latency_ms,
                    )
                    for one in kept.replies[: self._samples]
                )
            )
        privacy = () if made.known is None else found_in_prompt(kept.prompt, now, made.known, self._scanner)
        if privacy:
            # What a guard finds is shown nowhere; the file itself has to go.
            return Answered(stale="the recorded prompt holds what must not be kept", privacy=privacy)
        return Answered(stale=staleness(kept, self._facts, now, schema, old_schema))
