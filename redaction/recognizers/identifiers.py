"""Identifiers of a person that are named as one: a number or code straight after "passport", "driver's licence", "BSN".

Most national numbers are bare digits whose check digit one number in ten has by chance, so that by themselves they
cannot be told from an amount. Whoever types one nearly always says what it is.
"""

from __future__ import annotations

import re
from typing import Any, Final

from presidio_analyzer import Pattern

from redaction.figures import is_year
from redaction.recognizers.strict import StrictPatterns

_LONG_NAMES: Final = (
    r"passport|passeport|pasaporte|passaporto|reisepass|paspoort|driv(?:er|ers|er['’]s|ing)[ -]licen[cs]e|"
    r"führerschein|permis de conduire|national (?:id(?:entity|entification)?|insurance)|identity (?:card|document)|"
    r"id[ -]card|personalausweis|carte d['’]identité|social (?:security|insurance)|sozialversicherung(?:snummer)?|"
    r"tax(?:payer)?(?: file)? (?:id|identification|number|reference)|steuer-?(?:id|identifikationsnummer|nummer)|"
    r"code fiscal|codice fiscale|medicare|medicaid|health (?:insurance|card)|residence permit|voter id|"
    r"personal (?:code|identity code|number)|personnummer|personnr|fødselsnummer|rodné číslo|rodne cislo|"
    r"henkilötunnus|isikukood|asmens kodas|burgerservicenummer|matricule|kennitala|resident registration|"
    r"rentenversicherung(?:snummer)?|krankenversicherten(?:nummer)?|ausweis(?:nummer)?|personalausweisnummer|"
    r"steuernummer|passnummer|aufenthaltstitel|numéro de sécurité sociale|n[°o] de sécurité sociale|sécurité sociale|"
    r"numéro fiscal|carte vitale|titre de séjour|(?:número de (?:la )?)?seguridad social|"
    r"(?:permiso|carnet) de conducir|"
    r"cédula|cedula|documento de identidad|carta d['’]identità|patente(?: di guida)?|tessera sanitaria|"
    r"permesso di soggiorno|cartão de cidadão|carteira de identidade|carta de condução|rijbewijs|identiteitskaart|"
    r"rijksregisternummer|numéro national|dowód osobisty|prawo jazdy|t\.?c\.? kimlik|kimlik|osobné číslo|číslo pasu"
)
_SHORT_NAMES: Final = (
    r"ssn|sin|itin|nino|nhs|tfn|bsn|cpr|cpf|rut|rfc|curp|dni|nie|nif|nuss|nir|oib|cnp|egn|pesel|hetu|jmbg|emso|emšo|"
    r"amka|ppsn?|ahv|avs|nrn|aadhaar|cccd|nric|fin|mrn|tckn|cuil|cuit|"
    r"licen[cs]e plate|number plate|vin"
)
_SAYS_NUMBER: Final = r"(?:[ _-]?(?:numbers?|nummer|numéro|número|numero|numer|číslo|num|no|nr|n[°º]|id|code|#))?\.?"
_JOINT: Final = (
    r"(?:\s{0,2}[:=#(]\s{0,2}|\s(?:is|was|of|with|equals|ending|ist|est|es|è|é|är|er|jest|je|lautet|von|de)\s|\s)"
    r"(?:number |no\.? |nr\.? |# ?)?"
)
_VALUE: Final = (
    r"(?:[A-Z]{1,3}[ .\-/])?(?=[A-Z0-9.\-/+]{0,14}\d)"
    r"(?=[A-Z0-9.\-/+ ]{0,24}\d[A-Z0-9.\-/+ ]{0,3}\d[A-Z0-9.\-/+ ]{0,6}\d)[A-Z0-9](?:[.\-/+ ]?[A-Z0-9]){4,24}"
)
"""Begins with a group that has a digit, after three letters at most; three digits stand close together."""


class NamedIdRecognizer(StrictPatterns):
    """A code of five characters or more with three digits or more, straight after a word for a personal identifier."""

    needs = re.compile(r"\d")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="PERSONAL_ID",
            name="NamedId",
            supported_language=language,
            patterns=[
                Pattern("named", rf"(?<!\w)(?:{_LONG_NAMES}|{_SHORT_NAMES}){_SAYS_NUMBER}{_JOINT}(?P<id>{_VALUE})", 0.8)
            ],
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """The codes alone, without the word that names them and without the words that follow."""
        found = []
        for named in super().analyze(text, entities, nlp_artifacts, regex_flags):
            span = _code(text, named.start, named.end)
            if span is not None:
                found.append(self.result(*span, 0.8))
        return found


def _code(text: str, start: int, end: int) -> tuple[int, int] | None:
    """From the first group with a digit to the last one, and no further than plain words allow."""
    groups = [(start + m.start(), start + m.end()) for m in re.finditer(r"[^\s:=#()]+", text[start:end])]
    while groups and not any(c.isdigit() for c in text[slice(*groups[0])]):
        groups.pop(0)
    kept: list[tuple[int, int]] = []
    for group in groups:
        word = text[slice(*group)]
        if kept and not any(c.isdigit() for c in word) and (len(word) > 2 or not word.isupper()):
            break
        kept.append(group)
    if not kept or all(is_year(text[slice(*group)]) for group in kept):
        return None
    return kept[0][0], kept[-1][1]
