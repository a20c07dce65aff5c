"""Relationships that the database does not declare: guessed from names and types, then tested in the database.

A guess counts only if nearly every value of the child column is a key of the parent, and the parent's key is unique,
both within the scope; it is marked as inferred. What the owner confirms needs no test; what the owner removes is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gateway.catalog import Catalog, Column, ColumnType, Relationship, Table
from gateway.project import SourceConfig
from gateway.project_rules import read_link
from gateway.sources.base import Source
from gateway.summary.disclosure import Released, release_link
from gateway.summary.measurer import Within, measurer_for
from gateway.summary.model import Link
from gateway.summary.semantic import words_of
from gateway.tenancy.scope import Scope

MOST_TESTS: Final = 300
"""Guesses tested for one source, the surest first."""
_PREFIXES: Final = frozenset({"dim", "fact", "tbl", "stg", "raw", "d", "f", "t"})
_KEY_WORDS: Final = frozenset({"id", "key", "code", "no", "nr", "number", "uuid", "guid", "fk"})
_KINDS: Final = {ColumnType.INTEGER, ColumnType.TEXT, ColumnType.OTHER}


def owner_links(catalog: Catalog, scope: Scope, config: SourceConfig) -> tuple[Link, ...]:
    """Declared relationships and those the owner confirmed, less those the owner removed; only what is in scope."""
    removed = set(_named(config.relationships.remove))
    links: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], Link] = {}
    for link in catalog.relationships:
        links[link.table, link.columns, link.parent, link.parent_columns] = _link(link)
    for table, columns, parent, parent_columns in _named(config.relationships.confirm):
        named = Relationship(table=table, columns=columns, parent=parent, parent_columns=parent_columns, origin="owner")
        links.setdefault((table, columns, parent, parent_columns), _link(named))
    return tuple(link for key, link in links.items() if key not in removed and _in_scope(link, scope))


def candidates(catalog: Catalog, scope: Scope, config: SourceConfig, known: Iterable[Link]) -> list[Relationship]:
    """Guesses, the surest first: a column named after a table, of the type of that table's key."""
    taken = {(link.table, column) for link in known for column in link.columns}
    removed = set(_named(config.relationships.remove))
    tables = [table for table in catalog.tables if table.name in scope.tables]
    found: list[tuple[int, Relationship]] = []
    for table in tables:
        for column in table.columns:
            if column.name not in scope.tables[table.name].columns or (table.name, column.name) in taken:
                continue
            if column.type not in _KINDS or (column.name in table.primary_key[:1] and len(table.primary_key) == 1):
                continue
            best = _best_parent(table, column, tables, scope)
            if best is None:
                continue
            sureness, parent, key = best
            link = Relationship(
                table=table.name, columns=(column.name,), parent=parent.name, parent_columns=(key.name,),
                origin="inferred",
            )  # fmt: skip
            if (link.table, link.columns, link.parent, link.parent_columns) not in removed:
                found.append((sureness, link))
    return [link for _, link in sorted(found, key=lambda pair: (-pair[0], pair[1].name))][:MOST_TESTS]


def probe(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, link: Relationship, *, timeout_s: float
) -> Released[Link] | None:
    """Test one guess in the database; None if it does not hold, or is too small to say.

    Raises:
        QueryError, SourceError: It could not be tested.
    """
    within = Within(source=source, catalog=catalog, scope=scope, timeout_s=timeout_s)
    rows, values, matched, parent_rows, parent_keys = measurer_for(catalog.dialect).inclusion(within, link)
    if parent_rows != parent_keys:
        # A key that stands twice would multiply rows in a join.
        return None
    return release_link(
        link, rows=rows, values=values, found=matched, parent_rows=parent_rows, limits=config.thresholds
    )


def _best_parent(table: Table, column: Column, tables: list[Table], scope: Scope) -> tuple[int, Table, Column] | None:
    """The table whose name the column ends in (``billing_customer_id``: customers), by the longest match."""
    words = words_of(column.name)
    stem = words[:-1] if words and words[-1] in _KEY_WORDS else words
    best: tuple[int, Table, Column] | None = None
    for parent in tables:
        name = _singular_words(parent.name)
        if not stem or not name or stem[-len(name) :] != name:
            continue
        key = _key_of(parent, column, scope)
        if key is None or (parent.name == table.name and key.name == column.name):
            continue
        sureness = 10 * len(name) + (5 if words[-1] in _KEY_WORDS else 0) + (3 if stem == name else 0)
        if best is None or sureness > best[0]:
            best = (sureness, parent, key)
    return best


def _key_of(parent: Table, child: Column, scope: Scope) -> Column | None:
    """The column of a parent that a child may point to: its only key, or one named ``id`` or as the child."""
    declared = [keys[0] for keys in (parent.primary_key, *parent.unique) if len(keys) == 1]
    named = [name for name in ("id", child.name) if name in parent.by_name] if not parent.primary_key else []
    for name in (*declared, *named):
        column = parent.by_name[name]
        if column.type == child.type and name in scope.tables[parent.name].columns:
            return column
    return None


def _singular_words(name: str) -> list[str]:
    words = words_of(name)
    if len(words) > 1 and words[0] in _PREFIXES:
        words = words[1:]
    return [*words[:-1], _singular(words[-1])] if words else []


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _named(texts: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...], str, tuple[str, ...]]]:
    for text in texts:
        read = read_link(text)
        if read is not None:
            yield read


def _link(link: Relationship) -> Link:
    return Link(
        table=link.table, columns=link.columns, parent=link.parent, parent_columns=link.parent_columns,
        origin=link.origin,
    )  # fmt: skip


def _in_scope(link: Link, scope: Scope) -> bool:
    child, parent = scope.tables.get(link.table), scope.tables.get(link.parent)
    return bool(child and parent and child.columns >= set(link.columns) and parent.columns >= set(link.parent_columns))
