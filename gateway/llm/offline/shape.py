"""Roles that only the whole question settles: ratios per row, rankings without a measure, groups of a "having"."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Final, cast

from gateway.chart.spec import Aggregate
from gateway.llm.offline.lexicon import is_year
from gateway.llm.offline.measures import default_aggregate
from gateway.llm.offline.mentions import Candidate
from gateway.llm.offline.options import column_sort
from gateway.llm.offline.question import Placed, Question
from gateway.llm.offline.slots import Frame, Slot
from gateway.llm.offline.superlatives import find_extremes, rank_slots
from gateway.llm.offline.text import word_set
from gateway.llm.offline.worth import money_of


def settle_roles(question: Question, frame: Frame) -> None:
    """Roles that only the whole question settles."""
    if any(s.role == "measure" and s.adverb == "most" and s.aggregate in {"min", "max"} for s in frame.slots):
        frame.superlative = None
    if any(s.role == "having" for s in frame.slots) and not frame.of("group", "series"):
        first = next((s for s in frame.slots if s.role == "free"), None)
        if first is not None:
            first.adverb = "which"
    filtered = {s.candidates[0].entry.ref for s in frame.of("filter") if len(s.candidates) == 1}
    frame.slots = [
        s
        for s in frame.slots
        if not (s.role == "free" and s.candidates[0].entry.kind == "column" and s.candidates[0].entry.ref in filtered)
    ]
    _rows(question, frame)
    _both(frame)
    _keys(question, frame)
    find_extremes(question, frame)
    _entities(question, frame)
    _rates(question, frame)
    _aggregates(question, frame)
    _on_average(question, frame)
    _against_previous(question, frame)
    _worth(question, frame)
    _per(question, frame)
    rank_slots(question, frame)


def _worth(question: Question, frame: Frame) -> None:
    """``average order value``: the owner's money measure of an order's rows, per order."""
    for slot in frame.of("measure"):
        mention = next((m for m in question.mentions if m.first == slot.place), None)
        best = slot.candidates[0].entry
        if slot.aggregate in {None, "count", "count_distinct"} or best.kind != "table" or mention is None:
            continue
        if question.word(mention.last + 1) not in _WORTH:
            continue
        if slot.aggregate not in {"avg", "sum"}:
            # The largest total of an order is an extreme of sums, which the chart language cannot say.
            said = question.text[question.tokens[mention.first].start : question.tokens[mention.last + 1].end]
            frame.unknown.append((f"{slot.aggregate} {said}"[:60], "aggregate"))
            return
        if slot.aggregate == "sum":
            continue
        money = money_of(question, best.ref)
        if money:
            frame.slots.append(Slot("measure", tuple(Candidate(e, 1.0, 1.0) for e in money), slot.place))
            slot.role = "per"
            return


def _rows(question: Question, frame: Frame) -> None:
    """``orders`` where there are an order_id and an order_date, but no table of orders: the rows, by their key."""
    lexicon = question.lexicon
    for slot in frame.slots:
        token = question.tokens[slot.place]
        if slot.role not in {"free", "measure"} or token.kind != "word" or token.text == token.lemma:
            continue
        sorts = [column_sort(lexicon, c.entry.ref) if c.entry.kind == "column" else "" for c in slot.candidates]
        keys = [c for c, sort in zip(slot.candidates, sorts, strict=True) if sort == "id" and c.entry.kind == "column"]
        unique = [c for c in keys if lexicon.columns[c.entry.ref].distinct == "unique"]
        if len(unique) == 1 and "date" in sorts and set(sorts) <= {"id", "date"}:
            slot.candidates = (replace(unique[0], score=1.0),)
            slot.adverb = slot.adverb if slot.adverb == "which" else "rows"


def _both(frame: Frame) -> None:
    """``revenue and orders by month``: both are measured, the rows of the second by their number."""
    for left, right in pairwise(frame.slots):
        measured = left.role == "measure" or (left.role == "free" and left.candidates[0].entry.kind == "metric")
        rows = right.role == "free" and right.adverb == "and" and right.candidates[0].entry.kind == "table"
        if measured and rows:
            right.role, right.aggregate = "measure", "count"


def _entities(question: Question, frame: Frame) -> None:
    """``customers by region`` where customers are a column: how many different ones."""
    if frame.of("measure", "having", "per", "sort") or frame.top is not None or frame.superlative is not None:
        return
    slot = next((s for s in frame.slots if s.role in {"free", "group", "series"}), None)
    groups = frame.of("group", "series")
    if slot is None or slot.role != "free" or slot.adverb or frame.listing or not (groups or frame.times):
        return
    for group in groups:
        by = group.candidates[0].entry
        if by.kind == "metric" or (by.kind == "column" and column_sort(question.lexicon, by.ref) == "number"):
            return
    best = slot.candidates[0].entry
    token = question.tokens[slot.place]
    alone = not any(s.role == "free" for s in frame.slots if s is not slot)
    if (
        best.kind == "column"
        and alone
        and token.text != token.lemma
        and column_sort(question.lexicon, best.ref) == "text"
    ):
        slot.role, slot.aggregate = "measure", "count_distinct"


def _rates(question: Question, frame: Frame) -> None:
    """``survival rate`` of a column of zeros and ones is its average."""
    if not frame.rate or frame.of("filter"):
        return
    for slot in frame.of("measure", "free"):
        best = slot.candidates[0].entry
        if slot.aggregate is None and best.kind == "column" and column_sort(question.lexicon, best.ref) == "number":
            slot.aggregate = "avg"


_WORTH: Final = word_set("value size amount total revenue worth spend")


def _keys(question: Question, frame: Frame) -> None:
    """``average order value`` is no average of order_id: of its money, if there is just one sum of it."""
    lexicon = question.lexicon
    for slot in frame.of("measure"):
        mention = next((m for m in question.mentions if m.first == slot.place), None)
        if mention is None or slot.aggregate in {None, "count", "count_distinct"}:
            continue
        if any(question.tokens[i].lemma in {"id", "number", "code", "key", "no"} for i in mention.tokens):
            continue
        sorts = {c.entry.ref: column_sort(lexicon, c.entry.ref) for c in mention.of_kind("column")}
        worth = question.word(mention.last + 1) in _WORTH
        kept = tuple(c for c in slot.candidates if sorts.get(c.entry.ref) not in ({"id", "date"} if worth else {"id"}))
        if not kept and worth:
            columns = lexicon.columns
            money = [
                r for r, c in columns.items() if c.semantic == "currency" and default_aggregate(lexicon, r) == "sum"
            ]
            entries = [e for e in lexicon.entries if e.kind == "column" and e.ref in money]
            kept = (Candidate(entries[0], 1.0, 1.0),) if len(entries) == 1 else ()
        slot.candidates = kept or slot.candidates


_BETWEEN: Final = frozenset({"and", ",", "or", "&", "/", "to", "the", "plus", "vs", "versus"})
_EXTREMES: Final[dict[str, Aggregate]] = {"low": "min", "high": "max"}


def _aggregates(question: Question, frame: Frame) -> None:
    """``min and max unit price``, ``lowest, average and highest``: all of the aggregates are of what follows."""
    placed = [(p, a) for p in question.cues if (a := _aggregate_of(p)) is not None]
    for (left, first), (right, second) in reversed(list(pairwise(placed))):
        words = {t.text for t in question.between(left.last, right.first)}
        slot = next((s for s in frame.of("measure") if s.aggregate == second and s.place > right.last), None)
        if words and words <= _BETWEEN and slot is not None and first != second:
            frame.slots.insert(frame.slots.index(slot), Slot("measure", slot.candidates, slot.place, aggregate=first))


def _on_average(question: Question, frame: Frame) -> None:
    """``how much shipping do we charge on average``: an average that comes last is of the number before it."""
    cue = next((p for p in reversed(question.cues) if p.cue.kind == "aggregate"), None)
    if cue is None or cue.cue.value not in {"avg", "median"} or any(m.first > cue.last for m in question.mentions):
        return
    open_ = [
        s
        for s in frame.of("measure", "free")
        if s.aggregate is None
        and s.candidates[0].entry.kind == "column"
        and column_sort(question.lexicon, s.candidates[0].entry.ref) == "number"
    ]
    if len(open_) == 1:
        open_[0].role, open_[0].aggregate = "measure", cast("Aggregate", cue.cue.value)


def _aggregate_of(placed: Placed) -> Aggregate | None:
    """The aggregate of a cue: ``lowest`` is one where it stands beside another."""
    if placed.cue.kind == "aggregate":
        return cast("Aggregate", placed.cue.value)
    return _EXTREMES.get(placed.cue.value) if placed.cue.kind == "most" else None


def _against_previous(question: Question, frame: Frame) -> None:
    """``the difference from the previous month`` is a change by month and not a filter on one month."""
    if frame.change is None:
        return
    for placed in question.times:
        period = placed.time.period
        led = question.word(placed.first - 1) in {"from", "to", "than", "with", "vs", "versus", "over", "against"}
        if period is not None and period.kind == "last" and period.n == 1 and period.unit and led:
            frame.slots = [s for s in frame.slots if not (s.role == "time_filter" and s.place == placed.first)]
            if not frame.times:
                frame.grain = period.unit
                frame.times.append(period.unit)


def _per(question: Question, frame: Frame) -> None:
    """``revenue per order by channel``: a measure per row of a table, where that table is not what is grouped by.

    ``revenue per unit`` is a ratio too: nobody asks for a chart by how many units were sold.
    """
    groups = frame.of("group")
    for slot in groups:
        led = question.word(slot.place - 1)
        best = slot.candidates[0]
        before = next((s for s in reversed(frame.slots) if s.place < slot.place), None)
        if led not in {"per", "each"} or before is None or before.role not in {"measure", "free"}:
            continue
        if _is_amount(question, slot) and before.candidates[0].entry.kind != "table":
            slot.candidates = tuple(c for c in slot.candidates if _adds_up(question, c))
            slot.role = "per"
            return
        if best.entry.kind != "table":
            continue
        averaged = before.aggregate == "avg" or "on average" in question.lowered
        others = len(groups) > 1 or bool(frame.times) or bool(frame.of("series")) or frame.trend
        if averaged or (others and before.candidates[0].entry.kind in {"metric", "table"}):
            slot.role = "per"
            return


def _is_amount(question: Question, slot: Slot) -> bool:
    """Whether what is named, in the singular, is an amount that is added up: ``per unit``, ``per seat``."""
    token = question.tokens[slot.place]
    return token.text == token.lemma and _adds_up(question, slot.candidates[0])


def _adds_up(question: Question, candidate: Candidate) -> bool:
    entry, lexicon = candidate.entry, question.lexicon
    if entry.kind == "metric":
        return lexicon.metrics[entry.ref].aggregate in {"sum", "count", "count_distinct"}
    if entry.kind != "column" or column_sort(lexicon, entry.ref) != "number" or is_year(lexicon.columns[entry.ref]):
        return False
    words = lexicon.columns[entry.ref].name.lower()
    return bool(_COUNTED.search(words)) and default_aggregate(lexicon, entry.ref) == "sum"


_COUNTED: Final = re.compile(r"quantity|qty|units?(?!_)|pieces|seats?|hours?|items?$|visits?|sessions?")
"""Names of amounts that something is told per one of."""
