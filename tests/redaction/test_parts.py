"""Parts of values: linked where they say which value is meant, and nowhere else."""

from __future__ import annotations

import pytest

from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.parts import MAX_SHARED, parts_of
from redaction.scan import ScanConfig, Scanner

SCANNER = Scanner(ScanConfig())
KNOWN = frozenset({"orders", "customers", "name", "revenue", "status"})
NAMES = ("Acme Corp", "Zorblax Industries", "Blue Ocean Trading", "Ana Lopez", "Maria Lopez", "New Wave Foods",
         "Ocean Freight Lines", "Müller Getränke GmbH", "Qux of the very long name here")  # fmt: skip


def build(**columns: list[str]) -> ValueIndex:
    builder = IndexBuilder(b"key of the parts, 16+")
    for name, values in columns.items():
        builder.add(name.replace("__", "."), values)
    return builder.build()


INDEX = build(customers__name=list(NAMES), suppliers__name=["Zorblax Ltd"])


def linked(text: str, index: ValueIndex = INDEX) -> list[tuple[str, tuple[str, ...], bool]]:
    """What was bound, with its columns, and whether as a part."""
    masked = mask(text, SCANNER, index=index, known_names=KNOWN)
    bindings = masked.vault.bindings()
    return [(bindings[value.placeholder], value.columns, value.part) for value in masked.values]


@pytest.mark.parametrize(
    ("typed", "bound"),
    [
        ("orders of acme by month", "acme"),
        ("orders for ACME, please", "acme"),
        ("Acme's revenue", "acme"),
        ("revenue from blue ocean", "blue ocean"),
        ("did lopez order", "lopez"),
        ("did muller order", "muller"),
        ("revenue of Getranke", "getranke"),
    ],
)
def test_a_part_is_linked(typed: str, bound: str) -> None:
    """In any case and accents, as a beginning or a later word."""
    assert linked(typed) == [(bound, ("customers.name",), True)]


def test_a_part_of_values_of_two_columns_carries_both() -> None:
    """The planner chooses, as with whole values."""
    assert linked("revenue of zorblax") == [("zorblax", ("customers.name", "suppliers.name"), True)]


def test_the_whole_value_wins_over_its_part() -> None:
    """Longest first."""
    assert linked("revenue of zorblax industries") == [("zorblax industries", ("customers.name",), False)]


@pytest.mark.parametrize(
    "typed",
    [
        "revenue for ocean shipping by month",  # an ordinary word before a word that it may belong to
        "blue orders by month",  # not in the place of a name
        "new orders by month",
        "revenue of new customers",
        "revenue of corp",
        "revenue of gmbh",
        "orders of foods",  # an ordinary word that is not the beginning
        "revenue of very long",  # values of many words are sentences
    ],
)
def test_words_that_are_parts_by_chance_are_left(typed: str) -> None:
    """Ordinary words, schema words and legal forms are no names of values."""
    assert linked(typed) == []


def test_a_longer_name_is_somebody_else() -> None:
    """There is an Ana Lopez, but no Juana Lopez."""
    masked = mask("orders of Juana Lopez", SCANNER, index=INDEX, known_names=KNOWN)
    assert masked.text == "orders of ⟨name:1⟩"


def test_a_part_that_many_share_stands_for_nothing() -> None:
    """Up to eight values, and no more."""
    few = [f"Zorblax Number{n:02d}x" for n in range(MAX_SHARED)]
    assert linked("revenue of zorblax", build(t__c=few))
    assert not linked("revenue of zorblax", build(t__c=[*few, "Zorblax Last"]))


def test_what_a_part_is() -> None:
    """Beginnings and later words; none of one word, of a sentence, of numbers and legal forms."""
    assert list(parts_of(["acme"])) == []
    assert sorted(parts_of(["acme", "corp"])) == ["\x02acme"]
    assert sorted(parts_of(["blue", "ocean", "trading"])) == [
        "\x02blue", "\x02blue ocean", "\x03ocean", "\x03trading",
    ]  # fmt: skip
    assert list(parts_of(["12", "ab"])) == []
    assert list(parts_of(["one", "two", "three", "four", "five", "six"])) == []


def test_parts_are_counted_apart_and_kept_by_a_refresh() -> None:
    """Memory is stated for what is there; a refresh of one column keeps the parts of the others."""
    stats = INDEX.stats
    assert stats.values == len(NAMES) + 1
    assert stats.parts > 0
    assert stats.bits_per_value == 96
    builder = IndexBuilder(b"key of the parts, 16+", previous=INDEX)
    builder.add("suppliers.name", ["Vexmun Ltd"])
    after = builder.build()
    assert linked("revenue of zorblax", after) == [("zorblax", ("customers.name",), True)]
    assert linked("revenue of vexmun", after) == [("vexmun", ("suppliers.name",), True)]


def test_a_skipped_column_keeps_no_parts() -> None:
    """Nothing of it is kept."""
    builder = IndexBuilder(b"key of the parts, 16+")
    builder.add("customers.name", [f"Zorblax{n} Works{n}" for n in range(20)], max_values=10)
    index = builder.build()
    assert index.skipped == ("customers.name",)
    assert index.stats.parts == index.stats.values == 0
