"""What the cues of a question wish for, before it is known of which columns."""

from __future__ import annotations

import re
from typing import Final, Literal, cast, get_args

from gateway.chart.spec import Aggregate, Grain, Mark, Part
from gateway.llm.offline.amounts import is_plain_year
from gateway.llm.offline.cues import Cue
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Frame

_LISTING: Final = re.compile(r"\s*(?:list|show (?:me )?(?:a |the )?list|give me (?:a |the )?list|names? of)\b")


def note_wishes(question: Question, frame: Frame) -> None:
    """Note every wish of a question in its frame."""
    for placed in question.cues:
        _wish(placed.cue, frame)
    lowered = question.lowered
    frame.alphabetical = bool(re.search(r"\balphabetic|\ba (?:to|-) z\b|\bz (?:to|-) a\b|\bchronological", lowered))
    frame.which = bool(re.match(r"\s*(?:which|what|who)\b", lowered))
    frame.listing = bool(_LISTING.match(lowered))
    _grains(question, frame)
    years = [
        t.time
        for t in question.times
        if t.time.periods
        and not t.time.either
        and not is_plain_year(question, t)
        and all(p.quarter is None and p.month is None for p in t.time.periods)
    ]
    if years:
        frame.compare_years = tuple(p.year or 0 for p in years[0].periods)


_OVER: Final = re.compile(r"\b(year|quarter|month|week|day)[- ](?:over|on)[- ]\1\b|\b([yqmw])o[yqmw]\b")


def _grains(question: Question, frame: Frame) -> None:
    """Grains that are not said as "by month": ``sign-up year``, ``year over year``."""
    columns = question.lexicon.columns
    for mention in question.mentions:
        best = mention.candidates[0].entry
        word = question.word(mention.last + 1)
        if best.kind == "column" and columns[best.ref].type.is_temporal and word in get_args(Grain) and not frame.times:
            frame.grain = cast("Grain", word)
            frame.times.append(cast("Grain", word))
    named = {i for m in question.mentions for i in m.tokens} | {
        i for t in question.times for i in range(t.first, t.last + 1)
    }
    loose = [t.lemma for i, t in enumerate(question.tokens) if t.lemma in get_args(Grain) and i not in named]
    bins = re.search(r"\b(\d{1,2}) (?:bins|buckets|classes|intervals)\b", question.lowered)
    frame.bins = int(bins[1]) if bins and int(bins[1]) >= 2 else None
    kept = bool(
        re.match(
            r"\s*(?:which |what |the )?(?:years|quarters|months|weeks|days) (?:with|where|that)\b", question.lowered
        )
    )
    if (frame.superlative is not None or kept) and loose and not frame.times:
        frame.grain = cast("Grain", loose[-1])
        frame.times.append(cast("Grain", loose[-1]))
    over = _OVER.search(question.lowered)
    if over is not None and not frame.times:
        short = {"y": "year", "q": "quarter", "m": "month", "w": "week"}.get(over[2] or "", over[1])
        frame.grain = cast("Grain", short)


_FLAGS: Final[dict[str, str]] = {
    "trend": "trend", "share": "share", "rate": "rate", "sort": "sort", "running": "running", "versus": "versus",
    "distribution": "distribution",
}  # fmt: skip
"""Cues that say one thing only, with the wish they set."""


def _wish(cue: Cue, frame: Frame) -> None:
    """Note what one cue wishes for."""
    if cue.kind in _FLAGS:
        setattr(frame, _FLAGS[cue.kind], True)
    elif cue.kind == "mark":
        frame.marks.append(cast("Mark", cue.value))
    elif cue.kind == "style":
        frame.styles.add(cue.value)
    elif cue.kind == "grain":
        frame.grain = frame.grain or cast("Grain", cue.value)
        frame.times.append(cast("Grain", cue.value))
    elif cue.kind == "part":
        frame.times.append(cast("Part", cue.value))
    elif cue.kind == "aggregate":
        frame.aggregates.append((cast("Aggregate", cue.value), cue.n))
    elif cue.kind == "moving":
        frame.moving = int(cue.n or 3)
    elif cue.kind == "change":
        frame.change = "change_percent" if cue.value == "percent" else "change"
    else:
        _order_wish(cue, frame)


def _order_wish(cue: Cue, frame: Frame) -> None:
    falling: Literal["asc", "desc"] = "desc" if cue.value in {"high", "desc"} else "asc"
    if cue.kind == "top":
        frame.top, frame.top_order = int(cue.n or 10), falling
    elif cue.kind == "most":
        frame.superlative = falling
    elif cue.kind == "order":
        frame.order = falling
