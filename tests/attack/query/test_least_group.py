"""Attack 26 of the checklist: answers that single out a record, where the owner set a least group."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.catalog import Dialect
from gateway.chart.support import support_note, without_support
from gateway.errors import SpecInvalidError
from gateway.project import SourceConfig
from gateway.sources.open import open_source
from gateway.tenancy.scope import Scope
from gateway.types import ResultTable
from tests.gateway.chart import shop
from tests.gateway.chart.cases import COUNT, bar, text, where
from tests.gateway.chart.conftest import Engine
from tests.gateway.chart.test_engines import answer

FEE: dict[str, Any] = {"aggregate": "sum", "column": "orders.fee"}


def right(least: int, *, subject: str | None = None) -> Scope:
    """Tenant a, whose answers stand on `least` subjects."""
    scope = replace(shop.scope("a"), min_answer_group=least)
    if subject is None:
        return scope
    orders = replace(scope.tables["orders"], subject=subject)
    return replace(scope, tables={**scope.tables, "orders": orders})


def shown(engine: Engine, spec: dict[str, Any], scope: Scope) -> ResultTable:
    return without_support(answer(engine, spec, scope))


@pytest.fixture(params=["duckdb_shop", "sqlite_shop", "postgres_shop", "mariadb_shop", "mongodb_shop", "spark_shop"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if "duckdb" not in request.param and "sqlite" not in request.param:
        request.applymarker("server")
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Engine)
    return found


@pytest.mark.server
def test_26_small_groups_are_left_out_in_the_database(engine: Engine) -> None:
    """Refuses: of tenant a's orders by customer only those of customers with two orders or more are told."""
    spec = bar("orders", {"column": "orders.customer_id"}, COUNT)
    everything = {row[0]: row[1] for row in shown(engine, spec, right(0)).rows}
    kept = {row[0]: row[1] for row in shown(engine, spec, right(2)).rows}
    assert kept == {customer: n for customer, n in everything.items() if isinstance(n, int) and n >= 2}
    assert 0 < len(kept) < len(everything)
    assert [column.field for column in shown(engine, spec, right(2)).columns] == ["d1", "m1"]


@pytest.mark.server
def test_26_two_filters_one_subject_apart(engine: Engine) -> None:
    """Refuses: a filter that leaves one order over has no answer, nor has a measure's own filter."""
    one = text("orders", FEE, filter=where("lt", "orders.ordered_at", value="2024-01-01"))
    assert shown(engine, one, right(0)).rows != ()
    assert shown(engine, one, right(2)).rows == ()
    own = text("orders", {**FEE, "filter": where("lt", "orders.ordered_at", value="2024-01-01")}, COUNT)
    assert shown(engine, own, right(2)).rows == ()


@pytest.mark.server
def test_26_subjects_are_counted_not_rows(engine: Engine) -> None:
    """Refuses: many orders of one customer are one subject; and a parent's value is counted by parents."""
    spec = text("orders", FEE, filter=where("eq", "orders.customer_id", value=1))
    assert shown(engine, spec, right(2)).rows != ()
    assert shown(engine, spec, right(2, subject="customer_id")).rows == ()
    cities = text("customers", {"aggregate": "count_distinct", "column": "cities.name"},
                  filter=where("eq", "customers.city_id", value=3))  # fmt: skip
    assert shown(engine, cities, right(0)).rows == ((1,),)
    assert shown(engine, cities, right(2)).rows == ()


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a list of rows": ({"mark": "table", "table": "orders", "dimensions": [{"column": "orders.fee"}]},
                       "aggregates_only", "mark"),
    "points": ({"mark": "point", "table": "orders",
                "dimensions": [{"column": "orders.fee"}, {"column": "orders.customer_id"}]}, "aggregates_only", "mark"),
    "a boxplot": ({"mark": "boxplot", "table": "orders", "measures": [{"aggregate": "median", "column": "orders.fee"}]},
                  "aggregates_only", "mark"),
    "the highest": (text("orders", {"aggregate": "max", "column": "orders.fee"}), "aggregates_only",
                    "measures[0].aggregate"),
    "the median": (text("orders", COUNT, {"aggregate": "median", "column": "orders.fee"}), "aggregates_only",
                   "measures[1].aggregate"),
    "a share": (bar("orders", "orders.status", COUNT, {"derive": "share_of_total", "of": "m1"}), "aggregates_only",
                "measures[1].derive"),
    "a running total": (bar("orders", {"column": "orders.ordered_at", "grain": "month"}, COUNT,
                            {"derive": "running_total", "of": "m1"}), "aggregates_only", "measures[1].derive"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_26_what_shows_a_record_is_refused(name: str) -> None:
    """Refuses with a code and a place, before any statement is made; without a least group it compiles."""
    spec, code, path = REFUSED[name]
    shop.compiled(spec)
    with pytest.raises(SpecInvalidError) as refusal:
        shop.compiled(spec, right=right(2))
    assert (refusal.value.details["code"], refusal.value.details["path"]) == (code, path)


def test_26_a_table_whose_subjects_cannot_be_counted_is_refused() -> None:
    """Cannot finish: a parent's value without a key in scope to count parents by."""
    scope = right(2)
    facts = shop.summary()
    keyless = facts.model_copy(update={"tables": tuple(t.model_copy(update={"primary_key": ()}) for t in facts.tables)})
    spec = text("customers", {"aggregate": "count_distinct", "column": "cities.name"})
    with pytest.raises(SpecInvalidError) as refusal:
        shop.compile_spec(
            shop.ChartSpec.model_validate(spec), catalog=shop.catalog(Dialect.DUCKDB), scope=scope, summary=keyless,
            bindings={}, now=shop.NOW,
        )  # fmt: skip
    assert refusal.value.details["code"] == "no_key"


def test_without_a_least_group_nothing_changes() -> None:
    """Passes: 0 and 1 are no bound; the statement is the same and nobody is told anything."""
    spec = bar("orders", "orders.status", COUNT)
    assert shop.compiled(spec, right=right(0)).statement == shop.compiled(spec, right=right(1)).statement
    assert support_note(right(1)) == ()
    assert support_note(right(5)) == ("groups of fewer than 5 are left out",)


def test_two_rights_that_differ_by_the_least_group_share_nothing() -> None:
    """Wrong order: rows kept or a context sealed under one bound are not for another."""
    prints = {right(0).fingerprint(), right(2).fingerprint(), right(2, subject="customer_id").fingerprint()}
    assert len(prints) == 3


ROW = st.tuples(st.sampled_from("abcd"), st.sampled_from(("x", "y", None)), st.integers(0, 9))


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, max_size=30), least=st.integers(2, 6), kind=st.sampled_from(("duckdb", "sqlite")))
def test_26_every_group_shown_stands_on_enough(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str | None, int]], least: int, kind: str
) -> None:
    """Of generated rows, exactly the groups of `least` rows are told, each with its whole sum."""
    path = tmp_path_factory.mktemp("least") / f"t.{kind}"
    connect: Any = duckdb.connect if kind == "duckdb" else sqlite3.connect
    with connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, name TEXT, fee INTEGER)")
        for number, row in enumerate(rows):
            connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (number, *row))
        connection.commit()
    if kind == "sqlite":
        connection.close()
    source = open_source(SourceConfig(name="shop", kind="auto", path=path, unrestricted=True))
    try:
        sums = Counter[str]()
        for status, _, fee in rows:
            sums[status] += fee
        sizes = Counter(status for status, *_ in rows)
        named = Counter(status for status, name, _ in rows if name == "x")
        spec = bar("orders", "orders.status", FEE, {**COUNT, "filter": where("eq", "orders.name", value="x")})
        told = {row[0]: row[1:] for row in _told(source, spec, least).rows}
        assert told == {s: (sums[s], named[s]) for s in sizes if sizes[s] >= least and named[s] >= least}
    finally:
        source.close()


def _told(source: Any, spec: dict[str, Any], least: int) -> ResultTable:
    from gateway.chart.prove import prove
    from gateway.summary.model import ColumnSummary, Summary, TableSummary
    from gateway.tenancy.scope import TableScope

    catalog = source.reflect()
    columns = catalog.by_name["orders"].columns
    scope = Scope(
        source="shop", tenant="t", min_answer_group=least,
        tables={"orders": TableScope(columns=frozenset(c.name for c in columns), unrestricted=True)},
    )  # fmt: skip
    facts = Summary(
        source="shop",
        tables=(TableSummary(name="orders", columns=tuple(ColumnSummary(name=c.name, type=c.type) for c in columns)),),
    )
    query = shop.compile_spec(
        shop.ChartSpec.model_validate(spec), catalog=catalog, scope=scope, summary=facts, bindings={}, now=shop.NOW
    )
    result: ResultTable = source.run(prove(query, catalog=catalog, scope=scope), limits=scope.limits)
    return without_support(result)
