"""Which rows each measure is an aggregate of, so that no join counts a value twice.

A spec has one root table, but a measure may live on another one. Each measure is computed in a *leg* of its own grain
and the legs are put together by group afterwards:

- ``root``: the measure's column is on the root table (or on a table above it, where repeating a value does no harm:
  min, max and count_distinct).
- ``coarser``: the column is on a table the root points to (an order's fee, seen from its items). Rows of that table
  are made distinct within each group before they are aggregated.
- ``finer``: the column is on a table that points to the root (items, seen from their order). The leg starts at the
  finer table and joins up to the root, so the root's filters and dimensions still apply.
- ``apart``: neither reaches the other, but both reach the dimensions (orders and tickets by customer country).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.chart.metric import ExpressionNode, columns_of, parse_expression
from gateway.chart.paths import AmbiguousPathError, Graph, NoPathError, Path, graph_of
from gateway.chart.spec import AllOf, AnyOf, ChartSpec, Exists, Filter, Measure, Negation
from gateway.summary.model import ColumnSummary, Metric, Summary

LegKind = Literal["root", "coarser", "finer", "apart"]
_HARMLESS = frozenset({"min", "max", "count_distinct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One grain.

    Attributes:
        kind: See the module.
        start: Table whose rows are read; every path starts here.
        stem: Steps from `start` to the root (``finer`` only).
        key: Steps from `start` to the table whose rows are made distinct (``coarser`` only).
        measures: Positions of the measures computed here, from 0.
    """

    kind: LegKind
    start: str
    stem: Path = ()
    key: Path = ()
    measures: tuple[int, ...] = ()


class Resolver:
    """Names of a spec against a Summary."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self.graph: Graph = graph_of(summary.links)
        self._tables = {table.name: {c.name: c for c in table.columns} for table in summary.tables}
        self._metrics = {metric.name: metric for metric in summary.metrics}

    def tables(self) -> tuple[str, ...]:
        """Tables in scope."""
        return tuple(self._tables)

    def column(self, reference: str) -> ColumnSummary | None:
        """The column ``table.column`` names, if it is in scope."""
        table, _, name = reference.partition(".")
        return self._tables.get(table, {}).get(name)

    def columns(self, table: str) -> dict[str, ColumnSummary]:
        """Columns of a table by name; none if it is not in scope."""
        return self._tables.get(table, {})

    def metric(self, name: str) -> Metric | None:
        """The owner's measure of that name, if all it reads is in scope."""
        return self._metrics.get(name)

    def path(self, root: str, leg: Leg, table: str, via: Sequence[str] | None = None) -> Path:
        """Steps from the leg's start to `table`: through the root where the root can reach it.

        Raises:
            NoPathError: No many-to-one path.
            AmbiguousPathError: More than one shortest path.
        """
        if leg.kind != "finer" or table == leg.start:
            return self.graph.path(leg.start, table, via)
        if not via and self.graph.reaches(root, table):
            return leg.stem + self.graph.path(root, table)
        try:
            return leg.stem + self.graph.path(root, table, via)
        except NoPathError:
            return self.graph.path(leg.start, table, via)

    def leg_of(self, root: str, measure: Measure) -> Leg:
        """The grain of a measure that is not derived (`measures` left empty).

        Raises:
            NoPathError: The measure's table is not in scope.
            AmbiguousPathError: More than one shortest path between the measure and the root.
        """
        table = self.table_of(root, measure)
        if table == root and not measure.via:
            return Leg(kind="root", start=root)
        if self.graph.reaches(root, table) or table == root:
            aggregate = self.aggregate_of(measure)
            path = self.graph.path(root, table, measure.via)
            return Leg(kind="root", start=root) if aggregate in _HARMLESS else Leg(kind="coarser", start=root, key=path)
        if self.graph.reaches(table, root):
            return Leg(kind="finer", start=table, stem=self.graph.path(table, root, measure.via))
        return Leg(kind="apart", start=table)

    def table_of(self, root: str, measure: Measure) -> str:
        """The table a measure that is not derived lives on."""
        if measure.metric is not None:
            metric = self.metric(measure.metric)
            return metric.table if metric else root
        return measure.column.partition(".")[0] if measure.column else root

    def aggregate_of(self, measure: Measure) -> str:
        """What a measure that is not derived does with its values."""
        if measure.metric is not None:
            metric = self.metric(measure.metric)
            return metric.aggregate if metric else "sum"
        return measure.aggregate or "count"

    def legs(self, spec: ChartSpec) -> tuple[Leg, ...]:
        """All grains of a spec, in order of first use; a lone root leg if nothing is aggregated.

        Raises:
            NoPathError: A measure's table is not in scope.
            AmbiguousPathError: More than one shortest path.
        """
        found: dict[Leg, list[int]] = {}
        for position, measure in enumerate(spec.measures):
            if measure.derive is None:
                found.setdefault(self.leg_of(spec.table, measure), []).append(position)
        if not found:
            return (Leg(kind="root", start=spec.table),)
        return tuple(
            Leg(kind=leg.kind, start=leg.start, stem=leg.stem, key=leg.key, measures=tuple(positions))
            for leg, positions in found.items()
        )

    def anchor(self, base: str, spec_filter: Exists) -> tuple[Path, Path]:
        """Where a related row is attached: steps from `base` up to a table, and from the child up to the same one.

        Raises:
            NoPathError: The child shares no table with `base`, or is not in scope.
            AmbiguousPathError: More than one shortest way.
        """
        best: list[tuple[Path, Path]] = []
        for table in self.graph.reachable(base):
            for pair in self._anchored(base, table, spec_filter, found=bool(best)):
                steps = len(pair[0]) + len(pair[1])
                shortest = sum(map(len, best[0])) if best else steps
                if steps < shortest:
                    best = [pair]
                elif steps == shortest and pair not in best:
                    best.append(pair)
        if not best:
            raise NoPathError(tuple(t for t in self.tables() if t != base and self.graph.reaches(t, base)))
        if len(best) > 1:
            raise AmbiguousPathError(tuple(sorted({down[0].name for _, down in best})))
        return best[0]

    def _anchored(self, base: str, table: str, part: Exists, *, found: bool) -> list[tuple[Path, Path]]:
        """Ways up from `base` and up from the child that meet at `table`; `via` may choose steps of either."""
        via = part.via or ()
        pairs: list[tuple[Path, Path]] = []
        doubt: AmbiguousPathError | None = None
        for cut in range(len(via) + 1):
            try:
                down = self.graph.path(part.table, table, via[cut:])
                if down:
                    pairs.append((self.graph.path(base, table, via[:cut]), down))
            except NoPathError:
                continue
            except AmbiguousPathError as error:
                doubt = error
        if doubt is not None and not pairs and not found:
            raise doubt
        return pairs


def metric_expression(metric: Metric) -> ExpressionNode:
    """The tree of what a metric aggregates.

    Raises:
        MetricInvalidError: The owner's text is not in the grammar.
    """
    return parse_expression(metric.expression)


def metric_columns(metric: Metric) -> tuple[str, ...]:
    """References of every column a metric reads."""
    return tuple(f"{node.table}.{node.column}" for node in columns_of(metric_expression(metric)))


def walk(spec_filter: Filter | None) -> Iterator[Filter]:
    """Every filter within a filter, itself first; not into what a related row must fulfil."""
    if spec_filter is None:
        return
    yield spec_filter
    if isinstance(spec_filter, AllOf | AnyOf):
        for part in spec_filter.filters:
            yield from walk(part)
    elif isinstance(spec_filter, Negation):
        yield from walk(spec_filter.filter)
