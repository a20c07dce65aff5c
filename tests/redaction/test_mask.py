"""Masking: what is found becomes a placeholder, and the original stays in the vault."""

from __future__ import annotations

import pickle

import pytest

from redaction.errors import QuestionRefused
from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.policy import Action, Policy
from redaction.scan import ScanConfig, Scanner

KNOWN = frozenset({"orders", "customers", "status", "order_items", "country"})


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(ScanConfig())


@pytest.fixture(scope="module")
def index() -> ValueIndex:
    builder = IndexBuilder(b"k" * 32)
    builder.add("orders.status", ["Shipped", "Returned", "refund"])
    builder.add("customers.name", ["Acme Corp", "Müller GmbH", "Shipped", "O'Neill & Sons"])
    builder.add("customers.email", ["ada@lovelace.example"])
    return builder.build()


def test_mask_links_values_longest_first(scanner: Scanner, index: ValueIndex) -> None:
    """A value of two columns carries both; a value of two words is one placeholder."""
    masked = mask("shipped orders for ACME corp by month", scanner, index=index, known_names=KNOWN)
    assert masked.text == "⟨v1: customers.name | orders.status⟩ orders for ⟨v2: customers.name⟩ by month"
    assert masked.vault.bindings() == {"v1": "shipped", "v2": "ACME corp"}
    assert masked.placeholders() == {"v1": ("customers.name", "orders.status"), "v2": ("customers.name",)}


def test_mask_links_in_any_case_accents_and_number(scanner: Scanner, index: ValueIndex) -> None:
    """What is bound is the form that is in the data where the asker wrote the plural."""
    masked = mask("refunds of muller gmbh and o neill & sons", scanner, index=index, known_names=KNOWN)
    assert masked.text == "⟨v1: orders.status⟩ of ⟨v2: customers.name⟩ and ⟨v3: customers.name⟩"
    assert masked.vault.bindings()["v1"] == "refund"


def test_mask_replaces_personal_data(scanner: Scanner) -> None:
    """Each kind has a placeholder of its own, and equal originals share one."""
    masked = mask("mail of ada@lovelace.example, Ada@lovelace.example, +44 20 7946 0958", scanner)
    assert masked.text == "mail of ⟨email:1⟩, ⟨email:1⟩, ⟨phone:1⟩"
    assert [e.entity_type for e in masked.entities] == ["EMAIL_ADDRESS", "EMAIL_ADDRESS", "PHONE_NUMBER"]


@pytest.mark.parametrize("question", ["orders with IDs 5, 7 and 9 by month", "products by SKUs", "pages with URLs"])
def test_several_of_an_acronym_are_no_name(scanner: Scanner, question: str) -> None:
    """The small s of "IDs" made a word of no dictionary with a capital of it."""
    assert mask(question, scanner, known_names=KNOWN).text == question


def test_mask_prefers_the_linked_value(scanner: Scanner, index: ValueIndex) -> None:
    """An e-mail address that is in a column is linked to the column."""
    masked = mask("orders of ada@lovelace.example", scanner, index=index, known_names=KNOWN)
    assert masked.text == "orders of ⟨v1: customers.email⟩"


def test_mask_maps_spans_back_to_what_was_typed(scanner: Scanner) -> None:
    """Invisible and full-width characters do not move the span."""
    typed = "x\u200bx ａｄａ@love\u200blace.example"
    masked = mask(typed, scanner)
    (entity,) = masked.entities
    assert typed[entity.start : entity.end] == "ａｄａ@love\u200blace.example"
    assert masked.text == "xx ⟨email:1⟩"


@pytest.mark.parametrize(
    "typed", ["⟨v1: orders.status⟩", "⟨email:1⟩", "〈email:1〉", "{{ config }}", "{% raw %}", "{{{{"]
)
def test_mask_disarms_typed_placeholders(scanner: Scanner, typed: str) -> None:
    """A person cannot write a placeholder or a template mark."""
    text = mask(f"total {typed} by month", scanner).text
    assert not set("⟨⟩") & set(text)
    assert "{{" not in text
    assert "{%" not in text


def test_mask_refuses_a_secret(scanner: Scanner) -> None:
    """A key is refused, and the refusal does not quote it."""
    with pytest.raises(QuestionRefused) as refusal:
        mask("why does sk-abcdefghijklmnopqrstuvwxyz012345 fail", scanner)
    assert refusal.value.kinds == ("SECRET",)
    assert "sk-" not in str(refusal.value)


def test_mask_follows_the_policy(scanner: Scanner) -> None:
    """Allow leaves it, refuse refuses it."""
    question = "orders of ada@lovelace.example"
    assert mask(question, scanner, policy=Policy(actions={"EMAIL_ADDRESS": Action.ALLOW})).text == question
    with pytest.raises(QuestionRefused):
        mask(question, scanner, policy=Policy(default=Action.REFUSE))


def test_mask_numbers_after_what_is_taken(scanner: Scanner, index: ValueIndex) -> None:
    """A follow-up does not give a new meaning to a placeholder of the question before."""
    masked = mask("shipped to ada@x.example", scanner, index=index, known_names=KNOWN, taken=("v1", "email:1"))
    assert set(masked.placeholders()) == {"v2", "email:2"}


def test_the_vault_is_neither_printed_nor_pickled(scanner: Scanner) -> None:
    """The originals do not get into a log, an error or a cache by accident."""
    masked = mask("orders of ada@lovelace.example", scanner)
    assert "lovelace" not in repr(masked) + repr(masked.vault) + str(masked)
    with pytest.raises(TypeError):
        pickle.dumps(masked)
