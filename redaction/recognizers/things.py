"""Names that are no person's, told by what stands beside them: "Trafford Centre", "the Hornsea site", "Storm Eunice".

A gazetteer would have to be endless. What a place, a disease, a project or a cup is called by stands beside its name;
and no person follows "in" or "through".
"""

from __future__ import annotations

import re
from typing import Final

from redaction.recognizers.names import Part
from redaction.recognizers.wording import NAME_PARTS, Word
from redaction.words import is_plain_word

_THING_WORDS: Final = """
centre center mall park pass tunnel valley bridge bay beach station airport terminal stadium arena tower square market
pool zone region district county province state island islands isle river lake sea ocean coast mountain mountains hill
hills falls canal harbour harbor port corridor crossing rail line site plant mine field basin reservoir dam disease
syndrome virus flu variant method index test score scale curve chart matrix model pilot programme program project plan
act directive treaty agreement summit conference festival fair cup open league tour trophy championship championships
games series prize award awards week edition bundle pack kit collection coffee wine beer cheese brand club team
university college school hospital clinic institute foundation museum gallery theatre church cathedral hotel bank
exchange process algorithm effect theorem law code standard framework cycle approach campaign initiative system
"""
THINGS: Final = frozenset(_THING_WORDS.split())
"""What a thing, a place or an event is called by, behind its name."""
_ALWAYS_WORDS: Final = """
disease syndrome virus flu variant airport stadium arena terminal cup league trophy championship championships festival
directive treaty theorem algorithm
"""
_ALWAYS: Final = frozenset(_ALWAYS_WORDS.split())
"""Of those, the ones that need neither a capital nor "the" before the name."""
_STORMS: Final = frozenset({"storm", "hurricane", "typhoon", "cyclone"})
_KINDS: Final = frozenset(
    {"project", "operation", "phase", "codename", "mount", "lake", "cape", "camp", "terminal", "hall"}
)
_WHERE: Final = frozenset(
    {"in", "at", "near", "through", "across", "around", "within", "into", "throughout", "outside", "inside", "towards"}
)
"""Before a place; "at" may also lead to a street, which has a number behind it."""
_COMPASS: Final = frozenset({"north", "south", "east", "west", "northern", "southern", "eastern", "western"})
_ADJECTIVES: Final = _COMPASS | {"old", "new", "great", "upper", "lower", "greater", "inner", "outer", "central"}
_PEERS: Final = frozenset({"lord", "lady", "sir", "madam"})
"""Titles that are names of nothing alone: "Lord's"."""
_POSSESSIVE: Final = re.compile(r"['’]")
_OF_PERSON_WORDS: Final = """
account accounts family household case file order orders invoice invoices ticket tickets estate claim claims contract
wedding party matter portfolio policy
"""
_OF_PERSONS: Final = frozenset(_OF_PERSON_WORDS.split())
"""What is called after a person with "the" before the name: "the Thistlewood account"."""
_ARTICLES: Final = frozenset({"la", "los", "las", "el", "le", "les"})
_AND: Final = re.compile(r",? (?:and|or|vs\.?|versus|&) |, |/", re.IGNORECASE)
_JOINTS: Final = frozenset({"and", "or", "vs", "versus"})
_SHORTEST: Final = 3
_FEAST: Final = re.compile(r"['’]s (?:day|eve|week|weekend|night|lane)\b", re.IGNORECASE)
_UNSURE: Final = frozenset({Part.UNKNOWN, Part.WORD})


def names_a_thing(text: str, words: list[Word], first: int, last: int) -> bool:
    """Whether words that may be a name (indexes, end exclusive) name something else than a person.

    A name with a given name for sure is a person's, unless it is a storm's or a feast's ("Valentine's Day").
    """
    run = words[first:last]
    before = words[first - 1] if first else None
    after = words[last] if last < len(words) else None
    behind = text[run[-1].end : run[-1].end + 12]
    if run[0].lower in _STORMS or (before is not None and before.lower in _STORMS and len(run) == 1):
        return True
    if len(run) == 1 and _FEAST.match(behind):
        return True
    parts = [word for word in run if word.part in NAME_PARTS and not _is_acronym(word)]
    if all(word.lower in _COMPASS for word in parts) or (len(run) == 1 and run[0].lower in _PEERS):
        return True
    if any(word.part is Part.GIVEN for word in run):
        return False
    if run[-1].lower in THINGS and len(run) > 1 and run[-1].upper:
        return True
    if before is not None and before.lower in _KINDS and len(run) == 1:
        return True
    unlisted = all(word.part in _UNSURE for word in run) and run[0].upper
    the = before is not None and before.lower == "the"
    if after is not None and after.start == run[-1].end + 1 and after.lower in THINGS:
        return run[0].upper and (after.upper or the or unlisted or after.lower in _ALWAYS)
    if unlisted and the and not _POSSESSIVE.match(behind) and (after is None or after.lower not in _OF_PERSONS):
        return True
    if before is not None and before.upper and before.lower in _ARTICLES and not _is_name(words, first - 2):
        return True
    if unlisted and _is_among_things(text, words, first, last):
        return True
    at = first - 1
    while at > 0 and words[at].upper and words[at].lower in _ADJECTIVES:
        at -= 1
    return _is_where(behind, run, words[at] if at >= 0 else None)


def _is_name(words: list[Word], at: int) -> bool:
    return at >= 0 and words[at].part in NAME_PARTS


def _is_among_things(text: str, words: list[Word], first: int, last: int) -> bool:
    """Whether a name in no list stands in a list with what is known to be none: "Schiphol and Gatwick"."""
    left, right = first - 1, last
    if left >= 0 and words[left].lower in _JOINTS:
        left -= 1
    if right < len(words) and words[right].lower in _JOINTS:
        right += 1
    before = left >= 0 and _AND.fullmatch(text[words[left].end : words[first].start])
    after = right < len(words) and _AND.fullmatch(text[words[last - 1].end : words[right].start])
    alone = left < 1 or words[left - 1].part not in NAME_PARTS  # "Karina Davids and Pepijn"
    return bool((before and alone and _is_known_thing(words[left])) or (after and _is_known_thing(words[right])))


def _is_known_thing(word: Word) -> bool:
    known = word.part is Part.WORD and len(word.text) > _SHORTEST and not word.text.isupper()
    return known and word.upper and not is_plain_word(word.lower)


def _is_acronym(word: Word) -> bool:
    return word.text.isupper() and len(word.text) <= 3


def _is_where(behind: str, run: list[Word], before: Word | None) -> bool:
    """Whether a name in no list follows "in" or the like, and no house number follows it."""
    if before is None or before.lower not in _WHERE or not run[0].upper:
        return False
    unsure = all(word.part in _UNSURE for word in run)
    return unsure and re.match(r"['’]|,? ?\d", behind) is None
