"""From a Summary and a masked question to a Plan: the pure core of the offline planner.

    text -> tokens, cues, times, mentions   question.py
         -> slots and wishes                frame.py, conditions.py
         -> readings, scored                options.py, search.py
         -> chart specs                     assemble.py, measures.py, effect.py
         -> checked, ranked, at most five   here

Deterministic: the same Summary and question give the same Plan. No guess is hidden: a word that would have to be in
the data and is not there is named in `missing`.
"""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec, Plan
from gateway.chart.validate import validate
from gateway.llm.offline.assemble import assemble
from gateway.llm.offline.follow import is_follow_up, refine
from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import Lexicon, lexicon_of
from gateway.llm.offline.question import Question, read_question
from gateway.llm.offline.search import Reading, search
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import word_set
from gateway.summary.model import Summary

MAX_CHARTS: Final = 5
CLOSE: Final = 0.62
"""A second reading with at least this share of the first one's score is offered as well."""
CRITICAL: Final = word_set("aggregate group series share change most top sort half")
"""Places where a word has to name something in the data, or there is no answer."""

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
    read = read_question(question, lexicon)
    frame = read_frame(read)
    if previous is not None and summary.table(previous.table) is not None and is_follow_up(read, frame):
        refined = [spec for spec in refine(previous, read, frame, lexicon) if not validate(spec, summary)]
        unknown = [word for word, role in frame.unknown if role in CRITICAL]
        if refined and not unknown:
            return Plan(charts=tuple(refined[:MAX_CHARTS]))
    missing = _missing(read, frame, is_one_table=len(summary.tables) == 1)
    if missing:
        return Plan(missing=tuple(missing))
    readings = search(frame, lexicon)
    charts, ambiguous = _ranked(readings, frame, lexicon)
    if not charts:
        return Plan(missing=(_subject(read),))
    loose = tuple(dict.fromkeys([word for word, _ in frame.unknown] + _unused(readings[0], read)))[:MAX_CHARTS]
    return Plan(charts=tuple(charts[:MAX_CHARTS]), ambiguous=ambiguous or bool(loose), missing=loose)


def _ranked(readings: list[Reading], frame: Frame, lexicon: Lexicon) -> tuple[list[ChartSpec], bool]:
    """Distinct charts of the readings, the best first, and whether the first is not clearly the right one."""
    found: dict[str, tuple[ChartSpec, float]] = {}
    for reading in readings:
        if found and reading.score < CLOSE * readings[0].score:
            break
        chart = _chart(reading, frame, lexicon)
        if chart is not None:
            found.setdefault(canonical(chart), (chart, reading.score))
    scores = [score for _, score in found.values()]
    ambiguous = len(scores) > 1 and scores[1] >= TIED * scores[0]
    # What the question leaves open is filled in the other ways that make sense, to choose from.
    for fill in range(1, MAX_CHARTS) if readings else ():
        other = _chart(readings[0], frame, lexicon, fill=fill if frame.marks else fill - 1)
        if other is not None and canonical(other) not in found:
            found[canonical(other)] = (other, 0.0)
            ambiguous = ambiguous or bool(frame.marks)
    return [chart for chart, _ in found.values()], ambiguous


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


def _missing(question: Question, frame: Frame, *, is_one_table: bool) -> list[str]:
    """Words in a place where only something in the data makes sense, that name nothing there."""
    critical = [word for word, role in frame.unknown if role in CRITICAL]
    if critical:
        return critical[:5]
    measured = frame.of("measure", "having", "per") or any(
        s.role == "free" and s.candidates[0].entry.kind in {"table", "metric"} for s in frame.slots
    )
    unmeasured = [word for word, role in frame.unknown if role in {"name", "half", "modifier"}]
    if unmeasured and not measured:
        return unmeasured[:5]
    if not frame.slots and not (frame.times and is_one_table):
        return [word for word, _ in frame.unknown][:5] or [_subject(question)]
    return []


def _subject(question: Question) -> str:
    return question.text.strip()[:60] or "a question"
