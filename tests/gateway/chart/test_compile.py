"""What the compiler makes besides rows: titles, formats, limits, statements without literals, one text for one spec."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.spec import ChartSpec
from gateway.errors import ScopeRefusedError, SpecInvalidError
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES, COUNT, MONTH, bar, text, where

ENGINES = (Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES, Dialect.MYSQL, Dialect.MONGODB, Dialect.SPARK)
ASCII_ALONE = (Dialect.SQLITE, Dialect.MONGODB)
"""Engines that lower ASCII letters only, so that words beyond it are bound in more than one form."""


@pytest.mark.parametrize(
    ("case", "titles", "formats"),
    [
        ("metric", ["Category", "Revenue"], ["text", "currency"]),
        ("grain month", ["Month", "Orders"], ["date", "integer"]),
        ("part weekday", ["Weekday", "Orders"], ["integer", "integer"]),
        ("finer sum", ["Status", "Orders", "Total quantity"], ["text", "integer", "integer"]),
        (
            "ratio",
            ["Month", "Orders (selected)", "Orders", "Share of orders"],
            ["date", "integer", "integer", "percent"],
        ),
        ("metric with division", ["Category", "Share sold"], ["text", "number"]),
    ],
)
def test_columns_have_titles_and_formats_for_people(case: str, titles: list[str], formats: list[str]) -> None:
    """In words, told apart, and with the way their numbers are written."""
    columns = shop.compiled(CASES[case]).columns
    assert [column.title for column in columns] == titles
    assert [column.format for column in columns] == formats


def test_grains_parts_and_bins_are_said() -> None:
    """Rendering depends on them."""
    assert shop.compiled(bar("orders", MONTH)).columns[0].grain == "month"
    assert shop.compiled(CASES["part weekday"]).columns[0].grain == "weekday"
    assert shop.compiled(CASES["bins by width"]).columns[0].grain == "bin:2.5"
    assert shop.compiled(CASES["histogram"]).columns[0].grain == "bin"
    fields = [column.field for column in shop.compiled(CASES["boxplot"]).columns]
    assert fields == ["d1", "m1_min", "m1_q1", "m1_median", "m1_q3", "m1_max"]


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
@settings(deadline=None, max_examples=50)
@given(words=st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_no_literal_of_a_spec_is_ever_text_of_the_statement(dialect: Dialect, words: str) -> None:
    """The same statement whatever is compared: values are parameters only."""
    spec = text("orders", filter=where("eq", "orders.status", value=words))
    plain = text("orders", filter=where("eq", "orders.status", value="plain"))
    query = shop.compiled(spec, shop=shop.catalog(dialect))
    same = shop.compiled(plain, shop=shop.catalog(dialect))
    assert query.statement == same.statement or (dialect in ASCII_ALONE and not words.isascii())
    quoted = json.dumps(words, ensure_ascii=False)[1:-1]
    assert len(words) < 4 or quoted not in query.statement or quoted in same.statement
    assert words.lower() in query.parameters.values()


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
def test_numbers_of_a_spec_are_bound_too(dialect: Dialect) -> None:
    """987654 stands in no statement."""
    spec = bar(
        "orders",
        {"column": "orders.fee", "bin": {"width": 987654.5}},
        filter=where("gt", "orders.fee", value=987654),
        having=[{"measure": "m1", "op": "gt", "value": 987654}],
    )
    query = shop.compiled(spec, shop=shop.catalog(dialect))
    assert "987654" not in query.statement
    assert 987654 in query.parameters.values()


@pytest.mark.parametrize("case", CASES)
def test_the_same_spec_is_the_same_statement(case: str) -> None:
    """Nothing depends on order of dictionaries or on chance."""
    assert shop.compiled(CASES[case], v1="PAID") == shop.compiled(CASES[case], v1="PAID")
    documents = shop.catalog(Dialect.MONGODB)
    assert shop.compiled(CASES[case], shop=documents, v1="x") == shop.compiled(CASES[case], shop=documents, v1="x")


def test_limits_are_those_of_the_scope_or_fewer() -> None:
    """One row more than may be shown, so that a cut is noticed; or what was asked for."""
    assert shop.compiled(bar("orders", MONTH), right=shop.scope("a", max_rows=10)).max_rows == 11
    assert shop.compiled(bar("orders", MONTH, limit=3)).max_rows == 3
    assert shop.compiled(bar("orders", MONTH, limit=100_000), right=shop.scope("a", max_rows=10)).max_rows == 11


def test_only_needed_columns_are_read() -> None:
    """What is fenced is copied, so nothing else may be in it."""
    tree = sqlglot.parse_one(shop.compiled(bar("orders", "orders.status")).statement, read="duckdb")
    fenced = next(tree.find_all(exp.CTE))
    assert [column.name for column in fenced.this.expressions] == ["status"]


def test_values_that_do_not_fit_are_refused_without_being_quoted() -> None:
    """The caller's own words behind a placeholder may not be a number; the error does not say what they were."""
    spec = text("orders", filter=where("eq", "orders.fee", value={"placeholder": "v1"}))
    with pytest.raises(SpecInvalidError) as error:
        shop.compiled(spec, v1="Ada Lovelace")
    assert "Ada" not in f"{error.value}{error.value.details}"
    assert shop.compiled(spec, v1="1,200.50").parameters["p0"] == 1200.5


@pytest.mark.parametrize("dialect", ENGINES, ids=str)
@pytest.mark.parametrize("words", ["Ada\x00", "Ada\ud800", "\udfff"])
def test_words_that_no_database_can_hold_are_refused_without_being_quoted(words: str, dialect: Dialect) -> None:
    """Half of a surrogate pair, and NUL: drivers fail on them with the text in their error."""
    spec = text("orders", filter=where("eq", "orders.status", value={"placeholder": "v1"}))
    with pytest.raises(SpecInvalidError) as error:
        shop.compiled(spec, shop=shop.catalog(dialect), v1=words)
    assert "Ada" not in f"{error.value}{error.value.details}"


def test_wrong_order_and_unknown_engines_are_refused() -> None:
    """No instant without a zone, no engine without a fence, no table outside the scope."""
    spec = ChartSpec.model_validate(text("orders", COUNT))
    inputs = {
        "catalog": shop.catalog(Dialect.DUCKDB),
        "scope": shop.scope("a"),
        "summary": shop.summary(),
        "bindings": {},
    }
    with pytest.raises(ValueError, match="time zone"):
        compile_spec(spec, **inputs, now=datetime(2024, 1, 1))  # type: ignore[arg-type]  # noqa: DTZ001
    with pytest.raises(ScopeRefusedError):
        compile_spec(spec, **{**inputs, "catalog": shop.catalog(Dialect.TRINO)}, now=shop.NOW)  # type: ignore[arg-type]
    right = shop.scope("a")
    fewer = replace(right, tables={name: t for name, t in right.tables.items() if name != "orders"})
    with pytest.raises(ScopeRefusedError):
        compile_spec(spec, **{**inputs, "scope": fewer}, now=shop.NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_instants_stored_with_a_zone_are_read_like_those_in_utc(zone: str) -> None:
    """The session's own time zone does not matter to a column that knows its own."""
    naive, aware = duckdb.connect(), duckdb.connect()
    for statement in shop.ddl(Dialect.DUCKDB):
        naive.execute(statement)
        aware.execute(statement.replace("TIMESTAMP", "TIMESTAMPTZ") if "TABLE orders" in statement else statement)
    aware.execute("SET timezone = 'UTC'")
    for statement, rows in shop.inserts("?"):
        naive.executemany(statement, rows)
        aware.executemany(statement, rows)
    aware.execute("SET timezone = 'Asia/Tokyo'")
    plain = shop.catalog(Dialect.DUCKDB)
    tables = tuple(
        replace(t, columns=tuple(replace(c, tz_aware=c.name == "ordered_at") for c in t.columns)) for t in plain.tables
    )
    right = shop.scope("a", timezone=zone)
    for spec in CASES.values():
        theirs = shop.proved(spec, right=right, v1="PAID").query
        mine = shop.proved(spec, right=right, shop=replace(plain, tables=tables), v1="PAID").query
        rows_of_mine = aware.execute(mine.statement, mine.parameters).fetchall()
        assert rows_of_mine == naive.execute(theirs.statement, theirs.parameters).fetchall(), spec
    naive.close()
    aware.close()
