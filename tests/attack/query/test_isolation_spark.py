"""The same isolation properties on a real Spark cluster, over a few worlds: a statement costs half a second there."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType, Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.sources.spark_connect import SparkFailure, SparkSession
from gateway.sources.spark_source import SETTINGS
from gateway.tenancy.scope import Scope
from tests.attack.query.test_isolation_properties import assert_partitioned, rewritten, same
from tests.attack.query.worlds import NOW, Choices, Rows, World, specs, worlds
from tests.servers.spark import SparkServer

EXAMPLES = max(int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170")) // 20, 8)
TYPES = {
    ColumnType.INTEGER: "INT", ColumnType.NUMBER: "DOUBLE", ColumnType.TEXT: "STRING", ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE", ColumnType.DATETIME: "TIMESTAMP_NTZ",
}  # fmt: skip
_SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def session(spark_server: SparkServer) -> Iterator[SparkSession]:
    """One session with the settings of a source, whose temporary views are the world."""
    opened = spark_server.session(SETTINGS)
    yield opened
    opened.close()


def run(session: SparkSession, text: str, parameters: object = None) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for batch in session.start(text, parameters or {}, timeout_s=120).batches():  # type: ignore[arg-type]
        found += list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return found


def _cell(value: object, kind: ColumnType) -> str:
    if value is None:
        return f"CAST(NULL AS {TYPES[kind]})"
    if isinstance(value, float) and not math.isfinite(value):
        return f"DOUBLE('{value}')"
    text = str(value).encode().hex()
    return f"CAST(CAST(X'{text}' AS STRING) AS {TYPES[kind]})"


def load(session: SparkSession, world: World, rows: Rows) -> None:
    """The rows as views, spread over the executors."""
    for name, columns in world.columns.items():
        kinds = list(columns.values())
        listed = ", ".join(f"`{column}!`" for column in columns)
        cells = ", ".join("(" + ", ".join(map(_cell, row, kinds)) + ")" for row in rows[name])
        nothing = "(" + ", ".join(_cell(None, kind) for kind in kinds) + ")"
        run(
            session,
            f"CREATE OR REPLACE TEMPORARY VIEW `T {name}` AS SELECT /*+ REPARTITION(2) */ * "
            f"FROM VALUES {cells or nothing} AS v({listed}){'' if cells else ' WHERE false'}",
        )


def ask(session: SparkSession, world: World, spec: ChartSpec, right: Scope) -> list[tuple[object, ...]] | str:
    """Rows of the answer; the code of an error is all a tenant can see of it."""
    catalog = world.catalog(Dialect.SPARK)
    compiled = compile_spec(spec, catalog=catalog, scope=right, summary=world.summary(), bindings={}, now=NOW)
    query = prove(compiled, catalog=catalog, scope=right).query
    try:
        return run(session, query.statement, query.parameters)
    except SparkFailure as failure:
        return str(failure.code)


@pytest.mark.server
@given(data=st.data())
@_SETTINGS
def test_scoped_answers_depend_on_the_tenants_rows_alone(session: SparkSession, data: st.DataObject) -> None:
    """MR1 and MR2: equal to the tenant's own copy, and to what it was before others' rows were rewritten."""
    world = data.draw(worlds())
    spec = data.draw(specs(world))
    assume(spec is not None)
    assert spec is not None
    load(session, world, world.rows)
    scoped = ask(session, world, spec, world.scope())
    assert not isinstance(scoped, str), (scoped, spec)
    load(session, world, world.visible())
    alone = ask(session, world, spec, world.scope(everything=True))
    assert same(scoped, alone), (spec, scoped, alone)
    load(session, world, rewritten(world, Dialect.SPARK, Random(data.draw(st.integers(0, 2**16)))))
    assert same(scoped, ask(session, world, spec, world.scope())), spec


@pytest.mark.server
@given(data=st.data())
@_SETTINGS
def test_mr3_a_condition_its_opposite_and_its_unknown_make_up_the_whole(
    session: SparkSession, data: st.DataObject
) -> None:
    """Ternary logic partitioning under scope: counts and sums of the three parts add up."""
    world = data.draw(worlds())
    load(session, world, world.rows)
    assert_partitioned(world, Choices(data.draw), lambda spec: ask(session, world, spec, world.scope()))
