"""Spark Connect against a real cluster: address, errors, structure, bound values, limits, and who does the work."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from gateway.catalog import ColumnType, Dialect
from gateway.errors import GatewayError, QueryError, QueryLimitError, QueryTimeoutError, RefusedError, SourceError
from gateway.project import SourceConfig
from gateway.sources.address import place_of
from gateway.sources.base import Cancel
from gateway.sources.check import check_source, require_read_only
from gateway.sources.check_spark import probe_spark
from gateway.sources.errors import Code
from gateway.sources.spark_connect import SparkFailure
from gateway.sources.spark_source import SETTINGS, SparkSource, check_query, read_spark_address
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from tests.gateway.sources.proved import proved
from tests.servers.postgres import free_port
from tests.servers.spark import TOKEN, SparkServer

pytestmark = pytest.mark.server
LIMITS = Limits(timeout_s=120)
ENDLESS = "SELECT count(*) AS `d1` FROM range(0, 100000000000, 1, 2)"


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig(name="lake", kind="spark", url=SecretStr(url), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lake(spark_server: SparkServer) -> SparkServer:
    spark_server.run(
        "DROP DATABASE IF EXISTS lake CASCADE",
        "CREATE DATABASE lake",
        "CREATE TABLE lake.orders (id BIGINT NOT NULL COMMENT 'the number', `Ordered At` TIMESTAMP, "
        "local TIMESTAMP_NTZ, day DATE, total DECIMAL(12,2), whole DECIMAL(12,0), ratio DOUBLE, paid BOOLEAN, "
        "code CHAR(4), tenant STRING, status STRING COLLATE UTF8_LCASE, tags ARRAY<STRING>, raw BINARY) "
        "USING parquet COMMENT 'One row per order'",
        "INSERT INTO lake.orders SELECT /*+ REPARTITION(4) */ id, timestamp'2024-05-01 10:00:00Z', "
        "timestamp_ntz'2024-05-01 10:00:00', date'2024-05-01', id / 3, id, id / 7, id % 2 = 0, 'ab', "
        "concat('t', id % 4), if(id % 2 = 0, 'New', 'new'), array('x'), cast('b' AS BINARY) FROM range(2000)",
        "CREATE VIEW lake.recent AS SELECT id, total FROM lake.orders WHERE id > 1000",
        "CREATE TABLE lake.gone (id INT) USING parquet",
        "CREATE VIEW lake.broken AS SELECT id FROM lake.gone",
        "DROP TABLE lake.gone",
    )
    return spark_server


@pytest.fixture(scope="module")
def source(lake: SparkServer) -> Iterator[SparkSource]:
    opened = SparkSource(config(lake.url(), schemas=("lake",)))
    yield opened
    opened.close()


# The address


@pytest.fixture
def numeric(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses in numbers are looked up nowhere."""

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sc://127.0.0.1/;session_id=0", "source_options_refused"),
        ("sc://127.0.0.1/;token=a;token=b", "source_options_refused"),
        ("sc://127.0.0.1/;use_ssl=maybe", "source_options_refused"),
        ("sc://127.0.0.1/shop/;token=a", "source_url_invalid"),
        ("sc://user:secret@127.0.0.1/;token=a", "source_options_refused"),
        ("sc://127.0.0.1/;token=two%20words", "source_options_refused"),
        ("sc://127.0.0.1/?token=a", "source_options_refused"),
        ("sc://169.254.169.254/;token=a", "source_address_refused"),
        ("sc://192.0.2.7/", "source_token_required"),
        ("sc://192.0.2.7/;token=a;use_ssl=false", "source_tls_required"),
    ],
)
def test_an_address_says_only_what_is_allowed(url: str, code: str, numeric: None) -> None:
    """Unknown options, links, and whatever would go off this machine without TLS or a token."""
    with pytest.raises(GatewayError) as error:
        read_spark_address(config(url))
    assert error.value.code == code


def test_an_address_is_read_as_spark_writes_it(numeric: None) -> None:
    """Token and user stand in the path; off loopback TLS is on without being asked for."""
    address = read_spark_address(config("sc://192.0.2.7:15002/;token=a%3Bb;user_id=ann"))
    assert (address.ip, address.port, address.user, address.password, address.tls) == (
        "192.0.2.7", 15002, "ann", "a;b", True,
    )  # fmt: skip


def test_what_is_remembered_of_a_place_has_no_token() -> None:
    """Last releases are kept under it: a new token is the same place, another user is not."""
    one, same, other = (
        place_of(config(f"sc://lake.example:15002/;token={token};use_ssl=true;user_id={user}", schemas=("a",)))
        for token, user in (("first", "ann"), ("second", "ann"), ("first", "bob"))
    )
    assert one == same
    assert one != other
    assert "first" not in one


def test_what_is_wrong_with_a_connection_is_said(lake: SparkServer) -> None:
    """A closed port, a wrong token, no token, a database that is not there; no word of the server's."""
    for url, schemas, code in (
        (f"sc://127.0.0.1:{free_port()}/;token=x", (), "source_unreachable"),
        (lake.url("wrong"), (), "source_auth_failed"),
        (f"sc://127.0.0.1:{lake.port}/", (), "source_auth_failed"),
        (lake.url(), ("nowhere",), "source_database_missing"),
        (lake.url(options=";use_ssl=true"), (), "source_tls_failed"),
    ):
        with pytest.raises(SourceError) as error:
            SparkSource(config(url, schemas=schemas))
        assert error.value.code == code, url


class Proxy:
    """What ends TLS in front of a server that has none: bytes of a TLS connection on one side, plain on the other."""

    def __init__(self, port: int, certificate: trustme.LeafCert) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._context.set_alpn_protocols(["h2"])
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain = self._listener.accept()[0]
                threading.Thread(target=self._join, args=(plain,), daemon=True).start()

    def _join(self, outside: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            outside,
            self._context.wrap_socket(outside, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", self._target)) as inside,
        ):
            back = threading.Thread(target=self._copy, args=(inside, secured), daemon=True)
            back.start()
            self._copy(secured, inside)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := source.recv(65536):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


def test_tls_holds_the_certificate_to_the_host_and_to_the_authority(lake: SparkServer, tmp_path: Path) -> None:
    """The right one lets in; another authority, and a certificate of another host, do not."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    for issued, ca_file, code in (
        (authority.issue_cert("127.0.0.1"), "ca.pem", ""),
        (authority.issue_cert("127.0.0.1"), "other.pem", "source_tls_failed"),
        (authority.issue_cert("db.example"), "ca.pem", "source_tls_failed"),
        (authority.issue_cert("127.0.0.1"), "missing.pem", "source_tls_failed"),
    ):
        proxy = Proxy(lake.port, issued)
        url = f"sc://127.0.0.1:{proxy.port}/;token={TOKEN};use_ssl=true"
        said = ""
        try:
            SparkSource(config(url, schemas=("lake",), ca_file=tmp_path / ca_file)).close()
        except SourceError as error:
            said = error.code
        finally:
            proxy.close()
        assert said == code


# Structure


def test_structure_is_reflected_typed(source: SparkSource) -> None:
    """Names, types, zones, collations and views; a view of what is gone is left out, and that is said."""
    catalog = source.reflect()
    assert [(t.name, t.kind, t.physical) for t in catalog.tables] == [
        ("orders", "table", ("spark_catalog", "lake", "orders")),
        ("recent", "view", ("spark_catalog", "lake", "recent")),
    ]
    columns = {c.name: c for c in catalog.by_name["orders"].columns}
    assert {name: c.type.value for name, c in columns.items()} == {
        "id": "integer", "Ordered_At": "datetime", "local": "datetime", "day": "date", "total": "number",
        "whole": "integer", "ratio": "number", "paid": "boolean", "code": "text", "tenant": "text", "status": "text",
        "tags": "json", "raw": "binary",
    }  # fmt: skip
    assert (columns["Ordered_At"].tz_aware, columns["local"].tz_aware) == (True, False)
    assert columns["status"].native_type == "string collate UTF8_LCASE"
    assert (columns["tenant"].native_type, columns["code"].native_type) == ("string", "char(4)")
    assert columns["id"].comment == ""
    assert catalog.warnings == ("1 table(s) or view(s) cannot be read and are left out",)


def test_comments_are_read_only_if_wanted(lake: SparkServer) -> None:
    """Of tables and of columns."""
    opened = SparkSource(config(lake.url(), schemas=("spark_catalog.lake",), comments=True))
    orders = opened.reflect().by_name["orders"]
    opened.close()
    assert (orders.comment, orders.by_name["id"].comment) == ("One row per order", "the number")


def test_declared_keys_come_from_an_information_schema(lake: SparkServer) -> None:
    """As Unity Catalog keeps it; here three tables of the same shape, as plain Spark has none of its own."""
    lake.run(
        "DROP DATABASE IF EXISTS information_schema CASCADE", "DROP DATABASE IF EXISTS keyed CASCADE",
        "CREATE DATABASE information_schema", "CREATE DATABASE keyed",
        "CREATE TABLE keyed.a (id INT) USING parquet", "CREATE TABLE keyed.b (no INT, a_id INT) USING parquet",
        "CREATE VIEW information_schema.table_constraints AS SELECT * FROM VALUES "
        "('keyed', 'a', 'a_pk', 'PRIMARY KEY'), ('keyed', 'b', 'b_fk', 'FOREIGN KEY') "
        "AS t(table_schema, table_name, constraint_name, constraint_type) CROSS JOIN "
        "(SELECT 'keyed' AS constraint_schema)",
        "CREATE VIEW information_schema.key_column_usage AS SELECT * FROM VALUES "
        "('keyed', 'a', 'a_pk', 'id', 1, CAST(NULL AS INT)), ('keyed', 'b', 'b_fk', 'a_id', 1, 1) "
        "AS t(constraint_schema, table_name, constraint_name, column_name, ordinal_position, "
        "position_in_unique_constraint)",
        "CREATE VIEW information_schema.referential_constraints AS SELECT * FROM VALUES "
        "('keyed', 'b_fk', 'keyed', 'a_pk') "
        "AS t(constraint_schema, constraint_name, unique_constraint_schema, unique_constraint_name)",
    )  # fmt: skip
    opened = SparkSource(config(lake.url(), schemas=("keyed",)))
    catalog = opened.reflect()
    opened.close()
    lake.run("DROP DATABASE information_schema CASCADE")
    assert catalog.by_name["a"].primary_key == ("id",)
    assert [(link.name, link.parent) for link in catalog.relationships] == [("b.a_id", "a")]


# Rights


def test_check_says_what_the_holder_of_the_token_could_do(lake: SparkServer) -> None:
    """Plain Spark has no rights at all, so it fails, naming each; nothing is made, changed or dropped by asking."""
    report = check_source(config(lake.url(), schemas=("lake",), unrestricted=True))
    codes = {finding.code: finding.level for finding in report.findings}
    assert not report.passed
    for code in ("no_read_only_user", "can_create", "can_write", "can_drop", "server_files"):
        assert codes[code] == "fails"
    assert codes["other_schemas"] == "warns"
    assert codes["token"] == "passes"
    assert "spark.connect.authenticate.token" in report.statements[0]
    assert any(s.startswith("GRANT SELECT ON TABLE `spark_catalog`.`lake`.`orders`") for s in report.statements)
    assert ("lake", "rowless_check", False) not in lake.run("SHOW TABLES IN lake")
    assert lake.run("SELECT count(*) FROM lake.orders") == [(2000,)]
    with pytest.raises(RefusedError) as error:
        require_read_only(config(lake.url(), schemas=("lake",), unrestricted=True))
    assert error.value.code == "source_can_write"
    accepted = config(lake.url(), schemas=("lake",), unrestricted=True, unsafe_can_write=True)
    assert require_read_only(accepted).overridden


def test_check_passes_where_the_server_refuses_and_fails_where_it_cannot_tell(source: SparkSource) -> None:
    """A server that plans no write, reads no path and wants a token; then one that answers neither."""
    catalog = source.reflect()

    class Guarded:
        name, schemas = "lake", source.schemas
        code = Code.DENIED

        def ask(self, statement: str, *names: object) -> list[tuple[object, ...]]:
            if statement.startswith("EXPLAIN"):
                raise SparkFailure(self.code)
            return []

        def reads_path(self, path: str) -> bool:
            return False

        def lets_anyone_in(self) -> bool:
            return False

        def version(self) -> str:
            return "4.1.0"

    findings, _ = probe_spark(Guarded(), catalog)  # type: ignore[arg-type]
    assert {f.code for f in findings} == {"no_files", "token", "reads_only", "server"}
    unsure = Guarded()
    unsure.code = Code.FAILED
    findings, _ = probe_spark(unsure, catalog)  # type: ignore[arg-type]
    assert "can_write_unknown" in {f.code for f in findings if f.level == "fails"}
    unsure.ask = lambda *_: (_ for _ in ()).throw(SparkFailure(Code.CONNECTION))  # type: ignore[method-assign]
    with pytest.raises(GatewayError):
        probe_spark(unsure, catalog)  # type: ignore[arg-type]


# Running


def test_values_are_bound_and_never_text(source: SparkSource) -> None:
    """Quotes, marks and ``${…}`` are what they are; a number beyond 64 bits is refused."""
    for value in ("it's", "`", ":x", "${env:HOME}", "\\", "ümlaut\n", 7, 2.5, True):
        found = source.aggregate("SELECT :p0 AS `d1`", {"p0": value}, timeout_s=60)
        assert found == [(value,)]
    with pytest.raises(QueryError):
        source.aggregate("SELECT :p0 AS `d1`", {"p0": 2**63}, timeout_s=60)


def test_settings_are_pinned(source: SparkSource) -> None:
    """No error from a value, no file by its path, no text put in, no other reading of a name."""
    assert all(source.setting(key) == value for key, value in SETTINGS.items())
    values = "SELECT CAST(`x` AS INT) AS a, 1 / (`n` - `n`) AS b FROM VALUES ('ada@x.example', 1) AS t(`x`, `n`)"
    assert source.aggregate(values, {}, timeout_s=60) == [(None, None)]
    with pytest.raises(QueryError) as error:
        source.aggregate("SELECT * FROM parquet.`/tmp`", {}, timeout_s=60)
    assert error.value.code == "query_object_missing"


@pytest.mark.parametrize("statement", ["DROP TABLE lake.orders", "SET a=b", " SELECT 1", "EXPLAIN SELECT 1", "FROM x"])
def test_nothing_but_a_query_is_sent(statement: str) -> None:
    """By its first word, behind the proof."""
    with pytest.raises(QueryError) as error:
        check_query(statement, "lake")
    assert error.value.code == "query_denied"


def test_an_error_tells_a_code_and_nothing_else(source: SparkSource) -> None:
    """Names, values and Java's text stay behind."""
    for statement, code in (
        ("SELECT nothing FROM lake.orders", "query_object_missing"),
        ("SELECT * FROM lake.nothing", "query_object_missing"),
        ("SELECT raise_error('ada@x.example')", "query_failed"),
        ("SELECT assert_true(false, 'ada@x.example')", "query_failed"),
        ("SELECT to_date('ada@x.example', 'qqqqqqqqq')", "query_value_invalid"),
        ("SELECT (", "query_statement_invalid"),
    ):
        with pytest.raises(QueryError) as error:
            source.aggregate(statement, {}, timeout_s=60)
        assert error.value.code == code
        assert "ada" not in str(error.value)
        assert error.value.__cause__ is None


def ticks(lake: SparkServer) -> list[float]:
    """Processor time of each executor, in hundredths of a second."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in lake.executors()]
    return [float(fields[11]) + float(fields[12]) for fields in stats]


def test_a_caller_who_leaves_stops_the_statement(source: SparkSource, lake: SparkServer) -> None:
    """Within a second, in the cluster too; the next statement is not hit."""
    cancel = Cancel()
    threading.Timer(2.0, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(QueryError) as error:
        source.run(proved(Dialect.SPARK, ENDLESS, "integer"), limits=LIMITS, cancel=cancel)
    assert error.value.code == "query_cancelled"
    assert time.monotonic() - started < 5
    time.sleep(1)
    before = sum(ticks(lake))
    time.sleep(1)
    assert sum(ticks(lake)) - before < 50, "the executors, at 200 ticks a second while they worked, still do"
    assert source.aggregate("SELECT 1 AS `d1`", {}, timeout_s=60) == [(1,)]


def test_a_statement_ends_when_its_time_is_up(source: SparkSource) -> None:
    """Told to stop in the cluster."""
    with pytest.raises(QueryTimeoutError):
        source.run(proved(Dialect.SPARK, ENDLESS, "integer"), limits=Limits(timeout_s=1))
    assert source.aggregate("SELECT 1 AS `d1`", {}, timeout_s=60) == [(1,)]


def test_rows_and_bytes_are_limited_while_they_stream(source: SparkSource) -> None:
    """A long answer is cut, and not read to its end."""
    many = proved(Dialect.SPARK, "SELECT `id` AS `d1` FROM range(200000)", "integer", max_rows=10)
    started = time.monotonic()
    table = source.run(many, limits=LIMITS)
    assert (len(table.rows), table.truncated) == (10, True)
    wide = proved(Dialect.SPARK, "SELECT repeat('x', 100000) AS `d1` FROM range(1000)", "text")
    with pytest.raises(QueryLimitError):
        source.run(wide, limits=Limits(timeout_s=120, max_bytes=1_000_000))
    assert time.monotonic() - started < 60


def test_a_session_that_the_server_lost_is_opened_anew_with_its_settings(source: SparkSource) -> None:
    """A server that restarts, or drops an idle session, would answer in a session without the settings."""
    for lose in (lambda session: session.close(), lambda session: setattr(session, "_server_side", str(uuid.uuid4()))):
        session = source._session
        assert session is not None
        lose(session)
        assert source.aggregate("SELECT CAST('x' AS INT) AS `d1`", {}, timeout_s=60) == [(None,)]
        assert source._session is not session
        assert source.setting("spark.sql.runSQLOnFiles") == "false"


def test_a_setting_that_the_server_does_not_keep_keeps_the_source_out(lake: SparkServer) -> None:
    """Cannot finish: one that is the server's alone, and one that no server has."""
    for settings in ({"spark.sql.warehouse.dir": "/tmp/x"}, {"spark.sql.session.timeZone": "Nowhere/Land"}):
        with pytest.raises(SparkFailure):
            lake.session(settings)


def test_files_that_another_program_wrote_or_took_away_are_found(lake: SparkServer, source: SparkSource) -> None:
    """A session remembers a table's files: new ones are seen after another look, lost ones at the next asking."""
    lake.run("DROP TABLE IF EXISTS lake.moving", "CREATE TABLE lake.moving (id BIGINT) USING parquet")
    lake.run("INSERT INTO lake.moving VALUES (1)")
    moving = SparkSource(config(lake.url(), schemas=("lake",)))
    try:
        moving.reflect()
        asked = "SELECT count(*) AS n FROM lake.moving"
        assert moving.aggregate(asked, {}, timeout_s=60) == [(1,)]
        lake.run("INSERT INTO lake.moving VALUES (2)")
        moving.look_again(["moving"])
        assert moving.aggregate(asked, {}, timeout_s=60) == [(2,)]
        lake.run("INSERT OVERWRITE lake.moving VALUES (3), (4), (5)")
        with pytest.raises(QueryError) as lost:
            moving.aggregate("SELECT sum(id) AS n FROM lake.moving", {}, timeout_s=60)
        assert lost.value.code == Code.CONFLICT
        assert moving.aggregate(asked, {}, timeout_s=60) == [(3,)]
    finally:
        moving.close()
        lake.run("DROP TABLE lake.moving")


def test_distinct_values_of_a_scope_are_streamed(source: SparkSource) -> None:
    """Only the tenant's, and a text that compares without case keeps its spellings apart."""
    filters = (RowFilter(column="tenant", values=("t0",)),)
    tables = {"orders": TableScope(columns=frozenset({"status"}), filters=filters)}
    right = Scope(source="lake", tenant="t0", tables=tables)
    source.reflect()
    assert set(source.distinct_values("orders", "status", right, max_values=10)) == {"New"}


def test_the_executors_do_the_work(source: SparkSource, lake: SparkServer) -> None:
    """Two processes apart from the server read the files; one row comes back of two thousand."""
    before = ticks(lake)
    counted = []
    for _ in range(3):
        statement = (
            "SELECT SUM(`ratio` * `n`) AS a, COUNT(DISTINCT `tenant`) AS b FROM lake.orders "
            "CROSS JOIN (SELECT id AS n FROM range(500))"
        )
        counted = source.aggregate(statement, {}, timeout_s=120)
    assert len(counted) == 1
    assert counted[0][1] == 4
    assert len(before) == 2
    assert all(after > then for then, after in zip(before, ticks(lake), strict=True))
    assert ColumnType.TEXT is source.reflect().by_name["orders"].by_name["tenant"].type
