"""What a question says about the columns of one table: which it names, how, and which its conditions are about.

The grammar (`search.py`) decides for each place of a chart what fills it. The evidence here is softer: how well each
column is explained by the words, and what kind of word stands before its name. The ranking reads both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import Filter, Mark
from gateway.llm.offline.lexicon import ID_WORDS, Lexicon, is_identifier
from gateway.llm.offline.mentions import Mention
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import split_name
from gateway.summary.model import ColumnSummary, Summary, TableSummary

OPEN_MARKS: Final[tuple[Mark, ...]] = ("bar", "line", "arc", "rect", "boxplot", "point")
"""Chart kinds that a question which names none may mean."""
AGAIN: Final = 0.5
"""What a column loses that another condition of the question is about already."""
NEAR_SHOWN: Final = 0.15
"""What a filtered column gains where the chart shows it, against a better match that it does not."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and the columns it may be about (``table.column``), each with how well it fits."""

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
    """A mention as the ranking sees it.

    Attributes:
        role: What governs it: count, aggregate, group, filter, entity (the table itself is named) or free.
        columns: How well the words cover each column's name, by ``table.column``.
    """

    role: str
    columns: dict[str, float]


@dataclass
class Evidence:
    """A question against the columns of a Summary, read from one table.

    Attributes:
        table: The table that the question names most of.
        told: Whether the Summary says more of the table than names, types and counts.
        named_mark: Whether the question names a chart kind; `marks` are then only that.
    """

    lexicon: Lexicon
    table: TableSummary
    told: bool
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

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table, as ``table.column``."""
        return tuple(f"{self.table.name}.{c.name}" for c in self.table.columns)

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        """Columns of the table that can be added up or spread out."""
        return tuple(n for n in self.columns if self.fact(n).type.is_numeric and not self.is_nominal(n))

    @cached_property
    def rows(self) -> int:
        """About how many rows the table has."""
        return self.table.rows if isinstance(self.table.rows, int) else FEW_ROWS

    @cached_property
    def summed(self) -> tuple[str, ...]:
        """Keys that an aggregate is asked of in so many words: ``average author id``."""
        said = {ref for n in self.mentions if n.role == "aggregate" for ref in n.columns}
        return tuple(
            ref for ref in self.columns if ref in said and self.fact(ref).type.is_numeric and self.is_nominal(ref)
        )

    def fact(self, ref: str) -> ColumnSummary:
        """What is known of a column."""
        return self.lexicon.columns[ref]

    def is_date(self, ref: str) -> bool:
        """Whether the column holds dates."""
        return self.fact(ref).type.is_temporal

    def is_nominal(self, ref: str) -> bool:
        """Whether the column names things: words and keys."""
        return self.sort(ref) in {"text", "key"}

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
    def _sorts(self) -> dict[str, str]:
        return {}

    def sort(self, ref: str) -> str:
        """What sort of column it is: ``text``, ``key``, ``date`` or ``number``."""
        if ref not in self._sorts:
            self._sorts[ref] = _sort(self.fact(ref))
        return self._sorts[ref]

    def is_unique(self, ref: str) -> bool:
        """Whether every row has its own value."""
        return self.fact(ref).distinct == "unique"

    def size(self, ref: str) -> int:
        """About how many values there are."""
        column = self.fact(ref)
        if column.labels:
            return len(column.labels)
        if isinstance(column.distinct, int):
            return column.distinct
        if column.type is ColumnType.BOOLEAN:
            return 2
        return {"unique": max(self.rows, 2), "constant": 1, "few": 5, "many": 1000}.get(column.distinct, 30)


FEW_ROWS: Final = 10
"""What a table counts as whose number of rows is only known as few (below 15)."""


def _sort(column: ColumnSummary) -> str:
    if column.type.is_temporal:
        return "date"
    if not column.type.is_numeric:
        return "text"
    if column.semantic is not None:
        return "key" if column.semantic in {"postcode", "code_like"} or is_identifier(column) else "number"
    # Without a released meaning a name must say so in a word of its own: "paperid" may be counted on, or added up.
    return "key" if split_name(column.name)[-1:] and split_name(column.name)[-1] in ID_WORDS else "number"


def is_told(summary: Summary, table: TableSummary) -> bool:
    """Whether more is known of a table than what its columns are called, their types and how many values they have."""
    if summary.links or summary.metrics or table.primary_key or table.synonyms or table.description:
        return True
    return any(
        c.semantic or c.number or c.time or c.text or c.labels or c.synonyms or c.description for c in table.columns
    )


def gather(question: Question, frame: Frame) -> Evidence:
    """Gather what a question says about the columns of the table it names most of."""
    lexicon = question.lexicon
    table = _table(question)
    marks: list[Mark] = list(dict.fromkeys(frame.marks))
    plain = {a for a, _ in frame.aggregates}
    found = Evidence(
        lexicon=lexicon,
        table=table,
        told=is_told(lexicon.summary, table),
        marks=tuple(marks[:1]) or OPEN_MARKS,
        named_mark=bool(marks),
        aggregates=frozenset(plain & {"sum", "avg", "min", "max"}),
        counted=bool(plain & {"count", "count_distinct"}),
        distribution=frame.distribution,
        trend=frame.trend,
        which=frame.which,
    )
    for mention in question.mentions:
        named = _named(question, mention)
        following = next((m for m in question.mentions if m.first == mention.last + 1), None)
        if named is not None and following is not None and following.of_kind("column"):
            # The last noun of a compound is what it is about: player positions are positions.
            named = Named("modifier", named.columns)
        if named is not None:
            found.mentions.append(named)
    for slot in frame.slots:
        if slot.role in {"filter", "time_filter"} and slot.build is not None:
            columns = {c.entry.ref: c.score for c in slot.candidates if c.entry.table == table.name}
            found.conditions.append(Condition(columns, slot.build))
    for one in found.mentions:
        for ref, likeness in one.columns.items():
            found.explained[ref] = max(found.explained.get(ref, 0.0), likeness)
    for best in found.filtered(set()):
        if best:
            found.explained[best] = max(found.explained.get(best, 0.0), 0.5)
    return found


def _table(question: Question) -> TableSummary:
    weights: dict[str, float] = {}
    for mention in question.mentions:
        for candidate in mention.candidates:
            weights[candidate.entry.table] = max(weights.get(candidate.entry.table, 0.0), candidate.weight)
    best = max(weights, key=lambda name: weights[name]) if weights else question.lexicon.summary.tables[0].name
    return question.lexicon.tables[best]


def _named(question: Question, mention: Mention) -> Named | None:
    columns = {c.entry.ref: c.score for c in mention.of_kind("column")}
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
