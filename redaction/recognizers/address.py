"""Street addresses."""

from __future__ import annotations

import re
from typing import Any, Final

from presidio_analyzer import Pattern

from redaction.fingerprints import normalise
from redaction.recognizers.names import Part, is_ordinary, part_of
from redaction.recognizers.strict import StrictPatterns
from redaction.words import is_plain_word

_COMMON: Final = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|terrace|crescent|highway|hwy|parkway|pkwy|"
    r"mews|alley|esplanade|promenade"
)
"""Endings of street names that end nothing else; in any case."""
_RARE: Final = (
    r"Annex|Arcade|Avenue|Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|"
    r"Centers?|Centre|Circles?|Cliffs?|Close|Club|Common|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing|Crossroad|"
    r"Curve|Dale|Dam|Divide|Drives|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|"
    r"Forks?|Fort|Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Hills?|Hollow|Inlet|Islands?|"
    r"Isle|Junctions?|Keys?|Knolls?|Lakes?|Landing|Lights?|Loaf|Locks?|Lodge|Loop|Manors?|Meadows?|Mills?|Mission|"
    r"Motorway|Mountains?|Mount|Neck|Orchard|Oval|Overpass|Parks?|Parkways|Passage|Pass|Path|Pike|Pines?|Place|Plains?|"
    r"Plaza|Points?|Ports?|Prairie|Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row|Run|Shoals?|Shores?|"
    r"Skyway|Springs?|Spurs?|Squares?|Station|Stravenue|Stream|Streets|Summit|Throughway|Trace|Track|Trafficway|Trail|"
    r"Parade|Circuit|Quays?|Rise|Strand|Wharf|Approach|Nook|Gate|Rue|Boardwalk|"
    r"Tunnel|Turnpike|Underpass|Unions?|Valleys?|Via|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Wall|Ways?|Wells?"
)
"""Endings that are ordinary words too: only with a capital, after a name. Source: USPS Publication 28, appendix C1."""
_SURE_SCORE: Final = 0.7
_SURE_PARTS: Final = frozenset({Part.GIVEN, Part.SURNAME, Part.UNKNOWN})
_RANKING: Final = frozenset({"top", "bottom", "first", "last", "best", "worst", "next", "over", "under", "than"})
_UNIT: Final = (
    r"(?:[ ,]{1,3}(?i:apt|apartment|suite|ste|unit|flat|floor|room|edif|depto|interior|piso|#)\.? ?\w{1,6}){0,2}"
)
_NAME: Final = r"(?:[\w'’.\-]{2,24} ){1,4}"
_GERMANIC: Final = (
    r"straße|strasse|str\.|gasse|platz|weg|allee|ring|damm|ufer|chaussee|laan|straat|plein|kade|gracht|gatan|vägen|"
    r"gade|vej|veien|vegen|gata|katu|tie|kuja|polku|puistikko|alle|stræde|toften|parken|vænget|hof|gässli|gürtel|zeile"
)
_ROMANCE: Final = (
    r"rue|avenue|boulevard|chemin|impasse|quai|calle|avenida|av\.|plaza|paseo|carrera|callejón|callejon|calzada|privada|"
    r"andador|corredor|circuito|cerrada|peatonal|diagonal|retorno|periférico|viaducto|prolongación|circunvalación|continuación|ampliación|via|viale|piazza|"
    r"corso|vicolo|largo|rua|travessa|praça|alameda|ulica|ul\.|aleja|al\."
)
_AFTER: Final = r"utca|út|útja|tér|körút|fasor|sokak|sok\.|caddesi|cad\.|gatvė|g\.|prospektas|iela|tänav|mnt"
"""Words for a street that follow its name, with the number last: Hungarian, Turkish and Baltic."""
_BEFORE: Final = r"strada|str\.|bulevardul|bd\.|aleea|ulica|ul\.|trg|cesta|náměstí|nám\.|třída|jalan|jl\."
"""Words for a street before its name, with the number last: Romanian, Slavic and Indonesian."""
_SMALL: Final = r"(?:(?i:de|del|della|la|le|los|las|du|des|da|do|dos|san|santa|eje|l'|d') ?){0,3}"

_GERMAN_ADDRESS: Final = rf"(?i:(?<!\w)[\w'’.\-]{{2,30}}(?:{_GERMANIC})) ?\d{{1,5}} ?[a-z]?(?:[/\-]\d{{1,4}})?(?!\w)"
_ROMANCE_ADDRESS: Final = (
    rf"(?i:(?<!\w)(?:{_ROMANCE})) {_SMALL}(?:[\w'’.\-]{{2,24}} ?){{1,4}},? ?(?:n[º°o.] ?)?"
    r"\d{1,5}(?: \d{1,4})?(?!\w)"
    rf"{_UNIT}"
)
_ROMANCE_NUMBER_FIRST: Final = (
    rf"(?<![\w.])\d{{1,5}},? (?i:bis |ter )?(?i:{_ROMANCE}) {_SMALL}[\w'’.\-]{{3,24}}(?: [A-Z][\w'’.\-]{{2,24}}){{0,2}}"
)


class AddressRecognizer(StrictPatterns):
    """A street with a house number, before or after it, or a post-office box."""

    needs = re.compile(r"\d")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="STREET_ADDRESS",
            name="Address",
            supported_language=language,
            global_regex_flags=0,
            patterns=[
                Pattern("common", rf"(?<![\w.])\d{{1,6}}[A-Za-z]?,? {_NAME}(?i:{_COMMON})(?!\w)\.?{_UNIT}", 0.7),
                Pattern(
                    "rare",
                    rf"(?<![\w.])\d{{1,6}}[A-Za-z]?,? (?:[A-Z][\w'’.\-]{{1,24}} ){{1,3}}(?:{_RARE})(?!\w){_UNIT}",
                    0.6,
                ),
                Pattern("germanic", _GERMAN_ADDRESS, 0.7),
                Pattern("romance", _ROMANCE_ADDRESS, 0.7),
                Pattern(
                    "number last",
                    rf"(?<!\w)(?:(?:[A-Z][\w'’.\-]{{1,24}} ){{1,3}}(?i:{_AFTER})|"
                    rf"(?i:{_BEFORE}) ?(?:[\w'’.\-]{{2,24}} ){{1,3}}(?i:n[ro]\.? ?)?) ?"
                    r"\d{1,4}(?:[/\-]?\w{1,3})?(?!\w)",
                    0.7,
                ),
                Pattern("romance, number first", _ROMANCE_NUMBER_FIRST, 0.7),
                Pattern(
                    "unit first",
                    r"(?<!\w)(?i:flat|studio|apt|unit)\.? \d{1,4}[a-zA-Z]?,? (?:[A-Z][\w'’.\-]{1,24} ?){1,4}",
                    0.6,
                ),
                Pattern("box", r"(?i:\bp\.? ?o\.? ?box \d{1,6}\b)", 0.9),
            ],
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """Matches whose words are not all words of a question: "top 10 Page Views" is no address."""
        found = super().analyze(text, entities, nlp_artifacts, regex_flags)
        return [r for r in found if _is_named(text[r.start : r.end]) and not _is_count(text, r.start, r.end, r.score)]


def _is_count(text: str, start: int, end: int, score: float) -> bool:
    """Whether a number before words that also end streets counts them: "top 100 Page Views", "2024 Forest Fields"."""
    if score >= _SURE_SCORE:
        return False
    number = re.match(r"\d+", text[start:end])
    if number is None or any(part_of(w) in _SURE_PARTS for w in re.findall(r"[^\W\d_]+", text[start:end])[:-1]):
        return False
    before = re.search(r"([^\W\d_]+)\W*\Z", text[:start])
    ranked = before is not None and before.group(1).casefold() in _RANKING
    return ranked or len(number.group()) < 3 or re.fullmatch(r"(?:19|20)\d\d", number.group()) is not None


def _is_named(address: str) -> bool:
    words = re.findall(r"[^\W\d_]+", address)[:-1] or [address]
    if re.search(r"(?i)\bbox\b", address):
        return True
    whole = re.findall(r"[^\W\d_]+", address)
    if len(whole) == 1 and is_ordinary(normalise(whole[0])):
        return False  # "during 2024", "spring 2025": an ordinary word that happens to end as streets do in German.
    return any(
        not is_plain_word(word.casefold()) and (part_of(word) is not Part.WORD or len(words) == 1 or word[0].isupper())
        for word in words
    )
