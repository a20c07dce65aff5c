"""Streets without a word for a street: a name with a house number behind it.

"Dlouhá 15/3" and "Pablo Riveros 2760" hold nothing that says street. What says so is that a word stands there which may
be a name, with a number behind it that is written as houses are numbered (15/3, 12b, 4-6), or a bare one where the
question speaks of a place ("parcels returned from", "lives at"). So "Product 12", "Route 66" and "Store 15/3" stay what
they are. A number before the name is taken in the same way. What else a number behind a name may be stays: a year, a
season (23/24), a count ("Maria Lopez 12 orders").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from redaction import figures
from redaction.fingerprints import normalise
from redaction.recognizers import streets
from redaction.recognizers.names import Part, is_ordinary, is_public, is_word_or_place, part_of
from redaction.words import is_plain_word

_PLACE: Final = re.compile(
    r"(?:\b(?:at|address(?:es)?(?: is| was|:)?|addr\.?:?)|"
    r"\b(?:deliver\w*|ship\w*|sen[dt]\w*|dispatch\w*|mail\w*|post\w*|return\w*|collect\w*|pick\w*|parcels?|packages?|"
    r"letters?|invoices?|boxes|orders?|live[sd]?|living|resid\w+|moved?|moving|located|based|home|house\w*|flat|"
    r"apartment|premises|property|site|meters?|readings?|visit\w*|install\w+|tenants?|calls?|callouts?|crews?|driv\w+|"
    r"couriers?|drop\w*|neighbou?rs?)\b[^.?!;]{0,24}?\b(?:to|from|in|at|on|near|outside|opposite)) (?:the )?\Z",
    re.IGNORECASE,
)
_AT: Final = re.compile(
    r"\b(?:at|address(?:es)?(?: is| was|:)?|addr\.?:?|(?:live[sd]?|living|resid\w+) (?:in|on)) (?:the )?\Z",
    re.IGNORECASE,
)
_HOUSE: Final = re.compile(
    rf"(?: [IVX]{{1,4}}(?= ))?,? ?(?P<said>{streets.NUMBERED})(?P<number>{streets.HOUSE})(?P<unit>{streets.UNIT})"
)
_STRONG: Final = re.compile(r"\d{1,5}(?: ?[A-Za-z])?/\d{1,5}[A-Za-z]?|\d{1,4}[A-Za-z]|\d{1,3}-\d{1,3}[A-Za-z]?")
_MEASURES: Final = frozenset({"k", "m", "h", "d", "s", "x", "g", "b", "w", "y", "p"})
"""Letters that make a number an amount: 12k, 3h, 7d, 5x."""
_LOOK_BACK: Final = 60
"""Characters before an address in which a word for a place is looked for."""
_SEASON: Final = re.compile(r"(?:20)?(\d\d)[/\-](?:20)?(\d\d)")
_FOLLOWING: Final = re.compile(r"[ ]?([^\W_]+)")
_CLOSED_WORDS: Final = """
by in on per last this since over for from to and or with without as during between before after until of at each every
weekly daily monthly yearly hourly quarterly vs versus compared than is was are were has had have did does do not who
that which where when please today yesterday only across against be been once
twice often after a the sorted grouped split
"""
_CLOSED: Final = frozenset(_CLOSED_WORDS.split())
"""Words that can follow an address, and that no count of things begins with."""
_LEADING: Final = frozenset(
    {"u", "na", "nad", "pod", "za", "pri", "při", "ke", "k", "v", "od", "do", "ob", "las", "los", "el"}
)
_ARTICLE: Final = re.compile(
    r"(?<!\w)(?:[Ll]as|[Ll]os|El|Les|Na|Nad|Pod|U|Ke?|V|Ob|Pri|Při|Za) (?:[^\W\d_]{2,24} ){0,2}?"
    r"(?P<word>[^\W\d_]{4,24})(?= )"
)
"""A street's name that begins as one does in Spanish or Slavic: "Las Maravillas", "Ob pristanu"."""
_CAPITAL_AND_NUMBER: Final = re.compile(
    rf"(?<![\w'’])(?P<name>(?:[A-ZÀ-ÖØ-Ž][\w'’\-]{{1,24}} )?[A-ZÀ-ÖØ-Ž][\w'’\-]{{2,24}}) (?P<number>{streets.HOUSE})"
    rf"(?!\w|[.,:]\d|%){streets.UNIT}"
)
"""After "at", a street whatever it is called: "Zrinjevac 18"."""
_NUMBER_BEFORE: Final = re.compile(
    r"(?<![\w.,/\-$€£])(?:(?i:suite|apt|apartment|flat|unit|level|floor|studio|shop|room)\.? ?\w{1,6},? )?"
    r"(?P<number>\d{1,5}(?:[/\-]\d{1,4})?[A-Za-z]?),? \Z"
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
_WORD_BEFORE: Final = re.compile(r"([^\W\d_][\w'’.\-]*) \Z")
_ADJECTIVE: Final = re.compile(r"(?:sk|ck|ov|ow)(?:a|e|ej|iej|ego|iego|eho)\Z")
"""How streets named after persons and towns end in Slavic languages, without accents."""
_SLAVIC: Final = re.compile(
    r"(?<!\w)(?:[^\W\d_][\w'’.\-]{0,24} ){0,3}?(?P<last>[^\W\d_a-zà-öø-ÿ][^\W\d_]{1,24}"
    r"(?:sk|ck|zk|n|v|t|h|r|l|d|b|m)(?:á|é|ého|iho|ího|ých|ích|í|ej|iej|ego|iego|ova|ovej|owa|owej|ova))"
    rf" (?P<number>{streets.HOUSE}){streets.UNIT}"
)


def find_houses(text: str, names: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Names with a house number behind them, as spans of the text.

    Args:
        text: Cleaned text that a person wrote.
        names: Spans that are taken for names of persons.
    """
    for start, end in names:
        first = _number_before(text, start, end)
        if first is not None:
            yield first, end
        house = _HOUSE.match(text, end)
        if house is None or not _is_house(text, start, house):
            continue
        yield _from_first_word(text, start), house.end()
    for match in _SLAVIC.finditer(text):
        if not match.group().isascii() and not is_year(match["number"]):
            yield match.span()
    for match in _CAPITAL_AND_NUMBER.finditer(text):
        if (
            is_located(text[max(0, match.start() - _LOOK_BACK) : match.start()])
            and _is_street_name(match["name"])
            and not is_year(match["number"])
        ):
            yield match.span()
    for match in _ARTICLE.finditer(text):
        word = normalise(match["word"])
        house = _HOUSE.match(text, match.end())
        if house is None or not _is_house(text, match.start(), house):
            continue
        if house["unit"] or (not is_ordinary(word) and not is_word_or_place(word)):
            yield match.start(), house.end()


def is_season(number: str) -> bool:
    """Whether a number is two years that follow each other: 23/24, 2023-24."""
    match = _SEASON.fullmatch(number.strip(" ."))
    return match is not None and (int(match.group(2)) - int(match.group(1))) % 100 == 1


def is_year(number: str) -> bool:
    """Whether a number may be a year."""
    return figures.is_year(number.strip(" ."))


def speaks_of_place(before: str) -> bool:
    """Whether what stands before says that a place follows: "parcels returned from", "lives at"."""
    return _PLACE.search(before[-_LOOK_BACK:]) is not None


def is_closed(text: str, end: int) -> bool:
    """Whether no noun follows that a number could count."""
    following = _FOLLOWING.match(text, end)
    return following is None or following.group(1).casefold() in _CLOSED


def is_located(before: str) -> bool:
    """Whether what stands before can only lead to a place: "at", "whose address is"."""
    return _AT.search(before[-30:]) is not None


def _is_house(text: str, start: int, house: re.Match[str]) -> bool:
    number = house["number"].rstrip(". ")
    if re.match(r"\w|[.,:]\d|%|[-/]\d| ?[€$£]", text[house.end("number") :]) or is_season(number):
        return False
    if house["said"] or house["unit"]:
        return True
    if _STRONG.fullmatch(number) and number[-1].casefold() not in _MEASURES:
        return True
    if is_year(number):
        return False
    first = _from_first_word(text, start)
    before = text[max(0, first - _LOOK_BACK) : first]
    if is_located(before):
        return True
    return is_closed(text, house.end()) and (speaks_of_place(before) or _is_in_no_list(text[start : house.start()]))


def _is_in_no_list(name: str) -> bool:
    """Whether a name with a capital is in no list and no dictionary, so that it may as well be a street's."""
    words = _WORDS.findall(name)
    if not words or not (words[-1][0].isupper() or (len(words) > 1 and words[0][0].isupper())):
        return False
    return part_of(words[-1]) is Part.UNKNOWN or (len(words) == 1 and _ADJECTIVE.search(words[0]) is not None)


def _is_street_name(name: str) -> bool:
    """Whether every word has a capital, and one is in no dictionary: after "at", with a number behind it, a street."""
    words = _WORDS.findall(name)
    rare = any(part_of(word) is Part.UNKNOWN or is_public(normalise(word)) for word in words)
    return rare and all(word[0].isupper() and not is_plain_word(word.casefold()) for word in words)


def _number_before(text: str, start: int, end: int) -> int | None:
    """Where a house number before a name begins: "at 633 Kelly Artery", but not "from 12 Zorblax shops"."""
    near = max(0, start - _LOOK_BACK)
    number = _NUMBER_BEFORE.search(text[near:start])
    if number is None or is_year(number["number"]):
        return None
    first = near + number.start()
    before = text[max(0, first - _LOOK_BACK) : first]
    if not (is_located(before) or speaks_of_place(before)):
        return None
    return first if text[start:end].count(" ") > 0 or is_closed(text, end) else None


def _from_first_word(text: str, start: int) -> int:
    """Where a street begins that goes on before its name: "U Nových Domů", "Las Maravillas"."""
    first = start
    while (before := _WORD_BEFORE.search(text[max(0, first - 26) : first])) is not None:
        word = before.group(1)
        if word.casefold() not in _LEADING and (not word[0].isupper() or is_plain_word(word.casefold())):
            break
        first -= len(before.group())
    return first
