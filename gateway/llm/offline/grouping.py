"""What a chart is grouped by: columns, time at its grains, and values that are compared."""

from __future__ import annotations

from gateway.chart.spec import (
    Bin,
    Dimension,
    Grain,
)
from gateway.llm.offline.draft import MANY, Draft
from gateway.llm.offline.effect import size_of
from gateway.llm.offline.lexicon import is_year
from gateway.llm.offline.options import Option, column_sort
from gateway.llm.offline.search import main_date


def add_groups(draft: Draft) -> None:
    """Decide what the chart is grouped by: time first, then what is named, then what is compared."""
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
    timed = bool(frame.times) or frame.trend or bool(frame.change) or bool(frame.moving)
    if not times and (timed or (not plain and frame.running)):
        ref = main_date(
            lexicon, draft.graph, draft.bases(), [o.entry.ref for o in draft.reading.of("time_filter") if o.entry]
        )
        times = _times(draft, ref) if ref is not None else _years(draft, plain)
    draft.groups = [*times, *plain]
    time = times[0] if times else None
    if draft.series is not None and not draft.groups:
        draft.groups, draft.series = [draft.series], None
    _compared(draft, time)


def _years(draft: Draft, plain: list[Dimension]) -> list[Dimension]:
    """Years that are held as numbers, where no date is."""
    if any(time != "year" for time in draft.frame.times):
        return []
    root = draft.reading.root
    found = [f"{root}.{c.name}" for c in draft.lexicon.tables[root].columns if is_year(c)]
    return [Dimension(column=ref) for ref in found[:1] if all(d.column != ref for d in plain)]


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
            draft.groups[0] = Dimension(column=time.column, part=part)
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
    if (
        column_sort(lexicon, ref) == "number"
        and size_of(column) > MANY
        and column.semantic != "month"
        and not is_year(column)
    ):
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
