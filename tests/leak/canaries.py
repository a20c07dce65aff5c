"""Canaries: a unique, recognisable value for each cell, and a search for it in every disguise we know.

The disguises are those of the security model's promise C1: as it is, reversed, base64 at three offsets, hex,
percent-encoded, JSON- and unicode-escaped, spaced out, and any run of eight characters of it; case does not count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

PLAIN_GRAM = 8
"""A run of so many characters of a canary gives it away. Drawn from 19 letters: 19**8 is 1.7e10."""
NUMBER_GRAM = 12
"""The same for a number: digits meet by chance in times and counters."""
CODED_GRAM = 14
"""The same for an encoded canary, longer as hex digits meet by chance in hashes: 16**14 is 7e16."""


def canary(seed: object) -> str:
    """A text that no schema, template or library could hold by chance: 20 letters drawn from a hash of the seed."""
    digest = hashlib.sha256(f"canary {seed}".encode()).digest()
    return "".join("bcdfghjkmnpqrstvwxz"[byte % 19] for byte in digest[:20])


def canary_number(seed: object) -> int:
    """A number of 15 digits (a double holds it exactly) that no statistic would be rounded to."""
    digest = hashlib.sha256(f"number {seed}".encode()).digest()
    return (10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14 - 10)) | 1


def disguises(value: str) -> Iterator[tuple[str, str, int]]:
    """Every (name, text, length of the run that gives it away) under which a value might travel."""
    yield "as it is", value, PLAIN_GRAM
    yield "reversed", value[::-1], PLAIN_GRAM
    yield "json", json.dumps(value)[1:-1], PLAIN_GRAM
    yield "hex", binascii.hexlify(value.encode()).decode(), CODED_GRAM
    yield "percent", "".join(f"%{byte:02X}" for byte in value.encode()), CODED_GRAM
    yield "unicode escapes", "".join(f"\\u{ord(letter):04x}" for letter in value), CODED_GRAM
    yield "spaced", " ".join(value), CODED_GRAM
    for offset in range(3):
        # The middle of a base64 text whose start is shifted, without the parts that its neighbours touch.
        encoded = base64.b64encode(b"\0" * offset + value.encode()).decode()
        yield f"base64 at {offset}", encoded[4:-4], CODED_GRAM


@dataclass(frozen=True)
class Sighting:
    """Where a canary was seen, in which disguise, and which one it was (by its seed, so that no value is printed)."""

    place: str
    disguise: str
    seed: str


class CanarySearch:
    """Finds any of many canaries in one pass over a text."""

    def __init__(self) -> None:
        self._runs: dict[int, dict[str, tuple[str, str]]] = {}

    def add(self, seed: str, value: str) -> str:
        """Look for this value from now on. Returns it, so that it can be put into a cell."""
        for name, text, shortest in disguises(value):
            lowered = text.lower()
            length = NUMBER_GRAM if value.isdigit() and shortest == PLAIN_GRAM else shortest
            for start in range(max(1, len(lowered) - length + 1)):
                self._runs.setdefault(length, {}).setdefault(lowered[start : start + length], (seed, name))
        return value

    def text(self, seed: object) -> str:
        """A new text canary."""
        return self.add(str(seed), canary(seed))

    def number(self, seed: object) -> int:
        """A new number canary."""
        value = canary_number(seed)
        self.add(str(seed), str(value))
        return value

    def find(self, place: str, text: str | bytes) -> list[Sighting]:
        """Every canary seen in a text, each once per disguise."""
        haystack = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).lower()
        found: dict[tuple[str, str], Sighting] = {}
        for length, runs in self._runs.items():
            for start in range(len(haystack) - length + 1):
                seen = runs.get(haystack[start : start + length])
                if seen is not None:
                    found.setdefault(seen, Sighting(place=place, disguise=seen[1], seed=seen[0]))
        return list(found.values())
