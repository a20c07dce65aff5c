"""Filters by named values: masked words, quoted words, labels of vocabularies, and yes/no columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import Compare, Filter, NullTest, Placeholder
from gateway.llm.offline.lexicon import Entry
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import (
    NEGATION,
    WITHOUT,
    Found,
    Grouped,
    before_of,
    candidate_of,
    columns_where,
    nearest,
    one_of,
)
from gateway.llm.offline.question import ENDED, Question, is_end
from gateway.llm.offline.slots import Literalish, Slot

_PEOPLE: Final = frozenset({"person", "name", "org", "organization"})
_ENTITY_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email_like",),
    "phone": ("phone_like",),
    "person": ("name_like",),
    "name": ("name_like",),
    "url": ("url_like",),
    "location": ("city", "country", "region"),
    "place": ("city", "country", "region"),
    "org": ("name_like",),
    "organization": ("name_like",),
    "date": ("timestamp",),
}


# Named values: placeholders and quoted words.


def find_values(question: Question, found: Found) -> None:
    """Add filters by masked and quoted words."""
    tokens = question.tokens
    index = 0
    while index < len(tokens):
        if tokens[index].kind not in {"placeholder", "quoted"} or index in found.tokens:
            index += 1
            continue
        group = [index]
        nxt = index + 1
        while nxt < len(tokens):
            if tokens[nxt].kind == tokens[index].kind and _same_columns(question, index, nxt):
                group.append(nxt)
            elif tokens[nxt].text not in {",", "and", "or", "vs", "versus", ".", "&", "/", "with", "to", "against"}:
                break
            nxt += 1
        _value_slot(question, found, group)
        index = group[-1] + 1


def _same_columns(question: Question, left: int, right: int) -> bool:
    a, b = question.tokens[left], question.tokens[right]
    return not a.columns or not b.columns or bool(set(a.columns) & set(b.columns))


def _value_slot(question: Question, found: Found, group: Sequence[int]) -> None:
    tokens = [question.tokens[i] for i in group]
    values: list[Literalish] = [Placeholder(placeholder=t.text) if t.kind == "placeholder" else t.text for t in tokens]
    shared = set(tokens[0].columns).intersection(*(t.columns for t in tokens)) if tokens[0].columns else set()
    near = _named_by(question, group, shared) or nearest(question, group[0], group[-1], text=True)
    entity = tokens[0].text.partition(":")[0] if tokens[0].kind == "placeholder" and ":" in tokens[0].text else ""
    if entity and near is not None and near.candidates[0].entry.kind != "column":
        near = near if entity in _PEOPLE and _is_named(question, near) else None
    named = (
        {c.entry.ref for c in near.of_kind("column")} if near and near.candidates[0].entry.kind == "column" else set()
    )
    if near and not shared:
        named |= {question.lexicon.label_columns.get(c.entry.table, "") for c in near.of_kind("table")}
    refs = shared or named
    candidates: list[Candidate] = []
    if refs:
        for ref in sorted(refs):
            close = near is not None and (
                any(c.entry.ref == ref for c in near.of_kind("column"))
                or any(c.entry.table == ref.partition(".")[0] for c in near.of_kind("table"))
            )
            one = candidate_of(question, ref, 1.0 if close or len(refs) == 1 else 0.8)
            candidates.extend([one] if one else [])
    else:
        candidates.extend(
            _entity_columns(question, tokens[0].text.partition(":")[0] if tokens[0].kind == "placeholder" else "")
        )
    names = near is not None and any(c.entry.ref in refs for c in near.of_kind("column"))
    if near is not None and names and near.candidates[0].entry.kind == "column" and not _is_grouping(question, near):
        found.used.update(near.tokens)
    negated = bool(NEGATION.search(before_of(question, group[0])))
    found.tokens.update(group)
    found.slots.append(Slot("filter", tuple(candidates), group[0], build=one_of(values, negated)))


def _named_by(question: Question, group: Sequence[int], shared: set[str]) -> Mention | None:
    """A mention right before or after a masked value that names one of its columns."""
    for mention in question.mentions:
        before = 0 < group[0] - mention.last <= 2 and question.linked(mention.last, group[0])
        after = mention.first == group[-1] + 1
        if (before or after) and any(c.entry.ref in shared for c in mention.of_kind("column")):
            return mention
    return None


def _is_named(question: Question, mention: Mention) -> bool:
    """Whether the rows of the table that a mention names have names."""
    label = question.lexicon.label_columns.get(mention.candidates[0].entry.table, "")
    return bool(label) and question.lexicon.columns[label].type is ColumnType.TEXT


def _is_grouping(question: Question, mention: Mention) -> bool:
    return any(p.cue.kind in {"group", "series"} and p.last == mention.first - 1 for p in question.cues)


def _entity_columns(question: Question, kind: str) -> tuple[Candidate, ...]:
    wanted = _ENTITY_HINTS.get(kind, ())
    lexicon = question.lexicon

    def keep(entry: Entry) -> bool:
        column = lexicon.columns[entry.ref]
        if column.semantic is not None and column.semantic in wanted:
            return True
        if column.type is not ColumnType.TEXT:
            return False
        if kind in column.name.lower():
            return True
        return "name_like" in wanted and lexicon.label_columns.get(entry.table) == entry.ref

    found = columns_where(question, keep, 0.8)
    if found:
        return found
    return columns_where(question, lambda e: lexicon.columns[e.ref].type is ColumnType.TEXT, 0.3)


# Labels of vocabularies, and yes/no columns.


def find_labels(question: Question, found: Found, grouped: Grouped) -> None:
    """Add filters by labels of vocabularies and by yes/no columns."""
    groups: list[list[Mention]] = []
    for mention in question.mentions:
        label = mention.best("label")
        if label is None or grouped(mention) or not set(mention.tokens).isdisjoint(found.used):
            continue
        others = [c for c in mention.candidates if c.entry.kind != "label" and c.score > label.score + 0.02]
        if label.score < 0.85 or others or _measured(question, mention):
            continue
        previous = groups[-1][-1] if groups else None
        joined = (
            previous is not None
            and all(
                t.text in {",", "and", "or", "vs", "versus", ".", "&", "to", "with", "against", "compared", "than"}
                or any(
                    t.start >= question.tokens[m.first].start and t.end <= question.tokens[m.last].end
                    for m in question.mentions
                    if m.best("table")
                )
                for t in question.between(previous.last, mention.first)
            )
            and bool({c.entry.ref for c in previous.of_kind("label")} & {c.entry.ref for c in mention.of_kind("label")})
        )
        if joined:
            groups[-1].append(mention)
        else:
            groups.append([mention])
    for group in groups:
        _label_slot(question, found, group, grouped)
    for mention in question.mentions:
        _flag(question, found, mention, grouped)


def _measured(question: Question, mention: Mention) -> bool:
    return any(
        p.cue.kind == "aggregate"
        and p.cue.value not in {"count", "count_distinct"}
        and p.last == mention.first - 1
        and bool(mention.of_kind("column", "metric"))
        for p in question.cues
    )


def _beside(question: Question, mention: Mention, group: Sequence[Mention]) -> bool:
    """Whether a mention stands right before or after labels: ``enterprise plan``, ``status returned``."""
    if mention.first == group[-1].last + 1:
        return True
    return (
        mention.last < group[0].first
        and group[0].first - mention.last <= 3
        and question.linked(mention.last, group[0].first)
    )


def _label_slot(question: Question, found: Found, group: Sequence[Mention], grouped: Grouped) -> None:
    refs: dict[str, list[Candidate]] = {}
    for mention in group:
        seen: set[str] = set()
        for candidate in mention.of_kind("label"):
            if candidate.score >= 0.85 and candidate.entry.ref not in seen:
                seen.add(candidate.entry.ref)
                refs.setdefault(candidate.entry.ref, []).append(candidate)
    whole = {ref: found_here for ref, found_here in refs.items() if len(found_here) == len(group)}
    negated = bool(NEGATION.search(before_of(question, group[0].first)))
    texts = {ref: [c.entry.text for c in labels] for ref, labels in whole.items()}
    candidates = tuple(labels[0] for labels in whole.values())
    if not candidates:
        return
    beside = next((m for m in question.mentions if _beside(question, m, group) and not grouped(m)), None)
    if (
        beside is not None
        and beside.candidates[0].entry.kind == "column"
        and any(c.entry.ref in whole for c in beside.of_kind("column"))
    ):
        candidates = tuple(c for c in candidates if any(c.entry.ref == n.entry.ref for n in beside.of_kind("column")))
        found.used.update(beside.tokens)
    ended: set[str] = set()
    if len(group) == 1 and question.word(group[0].first) in ENDED:
        ends = [c for c in group[0].of_kind("column") if is_end(question.lexicon, c.entry.ref)]
        ended = {c.entry.ref for c in ends}
        candidates += tuple(ends)

    def build(ref: str) -> Filter | None:
        if ref in ended:
            return NullTest(op="is_null" if negated else "not_null", column=ref)
        values: list[Literalish] = [*texts.get(ref, [])]
        return one_of(values, negated)(ref) if values else None

    for mention in group:
        found.used.update(mention.tokens)
    found.slots.append(Slot("filter", candidates, group[0].first, build=build))


def _flag(question: Question, found: Found, mention: Mention, grouped: Grouped) -> None:
    best = mention.best("column")
    if best is None or best.score < 0.6 or grouped(mention) or not set(mention.tokens).isdisjoint(found.used):
        return
    column = question.lexicon.columns[best.entry.ref]
    if column.type is not ColumnType.BOOLEAN:
        return
    if any(c.score > best.score for c in mention.candidates):
        return
    negated = bool(
        NEGATION.search(before_of(question, mention.first)) or WITHOUT.search(before_of(question, mention.first))
    )

    def build(ref: str) -> Filter | None:
        return Compare(op="eq", column=ref, value=not negated)

    found.used.update(mention.tokens)
    found.slots.append(Slot("filter", (best,), mention.first, build=build))
