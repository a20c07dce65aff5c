"""Charts of raw quantities, and places that a named chart leaves open."""

from __future__ import annotations

from gateway.chart.spec import (
    Bin,
    ChartSpec,
    Dimension,
    Mark,
    Measure,
)
from gateway.llm.offline.complete import NEEDED, open_groups, open_quantities
from gateway.llm.offline.draft import BINS, Draft
from gateway.llm.offline.search import distance


def fill_open(draft: Draft, wanted: Mark | None, fill: int | None) -> bool:
    """Fill a place that the named mark needs; False if there is no such candidate."""
    lexicon, frame = draft.lexicon, draft.frame
    shown = len(draft.groups) + (draft.series is not None)
    taken = {g.column for g in draft.groups} | {o.entry.ref for o in draft.reading.of("filter") if o.entry}
    if wanted in {"boxplot", "histogram"}:
        if quantities(draft):
            return not fill
        columns = open_quantities(lexicon, draft.reading.root, taken)
        if (fill or 0) >= len(columns):
            return False
        draft.quantity = columns[fill or 0]
        return True
    if wanted == "point" and len(quantities(draft)) >= 2:
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


def is_alone(draft: Draft) -> bool:
    """Whether one quantity is all there is."""
    columns = quantities(draft)
    return len(columns) == 1 and not draft.groups and draft.series is None


def quantities(draft: Draft) -> list[str]:
    """Numeric columns that the question names, in its order."""
    found = [
        o.entry.ref
        for o in draft.reading.options
        if o.entry is not None
        and o.entry.kind == "column"
        and o.use in {"measure", "group"}
        and draft.lexicon.columns[o.entry.ref].type.is_numeric
    ]
    return list(dict.fromkeys([*found, *([draft.quantity] if draft.quantity else [])]))


def raw_chart(draft: Draft, mark: Mark) -> ChartSpec | None:
    """A histogram, box plot or scatter plot of the quantities that are named."""
    columns = quantities(draft)
    root = draft.reading.root
    filter_ = draft.filter()
    if mark == "histogram" and columns:
        asked = draft.frame.bins or draft.frame.top
        binned = Dimension(column=columns[0], bin=Bin(count=asked if asked and 2 <= asked <= 100 else BINS))
        table = columns[0].partition(".")[0]
        series = draft.series if draft.series and draft.series.column != columns[0] else None
        return ChartSpec(
            mark="histogram",
            table=table if distance(draft.graph, table, root) is not None else root,
            measures=(Measure(aggregate="count"),),
            dimensions=(binned,),
            series=series,
            filter=filter_,
        )
    if mark == "boxplot" and columns:
        groups = [g for g in draft.groups if g.column != columns[0]][:1]
        measure = Measure(aggregate="median", column=columns[0])
        return ChartSpec(mark="boxplot", table=root, measures=(measure,), dimensions=tuple(groups), filter=filter_)
    if mark == "point" and len(columns) >= 2 and not draft.frame.aggregates:
        series = next((g for g in [*draft.groups, draft.series] if g and g.column not in columns[:2]), None)
        pair = tuple(Dimension(column=ref) for ref in columns[:2])
        return ChartSpec(mark="point", table=root, dimensions=pair, series=series, filter=filter_)
    return None
