"""What compiling a spec means on every engine: its names, its literals, its groups and its limit. No engine's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.catalog import Catalog, Column, ColumnType
from gateway.chart.legs import Leg, Resolver
from gateway.chart.literals import LiteralInvalidError, Meaning, read_literal
from gateway.chart.spec import Bin, ChartSpec, Dimension, Grain, Measure, Placeholder, Value
from gateway.chart.validate import validate
from gateway.errors import AmbiguousError, SpecInvalidError
from gateway.summary.model import Summary
from gateway.tenancy.scope import Scope

OTHER = "Other"
OTHER_FLAG = "other"
BOX = ("min", "q1", "median", "q3", "max")
DEFAULT_BINS = 20
_BY_SIZE = frozenset({"bar", "arc", "table", "point"})
_LADDER = [f"{step}e{power}" for power in range(-4, 10) for step in (1, 2, 5)]


@dataclass(frozen=True)
class Grouping:
    """What is grouped by what, on every engine.

    Attributes:
        groups: Dimensions by output name (``d1`` …, ``s``), in output order.
        measures: Measures that are not derived, by position.
        legs: The grains.
        boxplot: Whether a measure is five numbers of a box.
        other: Name of the group that becomes "Other" outside the top n; empty if none does.
    """

    groups: dict[str, Dimension]
    measures: dict[int, Measure]
    legs: tuple[Leg, ...]
    boxplot: bool = False
    other: str = ""

    @property
    def names(self) -> list[str]:
        """The fields that make a group."""
        return [*self.groups, *([OTHER_FLAG] if self.other else [])]


@dataclass
class Question:
    """A spec, and what it is asked of."""

    spec: ChartSpec
    catalog: Catalog
    names: Resolver
    bindings: Mapping[str, str]

    def column(self, reference: str) -> tuple[str, Column]:
        """Table and catalog column of ``table.column``.

        Raises:
            SpecInvalidError: The source does not have it.
        """
        table, _, name = reference.partition(".")
        found = self.catalog.by_name.get(table)
        column = found.by_name.get(name) if found else None
        if column is None:
            raise SpecInvalidError("the source does not have a column of the spec", stage="compile")
        return table, column

    def meaning(self, value: Value, column: Column) -> Meaning:
        """The literal, or the caller's own words behind a placeholder, as a value of the column.

        Raises:
            SpecInvalidError: It is not one, or the placeholder is not known.
        """
        if isinstance(value, Placeholder):
            words = self.bindings.get(value.placeholder)
            if words is None:
                raise _unfit("unknown_placeholder")
            value = words
        try:
            return read_literal(value, column.type)
        except LiteralInvalidError:
            raise _unfit("value_type") from None

    def result_type(self, measure: Measure) -> str:
        """Type of a measure's result: ``integer``, ``number``, ``date`` or ``datetime``."""
        aggregate = self.names.aggregate_of(measure)
        if aggregate in {"count", "count_distinct"}:
            return "integer"
        if measure.metric is not None or measure.column is None or aggregate not in {"sum", "min", "max"}:
            return "number"
        return str(self.column(measure.column)[1].type)

    def first_ordered(self, groups: Mapping[str, Dimension]) -> str:
        """The dimension that periods follow one another in: the first with a time, else the first."""
        for name, dimension in groups.items():
            if dimension.grain or dimension.part or self.column(dimension.column)[1].type.is_temporal:
                return name
        return next(iter(groups))

    def step(self, dimension: Dimension) -> Grain | Literal["itself"] | None:
        """How far one group is from the next: a grain, or one where values are whole; None for names and measures."""
        if dimension.bin is not None:
            return None
        if dimension.grain is not None:
            return dimension.grain
        kind = self.column(dimension.column)[1].type
        if dimension.part is not None or kind is ColumnType.INTEGER:
            return "itself"
        return "day" if kind is ColumnType.DATE else None

    def wanted_order(
        self, groups: Mapping[str, Dimension], fields: tuple[str, ...], flag: str = ""
    ) -> list[tuple[str, bool]]:
        """Names to sort by, and whether the greatest comes first: what the spec asks for, else the natural order.

        Names of things go by size, biggest first; everything with an order of its own in that order. Ties are broken
        by the groups, so that the same spec gives the same rows in the same order. "Other" is the last of its group
        (`flag`), and of everything unless the spec itself sorts by that group.
        """
        wanted = [(sort.by, sort.order == "desc") for sort in self.spec.sort]
        if flag and flag not in [name for name, _ in wanted]:
            wanted.insert(0, (OTHER_FLAG, False))
        wanted += [*(() if self.spec.sort else self._by_size(groups, fields)), *((name, False) for name in groups)]
        order: dict[str, bool] = {}
        for name, descending in wanted:
            if name == flag:
                order.setdefault(OTHER_FLAG, False)
            order.setdefault(name, descending)
        return list(order.items())

    def _by_size(self, groups: Mapping[str, Dimension], fields: tuple[str, ...]) -> list[tuple[str, bool]]:
        first = groups.get("d1")
        if self.spec.mark not in _BY_SIZE or first is None or "m1" not in fields:
            return []
        plain = not (first.grain or first.part or first.bin)
        return [("m1", True)] if plain and self.column(first.column)[1].type is ColumnType.TEXT else []

    def ladder(self, dimension: Dimension) -> list[str]:
        """Round widths of bins, least first, as ``2e-1``; whole numbers are not cut within."""
        whole = self.column(dimension.column)[1].type is ColumnType.INTEGER
        return [step for step in _LADDER if not whole or float(step) >= 1]


def has_value(measure: Measure) -> bool:
    """Whether rows carry a value for it; a plain count of rows needs none."""
    return measure.metric is not None or measure.column is not None or measure.filter is not None


def check_spec(spec: ChartSpec, summary: Summary, bindings: Mapping[str, str]) -> None:
    """Refuse a spec that does not fit what may be known.

    Raises:
        SpecInvalidError: The first problem, with its code, path and what would be valid.
        AmbiguousError: More than one shortest join path.
    """
    problems = validate(spec, summary, dict.fromkeys(bindings, ()))
    if not problems:
        return
    first = problems[0]
    if first.code == "ambiguous_path":
        raise AmbiguousError(
            "more than one way leads to a column of the spec",
            stage="compile",
            details={"choices": list(first.valid), "path": first.path},
        )
    raise SpecInvalidError(
        "the spec does not fit the data in scope",
        stage="compile",
        details={"code": first.code, "path": first.path, "valid": list(first.valid)},
    )


def with_defaults(spec: ChartSpec) -> ChartSpec:
    """Say what a histogram leaves unsaid: it counts rows, in twenty bins."""
    if spec.mark != "histogram" or not spec.dimensions:
        return spec
    changes: dict[str, object] = {}
    if not spec.measures:
        changes["measures"] = (Measure(aggregate="count"),)
    first = spec.dimensions[0]
    if first.bin is None:
        binned = first.model_copy(update={"bin": Bin(count=DEFAULT_BINS)})
        changes["dimensions"] = (binned, *spec.dimensions[1:])
    return spec.model_copy(update=changes) if changes else spec


def groups_of(spec: ChartSpec) -> dict[str, Dimension]:
    """Dimensions and the series by output name."""
    groups = {f"d{position + 1}": dimension for position, dimension in enumerate(spec.dimensions)}
    if spec.series is not None:
        groups["s"] = spec.series
    return groups


def fields_of(spec: ChartSpec) -> tuple[str, ...]:
    """Names of the answer's columns, in order."""
    fields = [*groups_of(spec)]
    for position in range(len(spec.measures)):
        name = f"m{position + 1}"
        fields.extend(f"{name}_{part}" for part in BOX) if spec.mark == "boxplot" else fields.append(name)
    return tuple(fields)


def row_limit(spec: ChartSpec, scope: Scope) -> int:
    """The rows asked for, or one more than may be shown so that a cut is noticed."""
    most = max(scope.limits.max_rows, 1) + 1
    return min(spec.limit, most) if spec.limit is not None else most


def _unfit(code: str) -> SpecInvalidError:
    return SpecInvalidError("a value of the spec does not fit its column", stage="compile", details={"code": code})
