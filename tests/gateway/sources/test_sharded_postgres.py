"""A table spread over several PostgreSQL databases (postgres_fdw) is one table: for whoever outgrows one machine.

The shards are databases of one server here, reached over TCP as they would be on other machines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.errors import GatewayError
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.check import check_source
from gateway.sources.open import open_source
from gateway.sources.postgres_source import PostgresSource
from gateway.summary.summarise import summarise
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from tests.gateway.sources.proved import proved
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.server
SHARDS = 3
COLUMNS = "id int NOT NULL, tenant text NOT NULL, amount numeric(10, 2), email text"


@pytest.fixture(scope="module")
def front(postgres_server: PostgresServer) -> PostgresServer:
    names = ["front", *(f"shard{n}" for n in range(SHARDS))]
    with postgres_server.admin() as admin:
        admin.execute("DROP ROLE IF EXISTS front_reader")
        admin.execute("CREATE ROLE front_reader LOGIN PASSWORD 'secret'")
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
    for n in range(SHARDS):
        with postgres_server.admin(f"shard{n}") as shard:
            shard.execute(f"CREATE TABLE orders ({COLUMNS})".encode())
            shard.execute(
                "INSERT INTO orders SELECT i, 't' || i %% 4, i, 'u' || i || '@x.example' "
                "FROM generate_series(1, 3000) i WHERE i %% %s = %s",
                (SHARDS, n),
            )
            shard.execute("GRANT SELECT ON orders TO front_reader")
    with postgres_server.admin("front") as admin:
        admin.execute("CREATE EXTENSION postgres_fdw")
        admin.execute(f"CREATE TABLE orders ({COLUMNS}, shard int NOT NULL) PARTITION BY LIST (shard)".encode())
        for n in range(SHARDS):
            admin.execute(
                f"CREATE SERVER shard{n} FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
                f"(host '127.0.0.1', port '{postgres_server.port}', dbname 'shard{n}', async_capable 'true');"
                f"CREATE USER MAPPING FOR front_reader SERVER shard{n} "
                "OPTIONS (user 'front_reader', password 'secret');"
                f"CREATE USER MAPPING FOR admin SERVER shard{n} OPTIONS (user 'admin', password 'secret');".encode()
            )
            with postgres_server.admin(f"shard{n}") as shard:
                shard.execute(f"ALTER TABLE orders ADD shard int NOT NULL DEFAULT {n}".encode())
            admin.execute(
                f"CREATE FOREIGN TABLE orders_{n} PARTITION OF orders FOR VALUES IN ({n}) "
                f"SERVER shard{n} OPTIONS (table_name 'orders')".encode()
            )
        admin.execute("GRANT SELECT ON orders TO front_reader")
        admin.execute("REVOKE TEMPORARY ON DATABASE front FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    return postgres_server


@pytest.fixture
def source(front: PostgresServer) -> Iterator[PostgresSource]:
    opened = open_source(config(front))
    assert isinstance(opened, PostgresSource)
    yield opened
    opened.close()


def config(front: PostgresServer) -> SourceConfig:
    url = SecretStr(front.url("front_reader", database="front"))
    return SourceConfig(name="shards", url=url, unrestricted=True)


SCOPE = Scope(
    source="shards", tenant="t1",
    tables={
        "orders": TableScope(
            columns=frozenset({"amount", "email"}), filters=(RowFilter(column="tenant", values=("t1",)),)
        )
    },
)  # fmt: skip


def test_shards_reflect_as_one_table_and_pass_the_check(front: PostgresServer, source: PostgresSource) -> None:
    """Attack 31: a shard cannot be named directly, only the table it is a part of."""
    assert set(source.reflect().by_name) == {"orders"}
    report = check_source(config(front))
    assert report.passed
    with pytest.raises(GatewayError) as caught:
        source.aggregate("SELECT count(*) FROM public.orders_0", {}, timeout_s=5)
    assert caught.value.code == "query_denied"


def test_answers_are_those_of_one_database(source: PostgresSource) -> None:
    values = set(source.distinct_values("orders", "email", SCOPE, max_values=10_000))
    assert values == {f"u{i}@x.example" for i in range(1, 3001) if i % 4 == 1}
    query = proved(
        Dialect.POSTGRES,
        "WITH s_orders AS MATERIALIZED (SELECT amount FROM public.orders WHERE tenant = %(scope_0)s) "
        "SELECT count(*), sum(amount) FROM s_orders",
        "number", "number", parameters={"scope_0": "t1"},
    )  # fmt: skip
    expected = [i for i in range(1, 3001) if i % 4 == 1]
    assert source.run(query, limits=Limits()).rows == ((len(expected), sum(expected)),)


def test_a_summary_and_a_chart_work_as_on_one_database(source: PostgresSource, front: PostgresServer) -> None:
    """The real summary, compiler and checker: nothing but aggregates reaches the gateway."""
    catalog = source.reflect()
    summary = summarise(source, catalog, SCOPE, config(front))
    assert summary.tables[0].rows == 750
    total = {"aggregate": "sum", "column": "orders.amount"}
    spec = ChartSpec.model_validate({"mark": "text", "table": "orders", "measures": [total]})
    compiled = compile_spec(
        spec, catalog=catalog, scope=SCOPE, summary=summary, bindings={}, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    result = source.run(prove(compiled, catalog=catalog, scope=SCOPE), limits=Limits())
    assert result.rows == ((sum(i for i in range(1, 3001) if i % 4 == 1),),)


def test_the_scope_is_applied_on_the_shards(front: PostgresServer) -> None:
    """Only the tenant's rows and the needed columns travel between the servers."""
    with front.admin("front") as admin:
        plan = "\n".join(
            str(row[0])
            for row in admin.execute(
                "EXPLAIN VERBOSE WITH s AS MATERIALIZED (SELECT amount FROM orders WHERE tenant = 't1') "
                "SELECT sum(amount) FROM s"
            ).fetchall()
        )
    remote = [line for line in plan.splitlines() if "Remote SQL" in line]
    assert len(remote) == SHARDS
    assert all("tenant = 't1'" in line and "email" not in line for line in remote)


def test_a_cancel_reaches_the_shards(front: PostgresServer, source: PostgresSource) -> None:
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    query = proved(
        Dialect.POSTGRES,
        "SELECT count(*) FROM public.orders a, public.orders b, public.orders c WHERE a.amount + b.amount > c.amount",
        "number",
    )
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(query, limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 2
    with front.admin() as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'shard%' AND state = 'active'"
        ).fetchone()
    assert row == (0,)
