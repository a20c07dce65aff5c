"""DuckDB: reflected, locked down, bounded, interrupted, and its errors without a cell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from gateway.catalog import ColumnType, Dialect
from gateway.errors import GatewayError, QueryTimeoutError, ScopeRefusedError, SourceError
from gateway.sources.base import Cancel
from gateway.sources.duckdb_source import DuckDbSource
from gateway.sources.open import open_path
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from gateway.types import CompiledQuery
from tests.gateway.sources.proved import proved

CANARY = "ada@lovelace.example"
SETUP = f"""
CREATE TYPE mood AS ENUM ('calm', 'it''s fine');
CREATE SCHEMA extra;
CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, email VARCHAR UNIQUE,
    region VARCHAR CHECK (region IN ('north', 'south')), mood mood, born DATE, score DECIMAL(8,2), n DECIMAL(9,0),
    seen TIMESTAMPTZ, tags VARCHAR[], place STRUCT(street VARCHAR), raw BLOB);
CREATE TABLE orders (id INTEGER, customer_id INTEGER REFERENCES customers (id), "Order Date" DATE,
    "weird!!col" INTEGER);
CREATE TABLE extra.notes (id INTEGER);
CREATE VIEW v AS SELECT id FROM orders;
COMMENT ON COLUMN customers.score IS 'points';
INSERT INTO customers SELECT i, 't' || i % 2, 'u' || i || '@x.example', 'north', 'calm', '1990-01-01', i, i,
    '2024-01-01T12:00:00+02', ['a'], {{'street': 's'}}, 'x'::BLOB FROM range(20) r(i);
INSERT INTO customers (id, tenant, email) VALUES (99, 't9', '{CANARY}');
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("duck") / "shop.duckdb"
    with duckdb.connect(place) as connection:
        connection.execute(SETUP)
    return place


@pytest.fixture
def source(path: Path) -> Iterator[DuckDbSource]:
    opened = open_path(path)
    assert isinstance(opened, DuckDbSource)
    yield opened
    opened.close()


def test_reflects_types_keys_and_vocabularies(source: DuckDbSource) -> None:
    catalog = source.reflect()
    assert set(catalog.by_name) == {"customers", "orders", "extra_notes", "v"}
    columns = catalog.by_name["customers"].by_name
    assert columns["mood"].vocabulary == ("calm", "it's fine")
    assert columns["region"].vocabulary == ("north", "south")
    assert columns["email"].vocabulary is None
    kinds = {name: column.type for name, column in columns.items()}
    assert kinds["score"] is ColumnType.NUMBER
    assert kinds["n"] is ColumnType.INTEGER
    assert kinds["tags"] is kinds["place"] is ColumnType.JSON
    assert kinds["raw"] is ColumnType.BINARY
    assert columns["seen"].tz_aware
    assert columns["score"].comment == ""
    assert catalog.by_name["customers"].primary_key == ("id",)
    assert catalog.by_name["customers"].unique == (("email",),)
    assert catalog.by_name["orders"].by_name["Order_Date"].physical == "Order Date"
    assert catalog.by_name["orders"].columns[3].name == "c4"
    assert catalog.by_name["extra_notes"].physical == ("extra", "notes")
    assert [(r.name, r.parent) for r in catalog.relationships] == [("orders.customer_id", "customers")]


def test_native_types_hold_no_struct_key_and_no_label(source: DuckDbSource) -> None:
    """A struct's keys and an enum's labels can come from rows; the type's name is all that is kept."""
    text = " ".join(c.native_type for t in source.reflect().tables for c in t.columns)
    assert "street" not in text
    assert "calm" not in text


def test_comments_only_if_enabled(path: Path) -> None:
    source = DuckDbSource("shop", path, comments=True)
    assert source.reflect().by_name["customers"].by_name["score"].comment == "points"
    source.close()


def test_runs_a_proved_query(source: DuckDbSource) -> None:
    query = proved(
        Dialect.DUCKDB, "SELECT born, seen, score, raw, id > $n FROM customers "
        "WHERE id IN (SELECT unnest($ids)) ORDER BY id",
        "date", "datetime", "number", "text", "boolean", parameters={"n": 1, "ids": (1, 2)},
    )  # fmt: skip
    result = source.run(query, limits=Limits())
    assert result.rows == (
        ("1990-01-01", "2024-01-01T10:00:00", 1, None, False),
        ("1990-01-01", "2024-01-01T10:00:00", 2, None, True),
    )
    assert not result.truncated
    assert result.bytes > 0


def test_refuses_what_was_not_proved(source: DuckDbSource) -> None:
    query = CompiledQuery(
        dialect=Dialect.DUCKDB, statement="SELECT 1", parameters={}, scope_parameters=frozenset(), columns=(),
        tables=(), max_rows=1,
    )  # fmt: skip
    with pytest.raises(ScopeRefusedError):
        source.run(query, limits=Limits())  # type: ignore[arg-type]
    with pytest.raises(ScopeRefusedError):
        source.run(proved(Dialect.SQLITE, "SELECT 1", "number"), limits=Limits())


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT 1; SELECT 2", "query_denied"),
        ("", "query_denied"),
        ("DROP TABLE orders", "query_denied"),
        ("WITH x AS (SELECT 1) INSERT INTO orders SELECT * FROM x", "query_denied"),
        ("CREATE TEMP TABLE x AS SELECT 1", "query_denied"),
        ("ATTACH ':memory:' AS x", "query_denied"),
        ("COPY orders TO '/tmp/rowless-copy.csv'", "query_denied"),
        ("EXPORT DATABASE '/tmp/rowless-export'", "query_denied"),
        ("SET threads = 8", "query_denied"),
        ("PRAGMA threads = 8", "query_denied"),
        ("INSTALL httpfs", "query_denied"),
        ("LOAD httpfs", "query_denied"),
        ("CALL pragma_version()", "query_denied"),
        ("EXPLAIN ANALYZE SELECT * FROM customers", "query_denied"),
        ("SELECT * FROM read_csv('/etc/passwd')", "query_denied"),
        ("SELECT * FROM '/etc/passwd'", "query_object_missing"),
        ("SELECT * FROM read_text('/etc/passwd')", "query_denied"),
        ("SELECT * FROM glob('/etc/*')", "query_denied"),
        ("SELECT * FROM read_parquet('https://example.com/x.parquet')", "query_denied"),
        ("SELECT getenv('HOME')", "query_object_missing"),
        ("SELECT * FROM SETUP", "query_object_missing"),
        ("SELECT email::INTEGER FROM customers WHERE id = 99", "query_value_invalid"),
        ("SELECT error(email) FROM customers WHERE id = 99", "query_value_invalid"),
        ("SELECT 170141183460469231731687303715884105727 + n FROM customers", "query_number_overflow"),
        ("SELECT nothing FROM customers", "query_statement_invalid"),
        ("SELEC 1", "query_statement_invalid"),
    ],
)
def test_refused_or_failed_statements_have_a_code_and_no_cell(source: DuckDbSource, statement: str, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        source.aggregate(statement, {}, timeout_s=5)
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert caught.value.code == code
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lock_configuration", True), ("enable_external_access", False), ("allow_community_extensions", False),
        ("autoload_known_extensions", False), ("autoinstall_known_extensions", False), ("threads", 2),
        ("python_enable_replacements", False), ("allow_persistent_secrets", False),
        ("allow_unsigned_extensions", False),
    ],
)  # fmt: skip
def test_lock_down_holds_on_every_connection(source: DuckDbSource, setting: str, value: object) -> None:
    assert source.aggregate(f"SELECT current_setting('{setting}')", {}, timeout_s=5) == [(value,)]


def test_the_file_is_opened_read_only(source: DuckDbSource) -> None:
    statement = "SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()"
    assert source.aggregate(statement, {}, timeout_s=5) == [(True,)]


def test_python_variables_are_not_tables(source: DuckDbSource) -> None:
    """DuckDB reads variables of the calling code as tables, unless told not to."""
    rows = duckdb.sql("SELECT 1 AS secret")
    assert rows is not None
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT * FROM rows", {}, timeout_s=5)
    assert caught.value.code == "query_object_missing"


def test_time_out_interrupts(source: DuckDbSource) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeoutError):
        source.aggregate("SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)", {}, timeout_s=0.3)
    assert time.monotonic() - started < 3
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_cancel_interrupts_within_a_second(source: DuckDbSource) -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    query = proved(Dialect.DUCKDB, "SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)", "number")
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1.2


def test_a_caller_who_left_before_is_not_served(source: DuckDbSource) -> None:
    cancel = Cancel()
    cancel.cancel()
    query = proved(Dialect.DUCKDB, "SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)", "number")
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1


def test_row_and_byte_limits(source: DuckDbSource) -> None:
    query = proved(Dialect.DUCKDB, "SELECT i FROM range(100) r(i)", "number", max_rows=50)
    result = source.run(query, limits=Limits(max_rows=10))
    assert (len(result.rows), result.truncated) == (10, True)
    exact = source.run(proved(Dialect.DUCKDB, "SELECT i FROM range(10) r(i)", "number"), limits=Limits(max_rows=10))
    assert (len(exact.rows), exact.truncated) == (10, False)
    wide = proved(Dialect.DUCKDB, "SELECT repeat('x', 1000) FROM range(1000000)", "text", max_rows=10**6)
    with pytest.raises(GatewayError) as caught:
        source.run(wide, limits=Limits(max_rows=10**6, max_bytes=50_000))
    assert caught.value.code == "query_bytes_limit"


def test_distinct_values_stay_in_scope(source: DuckDbSource) -> None:
    scope = Scope(
        source="shop", tenant="t1",
        tables={
            "customers": TableScope(
                columns=frozenset({"email", "mood"}), filters=(RowFilter(column="tenant", values=("t1",)),)
            )
        },
    )  # fmt: skip
    values = set(source.distinct_values("customers", "email", scope, max_values=100))
    assert len(values) == 10
    assert CANARY not in values
    assert set(source.distinct_values("customers", "mood", scope, max_values=100)) == {"calm"}
    assert len(list(source.distinct_values("customers", "email", scope, max_values=3))) == 4
    with pytest.raises(ScopeRefusedError):
        list(source.distinct_values("customers", "region", scope, max_values=3))


def test_two_sources_share_one_file_and_the_last_closes_it(path: Path) -> None:
    first, second = open_path(path), open_path(path, "again")
    first.close()
    first.close()
    assert second.aggregate("SELECT count(*) FROM customers", {}, timeout_s=5) == [(21,)]
    second.close()
    with duckdb.connect(path) as writer:
        writer.execute("SELECT 1")


def test_a_file_that_another_process_writes_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "busy.duckdb"
    with duckdb.connect(path) as writer:
        writer.execute("CREATE TABLE t (i INTEGER)")
        with pytest.raises(SourceError) as caught:
            open_path(path)
    assert caught.value.code == "source_busy"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.duckdb"
    path.write_bytes(b"\0" * 8 + b"DUCK" + b"\xff" * 8000)
    with pytest.raises(SourceError) as caught:
        open_path(path)
    assert caught.value.code in {"source_format_unknown", "source_unusable"}


def test_a_view_that_a_file_brings_along_reads_no_other_file(tmp_path: Path) -> None:
    """A database file is somebody's code too: its views run under the same lock-down."""
    other = tmp_path / "other.csv"
    other.write_text(f"email\n{CANARY}\n")
    path = tmp_path / "trap.duckdb"
    with duckdb.connect(path) as writer:
        writer.execute("CREATE TABLE t (i INTEGER)")
        writer.execute(f"CREATE VIEW peek AS SELECT * FROM read_csv('{other}')")
        writer.execute(f"CREATE MACRO grab() AS TABLE SELECT * FROM read_text('{other}')")
    source = open_path(path)
    for statement in ("SELECT * FROM peek", "SELECT * FROM grab()"):
        with pytest.raises(GatewayError) as caught:
            source.aggregate(statement, {}, timeout_s=5)
        assert caught.value.code == "query_denied"
        assert CANARY not in repr(caught.value)
    source.close()
