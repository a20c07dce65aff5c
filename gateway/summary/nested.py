"""JSON columns: which keys their documents have, counted and cut off in the database.

Keys come from documents, so they are as dangerous as cells: only those that enough units have come back at all, and
`gateway.summary.disclosure` decides on the rest. Paths run through objects, not through lists; PostgreSQL tells the
top level only, the other servers none.
"""

from __future__ import annotations

import re
from typing import Final

import sqlglot
from sqlglot import exp

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.measured import PathMeasured
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope

DOCUMENTS: Final = 20_000
"""Keys are those of the first so many documents of the scope."""
MOST_KEYS: Final = 200
"""More keys than this are data, not structure (SECURITY B: dynamic keys)."""
_PATH = re.compile(r"\$((?:\.[A-Za-z_][A-Za-z0-9_]{0,62}){1,4})\Z")
_TREE: Final = """
SELECT p, MIN(ty), MAX(ty), {units}, (SELECT COUNT(DISTINCT p) FROM e), (SELECT {units} FROM d)
FROM e GROUP BY p HAVING {units} >= {least} ORDER BY 4 DESC, 1 LIMIT {most}
"""
_ROWS: Final[dict[Dialect, str]] = {
    Dialect.DUCKDB: "SELECT CAST(x AS JSON) AS j, u FROM ({source}) AS s WHERE x IS NOT NULL LIMIT {rows}",
    Dialect.SQLITE: "SELECT x AS j, u FROM ({source}) AS s WHERE json_valid(x) LIMIT {rows}",
    Dialect.POSTGRES: "SELECT CAST(x AS JSONB) AS j, u FROM ({source}) AS s WHERE x IS NOT NULL LIMIT {rows}",
}
_KEYS: Final[dict[Dialect, str]] = {
    Dialect.DUCKDB: (
        "SELECT t.fullkey AS p, NULLIF(UPPER(t.type), 'NULL') AS ty, d.u FROM d, json_tree(d.j) AS t "
        "WHERE NOT t.key IS NULL AND INSTR(t.fullkey, '[') = 0"
    ),
    Dialect.SQLITE: (
        "SELECT t.fullkey AS p, NULLIF(UPPER(t.type), 'NULL') AS ty, d.u FROM d, json_tree(d.j) AS t "
        "WHERE NOT t.key IS NULL AND INSTR(t.fullkey, '[') = 0"
    ),
    Dialect.POSTGRES: (
        "SELECT '$.' || t.key AS p, NULLIF(UPPER(jsonb_typeof(t.value)), 'NULL') AS ty, d.u "
        "FROM d, jsonb_each(CASE WHEN jsonb_typeof(d.j) = 'object' THEN d.j END) AS t"
    ),
}
_NUMBERS: Final = frozenset(
    ("NUMBER", "INTEGER", "REAL", "BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE", "DECIMAL", "FLOAT")
)


def measure_paths(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    config: SourceConfig,
    table: Table,
    column: Column,
    *,
    timeout_s: float,
) -> tuple[PathMeasured, ...]:
    """Keys of a JSON column's first documents; none if the engine cannot tell or a document is broken.

    Returns:
        At most 201 keys; more than 200 mean that the keys are data.
    """
    if column.type is not ColumnType.JSON or catalog.dialect not in _KEYS:
        return ()
    rule = config.rule(table.name)
    subject = rule.subject if rule else None
    barrier = scoped_tables(catalog, scope, {table.name: {column.name} | ({subject} if subject else set())})
    tree = _statement(catalog.dialect, table.name, column.name, subject, config.thresholds.min_group)
    tree.set("with_", exp.With(expressions=[*barrier.ctes, *tree.args["with_"].expressions]))
    statement = tree.sql(dialect=catalog.dialect.value, comments=False)
    try:
        found = source.aggregate(statement, dict(barrier.parameters), timeout_s=timeout_s)
    except (QueryError, SourceError):
        return ()
    paths = []
    for path, low, high, units, keys, looked in found:
        match = _PATH.match(str(path))
        name = match[1][1:] if match else ""
        paths.append(
            PathMeasured(key=name, units=_whole(units), looked=_whole(looked), keys=_whole(keys), type=_kind(low, high))
        )
    return tuple(paths)


def _statement(dialect: Dialect, table: str, column: str, subject: str | None, least: int) -> exp.Select:
    """The statement, read by sqlglot from a fixed text: nothing in it but numbers and quoted identifiers varies."""
    inner = exp.Select(
        expressions=[
            exp.alias_(exp.column(column, quoted=True), "x", copy=False),
            exp.alias_(exp.column(subject, quoted=True) if subject else exp.Null(), "u", copy=False),
        ]
    ).from_(exp.Table(this=exp.to_identifier(CTE_PREFIX + table, quoted=True)), copy=False)
    name = dialect.value
    units = "COUNT(DISTINCT u)" if subject else "COUNT(*)"
    rows = _ROWS[dialect].format(source=inner.sql(dialect=name), rows=DOCUMENTS)
    body = _TREE.format(units=units, least=least, most=MOST_KEYS + 1)
    tree = sqlglot.parse_one(f"WITH d AS ({rows}), e AS ({_KEYS[dialect]}) {body}", dialect=name)
    if not isinstance(tree, exp.Select):
        raise TypeError("not a statement")
    return tree


def _kind(low: object, high: object) -> str:
    kinds = {_word(str(kind)) for kind in (low, high) if kind is not None}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _word(kind: str) -> str:
    if kind in _NUMBERS:
        return "number"
    return {"VARCHAR": "text", "TEXT": "text", "STRING": "text", "BOOLEAN": "boolean", "TRUE": "boolean",
            "FALSE": "boolean", "OBJECT": "object", "ARRAY": "array"}.get(kind, "mixed")  # fmt: skip


def _whole(value: object) -> int:
    return int(str(value))
