"""The private value index: which text is a value of which column, without holding a single value.

Each distinct value is normalised, hashed with a key of this index alone (BLAKE2b, 64 bits) and dropped. What stays
is one sorted array of 64-bit fingerprints and, in 32 bits more, the number of the set of columns that hold it, and how
each spells it: 96 bits per value. Of values of a few words, the parts by which people call them take 96 bits each
besides (`redaction.parts`). A look-up that is not a value answers "yes" with probability n / 2**64, about 5e-14 for a
million values. `redaction.index_builder` makes an index and refreshes it.

An index belongs to one scope and its key is derived for that scope, so nothing of one tenant's index says anything
of another's: they share neither fingerprints nor memory. A look-up hashes and bisects whatever the answer is.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from redaction.parts import BEGINNING, LATER

MAX_WORDS: Final = 8
"""A value of more words is free text: nobody types it whole. Only a fragment of it is kept, for the egress guard."""

MAX_CHARS: Final = 200
"""Only so much of a value is read; the rest of a longer one is never hashed."""

CODE_MARK: Final = "\x01"
"""Begins the form in which an identifier number is hashed; normalised text cannot hold it."""
FRAGMENT_MARK: Final = "\x04"
"""The same for the beginning of a value of more than `MAX_WORDS` words."""

_MIN_DIGITS: Final = 5
"""Digits alone identify nothing below this length: years, quantities, small codes."""
_WORD: Final = re.compile(r"[^\W_]+")
_SIBILANT: Final = ("s", "x", "z", "ch", "sh")


def normalise(text: str) -> str:
    """Bring text to the form that is hashed: no case, accents, punctuation or double spaces.

    The number of words stays, so that a phrase of a question and a value are comparable word by word.
    """
    folded = unicodedata.normalize("NFKC", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(plain.casefold()))


def number_forms(phrase: str) -> Iterator[str]:
    """A normalised phrase as typed, then with its last word in the singular and in the plural."""
    yield phrase
    head, _, last = phrase.rpartition(" ")
    prefix = f"{head} " if head else ""
    if len(last) < 3 or last[-1].isdigit():
        if len(last) > 1 and last.endswith("s"):
            yield prefix + last[:-1]
        return
    if last.endswith("ies") and len(last) > 4:
        yield f"{prefix}{last[:-3]}y"
    elif last.endswith("es") and last[:-2].endswith(_SIBILANT):
        yield prefix + last[:-2]
    if last.endswith("s") and not last.endswith("ss"):
        yield prefix + last[:-1]
    elif last.endswith("y") and last[-2] not in "aeiou":
        yield f"{prefix}{last[:-1]}ies"
    else:
        yield prefix + last + ("es" if last.endswith(_SIBILANT) else "s")


class Kind(StrEnum):
    """What a fingerprint is of."""

    VALUE = "value"
    PART = "part"
    FRAGMENT = "fragment"


@dataclass(frozen=True, slots=True)
class Holders:
    """A set of columns that fingerprints share.

    Attributes:
        kind: What these fingerprints are of.
        held: Each column, sorted, and whether it has a value spelt with these very letters but for case; "muller" is
            no spelling of "Müller".
    """

    kind: Kind
    held: tuple[tuple[str, bool], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, sorted."""
        return tuple(column for column, _ in self.held)


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything an index keeps; read by `ValueIndex` and, for a refresh, by `redaction.index_builder`.

    Attributes:
        prints: Sorted fingerprints.
        set_of: For each, the number of its set of columns.
        sets: The sets of columns, by number.
        longest: Words of the longest value of each column that has one of at most `MAX_WORDS`.
        skipped: Columns left out because they have too many distinct values.
    """

    prints: array[int]
    set_of: array[int]
    sets: tuple[Holders, ...]
    longest: Mapping[str, int]
    skipped: frozenset[str]


def last_word(column: str) -> str:
    """The last word of a column's name, normalised: "method" of ``staff.contact_method``."""
    return normalise(column.replace("_", " ")).rpartition(" ")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStats:
    """What an index costs and how sure it is.

    Attributes:
        values: Distinct normalised values.
        parts: Parts of values that stand for few of them.
        fragments: Beginnings of values of more than `MAX_WORDS` words.
        bytes: Memory of the arrays.
        bits_per_value: Memory per value, part and fragment.
        false_positive_rate: Probability that one look-up of something else says yes.
        columns: Columns in the index.
        skipped: Columns left out because they have too many distinct values.
    """

    values: int
    parts: int
    fragments: int
    bytes: int
    bits_per_value: float
    false_positive_rate: float
    columns: tuple[str, ...]
    skipped: tuple[str, ...]


class ValueIndex:
    """Keyed fingerprints of the values of one scope; made by `IndexBuilder`. Read-only and thread-safe.

    It can be neither pickled nor printed, and compares by identity: a fingerprint leaves it in no way.

    Args:
        key: Key of the fingerprints.
        contents: What the builder made.
        lineage: Identity of the first index that this one is a refresh of, if it is one.
    """

    __slots__ = ("_columns_of", "_contents", "_key", "_styled", "column_words", "columns", "has_fragments", "lineage",
                 "max_words", "skipped", "token")  # fmt: skip

    def __init__(self, key: bytes, contents: Contents, *, lineage: object | None = None) -> None:
        self._key = key
        self._contents = contents
        self._columns_of = tuple(holders.columns for holders in contents.sets)
        self._styled = tuple(not any(literal for _, literal in holders.held) for holders in contents.sets)
        self.columns = tuple(sorted({column for columns in self._columns_of for column in columns}))
        self.column_words = frozenset(form for column in self.columns for form in number_forms(last_word(column)))
        """Last words of the columns' names, in either number."""
        self.skipped = tuple(sorted(contents.skipped))
        self.max_words = max(contents.longest.values(), default=1)
        self.has_fragments = any(holders.kind is Kind.FRAGMENT for holders in contents.sets)
        """Whether any value was longer than `MAX_WORDS` words."""
        self.token = object()
        """Identity of these very contents, for caches: never equal to another index's."""
        self.lineage = lineage or object()
        """Identity of the scope's index through all its refreshes, for caches of what no contents decide."""

    def find(self, phrase: str) -> tuple[str, ...]:
        """Columns that hold a normalised phrase, sorted; empty if none does."""
        number = self._set(phrase)
        return () if number is None else self._columns_of[number]

    def find_part(self, phrase: str, *, beginning: bool) -> tuple[str, ...]:
        """Columns of which some values begin with a normalised phrase, or hold it as a later word; sorted."""
        return self.find((BEGINNING if beginning else LATER) + phrase)

    def find_code(self, digits: str) -> tuple[str, ...]:
        """Identifier columns that hold a number, sorted; empty if none does."""
        return self.find(CODE_MARK + digits)

    def is_styled(self, phrase: str) -> bool:
        """Whether the values behind a phrase have accents or punctuation, so that the phrase itself equals none."""
        number = self._set(phrase)
        return number is not None and self._styled[number]

    def has_fragment(self, phrase: str) -> bool:
        """Whether a normalised phrase of `MAX_WORDS` words begins a longer value."""
        return self._set(FRAGMENT_MARK + phrase) is not None

    def _set(self, form: str) -> int | None:
        prints, wanted = self._contents.prints, fingerprint(self._key, form)
        at = bisect_left(prints, wanted)
        return self._contents.set_of[at] if at < len(prints) and prints[at] == wanted else None

    def contents(self, key: bytes) -> Contents:
        """What the index keeps, for whoever has its key: the builder of the next one.

        Raises:
            ValueError: It is another index's key.
        """
        if key != self._key:
            msg = "an index can only be refreshed under its own key"
            raise ValueError(msg)
        return self._contents

    @property
    def stats(self) -> IndexStats:
        """What the index costs and how sure it is."""
        kept = self._contents
        size = sum(len(part) * part.itemsize for part in (kept.prints, kept.set_of))
        entries = len(kept.prints)
        counted = dict.fromkeys(Kind, 0)
        for number, times in _tally(kept.set_of, len(kept.sets)):
            counted[kept.sets[number].kind] += times
        return IndexStats(
            values=counted[Kind.VALUE],
            parts=counted[Kind.PART],
            fragments=counted[Kind.FRAGMENT],
            bytes=size,
            bits_per_value=size * 8 / entries if entries else 0.0,
            false_positive_rate=entries / 2**64,
            columns=self.columns,
            skipped=self.skipped,
        )

    def __len__(self) -> int:
        return len(self._contents.prints)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<ValueIndex of {len(self.columns)} columns>"

    def __reduce__(self) -> NoReturn:
        msg = "a value index stays in its process"
        raise TypeError(msg)


def is_indexed(phrase: str) -> bool:
    """Whether a normalised phrase says enough to be a value: not one letter, not a short number."""
    bare = phrase.replace(" ", "")
    if bare.isdigit():
        return len(bare) >= _MIN_DIGITS
    return len(bare) > 1


def fingerprint(key: bytes, form: str) -> int:
    """The keyed hash of a normalised form, perhaps marked; 64 bits."""
    return int.from_bytes(hashlib.blake2b(form.encode(), digest_size=8, key=key).digest(), "little")


def _tally(set_of: Sequence[int], sets: int) -> Iterator[tuple[int, int]]:
    counted = [0] * sets
    for number in set_of:
        counted[number] += 1
    return iter(enumerate(counted))
