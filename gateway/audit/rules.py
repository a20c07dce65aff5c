"""Names the disclosure rule behind each statistic that a prompt spoke, for reviewers.

Reads the compact notation from the outside, by its published forms (docs/disclosure.md has the rules), and shares no
code with what wrote it: a word that no form explains is listed as unexplained, which is what a reviewer looks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_N: Final = r"-?\d[\d.]*(?:e-?\d+)?"
_PERIOD: Final = r"\d{4}(?:-(?:Q[1-4]|\d{2}))?"
_FORMS: Final[tuple[tuple[str, str], ...]] = (
    (rf"(?:~{_N}|few) rows", "row count: DRB rounding ladder, 'few' below 15"),
    (rf"{_N}\.\.{_N}", "range: percentiles or trimmed band, 2 digits, from 100 rows, never an extreme"),
    (rf"{_PERIOD}\.\.{_PERIOD}", "date range: month, quarter or year, tails of ten subjects cut"),
    (rf"~{_N}", "median: interpolated, 2 digits, from 100 rows"),
    (r"null (?:all|\d+(?:-\d+)?%)", "null share: steps of 5%, open ends for 1 to 9 rows"),
    (rf"{_N} distinct", "distinct count: DRB rounding ladder, from 30 rows"),
    (r"few distinct|unique|constant", "distinct count: a word in place of a number"),
    (r"hourly|daily|weekly|monthly|yearly", "grain: a word of a closed set"),
    (r"negative|mixed", "sign: a word of a closed set"),
    (r"\[\"[^\n]*?\"\](?: \+\d+ more)?", "labels: a declared vocabulary, never values found in rows"),
    (r"(?:aka|note) \"[^\n]*?\"(?:,\"[^\n]*?\")*", "words of the datasource's owner, switched on by the owner"),
)
_STATISTIC: Final = re.compile(
    "|".join(f"(?P<f{number}>(?<![^ ])(?:{form})(?![^ \\n]))" for number, (form, _) in enumerate(_FORMS))
)
_NUMBER: Final = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One statistic as it was spoken: where, what, and by which rule; `rule` is empty if no form explains it."""

    where: str
    text: str
    rule: str


def statistics_in(text: str) -> list[Spoken]:
    """Every statistic in a piece of schema notation, in order.

    Args:
        text: The text of a metadata segment.
    """
    found: list[Spoken] = []
    table = ""
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "table" and len(words) > 1:
            table = words[1]
            where = table
        elif words[0] in ("metric", "link"):
            continue
        else:
            where = f"{table}.{words[0]}" if table else words[0]
        rest = line
        for match in _STATISTIC.finditer(line):
            number = int((match.lastgroup or "f0")[1:])
            found.append(Spoken(where=where, text=match[0], rule=_FORMS[number][1]))
            rest = rest.replace(match[0], " ", 1)
        names = {table, words[0], words[1] if len(words) > 1 else ""}
        found.extend(
            Spoken(where=where, text=word, rule="")
            for word in rest.split()
            if table and _NUMBER.match(word) and word not in names
        )
    return found
