"""What a run found, case by case: the only thing that is kept, compared and reported. Holds no row of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.regression.case import CaseInvalid

Verdict = Literal["pass", "fail", "error"]
"""``error``: the case itself cannot be run."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Failed(_Closed):
    """One expectation that does not hold: the column it is reported in, and in words what was found."""

    column: str
    says: str


class CaseResult(_Closed):
    """One case, run once.

    Attributes:
        outcome: How the question ended; empty if it was not planned.
        prompt: The messages as they would leave, for the diff; empty if the scan refused them.
        prompt_sha256: Hash of exactly what would be sent, the reply schema included.
        spec: The first chart in canonical form.
        privacy: Kinds of what a guard or the canary search found in the prompt; any is a failure.
    """

    id: str
    tags: tuple[str, ...] = ()
    verdict: Verdict
    failed: tuple[Failed, ...] = ()
    outcome: str = ""
    prompt: str = ""
    prompt_sha256: str = ""
    spec: str = ""
    tokens: int = 0
    cost_usd: float | None = None
    elapsed_ms: float = 0.0
    privacy: tuple[str, ...] = ()


class Run(_Closed):
    """All results of one run, and what they depend on."""

    version: Literal["1"] = "1"
    model: str
    template: str
    template_version: str
    label: str = ""
    elapsed_s: float = 0.0
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


def read_run(path: Path) -> Run:
    """Read a run that was written as JSON.

    Raises:
        CaseInvalid: The file cannot be read or is no run.
    """
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        msg = f"{path.name}: not a run of the regression suite"
        raise CaseInvalid(msg) from None
