"""E-mail, telephone, card, bank account and date of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import phonenumbers
from presidio_analyzer import Pattern

from redaction.recognizers.strict import StrictPatterns

_DATE_LIKE: Final = re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
_YEARS: Final = re.compile(r"(?<![\d+(])(?:19|20)\d\d(?:(?: ?[-–/,] ?| )(?:19|20)\d\d)+(?!\d)")
_MONTH: Final = r"[^\W\d_]{3,10}\.?"
"""After a word of birth, any word between day and year is a month, in whatever language."""
_DATE: Final = (
    r"(?:\d{1,4} ?[-/. ] ?\d{1,2} ?[-/. ] ?\d{2,4}|\d{1,2}(?:st|nd|rd|th|\.|º)?(?: of| de)? "
    + _MONTH
    + r"(?: de)?,? \d{2,4}"
    r"|" + _MONTH + r" \d{1,2}(?:st|nd|rd|th)?,? \d{2,4}|(?:19|20)\d{6})"
)
_BIRTH: Final = (
    r"born(?: on| in)?|birth ?dates?|birthdays?|dates? of birth|d\.?o\.?b\.?|birth_date|date_of_birth|b\.|"
    r"née?s? le|date de naissance|geb(?:oren)?(?:e[rn]?)?(?: am|\.)?|geburts(?:datum|tag)|geboren op|geboortedatum|"
    r"nacid[oa]s?(?: el)?|fecha de nacimiento|nat[oaie] il|data di nascita|nascid[oa]s? (?:em|a)|data de nascimento|"
    r"född(?:a)?(?: den)?|fødd?(?:t|e)?(?: den)?|fødselsdato|födelsedatum|syntyn(?:yt|eet)|syntymäaika|narozen[aýí]?|"
    r"datum narození|urodz(?:on[yaei]|eni)(?: dnia)?|data urodzenia|doğum tarihi|született|születési (?:dátum|idő)|"
    r"născut[ăi]?(?: la)?|data nașterii|rođen[ai]?|datum rođenja"
)
"""Words for being born, in the languages of the configured countries."""


_ROUNDED = r"-?(?:\d{1,2}0*|0?\.0*\d{1,2}|\d\.\d)"
_BAND = re.compile(rf"(?<![\w.]){_ROUNDED}\.\.{_ROUNDED}(?: ~{_ROUNDED})?(?![\w.])")
"""A released range with its middle, ``400..110000 ~6200``: numbers of two digits at most, which no one dials."""

_ALL: Final = 1_000_000
"""Candidates to try. The library's matcher gives up in silence after so many that are no number: here it never does."""
_MIN_CARD_DIGITS: Final = 13
_MAX_CARD_DIGITS: Final = 19
_MIN_IBAN: Final = 15
_IBAN_DIGITS: Final = 10
_IBAN_STRETCH: Final = re.compile(r"[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)
_NAMED_NUMBER: Final = (
    r"(?<=\b(?:phone|mobile|telephone|tel|fax|cell|desk|sms|whatsapp|number|call|calls|called|dial|me at|messages to|"
    r"answering at|registered|telefon|telefonnummer|handy|handynummer|mobil|mobilnummer|rufnummer|téléphone|portable|"
    r"teléfono|móvil|celular|telefono|cellulare|telefone|telemóvel|telefoon|numéro|número)[ .:#\n]{1,3})"
    r"(?:is |at |on |from |to |ist |est (?:le )?|es (?:el )?|von |an |de |del |du )?"
    r"\(?\d(?:[ ()./\-]{0,2}\d){6,13}(?![\w])"
)
"""Digits in any grouping straight after a word for a telephone; anywhere else they would be an amount."""
_SHORT_NUMBER: Final = (
    r"(?<=\b(?:phone|mobile|telephone|tel|fax|cell|desk|sms|whatsapp|dial|messages to|texts to)[ .:#\n]{1,3})"
    r"(?:is |at |on |from |to )?\d{2,4}(?:[ .\-]\d{2,4}){1,3}(?![\w%])(?![.,]\d)"
)
"""Six digits or more in groups, as short as small countries have them, after a word that says telephone alone."""
_BEFORE_NAME: Final = r"(?<![\w.])\(?\d(?:[ ()./\-]{0,2}\d){6,13}[ \-]{1,2}(?:office|fax|mobile|cell|desk)\b"
_SHORT_BEFORE_NAME: Final = r"(?<![\w.])\d{2,4}(?:[ .\-]\d{2,4}){1,3}[ \-]{1,2}(?:fax|mobile|cell)\b"


_QUOTED_EMAIL: Final = r"(?:\"[^\"@\n]{1,64}\"|(?<=[\s(\[,;:]))@(?:[\w\-]{1,63}\.){1,8}[\w\-]{2,63}"
"""A quoted local part (RFC 5322), or none: what is left where a space was put before the sign."""


class EmailShapeRecognizer(StrictPatterns):
    """An e-mail address by its shape alone: presidio checks the suffix list, and so lets ``x@host.internal`` pass."""

    needs = re.compile("@")

    def __init__(self, language: str) -> None:
        shape = (
            r"(?<![\w.+\-])[\w!#$%&'*+/=?^`{|}~.\-]{0,63}[\w!#$%&'*+/=?^`{|}~\-]@(?:[\w\-]{1,63}\.){0,8}[\w\-]{2,63}"
        )
        super().__init__(
            supported_entity="EMAIL_ADDRESS",
            name="Email",
            supported_language=language,
            patterns=[Pattern("shape", shape, 1.0), Pattern("quoted", _QUOTED_EMAIL, 1.0)],
        )


class PhoneShapeRecognizer(StrictPatterns):
    """A telephone number: international, or valid and grouped as written in one of the configured countries."""

    needs = re.compile(r"(?:\d[^\dA-Za-z\n]{0,3}){6}")

    def __init__(self, language: str, regions: tuple[str, ...], grouped: tuple[str, ...] = ()) -> None:
        super().__init__(
            supported_entity="PHONE_NUMBER",
            name="Phone",
            supported_language=language,
            patterns=[
                Pattern("international", r"(?<![\w+])(?:\+|00)[1-9](?:[ ()./\-]{0,3}\d){6,14}(?!\d)", 0.9),
                Pattern("after its name", _NAMED_NUMBER, 0.8),
                Pattern("short, after its name", _SHORT_NUMBER, 0.7),
                Pattern("before its name", _BEFORE_NAME, 0.7),
                Pattern("short, before its name", _SHORT_BEFORE_NAME, 0.7),
                Pattern(
                    "north american", r"(?<![\w.])(?:1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[.\-])\d{3}[.\- ]\d{4}(?![\w])", 0.8
                ),
            ],
            context=["phone", "tel", "telephone", "mobile", "cell", "call", "number", "fax", "whatsapp", "sms"],
        )
        self._regions = regions
        self._grouped = grouped

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """Patterns first, then the number plans of each country, with dates and released ranges blanked out."""
        if self.needs.search(text) is None:
            return []
        blanked = _DATE_LIKE.sub(lambda m: "x" * len(m.group()), text)
        blanked = _YEARS.sub(lambda m: "x" * len(m.group()), blanked)
        blanked = _BAND.sub(lambda m: "x" * len(m.group()), blanked)
        found = super().analyze(blanked, entities, nlp_artifacts, regex_flags)
        for region in self._regions:
            for match in phonenumbers.PhoneNumberMatcher(blanked, region, phonenumbers.Leniency.VALID, _ALL):
                found.append(self.result(match.start, match.end, 0.75))
        for region in self._grouped:
            for match in phonenumbers.PhoneNumberMatcher(blanked, region, phonenumbers.Leniency.STRICT_GROUPING, _ALL):
                if _is_grouped(match.raw_string):
                    found.append(self.result(match.start, match.end, 0.7))
        return found


def _is_grouped(number: str) -> bool:
    """Whether digits are written in groups as telephone numbers are, and not as thousands are: "020 12 34 56"."""
    groups = re.findall(r"\d+", number)
    thousands = len(groups[0]) <= 3 and not groups[0].startswith("0") and all(len(g) == 3 for g in groups[1:])
    return len(groups) > 1 and (not thousands or number.startswith(("(", "+")))


class CardRecognizer(StrictPatterns):
    """A payment card number of 13 to 19 digits in any grouping, with its check digit (ISO/IEC 7812, Luhn).

    presidio's own does not know Mastercard's numbers that begin with 2. Every group of digits is tried as the first
    and as the last of a number, so that another number beside a card does not hide it.
    """

    needs = re.compile(r"(?:\d[ \-]?){13}")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="CREDIT_CARD",
            name="Card",
            supported_language=language,
            patterns=[Pattern("digits", r"(?<!\d)\d(?:[ \-]?\d){12,}(?!\d)", 1.0)],
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """Card numbers inside runs of digits."""
        found: list[Any] = []
        for run in super().analyze(text, entities, nlp_artifacts, regex_flags):
            found.extend(self.result(start, end, 1.0) for start, end in _cards(text, run.start, run.end))
        return found


def _cards(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    groups = [(m.start(), m.end()) for m in re.finditer(r"\d+", text[start:end])]
    for first, (begin, _) in enumerate(groups):
        for _, finish in groups[first : first + _MAX_CARD_DIGITS]:
            digits = re.sub(r"\D", "", text[start + begin : start + finish])
            if len(digits) > _MAX_CARD_DIGITS:
                break
            if len(digits) >= _MIN_CARD_DIGITS and is_card(digits):
                yield start + begin, start + finish


def is_card(digits: str) -> bool:
    """Whether digits begin as a card number does and have its check digit."""
    if digits[0] not in "23456" or len(set(digits)) == 1:
        return False
    doubled = [int(d) if i % 2 == 0 else int(d) * 2 - 9 * (int(d) > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


class CheckedIbanRecognizer(StrictPatterns):
    """An International Bank Account Number in any spacing, with its check digits (ISO 13616, mod 97-10).

    From each beginning, the longest stretch with right check digits counts: the words after it may look as if they
    belonged to it.
    """

    needs = re.compile(r"[A-Za-z]{2}\d{2}")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="IBAN_CODE",
            name="Iban",
            supported_language=language,
            patterns=[Pattern("beginning", r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?=[ \-]?[A-Z0-9])", 1.0)],
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """Account numbers from each place where one may begin."""
        found = []
        for head in super().analyze(text, entities, nlp_artifacts, regex_flags):
            stretch = _IBAN_STRETCH.match(text, head.start)
            end = stretch.end() if stretch else head.start
            while end - head.start >= _MIN_IBAN and not is_iban(text[head.start : end]):
                end -= 1
            if end - head.start >= _MIN_IBAN:
                found.append(self.result(head.start, end, 1.0))
        return found


def is_iban(text: str) -> bool:
    """Whether the check digits of an account number are right, and enough of it is digits.

    One phrase in a hundred has right check digits too. Numbers in use are mostly digits, also where a country's format
    allows letters.
    """
    bare = re.sub(r"[ \-]", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", bare, re.ASCII) or sum(map(str.isdigit, bare)) < _IBAN_DIGITS:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


class BirthDateRecognizer(StrictPatterns):
    """A day of birth: a full date that follows a word of birth. A date alone is what questions are made of."""

    needs = re.compile(r"\d")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="DATE_OF_BIRTH",
            name="BirthDate",
            supported_language=language,
            patterns=[
                Pattern(
                    "after its name", rf"(?<!\w)(?:{_BIRTH})[\s:=(]{{0,3}}(?:is |was |of |on |= )?{_DATE}(?!\w)", 0.95
                )
            ],
        )
