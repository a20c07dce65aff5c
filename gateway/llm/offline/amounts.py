"""Filters by numbers: comparisons, ranges, lists of numbers, and groups kept by how much they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, cast

from gateway.chart.spec import Aggregate, Between, Compare, Filter
from gateway.llm.offline.lexicon import is_identifier, is_year, words_of
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import (
    COMPARING,
    NEGATION,
    Found,
    Grouped,
    after_of,
    before_of,
    columns_where,
    nearest,
    one_of,
    rows_of,
)
from gateway.llm.offline.question import PlacedTime, Question
from gateway.llm.offline.slots import Op, Slot
from gateway.llm.offline.text import number_of, word_set
from gateway.llm.offline.worth import keep_worth

_BEFORE: Final[tuple[tuple[Op, re.Pattern[str]], ...]] = tuple(
    (cast("Op", op), re.compile(rf"(?:{words})\s*(?:than|of|to|by|the|a|an|value|values|id|:)?\s*$"))
    for op, words in (
        (
            "le",
            r"\b(?:no more|not more|no greater|not greater|no higher|not higher|no larger|not larger)|"
            r"\bat most|\bup to|\bnot (?:exceed(?:ing)?|over|above|surpass(?:ing)?)|\b(?:don't|do not|"
            r"doesn't|does not|didn't|did not) (?:exceed|surpass)|\bmaximum(?: of)?|<=|≤|\bwithin|"
            r"\bno later",
        ),
        (
            "ge",
            r"\b(?:no less|not less|no fewer|not fewer|no lower|not lower|no smaller|not below|no "
            r"earlier)|\bat least|\bminimum(?: of)?|>=|≥|\bstarting (?:from|at)|\bfrom|\bsince",
        ),
        (
            "gt",
            r"\b(?:more|greater|higher|larger|bigger|longer|older|taller|heavier|better|costlier)(?= "
            r"than|\s*$)|\bover|\babove|\bafter|\bexceed(?:s|ed|ing)?|\bbeyond|\bsurpass(?:es|ed|ing)?|>|"
            r"\bupwards? of|\bexpensive(?= than)",
        ),
        (
            "lt",
            r"\b(?:less|fewer|lower|smaller|shorter|younger|cheaper|lighter|worse)(?= than|\s*$)|"
            r"\bunder|\bbelow|\bbefore|<",
        ),
        (
            "ne",
            r"\bnot(?: equal)?|!=|\bother|\bexcept|\bexcluding|\bwithout",
        ),
        (
            "eq",
            r"\bequal(?:s|ed|ing)?|=|\bexactly|\bprecisely",
        ),
    )
)

_AFTER: Final[tuple[tuple[Op, re.Pattern[str]], ...]] = (
    (
        "ge",
        re.compile(
            r"^\s*(?:[a-z]+\s)?(?:or|and) (?:more|higher|greater|above|larger|over|bigger|older|"
            r"longer|later|up|better|upwards?)\b|^\s*\+|^\s*(?:and )?onwards?\b"
        ),
    ),
    (
        "le",
        re.compile(
            r"^\s*(?:[a-z]+\s)?(?:or|and) (?:less|lower|fewer|below|smaller|under|younger|shorter|"
            r"earlier|down|cheaper)\b"
        ),
    ),
)

_PRICED: Final = re.compile(r"price|cost|fee|amount|total|value|revenue")
_KEYED: Final = word_set("id number no code key nr")
"""Words that say that a key itself is compared."""
_BETWEEN: Final = re.compile(
    r"\b(?:between|from|ranging from|range(?:s|d)? (?:from|of|between)|in the range of|"
    r"within)\s*(?:the )?(?:[a-z]+ ){0,4}$"
)


# Numbers.


def find_numbers(question: Question, found: Found, grouped: Grouped) -> None:
    """Add filters by numbers, and groups kept by how much they have."""
    tokens = question.tokens
    busy = {
        i
        for p in question.cues
        for i in range(p.first, p.last + 1)
        if p.cue.kind in {"top", "moving", "aggregate", "style"}
    }
    busy |= {i for t in question.times if not is_plain_year(question, t) for i in range(t.first, t.last + 1)}
    busy |= {i for m in question.mentions for i in m.tokens}
    index = 0
    while index < len(tokens):
        counted = question.word(index + 1) in {"bins", "buckets", "classes", "intervals"}
        if tokens[index].kind != "number" or index in busy or counted:
            index += 1
            continue
        group = [index]
        nxt = index + 1
        while nxt < len(tokens) and (
            tokens[nxt].kind == "number" or tokens[nxt].text in {",", "and", "or", "to", "-", "–", "&"}
        ):
            if tokens[nxt].kind == "number" and nxt not in busy:
                group.append(nxt)
            nxt += 1
        _number_slot(question, found, group, grouped)
        index = group[-1] + 1


def is_plain_year(question: Question, placed: PlacedTime) -> bool:
    """Whether a year is a plain number: there is no date column, or the words before name a numeric column.

    ``this week`` and ``March 2024`` never are, whatever stands before them.
    """
    first, period = placed.first, placed.time.period
    if period is not None and (period.kind != "calendar" or period.month or period.quarter):
        return False
    temporal = any(c.type.is_temporal for c in question.lexicon.columns.values())
    if not temporal:
        return not any(is_year(column) for column in question.lexicon.columns.values())
    near = next((m for m in reversed(question.mentions) if m.last < first and question.linked(m.last, first)), None)
    best = near.best("column") if near else None
    if best is None or best.score <= 0.7 or not question.lexicon.columns[best.entry.ref].type.is_numeric:
        return False
    yearly = question.lexicon.columns[best.entry.ref].semantic == "year" or "year" in best.entry.ref.lower()
    return yearly or question.word(first) not in {"in", "during", "since", "before", "after"}


def _number_slot(question: Question, found: Found, group: Sequence[int], grouped: Grouped) -> None:
    tokens = question.tokens
    numbers = [number_of(tokens[i].text) for i in group]
    before, after = before_of(question, group[0]), after_of(question, group[-1])
    build: Callable[[str], Filter | None]
    compare: tuple[Op, float] | None = None
    span = question.lowered[tokens[group[0]].end : tokens[group[-1]].start]
    if len(group) == 2 and (_BETWEEN.search(before) or re.fullmatch(r"\s*(?:to|-|–)\s*", span)):
        low, high = sorted(numbers)
        build = _between(low, high)
        op: Op | None = "ge"
    else:
        op = next((o for o, p in _AFTER if p.search(after)), None) or next(
            (o for o, p in _BEFORE if p.search(before)), None
        )
        if op == "ge" and re.search(r"\bfrom\s*$", before) and len(group) > 1:
            op = None
        if op in {None, "eq", "ne"}:
            build = one_of(numbers, op == "ne" or bool(NEGATION.search(before)))
        else:
            compare = (op, numbers[0])
            build = _compare(compare)
    near = nearest(question, group[0], group[-1], text=False, loose=op is not None)
    if near is None and op is None:
        return
    if compare and near is not None and near.last < group[0] and keep_worth(question, found, near, group[-1], compare):
        found.tokens.update(range(near.last + 1, group[-1] + 1))
        return
    ranged = compare is not None or (len(group) == 2 and op == "ge")
    candidates = _hinted(question, group[0], near) or _number_columns(question, near, compared=ranged)
    candidates = _owned(question, near, candidates)
    if any(isinstance(number, float) for number in numbers) or "$" in tokens[group[0]].text:
        # A key has no fraction and no currency.
        candidates = tuple(
            replace(c, score=c.score * (0.4 if is_identifier(question.lexicon.columns[c.entry.ref]) else 1.0))
            for c in candidates
        )
    tables = near.of_kind("table") if near else ()
    found.tokens.update(group)
    around = (*range(max(0, group[0] - 4), group[0]), *range(group[-1] + 1, group[-1] + 4))
    found.tokens.update(i for i in around if question.word(i) in COMPARING)
    follows = near is not None and near.first > group[-1]
    if compare and near and follows and tables and tables[0].score >= (candidates[0].score if candidates else 0.0):
        found.slots.append(Slot("having", tables, group[0], compare=compare, aggregate="count"))
        found.used.update(near.tokens)
        return
    rows = rows_of(question, near) if follows and near is not None else ()
    if compare and rows and near is not None and any(m.last < group[0] for m in question.mentions):
        # "reps with more than 100 orders" where there is an order_id, but no table of orders.
        found.slots.append(Slot("having", rows, group[0], compare=compare, aggregate="count"))
        found.used.update(near.tokens)
        return
    if near is not None and not grouped(near) and near.candidates[0].entry.kind in {"column", "metric"}:
        found.used.update(near.tokens)
    if compare and near and near.of_kind("metric") and not candidates:
        found.slots.append(Slot("having", near.of_kind("metric"), group[0], compare=compare))
        return
    aggregated = near is not None and any(
        p.cue.kind == "aggregate"
        and p.cue.value in {"avg", "sum", "median", "count"}
        and p.last < near.first
        and question.linked(p.last, near.first)
        and re.search(r"\b(?:with|having|whose|where|have|has)\b", question.lowered[: tokens[p.first].start])
        for p in question.cues
    )
    if compare and aggregated and near is not None:
        cue = next(p for p in reversed(question.cues) if p.cue.kind == "aggregate" and p.last < near.first)
        found.slots.append(
            Slot("having", near.candidates, group[0], compare=compare, aggregate=cast("Aggregate", cue.cue.value))
        )
        found.tokens.update(range(cue.first, cue.last + 1))
        return
    found.slots.append(Slot("filter", candidates, near.first if near else group[0], build=build))


def _owned(question: Question, near: Mention | None, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """``books with IDs 7 and 9``: of several keys, the one that is called after what is spoken of before."""
    if near is None or not all(question.tokens[i].lemma in _KEYED for i in near.tokens):
        return candidates
    owner = next((m for m in reversed(question.mentions) if m.last < near.first and near.first - m.last <= 3), None)
    if owner is None:
        return candidates
    word = question.tokens[owner.last].lemma
    alike = question.lexicon.similar(word)
    columns = question.lexicon.columns
    # "books with IDs 7 and 9" in a table of publications: another key than the table's own may be called after them.
    called = columns_where(
        question, lambda e: is_identifier(columns[e.ref]) and word in words_of(e.ref.partition(".")[2]), 1.0
    )
    known = {c.entry.ref for c in called}
    others = [c for c in candidates if c.entry.ref not in known]

    def fits(candidate: Candidate) -> bool:
        return any(one in alike for form in candidate.entry.forms for one in form.words)

    gain = 0.0 if called else OWNED
    owned = tuple(replace(c, score=min(1.0, c.score + gain)) for c in others if fits(c))
    rest = owned + tuple(c for c in others if not fits(c))
    return called + (tuple(replace(c, score=max(0.1, c.score - OWNED)) for c in rest) if called else rest)


OWNED: Final = 0.3
"""What a key gains that is called after the things it is said to be the key of."""

_HINTS: Final = {
    "older": "age", "younger": "age", "taller": "height", "heavier": "weight", "lighter": "weight",
    "longer": "duration", "shorter": "duration", "cheaper": "price", "expensive": "price", "costlier": "price",
    "pricier": "price",
}  # fmt: skip
"""Comparatives that say by which quantity they compare."""


def _hinted(question: Question, first: int, near: Mention | None) -> tuple[Candidate, ...]:
    """Columns of the quantity that a comparative names, on the table that is spoken of where it has one."""
    named = near.candidates[0].entry if near is not None else None
    if named is not None and named.kind == "column" and not is_identifier(question.lexicon.columns[named.ref]):
        return ()
    before = [question.word(i) for i in range(max(0, first - 3), first)]
    hint = next((_HINTS[word] for word in before if word in _HINTS), None)
    if hint is None:
        return ()
    columns = question.lexicon.columns
    found = columns_where(
        question, lambda e: columns[e.ref].type.is_numeric and hint in words_of(columns[e.ref].name), 0.9
    )
    tables = {c.entry.table for c in near.candidates} if near else set()
    return tuple(c for c in found if c.entry.table in tables) or found


def _number_columns(question: Question, near: Mention | None, *, compared: bool) -> tuple[Candidate, ...]:
    columns = question.lexicon.columns
    if near is not None:
        named = near.of_kind("column")
        numeric = tuple(c for c in named if columns[c.entry.ref].type.is_numeric)
        if compared and not any(question.tokens[i].lemma in _KEYED for i in near.tokens):
            # "orders above 1000" are not those of a high order_id.
            numeric = named = tuple(c for c in numeric if not is_identifier(columns[c.entry.ref]))
        if near.candidates[0].entry.kind == "column" and (numeric or named):
            return numeric or named
        rows = not named and near.candidates[0].entry.kind == "column"
        tables = {c.entry.table for c in (near.candidates if rows else near.of_kind("table", "label"))}
        sized = columns_where(
            question,
            lambda e: e.table in tables and columns[e.ref].type.is_numeric and not is_identifier(columns[e.ref]),
            0.55,
        )
        if compared and sized:
            priced = tuple(replace(c, score=0.6) for c in sized if _PRICED.search(c.entry.ref))
            return priced + tuple(c for c in sized if not _PRICED.search(c.entry.ref))
        ids = columns_where(
            question,
            lambda e: e.table in tables and is_identifier(columns[e.ref]) and columns[e.ref].type.is_numeric,
            0.6,
        )
        if ids or near.of_kind("metric"):
            return ids
    return columns_where(question, lambda e: columns[e.ref].type.is_numeric and not is_identifier(columns[e.ref]), 0.3)


def _compare(compare: tuple[Op, float]) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        return Compare(op=compare[0], column=ref, value=compare[1])

    return build


def _between(low: float, high: float) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        return Between(op="between", column=ref, low=low, high=high)

    return build
