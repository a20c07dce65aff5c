"""(d) A mutation of a compiled statement is caught by the checker."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
import sqlglot
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.chart.prove import prove
from gateway.errors import ScopeRefusedError
from gateway.types import CompiledQuery
from tests.attack.query import mutants
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES

DIALECTS = (Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES, Dialect.MYSQL, Dialect.SPARK)
ROUNDS = int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170"))
WANTED = 0.95


def _queries(dialect: Dialect) -> list[CompiledQuery]:
    catalog = shop.catalog(dialect)
    return [shop.compiled(spec, shop=catalog, v1="PAID") for spec in CASES.values()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_unchanged_statements_are_proved(dialect: Dialect) -> None:
    """The checker passes what the compiler makes, for every construct: it does not just refuse."""
    for query in _queries(dialect):
        assert prove(query, catalog=shop.catalog(dialect), scope=shop.scope("a")).query is query


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_mutants_are_caught(dialect: Dialect) -> None:
    """Every way to break a statement, on randomly chosen statements of every construct."""
    random = Random(f"mutants {dialect}")
    queries, catalog, right = _queries(dialect), shop.catalog(dialect), shop.scope("a")
    made: Counter[str] = Counter()
    escaped: Counter[str] = Counter()
    for name in mutants.ALL:
        for _ in range(ROUNDS):
            if made[name] >= max(ROUNDS // 20, 5):
                break
            broken = mutants.mutate(random.choice(queries), name, random)
            if broken is None:
                continue
            made[name] += 1
            try:
                prove(broken, catalog=catalog, scope=right)
            except ScopeRefusedError:
                continue
            escaped[name] += 1
    score = 1 - escaped.total() / made.total()
    assert len(made) >= len(mutants.ALL) - 2, set(mutants.ALL) - set(made)
    assert score >= WANTED, escaped
    # Every mutant here changes who sees what, so none may escape; 95 % is the promise, this is the state.
    assert not escaped, (score, escaped)


def _swapped(statement: str, dialect: Dialect, random: Random) -> str | None:
    """Blind mutation: one node of the tree replaced by a copy of another, or removed."""
    tree = sqlglot.parse_one(statement, read=dialect.value)
    nodes = [node for node in tree.walk() if node is not tree and isinstance(node, exp.Expr)]
    target = random.choice(nodes)
    if random.random() < 0.25:
        if target.arg_key is None or target.index is not None:
            return None
        target.pop()
    else:
        target.replace(random.choice(nodes).copy())
    try:
        return tree.sql(dialect=dialect.value)
    except Exception:  # noqa: BLE001
        return None


@pytest.mark.parametrize("dialect", [Dialect.DUCKDB, Dialect.SQLITE], ids=str)
def test_blind_mutants_that_are_proved_still_see_one_tenant_only(dialect: Dialect) -> None:
    """What the checker lets pass after a blind change gives the same answer whatever other tenants' rows are."""
    random = Random(f"blind {dialect}")
    queries, catalog, right = _queries(dialect), shop.catalog(dialect), shop.scope("a")
    here, elsewhere = _database(dialect, others=True), _database(dialect, others=False)
    proved = tried = 0
    try:
        for _ in range(ROUNDS * 3):
            query = random.choice(queries)
            statement = _swapped(query.statement, dialect, random)
            if statement is None or statement == query.statement:
                continue
            tried += 1
            broken = replace(query, statement=statement)
            try:
                prove(broken, catalog=catalog, scope=right)
            except ScopeRefusedError:
                continue
            proved += 1
            assert _run(here, broken) == _run(elsewhere, broken), statement
    finally:
        here.close()
        elsewhere.close()
    assert tried > ROUNDS
    assert proved < tried


def _database(dialect: Dialect, *, others: bool):  # type: ignore[no-untyped-def]
    import sqlite3

    import duckdb

    connection = duckdb.connect() if dialect is Dialect.DUCKDB else sqlite3.connect(":memory:")
    for name, columns in shop.COLUMNS.items():
        types = shop.TYPES[dialect]
        connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {types[kind]}' for c, kind in columns.items())})")
    mine = {"customers": {1, 2, 4, 6}, "orders": {1, 2, 3, 5, 6, 8, 9}, "products": {1, 2, 4}, "tickets": {1, 2, 3, 5},
            "items": {1, 2, 3, 4, 6, 7, 8, 9}}  # fmt: skip
    for statement, rows in shop.inserts("?"):
        table = statement.split()[2]
        kept = [row for row in rows if others or table == "cities" or row[0] in mine[table]]
        connection.executemany(statement, kept)
    return connection


def _run(connection, query: CompiledQuery) -> object:  # type: ignore[no-untyped-def]
    try:
        rows = connection.execute(query.statement, query.parameters).fetchall()
    except Exception as error:  # noqa: BLE001
        # The class only: sources drop the text of an error, which may quote cells.
        return type(error).__name__
    # A blind change may lose the order; a set of rows is what has to agree.
    return sorted(repr([round(v, 9) if isinstance(v, float) else v for v in row]) for row in rows)
