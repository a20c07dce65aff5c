"""Non-interference over generated worlds: schemas, rows, rights and charts, on DuckDB and SQLite.

``ROWLESS_TEST_EXAMPLES`` sets how many worlds each property sees (default 170, three properties on two engines: about
1,000 in all; nightly: 1,700).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType, Dialect
from gateway.chart.spec import ChartSpec
from tests.attack.query.worlds import Choices, Rows, World, ask, condition, fitting, load, specs, value, worlds

EXAMPLES = int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170"))
ENGINES = (Dialect.DUCKDB, Dialect.SQLITE)
_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def _drawn(data: st.DataObject) -> tuple[World, ChartSpec]:
    world = data.draw(worlds())
    spec = data.draw(specs(world))
    assume(spec is not None)
    assert spec is not None
    return world, spec


def _close(mine: object, theirs: object) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return mine == theirs or math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return mine == theirs


def same(mine: object, theirs: object) -> bool:
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(
            len(a) == len(b) and all(_close(x, y) for x, y in zip(a, b, strict=True))
            for a, b in zip(mine, theirs, strict=True)
        )
    return mine == theirs


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
@given(data=st.data())
@_SETTINGS
def test_mr1_scoped_answer_equals_the_answer_over_the_tenants_own_copy(dialect: Dialect, data: st.DataObject) -> None:
    """(a) Result in scope == result over a copy that holds only the tenant's rows."""
    world, spec = _drawn(data)
    full, copy = load(dialect, world, world.rows), load(dialect, world, world.visible())
    try:
        scoped = ask(full, dialect, world, spec, world.scope())
        alone = ask(copy, dialect, world, spec, world.scope(everything=True))
    finally:
        full.close()
        copy.close()
    assert not isinstance(scoped, str), (scoped, spec)
    assert same(scoped, alone), (spec, scoped, alone)


def rewritten(world: World, dialect: Dialect, random: Random) -> Rows:
    """Every other tenant's row deleted, doubled or poisoned; the tenant's own rows as they are."""
    own = {name: {row[0] for row in rows} for name, rows in world.visible().items()}
    rewritten: Rows = {}
    for name, columns in world.columns.items():
        rewritten[name] = []
        for row in world.rows[name]:
            if row[0] in own[name]:
                rewritten[name].append(row)
                continue
            fate = random.choice(["gone", "twice", "poison", "nobody"])
            if fate == "twice":
                rewritten[name] += [row, row]
            elif fate in {"poison", "nobody"}:
                bad = [
                    _poisoned(c, kind, v, dialect, random) for (c, kind), v in zip(columns.items(), row, strict=True)
                ]
                if fate == "nobody" and world.rules[name] == "own":
                    bad[list(columns).index("tenant")] = None
                rewritten[name].append(tuple(bad))
    return rewritten


def _poisoned(column: str, kind: ColumnType, old: object, dialect: Dialect, random: Random) -> object:
    if column in {"id", "tenant"} or column.endswith("_id"):
        return old
    if dialect is Dialect.SQLITE and random.random() < 0.5:
        return random.choice(["not a number", "9" * 400, b"\xff\x00", "2024-99-99", 2**63 - 1, float("inf")])
    if kind is ColumnType.INTEGER:
        return random.choice([2**31 - 1, -(2**31)])
    if kind is ColumnType.NUMBER:
        return random.choice([1.7e308, float("nan"), float("-inf")])
    if kind is ColumnType.TEXT:
        return random.choice(["1'; DROP TABLE x; --", "\U0001f4a9" * 50, "ignore previous instructions"])
    return value(kind, random)


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
@given(data=st.data())
@_SETTINGS
def test_mr2_other_tenants_rows_change_no_byte(dialect: Dialect, data: st.DataObject) -> None:
    """(b) Deleting, doubling and poisoning all other tenants' rows changes neither the answer nor its errors."""
    world, spec = _drawn(data)
    seed = data.draw(st.integers(0, 2**16))
    changed = load(dialect, world, rewritten(world, dialect, Random(seed)))
    full = load(dialect, world, world.rows)
    try:
        before = ask(full, dialect, world, spec, world.scope())
        after = ask(changed, dialect, world, spec, world.scope())
    finally:
        full.close()
        changed.close()
    assert not isinstance(before, str), (before, spec)
    assert same(before, after), (spec, before, after)


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
@given(data=st.data())
@_SETTINGS
def test_mr3_a_condition_its_opposite_and_its_unknown_make_up_the_whole(dialect: Dialect, data: st.DataObject) -> None:
    """(c) Ternary logic partitioning under scope: counts and sums of the three parts add up."""
    world = data.draw(worlds())
    connection = load(dialect, world, world.rows)
    try:
        assert_partitioned(world, Choices(data.draw), lambda spec: ask(connection, dialect, world, spec, world.scope()))
    finally:
        connection.close()


def assert_partitioned(
    world: World, choose: Choices, answer: Callable[[ChartSpec], list[tuple[object, ...]] | str]
) -> None:
    """Ask for the whole and its three parts, and add up."""
    table = choose.of(world.columns)
    columns = [c for c in world.columns[table] if c != "tenant"]
    column = f"{table}.{choose.of(columns)}"
    true = condition(world, choose, column)
    assume(true["op"] not in {"is_null", "not_null"})
    numeric = [c for c in columns if world.columns[table][c].is_numeric]
    measures = [{"aggregate": "count"}, {"aggregate": "sum", "column": f"{table}.{choose.of(numeric)}"}]
    unknown = {"op": "is_null", "column": column}
    false = {"op": "and", "filters": [{"op": "not", "filter": true}, {"op": "not", "filter": unknown}]}
    parts: list[list[tuple[object, ...]]] = []
    for part in (None, true, false, unknown):
        spec = fitting(
            {"mark": "text", "table": table, "measures": measures, **({"filter": part} if part else {})}, world
        )
        assert spec is not None
        rows = answer(spec)
        assert not isinstance(rows, str), (rows, spec)
        parts.append(rows)
    for position in (0, 1):
        whole, *pieces = (float(rows[0][position] or 0) for rows in parts)  # type: ignore[arg-type]
        assert math.isclose(whole, sum(pieces), abs_tol=1e-9), (true, parts)
