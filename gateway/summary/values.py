"""Feeds the private value index of one scope: streams distinct values from the source into the hasher, keeps none.

In: an opened source, its catalog and a scope. Out: a `ValueIndex` under a key that is derived for this scope. Rows
are read here (stage 2) one value at a time; what is kept of a value is a keyed fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.sources.base import Source
from gateway.tenancy.scope import Scope
from redaction.fingerprints import IndexBuilder, ValueIndex

MAX_VALUES: Final = 200_000
"""Distinct values of one column; a larger column is skipped, and the index says so."""


def build_index(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    *,
    key: bytes,
    max_values: int = MAX_VALUES,
    previous: ValueIndex | None = None,
    changed: frozenset[str] | None = None,
) -> ValueIndex:
    """Index the distinct text values that a scope may see.

    Args:
        source: The opened datasource.
        catalog: Its structure.
        scope: Whose rows are read. The index is good for this right alone.
        key: Key of the process, at least 16 bytes; each scope's own key is derived from it.
        max_values: Columns with more distinct values are skipped.
        previous: An index of the same scope and key to refresh.
        changed: With `previous`: columns (``table.column``) to read anew; the others keep their fingerprints.

    Raises:
        QueryError: The source could not be read. No index is better than half an index: the egress guard relies on it.
    """
    builder = IndexBuilder(scope_key(key, scope), previous=previous)
    for table, column in indexed_columns(catalog, scope):
        name = f"{table.name}.{column.name}"
        if previous is not None and changed is not None and name not in changed:
            continue
        values = source.distinct_values(table.name, column.name, scope, max_values=max_values)
        builder.add(name, values, max_values=max_values)
    return builder.build()


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
