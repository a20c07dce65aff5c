"""Stage 9 on MongoDB: ChartSpec and Scope in, one aggregation pipeline out, every collection behind its own scope.

The same language and the same reading of it as on SQL engines (`gateway.chart.compile.question`, `legs`, `paths`);
what differs is said in expressions of the aggregation framework. Nobody has proved the pipeline yet.
"""

from __future__ import annotations

from datetime import datetime

from gateway.chart.compile.question import Question, fields_of, groups_of, row_limit
from gateway.chart.compile.titles import result_columns
from gateway.chart.compile_mongo.expressions import Bound, Expression
from gateway.chart.compile_mongo.groups import Shape, add_bins, grouped, top_values
from gateway.chart.compile_mongo.outer import derived, final
from gateway.chart.compile_mongo.rows import Build, leg_rows
from gateway.chart.compile_mongo.times import Clock
from gateway.chart.legs import Leg
from gateway.mongo import Stage, written
from gateway.tenancy.barrier_mongo import MongoBarrier
from gateway.tenancy.scope import Scope
from gateway.types import CompiledQuery


def compile_pipeline(question: Question, *, scope: Scope, now: datetime) -> CompiledQuery:
    """Compile a checked spec to one pipeline within a scope.

    Args:
        question: The spec, with its defaults said, and what it is asked of.
        scope: Right of the asking session.
        now: The instant that relative dates count from, with zone.

    Returns:
        A pipeline as canonical JSON with named parameters; limited to one row more than may be shown.

    Raises:
        SpecInvalidError: A value does not fit its column.
        ScopeRefusedError: Something is outside the scope.
    """
    bound = Bound()
    barrier = MongoBarrier(question.catalog, scope)
    build = Build(
        spec=question.spec,
        catalog=question.catalog,
        names=question.names,
        bindings=question.bindings,
        scope=scope,
        barrier=barrier,
        bound=bound,
        clock=Clock(scope, bound),
        now=now,
    )
    max_rows = row_limit(question.spec, scope)
    collection, stages = _answer(build, max_rows)
    return CompiledQuery(
        dialect=question.catalog.dialect,
        statement=written(stages),
        parameters={**bound.parameters, **barrier.parameters},
        scope_parameters=frozenset(barrier.parameters),
        columns=result_columns(question, groups_of(question.spec), boxplot=question.spec.mark == "boxplot"),
        tables=tuple(barrier.tables),
        max_rows=max_rows,
        collection=collection,
    )


def _answer(build: Build, limit: int) -> tuple[str, list[Stage]]:
    spec, groups = build.spec, groups_of(build.spec)
    if not spec.measures:
        collection, listed = leg_rows(build, Leg(kind="root", start=spec.table), groups, {})
        return collection, listed + final(build, groups, tuple(groups), top={}, flag="", limit=limit)
    plain = {position: measure for position, measure in enumerate(spec.measures) if measure.derive is None}
    shape = Shape(groups=groups, measures=plain, legs=build.names.legs(spec), boxplot=spec.mark == "boxplot")
    add_bins(build, shape)
    top: dict[str, Expression] = {}
    other = ""
    if spec.top is not None:
        by = int(spec.top.by[1:]) - 1
        top = top_values(build, shape, spec.top.of, by, spec.top.n, descending=spec.top.order == "desc")
        if spec.top.other:
            other = spec.top.of
    shape = Shape(groups=groups, measures=plain, legs=shape.legs, boxplot=shape.boxplot, other=other, bins=shape.bins,
                  top=top if other else {})  # fmt: skip
    collection, rows = grouped(build, shape)
    kept = {} if other else top
    last = final(build, groups, fields_of(spec), top=kept, flag=other, limit=limit)
    return collection, rows + derived(build, groups) + last
