"""Numbers of identifier columns in a question: "order 4711", "customer id 12", "ticket #880".

A number by itself says nothing ("top 5", "over 1000", "2024"), and any number is the id of some row. So a number is
linked only where the word before it names what the id is of, or says that it is an id. Identifier numbers are indexed
under a mark that no text value can have, and are looked up here alone: a rounded statistic in a prompt that happens
to equal an id is no leak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from redaction.figures import is_year
from redaction.fingerprints import ValueIndex, normalise, number_forms
from redaction.linking import ValueMatch

_CODE: Final = re.compile(r"(?<![\w.,])(?P<hash>#\s?)?(?P<digits>\d{1,18})(?![\w%]|[.,]\d)")
_BEFORE: Final = re.compile(r"[^\W\d_]+|#")
_SAYS_ID: Final = frozenset({"id", "ids", "no", "nr", "number", "num", "code", "key", "ref", "reference", "#"})
_BETWEEN: Final = frozenset({"is", "equals", "with", "whose", "has", "having", "the", "of", "for"}) | _SAYS_ID
_STEM: Final = re.compile(r"_?(?:id|no|nr|number|key|code)\Z")
_LOOK_BACK: Final = 40
"""Characters before a number in which the word that it belongs to is looked for."""


def find_codes(text: str, index: ValueIndex) -> list[ValueMatch]:
    """The numbers of a question that are identifiers in scope, leftmost first."""
    found = []
    for match in _CODE.finditer(text):
        digits = match["digits"].lstrip("0") or "0"
        columns = index.find_code(digits)
        if columns and digits == match["digits"]:
            columns = _meant(text[max(0, match.start() - _LOOK_BACK) : match.start("digits")], digits, columns)
            if columns:
                at = match.start("digits")
                found.append(
                    ValueMatch(start=at, end=at + len(digits), phrase=digits, columns=columns, exact=True, styled=False)
                )
    return found


def _meant(before: str, digits: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that the words before a number speak of; none if they do not speak of an id."""
    says_id = False
    noun = ""
    for word in reversed(_BEFORE.findall(before.lower())):
        says_id = says_id or word in _SAYS_ID
        if word not in _BETWEEN:
            noun = word
            break
    if not noun:
        return columns if says_id else ()
    named = tuple(column for column in columns if noun in set(_nouns(column)))
    # "order 2024" may ask for a year of orders; "order 4711" and "order number 2024" ask for one of them.
    if not named or (is_year(digits) and not says_id):
        return ()
    return tuple(column for column in named if _is_own_key(column)) or named


def _is_own_key(column: str) -> bool:
    """Whether a column is the id of its own table: ``orders.id``, ``orders.order_id``."""
    table, _, name = column.partition(".")
    stem = _STEM.sub("", name.lower())
    return not stem or stem.split("_")[-1] in set(_singular(table))


def _nouns(column: str) -> Iterator[str]:
    """What an id is of: its table, if it is the table's own, else what its name says (``orders.customer_id``)."""
    table, _, name = column.partition(".")
    if _is_own_key(column):
        yield from _singular(table)
    else:
        yield _STEM.sub("", name.lower()).split("_")[-1]


def _singular(name: str) -> Iterator[str]:
    last = normalise(name.replace("_", " ")).split(" ")[-1]
    yield from (form for form in number_forms(last) if not form.endswith("s") or form == last[:-1])
