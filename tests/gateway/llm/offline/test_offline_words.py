"""Words of questions and names: tokens, lemmas, compounds, numbers, slips of the pen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.llm.offline.compounds import split_compound
from gateway.llm.offline.lexicon import words_of
from gateway.llm.offline.text import edits, lemma, number_of, split_name, stem, tokenize
from gateway.llm.offline.thesaurus import related


def test_a_placeholder_is_one_token_with_its_columns() -> None:
    tokens = tokenize("orders for ⟨v1: customers.name | products.name⟩ and ⟨email:1⟩")
    masked = [t for t in tokens if t.kind == "placeholder"]
    assert [t.text for t in masked] == ["v1", "email:1"]
    assert masked[0].columns == ("customers.name", "products.name")
    assert masked[1].columns == ()


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("categories", "category"), ("statuses", "status"), ("people", "person"), ("boxes", "box"), ("status", "status"),
     ("countries", "country"), ("bus", "bus"), ("sales", "sale"), ("addresses", "address"), ("class", "class")],
)  # fmt: skip
def test_plurals_have_their_singular(plural: str, singular: str) -> None:
    assert lemma(plural) == singular


@pytest.mark.parametrize(("left", "right"), [("ordered", "orders"), ("cancelled", "cancel"), ("shipping", "shipped")])
def test_forms_of_one_verb_share_a_stem(left: str, right: str) -> None:
    assert stem(left) == stem(right)


@pytest.mark.parametrize(
    ("text", "value"), [("$1,200", 1200), ("15%", 15), ("3k", 3000), ("0.25", 0.25), ("2.5m", 2_500_000), ("-4", -4)]
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize(
    ("name", "words"),
    [("signed_up_on", ("signed", "up", "on")), ("orderQty", ("order", "qty")), ("HTTPStatus", ("http", "status"))],
)
def test_identifiers_are_split_into_words(name: str, words: tuple[str, ...]) -> None:
    assert split_name(name) == words


def test_abbreviations_and_compounds_are_spelt_out() -> None:
    assert words_of("cust_addr") == ("customer", "address")
    assert words_of("billingcountry") == ("billing", "country")
    assert words_of("invoicedate") == ("invoice", "date")
    assert split_compound("username") == ("username",)
    assert split_compound("paid") == ("paid",)


def test_synonyms_share_a_group_and_others_do_not() -> None:
    assert related("client", "customer")
    assert not related("customer", "category")


@pytest.mark.parametrize(("left", "right", "away"), [("catgory", "category", 1), ("teh", "the", 1), ("abc", "xyz", 3)])
def test_edits_counts_slips_up_to_its_limit(left: str, right: str, away: int) -> None:
    assert edits(left, right, 2) == away


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_tokens_lie_in_the_question_in_order(text: str) -> None:
    """Every token is a place in the question, and none overlaps the one before unless they are parts of one word."""
    last = (0, 0)
    for token in tokenize(text):
        assert 0 <= token.start < token.end <= len(text)
        assert token.start >= last[1] or (token.start, token.end) == last
        last = (token.start, token.end)
