"""How much a word looks like part of a person's name, from lists of names and a dictionary of ordinary words.

A name list alone flags "may", "grant", "page" and "sales"; a dictionary alone knows "john" and "maria" as words. So
each word gets a class from both, and `people` decides by what stands beside what.
"""

from __future__ import annotations

import importlib.util
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

from redaction.config import ENGLISH_MODEL
from redaction.fingerprints import normalise
from redaction.words import is_plain_word


class Part(StrEnum):
    """What a word may be in a name."""

    GIVEN = "G"
    """A given name and hardly anything else: maria, priya, wojciech."""
    MAYBE_GIVEN = "g"
    """A given name and an ordinary word or place: grant, rose, austin."""
    SURNAME = "S"
    """A surname and no ordinary word: gonzalez, nguyen."""
    MAYBE_SURNAME = "s"
    """A surname and an ordinary word: brown, cook, smith."""
    UNKNOWN = "U"
    """In no list and no dictionary."""
    PARTICLE = "P"
    """Stands inside names: van, de la."""
    WORD = "W"
    """Any other word."""


_COMMON_GIVEN: Final = 700
"""A US given name this frequent is taken for a name even if the dictionary knows the word (john, maria)."""
_FREQUENT_GIVEN: Final = 2_500
_FREQUENT_SURNAME: Final = 12_000
_TOP_SURNAME: Final = 3_000
_MIN_CHARS: Final = 3
_LONG: Final = 5
"""A rare name longer than this, that no dictionary has, is hardly anything else."""
_MONTH_NAMES: Final = frozenset({"may", "april", "june", "august", "jan", "will", "mark"})
"""Words of every question that are given names besides; names only beside something else that is one."""

_PARTICLE_WORDS: Final = (
    "de da do dos das del della di van von der den ten ter la le du bin ibn ben al el abu af av zu zur mac mc st"
)
PARTICLES: Final = frozenset(_PARTICLE_WORDS.split())

_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})
"""Letters that are no accented ones to Unicode, but are to whoever writes a name without them."""
_PLACES: Final = "words_and_places.txt"
_TRADE: Final = "jargon.txt"
_PUBLIC: Final = ("public_names.txt", "cities.txt", "words_en.txt")
_GIVEN: Final = ("given_us.txt", "given_world.txt")
_SURNAMES: Final = ("surnames_us.txt", "surnames_world.txt")
_ENDINGS: Final = """
owski ewski inski ynski owska ewska inska escu enko ovic evic ovich evich opoulos akis idis adze shvili oglu
sson strom qvist quist berg mann stein feld bauer ovsky evsky ova eva iuk chuk czyk czak inen gaard sdottir
swamy nathan kumar walla singh hoven huizen stra elli etti otti ucci acci azzo uez inez andez endez arez alez
eiro eira
"""
_NAME_ENDINGS: Final = tuple(_ENDINGS.split())


_SUFFIXES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("er", ("", "e")),
    ("ers", ("", "e")),
    ("est", ("", "e")),
    ("ly", ("",)),
    ("ily", ("y",)),
    ("able", ("", "e")),
    ("ness", ("",)),
    ("isation", ("ize", "ise")),
    ("ization", ("ize",)),
    ("ised", ("ize",)),
    ("ising", ("ize",)),
    ("ise", ("ize",)),
    ("lled", ("l",)),
    ("lling", ("l",)),
    ("our", ("or",)),
    ("tre", ("ter",)),
)
"""Endings of inflected and British forms, and what may stand in their place in the dictionary."""
_PREFIXES: Final = (
    "un",
    "re",
    "non",
    "pre",
    "sub",
    "over",
    "under",
    "multi",
    "mis",
    "co",
    "inter",
    "cross",
    "up",
    "out",
)


def dictionary() -> frozenset[str]:
    """Ordinary English words (WordNet's lemmas, from the installed language model); empty if it is not installed."""
    return _lemmas()[0]


def is_only_noun(word: str) -> bool:
    """Whether a dictionary word is a noun and nothing else: "paganini" and "laptop", but not "buy" or "late"."""
    words, others = _lemmas()
    return word in words and word not in others and not any(stem in others for stem in _stems(word))


@cache
def _lemmas() -> tuple[frozenset[str], frozenset[str]]:
    """All lemmas, and those of verbs, adjectives and adverbs."""
    found = importlib.util.find_spec(ENGLISH_MODEL)
    if found is None or found.origin is None:
        return frozenset(), frozenset()
    from spacy.lookups import Lookups
    from spacy.strings import get_string_id

    noun = get_string_id("noun")

    for tables in sorted(Path(found.origin).parent.glob("*/lemmatizer/lookups")):
        loaded = Lookups().from_disk(tables)
        words: set[str] = set()
        others: set[str] = set()
        for name in ("lemma_index", "lemma_exc"):
            table = loaded.get_table(name)
            for part in table:
                lemmas = [word for word in table[part] if word.isalpha()]
                words.update(lemmas)
                if part not in {noun, "noun"}:
                    others.update(lemmas)
        return frozenset(words), frozenset(others)
    return frozenset(), frozenset()


@cache
def _listed(file: str) -> frozenset[str]:
    return frozenset(_ranks(file))


@cache
def _ranks(*files: str) -> dict[str, int]:
    ranks: dict[str, int] = {}
    folder = resources.files(__package__) / "data"
    for file in files:
        for line in (folder / file).read_text("utf-8").splitlines():
            if not line.startswith("#"):
                for word in line.split():
                    ranks.setdefault(word, len(ranks))
    return ranks


def is_ordinary(word: str) -> bool:
    """Whether a word without accents and case is an ordinary word, a word of the trade, or an ending of one."""
    if is_plain_word(word) or word in _listed(_TRADE):
        return True
    words = dictionary()
    if word in words:
        return True
    return any(stem in words or stem in _listed(_TRADE) for stem in _stems(word))


def _is_ordinary_name(word: str) -> bool:
    """Whether a word that is in a list of names is an ordinary word besides: itself, or a plural or past of one."""
    if is_plain_word(word) or word in _listed(_TRADE) or word in dictionary():
        return True
    for ending in ("s", "ed", "ing"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > _MIN_CHARS and stem in dictionary():
            return True
    return False


def is_public(word: str) -> bool:
    """Whether a word in no dictionary is a brand, an event, a league, a medicine or a city, and no person's name."""
    return word in _ranks(*_PUBLIC)


def _stems(word: str) -> list[str]:
    stems: list[str] = []
    for ending, puts in _SUFFIXES:
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_CHARS:
            stem = word[: -len(ending)]
            stems += [stem + put for put in puts]
            if len(stem) > _MIN_CHARS and stem[-1] == stem[-2]:
                stems.append(stem[:-1])
    for start in _PREFIXES:
        if word.startswith(start) and len(word) - len(start) > _MIN_CHARS:
            stems.append(word[len(start) :])
    return stems


@lru_cache(maxsize=32_768)
def part_of(word: str) -> Part:
    """The class of a word as typed; the schema's own words are the caller's business."""
    plain = normalise(word).replace(" ", "").translate(_LETTERS)
    if not plain.isalpha() or len(plain) > 30:
        return Part.WORD
    if plain in PARTICLES:
        return Part.PARTICLE
    given = _ranks(*_GIVEN).get(plain)
    surname = _ranks(*_SURNAMES).get(plain)
    ordinary = is_ordinary(plain) if given is None and surname is None else _is_ordinary_name(plain)
    return (
        _given(plain, given, ordinary)
        or _surname(plain, surname, ordinary)
        or (Part.UNKNOWN if not ordinary and len(plain) >= _MIN_CHARS and not is_public(plain) else Part.WORD)
    )


def _given(plain: str, rank: int | None, ordinary: bool) -> Part | None:
    if rank is None:
        return None
    sure = not ordinary or (rank < _COMMON_GIVEN and not is_plain_word(plain))
    listed = rank < _FREQUENT_GIVEN or rank >= len(_ranks("given_us.txt")) or len(plain) > _LONG
    long_enough = len(plain) > _MIN_CHARS or rank < _COMMON_GIVEN
    if sure and listed and long_enough and plain not in _listed(_PLACES) and dictionary():
        return Part.GIVEN
    return None if is_plain_word(plain) and plain not in _MONTH_NAMES else Part.MAYBE_GIVEN


def _surname(plain: str, rank: int | None, ordinary: bool) -> Part | None:
    if rank is not None and not is_plain_word(plain):
        listed = rank < _FREQUENT_SURNAME or rank >= len(_ranks("surnames_us.txt")) or len(plain) > _LONG
        sure = not ordinary and listed and len(plain) > _MIN_CHARS and plain not in _listed(_PLACES)
        return Part.SURNAME if sure and dictionary() else Part.MAYBE_SURNAME
    if not ordinary and len(plain) > 5 and plain.endswith(_NAME_ENDINGS):
        return Part.SURNAME
    return None


def is_listed_given(word: str) -> bool:
    """Whether a normalised word is in the lists of given names at all, whatever else it means."""
    return word in _ranks(*_GIVEN)


def is_top_surname(word: str) -> bool:
    """Whether a word is among the most frequent US surnames, so that beside a given name it is one."""
    return _ranks(*_SURNAMES).get(normalise(word), _TOP_SURNAME) < _TOP_SURNAME


def is_word_or_place(word: str) -> bool:
    """Whether a name is listed as a word of questions or a place that people ask about."""
    return normalise(word) in _listed(_PLACES)


def is_also_surname(word: str) -> bool:
    """Whether a word is in the lists of surnames at all."""
    return normalise(word) in _ranks(*_SURNAMES)
