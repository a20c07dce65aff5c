"""Features of a proposed chart against a question: how its columns are explained, and how it fits the grammar.

No feature is a word of a question or of a schema. What a column is, how many values it has, how it is explained, what
is measured, whether the grammar found the chart and what the Summary tells of the table: that is all.
"""

from __future__ import annotations

from typing import Final

from gateway.llm.offline.evidence import Evidence
from gateway.llm.offline.openings import EXPLAINED, LARGE
from gateway.llm.offline.proposal import Proposal

Found = dict[str, float]
FEW: Final = 10
"""Values that are told apart at a glance (Draco's limit of colours)."""
FARTHEST: Final = 3.0
"""A reading of the grammar that is this far behind the best one (in nats) is as good as none."""


def features(proposal: Proposal, evidence: Evidence) -> Found:
    """Named features with their values."""
    found: Found = {}
    shown = (*proposal.fields, proposal.column) if proposal.column else proposal.fields
    filtered = evidence.filtered_alone
    cue = "count" if evidence.counted else ("agg" if evidence.aggregates else "none")
    _mentions(found, shown, evidence)
    for ref in proposal.fields:
        _field(found, ref, proposal, evidence, filtered=ref in filtered)
    for ref in filtered:
        if ref not in shown:
            _add(found, "filtered:hidden")
    if proposal.column:
        _measured(found, proposal, evidence, filtered=proposal.column in filtered)
    _shape(found, proposal, evidence, cue)
    _grammar(found, proposal, evidence)
    if evidence.named_mark:
        told = "told" if evidence.told else "bare"
        _add(found, f"mark:other:{told}", float(proposal.mark not in evidence.marks))
    else:
        _mark(found, proposal, evidence, cue)
    return found


def _add(found: Found, name: str, value: float = 1.0) -> None:
    found[name] = found.get(name, 0.0) + value


def _family(proposal: Proposal) -> str:
    return "box" if proposal.mark == "boxplot" else proposal.mark


def _grammar(found: Found, proposal: Proposal, evidence: Evidence) -> None:
    """Whether the grammar reads the question so, and how much that says."""
    known = "told" if evidence.told else "bare"
    size = "large" if evidence.rows > 100 else "small"
    if proposal.fit is None:
        return
    behind = min(FARTHEST, -proposal.fit)
    for context in (known, size):
        _add(found, f"grammar:{context}")
        _add(found, f"grammar:behind:{context}", behind)
        if proposal.filled:
            _add(found, f"grammar:filled:{context}")
        elif behind == 0:
            _add(found, f"grammar:best:{context}")


def _mentions(found: Found, shown: tuple[str, ...], evidence: Evidence) -> None:
    """What the question names and the chart shows, or leaves out."""
    for named in evidence.mentions:
        best = max(named.columns.values(), default=0.0)
        if not best:
            continue
        covered = max((named.columns.get(ref, 0.0) for ref in shown), default=0.0)
        _add(found, f"left:{named.role}", best - covered)
        _add(found, f"cover:{named.role}", covered)
        second = sum(named.columns.get(ref, 0.0) > 0.3 for ref in shown) - 1
        if second > 0:
            _add(found, "twice", second)


def _field(found: Found, ref: str, proposal: Proposal, evidence: Evidence, *, filtered: bool) -> None:
    """A grouped column: what it is, and whether the question explains it."""
    explained = evidence.explained.get(ref, 0.0)
    family, sort, size = _family(proposal), evidence.sort(ref), evidence.size(ref)
    band = "few" if size <= FEW else ("some" if size <= LARGE else "many")
    _add(found, f"open:{sort}", 1.0 - explained)
    _add(found, f"open:{family}:{len(proposal.fields)}", 1.0 - explained)
    _add(found, f"field:{family}:{sort}")
    if sort == "key":
        _add(found, f"key:{band}")
    if explained < EXPLAINED:
        _add(found, f"open:{band}")
        _add(found, "open:unique", float(evidence.is_unique(ref)))
    if filtered:
        _add(found, "filtered:shown")


def _measured(found: Found, proposal: Proposal, evidence: Evidence, *, filtered: bool) -> None:
    """The measured column: whether an aggregate or a count is said of it."""
    _add(found, f"open:measure:{_family(proposal)}", 1.0 - evidence.explained.get(proposal.column, 0.0))
    if filtered:
        _add(found, "filtered:measured")
    for role, feature in (("aggregate", "measured:direct"), ("count", "measured:counted")):
        said = [n.columns.get(proposal.column, 0.0) for n in evidence.mentions if n.role.endswith(role)]
        _add(found, feature, max(said, default=0.0))


def _shape(found: Found, proposal: Proposal, evidence: Evidence, cue: str) -> None:
    """The kind of measure and the number of groups, against the cue of the question."""
    family = _family(proposal)
    _add(found, f"kind:{proposal.kind}:{cue}")
    _add(found, f"n:{family}:{len(proposal.fields)}:{cue}")
    if evidence.distribution:
        _add(found, f"distribution:{family}:{proposal.kind}")
    if any(evidence.is_unique(ref) for ref in proposal.fields):
        known = proposal.kind if proposal.kind in {"sum", "avg", "raw", "count"} else "other"
        _add(found, f"unique:{family}:{known}")
    if proposal.kind in evidence.aggregates:
        _add(found, "agg:matched")


def _mark(found: Found, proposal: Proposal, evidence: Evidence, cue: str) -> None:
    """The mark, where the question names none."""
    mark = proposal.mark
    _add(found, f"mark:{mark}")
    _add(found, f"mark:{mark}:{cue}")
    _add(found, f"mark:{mark}:{len(proposal.fields)}")
    for said, word in (
        (any(evidence.is_date(ref) for ref in proposal.fields), "date"),
        (evidence.trend, "trend"),
        (evidence.distribution, "distribution"),
        (evidence.which, "which"),
    ):
        if said:
            _add(found, f"mark:{mark}:{word}")
