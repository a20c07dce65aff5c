"""Filters of a question: numbers with comparisons, named labels, masked values, periods, emptiness, related rows.

Every condition becomes a slot with the columns it may be about; the words that named the column are used up unless
the question also groups by them.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.chart.spec import AllOf, AnyOf, Between, Compare, During, Filter, InList
from gateway.llm.offline.absence import find_absence
from gateway.llm.offline.amounts import find_numbers, is_plain_year
from gateway.llm.offline.lexicon import is_year
from gateway.llm.offline.literal import find_literals
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import Found, Grouped, columns_where
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Slot
from gateway.llm.offline.times import TimeExpr
from gateway.llm.offline.values import find_labels, find_values


def find_conditions(question: Question, grouped: Grouped) -> Found:
    """Find every condition of a question.

    Args:
        question: What was read.
        grouped: Whether a mention is governed by a grouping word, so that it stays a group as well.
    """
    found = Found()
    find_literals(question, found)
    find_values(question, found)
    find_numbers(question, found, grouped)
    find_absence(question, found, grouped)
    find_labels(question, found, grouped)
    _times(question, found)
    return found


# Time.


def _times(question: Question, found: Found) -> None:
    columns = question.lexicon.columns
    all_dates = columns_where(question, lambda e: columns[e.ref].type.is_temporal, 0.5)
    years = columns_where(question, lambda e: is_year(columns[e.ref]), 0.5)
    for placed in question.times:
        if not all_dates and years and (built := _in_years(placed.time)) is not None:
            found.tokens.update(range(placed.first, placed.last + 1))
            found.slots.append(Slot("filter", years, placed.first, build=built))
            continue
        if is_plain_year(question, placed):
            continue
        named: tuple[Candidate, ...] = ()
        for mention in question.mentions:
            near = (
                abs(placed.first - mention.last) <= 4
                if mention.last < placed.first
                else mention.first - placed.last <= 2
            )
            dates = tuple(
                c for c in mention.of_kind("column") if columns[c.entry.ref].type.is_temporal and c.score >= 0.55
            )
            if near and dates and not _crossed(question, mention, placed.first):
                named = dates
                best = mention.candidates[0].entry
                if best.kind == "column" and columns[best.ref].type.is_temporal and mention.last < placed.first:
                    found.used.update(mention.tokens)
        found.tokens.update(range(placed.first, placed.last + 1))
        found.slots.append(Slot("time_filter", named or all_dates, placed.first, build=_during(placed.time)))


def _crossed(question: Question, mention: Mention, place: int) -> bool:
    """Whether another name stands between a date's name and the period."""
    return any(mention.last < other.first < place for other in question.mentions)


def _in_years(time: TimeExpr) -> Callable[[str], Filter | None] | None:
    """A period as a filter on a number of the year; None if it is finer than years, or relative."""
    if time.period is not None and (time.period.kind != "calendar" or time.period.month or time.period.quarter):
        return None
    low, below = time.low, time.below
    if any(bound and not bound.endswith("-01-01") for bound in (low, below)):
        return None

    def build(ref: str) -> Filter | None:
        if time.period is not None:
            return Compare(op="eq", column=ref, value=time.period.year or 0)
        if time.periods:
            return InList(op="in", column=ref, values=tuple(p.year or 0 for p in time.periods))
        if low and below:
            return Between(op="between", column=ref, low=int(low[:4]), high=int(below[:4]) - 1)
        if low:
            return Compare(op="ge", column=ref, value=int(low[:4]))
        return Compare(op="lt", column=ref, value=int(below[:4])) if below else None

    return build


def _during(time: TimeExpr) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        if time.period is not None:
            return During(op="during", column=ref, period=time.period)
        if time.periods:
            return AnyOf(op="or", filters=tuple(During(op="during", column=ref, period=p) for p in time.periods))
        low = Compare(op="ge", column=ref, value=time.low) if time.low else None
        high = Compare(op="lt", column=ref, value=time.below) if time.below else None
        if low is not None and high is not None:
            return AllOf(op="and", filters=(low, high))
        return low or high

    return build
