"""Superlatives and rankings: by which quantity, where the question names it only by an adjective or not at all."""

from __future__ import annotations

import re
from typing import Final, Literal

from gateway.chart.paths import graph_of
from gateway.chart.spec import Aggregate
from gateway.llm.offline.lexicon import Entry
from gateway.llm.offline.mentions import Candidate
from gateway.llm.offline.options import column_sort
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Frame, Slot
from gateway.llm.offline.text import word_set


def rank_slots(question: Question, frame: Frame) -> None:
    """``our top 20 customers``, ``the most popular products``: ranked by money, or by how many rows belong to them."""
    if (frame.top is None and frame.superlative is None) or frame.of("measure", "having", "per", "sort"):
        return
    if frame.aggregates or any(s.candidates[0].entry.kind == "metric" for s in frame.slots if s.candidates):
        return
    if _praised(question, frame) or _most_rows(question, frame):
        return
    ranked = next(
        (s for s in frame.slots if s.adverb in {"top", "most", "which"} and s.candidates[0].entry.kind == "table"), None
    )
    others = [s for s in frame.of("free") if s is not ranked and s.candidates[0].entry.kind in {"table", "column"}]
    if ranked is None or others or any(s is not ranked for s in frame.of("group", "series")):
        return
    table = ranked.candidates[0].entry.table
    graph = graph_of(question.lexicon.summary.links)
    found = _money(question, table) or [
        e for e in question.lexicon.entries if e.kind == "table" and e.ref != table and graph.reaches(e.ref, table)
    ]
    if found:
        ranked.role, ranked.adverb = "group", "top"
        frame.slots.append(Slot("measure", (Candidate(found[0], 1.0, 1.0),), ranked.place))


_BARE: Final = re.compile(r"(?:the )?(?:most|fewest|least)")


def _most_rows(question: Question, frame: Frame) -> bool:
    """``weekday with most requests``, ``customers with the most orders``: those rows are counted, by what is ranked."""
    slot = next((s for s in frame.slots if s.adverb == "most" and s.candidates[0].entry.kind == "table"), None)
    if slot is None:
        return False
    graph = graph_of(question.lexicon.summary.links)
    table = slot.candidates[0].entry.ref
    ranked = next(
        (
            s
            for s in frame.slots
            if s.place < slot.place
            and s.role in {"free", "group"}
            and (s.candidates[0].entry.kind == "column" or graph.reaches(table, s.candidates[0].entry.ref))
        ),
        None,
    )
    people = _people(question, table) if question.lowered.lstrip().startswith("who ") else ()
    if ranked is None and not frame.times and not people:
        return False
    cue = next((p for p in question.cues if p.cue.kind == "most" and p.last < slot.place), None)
    if cue is None or not _BARE.fullmatch(question.lowered[cue.cue.start : cue.cue.end]):
        return False
    slot.role, slot.aggregate, slot.adverb = "measure", "count", ""
    if ranked is not None and not frame.times:
        ranked.role, ranked.adverb = "group", "top"
    elif not frame.times:
        frame.slots.insert(0, Slot("group", people, 0, adverb="top"))
    return True


def _people(question: Question, table: str) -> tuple[Candidate, ...]:
    """Tables of people that the rows of a table belong to: who closed the most tickets."""
    lexicon = question.lexicon
    graph = graph_of(lexicon.summary.links)

    def is_people(entry: Entry) -> bool:
        if entry.ref not in lexicon.label_columns or not graph.reaches(table, entry.ref):
            return False
        named = lexicon.columns[lexicon.label_columns[entry.ref]].semantic == "name_like"
        mailed = any(c.semantic == "email_like" or "mail" in c.name.lower() for c in lexicon.tables[entry.ref].columns)
        return named or mailed

    return tuple(Candidate(e, 1.0, 1.0) for e in lexicon.entries if e.kind == "table" and is_people(e))


_PRICE: Final = ("price", "cost")
_TIME: Final = ("duration", "length", "runtime")
_SPEED: Final = ("speed", "response", "resolution", "duration", "latency", "wait", "runtime")
_HEAT: Final = ("temperature", "temp")
_PRAISED: Final[dict[str, tuple[tuple[str, ...], Aggregate]]] = {
    "rated": (("rating", "score", "satisfaction"), "avg"), "paid": (("salary", "wage", "pay"), "avg"),
    "viewed": (("view",), "sum"), "selling": (("revenue", "sale", "quantity", "unit"), "sum"),
    "popular": (("vote", "view", "quantity", "unit"), "sum"),
    "cheapest": (_PRICE, "avg"), "priciest": (_PRICE, "avg"), "costliest": (_PRICE, "avg"),
    "most expensive": (_PRICE, "avg"), "oldest": (("age",), "avg"), "youngest": (("age",), "avg"),
    "longest": (_TIME, "avg"), "shortest": (_TIME, "avg"), "heaviest": (("weight",), "avg"),
    "lightest": (("weight",), "avg"), "tallest": (("height",), "avg"), "fastest": (_SPEED, "avg"),
    "slowest": (_SPEED, "avg"), "warmest": (_HEAT, "avg"), "hottest": (_HEAT, "avg"), "coldest": (_HEAT, "avg"),
    "rainiest": (("rain", "rainfall"), "sum"), "windiest": (("wind",), "avg"),
}  # fmt: skip
"""Superlatives that say by which quantity: its words, and how it is taken together."""


_SLOW: Final = frozenset({"fastest", "slowest"})
_TURNED: Final[dict[Literal["asc", "desc"], Literal["asc", "desc"]]] = {"asc": "desc", "desc": "asc"}
_TELLING: Final = frozenset(_PRAISED) - word_set("rated paid viewed selling popular oldest youngest longest shortest")
"""Those that mean nothing but their quantity: where it is not there, it is missing."""


def _praised(question: Question, frame: Frame) -> bool:
    """``highest rated movies``, ``cheapest products``: by the column that holds ratings, or prices."""
    said = next((word for word in _PRAISED if re.search(rf"\b{word}\b", question.lowered)), None)
    ranked = next(
        (s for s in frame.slots if s.role in {"free", "group"} and s.candidates[0].entry.kind in {"table", "column"}),
        None,
    )
    if said is not None and ranked is None and frame.times and len(question.lexicon.tables) == 1:
        # "warmest month": the months of the only table there is.
        words, aggregate = _PRAISED[said]
        measure = _quantity(question, question.lexicon.summary.tables[0].name, words)
        if measure is not None:
            frame.slots.append(Slot("measure", (Candidate(measure, 1.0, 1.0),), 0, aggregate=aggregate))
        return measure is not None
    if said is None or ranked is None:
        return False
    words, aggregate = _PRAISED[said]
    table = ranked.candidates[0].entry.table
    measure = _quantity(question, table, words)
    if measure is None and said == "selling":
        measure = next(iter(_money(question, table)), None)
        if measure is None:
            return False
        frame.slots.append(Slot("measure", (Candidate(measure, 1.0, 1.0),), ranked.place))
        ranked.role, ranked.adverb = "group", "top"
        return True
    if measure is None and said in _SLOW and ranked.candidates[0].entry.kind == "table":
        measure = _quantity_of_rows(question, table, words)
    if measure is not None and said in _SLOW and "speed" not in measure.forms[0].words:
        # Who takes long is slow: of a time the order is the other way round.
        frame.superlative = _TURNED[frame.superlative] if frame.superlative else None
        frame.top_order = _TURNED[frame.top_order]
    if measure is None:
        if said in _TELLING:
            frame.unknown.append((said, "most"))
        return False
    others = [s for s in frame.of("group", "series") if s is not ranked]
    if others and ranked.role == "free" and ranked.candidates[0].entry.kind == "table":
        # "oldest employee by department": the extreme of each department, and no ranking.
        aggregate = "max" if frame.superlative == "desc" else "min"
        frame.superlative = None
    elif ranked.role == "free":
        ranked.role, ranked.adverb = "group", "top"
    frame.slots.append(Slot("measure", (Candidate(measure, 1.0, 1.0),), ranked.place, aggregate=aggregate))
    return True


def _quantity(question: Question, table: str, words: tuple[str, ...]) -> Entry | None:
    """The number of a table that is called by one of the words."""
    for word in words:
        for entry in question.lexicon.entries:
            ways = [form.words for form in entry.forms] if entry.kind == "column" and entry.table == table else [()]
            # A unit price is no number of units; a rain_mm is rain; of a synonym the last word says what it is.
            named = word in (ways[0][-1:] if word == "unit" else ways[0])
            also = word != "unit" and any(own[-1] == word for own in ways[1:])
            if (named or also) and column_sort(question.lexicon, entry.ref) == "number":
                return entry
    return None


def _quantity_of_rows(question: Question, table: str, words: tuple[str, ...]) -> Entry | None:
    """The same, of the rows that belong to those of a table: the response times of an agent's tickets."""
    graph = graph_of(question.lexicon.summary.links)
    children = [t for t in question.lexicon.tables if t != table and graph.reaches(t, table)]
    found = (_quantity(question, child, words) for child in children)
    return next((one for one in found if one is not None), None)


def _money(question: Question, table: str) -> list[Entry]:
    """The owner's metrics that add something up for the rows of a table."""
    graph = graph_of(question.lexicon.summary.links)
    return [
        e
        for e in question.lexicon.entries
        if e.kind == "metric"
        and e.table != table
        and graph.reaches(e.table, table)
        and question.lexicon.metrics[e.ref].aggregate == "sum"
    ]


def find_extremes(question: Question, frame: Frame) -> None:
    """``top 5 salaries``: the people with the highest ones, where rows have a name."""
    slots = [s for s in frame.slots if s.role != "filter"]
    if frame.top is None or len(slots) != 1 or slots[0].candidates[0].entry.kind != "column":
        return
    slot, best = slots[0], slots[0].candidates[0].entry
    label = question.lexicon.label_columns.get(best.table, "")
    if column_sort(question.lexicon, best.ref) != "number" or not label:
        return
    named = next((e for e in question.lexicon.entries if e.kind == "column" and e.ref == label), None)
    if named is not None:
        frame.slots.append(Slot("group", (Candidate(named, 1.0, 1.0),), slot.place, adverb="top"))
        slot.role, slot.aggregate, slot.adverb = "measure", "max" if frame.top_order == "desc" else "min", ""
