"""Stage 9. ChartSpec and Scope in, one statement out: every base table behind the scope barrier, every value bound.

What comes in was checked by `gateway.chart.validate` and is checked again here. What goes out is a CompiledQuery: a
statement nobody has proved yet, which no source will run. The compiler chooses the joins (`gateway.chart.paths`), the
grain each measure is computed at (`gateway.chart.legs`), and the engine's own words (`engines`). It builds trees and
never text; text is made once, at the end, without comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlglot import exp

from gateway.catalog import Catalog, Dialect
from gateway.chart.compile.binder import Binder, number
from gateway.chart.compile.engines import engine_for
from gateway.chart.compile.groups import Shape, add_bins, grouped, top_values
from gateway.chart.compile.outer import final, in_order, with_derived
from gateway.chart.compile.question import Question, check_spec, fields_of, groups_of, row_limit, with_defaults
from gateway.chart.compile.rows import Build, leg_rows
from gateway.chart.compile.titles import result_columns
from gateway.chart.compile_mongo import compile_pipeline
from gateway.chart.legs import Leg, Resolver
from gateway.chart.spec import ChartSpec, Dimension
from gateway.chart.support import as_support, with_support
from gateway.summary.model import Summary
from gateway.tenancy.barrier import scoped_tables
from gateway.tenancy.scope import Scope
from gateway.types import CompiledQuery


def compile_spec(
    spec: ChartSpec,
    *,
    catalog: Catalog,
    scope: Scope,
    summary: Summary,
    bindings: Mapping[str, str],
    now: datetime,
) -> CompiledQuery:
    """Compile a chart spec to one SELECT, or to one aggregation pipeline on MongoDB, within a scope.

    Args:
        spec: What to draw.
        catalog: Structure of the source.
        scope: Right of the asking session.
        summary: The facts of that scope; columns, links and metrics are those of the Summary.
        bindings: Placeholder -> the caller's own words, to be bound as parameters.
        now: The instant that relative dates count from, with zone.

    Returns:
        A statement in the source's dialect with named parameters; limited to one row more than may be shown.

    Raises:
        SpecInvalidError: The spec does not fit the Summary; `details` has code, path and what would be valid.
        AmbiguousError: More than one shortest join path; `details["choices"]` names relationships for `via`.
        ScopeRefusedError: Something is outside the scope.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an instant with a time zone")
    check_spec(spec, summary, bindings)
    asked = with_defaults(spec)
    spec = with_support(asked, scope=scope, summary=summary)
    if catalog.dialect is Dialect.MONGODB:
        question = Question(spec=spec, catalog=catalog, names=Resolver(summary), bindings=bindings)
        query = compile_pipeline(question, scope=scope, now=now)
        return replace(query, columns=as_support(query.columns, len(asked.measures)))
    binder = Binder()
    engine = engine_for(catalog.dialect, binder, timezone=scope.timezone, week_start=scope.week_start, now=now)
    build = Build(spec=spec, catalog=catalog, names=Resolver(summary), engine=engine, binder=binder, bindings=bindings)
    groups = groups_of(spec)
    boxplot = spec.mark == "boxplot"
    select = _answer(build, groups, boxplot=boxplot)
    max_rows = row_limit(spec, scope)
    select.set("limit", exp.Limit(expression=number(max_rows)))
    barrier = scoped_tables(catalog, scope, build.reads)
    select.set("with_", exp.With(expressions=[*barrier.ctes, *build.ctes]))
    return CompiledQuery(
        dialect=catalog.dialect,
        statement=select.sql(dialect=catalog.dialect.value, comments=False, copy=False),
        parameters={**binder.parameters, **barrier.parameters},
        scope_parameters=frozenset(barrier.parameters),
        columns=as_support(result_columns(build, groups, boxplot=boxplot), len(asked.measures)),
        tables=barrier.tables,
        max_rows=max_rows,
    )


def _answer(build: Build, groups: dict[str, Dimension], *, boxplot: bool) -> exp.Select:
    spec = build.spec
    if not spec.measures:
        listed = leg_rows(build, Leg(kind="root", start=spec.table), groups, {})
        return final(build, listed, groups, tuple(groups), top="", flag="")
    plain = {position: measure for position, measure in enumerate(spec.measures) if measure.derive is None}
    shape = Shape(groups=groups, measures=plain, legs=build.names.legs(spec), boxplot=boxplot)
    add_bins(build, shape)
    top = other = ""
    if spec.top is not None:
        by = int(spec.top.by[1:]) - 1
        top = top_values(build, shape, spec.top.of, by, spec.top.n, descending=spec.top.order == "desc")
        if spec.top.other:
            other, top = f"{spec.top.of}:{top}", ""
    shape = Shape(groups=groups, measures=plain, legs=shape.legs, boxplot=boxplot, other=other, bins=shape.bins)
    rows: exp.Query = grouped(build, shape)
    if len(shape.legs) == 1 and not (top or other):
        plain_order = in_order(build, rows, groups, fields_of(spec), alias="r")
        if plain_order is not None:
            return plain_order
    rows = with_derived(build, rows, groups, flag=bool(other))
    return final(build, rows, groups, fields_of(spec), top=top, flag=other.partition(":")[0])
