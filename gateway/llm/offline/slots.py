"""What a question asks for, before it is decided which column each word means.

A slot is a place in a chart with everything that may fill it. The search (`search.py`) fills slots; nothing before
it decides, so that an ambiguous word is settled by the whole question and not by its neighbours alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gateway.chart.spec import Aggregate, Filter, Grain, Mark, Part, Placeholder
from gateway.llm.offline.mentions import Candidate

Role = Literal["measure", "group", "series", "filter", "time_filter", "having", "root", "sort", "free", "child", "per"]
Op = Literal["eq", "ne", "lt", "le", "gt", "ge"]
Literalish = Placeholder | bool | int | float | str


@dataclass(slots=True)
class Slot:
    """A place in a chart.

    Attributes:
        role: What the place is for.
        candidates: What may fill it, the best first.
        place: Index of its first token, so that roles keep the order of the question.
        aggregate: For a measure: the aggregate that was asked for, if any.
        percentile: For the aggregate of that name.
        build: For a filter: from a column reference (a table's name for `child`) to the filter.
        compare: For a having: operator and number.
        labels: For a group whose values were named (``web vs phone``): nothing else is shown.
        adverb: The preposition before it (``for``, ``of``, ``in``), where it has no role of its own.
    """

    role: Role
    candidates: tuple[Candidate, ...]
    place: int
    aggregate: Aggregate | None = None
    percentile: float | None = None
    build: Callable[[str], Filter | None] | None = None
    compare: tuple[Op, float] | None = None
    adverb: str = ""


@dataclass(slots=True)
class Frame:
    """A question as slots and wishes.

    Attributes:
        marks: Chart kinds that were named, in order.
        times: Grains and parts of dates in the order of the question.
        assumed: Whether a quantity was taken for granted that the question does not name.
        unknown: Content words that name nothing in the data and are no part of the language, with their role.
    """

    slots: list[Slot] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    styles: set[str] = field(default_factory=set)
    grain: Grain | None = None
    times: list[Grain | Part] = field(default_factory=list)
    trend: bool = False
    aggregates: list[tuple[Aggregate, float | None]] = field(default_factory=list)
    top: int | None = None
    top_order: Literal["asc", "desc"] = "desc"
    superlative: Literal["asc", "desc"] | None = None
    sort: bool = False
    order: Literal["asc", "desc"] | None = None
    alphabetical: bool = False
    share: bool = False
    change: Literal["change", "change_percent"] | None = None
    running: bool = False
    moving: int | None = None
    versus: bool = False
    distribution: bool = False
    listing: bool = False
    which: bool = False
    rate: bool = False
    bins: int | None = None
    compare_years: tuple[int, ...] = ()
    assumed: bool = False
    unknown: list[tuple[str, str]] = field(default_factory=list)

    def of(self, *roles: str) -> list[Slot]:
        """Slots of these roles in the order of the question."""
        return [slot for slot in self.slots if slot.role in roles]
