"""A run against another: which cases became better, worse, longer, dearer or stale."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass

from prompts.regression.outcome import CaseResult, Run
from prompts.regression.statistics import Paired

DIFF_LINES = 400
"""Most lines of one diff that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Which cases differ from the baseline, by id.

    Attributes:
        changed: Another prompt or spec, with the same verdict.
        added: Not in the baseline; worse too if they do not pass.
        stale: Nothing recorded fits what would be sent now.
        tokens: Change of the prompts' tokens over the cases of both.
        tokens_before: Of the same cases in the baseline.
        cost_usd: Change of the cost over the cases whose cost both know; None if there is none.
        cost_before: Of the same cases in the baseline.
        paired: How the cases that were judged both times changed sides; None without a baseline.
    """

    baseline: str = ""
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    tokens: int = 0
    tokens_before: int = 0
    cost_usd: float | None = None
    cost_before: float = 0.0
    paired: Paired | None = None

    @property
    def p_value(self) -> float | None:
        """Of the paired test; None without a baseline."""
        return self.paired.p_value if self.paired else None

    @property
    def grown(self) -> float:
        """Share by which the prompts grew, for example 0.05."""
        return self.tokens / self.tokens_before if self.tokens_before else 0.0

    @property
    def dearer(self) -> float:
        """Share by which the cost grew."""
        return self.cost_usd / self.cost_before if self.cost_usd is not None and self.cost_before else 0.0


def compared(run: Run, baseline: Run | None) -> Compared:
    """Compare with a baseline, case by case. A case that it has not is `added`, and worse if it fails."""
    stale = tuple(n.id for n in run.results if n.verdict == "stale")
    if baseline is None:
        return Compared(stale=stale)
    old = baseline.by_id
    pairs = [(old[new.id], new) for new in run.results if new.id in old]
    judged = [(o, n) for o, n in pairs if "stale" not in (o.verdict, n.verdict)]
    better = tuple(n.id for o, n in judged if o.verdict != "pass" and n.verdict == "pass")
    lost = [n.id for o, n in judged if o.verdict == "pass" and n.verdict != "pass"]
    new_failures = [n.id for n in run.results if n.id not in old and n.verdict in ("fail", "error")]
    priced = [(o.cost_usd, n.cost_usd) for o, n in pairs if o.cost_usd is not None and n.cost_usd is not None]
    both = sum(o.verdict == n.verdict == "pass" for o, n in judged)
    return Compared(
        baseline=baseline.name,
        better=better,
        worse=(*lost, *new_failures),
        changed=tuple(n.id for o, n in judged if _same_side(o, n) and _differs(o, n)),
        added=tuple(n.id for n in run.results if n.id not in old),
        stale=stale,
        tokens=sum(n.tokens - o.tokens for o, n in pairs),
        tokens_before=sum(o.tokens for o, _ in pairs),
        cost_usd=sum(n - o for o, n in priced) if priced else None,
        cost_before=sum(o for o, _ in priced),
        paired=Paired(
            both=both, better=len(better), worse=len(lost), neither=len(judged) - both - len(better) - len(lost)
        ),
    )


def _same_side(old: CaseResult, new: CaseResult) -> bool:
    return (old.verdict == "pass") == (new.verdict == "pass")


def _differs(old: CaseResult, new: CaseResult) -> bool:
    return (old.prompt_sha256, old.spec) != (new.prompt_sha256, new.spec)


def differences(before: Run, after: Run, case: str = "") -> str:
    """A unified diff of prompt and of spec, case by case; only what a scan let through is in a run."""
    old, parts = before.by_id, []
    for new in after.results:
        if new.id in old and (not case or new.id == case):
            parts += [f"{new.id}: {what}\n{text}\n" for what, text in case_differences(old[new.id], new)]
    return "\n".join(parts) or "no prompt and no spec differs\n"


def case_differences(old: CaseResult, new: CaseResult) -> list[tuple[str, str]]:
    """What differs of one case, and how. A blessed baseline keeps no prompts; there is nothing to show of it then."""
    pairs = [("prompt", old.prompt, new.prompt), ("spec", _spread(old.spec), _spread(new.spec))]
    return [(what, unified(one, other)) for what, one, other in pairs if one and other and one != other]


def unified(one: str, other: str, *, before: str = "before", after: str = "after") -> str:
    """A unified diff with a line of context, cut after `DIFF_LINES`."""
    lines = list(difflib.unified_diff(one.splitlines(), other.splitlines(), before, after, lineterm="", n=1))
    if len(lines) > DIFF_LINES:
        lines = [*lines[:DIFF_LINES], f"… {len(lines) - DIFF_LINES} more lines"]
    return "\n".join(lines)


def _spread(spec: str) -> str:
    return json.dumps(json.loads(spec), indent=1, ensure_ascii=False) if spec else ""
