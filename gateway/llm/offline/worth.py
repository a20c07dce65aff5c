"""``orders above 1000``: rows that are kept by what they come to, where no column of theirs says it.

An order of five lines has no total of its own; the owner's metric has it, added up over the lines. It is never the
price of one unit or the shipping fee that is meant: those are columns too, but not of what was asked about.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.chart.paths import graph_of
from gateway.llm.offline.lexicon import Entry
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import Found
from gateway.llm.offline.options import column_sort
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Op, Slot

_WHOLE: Final = re.compile(r"total|amount|value|revenue|price|sum|budget|salary|balance|net|gross|amt")
"""Names of columns that say what a row comes to."""
_GROUPS: Final = frozenset({"group", "series", "grain", "part", "trend"})


def keep_worth(question: Question, found: Found, near: Mention, last: int, compare: tuple[Op, float]) -> bool:
    """Keep the rows of the table that was named by the owner's money metric, if no column of it says what they come to.

    Args:
        question: What was read.
        found: Gets the group and what it is kept by.
        near: The mention before the number.
        last: Token of the number.
        compare: How they are compared, and with what.

    Returns:
        Whether it was done; the plan then says that another reading is possible, or that this cannot be said.
    """
    best = near.candidates[0].entry
    if best.kind != "table" or _says_worth(question, best.ref):
        return False
    # Where several fit, the owner's first one comes first.
    money = [Candidate(entry, 0.9**rank, 1.0) for rank, entry in enumerate(money_of(question, best.ref))]
    rows = _rows(question, near.candidates[0])
    if not money or rows is None:
        return False
    found.used.update(near.tokens)
    if any(p.cue.kind in _GROUPS for p in question.cues):
        # The chart language keeps groups by a measure, and rows by their columns: not both at once.
        found.unsayable.append(question.text[question.tokens[near.first].start : question.tokens[last].end][:60])
        return True
    found.assumed = True
    found.slots.append(Slot("group", (rows,), near.first, adverb="top"))
    found.slots.append(Slot("having", tuple(money), near.first, compare=compare))
    return True


def money_of(question: Question, table: str) -> list[Entry]:
    """The owner's metrics in money that are added up over rows which belong to those of a table."""
    lexicon = question.lexicon
    graph = graph_of(lexicon.summary.links)
    return [
        entry
        for entry in lexicon.entries
        if entry.kind == "metric"
        and entry.table != table
        and graph.reaches(entry.table, table)
        and lexicon.metrics[entry.ref].aggregate == "sum"
        and lexicon.metrics[entry.ref].format == "currency"
    ]


def _says_worth(question: Question, table: str) -> bool:
    return any(
        entry.kind == "column"
        and entry.table == table
        and column_sort(question.lexicon, entry.ref) == "number"
        and any(_WHOLE.search(word) for form in entry.forms for word in form.words)
        for entry in question.lexicon.entries
    )


def _rows(question: Question, named: Candidate) -> Candidate | None:
    """What tells the rows of a table apart: their label where they have one, else their key."""
    table = named.entry.ref
    if table in question.lexicon.label_columns:
        return named
    key = question.lexicon.tables[table].primary_key
    ref = f"{table}.{key[0]}" if key else ""
    return next((Candidate(e, 1.0, 1.0) for e in question.lexicon.entries if e.kind == "column" and e.ref == ref), None)
