"""The rows of one leg: scoped tables joined along many-to-one paths, filtered, with a column per group and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from gateway.catalog import ColumnType
from gateway.chart.compile.binder import (
    Binder,
    cast,
    col,
    conjunction,
    ident,
    named,
    number,
    paren,
    select_from,
    when,
)
from gateway.chart.compile.engine import Engine
from gateway.chart.compile.question import Question
from gateway.chart.legs import Leg, metric_expression
from gateway.chart.metric import BinaryNode, ColumnNode, ExpressionNode, NumberNode
from gateway.chart.paths import Path
from gateway.chart.spec import Dimension, Measure
from gateway.errors import SpecInvalidError
from gateway.tenancy.barrier import CTE_PREFIX


@dataclass
class Build(Question):
    """What the parts of one statement share: the question, and what of the statement is there already.

    Attributes:
        reads: Safe table name -> columns that the barrier must let through.
        ctes: Further CTEs, after the barrier's.
    """

    engine: Engine
    binder: Binder
    reads: dict[str, set[str]] = field(default_factory=dict)
    ctes: list[exp.CTE] = field(default_factory=list)
    aliases: int = 0


class Joined:
    """FROM one scoped table, with LEFT JOINs added as paths are asked for."""

    def __init__(self, build: Build, start: str, required: Path = ()) -> None:
        self._build = build
        self._start = start
        self._aliases: dict[Path, str] = {}
        self._joins: list[exp.Join] = []
        self._required = len(required)
        build.reads.setdefault(start, set())
        self._aliases[()] = self._alias()
        if required:
            self.table(required)

    def _alias(self) -> str:
        self._build.aliases += 1
        return f"t{self._build.aliases}"

    def table(self, path: Path) -> str:
        """The alias of the table at the end of a path."""
        if path not in self._aliases:
            step = path[-1]
            left = self.table(path[:-1])
            right = self._alias()
            reads = self._build.reads
            reads.setdefault(step.table, set()).update(step.columns)
            reads.setdefault(step.parent, set()).update(step.parent_columns)
            on = conjunction(
                exp.EQ(this=col(right, theirs), expression=col(left, ours))
                for ours, theirs in zip(step.columns, step.parent_columns, strict=True)
            )
            # A row without a parent stays, with nulls; but a finer row without its root row is no part of the root.
            kind = {"kind": "INNER"} if len(path) <= self._required else {"side": "LEFT"}
            self._joins.append(exp.Join(this=_scoped(step.parent, right), on=on, **kind))
            self._aliases[path] = right
        return self._aliases[path]

    def read(self, path: Path, table: str, column: str) -> exp.Column:
        """A column of the table at the end of a path."""
        self._build.reads.setdefault(table, set()).add(column)
        return col(self.table(path), column)

    def select(self, expressions: Sequence[exp.Expr], where: exp.Expr | None) -> exp.Select:
        """The statement so far."""
        select = select_from(expressions, _scoped(self._start, self._aliases[()]))
        if self._joins:
            select.set("joins", self._joins)
        if where is not None:
            select.set("where", exp.Where(this=where))
        return select


def _scoped(table: str, alias: str) -> exp.Table:
    return exp.Table(this=ident(CTE_PREFIX + table), alias=exp.TableAlias(this=ident(alias)))


def leg_rows(
    build: Build, leg: Leg, dimensions: Mapping[str, Dimension], measures: Mapping[int, Measure]
) -> exp.Select:
    """One row per row of the leg's grain, with a column per dimension (``d1``, ``s``) and per value (``x1`` …).

    Args:
        build: The statement.
        leg: The grain.
        dimensions: Dimensions by output name; values bins are cut later.
        measures: Measures of this leg by position; a ``count`` of rows needs no column.

    Returns:
        A SELECT; for a ``coarser`` leg distinct by the coarser table's key within each group.
    """
    from gateway.chart.compile.filters import Filters

    joined = Joined(build, leg.start, leg.stem)
    filters = Filters(build, joined, leg)
    expressions = [named(_dimension(build, joined, leg, d), name) for name, d in dimensions.items()]
    values: dict[str, exp.Expr] = {}
    for position, measure in measures.items():
        value = measure_value(build, joined, leg, measure)
        if measure.filter is not None:
            value = when([(filters.condition(measure.filter), value if value is not None else number(1))])
        if value is not None:
            values[f"x{position + 1}"] = value
    where = filters.condition(build.spec.filter) if build.spec.filter is not None else None
    if leg.kind == "coarser":
        return _distinct(joined, leg, expressions, values, where)
    expressions += [named(value, name) for name, value in values.items()]
    return joined.select(expressions or [named(number(1), "one")], where)


def _distinct(
    joined: Joined,
    leg: Leg,
    groups: list[exp.Alias],
    values: dict[str, exp.Expr],
    where: exp.Expr | None,
) -> exp.Select:
    """Each row of the coarser table once per group: all its repeats carry the same value, so MAX picks it."""
    last = leg.key[-1]
    keys = [joined.read(leg.key, last.parent, key) for key in last.parent_columns]
    by = [*(group.this.copy() for group in groups), *keys]
    picked = [named(exp.Max(this=value), name) for name, value in values.items()]
    select = joined.select([*groups, *picked], where)
    select.set("group", exp.Group(expressions=by))
    return select


def _dimension(build: Build, joined: Joined, leg: Leg, dimension: Dimension) -> exp.Expr:
    table, column = build.column(dimension.column)
    path = build.names.path(build.spec.table, leg, table, dimension.via)
    value: exp.Expr = joined.read(path, table, column.name)
    engine = build.engine
    if column.type.is_temporal:
        value = engine.local(value, column)
    if dimension.grain is not None:
        return engine.truncate(value, dimension.grain)
    if dimension.part is not None:
        return engine.part(value, dimension.part)
    if dimension.bin is not None:
        return engine.as_double(value)
    return value


def measure_value(build: Build, joined: Joined, leg: Leg, measure: Measure) -> exp.Expr | None:
    """What is aggregated; None to count rows."""
    if measure.metric is not None:
        metric = build.names.metric(measure.metric)
        if metric is None:
            raise SpecInvalidError("the spec names a metric that is not in scope", stage="compile")
        base = _base(build, leg, metric.table, measure)
        tree = metric_expression(metric)
        if isinstance(tree, ColumnNode):
            return _metric_column(build, joined, base, metric.table, tree)
        return _arithmetic(build, joined, base, metric.table, tree)
    if measure.column is None:
        return None
    table, column = build.column(measure.column)
    value: exp.Expr = joined.read(_base(build, leg, table, measure), table, column.name)
    if measure.aggregate == "count":
        return when([(exp.Not(this=exp.Is(this=value, expression=exp.Null())), number(1))])
    if column.type.is_temporal and measure.aggregate in {"min", "max"}:
        return build.engine.local(value, column)
    return build.engine.summand(value, column) if measure.aggregate == "sum" else value


def _base(build: Build, leg: Leg, table: str, measure: Measure) -> Path:
    """Steps from the leg's start to the measure's own table."""
    if leg.kind == "coarser":
        return leg.key
    if leg.kind == "root":
        return build.names.graph.path(leg.start, table, measure.via)
    return ()


def _metric_column(build: Build, joined: Joined, base: Path, table: str, node: ColumnNode) -> exp.Column:
    path = base + build.names.graph.path(table, node.table)
    return joined.read(path, node.table, node.column)


def _arithmetic(build: Build, joined: Joined, base: Path, table: str, node: ExpressionNode) -> exp.Expr:
    engine = build.engine
    if isinstance(node, ColumnNode):
        value = _metric_column(build, joined, base, table, node)
        _, column = build.column(f"{node.table}.{node.column}")
        return engine.as_big(value) if column.type is ColumnType.INTEGER else value
    if isinstance(node, NumberNode):
        # The owner's own number, bound all the same.
        if "." in node.text:
            return build.binder.bind(float(node.text))
        return cast(build.binder.bind(int(node.text)), engine.big, engine.name)
    left = _arithmetic(build, joined, base, table, node.left)
    right = _arithmetic(build, joined, base, table, node.right)
    return _combined(engine, node, left, right)


def _combined(engine: Engine, node: BinaryNode, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    if node.operator == "/":
        return paren(engine.quotient(left, right))
    kind: type[exp.Add] | type[exp.Sub] | type[exp.Mul] = exp.Mul
    if node.operator in {"+", "-"}:
        kind = exp.Add if node.operator == "+" else exp.Sub
    return paren(kind(this=left, expression=right))
