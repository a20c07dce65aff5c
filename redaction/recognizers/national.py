"""National identifiers by country: as presidio knows them, made to fail closed, and those of `national_checked`.

Only identifiers of persons, and of those only the ones with a check digit or a shape of their own: nine bare digits
are an order number far more often than a tax file number, so those count only beside a word that names them.
"""

from __future__ import annotations

from typing import Final

from presidio_analyzer import Pattern, PatternRecognizer
from presidio_analyzer import predefined_recognizers as known

from redaction.recognizers.national_checked import CHECKED, CheckedIdRecognizer
from redaction.recognizers.strict import StrictPatterns, strict

_DIGIT: Final = r"\d"
_BY_COUNTRY: Final[dict[str, tuple[type[PatternRecognizer], ...]]] = {
    "us": (known.UsSsnRecognizer, known.UsItinRecognizer),
    "uk": (known.NhsRecognizer, known.UkNinoRecognizer),
    "au": (known.AuTfnRecognizer, known.AuMedicareRecognizer),
    "ca": (known.CaSinRecognizer,),
    "de": (known.DeTaxIdRecognizer, known.DeSocialSecurityRecognizer),
    "es": (known.EsNifRecognizer, known.EsNieRecognizer),
    "fi": (known.FiPersonalIdentityCodeRecognizer,),
    "in": (known.InAadhaarRecognizer, known.InPanRecognizer),
    "it": (known.ItFiscalCodeRecognizer,),
    "kr": (known.KrRrnRecognizer,),
    "pl": (known.PlPeselRecognizer,),
    "se": (known.SePersonnummerRecognizer,),
    "sg": (known.SgFinRecognizer,),
    "th": (known.ThTninRecognizer,),
    "tr": (known.TrNationalIdRecognizer,),
    "za": (known.ZaIdNumberRecognizer,),
}

COUNTRIES: Final = frozenset(_BY_COUNTRY) | frozenset(CHECKED) | {"br", "fr"}
"""Countries whose identifiers can be recognised."""


class SsnShapeRecognizer(StrictPatterns):
    """Nine digits grouped as a US social security number is, also where presidio rules the number out."""

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="US_SSN",
            name="SsnShape",
            supported_language=language,
            patterns=[Pattern("grouped", r"(?<![\w.\-])\d{3}-\d{2}-\d{4}(?![\w\-])", 0.8)],
        )


class NinoShapeRecognizer(StrictPatterns):
    """Two letters, six digits and a letter as a UK national insurance number has them, also with an unused prefix."""

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="UK_NINO",
            name="NinoShape",
            supported_language=language,
            global_regex_flags=0,
            patterns=[Pattern("shape", r"(?<!\w)[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", 0.6)],
        )


class BrazilianCpfRecognizer(StrictPatterns):
    """Brazil's CPF, with its two check digits."""

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="BR_CPF",
            name="BrCpf",
            supported_language=language,
            patterns=[Pattern("cpf", r"(?<![\d.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)", 0.5)],
        )

    def validate_result(self, pattern_text: str) -> bool:
        """Check digits modulo 11."""
        digits = [int(c) for c in pattern_text if c.isdigit()]
        for size in (9, 10):
            total = sum(d * (size + 1 - i) for i, d in enumerate(digits[:size]))
            if (total * 10 % 11) % 10 != digits[size]:
                return False
        return True


class FrenchNirRecognizer(StrictPatterns):
    """France's social security number (NIR), with its key (97 minus the rest of division by 97)."""

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="FR_NIR",
            name="FrNir",
            supported_language=language,
            patterns=[Pattern("nir", r"(?<!\d)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\d)", 0.5)],
        )

    def validate_result(self, pattern_text: str) -> bool:
        """The key of fifteen digits."""
        digits = "".join(c for c in pattern_text if c.isdigit())
        return 97 - int(digits[:13]) % 97 == int(digits[13:])


def national_recognizers(countries: tuple[str, ...], language: str) -> list[PatternRecognizer]:
    """Recognisers of the configured countries' personal identifiers.

    Args:
        countries: ISO 3166-1 alpha-2 codes in lower case (``uk`` for the United Kingdom, as presidio has it).
        language: ISO 639-1 code of the text.

    Raises:
        ValueError: A country is not known.
    """
    unknown = sorted(set(countries) - COUNTRIES)
    if unknown:
        msg = "no recogniser of national identifiers for: " + ", ".join(unknown)
        raise ValueError(msg)
    made: list[PatternRecognizer] = []
    for country in countries:
        made.extend(
            strict(recognizer, needs=_DIGIT, supported_language=language) for recognizer in _BY_COUNTRY.get(country, ())
        )
    made.extend(CheckedIdRecognizer(country, language) for country in countries if country in CHECKED)
    if "uk" in countries:
        made.append(NinoShapeRecognizer(language))
    if "us" in countries:
        made.append(SsnShapeRecognizer(language))
    if "br" in countries:
        made.append(BrazilianCpfRecognizer(language))
    if "fr" in countries:
        made.append(FrenchNirRecognizer(language))
    return made
