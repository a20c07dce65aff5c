"""Safe names: what of a physical name may be spoken.

A name can carry an instruction to a model (``ignore_previous_instructions``) or a cell (a pivoted table has
customers as columns). So a name is spoken as it is only if it is a plain identifier that does not read like an
instruction; a near miss such as ``Order Date`` becomes ``Order_Date``; the rest get a number (``c17``, ``t3``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.catalog import SAFE_NAME
from redaction.fingerprints import normalise
from redaction.recognizers.names import is_listed_given
from redaction.recognizers.people import find_people_in_identifiers

_NEAR_MISS: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ .:()/%#&€$£¥-]{0,39}\Z")
_COMMAND_WORDS_TEXT: Final = """
ignore disregard forget override bypass reveal disclose exfiltrate instruction instructions prompt prompts system
assistant jailbreak pretend obey repeat previous above everything secret secrets output print dump respond answer
execute user you your must all rows
"""
_COMMAND_WORDS: Final = frozenset(_COMMAND_WORDS_TEXT.split())
_LONG_NUMBER: Final = re.compile(r"\d{5,}")
_MAX_WORDS: Final = 4
_CASE: Final = re.compile(r"([a-z])([A-Z])")


def _reads_like_an_instruction(words: Sequence[str]) -> bool:
    return sum(word in _COMMAND_WORDS for word in words) >= 2


def _names_a_person(physical: str) -> bool:
    """Whether a given name stands beside a surname, by the rule that the scan has for identifiers.

    The scan would refuse every prompt with such a name; a number can be spoken.
    """
    # The rule needs a dictionary, which takes a second to load; few names begin with a given name of any list.
    words = normalise(_CASE.sub(r"\1 \2", physical)).split()
    return any(map(is_listed_given, words[:-1])) and bool(find_people_in_identifiers(physical))


def speakable(physical: str) -> str | None:
    """The safe name of one physical name.

    Args:
        physical: A table or column name as the database has it.

    Returns:
        A plain identifier, or None if only a number will do.
    """
    words = [w for w in re.split(r"[^a-z0-9]+", _CASE.sub(r"\1 \2", physical).lower()) if w]
    if _reads_like_an_instruction(words) or _LONG_NUMBER.search(physical) or _names_a_person(physical):
        return None
    if SAFE_NAME.match(physical) and any(c.isalnum() for c in physical):
        return physical
    # Accents are dropped (Städte, Prénom), so that the name is plain; other scripts get a number.
    plain = "".join(c for c in unicodedata.normalize("NFKD", physical.strip()) if not unicodedata.combining(c))
    if not _NEAR_MISS.match(plain) or len(words) > _MAX_WORDS:
        return None
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain.replace("%", " percent ").replace("#", " number ")).strip("_")
    return name if SAFE_NAME.match(name) else None


def safe_names(physicals: Iterable[str], *, prefix: str) -> list[str]:
    """Safe names for a whole list, in order, unique without regard to case.

    Args:
        physicals: The names of all tables of a source, or of all columns of a table.
        prefix: ``t`` or ``c``: what a numbered alias starts with. The number is the place in the list, from 1.

    Returns:
        One safe name for each physical name.
    """
    listed = list(physicals)
    wanted = [speakable(p) for p in listed]
    # A name that is spoken as it is keeps it; a derived one gives way.
    taken: set[str] = set()
    names: list[str | None] = [None] * len(listed)
    for exact in (True, False):
        for i, (physical, name) in enumerate(zip(listed, wanted, strict=True)):
            if name is None or (name == physical) is not exact or name.lower() in taken:
                continue
            names[i] = name
            taken.add(name.lower())
    return [name if name is not None else _numbered(prefix, i + 1, taken) for i, name in enumerate(names)]


def _numbered(prefix: str, place: int, taken: set[str]) -> str:
    name = f"{prefix}{place}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name
