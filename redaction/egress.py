"""The egress guard: what no prompt may hold even if no recogniser knows it, whatever made the prompt.

Closed rules per kind of segment: no indexed value, no number finer than the disclosure rules allow, no byte outside
of printable text. A template's own words are static and are held to the byte rule only.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from redaction.figures import is_year
from redaction.fingerprints import ValueIndex, normalise
from redaction.folding import clean, views
from redaction.linking import KnownNames, ValueMatch, find_values
from redaction.recognizers.names import is_ordinary
from redaction.segments import SegmentKind

INDEXED_VALUE: Final = "INDEXED_VALUE"
"""A value of a row stands in the text."""
FINE_NUMBER: Final = "FINE_NUMBER"
"""A number with more digits than the disclosure rules release."""
UNSCANNED_BYTE: Final = "UNSCANNED_BYTE"
"""A character that a reader cannot see, and that a pattern would miss."""

MAX_SIGNIFICANT_DIGITS: Final = 3
"""The disclosure rules release two digits; the guard leaves room for one more (docs/disclosure.md)."""


_NUMBER: Final = re.compile(r"(?<![\w.])[+-]?(\d[\d,_]*(?:\.\d+)?)(?:[eE][+-]?\d+)?(?!\w)")
_QUOTED: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_RANGE: Final = re.compile(r"\.\.")
_NUMERIC_KINDS: Final = frozenset({SegmentKind.METADATA, SegmentKind.REPAIR})
_MIN_CIPHERED: Final = 6
"""Characters of a value that is looked for backwards or in rot13: shorter ones meet by chance."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def check_segment(kind: SegmentKind, text: str, index: ValueIndex | None, known: KnownNames) -> set[str]:
    """The egress rules that a segment breaks; empty if none."""
    broken: set[str] = set()
    if not is_plain_text(text):
        broken.add(UNSCANNED_BYTE)
    if kind is SegmentKind.TEMPLATE:
        return broken
    if kind in _NUMERIC_KINDS and has_fine_number(text, known):
        broken.add(FINE_NUMBER)
    if index is not None and holds_value(text, index, known, parts=kind is SegmentKind.QUESTION):
        broken.add(INDEXED_VALUE)
    return broken


def holds_value(text: str, index: ValueIndex, known: KnownNames, *, parts: bool = False) -> bool:
    """Whether an indexed value stands in a text as written, or in a reading of it with a disguise undone.

    With `parts`, also a part of one that no dictionary has, and a value backwards or in rot13.
    """
    reading = clean(text)
    for view in (reading, *views(reading)):
        found = [
            match
            for match in find_values(view.text, index, known, parts=parts)
            if not match.part or not all(is_ordinary(word) for word in match.phrase.split())
        ]
        if found and not all(_is_described(match, view.text, known) for match in found):
            return True
    return parts and _is_ciphered(reading.text, index, known)


def _is_ciphered(text: str, index: ValueIndex, known: KnownNames) -> bool:
    """Whether a value stands in a text backwards or in rot13; only looked for where a word is in no dictionary."""
    if all(is_ordinary(word) for word in normalise(text).split()):
        return False
    return any(
        len(match.phrase) >= _MIN_CIPHERED
        for ciphered in (codecs.encode(text, "rot13"), text[::-1])
        for match in find_values(ciphered, index, known)
    )


def _is_described(match: ValueMatch, text: str, known: KnownNames) -> bool:
    """Whether a match is ordinary words inside a description of the owner's: "Orders shipped to customers".

    Some row may well hold "shipped". A name or code inside a description is refused all the same.
    """
    if not all(is_ordinary(word) for word in normalise(text[match.start : match.end]).split()):
        return False
    return any(start <= match.start and match.end <= end for start, end in _descriptions(text, known))


def _descriptions(text: str, known: KnownNames) -> Iterator[tuple[int, int]]:
    """Where descriptions stand in a text, whole or cut short: in quotes, each the beginning of one."""
    for quoted in _QUOTED.finditer(text):
        plain = normalise(quoted.group(1))
        if plain and any(sentence.startswith(plain) for sentence in known.sentences):
            yield quoted.span(1)


def has_fine_number(text: str, known: KnownNames) -> bool:
    """Whether a number of a text, or a bound of a range such as ``2..12``, has more digits than may be released."""
    spaced = _RANGE.sub("  ", text)
    numbers = (match.group(1) for match in _NUMBER.finditer(spaced))
    return any(
        significant_digits(n) > MAX_SIGNIFICANT_DIGITS and n not in known.numbers and not is_year(n) for n in numbers
    )


def is_plain_text(text: str) -> bool:
    """Whether every character is one that a reader sees, or a line break or tab."""
    if text.isascii():
        return all(c.isprintable() or c in "\n\t" for c in text) if not text.isprintable() else True
    return all(c in "\n\t" or unicodedata.category(c) not in _INVISIBLE for c in text)


def significant_digits(number: str) -> int:
    """Digits of a number as written that say something: no leading zeros, and no trailing zeros of a whole number."""
    whole, _, fraction = number.replace(",", "").replace("_", "").partition(".")
    digits = (whole + fraction).lstrip("0")
    return len(digits.rstrip("0"))
