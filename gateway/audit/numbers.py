"""Numbers over the log: how much was asked, refused, masked and spent, by day. The facts in clear suffice."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.audit.reader import Line
from gateway.store.clock import iso


@dataclass(slots=True, kw_only=True)
class Numbers:
    """Sums over lines. Times in milliseconds, cost in US dollars (None if no price was known)."""

    questions: int = 0
    attempts: int = 0
    events: int = 0
    by_day: dict[str, Counter[str]] = field(default_factory=dict)
    decisions: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    rows: int = 0
    ms: list[float] = field(default_factory=list)
    stage_ms: dict[str, list[float]] = field(default_factory=dict)

    @property
    def p50_ms(self) -> float:
        """Median time of an answered question."""
        return quantile(self.ms, 0.5)

    @property
    def p95_ms(self) -> float:
        """95th percentile of the time of an answered question."""
        return quantile(self.ms, 0.95)

    def as_dict(self) -> dict[str, object]:
        """Everything as plain JSON values."""
        return {
            "questions": self.questions,
            "attempts": self.attempts,
            "events": self.events,
            "decisions": dict(self.decisions),
            "codes": dict(self.codes),
            "masked": dict(self.masked),
            "models": dict(self.models),
            "templates": dict(self.templates),
            "acts": dict(self.acts),
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": self.cost_usd,
            "rows": self.rows,
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "stage_p50_ms": {name: quantile(ms, 0.5) for name, ms in self.stage_ms.items()},
            "by_day": {day: dict(counts) for day, counts in sorted(self.by_day.items())},
        }


def count(lines: Iterable[Line]) -> Numbers:
    """Sum over lines. A question that took several attempts counts once, as its last attempt ended."""
    sums = Numbers()
    for line in lines:
        if line.event != "question":
            sums.events += 1
            sums.acts[line.event if line.decision == "allowed" else f"{line.event} (refused)"] += 1
            continue
        sums.attempts += 1
        _spend(sums, line)
        if line.ended.get("code") == "tried_again":
            continue
        sums.questions += 1
        sums.by_day.setdefault(iso(line.at_us)[:10], Counter())[line.decision] += 1
        sums.decisions[line.decision] += 1
        if line.ended.get("code"):
            sums.codes[line.ended["code"]] += 1
        for kind, number in line.facts.get("masked", {}).items():
            sums.masked[kind] += number
        if line.decision == "answered":
            sums.ms.append(line.ms)
            for name, ms in line.ended.get("ms", {}).items():
                sums.stage_ms.setdefault(name, []).append(ms)
    return sums


def _spend(sums: Numbers, line: Line) -> None:
    if line.model:
        sums.models[line.model] += 1
    if line.template:
        sums.templates[line.template] += 1
    sums.tokens_in += line.ended.get("tokens_in", 0)
    sums.tokens_out += line.ended.get("tokens_out", 0)
    sums.rows += line.ended.get("rows", 0)
    if line.ended.get("cost_usd") is not None:
        sums.cost_usd = (sums.cost_usd or 0.0) + line.ended["cost_usd"]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
