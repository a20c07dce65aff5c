"""What every condition needs: the words around it, the columns it may be about, and the filter of some values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import Compare, Filter, InList
from gateway.llm.offline.lexicon import Entry, is_identifier
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.question import CONNECTIVES, Question
from gateway.llm.offline.slots import Literalish, Slot
from gateway.llm.offline.text import Token, word_set

COMPARING: Final = word_set(
    "more less greater fewer higher lower larger smaller bigger cheaper longer shorter older younger taller heavier "
    "lighter above below over under least most exceeding exceed exceeds expensive costlier better worse later earlier"
)
"""Words that compare; beside a number they name no value."""

Grouped = Callable[[Mention], bool]
"""Whether a mention is governed by a grouping word, so that it stays a group as well."""

NEGATION: Final = re.compile(
    r"\b(?:not|non|excluding|exclude|except(?: for)?|other than|without|aren't|isn't|weren't|"
    r"wasn't|ignoring|ignore|but not|apart from|outside(?: of)?)"
    r"(?: (?:from|in|the|by|any|those|of|for|on|via|through|with|been|be|have|has|a|an)){0,3}[\s-]*$"
)
WITHOUT: Final = re.compile(
    r"\b(?:without|with no|having no|has no|have no|lacking|missing|no|have not|has not|"
    r"haven't|hasn't|did not|didn't|don't have|do not have|doesn't have|never|not|"
    r"yet to)(?: (?:any|a|an|the|yet|ever|been|have|has|placed?|made?|leave|left|given|"
    r"provided?|known|recorded|opened?|bought|set)){0,3}\s*$"
)


@dataclass(slots=True)
class Found:
    """Conditions as slots, and the tokens of mentions that they used up."""

    slots: list[Slot] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    tokens: set[int] = field(default_factory=set)
    assumed: bool = False
    unsayable: list[str] = field(default_factory=list)


def before_of(question: Question, index: int) -> str:
    """The question up to a token."""
    return question.lowered[: question.tokens[index].start] if index < len(question.tokens) else question.lowered


def after_of(question: Question, index: int) -> str:
    """The question past a token."""
    return question.lowered[question.tokens[index].end :]


def candidate_of(question: Question, ref: str, score: float = 1.0) -> Candidate | None:
    """The column of that name as a candidate."""
    for entry in question.lexicon.entries:
        if entry.kind == "column" and entry.ref == ref:
            return Candidate(entry, score, score)
    return None


def columns_where(question: Question, keep: Callable[[Entry], bool], score: float) -> tuple[Candidate, ...]:
    """Every column of the Summary that fits, all with the same score."""
    return tuple(Candidate(e, score, score) for e in question.lexicon.entries if e.kind == "column" and keep(e))


def one_of(values: Sequence[Literalish], negated: bool) -> Callable[[str], Filter | None]:
    """A filter by one value, or by any of several."""

    def build(ref: str) -> Filter | None:
        if len(values) == 1:
            return Compare(op="ne" if negated else "eq", column=ref, value=values[0])
        return InList(op="not_in" if negated else "in", column=ref, values=tuple(values))

    return build


def nearest(question: Question, first: int, last: int, *, text: bool, loose: bool = True) -> Mention | None:
    """The mention a value belongs to: right before it, right after it, else the closest before in the sentence."""
    comparing = {
        "more",
        "less",
        "greater",
        "fewer",
        "higher",
        "lower",
        "larger",
        "smaller",
        "above",
        "below",
        "over",
        "under",
        "least",
        "most",
        "up",
        "between",
        "not",
        "no",
        "exceed",
        "exceeds",
        "exceeding",
        "exactly",
        "ranging",
        "range",
        "longer",
        "older",
        "younger",
        "shorter",
        "be",
        "do",
        "does",
        "cheaper",
        "bigger",
        "maximum",
        "minimum",
        "same",
        "ranges",
        "during",
        "until",
        ">",
        "<",
        "$",
    }
    fits = [m for m in question.mentions if _fits_value(question, m, text)]
    left = [m for m in fits if m.last < first]
    right = [m for m in fits if m.first > last]
    if left:
        gap = question.between(left[-1].last, first)
        linked = all(t.text in CONNECTIVES or t.text in comparing or t.kind in {"number", "quoted"} for t in gap)
        if linked and not (not text and right and _adds_more(question, left[-1], right[0], gap, last)):
            return left[-1]
    if right and all(
        t.text in {"or", "more", "higher", "less", "fewer", "lower", "above", "greater", "different", "in", "-"}
        for t in question.between(last, right[0].first)
    ):
        return right[0]
    if not loose and not text:
        return left[-1] if left and first - left[-1].last <= 5 else None
    if text:
        return left[-1] if left and first - left[-1].last <= 6 else None
    numeric = [m for m in left if _is_numeric(question, m)]
    return numeric[-1] if numeric else (left[-1] if left and not right else None)


def _adds_more(question: Question, left: Mention, right: Mention, gap: Sequence[Token], last: int) -> bool:
    """``customers with at least 20 orders``: the number is of what follows, as the name before has no number."""
    if right.first != last + 1 or _is_numeric(question, left):
        return False
    if _is_numeric(question, right):
        return True
    counted = bool(right.of_kind("table", "metric")) or bool(rows_of(question, right))
    return counted and any(t.text in {"with", "have", "has", "having", "had", "of"} for t in gap)


def rows_of(question: Question, mention: Mention) -> tuple[Candidate, ...]:
    """The key of the rows, where a plural names them by it and by no number: ``orders`` of an order_id."""
    columns = question.lexicon.columns
    token = question.tokens[mention.last]
    if token.text == token.lemma or _is_numeric(question, mention):
        return ()
    keys = [c for c in mention.of_kind("column") if is_identifier(columns[c.entry.ref])]
    return tuple(c for c in keys if columns[c.entry.ref].distinct == "unique")


def _is_numeric(question: Question, mention: Mention) -> bool:
    best = mention.candidates[0].entry
    columns = question.lexicon.columns
    return best.kind == "column" and columns[best.ref].type.is_numeric and not is_identifier(columns[best.ref])


def _fits_value(question: Question, mention: Mention, text: bool) -> bool:
    columns = question.lexicon.columns
    if mention.of_kind("table", "metric"):
        return True
    if text:
        return any(
            columns[c.entry.ref].type in {ColumnType.TEXT, ColumnType.OTHER, ColumnType.INTEGER}
            for c in mention.of_kind("column")
        )
    return any(not columns[c.entry.ref].type.is_temporal for c in mention.of_kind("column")) or bool(
        mention.of_kind("column")
    )
