"""A question as read once: tokens, cues, time expressions and mentions, each at its place, clashes resolved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog import ColumnType
from gateway.llm.offline.cues import Cue, find_cues
from gateway.llm.offline.lexicon import Lexicon
from gateway.llm.offline.mentions import Mention, find_mentions
from gateway.llm.offline.text import Token, tokenize, word_set
from gateway.llm.offline.times import TimeExpr, find_times

HARD: Final = frozenset({"mark", "style", "running", "moving"})
"""Cues whose words never name a column."""

_NAMEABLE: Final = word_set("aggregate share change grain part most top group distribution trend series rate")

ENDED: Final = word_set(
    "close closed end ended finish finished cancel cancelled canceled resolve resolved complete "
    "completed churn churned solve solved answer answered expire expired terminate terminated stop stopped "
    "return returned delete deleted"
)
ONGOING: Final = re.compile(
    r"\b(?:still )?(?:active|open|ongoing|running|live|outstanding|un(?:closed|ended|finished|cancelled|canceled|"
    r"resolved|solved|completed|churned|expired|terminated|stopped|returned|answered))\b"
    r"(?! up| between| in \d| total| sum| count| average)"
)

_PARTING: Final = frozenset({"by", "per", "for", "in", "over", "each", "across", "from", "with", "where", "and", "vs"})
"""Words after which a question speaks of something else."""

_ASKING: Final = frozenset({"aggregate", "most", "top"})

CONNECTIVES: Final = word_set(
    "of the a an is are was were be being that which who with has have having had value values equal "
    "equals to = : in on at for from their its it by number amount level than as include includes "
    "including either only also such named called titled like or and , numbered identified"
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A cue with the tokens it covers, first and last."""

    cue: Cue
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PlacedTime:
    """A time expression with the tokens it covers."""

    time: TimeExpr
    first: int
    last: int


@dataclass(frozen=True)
class Question:
    """What was read of a question. Mentions do not overlap; a cue whose words name a column instead is left out."""

    text: str
    lowered: str
    tokens: tuple[Token, ...]
    cues: tuple[Placed, ...]
    times: tuple[PlacedTime, ...]
    mentions: tuple[Mention, ...]
    lexicon: Lexicon
    ongoing: frozenset[int] = frozenset()

    def has(self, kind: str, value: str | None = None) -> bool:
        """Whether there is such a cue."""
        return any(p.cue.kind == kind and (value is None or p.cue.value == value) for p in self.cues)

    def first(self, kind: str) -> Placed | None:
        """The first cue of a kind."""
        return next((p for p in self.cues if p.cue.kind == kind), None)

    def word(self, index: int) -> str:
        """The text of a token; empty outside the question."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def between(self, left: int, right: int) -> tuple[Token, ...]:
        """Tokens strictly between two places."""
        return self.tokens[left + 1 : right]

    def linked(self, left: int, right: int) -> bool:
        """Whether only connective words stand between two places."""
        return all(token.text in CONNECTIVES for token in self.between(left, right))


def read_question(text: str, lexicon: Lexicon) -> Question:
    """Read a masked question against the lexicon of a Summary."""
    lowered = text.lower() if len(text.lower()) == len(text) else "".join(c.lower()[:1] or c for c in text)
    tokens = tokenize(text)
    masked = _blank(lowered, tokens)
    cues = [p for cue in find_cues(masked) if (p := _place(cue, tokens)) is not None]
    times = [
        PlacedTime(time, *span)
        for time in find_times(masked)
        if (span := _cover(time.start, time.end, tokens)) is not None
    ]
    hard = {i for p in cues if p.cue.kind in HARD for i in range(p.first, p.last + 1)}
    dated = {i for t in times if not t.time.bare for i in range(t.first, t.last + 1)}
    taken = frozenset(hard | dated | {i for i, token in enumerate(tokens) if token.kind in {"placeholder", "quoted"}})
    ongoing = _ongoing(masked, tokens, lexicon)
    taken |= ongoing
    mentions = find_mentions(tokens, lexicon, taken=taken)
    kept_mentions, kept_cues = _settle(mentions, cues, tokens)
    lost = frozenset(i for p in kept_cues for i in range(p.first, p.last + 1))
    if any(not lost.isdisjoint(m.tokens) for m in mentions):
        won = {i for m in kept_mentions for i in m.tokens}
        kept_mentions = find_mentions(tokens, lexicon, taken=taken | (lost - won))
    kept_mentions = _named_by_name(kept_mentions, lexicon)
    kept_cues = [p for p in kept_cues if not any(t.first <= p.first and p.last <= t.last for t in times)]
    return Question(text, lowered, tokens, tuple(kept_cues), tuple(times), tuple(kept_mentions), lexicon, ongoing)


def _blank(lowered: str, tokens: Sequence[Token]) -> str:
    """The question with placeholders and quoted words blanked out, as their words are no cues."""
    for token in tokens:
        if token.kind in {"placeholder", "quoted"}:
            lowered = lowered[: token.start] + "¤" * (token.end - token.start) + lowered[token.end :]
    return lowered


def _cover(start: int, end: int, tokens: Sequence[Token]) -> tuple[int, int] | None:
    inside = [i for i, token in enumerate(tokens) if token.start < end and start < token.end]
    return (inside[0], inside[-1]) if inside else None


def _place(cue: Cue, tokens: Sequence[Token]) -> Placed | None:
    span = _cover(cue.start, cue.end, tokens)
    return Placed(cue, *span) if span else None


def _settle(
    mentions: Sequence[Mention], cues: Sequence[Placed], tokens: Sequence[Token]
) -> tuple[list[Mention], list[Placed]]:
    """Where a mention and a cue share words, keep the one that says more.

    A name of several words wins over a cue inside it (``average order value``). A name that is only the cue's word
    wins if nothing else could be what the cue is about (``by total``; ``per year`` where a column is called so).
    """
    kept_cues = list(cues)
    kept: list[Mention] = []
    for mention in mentions:
        places = set(mention.tokens)
        clashes = [p for p in kept_cues if not places.isdisjoint(range(p.first, p.last + 1))]
        if not clashes:
            kept.append(mention)
            continue
        outside = places - {i for p in clashes for i in range(p.first, p.last + 1)}
        strong = mention.score >= 0.85 and len(places) >= 2 and bool(outside) and not _counts(mention, clashes, tokens)
        whole = mention.candidates[0].exact and not outside and _nothing_else(mention, mentions, kept_cues, tokens)
        if strong or whole:
            for clash in clashes:
                kept_cues.remove(clash)
                kept_cues.extend(_remainder(clash, mention, tokens))
            kept.append(mention)
    return kept, sorted(kept_cues, key=lambda p: (p.first, p.last))


def _named_by_name(mentions: Sequence[Mention], lexicon: Lexicon) -> list[Mention]:
    """``by country name`` where the rows have a country and a name: the country; ``customer name`` is a name."""
    kept: list[Mention] = []
    for mention in mentions:
        before = kept[-1] if kept else None
        if before is not None and before.last + 1 == mention.first and _says_name(before, mention, lexicon):
            kept[-1] = replace(before, tokens=(*before.tokens, *mention.tokens))
        else:
            kept.append(mention)
    return kept


def _says_name(before: Mention, mention: Mention, lexicon: Lexicon) -> bool:
    left, right = before.candidates[0], mention.candidates[0]
    if left.entry.kind != "column" or right.entry.kind != "column" or left.entry.table != right.entry.table:
        return False
    named = right.entry.forms[0].words == ("name",) and len(mention.tokens) == 1
    rows = before.best("table")
    text = lexicon.columns[left.entry.ref].type is ColumnType.TEXT
    return named and left.exact and text and (rows is None or rows.score < left.score)


def _counts(mention: Mention, clashes: Sequence[Placed], tokens: Sequence[Token]) -> bool:
    """``number of drafts`` counts drafts, though there is a draft_number; number_cities is the number of cities."""
    if not any(p.cue.kind == "aggregate" and p.cue.value == "count" for p in clashes):
        return False
    first = tokens[mention.first].lemma
    best = mention.candidates[0].entry
    return first in {"number", "count"} and best.kind == "column" and best.forms[0].words[:1] != (first,)


def _nothing_else(
    mention: Mention, mentions: Sequence[Mention], cues: Sequence[Placed], tokens: Sequence[Token]
) -> bool:
    """Whether the cue on a mention's own word has nothing else to be about: ``by total``, ``average total by city``."""
    own = range(mention.first, mention.last + 1)
    clashes = [p for p in cues if any(p.first <= place <= p.last for place in own)]
    kinds = {p.cue.kind for p in clashes}
    if not kinds <= _NAMEABLE:
        return False
    if kinds <= {"grain", "part"}:
        columns = mention.of_kind("column")
        return bool(columns) and columns[0].exact and columns[0].score >= 0.95
    if mention.score < 0.95 or "group" in kinds:
        return False
    # Something is asked of it already (``average total``, ``highest total``): then the word is no second aggregate.
    asked = any(p.cue.kind in _ASKING and p not in clashes and _reaches(p, mention, tokens) for p in cues)
    return not any(_reaches_next(mention, other, tokens, most=0 if asked else 2) for other in mentions)


def _reaches(cue: Placed, mention: Mention, tokens: Sequence[Token]) -> bool:
    between = [token.text for token in tokens[cue.last + 1 : mention.first]]
    return cue.last < mention.first and all(word in {"of", "the", "a", "an"} for word in between)


def _reaches_next(mention: Mention, other: Mention, tokens: Sequence[Token], *, most: int) -> bool:
    """``total revenue``, ``total of the orders``; not ``total by country``, where a new part of the question begins."""
    between = [token.text for token in tokens[mention.last + 1 : other.first]]
    return len(between) <= most and other.first > mention.last and not _PARTING.intersection(between)


def _remainder(clash: Placed, mention: Mention, tokens: Sequence[Token]) -> list[Placed]:
    """``by year`` where year is a column: what is left of the grain cue is a grouping word."""
    opening = tokens[clash.first].text
    if clash.first not in mention.tokens and opening in {"by", "per", "each", "every", "across", "for", "in"}:
        cue = replace(clash.cue, kind="group", value="", n=None)
        return [Placed(cue, clash.first, min(mention.first - 1, clash.last))]
    return []


def _ongoing(masked: str, tokens: Sequence[Token], lexicon: Lexicon) -> frozenset[int]:
    """Tokens that say something has not ended, where a date says when it did and no label says it in words."""
    if not any(e.kind == "column" and is_end(lexicon, e.ref) for e in lexicon.entries):
        return frozenset()
    found = [
        i for m in ONGOING.finditer(masked) for i, t in enumerate(tokens) if t.start < m.end() and m.start() < t.end
    ]
    labels = {word for e in lexicon.entries if e.kind == "label" for f in e.forms for word in f.words}
    asked = {t.lemma for t in tokens}
    metrics = {
        w for e in lexicon.entries if e.kind == "metric" for f in e.forms if asked.issuperset(f.words) for w in f.words
    }
    return frozenset(i for i in found if tokens[i].lemma not in labels and tokens[i].lemma not in metrics)


def is_end(lexicon: Lexicon, ref: str) -> bool:
    """Whether a column is a date that says when something ended, and is empty while it has not."""
    column = lexicon.columns[ref]
    return (
        column.type.is_temporal
        and column.nulls != "none"
        and not ENDED.isdisjoint(
            (*column.name.lower().split("_"), *(w for e in lexicon.entries if e.ref == ref for w in e.forms[0].words))
        )
    )
