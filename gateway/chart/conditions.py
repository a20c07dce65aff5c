"""The filters of a spec in words: ``only orders with status "shipped" and discount over 0.1``.

Part of the reader's sentence (`gateway.chart.sentence`). Literals and bound words are shown in quotes, cut to a
length, and without characters that could hide or turn text around (control and bidirectional marks).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, assert_never

from gateway.catalog import ColumnType
from gateway.chart.spec import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Exists,
    Filter,
    InList,
    Measure,
    Negation,
    NullTest,
    Period,
    Placeholder,
    Value,
)
from gateway.chart.spec import ChartSpec as Spec
from gateway.chart.spec import During as DuringFilter
from gateway.chart.wording import (
    column_words,
    event_words,
    find_column,
    is_share,
    is_temporal,
    measure_index,
    number_words,
    only_date,
    row_of,
    rows_of,
)
from gateway.summary.model import Summary

MAX_VALUE_CHARS: Final = 60
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ISO_TIME: Final = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$")
_COMPARE: Final = {
    "eq": "{c} {v}", "ne": "{c} other than {v}", "lt": "{c} under {v}", "le": "{c} at most {v}",
    "gt": "{c} over {v}", "ge": "{c} at least {v}", "contains": "{c} containing {v}",
    "starts_with": "{c} starting with {v}", "ends_with": "{c} ending with {v}",
}  # fmt: skip
_COMPARE_TIME: Final = {
    "eq": "{c} on {v}", "ne": "{c} not on {v}", "lt": "{c} before {v}", "le": "{c} up to {v}", "gt": "{c} after {v}",
    "ge": "{c} on or after {v}",
}  # fmt: skip

_VERBS: Final = {"contains": "{c} contains {v}", "starts_with": "{c} starts with {v}", "ends_with": "{c} ends with {v}"}


class Conditions:
    """Says the filters of one spec.

    Args:
        spec: The spec; its root table needs no name where nothing can be misread.
        summary: Types and relationships.
        bindings: Placeholder -> the asker's words.
    """

    def __init__(self, spec: Spec, summary: Summary, bindings: Mapping[str, str]) -> None:
        self._spec = spec
        self._summary = summary
        self._bindings = bindings

    def clauses(self, condition: Filter | None) -> list[str]:
        """The parts of the sentence a filter makes: periods first, then one part for each table filtered."""
        periods: list[str] = []
        by_table: dict[str, list[str]] = {}
        others: list[str] = []
        for part in _flat(condition):
            if isinstance(part, DuringFilter):
                periods.append(self._during(part))
            elif isinstance(part, Compare | InList | Between | NullTest):
                table = part.column.partition(".")[0]
                by_table.setdefault(table, []).append(self._with(part, table))
            elif isinstance(part, Exists):
                others.append(f"only {rows_of(self._spec.table)} {self._exists(part)}")
            else:
                others.append(f"only where {self.clause(part)}")
        tables = [f"only {rows_of(table)} {_and(texts)}" for table, texts in by_table.items()]
        return periods + tables + others

    def aside(self, measures: Sequence[Measure], index: int) -> str:
        """What a measure counts only, its own filter and those of the measures it is derived from; empty if all."""
        measure = measures[index]
        said = [f"only where {self.clause(measure.filter)}"] if measure.filter else []
        if measure.derive:
            of, by = (measure_index(field or "") for field in (measure.of, measure.by))
            share = 0 <= of < index and 0 <= by < index and is_share(measures[of], measures[by])
            for field, which in ((measure.of, "the first"), (measure.by, "the second")):
                at = measure_index(field) if field else -1
                inner = measures[at].filter if 0 <= at < index else None
                if inner:
                    only = f"only where {self.clause(inner)}"
                    said.append(f"{which} {only}" if measure.derive == "ratio" and not share else only)
        return "; ".join(said)

    def _with(self, part: Compare | InList | Between | NullTest, table: str) -> str:
        """A condition as it follows the name of its rows: ``with status "shipped"``, ``opened before …``."""
        text = self._test(part, root=table, clause=False)
        if event_words(part.column) and is_temporal(part.column, self._summary):
            return text
        return f"with {text}"

    def clause(self, part: Filter) -> str:
        """Any filter as a clause that stands by itself."""
        root = self._spec.table
        if isinstance(part, Compare | InList | Between | NullTest):
            return self._test(part, root=root, clause=True)
        if isinstance(part, DuringFilter):
            return f"{self._date_words(part.column, root)} {period_words(part.period)}"
        if isinstance(part, Exists):
            return f"{rows_of(root)} {self._exists(part)}"
        if isinstance(part, AllOf):
            return _and([self._nested(f) for f in part.filters])
        if isinstance(part, AnyOf):
            return " or ".join(self._nested(f) for f in part.filters)
        if isinstance(part, Negation):
            return f"not ({self.clause(part.filter)})"
        assert_never(part)

    def _nested(self, part: Filter) -> str:
        text = self.clause(part)
        return f"({text})" if isinstance(part, AllOf | AnyOf) and len(part.filters) > 1 else text

    def _test(self, part: Compare | InList | Between | NullTest, *, root: str, clause: bool) -> str:
        """A test of a column, after the name of its rows (``with status "x"``) or as a clause (``status is "x"``)."""
        temporal = is_temporal(part.column, self._summary)
        event = temporal and event_words(part.column) is not None and not part.via
        words = self._date_words(part.column, root) if event else column_words(part.column, root, via=part.via)
        verb = " is" if clause and not event else ""
        if isinstance(part, NullTest):
            if event:
                return f"not {words}" if part.op == "is_null" else f"{words} at some time"
            return f"no {words}" if part.op == "is_null" else f"{words}{verb} known"
        if isinstance(part, Between):
            return f"{words}{verb} from {self._value(part.low)} to {self._value(part.high)}"
        if isinstance(part, InList):
            values = [self._value(v) for v in part.values]
            listed = values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
            return f"{words}{verb} {'other than ' if part.op == 'not_in' else ''}{listed}"
        column = find_column(part.column, self._summary)
        if column is not None and column.type is ColumnType.BOOLEAN and isinstance(part.value, bool):
            yes = part.value if part.op == "eq" else not part.value
            name = words.removeprefix("is ").removeprefix("has ")
            return f"{name}{' is' if clause else ':'} {'yes' if yes else 'no'}"
        forms = _COMPARE_TIME if temporal else _COMPARE
        form = forms.get(part.op, _COMPARE[part.op])
        if clause and part.op in _VERBS:
            form = _VERBS[part.op]
        elif verb:
            form = form.replace("{c}", "{c} is")
        return form.format(c=words, v=self._value(part.value))

    def _date_words(self, ref: str, root: str) -> str:
        table = ref.partition(".")[0]
        event = event_words(ref)
        if event:
            thing = row_of(table)
            return event if table == root or event.startswith(thing) else f"{thing} {event}"
        return column_words(ref, root)

    def _during(self, part: DuringFilter) -> str:
        period = period_words(part.period)
        if only_date(part.column, self._spec, self._summary) and not part.via:
            return period.removeprefix("in ") if part.period.kind == "calendar" else period
        if not part.via and any(d.column == part.column and d.grain and not d.via for d in self._spec.dimensions):
            # "by month of order" has just said which date it is.
            return period
        words = self._date_words(part.column, self._spec.table)
        if part.via:
            words = column_words(part.column, self._spec.table, via=part.via)
        return f"{words} {period}"

    def _exists(self, part: Exists) -> str:
        some = "without any" if part.op == "not_exists" else "with at least one"
        text = f"{some} {row_of(part.table)}"
        if part.via:
            text += " (by way of " + " and ".join(column_words(step, "") for step in part.via) + ")"
        if part.filter:
            child = self._spec.model_copy(update={"table": part.table})
            text += f" where {Conditions(child, self._summary, self._bindings).clause(part.filter)}"
        return text

    def _value(self, value: Value) -> str:
        if isinstance(value, Placeholder):
            bound = self._bindings.get(value.placeholder)
            return f"⟨{value.placeholder}⟩" if bound is None else quote(bound)
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int | float):
            return number_words(value)
        return date_words(value) or quote(value)


def period_words(period: Period) -> str:
    """A period in words: ``in 2024``, ``in Q1 2024``, ``in the last 3 full months``, ``this year so far``."""
    unit = period.unit or "day"
    many = period.n or 1
    if period.kind == "this":
        return "today so far" if unit == "day" else f"this {unit} so far"
    if period.kind == "last":
        if many == 1:
            return "yesterday" if unit == "day" else f"in the last full {unit}"
        return f"in the last {many:,} full {unit}s"
    if period.kind == "past":
        return f"in the past {unit}, up to now" if many == 1 else f"in the past {many:,} {unit}s, up to now"
    year = "" if period.year is None else str(period.year)
    if period.day and period.month:
        return f"on {period.day} {MONTHS[period.month - 1]} {year}".rstrip()
    if period.month:
        return f"in {MONTHS[period.month - 1]} {year}".rstrip()
    if period.quarter:
        return f"in Q{period.quarter} {year}".rstrip()
    return f"in {year}" if year else "at any time"


def date_words(text: str) -> str | None:
    """An ISO 8601 date or time in words, ``5 March 2024``; None if the text is not one."""
    if not _ISO_TIME.match(text):
        return None
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}{' UTC' if text.endswith('Z') else ''}"


def quote(text: str) -> str:
    """Text of the asker in quotes: one line, no hidden or direction-changing characters, at most 60 characters."""
    return f"“{plain_line(text, MAX_VALUE_CHARS)}”"


def plain_line(text: str, limit: int) -> str:
    """Text as one visible line: control, format and unassigned characters dropped, cut with an ellipsis."""
    flat = "".join(" " if c in "\n\r\t\u2028\u2029" else c for c in text[: limit * 8])
    kept = "".join(c for c in flat if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _flat(condition: Filter | None) -> list[Filter]:
    if condition is None:
        return []
    if isinstance(condition, AllOf):
        return [part for inner in condition.filters for part in _flat(inner)]
    return [condition]


def _and(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
