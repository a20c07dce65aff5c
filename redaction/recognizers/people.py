"""Names of persons, in questions ("orders of maria gonzalez last month") and inside identifiers.

A small language model misses names in lower case and takes column words for names. So its findings count only where
a word of them looks like a name, and beside it stand rules on what follows what: given name and surname, a title, a
word for a person before a word that no dictionary has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from redaction.linking import KnownNames
from redaction.recognizers.names import Part, is_also_surname, is_common_given, is_top_surname, part_of

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_PIECE: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_TITLES_WORDS: Final = """
mr mrs ms miss mx dr prof professor sir madam lady lord herr frau senor senora sr sra don dona monsieur madame
mme mlle signor signora doctor
"""
_TITLES: Final = frozenset(_TITLES_WORDS.split())
_PERSONS_WORDS: Final = """
customer client user employee rep representative agent driver patient student doctor manager contact person
account owner buyer seller author member subscriber candidate applicant tenant passenger guest teacher nurse
cashier clerk colleague salesperson lead named called name signed assignee reporter recipient sender
supervisor consultant technician courier borrower donor player cardholder policyholder resident
"""
_PERSONS: Final = frozenset(_PERSONS_WORDS.split())
_BEFORE_WORDS: Final = """
of for by from with to did does has have is was about and or versus vs than
"""
_BEFORE: Final = _PERSONS | frozenset(_BEFORE_WORDS.split())
_PLACE_WORDS: Final = """
san santa santo sao saint st fort ft mount mt lake new port los las el cape north south east west
"""
_PLACE: Final = frozenset(_PLACE_WORDS.split())
_ORGANISATION_WORDS: Final = """
inc ltd llc gmbh corp corporation company co plc ag sa bv srl pty university street avenue road
"""
_ORGANISATION: Final = frozenset(_ORGANISATION_WORDS.split())
_NOT_PERSON: Final = frozenset({"GPE", "LOC", "ORG", "NORP", "FAC", "PRODUCT", "EVENT", "LANGUAGE", "DATE", "TIME"})
_GAP: Final = re.compile(r"(?:\.? |-|\. ?|, )\Z")
_NAME_PARTS: Final = frozenset({Part.GIVEN, Part.MAYBE_GIVEN, Part.SURNAME, Part.MAYBE_SURNAME, Part.UNKNOWN})

FULL: Final = 0.9
LIKELY: Final = 0.7
POSSIBLE: Final = 0.55


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity of the language model: span and its own label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Person:
    """A span that is taken for a person's name, and how surely."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    part: Part
    capital: bool
    """Written with a capital where that says something: not at the beginning, not where every word has one."""

    @property
    def lower(self) -> str:
        return self.text.casefold()

    @property
    def is_initial(self) -> bool:
        return len(self.text) == 1 and self.text.isupper()


def find_people(text: str, entities: Sequence[Entity], known: KnownNames | None) -> list[Person]:
    """Names in what a person wrote.

    Args:
        text: Cleaned text.
        entities: What the language model found, of any label; empty without a model.
        known: Words of the schema, which are no names.
    """
    words = _words(text, known)
    found: list[Person] = []
    for first, last in _runs(text, words):
        found.extend(_judge(words, first, last, entities))
    for entity in entities:
        if entity.label == "PERSON":
            found.extend(_confirmed(words, entity))
    return found


def find_people_in_identifiers(text: str) -> list[Person]:
    """A given name beside a surname inside identifiers and closed words, where prose rules would flag too much."""
    pieces = list(_pieces(text))
    found: list[Person] = []
    for left, right in pairwise(pieces):
        if right.start - left.end > 1 or "\n" in text[left.end : right.start]:
            continue
        if left.part is Part.GIVEN and len(left.text) > 2 and _is_surname_beside(right):
            found.append(Person(left.start, right.end, FULL))
    return found


def _is_surname_beside(word: _Word) -> bool:
    if word.part is Part.SURNAME:
        return True
    return word.part in {Part.MAYBE_SURNAME, Part.GIVEN, Part.MAYBE_GIVEN} and is_top_surname(word.text)


def _pieces(text: str) -> Iterator[_Word]:
    for token in _TOKEN.finditer(text):
        bounds = [(token.start() + m.start(), token.start() + m.end()) for m in _PIECE.finditer(token.group())]
        whole = "".join(text[a:b] for a, b in bounds) == token.group() and len(bounds) > 1
        for start, end in bounds if whole else [(token.start(), token.end())]:
            yield _Word(start, end, text[start:end], part_of(text[start:end]), capital=False)


def _words(text: str, known: KnownNames | None) -> list[_Word]:
    tokens = list(_TOKEN.finditer(text))
    capitals = sum(t.group()[0].isupper() for t in tokens)
    telling = capitals * 10 < len(tokens) * 7 or len(tokens) < 4
    words: list[_Word] = []
    for number, token in enumerate(tokens):
        spoken = re.sub(r"['’]s\Z", "", token.group())
        plain = spoken.casefold()
        part = part_of(spoken)
        if (known is not None and plain in known and part is not Part.GIVEN) or (
            part is Part.UNKNOWN and spoken.isupper() and len(spoken) <= 5
        ):
            part = Part.WORD
        begins = number == 0 or text[: token.start()].rstrip()[-1:] in {".", "?", "!", ":"}
        capital = telling and spoken[0].isupper() and not begins
        if part is Part.WORD and capital and words and words[-1].is_initial and text[words[-1].end] == ".":
            part = Part.UNKNOWN
        words.append(_Word(token.start(), token.start() + len(spoken), spoken, part, capital))
    return words


def _runs(text: str, words: list[_Word]) -> Iterator[tuple[int, int]]:
    """Runs of neighbours that could all belong to one name, as index pairs (end exclusive)."""
    at = 0
    while at < len(words):
        if words[at].part not in _NAME_PARTS and not _begins_with_initial(text, words, at):
            at += 1
            continue
        end = at + 1
        while end < len(words) and end - at < 6 and _continues(text, words, end):
            end += 1
        while end - at > 1 and words[end - 1].part not in _NAME_PARTS:
            end -= 1
        if words[end - 1].part in _NAME_PARTS:
            yield at, end
        at = end


def _begins_with_initial(text: str, words: list[_Word], at: int) -> bool:
    """Whether "J. Tolkien" or "J R Tolkien" starts here."""
    if not words[at].is_initial or at + 1 >= len(words):
        return False
    return words[at + 1].part in _NAME_PARTS or (
        at + 2 < len(words) and words[at + 1].is_initial and text[words[at].end] in ". "
    )


def _continues(text: str, words: list[_Word], at: int) -> bool:
    left, right = words[at - 1], words[at]
    if not _GAP.match(text[left.end : right.start]):
        return False
    if text[left.end : right.start] == ", ":
        return left.part is Part.SURNAME and right.part is Part.GIVEN
    if right.part in _NAME_PARTS or right.is_initial:
        return True
    following = words[at + 1] if at + 1 < len(words) else None
    return (
        right.part is Part.PARTICLE
        and following is not None
        and (following.part in _NAME_PARTS or following.part is Part.PARTICLE)
    )


def _judge(words: list[_Word], first: int, last: int, entities: Sequence[Entity]) -> Iterator[Person]:
    before = words[first - 1] if first else None
    after = words[last] if last < len(words) else None
    if before is not None and before.lower in _TITLES:
        yield _person(words, first, last, FULL)
        return
    run = words[first:last]
    names = [word for word in run if word.part in _NAME_PARTS]
    if len(run) > 1:
        yield from _judge_full(words, first, last, names, before)
        return
    word = names[0]
    introduced = before is not None and before.lower in _PERSONS
    if _is_place_or_firm(before, after) or (not introduced and _is_called_otherwise(word, entities)):
        return
    if word.part is Part.GIVEN:
        yield _person(words, first, last, LIKELY)
    elif word.part is Part.SURNAME and (word.capital or (before is not None and before.lower in _BEFORE)):
        yield _person(words, first, last, LIKELY if introduced else POSSIBLE)
    elif introduced and (word.capital or word.part is Part.UNKNOWN):
        yield _person(words, first, last, POSSIBLE)


def _judge_full(
    words: list[_Word], first: int, last: int, names: list[_Word], before: _Word | None
) -> Iterator[Person]:
    parts = {word.part for word in names}
    strong = parts & {Part.GIVEN, Part.SURNAME}
    if names[0].lower in _PLACE and names[0].part is not Part.GIVEN:
        return
    context = before is not None and before.lower in _BEFORE
    capitals = all(word.capital for word in names[1:])
    if len(names) == 1:
        if strong or Part.UNKNOWN in parts or names[0].capital:
            yield _person(words, first, last, LIKELY)
    elif strong:
        yield from _around_strong(words, first, last)
    elif parts == {Part.UNKNOWN}:
        if capitals or context:
            yield _person(words, first, last, POSSIBLE)
    elif Part.UNKNOWN in parts:
        if capitals or (context and names[0].part is not Part.MAYBE_SURNAME):
            yield _person(words, first, last, POSSIBLE)
    elif (
        (capitals and names[0].part is Part.MAYBE_GIVEN)
        or (context and is_common_given(names[0].text) and is_top_surname(names[1].text))
        or (before is not None and before.lower in _PERSONS and names[0].part is Part.MAYBE_GIVEN and len(names) == 2)
    ):
        yield _person(words, first, last, LIKELY)


def _around_strong(words: list[_Word], first: int, last: int) -> Iterator[Person]:
    """Keep the part of a run that belongs to its sure words: "maria gonzalez web" without the last word."""
    sure = [i for i in range(first, last) if words[i].part in {Part.GIVEN, Part.SURNAME}]
    start, end = sure[0], sure[-1] + 1
    if (
        start > first
        and words[start].part is Part.SURNAME
        and words[start - 1].part in {Part.MAYBE_GIVEN, Part.UNKNOWN}
    ):
        start -= 1
    if end < last and len(sure) == 1 and words[end - 1].part is Part.GIVEN:
        end = _surname_after(words, end, last)
    while end < last and (words[end].capital or words[end].part is Part.UNKNOWN) and words[start].part is Part.SURNAME:
        end += 1
    while start > first and words[start - 1].is_initial:
        start -= 1
    if end - start == 1 and words[start].part is Part.SURNAME:
        before = words[start - 1].lower if start else ""
        if not words[start].capital and before not in _BEFORE:
            return
    yield _person(words, start, end, FULL if end - start > 1 else LIKELY)


def _surname_after(words: list[_Word], at: int, last: int) -> int:
    """Where a name ends that begins with a sure given name: after initials and particles, at its surname."""
    end = at
    while end < last and (words[end].is_initial or words[end].part is Part.PARTICLE):
        end += 1
    if end >= last:
        return at
    word = words[end]
    return end + 1 if word.part is Part.UNKNOWN or word.capital or is_also_surname(word.text) else at


def _confirmed(words: list[_Word], entity: Entity) -> Iterator[Person]:
    """A person of the model's, cut to the words that can be names; none if all of it is ordinary."""
    inside = [i for i, w in enumerate(words) if w.start >= entity.start and w.end <= entity.end + 2]
    looks = [i for i in inside if words[i].part in _NAME_PARTS]
    if not looks:
        return
    names = [words[i] for i in looks]
    sure = any(w.part in {Part.GIVEN, Part.SURNAME} for w in names)
    if sure or any(w.capital for w in names):
        yield _person(words, looks[0], looks[-1] + 1, LIKELY)


def _is_place_or_firm(before: _Word | None, after: _Word | None) -> bool:
    return (before is not None and before.lower in _PLACE) or (after is not None and after.lower in _ORGANISATION)


def _is_called_otherwise(word: _Word, entities: Sequence[Entity]) -> bool:
    return any(e.label in _NOT_PERSON and e.start <= word.start and word.end <= e.end for e in entities)


def _person(words: list[_Word], first: int, last: int, score: float) -> Person:
    return Person(words[first].start, words[last - 1].end, score)
