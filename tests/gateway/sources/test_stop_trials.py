"""Promise F2: after a caller leaves, the statement is gone within a second, on every engine, every time."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from gateway.errors import GatewayError
from gateway.mongo import marker, written
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.bounded import BoundedSource
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits
from tests.gateway.sources.proved import proved
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

TRIALS = int(os.environ.get("ROWLESS_STOP_TRIALS", "10"))
"""The nightly run sets 100."""

LONG = {
    "duckdb": "SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)",
    "sqlite": "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "postgres": "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
    "mysql": "SELECT count(*) FROM stopped.n a, stopped.n b, stopped.n c, stopped.n d",
    "spark": "SELECT count(*) FROM range(0, 100000000000, 1, 2) a CROSS JOIN range(0, 1000, 1, 2) b",
    "mongodb": written([
        {"$lookup": {"from": "n", "let": {"a": "$i"}, "as": "b", "pipeline": [
            {"$match": {"$expr": {"$gt": [{"$add": ["$i", "$$a"]}, -1]}}}]}},
        {"$unwind": "$b"},
        {"$group": {"_id": None, "d1": {"$sum": "$b.i"}}},
        {"$project": {"_id": 0, "d1": 1}},
    ]),
}  # fmt: skip


def nothing_to_look_at() -> int:
    """Engines inside the process have no list of statements: the call that came back is the proof."""
    return 0


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[BoundedSource, Callable[[], int]]]:
    kind = request.param
    if kind == "duckdb":
        with duckdb.connect(tmp_path / "x.duckdb") as writer:
            writer.execute("CREATE TABLE t (i INTEGER)")
        config = SourceConfig(name="s", path=tmp_path / "x.duckdb", unrestricted=True)
        running = nothing_to_look_at
    elif kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "x.sqlite")) as writer:
            writer.execute("CREATE TABLE t (i INTEGER)")
        config = SourceConfig(name="s", path=tmp_path / "x.sqlite", unrestricted=True)
        running = nothing_to_look_at
    elif kind == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        config = SourceConfig(name="s", url=SecretStr(postgres.url("admin", database="postgres")), unrestricted=True)

        def running() -> int:
            with postgres.admin() as admin:
                row = admin.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rowless' AND state = 'active'"
                ).fetchone()
            return int(row[0]) if row else -1
    elif kind == "mongodb":
        mongodb: MongodbServer = request.getfixturevalue("mongodb_server")
        with mongodb.admin() as client:
            client["stopped"]["n"].drop()
            client["stopped"]["n"].insert_many([{"_id": i, "i": i} for i in range(3_000)])
        mongodb.make_reader("stopper", "stopped")
        config = SourceConfig(name="s", url=SecretStr(mongodb.url("stopper", database="stopped")), unrestricted=True)

        def running() -> int:
            if mongodb.engine == "secantusdb":
                return nothing_to_look_at()  # it lists connections, not operations: the call that came back is all
            with mongodb.admin() as client:
                mine = {"$match": {"appName": "rowless", "ns": "stopped.n", "active": True}}
                return len(list(client.admin.aggregate([{"$currentOp": {"allUsers": True}}, mine])))
    elif kind == "spark":
        spark: SparkServer = request.getfixturevalue("spark_server")
        config = SourceConfig(name="s", url=SecretStr(spark.url()), unrestricted=True)
        running = nothing_to_look_at  # its list of operations is in the web page alone, which is off
    else:
        mariadb: MariadbServer = request.getfixturevalue("mariadb_server")
        with closing(mariadb.admin()) as admin, admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS stopped")
            cursor.execute("CREATE TABLE IF NOT EXISTS stopped.n AS SELECT seq FROM stopped.seq_1_to_3000")
        config = SourceConfig(name="s", url=SecretStr(mariadb.url("admin", database="stopped")), unrestricted=True)

        def running() -> int:
            with closing(mariadb.admin()) as admin, admin.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%stopped.n a%' "
                               "AND id <> connection_id()")  # fmt: skip
                row = cursor.fetchone()
            return int(row[0]) if row else -1

    source = open_source(config)
    assert isinstance(source, BoundedSource)
    yield source, running
    source.close()


@pytest.mark.server
@pytest.mark.parametrize(("opened", "kind"), [(k, k) for k in LONG], indirect=["opened"], ids=list(LONG))
def test_the_statement_is_gone_within_a_second(opened: tuple[BoundedSource, Callable[[], int]], kind: str) -> None:
    """From no delay at all to well into the statement; afterwards the source serves the next caller."""
    source, running = opened
    query = proved(source.dialect, LONG[kind], "number", collection="n")
    for trial in range(TRIALS):
        cancel = Cancel()
        threading.Timer(0.02 * (trial % 8), cancel.cancel).start()
        started = time.monotonic()
        with pytest.raises(GatewayError) as caught:
            source.run(query, limits=Limits(timeout_s=20), cancel=cancel)
        assert caught.value.code == "query_cancelled"
        assert time.monotonic() - started < 0.02 * (trial % 8) + 1.0
        assert running() == 0
        again = proved(source.dialect, QUICK[kind], "number", parameters={"n": trial}, collection="n")
        assert source.run(again, limits=Limits(timeout_s=20)).rows == ((trial + 1000,),)


QUICK = {
    "duckdb": "SELECT $n + count(*) FROM range(1000)",
    "sqlite": "SELECT :n + 1000",
    "postgres": "SELECT %(n)s + count(*) FROM generate_series(1, 1000)",
    "mysql": "SELECT :n + 1000",
    "spark": "SELECT :n + count(*) FROM range(1000)",
    "mongodb": written([
        {"$limit": 10},
        {"$group": {"_id": None, "n": {"$sum": 100}}},
        {"$project": {"_id": 0, "d1": {"$add": ["$n", {"$literal": marker("n")}]}}},
    ]),
}  # fmt: skip


@pytest.mark.server
@pytest.mark.parametrize(("opened", "kind"), [(k, k) for k in QUICK], indirect=["opened"], ids=list(QUICK))
def test_many_callers_at_once_each_get_their_own_answer(
    opened: tuple[BoundedSource, Callable[[], int]], kind: str
) -> None:
    """Twelve threads, more than the pool has connections: nobody sees another's rows."""
    source, _ = opened
    wrong: list[object] = []

    def ask(first: int) -> None:
        for n in range(first, first + 15):
            query = proved(source.dialect, QUICK[kind], "number", parameters={"n": n}, collection="n")
            rows = source.run(query, limits=Limits(timeout_s=20)).rows
            if rows != ((n + 1000,),):
                wrong.append(rows)

    threads = [threading.Thread(target=ask, args=(100 * i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.server
@pytest.mark.parametrize(("opened", "kind"), [(k, k) for k in LONG], indirect=["opened"], ids=list(LONG))
def test_closing_a_source_stops_its_summaries(opened: tuple[BoundedSource, Callable[[], int]], kind: str) -> None:
    """A process that is told to end does not wait for the longest statement, and leaves none in the database."""
    source, running = opened
    statement = LONG[kind]
    if kind == "mongodb":
        statement = json.dumps({"collection": "n", "pipeline": json.loads(statement)})
    threading.Timer(0.3, source.close).start()
    with pytest.raises(GatewayError) as caught:
        source.aggregate(statement, {}, timeout_s=60)  # type: ignore[attr-defined]
    assert caught.value.code in {"query_cancelled", "query_connection_lost"}
    assert running() == 0
    with pytest.raises(GatewayError):
        source.aggregate(statement, {}, timeout_s=60)  # type: ignore[attr-defined]
