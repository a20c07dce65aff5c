"""Real engines, each holding the same shop."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from gateway.catalog import Catalog, Dialect
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from tests.gateway.chart import shop
from tests.gateway.chart.pipelines import load_shop
from tests.servers.mariadb import MariadbServer, mariadb_server
from tests.servers.mongodb import MongodbServer, mongodb_server
from tests.servers.postgres import PostgresServer, postgres_server
from tests.servers.spark import SparkServer, spark_server

__all__ = ["mariadb_server", "mongodb_server", "postgres_server", "spark_server"]


@dataclass(frozen=True)
class Engine:
    """An opened source and its structure as reflected."""

    source: Source
    catalog: Catalog


def _opened(config: SourceConfig) -> Engine:
    source = open_source(config)
    return Engine(source, source.reflect())


def _typed(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Dates as dates, for drivers that are strict about them."""

    def typed(value: object) -> object:
        if isinstance(value, str) and len(value) == 10 and value[4:5] == "-":
            return date.fromisoformat(value)
        if isinstance(value, str) and len(value) == 19 and value[4:5] == "-":
            return datetime.fromisoformat(value)
        return value

    return [tuple(typed(value) for value in row) for row in rows]


@pytest.fixture(scope="session")
def duckdb_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The shop in a DuckDB file."""
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    with duckdb.connect(path) as connection:
        for statement in shop.ddl(Dialect.DUCKDB):
            connection.execute(statement)
        for statement, rows in shop.inserts("?"):
            connection.executemany(statement, rows)
    engine = _opened(SourceConfig(name="shop", kind="duckdb", path=path, unrestricted=True))
    yield engine
    engine.source.close()


@pytest.fixture(scope="session")
def sqlite_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The shop in an SQLite file."""
    path = Path(tmp_path_factory.mktemp("shop") / "shop.sqlite")
    connection = sqlite3.connect(path)
    for statement in shop.ddl(Dialect.SQLITE):
        connection.execute(statement)
    for statement, rows in shop.inserts("?"):
        connection.executemany(statement, rows)
    connection.commit()
    connection.close()
    engine = _opened(SourceConfig(name="shop", kind="sqlite", path=path, unrestricted=True))
    yield engine
    engine.source.close()


@pytest.fixture(scope="session")
def postgres_shop(postgres_server: PostgresServer) -> Iterator[Engine]:
    """The shop on a PostgreSQL server, read by a user who may do nothing else."""
    with postgres_server.admin() as admin:
        admin.execute("CREATE DATABASE chartshop")
        admin.execute("CREATE ROLE chartreader LOGIN PASSWORD 'secret' NOSUPERUSER NOBYPASSRLS")
    with postgres_server.admin("chartshop") as admin:
        for statement in shop.ddl(Dialect.POSTGRES):
            admin.execute(statement)
        for statement, rows in shop.inserts("%s"):
            with admin.cursor() as cursor:
                cursor.executemany(statement, _typed(rows))
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO chartreader")
    url = postgres_server.url("chartreader", database="chartshop")
    engine = _opened(SourceConfig(name="shop", kind="postgres", url=url, unsafe_no_tls=True))
    yield engine
    engine.source.close()


@pytest.fixture(scope="session")
def mariadb_shop(mariadb_server: MariadbServer) -> Iterator[Engine]:
    """The shop on a MariaDB server whose collation ignores case and accents, as its default does."""
    admin = mariadb_server.admin()
    with admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE chartshop CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        cursor.execute("USE chartshop")
        for statement in shop.ddl(Dialect.MYSQL):
            cursor.execute(statement)
        for statement, rows in shop.inserts("%s"):
            cursor.executemany(statement, rows)
        cursor.execute("CREATE USER 'chartreader'@'127.0.0.1' IDENTIFIED BY 'secret'")
        cursor.execute("GRANT SELECT ON chartshop.* TO 'chartreader'@'127.0.0.1'")
    admin.close()
    url = mariadb_server.url("chartreader", database="chartshop")
    engine = _opened(SourceConfig(name="shop", kind="mysql", url=url, unsafe_no_tls=True))
    yield engine
    engine.source.close()


@pytest.fixture(scope="session")
def mongodb_shop(mongodb_server: MongodbServer) -> Iterator[Engine]:
    """The shop on a server that speaks MongoDB's protocol, with the structure an owner would declare."""
    with mongodb_server.admin() as admin:
        load_shop(admin["chartshop"])
    mongodb_server.make_reader("chartreader", "chartshop")
    url = mongodb_server.url("chartreader", database="chartshop")
    source = open_source(SourceConfig(name="shop", kind="mongodb", url=url, unsafe_no_tls=True))
    # A date is an instant to MongoDB; that a column holds days can only be declared.
    yield Engine(source, shop.catalog(Dialect.MONGODB))
    source.close()


@pytest.fixture(scope="session")
def spark_shop(spark_server: SparkServer) -> Iterator[Engine]:
    """The shop on a Spark cluster."""
    spark_server.run(*shop.spark_statements("chartshop"))
    config = SourceConfig(name="shop", kind="spark", url=spark_server.url(), schemas=("chartshop",))
    source = open_source(config)
    yield Engine(source, shop.linked(source.reflect()))
    source.close()
