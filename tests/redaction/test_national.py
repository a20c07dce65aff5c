"""National identifiers: for each configured country, numbers with right check digits are found, and others are not."""

from __future__ import annotations

import importlib
import random
import re
from typing import Any

import pytest

from redaction.recognizers.national import COUNTRIES, national_recognizers
from redaction.recognizers.national_checked import CHECKED
from redaction.scan import ScanConfig, Scanner

SCANNER = Scanner(ScanConfig(countries=tuple(sorted(COUNTRIES))))
SAMPLES = 12

OWN = {
    # Country: module of python-stdnum, how a number is written ("#" a digit, "?" a letter), words that name it.
    "us": ("us.ssn", "###-##-####", "ssn"),
    "uk": ("gb.nhs", "### ### ####", "NHS number"),
    "au": ("au.tfn", "### ### ###", "tax file number"),
    "ca": ("ca.sin", "### ### ###", "SIN"),
    "de": ("de.idnr", "## ### ### ###", "Steuer-ID"),
    "es": ("es.dni", "########?", "DNI"),
    "fi": ("fi.hetu", "DDMM##-####", "HETU"),
    "fr": ("fr.nir", "1 ## MM ## ### ### ##", "NIR"),
    "in": ("in_.aadhaar", "#### #### ####", "Aadhaar"),
    "it": ("it.codicefiscale", "??????##A##?###?", "codice fiscale"),
    "kr": ("kr.rrn", "##MMDD-1######", "resident registration number"),
    "pl": ("pl.pesel", "##MMDD#####", "PESEL"),
    "se": ("se.personnummer", "##MMDD-####", "personnummer"),
    "th": ("th.pin", "#-####-#####-##-#", "national id"),
    "tr": ("tr.tckimlik", "###########", "TC kimlik no"),
    "za": ("za.idnr", "##MMDD#######", "id number"),
    "br": ("br.cpf", "###.###.###-##", "CPF"),
    "nl": ("nl.bsn", "#########", "BSN"),
    "hr": ("hr.oib", "###########", "OIB"),
    "il": ("il.idnr", "#########", "national id"),
    "ec": ("ec.ci", "##########", "cédula"),
}
WRITTEN = {
    "at": "#### DDMM##", "be": "##.MM.DD-###.##", "bg": "##MMDD####", "ch": "756.####.####.##", "cl": "##.###.###-#",
    "cz": "##MMDD/####", "dk": "DDMM##-####", "ee": "3##MMDD####", "gr": "DDMM##-#####", "ie": "#######?",
    "is": "DDMM##-###0", "lt": "4##MMDD####", "mx": "????##MMDDHDFRRR##", "no": "DDMM## #####",
    "pk": "3####-#######-#", "pt": "######## # ZZ#", "ro": "1##MMDD######", "si": "DDMM9######50", "sk": "##MMDD/####",
}  # fmt: skip
BARE = frozenset({"nl", "hr", "il", "ec"})
"""Countries whose numbers are bare digits: found only beside the word for them, whatever is configured."""


def number(shape: str, rng: random.Random) -> str:
    """One number of a shape, with a day and a month that exist."""
    text = shape.replace("DD", f"{rng.randrange(1, 29):02}").replace("MM", f"{rng.randrange(1, 13):02}")
    return re.sub("[#?]", lambda m: str(rng.randrange(10)) if m.group() == "#" else rng.choice("ABCDEFGHLMPRSTZ"), text)


def numbers(module: Any, shape: str, *, valid: bool) -> list[str]:
    """Numbers with right check digits, or with wrong ones."""
    rng, found = random.Random(7), []
    for _ in range(400_000):
        text = number(shape, rng)
        if bool(module.is_valid(text)) == valid:
            found.append(text)
            if len(found) == SAMPLES:
                return found
    pytest.fail("no such number was made")


def kinds(text: str) -> set[str]:
    return {f.entity_type for f in SCANNER.find(text)}


def written(country: str) -> tuple[Any, str, str]:
    """Check of python-stdnum, shape and name of a country's number."""
    module, shape, word = OWN.get(country) or (CHECKED[country][1], WRITTEN[country], "national id")
    return importlib.import_module(f"stdnum.{module}"), shape, word


@pytest.mark.parametrize("country", sorted((set(OWN) | set(WRITTEN)) - BARE))
def test_a_number_with_right_check_digits_is_found(country: str) -> None:
    """Without a word for it, in the middle of a question; one made anew each time, not one of ours."""
    module, shape, _ = written(country)
    missed = [n for n in numbers(module, shape, valid=True) if not kinds(f"claims of {n} by month")]
    assert len(missed) <= (country == "za"), missed


@pytest.mark.parametrize("country", sorted(set(OWN) | set(WRITTEN)))
def test_a_number_beside_its_name_is_found(country: str) -> None:
    """Also where it is bare digits."""
    module, shape, word = written(country)
    for text in numbers(module, shape, valid=True):
        assert kinds(f"claims, {word} {text}, by month"), text


@pytest.mark.parametrize("country", sorted(set(CHECKED) - {"lv", "cn", "is"}))
def test_wrong_check_digits_are_no_number_of_that_country(country: str) -> None:
    """What the shape alone would take, the check digits refuse."""
    module, shape, _ = written(country)
    entity = CHECKED[country][0]
    alone = [r for r in national_recognizers((country,), "en") if r.supported_entities == [entity]]
    for text in numbers(module, shape, valid=False):
        found = [r for recogniser in alone for r in recogniser.analyze(f"claims of {text} by month", [entity], None)]
        assert not [r for r in found if r.score >= 0.5], text


def test_every_country_is_tested() -> None:
    """No country is configured that the tests above leave out; Singapore, Latvia and China have no generator."""
    assert COUNTRIES - set(OWN) - set(WRITTEN) == {"sg", "lv", "cn"}
    for text in ("S1234567D", "160384-17175", "451424198707278254"):
        assert kinds(f"claims of {text} by month")


def test_a_country_that_is_not_known_is_refused() -> None:
    """By its name, at the start."""
    with pytest.raises(ValueError, match="zz"):
        national_recognizers(("zz",), "en")
