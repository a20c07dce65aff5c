"""Filters of a question: numbers with comparisons, named labels, masked values, periods, emptiness, related rows.

Every condition becomes a slot with the columns it may be about; the words that named the column are used up unless
the question also groups by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from gateway.catalog import ColumnType
from gateway.chart.spec import AnyOf, Between, Compare, During, Exists, Filter, InList, NullTest, Placeholder
from gateway.llm.offline.lexicon import Entry, is_identifier
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Literalish, Slot
from gateway.llm.offline.text import number_of
from gateway.llm.offline.times import TimeExpr

Op = Literal["eq", "ne", "lt", "le", "gt", "ge"]

_BEFORE: Final[tuple[tuple[Op, re.Pattern[str]], ...]] = tuple(
    (cast("Op", op), re.compile(rf"(?:{words})\s*(?:than|of|to|by|the|a|an|value|values|id|:)?\s*$"))
    for op, words in (
        ("le", r"\b(?:no more|not more|no greater|not greater|no higher|not higher|no larger|not larger)|\bat most|\bup to|"
               r"\bnot (?:exceed(?:ing)?|over|above|surpass(?:ing)?)|\b(?:don't|do not|doesn't|does not|didn't|did not) (?:exceed|surpass)|"
               r"\bmaximum(?: of)?|<=|≤|\bwithin|\bno later"),
        ("ge", r"\b(?:no less|not less|no fewer|not fewer|no lower|not lower|no smaller|not below|no earlier)|\bat least|"
               r"\bminimum(?: of)?|>=|≥|\bstarting (?:from|at)|\bfrom"),
        ("gt", r"\b(?:more|greater|higher|larger|bigger|longer|older|taller|heavier|better|costlier)(?= than|\s*$)|\bover|\babove|"
               r"\bexceed(?:s|ed|ing)?|\bbeyond|\bsurpass(?:es|ed|ing)?|>|\bupwards? of|\bexpensive(?= than)"),
        ("lt", r"\b(?:less|fewer|lower|smaller|shorter|younger|cheaper|lighter|worse)(?= than|\s*$)|\bunder|\bbelow|<"),
        ("ne", r"\bnot(?: equal)?|!=|\bother|\bexcept|\bexcluding|\bwithout"),
        ("eq", r"\bequal(?:s|ed|ing)?|=|\bexactly|\bprecisely"),
    )
)  # fmt: skip

_AFTER: Final[tuple[tuple[Op, re.Pattern[str]], ...]] = (
    ("ge", re.compile(r"^\s*(?:[a-z]+\s)?(?:or|and) (?:more|higher|greater|above|larger|over|bigger|older|longer|later|up|better|upwards?)\b|^\s*\+|^\s*(?:and )?onwards?\b")),
    ("le", re.compile(r"^\s*(?:[a-z]+\s)?(?:or|and) (?:less|lower|fewer|below|smaller|under|younger|shorter|earlier|down|cheaper)\b")),
)  # fmt: skip

_BETWEEN: Final = re.compile(
    r"\b(?:between|from|ranging from|range(?:s|d)? (?:from|of|between)|in the range of|within)\s*(?:the )?(?:[a-z]+ ){0,4}$"
)
_NEGATION: Final = re.compile(
    r"\b(?:not|non|excluding|exclude|except(?: for)?|other than|without|aren't|isn't|weren't|wasn't|ignoring|ignore|but not|apart from|outside(?: of)?)"
    r"(?: (?:from|in|the|by|any|those|of|for|on|via|through|with|been|be|have|has|a|an)){0,3}[\s-]*$"
)
_WITHOUT: Final = re.compile(
    r"\b(?:without|with no|having no|has no|have no|lacking|missing|no|have not|has not|haven't|hasn't|did not|didn't|don't have|do not have|doesn't have|never|not|yet to)(?: (?:any|a|an|the|yet|ever|been|have|has|placed?|made?|leave|left|given|provided?|known|recorded|opened?|bought|set)){0,3}\s*$"
)
_WITH: Final = re.compile(
    r"\b(?:with|who have|that have|having|have|has|who placed|who opened|who made|who own|who left|with at least one)(?: (?:a|an|any|some|at least one|known|placed|opened|made))?\s*$"
)
_EMPTY_AFTER: Final = re.compile(
    r"^\s*(?:is|are|was|were)?\s*(?:missing|empty|null|blank|unknown|not (?:set|known|given|recorded|provided))\b"
)
_FILLED_AFTER: Final = re.compile(
    r"^\s*(?:is|are|was|were)?\s*(?:not (?:missing|empty|null|blank|unknown)|(?:is |are )?(?:set|known|present|given|recorded|provided)\b)"
)
_ENDED: Final = frozenset("close closed end ended finish finished cancel cancelled canceled resolve resolved complete completed "
                          "churn expire expired terminate terminated stop stopped return returned delete deleted".split())  # fmt: skip
_ONGOING: Final = re.compile(
    r"\b(?:still )?(?:active|open|ongoing|unresolved|unclosed|current|running|uncancelled|live|outstanding|pending)\b(?! up)"
)

_ENTITY_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("email_like",), "phone": ("phone_like",), "person": ("name_like",), "name": ("name_like",),
    "url": ("url_like",), "location": ("city", "country", "region"), "place": ("city", "country", "region"),
    "org": ("name_like",), "organization": ("name_like",), "date": ("timestamp",),
}  # fmt: skip


@dataclass(slots=True)
class Found:
    """Conditions as slots, and the tokens of mentions that they used up."""

    slots: list[Slot] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    tokens: set[int] = field(default_factory=set)


def find_conditions(question: Question, grouped: Callable[[Mention], bool]) -> Found:
    """Find every condition of a question.

    Args:
        question: What was read.
        grouped: Whether a mention is governed by a grouping word, so that it stays a group as well.
    """
    found = Found()
    _values(question, found)
    _numbers(question, found, grouped)
    _labels(question, found, grouped)
    _emptiness(question, found, grouped)
    _times(question, found)
    return found


def _before(question: Question, index: int) -> str:
    return question.lowered[: question.tokens[index].start] if index < len(question.tokens) else question.lowered


def _after(question: Question, index: int) -> str:
    return question.lowered[question.tokens[index].end :]


def _candidate(question: Question, ref: str, score: float = 1.0) -> Candidate | None:
    for entry in question.lexicon.entries:
        if entry.kind == "column" and entry.ref == ref:
            return Candidate(entry, score, score)
    return None


def columns_where(question: Question, keep: Callable[[Entry], bool], score: float) -> tuple[Candidate, ...]:
    """Every column of the Summary that fits, all with the same score."""
    return tuple(Candidate(e, score, score) for e in question.lexicon.entries if e.kind == "column" and keep(e))


# Named values: placeholders and quoted words.


def _values(question: Question, found: Found) -> None:
    tokens = question.tokens
    index = 0
    while index < len(tokens):
        if tokens[index].kind not in {"placeholder", "quoted"}:
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
    near = _nearest(question, group[0], group[-1], text=True)
    named = {c.entry.ref for c in near.of_kind("column")} if near else set()
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
            one = _candidate(question, ref, 1.0 if close or len(refs) == 1 else 0.8)
            candidates.extend([one] if one else [])
    else:
        candidates.extend(
            _entity_columns(question, tokens[0].text.partition(":")[0] if tokens[0].kind == "placeholder" else "")
        )
    if (
        near is not None
        and near.best("column")
        and near.best("column").score > 0.7
        and not _is_grouping(question, near)
    ):  # type: ignore[union-attr]
        found.used.update(near.tokens)
    negated = bool(_NEGATION.search(_before(question, group[0])))
    found.tokens.update(group)
    found.slots.append(Slot("filter", tuple(candidates), group[0], build=_one_of(values, negated)))


def _is_grouping(question: Question, mention: Mention) -> bool:
    return any(p.cue.kind in {"group", "series"} and p.last == mention.first - 1 for p in question.cues)


def _entity_columns(question: Question, kind: str) -> tuple[Candidate, ...]:
    wanted = _ENTITY_HINTS.get(kind, ())
    lexicon = question.lexicon

    def keep(entry: Entry) -> bool:
        column = lexicon.columns[entry.ref]
        if column.semantic is not None and column.semantic in wanted:
            return True
        if kind in column.name.lower():
            return True
        return "name_like" in wanted and lexicon.label_columns.get(entry.table) == entry.ref

    found = columns_where(question, keep, 0.8)
    if found:
        return found
    return columns_where(question, lambda e: lexicon.columns[e.ref].type is ColumnType.TEXT, 0.3)


def _one_of(values: Sequence[Literalish], negated: bool) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        if len(values) == 1:
            return Compare(op="ne" if negated else "eq", column=ref, value=values[0])
        return InList(op="not_in" if negated else "in", column=ref, values=tuple(values))

    return build


# Numbers.


def _numbers(question: Question, found: Found, grouped: Callable[[Mention], bool]) -> None:
    tokens = question.tokens
    busy = {
        i
        for p in question.cues
        for i in range(p.first, p.last + 1)
        if p.cue.kind in {"top", "moving", "aggregate", "style"}
    }
    busy |= {
        i for t in question.times if not _plain_year(question, t.time, t.first) for i in range(t.first, t.last + 1)
    }
    busy |= {i for m in question.mentions for i in m.tokens}
    index = 0
    while index < len(tokens):
        if tokens[index].kind != "number" or index in busy:
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


def _plain_year(question: Question, time: TimeExpr, first: int) -> bool:
    """Whether a year is a plain number: there is no date column, or the words before name a numeric column."""
    temporal = any(c.type.is_temporal for c in question.lexicon.columns.values())
    if not temporal:
        return True
    near = next((m for m in reversed(question.mentions) if m.last < first and question.linked(m.last, first)), None)
    best = near.best("column") if near else None
    return best is not None and best.score > 0.7 and question.lexicon.columns[best.entry.ref].type.is_numeric


def _number_slot(question: Question, found: Found, group: Sequence[int], grouped: Callable[[Mention], bool]) -> None:
    tokens = question.tokens
    numbers = [number_of(tokens[i].text) for i in group]
    before, after = _before(question, group[0]), _after(question, group[-1])
    build: Callable[[str], Filter | None]
    compare: tuple[Op, float] | None = None
    span = question.lowered[tokens[group[0]].end : tokens[group[-1]].start]
    if len(group) == 2 and (_BETWEEN.search(before) or re.fullmatch(r"\s*(?:to|-|–)\s*", span)):
        low, high = sorted(numbers)
        build = lambda ref: Between(op="between", column=ref, low=low, high=high)  # noqa: E731
        op: Op | None = "ge"
    else:
        op = next((o for o, p in _AFTER if p.search(after)), None) or next(
            (o for o, p in _BEFORE if p.search(before)), None
        )
        if op == "ge" and re.search(r"\bfrom\s*$", before) and len(group) > 1:
            op = None
        if op in {None, "eq", "ne"}:
            build = _one_of(numbers, op == "ne" or bool(_NEGATION.search(before)))
        else:
            compare = (op, numbers[0])  # type: ignore[assignment]
            build = _compare(compare)
    near = _nearest(question, group[0], group[-1], text=False, loose=op is not None)
    if near is None and op is None:
        return
    candidates = _number_columns(question, near)
    tables = near.of_kind("table") if near else ()
    found.tokens.update(group)
    follows = near is not None and near.first > group[-1]
    if compare and near and follows and tables and tables[0].score >= (candidates[0].score if candidates else 0.0):
        found.slots.append(Slot("having", tables, group[0], compare=compare, aggregate="count"))
        found.used.update(near.tokens)
        return
    if near is not None and not grouped(near) and (near.best("column") or near.best("metric")):
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
        found.slots.append(Slot("having", near.candidates, group[0], compare=compare, aggregate=cue.cue.value))  # type: ignore[arg-type]
        found.tokens.update(range(cue.first, cue.last + 1))
        return
    found.slots.append(Slot("filter", candidates, near.first if near else group[0], build=build))


def _compare(compare: tuple[Op, float]) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        return Compare(op=compare[0], column=ref, value=compare[1])

    return build


def _number_columns(question: Question, near: Mention | None) -> tuple[Candidate, ...]:
    columns = question.lexicon.columns
    if near is not None:
        named = near.of_kind("column")
        numeric = tuple(c for c in named if columns[c.entry.ref].type.is_numeric)
        if numeric or named:
            return numeric or named
        tables = {c.entry.table for c in near.of_kind("table", "label")}
        ids = columns_where(
            question,
            lambda e: e.table in tables and is_identifier(columns[e.ref]) and columns[e.ref].type.is_numeric,
            0.6,
        )
        if ids or near.of_kind("metric"):
            return ids
    return columns_where(question, lambda e: columns[e.ref].type.is_numeric and not is_identifier(columns[e.ref]), 0.3)


def _nearest(question: Question, first: int, last: int, *, text: bool, loose: bool = True) -> Mention | None:
    """The mention a value belongs to: right before it, right after it, else the closest before in the sentence."""
    comparing = {"more", "less", "greater", "fewer", "higher", "lower", "larger", "smaller", "above", "below", "over", "under",
                 "least", "most", "up", "between", "not", "no", "exceed", "exceeds", "exceeding", "exactly", "ranging", "range",
                 "longer", "older", "older", "younger", "shorter", "be", "do", "does", "cheaper", "bigger", "maximum", "minimum",
                 "same", "ranges", "during", "until", ">", "<", "$"}  # fmt: skip
    fits = [m for m in question.mentions if _fits_value(question, m, text)]
    left = [m for m in fits if m.last < first]
    right = [m for m in fits if m.first > last]
    if left:
        gap = question.between(left[-1].last, first)
        from gateway.llm.offline.question import CONNECTIVES  # noqa: PLC0415

        if all(t.text in CONNECTIVES or t.text in comparing or t.kind in {"number", "quoted"} for t in gap):
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


def _is_numeric(question: Question, mention: Mention) -> bool:
    best = mention.best("column")
    return best is not None and question.lexicon.columns[best.entry.ref].type.is_numeric


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


# Labels of vocabularies, and yes/no columns.


def _labels(question: Question, found: Found, grouped: Callable[[Mention], bool]) -> None:
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
        _label_slot(question, found, group)
    for mention in question.mentions:
        _flag(question, found, mention, grouped)


def _measured(question: Question, mention: Mention) -> bool:
    return any(p.cue.kind == "aggregate" and p.cue.value not in {"count", "count_distinct"} and p.last == mention.first - 1
               and bool(mention.of_kind("column", "metric")) for p in question.cues)  # fmt: skip


def _label_slot(question: Question, found: Found, group: Sequence[Mention]) -> None:
    refs: dict[str, list[Candidate]] = {}
    for mention in group:
        seen: set[str] = set()
        for candidate in mention.of_kind("label"):
            if candidate.score >= 0.85 and candidate.entry.ref not in seen:
                seen.add(candidate.entry.ref)
                refs.setdefault(candidate.entry.ref, []).append(candidate)
    whole = {ref: found_here for ref, found_here in refs.items() if len(found_here) == len(group)}
    negated = bool(_NEGATION.search(_before(question, group[0].first)))
    texts = {ref: [c.entry.text for c in labels] for ref, labels in whole.items()}
    candidates = tuple(labels[0] for labels in whole.values())
    if not candidates:
        return

    def build(ref: str) -> Filter | None:
        values: list[Literalish] = [*texts.get(ref, [])]
        return _one_of(values, negated)(ref) if values else None

    for mention in group:
        found.used.update(mention.tokens)
    found.slots.append(Slot("filter", candidates, group[0].first, build=build))


def _flag(question: Question, found: Found, mention: Mention, grouped: Callable[[Mention], bool]) -> None:
    best = mention.best("column")
    if best is None or best.score < 0.6 or grouped(mention) or not set(mention.tokens).isdisjoint(found.used):
        return
    column = question.lexicon.columns[best.entry.ref]
    if column.type is not ColumnType.BOOLEAN and not (
        column.semantic == "boolean_like" and column.type is ColumnType.BOOLEAN
    ):
        return
    if any(c.score > best.score for c in mention.candidates):
        return
    negated = bool(
        _NEGATION.search(_before(question, mention.first)) or _WITHOUT.search(_before(question, mention.first))
    )

    def build(ref: str) -> Filter | None:
        return Compare(op="eq", column=ref, value=not negated)

    found.used.update(mention.tokens)
    found.slots.append(Slot("filter", (best,), mention.first, build=build))


# Emptiness and related rows.


def _emptiness(question: Question, found: Found, grouped: Callable[[Mention], bool]) -> None:
    for number, mention in enumerate(question.mentions):
        if not set(mention.tokens).isdisjoint(found.used) or grouped(mention):
            continue
        before, after = _before(question, mention.first), _after(question, mention.last)
        lacking = bool(_WITHOUT.search(before)) or bool(_EMPTY_AFTER.search(after))
        having = bool(_WITH.search(before)) and number > 0 or bool(_FILLED_AFTER.search(after))
        if not lacking and not having:
            continue
        table, column = mention.best("table"), mention.best("column")
        if number > 0 and table is not None and (column is None or table.score >= column.score):
            _related(found, mention, table, lacking)
        elif column is not None and column.score > 0.6 and (lacking or _can_be_empty(question, column)):
            _null(found, mention, mention.of_kind("column"), lacking)
    ongoing = next((m for m in _ONGOING.finditer(question.lowered)), None)
    if ongoing is not None:
        _ongoing(question, found, ongoing.start(), ongoing.end())
    for mention in question.mentions:
        _ended(question, found, mention, grouped)


def _can_be_empty(question: Question, column: Candidate) -> bool:
    return question.lexicon.columns[column.entry.ref].nulls not in {"none"}


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
    columns = question.lexicon.columns
    return columns_where(
        question,
        lambda e: (
            columns[e.ref].type.is_temporal
            and columns[e.ref].nulls != "none"
            and not _ENDED.isdisjoint(columns[e.ref].name.lower().split("_"))
        ),
        0.7,
    )


def _ongoing(question: Question, found: Found, start: int, end: int) -> None:
    """``active subscriptions``, ``open tickets``: the date of their end is empty, where no label says it."""
    inside = {i for i, t in enumerate(question.tokens) if t.start < end and start < t.end}
    if not inside.isdisjoint(found.used):
        return
    ends = _ends(question)
    following = next((m for m in question.mentions if m.first > max(inside)), None)
    tables = {c.entry.table for c in following.of_kind("table", "column", "metric")} if following else set()
    chosen = tuple(c for c in ends if c.entry.table in tables) or ends
    if not chosen or following is None:
        return

    def build(ref: str) -> Filter | None:
        return NullTest(op="is_null", column=ref)

    found.tokens.update(inside)
    found.used.update(i for m in question.mentions for i in m.tokens if set(m.tokens) <= inside)
    found.slots.append(Slot("filter", chosen, min(inside), build=build))


def _ended(question: Question, found: Found, mention: Mention, grouped: Callable[[Mention], bool]) -> None:
    """``cancelled subscriptions``: the date of their end is not empty."""
    if len(mention.tokens) != 1 or not set(mention.tokens).isdisjoint(found.used) or grouped(mention):
        return
    token = question.tokens[mention.first]
    ends = {c.entry.ref for c in _ends(question)}
    candidates = tuple(c for c in mention.of_kind("column") if c.entry.ref in ends)
    dated = any(0 <= t.first - mention.last <= 3 for t in question.times)
    if token.text not in _ENDED or not candidates or dated or mention.candidates[0].entry.kind == "label":
        return
    _null(found, mention, candidates, lacking=False)


# Time.


def _times(question: Question, found: Found) -> None:
    columns = question.lexicon.columns
    all_dates = columns_where(question, lambda e: columns[e.ref].type.is_temporal, 0.5)
    for placed in question.times:
        if _plain_year(question, placed.time, placed.first):
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


def _during(time: TimeExpr) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        if time.period is not None:
            return During(op="during", column=ref, period=time.period)
        if time.periods:
            return AnyOf(op="or", filters=tuple(During(op="during", column=ref, period=p) for p in time.periods))
        low = Compare(op="ge", column=ref, value=time.low) if time.low else None
        high = Compare(op="lt", column=ref, value=time.below) if time.below else None
        if low is not None and high is not None:
            from gateway.chart.spec import AllOf

            return AllOf(op="and", filters=(low, high))
        return low or high

    return build
