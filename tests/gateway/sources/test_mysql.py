"""MySQL/MariaDB: reflected, read-only, prepared in the server, bounded, killed on cancel, against the real MariaDB."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.catalog import ColumnType, Dialect
from gateway.errors import GatewayError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.check import check_source
from gateway.sources.mysql_source import MysqlSource, positional
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from tests.gateway.sources.proved import proved
from tests.servers.mariadb import MariadbServer

ONE_TENANT = (RowFilter(column="tenant", values=("t1",)),)
pytestmark = pytest.mark.server
CANARY = "ada@lovelace.example"

SETUP = f"""
CREATE TABLE customers (id int PRIMARY KEY, tenant varchar(20) NOT NULL, email varchar(100) UNIQUE,
    region varchar(10) CHECK (region IN ('north', 'south')), active tinyint(1));
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL, status enum('open','ship''d'),
    `Order Date` datetime, amount decimal(12,2), units decimal(10,0), note json COMMENT 'CHECK (note in (''x''))',
    FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE hidden (id int);
CREATE TABLE people (id int PRIMARY KEY, nick text, secret text);
CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 100;
INSERT INTO customers SELECT seq, concat('t', seq % 2), concat('u', seq, '@x.example'), 'north', 1 FROM seq_1_to_20;
INSERT INTO customers VALUES (99, 't9', '{CANARY}', 'south', 0);
INSERT INTO orders SELECT seq, 1 + seq % 20, 'open', '2024-01-01 12:00:00', seq, seq, '{{}}' FROM seq_1_to_500;
CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret';
GRANT SELECT ON shop.customers TO reader@'127.0.0.1';
GRANT SELECT ON shop.big_orders TO reader@'127.0.0.1';
GRANT SELECT ON shop.orders TO reader@'127.0.0.1';
GRANT SELECT (id, nick) ON shop.people TO reader@'127.0.0.1';
"""


@pytest.fixture(scope="module")
def shop(mariadb_server: MariadbServer) -> MariadbServer:
    admin = mariadb_server.admin()
    with admin, admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS shop")
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        cursor.execute("USE shop")
        for statement in filter(str.strip, SETUP.split(";")):
            cursor.execute(statement)
        cursor.execute(
            "CREATE FUNCTION shop.writes() RETURNS int MODIFIES SQL DATA SQL SECURITY DEFINER "
            "BEGIN INSERT INTO shop.hidden VALUES (1); RETURN 1; END"
        )
        cursor.execute("GRANT EXECUTE ON FUNCTION shop.writes TO reader@'127.0.0.1'")
    return mariadb_server


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True, **more})


@pytest.fixture
def source(shop: MariadbServer) -> Iterator[MysqlSource]:
    opened = open_source(config(shop.url("reader")))
    assert isinstance(opened, MysqlSource)
    yield opened
    opened.close()


def test_reflects_what_the_user_may_read_and_nothing_else(source: MysqlSource) -> None:
    catalog = source.reflect()
    assert set(catalog.by_name) == {"customers", "orders", "big_orders", "people"}
    orders = catalog.by_name["orders"].by_name
    people = catalog.by_name["people"]
    assert (set(people.by_name), people.primary_key) == ({"id", "nick"}, ("id",))
    assert orders["status"].vocabulary == ("open", "ship'd")
    assert (orders["amount"].type, orders["units"].type) == (ColumnType.NUMBER, ColumnType.INTEGER)
    assert (orders["note"].type, orders["Order_Date"].type) == (ColumnType.JSON, ColumnType.DATETIME)
    customers = catalog.by_name["customers"]
    assert customers.by_name["active"].type is ColumnType.BOOLEAN
    assert customers.by_name["region"].vocabulary == ("north", "south")
    assert (customers.primary_key, customers.unique) == (("id",), (("email",),))
    assert catalog.by_name["big_orders"].kind == "view"
    assert [(r.name, r.parent, r.parent_columns) for r in catalog.relationships] == [
        ("orders.customer_id", "customers", ("id",))
    ]


def test_runs_a_proved_query_with_bound_values(source: MysqlSource) -> None:
    query = proved(
        Dialect.MYSQL,
        "SELECT `Order Date`, amount, status, amount > :two FROM shop.orders "
        "WHERE customer_id = :c ORDER BY id LIMIT 11",
        "datetime", "number", "text", "boolean", parameters={"c": 3, "two": 2}, max_rows=10,
    )  # fmt: skip
    result = source.run(query, limits=Limits(max_rows=5))
    assert len(result.rows) == 5
    assert result.truncated
    assert result.rows[0] == ("2024-01-01T12:00:00", 2, "open", False)


def test_distinct_values_stay_in_scope(source: MysqlSource) -> None:
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
        ("SELECT 1; SELECT 2", "query_denied"),
        ("SELECT 1; DROP TABLE customers", "query_denied"),
        ("INSERT INTO shop.customers (id, tenant) VALUES (1000, 'x')", "query_denied"),
        ("DELETE FROM shop.customers", "query_denied"),
        ("SELECT id FROM shop.hidden", "query_denied"),
        ("SELECT secret FROM shop.people", "query_denied"),
        ("SELECT 1 INTO OUTFILE '/tmp/rowless-out'", "query_denied"),
        ("SET SESSION max_statement_time = 0", "query_denied"),
        ("SELECT /*! 1 */ 2", "query_denied"),
        ("SELECT 1 -- x", "query_denied"),
        ("SELECT @@version", "query_denied"),
        ("SELECT @rowless_s", "query_denied"),
        ("SELECT 'open", "query_denied"),
        ("SELECT 9223372036854775807 + id FROM shop.customers", "query_number_overflow"),
        ("SELECT nothing FROM shop.customers", "query_object_missing"),
        ("SELECT nothing FROM shop.big_orders", "query_object_missing"),
        ("SELECT FROM WHERE", "query_statement_invalid"),
    ],
)
def test_refused_or_failed_statements_have_a_code_and_no_cell(source: MysqlSource, statement: str, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        source.aggregate(statement, {}, timeout_s=5)
    assert caught.value.code == code
    assert CANARY not in repr(caught.value)
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_load_file_reads_no_file(source: MysqlSource) -> None:
    """Without FILE the server answers NULL rather than an error."""
    assert source.aggregate("SELECT LOAD_FILE('/etc/passwd')", {}, timeout_s=5) == [(None,)]


def running(shop: MariadbServer) -> int:
    admin = shop.admin()
    with admin, admin.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND command = 'Execute'"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else -1


def test_time_out_stops_the_statement_in_the_server(source: MysqlSource, shop: MariadbServer) -> None:
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT count(*) FROM shop.orders WHERE sleep(1) = 0", {}, timeout_s=0.3)
    assert caught.value.code == "query_timeout"
    assert time.monotonic() - started < 3
    assert running(shop) == 0


def test_cancel_stops_the_statement_within_a_second(source: MysqlSource, shop: MariadbServer) -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    started = time.monotonic()
    query = proved(Dialect.MYSQL, "SELECT count(*) FROM shop.orders WHERE sleep(1) = 0", "number")
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1.5
    assert running(shop) == 0
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_byte_limit_holds_before_all_is_read(source: MysqlSource) -> None:
    query = proved(
        Dialect.MYSQL, "SELECT repeat('x', 1000) FROM shop.orders a JOIN shop.orders b ON 1 = 1", "text", max_rows=10**6
    )
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(max_rows=10**6, max_bytes=100_000))
    assert caught.value.code == "query_bytes_limit"
    assert time.monotonic() - started < 3
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]


def test_a_row_limit_leaves_no_rows_on_the_connection(source: MysqlSource) -> None:
    query = proved(Dialect.MYSQL, "SELECT a.id FROM shop.orders a JOIN shop.orders b ON 1 = 1", "number", max_rows=10)
    result = source.run(query, limits=Limits())
    assert result.truncated
    assert source.aggregate("SELECT 7", {}, timeout_s=5) == [(7,)]


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_text_comes_back_as_it_was_bound(source_once: MysqlSource, text: str) -> None:
    """Quotes, backslashes, comment marks: no value is ever read as SQL."""
    assert source_once.aggregate("SELECT :v", {"v": text}, timeout_s=5) == [(text,)]


@pytest.fixture(scope="module")
def source_once(shop: MariadbServer) -> Iterator[MysqlSource]:
    opened = open_source(config(shop.url("reader")))
    assert isinstance(opened, MysqlSource)
    yield opened
    opened.close()


def test_wrong_password_database_and_port_are_told_apart(shop: MariadbServer) -> None:
    for url, code in (
        (shop.url("reader", password="wrong"), "source_auth_failed"),
        (shop.url("reader", database="nothing"), "source_database_missing"),
        (shop.url("reader", database=""), "source_database_missing"),
        ("mysql://reader:secret@127.0.0.1:1/shop", "source_unreachable"),
    ):
        with pytest.raises(SourceError) as caught:
            open_source(config(url))
        assert caught.value.code == code
        assert "secret" not in repr(caught.value)


def test_tls_is_checked_against_the_given_authority(shop: MariadbServer) -> None:
    good = open_source(config(shop.url("reader", options="?tls=true"), ca_file=Path(shop.ca_file)))
    assert good.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    good.close()
    with pytest.raises(SourceError) as caught:
        open_source(config(shop.url("reader", options="?tls=true")))
    assert caught.value.code == "source_tls_failed"


def test_marks_in_quotes_are_text() -> None:
    text, names = positional("SELECT ':a', `:b`, \":c\", :d, 'it''s \\' :e', :d FROM t", "shop")
    assert (text, names) == ("SELECT ':a', `:b`, \":c\", ?, 'it''s \\' :e', ? FROM t", ["d", "d"])


def test_a_value_that_is_missing_or_of_no_sql_type_is_refused(source: MysqlSource) -> None:
    values: list[dict[str, Any]] = [{}, {"v": (1, 2)}]
    for parameters in values:
        with pytest.raises(GatewayError) as caught:
            source.aggregate("SELECT :v", parameters, timeout_s=5)
        assert caught.value.code == "query_statement_invalid"
    assert source.aggregate("SELECT :a, :b, :c", {"a": float("nan"), "b": 1e20, "c": None}, timeout_s=5) == [
        (None, 1e20, None)
    ]


def test_a_file_that_is_no_certificate_is_told(shop: MariadbServer, tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("not a certificate")
    with pytest.raises(SourceError) as caught:
        open_source(config(shop.url("reader", options="?tls=true"), ca_file=bad))
    assert caught.value.code == "source_tls_failed"


def test_a_server_that_goes_away_is_told(shop: MariadbServer) -> None:
    """The connection is killed between two statements: one error, and the next statement has a new connection."""
    source = open_source(config(shop.url("reader")))
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    admin = shop.admin()
    with admin, admin.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader' AND command = 'Sleep'")
        for (thread,) in cursor.fetchall():
            cursor.execute(f"KILL {thread}")
    time.sleep(0.1)
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT 1", {}, timeout_s=5)
    assert caught.value.code == "query_connection_lost"
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    source.close()


def test_an_idle_connection_that_was_dropped_is_replaced_unseen(
    shop: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sources.pool._TRUST_S", 0.0)
    source = open_source(config(shop.url("reader")))
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    admin = shop.admin()
    with admin, admin.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader' AND command = 'Sleep'")
        for (thread,) in cursor.fetchall():
            cursor.execute(f"KILL {thread}")
    time.sleep(0.1)
    assert source.aggregate("SELECT 1", {}, timeout_s=5) == [(1,)]
    source.close()


def test_a_function_that_writes_is_stopped_by_the_transaction(source: MysqlSource, shop: MariadbServer) -> None:
    """Its rights are its owner's, so only READ ONLY is in its way."""
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT shop.writes()", {}, timeout_s=5)
    assert caught.value.code == "query_denied"
    admin = shop.admin()
    with admin, admin.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop.hidden")
        assert cursor.fetchone() == (0,)


def test_a_server_that_does_not_speak_first_is_no_mysql(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL, for one, waits for its client: PyMySQL alone would wait for its greeting for a quarter of an hour."""
    monkeypatch.setattr("gateway.sources.mysql_source._CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceError) as caught:
        open_source(config(f"mysql://reader:secret@127.0.0.1:{silent.getsockname()[1]}/shop"))
    assert caught.value.code == "source_unreachable"


def test_a_view_of_what_is_gone_is_left_out_and_told(mariadb_server: MariadbServer) -> None:
    """It is listed without columns; the check names the server by its own version."""
    with mariadb_server.admin() as admin, admin.cursor() as cursor:
        for statement in (
            "DROP DATABASE IF EXISTS gone", "CREATE DATABASE gone", "CREATE TABLE gone.t (id int)",
            "CREATE TABLE gone.u (id int)", "CREATE VIEW gone.v AS SELECT id FROM gone.t", "DROP TABLE gone.t",
        ):  # fmt: skip
            cursor.execute(statement)
    address = config(mariadb_server.url("admin", database="gone"))
    opened = open_source(address)
    catalog = opened.reflect()
    opened.close()
    assert set(catalog.by_name) == {"u"}
    assert catalog.warnings == ("1 view(s) cannot be read and are left out",)
    said = [finding.text for finding in check_source(address).findings if finding.code == "server"]
    assert said[0].startswith("MariaDB 1")
