"""What a PostgreSQL user may read, from the system catalogs: structure only, never ``pg_stats`` or ``reltuples``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.sources.checks import vocabulary
from gateway.sources.names import safe_names

_COLUMNS: Final = """
SELECT n.nspname, c.relname, c.relkind::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
    NOT a.attnotnull, coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype)::text,
    coalesce(b.typcategory, t.typcategory)::text,
    (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e
        WHERE e.enumtypid = coalesce(b.oid, t.oid)),
    (SELECT array_agg(pg_get_constraintdef(d.oid)) FROM pg_constraint d WHERE d.contypid = t.oid),
    obj_description(c.oid, 'pg_class'), col_description(c.oid, a.attnum), a.atttypmod
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (cardinality(%(schemas)s::text[]) = 0 OR n.nspname = ANY (%(schemas)s::text[]))
    AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""
_CONSTRAINTS: Final = """
SELECT n.nspname, c.relname, k.contype::text, k.conkey::int[], fn.nspname, f.relname, k.confkey::int[],
    CASE WHEN k.contype = 'c' THEN pg_get_constraintdef(k.oid) END
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid
LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY k.oid
"""
_TYPES: Final[dict[str, ColumnType]] = {
    "int2": ColumnType.INTEGER, "int4": ColumnType.INTEGER, "int8": ColumnType.INTEGER, "oid": ColumnType.OTHER,
    "numeric": ColumnType.NUMBER, "float4": ColumnType.NUMBER, "float8": ColumnType.NUMBER, "bool": ColumnType.BOOLEAN,
    "date": ColumnType.DATE, "timestamp": ColumnType.DATETIME, "timestamptz": ColumnType.DATETIME,
    "time": ColumnType.TIME, "timetz": ColumnType.TIME, "json": ColumnType.JSON, "jsonb": ColumnType.JSON,
    "hstore": ColumnType.JSON, "bytea": ColumnType.BINARY, "uuid": ColumnType.TEXT, "text": ColumnType.TEXT,
    "varchar": ColumnType.TEXT, "bpchar": ColumnType.TEXT, "name": ColumnType.TEXT, "citext": ColumnType.TEXT,
    "char": ColumnType.TEXT,
}  # fmt: skip
_PLAIN_TEXT: Final = frozenset({"text", "varchar", "bpchar"})
_TYPMOD_HEADER: Final = 4


def column_type(name: str, kind: str, category: str, typmod: int) -> ColumnType:
    """What a PostgreSQL type holds.

    Args:
        name: ``typname`` of the base type.
        kind: ``typtype``: ``e`` is an enum, ``c`` a composite.
        category: ``typcategory``: ``A`` is an array.
        typmod: Type modifier; a numeric of scale 0 holds whole numbers.
    """
    if kind == "e":
        return ColumnType.TEXT
    if category == "A" or kind == "c":
        return ColumnType.JSON
    if name == "numeric" and typmod >= _TYPMOD_HEADER and (typmod - _TYPMOD_HEADER) & 0x7FF == 0:
        return ColumnType.INTEGER
    return _TYPES.get(name, ColumnType.OTHER)


def reflect_postgres(
    connection: psycopg.Connection[tuple[object, ...]], source: str, *, schemas: Sequence[str], comments: bool
) -> Catalog:
    """Read all tables, views, materialized views and foreign tables that the user may read.

    Args:
        connection: Within a read-only transaction.
        source: The owner's name of the source.
        schemas: Only these; all but the system's if empty.
        comments: Whether to read the owner's comments.
    """
    rows: dict[tuple[str, str], list[Sequence[object]]] = {}
    for row in connection.execute(_COLUMNS, {"schemas": list(schemas)}).fetchall():
        rows.setdefault((str(row[0]), str(row[1])), []).append(row)
    constraints = [k for k in connection.execute(_CONSTRAINTS).fetchall() if (k[0], k[1]) in rows]
    spoken = [t if s == "public" or [s] == list(schemas) else f"{s}.{t}" for s, t in rows]
    names = dict(zip(rows, safe_names(spoken, prefix="t"), strict=True))
    numbers: dict[tuple[str, str], dict[int, str]] = {}
    tables = {}
    for place, columns in rows.items():
        own = [k for k in constraints if (k[0], k[1]) == place]
        safe = safe_names((str(c[4]) for c in columns), prefix="c")
        numbers[place] = {_int(c[3]): n for c, n in zip(columns, safe, strict=True)}
        tables[place] = _table(place, names[place], columns, safe, own, numbers[place], comments=comments)
    links = [
        link
        for k in constraints
        if k[2] == "f" and (link := _link(k, tables, numbers)) is not None
    ]  # fmt: skip
    return Catalog(source=source, dialect=Dialect.POSTGRES, tables=tuple(tables.values()), relationships=tuple(links))


def _table(
    place: tuple[str, str],
    name: str,
    columns: Sequence[Sequence[object]],
    safe: Sequence[str],
    constraints: Sequence[Sequence[object]],
    numbers: dict[int, str],
    *,
    comments: bool,
) -> Table:
    listed = dict(filter(None, (vocabulary(str(k[7]), Dialect.POSTGRES) for k in constraints if k[2] == "c")))
    keys: dict[str, list[tuple[str, ...]]] = {"p": [], "u": []}
    for k in constraints:
        if k[2] in ("p", "u") and (names := _column_names(k[3], numbers)):
            keys[str(k[2])].append(names)
    return Table(
        name=name,
        physical=place,
        columns=tuple(_column(c, n, listed, comments=comments) for c, n in zip(columns, safe, strict=True)),
        primary_key=keys["p"][0] if keys["p"] else (),
        unique=tuple(keys["u"]),
        kind="view" if columns[0][2] in ("v", "m") else "table",
        comment=str(columns[0][12] or "") if comments else "",
    )


def _column(row: Sequence[object], name: str, listed: dict[str, tuple[str, ...]], *, comments: bool) -> Column:
    type_name, kind = str(row[7]), str(row[8])
    labels = tuple(str(label) for label in row[10]) if isinstance(row[10], list) else listed.get(str(row[4]))
    if labels is None and isinstance(row[11], list):
        # A domain's own check speaks of VALUE.
        found = [vocabulary(str(text), Dialect.POSTGRES) for text in row[11]]
        labels = next((f[1] for f in found if f is not None and f[0].lower() == "value"), None)
    kind_of = column_type(type_name, kind, str(row[9]), _int(row[14]))
    return Column(
        name=name,
        physical=str(row[4]),
        type=kind_of,
        native_type=("text" if type_name in _PLAIN_TEXT else "enum" if kind == "e" else type_name),
        nullable=bool(row[6]),
        tz_aware=type_name in {"timestamptz", "timetz"},
        vocabulary=labels,
        comment=str(row[13] or "") if comments else "",
    )


def _link(
    k: Sequence[object], tables: dict[tuple[str, str], Table], numbers: dict[tuple[str, str], dict[int, str]]
) -> Relationship | None:
    child, parent = (str(k[0]), str(k[1])), (str(k[4]), str(k[5]))
    if parent not in tables:
        return None
    mine, theirs = _column_names(k[3], numbers[child]), _column_names(k[6], numbers[parent])
    if not mine or not theirs:
        return None
    return Relationship(table=tables[child].name, columns=mine, parent=tables[parent].name, parent_columns=theirs)


def _column_names(attnums: object, numbers: dict[int, str]) -> tuple[str, ...]:
    """Safe names of a key's columns; empty if the user may not read one of them."""
    if not isinstance(attnums, list) or not all(n in numbers for n in attnums):
        return ()
    return tuple(numbers[n] for n in attnums)


def _int(value: object) -> int:
    return value if isinstance(value, int) else -1
