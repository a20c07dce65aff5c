"""The words of a text as the rules on names see them: what part of a name each may be, and which stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from redaction.fingerprints import normalise
from redaction.linking import KnownNames
from redaction.recognizers.names import Part, is_ordinary, is_public, part_of

_LONGEST_ACRONYM: Final = 5
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_PIECE: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_GAP: Final = re.compile(r"(?:\.? |-|\. ?|, )\Z")
_SENTENCE_ENDS: Final = frozenset({".", "?", "!"})
_QUOTES: Final = "\"'“”„«»("
_MAYBE: Final = frozenset({Part.MAYBE_GIVEN, Part.MAYBE_SURNAME})
_PLACE_WORDS: Final = """
san santa santo sao saint st fort ft mount mt lake new port los las el cape north south east west
"""
PLACE: Final = frozenset(_PLACE_WORDS.split())
"""Words that begin the names of places: what follows is no person."""
_NAMES_FOR_SURE: Final = frozenset({Part.GIVEN, Part.SURNAME, Part.UNKNOWN})
"""What makes a name of a brand or a city beside it."""
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
    begins: bool = False
    """First of the text, of a line or of a sentence, in a text where a capital says something elsewhere."""

    @property
    def lower(self) -> str:
        """Without case and accents."""
        return normalise(self.text)

    @property
    def is_ordinary(self) -> bool:
        """Whether a dictionary has it, as a name or not."""
        return is_ordinary(normalise(self.text))

    @property
    def upper(self) -> bool:
        """Written with a capital, wherever it stands."""
        return self.text[0].isupper()

    @property
    def is_initial(self) -> bool:
        """Whether it is one capital letter."""
        return len(self.text) == 1 and self.text.isupper()


def words_of(text: str, known: KnownNames | None, *, english: bool = True) -> list[Word]:
    """The words of prose; those of the schema are no names unless they are given names for sure.

    Where the language is not `english`, that no dictionary has a word says nothing about it.
    """
    tokens = list(_TOKEN.finditer(text))
    spoken = [re.sub(r"['’]s\Z", "", token.group()) for token in tokens]
    parts = [_part(word, known, english=english) for word in spoken]
    parts = list(_with_company(text, tokens, spoken, parts)) if english else parts
    telling = _is_telling(spoken, parts)
    words: list[Word] = []
    for token, word, listed in zip(tokens, spoken, parts, strict=True):
        after_initial = bool(words) and words[-1].is_initial and text[words[-1].end] == "."
        before = text[: token.start()].rstrip(" \t" + _QUOTES)[-1:]
        begins = not before or before == "\n" or (not after_initial and before in _SENTENCE_ENDS)
        capital = telling and word[0].isupper() and not begins
        surname = listed is Part.WORD and capital and after_initial and len(word) > 1
        part = Part.UNKNOWN if surname else listed
        is_known = known is not None and word.casefold() in known
        words.append(
            Word(token.start(), token.start() + len(word), word, part, is_known, capital, begins=begins and telling)
        )
    return words


def _part(spoken: str, known: KnownNames | None, *, english: bool) -> Part:
    part = part_of(spoken)
    is_known = known is not None and spoken.casefold() in known
    # Several of an acronym have a small s: "products with IDs 5 and 7".
    letters = spoken.removesuffix("s") if len(spoken) > 2 else spoken
    is_acronym = part is Part.UNKNOWN and letters.isupper() and len(letters) <= _LONGEST_ACRONYM
    if (is_known and part is not Part.GIVEN) or is_acronym or (part is Part.UNKNOWN and not english):
        return Part.WORD
    return part


def _with_company(text: str, tokens: list[re.Match[str]], spoken: list[str], parts: list[Part]) -> Iterator[Part]:
    """The parts, where a brand or a city beside a name may be one too: "Stéphanie Renault", "Vajèn van Munster"."""
    for at, (word, part) in enumerate(zip(spoken, parts, strict=True)):
        beside = part is Part.WORD and is_public(normalise(word)) and _is_beside_name(text, tokens, parts, at)
        yield Part.UNKNOWN if beside else part


def _is_beside_name(text: str, tokens: list[re.Match[str]], parts: list[Part], at: int) -> bool:
    for step in (-1, 1):
        other = at + step
        while 0 <= other < len(parts) and text[tokens[other].end() if step < 0 else tokens[other - 1].end()] == " ":
            if parts[other] is not Part.PARTICLE:
                if parts[other] in _NAMES_FOR_SURE:
                    return True
                break
            other += step
    return False


def _is_telling(spoken: list[str], parts: list[Part]) -> bool:
    """Whether a capital says something in this text: most ordinary words after the first are written without one."""
    ordinary = [word for word, part in zip(spoken[1:], parts[1:], strict=True) if part is Part.WORD and len(word) > 1]
    return 2 * sum(word[0].isupper() for word in ordinary) <= len(ordinary)


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
    if left.upper and not right.upper and right.part in _MAYBE:
        return False
    if right.part in NAME_PARTS or right.is_initial:
        return True
    following = words[at + 1] if at + 1 < len(words) else None
    return (
        right.part is Part.PARTICLE
        and following is not None
        and (following.part in NAME_PARTS or following.part is Part.PARTICLE)
    )
