"""One table of documents for every engine, and what a summary says of its column ``data``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import duckdb

from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.model import Summary
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

Row = tuple[str, int, str]
"""Tenant, subject and the document's text."""
RULES = '[source.tables.t]\ntenant = "who"\n'
BY_SUBJECT = RULES + 'subject = "subject"\n'


def summary_of(place: str, tenant: str, rules: str = RULES) -> Summary:
    """All that is told of table ``t``.

    Args:
        place: The source's address, as a line of the project file.
        tenant: Whose rows.
        rules: The owner's rules.
    """
    config = Project.parse(f'[[source]]\nname = "s"\n{place}\n{rules}').source()
    source = open_source(config)
    try:
        catalog = source.reflect()
        return summarise(source, catalog, scope_for(config, catalog, tenant=tenant), config)
    finally:
        source.close()


def told(place: str, tenant: str, rules: str = RULES) -> dict[str, tuple[str, float | None]]:
    """Type and share by path of the documents."""
    column = summary_of(place, tenant, rules).tables[0].column("data")
    assert column is not None
    return {path.name: (path.type, path.share) for path in column.paths or ()}


def in_duckdb(folder: Path, rows: Sequence[Row], kind: str = "json") -> str:
    """A DuckDB file."""
    file = folder / "s.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as c:
        c.execute(f"create table t (who varchar, subject integer, data {kind})")
        value = "?" if kind in ("json", "varchar") else f"CAST(CAST(? AS JSON) AS {kind})"
        for start in range(0, len(rows), 200):
            part = rows[start : start + 200]
            marks = ", ".join([f"(?, ?, {value})"] * len(part))
            c.execute(f"insert into t values {marks}", [v for row in part for v in row])
    return f'path = "{file}"'


def in_json_lines(folder: Path, rows: Sequence[Row]) -> str:
    """A file of JSON Lines, in which DuckDB finds structs, lists and maps."""
    file = folder / "t.jsonl"
    lines = (json.dumps({"who": who, "subject": n, "data": json.loads(text)}) for who, n, text in rows)
    file.write_text("\n".join(lines), encoding="utf-8")
    return f'path = "{file}"'


def in_sqlite(folder: Path, rows: Sequence[Row], kind: str = "json") -> str:
    """An SQLite file."""
    file = folder / "s.sqlite"
    file.unlink(missing_ok=True)
    c = sqlite3.connect(file)
    c.execute(f"create table t (who text, subject integer, data {kind})")
    c.executemany("insert into t values (?, ?, ?)", rows)
    c.commit()
    c.close()
    return f'path = "{file}"'


def in_postgres(server: PostgresServer, rows: Sequence[Row], kind: str = "jsonb") -> str:
    """A table of a database of its own."""
    with server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS documents WITH (FORCE)")
        admin.execute("CREATE DATABASE documents")
        admin.execute("DROP ROLE IF EXISTS documents_reader")
        admin.execute("CREATE USER documents_reader PASSWORD 'secret'")
    with server.admin("documents") as admin:
        admin.execute(f"CREATE TABLE t (who text, subject integer, data {kind})")
        with admin.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
        admin.execute("GRANT SELECT ON t TO documents_reader")
    return f'url = "{server.url("documents_reader", database="documents")}"'


def in_mariadb(server: MariadbServer, rows: Sequence[Row], kind: str = "json") -> str:
    """A table of a database of its own."""
    with server.admin() as admin, admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS documents")
        cursor.execute("CREATE DATABASE documents CHARACTER SET utf8mb4")
        cursor.execute("USE documents")
        cursor.execute(f"CREATE TABLE t (who varchar(20), subject integer, data {kind})")
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", rows)
        cursor.execute("CREATE OR REPLACE USER documents_reader@'127.0.0.1' IDENTIFIED BY 'secret'")
        cursor.execute("GRANT SELECT ON documents.* TO documents_reader@'127.0.0.1'")
    return f'url = "{server.url("documents_reader", database="documents")}"'


def in_spark(server: SparkServer, rows: Sequence[Row], value: str = "TRY_PARSE_JSON(data)") -> str:
    """A Parquet table of a database of its own. `value` makes the column of a row's text ``data``."""
    quoted = ", ".join(f"({who!r}, {n}, X'{text.encode('utf-8', 'replace').hex()}')" for who, n, text in rows)
    server.run(
        "DROP DATABASE IF EXISTS documents CASCADE",
        "CREATE DATABASE documents",
        f"CREATE TABLE documents.t USING parquet AS SELECT who, subject, {value} AS data FROM "
        f"(SELECT who, subject, DECODE(data, 'UTF-8') AS data FROM VALUES {quoted} AS t(who, subject, data))",
    )
    return f'url = "{server.url()}"\nschemas = ["documents"]'


def in_mongodb(server: MongodbServer, rows: Sequence[Row]) -> str:
    """A collection whose validator declares the document, so that it is one column."""
    with server.admin() as client:
        client.drop_database("documents")
        declared = {"who": {"bsonType": "string"}, "subject": {"bsonType": "int"}, "data": {"bsonType": "object"}}
        made = client["documents"].create_collection("t", validator={"$jsonSchema": {"properties": declared}})
        kept = [{"who": who, "subject": n, "data": json.loads(text)} for who, n, text in rows]
        made.insert_many(kept, bypass_document_validation=True)
    server.make_reader("documents_reader", "documents")
    return f'url = "{server.url("documents_reader", database="documents")}"'
