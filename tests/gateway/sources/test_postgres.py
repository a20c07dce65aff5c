"""PostgreSQL: reflected, read-only, bounded, cancelled, and its errors without a cell, against the real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.catalog import ColumnType, Dialect
from gateway.errors import GatewayError, QueryTimeoutError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.open import open_source
from gateway.sources.pool import MAX_CONNECTIONS
from gateway.sources.postgres_source import PostgresSource
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from tests.gateway.sources.proved import proved
from tests.servers.postgres import PostgresServer

ONE_TENANT = (RowFilter(column="tenant", values=("t1",)),)
pytestmark = pytest.mark.server
CANARY = "ada@lovelace.example"

SETUP = """
CREATE TYPE order_status AS ENUM ('open', 'shipped');
CREATE DOMAIN grade AS text CHECK (VALUE IN ('a', 'b'));
CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, email text UNIQUE, region text
    CHECK (region IN ('north', 'south')), grade grade, born date);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, status order_status,
    "Order Date" timestamptz, amount numeric(12, 2), units numeric(10, 0), note jsonb, secret text);
CREATE TABLE hidden (id int);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 100;
COMMENT ON COLUMN orders.amount IS 'in euros';
INSERT INTO customers SELECT i, 't' || i % 2, 'u' || i || '@x.example', 'north', 'a', '1990-01-01'
    FROM generate_series(1, 20) i;
INSERT INTO customers VALUES (99, 't9', 'ada@lovelace.example', 'south', 'b', NULL);
INSERT INTO orders SELECT i, 1 + i % 20, 'open', '2024-01-01T12:00:00+02', i, i, '{}', NULL
    FROM generate_series(1, 500) i;
CREATE FUNCTION writes() RETURNS int LANGUAGE sql SECURITY DEFINER
    AS 'INSERT INTO public.hidden VALUES (1) RETURNING 1';
CREATE USER reader PASSWORD 'secret';
GRANT CONNECT ON DATABASE shop TO reader;
GRANT USAGE ON SCHEMA public TO reader;
GRANT SELECT ON customers, parts, parts_2024, big_orders TO reader;
GRANT SELECT (id, customer_id, status, "Order Date", amount, units, note) ON orders TO reader;
"""


@pytest.fixture(scope="module")
def shop(postgres_server: PostgresServer) -> PostgresServer:
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS shop")
        admin.execute("CREATE DATABASE shop")
    with postgres_server.admin("shop") as admin:
        admin.execute(SETUP)
    return postgres_server


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate(
        {"name": "shop", "url": SecretStr(url), "unrestricted": True, **more}, strict=False
    )


@pytest.fixture
def source(shop: PostgresServer) -> Iterator[PostgresSource]:
    opened = open_source(config(shop.url("reader")))
    assert isinstance(opened, PostgresSource)
    yield opened
    opened.close()


def code_of(source: PostgresSource, statement: str, timeout_s: float = 5) -> str:
    """The code a statement fails with; the whole error is searched for the canary."""
    with pytest.raises(GatewayError) as caught:
        source.aggregate(statement, {}, timeout_s=timeout_s)
    assert CANARY not in repr(caught.value) + str(caught.value.__cause__)
    assert caught.value.__suppress_context__
    return caught.value.code


def test_reflects_what_the_user_may_read_and_nothing_else(source: PostgresSource) -> None:
    """Tables, views, keys, enum, CHECK and domain vocabularies; no hidden table, column or partition."""
    catalog = source.reflect()
    assert set(catalog.by_name) == {"customers", "orders", "parts", "big_orders"}
    orders = catalog.by_name["orders"].by_name
    assert "secret" not in orders
    assert orders["status"].vocabulary == ("open", "shipped")
    assert orders["Order_Date"].type is ColumnType.DATETIME
    assert orders["Order_Date"].tz_aware
    assert (orders["amount"].type, orders["units"].type) == (ColumnType.NUMBER, ColumnType.INTEGER)
    assert orders["note"].type is ColumnType.JSON
    assert orders["amount"].comment == ""
    customers = catalog.by_name["customers"]
    assert customers.by_name["region"].vocabulary == ("north", "south")
    assert customers.by_name["grade"].vocabulary == ("a", "b")
    assert customers.primary_key == ("id",)
    assert customers.unique == (("email",),)
    assert catalog.by_name["big_orders"].kind == "view"
    assert [(r.table, r.columns, r.parent, r.parent_columns) for r in catalog.relationships] == [
        ("orders", ("customer_id",), "customers", ("id",))
    ]


def test_comments_are_read_only_if_the_owner_says_so(shop: PostgresServer) -> None:
    source = open_source(config(shop.url("reader"), comments=True))
    assert source.reflect().by_name["orders"].by_name["amount"].comment == "in euros"
    source.close()


def test_runs_a_proved_query_with_bound_values(source: PostgresSource) -> None:
    """Instants come back in UTC, decimals as numbers, and the row limit is seen."""
    query = proved(
        Dialect.POSTGRES,
        'SELECT "Order Date", amount, status::text FROM public.orders WHERE customer_id = %(c)s ORDER BY id LIMIT 11',
        "datetime", "number", "text", parameters={"c": 3}, max_rows=10,
    )  # fmt: skip
    result = source.run(query, limits=Limits(max_rows=5))
    assert len(result.rows) == 5
    assert result.truncated
    assert result.rows[0] == ("2024-01-01T10:00:00", 2, "open")


def test_distinct_values_stay_in_scope(source: PostgresSource) -> None:
    scope = Scope(
        source="shop", tenant="t1",
        tables={"customers": TableScope(columns=frozenset({"email"}), filters=ONE_TENANT)},
    )  # fmt: skip
    values = list(source.distinct_values("customers", "email", scope, max_values=100))
    assert len(values) == 10
    assert CANARY not in values
    assert len(list(source.distinct_values("customers", "email", scope, max_values=3))) == 4


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT 1; SELECT 2", "query_statement_invalid"),
        ("SELECT 1; DROP TABLE customers", "query_statement_invalid"),
        ("INSERT INTO public.customers (id, tenant) VALUES (1000, 'x')", "query_denied"),
        ("WITH gone AS (DELETE FROM public.customers RETURNING 1) SELECT * FROM gone", "query_denied"),
        ("SELECT id FROM public.hidden", "query_denied"),
        ("SELECT secret FROM public.orders", "query_denied"),
        ("SELECT pg_read_file('/etc/passwd')", "query_denied"),
        ("COPY public.customers TO PROGRAM 'cat'", "query_denied"),
        ("CREATE TABLE public.x (i int)", "query_denied"),
        ("SELECT email::int FROM public.customers WHERE id = 99", "query_value_invalid"),
        ("SELECT 1 / (id - id) FROM public.customers", "query_division_by_zero"),
        ("SELECT 9223372036854775807 + id FROM public.customers", "query_number_overflow"),
        ("SELECT nothing FROM public.customers", "query_object_missing"),
        ("SELECT * FROM public.nothing", "query_object_missing"),
        ("SELEC 1", "query_statement_invalid"),
    ],
)
def test_refused_or_failed_statements_have_a_code_and_no_cell(
    source: PostgresSource, statement: str, code: str
) -> None:
    assert code_of(source, statement) == code
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_time_out_stops_the_statement_in_the_server(source: PostgresSource, shop: PostgresServer) -> None:
    started = time.monotonic()
    assert code_of(source, "SELECT pg_sleep(30)", timeout_s=0.3) == "query_timeout"
    assert time.monotonic() - started < 3
    assert running(shop) == 0


def running(shop: PostgresServer) -> int:
    with shop.admin() as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state <> 'idle'"
        ).fetchone()
    return int(row[0]) if row else -1


def test_cancel_stops_the_statement_within_a_second(source: PostgresSource, shop: PostgresServer) -> None:
    """The caller leaves: the statement is gone from the server, and the connection serves the next one."""
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(
            proved(Dialect.POSTGRES, "SELECT pg_sleep(30)::text", "text"), limits=Limits(timeout_s=20), cancel=cancel
        )
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1.5
    assert running(shop) == 0
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_a_cancel_after_the_end_hits_nobody(source: PostgresSource) -> None:
    cancel = Cancel()
    source.run(proved(Dialect.POSTGRES, "SELECT 1", "number"), limits=Limits(), cancel=cancel)
    cancel.cancel()
    assert source.aggregate("SELECT 2", {}, timeout_s=5) == [(2,)]


def test_byte_limit_holds_before_all_is_read(source: PostgresSource) -> None:
    query = proved(Dialect.POSTGRES, "SELECT repeat('x', 1000) FROM generate_series(1, 200000)", "text", max_rows=10**6)
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(max_rows=10**6, max_bytes=100_000))
    assert caught.value.code == "query_bytes_limit"
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_settings_of_one_statement_do_not_reach_the_next(source: PostgresSource) -> None:
    """Attack 46: whatever a statement sets is rolled back before another borrows the connection."""
    source.aggregate("SELECT set_config('app.tenant', 't0', false)", {}, timeout_s=5)
    assert source.aggregate("SELECT current_setting('app.tenant', true)", {}, timeout_s=5)[0][0] in (None, "")
    assert source.aggregate("SHOW transaction_read_only", {}, timeout_s=5) == [("on",)]
    assert source.aggregate("SHOW statement_timeout", {}, timeout_s=7) == [("7s",)]


def test_wrong_password_database_and_port_are_told_apart(shop: PostgresServer) -> None:
    for url, code in (
        (shop.url("reader", password="wrong"), "source_auth_failed"),
        (shop.url("nobody"), "source_auth_failed"),
        (shop.url("reader", database="nothing"), "source_database_missing"),
        ("postgresql://reader:secret@127.0.0.1:1/shop", "source_unreachable"),
    ):
        with pytest.raises(SourceError) as caught:
            open_source(config(url))
        assert caught.value.code == code
        assert "secret" not in repr(caught.value)


def test_tls_is_checked_against_the_given_authority(shop: PostgresServer, tmp_path: Path) -> None:
    good = open_source(config(shop.url("reader", options="?sslmode=verify-full"), ca_file=shop.ca_file))
    assert good.aggregate("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", {}, timeout_s=5) == [(True,)]
    good.close()
    with pytest.raises(SourceError) as caught:
        open_source(config(shop.url("reader", options="?sslmode=verify-full")))
    assert caught.value.code == "source_tls_failed"


def test_all_connections_in_use_ends_in_a_time_out(source: PostgresSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sources.pool._WAIT_S", 0.1)
    with ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS):
            taken.enter_context(source.reading())
        with pytest.raises(QueryTimeoutError):
            source.aggregate("SELECT 1", {}, timeout_s=1)
    assert source.aggregate("SELECT 1", {}, timeout_s=1) == [(1,)]


def test_a_server_that_goes_away_is_told(source: PostgresSource, shop: PostgresServer) -> None:
    """The connection is ended between two statements: one error, and the next statement has a new connection."""
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    with shop.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
    time.sleep(0.1)
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT 1", {}, timeout_s=5)
    assert caught.value.code == "query_connection_lost"
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_an_idle_connection_that_was_dropped_is_replaced_unseen(
    source: PostgresSource, shop: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sources.pool._TRUST_S", 0.0)
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    with shop.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
    time.sleep(0.1)
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_a_function_that_writes_is_stopped_by_the_transaction(source: PostgresSource, shop: PostgresServer) -> None:
    """Its rights are its owner's, so only READ ONLY is in its way."""
    assert code_of(source, "SELECT public.writes()") == "query_denied"
    with shop.admin("shop") as admin:
        row = admin.execute("SELECT count(*) FROM hidden").fetchone()
    assert row == (0,)


def test_times_that_python_cannot_hold_are_null_in_an_answer(source: PostgresSource) -> None:
    """One such cell would else cost the whole answer."""
    statement = (
        "SELECT 'infinity'::date, '0044-03-15 BC'::date, '-infinity'::timestamptz, '50000-01-01'::timestamp, "
        "'24:00'::time, '24:00+00'::timetz, '2024-02-29'::date, '2024-02-29 12:00+02'::timestamptz"
    )
    kinds = ("date", "date", "datetime", "datetime", "time", "time", "date", "datetime")
    row = source.run(proved(Dialect.POSTGRES, statement, *kinds), limits=Limits()).rows[0]
    assert row[:6] == (None,) * 6
    assert row[6:] == ("2024-02-29", "2024-02-29T10:00:00")


def test_no_password_is_told_and_libpq_writes_nothing(shop: PostgresServer, capfd: pytest.CaptureFixture[str]) -> None:
    """The driver's library warns on stderr, past Python, of a password file that is none."""
    with pytest.raises(SourceError) as caught:
        open_source(config(f"postgresql://reader@127.0.0.1:{shop.port}/shop"))
    assert caught.value.code == "source_auth_failed"
    assert capfd.readouterr() == ("", "")
