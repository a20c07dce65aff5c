"""Follow-up questions: "now by region", "as a line", "only last year" refine the spec before instead of starting over.

A question is a follow-up if there is a spec before and it says so ("now", "instead", "what about", "it"), or if it
names nothing to measure of its own. What it does say replaces that part of the spec; all else stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from gateway.chart.paths import Graph, graph_of
from gateway.chart.spec import AllOf, ChartSpec, Dimension, Filter, Measure, Sort, Top
from gateway.llm.offline.complete import open_groups
from gateway.llm.offline.effect import choose_mark, size_of
from gateway.llm.offline.joined import column_of, either, parts_of
from gateway.llm.offline.lexicon import Lexicon
from gateway.llm.offline.measures import measure_of
from gateway.llm.offline.options import options_of
from gateway.llm.offline.question import Question
from gateway.llm.offline.search import STEP, Reading, date_fit, distance, main_date
from gateway.llm.offline.slots import Frame, Slot

_OPENING: Final = re.compile(
    r"\s*(?:ok(?:ay)?[, ]+|great[, ]+|thanks[, ]+|please[, ]+|can you |could you )*(?:now|and|also|"
    r"instead|but|same|what about|how about|only|just|as (?:an? )?|make (?:it|that|this)|change|"
    r"switch|turn|use|remove|drop|without|exclude|keep|limit|restrict|filter|split|break|sort|order|"
    r"rank|stack|add|for|in|by|per|show (?:it|that|this|them|only|just)|draw (?:it|that)|group|"
    r"compare (?:it|that)|the same|then|zoom|top|bottom|since|from|last|this|weekly|monthly|daily|"
    r"quarterly|yearly|horizontal|stacked|normali[sz]ed)\b"
)
_REFERS: Final = re.compile(
    r"\b(?:it|that|this|them|those|these|instead|same|the chart|again|too)\b(?! (?:year|month|week|quarter|day))"
)
_ADDING: Final = re.compile(
    r"\b(?:also|add(?:ing)?|as well|too|plus|split|broken|break|further|additionally|"
    r"coloured?|colored?|stacked by|and (?:by|per))\b"
)
_CLEARING: Final = re.compile(
    r"\b(?:remove|drop|clear|without|no) (?:the |any |all )?(?:filters?|conditions?|"
    r"restrictions?)\b|\ball (?:data|rows|time|years)\b|\bno filter\b"
)


_UNSPLITTING: Final = re.compile(
    r"\b(?:remove|drop|clear|without|no) (?:the |any |all )?(?:split|series|breakdown|colou?rs?|separate lines)\b"
)
_NARROWING: Final = re.compile(
    r"\s*(?:now |and |but )?(?:only|just|exclud(?:e|ing)|without|except|keep|limit|restrict|filter|remove|drop|not)\b"
)
"""``exclude returned orders`` says which rows are left, and not that orders are counted from now on."""


@dataclass
class _Edit:
    """A spec being refined."""

    spec: dict[str, object]
    lexicon: Lexicon
    graph: Graph
    frame: Frame
    previous: ChartSpec
    narrows: bool = False
    adds: bool = False

    def bases(self) -> list[str]:
        """Tables that every group must be reachable from."""
        found = [self.previous.table]
        for measure in self.previous.measures:
            if measure.metric and measure.metric in self.lexicon.metrics:
                found.append(self.lexicon.metrics[measure.metric].table)
            elif measure.column:
                table = measure.column.partition(".")[0]
                if distance(self.graph, self.previous.table, table) is None:
                    found.append(table)
        return list(dict.fromkeys(found))


def is_follow_up(question: Question, frame: Frame) -> bool:
    """Whether a question refines the one before rather than standing on its own."""
    opened = bool(_OPENING.match(question.lowered))
    measured = bool(frame.of("measure")) or any(
        s.role == "free" and s.candidates[0].entry.kind in {"metric", "table"} for s in frame.slots
    )
    if measured and frame.of("group", "series") and not _REFERS.search(question.lowered):
        return opened and bool(
            re.match(r"\s*(?:and|now|also|same|what about|how about)\b.*\b(?:same|instead)\b", question.lowered)
        )
    return opened or bool(_REFERS.search(question.lowered)) or not measured


def refine(previous: ChartSpec, question: Question, frame: Frame, lexicon: Lexicon) -> list[ChartSpec]:
    """The spec before with what the follow-up says, the likeliest reading first; empty if it says nothing."""
    found: list[ChartSpec] = []
    adding = bool(_ADDING.search(question.lowered)) or bool(frame.of("series"))
    for add in (adding, not adding) if frame.of("group", "series") or frame.times else (adding,):
        edit = _Edit(previous.model_dump(exclude_none=True), lexicon, graph_of(lexicon.summary.links), frame, previous)
        edit.narrows = bool(_NARROWING.match(question.lowered)) and bool(frame.of("filter", "time_filter", "child"))
        edit.adds = bool(_ADDING.search(question.lowered))
        changed = _clear(edit, question)
        changed = _measures(edit, adding=edit.adds) or changed
        changed = _groups(edit, add=add) or changed
        changed = _filters(edit) or changed
        changed = _derive(edit) or changed
        changed = _mark(edit) or changed
        changed = _order(edit) or changed
        if not changed:
            continue
        try:
            spec = ChartSpec.model_validate(edit.spec)
        except ValidationError:
            continue
        if spec not in found:
            found.append(spec)
    return found


def _clear(edit: _Edit, question: Question) -> bool:
    cleared = False
    for pattern, part in ((_CLEARING, "filter"), (_UNSPLITTING, "series")):
        if pattern.search(question.lowered) and part in edit.spec:
            del edit.spec[part]
            cleared = True
    return cleared


# Measures.


def _measures(edit: _Edit, *, adding: bool) -> bool:
    """``what about units sold``: another measure of the same groups."""
    reading = Reading((), edit.previous.table, 1.0)
    for slot in edit.frame.of("measure", "free"):
        for option in options_of(slot, edit.frame, edit.lexicon):
            entry = option.entry
            if option.use not in {"measure", "root"} or entry is None or entry.kind == "label":
                continue
            if option.use == "root" and (entry.kind != "table" or edit.narrows):
                continue
            measure = measure_of(option, reading, edit.lexicon)
            if measure is None or (slot.role == "free" and entry.kind == "column" and option.weight < 0.5):
                continue
            if measure in edit.previous.measures:
                break
            plain = [m.model_dump(exclude_none=True) for m in edit.previous.measures if m.derive is None]
            new = measure.model_dump(exclude_none=True)
            edit.spec["measures"] = [*plain, new] if adding else [new]
            return True
    return _aggregate(edit)


def _aggregate(edit: _Edit) -> bool:
    """``median instead``: the same column, taken together in another way."""
    first = edit.previous.measures[0] if edit.previous.measures else None
    plain = [a for a, _ in edit.frame.aggregates if a in {"sum", "avg", "median", "min", "max", "stddev"}]
    if first is None or first.column is None or not plain or edit.frame.of("measure"):
        return False
    if first.aggregate in {None, "count", "count_distinct", *plain[:1]}:
        return False
    edit.spec["measures"] = [Measure(aggregate=plain[0], column=first.column).model_dump(exclude_none=True)]
    return True


# Groups.


def _dumped(dimensions: Sequence[Dimension]) -> list[dict[str, object]]:
    return [d.model_dump(exclude_none=True) for d in dimensions]


def _groups(edit: _Edit, *, add: bool) -> bool:
    times = edit.frame.times
    plain = [d for slot in edit.frame.of("group", "series") if (d := _dimension(edit, slot)) is not None]
    before = [*edit.previous.dimensions, *([edit.previous.series] if edit.previous.series else [])]
    grains = {"year", "quarter", "month", "week", "day", "hour"}
    dated = next((d for d in before if d.grain or d.part), None)
    timed: list[Dimension] = []
    if times:
        ref = dated.column if dated else main_date(edit.lexicon, edit.graph, edit.bases())
        if ref is None:
            return False
        timed = [Dimension.model_validate({"column": ref, "grain" if t in grains else "part": t}) for t in times]
    if not plain and not timed:
        return False
    if timed and dated is not None and not plain:
        groups = [timed[0] if d == dated else d for d in before]
    elif add:
        groups = [*timed, *[d for d in before if d != dated or not timed], *plain]
    else:
        groups = [*timed, *plain]
    groups = list(dict.fromkeys(groups))[:3]
    groups.sort(key=lambda d: not d.grain)
    _set_groups(edit, groups)
    return True


def _set_groups(edit: _Edit, groups: list[Dimension]) -> None:
    mark = str(edit.spec["mark"])
    for stale in ("sort", "top", "series"):
        edit.spec.pop(stale, None)
    if mark in {"rect", "table"} and len(groups) >= 2:
        edit.spec["dimensions"] = _dumped(groups)
        return
    edit.spec["dimensions"] = _dumped(groups[:1])
    if len(groups) > 1:
        edit.spec["series"] = _dumped(groups[1:2])[0]
    if mark in {"bar", "line", "arc", "text", "rect", "area"} and not edit.frame.marks:
        size = size_of(edit.lexicon.columns[groups[0].column]) if not groups[0].grain else 0
        chosen = choose_mark(
            measures=1,
            time=bool(groups[0].grain),
            groups=1,
            series=len(groups) > 1,
            share=mark == "arc",
            first_size=size,
        )
        edit.spec["mark"] = "area" if mark == "area" and chosen == "line" else chosen
    if edit.spec["mark"] not in {"bar", "area"}:
        edit.spec.pop("stack", None)
    if edit.spec["mark"] != "bar":
        edit.spec.pop("orientation", None)


def _dimension(edit: _Edit, slot: Slot) -> Dimension | None:
    best: tuple[float, str] | None = None
    for option in options_of(slot, edit.frame, edit.lexicon):
        if option.entry is None or option.use not in {"group", "series"}:
            continue
        ref = option.entry.ref
        if option.entry.kind == "table":
            ref = edit.lexicon.label_columns.get(ref, "")
        if not ref or option.entry.kind not in {"column", "table"}:
            continue
        steps = [distance(edit.graph, base, ref.partition(".")[0]) for base in edit.bases()]
        if any(s is None for s in steps):
            continue
        weight = option.weight * STEP ** max(s or 0 for s in steps)
        if best is None or weight > best[0]:
            best = (weight, ref)
    if best is None:
        return None
    temporal = edit.lexicon.columns[best[1]].type.is_temporal
    return Dimension(column=best[1], grain=(edit.frame.grain or "month") if temporal else None)


# Filters.


def _filters(edit: _Edit) -> bool:
    added: list[Filter] = []
    for slot in edit.frame.of("filter", "time_filter"):
        built = _filter(edit, slot)
        if built is not None:
            added.append(built)
    if not added:
        return False
    columns = {column_of(f) for f in added}
    before = parts_of(edit.previous.filter if "filter" in edit.spec else None)
    if edit.adds:
        added = [next((both for old in before if (both := either(old, new))), new) for new in added]
    kept = [f for f in before if column_of(f) not in columns]
    parts = [p for f in (*kept, *added) for p in parts_of(f)]
    joined = parts[0] if len(parts) == 1 else AllOf(op="and", filters=tuple(parts))
    edit.spec["filter"] = joined.model_dump(exclude_none=True)
    return True


def _filter(edit: _Edit, slot: Slot) -> Filter | None:
    shown = {d.column for d in (*edit.previous.dimensions, *([edit.previous.series] if edit.previous.series else []))}
    best: tuple[float, str] | None = None
    for option in options_of(slot, edit.frame, edit.lexicon):
        if option.entry is None or option.use not in {"filter", "time_filter"}:
            continue
        steps = distance(edit.graph, edit.previous.table, option.entry.table)
        if steps is None:
            continue
        fit = date_fit(edit.lexicon, option.entry.ref) if slot.role == "time_filter" else 1.0
        weight = option.weight * STEP**steps * fit * (2.0 if option.entry.ref in shown else 1.0)
        if best is None or weight > best[0]:
            best = (weight, option.entry.ref)
    return slot.build(best[1]) if best is not None and slot.build is not None else None


# Derived measures, mark, order.


def _derive(edit: _Edit) -> bool:
    frame = edit.frame
    grouped = bool(edit.spec.get("dimensions"))
    derived: Measure | None = None
    if frame.moving and grouped:
        derived = Measure(derive="moving_average", of="m1", window=max(2, frame.moving))
    elif frame.running and grouped:
        derived = Measure(derive="running_total", of="m1")
    elif frame.change and grouped:
        derived = Measure(derive=frame.change, of="m1")
    elif frame.share and grouped:
        derived = Measure(derive="share_of_total", of="m1")
    if derived is None:
        return False
    measures: list[object] = list(edit.spec["measures"])  # type: ignore[call-overload]
    edit.spec["measures"] = [*measures[:1], derived.model_dump(exclude_none=True)]
    if edit.spec["mark"] in {"arc", "rect", "text"}:
        edit.spec["mark"] = "bar"
    return True


def _mark(edit: _Edit) -> bool:
    frame, changed = edit.frame, False
    if frame.marks:
        _set_mark(edit, frame.marks[0])
        changed = True
    if edit.spec["mark"] in {"bar", "area"} and edit.spec.get("series"):
        for style, stack in (("normalize", "normalize"), ("stacked", "zero"), ("grouped", "none")):
            if style in frame.styles:
                edit.spec["stack"], changed = stack, True
                break
    if edit.spec["mark"] == "bar":
        for style in ("horizontal", "vertical"):
            if style in frame.styles:
                edit.spec["orientation"], changed = style, True
    return changed


def _set_mark(edit: _Edit, mark: str) -> None:
    spec = edit.spec
    dimensions = list(spec.get("dimensions", ()))  # type: ignore[call-overload]
    series = spec.get("series")
    if mark == "rect" and series is not None:
        dimensions, series = [*dimensions, series], None
    if mark == "rect" and len(dimensions) < 2:
        taken = {str(d["column"]) for d in dimensions}
        more = open_groups(edit.lexicon, edit.graph, edit.bases(), "rect", taken)
        dimensions.extend(_dumped(more[:1]))
    if mark in {"table", "text"} and series is not None:
        dimensions, series = [*dimensions, series], None
    if mark not in {"rect", "table"} and len(dimensions) > 1:
        dimensions, series = dimensions[:1], series or dimensions[1]
    if mark == "arc":
        series = None
        spec["measures"] = list(spec["measures"])[:1]  # type: ignore[call-overload]
    if mark == "text":
        dimensions = []
    if not dimensions and mark not in {"text", "table"}:
        dimensions = _dumped(open_groups(edit.lexicon, edit.graph, edit.bases(), mark, set())[:1])  # type: ignore[arg-type]
    spec.update(mark=mark, dimensions=dimensions)
    if series is None:
        spec.pop("series", None)
    else:
        spec["series"] = series
    if mark not in {"bar", "area", "histogram"}:
        spec.pop("stack", None)
    if mark != "bar":
        spec.pop("orientation", None)
    if mark in {"rect", "text"}:
        spec.pop("sort", None)
        spec.pop("top", None)


def _order(edit: _Edit) -> bool:
    frame = edit.frame
    if not edit.spec.get("dimensions"):
        return False
    if frame.top is not None:
        edit.spec["top"] = Top(n=min(100, frame.top), of="d1", by="m1", order=frame.top_order).model_dump()
        edit.spec["sort"] = [Sort(by="m1", order=frame.top_order).model_dump()]
        return True
    if frame.order is not None or frame.sort or frame.superlative is not None:
        order = frame.order or frame.superlative or "desc"
        edit.spec["sort"] = [Sort(by="d1" if frame.alphabetical else "m1", order=order).model_dump()]
        return True
    return False
