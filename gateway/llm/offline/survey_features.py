"""Features of a drafted chart against a question: how its columns are explained, and how it fits the grammar."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.chart.spec import Mark
from gateway.llm.offline.survey_reading import Surveyed


@dataclass(frozen=True, slots=True)
class Draft:
    """A chart in the making: its mark, grouped columns, kind of measure and measured column."""

    mark: Mark
    fields: tuple[str, ...]
    kind: str
    column: str


def features(draft: Draft, surveyed: Surveyed) -> dict[str, float]:
    """Named features with their values."""
    found: dict[str, float] = {}

    def add(name: str, value: float = 1.0) -> None:
        found[name] = found.get(name, 0.0) + value

    shown = (*draft.fields, draft.column) if draft.column else draft.fields
    family = "box" if draft.mark == "boxplot" else draft.mark
    for named in surveyed.mentions:
        best = max(named.columns.values(), default=0.0)
        covered = max((named.columns.get(name, 0.0) for name in shown), default=0.0)
        if best:
            add(f"left:{named.role}", best - covered)
            add(f"cover:{named.role}", covered)
            second = sum(named.columns.get(name, 0.0) > 0.3 for name in shown) - 1
            if second > 0:
                add("twice", second)
    filtered = {c.choose(set()) for c in surveyed.conditions} - {""}
    for name in draft.fields:
        explained = surveyed.explained.get(name, 0.0)
        sort = (
            "key"
            if surveyed.is_nominal(name) and not surveyed.is_text(name)
            else ("text" if surveyed.is_text(name) else ("date" if surveyed.is_date(name) else "number"))
        )
        add(f"open:{sort}", 1.0 - explained)
        add(f"open:{family}:{len(draft.fields)}", 1.0 - explained)
        add(f"field:{family}:{sort}")
        if explained < 0.2:
            add("open:large", float(surveyed.size(name) > 20))
            add("open:unique", float(surveyed.is_unique(name)))
        if name in filtered:
            add("filtered:shown")
    for name in filtered:
        if name not in shown:
            add("filtered:hidden")
    if draft.column:
        explained = surveyed.explained.get(draft.column, 0.0)
        add(f"open:measure:{family}", 1.0 - explained)
        if draft.column in filtered:
            add("filtered:measured")
        direct = max(
            (n.columns.get(draft.column, 0.0) for n in surveyed.mentions if n.role.endswith("aggregate")), default=0.0
        )
        add("measured:direct", direct)
        counted = max(
            (n.columns.get(draft.column, 0.0) for n in surveyed.mentions if n.role.endswith("count")), default=0.0
        )
        add("measured:counted", counted)
    cue = "count" if surveyed.counted else ("agg" if surveyed.aggregates else "none")
    add(f"kind:{draft.kind}:{cue}")
    add(f"n:{family}:{len(draft.fields)}:{cue}")
    if surveyed.distribution:
        add(f"distribution:{family}:{draft.kind}")
    if any(surveyed.is_unique(name) for name in draft.fields):
        add(f"unique:{family}:{draft.kind if draft.kind in {'sum', 'avg', 'raw', 'count'} else 'other'}")
    if not surveyed.named_mark:
        add(f"mark:{draft.mark}")
        add(f"mark:{draft.mark}:{cue}")
        add(f"mark:{draft.mark}:{len(draft.fields)}")
        if any(surveyed.is_date(name) for name in draft.fields):
            add(f"mark:{draft.mark}:date")
        if surveyed.trend:
            add(f"mark:{draft.mark}:trend")
        if surveyed.distribution:
            add(f"mark:{draft.mark}:distribution")
        if surveyed.which:
            add(f"mark:{draft.mark}:which")
    if draft.kind in {"sum", "avg", "min", "max"} and draft.kind in surveyed.aggregates:
        add("agg:matched")
    return found
