"""Names written as one word: ``billingcountry``, ``invoicedate``, ``customerid``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gateway.llm.offline.text import word_set

_TAILS: Final = (
    "identifier", "timestamp", "datetime", "postalcode", "quantity", "category", "address", "country", "number",
    "status", "amount", "price", "count", "total", "state", "title", "name", "date", "code", "type", "city", "time",
    "year", "rate", "cost", "size", "url", "id", "no",
)  # fmt: skip

_WHOLE: Final = word_set(
    "paid unpaid prepaid valid invalid grid bid void avoid liquid solid covid rapid hybrid android "
    "aid said maid fluid acid raid kid mid lid overtime runtime lifetime downtime uptime sometime "
    "bedtime daytime username nickname surname forename filename hostname lastname firstname "
    "discount account viscount mismatch update candidate mandate validate estate subtotal prototype "
    "subtype metadata capacity velocity electricity ethnicity publicity midyear simplicity "
    "authenticity piano domino casino techno inferno subtitle entitle oversize downsize postcode "
    "zipcode barcode encode decode genotype phenotype corporate generate separate operate moderate "
    "accurate interstate pirate vibrate intermediate immediate prorate celebrate restate"
)
"""English words that end like one of the tails and are one word."""


@lru_cache(maxsize=20_000)
def split_compound(word: str) -> tuple[str, ...]:
    """Cut known last words off a lower-case word, where at least three letters are left over."""
    if word in _WHOLE or len(word) < 5:
        return (word,)
    for tail in _TAILS:
        head = word[: -len(tail)]
        if word.endswith(tail) and len(head) >= 3:
            if tail == "postalcode":
                return (*split_compound(head), "postal", "code")
            return (*split_compound(head), tail)
    return (word,)
