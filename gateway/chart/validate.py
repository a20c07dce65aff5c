"""Whether a spec fits the data in scope. Each problem has a code, a place and what would be valid, never a value.

A repair round may tell the model exactly that and nothing more, so nothing here may depend on rows: the Summary is
all there is to look at. Names in `valid` are names of the Summary or words of the chart language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalog import ColumnType
from gateway.chart.legs import Leg, Resolver, metric_columns
from gateway.chart.metric import MetricInvalidError
from gateway.chart.paths import AmbiguousPathError, NoPathError
from gateway.chart.spec import ChartSpec, Dimension, Measure
from gateway.summary.model import ColumnSummary, Summary

GROUPABLE = frozenset(
    {ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.DATE, ColumnType.DATETIME}
)
MAX_SLICES = 24
"""A pie with more slices cannot be read; top-n-and-other makes it readable."""
MAX_SERIES = 50
MAX_POINTS = 5_000
MAX_VALID = 60
_GRAINS = {"year": 1.0, "quarter": 4.0, "month": 12.0, "week": 53.0, "day": 366.0, "hour": 8784.0}
_NUMERIC_ONLY = frozenset({"sum", "avg", "median", "stddev", "percentile"})
_IN_ORDER = frozenset({"running_total", "moving_average", "change", "change_percent"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit.

    Attributes:
        code: Stable word for the kind of problem.
        path: Where in the spec, for example ``measures[0].column``.
        valid: What would be valid there: names of the Summary or words of the language.
    """

    code: str
    path: str
    valid: tuple[str, ...] = ()


@dataclass
class Context:
    """What the checks share, and what they found."""

    spec: ChartSpec
    names: Resolver
    placeholders: Mapping[str, tuple[str, ...]] | None
    legs: tuple[Leg, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, path: str, valid: tuple[str, ...] = ()) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, path, valid[:MAX_VALID]))

    def column(self, reference: str, path: str) -> ColumnSummary | None:
        """The column of that name; a problem if it is not in scope."""
        column = self.names.column(reference)
        if column is None:
            table = reference.partition(".")[0]
            near = tuple(f"{table}.{name}" for name in self.names.columns(table))
            self.add("unknown_column", path, near or self.names.tables())
        return column

    def check_reach(self, legs: tuple[Leg, ...], table: str, via: tuple[str, ...] | None, path: str) -> None:
        """Every leg must find one path to the table."""
        for leg in legs:
            try:
                self.names.path(self.spec.table, leg, table, via)
            except NoPathError as error:
                self.add("unreachable", path, error.reachable)
                return
            except AmbiguousPathError as error:
                self.add("ambiguous_path", path, error.choices)
                return


def validate(
    spec: ChartSpec, summary: Summary, placeholders: Mapping[str, tuple[str, ...]] | None = None
) -> list[Problem]:
    """Check a spec against everything that may be known of the data.

    Args:
        spec: A spec of the right shape.
        summary: The facts in scope.
        placeholders: Placeholder -> columns its value was found in (empty: anywhere). None: any placeholder will do.

    Returns:
        Problems in the order of the spec; empty if the spec can be compiled.
    """
    from gateway.chart.validate_filter import check_filter
    from gateway.chart.validate_mark import check_mark

    context = Context(spec=spec, names=Resolver(summary), placeholders=placeholders)
    if summary.table(spec.table) is None:
        context.add("unknown_table", "table", context.names.tables())
        return context.problems
    for position, measure in enumerate(spec.measures):
        _check_measure(context, position, measure)
    if context.problems:
        return context.problems
    context.legs = context.names.legs(spec)
    for position, measure in enumerate(spec.measures):
        leg = next((leg for leg in context.legs if position in leg.measures), None)
        if measure.filter is not None and leg is not None:
            check_filter(context, measure.filter, f"measures[{position}].filter", (leg,))
    for position, dimension in enumerate(spec.dimensions):
        _check_dimension(context, dimension, f"dimensions[{position}]")
    if spec.series is not None:
        _check_dimension(context, spec.series, "series")
    if spec.filter is not None:
        check_filter(context, spec.filter, "filter", context.legs)
    if not context.problems:
        check_mark(context)
    return context.problems


def _check_measure(context: Context, position: int, measure: Measure) -> None:
    path = f"measures[{position}]"
    given = [name for name in ("aggregate", "metric", "derive") if getattr(measure, name) is not None]
    if len(given) != 1:
        context.add("measure_shape", path, ("aggregate", "metric", "derive"))
        return
    if measure.derive is not None:
        _check_derived(context, measure, path)
        return
    if measure.of or measure.by or measure.window:
        context.add("measure_shape", path, ("derive",))
    if measure.metric is not None:
        _check_metric(context, measure, path)
    else:
        _check_aggregate(context, measure, path)
    if context.problems:
        return
    try:
        context.names.leg_of(context.spec.table, measure)
    except NoPathError as error:
        context.add("unreachable", f"{path}.via", error.reachable)
    except AmbiguousPathError as error:
        context.add("ambiguous_path", f"{path}.via", error.choices)


def _check_aggregate(context: Context, measure: Measure, path: str) -> None:
    aggregate = measure.aggregate or "count"
    if (measure.percentile is None) == (aggregate == "percentile"):
        context.add("measure_shape", f"{path}.percentile", ("percentile",) if aggregate == "percentile" else ())
    if measure.column is None:
        if aggregate != "count":
            context.add("column_missing", f"{path}.column")
        return
    column = context.column(measure.column, f"{path}.column")
    if column is None:
        return
    table = measure.column.partition(".")[0]
    numeric = tuple(f"{table}.{c.name}" for c in context.names.columns(table).values() if c.type.is_numeric)
    if aggregate in _NUMERIC_ONLY and not column.type.is_numeric:
        context.add("aggregate_type", f"{path}.column", numeric or ("count", "count_distinct"))
    elif aggregate in {"min", "max"} and not (column.type.is_numeric or column.type.is_temporal):
        context.add("aggregate_type", f"{path}.aggregate", ("count", "count_distinct"))
    elif aggregate == "count_distinct" and column.type not in GROUPABLE:
        context.add("aggregate_type", f"{path}.aggregate", ("count",))


def _check_metric(context: Context, measure: Measure, path: str) -> None:
    metric = context.names.metric(measure.metric or "")
    if measure.column or measure.percentile is not None:
        context.add("measure_shape", path, ("metric",))
    if metric is None:
        context.add("unknown_metric", f"{path}.metric", tuple(m.name for m in context.names.summary.metrics))
        return
    try:
        references = metric_columns(metric)
    except MetricInvalidError:
        context.add("metric_invalid", f"{path}.metric")
        return
    for reference in references:
        column = context.names.column(reference)
        reached = context.names.graph.reaches(metric.table, reference.partition(".")[0])
        if column is None or not reached:
            context.add("metric_out_of_scope", f"{path}.metric")
            return
        if metric.aggregate in {"sum", "avg", "median"} and not column.type.is_numeric:
            context.add("metric_invalid", f"{path}.metric")
            return


def _check_derived(context: Context, measure: Measure, path: str) -> None:
    if measure.column or measure.percentile is not None or measure.via or measure.filter:
        context.add("measure_shape", path, ("of", "by", "window"))
    spec = context.spec
    plain = tuple(f"m{i + 1}" for i, m in enumerate(spec.measures) if m.derive is None)
    ratios = tuple(f"m{i + 1}" for i, m in enumerate(spec.measures) if m.derive == "ratio")
    groups = tuple(f"d{i + 1}" for i in range(len(spec.dimensions))) + (("s",) if spec.series else ())
    if measure.of not in (plain if measure.derive == "ratio" else plain + ratios):
        context.add("field_ref", f"{path}.of", plain)
    if measure.derive == "ratio":
        if measure.by not in plain:
            context.add("field_ref", f"{path}.by", plain)
    elif measure.by is not None and measure.by not in groups:
        context.add("field_ref", f"{path}.by", groups)
    if (measure.window is not None) and measure.derive != "moving_average":
        context.add("measure_shape", f"{path}.window", ("moving_average",))
    if measure.derive == "moving_average" and measure.window is None:
        context.add("measure_shape", f"{path}.window", ("window",))
    if measure.derive in _IN_ORDER:
        ordered = tuple(name for name in groups if is_ordered(context.names, group_named(spec, name)))
        if measure.derive != "running_total" and (measure.by or "d1") not in ordered:
            context.add("order_missing", f"{path}.by", ordered or ("grain", "part"))
        elif not groups:
            context.add("order_missing", f"{path}.by", ("dimensions",))


def group_named(spec: ChartSpec, name: str) -> Dimension | None:
    """The dimension called ``d1`` …, or the series ``s``."""
    if name == "s":
        return spec.series
    position = int(name[1:]) - 1
    return spec.dimensions[position] if name[0] == "d" and position < len(spec.dimensions) else None


def is_ordered(names: Resolver, dimension: Dimension | None) -> bool:
    """Whether the groups come one after the other at a known step: a grain, a part, or whole numbers."""
    if dimension is None or dimension.bin is not None:
        return False
    column = names.column(dimension.column)
    if column is None:
        return False
    return bool(dimension.grain or dimension.part) or column.type in {ColumnType.DATE, ColumnType.INTEGER}


def _check_dimension(context: Context, dimension: Dimension, path: str) -> None:
    column = context.column(dimension.column, f"{path}.column")
    if column is None:
        return
    if sum(x is not None for x in (dimension.grain, dimension.part, dimension.bin)) > 1:
        context.add("dimension_shape", path, ("grain", "part", "bin"))
    if dimension.grain or dimension.part:
        _check_time(context, dimension, column, path)
    if dimension.bin is not None:
        if not column.type.is_numeric:
            context.add("bin_type", f"{path}.bin")
        if (dimension.bin.count is None) == (dimension.bin.width is None):
            context.add("dimension_shape", f"{path}.bin", ("count", "width"))
    if column.type not in GROUPABLE:
        context.add("dimension_type", f"{path}.column")
    context.check_reach(context.legs, dimension.column.partition(".")[0], dimension.via, f"{path}.via")


def _check_time(context: Context, dimension: Dimension, column: ColumnSummary, path: str) -> None:
    if not column.type.is_temporal:
        dated = tuple(
            f"{t.name}.{c.name}" for t in context.names.summary.tables for c in t.columns if c.type.is_temporal
        )
        context.add("grain_type", f"{path}.{'grain' if dimension.grain else 'part'}", dated)
        return
    if column.type is ColumnType.DATE and dimension.grain == "hour":
        context.add("grain_type", f"{path}.grain", tuple(_GRAINS)[:-1])
    if column.type is ColumnType.DATE and dimension.part == "hour_of_day":
        context.add("grain_type", f"{path}.part", ("quarter_of_year", "month_of_year", "day_of_month", "weekday"))
    if dimension.grain and column.time and column.time.first and column.time.last and context.spec.filter is None:
        years = int(column.time.last[:4]) - int(column.time.first[:4]) + 1
        fitting = tuple(grain for grain, a_year in _GRAINS.items() if years * a_year <= MAX_POINTS)
        if dimension.grain not in fitting:
            context.add("grain_too_fine", f"{path}.grain", fitting)
