"""Checks of what a mark needs, and of everything that refers to measures and dimensions by position."""

from __future__ import annotations

from gateway.catalog import ColumnType
from gateway.chart.spec import ChartSpec, Dimension
from gateway.chart.validate import MAX_SERIES, MAX_SLICES, Context, group_named

_GROUPS = {
    "bar": (1, 1), "line": (1, 1), "area": (1, 1), "arc": (1, 1), "rect": (2, 2), "text": (0, 0),
    "point": (0, 2), "boxplot": (0, 1), "histogram": (1, 1), "table": (0, 8),
}  # fmt: skip
"""How many dimensions a mark takes, at least and at most."""
_MEASURES = {
    "bar": (1, 8), "line": (1, 8), "area": (1, 8), "arc": (1, 1), "rect": (1, 1), "text": (1, 8),
    "point": (0, 3), "boxplot": (1, 1), "histogram": (0, 1), "table": (0, 8),
}  # fmt: skip
_WITH_SERIES = frozenset({"bar", "line", "area", "point", "histogram", "boxplot"})
_STACKED = frozenset({"bar", "area", "histogram"})


def check_mark(context: Context) -> None:
    """Add what does not fit the mark."""
    spec = context.spec
    low, high = _GROUPS[spec.mark]
    if not low <= len(spec.dimensions) <= high:
        context.add("mark_dimensions", "dimensions", _counts(low, high))
    low, high = _MEASURES[spec.mark]
    if not low <= len(spec.measures) <= high:
        context.add("mark_measures", "measures", _counts(low, high))
    if spec.series is not None and spec.mark not in _WITH_SERIES:
        context.add("mark_series", "series", tuple(sorted(_WITH_SERIES)))
    if spec.stack is not None and spec.mark not in _STACKED:
        context.add("mark_stack", "stack", tuple(sorted(_STACKED)))
    if not spec.measures and not spec.dimensions:
        context.add("mark_measures", "measures", ("measures", "dimensions"))
    if spec.dual_axis and len(spec.measures) != 2:
        context.add("dual_axis", "measures", ("2",))
    if not context.problems:
        _check_parts(context)
    if not context.problems:
        _check_references(context)
        _check_cardinality(context)


def _counts(low: int, high: int) -> tuple[str, ...]:
    return tuple(str(count) for count in range(low, high + 1))


def _check_parts(context: Context) -> None:
    spec = context.spec
    if spec.mark == "point" and len(spec.measures) + len(spec.dimensions) < 2:
        context.add("mark_dimensions", "dimensions", ("2",))
    if spec.mark == "histogram":
        column = context.names.column(spec.dimensions[0].column)
        if column is None or not column.type.is_numeric:
            context.add("mark_dimensions", "dimensions[0].column", ("integer", "number"))
    if spec.mark == "boxplot":
        measure = spec.measures[0]
        column = context.names.column(measure.column) if measure.column else None
        if measure.derive or measure.metric or column is None or not column.type.is_numeric:
            context.add("mark_measures", "measures[0].column", ("integer", "number"))


def _check_references(context: Context) -> None:
    spec = context.spec
    measures = tuple(f"m{position + 1}" for position in range(max(len(spec.measures), spec.mark == "histogram")))
    groups = tuple(f"d{position + 1}" for position in range(len(spec.dimensions))) + (("s",) if spec.series else ())
    grouped = bool(spec.measures) or spec.mark == "histogram"
    for position, having in enumerate(spec.having):
        if having.measure not in measures or spec.mark == "boxplot":
            context.add("field_ref", f"having[{position}].measure", measures)
    for position, sort in enumerate(spec.sort):
        if sort.by not in measures + groups or (spec.mark == "boxplot" and sort.by == "m1"):
            context.add("field_ref", f"sort[{position}].by", measures + groups)
    if spec.top is None:
        return
    if not grouped or spec.mark in {"boxplot", "text"}:
        context.add("mark_top", "top", ("limit",))
        return
    if spec.top.of not in groups:
        context.add("field_ref", "top.of", groups)
    plain = tuple(f"m{position + 1}" for position, measure in enumerate(spec.measures) if not measure.derive)
    if spec.top.by not in (plain or ("m1",)):
        context.add("field_ref", "top.by", plain)
    if context.problems:
        return
    dimension = group_named(spec, spec.top.of)
    if spec.top.other and dimension is not None and not _can_have_other(context, dimension):
        context.add("top_other", "top.other", ("false",))


def _can_have_other(context: Context, dimension: Dimension) -> bool:
    """Only names can stand beside "Other": a number or a date called Other has no place on an axis."""
    column = context.names.column(dimension.column)
    return column is not None and column.type is ColumnType.TEXT


def _check_cardinality(context: Context) -> None:
    spec = context.spec
    if spec.mark == "arc" and _is_wide(context, spec, spec.dimensions[0], "d1", MAX_SLICES):
        context.add("too_many_groups", "dimensions[0]", ("top", "bar", "table"))
    if spec.series is not None and _is_wide(context, spec, spec.series, "s", MAX_SERIES):
        context.add("too_many_groups", "series", ("top",))


def _is_wide(context: Context, spec: ChartSpec, dimension: Dimension, name: str, most: int) -> bool:
    """Whether the released band of distinct values says that there are more groups than can be told apart."""
    if dimension.grain or dimension.part or dimension.bin or (spec.top and spec.top.of == name) or spec.filter:
        return False
    if spec.limit is not None and spec.limit <= most:
        return False
    column = context.names.column(dimension.column)
    table = context.names.summary.table(dimension.column.partition(".")[0])
    if column is None or table is None:
        return False
    # A unique column has as many values as its table has rows; "few" rows are below 15 (docs/disclosure.md).
    groups = table.rows if column.distinct == "unique" else column.distinct
    return groups in {"unique", "many"} or (isinstance(groups, int) and groups > most)
