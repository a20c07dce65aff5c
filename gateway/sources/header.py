"""Does the first line of a CSV file name the columns, or is it a row?

Taking a row for names would publish its cells as column names, so the doubt goes the other way: a first line is a
header only if every cell could be a name and at least one thing sets it apart from the rows below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_VALUE_LIKE: Final = re.compile(
    r"""\s*(
        [-+(]?[$€£¥]?\s*[-+]?[\d.,'\s]+\s*[%$€£¥)]?     # a number, an amount, a share
        | .*@.*\..*                                      # an e-mail address
        | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*              # a date
        | \d{1,2}:\d{2}.*                                # a time
        | https?://.*
        | \+?[\d\s().-]{7,}                              # a telephone number
        | [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-.*               # a UUID
        | true | false | null | n/?a | yes | no
    )\s*\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_HEADER_WORDS_TEXT: Final = """
id key code name first last full title date time day month year created updated at on by email mail phone address
street city town country state region zip postcode status type kind category group class segment amount price cost
total sum value rate quantity qty count number no size weight currency discount tax fee customer client user account
order product item sku invoice payment company vendor supplier employee manager department team role description
comment comments note notes text url link start end from to age gender sex score rating rank level source channel
language version latitude longitude lat lon lng tags label is has plan tenant organisation organization project task
owner priority subject body message event page device
"""
_HEADER_WORDS: Final = frozenset(_HEADER_WORDS_TEXT.split())
_MAX_NAME: Final = 63


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower())


def _shape(text: str) -> str:
    """Letters as A or a, digits as 9, runs collapsed: ``Ada Lovelace`` and ``Alan Turing`` are both ``Aa Aa``."""
    return re.sub(
        r"(.)\1+", r"\1", re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda m: "A" if m[0].isupper() else "a", text))
    )


def is_header(first: Sequence[str | None], rows: Sequence[Sequence[str | None]]) -> bool:
    """Whether the first line names the columns.

    Args:
        first: Its cells, as text.
        rows: Cells of the following lines, some hundreds; read here and nowhere kept.

    Returns:
        False if any cell of the first line looks like a value or stands again below it, or if nothing sets the
        line apart from the rows.
    """
    cells = [(c or "").strip() for c in first]
    filled = [c for c in cells if c]
    if not filled:
        return False
    if any(len(c) > _MAX_NAME or _VALUE_LIKE.match(c) for c in filled):
        return False
    columns = [[(row[i] or "").strip() for row in rows if i < len(row) and row[i]] for i in range(len(cells))]
    if any(cell and cell in column for cell, column in zip(cells, columns, strict=True)):
        return False
    if not any(columns):
        # Nothing below to compare with: only known words make it a header.
        return all(set(_words(c)) & _HEADER_WORDS for c in filled)
    typed = sum(bool(column) and all(map(_VALUE_LIKE.match, column)) for column in columns)
    known = sum(bool(set(_words(c)) & _HEADER_WORDS) for c in filled)
    apart = sum(bool(column) and all(_shape(v) != _shape(cell) for v in column)
                for cell, column in zip(cells, columns, strict=True))  # fmt: skip
    if len(set(filled)) < len(filled) and not typed:
        return False
    return typed > 0 or known * 2 >= len(filled) or (known > 0 and apart > 0)
