"""How each SQL engine takes documents apart: from a column to rows of (unit, path, type), within one statement.

A walk goes from the document down, level by level, in a recursive table; Spark has none before 4.1 and nests functions
of lists instead (`gateway.summary.nested_spark`). A key that is no plain name gets no path: it counts as ``~`` and its
hash, so that many of them are seen to be data, and nothing below it is looked at. So no text of a document is ever
read as a path, and no key but a plain name can leave the database.

Here a path has one ``.`` a level, the first included: ``.items[].price``, ``[].price``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.catalog import Column, ColumnType, Dialect
from gateway.summary.nested_spark import spark_document, spark_nodes, spark_text
from gateway.summary.paths import DEPTH, DOCUMENTS, FEWER_DOCUMENTS, ITEMS, LONGEST, MOST_KEYS, PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Where documents come from, as SQL.

    Attributes:
        source: A query that gives the column as ``x`` and the subject as ``u``.
        unit: The unit of a document.
        column: The column.
    """

    source: str
    unit: str
    column: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One engine's part of the statement.

    Attributes:
        tables: Makes ``rw_docs`` (unit ``u``, document ``j``) and ``rw_walk`` (unit ``u``, path ``p``, native type
            ``ty``).
        above: Makes the path of the object that has the key at a level of path ``p``.
        is_item: Whether path ``p`` is that of a list's items.
        number: Numbers documents, where they are the units.
        starts: How a statement with these tables starts.
    """

    tables: Callable[[Documents], str]
    above: Callable[[int], str]
    is_item: str = "RIGHT(p, 2) = '[]'"
    number: str = "ROW_NUMBER() OVER ()"
    starts: str = "WITH RECURSIVE "


def _first(of: Documents, document: str, usable: str, kind: str, *, null: str = "NULL", rows: int = DOCUMENTS) -> str:
    """The documents: the first usable ones that are no null, neither of SQL nor of JSON."""
    return (
        f"SELECT {of.unit} AS u, j FROM (SELECT u, {document} AS j FROM ({of.source}) AS s "
        f"WHERE NOT x IS NULL AND {usable} LIMIT {rows}) AS t WHERE {kind} <> '{null}'"
    )


def _duckdb(of: Documents) -> str:
    """Parts are unnested from a list of a document's own: a lateral JSON_EACH would keep the whole beside each part."""
    native = of.column.native_type.upper()
    is_text = of.column.type is ColumnType.TEXT or native == "JSON"
    document = "TRY_CAST(x AS JSON)" if is_text else "TO_JSON(x)"
    usable = f"LENGTH(CAST({document} AS VARCHAR)) <= {LONGEST}"
    plain = f"REGEXP_MATCHES(e.key, '{PLAIN}')"
    keys = "MAP_ENTRIES(TRY_CAST(j AS MAP(VARCHAR, JSON)))"
    items = f"LIST_TRANSFORM(TRY_CAST(j AS JSON[])[1:{ITEMS}], LAMBDA v: {{'key': NULL, 'value': v}})"
    return f"""
rw_docs AS MATERIALIZED ({_first(of, document, usable, "JSON_TYPE(j)")}),
rw_walk AS (
    SELECT u, 0 AS lvl, '' AS p, JSON_TYPE(j) AS ty, j FROM rw_docs
    UNION ALL
    SELECT u, CASE WHEN ty = 'ARRAY' THEN lvl ELSE lvl + 1 END,
        CASE WHEN ty = 'ARRAY' THEN p || '[]' WHEN {plain} THEN p || '.' || e.key ELSE p || '.~' || MD5(e.key) END,
        JSON_TYPE(e.value),
        CASE WHEN ty = 'ARRAY' AND JSON_TYPE(e.value) = 'OBJECT' AND lvl < {DEPTH} THEN e.value
            WHEN ty = 'OBJECT' AND {plain} AND (JSON_TYPE(e.value) = 'ARRAY'
            OR JSON_TYPE(e.value) = 'OBJECT' AND lvl < {DEPTH - 1}) THEN e.value END
    FROM (SELECT u, lvl, p, ty, UNNEST(CASE WHEN ty = 'OBJECT' THEN {keys} ELSE {items} END) AS e
        FROM rw_walk WHERE NOT j IS NULL AND ty IN ('OBJECT', 'ARRAY')) AS t
)"""


def _sqlite(of: Documents) -> str:
    plain = "LENGTH(e.key) <= 63 AND GLOB('[A-Za-z_]*', e.key) AND NOT GLOB('*[^A-Za-z0-9_]*', e.key)"
    return f"""
rw_docs AS ({_first(of, "x", f"JSON_VALID(x) AND LENGTH(x) <= {LONGEST}", "UPPER(JSON_TYPE(j))")}),
rw_walk AS (
    SELECT u, 0 AS lvl, '' AS p, JSON_TYPE(j) AS ty, j FROM rw_docs
    UNION ALL
    SELECT w.u, CASE WHEN w.ty = 'array' THEN w.lvl ELSE w.lvl + 1 END,
        CASE WHEN w.ty = 'array' THEN w.p || '[]' WHEN {plain} THEN w.p || '.' || e.key
            ELSE w.p || '.~' || HEX(e.key) END, e.type,
        CASE WHEN w.ty = 'array' AND e.type = 'object' AND w.lvl < {DEPTH} THEN e.value
            WHEN w.ty = 'object' AND {plain} AND (e.type = 'array' OR e.type = 'object' AND w.lvl < {DEPTH - 1})
            THEN e.value END
    FROM rw_walk AS w, JSON_EACH(w.j) AS e
    WHERE NOT w.j IS NULL AND (w.ty = 'object' OR w.ty = 'array' AND e.key < {ITEMS})
)"""


_NO_JSONB: Final = (
    "POSITION('\\u0000' IN CAST(x AS TEXT)) = 0 AND NOT REGEXP_REPLACE(CAST(x AS TEXT), "
    "'\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}', '', 'g') ~ '\\\\u[dD][89a-fA-F]' "
    "AND NOT CAST(x AS TEXT) ~ '[[:space:],:[]-?[0-9]+([.][0-9]+)?[eE][-+]?[0-9]{4}'"
)
"""What ``json`` holds and ``jsonb`` does not: NUL, half of a surrogate pair, numbers of more digits than a numeric."""


def _postgres(of: Documents) -> str:
    is_text = of.column.type is ColumnType.TEXT or of.column.native_type == "json"
    document = "CAST(x AS JSONB)" if is_text else "TO_JSONB(x)"
    usable = f"OCTET_LENGTH(CAST(x AS TEXT)) <= {LONGEST}" + (f" AND {_NO_JSONB}" if is_text else "")
    return f"""
rw_docs AS MATERIALIZED ({_first(of, document, usable, "UPPER(JSONB_TYPEOF(j))")}),
rw_walk AS (
    SELECT u, 0 AS lvl, CAST('' AS TEXT) COLLATE "C" AS p, JSONB_TYPEOF(j) AS ty, j FROM rw_docs
    UNION ALL
    SELECT w.u, CASE WHEN w.ty = 'array' THEN w.lvl ELSE w.lvl + 1 END,
        CASE WHEN w.ty = 'array' THEN w.p || '[]' WHEN e.plain THEN w.p || '.' || e.k
            ELSE w.p || '.~' || MD5(e.k) END, JSONB_TYPEOF(e.v),
        CASE WHEN w.ty = 'array' AND JSONB_TYPEOF(e.v) = 'object' AND w.lvl < {DEPTH} THEN e.v
            WHEN w.ty = 'object' AND e.plain AND (JSONB_TYPEOF(e.v) = 'array'
            OR JSONB_TYPEOF(e.v) = 'object' AND w.lvl < {DEPTH - 1}) THEN e.v END
    FROM rw_walk AS w CROSS JOIN LATERAL (
        SELECT t.key COLLATE "C" AS k, t.value AS v, t.key ~ '{PLAIN}' AS plain
        FROM JSONB_EACH(CASE WHEN w.ty = 'object' THEN w.j END) AS t
        UNION ALL
        SELECT NULL, t.v, TRUE
        FROM JSONB_PATH_QUERY(CASE WHEN w.ty = 'array' THEN w.j END, '$[0 to {ITEMS - 1}]') AS t(v)
        OFFSET 0
    ) AS e
    WHERE w.j IS NOT NULL
)"""


def _mysql(of: Documents) -> str:
    """Keys and values are paired by place: looking for each key would read an object as often as it has keys.

    Of an object with more keys than structure has, one key more than that is enough to see, and no value. Of one that
    has a key twice no value is seen either, as JSON_KEYS of MariaDB tells it once. Written to be read alike by MySQL 8,
    which was not run; there no object has a key twice.
    """
    text = "CHARACTER SET utf8mb4) COLLATE utf8mb4_bin"
    key = "CONVERT(e.k USING utf8mb4) COLLATE utf8mb4_bin"
    plain = f"CHAR_LENGTH(e.k) <= 63 AND ({key}) REGEXP '^[A-Za-z_]' AND NOT ({key}) REGEXP '[^A-Za-z0-9_]'"
    pairs = f"JSON_LENGTH(w.j) <= {MOST_KEYS} AND JSON_LENGTH(w.j) = JSON_LENGTH(JSON_KEYS(w.j))"
    return f"""
rw_docs AS ({_first(of, "x", f"JSON_VALID(x) AND CHAR_LENGTH(x) <= {LONGEST}", "JSON_TYPE(j)")}),
rw_walk AS (
    SELECT u, 0 AS lvl, CAST('' AS CHAR(400) {text} AS p, CAST(JSON_TYPE(j) AS CHAR(40) {text} AS ty, j FROM rw_docs
    UNION ALL
    SELECT w.u, w.lvl + 1, IF({plain}, CONCAT(w.p, '.', e.k), CONCAT(w.p, '.~', MD5(e.k))), JSON_TYPE(o.v),
        IF({plain} AND (JSON_TYPE(o.v) = 'ARRAY' OR JSON_TYPE(o.v) = 'OBJECT' AND w.lvl < {DEPTH - 1}), o.v, NULL)
    FROM rw_walk AS w CROSS JOIN JSON_TABLE(JSON_KEYS(w.j), '$[*]' COLUMNS (n FOR ORDINALITY, k LONGTEXT PATH '$')) AS e
    LEFT JOIN JSON_TABLE(IF({pairs}, w.j, NULL), '$.*' COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS o ON o.n = e.n
    WHERE w.ty = 'OBJECT' AND w.j IS NOT NULL AND e.n <= {MOST_KEYS + 1}
    UNION ALL
    SELECT w.u, w.lvl, CONCAT(w.p, '[]'), JSON_TYPE(e.v), IF(JSON_TYPE(e.v) = 'OBJECT' AND w.lvl < {DEPTH}, e.v, NULL)
    FROM rw_walk AS w CROSS JOIN JSON_TABLE(w.j, '$[*]' COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS e
    WHERE w.ty = 'ARRAY' AND w.j IS NOT NULL AND e.n <= {ITEMS}
)"""


def _nth_point(k: int) -> str:
    """Place of the k-th point of ``p``, for SQLite, which has no function that splits."""
    if k == 1:
        return "INSTR(p, '.')"
    before = _nth_point(k - 1)
    return f"({before} + INSTR(SUBSTR(p, {before} + 1), '.'))"


def _spark(of: Documents) -> str:
    usable = f"LENGTH({spark_text(of.column)}) <= {LONGEST}"
    kind = "SCHEMA_OF_VARIANT(j)"
    documents = _first(of, spark_document(of.column), usable, kind, null="VOID", rows=FEWER_DOCUMENTS)
    return f"""
rw_docs AS ({documents}),
rw_walk AS (SELECT u, n.p, n.ty FROM (SELECT u, EXPLODE({spark_nodes("j")}) AS n FROM rw_docs) AS t)"""


WALKS: Final[Mapping[Dialect, Walk]] = MappingProxyType(
    {
        Dialect.DUCKDB: Walk(tables=_duckdb, above=lambda k: f"ARRAY_TO_STRING(STRING_SPLIT(p, '.')[1:{k}], '.')"),
        Dialect.POSTGRES: Walk(
            tables=_postgres, above=lambda k: f"ARRAY_TO_STRING((STRING_TO_ARRAY(p, '.'))[1:{k}], '.')"
        ),
        Dialect.MYSQL: Walk(tables=_mysql, above=lambda k: f"SUBSTRING_INDEX(p, '.', {k})"),
        Dialect.SQLITE: Walk(
            tables=_sqlite, above=lambda k: f"SUBSTR(p, 1, {_nth_point(k)} - 1)", is_item="SUBSTR(p, -2) = '[]'"
        ),
        Dialect.SPARK: Walk(
            tables=_spark,
            above=lambda k: f"SUBSTRING_INDEX(p, '.', {k})",
            number="MONOTONICALLY_INCREASING_ID()",
            starts="WITH ",
        ),
    }
)
