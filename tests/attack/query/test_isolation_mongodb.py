"""Non-interference on a server of MongoDB's protocol, where a document may hold anything anywhere.

Other tenants' documents are not only deleted, doubled and poisoned: their tenant becomes an array that holds this
tenant's id, the same number of another type, an object, or nothing at all, and any other field changes its type.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from bson import ObjectId, Regex
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pymongo.errors import PyMongoError

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.sources.cells import convert
from gateway.tenancy.scope import Scope
from gateway.types import ResultColumn
from tests.attack.query.test_isolation_properties import assert_partitioned, rewritten, same
from tests.attack.query.worlds import NOW, Choices, Rows, World, ask, load, specs, worlds
from tests.gateway.chart.pipelines import Documents, run
from tests.servers.mongodb import MongodbServer

EXAMPLES = max(int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170")) // 4, 10)
_SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def database(mongodb_server: MongodbServer) -> Iterator[Documents]:
    """One database, whose collections are the world."""
    with mongodb_server.admin() as admin:
        yield admin["chartworld"]


def _documents(world: World, name: str, rows: list[tuple[object, ...]]) -> list[dict[str, Any]]:
    """Rows as documents: what is empty is missing in every other one."""
    found: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        document: dict[str, Any] = {}
        for (column, kind), cell in zip(world.columns[name].items(), row, strict=True):
            if cell is None and place % 2:
                continue
            temporal = isinstance(cell, str) and kind.is_temporal
            document[f"{column}!"] = datetime.fromisoformat(cell) if temporal else cell  # type: ignore[arg-type]
        found.append(document)
    return found


def _load(database: Documents, world: World, documents: dict[str, list[dict[str, Any]]]) -> None:
    for name in world.columns:
        database.drop_collection(f"T {name}")
        database.create_collection(f"T {name}")
        if documents[name]:
            database[f"T {name}"].insert_many([{**document} for document in documents[name]])


def _of(world: World, rows: Rows) -> dict[str, list[dict[str, Any]]]:
    return {name: _documents(world, name, rows[name]) for name in world.columns}


def _ask(database: Documents, world: World, spec: ChartSpec, right: Scope) -> list[tuple[object, ...]] | str:
    """Rows of the answer, or the class of the error: what a tenant can see."""
    catalog = world.catalog(Dialect.MONGODB)
    query = compile_spec(spec, catalog=catalog, scope=right, summary=world.summary(), bindings={}, now=NOW)
    try:
        return run(database, prove(query, catalog=catalog, scope=right))
    except PyMongoError as error:
        return type(error).__name__


@given(data=st.data())
@_SETTINGS
def test_scoped_answers_depend_on_the_tenants_documents_alone(database: Documents, data: st.DataObject) -> None:
    """MR1 and MR2: equal to the tenant's own copy, and to what it was before others' documents were rewritten."""
    world = data.draw(worlds())
    spec = data.draw(specs(world))
    assume(spec is not None)
    assert spec is not None
    _load(database, world, _of(world, world.rows))
    scoped = _ask(database, world, spec, world.scope())
    assert not isinstance(scoped, str), (scoped, spec)
    _load(database, world, _of(world, world.visible()))
    alone = _ask(database, world, spec, world.scope(everything=True))
    assert same(scoped, alone), (spec, scoped, alone)
    _load(database, world, _juggled(world, Random(data.draw(st.integers(0, 2**16)))))
    after = _ask(database, world, spec, world.scope())
    assert same(scoped, after), (spec, scoped, after)


def _juggled(world: World, random: Random) -> dict[str, list[dict[str, Any]]]:
    """The tenant's own documents as they are, all others with fields of any type."""
    own = {name: {row[0] for row in rows} for name, rows in world.visible().items()}
    found = _of(world, rewritten(world, Dialect.MONGODB, random))
    for name, documents in found.items():
        for document in documents:
            if document["id!"] in own[name]:
                continue
            for field in list(document):
                if field == "tenant!" and world.rules[name] == "own" and random.random() < 0.6:
                    document[field] = random.choice(_not_the_tenant(world.tenant))
                elif field not in {"id!", "tenant!"} and not field.endswith("_id!") and random.random() < 0.4:
                    document[field] = random.choice(_ANYTHING)
                elif field.endswith("_id!") and field != "tenant!" and random.random() < 0.2:
                    keys = [row[0] for rows in world.visible().values() for row in rows]
                    document[field] = [*keys[:3]] if random.random() < 0.5 else {"$in": keys[:3]}
    return found


_ANYTHING: list[Any] = [
    [1, 2], [], {"x": 1}, {"$gt": ""}, "$tenant!", "not a number", b"\xff", float("nan"), float("inf"), 2**63 - 1, None,
    True, ObjectId("0" * 24), Regex("."), datetime(1, 1, 1, tzinfo=UTC), [["x"]],
]  # fmt: skip


def _not_the_tenant(tenant: object) -> list[Any]:
    """What a query operator would take for the tenant, or might."""
    return [[tenant], [tenant, "other"], {"$eq": tenant}, {"": tenant}, float(tenant) + 0.0
            if isinstance(tenant, int) else f"{tenant}\x00", str(tenant) + " ", [[tenant]], None, Regex("."),
            True, 1.5]  # fmt: skip


@given(data=st.data())
@_SETTINGS
def test_any_chart_answers_like_duckdb(database: Documents, data: st.DataObject) -> None:
    """Same spec, same rows, beyond the written cases."""
    world = data.draw(worlds())
    spec = data.draw(specs(world))
    assume(spec is not None)
    assert spec is not None
    _load(database, world, _of(world, world.rows))
    mine = _ask(database, world, spec, world.scope())
    duck = load(Dialect.DUCKDB, world, world.rows)
    try:
        theirs = ask(duck, Dialect.DUCKDB, world, spec, world.scope())
    finally:
        duck.close()
    assert not isinstance(mine, str), (mine, spec)
    assert not isinstance(theirs, str), (theirs, spec)
    catalog = world.catalog(Dialect.DUCKDB)
    columns = compile_spec(
        spec, catalog=catalog, scope=world.scope(), summary=world.summary(), bindings={}, now=NOW
    ).columns
    assert _shown(mine, columns) == _shown(theirs, columns), (spec, mine, theirs)


def _shown(rows: list[tuple[object, ...]], columns: tuple[ResultColumn, ...]) -> list[tuple[object, ...]]:
    """Cells as a result has them, numbers to nine digits."""
    return [tuple(round(c, 9) if isinstance(c, float) else c for c in row) for row in convert(rows, columns)]


@given(data=st.data())
@_SETTINGS
def test_a_condition_its_opposite_and_its_unknown_make_up_the_whole(database: Documents, data: st.DataObject) -> None:
    """MR3: MongoDB has two truth values, and the language is read as SQL reads it all the same."""
    world = data.draw(worlds())
    _load(database, world, _of(world, world.rows))
    assert_partitioned(world, Choices(data.draw), lambda spec: _ask(database, world, spec, world.scope()))
