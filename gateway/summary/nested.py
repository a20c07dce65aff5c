"""Columns of documents: which paths they have, counted and cut off in the database, in one statement a column.

Keys come from documents, so they are as dangerous as cells. Only those come back that enough units have, that are plain
names, and whose parents have no more keys than structure has; `gateway.summary.disclosure` decides on the rest. How
each engine takes documents apart is in `gateway.summary.nested_walks`; what is made of it here is the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from gateway.catalog import Column, ColumnType, Dialect, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.summary.measured import PathMeasured
from gateway.summary.measurer import Within, subject_of
from gateway.summary.nested_walks import WALKS, Documents, Walk
from gateway.summary.paths import DEPTH, MOST_KEYS, MOST_PATHS, TIMEOUT_S
from gateway.tenancy.barrier import CTE_PREFIX, Barrier, scoped_tables

_KINDS: Final = {
    "number": ("NUMBER", "INTEGER", "UNSIGNED INTEGER", "REAL", "BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE",
               "DECIMAL", "FLOAT", "TINYINT", "SMALLINT", "INT"),
    "text": ("STRING", "VARCHAR", "TEXT"),
    "boolean": ("BOOLEAN", "TRUE", "FALSE"),
    "object": ("OBJECT",),
    "array": ("ARRAY",),
}  # fmt: skip
"""The engines' words for JSON types."""
_NULLS: Final = ("NULL", "VOID")


def measure_paths(within: Within, config: SourceConfig, table: Table, column: Column) -> tuple[PathMeasured, ...]:
    """Paths of a column's first documents within the scope; none if the engine cannot finish in time.

    Args:
        within: Where and for whom; a statement about paths takes a minute at most.
        config: The owner's rules.
        table: The column's table.
        column: One of JSON, of the engine's own nested types, or of text that holds JSON.
    """
    dialect = within.catalog.dialect
    walk = WALKS.get(dialect)
    if walk is None or column.type not in (ColumnType.JSON, ColumnType.TEXT):
        return ()
    subject = subject_of(config, table)
    barrier = scoped_tables(
        within.catalog, within.scope, {table.name: {column.name} | ({subject} if subject else set())}
    )
    statement = _statement(dialect, walk, barrier, table, column, subject, config.thresholds.min_group)
    try:
        timeout_s = min(within.timeout_s, TIMEOUT_S)
        found = within.source.aggregate(statement, dict(barrier.parameters), timeout_s=timeout_s)
    except (QueryError, SourceError):
        return ()
    return tuple(
        PathMeasured(
            key=str(path).removeprefix("."),
            units=_whole(units),
            looked=_whole(looked),
            keys=_whole(keys),
            type=str(low) if low == high and low is not None else "mixed",
            dynamic=_whole(dynamic) == 1,
        )
        for path, dynamic, low, high, units, keys, looked in found
    )


def _statement(
    dialect: Dialect, walk: Walk, barrier: Barrier, table: Table, column: Column, subject: str | None, least: int
) -> str:
    """The statement: fixed text, in which nothing but numbers and quoted identifiers varies."""
    fields = [
        exp.alias_(exp.column(column.name, quoted=True), "x", copy=False),
        exp.alias_(exp.column(subject, quoted=True) if subject else exp.Null(), "u", copy=False),
    ]
    scoped = exp.Table(this=exp.to_identifier(CTE_PREFIX + table.name, quoted=True))
    source = exp.Select(expressions=fields).from_(scoped, copy=False).sql(dialect=dialect.value)
    documents = Documents(source=source, unit="u" if subject else walk.number, column=column)
    fences = (cte.sql(dialect=dialect.value, comments=False) for cte in barrier.ctes)
    tables = (*fences, walk.tables(documents).strip(), *_counted(walk))
    return walk.starts + ",\n".join(tables) + "\n" + _TOLD.format(least=least)


def _counted(walk: Walk) -> Sequence[str]:
    """Paths with their units; then how many keys stand beside each, on every level down to it.

    The path of the document itself is empty; those that have it are the documents looked at. Counting beside, in
    windows, takes one pass: to look up parents, or documents, once more would read the table again on engines that do
    not keep a common table.
    """
    cases = " ".join(f"WHEN UPPER(ty) IN ({_texts(words)}) THEN '{kind}'" for kind, words in _KINDS.items())
    kind = f"CASE WHEN ty IS NULL OR UPPER(ty) IN ({_texts(_NULLS)}) THEN NULL {cases} ELSE 'mixed' END"
    levels = range(1, DEPTH + 1)
    above = "".join(f", CASE WHEN lvl >= {k} THEN {walk.above(k)} END AS q{k}" for k in levels)
    beside = "".join(
        f", SUM(CASE WHEN lvl = {k} AND item = 0 THEN 1 ELSE 0 END) OVER (PARTITION BY q{k}) AS s{k}" for k in levels
    )
    first = " ".join(f"WHEN s{k} > {MOST_KEYS} THEN q{k}" for k in levels)
    many = " OR ".join(f"s{k} > {MOST_KEYS}" for k in levels)
    return (
        f"rw_kind AS (SELECT u, p, {kind} AS kind FROM rw_walk)",
        "rw_path AS (SELECT p, MIN(kind) AS lo, MAX(kind) AS hi, "
        "COUNT(DISTINCT CASE WHEN kind IS NULL THEN NULL ELSE u END) AS units FROM rw_kind GROUP BY p)",
        "rw_level AS (SELECT p, lo, hi, units, LENGTH(p) - LENGTH(REPLACE(p, '.', '')) AS lvl, "
        f"CASE WHEN p = '' OR {walk.is_item} THEN 1 ELSE 0 END AS item FROM rw_path)",
        f"rw_above AS (SELECT p, lo, hi, units, lvl, item{above} FROM rw_level)",
        f"rw_beside AS (SELECT p, lo, hi, units, item, {', '.join(f'q{k}' for k in levels)}{beside} FROM rw_above)",
        f"rw_rule AS (SELECT CASE {first} ELSE p END AS path, CASE WHEN {many} THEN 1 ELSE 0 END AS dyn, "
        "lo, hi, units, item FROM rw_beside)",
        "rw_told AS (SELECT path, dyn, lo, hi, units, "
        "SUM(CASE WHEN dyn = 0 AND item = 0 THEN 1 ELSE 0 END) OVER () AS total, "
        "MAX(CASE WHEN dyn = 0 AND path = '' THEN units END) OVER () AS looked FROM rw_rule)",
    )


_TOLD: Final = (
    "SELECT path, dyn, MIN(lo), MAX(hi), MAX(units), MAX(total), MAX(looked) FROM rw_told "
    "WHERE dyn = 1 OR units >= {least} AND path <> '' AND REPLACE(path, '~', '') = path "
    f"GROUP BY path, dyn ORDER BY dyn DESC, 5 DESC, 1 LIMIT {MOST_PATHS}"
)


def _texts(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _whole(value: object) -> int:
    return int(str(value or 0))
