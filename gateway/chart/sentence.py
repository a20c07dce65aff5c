"""The reader's sentence: what a spec means, in plain English, shown to the asker so that a wrong reading is seen.

It is exact rather than pretty: every filter, period, grain, sort and limit of the spec is in it. It is plain text;
whoever puts it in HTML escapes it. Words bound to placeholders are the asker's own and are shown to the asker only.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.chart.conditions import Conditions
from gateway.chart.spec import ChartSpec, Dimension, Sort
from gateway.chart.wording import (
    capitalise,
    column_words,
    dimension_words,
    drawn_measures,
    humanise,
    measure_index,
    measure_words,
    number_words,
    rows_of,
)
from gateway.summary.model import Summary

COMPARE = {
    "eq": "exactly {}", "ne": "not {}", "lt": "under {}", "le": "at most {}", "gt": "over {}", "ge": "at least {}",
}  # fmt: skip


def describe(spec: ChartSpec, summary: Summary, *, bindings: Mapping[str, str] | None = None) -> str:
    """Say a spec in one English sentence.

    Args:
        spec: A spec that fits `summary`. One that does not is still described, by its own names.
        summary: Names, types and relationships of the scope.
        bindings: Placeholder -> the asker's words; without it a placeholder is shown as ``⟨v1⟩``.

    Returns:
        One line of plain text, for example ``Average order value by month, 2024, only customers with region "EU"``.
    """
    say = Conditions(spec, summary, bindings or {})
    parts = [_head(spec, summary, say)]
    parts += say.clauses(spec.filter)
    parts += [
        f"only where {field_words(h.measure, spec, summary)} is {COMPARE[h.op].format(number_words(h.value))}"
        for h in spec.having
    ]
    if spec.top:
        which = "top" if spec.top.order == "desc" else "bottom"
        of = "" if spec.top.of == "d1" and not spec.series else f" for {field_words(spec.top.of, spec, summary)}"
        rest = ", the rest as “Other”" if spec.top.other else ""
        parts.append(f"{which} {spec.top.n}{of} by {field_words(spec.top.by, spec, summary)}{rest}")
    parts += [order for order in (_order(s, spec, summary) for s in spec.sort) if order]
    if spec.limit is not None:
        parts.append(f"first {number_words(spec.limit)} {'rows' if spec.mark == 'table' else 'groups'}")
    if spec.stack == "normalize":
        parts.append("as shares of 100%")
    if spec.dual_axis and len(drawn_measures(spec)) > 1:
        parts.append("on two axes")
    return capitalise(", ".join(parts))


def field_words(field: str, spec: ChartSpec, summary: Summary) -> str:
    """What ``m1``, ``d2`` or ``s`` of a spec is called, in words; the field's own name if there is no such part."""
    at = measure_index(field)
    if 0 <= at < len(spec.measures):
        if spec.mark == "boxplot":
            return bare_words(spec, summary, at)
        return measure_words(at, spec, summary)
    if field == "s" and spec.series:
        return dimension_words(spec.series, spec, summary)
    if field.startswith("d") and field[1:].isdigit() and 0 < int(field[1:]) <= len(spec.dimensions):
        return dimension_words(spec.dimensions[int(field[1:]) - 1], spec, summary)
    return field


def field_title(field: str, spec: ChartSpec, summary: Summary) -> str:
    """The same, as the title of an axis, a legend or a table column."""
    return capitalise(field_words(field, spec, summary))


def _head(spec: ChartSpec, summary: Summary, say: Conditions) -> str:
    dimensions = [dimension_words(d, spec, summary) for d in spec.dimensions]
    measures = []
    for index in drawn_measures(spec):
        words = measure_words(index, spec, summary)
        own = say.aside(spec.measures, index)
        measures.append(f"{words} ({own})" if own else words)
    if spec.mark == "histogram":
        return _histogram(spec, summary, dimensions, measures)
    if spec.mark == "boxplot":
        what = join_words([bare_words(spec, summary, i) for i in drawn_measures(spec)]) or "values"
        head = f"spread of {what}"
    elif spec.mark == "point" and len(measures) > 1:
        head = " against ".join(measures[:2]) + (f", sized by {measures[2]}" if len(measures) > 2 else "")
    elif spec.mark == "point" and not measures and len(dimensions) > 1:
        series = f", split by {dimension_words(spec.series, spec, summary)}" if spec.series else ""
        return f"{' against '.join(dimensions)} of {rows_of(spec.table)}, a point for each{series}"
    elif measures:
        head = join_words(measures)
    else:
        listed = join_words(dimensions)
        return f"{rows_of(spec.table)}: {listed}" if listed else f"list of {rows_of(spec.table)}"
    if dimensions:
        head += " by " + join_words(dimensions)
    if spec.series:
        head += f", split by {dimension_words(spec.series, spec, summary)}"
    return head


def _histogram(spec: ChartSpec, summary: Summary, dimensions: list[str], measures: list[str]) -> str:
    over = dimensions[0] if dimensions else join_words([bare_words(spec, summary, i) for i in drawn_measures(spec)])
    head = f"distribution of {over or rows_of(spec.table)}"
    if dimensions and measures:
        head += f", {join_words(measures)} in each bin"
    if spec.series:
        head += f", split by {dimension_words(spec.series, spec, summary)}"
    return head


def bare_words(spec: ChartSpec, summary: Summary, index: int) -> str:
    """A measure's column without its aggregate: a box plot shows the values themselves."""
    measure = spec.measures[index]
    if measure.column is None:
        return measure_words(index, spec, summary)
    table, _, name = measure.column.partition(".")
    return humanise(name) if table == spec.table else column_words(measure.column, spec.table, via=measure.via)


def _order(sort: Sort, spec: ChartSpec, summary: Summary) -> str:
    words = field_words(sort.by, spec, summary)
    if sort.by.startswith("m"):
        first = "highest first" if sort.order == "desc" else "lowest first"
        return first if len(spec.measures) == 1 else f"{first} by {words}"
    dimension = spec.series if sort.by == "s" else _dimension(spec, sort.by)
    if dimension is not None and (dimension.grain or dimension.part or dimension.bin):
        # Time runs forward on a chart unless something else was asked for.
        return "" if sort.order == "asc" else "latest first" if dimension.grain else f"{words} from last to first"
    return f"in {'reverse ' if sort.order == 'desc' else ''}order of {words}"


def _dimension(spec: ChartSpec, field: str) -> Dimension | None:
    at = int(field[1:]) - 1 if field[1:].isdigit() else -1
    return spec.dimensions[at] if field.startswith("d") and 0 <= at < len(spec.dimensions) else None


def join_words(items: list[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""
