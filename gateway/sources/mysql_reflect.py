"""What a MySQL or MariaDB user may read: structure only, no histogram, no row estimate.

Columns come from ``information_schema``. Keys and checks come from ``SHOW CREATE TABLE``, as MariaDB hides the views of
constraints from a user who has SELECT and nothing else: just the user a source should have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pymysql.err import MySQLError

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table, declared_link
from gateway.sources.checks import check_bodies, vocabulary
from gateway.sources.names import safe_names

_COLUMNS: Final = """
SELECT c.table_schema, c.table_name, t.table_type, t.table_comment, c.column_name, c.data_type, c.column_type,
    c.is_nullable, c.numeric_scale, c.column_comment, c.column_key
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema IN ({marks}) AND c.privileges LIKE '%select%'
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
_VIEWS: Final = """
SELECT t.table_schema, t.table_name FROM information_schema.tables t
WHERE t.table_schema IN ({marks}) AND t.table_type = 'VIEW'
"""
_KEY_LINE: Final = re.compile(r"\s*(PRIMARY KEY|UNIQUE KEY `(?:[^`]|``)*`) \((?P<columns>[^()]*)\)")
_FOREIGN_LINE: Final = re.compile(
    r"\s*CONSTRAINT `(?:[^`]|``)*` FOREIGN KEY \((?P<columns>[^()]*)\) "
    r"REFERENCES (?:`(?P<schema>(?:[^`]|``)*)`\.)?`(?P<table>(?:[^`]|``)*)` \((?P<targets>[^()]*)\)"
)
_TYPES: Final[dict[str, ColumnType]] = {
    "smallint": ColumnType.INTEGER, "mediumint": ColumnType.INTEGER, "int": ColumnType.INTEGER,
    "bigint": ColumnType.INTEGER, "tinyint": ColumnType.INTEGER, "year": ColumnType.INTEGER,
    "decimal": ColumnType.NUMBER, "float": ColumnType.NUMBER, "double": ColumnType.NUMBER, "date": ColumnType.DATE,
    "datetime": ColumnType.DATETIME, "timestamp": ColumnType.DATETIME, "time": ColumnType.TIME,
    "json": ColumnType.JSON, "char": ColumnType.TEXT, "varchar": ColumnType.TEXT, "tinytext": ColumnType.TEXT,
    "text": ColumnType.TEXT, "mediumtext": ColumnType.TEXT, "longtext": ColumnType.TEXT, "enum": ColumnType.TEXT,
    "uuid": ColumnType.TEXT, "binary": ColumnType.BINARY, "varbinary": ColumnType.BINARY, "tinyblob": ColumnType.BINARY,
    "blob": ColumnType.BINARY, "mediumblob": ColumnType.BINARY, "longblob": ColumnType.BINARY,
}  # fmt: skip
_LABEL: Final = re.compile(r"'((?:[^']|'')*)'")
_JSON_CHECK: Final = re.compile(r"json_valid\(`(.+)`\)\Z", re.IGNORECASE)

Row = Sequence[object]


def column_type(data_type: str, full: str, scale: object) -> ColumnType:
    """What a MySQL type holds; ``tinyint(1)`` is how MySQL spells a boolean."""
    if full.lower().startswith("tinyint(1)"):
        return ColumnType.BOOLEAN
    if data_type == "decimal" and scale == 0:
        return ColumnType.INTEGER
    return _TYPES.get(data_type, ColumnType.OTHER)


def reflect_mysql(
    connection: Any,
    source: str,
    *,
    schemas: Sequence[str],
    comments: bool,
) -> Catalog:
    """Read all tables and views that the user may select from.

    Args:
        connection: A PyMySQL connection (the driver ships no types) within a read-only transaction.
        source: The owner's name of the source.
        schemas: The databases to read.
        comments: Whether to read the owner's comments.
    """
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in _all(connection, _COLUMNS, schemas):
        rows.setdefault((str(row[0]), str(row[1])), []).append(row)
    spoken = [t if len(schemas) == 1 else f"{s}.{t}" for s, t in rows]
    names = dict(zip(rows, safe_names(spoken, prefix="t"), strict=True))
    tables = {}
    texts = {}
    for place, columns in rows.items():
        texts[place] = _ddl(connection, place) if "VIEW" not in str(columns[0][2]) else ""
        tables[place] = _table(place, names[place], columns, texts[place], comments=comments)
    links = [link for place, ddl in texts.items() for link in _links(tables, place, ddl)]
    # A view of what is gone, or of what its user may not call, is listed and has no columns.
    broken = sum((str(s), str(t)) not in rows for s, t in _all(connection, _VIEWS, schemas))
    return Catalog(
        source=source,
        dialect=Dialect.MYSQL,
        tables=tuple(tables.values()),
        relationships=tuple(links),
        warnings=(f"{broken} view(s) cannot be read and are left out",) if broken else (),
    )


def _all(connection: Any, statement: str, schemas: Sequence[str]) -> list[Row]:
    with connection.cursor() as cursor:
        # Names of databases are the owner's own, and go over as hexadecimal like every value.
        marks = ", ".join(f"CONVERT(X'{s.encode().hex()}' USING utf8mb4)" for s in schemas)
        cursor.execute(statement.format(marks=marks))
        return list(cursor.fetchall())


def _ddl(connection: Any, place: tuple[str, str]) -> str:
    """The table's own text; empty for a user who may read only some of its columns."""
    quoted = ".".join("`" + part.replace("`", "``") + "`" for part in place)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW CREATE TABLE {quoted}")
            found = cursor.fetchall()
    except MySQLError:
        return ""
    return str(found[0][1]) if found else ""


def _quoted_names(text: str) -> tuple[str, ...]:
    """Names of a printed list ```a`,`b```; none if a key covers only the beginning of a column."""
    if not re.fullmatch(r"(`(?:[^`]|``)*`)(\s*,\s*`(?:[^`]|``)*`)*", text.strip()):
        return ()
    return tuple(part.replace("``", "`") for part in re.findall(r"`((?:[^`]|``)*)`", text))


def _table(place: tuple[str, str], name: str, columns: Sequence[Row], ddl: str, *, comments: bool) -> Table:
    physicals = [str(c[4]) for c in columns]
    safe = dict(zip(physicals, safe_names(physicals, prefix="c"), strict=True))
    checks = check_bodies(ddl, Dialect.MYSQL)
    listed = dict(filter(None, (vocabulary(c, Dialect.MYSQL) for c in checks)))
    json = {m[1] for c in checks if (m := _JSON_CHECK.match(c))}
    primary: tuple[str, ...] = tuple(safe[str(c[4])] for c in columns if c[10] == "PRI") if not ddl else ()
    unique = []
    for line in ddl.splitlines():
        if (
            (key := _KEY_LINE.match(line))
            and (parts := _quoted_names(key["columns"]))
            and all(p in safe for p in parts)
        ):
            if key[1] == "PRIMARY KEY":
                primary = tuple(safe[p] for p in parts)
            else:
                unique.append(tuple(safe[p] for p in parts))
    return Table(
        name=name,
        physical=place,
        columns=tuple(
            Column(
                name=safe[str(c[4])],
                physical=str(c[4]),
                type=ColumnType.JSON if c[4] in json else column_type(str(c[5]), str(c[6]), c[8]),
                native_type=str(c[5]),
                nullable=c[7] == "YES",
                tz_aware=c[5] == "timestamp",
                vocabulary=_enum(str(c[6])) or listed.get(str(c[4])),
                comment=str(c[9] or "") if comments else "",
            )
            for c in columns
        ),
        primary_key=primary,
        unique=tuple(unique),
        kind="view" if "VIEW" in str(columns[0][2]) else "table",
        comment=str(columns[0][3] or "") if comments and columns[0][2] == "BASE TABLE" else "",
    )


def _enum(full: str) -> tuple[str, ...] | None:
    if not full.lower().startswith("enum("):
        return None
    return tuple(label.replace("''", "'") for label in _LABEL.findall(full)) or None


def _links(tables: dict[tuple[str, str], Table], place: tuple[str, str], ddl: str) -> list[Relationship]:
    found = []
    for key in filter(None, map(_FOREIGN_LINE.match, ddl.splitlines())):
        parent = tables.get((key["schema"] or place[0], key["table"]))
        if parent is not None:
            found.append(
                declared_link(tables[place], _quoted_names(key["columns"]), parent, _quoted_names(key["targets"]))
            )
    return [link for link in found if link is not None]
