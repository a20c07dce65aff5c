"""From a reading to a ChartSpec: measures, groups, filters, order and the mark."""

from __future__ import annotations

from typing import Literal

from gateway.chart.paths import graph_of
from gateway.chart.spec import (
    ChartSpec,
    Dimension,
    Exists,
    Mark,
    Measure,
)
from gateway.llm.offline.draft import Draft
from gateway.llm.offline.effect import FEW_COLOURS, choose_mark
from gateway.llm.offline.grouping import add_groups
from gateway.llm.offline.lexicon import Lexicon, is_year
from gateway.llm.offline.measures import collect, derive, measure_of, per_amount, per_row, ratio
from gateway.llm.offline.order import havings, order_of
from gateway.llm.offline.search import Reading, distance, linking, related
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.special import fill_open, is_alone, quantities, raw_chart


def assemble(reading: Reading, frame: Frame, lexicon: Lexicon, *, fill: int | None = None) -> ChartSpec | None:
    """Build the chart of a reading.

    Args:
        reading: What fills each slot.
        frame: The wishes of the question.
        lexicon: The Summary's names.
        fill: Which candidate takes a place that the question leaves open: 0 is the best. None: no place is filled
            that the chart can be drawn without.

    Returns:
        A spec, or None if the reading makes none, or has fewer candidates for its open places.
    """
    draft = Draft(reading, frame, lexicon, graph_of(lexicon.summary.links))
    draft.measures = collect(reading, frame, lexicon)
    _filters(draft)
    add_groups(draft)
    wanted = frame.marks[0] if frame.marks else None
    if not fill_open(draft, wanted, fill):
        return None
    if frame.distribution and wanted is None and is_alone(draft):
        wanted = "histogram"
    if frame.distribution and wanted is None and draft.groups and quantities(draft) and not frame.aggregates:
        wanted = "boxplot"
    if wanted in {"histogram", "boxplot"} or (wanted == "point" or (frame.versus and wanted is None)):
        special = raw_chart(draft, wanted or "point")
        if special is not None:
            return special
    _derived(draft)
    return _finish(draft, wanted)


# Filters.


def _filters(draft: Draft) -> None:
    for option in draft.reading.of("filter", "time_filter", "child"):
        if option.entry is None or option.slot.build is None:
            continue
        named = option.entry.ref
        if option.use == "child":
            named = linking(draft.graph, draft.lexicon, draft.reading.root, option.entry.table) or option.entry.table
        built = option.slot.build(named)
        if built is None:
            continue
        table = option.entry.table
        if option.use != "child" and distance(draft.graph, draft.reading.root, table) is None:
            if not related(draft.graph, draft.reading.root, table):
                continue
            built = Exists(op="exists", table=table, filter=built)
        draft.filters.append(built)
        counted = draft.measures.items and draft.measures.items[0].aggregate in {"count", "count_distinct"}
        if (draft.frame.share or draft.frame.rate) and counted and option.use == "filter" and draft.part is None:
            draft.part = built


def _derived(draft: Draft) -> None:
    frame, found = draft.frame, draft.measures
    if draft.part is not None and found.items[0].aggregate in {"count", "count_distinct"}:
        draft.filters.remove(draft.part)
        draft.main = ratio(found, draft.part)
        return
    per = next((o for o in draft.reading.of("per") if o.entry), None)
    if per is not None and per.entry is not None:
        averaged = any(a == "avg" for a, _ in frame.aggregates)
        if per.entry.kind == "table":
            draft.main = per_row(found, per.entry.table, draft.reading.root, draft.lexicon, average=averaged)
        else:
            draft.main = per_amount(found, measure_of(per, draft.reading, draft.lexicon), per.entry.table)
        return
    everything = [*draft.groups, *([draft.series] if draft.series else [])]
    ordered = any(g.grain or g.part for g in draft.groups[:1])
    by = None
    if frame.share and len(everything) == 2:
        by = "d1"
    draft.main = derive(found, frame, ordered=ordered, grouped=bool(everything), by=by)


def _finish(draft: Draft, wanted: Mark | None) -> ChartSpec | None:
    frame = draft.frame
    groups, series = list(draft.groups), draft.series
    timed = bool(groups) and bool(groups[0].grain or groups[0].part)
    if len(groups) == 2 and series is None and wanted not in {"rect", "table"}:
        small = draft.size(groups[1]) <= max(FEW_COLOURS, draft.size(groups[0])) or draft.size(groups[1]) <= 50
        both = timed and bool(groups[1].grain or groups[1].part)
        if both and wanted is None:
            wanted = "rect"
        elif timed or wanted in {"bar", "line", "area", "point"} or (wanted is None and small):
            groups, series = groups[:1], groups[1]
    if wanted == "rect" and len(groups) == 1 and series is not None:
        groups, series = [*groups, series], None
    measures = draft.measures.items
    mark = wanted or choose_mark(
        measures=len(measures),
        time=bool(groups) and (bool(groups[0].grain) or is_year(draft.lexicon.columns[groups[0].column])),
        groups=len(groups),
        series=series is not None,
        share=frame.share,
        first_size=draft.size(groups[0]) if groups else 0,
    )
    if wanted is None and mark == "line" and frame.superlative is not None and series is None:
        mark = "bar"
    mark, groups, series = fitting(mark, groups, series)
    if frame.listing and frame.marks == [] and groups and not frame.aggregates and not draft.reading.of("measure"):
        mark = "table"
    if mark in {"arc", "rect"}:
        measures = measures[:1]
        if draft.main != "m1":
            draft.main = "m1"
    having = havings(draft, measures)
    sort, top = order_of(draft, groups, mark)
    stack: Literal["none", "zero", "normalize"] | None = None
    if mark in {"bar", "area"} and series is not None:
        stack = (
            "normalize"
            if "normalize" in frame.styles
            else ("zero" if "stacked" in frame.styles else ("none" if "grouped" in frame.styles else None))
        )
    orientation: Literal["vertical", "horizontal"] | None = None
    if mark == "bar":
        orientation = (
            "horizontal" if "horizontal" in frame.styles else ("vertical" if "vertical" in frame.styles else None)
        )
    shown: tuple[Measure, ...] = tuple(measures)
    if mark == "table" and frame.listing and not draft.reading.of("measure") and not having and not sort and not top:
        shown = ()
    return ChartSpec(
        mark=mark,
        table=draft.reading.root,
        measures=shown,
        dimensions=tuple(groups),
        series=series,
        filter=draft.filter(),
        having=tuple(having),
        sort=tuple(sort),
        top=top,
        stack=stack,
        orientation=orientation,
    )


def fitting(
    mark: Mark, groups: list[Dimension], series: Dimension | None
) -> tuple[Mark, list[Dimension], Dimension | None]:
    """A mark that the groups allow, or groups that the mark allows."""
    if not groups:
        return ("table" if mark == "table" else "text"), [], None
    if mark == "arc":
        return (
            ("arc", groups[:1], None)
            if len(groups) == 1 and series is None
            else ("bar", groups[:1], series or groups[1])
        )
    if mark == "rect":
        return ("rect", groups[:2], None) if len(groups) >= 2 else ("bar", groups, series)
    if mark == "text":
        return "bar", groups[:1], series or (groups[1] if len(groups) > 1 else None)
    if mark == "table":
        return "table", [*groups, *([series] if series else [])], None
    if mark == "histogram":
        return "bar", groups[:1], series
    if mark == "boxplot":
        return "bar", groups[:1], series
    if len(groups) > 1 and mark != "point":
        return mark, groups[:1], series or groups[1]
    return mark, groups, series
