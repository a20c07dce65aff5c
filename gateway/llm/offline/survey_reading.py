"""What a survey knows of a question: which columns it names how, what it measures, and its conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import Filter, Mark
from gateway.llm.offline.literal import Literals
from gateway.llm.offline.mentions import Mention
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Frame
from gateway.summary.model import ColumnSummary, TableSummary

ALL_MARKS: Final[tuple[Mark, ...]] = ("bar", "line", "arc", "rect", "boxplot", "point")
AGAIN: Final = 0.5
"""What a column loses that another condition of the question is about already."""
NEAR_SHOWN: Final = 0.15
"""What a filtered column gains where the chart shows it, against a better match that it does not."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and the columns it may be about, each with how well it fits."""

    columns: dict[str, float]
    build: Callable[[str], Filter | None]

    def choose(self, shown: set[str], used: frozenset[str] = frozenset()) -> str:
        """The column it fits best, one that is shown before others and one that is filtered already last."""
        ranked = sorted(
            self.columns.items(),
            key=lambda item: (-(item[1] + NEAR_SHOWN * (item[0] in shown) - AGAIN * (item[0] in used)), item[0]),
        )
        return ranked[0][0] if ranked else ""


@dataclass(frozen=True, slots=True)
class Named:
    """A mention as the survey sees it.

    Attributes:
        role: What governs it: count, aggregate, group, filter, entity (the table itself is named) or free.
        columns: How well the words cover each column's name.
    """

    role: str
    columns: dict[str, float]


@dataclass
class Surveyed:
    """A question over one table."""

    table: str
    facts: dict[str, ColumnSummary]
    rows: int
    marks: tuple[Mark, ...]
    named_mark: bool
    aggregates: frozenset[str]
    counted: bool
    distribution: bool
    trend: bool
    which: bool
    mentions: list[Named] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    explained: dict[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        return tuple(self.facts)

    @property
    def quantities(self) -> tuple[str, ...]:
        """Columns that can be added up or spread out."""
        return tuple(n for n, c in self.facts.items() if c.type.is_numeric and not is_key(n))

    def is_text(self, name: str) -> bool:
        """Whether the column holds words."""
        return not self.facts[name].type.is_numeric and not self.is_date(name)

    def is_date(self, name: str) -> bool:
        """Whether the column holds dates."""
        return self.facts[name].type.is_temporal

    def is_nominal(self, name: str) -> bool:
        """Whether the column names things: words and keys."""
        return self.facts[name].type in {ColumnType.TEXT, ColumnType.BOOLEAN} or is_key(name)

    def filtered(self, shown: set[str]) -> list[str]:
        """The column of each condition, in order; empty text where it has none."""
        chosen: list[str] = []
        for condition in self.conditions:
            chosen.append(condition.choose(shown, frozenset(chosen)))
        return chosen

    @cached_property
    def filtered_alone(self) -> frozenset[str]:
        """Columns that the conditions are about, whatever the chart shows."""
        return frozenset(self.filtered(set())) - {""}

    @cached_property
    def sorts(self) -> dict[str, str]:
        """What sort of column each is, for the features."""
        return {name: self._sort(name) for name in self.facts}

    def _sort(self, name: str) -> str:
        if self.is_text(name):
            return "text"
        if self.is_nominal(name):
            return "key"
        return "date" if self.is_date(name) else "number"

    def is_unique(self, name: str) -> bool:
        """Whether every row has its own value."""
        return self.facts[name].distinct == "unique"

    def size(self, name: str) -> int:
        """About how many values there are."""
        distinct = self.facts[name].distinct
        if isinstance(distinct, int):
            return distinct
        return {"unique": self.rows, "constant": 1, "few": 5}.get(distinct, 30)


def is_key(name: str) -> bool:
    """Whether a column is a key by its name."""
    lowered = name.lower()
    return lowered == "id" or lowered.endswith("_id")


def survey_reading(question: Question, frame: Frame, literals: Literals) -> Surveyed:
    """Read a question for the survey."""
    table = _table(question)
    facts = {column.name: column for column in table.columns}
    marks: list[Mark] = [m for m in dict.fromkeys(frame.marks) if m in ALL_MARKS]
    plain = {a for a, _ in frame.aggregates}
    surveyed = Surveyed(
        table=table.name,
        facts=facts,
        rows=table.rows if isinstance(table.rows, int) else 10,
        marks=tuple(marks[:1]) or ALL_MARKS,
        named_mark=bool(marks),
        aggregates=frozenset(plain & {"sum", "avg", "min", "max"}),
        counted=bool(plain & {"count", "count_distinct"}),
        distribution=frame.distribution,
        trend=frame.trend,
        which=frame.which,
    )
    for mention in question.mentions:
        named = _named(question, mention, table.name)
        following = next((m for m in question.mentions if m.first == mention.last + 1), None)
        if named is not None and following is not None and following.of_kind("column"):
            # The last noun of a compound is what it is about: player positions are positions.
            named = Named("modifier", named.columns)
        if named is not None:
            surveyed.mentions.append(named)
    for slot in frame.slots:
        if slot.role in {"filter", "time_filter"} and slot.build is not None and slot.place not in literals.replaced:
            columns = {c.entry.ref.partition(".")[2]: c.score for c in slot.candidates if c.entry.table == table.name}
            surveyed.conditions.append(Condition(columns, slot.build))
    surveyed.conditions.extend(Condition(c.columns, c.build) for c in literals.conditions)
    for one in surveyed.mentions:
        for name, likeness in one.columns.items():
            surveyed.explained[name] = max(surveyed.explained.get(name, 0.0), likeness)
    for best in surveyed.filtered(set()):
        if best:
            surveyed.explained[best] = max(surveyed.explained.get(best, 0.0), 0.5)
    return surveyed


def _table(question: Question) -> TableSummary:
    weights: dict[str, float] = {}
    for mention in question.mentions:
        for candidate in mention.candidates:
            weights[candidate.entry.table] = max(weights.get(candidate.entry.table, 0.0), candidate.weight)
    best = max(weights, key=lambda name: weights[name]) if weights else question.lexicon.summary.tables[0].name
    return question.lexicon.tables[best]


def _named(question: Question, mention: Mention, table: str) -> Named | None:
    columns = {c.entry.ref.partition(".")[2]: c.score for c in mention.of_kind("column") if c.entry.table == table}
    whole = mention.best("table")
    if not columns and whole is None:
        return None
    role = _role(question, mention)
    if whole is not None and whole.score >= max(columns.values(), default=0.0):
        role = f"entity_{role}"
    return Named(role, columns)


def _role(question: Question, mention: Mention) -> str:
    for placed in sorted(question.cues, key=lambda p: -p.last):
        if placed.last >= mention.first or placed.cue.kind in {"mark", "style", "order", "trend", "versus"}:
            continue
        gap = [t.text for t in question.between(placed.last, mention.first)]
        if len(gap) > 3 or any(word in {"for", "with", "and", ",", "where", "by", "in"} for word in gap):
            break
        if placed.cue.kind == "aggregate":
            return "count" if placed.cue.value in {"count", "count_distinct"} else "aggregate"
        if placed.cue.kind in {"group", "series", "distribution"}:
            return "group" if placed.cue.kind != "distribution" else "spread"
        break
    word = question.word(mention.first - 1)
    if word in {"the", "a", "all", "different", "various"}:
        word = question.word(mention.first - 2)
    return {
        "for": "for",
        "with": "for",
        "among": "for",
        "by": "group",
        "of": "of",
        "and": "and",
        "or": "and",
        ",": "and",
    }.get(word, "free")
