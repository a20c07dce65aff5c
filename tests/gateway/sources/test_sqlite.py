"""SQLite: reflected, authorizer and limits, bounded, interrupted, and its errors without a cell."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.catalog import ColumnType, Dialect
from gateway.errors import GatewayError, QueryTimeoutError, SourceError
from gateway.sources.base import Cancel
from gateway.sources.open import open_path
from gateway.sources.sqlite_source import SqliteSource
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from tests.gateway.sources.proved import proved

CANARY = "ada@lovelace.example"
SETUP = f"""
CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, email TEXT UNIQUE,
    region TEXT DEFAULT 'CHECK (region IN (''x''))' CHECK (region IN ('north', 'so''uth')), active BOOLEAN, note JSON);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, "Order Date" DATE,
    amount NUMERIC, at TIMESTAMP, anything);
CREATE TABLE pairs (a INTEGER, b INTEGER, PRIMARY KEY (b, a));
CREATE TABLE links (x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES pairs (b, a));
CREATE VIEW v AS SELECT id FROM orders;
CREATE VIEW broken AS SELECT * FROM gone;
WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r WHERE i < 19)
    INSERT INTO customers SELECT i, 't' || (i % 2), 'u' || i || '@x.example', 'north', 1, '{{}}' FROM r;
INSERT INTO customers (id, tenant, email, region) VALUES (99, 't9', '{CANARY}', NULL);
"""
ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lite") / "shop.sqlite"
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript(SETUP)
    return place


@pytest.fixture
def source(path: Path) -> Iterator[SqliteSource]:
    opened = open_path(path)
    assert isinstance(opened, SqliteSource)
    yield opened
    opened.close()


def test_reflects_types_keys_and_vocabularies(source: SqliteSource) -> None:
    catalog = source.reflect()
    assert set(catalog.by_name) == {"customers", "orders", "pairs", "links", "v"}
    assert catalog.warnings == ("table 'broken' cannot be read and is left out",)
    customers = catalog.by_name["customers"]
    assert customers.by_name["region"].vocabulary == ("north", "so'uth")
    assert customers.by_name["active"].type is ColumnType.BOOLEAN
    assert customers.by_name["note"].type is ColumnType.JSON
    assert (customers.primary_key, customers.unique) == (("id",), (("email",),))
    orders = catalog.by_name["orders"].by_name
    assert orders["Order_Date"].type is ColumnType.DATE
    assert orders["at"].type is ColumnType.DATETIME
    assert orders["amount"].type is ColumnType.NUMBER
    assert catalog.by_name["pairs"].primary_key == ("b", "a")
    assert {(r.table, r.columns, r.parent, r.parent_columns) for r in catalog.relationships} == {
        ("orders", ("customer_id",), "customers", ("id",)),
        ("links", ("x", "y"), "pairs", ("b", "a")),
    }


def test_runs_a_proved_query(source: SqliteSource) -> None:
    query = proved(
        Dialect.SQLITE, "WITH s_c AS MATERIALIZED (SELECT id, active FROM customers WHERE tenant = :t) "
        "SELECT id, active FROM s_c ORDER BY id LIMIT 3", "number", "boolean", parameters={"t": "t1"},
    )  # fmt: skip
    assert source.run(query, limits=Limits()).rows == ((1, True), (3, True), (5, True))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT 1; SELECT 2", "query_denied"),
        ("DELETE FROM customers", "query_denied"),
        ("DROP TABLE customers", "query_denied"),
        ("CREATE TEMP TABLE x (i)", "query_denied"),
        ("ATTACH ':memory:' AS x", "query_denied"),
        ("PRAGMA query_only = OFF", "query_denied"),
        ("VACUUM INTO '/tmp/rowless-vacuum'", "query_denied"),
        ("SELECT sql FROM sqlite_master", "query_denied"),
        ("SELECT * FROM sqlite_schema", "query_denied"),
        ("SELECT * FROM pragma_table_info('customers')", "query_denied"),
        ("SELECT * FROM broken", "query_statement_invalid"),
        ("SELECT load_extension('x')", "query_denied"),
        ("SELECT randomblob(1000000000)", "query_denied"),
        ("SELECT zeroblob(1000000000)", "query_denied"),
        ("SELECT sqlite_version()", "query_denied"),
        ("SELECT replace(hex(printf('%10000c', 'x')), '20', printf('%10000c', 'x'))", "query_bytes_limit"),
        ("SELECT abs(-9223372036854775808)", "query_statement_invalid"),
        ("SELECT json_extract(email, '$.a') FROM customers", "query_statement_invalid"),
        ("SELEC 1", "query_statement_invalid"),
    ],
)
def test_refused_or_failed_statements_have_a_code_and_no_cell(source: SqliteSource, statement: str, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        source.aggregate(statement, {}, timeout_s=5)
    assert CANARY not in repr(caught.value)
    assert caught.value.code == code


def test_a_table_made_after_reflection_cannot_be_read(tmp_path: Path) -> None:
    """Only what was reflected is readable, so what the owner has not seen stays out."""
    path = tmp_path / "grow.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE seen (i)")
        source = open_path(path)
        source.reflect()
        writer.execute("CREATE TABLE unseen (i)")
        writer.commit()
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT i FROM unseen", {}, timeout_s=5)
    assert caught.value.code == "query_denied"


def test_time_out_stops_an_endless_statement(source: SqliteSource) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        source.aggregate(ENDLESS, {}, timeout_s=0.3)
    assert time.monotonic() - started < 1.5


def test_cancel_stops_within_a_second(source: SqliteSource) -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(proved(Dialect.SQLITE, ENDLESS, "number"), limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1.2


def test_byte_limit(source: SqliteSource) -> None:
    query = proved(
        Dialect.SQLITE,
        "SELECT printf('%1000c', 'x') FROM customers a, customers b, customers c",
        "text",
        max_rows=10**5,
    )
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(max_rows=10**5, max_bytes=50_000))
    assert caught.value.code == "query_bytes_limit"


def test_distinct_values_stay_in_scope(source: SqliteSource) -> None:
    scope = Scope(
        source="shop", tenant="t1",
        tables={
            "customers": TableScope(columns=frozenset({"email"}), filters=(RowFilter(column="tenant", values=("t1",)),))
        },
    )  # fmt: skip
    values = list(source.distinct_values("customers", "email", scope, max_values=100))
    assert len(values) == 10
    assert CANARY not in values


def test_text_that_is_not_utf8_is_read_and_not_quoted_in_an_error(tmp_path: Path) -> None:
    path = tmp_path / "latin.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE t (x TEXT)")
        writer.execute("INSERT INTO t VALUES (CAST(X'4bf66c6e' AS TEXT))")
        writer.commit()
    assert open_path(path).aggregate("SELECT x FROM t", {}, timeout_s=5) == [("K�ln",)]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    with pytest.raises(SourceError) as caught:
        open_path(path)
    assert caught.value.code == "source_format_unknown"


def test_the_file_is_never_changed(path: Path, source: SqliteSource) -> None:
    before = path.read_bytes()
    source.reflect()
    source.aggregate("SELECT count(*) FROM customers", {}, timeout_s=5)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["shop.sqlite"]
    assert source._uri.endswith("?mode=ro")


def test_text_that_holds_iso_dates_is_dates(tmp_path: Path) -> None:
    """SQLite has no date type to declare, so text that is dates throughout is taken for dates."""
    path = tmp_path / "dates.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE t (day TEXT, moment TEXT, partly TEXT, wrong TEXT, empty TEXT)")
        writer.execute("INSERT INTO t VALUES ('2024-01-31', '2024-01-31T10:00:00', '2024-01-31', '2024-13-45', NULL)")
        writer.execute("INSERT INTO t VALUES (NULL, '2024-02-29 11:30', 'soon', '2024-01-01', NULL)")
        writer.commit()
    kinds = {c.name: c.type for c in open_path(path).reflect().tables[0].columns}
    assert kinds == {
        "day": ColumnType.DATE, "moment": ColumnType.DATETIME, "partly": ColumnType.TEXT, "wrong": ColumnType.TEXT,
        "empty": ColumnType.TEXT,
    }  # fmt: skip
