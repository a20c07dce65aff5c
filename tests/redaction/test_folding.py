"""Readings of a text: every character of every reading comes from where it says."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.egress import is_plain_text
from redaction.folding import clean, views

ANY = st.text(max_size=80)


@given(text=ANY)
@settings(max_examples=200, deadline=None)
def test_spans_lie_in_the_original_and_never_go_back(text: str) -> None:
    """Each character of the reading has a non-empty span, in order."""
    reading = clean(text)
    assert len(reading.text) == len(reading.starts) == len(reading.ends)
    for start, end in zip(reading.starts, reading.ends, strict=True):
        assert 0 <= start < end <= len(text)
    assert list(reading.starts) == sorted(reading.starts)


@given(text=ANY)
@settings(max_examples=200, deadline=None)
def test_what_is_cleaned_is_clean(text: str) -> None:
    """No invisible character, no placeholder bracket, no template mark; and cleaning again changes nothing."""
    once = clean(text).text
    assert is_plain_text(once)
    assert not set("⟨⟩") & set(once)
    assert not [mark for mark in ("{{", "}}", "{%", "%}", "{#", "#}") if mark in once]
    assert clean(once).text == once


@given(text=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_full_width_reads_as_ascii(text: str) -> None:
    """Full-width letters and digits are read as the plain ones, character by character."""
    wide = "".join(chr(ord(c) + 0xFEE0) for c in text)
    assert clean(wide).text == clean(text).text
    assert clean(wide).starts == tuple(range(len(text)))


@given(text=ANY)
@settings(max_examples=200, deadline=None)
def test_every_view_maps_back(text: str) -> None:
    """Whatever is found in a view has a span of the original."""
    for view in views(clean(text)):
        for at in range(len(view.text)):
            start, end = view.origin(at, at + 1)
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ada%40x.example", "ada@x.example"),
        ("ada&#64;x.example", "ada@x.example"),
        ("ada\\u0040x.example", "ada@x.example"),
        ("ada at x dot example", "ada@x.example"),
        (base64.b64encode(b"ada@x.example").decode(), "ada@x.example"),
        (b"ada@x.example".hex(), "ada@x.example"),
        ("a d a @ x . e x", "ada@x.ex"),
        ("four one one one one one", "411111 "),
        ("41 11 11 11", "41111111"),
        ("аda", "ada"),
    ],
)
def test_a_disguise_is_undone(typed: str, read: str) -> None:
    """One reading has it in plain."""
    assert read in [view.text for view in views(clean(typed))]


@pytest.mark.parametrize(
    "text",
    [
        "orders between 2023-01-01 and 2024-06-30",
        "from 2023-01-01 2024-06-30",
        "revenue above 1,500,000.50",
        "at 10:30 on 03/04/2024",
        "bins 0, 10, 25, 50, 100, 250",
        "one or two or three charts",
        "orders at the end of the quarter",
    ],
)
def test_ordinary_numbers_and_words_are_no_disguise(text: str) -> None:
    """Dates, times, thousands, lists: there is nothing to undo."""
    assert list(views(clean(text))) == []


@given(text=st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_composed_and_decomposed_text_read_alike(text: str) -> None:
    """Accents typed on their own or with their letter make one reading."""
    assert clean(unicodedata.normalize("NFD", text)).text == clean(unicodedata.normalize("NFC", text)).text
