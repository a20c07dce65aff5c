"""The rows of one leg: a scoped collection, joined along many-to-one paths, filtered, with a field per group and value.

The scope's own stages come first (`gateway.tenancy.barrier_mongo`), then

1. ``$match`` on what the start's own columns decide, before anything is joined,
2. ``$lookup`` and ``$unwind`` for each step of a path, each into the stages of that collection's own scope,
3. ``$lookup`` for related rows, ``$match`` on the rest of the filter,
4. ``$project`` to ``d1`` …, ``s`` and ``x1`` ….

A join names its keys twice: by field, so that an index is used, and by expression, as the former would look into
arrays and would match what is missing with what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.question import Question
from gateway.chart.compile_mongo.expressions import (
    Bound,
    Expression,
    as_double,
    every,
    given,
    not_null,
    of,
    op,
    quotient,
    when,
)
from gateway.chart.compile_mongo.times import Clock
from gateway.chart.legs import Leg, metric_expression
from gateway.chart.metric import ColumnNode, ExpressionNode, NumberNode
from gateway.chart.paths import Path
from gateway.chart.spec import Dimension, Measure
from gateway.errors import SpecInvalidError
from gateway.mongo import Stage
from gateway.tenancy.barrier_mongo import MongoBarrier
from gateway.tenancy.scope import Scope

_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply"}


@dataclass
class Build(Question):
    """What the parts of one pipeline share: the question, and what of the pipeline is there already."""

    scope: Scope
    barrier: MongoBarrier
    bound: Bound
    clock: Clock
    now: datetime
    names_given: int = field(default=0)

    def fresh(self, letter: str) -> str:
        """A field name that no column can have."""
        self.names_given += 1
        return f"{letter}~{self.names_given}"


@dataclass
class _Join:
    """One step that is joined: the document's field, its columns that are read, and the fields of its keys."""

    alias: str
    left: Path
    required: bool
    columns: set[str]


class Joined:
    """A scoped collection, joined as paths are asked for.

    Attributes:
        touched: Paths read since it was last cleared.
    """

    def __init__(self, build: Build, start: str, required: Path = ()) -> None:
        self.build = build
        self.start = start
        self.columns: set[str] = set()
        self.touched: set[Path] = set()
        self.related: list[Stage] = []
        self._joins: dict[Path, _Join] = {}
        self._required = len(required)
        if required:
            self._join(required)

    def read(self, path: Path, column: str) -> Expression:
        """A column of the table at the end of a path."""
        self.touched.add(path)
        if not path:
            self.columns.add(column)
            return f"${column}"
        join = self._join(path)
        join.columns.add(column)
        return given(f"${join.alias}.{column}")

    def _join(self, path: Path) -> _Join:
        if path not in self._joins:
            step, left = path[-1], path[:-1]
            if left:
                self._join(left).columns.update(step.columns)
            else:
                self.columns.update(step.columns)
            # A row without a parent stays, with nulls; but a finer row without its root row is no part of the root.
            required = len(path) <= self._required
            self._joins[path] = _Join(self.build.fresh("j"), left, required, set(step.parent_columns))
        return self._joins[path]

    def stages(self, early: Sequence[Expression], late: Sequence[Expression]) -> tuple[str, list[Stage]]:
        """The collection, and the stages so far.

        Args:
            early: Conditions on the start's own columns.
            late: Conditions on anything.
        """
        head = self.build.barrier.stages(self.start, self.columns)
        stages: list[Stage] = [*head, *_matched(early)]
        for path, join in self._joins.items():
            stages += self._lookup(path, join)
        stages += [*self.related, *_matched(late)]
        return self.build.barrier.collection(self.start), stages

    def _lookup(self, path: Path, join: _Join) -> list[Stage]:
        step = path[-1]
        prefix = f"{self._joins[join.left].alias}." if join.left else ""
        local = [prefix + name for name in step.columns]
        stage = lookup(self.build, step.parent, join.columns, local, step.parent_columns, join.alias)
        unwind: Expression = {"path": f"${join.alias}", "preserveNullAndEmptyArrays": not join.required}
        return [stage, {"$unwind": unwind}]


def lookup(
    build: Build, table: str, columns: set[str], local: Sequence[str], foreign: Sequence[str], alias: str
) -> Stage:
    """Join the scoped rows of a table whose keys equal those of the document."""
    pipeline: list[Stage] = build.barrier.stages(table, columns)
    pipeline.append({"$match": {"$expr": same_keys([f"${name}" for name in foreign])}})
    found = build.catalog.by_name[table].by_name
    return {
        "$lookup": {
            "from": build.barrier.collection(table),
            "localField": local[0],
            "foreignField": found[foreign[0]].physical,
            "let": {f"k{number + 1}": given(f"${name}") for number, name in enumerate(local)},
            "pipeline": pipeline,
            "as": alias,
        }
    }


def same_keys(keys: Sequence[Expression]) -> Expression:
    """Whether the keys are those of the document that is joined to; a missing key is like no other."""
    tests: list[Expression] = []
    for number, key in enumerate(keys):
        variable = f"$$k{number + 1}"
        tests += [not_null(variable), op("eq", key, variable)]
    return every(tests)


def _matched(conditions: Sequence[Expression]) -> list[Stage]:
    return [{"$match": {"$expr": every(conditions)}}] if conditions else []


def leg_rows(
    build: Build, leg: Leg, dimensions: Mapping[str, Dimension], measures: Mapping[int, Measure]
) -> tuple[str, list[Stage]]:
    """One document per row of the leg's grain, with a field per dimension (``d1``, ``s``) and per value (``x1`` …).

    Args:
        build: The pipeline.
        leg: The grain.
        dimensions: Dimensions by output name; values bins are cut later.
        measures: Measures of this leg by position; a ``count`` of rows needs no field.

    Returns:
        The collection and the stages; for a ``coarser`` leg distinct by the coarser table's key within each group.
    """
    from gateway.chart.compile_mongo.filters import Filters

    joined = Joined(build, leg.start, leg.stem)
    filters = Filters(build, joined, leg)
    early, late = filters.split(build.spec.filter)
    shown: dict[str, Expression] = {name: _dimension(build, joined, leg, d) for name, d in dimensions.items()}
    values: dict[str, Expression] = {}
    for position, measure in measures.items():
        value = measure_value(build, joined, leg, measure)
        if measure.filter is not None:
            value = when(filters.condition(measure.filter), value if value is not None else 1, None)
        if value is not None:
            values[f"x{position + 1}"] = value
    keys: dict[str, Expression] = {}
    if leg.kind == "coarser":
        for number, key in enumerate(leg.key[-1].parent_columns):
            keys[f"k{number + 1}"] = joined.read(leg.key, key)
    collection, stages = joined.stages(early, late)
    stages.append(project({**shown, **keys, **values}))
    return collection, stages + (_distinct([*shown], [*keys], [*values]) if keys else [])


def project(fields: Mapping[str, Expression]) -> Stage:
    """Exactly these fields; ``one`` where there is none, as a document cannot be shown without a field."""
    return {"$project": {"_id": 0, **(fields or {"one": {"$literal": 1}})}}


def _distinct(groups: list[str], keys: list[str], values: list[str]) -> list[Stage]:
    """Each row of the coarser table once per group: all its repeats carry the same value, so ``$max`` picks it."""
    picked: dict[str, Expression] = {name: of("max", f"${name}") for name in values}
    group: Expression = {"_id": {name: f"${name}" for name in [*groups, *keys]}, **picked}
    shown: dict[str, Expression] = {name: f"$_id.{name}" for name in groups}
    return [{"$group": group}, project({**shown, **{name: f"${name}" for name in values}})]


def _dimension(build: Build, joined: Joined, leg: Leg, dimension: Dimension) -> Expression:
    table, column = build.column(dimension.column)
    value = joined.read(build.names.path(build.spec.table, leg, table, dimension.via), column.name)
    if column.type.is_temporal:
        value = build.clock.local(value, column)
    if dimension.grain is not None:
        return build.clock.truncate(value, dimension.grain)
    if dimension.part is not None:
        return build.clock.part(value, dimension.part)
    return as_double(value) if dimension.bin is not None else _alike(value, column)


def _alike(x: Expression, column: Column) -> Expression:
    """A value as it is told apart from others: of several types of number as a double, as 7.1 is more than one."""
    kinds = column.native_type.split("|")
    return as_double(x) if column.type is ColumnType.NUMBER and len(kinds) > 1 else x


def measure_value(build: Build, joined: Joined, leg: Leg, measure: Measure) -> Expression | None:
    """What is aggregated; None to count rows."""
    if measure.metric is not None:
        metric = build.names.metric(measure.metric)
        if metric is None:
            raise SpecInvalidError("the spec names a metric that is not in scope", stage="compile")
        return _arithmetic(build, joined, _base(build, leg, metric.table, measure), metric.table,
                           metric_expression(metric))  # fmt: skip
    if measure.column is None:
        return None
    table, column = build.column(measure.column)
    value = joined.read(_base(build, leg, table, measure), column.name)
    if measure.aggregate == "count":
        return when(not_null(value), 1, None)
    if column.type is ColumnType.DATE or (column.type.is_temporal and measure.aggregate in {"min", "max"}):
        return build.clock.local(value, column)
    return _alike(value, column) if measure.aggregate == "count_distinct" else value


def _base(build: Build, leg: Leg, table: str, measure: Measure) -> Path:
    """Steps from the leg's start to the measure's own table."""
    if leg.kind == "coarser":
        return leg.key
    if leg.kind == "root":
        return build.names.graph.path(leg.start, table, measure.via)
    return ()


def _arithmetic(build: Build, joined: Joined, base: Path, table: str, node: ExpressionNode) -> Expression:
    if isinstance(node, ColumnNode):
        return joined.read(base + build.names.graph.path(table, node.table), node.column)
    if isinstance(node, NumberNode):
        # The owner's own number, bound all the same.
        return build.bound.value(float(node.text) if "." in node.text else int(node.text))
    left = _arithmetic(build, joined, base, table, node.left)
    right = _arithmetic(build, joined, base, table, node.right)
    return quotient(left, right) if node.operator == "/" else op(_ARITHMETIC[node.operator], left, right)
