"""Values that stand in a question as they are: quoted words, proper names, lists that end in "or".

In the gateway the known values of a text column are masked before a planner sees the question. That leaves columns
whose values nobody has looked at: those of which the Summary tells neither labels nor the shape of their text (too few
rows, or a source without statistics). Only for them is a word of the question taken for a value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import Placeholder
from gateway.llm.offline.mentions import Candidate
from gateway.llm.offline.near import COMPARING, Found, columns_where, one_of
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Literalish, Slot
from gateway.llm.offline.text import word_set
from gateway.llm.offline.thesaurus import STOP
from gateway.summary.model import ColumnSummary

_JOIN: Final = word_set(", and or either including include like as such be .")
_OPENING: Final = word_set(
    "create display plot show draw the a an what which how is are give list make generate calculate "
    "visualize compute i number bar pie line box heat scatter heatmap boxplot chart i'd"
)


OTHER: Final = 0.3
"""How well a value fits a column that nothing in the question points to: a second list is about another column."""


def find_literals(question: Question, found: Found) -> None:
    """Add filters by runs of proper names and quoted words, each with the columns that it may be about."""
    if not any(_is_unseen(column) for column in question.lexicon.columns.values()):
        return
    for group in _groups(question):
        values = [_value(question, run) for run in group]
        columns = _columns(question, group[0][0], group[-1][-1])
        if columns and not _is_number(question, group):
            found.tokens.update(i for run in group for i in run)
            found.slots.append(Slot("filter", columns, group[0][0], build=one_of(values[:100], negated=False)))


def _value(question: Question, run: list[int]) -> Literalish:
    """The words of a run; where a part of it is masked, only that part can be bound back."""
    masked = next((question.tokens[i] for i in run if question.tokens[i].kind == "placeholder"), None)
    if masked is not None:
        return Placeholder(placeholder=masked.text)
    return question.text[question.tokens[run[0]].start : question.tokens[run[-1]].end].strip("'\"‘’“”")[:200]


def _is_number(question: Question, group: list[list[int]]) -> bool:
    """``a social security number of ⟨id:1⟩``: masked digits after the name of a number are no text."""
    tokens = [question.tokens[i] for run in group for i in run]
    if not all(token.kind == "placeholder" for token in tokens):
        return False
    before = [m for m in question.mentions if m.last < group[0][0]]
    if not before or not question.linked(before[-1].last, group[0][0]):
        return False
    best = before[-1].candidates[0].entry
    return best.kind == "column" and question.lexicon.columns[best.ref].type.is_numeric


def _is_unseen(column: ColumnSummary) -> bool:
    """Whether the values of a column may stand unmasked in a question."""
    return column.type is ColumnType.TEXT and column.labels is None and column.text is None


def _groups(question: Question) -> list[list[list[int]]]:
    """Runs of literal tokens, and runs that a comma or an "or" joins."""
    claimed = {i for m in question.mentions for i in m.tokens if m.candidates[0].exact}
    claimed |= {i for t in question.times for i in range(t.first, t.last + 1)}
    runs: list[list[int]] = []
    listed = _listed(question, claimed)
    for index, token in enumerate(question.tokens):
        masked = token.kind == "placeholder" and not token.columns
        if token.kind == "quoted" or masked or index in listed or _is_proper(question, index, claimed):
            if (
                runs
                and runs[-1][-1] == index - 1
                and token.kind != "quoted"
                and question.tokens[index - 1].kind != "quoted"
            ):
                runs[-1].append(index)
            else:
                runs.append([index])
    groups: list[list[list[int]]] = []
    for run in runs:
        previous = groups[-1][-1] if groups else None
        if previous and _joined([t.text for t in question.between(previous[-1], run[0])]):
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _joined(words: list[str]) -> bool:
    """Whether only words of a list stand between two of its values: ``, or the`` too."""
    return all(word in _JOIN for word in (words[:-1] if len(words) > 1 and words[-1] in {"the", "a", "an"} else words))


def _listed(question: Question, claimed: set[int]) -> set[int]:
    """Words of a list that ends in "or" (``wechat, game, or hangout``) and that name nothing: they are values."""
    found: set[int] = set()
    named = {i for m in question.mentions for i in m.tokens} | claimed
    named |= {i for p in question.cues for i in range(p.first, p.last + 1)}

    def is_free(index: int) -> bool:
        token = question.tokens[index]
        own = token.text not in STOP and token.text not in _OPENING and token.text not in COMPARING
        return token.kind == "word" and index not in named and own

    for index, token in enumerate(question.tokens):
        if token.text != "or" or index + 1 >= len(question.tokens) or not is_free(index + 1):
            continue
        items = [index + 1]
        place = index - 1
        while place >= 0 and (question.word(place) == "," or is_free(place)):
            items.extend([place] if is_free(place) else [])
            place -= 1
        if len(items) >= 2:
            found.update(items)
    return found


def _is_proper(question: Question, index: int, claimed: set[int]) -> bool:
    token = question.tokens[index]
    raw = question.text[token.start : token.end]
    if (
        token.kind != "word"
        or index == 0
        or index in claimed
        or not raw[:1].isupper()
        or raw in {"ID", "IDs", "I", "SSN", "SSNs"}
    ):
        return False
    opening = question.word(index - 1) in {".", "?", "!"}
    return not opening and token.text not in _OPENING


def _columns(question: Question, first: int, last: int) -> tuple[Candidate, ...]:
    """Columns that the run may be about: the mention before it, after it, or any unseen column."""
    columns = question.lexicon.columns
    scores: dict[str, float] = {}

    def add(ref: str, score: float) -> None:
        if ref and _is_unseen(columns[ref]):
            scores[ref] = max(scores.get(ref, 0.0), score)

    left = [m for m in question.mentions if m.last < first]
    right = [m for m in question.mentions if m.first > last and m.first - last <= 2]
    for rank, mention in enumerate(reversed(left[-3:])):
        for candidate in mention.of_kind("column"):
            add(candidate.entry.ref, candidate.score * (0.7**rank))
        for candidate in mention.of_kind("table"):
            add(question.lexicon.label_columns.get(candidate.entry.table, ""), 0.6 * candidate.score * (0.8**rank))
    for mention in right[:1]:
        for candidate in mention.of_kind("column"):
            add(candidate.entry.ref, candidate.score * 0.9)
    found = columns_where(question, lambda e: _is_unseen(columns[e.ref]), OTHER)
    ranked = [replace(c, score=scores.get(c.entry.ref, c.score)) for c in found]
    return tuple(sorted(ranked, key=lambda c: -c.score))
