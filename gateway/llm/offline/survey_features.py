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


Found = dict[str, float]


def features(draft: Draft, surveyed: Surveyed) -> Found:
    """Named features with their values."""
    found: Found = {}
    shown = (*draft.fields, draft.column) if draft.column else draft.fields
    filtered = surveyed.filtered_alone
    cue = "count" if surveyed.counted else ("agg" if surveyed.aggregates else "none")
    _mentions(found, shown, surveyed)
    for name in draft.fields:
        _field(found, name, draft, surveyed, filtered=name in filtered)
    for name in filtered:
        if name not in shown:
            _add(found, "filtered:hidden")
    if draft.column:
        _measured(found, draft, surveyed, filtered=draft.column in filtered)
    _shape(found, draft, surveyed, cue)
    if not surveyed.named_mark:
        _mark(found, draft, surveyed, cue)
    return found


def _add(found: Found, name: str, value: float = 1.0) -> None:
    found[name] = found.get(name, 0.0) + value


def _family(draft: Draft) -> str:
    return "box" if draft.mark == "boxplot" else draft.mark


def _mentions(found: Found, shown: tuple[str, ...], surveyed: Surveyed) -> None:
    """What the question names and the chart shows, or leaves out."""
    for named in surveyed.mentions:
        best = max(named.columns.values(), default=0.0)
        if not best:
            continue
        covered = max((named.columns.get(name, 0.0) for name in shown), default=0.0)
        _add(found, f"left:{named.role}", best - covered)
        _add(found, f"cover:{named.role}", covered)
        second = sum(named.columns.get(name, 0.0) > 0.3 for name in shown) - 1
        if second > 0:
            _add(found, "twice", second)


def _field(found: Found, name: str, draft: Draft, surveyed: Surveyed, *, filtered: bool) -> None:
    """A grouped column: what it is, and whether the question explains it."""
    explained = surveyed.explained.get(name, 0.0)
    family, sort = _family(draft), surveyed.sorts[name]
    _add(found, f"open:{sort}", 1.0 - explained)
    _add(found, f"open:{family}:{len(draft.fields)}", 1.0 - explained)
    _add(found, f"field:{family}:{sort}")
    if explained < 0.2:
        _add(found, "open:large", float(surveyed.size(name) > 20))
        _add(found, "open:unique", float(surveyed.is_unique(name)))
    if filtered:
        _add(found, "filtered:shown")


def _measured(found: Found, draft: Draft, surveyed: Surveyed, *, filtered: bool) -> None:
    """The measured column: whether an aggregate or a count is said of it."""
    _add(found, f"open:measure:{_family(draft)}", 1.0 - surveyed.explained.get(draft.column, 0.0))
    if filtered:
        _add(found, "filtered:measured")
    for role, feature in (("aggregate", "measured:direct"), ("count", "measured:counted")):
        said = [n.columns.get(draft.column, 0.0) for n in surveyed.mentions if n.role.endswith(role)]
        _add(found, feature, max(said, default=0.0))


def _shape(found: Found, draft: Draft, surveyed: Surveyed, cue: str) -> None:
    """The kind of measure and the number of groups, against the cue of the question."""
    family = _family(draft)
    _add(found, f"kind:{draft.kind}:{cue}")
    _add(found, f"n:{family}:{len(draft.fields)}:{cue}")
    if surveyed.distribution:
        _add(found, f"distribution:{family}:{draft.kind}")
    if any(surveyed.is_unique(name) for name in draft.fields):
        _add(found, f"unique:{family}:{draft.kind if draft.kind in {'sum', 'avg', 'raw', 'count'} else 'other'}")
    if draft.kind in surveyed.aggregates:
        _add(found, "agg:matched")


def _mark(found: Found, draft: Draft, surveyed: Surveyed, cue: str) -> None:
    """The mark, where the question names none."""
    _add(found, f"mark:{draft.mark}")
    _add(found, f"mark:{draft.mark}:{cue}")
    _add(found, f"mark:{draft.mark}:{len(draft.fields)}")
    for said, word in (
        (any(surveyed.is_date(name) for name in draft.fields), "date"),
        (surveyed.trend, "trend"),
        (surveyed.distribution, "distribution"),
        (surveyed.which, "which"),
    ):
        if said:
            _add(found, f"mark:{draft.mark}:{word}")
