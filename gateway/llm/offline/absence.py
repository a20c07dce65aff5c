"""Filters by what is there and what is not: empty columns, related rows, and things that have or have not ended."""

from __future__ import annotations

import re
from typing import Final

from gateway.chart.paths import graph_of
from gateway.chart.spec import Exists, Filter, NullTest
from gateway.llm.offline.lexicon import is_identifier
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import WITHOUT, Found, Grouped, after_of, before_of, columns_where
from gateway.llm.offline.question import ENDED, Question, is_end
from gateway.llm.offline.search import distance
from gateway.llm.offline.slots import Slot

_WITH: Final = re.compile(
    r"\b(?:with|who have|that have|having|have|has|who placed|who opened|who made|who own|"
    r"who left|with at least one)(?: (?:a|an|any|some|at least one|known|placed|opened|"
    r"made))?\s*$"
)
_EMPTY_AFTER: Final = re.compile(
    r"^\s*(?:is|are|was|were)?\s*(?:missing|empty|null|blank|unknown|not (?:set|known|given|recorded|provided))\b"
)
_FILLED_AFTER: Final = re.compile(
    r"^\s*(?:is|are|was|were)?\s*(?:not (?:missing|empty|null|blank|unknown)|(?:is |"
    r"are )?(?:set|known|present|given|recorded|provided)\b)"
)


# Emptiness and related rows.


def find_absence(question: Question, found: Found, grouped: Grouped) -> None:
    """Add filters by emptiness, related rows, and whether things have ended."""
    for number, mention in enumerate(question.mentions):
        if not set(mention.tokens).isdisjoint(found.used) or grouped(mention):
            continue
        before, after = before_of(question, mention.first), after_of(question, mention.last)
        if _said_by_label(mention, before):
            continue
        lacking = bool(WITHOUT.search(before)) or bool(_EMPTY_AFTER.search(after))
        having = (bool(_WITH.search(before)) and number > 0) or bool(_FILLED_AFTER.search(after))
        if not lacking and not having:
            continue
        table, column = mention.best("table"), mention.best("column")
        happened = column is not None and _happens(question, column)
        if number > 0 and lacking and happened and column is not None:
            whole = next((c for c in _tables(question) if c.entry.ref == column.entry.table), None)
            if whole is not None and not any(m.best("table") == whole for m in question.mentions):
                _related(found, mention, whole, lacking)
                continue
        if number > 0 and table is not None and (column is None or table.score >= column.score):
            _related(found, mention, table, lacking)
        elif column is not None and column.score > 0.6 and (lacking or _can_be_empty(question, column)):
            _null(found, mention, mention.of_kind("column"), lacking)
    _untraded(question, found)
    if question.ongoing:
        _ongoing(question, found, set(question.ongoing))
    for mention in question.mentions:
        _ended(question, found, mention, grouped)


_UNTRADED: Final = re.compile(
    r"\b(?:never|not yet|(?:have|has|had|did|were|was)(?: not|n't)(?: yet)?)(?: been)? "
    r"(?:sold|sell|bought|buy|purchased?)\b"
)


def _untraded(question: Question, found: Found) -> None:
    """``products never sold``: without a row of the table that the owner's sums are of, or of the nearest before it."""
    said = _UNTRADED.search(question.lowered)
    named = next((c for m in question.mentions for c in m.of_kind("table")), None)
    if said is None or named is None or any(slot.role == "child" for slot in found.slots):
        return
    lexicon, table = question.lexicon, named.entry.ref
    graph = graph_of(lexicon.summary.links)
    summed = {m.table for m in lexicon.metrics.values() if m.aggregate == "sum" and graph.reaches(m.table, table)}
    traded = [
        t
        for t in lexicon.tables
        if t != table and graph.reaches(t, table) and any(s == t or graph.reaches(s, t) for s in summed)
    ]
    nearest = min(traded, key=lambda t: distance(graph, t, table) or 0, default="")
    child = next((c for c in _tables(question) if c.entry.ref == nearest), None)
    if child is None:
        return

    def build(ref: str) -> Filter | None:
        return Exists(op="not_exists", table=ref)

    places = [i for i, t in enumerate(question.tokens) if t.start < said.end() and said.start() < t.end]
    found.tokens.update(places)
    found.slots.append(Slot("child", (child,), places[0], build=build))


def _said_by_label(mention: Mention, before: str) -> bool:
    """``not cancelled`` is about a label where there is one; ``without a phone`` is not."""
    label = mention.best("label")
    return (
        label is not None
        and label.score >= 0.85
        and not re.search(r"\b(?:without|no|missing|lacking)\b(?: \w+)?\s*$", before)
    )


def _happens(question: Question, column: Candidate) -> bool:
    """Whether a column is the date on which every row of its table happened: ``never ordered``."""
    facts = question.lexicon.columns[column.entry.ref]
    return facts.type.is_temporal and facts.nulls == "none"


def _tables(question: Question) -> list[Candidate]:
    return [Candidate(e, 1.0, 1.0) for e in question.lexicon.entries if e.kind == "table"]


def _can_be_empty(question: Question, column: Candidate) -> bool:
    facts = question.lexicon.columns[column.entry.ref]
    return facts.nulls != "none" and facts.distinct != "unique" and not is_identifier(facts)


def _related(found: Found, mention: Mention, table: Candidate, lacking: bool) -> None:
    def build(ref: str) -> Filter | None:
        return Exists(op="not_exists" if lacking else "exists", table=ref)

    found.used.update(mention.tokens)
    found.slots.append(Slot("child", (table,), mention.first, build=build))


def _null(found: Found, mention: Mention, candidates: tuple[Candidate, ...], lacking: bool) -> None:
    def build(ref: str) -> Filter | None:
        return NullTest(op="is_null" if lacking else "not_null", column=ref)

    found.used.update(mention.tokens)
    found.slots.append(Slot("filter", candidates, mention.first, build=build))


def _ends(question: Question) -> tuple[Candidate, ...]:
    """Dates that say when something ended, and are empty while it has not."""
    return columns_where(question, lambda e: is_end(question.lexicon, e.ref), 0.7)


def _ongoing(question: Question, found: Found, inside: set[int]) -> None:
    """``active subscriptions``, ``open tickets``: the date of their end is empty, where no label says it."""
    ends = _ends(question)
    following = next((m for m in question.mentions if m.first > max(inside)), None) or next(
        (m for m in reversed(question.mentions) if m.last < min(inside)), None
    )
    tables = {c.entry.table for c in following.of_kind("table", "column", "metric")} if following else set()
    chosen = tuple(c for c in ends if c.entry.table in tables) or ends
    if not chosen or following is None:
        return

    def build(ref: str) -> Filter | None:
        return NullTest(op="is_null", column=ref)

    found.tokens.update(inside)
    found.used.update(i for m in question.mentions for i in m.tokens if set(m.tokens) <= inside)
    found.slots.append(Slot("filter", chosen, min(inside), build=build))


def _ended(question: Question, found: Found, mention: Mention, grouped: Grouped) -> None:
    """``cancelled subscriptions``: the date of their end is not empty."""
    if not set(mention.tokens).isdisjoint(found.used) or grouped(mention):
        return
    if question.has("grain") or question.has("trend"):
        # "cancelled subscriptions per month" is about the months in which they were cancelled.
        return
    said = any(question.tokens[i].text in ENDED for i in mention.tokens)
    label = mention.best("label")
    ends = {c.entry.ref for c in _ends(question)}
    candidates = tuple(c for c in mention.of_kind("column") if c.entry.ref in ends)
    dated = any(0 <= t.first - mention.last <= 3 for t in question.times)
    if not said or not candidates or dated or (label is not None and label.score >= 0.85):
        return
    _null(found, mention, candidates, lacking=False)
