"""A small table of two tenants on any engine, whose rows a test replaces as a program of the owner's would."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from gateway.catalog import Catalog
from gateway.project import Project
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Scope

Row = tuple[int, str, str | None, str | None]
"""id, tenant, firm, state"""

COLUMNS: Final = "id int, tenant varchar(20), firm varchar(80), state varchar(40)"
RULES: Final = '[source.tables.deals]\ntenant = "tenant"\n'
READ: Final = frozenset({"deals.id", "deals.tenant", "deals.firm", "deals.state"})

ROWS: Final[tuple[Row, ...]] = (
    (1, "one", "Müller GmbH", "shipped"),
    (2, "one", "Acme Corp", "returned"),
    (3, "one", "O'Neill & Sons", None),
    (4, "one", "Acme Corp", "shipped"),
    (5, "two", "Zorblax Industries", "pending review"),
    (6, "two", "Acme Corp", "lost"),
)


@dataclass
class Changing:
    """The table and whoever reads it. `write` replaces its rows.

    `reopens`: the engine lets nobody write to what is open, so the source is another one after each `write`.
    """

    engine: str
    write_rows: Callable[[Sequence[Row]], None]
    project: str
    reopens: bool = False
    source: Source = field(init=False)
    catalog: Catalog = field(init=False)
    one: Scope = field(init=False)
    two: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.write_rows(ROWS)
        self.open()

    def open(self) -> None:
        config = Project.parse(self.project).source()
        self.source = open_source(config)
        self.catalog = self.source.reflect()
        self.one, self.two = (scope_for(config, self.catalog, tenant=tenant) for tenant in ("one", "two"))

    def write(self, rows: Sequence[Row]) -> None:
        """Replace all rows."""
        if self.reopens:
            self.source.close()
        self.write_rows(rows)
        if self.reopens:
            self.open()


def _project(**source: str) -> str:
    return "[[source]]\n" + "".join(f'{k} = "{v}"\n' for k, v in {"name": "shop", **source}.items()) + RULES


def sqlite_table(folder: Path) -> Changing:
    """The table where it is quickest."""
    file = folder / "deals.sqlite"

    def write(rows: Sequence[Row]) -> None:
        connection = sqlite3.connect(file)
        connection.execute(f"CREATE TABLE IF NOT EXISTS deals ({COLUMNS}, PRIMARY KEY (id))")
        connection.execute("DELETE FROM deals")
        connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?)", rows)
        connection.commit()
        connection.close()

    return Changing("sqlite", write, _project(path=str(file)))


def _sqlite(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    return sqlite_table(folder)


def _duckdb(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    file = folder / "deals.duckdb"

    def write(rows: Sequence[Row]) -> None:
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"CREATE OR REPLACE TABLE deals ({COLUMNS}, PRIMARY KEY (id))")
            connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?)", rows)

    return Changing("duckdb", write, _project(path=str(file)), reopens=True)


def _copied(suffix: str, options: str, *, reopens: bool) -> Callable[..., Changing]:
    def made(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
        file = folder / f"deals.{suffix}"

        def write(rows: Sequence[Row]) -> None:
            with duckdb.connect() as connection:
                connection.execute(f"CREATE TABLE deals ({COLUMNS})")
                connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?)", rows)
                connection.execute(f"COPY (FROM deals ORDER BY id) TO '{file}' ({options})")

        return Changing(suffix, write, _project(path=str(file)), reopens=reopens)

    return made


def _postgres(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    server = request.getfixturevalue("postgres_server")
    with server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS changing")
        admin.execute("CREATE DATABASE changing")
        admin.execute("DROP ROLE IF EXISTS changing_reader")
        admin.execute("CREATE USER changing_reader PASSWORD 'secret'")
    admin = stack.enter_context(server.admin("changing"))
    admin.execute(f"CREATE TABLE deals ({COLUMNS}, PRIMARY KEY (id))")
    admin.execute("GRANT SELECT ON deals TO changing_reader")

    def write(rows: Sequence[Row]) -> None:
        with admin.transaction(), admin.cursor() as cursor:
            cursor.execute("DELETE FROM deals")
            cursor.executemany("INSERT INTO deals VALUES (%s, %s, %s, %s)", rows)

    return Changing("postgres", write, _project(url=server.url("changing_reader", database="changing")))


def _mariadb(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    server = request.getfixturevalue("mariadb_server")
    admin = stack.enter_context(server.admin())
    with admin.cursor() as cursor:
        for statement in (
            "DROP DATABASE IF EXISTS changing",
            "CREATE DATABASE changing CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            f"CREATE TABLE changing.deals ({COLUMNS}, PRIMARY KEY (id))",
            "CREATE OR REPLACE USER changing_reader@'127.0.0.1' IDENTIFIED BY 'secret'",
            "GRANT SELECT ON changing.* TO changing_reader@'127.0.0.1'",
        ):
            cursor.execute(statement)

    def write(rows: Sequence[Row]) -> None:
        with admin.cursor() as cursor:
            cursor.execute("DELETE FROM changing.deals")
            cursor.executemany("INSERT INTO changing.deals VALUES (%s, %s, %s, %s)", rows)

    return Changing("mariadb", write, _project(url=server.url("changing_reader", database="changing")))


def _mongodb(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    server = request.getfixturevalue("mongodb_server")
    client: Any = stack.enter_context(server.admin())
    client.drop_database("changing")
    fields = {
        "_id": {"bsonType": "int"}, **{name: {"bsonType": ["string", "null"]} for name in ("tenant", "firm", "state")}
    }  # fmt: skip
    shape = {"bsonType": "object", "properties": fields, "additionalProperties": False}
    deals = client["changing"].create_collection("deals", validator={"$jsonSchema": shape})

    def write(rows: Sequence[Row]) -> None:
        deals.delete_many({})
        deals.insert_many(
            {"_id": i, **{k: v for k, v in (("tenant", t), ("firm", f), ("state", s)) if v is not None}}
            for i, t, f, s in rows
        )

    write(ROWS)
    server.make_reader("changing_reader", "changing")
    return Changing(server.engine, write, _project(url=server.url("changing_reader", database="changing")))


def _spark(request: pytest.FixtureRequest, folder: Path, stack: ExitStack) -> Changing:
    server = request.getfixturevalue("spark_server")
    declared = "id INT, tenant STRING, firm STRING, state STRING"
    server.run(
        "DROP DATABASE IF EXISTS changing CASCADE",
        "CREATE DATABASE changing",
        f"CREATE TABLE changing.deals ({declared}) USING parquet",
    )

    def write(rows: Sequence[Row]) -> None:
        listed = ", ".join("(" + ", ".join("NULL" if c is None else _quoted(c) for c in row) + ")" for row in rows)
        server.run(f"INSERT OVERWRITE changing.deals SELECT * FROM VALUES {listed}")

    project = _project(url=server.url(), schemas="?").replace('"?"', '["changing"]')
    return Changing("spark", write, project)


def _quoted(cell: str | int) -> str:
    return str(cell) if isinstance(cell, int) else "'" + cell.replace("'", "\\'") + "'"


SERVER = pytest.mark.server
ENGINES: Final = (
    pytest.param(_sqlite, id="sqlite"),
    pytest.param(_duckdb, id="duckdb"),
    pytest.param(_copied("csv", "FORMAT csv, HEADER", reopens=True), id="csv"),
    pytest.param(_copied("parquet", "FORMAT parquet", reopens=False), id="parquet"),
    pytest.param(_postgres, id="postgres", marks=SERVER),
    pytest.param(_mariadb, id="mariadb", marks=SERVER),
    pytest.param(_mongodb, id="mongodb", marks=SERVER),
    pytest.param(_spark, id="spark", marks=SERVER),
)


@contextmanager
def changing(make: Callable[..., Changing], request: pytest.FixtureRequest, folder: Path) -> Iterator[Changing]:
    """The table on one engine, while it is needed."""
    with ExitStack() as stack:
        made = make(request, folder, stack)
        stack.callback(lambda: made.source.close())  # noqa: PLW0108  (the last one that was opened)
        yield made
