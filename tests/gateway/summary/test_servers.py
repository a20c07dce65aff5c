"""The same rows in PostgreSQL, MariaDB, SQLite and DuckDB say the same, against the real servers."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from gateway.catalog import Dialect
from gateway.project import Project, SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary import engine as engines
from gateway.summary.measure import measure
from gateway.summary.model import Summary
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from tests.gateway.summary.worlds import Row, write
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

ROWS: list[Row] = [
    ("a" if i % 4 else "b", i % 350, None if i % 10 == 0 else math.exp((i * 7919 % 1000) / 150) - 20,
     i * 31 % 500, ("open", "sent", "in transit")[i % 5 % 3],
     f"{2020 + i % 4}-{i * 7 % 12 + 1:02d}-{i * 3 % 28 + 1:02d}")
    for i in range(3_000)
]  # fmt: skip
MORE = "contact varchar(80), placed timestamp"
DDL = "tenant varchar(20), who integer, amount double precision, score integer, word varchar(40), day date"
RULES = """
[source.tables.t]
tenant = "tenant"
subject = "who"
[source.tables.t.columns.word]
vocabulary = ["open", "sent", "in transit"]
[source.tables.u]
tenant = "tenant"
"""


def _rows() -> list[tuple[object, ...]]:
    return [
        (*row, f"user{i}@mail.example", f"2024-0{1 + i % 9}-0{1 + i % 9} {i % 24:02d}:{i % 60:02d}:00")
        for i, row in enumerate(ROWS)
    ]


def _summary(source: Source, rules: str) -> Summary:
    config = Project.parse('[[source]]\nname = "w"\npath = "x"\n' + rules).source()
    try:
        catalog = source.reflect()
        return summarise(source, catalog, scope_for(config, catalog, tenant="a"), config)
    finally:
        source.close()


def _file(engine: str, path: Path) -> Source:
    file = write(_rows(), engine, path, f"{DDL}, {MORE}")  # type: ignore[arg-type]
    if engine == "duckdb":
        import duckdb

        with duckdb.connect(str(file)) as connection:
            connection.execute("create table u as select * from t")
    else:
        import sqlite3

        connection = sqlite3.connect(file)
        connection.execute(f"create table u ({DDL}, {MORE})")
        connection.execute("insert into u select * from t")
        connection.commit()
        connection.close()
    return open_source(Project.for_path(file).source())


def _facts(summary: Summary) -> dict[str, object]:
    """All but distinct counts, which DuckDB estimates, and text classes, which SQLite judges by simpler patterns."""
    facts: dict[str, object] = {}
    for table in summary.tables:
        facts[table.name] = table.rows
        for column in table.columns:
            said = column.model_dump(exclude={"distinct", "type", "name"})
            for group, value in said.items():
                for key, fact in value.items() if isinstance(value, dict) else [("", value)]:
                    facts[f"{table.name}.{column.name}.{group}.{key}"] = fact
    return facts


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    facts = _facts(_summary(_file("duckdb", tmp_path_factory.mktemp("duck")), RULES))
    assert facts["t"] == 2_200
    assert facts["t.contact.text.pattern"] == "email-like"
    assert facts["t.amount.number.p50"] is not None
    assert facts["t.placed.time.grain"] == "hourly"
    assert facts["t.word.labels."] is not None
    return facts


def test_sqlite_says_the_same(tmp_path: Path, expected: dict[str, object]) -> None:
    assert _facts(_summary(_file("sqlite", tmp_path), RULES)) == expected


@pytest.mark.server
def test_postgres_says_the_same(postgres_server: PostgresServer, expected: dict[str, object]) -> None:
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS facts")
        admin.execute("CREATE DATABASE facts")
        admin.execute("DROP ROLE IF EXISTS facts_reader")
        admin.execute("CREATE USER facts_reader PASSWORD 'secret'")
    with postgres_server.admin("facts") as admin:
        admin.execute(f"CREATE TABLE t ({DDL}, {MORE})")
        with admin.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s,%s,%s,%s,%s,%s,%s,%s)", _rows())
        admin.execute("CREATE TABLE u AS SELECT * FROM t")
        admin.execute("GRANT SELECT ON t, u TO facts_reader")
    source = open_source(_server(postgres_server.url("facts_reader", database="facts")))
    assert _facts(_summary(source, RULES)) == expected


@pytest.mark.server
def test_mariadb_says_the_same(mariadb_server: MariadbServer, expected: dict[str, object]) -> None:
    with mariadb_server.admin() as admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE facts")
        cursor.execute("USE facts")
        cursor.execute(f"CREATE TABLE t ({DDL}, {MORE.replace('timestamp', 'datetime')})")
        cursor.executemany("INSERT INTO t VALUES (%s,%s,%s,%s,%s,%s,%s,%s)", _rows())
        cursor.execute("CREATE TABLE u AS SELECT * FROM t")
        cursor.execute("CREATE USER facts_reader@'127.0.0.1' IDENTIFIED BY 'secret'")
        cursor.execute("GRANT SELECT ON facts.* TO facts_reader@'127.0.0.1'")
    source = open_source(_server(mariadb_server.url("facts_reader", database="facts")))
    assert _facts(_summary(source, RULES)) == expected


@pytest.mark.server
def test_mariadb_counts_dates_that_nobody_knows_as_null(mariadb_server: MariadbServer) -> None:
    """It keeps '0000-00-00' and '2024-00-00' where it is let; neither is a first day, and none moves the range."""
    day = "if(seq % 4 = 0, '0000-00-00', if(seq % 4 = 1, '2024-00-00', date_add('2020-01-01', interval seq day)))"
    with mariadb_server.admin() as admin, admin.cursor() as cursor:
        for statement in (
            "SET SESSION sql_mode = ''", "DROP DATABASE IF EXISTS facts", "CREATE DATABASE facts",
            f"CREATE TABLE facts.t AS SELECT 'a' AS tenant, CAST({day} AS date) AS day FROM facts.seq_1_to_400",
        ):  # fmt: skip
            cursor.execute(statement)
    config = Project.parse(
        f'[[source]]\nname = "w"\nurl = "{mariadb_server.url("admin", database="facts")}"\n'
        '[source.tables.t]\ntenant = "tenant"\n'
    ).source()
    source = open_source(config)
    catalog = source.reflect()
    column = summarise(source, catalog, scope_for(config, catalog, tenant="a"), config).tables[0].column("day")
    source.close()
    assert column is not None
    assert column.nulls == "50%"
    assert column.time is not None
    assert (column.time.first, column.time.last, column.time.grain) == ("2020-Q1", "2021-Q1", "daily")


@pytest.mark.server
def test_mongodb_says_the_same(mongodb_server: MongodbServer, expected: dict[str, object]) -> None:
    """Fields that no value is in are left out of a document, as programs do; a day is a time there, at midnight."""
    names = ("tenant", "who", "amount", "score", "word", "day", "contact", "placed")
    documents = [
        {k: datetime.fromisoformat(str(v)) if k in ("day", "placed") else v for k, v in zip(names, row, strict=True)
         if v is not None}
        for row in _rows()
    ]  # fmt: skip
    with mongodb_server.admin() as client:
        client.drop_database("facts")
        for table in ("t", "u"):
            client["facts"][table].insert_many([{"_id": i, **d} for i, d in enumerate(documents)])
    mongodb_server.make_reader("facts_reader", "facts")
    source = open_source(_server(mongodb_server.url("facts_reader", database="facts")))
    summary = _summary(source, RULES)
    assert {c.name for t in summary.tables for c in t.columns} == {"_id", *names} - {"tenant"}
    assert all(c.distinct != "unknown" for t in summary.tables for c in t.columns)
    assert {k: v for k, v in _facts(summary).items() if "._id." not in k} == expected


@pytest.fixture(scope="module")
def spark_facts(spark_server: SparkServer) -> SourceConfig:
    declared = f"{DDL}, {MORE}".replace("varchar(20)", "string").replace("varchar(40)", "string")
    declared = declared.replace("varchar(80)", "string").replace("double precision", "double")
    casts = ", ".join(f"CAST(col{i + 1} AS {part.split()[-1]})" for i, part in enumerate(declared.split(", ")))
    rows = ", ".join("(" + ", ".join("NULL" if c is None else repr(c) for c in row) + ")" for row in _rows())
    spark_server.run(
        "DROP DATABASE IF EXISTS facts CASCADE",
        "CREATE DATABASE facts",
        f"CREATE TABLE facts.t ({declared}) USING parquet",
        f"INSERT INTO facts.t SELECT {casts} FROM VALUES {rows}",
        "CREATE TABLE facts.u USING parquet AS SELECT * FROM facts.t",
    )
    return Project.parse(f'[[source]]\nname = "w"\nurl = "{spark_server.url()}"\nschemas = ["facts"]\n').source()


@pytest.mark.server
def test_spark_says_the_same(spark_facts: SourceConfig, expected: dict[str, object]) -> None:
    assert _facts(_summary(open_source(spark_facts), RULES)) == expected


@pytest.mark.server
def test_spark_samples_a_large_table_once(
    spark_facts: SourceConfig, monkeypatch: pytest.MonkeyPatch, expected: dict[str, object]
) -> None:
    """Rows of a subject and the subjects themselves are of one sample, though the statement reads it twice."""
    known = engines.ENGINES[Dialect.SPARK]
    small = replace(known, sample_above=1_000, sample_rows=800)
    monkeypatch.setitem(engines.ENGINES, Dialect.SPARK, small)
    source = open_source(spark_facts)
    config = Project.parse('[[source]]\nname = "w"\npath = "x"\n' + RULES).source()
    catalog = source.reflect()
    table = catalog.by_name["t"]
    measured = measure(source, catalog, scope_for(config, catalog, tenant="a"), config, table)
    source.close()
    assert measured.rows == 2_250
    assert measured.sampled is not None
    assert 600 < measured.sampled < 1_000
    score = next(column for column in measured.columns if column.name == "score")
    assert score.values == measured.sampled
    assert score.unit_values == measured.units
    assert score.number is not None
    assert score.number.quantiles[2] == pytest.approx(expected["t.score.number.p50"], rel=0.35)


def _server(url: str):  # type: ignore[no-untyped-def]
    return Project.parse(f'[[source]]\nname = "w"\nurl = "{url}"\n').source()


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_large_tables_are_sampled_and_say_much_the_same(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, object]
) -> None:
    """The row count stays that of all rows; distinct counts of a sample are told only where they are sure."""
    from dataclasses import replace

    for dialect, known in list(engines.ENGINES.items()):
        monkeypatch.setitem(engines.ENGINES, dialect, replace(known, sample_above=1_000, sample_rows=800))
    facts = _facts(summary := _summary(_file(engine, tmp_path), RULES))
    table = summary.table("u")
    assert table is not None
    assert table.rows == 2_200
    contact = table.column("contact")
    assert contact is not None
    assert contact.distinct == "many"
    median = facts["u.score.number.p50"]
    assert isinstance(median, float)
    assert median == pytest.approx(expected["u.score.number.p50"], rel=0.35)
