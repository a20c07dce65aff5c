"""Summaries of real DuckDB and SQLite files: what they say, within whose scope, and what happens on failure."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gateway.errors import QueryError, QueryTimeoutError
from gateway.project import Project, SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.model import Summary
from gateway.summary.releases import MemoryReleases
from gateway.summary.summarise import TableDone, summarise
from gateway.tenancy.rules import scope_for
from tests.gateway.summary.worlds import Row, summary_of, write

ROWS = 2_100
DDL = """
create table orders (id integer primary key, tenant_id text, who integer, status text, total double precision,
                     placed date, note text);
"""


def _rows() -> list[tuple[object, ...]]:
    states = ("open", "sent", "late")
    return [
        (i, ("a", "b", "b")[i % 3], i % 400, states[i % 7 % 3], (i * 37 % 1000) / 4 + 5,
         f"{2020 + i % 4}-{i % 12 + 1:02d}-{i % 27 + 1:02d}", None if i % 10 == 0 else f"note {i * 7919} xyz")
        for i in range(ROWS)
    ]  # fmt: skip


@pytest.fixture(params=["duckdb", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., tuple[Source, SourceConfig]]:
    path = tmp_path / f"shop.{request.param}"
    marks = ",".join("?" * 7)
    if request.param == "duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.execute(DDL)
            rows = _rows()
            flat = [value for row in rows for value in row]
            connection.execute(f"insert into orders values {','.join([f'({marks})'] * len(rows))}", flat)
    else:
        connection = sqlite3.connect(path)
        connection.execute(DDL)
        connection.executemany(f"insert into orders values ({marks})", _rows())
        connection.commit()
        connection.close()

    def opened(rules: str) -> tuple[Source, SourceConfig]:
        config = Project.parse(f'[[source]]\nname = "shop"\npath = "{path}"\n{rules}').source()
        return open_source(config), config

    return opened


def _summary(source: Source, config: SourceConfig, tenant: str = "b", **options: object) -> Summary:
    catalog = source.reflect()
    scope = scope_for(config, catalog, tenant=tenant)
    return summarise(source, catalog, scope, config, **options)  # type: ignore[arg-type]


TENANT = '[source.tables.orders]\ntenant = "tenant_id"\n'


def test_a_table_is_summarised_within_its_scope(make: Callable[..., tuple[Source, SourceConfig]]) -> None:
    source, config = make(TENANT + '[source.tables.orders.columns.status]\nvocabulary = ["open", "sent", "late"]')
    table = _summary(source, config).tables[0]
    assert table.rows == ROWS * 2 // 3
    assert table.column("tenant_id") is None
    status, total, placed, note = (table.column(c) for c in ("status", "total", "placed", "note"))
    assert status is not None
    assert status.labels is not None
    assert {label.text for label in status.labels} == {"open", "sent", "late"}
    assert total is not None
    assert total.number is not None
    assert total.number.p50 == pytest.approx(130, abs=10)
    assert total.number.sign == "positive"
    assert placed is not None
    assert placed.time is not None
    assert (placed.time.first, placed.time.last) == ("2020-05", "2023-12")
    assert placed.time.grain == "daily"
    assert note is not None
    assert note.nulls == "10%"
    source.close()


def test_labels_are_opt_in(make: Callable[..., tuple[Source, SourceConfig]]) -> None:
    source, config = make(TENANT)
    status = _summary(source, config).tables[0].column("status")
    assert status is not None
    assert status.labels is None
    source.close()


def test_an_unknown_tenant_sees_an_empty_database(make: Callable[..., tuple[Source, SourceConfig]]) -> None:
    source, config = make(TENANT)
    table = _summary(source, config, tenant="nobody").tables[0]
    assert table.rows == "few"
    for column in table.columns:
        said = column.model_dump(exclude={"name", "type", "text", "number", "time", "semantic"}, exclude_defaults=True)
        assert said in ({}, {"distinct": "unique"})
        assert column.text is None or column.text.length is None
        assert column.number is None or column.number.mean is None
    source.close()


def test_the_subject_is_the_unit_of_thresholds(make: Callable[..., tuple[Source, SourceConfig]]) -> None:
    """2,000 rows of 267 subjects: p10 needs 200 subjects, so it shows; with 1,500 rows a subject it would not."""
    source, config = make(TENANT + 'subject = "who"')
    table = _summary(source, config).tables[0]
    total, status = table.column("total"), table.column("placed")
    assert total is not None
    assert total.number is not None
    assert total.number.p10 is not None
    assert total.number.std is None
    assert status is not None
    assert status.time is not None
    assert (status.time.first or "")[4:6] == "-Q"
    source.close()
    few, config = make(TENANT + 'subject = "status"')
    column = _summary(few, config).tables[0].column("total")
    assert column is not None
    assert column.number is not None
    assert column.number.model_dump(exclude_none=True) == {}
    few.close()


def test_partial_results_are_kept_when_a_table_fails(
    make: Callable[..., tuple[Source, SourceConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, config = make(TENANT)

    def fail(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise QueryTimeoutError("the database did not answer in time")

    told: list[TableDone] = []
    monkeypatch.setattr(source, "aggregate", fail)
    table = _summary(source, config, progress=told.append).tables[0]
    assert table.rows == "few"
    assert [c.name for c in table.columns] == ["id", "who", "status", "total", "placed", "note"]
    assert [str(done) for done in told] == ["1/1 orders"]
    assert told[0].trouble == "cannot be read now: names and types only (query_timeout)"
    source.close()


def test_a_very_wide_table_is_measured_in_parts(tmp_path: Path) -> None:
    """More columns than one statement takes: SQLite allows 100 parts of a UNION and 2,000 result columns."""
    names = [f"n{i}" for i in range(90)]
    files = []
    lite = sqlite3.connect(tmp_path / "wide.sqlite")
    lite.execute(f"create table t ({', '.join(f'{n} real' for n in names)})")
    lite.executemany(
        f"insert into t values ({','.join('?' * 90)})", [[j + i % 97 for j in range(90)] for i in range(300)]
    )
    lite.commit()
    lite.close()
    files.append(tmp_path / "wide.sqlite")
    with duckdb.connect(str(tmp_path / "wide.duckdb")) as duck:
        picked = ", ".join(f"({j} + i % 97)::double as n{j}" for j in range(90))
        duck.execute(f"create table t as select {picked} from range(300) r(i)")
    files.append(tmp_path / "wide.duckdb")
    said = []
    for file in files:
        config = Project.for_path(file).source()
        source = open_source(config)
        table = _summary(source, config).tables[0]
        assert len(table.columns) == 90
        assert all(column.number and column.number.p50 is not None for column in table.columns)
        said.append([column.number for column in table.columns])
        source.close()
    assert said[0] == said[1]


def test_attack_two_databases_of_one_name_share_no_release(tmp_path: Path) -> None:
    """`rowless init` calls every server's source "database": what is kept of one must not be said of another."""
    kept = MemoryReleases()
    for folder, size in (("one", 400), ("two", 90)):
        (tmp_path / folder).mkdir()
        rows: list[Row] = [("a", i, float(i), 1, "open", "2020-01-01") for i in range(size)]
        file = write(rows, "duckdb", tmp_path / folder)
        assert summary_of(file, releases=kept).tables[0].rows == size


def test_a_table_released_today_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, rows = MemoryReleases(), [("a", i, float(i), 1, "open", "2020-01-01") for i in range(400)]
    file = write(rows, "duckdb", tmp_path)
    first = summary_of(file, releases=kept)

    def never(*arguments: object, **named: object) -> None:
        raise AssertionError

    monkeypatch.setattr("gateway.summary.summarise.measure", never)
    assert summary_of(file, releases=kept) == first


def test_a_source_that_was_closed_gives_no_summary(
    make: Callable[..., tuple[Source, SourceConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a summary would be taken for what there is to know."""
    source, config = make(TENANT)
    real, releases = source.aggregate, MemoryReleases()
    asked = itertools.count()

    def fail(*said: Any, **named: Any) -> list[tuple[object, ...]]:
        if next(asked):
            raise QueryError("stopped", code="query_cancelled")
        return real(*said, **named)

    monkeypatch.setattr(source, "aggregate", fail)
    with pytest.raises(QueryError) as caught:
        _summary(source, config, releases=releases)
    assert caught.value.code == "query_cancelled"
    assert releases._kept == {}
    source.close()


def test_a_column_that_fails_is_named_and_counted_again_next_time(tmp_path: Path) -> None:
    """Its table is told without it; once its owner has mended it, nobody waits for the gate."""
    path = tmp_path / "s.duckdb"
    with duckdb.connect(str(path)) as c:
        c.execute("create table t as select i as n, 'v' || i as word from range(200) r(i)")
        c.execute("create view broken as select n, word::int as bad from t")
    releases, told = MemoryReleases(), []
    text = f'[[source]]\nname = "s"\npath = "{path}"\nunrestricted = true\n'
    for mended in (False, True):
        if mended:
            with duckdb.connect(str(path)) as c:
                c.execute("create or replace view broken as select n, n::int as bad from t")
        config = Project.parse(text).source()
        source = open_source(config)
        catalog = source.reflect()
        scope = scope_for(config, catalog, tenant="me")
        summary = summarise(source, catalog, scope, config, releases=releases, progress=told.append)
        source.close()
        table = next(table for table in summary.tables if table.name == "broken")
        bad, good = table.column("bad"), table.column("n")
        assert bad is not None
        assert good is not None
        assert good.distinct == "unique"
        assert bad.distinct == ("unique" if mended else "unknown")
    assert [(done.table, done.trouble) for done in told if done.trouble] == [
        ("broken", "nothing could be counted of bad: name and type only")
    ]


def test_a_failure_that_says_nothing_of_a_column_is_of_the_table(
    make: Callable[..., tuple[Source, SourceConfig]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost connection must not be kept as a column that cannot be counted."""
    source, config = make(TENANT)
    real = source.aggregate

    def fail(statement: str, parameters: Any, *, timeout_s: float) -> list[tuple[object, ...]]:
        if len(statement) > 2_000:
            raise QueryError("lost", code="query_connection_lost")
        return real(statement, parameters, timeout_s=timeout_s)

    told: list[TableDone] = []
    monkeypatch.setattr(source, "aggregate", fail)
    releases = MemoryReleases()
    _summary(source, config, progress=told.append, releases=releases)
    assert told[0].trouble == "cannot be read now: names and types only (query_connection_lost)"
    assert all("~links" in key for key in releases._kept)
    source.close()
