"""Names that no list has and that only a capital, their place in the sentence or their company gives away.

"ask Držislav", "Rakel's orders", "Mika lives in Oslo", "Edgar, Ilse and Pernille", a line of its own in an address. A
word with a capital that no dictionary has is the name of something: a person's where something says so, else as often
a town's or a brand's. If it were a value of a row it would have been linked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Final

from redaction.linking import KnownNames
from redaction.recognizers.names import Part, is_only_noun, is_word_or_place
from redaction.recognizers.wording import NAME_PARTS, PLACE, Word
from redaction.words import PLAIN_WORDS, is_plain_word

Called = Callable[[int, int], frozenset[str]]

_SPEECH_WORDS: Final = """
said says say asked asks told tells replied shouted shouts answered wrote writes thinks thought knows knew believes
lives lived works worked began begins started spent spends wants wanted needs called calls visited married met likes
loves hates owns owned joined left moved ordered bought buys pays paid returned cancelled signed complained reported
requested received sent gave given got went goes came comes speaks spoke plays played
"""
_OF_PERSONS: Final = frozenset(_SPEECH_WORDS.split())
"""What persons do. After one of these even a word that is a surname and an ordinary word is a name."""
_AUXILIARY_WORDS: Final = """
is isn was wasn has hasn had hadn does doesn did didn will won would wouldn can could should may might
"""
_AUXILIARY: Final = frozenset(_AUXILIARY_WORDS.split())
BEFORE_EVENT: Final = frozenset({"since", "during", "before", "after", "until", "till", "post", "pre"})
"""What follows these is a time or an event: "since Brexit"."""
_LEADS_WORDS: Final = """
by named called name customer user client me him her ask asked tell told contact email message invite dear hi hello
thanks regards attn cc
"""
_LEADS: Final = frozenset(_LEADS_WORDS.split())
_NO_NAME: Final = frozenset(
    {"DATE", "TIME", "EVENT", "LANGUAGE", "MONEY", "PERCENT", "QUANTITY", "CARDINAL", "ORDINAL"}
)
"""Labels that are believed even of a word in no dictionary; the others the small model often gives to rare names."""
_OPEN: Final = frozenset({Part.UNKNOWN, Part.MAYBE_GIVEN, Part.SURNAME})
_CALENDAR: Final = frozenset({"may", "april", "june", "august", "jan", "will", "mark"})
BEFORE_NAME: Final = frozenset({"of", "for", "by", "from", "with", "to", "did", "does", "has"})
_SLIP: Final = 2
"""Letters by which a slip of the pen is longer or shorter."""
_NEAR: Final = 0.7
"""Likeness (Ratcliff and Obershelp) from which a word is a slip for another."""
_MIN_CHARS: Final = 3
_LINE: Final = re.compile(r"(?m)^[>?*\-•| \t]*+(?P<name>[^\n]{3,60}+)$")
"""A short line without the marks of a list or a quotation before it; possessive, so that no line takes long."""
_LINE_WORDS: Final = range(2, 5)
_AND: Final = re.compile(r",? (?:and|or|und|y|et|vs\.?|versus|&) |, ?", re.IGNORECASE)
_CODE: Final = re.compile(r"[_(\[{=@/\\]|[.\-:]\w")
"""What follows a word that is a piece of code or of an identifier."""
_POSSESSIVE: Final = re.compile(r"['’]s?(?!\w)")


def find_by_capital(text: str, words: list[Word], called: Called) -> Iterator[tuple[int, int, bool]]:
    """Words that are names by their capital and place.

    Args:
        text: Cleaned text.
        words: Its words.
        called: Labels the language model gives to what covers a span of characters.

    Yields:
        Index pairs (end exclusive), and whether something says that a person is named; False where only nothing
        says otherwise.
    """
    for at, word in enumerate(words):
        if not word.upper or not _is_candidate(word):
            continue
        labels = called(word.start, word.end)
        stands_out = _stands_out(words, at, labels)
        if stands_out or _is_possessive(text, word) or (word.begins and _is_subject(text, words, at)):
            first, last = _with_neighbours(text, words, at)
            led = _is_led(words, at) or (last - first > 1 and first > 0 and words[first - 1].lower in BEFORE_NAME)
            yield first, last, led or not stands_out or "PERSON" in labels
    if "\n" in text:
        yield from ((first, last, True) for first, last in _own_lines(text, words))


def find_in_place(text: str, words: list[Word], known: KnownNames | None) -> Iterator[tuple[int, int]]:
    """Words without a capital, in no dictionary, where only a name can stand: "orders of kisuke by month".

    A word that is nearly one of the schema or of every question is a slip of the pen ("sum of reveneu by month").
    """
    for at, word in enumerate(words):
        if word.upper or word.part is not Part.UNKNOWN or word.known or len(word.text) <= _MIN_CHARS or not at:
            continue
        if _CODE.match(text, word.end) or text[word.start - 1] != " ":
            continue
        following = text[word.end :].lstrip(" ")[:1]
        ends = at + 1 == len(words) or not following.isalnum() or _is_of_question(words[at + 1])
        if words[at - 1].lower in BEFORE_NAME and ends and not _is_slip(word.lower, known):
            yield at, at + 1


def _is_of_question(word: Word) -> bool:
    return word.known or is_plain_word(word.lower)


def _is_slip(word: str, known: KnownNames | None) -> bool:
    """Whether a word is nearly a word of the schema or of every question: with the same first letter, as slips have."""
    meant = PLAIN_WORDS if known is None else PLAIN_WORDS | known.words
    near = (other for other in meant if other[:1] == word[0] and abs(len(other) - len(word)) <= _SLIP)
    return any(SequenceMatcher(None, other, word, autojunk=False).ratio() >= _NEAR for other in near)


def find_in_lists(text: str, words: list[Word], taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbours of names in a list: "Edgar, Even and Ilse". `taken` are the spans already found, in characters."""
    named = [any(start <= word.start < end for start, end in taken) for word in words]
    steps = [(at, at + 1) for at in range(len(words) - 1)]
    for left, right in (*steps, *((b, a) for a, b in reversed(steps))):
        if named[right] or not named[left] or not words[right].upper or not _is_candidate(words[right]):
            continue
        first, last = sorted((left, right))
        if words[right].part in NAME_PARTS and _AND.fullmatch(text[words[first].end : words[last].start]):
            named[right] = True
            yield right, right + 1


def _is_candidate(word: Word) -> bool:
    if word.known or len(word.text) < _MIN_CHARS or word.text.isupper():
        return False
    return not is_plain_word(word.lower) and word.lower not in _CALENDAR and not _is_camel(word.text)


def _stands_out(words: list[Word], at: int, labels: frozenset[str]) -> bool:
    """Whether a word has a capital in mid-sentence that nothing else explains.

    The small model's labels of a word in no dictionary say little ("Ante" is an ORG to it), unless it is a date or an
    event; of a word that has another meaning they are believed.
    """
    word = words[at]
    if not word.capital:
        return False
    if _is_introduced(words, at):
        return True
    if word.part not in _OPEN:
        return False
    before = words[at - 1].lower if at else ""
    if word.lower in PLACE or before in PLACE or before in BEFORE_EVENT:
        return False
    if word.part is Part.MAYBE_GIVEN:
        return (not labels or "PERSON" in labels) and (not is_word_or_place(word.text) or before in _LEADS)
    return before in _LEADS or not labels & _NO_NAME


def _is_led(words: list[Word], at: int) -> bool:
    """Whether the word before says that a person is named."""
    return _is_introduced(words, at) or (at > 0 and words[at - 1].lower in _LEADS)


def _is_introduced(words: list[Word], at: int) -> bool:
    """Whether a word is said to be a name: "named X", "my name is X", "call me X"."""
    before = [word.lower for word in words[max(0, at - 2) : at]]
    return before[-1:] == ["named"] or before in (["name", "is"], ["call", "me"], ["calls", "me"], ["named", "him"])


def _with_neighbours(text: str, words: list[Word], at: int) -> tuple[int, int]:
    """The word with what stands beside it in capitals: "Anselm Thistlewood", of which a dictionary has the first."""
    first, last = at, at + 1
    while last < len(words) and text[words[last - 1].end : words[last].start] == " " and _joins(words[last]):
        last += 1
    while first and text[words[first - 1].end : words[first].start] == " " and _joins(words[first - 1]):
        first -= 1
    return first, last


def _joins(word: Word) -> bool:
    if word.known or is_plain_word(word.lower) or len(word.text) < _MIN_CHARS or not word.upper:
        return False
    return word.capital or (word.begins and (word.part in NAME_PARTS or is_only_noun(word.lower)))


def _is_camel(word: str) -> bool:
    """Whether a capital stands inside: "GitHub", "iPhone", but not "McDade" or "O'Neil"."""
    return re.search(r"(?<!Mc)(?<!Mac)(?<!De)(?<!Van)(?<=[a-z])[A-Z]", word) is not None


def _is_possessive(text: str, word: Word) -> bool:
    """Whether "'s" follows a word with a capital that may be a name."""
    if word.part not in NAME_PARTS or _POSSESSIVE.match(text, word.end) is None:
        return False
    return (word.capital or (word.begins and word.upper)) and not is_word_or_place(word.text)


def _is_subject(text: str, words: list[Word], at: int) -> bool:
    """Whether the first word of a sentence is who does something, is addressed, or speaks."""
    word, rest = words[at], text[words[at].end :]
    if word.part not in NAME_PARTS:
        return False
    following = words[at + 1] if at + 1 < len(words) else None
    if re.match(r"\s*:", rest) or (rest[:2] == ", " and word.part in _OPEN):
        return word.part in _OPEN and not is_word_or_place(word.text)
    if following is None or rest[:1] != " " or following.start != word.end + 1:
        return False
    if following.lower not in _AUXILIARY:
        return following.lower in _OF_PERSONS
    after = words[at + 2].lower if at + 2 < len(words) else ""
    return after in _OF_PERSONS or (word.part in _OPEN and not is_word_or_place(word.text))


def _own_lines(text: str, words: list[Word]) -> Iterator[tuple[int, int]]:
    """Two to four words with capitals that have a line to themselves, in a text of several lines."""
    for line in _LINE.finditer(text):
        inside = [i for i, w in enumerate(words) if line.start("name") <= w.start < line.end("name")]
        if len(inside) not in _LINE_WORDS or re.search(r"[\d@:/,&]", line["name"]):
            continue
        run = [words[i] for i in inside]
        names = [w for w in run if w.part in NAME_PARTS]
        small = all(w.part in NAME_PARTS or w.part is Part.PARTICLE or w.is_initial for w in run)
        if small and all(w.upper or w.part is Part.PARTICLE for w in run) and not any(w.text.isupper() for w in names):
            yield inside[0], inside[-1] + 1
