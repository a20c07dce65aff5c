"""The ranking of proposals: one linear model over their features, for every question and every Summary.

What comes in: the grammar's charts and the openings of the table. What goes out: at most five different charts, the
likeliest first, and whether the first is not clearly the right one. The weights (`weights.py`) are fitted by
bench/fit_planner.py; how, and on what, is in docs/planner.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.llm.offline.evidence import Evidence
from gateway.llm.offline.features import Found, features
from gateway.llm.offline.proposal import Key, Proposal
from gateway.llm.offline.weights import WEIGHTS


@dataclass(frozen=True, slots=True)
class Ranked:
    """A proposal, its score in nats (only differences mean something), and its share of belief in [0, 1]."""

    score: float
    share: float
    proposal: Proposal


def merged(grammar: Iterable[Proposal], opened: Iterable[Proposal]) -> list[Proposal]:
    """All proposals, each once: an opening that the grammar reads as well is the grammar's chart."""
    found: dict[Key, Proposal] = {}
    for proposal in grammar:
        found.setdefault(proposal.key, proposal)
    for proposal in opened:
        found.setdefault(proposal.key, proposal)
    return list(found.values())


def score(found: Found) -> float:
    """The linear model."""
    return sum(WEIGHTS.get(name, 0.0) * value for name, value in found.items())


def rank(proposals: Sequence[Proposal], evidence: Evidence) -> list[Ranked]:
    """Proposals by score, the best first; equals stay in their order."""
    scored = [(score(features(proposal, evidence)), proposal) for proposal in proposals]
    best = max((one for one, _ in scored), default=0.0)
    whole = sum(math.exp(one - best) for one, _ in scored)
    ranked = [Ranked(one, math.exp(one - best) / whole, proposal) for one, proposal in scored]
    return sorted(ranked, key=lambda r: -r.score)
