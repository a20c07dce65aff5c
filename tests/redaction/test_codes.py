"""Identifier numbers in a question stay here where the words before them speak of an id, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.codes import find_codes
from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import Scanner

SCANNER = Scanner()


def index_of(**columns: range) -> ValueIndex:
    builder = IndexBuilder(b"k" * 32)
    for name, numbers in columns.items():
        builder.add_codes(name.replace("__", "."), (str(number) for number in numbers))
    return builder.build()


INDEX = index_of(
    orders__id=range(1, 6000),
    order_items__order_id=range(1, 6000),
    customers__id=range(1, 900),
    orders__customer_id=range(1, 900),
    categories__id=range(9),
)


@pytest.mark.parametrize(
    ("question", "masked"),
    [
        ("items of order 4711", "items of order ⟨v1: orders.id⟩"),
        ("revenue of order #4711 by product", "revenue of order #⟨v1: orders.id⟩ by product"),
        ("order no. 12", "order no. ⟨v1: orders.id⟩"),
        ("order number 2024", "order number ⟨v1: orders.id⟩"),
        ("tickets of customer id 17", "tickets of customer id ⟨v1: customers.id⟩"),
        ("sales of category 3", "sales of category ⟨v1: categories.id⟩"),
    ],
)
def test_the_id_of_a_row_stays_here(question: str, masked: str) -> None:
    found = mask(question, SCANNER, index=INDEX, known_names=frozenset({"orders", "customers", "categories"}))
    assert found.text == masked
    assert list(found.vault.bindings()) == ["v1"]


@pytest.mark.parametrize(
    "question",
    [
        "top 5 customers", "orders over 1000", "orders in 2024", "orders 2024 by month", "order 2024", "last 30 days",
        "orders with discount above 10%", "customers with 3 orders", "average of 12.5", "order 9999999",
        "orders between 100 and 500", "order 0012", "supplier 17", "category id 4711",
    ],
)  # fmt: skip
def test_a_number_that_is_no_id_stays_in_the_question(question: str) -> None:
    assert mask(question, SCANNER, index=INDEX).text == question


def test_an_id_of_another_scope_is_told_apart_from_none_by_nothing() -> None:
    mine, theirs = index_of(orders__id=range(1, 10)), index_of(orders__id=range(100, 110))
    assert find_codes("order 5", mine)
    assert find_codes("order 5", theirs) == []


def test_a_statistic_that_equals_an_id_is_no_indexed_value() -> None:
    assert INDEX.find("4711") == ()
    assert INDEX.find_code("4711") == ("order_items.order_id", "orders.id")


@given(number=st.integers(min_value=1, max_value=5999))
def test_every_id_of_the_scope_is_kept_back(number: int) -> None:
    found = mask(f"lines of order id {number}", SCANNER, index=INDEX)
    assert str(number) not in found.text.replace("v1", "")
    assert found.vault.bindings() == {"v1": str(number)}
