"""Charts of one table that a question leaves open: other columns on an axis, sums beside means and counts.

The grammar's readings (`search.py`, `assemble.py`) fill an open place with what people mean by default. A question
may mean more than that, so every chart of the plain kinds over the table it is about is proposed as well, with at
most one column that the words do not explain; which of all proposals comes first, `rank.py` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from gateway.chart.spec import AllOf, Bin, ChartSpec, Dimension, Filter, Mark, Measure, Sort
from gateway.chart.validate import MAX_SERIES, MAX_SLICES
from gateway.llm.offline.evidence import Evidence
from gateway.llm.offline.proposal import Proposal
from gateway.llm.offline.slots import Frame

LARGE: Final = 20
"""Numbers and dates with more values than this are binned, or grouped by year."""
EXPLAINED: Final = 0.2
"""From here on the words of the question speak of a column."""
WIDE: Final = 40
"""A table of more columns than this is not read so: what is left open there is too much to guess."""


def openings(evidence: Evidence, frame: Frame) -> Iterator[Proposal]:
    """Every plain chart of the table with at most one column that is not explained (two where none is)."""
    if not _is_plain(frame, evidence):
        return
    for mark in evidence.marks:
        if mark == "boxplot":
            yield from _boxplots(evidence)
        elif mark == "point":
            yield from _points(evidence)
        elif mark in {"bar", "line", "arc", "rect"}:
            yield from _grouped(evidence, mark, frame)


def _is_plain(frame: Frame, evidence: Evidence) -> bool:
    """Whether the plain charts here can say all that is asked for."""
    derived = frame.change or frame.running or frame.moving or frame.top or frame.compare_years
    if frame.rate and frame.of("filter"):
        return False
    if len({slot.aggregate for slot in frame.of("measure")} - {None}) > 1:
        return False  # "min and max temperature": the charts here measure one thing.
    if derived or frame.of("having", "child", "per") or len(evidence.columns) > WIDE:
        return False
    return all(condition.columns for condition in evidence.conditions)


def _is_open(evidence: Evidence, ref: str) -> bool:
    return evidence.explained.get(ref, 0.0) < EXPLAINED


def _few_open(evidence: Evidence, refs: tuple[str, ...], allowed: int) -> bool:
    return sum(_is_open(evidence, ref) for ref in refs) <= allowed


def _measures(evidence: Evidence, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Kinds of measure with their column, for a chart grouped by these fields."""
    yield "count", ""
    unique = any(evidence.is_unique(ref) for ref in fields)
    named = [q for q in (*evidence.quantities, *evidence.summed) if not _is_open(evidence, q)]
    for column in (*evidence.quantities, *evidence.summed):
        if column in fields:
            continue
        if evidence.aggregates:
            if column in named or not named:
                for aggregate in ("sum", "avg", "min", "max"):
                    if aggregate in evidence.aggregates:
                        yield aggregate, column
        elif unique:
            yield "raw", column
        else:
            yield "sum", column
            yield "avg", column


def _grouped(evidence: Evidence, mark: Mark, frame: Frame) -> Iterator[Proposal]:
    sizes = {"arc": (1,), "rect": (2,)}.get(mark, (1, 2))
    named = any(value >= EXPLAINED for value in evidence.explained.values())
    for size in sizes:
        for fields in combinations(evidence.columns, size):
            if not _few_open(evidence, fields, 1 if named or size == 1 else 2):
                continue
            if not _is_drawable(evidence, mark, fields):
                continue
            for kind, column in [("count", "")] if mark == "rect" else _measures(evidence, fields):
                yield _proposal(evidence, mark, fields, kind, column, frame)


def _is_drawable(evidence: Evidence, mark: Mark, fields: tuple[str, ...]) -> bool:
    """Whether slices and colours can be told apart; a condition leaves fewer of them than the Summary knows."""
    if evidence.conditions:
        return len(fields) == 1 or mark == "rect" or any(evidence.is_nominal(ref) for ref in fields)
    if mark == "arc":
        return evidence.size(fields[0]) <= MAX_SLICES
    if len(fields) == 1 or mark == "rect":
        return True
    colour = _colour(evidence, fields)
    return evidence.is_nominal(colour) and evidence.size(colour) <= MAX_SERIES


def _colour(evidence: Evidence, fields: tuple[str, ...]) -> str:
    """Which of two groups is told apart by colour: the one that only names things, else the one of fewer values."""
    return min(fields, key=lambda ref: (not evidence.is_nominal(ref), evidence.size(ref)))


def _boxplots(evidence: Evidence) -> Iterator[Proposal]:
    for group in evidence.columns:
        if not evidence.is_nominal(group):
            continue
        for column in evidence.quantities:
            if column != group and _few_open(evidence, (group, column), 2):
                yield _proposal(evidence, "boxplot", (group,), "box", column, None)


def _points(evidence: Evidence) -> Iterator[Proposal]:
    numbers = [ref for ref in evidence.columns if evidence.sort(ref) != "text"]
    nominal = [ref for ref in evidence.columns if evidence.is_nominal(ref)]
    for pair in combinations(numbers, 2):
        for colour in (None, *nominal):
            if colour in pair:
                continue
            if colour and not evidence.conditions and evidence.size(colour) > MAX_SERIES:
                continue
            fields = (*pair, colour) if colour else pair
            if not _few_open(evidence, fields, 2):
                continue
            yield _proposal(evidence, "point", fields, "none", "", None)
            yield _proposal(evidence, "point", fields, "count", "", None)
            if evidence.aggregates:
                for kind, column in _measures(evidence, fields):
                    if kind not in {"count", "raw"}:
                        yield _proposal(evidence, "point", fields, kind, column, None)


def _proposal(
    evidence: Evidence, mark: Mark, fields: tuple[str, ...], kind: str, column: str, frame: Frame | None
) -> Proposal:
    cuts = tuple(_cut(evidence, ref, mark, frame) for ref in fields)
    filtered = frozenset(evidence.filtered({*fields, column})) if evidence.conditions else frozenset[str]()
    return Proposal(mark, fields, kind, column, cuts, filtered - {""})


def _cut(evidence: Evidence, ref: str, mark: Mark, frame: Frame | None) -> str:
    if mark not in {"bar", "line", "rect"}:
        return ""
    if evidence.is_date(ref):
        if frame is not None and frame.grain:
            return frame.grain
        return "year" if evidence.size(ref) > LARGE else ""
    return "bin" if evidence.size(ref) > LARGE and not evidence.is_nominal(ref) else ""


# Specs.


def write(proposal: Proposal, evidence: Evidence, frame: Frame) -> ChartSpec:
    """The chart of a proposal, with the conditions and the order of the question."""
    table, kind = evidence.table.name, proposal.kind
    groups = [_dimension(ref, cut) for ref, cut in zip(proposal.fields, proposal.cuts, strict=True)]
    measures: tuple[Measure, ...] = ()
    if kind == "count":
        measures = (Measure(aggregate="count"),)
    elif kind in {"raw", "box"}:
        # Over groups of a single row every aggregate is the row's own value; the median is the one that says so.
        measures = (Measure(aggregate="median", column=proposal.column),)
    elif kind != "none":
        measures = (Measure.model_validate({"aggregate": kind, "column": proposal.column}),)
    series = None
    if proposal.mark in {"bar", "line"} and len(groups) == 2:
        colour = proposal.fields.index(_colour(evidence, proposal.fields))
        groups, series = [groups[1 - colour]], groups[colour]
    if proposal.mark == "point" and len(groups) == 3:
        groups, series = groups[:2], groups[2]
    filters = _filters(proposal, evidence)
    joined: Filter | None = AllOf(op="and", filters=tuple(filters)) if len(filters) > 1 else next(iter(filters), None)
    return ChartSpec(
        mark=proposal.mark,
        table=table,
        measures=measures,
        dimensions=tuple(groups),
        series=series,
        filter=joined,
        sort=_sort(proposal, frame),
    )


def _sort(proposal: Proposal, frame: Frame) -> tuple[Sort, ...]:
    order = frame.order or frame.superlative
    if order is None or proposal.mark != "bar" or proposal.kind == "none":
        return ()
    return (Sort(by="d1" if frame.alphabetical else "m1", order=order),)


def _dimension(ref: str, cut: str) -> Dimension:
    if cut == "bin":
        return Dimension(column=ref, bin=Bin(count=10))
    return Dimension.model_validate({"column": ref, "grain": cut}) if cut else Dimension(column=ref)


def _filters(proposal: Proposal, evidence: Evidence) -> list[Filter]:
    """Each condition on the column that it fits best, one that the chart shows before others."""
    built: list[Filter] = []
    chosen = evidence.filtered({*proposal.fields, proposal.column})
    for condition, ref in zip(evidence.conditions, chosen, strict=True):
        if ref and (made := condition.build(ref)) is not None:
            built.append(made)
    return built
