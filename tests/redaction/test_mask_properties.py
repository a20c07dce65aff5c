"""What holds of every masked question, whatever is typed."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.errors import QuestionRefused
from redaction.fingerprints import normalise
from redaction.folding import clean
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import PLACEHOLDER, ScanConfig, Scanner

SCANNER = Scanner(ScanConfig(model=None))
SECRETS = (
    "ada@lovelace.example",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "203.0.113.77",
    "maria gonzalez",
    "zorblax industries",
)
PLAIN = (
    "orders of",
    "by month for 2024",
    "top 10",
    "⟨email:1⟩",
    "{{ x }}",
    "and",
    ", please",
    "\u200b",
    "é ",
    "total|",
)
TYPED = st.lists(st.sampled_from(SECRETS + PLAIN), min_size=1, max_size=8).map(" ".join)


def _index() -> IndexBuilder:
    builder = IndexBuilder(b"a key of sixteen or more bytes")
    builder.add("customers.name", ["Zorblax Industries", "Shipped"])
    return builder


INDEX = _index().build()


@given(typed=TYPED | st.text(max_size=60))
@settings(max_examples=120, deadline=None)
def test_putting_the_originals_back_gives_what_was_typed(typed: str) -> None:
    """Nothing is lost and nothing is added: the text with its bindings is the cleaned question."""
    try:
        masked = mask(typed, SCANNER, index=INDEX)
    except QuestionRefused:
        return
    bindings = masked.vault.bindings()
    restored = PLACEHOLDER.sub(lambda m: bindings[re.split(r": ", m.group()[1:-1])[0]], masked.text)
    assert normalise(restored) == normalise(clean(typed).text)


@given(typed=TYPED)
@settings(max_examples=120, deadline=None)
def test_no_canary_is_left(typed: str) -> None:
    """Wherever it stands among other words and marks."""
    text = mask(typed, SCANNER, index=INDEX).text.casefold()
    assert not [part for part in ("lovelace", "4111", "37040044", "203.0", "gonzalez", "zorblax") if part in text]


@given(typed=TYPED)
@settings(max_examples=120, deadline=None)
def test_every_placeholder_is_bound_and_no_two_things_share_one(typed: str) -> None:
    """Each placeholder of the text has a binding, and spans do not overlap."""
    masked = mask(typed, SCANNER, index=INDEX)
    bindings = masked.vault.bindings()
    assert {re.split(r": ", m.group()[1:-1])[0] for m in PLACEHOLDER.finditer(masked.text)} == set(bindings)
    spans = sorted((part.start, part.end) for part in (*masked.entities, *masked.values))
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert len({(k.split(":")[0], v.casefold()) for k, v in bindings.items() if ":" in k}) == sum(
        ":" in k for k in bindings
    )


@given(typed=TYPED)
@settings(max_examples=80, deadline=None)
def test_masking_what_was_masked_changes_nothing_of_it(typed: str) -> None:
    """What is left has nothing more to find."""
    once = mask(typed, SCANNER, index=INDEX).text
    bare = PLACEHOLDER.sub("it", once)
    assert mask(bare, SCANNER, index=INDEX).placeholders() == {}
