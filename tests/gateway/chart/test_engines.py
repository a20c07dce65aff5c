"""Same spec, same rows on every engine: each case runs on real databases and is compared row by row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import pytest

from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.tenancy.scope import Scope
from gateway.types import Cell, ResultTable
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES
from tests.gateway.chart.conftest import Engine
from tests.servers.mongodb import MongodbServer

_SETTINGS: dict[str, tuple[str, Literal["monday", "sunday"]]] = {
    "UTC": ("UTC", "monday"),
    "New York, weeks from Sunday": ("America/New_York", "sunday"),
    "Berlin": ("Europe/Berlin", "monday"),
}


_TIES_OF_CASE = {"boxplot", "share within series"}
"""SecantusDB orders text under the collation ``simple`` as a language does ("new" before "NEW"), MongoDB by bytes."""
# Time zones and weeks matter only to specs with a time in them.
RUNS = [
    (case, setting) for setting in _SETTINGS for case in CASES if setting == "UTC" or "ordered_at" in str(CASES[case])
]


def answer(engine: Engine, spec: dict[str, object], right: Scope) -> ResultTable:
    """Compile, prove and run for tenant a."""
    catalog = shop.with_reflected(engine.catalog)
    query = compile_spec(
        ChartSpec.model_validate(spec),
        catalog=catalog,
        scope=right,
        summary=shop.summary(),
        bindings={"v1": "PAID"},
        now=shop.NOW,
    )
    # A machine that is busy with other tests must not decide whether two engines agree.
    limits = replace(right.limits, timeout_s=120)
    return engine.source.run(prove(query, catalog=catalog, scope=right), limits=limits)


def same(mine: Cell, theirs: Cell) -> bool:
    """Equal, but for the last digits of a real number."""
    if isinstance(mine, int | float) and isinstance(theirs, int | float) and not isinstance(mine, bool):
        return math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return type(mine) is type(theirs) and mine == theirs


def assert_same(mine: ResultTable, theirs: ResultTable) -> None:
    assert mine.columns == theirs.columns
    assert len(mine.rows) == len(theirs.rows), (mine.rows, theirs.rows)
    for row, other in zip(mine.rows, theirs.rows, strict=True):
        assert all(same(a, b) for a, b in zip(row, other, strict=True)), (mine.rows, theirs.rows)


@pytest.mark.parametrize(("case", "setting"), RUNS)
def test_sqlite_answers_like_duckdb(case: str, setting: str, duckdb_shop: Engine, sqlite_shop: Engine) -> None:
    """The two embedded engines."""
    zone, week = _SETTINGS[setting]
    right = shop.scope("a", timezone=zone, week_start=week)
    assert_same(answer(sqlite_shop, CASES[case], right), answer(duckdb_shop, CASES[case], right))


@pytest.mark.server
@pytest.mark.parametrize(("case", "setting"), RUNS)
def test_postgres_answers_like_duckdb(case: str, setting: str, duckdb_shop: Engine, postgres_shop: Engine) -> None:
    """A real PostgreSQL server."""
    zone, week = _SETTINGS[setting]
    right = shop.scope("a", timezone=zone, week_start=week)
    assert_same(answer(postgres_shop, CASES[case], right), answer(duckdb_shop, CASES[case], right))


@pytest.mark.server
@pytest.mark.parametrize(("case", "setting"), RUNS)
def test_mariadb_answers_like_duckdb(case: str, setting: str, duckdb_shop: Engine, mariadb_shop: Engine) -> None:
    """A real MariaDB server, on a collation that ignores case."""
    zone, week = _SETTINGS[setting]
    right = shop.scope("a", timezone=zone, week_start=week)
    assert_same(answer(mariadb_shop, CASES[case], right), answer(duckdb_shop, CASES[case], right))


@pytest.mark.server
@pytest.mark.parametrize(("case", "setting"), RUNS)
def test_mongodb_answers_like_duckdb(
    case: str, setting: str, duckdb_shop: Engine, mongodb_shop: Engine, mongodb_server: MongodbServer
) -> None:
    """A server of MongoDB's protocol, over documents with missing fields, nested ones and four types of number."""
    zone, week = _SETTINGS[setting]
    right = shop.scope("a", timezone=zone, week_start=week)
    mine, theirs = answer(mongodb_shop, CASES[case], right), answer(duckdb_shop, CASES[case], right)
    if case in _TIES_OF_CASE and mongodb_server.engine == "secantusdb":
        mine, theirs = (replace(table, rows=tuple(sorted(table.rows, key=repr))) for table in (mine, theirs))
    assert_same(mine, theirs)


@pytest.mark.server
@pytest.mark.parametrize(("case", "setting"), [run for run in RUNS if run[1] != "Berlin"])
def test_spark_answers_like_duckdb(case: str, setting: str, duckdb_shop: Engine, spark_shop: Engine) -> None:
    """A real Spark cluster, through Spark Connect."""
    zone, week = _SETTINGS[setting]
    right = shop.scope("a", timezone=zone, week_start=week)
    assert_same(answer(spark_shop, CASES[case], right), answer(duckdb_shop, CASES[case], right))
