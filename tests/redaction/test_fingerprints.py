"""The value index finds what was indexed, in any writing of it, and nothing else; it keeps no value."""

from __future__ import annotations

import gc
import pickle
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.fingerprints import MAX_WORDS, ValueIndex, is_indexed, normalise, number_forms
from redaction.index_builder import IndexBuilder

KEY = b"a key of sixteen or more bytes"
TEXT = st.text(alphabet=string.ascii_letters + "äéøñ -'.&", min_size=1, max_size=40)


def build(key: bytes = KEY, **columns: list[str]) -> ValueIndex:
    builder = IndexBuilder(key)
    for name, values in columns.items():
        builder.add(name.replace("__", "."), values)
    return builder.build()


@given(values=st.lists(TEXT, max_size=20), other=TEXT)
@settings(max_examples=60, deadline=None)
def test_it_finds_exactly_what_was_indexed(values: list[str], other: str) -> None:
    """For every text: found if and only if some value has its normal form and says enough."""
    index = build(t__c=values)
    forms = {normalise(v) for v in values if len(normalise(v).split()) <= MAX_WORDS and is_indexed(normalise(v))}
    assert bool(index.find(normalise(other))) == (normalise(other) in forms)
    assert all(index.find(form) == ("t.c",) for form in forms)


@given(first=st.lists(TEXT, max_size=12), second=st.lists(TEXT, max_size=12), third=st.lists(TEXT, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_refresh_equals_a_new_index(first: list[str], second: list[str], third: list[str]) -> None:
    """Columns added anew are replaced, the others stay."""
    before = build(t__a=first, t__b=second)
    builder = IndexBuilder(KEY, previous=before)
    builder.add("t.b", third)
    refreshed, anew = builder.build(), build(t__a=first, t__b=third)
    for value in first + second + third:
        form = normalise(value)
        assert refreshed.find(form) == anew.find(form)
        assert refreshed.is_styled(form) == anew.is_styled(form)


def test_writings_that_meet() -> None:
    """Case, accents, punctuation, width and ligatures do not matter."""
    index = build(t__c=["Müller GmbH & Co.", "O'Neill", "ＡＣＭＥ", "ﬁne-art", "SKU-0042-X"])
    for writing in ("muller gmbh co", "MÜLLER GMBH & CO", "o neill", "O’Neill", "acme", "fine art", "sku 0042 x"):
        assert index.find(normalise(writing)) == ("t.c",)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("refunds", "refund"),
        ("refund", "refunds"),
        ("cities", "city"),
        ("boxes", "box"),
        ("city", "cities"),
        ("gas", "gas"),
    ],
)
def test_singular_and_plural_meet(typed: str, value: str) -> None:
    """The last word may be in the other number."""
    assert value in set(number_forms(typed))


def test_what_says_too_little_is_not_indexed() -> None:
    """One letter or a short number would match every question."""
    index = build(t__c=["M", "2024", "", "---", "10452"])
    assert len(index) == 1
    assert index.find("10452") == ("t.c",)


def test_styled_values_are_known_to_need_their_spelling() -> None:
    """Without case "Acme Corp" equals "acme corp", and "Müller" does not equal "muller"."""
    index = build(t__c=["Acme Corp", "Müller", "X-Ray", "x ray"])
    assert not index.is_styled("acme corp")
    assert index.is_styled("muller")
    assert not index.is_styled("x ray")


def test_a_column_that_is_too_large_is_skipped_and_said_so() -> None:
    """Nothing of it is kept, and it is read no further than the limit."""
    read = []

    def values() -> object:
        for number in range(1000):
            read.append(number)
            yield f"value {number:06d}"

    builder = IndexBuilder(KEY)
    assert not builder.add("t.big", values(), max_values=10)  # type: ignore[arg-type]
    builder.add("t.small", ["alpha"])
    index = builder.build()
    assert index.skipped == ("t.big",)
    assert len(read) == 11
    assert index.find("value 000001") == ()
    assert index.stats.columns == ("t.small",)


def test_memory_is_as_stated() -> None:
    """96 bits per value, and the stated chance of a false yes."""
    stats = build(t__c=[f"value number {n}" for n in range(5000)]).stats
    assert stats.values == 5000
    assert stats.bits_per_value == 96
    assert stats.false_positive_rate == 5000 / 2**64


def test_no_value_is_kept() -> None:
    """After the index is built, no object of the process holds a value of it."""
    index = build(t__c=[f"Quetzal {n} Holdings" for n in range(50)])
    gc.collect()
    held = [o for o in gc.get_objects() if type(o) in {list, dict, tuple, set}]
    assert not [c for c in held for o in list(c)[:100] if isinstance(o, str) and o.startswith("quetzal ")]
    assert index.find("quetzal 7 holdings")


def test_two_keys_share_nothing() -> None:
    """The same values under another key have other fingerprints, so an index says nothing of another's."""
    one, other = (
        build(key=b"key of tenant one....", t__c=["alpha", "beta"]),
        build(key=b"key of tenant two....", t__c=["alpha", "beta"]),
    )
    assert not set(one._contents.prints) & set(other._contents.prints)
    with pytest.raises(ValueError, match="own key"):
        IndexBuilder(b"key of tenant two....", previous=one)


def test_an_index_stays_in_its_process() -> None:
    """It is not pickled, and printing it shows columns only."""
    index = build(t__c=["alpha"])
    with pytest.raises(TypeError):
        pickle.dumps(index)
    assert repr(index) == "<ValueIndex of 1 columns>"


def test_a_short_key_is_refused() -> None:
    """A key that can be guessed is no key."""
    with pytest.raises(ValueError, match="16 to 64"):
        IndexBuilder(b"short")
