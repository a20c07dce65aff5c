"""The words of a text as the rules on names see them: what part of a name each may be, and which stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from redaction.fingerprints import normalise
from redaction.linking import KnownNames
from redaction.recognizers.names import Part, is_ordinary, part_of

_LONGEST_ACRONYM: Final = 5
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_PIECE: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_GAP: Final = re.compile(r"(?:\.? |-|\. ?|, )\Z")
_SENTENCE_ENDS: Final = frozenset({".", "?", "!", ":"})
NAME_PARTS: Final = frozenset({Part.GIVEN, Part.MAYBE_GIVEN, Part.SURNAME, Part.MAYBE_SURNAME, Part.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its span, its text without a possessive, and what part of a name it may be."""

    start: int
    end: int
    text: str
    part: Part
    known: bool
    """A word of the schema."""
    capital: bool
    """Written with a capital where that says something: not at the beginning, not where every word has one."""

    @property
    def lower(self) -> str:
        """Without case and accents."""
        return normalise(self.text)

    @property
    def is_ordinary(self) -> bool:
        """Whether a dictionary has it, as a name or not."""
        return is_ordinary(normalise(self.text))

    @property
    def is_initial(self) -> bool:
        """Whether it is one capital letter."""
        return len(self.text) == 1 and self.text.isupper()


def words_of(text: str, known: KnownNames | None, *, english: bool = True) -> list[Word]:
    """The words of prose; those of the schema are no names unless they are given names for sure.

    Where the language is not `english`, that no dictionary has a word says nothing about it.
    """
    tokens = list(_TOKEN.finditer(text))
    capitals = sum(t.group()[0].isupper() for t in tokens)
    telling = capitals * 10 < len(tokens) * 7 or len(tokens) < 4
    words: list[Word] = []
    for number, token in enumerate(tokens):
        spoken = re.sub(r"['’]s\Z", "", token.group())
        plain = spoken.casefold()
        part = part_of(spoken)
        is_known = known is not None and plain in known
        if (is_known and part is not Part.GIVEN) or (
            part is Part.UNKNOWN and spoken.isupper() and len(spoken) <= _LONGEST_ACRONYM
        ):
            part = Part.WORD
        if part is Part.UNKNOWN and not english:
            part = Part.WORD
        after_initial = bool(words) and words[-1].is_initial and text[words[-1].end] == "."
        begins = number == 0 or (not after_initial and text[: token.start()].rstrip()[-1:] in _SENTENCE_ENDS)
        capital = telling and spoken[0].isupper() and not begins
        if part is Part.WORD and capital and after_initial and len(spoken) > 1:
            part = Part.UNKNOWN
        words.append(Word(token.start(), token.start() + len(spoken), spoken, part, is_known, capital))
    return words


def pieces_of(text: str) -> Iterator[Word]:
    """The words inside identifiers: split at case and underscore."""
    for token in _TOKEN.finditer(text):
        bounds = [(token.start() + m.start(), token.start() + m.end()) for m in _PIECE.finditer(token.group())]
        whole = "".join(text[a:b] for a, b in bounds) == token.group() and len(bounds) > 1
        for start, end in bounds if whole else [(token.start(), token.end())]:
            yield Word(start, end, text[start:end], part_of(text[start:end]), known=False, capital=False)


def runs_of(text: str, words: list[Word]) -> Iterator[tuple[int, int]]:
    """Runs of neighbours that could all belong to one name, as index pairs (end exclusive)."""
    at = 0
    while at < len(words):
        if words[at].part not in NAME_PARTS and not _begins_with_initial(text, words, at):
            at += 1
            continue
        end = at + 1
        while end < len(words) and end - at < 6 and _continues(text, words, end):
            end += 1
        while end - at > 1 and words[end - 1].part not in NAME_PARTS:
            end -= 1
        if words[end - 1].part in NAME_PARTS:
            yield at, end
        at = end


def _begins_with_initial(text: str, words: list[Word], at: int) -> bool:
    """Whether "J. Tolkien" or "J R Tolkien" starts here."""
    if not words[at].is_initial or at + 1 >= len(words):
        return False
    return words[at + 1].part in NAME_PARTS or (
        at + 2 < len(words) and words[at + 1].is_initial and text[words[at].end] in ". "
    )


def _continues(text: str, words: list[Word], at: int) -> bool:
    left, right = words[at - 1], words[at]
    if not _GAP.match(text[left.end : right.start]):
        return False
    if text[left.end : right.start] == ", ":
        return left.part is Part.SURNAME and right.part is Part.GIVEN
    if right.part in NAME_PARTS or right.is_initial:
        return True
    following = words[at + 1] if at + 1 < len(words) else None
    return (
        right.part is Part.PARTICLE
        and following is not None
        and (following.part in NAME_PARTS or following.part is Part.PARTICLE)
    )
