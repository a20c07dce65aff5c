"""One question over a Spark cluster through all twelve stages, and what crossed the wire: aggregates alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.answer import Answer, Asker
from gateway.config import Settings
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.sources import spark_source
from tests.servers.spark import SparkServer

pytestmark = pytest.mark.server
ROWS = 40_000


def test_a_question_is_answered_by_the_cluster(
    spark_server: SparkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summary, value index and chart are pushed down: of 40,000 rows only aggregates and distinct texts come back."""
    spark_server.run(
        "DROP DATABASE IF EXISTS sales CASCADE",
        "CREATE DATABASE sales",
        "CREATE TABLE sales.orders USING parquet AS SELECT /*+ REPARTITION(4) */ id, concat('t', id % 2) AS tenant, "
        "element_at(array('North', 'South', 'West'), CAST(id % 3 + 1 AS INT)) AS region, "
        "CAST(id % 97 AS DECIMAL(10,2)) AS amount, date_add(date'2023-01-01', CAST(id % 700 AS INT)) AS ordered_on "
        f"FROM range({ROWS})",
    )
    crossed: list[int] = []
    more = spark_source._Rows._more

    def counted(self: spark_source._Rows) -> bool:
        came = more(self)
        crossed.append(len(self._waiting) if came else 0)
        return came

    monkeypatch.setattr(spark_source._Rows, "_more", counted)
    project = Project.parse(
        f'[[source]]\nname = "sales"\nurl = "{spark_server.url()}"\nschemas = ["sales"]\nunsafe_can_write = true\n'
        '[source.tables.orders]\ntenant = "tenant"\n'
    )

    async def asked() -> Answer:
        runtime = await Runtime.open(Settings(home=tmp_path / "home"), project)
        try:
            return await runtime.gateway.ask("total amount by region in 2023", Asker(source="sales", tenant="t1"))
        finally:
            await runtime.close()

    answer = asyncio.run(asked())
    expected = spark_server.run(
        "SELECT region, CAST(SUM(amount) AS DOUBLE) AS s FROM sales.orders "
        "WHERE tenant = 't1' AND year(ordered_on) = 2023 GROUP BY region ORDER BY s DESC"
    )
    assert [tuple(row) for row in answer.result.rows] == expected
    assert "~fence" in answer.explanation.statement
    assert sum(crossed) < 500
