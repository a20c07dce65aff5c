"""Which groups are kept, in which order, and how many of them."""

from __future__ import annotations

from gateway.catalog import ColumnType
from gateway.chart.spec import (
    Dimension,
    Having,
    Mark,
    Measure,
    Sort,
    Top,
)
from gateway.llm.offline.draft import MANY, SHOWN, Draft
from gateway.llm.offline.lexicon import is_year
from gateway.llm.offline.measures import having_measure


def havings(draft: Draft, measures: list[Measure]) -> list[Having]:
    """Groups kept by a measure, which is added if it is not there."""
    found: list[Having] = []
    for option in draft.reading.of("having"):
        if option.entry is None or option.slot.compare is None:
            continue
        measure = having_measure(option, draft.reading, draft.lexicon)
        if measure is None:
            continue
        name = draft.measures.add(measure, option.entry.table)
        if len(measures) < len(draft.measures.items):
            measures[:] = draft.measures.items
        op, value = option.slot.compare
        found.append(Having(measure=name, op=op, value=value))
    return found


def order_of(draft: Draft, groups: list[Dimension], mark: Mark) -> tuple[list[Sort], Top | None]:
    """Sort and top-n of a chart."""
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
    if frame.superlative is not None and timed and mark == "bar":
        return [Sort(by=draft.main, order=frame.superlative)], None
    if frame.superlative is not None and not timed:
        sort = [Sort(by=draft.main, order=frame.superlative)]
        cut = draft.size(groups[0]) > MANY or not isinstance(draft.lexicon.columns[groups[0].column].distinct, int)
        wide = cut and not draft.lexicon.columns[groups[0].column].labels
        return sort, Top(n=10, of="d1", by=plain_main, order=frame.superlative) if wide and mark != "table" else None
    kept = bool(draft.reading.of("having"))
    years = is_year(draft.lexicon.columns[groups[0].column])
    kept = kept and not frame.assumed
    if mark == "bar" and not (timed or kept or years) and draft.size(groups[0]) > MANY and groups[0].bin is None:
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
