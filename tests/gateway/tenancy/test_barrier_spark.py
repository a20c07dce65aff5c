"""Spark's fence: a CTE is none, a projection that is not deterministic is, and ANSI mode off stands behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlglot import exp

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.sources.spark_connect import SparkFailure, SparkSession
from gateway.tenancy.barrier import scoped_tables, unfenced
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope
from tests.servers.spark import SparkServer, spark_server

__all__ = ["spark_server"]

SHOPS = Table(
    name="shops", physical=("spark_catalog", "fence", "shops"),
    columns=(
        Column(name="id", physical="id", type=ColumnType.INTEGER),
        Column(name="tenant", physical="tenant", type=ColumnType.TEXT, native_type="string"),
        Column(name="nick", physical="nick", type=ColumnType.TEXT, native_type="string collate UTF8_LCASE"),
    ),
)  # fmt: skip
MAILS = Table(
    name="mails", physical=("spark_catalog", "fence", "mails"),
    columns=(
        Column(name="shop", physical="shop", type=ColumnType.INTEGER),
        Column(name="mail", physical="mail", type=ColumnType.TEXT, native_type="string"),
    ),
)  # fmt: skip
CATALOG = Catalog(source="fence", dialect=Dialect.SPARK, tables=(SHOPS, MAILS))
SCOPE = Scope(
    source="fence", tenant="a",
    tables={
        "shops": TableScope(columns=frozenset({"id", "nick"}), filters=(RowFilter(column="tenant", values=("a",)),)),
        "mails": TableScope(
            columns=frozenset({"mail"}), filters=(ParentFilter(column="shop", parent="shops", parent_column="id"),)
        ),
    },
)  # fmt: skip


def statement(*, fenced: bool, where: str = "CAST(`m`.`mail` AS INT) > 0") -> str:
    """Count a tenant's mails that pass a test which fails on another tenant's cell."""
    barrier = scoped_tables(CATALOG, SCOPE, {"mails": {"mail"}})
    ctes = [cte.copy() for cte in barrier.ctes]
    if not fenced:
        for cte in ctes:
            cte.set("this", unfenced(cte.this))
    with_ = exp.With(expressions=ctes).sql(dialect="spark")
    return f"{with_} SELECT COUNT(*) AS `n` FROM `s_mails` AS `m` WHERE {where}"


@pytest.fixture(scope="module", params=["true", "false"], ids=["ANSI on", "ANSI off"])
def session(request: pytest.FixtureRequest, spark_server: SparkServer) -> Iterator[SparkSession]:
    spark_server.run(
        "DROP DATABASE IF EXISTS fence CASCADE",
        "CREATE DATABASE fence",
        "CREATE TABLE fence.shops (id BIGINT, tenant STRING, nick STRING COLLATE UTF8_LCASE) USING parquet",
        "CREATE TABLE fence.mails (shop BIGINT, mail STRING) USING parquet",
        "INSERT INTO fence.shops VALUES (1, 'a', 'x'), (2, 'b', 'X')",
        "INSERT INTO fence.mails VALUES (1, '11'), (2, 'secret@x.example')",
    )
    opened = spark_server.session({"spark.sql.ansi.enabled": str(request.param)})
    yield opened
    opened.close()


def rows(session: SparkSession, text: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for batch in session.start(text, {"scope_0": "a"}, timeout_s=120).batches():
        found += list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return found


@pytest.mark.server
def test_without_a_fence_a_filter_runs_on_another_tenants_rows(session: SparkSession) -> None:
    """The leak is real: with ANSI mode on the cast fails on a cell of tenant b, below the parent's semi-join."""
    if session.setting("spark.sql.ansi.enabled") == "false":
        assert rows(session, statement(fenced=False)) == [(1,)]
        return
    with pytest.raises(SparkFailure):
        rows(session, statement(fenced=False))


@pytest.mark.server
def test_behind_the_fence_it_runs_on_the_scopes_rows_alone(session: SparkSession) -> None:
    """Whatever the mode: the cast, a division and an error that is asked for never see tenant b's row."""
    assert rows(session, statement(fenced=True)) == [(1,)]
    for test in ("1 / (LENGTH(`m`.`mail`) - 16) < 0", "IF(`m`.`mail` LIKE '%@%', raise_error('x'), true)"):
        assert rows(session, statement(fenced=True, where=test)) == [(1,)]


@pytest.mark.server
def test_the_scopes_own_filter_still_reaches_the_files(session: SparkSession) -> None:
    """The fence holds the question's filters up, not the tenant's."""
    plan = str(rows(session, "EXPLAIN " + statement(fenced=True))[0][0])
    scan = next(line for line in plan.splitlines() if "fence.shops" in line)
    assert "EqualTo(tenant,a)" in scan
    fence = plan.index("rand(")
    assert plan.index("cast(mail") < fence < plan.index("LeftSemi")


def test_every_scoped_table_stands_behind_the_fence_and_counts_no_row_less() -> None:
    """Also one of which only rows are counted; an unrestricted one is left as it is."""
    barrier = scoped_tables(CATALOG, SCOPE, {"shops": set()})
    text = barrier.ctes[0].sql(dialect="spark")
    assert text == (
        "`s_shops` AS (SELECT `one` FROM (SELECT 1 AS `one`, RAND() AS `~fence` FROM `spark_catalog`.`fence`.`shops` "
        "WHERE `tenant` = :scope_0) AS `f` WHERE `~fence` >= 0)"
    )
    free = Scope(source="fence", tenant="a", tables={"shops": TableScope(columns=frozenset({"id"}), unrestricted=True)})
    assert "RAND" not in scoped_tables(CATALOG, free, {"shops": {"id"}}).ctes[0].sql(dialect="spark")


def test_text_of_another_collation_is_compared_by_its_bytes() -> None:
    """Else tenant "a" would be tenant "A"; plain text is left alone, so that files can be skipped."""
    rule = RowFilter(column="nick", values=("x",))
    right = Scope(
        source="fence", tenant="x", tables={"shops": TableScope(columns=frozenset({"nick"}), filters=(rule,))}
    )
    text = scoped_tables(CATALOG, right, {"shops": {"nick"}}).ctes[0].sql(dialect="spark")
    assert "`nick` COLLATE UTF8_BINARY = :scope_0" in text
    assert "`nick` COLLATE UTF8_BINARY AS `nick`" in text
