"""Names in questions that are not English: there is no dictionary of ordinary words, and often no language model.

What is left is the lists of names, titles, words for persons, and capitals. In German every noun has a capital, so
that one says little by itself; two in a row, of which one is listed as a name, say much. Elsewhere a capital in
mid-sentence is a name's.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from typing import Final

from redaction.fingerprints import normalise
from redaction.recognizers.names import Part, is_public, part_of
from redaction.recognizers.wording import NAME_PARTS, Word
from redaction.words import is_plain_word

NOUNS_WITH_CAPITALS: Final = frozenset({"de", "lb"})
"""Languages that write every noun with a capital."""
_TITLE_WORDS: Final = """
frau herr herrn dr prof madame monsieur mademoiselle mme mlle m mr mrs senor senora senorita don dona sr sra srta
signor signora sig dott dottoressa doutor doutora senhor senhora meneer mevrouw heer mevr dhr pan pani herra rouva
"""
_TITLES: Final = frozenset(_TITLE_WORDS.split())
_PERSON_WORDS: Final = """
kunde kundin kunden patient patientin mitarbeiter mitarbeiterin nutzer nutzerin benutzer mieter mieterin fahrer
fahrerin lehrer lehrerin schuler schulerin arzt arztin verkaufer verkauferin berater namens name
client cliente clients patiente utilisateur utilisatrice employe employee locataire chauffeur eleve medecin vendeur
vendeuse nomme nommee usuario usuaria paciente empleado empleada inquilino inquilina conductor profesor profesora
alumno alumna medico vendedor vendedora llamado llamada utente paziente dipendente impiegato inquilino autista
aluno aluna funcionario klant patient medewerker huurder klient pacjent kund kunde asiakas
"""
_PERSONS: Final = frozenset(_PERSON_WORDS.split())
_CALENDAR_WORDS: Final = """
januar februar marz april mai juni juli august september oktober november dezember montag dienstag mittwoch donnerstag
freitag samstag sonntag janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre lundi mardi
mercredi jeudi vendredi samedi dimanche enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
diciembre lunes martes miercoles jueves viernes sabado domingo gennaio febbraio aprile maggio giugno luglio settembre
ottobre dicembre janeiro fevereiro marco maio junho julho setembro outubro dezembro januari februari maart mei augustus
ostern weihnachten advent noel paques navidad natale natal
"""
_CALENDAR: Final = frozenset(_CALENDAR_WORDS.split())
_LISTED: Final = frozenset({Part.GIVEN, Part.MAYBE_GIVEN, Part.SURNAME})
_SURE: Final = frozenset({Part.GIVEN, Part.SURNAME})
_NOBLE: Final = frozenset({"von", "van", "zu", "de", "di", "el", "al", "bin"})
_LONGEST: Final = 5


def find_abroad(text: str, words: list[Word], language: str) -> Iterator[tuple[int, int]]:
    """Names by capitals, titles and lists, as index pairs (end exclusive).

    Args:
        text: Cleaned text.
        words: Its words.
        language: ISO 639-1 code.
    """
    yield from _small(words, _stop_words(language))
    nouns = language in NOUNS_WITH_CAPITALS
    at = 0
    while at < len(words):
        if not _is_capital(words[at]):
            at += 1
            continue
        end = at + 1
        while end < len(words) and end - at < _LONGEST and _joins(text, words, end, nouns=nouns):
            end += 1
        while words[end - 1].part is Part.PARTICLE and end > at + 1:
            end -= 1
        first = _first(words, at, end, nouns=nouns)
        if first is not None:
            yield first, end
        at = end


def _small(words: list[Word], stops: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Names without capitals: up to two words after a title, and a given name with the word behind it.

    That word may be no name ("ventes de claude comparées"): the question loses a word, rather than a person a surname.
    """
    for at, word in enumerate(words):
        if word.upper and word.lower not in _TITLES:
            continue
        first = at + 1 if word.lower in _TITLES else at
        if first == at and part_of(word.text) is not Part.GIVEN:
            continue
        end = first
        while end < min(len(words), first + 2 + (first == at)) and _may_be_small(words, end, stops):
            end += 1
            if end < len(words) and words[end].part is Part.PARTICLE and end - first < _LONGEST:
                end += 1
        if end > first and not words[first].upper:
            yield first, end


def _may_be_small(words: list[Word], at: int, stops: frozenset[str]) -> bool:
    word = words[at]
    beside = at == 0 or word.start - words[at - 1].end in {1, 2}
    plain = word.lower
    ordinary = word.known or plain in stops or plain in _CALENDAR or is_plain_word(plain)
    return beside and not ordinary and len(plain) > 1


@cache
def _stop_words(language: str) -> frozenset[str]:
    """The function words of a language, without accents; none where spaCy has none."""
    try:
        module = importlib.import_module(f"spacy.lang.{language}.stop_words")
    except ImportError:
        return frozenset()
    return frozenset(normalise(word) for word in module.STOP_WORDS)


def _is_capital(word: Word) -> bool:
    plain = word.lower
    return word.upper and not word.known and not is_plain_word(plain) and plain not in _CALENDAR


def _joins(text: str, words: list[Word], at: int, *, nouns: bool) -> bool:
    if text[words[at - 1].end : words[at].start] not in {" ", "-", ". "}:
        return False
    if words[at].part is Part.PARTICLE and at + 1 < len(words):
        article = nouns and words[at].lower not in _NOBLE  # "Anzahl der Schüler"
        return words[at - 1].upper and words[at + 1].upper and not article
    return _is_capital(words[at])


def _first(words: list[Word], start: int, end: int, *, nouns: bool) -> int | None:
    """Where the name in a run of capitals begins; None if there is none."""
    before = words[start - 1].lower if start else ""
    while start < end and words[start].lower in _TITLES | _PERSONS:
        before = words[start].lower
        start += 1
    size = end - start
    if size == 0:
        return None
    if before in _TITLES or (before in _PERSONS and size > nouns):
        return start
    parts = [part_of(word.text) for word in words[start:end]]
    if size == 1:
        sure = parts[0] is Part.GIVEN or (parts[0] is Part.SURNAME and not nouns and words[start].capital)
        return start if sure else None
    listed = next((i for i, part in enumerate(parts) if part in _LISTED), None)
    if listed is not None:
        # "Umsatz Maria Lopez": what stands before a given name is a noun, what stands before a surname is a name.
        return start + listed if nouns and parts[listed] is not Part.SURNAME else start
    unknown = all(part in NAME_PARTS for part in parts) and not any(is_public(w.lower) for w in words[start:end])
    return start if unknown and not nouns and words[start].capital else None
