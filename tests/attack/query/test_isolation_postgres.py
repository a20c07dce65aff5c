"""The same isolation properties on a real PostgreSQL server, over fewer worlds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.tenancy.scope import Scope
from tests.attack.query.test_isolation_properties import rewritten, same
from tests.attack.query.worlds import NOW, SQL_TYPES, Rows, World, specs, worlds
from tests.servers.postgres import PostgresServer

EXAMPLES = max(int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170")) // 4, 10)


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """One session, whose temporary tables are the world."""
    with postgres_server.admin() as admin:
        admin.execute("SET TIME ZONE 'UTC'")
        yield admin


def _answer(
    connection: psycopg.Connection, world: World, rows: Rows, spec: ChartSpec, right: Scope
) -> list[tuple[object, ...]] | str:
    """Load the rows, ask, and clear up; the class of an error is all a tenant can see of it."""
    catalog = world.catalog(Dialect.POSTGRES)
    query = prove(
        compile_spec(spec, catalog=catalog, scope=right, summary=world.summary(), bindings={}, now=NOW),
        catalog=catalog,
        scope=right,
    ).query
    try:
        for name, columns in world.columns.items():
            types = [SQL_TYPES[kind].replace("DOUBLE", "DOUBLE PRECISION") for kind in columns.values()]
            parts = ", ".join(f'"{column}!" {kind}' for column, kind in zip(columns, types, strict=True))
            connection.execute(f'CREATE TEMP TABLE "T {name}" ({parts})')
            if rows[name]:
                marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(rows[name]))
                cells = [cell for row in rows[name] for cell in row]
                connection.execute(f'INSERT INTO "T {name}" VALUES {marks}', cells)
        return list(connection.execute(query.statement, query.parameters).fetchall())
    except psycopg.Error as error:
        return type(error).__name__
    finally:
        for name in world.columns:
            connection.execute(f'DROP TABLE IF EXISTS "T {name}"')


@pytest.mark.server
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_scoped_answers_depend_on_the_tenants_rows_alone(connection: psycopg.Connection, data: st.DataObject) -> None:
    """MR1 and MR2: equal to the tenant's own copy, and to what it was before others' rows were rewritten."""
    world = data.draw(worlds())
    spec = data.draw(specs(world))
    assume(spec is not None)
    assert spec is not None
    scoped = _answer(connection, world, world.rows, spec, world.scope())
    assert not isinstance(scoped, str), (scoped, spec)
    alone = _answer(connection, world, world.visible(), spec, world.scope(everything=True))
    assert same(scoped, alone), (spec, scoped, alone)
    seed = data.draw(st.integers(0, 2**16))
    others = rewritten(world, Dialect.POSTGRES, Random(seed))
    assert same(scoped, _answer(connection, world, others, spec, world.scope())), spec
