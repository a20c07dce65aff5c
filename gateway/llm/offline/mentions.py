"""Which tables, columns, metrics and labels a question names, and where.

Every form of every entry whose words occur close together is a candidate. Spans of tokens are then chosen so that
they do not overlap, the heaviest first; each span keeps every entry that it may mean, so that an ambiguous word stays
ambiguous until the grammar of the question decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.llm.offline.lexicon import Entry, Form, Lexicon
from gateway.llm.offline.text import Token, edits, word_set
from gateway.llm.offline.thesaurus import STOP, abbreviates, expand

FLOOR: Final = 0.50
"""A candidate covers at least this share of a form's weight; tuned on the tuning halves only."""

WEAK_FLOOR: Final = 0.22
"""The floor for words that no better candidate claims, for example a bare ``ID``."""
SURE: Final = 0.99
"""A word that is all of a name."""
LOOSE: Final = 0.8
"""Below this, a match of several words is weaker than each of them by itself."""

METRIC_FLOOR: Final = 0.8
"""Metrics and labels are named by all of their words: half of one is something else."""

MAX_GAP: Final = 2
"""Words such as ``of the`` that may stand between two words of a name."""

CUT: Final = 0.8
"""How well a word is named by what its abbreviation stands for."""
FUZZY_MIN: Final = 5
"""Shortest word that is matched with a slip of the pen."""


_UNITS: Final = word_set("year quarter month week day hour")
"""Stretches of time name a column only where it is called just so: a month is not a monthly price."""


AMOUNTS: Final = word_set(
    "revenue income turnover earnings profit margin price cost value amount total sum spend salary"
)
"""Words for an amount: rows are never meant by them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that a span may mean: how well the words cover its best form (0-1) and how much they weigh."""

    entry: Entry
    score: float
    weight: float
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of tokens and what it may mean, the best first."""

    tokens: tuple[int, ...]
    candidates: tuple[Candidate, ...]

    @property
    def first(self) -> int:
        """Index of the first token."""
        return self.tokens[0]

    @property
    def last(self) -> int:
        """Index of the last token."""
        return self.tokens[-1]

    @property
    def score(self) -> float:
        """How well the best candidate is covered."""
        return self.candidates[0].score

    def of_kind(self, *kinds: str) -> tuple[Candidate, ...]:
        """Candidates of these kinds, the best first."""
        return tuple(c for c in self.candidates if c.entry.kind in kinds)

    def best(self, *kinds: str) -> Candidate | None:
        """The best candidate of these kinds."""
        return next((c for c in self.candidates if c.entry.kind in kinds), None)


def find_mentions(tokens: Sequence[Token], lexicon: Lexicon, *, taken: frozenset[int] = frozenset()) -> list[Mention]:
    """Find what a question names.

    Args:
        tokens: The question.
        lexicon: What can be named.
        taken: Tokens that mean something else already (dates, numbers, chart words).

    Returns:
        Mentions in the order of the question, not overlapping.
    """
    alike = [_alike(token, lexicon) if i not in taken else {} for i, token in enumerate(tokens)]
    touched: dict[tuple[int, int], None] = {}
    for words in alike:
        for word in words:
            for use in lexicon.uses[word]:
                touched[use] = None
    spans: dict[tuple[int, ...], dict[int, Candidate]] = {}
    for entry_index, form_index in touched:
        entry = lexicon.entries[entry_index]
        for covered, candidate in _occurrences(tokens, alike, entry, entry.forms[form_index]):
            kept = spans.setdefault(covered, {})
            if entry_index not in kept or kept[entry_index].score < candidate.score:
                kept[entry_index] = candidate
    return _choose(spans)


def _alike(token: Token, lexicon: Lexicon) -> dict[str, float]:
    if token.kind == "number" and token.text in lexicon.uses:
        return {token.text: 1.0}
    if token.kind != "word" or (token.text in STOP and token.lemma not in {"from", "to"}):
        return {}
    if token.text in {"from", "to"}:
        return {token.text: 0.9} if token.text in lexicon.uses else {}
    if token.lemma in _UNITS:
        return {token.lemma: 1.0} if token.lemma in lexicon.uses else {}
    found = lexicon.similar(token.lemma)
    spelt = expand((token.lemma,))
    for word in spelt if spelt != (token.lemma,) else ():
        if word in lexicon.uses:
            found[word] = max(found.get(word, 0.0), 0.97 if len(spelt) == 1 else 0.85)
    if not found:
        found = {w: CUT for w in lexicon.uses if abbreviates(w, token.lemma) or abbreviates(token.lemma, w, asked=True)}
    if not found and len(token.lemma) >= FUZZY_MIN:
        limit = 1 if len(token.lemma) < 8 else 2
        for word in lexicon.uses:
            if word[0] == token.lemma[0] and len(word) >= FUZZY_MIN and edits(token.lemma, word, limit) <= limit:
                found[word] = 0.7
    return found


def _occurrences(
    tokens: Sequence[Token], alike: Sequence[dict[str, float]], entry: Entry, form: Form
) -> list[tuple[tuple[int, ...], Candidate]]:
    """Places where the words of a form stand together, with how much of the form they cover."""
    words = set(form.words)
    least = 0.9 if form.strict else 0.0
    if entry.kind == "table":
        # A table of sales is not revenue: rows are never meant by a word for an amount.
        alike = [{} if t.lemma in AMOUNTS and t.lemma not in words else a for t, a in zip(tokens, alike, strict=True)]
    hits = [i for i, found in enumerate(alike) if any(found.get(word, 0.0) > least for word in words)]
    out: list[tuple[tuple[int, ...], Candidate]] = []
    for run in _runs(tokens, hits):
        for start in range(len(run)):
            best: dict[str, float] = {}
            for end in range(start, min(len(run), start + len(form.words) + 1)):
                gained = False
                for word, like in _words_of(tokens[run[end]], alike[run[end]], form, best):
                    if like > max(least, best.get(word, 0.0)):
                        gained = gained or word not in best
                        best[word] = like
                if not gained:
                    break
                covered = run[start : end + 1]
                pairs = list(zip(form.words, form.weights, strict=True))
                weight = sum(w * best.get(word, 0.0) for word, w in pairs)
                score = weight / form.total - form.cost
                exact = all(best.get(word, 0.0) >= 0.9 for word in words)
                if score >= (METRIC_FLOOR if entry.kind in {"metric", "label"} else WEAK_FLOOR):
                    out.append((tuple(covered), Candidate(entry, score, weight, exact)))
    return out


def _words_of(token: Token, found: dict[str, float], form: Form, covered: dict[str, float]) -> list[tuple[str, float]]:
    """Words of a form that a token stands for: the one it is most like, or all that an abbreviation spells out.

    Otherwise one word of a question would cover two of a name that mean nearly the same.
    """
    inside = [(word, like) for word, like in found.items() if word in form.words]
    if len(inside) <= 1 or len(expand((token.lemma,))) > 1:
        return inside
    return [max(inside, key=lambda pair: (pair[1] - 0.5 * (pair[0] in covered), pair[0]))]


def _runs(tokens: Sequence[Token], hits: Sequence[int]) -> list[list[int]]:
    """Cut matched tokens where something other than a little word stands between them."""
    runs: list[list[int]] = []
    for index in hits:
        if runs:
            between = tokens[runs[-1][-1] + 1 : index]
            near = len(between) <= MAX_GAP and all(t.text in {"of", "the", "a", "'", "-", "/", "_"} for t in between)
            if near:
                runs[-1].append(index)
                continue
        runs.append([index])
    return runs


def _choose(spans: dict[tuple[int, ...], dict[int, Candidate]]) -> list[Mention]:
    """Spans that do not overlap, the heaviest first; weak ones only where nothing else claims the words."""
    ranked = sorted(
        spans.items(),
        key=lambda item: (
            -max(c.weight * min(1.0, c.score + 0.25) for c in item[1].values()),
            -max(c.score for c in item[1].values()),
            item[0],
        ),
    )
    exact = {covered for covered, found in spans.items() if any(c.exact and c.score >= SURE for c in found.values())}
    chosen: list[Mention] = []
    used: set[int] = set()
    for floor in (FLOOR, WEAK_FLOOR):
        for covered, found in ranked:
            if not used.isdisjoint(covered) or _is_pieced(covered, found, exact):
                continue
            good = sorted(
                (c for c in found.values() if c.score >= floor),
                key=lambda c: (-c.score, c.entry.kind, c.entry.ref, c.entry.text),
            )
            if good:
                used.update(covered)
                chosen.append(Mention(covered, tuple(good)))
    return sorted(chosen, key=lambda m: m.tokens)


def _is_pieced(covered: tuple[int, ...], found: dict[int, Candidate], exact: set[tuple[int, ...]]) -> bool:
    """``shipped orders``: a loose match (the shipping fee of orders) over words that each name something exactly."""
    if len(covered) == 1 or any(c.exact or c.score >= LOOSE for c in found.values()):
        return False
    pieces = {place for span in exact if len(span) < len(covered) and set(span) <= set(covered) for place in span}
    return pieces == set(covered)
