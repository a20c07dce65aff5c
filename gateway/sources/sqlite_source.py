"""SQLite database files, read through the standard library's driver.

Each statement has a connection of its own, opened read-only and bounded before the statement is seen: ``query_only``,
``trusted_schema`` off, length, expression, attach and depth limits, a progress handler as the deadline, and an
authorizer that knows what may be read: the reflected tables, and functions from an allowlist.

Source: sqlite.org/security.html, sections 1 and 2.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.errors import GatewayError
from gateway.sources.base import Cancel
from gateway.sources.checks import check_bodies, vocabulary
from gateway.sources.errors import Code, failure, sqlite_code
from gateway.sources.names import safe_names
from gateway.sources.sql import Fetch, Parameters, SqlSource, Watch
from gateway.sources.sqlite_functions import ALLOWED_FUNCTIONS, register

_LIMITS: Final = (
    (sqlite3.SQLITE_LIMIT_LENGTH, 16_000_000),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1_000_000),
    (sqlite3.SQLITE_LIMIT_COLUMN, 2_000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 500),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 5_000_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 100),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)
"""Length bounds one cell: without it ``randomblob(1e9)`` takes a gigabyte."""

_STEPS_PER_CHECK: Final = 20_000
"""Virtual machine steps between two looks at the clock: a few milliseconds at most."""

_READABLE_MODULES: Final = frozenset({"json_each", "json_tree"})
_ISO_DAY: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_LOOK_ROWS: Final = 5_000
_MAX_TEXTS: Final = 200
_DATE_WORDS: Final = ("datetime", "timestamp")


def column_type(declared: str) -> ColumnType:
    """What a declared SQLite type stands for, by the engine's own affinity rules (sqlite.org/datatype3.html 3.1)."""
    name = declared.lower()
    if any(word in name for word in _DATE_WORDS):
        return ColumnType.DATETIME
    for word, kind in (
        ("date", ColumnType.DATE), ("bool", ColumnType.BOOLEAN), ("json", ColumnType.JSON), ("int", ColumnType.INTEGER),
        ("char", ColumnType.TEXT), ("clob", ColumnType.TEXT), ("text", ColumnType.TEXT), ("string", ColumnType.TEXT),
        ("uuid", ColumnType.TEXT), ("blob", ColumnType.BINARY), ("real", ColumnType.NUMBER),
        ("floa", ColumnType.NUMBER), ("doub", ColumnType.NUMBER), ("dec", ColumnType.NUMBER),
        ("num", ColumnType.NUMBER), ("time", ColumnType.TIME), ("money", ColumnType.NUMBER),
    ):  # fmt: skip
        if word in name:
            return kind
    return ColumnType.TEXT if not name else ColumnType.OTHER


class SqliteSource(SqlSource):
    """An SQLite database file.

    Args:
        name: The owner's name of the source.
        path: The database file.

    Raises:
        SourceError: The file is missing, locked, or no SQLite database.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name, Dialect.SQLITE)
        self._uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        with self._connected() as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(
                    self._uri, uri=True, timeout=2.0, isolation_level=None, check_same_thread=False, cached_statements=0
                )
            ) as connection:
                connection.text_factory = _text
                for limit, value in _LIMITS:
                    connection.setlimit(limit, value)
                connection.execute("PRAGMA query_only = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA cell_size_check = ON")
                connection.execute("PRAGMA temp_store = MEMORY")
                if sys.version_info >= (3, 12):
                    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
                yield connection
        except sqlite3.Error as error:
            raise failure(_code(error), self.name) from None

    @contextmanager
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> Iterator[Fetch]:
        readable = {t.physical[-1].lower() for t in self._known_catalog().tables}
        with self._connected() as connection:
            register(connection)
            # The first use in a connection declares these modules, which the authorizer would take for a change.
            connection.execute("SELECT 1 FROM json_each('{}'), json_tree('{}')")
            connection.set_authorizer(_authorizer(readable, _unreadable(connection, readable)))
            deadline = time.monotonic() + timeout_s
            watch = Watch(self.name, connection.interrupt, timeout_s=timeout_s, cancel=cancel)

            def late() -> int:
                return int(watch.reason is not None or time.monotonic() > deadline)

            connection.set_progress_handler(late, _STEPS_PER_CHECK)
            try:
                with watch:
                    yield connection.execute(statement, parameters).fetchmany
            except GatewayError:
                raise
            except sqlite3.Error as error:
                raise failure(watch.reason or _code(error), self.name) from None
            except (ValueError, sqlite3.Warning):
                # A NUL in the statement, or two statements on Python 3.11.
                raise failure(Code.STATEMENT, self.name) from None

    def _reflect(self) -> Catalog:
        with self._connected() as connection:
            listed = connection.execute(
                "SELECT name, type, coalesce(sql, '') FROM sqlite_master "
                "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            ).fetchall()
            if not listed:
                raise failure(Code.EMPTY, self.name)
            names = safe_names((row[0] for row in listed), prefix="t")
            tables = {}
            warnings = []
            for (physical, kind, sql), name in zip(listed, names, strict=True):
                try:
                    table = _table(connection, physical, name, kind, sql)
                    tables[physical] = _with_text_dates(connection, table) if kind == "table" else table
                except sqlite3.Error:
                    # A view over a dropped table, or a virtual table whose module is not here.
                    warnings.append(f"table '{name}' cannot be read and is left out")
            links = [link for p in tables for link in _links(connection, p, tables)]
            return Catalog(
                source=self.name,
                dialect=self.dialect,
                tables=tuple(tables.values()),
                relationships=tuple(links),
                warnings=tuple(warnings),
            )

    def _close(self) -> None:
        """Nothing stays open between statements."""


def _text(raw: bytes) -> str:
    """Text as stored; the driver's own decoder quotes what is not UTF-8 in its error."""
    return raw.decode("utf-8", "replace")


def _code(error: sqlite3.Error) -> Code:
    if isinstance(error, sqlite3.ProgrammingError) and not getattr(error, "sqlite_errorname", None):
        return Code.DENIED  # the driver's own refusals: two statements, a wrong number of values
    if "prohibited" in str(error) or "not authorized" in str(error):
        return Code.DENIED
    return sqlite_code(getattr(error, "sqlite_errorname", None))


def _unreadable(connection: sqlite3.Connection, readable: set[str]) -> set[str]:
    """Names that are something in this database or engine, and nothing that was reflected."""
    listed = connection.execute(
        "SELECT lower(name) FROM sqlite_master UNION SELECT lower(name) FROM pragma_module_list"
    ).fetchall()
    return {row[0] for row in listed} - readable - _READABLE_MODULES


def _authorizer(readable: set[str], unreadable: set[str]) -> Callable[..., int]:
    """What a statement may do: select, read what was reflected, call what is listed.

    SQLite asks for common table expressions by their own names. A name that is no object and no module of the
    engine can only be one of these, and holds nothing but what was allowed inside it.
    """

    def authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in ALLOWED_FUNCTIONS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ:
            name = (first or "").lower()
            free = name not in unreadable and not name.startswith(("sqlite_", "pragma_"))
            return sqlite3.SQLITE_OK if name in readable or free else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_DENY

    return authorize


def _table(connection: sqlite3.Connection, physical: str, name: str, kind: str, sql: str) -> Table:
    rows = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', [physical]).fetchall()
    if not rows:
        raise sqlite3.OperationalError
    safe = dict(zip((r[0] for r in rows), safe_names((r[0] for r in rows), prefix="c"), strict=True))
    labels = dict(filter(None, (vocabulary(c, Dialect.SQLITE) for c in check_bodies(sql, Dialect.SQLITE))))
    unique = []
    indexes = connection.execute('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', [physical])
    for (index,) in indexes.fetchall():
        parts = [r[0] for r in connection.execute("SELECT name FROM pragma_index_info(?)", [index]).fetchall()]
        if parts and all(part in safe for part in parts):
            unique.append(tuple(safe[part] for part in parts))
    return Table(
        name=name,
        physical=(physical,),
        columns=tuple(
            Column(
                name=safe[column],
                physical=column,
                type=column_type(declared or ""),
                native_type=re.sub(r"[^A-Za-z0-9_ (),]", "", declared or "")[:60],
                nullable=not required,
                vocabulary=labels.get(column),
            )
            for column, declared, required, _ in rows
        ),
        primary_key=tuple(safe[r[0]] for r in sorted(rows, key=lambda r: r[3]) if r[3]),
        unique=tuple(unique),
        kind="view" if kind == "view" else "table",
    )


def _with_text_dates(connection: sqlite3.Connection, table: Table) -> Table:
    """Give text columns that hold nothing but ISO dates their type: SQLite has no date type to declare.

    Counted inside the database over the first rows; all that leaves is whether a column's text is dates.
    """
    texts = [c for c in table.columns if c.type is ColumnType.TEXT and c.vocabulary is None][:_MAX_TEXTS]
    if not texts:
        return table
    names = {c.name: '"' + c.physical.replace('"', '""') + '"' for c in texts}
    counted = ", ".join(
        f"count({q}), total({q} GLOB '{_ISO_DAY}*' AND datetime({q}) IS NOT NULL), max(length({q}))"
        for q in names.values()
    )
    listed = ", ".join(dict.fromkeys(names.values()))
    physical = table.physical[-1].replace('"', '""')
    row = connection.execute(f'SELECT {counted} FROM (SELECT {listed} FROM "{physical}" LIMIT {_LOOK_ROWS})').fetchone()  # noqa: S608
    kinds = {}
    for i, name in enumerate(names):
        filled, dates, longest = row[3 * i : 3 * i + 3]
        if filled and filled == dates:
            kinds[name] = ColumnType.DATE if longest == len("2024-01-01") else ColumnType.DATETIME
    columns = tuple(replace(c, type=kinds.get(c.name, c.type)) for c in table.columns)
    return replace(table, columns=columns)


def _links(connection: sqlite3.Connection, physical: str, tables: dict[str, Table]) -> list[Relationship]:
    rows = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', [physical]
    ).fetchall()
    by_lower = {name.lower(): table for name, table in tables.items()}
    child = tables[physical]
    found = []
    for key in dict.fromkeys(r[0] for r in rows):
        parts = [r for r in rows if r[0] == key]
        parent = by_lower.get(str(parts[0][1]).lower())
        if parent is None:
            continue
        mine = {c.physical.lower(): c.name for c in child.columns}
        theirs = {c.physical.lower(): c.name for c in parent.columns}
        # A key that names no column refers to the parent's primary key.
        targets = parent.primary_key if parts[0][3] is None else tuple(theirs.get(str(r[3]).lower(), "") for r in parts)
        columns = tuple(mine.get(str(r[2]).lower(), "") for r in parts)
        if len(targets) == len(columns) and all(targets) and all(columns):
            found.append(Relationship(table=child.name, columns=columns, parent=parent.name, parent_columns=targets))
    return found
