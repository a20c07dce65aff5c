"""What may fill a slot, and how well it fits the place: the grammar's rules with their weights.

Weights are products in (0, 1]. They order readings and mean nothing else; those that are not obvious were set on the
tuning halves only (docs/planner.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gateway.catalog import ColumnType
from gateway.llm.offline.lexicon import Entry, Lexicon, is_identifier
from gateway.llm.offline.mentions import Candidate
from gateway.llm.offline.slots import Frame, Slot

Use = Literal["measure", "group", "series", "root", "filter", "time_filter", "having", "sort", "child", "per", "skip"]

MAX_OPTIONS: Final = 6
SKIP: Final = 0.06
"""Weight of leaving a named thing out: any other sensible reading is better."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill a slot."""

    slot: Slot
    use: Use
    entry: Entry | None
    weight: float


def column_sort(lexicon: Lexicon, ref: str) -> Literal["number", "id", "text", "flag", "date", "other"]:
    """What a column is good for in a chart."""
    column = lexicon.columns[ref]
    if is_identifier(column):
        return "id"
    if column.type.is_temporal:
        return "date"
    if column.type.is_numeric:
        return "id" if column.semantic in {"postcode", "code_like"} else "number"
    if column.type is ColumnType.BOOLEAN:
        return "flag"
    return "text" if column.type is ColumnType.TEXT else "other"


_MEASURE: Final = {"number": 1.0, "id": 0.3, "text": 0.12, "flag": 0.1, "date": 0.15, "other": 0.02}
_COUNT: Final = {"number": 0.8, "id": 0.8, "text": 0.7, "flag": 0.3, "date": 0.3, "other": 0.02}
_GROUP: Final = {"number": 0.55, "id": 0.5, "text": 1.0, "flag": 0.95, "date": 0.9, "other": 0.05}


def options_of(slot: Slot, frame: Frame, lexicon: Lexicon) -> list[Option]:
    """Every way to fill a slot, the best first; leaving it out comes last."""
    found: list[Option] = []
    for candidate in slot.candidates:
        for use, fit in _uses(slot, candidate, frame, lexicon):
            if fit > 0:
                found.append(Option(slot, use, candidate.entry, fit * max(candidate.score, 0.05) ** 1.5))
    best: dict[tuple[Use, str, str], Option] = {}
    for option in found:
        key = (option.use, option.entry.kind if option.entry else "", option.entry.ref if option.entry else "")
        if key not in best or best[key].weight < option.weight:
            best[key] = option
    ranked = sorted(best.values(), key=lambda o: -o.weight)
    keep = 12 if slot.role == "time_filter" else MAX_OPTIONS
    return [*ranked[:keep], Option(slot, "skip", None, SKIP)]


def _uses(slot: Slot, candidate: Candidate, frame: Frame, lexicon: Lexicon) -> list[tuple[Use, float]]:
    entry = candidate.entry
    match slot.role:
        case "filter" | "time_filter" | "child":
            use: Use = "child" if slot.role == "child" else slot.role
            return [(use, 1.0)] if entry.kind in {"column", "label"} or slot.role == "child" else []
        case "having":
            return [("having", 1.0)] if entry.kind in {"table", "metric"} or slot.aggregate else []
        case "measure":
            return _measure_uses(slot, entry, lexicon)
        case "group" | "series":
            return _group_uses(slot, entry, frame, lexicon)
        case "per":
            return [("per", 0.8 if entry.kind == "column" else 1.0)]
        case "sort":
            return [("sort", _kind_fit(entry, lexicon, _MEASURE, table=0.7, metric=1.0) + 0.3)]
        case _:
            return _free_uses(slot, entry, frame, lexicon)


def _kind_fit(entry: Entry, lexicon: Lexicon, fits: dict[str, float], *, table: float, metric: float) -> float:
    if entry.kind == "column":
        return fits[column_sort(lexicon, entry.ref)]
    return {"table": table, "metric": metric, "label": 0.02}[entry.kind]


def _measure_uses(slot: Slot, entry: Entry, lexicon: Lexicon) -> list[tuple[Use, float]]:
    if slot.aggregate in {"count", "count_distinct"}:
        return [("measure", _kind_fit(entry, lexicon, _COUNT, table=1.0, metric=0.7))]
    if slot.aggregate in {"min", "max"} and entry.kind == "column" and lexicon.columns[entry.ref].type.is_temporal:
        return [("measure", 0.9)]
    table = 0.75 if slot.aggregate in {None, "sum", "avg"} else 0.1
    uses: list[tuple[Use, float]] = [("measure", _kind_fit(entry, lexicon, _MEASURE, table=table, metric=1.0))]
    if slot.adverb == "most" and entry.kind in {"table", "column"}:
        uses.append(("group", 0.5 * _kind_fit(entry, lexicon, _GROUP, table=0.8, metric=0.0)))
    return uses


def _group_uses(slot: Slot, entry: Entry, frame: Frame, lexicon: Lexicon) -> list[tuple[Use, float]]:
    use: Use = "series" if slot.role == "series" else "group"
    fit = _kind_fit(entry, lexicon, _GROUP, table=0.85, metric=0.04)
    if entry.kind == "table" and entry.ref not in lexicon.label_columns:
        fit = 0.05
    uses = [(use, fit)]
    ranked = frame.top is not None or frame.superlative is not None or frame.sort
    unmeasured = not any(s.role == "measure" for s in frame.slots)
    if slot.adverb != "top" and unmeasured and entry.kind != "label":
        if entry.kind == "metric":
            uses.append(("measure", 0.95 if ranked else 0.5))
        elif ranked and entry.kind == "column" and column_sort(lexicon, entry.ref) == "number":
            uses.append(("measure", 0.9))
    return uses


def _free_uses(slot: Slot, entry: Entry, frame: Frame, lexicon: Lexicon) -> list[tuple[Use, float]]:
    led = slot.adverb in {"which", "top"} or frame.listing
    if entry.kind == "table":
        named = 0.9 if led else 0.3
        return [("root", 0.6 if led else 0.95), ("group", named if entry.ref in lexicon.label_columns else 0.02)]
    if entry.kind == "metric":
        return [("measure", 1.0)]
    if entry.kind == "label":
        return [("skip", 0.3)]
    kind = column_sort(lexicon, entry.ref)
    if led:
        return [("group", _GROUP[kind]), ("measure", 0.5 * _MEASURE[kind])]
    if kind == "number":
        group = 0.75 if frame.distribution or "histogram" in frame.marks else 0.3
        return [("measure", 0.9), ("group", group)]
    if kind == "id":
        return [("root", 0.9 if slot.adverb == "rows" else 0.55), ("group", 0.5)]
    if kind == "date":
        return [("group", 0.7), ("root", 0.3)]
    return [("group", 0.85), ("measure", 0.1)]
