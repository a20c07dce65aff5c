"""Feeds the private value index of one scope: streams distinct values from the source into the hasher, keeps none.

In: an opened source, its catalog and a scope. Out: a `ValueIndex` under a key that is derived for this scope. Rows
are read here (stage 2) one value at a time; what is kept of a value is a keyed fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.errors import QueryError
from gateway.sources.base import Source
from gateway.tenancy.scope import Scope
from redaction.fingerprints import ValueIndex, normalise, number_forms
from redaction.index_builder import IndexBuilder

MAX_VALUES: Final = 200_000
"""Distinct values of one column; a larger column is skipped, and the index says so."""

_MAX_SPELLINGS: Final = 5
_MAX_HOLDING: Final = 20
"""More than `redaction.parts.MAX_SHARED`: equal words in another case or with other marks are other values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """An index to start from.

    Attributes:
        previous: An index of the same scope and key.
        changed: Columns (``table.column``) to read anew. The others keep their fingerprints, and what is no longer in
            scope is forgotten.
        too_large: Columns that are known to have too many values: they are left out unread.
    """

    previous: ValueIndex
    changed: frozenset[str]
    too_large: frozenset[str] = frozenset()


def build_index(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    *,
    key: bytes,
    max_values: int = MAX_VALUES,
    refresh: Refresh | None = None,
    watch: Callable[[str, Iterator[str]], Iterator[str]] = lambda _, values: values,
) -> ValueIndex:
    """Index the distinct text values that a scope may see.

    Args:
        source: The opened datasource.
        catalog: Its structure.
        scope: Whose rows are read. The index is good for this right alone.
        key: Key of the process, at least 16 bytes; each scope's own key is derived from it.
        max_values: Columns with more distinct values are skipped.
        refresh: What there was before, if only some columns are to be read.
        watch: Sees the values of each column pass.

    Raises:
        QueryError: A column could not be read, and is named. No index is better than half an index: the egress guard
            relies on it.
    """
    codes = set(_code_columns(catalog, scope))
    columns = linked_columns(catalog, scope)
    read = {f"{table}.{column}" for table, column in columns}
    keep = frozenset(read - refresh.changed) if refresh is not None else frozenset[str]()
    previous = refresh.previous if refresh is not None else None
    builder = IndexBuilder(scope_key(key, scope), previous=previous, keep=keep)
    for table, column in columns:
        name = f"{table}.{column}"
        if refresh is not None and name in refresh.too_large:
            builder.skip(name)
        elif name not in keep:
            add = builder.add_codes if (table, column) in codes else builder.add
            with _named(name):
                values = source.distinct_values(table, column, scope, max_values=max_values)
                add(name, watch(name, values), max_values=max_values)
    return builder.build()


@contextmanager
def _named(column: str) -> Iterator[None]:
    """Say which column could not be read, so that its owner can mend it or leave it out."""
    try:
        yield
    except QueryError as error:
        msg = (
            f"column '{column}' cannot be read ({error.code}), so what is asked could not be guarded: mend it, or "
            "leave it out with deny in the project file"
        )
        raise type(error)(msg, code=error.code, stage="summarise") from None


def scope_key(key: bytes, scope: Scope) -> bytes:
    """The index key of one right: two scopes share no fingerprint, even of the same value."""
    return hashlib.blake2b(scope.data_key().encode(), key=key[:64], digest_size=32, person=b"rowless-scope").digest()


def indexed_columns(catalog: Catalog, scope: Scope) -> Iterator[tuple[Table, Column]]:
    """Text columns in scope. A column whose labels the schema itself declares is public in that schema: left out."""
    for table in catalog.tables:
        right = scope.tables.get(table.name)
        if right is None:
            continue
        for column in table.columns:
            if column.name in right.columns and column.type is ColumnType.TEXT and column.vocabulary is None:
                yield table, column


def linked_columns(catalog: Catalog, scope: Scope) -> list[tuple[str, str]]:
    """Every column that is read for the index, as (table, column): text columns, then keys."""
    texts = [(table.name, column.name) for table, column in indexed_columns(catalog, scope)]
    return [*texts, *_code_columns(catalog, scope)]


def _code_columns(catalog: Catalog, scope: Scope) -> Iterator[tuple[str, str]]:
    """Whole-number keys in scope: primary keys and keys of relationships, as (table, column)."""
    keys = {(r.table, c) for r in catalog.relationships for c in r.columns}
    keys |= {(r.parent, c) for r in catalog.relationships for c in r.parent_columns}
    for table in catalog.tables:
        right = scope.tables.get(table.name)
        for column in table.columns if right is not None else ():
            is_key = (table.name, column.name) in keys or table.primary_key == (column.name,)
            if right is not None and column.name in right.columns and column.type is ColumnType.INTEGER and is_key:
                yield table.name, column.name


def spelled(
    source: Source, scope: Scope, columns: Collection[str], words: str, *, max_values: int = MAX_VALUES
) -> tuple[str, ...]:
    """The values of some columns that are `words` but for case, accents, punctuation and number, as they are spelt.

    For a linked value that is `styled`: "muller gmbh" was typed, "Müller GmbH" is stored. What is returned goes to
    the compiler as a binding and to the asker, never to a model.

    Args:
        source: The opened datasource.
        scope: The asker's right; no other row is read.
        columns: Candidate columns, ``table.column``.
        words: The asker's words.
        max_values: Distinct values read of each column.

    Returns:
        At most `_MAX_SPELLINGS` spellings, in order of the columns.
    """
    wanted = set(number_forms(normalise(words)))
    found: dict[str, None] = {}
    for table, column in _in_scope(scope, columns):
        for value in source.distinct_values(table, column, scope, max_values=max_values):
            if normalise(value) in wanted:
                found[value] = None
                if len(found) >= _MAX_SPELLINGS:
                    return tuple(found)
    return tuple(found)


def holding(
    source: Source, scope: Scope, columns: Collection[str], words: str, *, max_values: int = MAX_VALUES
) -> tuple[str, ...]:
    """The values of some columns that hold `words` as whole words side by side, as they are spelt, for a linked part.

    Args:
        source: The opened datasource.
        scope: The asker's right; no other row is read.
        columns: Candidate columns, ``table.column``.
        words: The asker's words.
        max_values: Distinct values read of each column.

    Returns:
        At most `_MAX_HOLDING` values; none if there are more, as the part then stands for nothing in particular.
    """
    wanted = f" {normalise(words)} "
    found: dict[str, None] = {}
    for table, column in _in_scope(scope, columns):
        for value in source.distinct_values(table, column, scope, max_values=max_values):
            if wanted in f" {normalise(value)} ":
                found[value] = None
                if len(found) > _MAX_HOLDING:
                    return ()
    return tuple(found)


def near_misses(
    source: Source,
    scope: Scope,
    columns: Collection[str],
    words: str,
    *,
    limit: int = 3,
    least: float = 0.75,
    max_values: int = 20_000,
) -> tuple[tuple[str, str], ...]:
    """Values that are nearly `words`, for "did you mean": looked up in the database under the asker's scope.

    Args:
        source: The opened datasource.
        scope: The asker's right; no other row is read.
        columns: Columns to look in, ``table.column``; those out of scope are left out in silence.
        words: The asker's words.
        limit: Most suggestions.
        least: Least likeness in [0, 1] (Ratcliff and Obershelp, as in `difflib`).
        max_values: Distinct values read of each column.

    Returns:
        (column, value), most alike first. Shown to the asker, never to a model.
    """
    wanted = normalise(words)
    size = wanted.count(" ") + 1
    best: list[tuple[float, str, str]] = []
    matcher = SequenceMatcher(autojunk=False, b=wanted)
    for table, column in _in_scope(scope, columns):
        for value in source.distinct_values(table, column, scope, max_values=max_values):
            whole = normalise(value)
            beginning = " ".join(whole.split(" ")[:size])
            likeness = max(_likeness(matcher, form, least) for form in {whole, beginning})
            if likeness >= least:
                best.append((likeness, f"{table}.{column}", value))
                best.sort(key=lambda found: (-found[0], found[1], found[2]))
                del best[limit:]
    return tuple((column, value) for _, column, value in best)


def _likeness(matcher: SequenceMatcher[str], form: str, least: float) -> float:
    """How alike a form is to the matcher's second sequence; 0 where that is below `least` for sure."""
    matcher.set_seq1(form)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    return matcher.ratio()


def _in_scope(scope: Scope, columns: Collection[str]) -> Iterator[tuple[str, str]]:
    for name in columns:
        table, _, column = name.partition(".")
        right = scope.tables.get(table)
        if right is not None and column in right.columns:
            yield table, column
