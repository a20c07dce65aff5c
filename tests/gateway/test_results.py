"""Kept results: off unless asked for, and never across two rights (attack 45 of the checklist)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.chart.prove import prove
from gateway.errors import QueryTimeoutError
from gateway.results import ResultCache, age_notes, result_key
from gateway.types import Cell, ResultTable, ScopedQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import COUNT, bar, text, where

SPEC = bar("orders", "orders.status", COUNT)


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reader:
    """Counts reads; each gives another number, so that a kept row shows."""

    reads: int = 0
    size: int = 10
    fails: list[Exception] = field(default_factory=list)

    def __call__(self) -> ResultTable:
        self.reads += 1
        if self.fails:
            raise self.fails.pop()
        return ResultTable(columns=shop.proved(SPEC).query.columns, rows=((self.reads,),), bytes=self.size)


def test_nothing_is_kept_unless_asked_for() -> None:
    """Passes: with 0 seconds every question reads anew."""
    cache, read = ResultCache(0), Reader()
    query = shop.proved(SPEC)
    assert [cache.run(query, read).rows for _ in range(3)] == [((1,),), ((2,),), ((3,),)]


def test_kept_rows_are_given_again_with_their_age_until_they_are_old() -> None:
    """A hit says how old it is; at its age limit the rows are read again."""
    clock, read = Clock(), Reader()
    cache, query = ResultCache(30, clock=clock), shop.proved(SPEC)
    first = cache.run(query, read)
    clock.now += 29
    again = cache.run(query, read)
    assert (again.rows, again.age_s, first.age_s) == (first.rows, 29, 0)
    assert age_notes(again) == ("rows as read 29 seconds ago",)
    assert age_notes(first) == ()
    clock.now += 1
    assert cache.run(query, read).rows == ((2,),)


def test_an_error_is_never_kept() -> None:
    """Cannot finish: what could not be read is read again, and the error is the source's own."""
    cache, read = ResultCache(30), Reader(fails=[QueryTimeoutError("too slow", stage="run")])
    query = shop.proved(SPEC)
    with pytest.raises(QueryTimeoutError):
        cache.run(query, read)
    assert cache.run(query, read).rows == ((2,),)


def test_a_statement_nobody_proved_cannot_be_a_key() -> None:
    """Wrong order: the cache takes what the checker made, and a compiled query has no scope to be kept under."""
    cache = ResultCache(30)
    with pytest.raises(AttributeError):
        cache.run(shop.compiled(SPEC), Reader())  # type: ignore[arg-type]


RIGHTS: dict[str, Any] = {
    "another tenant": shop.scope("b"),
    "a tenant whose id differs by case": shop.scope("A"),
    "two tenants": shop.scope("a", "b"),
    "another user": replace(shop.scope("a"), user="u2"),
    "another time zone": shop.scope("a", timezone="Asia/Tokyo"),
    "another week start": shop.scope("a", week_start="sunday"),
    "another limit": shop.scope("a", max_rows=10),
    "a column less": replace(
        shop.scope("a"),
        tables={
            **shop.scope("a").tables,
            "orders": replace(
                shop.scope("a").tables["orders"], columns=shop.scope("a").tables["orders"].columns - {"fee"}
            ),
        },
    ),
    "another datasource": replace(shop.scope("a"), source="other"),
}


@pytest.mark.parametrize("name", RIGHTS)
def test_45_rows_of_one_right_are_not_given_to_another(name: str) -> None:
    """Refuses: the same spec under any other right misses, whatever differs."""
    clock, read = Clock(), Reader()
    cache = ResultCache(3600, clock=clock)
    cache.run(shop.proved(SPEC), read)
    right = RIGHTS[name]
    catalog = replace(shop.catalog(shop.Dialect.DUCKDB), source=right.source)
    other = prove(shop.compiled(SPEC, right=right, shop=catalog), catalog=catalog, scope=right)
    assert result_key(other) != result_key(shop.proved(SPEC))
    assert cache.run(other, read).rows == ((2,),)


@pytest.mark.parametrize(
    "spec",
    [
        bar("orders", "orders.status", COUNT, limit=3),
        bar("orders", {"column": "orders.customer_id"}, COUNT),
        text("orders", filter=where("eq", "orders.status", value="paid")),
    ],
)
def test_another_question_misses(spec: dict[str, Any]) -> None:
    assert result_key(shop.proved(spec)) != result_key(shop.proved(SPEC))


def _bound(word: Cell) -> ScopedQuery:
    spec = text("orders", filter=where("eq", "orders.status", value={"placeholder": "v1"}))
    return shop.proved(spec, v1=str(word))


WORDS = st.text(st.characters(min_codepoint=32), max_size=12)


@given(WORDS, WORDS)
@settings(deadline=None)
def test_the_askers_own_words_are_part_of_the_key(mine: str, theirs: str) -> None:
    """The same statement with another bound word is another question; with the same word it is the same."""
    same = _bound(mine).query.parameters == _bound(theirs).query.parameters
    assert (result_key(_bound(mine)) == result_key(_bound(theirs))) is same


def test_memory_is_bounded() -> None:
    """The least recently used results go when their bytes would pass the bound."""
    cache, read = ResultCache(3600, max_bytes=25), Reader()
    first, second, third = _bound("a"), _bound("b"), _bound("c")
    for query in (first, second, first, third):
        cache.run(query, read)
    assert read.reads == 3
    cache.run(first, read)
    assert read.reads == 3
    cache.run(second, read)
    assert read.reads == 4
