"""Find the indexed values in a text: longest first, in any case, accents or number. Used to mask and to guard.

What is a word of the schema or of every question ("orders", "last month", "bar chart") is never taken for a value,
even if some row holds it: it says nothing, and one hostile row could otherwise mask or refuse every question.

In what a person typed, there are three exceptions, as there a value may be meant: words that belong to every prompt but
to no question ("email", where no column is called so); compounds with a hyphen ("part-time", not "year-to-date"); and
any word or phrase right after the name of a column that holds it ("priority is high", "contact method email").
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from redaction.fingerprints import MAX_WORDS, ValueIndex, is_indexed, last_word, normalise, number_forms
from redaction.parts import MAX_VALUE_WORDS, PLACE_OF_NAME, says_enough
from redaction.recognizers.names import is_ordinary
from redaction.words import GLUE_WORDS, is_plain_word, is_question_word

_TOKEN: Final = re.compile(r"[^\W_]+")
_NUMBER: Final = re.compile(r"\d[\d,_]*(?:\.\d+)?")
_SENTENCE_WORDS: Final = 3
_HYPHENS: Final = frozenset({"-", "\u2010", "\u2011"})
_BETWEEN: Final = frozenset({"is", "are", "was", "were", "equals", "equal", "to", "as", "being"})
"""Words between the name of a column and its value."""
_MOST_BETWEEN: Final = 2
_LONGEST_GAP: Final = 3
"""Characters of punctuation that may stand between two words of one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMatch:
    """A phrase of the text that is a value: where it stands, what to bind, and the columns that hold it."""

    start: int
    end: int
    phrase: str
    columns: tuple[str, ...]
    exact: bool
    """Whether the words as typed are the value up to case, accents and punctuation (else singular or plural)."""
    part: bool = False
    """Whether the phrase is only a part of the values that it stands for ("acme" for "Acme Corp")."""
    styled: bool = False
    """Whether the value has accents or punctuation that the phrase has not: its spelling must be looked up."""


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    plain: str
    known: bool
    is_asking: bool
    """Whether it can be no value of itself: a word of the schema, or one that questions are made of."""


class KnownNames:
    """Words and phrases that belong to the schema; normalised once, as a prompt asks for them many times."""

    __slots__ = ("numbers", "phrases", "sentences", "token", "words")

    def __init__(self, names: frozenset[str]) -> None:
        words: set[str] = set()
        phrases: set[str] = set()
        for name in names:
            parts = normalise(name).split()
            phrases.add(" ".join(parts))
            if " " not in name.strip():
                words.update(parts)
        self.words = frozenset(form for word in words for form in number_forms(word))
        self.phrases = frozenset(phrases)
        self.numbers = frozenset(number for name in names for number in _NUMBER.findall(name))
        """Numbers inside names, approved labels, descriptions and metrics: they are no statistics."""
        self.sentences = tuple(sorted(p for p in phrases if p.count(" ") >= _SENTENCE_WORDS - 1))
        """Descriptions of the owner's, normalised: their ordinary words may also be values."""
        self.token = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
        """Equal for equal names: part of a verdict's key."""

    def __contains__(self, word: str) -> bool:
        return word in self.words


def find_values(text: str, index: ValueIndex, known: KnownNames, *, parts: bool = False) -> list[ValueMatch]:
    """The indexed values in a text, leftmost and longest first, never overlapping.

    Args:
        text: Cleaned text.
        index: The value index of a scope.
        known: Words of the schema, which are no values.
        parts: Whether a person typed it: parts of values are looked for as well, and fewer words say nothing.
    """
    words = [_word(m, known) for m in _TOKEN.finditer(text)]
    found: list[ValueMatch] = []
    at = 0
    while at < len(words):
        match, size = _longest(text, words, at, index, known, asked=parts)
        if match is None and parts:
            match, size = _part(text, words, at, index)
        if match is None:
            at += 1
            continue
        found.append(match)
        at += size
    return found


def _longest(
    text: str, words: list[_Word], at: int, index: ValueIndex, known: KnownNames, *, asked: bool
) -> tuple[ValueMatch | None, int]:
    longest = min(max(index.max_words, MAX_WORDS if index.has_fragments else 1), len(words) - at)
    for size in range(longest, 0, -1):
        run = words[at : at + size]
        if not _is_run(text, run):
            continue
        phrase = " ".join(word.plain for word in run)
        says_nothing = phrase in known.phrases or all(word.is_asking if asked else word.known for word in run)
        is_compound = asked and phrase not in known.phrases and _is_compound(text, run)
        named = _name_before(words, at, index) if asked and says_nothing and not is_compound else ""
        if not is_indexed(phrase) or (says_nothing and not is_compound and not named):
            continue
        if size == MAX_WORDS and not says_nothing and index.has_fragments and index.has_fragment(phrase):
            return _match(run, phrase, (), exact=True), size
        for form in number_forms(phrase):
            columns = index.find(form)
            if named:
                columns = tuple(column for column in columns if named in number_forms(last_word(column)))
            if columns:
                return _match(run, form, columns, exact=form == phrase, styled=index.is_styled(form)), size
    return None, 0


def _is_compound(text: str, run: list[_Word]) -> bool:
    """Whether plain words stand as one by hyphens, as in "part-time"; "year-to-date" is how questions speak."""
    joined = all(text[left.end : right.start] in _HYPHENS for left, right in pairwise(run))
    return len(run) > 1 and joined and not all(word.plain in GLUE_WORDS for word in run)


def _name_before(words: list[_Word], at: int, index: ValueIndex) -> str:
    """The last word of a column's name right before a word, as in "priority is high"; empty if none is there."""
    before = at - 1
    while before >= 0 and at - before <= _MOST_BETWEEN and words[before].plain in _BETWEEN:
        before -= 1
    return words[before].plain if before >= 0 and words[before].plain in index.column_words else ""


def _part(text: str, words: list[_Word], at: int, index: ValueIndex) -> tuple[ValueMatch | None, int]:
    """The longest beginning of a value at a word, else the word as a later word of one."""
    for size in range(min(MAX_VALUE_WORDS - 1, len(words) - at), 0, -1):
        run = words[at : at + size]
        if not _is_run(text, run) or any(word.known for word in run) or not says_enough([w.plain for w in run]):
            continue
        phrase = " ".join(word.plain for word in run)
        unusual = any(not is_ordinary(word.plain) for word in run)
        if not unusual and not _stands_as_name(text, words, at, size):
            continue
        columns = set(index.find_part(phrase, beginning=True))
        if size == 1 and unusual:
            columns |= set(index.find_part(phrase, beginning=False))
        if columns:
            return _match(run, phrase, tuple(sorted(columns)), exact=False, part=True), size
    return None, 0


def _stands_as_name(text: str, words: list[_Word], at: int, size: int) -> bool:
    """Whether ordinary words stand where a name would: "for acme last month", "acme's", not "for ocean freight"."""
    end = at + size
    following = text[words[end - 1].end : words[end].start] if end < len(words) else ""
    if following in {"'", "’"} and words[end].plain == "s":
        return True
    if at == 0 or words[at - 1].plain not in PLACE_OF_NAME:
        return False
    return end == len(words) or words[end].known or following.strip() != ""


def _match(run: list[_Word], phrase: str, columns: tuple[str, ...], *, exact: bool, **how: bool) -> ValueMatch:
    return ValueMatch(start=run[0].start, end=run[-1].end, phrase=phrase, columns=columns, exact=exact, **how)


def _is_run(text: str, run: list[_Word]) -> bool:
    return all(
        right.start - left.end <= _LONGEST_GAP and "\n" not in text[left.end : right.start]
        for left, right in pairwise(run)
    )


def _word(match: re.Match[str], known: KnownNames) -> _Word:
    plain = normalise(match.group())
    return _Word(
        match.start(),
        match.end(),
        plain,
        known=plain in known or is_plain_word(plain),
        is_asking=plain in known or is_question_word(plain),
    )
