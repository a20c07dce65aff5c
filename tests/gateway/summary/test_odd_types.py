"""Odd types, odd names, odd values: every table is still summarised, and what cannot be counted is unknown."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from gateway.errors import QueryError, QueryTimeoutError
from gateway.project import Project
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.model import Summary, TableSummary
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from tests.servers.postgres import PostgresServer

UNRESTRICTED = '[[source]]\nname = "s"\nunrestricted = true\n'
ODD_DUCKDB = """
create table t as select
  i as id, {'a': i, 'b': 'x'} as record, [i, i] as list, map {'k': i} as map, 'ab'::blob as blob,
  to_minutes(i) as span, time '12:00' as clock, uuid() as ident, (i * 10000000000)::hugeint as huge,
  timestamptz '2024-01-01 00:00+00' + to_hours(i::int) as zoned, (i % 5)::utinyint as tiny, '101'::bit as bits,
  case when i % 9 = 0 then 'infinity'::date else date '2024-01-01' + i::int end as endless,
  case when i % 7 = 0 then 'nan'::float else i / 3.0 end as maybe, (i % 3)::varchar::enum('0', '1', '2') as picked
from range(400) r(i)
"""


def _summary(source: Source) -> Summary:
    config = Project.parse(UNRESTRICTED + 'path = "x"').source()
    try:
        catalog = source.reflect()
        return summarise(source, catalog, scope_for(config, catalog, tenant="me"), config)
    finally:
        source.close()


def _duck(path: Path, statement: str) -> Source:
    file = path / "odd.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(statement)
    return open_source(Project.for_path(file).source())


def _check_known(table: TableSummary, rows: int) -> None:
    assert table.rows == rows
    assert {c.name for c in table.columns if c.nulls == "unknown"} == set()


def test_every_type_of_duckdb(tmp_path: Path) -> None:
    table = _summary(_duck(tmp_path, ODD_DUCKDB)).tables[0]
    _check_known(table, 400)
    facts = {column.name: column for column in table.columns}
    endless, huge, maybe = facts["endless"], facts["huge"], facts["maybe"]
    assert endless.time is not None
    assert endless.time.last == "2025-Q1"
    assert endless.nulls == "10%"
    assert huge.number is not None
    assert huge.number.p50 == 2e12
    assert maybe.nulls == "15%"
    assert facts["record"].distinct == "unknown"


def test_columns_named_like_our_own(tmp_path: Path) -> None:
    names = ("c1", "c0", "v0", "v1", "subject", "lo0", "rows", "seen", "units", "x", "r", "u", "one", "select", "has0")
    picked = ", ".join(f'(i % {7 + j})::int + {j * 100} as "{name}"' for j, name in enumerate(names))
    table = _summary(_duck(tmp_path, f"create table t as select {picked} from range(500) q(i)")).tables[0]
    for j, name in enumerate(names):
        column = table.column(name)
        assert column is not None
        assert column.number is not None
        assert column.number.p50 == pytest.approx(j * 100 + (6 + j) / 2, rel=0.06, abs=1)


@pytest.mark.server
def test_every_type_of_postgres(postgres_server: PostgresServer) -> None:
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS odd")
        admin.execute("CREATE DATABASE odd")
        admin.execute("CREATE USER odd_reader PASSWORD 'secret'")
    with postgres_server.admin("odd") as admin:
        admin.execute(
            "CREATE TABLE t AS SELECT i AS id, point(i, i) AS place, '<a/>'::xml AS doc, i::int::money AS cash, "
            "int4range(i, i + 5) AS span, B'101' AS bits, make_interval(mins => i) AS wait, '\\x00'::bytea AS blob, "
            "to_tsvector('a b') AS words, '10.0.0.1'::inet AS host, ARRAY[i] AS list, '{\"a\": 1}'::json AS plain, "
            "'12:00'::time AS clock, gen_random_uuid() AS ident, CASE WHEN i % 5 = 0 THEN 'NaN'::numeric ELSE i END AS "
            "maybe, CASE WHEN i % 10 = 0 THEN 'infinity'::date ELSE DATE '2024-01-01' + i END AS endless, "
            "CASE WHEN i % 4 = 0 THEN 'Infinity'::float8 ELSE i END AS far FROM generate_series(1, 400) i"
        )
        admin.execute("GRANT SELECT ON t TO odd_reader")
    url = postgres_server.url("odd_reader", database="odd")
    table = _summary(open_source(Project.parse(f'[[source]]\nname = "s"\nurl = "{url}"').source())).tables[0]
    assert table.rows == 400
    facts = {column.name: column for column in table.columns}
    assert facts["maybe"].nulls == "20%"
    assert facts["far"].nulls == "25%"
    assert facts["endless"].nulls == "10%"
    assert facts["plain"].paths is not None
    assert {n for n, c in facts.items() if c.nulls == "unknown"} == set()


def test_a_column_that_cannot_be_counted_does_not_take_its_table_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _duck(
        tmp_path, "create table t as select i % 50 as a, i % 60 as b, i % 70 as bad, i % 80 as d from range(300) r(i)"
    )
    real = source.aggregate

    def sometimes(statement: str, parameters: dict[str, object], *, timeout_s: float) -> list[tuple[object, ...]]:
        if '"bad"' in statement:
            raise QueryError("source 's' does not understand the statement")
        return real(statement, parameters, timeout_s=timeout_s)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "aggregate", sometimes)
    table = _summary(source).tables[0]
    assert {c.name: c.nulls for c in table.columns} == {"a": "none", "b": "none", "bad": "unknown", "d": "none"}
    assert table.rows == 300


def test_cannot_finish_a_timeout_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _duck(tmp_path, "create table t as select i as a, i as b from range(300) r(i)")
    real, calls = source.aggregate, []

    def late(statement: str, parameters: dict[str, object], *, timeout_s: float) -> list[tuple[object, ...]]:
        calls.append(statement)
        if len(calls) > 1:
            raise QueryTimeoutError("the database did not answer in time")
        return real(statement, parameters, timeout_s=timeout_s)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "aggregate", late)
    assert _summary(source).tables[0].rows == "few"
    assert len(calls) == 2
