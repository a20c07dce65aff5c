"""From a Summary and a masked question to a Plan: the pure core of the offline planner.

    text -> tokens, cues, times, mentions   question.py
         -> slots and wishes                frame.py, conditions.py
         -> readings, scored                options.py, search.py
         -> chart specs of the grammar      assemble.py, measures.py, effect.py
         -> what the question leaves open   evidence.py, openings.py
         -> all of them, ranked             features.py, weights.py, rank.py
         -> checked, at most five           here

Deterministic: the same Summary and question give the same Plan. No guess is hidden: a word that would have to be in
the data and is not there is named in `missing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec, Plan
from gateway.chart.validate import validate
from gateway.llm.offline.assemble import assemble
from gateway.llm.offline.evidence import Evidence, gather, is_told
from gateway.llm.offline.follow import is_follow_up, refine
from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import Lexicon, lexicon_of
from gateway.llm.offline.mentions import AMOUNTS
from gateway.llm.offline.openings import openings, write
from gateway.llm.offline.proposal import Proposal, proposal_of
from gateway.llm.offline.question import Question, read_question
from gateway.llm.offline.rank import Ranked, merged, rank
from gateway.llm.offline.search import Reading, search
from gateway.llm.offline.shorthand import written_out
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import lemma, word_set
from gateway.summary.model import Summary

MAX_CHARTS: Final = 5
CLOSE: Final = 0.62
"""A second reading with at least this share of the first one's score is offered as well."""
CRITICAL: Final = word_set("aggregate counted group series share change most top sort half")
"""Places where a word has to name something in the data, or there is no answer."""
SOFT: Final = word_set("counted")
"""The place where a word may be another name for the rows of the only table there is."""
SOFTER: Final = word_set("counted modifier half name group series")
"""The same, where the Summary tells nothing of that table but names: any word may be about any column."""

SURE: Final = 0.5
"""A first chart with less of the belief than this is not clearly the right one. On questions that were tuned on, the
demo's first charts have 0.8 and more, those of nvBench, which are ambiguous on purpose, 0.4 in the middle."""
UNLIKELY: Final = 6.0
"""A chart so far behind the first (in nats: one to four hundred) is not offered."""
TIED: Final = 0.93
"""A second reading this close makes the question ambiguous."""


def plan_question(summary: Summary, question: str, previous: ChartSpec | None = None) -> Plan:
    """Propose charts for a question.

    Args:
        summary: What may be known of the datasource.
        question: The asker's words after masking.
        previous: The spec a follow-up refines.

    Returns:
        Up to five ranked charts, or what is missing.
    """
    lexicon = lexicon_of(summary)
    read = read_question(written_out(question, lexicon), lexicon)
    frame = read_frame(read)
    if previous is not None and summary.table(previous.table) is not None and is_follow_up(read, frame):
        refined = [spec for spec in refine(previous, read, frame, lexicon) if not validate(spec, summary)]
        unknown = [word for word, role in frame.unknown if role in CRITICAL]
        if refined and not unknown:
            return Plan(charts=tuple(refined[:MAX_CHARTS]))
    missing = _missing(read, frame)
    if missing:
        return Plan(missing=tuple(missing))
    readings = search(frame, lexicon)
    found = propose(read, frame, readings)
    charts, first = _shown(found, frame, lexicon)
    if first is None:
        return Plan(missing=(_subject(read),))
    unused = _unused(readings[0], read) if readings and first.proposal.fit is not None else []
    loose = tuple(dict.fromkeys([word for word, _ in frame.unknown] + unused))[:MAX_CHARTS]
    open_ = (found.ambiguous or first.share < SURE) and len(charts) > 1
    return Plan(charts=tuple(charts), ambiguous=bool(loose) or frame.assumed or open_, missing=loose)


@dataclass(frozen=True, slots=True)
class Proposals:
    """All that a question may ask for, and what the ranking reads of the question.

    Attributes:
        ambiguous: The grammar itself has a second reading that fits as well, or filled a place by default.
    """

    charts: list[Proposal]
    evidence: Evidence
    ambiguous: bool


def propose(read: Question, frame: Frame, readings: list[Reading]) -> Proposals:
    """The grammar's charts and the openings of the table that the question is about."""
    evidence = gather(read, frame)
    grammar, ambiguous = _grammar(readings, frame, read.lexicon)
    return Proposals(merged(grammar, openings(evidence, frame)), evidence, ambiguous)


def _grammar(readings: list[Reading], frame: Frame, lexicon: Lexicon) -> tuple[list[Proposal], bool]:
    """Distinct charts of the readings, the best first, and whether the first is not clearly the right one."""
    found: dict[str, tuple[ChartSpec, float, bool]] = {}
    for reading in readings:
        if found and reading.score < CLOSE * readings[0].score:
            break
        chart = _chart(reading, frame, lexicon)
        if chart is not None:
            found.setdefault(canonical(chart), (chart, reading.score, False))
    scores = [one for _, one, _ in found.values()]
    ambiguous = len(scores) > 1 and scores[1] >= TIED * scores[0]
    # What the question leaves open is filled in the other ways that make sense, to choose from.
    for fill in range(1, MAX_CHARTS) if readings else ():
        other = _chart(readings[0], frame, lexicon, fill=fill if frame.marks else fill - 1)
        if other is not None and canonical(other) not in found:
            found[canonical(other)] = (other, readings[0].score, True)
            ambiguous = ambiguous or bool(frame.marks)
    best = max(scores, default=1.0)
    return [
        proposal_of(chart, fit=min(0.0, math.log(one / best)), filled=filled) for chart, one, filled in found.values()
    ], ambiguous


def _shown(found: Proposals, frame: Frame, lexicon: Lexicon) -> tuple[list[ChartSpec], Ranked | None]:
    """The charts that are offered, and the first of them as it was ranked."""
    charts: dict[str, ChartSpec] = {}
    first: Ranked | None = None
    for ranked in rank(found.charts, found.evidence):
        proposal = ranked.proposal
        if first is not None and ranked.score < first.score - UNLIKELY:
            break
        spec = proposal.spec or write(proposal, found.evidence, frame)
        if proposal.spec is None and validate(spec, lexicon.summary):
            continue
        first = first or ranked
        charts.setdefault(canonical(spec), spec)
        if len(charts) == MAX_CHARTS:
            break
    return list(charts.values()), first


def _unused(reading: Reading, read: Question) -> list[str]:
    """Words whose place the reading leaves empty: nothing that is asked for is dropped silently."""
    roles = {"filter", "time_filter", "having", "child", "group", "series", "measure"}
    skipped = {o.slot.place for o in reading.options if o.use == "skip" and o.slot.role in roles}
    spans = [(m.tokens[0], m.tokens[-1]) for m in read.mentions if m.first in skipped]
    spans += [(place, place) for place in sorted(skipped) if not any(a <= place <= b for a, b in spans)]
    return [read.text[read.tokens[a].start : read.tokens[b].end][:60] for a, b in spans]


def _chart(reading: Reading, frame: Frame, lexicon: Lexicon, *, fill: int | None = None) -> ChartSpec | None:
    """The chart of a reading, if it can be compiled."""
    try:
        chart = assemble(reading, frame, lexicon, fill=fill)
    except ValidationError:
        return None
    if chart is None or validate(chart, lexicon.summary):
        return None
    return chart


def _missing(question: Question, frame: Frame) -> list[str]:
    """Words in a place where only something in the data makes sense, that name nothing there.

    Of a single table the rows go by many names ("number of shows" of a table of cartoons), so a word for them is no
    reason to refuse; it is named beside the charts. A word for an amount is: what is not there cannot be added up.
    """
    summary = question.lexicon.summary
    is_one_table = len(summary.tables) == 1
    soft = (SOFT if is_told(summary, summary.tables[0]) else SOFTER) if is_one_table else frozenset()
    asked = [(word, role) for word, role in frame.unknown if role not in soft or _is_amount(word)]
    critical = [word for word, role in asked if role in CRITICAL]
    if critical:
        return critical[:5]
    measured = frame.of("measure", "having", "per") or any(
        s.role == "free" and s.candidates[0].entry.kind in {"table", "metric"} for s in frame.slots
    )
    unmeasured = [word for word, role in asked if role in {"name", "half", "modifier"}]
    if unmeasured and not measured:
        return unmeasured[:5]
    if not frame.slots and not (is_one_table and (frame.times or frame.marks)):
        return [word for word, _ in frame.unknown][:5] or [_subject(question)]
    return []


def _is_amount(words: str) -> bool:
    """Words for an amount, and superlatives: ``windiest`` ranks by something that has to be there."""
    return any(lemma(word) in AMOUNTS or (word.endswith("est") and len(word) > 5) for word in words.split())


def _subject(question: Question) -> str:
    return question.text.strip()[:60] or "a question"
