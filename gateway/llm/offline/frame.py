"""From what was read of a question to slots: which mention is measured, grouped by, sorted by, or just there."""

from __future__ import annotations

import re
from typing import Final, cast

from gateway.catalog import ColumnType
from gateway.chart.spec import Aggregate
from gateway.llm.offline.conditions import find_conditions
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.question import Placed, Question
from gateway.llm.offline.shape import settle_roles
from gateway.llm.offline.slots import Frame, Slot
from gateway.llm.offline.text import word_set
from gateway.llm.offline.unknown import is_weak, note_unknown
from gateway.llm.offline.wishes import note_wishes

_LIST: Final = frozenset({",", "and", "&", "/", "or", "plus", "then"})
_LITTLE: Final = word_set(
    "the a an of all our your their its in on to total different various each every number "
    "overall "
    "own by per and what which"
)
_GROUPING: Final = frozenset({"group", "series"})


def read_frame(question: Question) -> Frame:
    """Turn a question into slots and wishes."""
    frame = Frame()
    note_wishes(question, frame)
    governed = _governors(question)
    found = find_conditions(question, lambda m: governed.get(m.first, ("", None))[0] in _GROUPING)
    frame.slots.extend(found.slots)
    frame.assumed = found.assumed
    for number, mention in enumerate(question.mentions):
        if set(mention.tokens) <= found.used or is_weak(question, mention) or _is_modifier(question, number):
            continue
        frame.slots.append(_slot(question, mention, governed.get(mention.first, ("", None))))
    frame.slots.sort(key=lambda slot: slot.place)
    settle_roles(question, frame)
    note_unknown(question, frame, found)
    frame.unknown[:0] = [(words, "aggregate") for words in found.unsayable]
    return frame


# Governors: the cue each mention stands under.


def _governors(question: Question) -> dict[int, tuple[str, Placed | None]]:
    """For each mention, by its first token: the kind of the cue that governs it."""
    found: dict[int, tuple[str, Placed | None]] = {}
    previous: Mention | None = None
    for mention in question.mentions:
        cue = _cue_before(question, mention)
        if cue is not None:
            found[mention.first] = (cue.cue.kind, cue)
        elif previous is not None and (
            _listed(question, previous, mention) or _is_modifier(question, question.mentions.index(previous))
        ):
            kind, before = found.get(previous.first, ("", None))
            found[mention.first] = (kind, before)
        else:
            found[mention.first] = ("", None)
        previous = mention
    return found


def _cue_before(question: Question, mention: Mention) -> Placed | None:
    """The nearest cue before a mention with only little words (or other cues) in between."""
    for placed in sorted(question.cues, key=lambda p: -p.last):
        if placed.last >= mention.first or placed.cue.kind in {
            "mark",
            "style",
            "order",
            "trend",
            "versus",
            "distribution",
            "grain",
            "part",
            "running",
            "moving",
        }:
            continue
        gap = question.between(placed.last, mention.first)
        words = [t.text for t in gap]
        inside = [any(p.first <= i <= p.last for p in question.cues) for i in range(placed.last + 1, mention.first)]
        if all(word in _LITTLE or cued for word, cued in zip(words, inside, strict=True)) and len(gap) <= 5:
            return placed
        if placed.cue.kind in {"most", "top"} and len(gap) <= 2 and all(t.kind == "word" for t in gap):
            return placed
        return None
    return None


def _is_modifier(question: Question, number: int) -> bool:
    """``product category`` where both are columns: the last noun of a compound is what it is about."""
    if number + 1 >= len(question.mentions):
        return False
    columns = question.lexicon.columns
    left, right = question.mentions[number], question.mentions[number + 1]
    if left.last + 1 != right.first or left.candidates[0].entry.kind != "column":
        return False
    best = right.candidates[0].entry
    if best.kind != "column" or best.table != left.candidates[0].entry.table:
        return False
    return all(columns[m.candidates[0].entry.ref].type in {ColumnType.TEXT, ColumnType.BOOLEAN} for m in (left, right))


def _listed(question: Question, left: Mention, right: Mention) -> bool:
    gap = [t.text for t in question.between(left.last, right.first)]
    return bool(gap) and any(w in _LIST for w in gap) and all(w in _LIST or w in _LITTLE for w in gap)


def _slot(question: Question, mention: Mention, governor: tuple[str, Placed | None]) -> Slot:
    kind, placed = governor
    place = mention.first
    candidates = mention.candidates
    if kind in {"group", "series"}:
        return Slot("series" if kind == "series" else "group", candidates, place)
    if kind == "aggregate" and placed is not None:
        aggregate = cast("Aggregate", placed.cue.value)
        return Slot(
            "measure",
            candidates,
            place,
            aggregate=aggregate,
            percentile=placed.cue.n if aggregate == "percentile" else None,
        )
    if kind == "sort":
        return Slot("sort", candidates, place)
    if kind in {"share", "change"}:
        return Slot("measure", candidates, place)
    if kind == "top":
        if candidates[0].entry.kind == "metric":
            return Slot("measure", candidates, place)
        return Slot("group", candidates, place, adverb="top")
    if kind == "most":
        named = mention.best("metric") or _numeric(question, mention)
        counted = mention.best("table")
        if named is None and counted is not None and question.has("top"):
            return Slot("free", candidates, place, adverb="most")
        if named is not None:
            extreme = named.entry.kind == "column" and not _ranks(question)
            extremum = ("max" if placed is None or placed.cue.value == "high" else "min") if extreme else None
            return Slot("measure", candidates, place, adverb="most", aggregate=cast("Aggregate | None", extremum))
        return Slot("free", candidates, place, adverb="most")
    return Slot("free", candidates, place, adverb=_preposition(question, mention))


def _numeric(question: Question, mention: Mention) -> Candidate | None:
    best = mention.candidates[0]
    if best.entry.kind == "column" and question.lexicon.columns[best.entry.ref].type.is_numeric:
        return best
    return None


def _preposition(question: Question, mention: Mention) -> str:
    place = mention.first - 1
    while place >= 0 and question.word(place) in {
        "the",
        "a",
        "an",
        "all",
        "our",
        "each",
        "every",
        "any",
        "these",
        "those",
    }:
        place -= 1
    word = question.word(place)
    if re.match(r"\s*(?:which|what|who)\b", question.lowered) and mention.first <= 2:
        return "which"
    return (
        word
        if word
        in {
            "of",
            "for",
            "in",
            "on",
            "from",
            "with",
            "by",
            "at",
            "to",
            "and",
            "vs",
            "versus",
            "against",
            "through",
            "via",
        }
        else ""
    )


def _ranks(question: Question) -> bool:
    """Whether a superlative asks which group comes first, and not for the extreme value itself."""
    return bool(re.match(r"\s*(?:which|what|who)\b(?! (?:is|are|was|were) the)", question.lowered)) or question.has(
        "top"
    )
