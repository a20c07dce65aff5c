"""(d) on MongoDB: a mutation of a compiled pipeline is caught by the checker."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from gateway.catalog import Dialect
from gateway.chart.prove import prove
from gateway.errors import ScopeRefusedError
from gateway.types import CompiledQuery, ScopedQuery
from tests.attack.query.pipeline_mutants import ALL
from tests.attack.query.pipeline_scope_mutants import mutate, text
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES
from tests.gateway.chart.pipelines import Documents, load_shop, run
from tests.servers.mongodb import MongodbServer

ROUNDS = int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170"))
CATALOG, RIGHT = shop.catalog(Dialect.MONGODB), shop.scope("a", timezone="Europe/Berlin")
MINE = {"customers": {1, 2, 4, 6}, "orders": {1, 2, 3, 5, 6, 8, 9}, "products": {1, 2, 4}, "tickets": {1, 2, 3, 5},
        "items": {1, 2, 3, 4, 6, 7, 8, 9}}  # fmt: skip


def _queries() -> list[CompiledQuery]:
    return [shop.compiled(spec, right=RIGHT, shop=CATALOG, v1="PAID") for spec in CASES.values()]


def test_unchanged_pipelines_are_proved() -> None:
    """The checker passes what the compiler makes, for every construct: it does not just refuse."""
    for query in _queries():
        assert prove(query, catalog=CATALOG, scope=RIGHT).query is query


@pytest.mark.parametrize("name", ALL)
def test_mutants_are_caught(name: str) -> None:
    """Every way to break a pipeline, on randomly chosen pipelines of every construct: none may escape."""
    random = Random(f"pipeline {name}")
    queries = _queries()
    made, wanted = 0, max(ROUNDS // 8, 20)
    escaped: Counter[str] = Counter()
    for _ in range(ROUNDS * 10):
        if made >= wanted:
            break
        broken = mutate(random.choice(queries), name, random)
        if broken is None:
            continue
        made += 1
        try:
            prove(broken, catalog=CATALOG, scope=RIGHT)
        except ScopeRefusedError:
            continue
        escaped[broken.statement] += 1
    assert made >= wanted
    assert not escaped, (escaped.total(), made, next(iter(escaped)))


def _nodes(node: Any) -> Iterator[tuple[Any, Any]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield node, key
        yield from _nodes(value)


def _swapped(statement: str, random: Random) -> str:
    """Blind mutation: one part of the pipeline replaced by a copy of another, or removed, or renamed."""
    stages = json.loads(statement)
    places = list(_nodes(stages))
    holder, key = random.choice(places)
    fate = random.random()
    if fate < 0.25:
        del holder[key]
    elif fate < 0.4 and isinstance(holder, dict):
        names = [other for container, other in places if isinstance(container, dict)]
        holder[random.choice(names)] = holder.pop(key)
    else:
        container, other = random.choice(places)
        holder[key] = json.loads(json.dumps(container[other]))
    return text(stages)


@pytest.fixture(scope="module")
def databases(mongodb_server: MongodbServer) -> Iterator[tuple[Documents, Documents]]:
    """The whole shop, and the shop of tenant a alone."""
    with mongodb_server.admin() as admin:
        everything, alone = admin["blindall"], admin["blindown"]
        for database in (everything, alone):
            load_shop(database)
        for name, own in MINE.items():
            alone[name].delete_many({"_id": {"$nin": sorted(own)}})
        yield everything, alone


@pytest.mark.server
def test_blind_mutants_that_are_proved_still_see_one_tenant_only(databases: tuple[Documents, Documents]) -> None:
    """What the checker lets pass after a blind change gives the same answer whatever other tenants' documents are."""
    random = Random("blind pipelines")
    queries = _queries()
    here, elsewhere = databases
    proved = tried = 0
    for _ in range(ROUNDS * 6):
        query = random.choice(queries)
        statement = _swapped(query.statement, random)
        if statement == query.statement:
            continue
        tried += 1
        try:
            passed = prove(replace(query, statement=statement), catalog=CATALOG, scope=RIGHT)
        except ScopeRefusedError:
            continue
        proved += 1
        assert _seen(here, passed) == _seen(elsewhere, passed), statement
    assert tried > ROUNDS
    assert 0 < proved < tried


def _seen(database: Documents, query: ScopedQuery) -> object:
    try:
        rows = run(database, query)
    except (PyMongoError, KeyError) as error:
        # The class only: sources drop the text of an error, which may quote cells.
        return type(error).__name__
    # A blind change may lose the order; a set of rows is what has to agree.
    return sorted(repr([round(v, 9) if isinstance(v, float) else v for v in row]) for row in rows)
