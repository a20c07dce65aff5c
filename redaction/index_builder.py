"""Builds the private value index, and refreshes it column by column: what is read anew replaces what was.

A refreshed index answers exactly as one built anew from the same values (tests/redaction/test_refresh.py): each set of
columns says for every column by itself how it spells a value, so a column can be taken out without a trace. What
stays is copied, not hashed again: a refresh costs time for the columns that are read, and hardly any for the others.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import compress, groupby, repeat
from operator import itemgetter
from typing import Final, TypeAlias

from redaction.fingerprints import (
    CODE_MARK,
    FRAGMENT_MARK,
    MAX_CHARS,
    MAX_WORDS,
    Contents,
    Holders,
    Kind,
    ValueIndex,
    fingerprint,
    is_indexed,
    normalise,
)
from redaction.parts import parts_of, rare

_GONE: Final = 2**32 - 1
"""Number of a set of which no column is left; there are never so many sets."""


_Holding: TypeAlias = tuple[Kind, str, bool]
"""How one column holds a fingerprint: as what, which column, whether spelt as hashed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    """Sorted fingerprints of one column that was read; of each value whether it is spelt as hashed (1) or not (0)."""

    values: array[int]
    literal: bytes
    parts: array[int]
    fragments: array[int]
    longest: int


class IndexBuilder:
    """Builds a `ValueIndex` in one pass; holds fingerprints only, never a value.

    Args:
        key: Key of the index, 16 to 64 bytes; derive one per scope.
        previous: An index of the same key to refresh.
        keep: With `previous`: columns that keep their fingerprints if they are not added anew; all, if None. The
            others are forgotten.

    Raises:
        ValueError: The key is too short or too long, or `previous` has another.
    """

    def __init__(self, key: bytes, *, previous: ValueIndex | None = None, keep: Collection[str] | None = None) -> None:
        if not 16 <= len(key) <= 64:
            msg = "the key of a value index has 16 to 64 bytes"
            raise ValueError(msg)
        self._key = hashlib.blake2b(key, digest_size=32, person=b"rowless-index").digest()
        self._kept = previous.contents(self._key) if previous is not None else _nothing()
        self._lineage = previous.lineage if previous is not None else None
        self._keep = keep
        self._added: dict[str, _Added] = {}
        self._skipped: set[str] = set()

    def add(self, column: str, values: Iterable[str], *, max_values: int | None = None) -> bool:
        """Hash the distinct values of one column, named ``table.column``, and drop them.

        Returns:
            False if the column has more than `max_values` values: then nothing of it is kept, and `skipped` says so.
        """
        key = self._key
        prints, literal, parts, fragments = array("Q"), array("Q"), array("Q"), array("Q")
        longest = 0
        for seen, value in enumerate(values):
            if max_values is not None and seen >= max_values:
                return self.skip(column)
            words = normalise(value[:MAX_CHARS]).split(" ")
            if len(words) > MAX_WORDS:
                fragments.append(fingerprint(key, FRAGMENT_MARK + " ".join(words[:MAX_WORDS])))
                continue
            phrase = " ".join(words)
            if is_indexed(phrase):
                prints.append(fingerprint(key, phrase))
                if value.casefold() == phrase:
                    literal.append(prints[-1])
                longest = max(longest, len(words))
            parts.extend(fingerprint(key, part) for part in parts_of(words))
        self._skipped.discard(column)
        ordered, spelt = _sorted(prints), set(literal)
        self._added[column] = _Added(
            values=ordered,
            literal=bytes(found in spelt for found in ordered),
            parts=rare(parts),
            fragments=_sorted(fragments),
            longest=longest,
        )
        return True

    def add_codes(self, column: str, values: Iterable[str], *, max_values: int | None = None) -> bool:
        """Hash the numbers of one identifier column, to be found by `ValueIndex.find_code` alone. As `add`."""
        prints = array("Q")
        for seen, value in enumerate(values):
            if max_values is not None and seen >= max_values:
                return self.skip(column)
            prints.append(fingerprint(self._key, CODE_MARK + value))
        self._skipped.discard(column)
        ordered = _sorted(prints)
        self._added[column] = _Added(
            values=ordered, literal=b"\1" * len(ordered), parts=array("Q"), fragments=array("Q"), longest=0
        )
        return True

    def skip(self, column: str) -> bool:
        """Leave a column out, and say so. Returns False."""
        self._added[column] = _Added(values=array("Q"), literal=b"", parts=array("Q"), fragments=array("Q"), longest=0)
        self._skipped.add(column)
        return False

    def build(self) -> ValueIndex:
        """Put together what was added and what is kept, and number the sets of columns."""
        sets = _Sets()
        prints, set_of = self._remaining(sets)
        prints, set_of = _united(prints, set_of, self._fresh(), sets)
        numbers, used = sets.used(set_of)
        longest = {column: size for column, size in self._kept.longest.items() if self._stays(column)}
        longest |= {column: added.longest for column, added in self._added.items() if added.longest}
        contents = Contents(
            prints=prints,
            set_of=numbers,
            sets=used,
            longest=longest,
            skipped=frozenset(self._skipped | {column for column in self._kept.skipped if self._stays(column)}),
        )
        return ValueIndex(self._key, contents, lineage=self._lineage)

    def _stays(self, column: str) -> bool:
        return column not in self._added and (self._keep is None or column in self._keep)

    def _remaining(self, sets: _Sets) -> tuple[array[int], array[int]]:
        """What is left of the previous index, its sets numbered anew. Done by copying whole arrays."""
        number_of = []
        for holders in self._kept.sets:
            held = tuple(holder for holder in holders.held if self._stays(holder[0]))
            number_of.append(sets.number(Holders(holders.kind, held)) if held else _GONE)
        set_of = array("I", map(number_of.__getitem__, self._kept.set_of))
        if _GONE not in number_of:
            return self._kept.prints, set_of
        left = bytes(number != _GONE for number in set_of)
        return array("Q", compress(self._kept.prints, left)), array("I", compress(set_of, left))

    def _fresh(self) -> Iterator[tuple[int, tuple[_Holding, ...]]]:
        """What was added, in rising order of fingerprints, each once, with how each column holds it."""
        streams: list[Iterable[tuple[int, _Holding]]] = []
        for column, added in sorted(self._added.items()):
            spellings = ((Kind.VALUE, column, False), (Kind.VALUE, column, True))
            streams.append(zip(added.values, map(spellings.__getitem__, added.literal), strict=True))
            streams.append(zip(added.parts, repeat((Kind.PART, column, False))))
            streams.append(zip(added.fragments, repeat((Kind.FRAGMENT, column, False))))
        first, second = itemgetter(0), itemgetter(1)
        for found, same in groupby(merge(*streams, key=first), key=first):
            yield found, tuple(map(second, same))


class _Sets:
    """Numbers the sets of columns in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Holders, int] = {}
        self._joined: dict[tuple[int, tuple[_Holding, ...]], int] = {}
        self._all: list[Holders] = []

    def number(self, holders: Holders) -> int:
        """The number of a set."""
        found = self._numbers.get(holders)
        if found is None:
            found = self._numbers[holders] = len(self._all)
            self._all.append(holders)
        return found

    def joined(self, number: int, more: tuple[_Holding, ...]) -> int:
        """The number of a set, or of none (`_GONE`), with further columns."""
        found = self._joined.get((number, more))
        if found is None:
            held = self._all[number].held if number != _GONE else ()
            united = tuple(sorted(held + tuple((column, literal) for _, column, literal in more)))
            found = self._joined[number, more] = self.number(Holders(more[0][0], united))
        return found

    def used(self, set_of: array[int]) -> tuple[array[int], tuple[Holders, ...]]:
        """The sets that occur, and the same numbers for these alone, so that none pile up over refreshes."""
        wanted = sorted(set(set_of))
        if len(wanted) == len(self._all):
            return set_of, tuple(self._all)
        number_of = dict(zip(wanted, range(len(wanted)), strict=True))
        return array("I", map(number_of.__getitem__, set_of)), tuple(self._all[number] for number in wanted)


def _united(
    prints: array[int], set_of: array[int], fresh: Iterable[tuple[int, tuple[_Holding, ...]]], sets: _Sets
) -> tuple[array[int], array[int]]:
    """Sorted fingerprints with further ones among them. What lies between two of these is copied in one piece."""
    united, numbers = array("Q"), array("I")
    at = 0
    for found, more in fresh:
        to = bisect_left(prints, found, at)
        if to > at:
            united += prints[at:to]
            numbers += set_of[at:to]
            at = to
        number = _GONE
        if at < len(prints) and prints[at] == found:
            number = set_of[at]
            at += 1
        united.append(found)
        numbers.append(sets.joined(number, more))
    united += prints[at:]
    numbers += set_of[at:]
    return united, numbers


def _sorted(prints: array[int]) -> array[int]:
    return array("Q", sorted(set(prints)))


def _nothing() -> Contents:
    return Contents(prints=array("Q"), set_of=array("I"), sets=(), longest={}, skipped=frozenset())
