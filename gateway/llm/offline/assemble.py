"""From a reading to a ChartSpec: measures, groups, filters, order and the mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.catalog import ColumnType
from gateway.chart.paths import Graph, graph_of
from gateway.chart.spec import (
    AllOf,
    Bin,
    ChartSpec,
    Dimension,
    Exists,
    Filter,
    Grain,
    Having,
    Mark,
    Measure,
    Sort,
    Top,
)
from gateway.llm.offline.complete import NEEDED, open_groups, open_quantities
from gateway.llm.offline.effect import FEW_COLOURS, choose_mark, size_of
from gateway.llm.offline.lexicon import Lexicon
from gateway.llm.offline.measures import Measures, collect, count_of, derive, measure_of, per_row, ratio
from gateway.llm.offline.options import Option, column_sort
from gateway.llm.offline.search import Reading, distance, main_date, related
from gateway.llm.offline.slots import Frame

MANY: Final = 30
"""A bar chart of more groups is cut to the first ones by the measure."""
SHOWN: Final = 20
BINS: Final = 20


@dataclass
class Draft:
    """A spec in the making."""

    reading: Reading
    frame: Frame
    lexicon: Lexicon
    graph: Graph
    measures: Measures = field(default_factory=Measures)
    groups: list[Dimension] = field(default_factory=list)
    series: Dimension | None = None
    filters: list[Filter] = field(default_factory=list)
    part: Filter | None = None
    main: str = "m1"
    quantity: str = ""

    def bases(self) -> list[str]:
        """Tables that every group must be reachable from."""
        return list(dict.fromkeys([self.reading.root, *self.measures.tables]))

    def size(self, dimension: Dimension) -> int:
        """About how many groups a dimension makes."""
        if dimension.grain:
            return {"year": 5, "quarter": 14, "month": 40, "week": 160, "day": 1100, "hour": 20_000}[dimension.grain]
        if dimension.part:
            return 12
        if dimension.bin:
            return dimension.bin.count or BINS
        return size_of(self.lexicon.columns[dimension.column])


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
    _groups(draft)
    wanted = frame.marks[0] if frame.marks else None
    if not _fill(draft, wanted, fill):
        return None
    if frame.distribution and wanted is None and _alone(draft):
        wanted = "histogram"
    if wanted in {"histogram", "boxplot"} or (wanted == "point" or (frame.versus and wanted is None)):
        special = _special(draft, wanted or "point")
        if special is not None:
            return special
    _derived(draft)
    return _finish(draft, wanted)


# Filters.


def _filters(draft: Draft) -> None:
    for option in draft.reading.of("filter", "time_filter", "child"):
        if option.entry is None or option.slot.build is None:
            continue
        built = option.slot.build(option.entry.ref if option.use != "child" else option.entry.table)
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


def _joined(filters: list[Filter]) -> Filter | None:
    if not filters:
        return None
    flat: list[Filter] = []
    for one in filters:
        flat.extend(one.filters if isinstance(one, AllOf) else [one])
    return flat[0] if len(flat) == 1 else AllOf(op="and", filters=tuple(flat))


# Groups.


def _groups(draft: Draft) -> None:
    frame, lexicon = draft.frame, draft.lexicon
    times: list[Dimension] = []
    plain: list[Dimension] = []
    for option in draft.reading.of("group", "series"):
        dimension = _dimension(option, draft)
        if dimension is None:
            continue
        column = lexicon.columns[dimension.column]
        if option.use == "series" and draft.series is None:
            draft.series = dimension
        elif column.type.is_temporal and not times:
            times = _times(draft, dimension.column)
        elif dimension not in plain:
            plain.append(dimension)
    timed = bool(frame.times) or frame.trend
    if not times and (timed or (not plain and (frame.change or frame.moving or frame.running))):
        ref = main_date(
            lexicon, draft.graph, draft.bases(), [o.entry.ref for o in draft.reading.of("time_filter") if o.entry]
        )
        times = _times(draft, ref) if ref is not None else []
    draft.groups = [*times, *plain]
    time = times[0] if times else None
    if draft.series is not None and not draft.groups:
        draft.groups, draft.series = [draft.series], None
    _compared(draft, time)


def _times(draft: Draft, ref: str) -> list[Dimension]:
    """A date column at every grain and part that was asked for."""
    grains = {"year", "quarter", "month", "week", "day", "hour"}
    asked = [
        Dimension.model_validate({"column": ref, "grain" if t in grains else "part": t}) for t in draft.frame.times
    ]
    return asked[:2] or [Dimension(column=ref, grain=_grain(draft, ref))]


def _compared(draft: Draft, time: Dimension | None) -> None:
    """Two years or two values that are compared tell the lines apart."""
    frame, lexicon = draft.frame, draft.lexicon
    if frame.compare_years and time is not None and time.grain not in {None, "year"} and draft.series is None:
        part = {"month": "month_of_year", "quarter": "quarter_of_year", "day": "day_of_month"}.get(time.grain or "")
        if part:
            draft.groups[0] = Dimension(column=time.column, part=part)  # type: ignore[arg-type]
            draft.series = Dimension(column=time.column, grain="year")
    elif frame.compare_years and time is None and draft.series is None:
        ref = main_date(lexicon, draft.graph, draft.bases())
        if ref is not None:
            year = Dimension(column=ref, grain="year")
            if draft.groups:
                draft.series = year
            else:
                draft.groups = [year]
    if frame.versus and not frame.compare_years and draft.series is None:
        _compared_values(draft)


def _compared_values(draft: Draft) -> None:
    """``web versus phone by month``: the column of the values that are compared tells the lines apart."""
    for one in draft.filters:
        if one.op == "in" and not any(g.column == one.column for g in draft.groups):
            draft.groups.append(Dimension(column=one.column))
            return


def _dimension(option: Option, draft: Draft) -> Dimension | None:
    entry, lexicon = option.entry, draft.lexicon
    if entry is None:
        return None
    ref = entry.ref
    if entry.kind == "table":
        ref = lexicon.label_columns.get(entry.ref, "")
        if not ref:
            return None
    if entry.kind not in {"column", "table"}:
        return None
    column = lexicon.columns[ref]
    if column.type.is_temporal:
        return Dimension(column=ref, grain=_grain(draft, ref))
    if column_sort(lexicon, ref) == "number" and size_of(column) > MANY and column.semantic not in {"year", "month"}:
        return Dimension(column=ref, bin=Bin(count=10))
    return Dimension(column=ref)


def _grain(draft: Draft, ref: str) -> Grain:
    """The grain asked for, else one that makes a readable number of points of the released range."""
    if draft.frame.grain:
        return draft.frame.grain
    facts = draft.lexicon.columns[ref].time
    limited = any(o.use == "time_filter" for o in draft.reading.options)
    if facts is None or not facts.first or not facts.last or limited:
        return "month"
    years = int(facts.last[:4]) - int(facts.first[:4]) + 1
    return "month" if years <= 6 else ("quarter" if years <= 12 else "year")


def _fill(draft: Draft, wanted: Mark | None, fill: int | None) -> bool:
    """Fill a place that the named mark needs; False if there is no such candidate."""
    lexicon, frame = draft.lexicon, draft.frame
    shown = len(draft.groups) + (draft.series is not None)
    taken = {g.column for g in draft.groups} | {o.entry.ref for o in draft.reading.of("filter") if o.entry}
    if wanted in {"boxplot", "histogram"}:
        if _quantities(draft):
            return not fill
        columns = open_quantities(lexicon, draft.reading.root, taken)
        if (fill or 0) >= len(columns):
            return False
        draft.quantity = columns[fill or 0]
        return True
    if wanted == "point" and len(_quantities(draft)) >= 2:
        return not fill
    missing = (NEEDED.get(wanted, 0) if wanted else (1 if fill is not None else 0)) - shown
    if missing <= 0 or frame.versus:
        return not fill
    found = open_groups(lexicon, draft.graph, draft.bases(), wanted, taken)
    start = fill or 0
    if start + missing > len(found):
        return False
    if missing == 2:
        draft.groups.extend((found[0], found[start + 1]))
    else:
        draft.groups.append(found[start])
        if found[start].grain:
            draft.groups.insert(0, draft.groups.pop())
    return True


# Charts of raw quantities.


def _alone(draft: Draft) -> bool:
    columns = _quantities(draft)
    return len(columns) == 1 and not draft.groups and draft.series is None


def _quantities(draft: Draft) -> list[str]:
    """Numeric columns that the question names, in its order."""
    found = [
        o.entry.ref
        for o in draft.reading.options
        if o.entry is not None and o.entry.kind == "column" and o.use in {"measure", "group"}
        and draft.lexicon.columns[o.entry.ref].type.is_numeric
    ]  # fmt: skip
    return list(dict.fromkeys([*found, *([draft.quantity] if draft.quantity else [])]))


def _special(draft: Draft, mark: Mark) -> ChartSpec | None:
    columns = _quantities(draft)
    root = draft.reading.root
    filter_ = _joined(draft.filters)
    if mark == "histogram" and columns:
        asked = draft.frame.top
        binned = Dimension(column=columns[0], bin=Bin(count=asked if asked and 2 <= asked <= 100 else BINS))
        table = columns[0].partition(".")[0]
        series = draft.series if draft.series and draft.series.column != columns[0] else None
        return ChartSpec(
            mark="histogram", table=table if distance(draft.graph, table, root) is not None else root,
            measures=(Measure(aggregate="count"),), dimensions=(binned,), series=series, filter=filter_,
        )  # fmt: skip
    if mark == "boxplot" and columns:
        groups = [g for g in draft.groups if g.column != columns[0]][:1]
        measure = Measure(aggregate="median", column=columns[0])
        return ChartSpec(mark="boxplot", table=root, measures=(measure,), dimensions=tuple(groups), filter=filter_)
    if mark == "point" and len(columns) >= 2 and not draft.frame.aggregates:
        series = next((g for g in [*draft.groups, draft.series] if g and g.column not in columns[:2]), None)
        pair = tuple(Dimension(column=ref) for ref in columns[:2])
        return ChartSpec(mark="point", table=root, dimensions=pair, series=series, filter=filter_)
    return None


# Derived measures, order and mark.


def _derived(draft: Draft) -> None:
    frame, found = draft.frame, draft.measures
    if draft.part is not None and found.items[0].aggregate in {"count", "count_distinct"}:
        draft.filters.remove(draft.part)
        draft.main = ratio(found, draft.part)
        return
    per = next((o.entry.table for o in draft.reading.of("per") if o.entry), None)
    if per is not None:
        averaged = any(a == "avg" for a, _ in frame.aggregates)
        draft.main = per_row(found, per, draft.reading.root, draft.lexicon, average=averaged)
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
        measures=len(measures), time=bool(groups) and bool(groups[0].grain), groups=len(groups), series=series is not None,
        share=frame.share, first_size=draft.size(groups[0]) if groups else 0,
    )  # fmt: skip
    mark, groups, series = _fitting(mark, groups, series)
    if frame.listing and frame.marks == [] and groups and not frame.aggregates and not draft.reading.of("measure"):
        mark = "table"
    if mark in {"arc", "rect"}:
        measures = measures[:1]
        if draft.main != "m1":
            draft.main = "m1"
    having = _having(draft, measures)
    sort, top = _order(draft, groups, mark)
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
        mark=mark, table=draft.reading.root, measures=shown, dimensions=tuple(groups), series=series,
        filter=_joined(draft.filters), having=tuple(having), sort=tuple(sort), top=top, stack=stack, orientation=orientation,
    )  # fmt: skip


def _fitting(
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


def _having(draft: Draft, measures: list[Measure]) -> list[Having]:
    found: list[Having] = []
    for option in draft.reading.of("having"):
        if option.entry is None or option.slot.compare is None:
            continue
        if option.entry.kind == "table":
            measure: Measure | None = count_of(option.entry.table, draft.reading.root, draft.lexicon)
        else:
            measure = measure_of(option, draft.reading, draft.lexicon)
        if measure is None:
            continue
        name = draft.measures.add(measure, option.entry.table)
        if len(measures) < len(draft.measures.items):
            measures[:] = draft.measures.items
        op, value = option.slot.compare
        found.append(Having(measure=name, op=op, value=value))  # type: ignore[arg-type]
    return found


def _order(draft: Draft, groups: list[Dimension], mark: Mark) -> tuple[list[Sort], Top | None]:
    frame = draft.frame
    if not groups or mark in {"rect", "histogram", "boxplot"}:
        return [], None
    timed = bool(groups[0].grain or groups[0].part)
    plain_main = draft.main if draft.measures.items[int(draft.main[1:]) - 1].derive is None else "m1"
    key = _sort_key(draft, groups)
    if frame.top is not None and not timed:
        direction = frame.top_order
        sort = [Sort(by=plain_main, order=direction)] if mark != "arc" else []
        return sort, Top(n=min(100, max(1, frame.top)), of="d1", by=plain_main, order=direction)
    if frame.top is not None and timed:
        series_at = "s" if draft.series is not None or len(draft.groups) > 1 else "d1"
        return [], Top(n=min(100, max(1, frame.top)), of=series_at, by=plain_main, order=frame.top_order)
    if key is not None:
        return [Sort(by=key, order=frame.order or ("desc" if key.startswith("m") else "asc"))], None
    if frame.order is not None:
        return [Sort(by="d1" if timed or frame.alphabetical else draft.main, order=frame.order)], None
    if frame.superlative is not None and not timed:
        sort = [Sort(by=draft.main, order=frame.superlative)]
        cut = draft.size(groups[0]) > MANY or not isinstance(draft.lexicon.columns[groups[0].column].distinct, int)
        wide = cut and not draft.lexicon.columns[groups[0].column].labels
        return sort, Top(n=10, of="d1", by=plain_main, order=frame.superlative) if wide and mark != "table" else None
    kept = bool(draft.reading.of("having"))
    if mark == "bar" and not timed and not kept and draft.size(groups[0]) > MANY and groups[0].bin is None:
        return [Sort(by=plain_main, order="desc")], Top(n=SHOWN, of="d1", by=plain_main)
    return [], None


def _sort_key(draft: Draft, groups: list[Dimension]) -> str | None:
    for option in draft.reading.of("sort"):
        if option.entry is None:
            continue
        for number, group in enumerate(groups, 1):
            if option.entry.ref == group.column or draft.lexicon.label_columns.get(option.entry.ref) == group.column:
                return f"d{number}"
        if option.entry.kind == "column" and draft.lexicon.columns[option.entry.ref].type is ColumnType.TEXT:
            continue
        return draft.main
    return None
