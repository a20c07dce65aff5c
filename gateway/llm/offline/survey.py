"""All readings of a question over one table that a careful reader would accept, ranked: a survey of its ambiguity.

`plan_question` answers as a colleague would: it fills what the question leaves open with what people mean by default
(rows are counted, a date is the one when things happened). Benchmarks of ambiguity, nvBench 2.0 first, ask instead
for every chart a question leaves open: each column that could be the other axis, sums as well as means. This module
enumerates those within the same cues, mentions and conditions, and ranks them with a linear model over features of
the grammar (no word of a question or a schema is a feature). It is not what an asker gets; docs/planner.md says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from gateway.chart.spec import AllOf, Bin, ChartSpec, Dimension, Filter, Mark, Measure, Plan
from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import lexicon_of
from gateway.llm.offline.literal import find_literals
from gateway.llm.offline.question import read_question
from gateway.llm.offline.survey_features import Draft, features
from gateway.llm.offline.survey_reading import Surveyed, survey_reading
from gateway.llm.offline.survey_weights import WEIGHTS
from gateway.summary.model import Summary

MAX_CHARTS: Final = 5
LARGE: Final = 20
"""Numbers and dates with more values than this are binned, or grouped by year."""


def survey_question(summary: Summary, question: str) -> Plan:
    """Propose the five readings of a question over one table that fit best.

    Args:
        summary: What may be known; the table that the question names most of is read.
        question: The asker's words.

    Returns:
        Ranked charts; `missing` if nothing can be drawn.
    """
    lexicon = lexicon_of(summary)
    read = read_question(question, lexicon)
    frame = read_frame(read)
    surveyed = survey_reading(read, frame, find_literals(read))
    ranked = sorted(
        ((score(features(draft, surveyed)), number, draft) for number, draft in enumerate(drafts(surveyed))),
        key=lambda item: (-item[0], item[1]),
    )
    charts: list[ChartSpec] = []
    for _, _, draft in ranked[:MAX_CHARTS]:
        charts.append(build(draft, surveyed))
    if not charts:
        return Plan(missing=(question.strip()[:60] or "a question",))
    return Plan(charts=tuple(charts), ambiguous=len(charts) > 1)


def score(found: dict[str, float]) -> float:
    """The linear model."""
    return sum(WEIGHTS.get(name, 0.0) * value for name, value in found.items())


# Candidates.


def drafts(surveyed: Surveyed) -> Iterator[Draft]:
    """Every chart of the grammar with at most one column that the question does not name (two where it names none)."""
    for mark in surveyed.marks:
        if mark == "boxplot":
            yield from _boxplots(surveyed)
        elif mark == "point":
            yield from _points(surveyed)
        elif mark in {"bar", "line", "arc", "rect"}:
            yield from _grouped(surveyed, mark)


def _free(surveyed: Surveyed, fields: tuple[str, ...], allowed: int) -> bool:
    return sum(surveyed.explained.get(name, 0.0) < 0.2 for name in fields) <= allowed


def _measures(surveyed: Surveyed, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Kinds of measure with their column, for a chart grouped by these fields."""
    yield "count", ""
    unique = any(surveyed.is_unique(name) for name in fields)
    named = [q for q in surveyed.quantities if surveyed.explained.get(q, 0.0) >= 0.2]
    for column in surveyed.quantities:
        if column in fields:
            continue
        if surveyed.aggregates:
            if column in named or not named:
                for aggregate in ("sum", "avg", "min", "max"):
                    if aggregate in surveyed.aggregates:
                        yield aggregate, column
        elif unique:
            yield "raw", column
        else:
            yield "sum", column
            yield "avg", column


def _grouped(surveyed: Surveyed, mark: Mark) -> Iterator[Draft]:
    sizes = {"arc": (1,), "rect": (2,)}.get(mark, (1, 2))
    named = any(value >= 0.2 for value in surveyed.explained.values())
    for size in sizes:
        for fields in combinations(surveyed.columns, size):
            if not _free(surveyed, fields, 1 if named or size == 1 else 2):
                continue
            if size == 2 and mark in {"bar", "line"} and not any(surveyed.is_nominal(name) for name in fields):
                continue
            for kind, column in [("count", "")] if mark == "rect" else _measures(surveyed, fields):
                yield Draft(mark, fields, kind, column)


def _boxplots(surveyed: Surveyed) -> Iterator[Draft]:
    for group in surveyed.columns:
        if not surveyed.is_nominal(group):
            continue
        for column in surveyed.quantities:
            if column != group and _free(surveyed, (group, column), 2):
                yield Draft("boxplot", (group,), "box", column)


def _points(surveyed: Surveyed) -> Iterator[Draft]:
    numbers = [name for name in surveyed.columns if not surveyed.is_text(name)]
    nominal = [name for name in surveyed.columns if surveyed.is_nominal(name)]
    for pair in combinations(numbers, 2):
        for colour in (None, *nominal):
            if colour in pair:
                continue
            fields = (*pair, colour) if colour else pair
            if not _free(surveyed, fields, 2):
                continue
            yield Draft("point", fields, "none", "")
            yield Draft("point", fields, "count", "")
            if surveyed.aggregates:
                for kind, column in _measures(surveyed, fields):
                    if kind not in {"count", "raw"}:
                        yield Draft("point", fields, kind, column)


# Specs.


def build(draft: Draft, surveyed: Surveyed) -> ChartSpec:
    """The spec of a draft, with the conditions of the question."""
    table = surveyed.table
    groups = [_dimension(name, draft.mark, surveyed) for name in draft.fields]
    measures: tuple[Measure, ...] = ()
    if draft.kind == "count":
        measures = (Measure(aggregate="count"),)
    elif draft.kind in {"raw", "box"}:
        # Over groups of a single row every aggregate is the row's own value; the median is the one that says so.
        measures = (Measure(aggregate="median", column=f"{table}.{draft.column}"),)
    elif draft.kind != "none":
        measures = (Measure.model_validate({"aggregate": draft.kind, "column": f"{table}.{draft.column}"}),)
    series = None
    if draft.mark in {"bar", "line"} and len(groups) == 2:
        first = 0 if surveyed.is_nominal(draft.fields[1]) else 1
        groups, series = [groups[first]], groups[1 - first]
    if draft.mark == "point" and len(groups) == 3:
        groups, series = groups[:2], groups[2]
    filters = _filters(draft, surveyed)
    joined: Filter | None = (
        filters[0] if len(filters) == 1 else (AllOf(op="and", filters=tuple(filters)) if filters else None)
    )
    return ChartSpec(
        mark=draft.mark, table=table, measures=measures, dimensions=tuple(groups), series=series, filter=joined
    )


def _dimension(name: str, mark: Mark, surveyed: Surveyed) -> Dimension:
    ref = f"{surveyed.table}.{name}"
    if mark in {"bar", "line", "rect"} and surveyed.size(name) > LARGE:
        if surveyed.is_date(name):
            return Dimension(column=ref, grain="year")
        if not surveyed.is_nominal(name):
            return Dimension(column=ref, bin=Bin(count=10))
    return Dimension(column=ref)


def _filters(draft: Draft, surveyed: Surveyed) -> list[Filter]:
    """Each condition on the column that it fits best, one that the chart shows before others."""
    built: list[Filter] = []
    shown = {*draft.fields, draft.column}
    for condition, column in zip(surveyed.conditions, surveyed.filtered(shown), strict=True):
        if column and (made := condition.build(f"{surveyed.table}.{column}")) is not None:
            built.append(made)
    return built
