"""Canaries: a unique, recognisable value for each cell, and a search for it in every disguise we know.

The disguises are those of the security model's promise C1: as it is, changed case, reversed, base64 at three
offsets, hex, percent-encoded, JSON- and unicode-escaped, and any run of eight characters of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GRAM = 8


def canary(seed: object) -> str:
    """A text that no schema, template or library could hold by chance: 20 letters drawn from a hash of the seed."""
    digest = hashlib.sha256(f"canary {seed}".encode()).digest()
    return "".join("bcdfghjkmnpqrstvwxz"[byte % 19] for byte in digest[:20])


def canary_number(seed: object) -> int:
    """A ten-digit number that no statistic would be rounded to."""
    digest = hashlib.sha256(f"number {seed}".encode()).digest()
    return 1_000_000_000 + int.from_bytes(digest[:6], "big") % 8_999_999_999 | 1


def disguises(value: str) -> Iterator[tuple[str, str]]:
    """Every (name, text) under which a value might travel."""
    yield "as it is", value
    yield "upper", value.upper()
    yield "reversed", value[::-1]
    yield "hex", binascii.hexlify(value.encode()).decode()
    yield "percent", "".join(f"%{byte:02X}" for byte in value.encode())
    yield "quoted", urllib.parse.quote(value)
    yield "json", json.dumps(value)[1:-1]
    yield "unicode escapes", "".join(f"\\u{ord(letter):04x}" for letter in value)
    yield "spaced", " ".join(value)
    for offset in range(3):
        # The middle of a base64 text whose start is shifted by `offset` bytes, without the parts its neighbours touch.
        encoded = base64.b64encode(b"\0" * offset + value.encode()).decode()
        yield f"base64 at {offset}", encoded[4:-4]
    for start in range(len(value) - GRAM + 1):
        yield "a part", value[start : start + GRAM]


@dataclass(frozen=True)
class Sighting:
    """Where a canary was seen, and in which disguise."""

    place: str
    disguise: str
    seed: str


def sightings(place: str, text: str | bytes, canaries: Iterable[tuple[str, str]]) -> list[Sighting]:
    """Search a text for every disguise of every canary, without regard to case."""
    haystack = (text.decode("utf-8", "replace") if isinstance(text, bytes) else text).lower()
    found = []
    for seed, value in canaries:
        found += [
            Sighting(place=place, disguise=name, seed=seed)
            for name, disguised in disguises(value)
            if disguised.lower() in haystack
        ]
    return found
