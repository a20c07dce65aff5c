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
from redaction.recognizers.abroad import find_abroad
from redaction.recognizers.capitals import BEFORE_EVENT, BEFORE_NAME, find_by_capital, find_in_lists, find_in_place
from redaction.recognizers.names import (
    Part,
    is_also_surname,
    is_only_noun,
    is_top_surname,
    is_word_or_place,
)
from redaction.recognizers.things import names_a_thing
from redaction.recognizers.wording import NAME_PARTS, PLACE, Word, pieces_of, runs_of, words_of
from redaction.words import is_plain_word

_TITLES_WORDS: Final = """
mr mrs ms miss mx dr prof professor sir madam lady lord herr frau senor senora sr sra don dona monsieur madame
mme mlle signor signora doctor
"""
_TITLES: Final = frozenset(_TITLES_WORDS.split())
_PERSONS_WORDS: Final = """
customer client user employee rep representative agent driver patient student doctor manager contact person
account owner buyer seller author member subscriber candidate applicant tenant passenger guest teacher nurse
cashier clerk colleague salesperson lead named called name signed assignee reporter recipient sender
supervisor consultant technician courier borrower donor player cardholder policyholder resident farmer pupil adjuster
referee councillor landlord captain mentor trainee intern apprentice volunteer midwife surgeon dentist therapist carer
skipper
"""
_PERSONS: Final = frozenset(_PERSONS_WORDS.split())
_LED: Final = _PERSONS | BEFORE_NAME
"""What says that a person is named next; the words below are said of things as often."""
_BEFORE: Final = _LED | frozenset(
    ["have", "is", "was", "about", "and", "or", "versus", "vs", "than", "that", "which", "whom", "often"]
)
_ORGANISATION_WORDS: Final = """
inc ltd llc gmbh corp corporation company co plc ag sa bv srl pty university street avenue road group holdings bank
brothers partners
"""
_ORGANISATION: Final = frozenset(_ORGANISATION_WORDS.split())
_NOT_PERSON: Final = frozenset({"GPE", "LOC", "ORG", "NORP", "FAC", "LANGUAGE"})
_SURE: Final = frozenset({Part.GIVEN, Part.SURNAME})
_SHORT: Final = 4
"""A surname of so few letters is taken for one only where something says so: a capital, or the word before it."""
_CALENDAR_WORDS: Final = """
january february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday jan feb mar apr jun jul aug sep oct nov dec q
"""
_CALENDAR: Final = frozenset(_CALENDAR_WORDS.split())

_CAMEL: Final = re.compile(r"(?<!\w)[^\W\d_]+(?<=[a-z])[A-Z][a-z][^\W\d_]*")
"""Words written as one with a capital inside: "MariaGonzalez"."""

FULL: Final = 0.9
LIKELY: Final = 0.7
POSSIBLE: Final = 0.55
_BESIDE: Final = 3
"""Most characters between a name and what belongs to it."""
UNEXPLAINED: Final = 0.45
"""A capital in mid-sentence that nothing explains: "the Thistlewood account". Under the default threshold."""


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


def find_people(
    text: str, entities: Sequence[Entity], known: KnownNames | None, *, language: str = "en"
) -> list[Person]:
    """Names in what a person wrote.

    Args:
        text: Cleaned text.
        entities: What the language model found, of any label; empty without a model.
        known: Words of the schema, which are no names.
        language: ISO 639-1 code; only for English is there a dictionary of ordinary words.
    """
    english = language == "en"
    words = words_of(text, known, english=english)
    found: list[Person] = []
    for first, last in runs_of(text, words):
        if english or last - first > 1 or words[first].part is Part.GIVEN:
            found.extend(_judge(words, first, last, entities))
    for entity in entities:
        if entity.label == "PERSON":
            found.extend(_confirmed(words, entity))
    for joined in _CAMEL.finditer(text):
        at = joined.start()
        inside = find_people_in_identifiers(joined.group())
        found.extend(Person(at + person.start, at + person.end, person.score) for person in inside)
    if english:

        def called(start: int, end: int) -> frozenset[str]:
            return frozenset(e.label for e in entities if e.start <= start and end <= e.end)

        for first, last, evident in find_by_capital(text, words, called):
            found.append(_person(words, first, last, POSSIBLE if evident else UNEXPLAINED))
        found.extend(_person(words, *span, POSSIBLE) for span in find_in_place(text, words, known))
        spans = [(person.start, person.end) for person in found if person.score > UNEXPLAINED]
        found.extend(_person(words, *span, POSSIBLE) for span in find_in_lists(text, words, spans))
        found = [_beside_name(text, person, spans) for person in found]
        found = [person for person in found if not _is_thing(text, words, person)]
    else:
        found.extend(_person(words, *span, POSSIBLE) for span in find_abroad(text, words, language))
    return found


def _beside_name(text: str, person: Person, names: list[tuple[int, int]]) -> Person:
    """A capital that nothing explains but a name right beside it."""
    gaps = [text[end : person.start] for _, end in names if 0 <= person.start - end <= _BESIDE]
    gaps += [text[person.end : start] for start, _ in names if 0 <= start - person.end <= _BESIDE]
    if person.score > UNEXPLAINED or all(any(c.isalnum() or c in ",;:&/" for c in gap) for gap in gaps):
        return person
    return Person(person.start, person.end, POSSIBLE)


def _is_thing(text: str, words: list[Word], person: Person) -> bool:
    inside = [at for at, word in enumerate(words) if person.start <= word.start < person.end]
    return bool(inside) and names_a_thing(text, words, inside[0], inside[-1] + 1)


def find_people_in_identifiers(text: str) -> list[Person]:
    """A given name beside a surname inside identifiers and closed words, where prose rules would flag too much."""
    pieces = list(pieces_of(text))
    found: list[Person] = []
    for left, right in pairwise(pieces):
        if right.start - left.end > 1 or "\n" in text[left.end : right.start]:
            continue
        if left.part is Part.GIVEN and len(left.text) > 2 and _is_surname_beside(right):
            found.append(Person(left.start, right.end, FULL))
    return found


def _is_surname_beside(word: Word) -> bool:
    if word.part is Part.SURNAME:
        return True
    return word.part in {Part.MAYBE_SURNAME, Part.GIVEN, Part.MAYBE_GIVEN} and is_top_surname(word.text)


def _judge(words: list[Word], first: int, last: int, entities: Sequence[Entity]) -> Iterator[Person]:
    before = words[first - 1] if first else None
    after = words[last] if last < len(words) else None
    if before is not None and before.lower in _TITLES:
        yield _person(words, first, last, FULL)
    elif last - first > 1:
        yield from _judge_full(words, first, last, before)
    else:
        yield from _judge_one(words, first, before, after, entities)


def _judge_one(
    words: list[Word], at: int, before: Word | None, after: Word | None, entities: Sequence[Entity]
) -> Iterator[Person]:
    word = words[at]
    introduced = before is not None and before.lower in _PERSONS
    sure = introduced or word.part is Part.GIVEN
    if _is_place_or_firm(before, after) or (not sure and (_is_feast(after) or _is_called_otherwise(word, entities))):
        return
    start, end = _widened(words, at, at + 1)
    if word.part is Part.GIVEN:
        yield _person(words, start, end, FULL if end - start > 1 else LIKELY)
    elif word.part is Part.SURNAME:
        if word.capital or _is_before_name(before) or end - start > 1 or len(word.text) > _SHORT:
            led = _is_before_name(before) or end - start > 1
            yield _person(words, start, end, LIKELY if introduced else POSSIBLE if led else UNEXPLAINED)
    elif (introduced and (word.capital or word.part is Part.UNKNOWN)) or (
        word.capital and word.part is Part.UNKNOWN and _is_before_name(before)
    ):
        yield _person(words, start, end, POSSIBLE)


def _judge_full(words: list[Word], first: int, last: int, before: Word | None) -> Iterator[Person]:
    names = [word for word in words[first:last] if word.part in NAME_PARTS]
    if names[0].lower in PLACE and names[0].part is not Part.GIVEN:
        return
    if any(word.part in _SURE for word in names):
        yield from _around_sure(words, first, last)
    elif len(names) == 1:
        if names[0].part is Part.UNKNOWN or names[0].capital:
            yield _person(words, first, last, LIKELY)
    elif _is_pair(names, before):
        yield _person(words, first, last, LIKELY)


def _is_pair(names: list[Word], before: Word | None) -> bool:
    """Whether words of which none is a name for sure make one together."""
    listed = [w for w in names if w.part is not Part.UNKNOWN]
    rare = [w for w in names if not w.is_ordinary]
    capitals = all(word.capital for word in names[1:])
    context = _is_before_name(before)
    if len(rare) == len(names):
        return bool(listed) or capitals or context
    if rare:
        return capitals or (context and names[0].part is not Part.MAYBE_SURNAME)
    if names[0].part is not Part.MAYBE_GIVEN:
        return False
    introduced = before is not None and before.lower in _PERSONS
    return (
        capitals
        or (introduced and len(names) == 2)
        or (context and not is_word_or_place(names[0].text) and is_also_surname(names[1].text))
    )


def _around_sure(words: list[Word], first: int, last: int) -> Iterator[Person]:
    """Keep what belongs to the sure words of a run: "maria gonzalez web" without its last word."""
    sure = [i for i in range(first, last) if words[i].part in _SURE]
    start, end = sure[0], sure[-1] + 1
    while start > first and _belongs_before(words[start - 1]):
        start -= 1
    while start < sure[0] and words[start].part is Part.PARTICLE:
        start += 1
    if words[end - 1].part is Part.GIVEN:
        end = _surname_after(words, end, last)
    while end < last and (words[end].capital or words[end].part is Part.UNKNOWN):
        end += 1
    while end - 1 > start and words[end - 1].part is Part.PARTICLE:
        end -= 1
    start, end = _widened(words, start, end)
    if end - start == 1 and words[start].part is Part.SURNAME and len(words[start].text) <= _SHORT:
        before = words[start - 1] if start else None
        if not words[start].capital and not _is_before_name(before):
            return
    yield _person(words, start, end, FULL if end - start > 1 else LIKELY)


def _belongs_before(word: Word) -> bool:
    if word.is_initial or word.part is Part.PARTICLE:
        return True
    return word.part in NAME_PARTS and (word.capital or not word.is_ordinary or word.part is Part.MAYBE_GIVEN)


def _surname_after(words: list[Word], at: int, last: int) -> int:
    """Where a name ends that begins with a sure given name: after initials and particles, at its surname."""
    end = at
    while end < last and (words[end].is_initial or words[end].part is Part.PARTICLE):
        end += 1
    if end >= last:
        return at
    word = words[end]
    return end + 1 if word.part is Part.UNKNOWN or word.capital or is_also_surname(word.text) else at


def _widened(words: list[Word], start: int, end: int) -> tuple[int, int]:
    """Take in a neighbour that is an ordinary word but stands where a part of the name would stand.

    To the right a capital says so ("Julian Summers"); to the left, before a sure surname, a capital or a word like
    "of" before it ("is rudra iyengar still").
    """
    if end < len(words) and words[end - 1].end + 1 == words[end].start:
        right, single = words[end], end - start == 1 and words[start].part is Part.GIVEN
        noun = not right.known and not is_plain_word(right.lower) and is_only_noun(right.lower)
        end += right.lower not in _CALENDAR and (right.capital or (single and noun))
        if words[end - 1].part is Part.PARTICLE and end < len(words) and words[end].capital:
            end += words[end - 1].end + 1 == words[end].start  # "Maria Van Hoof"
    if start and words[start].part in {Part.SURNAME, Part.UNKNOWN} and words[start - 1].end + 1 == words[start].start:
        left = words[start - 1]
        before = words[start - 2] if start > 1 else None
        unusual = not is_plain_word(left.lower) and not left.known and left.lower not in _BEFORE
        if unusual and (left.capital or (words[start].part is Part.SURNAME and _is_before_name(before))):
            start -= 1
    return start, end


def _confirmed(words: list[Word], entity: Entity) -> Iterator[Person]:
    """A person of the model's, cut to the words that can be names; none if all of it is ordinary."""
    inside = [i for i, w in enumerate(words) if w.start >= entity.start and w.end <= entity.end + 2]
    looks = [i for i in inside if words[i].part in NAME_PARTS]
    names = [words[i] for i in looks]
    if len(names) == 1 and (is_word_or_place(names[0].text) or _is_event(words, looks[0])):
        return
    if any(w.part in _SURE or w.capital or not w.is_ordinary for w in names):
        # The small model calls brands and places persons: of one word that is no given name it says nothing alone.
        alone = len(names) == 1 and names[0].part is not Part.GIVEN
        led = looks[0] > 0 and words[looks[0] - 1].lower in _LED
        yield _person(words, looks[0], looks[-1] + 1, LIKELY if led or not alone else UNEXPLAINED)


def _is_event(words: list[Word], at: int) -> bool:
    """Whether an unlisted word follows "since" or the like, so that it names a time."""
    return words[at].part is Part.UNKNOWN and at > 0 and words[at - 1].lower in BEFORE_EVENT


def _is_before_name(word: Word | None) -> bool:
    return word is not None and word.lower in _BEFORE


def _is_place_or_firm(before: Word | None, after: Word | None) -> bool:
    return (before is not None and before.lower in PLACE) or (after is not None and after.lower in _ORGANISATION)


def _is_feast(after: Word | None) -> bool:
    """Whether a day of the week follows: "Cyber Monday"."""
    return after is not None and after.capital and after.lower.endswith("day") and after.lower in _CALENDAR


def _is_called_otherwise(word: Word, entities: Sequence[Entity]) -> bool:
    """Whether the model calls this very word a place, a firm or a nation."""
    return any(e.label in _NOT_PERSON and (e.start, e.end) == (word.start, word.end) for e in entities)


def _person(words: list[Word], first: int, last: int, score: float) -> Person:
    return Person(words[first].start, words[last - 1].end, score)
