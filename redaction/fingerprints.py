"""The private value index: which text is a value of which column, without holding a single value.

Each distinct value is normalised, hashed with a key of this index alone (BLAKE2b, 64 bits) and dropped. What stays
is one sorted array of 64-bit fingerprints and, in 32 bits more, the set of columns that hold it and whether it is
spelt as it was hashed but for case: 96 bits per value. Of values of a few words, the parts by which people call
them take 96 bits each besides (`redaction.parts`). A look-up that is not a value answers "yes" with probability
n / 2**64, about 5e-14 for a million values.

An index belongs to one scope and its key is derived for that scope, so nothing of one tenant's index says anything
of another's: they share neither fingerprints nor memory. A look-up hashes and bisects whatever the answer is.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, repeat
from operator import itemgetter
from typing import Final, NoReturn

from redaction.parts import BEGINNING, LATER, parts_of, rare

MAX_WORDS: Final = 8
"""A value of more words is free text: nobody types it whole. Only a fragment of it is kept, for the egress guard."""

MAX_CHARS: Final = 200
"""Only so much of a value is read; the rest of a longer one is never hashed."""

_STYLED: Final = 1 << 31
"""Bit of a column-set number: no value of this form is spelt with these very letters; "muller" stands for "Müller"."""

_PART: Final = 1 << 30
"""Bit of a column-set number: the fingerprint is of a part of values (`redaction.parts`)."""

_COLUMN_SET: Final = ~(_STYLED | _PART)

_MIN_DIGITS: Final = 5
"""Digits alone identify nothing below this length: years, quantities, small codes."""
_CODE_MARK: Final = "\x01"
"""Begins the form in which an identifier number is hashed; normalised text cannot hold it."""

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
    """

    __slots__ = ("_column_sets", "_fragments", "_key", "_prints", "_set_of", "columns", "max_words", "skipped", "token")

    def __init__(
        self,
        *,
        key: bytes,
        prints: array[int],
        set_of: array[int],
        column_sets: tuple[tuple[str, ...], ...],
        fragments: array[int],
        skipped: tuple[str, ...],
        max_words: int,
    ) -> None:
        self._key = key
        self._prints = prints
        self._set_of = set_of
        self._column_sets = column_sets
        self._fragments = fragments
        self.columns = tuple(sorted({column for columns in column_sets for column in columns}))
        self.skipped = skipped
        self.max_words = max_words
        self.token = object()
        """Identity of these very contents, for caches: never equal to another index's."""

    def find(self, phrase: str) -> tuple[str, ...]:
        """Columns that hold a normalised phrase, sorted; empty if none does."""
        at = _position(self._prints, _fingerprint(self._key, phrase))
        return () if at is None else self._column_sets[self._set_of[at] & _COLUMN_SET]

    def find_part(self, phrase: str, *, beginning: bool) -> tuple[str, ...]:
        """Columns of which some values begin with a normalised phrase, or hold it as a later word; sorted."""
        return self.find((BEGINNING if beginning else LATER) + phrase)

    def find_code(self, digits: str) -> tuple[str, ...]:
        """Identifier columns that hold a number, sorted; empty if none does."""
        return self.find(_CODE_MARK + digits)

    def is_styled(self, phrase: str) -> bool:
        """Whether the values behind a phrase have accents or punctuation, so that the phrase itself equals none."""
        at = _position(self._prints, _fingerprint(self._key, phrase))
        return at is not None and bool(self._set_of[at] & _STYLED)

    def has_fragment(self, phrase: str) -> bool:
        """Whether a normalised phrase of `MAX_WORDS` words begins a longer value."""
        return _position(self._fragments, _fingerprint(self._key, phrase)) is not None

    @property
    def has_fragments(self) -> bool:
        """Whether any value was longer than `MAX_WORDS` words."""
        return len(self._fragments) > 0

    @property
    def stats(self) -> IndexStats:
        """What the index costs and how sure it is."""
        size = sum(len(part) * part.itemsize for part in (self._prints, self._set_of, self._fragments))
        entries = len(self._prints) + len(self._fragments)
        parts = sum(bool(number & _PART) for number in self._set_of)
        return IndexStats(
            values=len(self._prints) - parts,
            parts=parts,
            fragments=len(self._fragments),
            bytes=size,
            bits_per_value=size * 8 / entries if entries else 0.0,
            false_positive_rate=entries / 2**64,
            columns=self.columns,
            skipped=self.skipped,
        )

    def __len__(self) -> int:
        return len(self._prints)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<ValueIndex of {len(self.columns)} columns>"

    def __reduce__(self) -> NoReturn:
        msg = "a value index stays in its process"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class _Prints:
    """Sorted fingerprints of one column; those of values spelt as hashed; those of parts."""

    prints: array[int]
    literal: array[int]
    parts: array[int]


class _Marked:
    """Whether a fingerprint is in any of some sorted arrays; asked in rising order."""

    def __init__(self, arrays: Iterable[array[int]]) -> None:
        self._merged = merge(*arrays)
        self._next = next(self._merged, None)

    def has(self, fingerprint: int) -> bool:
        while self._next is not None and self._next < fingerprint:
            self._next = next(self._merged, None)
        return self._next == fingerprint


class IndexBuilder:
    """Builds a `ValueIndex` in one pass; holds fingerprints only, never a value.

    Args:
        key: Key of the index, 16 to 64 bytes; derive one per scope.
        previous: An index of the same key to refresh: columns that are not added anew keep their fingerprints.
    """

    def __init__(self, key: bytes, *, previous: ValueIndex | None = None) -> None:
        if not 16 <= len(key) <= 64:
            msg = "the key of a value index has 16 to 64 bytes"
            raise ValueError(msg)
        self._key = hashlib.blake2b(key, digest_size=32, person=b"rowless-index").digest()
        if previous is not None and previous._key != self._key:  # noqa: SLF001
            msg = "an index can only be refreshed under its own key"
            raise ValueError(msg)
        self._previous = previous
        self._columns: dict[str, array[int]] = {}
        self._literal: dict[str, array[int]] = {}
        self._parts: dict[str, array[int]] = {}
        self._fragments = array("Q") if previous is None else array("Q", previous._fragments)  # noqa: SLF001
        self._skipped: set[str] = set()
        self._max_words = previous.max_words if previous is not None else 1

    def add(self, column: str, values: Iterable[str], *, max_values: int | None = None) -> bool:
        """Hash the distinct values of one column, named ``table.column``, and drop them.

        Returns:
            False if the column has more than `max_values` values: then nothing of it is kept, and `skipped` says so.
        """
        prints = array("Q")
        fragments = array("Q")
        literal = array("Q")
        parts = array("Q")
        longest = 1
        for seen, value in enumerate(values):
            if max_values is not None and seen >= max_values:
                self._columns[column] = self._literal[column] = self._parts[column] = array("Q")
                self._skipped.add(column)
                return False
            words = normalise(value[:MAX_CHARS]).split(" ")
            if len(words) > MAX_WORDS:
                fragments.append(_fingerprint(self._key, " ".join(words[:MAX_WORDS])))
                continue
            phrase = " ".join(words)
            if is_indexed(phrase):
                prints.append(_fingerprint(self._key, phrase))
                if value.casefold() == phrase:
                    literal.append(prints[-1])
                longest = max(longest, len(words))
            parts.extend(_fingerprint(self._key, part) for part in parts_of(words))
        self._parts[column] = rare(parts)
        self._columns[column] = _sorted(prints + self._parts[column])
        self._literal[column] = _sorted(literal)
        self._fragments.extend(fragments)
        self._max_words = max(self._max_words, longest)
        self._skipped.discard(column)
        return True

    def add_codes(self, column: str, values: Iterable[str], *, max_values: int | None = None) -> bool:
        """Hash the numbers of one identifier column, to be found by `ValueIndex.find_code` alone. As `add`."""
        prints = array("Q")
        for seen, value in enumerate(values):
            if max_values is not None and seen >= max_values:
                self._columns[column] = self._literal[column] = array("Q")
                self._skipped.add(column)
                return False
            prints.append(_fingerprint(self._key, _CODE_MARK + value))
        self._columns[column] = self._literal[column] = _sorted(prints)
        self._skipped.discard(column)
        return True

    def build(self) -> ValueIndex:
        """Merge the columns' sorted fingerprints into one array, and number the sets of columns."""
        columns = self._kept() | {
            c: _Prints(self._columns[c], self._literal[c], self._parts.get(c, array("Q"))) for c in self._columns
        }
        ordered, set_of = array("Q"), array("I")
        numbers: dict[tuple[str, ...], int] = {}
        streams = [zip(kept.prints, repeat(column)) for column, kept in sorted(columns.items())]
        literal = _Marked(kept.literal for kept in columns.values())
        parts = _Marked(kept.parts for kept in columns.values())
        for fingerprint, holders in groupby(merge(*streams), key=itemgetter(0)):
            number = numbers.setdefault(tuple(column for _, column in holders), len(numbers))
            ordered.append(fingerprint)
            set_of.append(
                number | (0 if literal.has(fingerprint) else _STYLED) | (_PART if parts.has(fingerprint) else 0)
            )
        return ValueIndex(
            key=self._key,
            prints=ordered,
            set_of=set_of,
            column_sets=tuple(numbers),
            fragments=_sorted(self._fragments),
            skipped=tuple(sorted(self._skipped.union(self._still_skipped()))),
            max_words=self._max_words,
        )

    def _kept(self) -> dict[str, _Prints]:
        """Columns of the previous index that were not added anew."""
        kept: dict[str, _Prints] = {}
        if self._previous is None:
            return kept
        previous = self._previous
        for fingerprint, number in zip(previous._prints, previous._set_of, strict=True):  # noqa: SLF001
            for column in previous._column_sets[number & _COLUMN_SET]:  # noqa: SLF001
                if column not in self._columns:
                    held = kept.setdefault(column, _Prints(array("Q"), array("Q"), array("Q")))
                    held.prints.append(fingerprint)
                    if not number & _STYLED:
                        held.literal.append(fingerprint)
                    if number & _PART:
                        held.parts.append(fingerprint)
        return kept

    def _still_skipped(self) -> Collection[str]:
        return {c for c in self._previous.skipped if c not in self._columns} if self._previous is not None else ()


def is_indexed(phrase: str) -> bool:
    """Whether a normalised phrase says enough to be a value: not one letter, not a short number."""
    bare = phrase.replace(" ", "")
    if bare.isdigit():
        return len(bare) >= _MIN_DIGITS
    return len(bare) > 1


def _sorted(prints: array[int]) -> array[int]:
    return array("Q", sorted(set(prints)))


def _fingerprint(key: bytes, phrase: str) -> int:
    return int.from_bytes(hashlib.blake2b(phrase.encode(), digest_size=8, key=key).digest(), "little")


def _position(prints: array[int], fingerprint: int) -> int | None:
    at = bisect_left(prints, fingerprint)
    return at if at < len(prints) and prints[at] == fingerprint else None
