"""Checks of the filters of a spec: names, types, reach, periods, placeholders."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.catalog import ColumnType
from gateway.chart.legs import Leg
from gateway.chart.literals import LiteralInvalidError, read_literal
from gateway.chart.paths import AmbiguousPathError, NoPathError
from gateway.chart.spec import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    During,
    Exists,
    Filter,
    InList,
    Negation,
    NullTest,
    Period,
    Placeholder,
    Value,
)
from gateway.chart.validate import Context
from gateway.summary.model import ColumnSummary

_MAX_DEPTH = 12
_ON_TEXT = frozenset({"contains", "starts_with", "ends_with"})
_IN_ORDER = frozenset({"lt", "le", "gt", "ge"})


def check_filter(context: Context, spec_filter: Filter, path: str, legs: tuple[Leg, ...], depth: int = 0) -> None:
    """Add what is wrong with one filter, seen from every leg it applies to."""
    if depth > _MAX_DEPTH:
        context.add("too_deep", path)
        return
    if isinstance(spec_filter, AllOf | AnyOf):
        for position, part in enumerate(spec_filter.filters):
            check_filter(context, part, f"{path}.filters[{position}]", legs, depth + 1)
    elif isinstance(spec_filter, Negation):
        check_filter(context, spec_filter.filter, f"{path}.filter", legs, depth + 1)
    elif isinstance(spec_filter, Exists):
        _check_exists(context, spec_filter, path, legs, depth)
    else:
        _check_condition(context, spec_filter, path, legs)


def _check_exists(context: Context, part: Exists, path: str, legs: tuple[Leg, ...], depth: int) -> None:
    if part.table not in context.names.tables():
        context.add("unknown_table", f"{path}.table", context.names.tables())
        return
    for leg in legs:
        base = context.spec.table if leg.kind == "finer" else leg.start
        try:
            context.names.anchor(base, part)
        except NoPathError as error:
            context.add("unreachable", f"{path}.table", error.reachable)
            return
        except AmbiguousPathError as error:
            context.add("ambiguous_path", f"{path}.via", error.choices)
            return
    if part.filter is not None:
        check_filter(context, part.filter, f"{path}.filter", (Leg(kind="apart", start=part.table),), depth + 1)


def _check_condition(
    context: Context, part: Compare | InList | Between | NullTest | During, path: str, legs: tuple[Leg, ...]
) -> None:
    column = context.column(part.column, f"{path}.column")
    if column is None:
        return
    before = len(context.problems)
    context.check_reach(legs, part.column.partition(".")[0], part.via, f"{path}.column")
    if len(context.problems) > before and context.problems[-1].code == "unreachable":
        # A filter on a table with many rows per root row is a question about related rows.
        problem = context.problems.pop()
        context.add(problem.code, problem.path, ("exists", *problem.valid))
    if isinstance(part, NullTest):
        return
    if isinstance(part, During):
        if not column.type.is_temporal:
            context.add("filter_type", f"{path}.column", ("date", "datetime"))
        _check_period(context, part.period, f"{path}.period")
        return
    _check_operator(context, part, column, path)


def _check_operator(context: Context, part: Compare | InList | Between, column: ColumnSummary, path: str) -> None:
    if part.op in _ON_TEXT and column.type is not ColumnType.TEXT:
        context.add("filter_type", f"{path}.op", ("eq", "ne", "in", "not_in", "between"))
        return
    if (part.op in _IN_ORDER or part.op == "between") and not (column.type.is_numeric or column.type.is_temporal):
        context.add("filter_type", f"{path}.op", ("eq", "ne", "in", "not_in"))
        return
    if column.type in {ColumnType.JSON, ColumnType.BINARY, ColumnType.TIME}:
        context.add("filter_type", f"{path}.op", ("is_null", "not_null"))
        return
    for name, value in _values(part):
        _check_value(context, value, part.column, column, f"{path}.{name}")


def _values(part: Compare | InList | Between) -> Sequence[tuple[str, Value]]:
    if isinstance(part, Compare):
        return (("value", part.value),)
    if isinstance(part, Between):
        return (("low", part.low), ("high", part.high))
    return tuple((f"values[{position}]", value) for position, value in enumerate(part.values))


def _check_value(context: Context, value: Value, reference: str, column: ColumnSummary, path: str) -> None:
    if isinstance(value, Placeholder):
        if context.placeholders is None:
            return
        columns = context.placeholders.get(value.placeholder)
        if columns is None:
            fitting = (n for n, found in context.placeholders.items() if not found or reference in found)
            context.add("unknown_placeholder", path, tuple(fitting))
        elif columns and reference not in columns:
            context.add("placeholder_column", path, columns)
        return
    try:
        read_literal(value, column.type)
    except LiteralInvalidError:
        context.add("value_type", path, (column.type.value,))


def _check_period(context: Context, period: Period, path: str) -> None:
    named = [name for name in ("year", "quarter", "month", "day") if getattr(period, name) is not None]
    if period.kind == "calendar":
        if "year" not in named:
            context.add("period_shape", path, ("year",))
        if "quarter" in named and ("month" in named or "day" in named):
            context.add("period_shape", path, ("quarter", "month"))
        if "day" in named and "month" not in named:
            context.add("period_shape", path, ("month",))
        if period.unit or period.n:
            context.add("period_shape", path, ("year", "quarter", "month", "day"))
        if not context.problems and "day" in named:
            try:
                read_literal(f"{period.year:04d}-{period.month:02d}-{period.day:02d}", ColumnType.DATE)
            except LiteralInvalidError:
                context.add("period_shape", f"{path}.day")
        return
    if named:
        context.add("period_shape", path, ("unit", "n"))
    if period.unit is None:
        context.add("period_shape", f"{path}.unit", ("year", "quarter", "month", "week", "day", "hour"))
    if period.kind == "this" and period.n not in {None, 1}:
        context.add("period_shape", f"{path}.n")
