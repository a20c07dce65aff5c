"""Tokens are counted as the models count them, and without a network."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts import budget
from prompts.budget import ENCODINGS, check_encoding, count_tokens
from prompts.errors import EncodingMissing


@pytest.fixture(scope="module")
def independent() -> dict[str, Callable[[str], list[int]]]:
    """The other tokenizer's encoders; it takes a second to load."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai

        return {name: bpe_openai.get_encoding(name).encode_ordinary for name in ENCODINGS}


def test_both_encodings_agree_with_an_independent_tokenizer(
    independent: dict[str, Callable[[str], list[int]]],
) -> None:
    """bpe-openai's own tokenizer, written in another language, counts the same."""

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
    def agree(text: str) -> None:
        for name, encode in independent.items():
            assert count_tokens(text, name) == len(encode(text))

    agree()


def test_special_token_words_are_plain_text() -> None:
    """A schema word that looks like a special token is neither an error nor one token."""
    assert count_tokens("<|endoftext|>", "o200k_base") > 3


def test_unknown_encoding_says_which_are_known() -> None:
    """The error names what there is."""
    with pytest.raises(EncodingMissing, match="o200k_base, cl100k_base"):
        check_encoding("p50k_base")


def test_missing_package_stops_the_start_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the data there is an error at start-up, no download."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    budget._counter.cache_clear()
    try:
        with pytest.raises(EncodingMissing, match="pip install tiktoken bpe-openai"):
            check_encoding("o200k_base")
    finally:
        budget._counter.cache_clear()


def test_damaged_data_is_not_counted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks with another hash are refused: a wrong count would break the budget silently."""
    monkeypatch.setattr(budget, "_O200K_SHA256", "0" * 64)
    budget._counter.cache_clear()
    try:
        with pytest.raises(EncodingMissing):
            check_encoding("o200k_base")
    finally:
        budget._counter.cache_clear()
