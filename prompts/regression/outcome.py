"""What a run found, case by case: the only thing that is kept, compared and reported. Holds no row of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.regression.case import CaseInvalid

Verdict = Literal["pass", "fail", "error", "stale"]
"""``error``: the case itself cannot be run. ``stale``: there is no recorded reply to what would be sent now."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Failed(_Closed):
    """One expectation that does not hold: the column it is reported in, and in words what was found."""

    column: str
    says: str


class CaseResult(_Closed):
    """One case, run once, or over several samples of a model's reply.

    Attributes:
        group: What it is counted with in reports.
        failed: What does not hold, of the first sample that fails.
        outcome: How the question ended; empty if it was not planned.
        question: The question after masking; empty where a guard found something.
        prompt: The messages as they would leave, for the diff; empty if the scan refused them.
        prompt_sha256: Hash of messages and reply schema.
        spec: The first chart in canonical form.
        tokens: Size of the messages.
        tokens_out: Size of the reply, as recorded; a mean over samples.
        cost_usd: Cost of one reply, as recorded; a mean over samples.
        latency_ms: Time of one reply, as recorded; a mean over samples.
        elapsed_ms: Time of the case in this run.
        privacy: Kinds of what a guard or the canary search found in the prompt; any is a failure.
        stale: How what would be sent differs from what was recorded, line by line.
        samples: How many replies were judged.
        samples_passed: How many of them hold what is expected.
        readings: How many different first charts they gave.
        repairs: Repair rounds of a reply; a mean over samples.
    """

    id: str
    group: str = ""
    tags: tuple[str, ...] = ()
    verdict: Verdict
    failed: tuple[Failed, ...] = ()
    outcome: str = ""
    question: str = ""
    prompt: str = ""
    prompt_sha256: str = ""
    spec: str = ""
    tokens: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    latency_ms: float = 0.0
    elapsed_ms: float = 0.0
    privacy: tuple[str, ...] = ()
    stale: str = ""
    samples: int = 1
    samples_passed: int = 0
    readings: int = 1
    repairs: float = 0.0


class Run(_Closed):
    """All results of one run, and what they depend on.

    Attributes:
        label: Where it comes from, for example a git revision.
        reason: Why it was made the baseline.
        leaks_planted: Leaks that were planted in copies of the template.
        leaks_missed: Those that neither the scan nor the canary search saw; any fails the run.
    """

    version: Literal["1"] = "1"
    model: str
    template: str
    template_version: str
    label: str = ""
    reason: str = ""
    elapsed_s: float = 0.0
    leaks_planted: int = 0
    leaks_missed: tuple[str, ...] = ()
    results: tuple[CaseResult, ...]

    @property
    def by_id(self) -> dict[str, CaseResult]:
        """Results by id of the case."""
        return {result.id: result for result in self.results}

    def count(self, verdict: Verdict) -> int:
        """Cases with this verdict."""
        return sum(result.verdict == verdict for result in self.results)

    @property
    def findings(self) -> int:
        """Cases with a privacy finding."""
        return sum(bool(result.privacy) for result in self.results)

    @property
    def cost_usd(self) -> float | None:
        """Cost of one reply to each case; None if none is known."""
        known = [result.cost_usd for result in self.results if result.cost_usd is not None]
        return sum(known) if known else None

    @property
    def name(self) -> str:
        """Model and label, for a column of a table."""
        return f"{self.model} ({self.label})" if self.label else self.model

    def slim(self, reason: str = "") -> Run:
        """Without prompts and times: what is kept as a baseline, equal for equal runs."""
        bare = {"prompt": "", "question": "", "elapsed_ms": 0.0, "latency_ms": 0.0, "stale": ""}
        results = tuple(result.model_copy(update=bare) for result in self.results)
        return self.model_copy(update={"results": results, "elapsed_s": 0.0, "reason": reason})


class Suite(_Closed):
    """Runs of several models over the same cases."""

    version: Literal["1"] = "1"
    runs: tuple[Run, ...]


def write_runs(runs: tuple[Run, ...]) -> str:
    """The JSON of runs; of one run alone, that run."""
    kept = runs[0] if len(runs) == 1 else Suite(runs=runs)
    return kept.model_dump_json(indent=1) + "\n"


def read_runs(path: Path) -> tuple[Run, ...]:
    """Read what `write_runs` wrote.

    Raises:
        CaseInvalid: The file cannot be read or holds no run.
    """
    msg = f"{path.name}: not a run of the regression suite"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise CaseInvalid(msg) from None
    try:
        return (Run.model_validate_json(text),)
    except ValidationError:
        pass
    try:
        runs = Suite.model_validate_json(text).runs
    except ValidationError:
        raise CaseInvalid(msg) from None
    if not runs:
        raise CaseInvalid(msg)
    return runs


def read_run(path: Path) -> Run:
    """Read a run, the first if there are several.

    Raises:
        CaseInvalid: The file cannot be read or holds no run.
    """
    return read_runs(path)[0]
