"""Values that stand in a question as they are, for schemas without a value index: quoted words and proper names.

In the gateway every known value is masked before a planner sees the question, so nothing here runs for an asker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.chart.spec import Compare, Filter, InList
from gateway.llm.offline.question import Question
from gateway.llm.offline.text import word_set
from gateway.llm.offline.thesaurus import STOP

_JOIN: Final = word_set(", and or either including include like as such be .")
_OPENING: Final = word_set(
    "create display plot show draw the a an what which how is are give list make generate calculate "
    "visualize compute i number bar pie line box heat scatter heatmap boxplot chart i'd"
)


@dataclass(frozen=True, slots=True)
class LiteralCondition:
    """A condition by literal words and the columns it may be about."""

    columns: dict[str, float]
    build: Callable[[str], Filter | None]


@dataclass
class Literals:
    """Conditions found, and the places of slots that they replace."""

    conditions: list[LiteralCondition] = field(default_factory=list)
    replaced: set[int] = field(default_factory=set)


def find_literals(question: Question) -> Literals:
    """Find runs of proper names and quoted words, and the column each run is about."""
    found = Literals()
    for group in _groups(question):
        values = [
            question.text[question.tokens[r[0]].start : question.tokens[r[-1]].end].strip("'\"‘’“”") for r in group
        ]
        columns = _columns(question, group[0][0], group[-1][-1])
        found.replaced.update(i for run in group for i in run)
        if columns:
            found.conditions.append(LiteralCondition(columns, _one_of(values)))
    return found


def _one_of(values: list[str]) -> Callable[[str], Filter | None]:
    def build(ref: str) -> Filter | None:
        if len(values) == 1:
            return Compare(op="eq", column=ref, value=values[0][:200])
        return InList(op="in", column=ref, values=tuple(v[:200] for v in values[:100]))

    return build


def _groups(question: Question) -> list[list[list[int]]]:
    """Runs of literal tokens, and runs that a comma or an "or" joins."""
    claimed = {i for m in question.mentions for i in m.tokens if m.candidates[0].exact}
    runs: list[list[int]] = []
    listed = _listed(question, claimed)
    for index, token in enumerate(question.tokens):
        if token.kind == "quoted" or index in listed or _is_proper(question, index, claimed):
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
        if previous and all(t.text in _JOIN for t in question.between(previous[-1], run[0])):
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _listed(question: Question, claimed: set[int]) -> set[int]:
    """Words of a list that ends in "or" (``wechat, game, or hangout``) and that name nothing: they are values."""
    found: set[int] = set()
    named = {i for m in question.mentions for i in m.tokens if m.score >= 0.6} | claimed
    named |= {i for p in question.cues for i in range(p.first, p.last + 1)}

    def is_free(index: int) -> bool:
        token = question.tokens[index]
        return token.kind == "word" and index not in named and token.text not in STOP and token.text not in _OPENING

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


def _columns(question: Question, first: int, last: int) -> dict[str, float]:
    """Text columns that the run may be about: the mention before it, after it, or any text column."""
    columns = question.lexicon.columns
    scores: dict[str, float] = {}
    left = [m for m in question.mentions if m.last < first]
    right = [m for m in question.mentions if m.first > last]
    for rank, mention in enumerate(reversed(left[-3:])):
        for candidate in mention.of_kind("column"):
            if not columns[candidate.entry.ref].type.is_numeric:
                name = candidate.entry.ref.partition(".")[2]
                scores[name] = max(scores.get(name, 0.0), candidate.score * (0.7**rank))
        for candidate in mention.of_kind("table"):
            ref = question.lexicon.label_columns.get(candidate.entry.table, "")
            if ref and not columns[ref].type.is_numeric:
                name = ref.partition(".")[2]
                scores[name] = max(scores.get(name, 0.0), 0.6 * candidate.score * (0.8**rank))
    for mention in right[:1]:
        if mention.first - last <= 2:
            for candidate in mention.of_kind("column"):
                if not columns[candidate.entry.ref].type.is_numeric:
                    name = candidate.entry.ref.partition(".")[2]
                    scores[name] = max(scores.get(name, 0.0), candidate.score * 0.9)
    if not scores:
        scores = {
            ref.partition(".")[2]: 0.3 for ref, c in columns.items() if not c.type.is_numeric and not c.type.is_temporal
        }
    return scores
