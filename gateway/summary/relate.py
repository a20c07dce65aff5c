"""Relationships that the database does not declare: guessed from names and types, then tested in the database.

A guess counts only if nearly every value of the child column is a key of the parent, and the parent's key is unique,
both within the scope; it is marked as inferred. What the owner confirms needs no test; what the owner removes is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sqlglot import exp

from gateway.catalog import Catalog, Column, ColumnType, Relationship, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig, read_link
from gateway.sources.base import Source
from gateway.summary.disclosure import Released, release_link
from gateway.summary.model import Link
from gateway.summary.semantic import words_of
from gateway.summary.shapes import alias_of, count_all, named_table, quoted, select_over
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope

MOST_TESTS: Final = 300
"""Guesses tested for one source, the surest first."""
_VALUES: Final = 10_000
"""Distinct values of a child column that are looked up."""
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
    """Test one guess in the database; None if it does not hold, is too small to say, or could not be tested."""
    child, parent = link.columns[0], link.parent_columns[0]
    needed = {link.table: {child}, link.parent: {parent}}
    if link.table == link.parent:
        needed = {link.table: {child, parent}}
    barrier = scoped_tables(catalog, scope, needed)
    tree = _inclusion(link, child, parent)
    tree.set("with_", exp.With(expressions=list(barrier.ctes)))
    statement = tree.sql(dialect=catalog.dialect.value, comments=False)
    try:
        answer = source.aggregate(statement, dict(barrier.parameters), timeout_s=timeout_s)
    except (QueryError, SourceError):
        return None
    rows, values, matched, parent_rows, parent_keys = (int(str(cell or 0)) for cell in answer[0])
    if parent_rows != parent_keys:
        # A key that stands twice would multiply rows in a join.
        return None
    return release_link(
        link, rows=rows, values=values, found=matched, parent_rows=parent_rows, limits=config.thresholds
    )


def _inclusion(link: Relationship, child: str, parent: str) -> exp.Select:
    """Rows with a value, distinct values, those the parent has, rows and keys of the parent; all from one snapshot."""
    kids, keys = named_table(CTE_PREFIX + link.table), named_table(CTE_PREFIX + link.parent)
    there = exp.Not(this=exp.Is(this=quoted("v"), expression=exp.Null()))
    values = (
        exp.Select(expressions=[exp.alias_(quoted(child), "v", quoted=True, copy=False)])
        .from_(kids, copy=False)
        .distinct()
    )
    some = select_over(values, "d", [("v", quoted("v"))]).where(there, copy=False).limit(_VALUES, copy=False)
    lookup = (
        exp.Select(expressions=[exp.alias_(quoted(parent), "k", quoted=True, copy=False)])
        .from_(keys.copy(), copy=False)
        .distinct()
    )
    looked = exp.column("v", table="c", quoted=True)
    match = exp.EQ(this=looked, expression=exp.column("k", table="p", quoted=True))
    matched = (
        exp.Select(
            expressions=[
                exp.alias_(exp.Count(this=looked.copy()), "n", quoted=True, copy=False),
                exp.alias_(exp.Count(this=exp.column("k", table="p", quoted=True)), "m", quoted=True, copy=False),
            ]
        )
        .from_(exp.Subquery(this=some, alias=alias_of("c")), copy=False)
        .join(exp.Subquery(this=lookup, alias=alias_of("p")), on=match, join_type="left", copy=False)
    )
    rows = exp.Select(expressions=[exp.alias_(exp.Count(this=quoted(child)), "r", quoted=True, copy=False)]).from_(
        kids.copy(), copy=False
    )
    unique = exp.Count(this=exp.Distinct(expressions=[quoted(parent)]))
    sizes = exp.Select(
        expressions=[
            exp.alias_(count_all(), "a", quoted=True, copy=False),
            exp.alias_(unique, "b", quoted=True, copy=False),
        ]
    ).from_(keys.copy(), copy=False)
    parts = [
        exp.Subquery(this=tree, alias=alias_of(name)) for name, tree in (("x", rows), ("y", matched), ("z", sizes))
    ]
    select = exp.Select(expressions=[quoted(name) for name in ("r", "n", "m", "a", "b")]).from_(parts[0], copy=False)
    for part in parts[1:]:
        select = select.join(part, join_type="cross", copy=False)
    return select


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
