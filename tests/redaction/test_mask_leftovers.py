"""No piece of a value that was typed is left, whatever stands around it: values of many shapes among patterns.

Found by running this: a value that a telephone number or an address overlapped in part was dropped and left half in
the text; a finding that ended inside a word left the rest of the word.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.errors import QuestionRefused
from redaction.fingerprints import normalise
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import PLACEHOLDER, ScanConfig, Scanner
from tests.leak.examples import examples

SCANNER = Scanner(ScanConfig(model=None))
KNOWN = frozenset({"orders", "customers", "tickets", "city", "cost"})
SYLLABLES = ("zor", "blax", "qui", "vex", "mun", "dral", "pek", "thol", "gwan", "jub", "skor", "wum", "hax", "vra")
"""Canaries are made of these; nothing else in a question is."""
BETWEEN = ("Street", "Ring", "5", "12", "2024", "May", "&", "AG", "of", "and", "St", "Via", "Flat 3", "10001", "new",
           "+44 20 7946 0958", "Box 12", "100%", "Passport", "phone", "no.", "birth date", "12 May 1980")  # fmt: skip
WORDS = ("orders of", "by month", "top 5", "in 2024", "and", "customers", "where city =", "12", "phone", "born on",
         "12 May 1980", "500", "+44", "street", "passport", "2024-05-01 to", "at", "dot", "id", "#")  # fmt: skip
GLUE = (" ", ", ", " and ", "'s ", " (", ") ", "\n", "-", "/", " '", "' ", ": ", ".", "\t")


def values(seed: int) -> list[str]:
    """Thirty values: words, firms, addresses, codes, accounts, numbers with names."""
    rng = random.Random(seed)

    def token() -> str:
        return "".join(rng.choices(SYLLABLES, k=rng.randint(2, 3)))

    def digits(size: int) -> str:
        return "".join(rng.choices("0123456789", k=size))

    def one() -> str:
        a, b, c = (rng.choice(BETWEEN) for _ in range(3))
        return rng.choice(
            (
                token(), f"{token()} {token()}", f"{token()} {a} {token()}", f"{a} {token()} {b}",
                f"{digits(2)} {token()} Street", f"{token()}@{token()}.com", f"{digits(6)}{token()}",
                f"{token()} & {token()} GmbH", f"{token()} {digits(3)}-{digits(2)}-{digits(4)}",
                f"{token()}-{digits(3)}/{digits(2)} {a}",
                f"O'{token()} {a} {b} {digits(4)}", f"{token()}é{token()} {token()}", f"{a} {b} {token()} {c}",
                f"{token()}_{token()}",
            )
        )  # fmt: skip

    return [one() for _ in range(30)]


PARTS = st.lists(st.sampled_from(WORDS) | st.integers(0, 29), min_size=1, max_size=6)


@given(seed=st.integers(0, 10**6), parts=PARTS, glue=st.lists(st.sampled_from(GLUE), min_size=6, max_size=6),
       shout=st.booleans())  # fmt: skip
@settings(max_examples=examples(120), deadline=None)
def test_nothing_of_a_typed_value_is_left(seed: int, parts: list[str | int], glue: list[str], shout: bool) -> None:
    """Not even a syllable of one."""
    held = values(seed)
    builder = IndexBuilder(b"key of leftovers, 16+")
    builder.add("customers.name", held[:20])
    builder.add("tickets.subject", held[10:])
    words = [part if isinstance(part, str) else held[part] for part in parts]
    typed = "".join(word + mark for word, mark in zip(words, glue, strict=False))
    try:
        masked = mask(typed.upper() if shout else typed, SCANNER, index=builder.build(), known_names=KNOWN)
    except QuestionRefused:
        return
    left = normalise(PLACEHOLDER.sub(" | ", masked.text))
    assert not [one + two for one in SYLLABLES for two in SYLLABLES if one + two in left]
