"""Parts of a value by which people call it: "acme" for "Acme Corp", "lopez" for "Maria Lopez".

In the index: of each value of two to `MAX_VALUE_WORDS` words its beginnings, and each later word by itself, where no
more than `MAX_SHARED` values of the column have the same; so "ltd" and, in most tables, "maria" stand for nothing. In
a question, what a dictionary has counts only as a beginning, in the place of a name ("for acme", "acme's"), and not
before a word that it may belong to ("for ocean freight"). What no dictionary has counts anywhere.

A part says which values are meant, not what they are: its binding is looked up in the database under the asker's
scope (`gateway.spelling`), and the asker is told what it was taken for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

MAX_VALUE_WORDS: Final = 5
"""Values of more words are sentences, of which single words are no names."""
MAX_SHARED: Final = 8
"""Values of one column that a part may stand for."""
MIN_CHARS: Final = 3

BEGINNING: Final = "\x02"
"""Begins the form in which the beginning of a value is hashed; normalised text cannot hold it."""
LATER: Final = "\x03"
"""The same for a word that is not the first of its value."""

_PLACE_WORDS: Final = """
of for by from to with about and or versus vs than did does do has have had was is customer client account supplier
vendor company firm partner store shop brand product merchant tenant user named called
"""
PLACE_OF_NAME: Final = frozenset(_PLACE_WORDS.split())
"""Words after which a name may stand."""
_LEGAL_WORDS: Final = """
inc ltd llc gmbh corp corporation company co plc ag sa bv nv srl sarl spa pty oy ab as aps kg ohg llp lp pvt group
holding holdings limited incorporated
"""
LEGAL_FORMS: Final = frozenset(_LEGAL_WORDS.split())
"""Part of many names, and the name of none."""


def parts_of(words: Sequence[str]) -> Iterator[str]:
    """The parts of one normalised value, marked, each once; none of a value of one word or of a sentence."""
    if not 2 <= len(words) <= MAX_VALUE_WORDS:
        return
    found = {BEGINNING + " ".join(words[:size]) for size in range(1, len(words)) if says_enough(words[:size])}
    found |= {LATER + word for word in words[1:] if says_enough((word,))}
    yield from found


def says_enough(words: Sequence[str]) -> bool:
    """Whether words can stand for a value: not a legal form, a number or a letter or two."""
    return any(len(word) >= MIN_CHARS and not word.isdigit() and word not in LEGAL_FORMS for word in words)


def rare(prints: array[int]) -> array[int]:
    """The fingerprints that occur at most `MAX_SHARED` times, sorted, each once."""
    counted = ((fingerprint, sum(1 for _ in same)) for fingerprint, same in groupby(sorted(prints)))
    return array("Q", (fingerprint for fingerprint, times in counted if times <= MAX_SHARED))
