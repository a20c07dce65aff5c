"""Street addresses that a word for a street, a house number or a postal code gives away.

A street without such a word ("Dlouhá 15/3") is found by `houses`, where a name with a house number behind it stands.
"""

from __future__ import annotations

import re
from typing import Any, Final

from presidio_analyzer import Pattern

from redaction.fingerprints import normalise
from redaction.recognizers import streets
from redaction.recognizers.houses import is_closed, is_located, is_season, is_year, speaks_of_place
from redaction.recognizers.names import Part, is_ordinary, is_word_or_place, part_of
from redaction.recognizers.strict import StrictPatterns
from redaction.recognizers.wording import NAME_PARTS
from redaction.words import is_plain_word

_SURE_SCORE: Final = 0.7
_RARE_SCORE: Final = 0.6
_SELDOM_SCORE: Final = 0.58
_UNIT_SCORE: Final = 0.57
_BARE_SCORE: Final = 0.56
_AFTER_SCORE: Final = 0.71
_CERTAIN_SCORE: Final = 0.9
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_SURE_PARTS: Final = frozenset({Part.GIVEN, Part.SURNAME, Part.UNKNOWN})
_RANKING: Final = frozenset({"top", "bottom", "first", "last", "best", "worst", "next", "over", "under", "than"})

_UNIT_FIRST: Final = (
    r"(?:(?i:suite|apt|apartment|flat|unit|level|floor|studio|shop|room|villa|h\. ?no|house no|plot no|door no|no|#)"
    r"\.? ?\w{1,6},? )?"
)
_NUMBER_FIRST: Final = rf"(?<![\w./\-]){_UNIT_FIRST}\d{{1,6}}(?:[/\-]\d{{1,4}})?[A-Za-z]?,? "
_NAME: Final = r"(?:[\w'’.\-]{1,24} ){1,4}"
_CAPITALS: Final = r"(?:[A-ZÀ-ÖØ-Ž][\w'’.\-]{1,24} ){1,3}"
_COMPASS: Final = r"(?: (?:[NSEW]|N[EW]|S[EW]|North|South|East|West)(?!\w))?"
_LAST_NAME: Final = r"(?:[\w'’.\-ªº]{1,24} ){0,4}?[\w'’.\-ªº]{1,24}"
_HOUSE: Final = rf",? ?{streets.NUMBERED}{streets.HOUSE}(?!\w|[.,]\d){streets.UNIT}"

_FIRST: Final = (
    rf"(?<!\w)(?i:{streets.FIRST})(?:(?<=[./]) ?| ){streets.SMALL}{_LAST_NAME},? ?{streets.NUMBERED}"
    rf"{streets.HOUSE}(?: \d{{1,4}})?(?!\w|[.,]\d){streets.UNIT}"
)
_FIRST_NUMBER_FIRST: Final = (
    rf"(?<![\w.])\d{{1,5}},? (?i:bis |ter )?(?i:{streets.FIRST}) {streets.SMALL}"
    rf"[\w'’.\-]{{3,24}}(?: (?!(?i:apt|apartment|suite|unit|app)\b)[A-Z][\w'’.\-]{{2,24}}){{0,2}}{streets.UNIT}"
)
_ATTACHED: Final = rf"(?<!\w)(?:{streets.LEADING} )?(?i:[\w'’.\-]{{2,30}}(?:{streets.ATTACHED})){_HOUSE}"
_AFTER: Final = rf"(?<!\w)(?:[^\W\d_][\w'’.\-]{{0,24}} ){{1,3}}(?i:{streets.AFTER}){_HOUSE}"
_GRID: Final = (
    r"(?<!\w)(?i:(?:(?:calle|cl|carrera|cra|cr|kr|ak|ac|av|avenida|diagonal|dg|transversal|tv|autopista|circular)\.? ?"
    r"){1,2}\d{1,3} ?[A-Z]{0,2}(?: ?(?:bis|sur|norte|este|oeste|[nsew])(?: ?[A-Z])?){0,2} ?(?:#|n[o°º]\.?) ?"
    r"\d{1,3} ?[A-Z]{0,2}(?: bis)?(?: ?- ?\d{1,3})?(?: (?:este|sur|norte|oeste))?)(?!\w)"
)
"""A corner and a distance, as Colombia numbers: "Cra. 7 # 12-34"."""
_BLOCK: Final = (
    r"(?<!\w)(?i:blk|block|b|blok|manzana|mz)\.? ?\d{1,3},? (?i:lot|l|lt|lote)\.? ?\d{1,3},? "
    r"(?:[A-Z][\w'’.\-]{1,24},? ?){1,4}(?:\d{1,3}(?!\d))?"
)
_JAPANESE: Final = (
    r"(?<![\w.\-/])(?:\d{1,3}(?:-\d{1,3}){1,3},? [A-Z][\w\-]{2,24}(?:, ?[A-Z][\w\-]{2,24}){0,3}|"
    r"[A-Z][\w\-]{2,24} (?:\d{1,2}-?(?i:ch[oō]me),? ?)?\d{1,3}(?:-\d{1,3}){1,3}(?![\w\-])|"
    r"\d{1,2}-(?i:ch[oō]me)(?: ?\d{1,3}(?:-\d{1,3}){0,2})?,? [A-Z][\w\-]{2,24}(?:, ?[A-Z][\w\-]{2,24}){0,3})"
)
_EAST_ASIAN: Final = (
    r"[\u3400-\u9fff\u3040-\u30ff]{1,16}(?:[0-9]{1,4}(?:丁目|番地?|号|號|弄|巷|-)){1,4}[0-9]{0,4}(?:号|號|座|室)?|"
    r"[\u3400-\u9fff]{1,10}(?:路|街|道|巷)[\w]{0,6}(?:号|號|座|弄)|"
    r"(?:[\uac00-\ud7a3]+ ){0,4}[\uac00-\ud7a3]+\d{0,3}(?:로|길|가) ?\d{1,4}(?:-\d{1,4})?"
)
"""Streets of China, Japan and Korea in their own letters."""
_SOUTH_EAST: Final = (
    r"(?i:số) ?\d{1,4}[\w/]{0,12} (?:[^\W\d_]\w* ?){1,4}|\d{1,4}(?:/\d{1,4})? (?:หมู่ \d{1,3} )?(?:ถนน|ถ\.)\S+"
)
_POSTAL: Final = (
    rf"(?<!\w)(?:(?:[A-ZÀ-ÖØ-Ž][\w'’.\-]{{1,24}}|de|la|am|der|im|na|u) ){{0,3}}"
    rf"[A-ZÀ-ÖØ-Ž][\w'’.\-]{{1,24}} {streets.HOUSE}, ?"
    r"(?:[A-Z]{1,2}-)?\d{2,3} ?\d{2,3} [A-ZÀ-ÖØ-Ž][\w'’.\-]{2,24}"
)
"""A name, a number, a postal code and a town: a street whatever it is called."""
_ENDS_STREET: Final = re.compile(rf"(?:(?i:{streets.COMMON})|{streets.RARE}|{streets.SELDOM}) ?\Z")
_TAIL: Final = re.compile(
    r"(?:, [A-Z][\w'’.\-]{1,24}(?: [A-Z][\w'’.\-]{1,24}){0,2})?,? [A-Z]{2} \d{5}(?:-\d{4})?(?!\w)|"
    r",? (?:[A-Z]{1,2}-)?(?:\d{4,6}|\d{3} \d{2}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|\d{4}-\d{3}|"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
    r"(?: [A-ZÀ-ÖØ-Ž][\w'’.\-]{2,24}){0,2}(?!\w)"
)
"""A postal code with a town behind an address."""


class AddressRecognizer(StrictPatterns):
    """A street with a house number, before or after it, or a post-office box."""

    needs = re.compile(r"\d|[路街로길]|\b[sS]/[nN]\b")

    def __init__(self, language: str) -> None:
        super().__init__(
            supported_entity="STREET_ADDRESS",
            name="Address",
            supported_language=language,
            global_regex_flags=0,
            patterns=[
                Pattern(
                    "common",
                    rf"{_NUMBER_FIRST}{_NAME}(?i:{streets.COMMON})(?!\w)\.?{_COMPASS}{streets.UNIT}",
                    _SURE_SCORE,
                ),
                Pattern("rare", rf"{_NUMBER_FIRST}{_CAPITALS}(?:{streets.RARE})(?!\w){streets.UNIT}", _RARE_SCORE),
                Pattern(
                    "seldom", rf"{_NUMBER_FIRST}{_CAPITALS}(?:{streets.SELDOM})(?!\w){streets.UNIT}", _SELDOM_SCORE
                ),
                Pattern("alone", rf"{_NUMBER_FIRST}(?:{streets.ALONE})(?!\w){streets.UNIT}", _CERTAIN_SCORE),
                Pattern("attached", _ATTACHED, _SURE_SCORE),
                Pattern("first", _FIRST, _SURE_SCORE),
                Pattern("after", _AFTER, _AFTER_SCORE),
                Pattern("first, number first", _FIRST_NUMBER_FIRST, _SURE_SCORE),
                Pattern("grid", _GRID, _CERTAIN_SCORE),
                Pattern("block and lot", _BLOCK, _SURE_SCORE),
                Pattern("japanese", _JAPANESE, _BARE_SCORE),
                Pattern("east asian", _EAST_ASIAN, _CERTAIN_SCORE),
                Pattern("south-east asian", _SOUTH_EAST, _CERTAIN_SCORE),
                Pattern("postal", _POSTAL, _BARE_SCORE),
                Pattern(
                    "unit first",
                    r"(?<!\w)(?i:flat|studio|apt|unit)\.? \d{1,4}[a-zA-Z]?,? (?:[A-Z][\w'’.\-]{1,24} ?){1,4}",
                    _UNIT_SCORE,
                ),
                Pattern("box", r"(?i:\bp\.? ?o\.? ?box \d{1,6}\b)", _CERTAIN_SCORE),
            ],
        )

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None, regex_flags: int | None = None
    ) -> list[Any]:
        """Matches that have more than words of a question ("top 10 Page Views"), with their postal code and town."""
        found = []
        for result in super().analyze(text, entities, nlp_artifacts, regex_flags):
            if self._is_address(text, result.start, result.end, result.score):
                tail = _TAIL.match(text, result.end)
                found.append(self.result(result.start, tail.end() if tail else result.end, result.score))
        return found

    def _is_address(self, text: str, start: int, end: int, score: float) -> bool:
        address = text[start:end]
        if score == _CERTAIN_SCORE:
            return True
        if not _is_named(address):
            return False
        if score == _BARE_SCORE:
            return _is_strange(address)
        if score == _AFTER_SCORE:
            return _is_strange(address) or _is_of_a_name(address)
        if score == _UNIT_SCORE:
            return is_located(text[:start]) or _is_strange(address) or _ENDS_STREET.search(address) is not None
        if score < _SURE_SCORE:
            return not _is_count(text, start, end, score)
        return self.supported_language != "en" or not _is_by_the_way(text, start, address)


def _is_strange(address: str) -> bool:
    """Whether a word of an address without a word for a street is in no dictionary."""
    words = _WORD.findall(address)
    return any(
        part_of(word) in _SURE_PARTS and (word[0].isupper() or not word.isascii()) and not is_ordinary(normalise(word))
        for word in words
    )


def _may_be_named(address: str) -> bool:
    """Whether a word of an address may be a name, or names a place: "4 Dakota Rise", not "5 Call Centers"."""
    return any(part_of(word) in NAME_PARTS or is_word_or_place(word) for word in _WORD.findall(address)[:-1])


def _is_of_a_name(address: str) -> bool:
    """Whether a word with a capital stands before a word for a street that is no English one: "Atatürk Caddesi"."""
    words = _WORD.findall(address)
    capitals = [word for word in words[:-1] if word[0].isupper() and not is_plain_word(word.casefold())]
    return bool(capitals) and not any(word.casefold() in streets.ENGLISH_TOO for word in words)


def _is_by_the_way(text: str, start: int, address: str) -> bool:
    """Whether a word for a street is none here: "via Shopify 2024", "avenue sales 2024", "Ballring 23/24"."""
    first = re.match(r"[^\W\d_]+", address)
    if first is None:
        return False
    number = re.search(r"\d[\d/\-]*\Z", address)
    if number is not None and is_season(number.group()):
        return True
    lowered = first.group().casefold()
    words = re.findall(r"[^\W\d_]+", address)
    if lowered in streets.ENGLISH_TOO and first.group().islower() and not speaks_of_place(text[:start]):
        plain = len(words) == 1 or words[-1].islower() or is_ordinary(normalise(words[-1]))
        return plain or (number is not None and is_year(number.group()))
    return number is not None and is_year(number.group()) and words[-1].islower() and is_ordinary(normalise(words[-1]))


def _is_count(text: str, start: int, end: int, score: float) -> bool:
    """Whether a number before words that also end streets counts them: "top 100 Page Views", "2024 Forest Fields"."""
    address = text[start:end]
    number = re.search(r"\d+", address)
    if number is None or any(part_of(w) in _SURE_PARTS for w in re.findall(r"[^\W\d_]+", address)[:-1]):
        return False
    if is_located(text[:start]) or (speaks_of_place(text[:start]) and is_closed(text, end) and _may_be_named(address)):
        return False
    if score < _RARE_SCORE:
        return True
    before = re.search(r"([^\W\d_]+)\W*\Z", text[:start])
    ranked = before is not None and before.group(1).casefold() in _RANKING
    return ranked or len(number.group()) < 3 or is_year(number.group())


def _is_named(address: str) -> bool:
    whole = re.findall(r"[^\W\d_]+", address)
    words = whole[:-1] or [address]
    if re.search(r"\d(?:st|nd|rd|th)\b", address):
        return True
    if len(whole) == 1 and is_ordinary(normalise(whole[0])):
        return False  # "during 2024", "spring 2025": an ordinary word that happens to end as streets do in German.
    return any(
        not is_plain_word(word.casefold()) and (part_of(word) is not Part.WORD or len(words) == 1 or word[0].isupper())
        for word in words
    )
