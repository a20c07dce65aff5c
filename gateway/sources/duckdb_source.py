"""DuckDB: database files, and the private copies that files and folders are loaded into.

The engine has "no internal privilege boundary" (duckdb.org/docs, Securing DuckDB), so what SQL could do is taken
away before the first statement (`gateway.sources.duckdb_instance`), and each call must be exactly one statement that
the engine itself parses as a SELECT. What remains is what the proof of stage 10 stands for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table, declared_link
from gateway.errors import GatewayError
from gateway.sources.base import Cancel
from gateway.sources.checks import vocabulary
from gateway.sources.duckdb_instance import MEMORY_MB, close_instance, open_instance
from gateway.sources.errors import Code, duckdb_code, failure
from gateway.sources.names import safe_names
from gateway.sources.sql import Fetch, Parameters, SqlSource, Watch

_LABEL: Final = re.compile(r"'((?:[^']|'')*)'")
_INTEGERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                    "UBIGINT", "UHUGEINT")  # fmt: skip


def column_type(native: str) -> ColumnType:
    """What a DuckDB type holds, by its printed name."""
    name = native.upper()
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "UNION", "JSON", "VARIANT")):
        return ColumnType.JSON
    for start, kind in (
        ("VARCHAR", ColumnType.TEXT), ("ENUM", ColumnType.TEXT), ("UUID", ColumnType.TEXT),
        ("BOOLEAN", ColumnType.BOOLEAN), ("TIMESTAMP", ColumnType.DATETIME), ("DATE", ColumnType.DATE),
        ("TIME", ColumnType.TIME), ("DOUBLE", ColumnType.NUMBER), ("FLOAT", ColumnType.NUMBER),
        ("BLOB", ColumnType.BINARY),
    ):  # fmt: skip
        if name.startswith(start):
            return kind
    if name.startswith("DECIMAL"):
        return ColumnType.INTEGER if name.endswith(",0)") else ColumnType.NUMBER
    return ColumnType.INTEGER if name in _INTEGERS else ColumnType.OTHER


class DuckDbSource(SqlSource):
    """A DuckDB database, opened read-only and locked down.

    Args:
        name: The owner's name of the source.
        path: The database file.
        comments: Whether the owner's comments are reflected.
        warnings: What the loader of files has to say; safe to show.
        allowed_paths: Parquet files that views of the database read; no other file can be opened.
        loaded: The database is the private copy of files, so its tables are files.
        memory_mb: Most memory of the engine, in MB.

    Raises:
        SourceError: The file is missing, locked, or no DuckDB database.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        comments: bool = False,
        warnings: tuple[str, ...] = (),
        loaded: bool = False,
        allowed_paths: tuple[str, ...] = (),
        memory_mb: int = MEMORY_MB,
    ) -> None:
        super().__init__(name, Dialect.DUCKDB)
        self._comments = comments
        self._warnings = warnings
        self._loaded = loaded
        self._is_copy = loaded and not allowed_paths
        self._instance = open_instance(name, path, allowed_paths, memory_mb)
        self._open = True

    @contextmanager
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> Iterator[Fetch]:
        watch: Watch | None = None
        try:
            # A cursor is a connection of its own to the same database: what a statement sets dies with it.
            with self._instance.connection.cursor() as cursor:
                parsed = _one_select(cursor, statement, self.name)
                bound = {k: list(v) if isinstance(v, tuple) else v for k, v in parameters.items()}
                watch = Watch(self.name, cursor.interrupt, timeout_s=timeout_s, cancel=cancel)
                with watch:
                    cursor.execute(parsed, bound)
                    yield cursor.fetchmany
        except GatewayError:
            raise
        except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
            # A RuntimeError is what an interrupt between two fetches becomes, a UnicodeDecodeError an error whose text
            # quotes a cell and is cut within a letter of it.
            stopped = watch.reason if watch is not None else None
            raise failure(stopped or duckdb_code(error), self.name) from None

    def look_again(self, tables: Collection[str]) -> bool:  # noqa: ARG002  (of none of them, or of all)
        """The private copy of files is written to by nobody; a database, or a file read in place, may be."""
        return not self._is_copy

    def _reflect(self) -> Catalog:
        try:
            with self._instance.connection.cursor() as cursor:
                return self._catalog_from(cursor)
        except duckdb.Error as error:
            raise failure(duckdb_code(error), self.name) from None

    def _catalog_from(self, cursor: duckdb.DuckDBPyConnection) -> Catalog:
        listed = cursor.execute(_TABLES, [self._instance.database]).fetchall()
        if not listed:
            raise failure(Code.EMPTY, self.name)
        columns: dict[tuple[str, str], list[tuple[str, str, bool, str | None]]] = {}
        for schema, table, *column in cursor.execute(_COLUMNS, [self._instance.database]).fetchall():
            columns.setdefault((schema, table), []).append((column[0], column[1], column[2], column[3]))
        constraints = cursor.execute(_CONSTRAINTS, [self._instance.database]).fetchall()
        physical = [(schema, table) for schema, table, _, _ in listed]
        names = safe_names([t if s == "main" else f"{s}.{t}" for s, t in physical], prefix="t")
        by_physical = dict(zip(physical, names, strict=True))
        tables = [
            self._table(row, name, columns[row[0], row[1]], [c for c in constraints if c[:2] == row[:2]])
            for row, name in zip(listed, names, strict=True)
        ]
        found = {table.name: table for table in tables}
        links = [
            declared_link(found[by_physical[c[0], c[1]]], c[3], found[by_physical[c[0], c[5]]], c[6])
            for c in constraints
            if c[2] == "FOREIGN KEY" and (c[0], c[5]) in by_physical
        ]
        return Catalog(
            source=self.name,
            dialect=self.dialect,
            tables=tuple(tables),
            relationships=tuple(link for link in links if link is not None),
            warnings=self._warnings,
        )

    def _table(
        self,
        row: Sequence[str],
        name: str,
        columns: Sequence[tuple[str, str, bool, str | None]],
        constraints: Sequence[Sequence[object]],
    ) -> Table:
        schema, physical, kind, comment = row
        safe = dict(zip((c[0] for c in columns), safe_names((c[0] for c in columns), prefix="c"), strict=True))
        listed = dict(filter(None, (vocabulary(str(c[4]), self.dialect) for c in constraints if c[2] == "CHECK")))
        keys = {kind: [tuple(safe[str(n)] for n in _names(c[3])) for c in constraints if c[2] == kind]
                for kind in ("PRIMARY KEY", "UNIQUE")}  # fmt: skip
        return Table(
            name=name,
            physical=(schema, physical),
            columns=tuple(
                Column(
                    name=safe[column],
                    physical=column,
                    type=column_type(native),
                    native_type=_short(native),
                    nullable=nullable,
                    tz_aware="WITH TIME ZONE" in native,
                    vocabulary=_enum_labels(native) or listed.get(column),
                    comment=(about or "") if self._comments else "",
                )
                for column, native, nullable, about in columns
            ),
            primary_key=keys["PRIMARY KEY"][0] if keys["PRIMARY KEY"] else (),
            unique=tuple(keys["UNIQUE"]),
            kind="file" if self._loaded else "view" if kind == "view" else "table",
            comment=(comment or "") if self._comments else "",
        )

    def _close(self) -> None:
        """Leave the database; the last source of a file closes it."""
        if self._open:
            self._open = False
            close_instance(self._instance)


_TABLES: Final = """
SELECT schema_name, table_name, 'table', comment FROM duckdb_tables() WHERE NOT internal AND database_name = ?1
UNION ALL
SELECT schema_name, view_name, 'view', comment FROM duckdb_views() WHERE NOT internal AND database_name = ?1
ORDER BY 1, 2
"""
_COLUMNS: Final = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns()
WHERE NOT internal AND database_name = ? ORDER BY schema_name, table_name, column_index
"""
_CONSTRAINTS: Final = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, expression, referenced_table,
    referenced_column_names
FROM duckdb_constraints() WHERE database_name = ? ORDER BY table_oid, constraint_index
"""


def _one_select(cursor: duckdb.DuckDBPyConnection, statement: str, name: str) -> duckdb.Statement:
    """What the engine itself makes of a text; exactly this is run, so it is parsed once."""
    statements = cursor.extract_statements(statement)
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise failure(Code.DENIED, name)
    return statements[0]


def _names(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _enum_labels(native: str) -> tuple[str, ...] | None:
    if not native.startswith("ENUM("):
        return None
    return tuple(label.replace("''", "'") for label in _LABEL.findall(native)) or None


def _short(native: str) -> str:
    """The type's name without an enum's labels or a struct's keys: they can come from rows."""
    if native.endswith("]"):
        return "LIST"
    return native if native.startswith("DECIMAL") else re.split(r"[(\[]", native, maxsplit=1)[0]
