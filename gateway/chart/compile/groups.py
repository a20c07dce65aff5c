"""From rows to groups: the aggregates of each leg, bins, top-n-and-other, and the legs put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from gateway.catalog import ColumnType
from gateway.chart.compile.binder import (
    col,
    conjunction,
    derived,
    disjunction,
    ident,
    is_null,
    named,
    not_null,
    number,
    paren,
    select_from,
    when,
    window,
)
from gateway.chart.compile.question import BOX, DEFAULT_BINS, OTHER, OTHER_FLAG, Grouping, has_value
from gateway.chart.compile.rows import Build, leg_rows
from gateway.chart.legs import Leg
from gateway.chart.spec import Aggregate, Bin, Dimension, Measure

_SHARES = {"median": 0.5, "q1": 0.25, "q3": 0.75}


@dataclass(frozen=True)
class Shape(Grouping):
    """A grouping in SQL.

    Attributes:
        bins: Names of the CTEs with the width of bins, by group.
    """

    bins: dict[str, str] = field(default_factory=dict)


def grouped(build: Build, shape: Shape) -> exp.Select:
    """One row per group, with a column per group and per measure (``m1`` …, or five of a box)."""
    legs = [_leg(build, shape, leg) for leg in shape.legs]
    if len(legs) == 1:
        return legs[0]
    names = shape.names
    union: exp.Query = legs[0]
    for leg in legs[1:]:
        union = exp.Union(this=union, expression=leg, distinct=False)
    picked: list[exp.Expr] = [named(col("u", name), name) for name in names]
    for position, measure in shape.measures.items():
        best: exp.Expr = exp.Max(this=col("u", f"m{position + 1}"))
        if build.names.aggregate_of(measure) in {"count", "count_distinct"}:
            best = exp.Coalesce(this=best, expressions=[number(0)])
        picked.append(named(best, f"m{position + 1}"))
    select = select_from(picked, derived(union, "u"))
    if names:
        select.set("group", exp.Group(expressions=[col("u", name) for name in names]))
    return select


def top_values(build: Build, shape: Shape, name: str, by: int, n: int, *, descending: bool) -> str:
    """Add a CTE with the first n values of a group by a measure over the whole group; returns the CTE's name."""
    measure = shape.measures[by]
    leg = next(leg for leg in shape.legs if by in leg.measures)
    ranking = Shape(groups={name: shape.groups[name]}, measures={by: measure}, legs=(leg,), bins=shape.bins)
    key, value = col("g", name), col("g", f"m{by + 1}")
    select = select_from([named(key, "k")], derived(_leg(build, ranking, leg), "g"))
    ties = order_keys(build, shape.groups[name], key)
    select.set(
        "order",
        exp.Order(expressions=[exp.Ordered(this=value, desc=descending, nulls_first=False), *ties]),
    )
    select.set("limit", exp.Limit(expression=number(n)))
    return _cte(build, select, "top")


def is_member(value: exp.Expr, cte: str) -> exp.Expr:
    """Whether a value, or its absence, is in a top list."""

    def listed(expression: exp.Expr, test: exp.Expr) -> exp.Select:
        select = select_from([expression], exp.Table(this=ident(cte)))
        select.set("where", exp.Where(this=test))
        return select

    key = col(cte, "k")
    among = exp.In(this=value, query=exp.Subquery(this=listed(key, not_null(key.copy()))))
    empty = exp.Exists(this=listed(number(1), is_null(key.copy())))
    return paren(disjunction([among, exp.And(this=is_null(value.copy()), expression=empty)]) or exp.false())


def order_keys(build: Build, dimension: Dimension, value: exp.Expr, *, descending: bool = False) -> list[exp.Ordered]:
    """How the groups of a dimension follow one another: nulls last; text by letters, then by code points."""
    _, column = build.column(dimension.column)
    keys: list[exp.Expr] = [value]
    if dimension.part == "weekday" and build.engine.week_start == "sunday":
        keys = [build.engine.modulo(value.copy(), 7)]
    elif column.type is ColumnType.TEXT:
        labels = column.vocabulary or ()
        if 1 < len(labels) <= 30:
            # The owner's declared order (low, medium, high) is the natural one.
            ranks = [
                (exp.EQ(this=value.copy(), expression=build.binder.bind(label)), number(rank))
                for rank, label in enumerate(labels)
            ]
            keys = [when(ranks, number(len(labels)))]
        else:
            keys = [build.engine.collated(build.engine.lower(value.copy()))]
        keys.append(build.engine.collated(value.copy()))
    first = exp.Ordered(this=is_null(value.copy()), desc=False, nulls_first=False)
    ordered = [exp.Ordered(this=key, desc=descending, nulls_first=False) for key in keys]
    return [first, *ordered] if column.type is ColumnType.TEXT and len(column.vocabulary or ()) > 1 else ordered


def add_bins(build: Build, shape: Shape) -> None:
    """For bins by count: a CTE per dimension that finds a round width from the least and greatest value."""
    for name, dimension in shape.groups.items():
        if dimension.bin is None or dimension.bin.width is not None:
            continue
        leg = shape.legs[0]
        rows = derived(leg_rows(build, leg, {name: dimension}, {}), "r")
        extent = [named(exp.Min(this=col("r", name)), "lo"), named(exp.Max(this=col("r", name)), "hi")]
        count = build.engine.as_double(build.binder.bind(dimension.bin.count or DEFAULT_BINS))
        low, high = col("b", "lo"), col("b", "hi")
        raw = exp.Div(this=paren(exp.Sub(this=high, expression=low)), expression=count, typed=False, safe=False)
        inner = select_from([named(raw, "w")], derived(select_from(extent, rows), "b"))
        steps = [_plain(step) for step in build.ladder(dimension)]
        cases = [(exp.LTE(this=col("w", "w"), expression=step), step.copy()) for step in steps]
        zero = (exp.LTE(this=col("w", "w"), expression=number(0)), number(1))
        width = build.engine.as_double(when([zero, *cases], _plain("1e10")))
        shape.bins[name] = _cte(build, select_from([named(width, "w")], derived(inner, "w")), "bins")


def _plain(step: str) -> exp.Expr:
    digit, _, power = step.partition("e")
    return number(int(digit) * 10 ** int(power)) if int(power) >= 0 else number(float(f"{digit}e{power}"))


def _cte(build: Build, select: exp.Query, prefix: str) -> str:
    name = f"{prefix}_{len(build.ctes) + 1}"
    build.ctes.append(exp.CTE(this=select, alias=exp.TableAlias(this=ident(name))))
    return name


def _leg(build: Build, shape: Shape, leg: Leg) -> exp.Select:
    """The groups of one grain. Measures of other grains are null columns, so that legs can be stacked."""
    mine = {position: shape.measures[position] for position in leg.measures if position in shape.measures}
    rows: exp.Query = leg_rows(build, leg, shape.groups, mine)
    rows = _cut(build, shape, rows, mine)
    names = shape.names
    ranked = not build.engine.has_quantile and any(_needs_rank(m, shape) for m in mine.values())
    if ranked or any(m.aggregate == "stddev" for m in mine.values()):
        rows = _ranked(build, rows, names, mine, shape)
    picked: list[exp.Expr] = [named(col("r", name), name) for name in names]
    for position, measure in shape.measures.items():
        if position in mine:
            picked.extend(_aggregates(build, position, measure, shape))
        else:
            picked.append(named(build.engine.typed_null(build.result_type(measure)), f"m{position + 1}"))
    select = select_from(picked, derived(rows, "r"))
    if names:
        select.set("group", exp.Group(expressions=[col("r", name) for name in names]))
    return select


def _cut(build: Build, shape: Shape, rows: exp.Query, mine: dict[int, Measure]) -> exp.Query:
    """Cut values into bins, and turn what is not in the top list into "Other"."""
    cut = {name: d.bin for name, d in shape.groups.items() if d.bin is not None}
    if not cut and not shape.other:
        return rows
    picked: list[exp.Expr] = []
    joins: list[exp.Join] = []
    member: exp.Expr | None = None
    for name in shape.groups:
        value: exp.Expr = col("r", name)
        if name in cut:
            value = _bin(build, value, cut[name], shape.bins.get(name, ""))
            if name in shape.bins:
                joins.append(exp.Join(this=exp.Table(this=ident(shape.bins[name])), kind="CROSS"))
        if shape.other.partition(":")[0] == name:
            member = is_member(value, shape.other.partition(":")[2])
            value = when([(member.copy(), value.copy())], build.engine.text(build.binder.bind(OTHER)))
        picked.append(named(value, name))
    if member is not None:
        picked.append(named(when([(member, number(0))], number(1)), OTHER_FLAG))
    picked.extend(named(col("r", f"x{p + 1}"), f"x{p + 1}") for p, m in mine.items() if has_value(m))
    select = select_from(picked, derived(rows, "r"))
    if joins:
        select.set("joins", joins)
    return select


def _bin(build: Build, value: exp.Expr, cut: Bin, cte: str) -> exp.Expr:
    """The lower edge of a value's bin. The small addend keeps 0.3 in the bin that starts at 0.3."""
    engine = build.engine
    width = col(cte, "w") if cte else engine.as_double(build.binder.bind(cut.width or 1.0))
    steps = exp.Div(this=value, expression=width, typed=False, safe=False)
    nudged = exp.Add(this=steps, expression=number(1e-09))
    return engine.as_double(exp.Mul(this=exp.Floor(this=nudged), expression=width.copy()))


def _needs_rank(measure: Measure, shape: Shape) -> bool:
    return shape.boxplot or measure.aggregate in {"median", "percentile"} or measure.metric is not None


def _ranked(build: Build, rows: exp.Query, names: list[str], mine: dict[int, Measure], shape: Shape) -> exp.Select:
    """Add what some engines need to be told: each value's rank and count, or mean, within its group."""
    picked: list[exp.Expr] = [named(col("r", name), name) for name in names]
    partition = [col("r", name) for name in names]
    for position, measure in mine.items():
        if not has_value(measure):
            continue
        number_of = position + 1
        value = col("r", f"x{number_of}")
        picked.append(named(value, f"x{number_of}"))
        if measure.aggregate == "stddev":
            mean = exp.Avg(this=build.engine.as_double(value.copy()))
            picked.append(named(window(mean, partition), f"a{number_of}"))
        elif not build.engine.has_quantile and _needs_rank(measure, shape):
            # Nulls come last, so the ranks of the values are 1 … count.
            order = [is_null(value.copy()), value.copy()]
            picked.append(named(window(exp.RowNumber(), partition, order), f"k{number_of}"))
            picked.append(named(window(exp.Count(this=value.copy()), partition), f"n{number_of}"))
    return select_from(picked, derived(rows, "r"))


def _aggregates(build: Build, position: int, measure: Measure, shape: Shape) -> Sequence[exp.Expr]:
    value = col("r", f"x{position + 1}")
    if shape.boxplot:
        kinds: list[exp.Expr] = [
            exp.Min(this=value.copy()),
            _quantile(build, position, 0.25),
            _quantile(build, position, 0.5),
            _quantile(build, position, 0.75),
            exp.Max(this=value.copy()),
        ]
        return [named(kind, f"m{position + 1}_{name}") for kind, name in zip(kinds, BOX, strict=True)]
    aggregate = build.names.aggregate_of(measure)
    return [named(_aggregate(build, position, measure, aggregate, value), f"m{position + 1}")]


def _aggregate(build: Build, position: int, measure: Measure, aggregate: str, value: exp.Expr) -> exp.Expr:
    kind: Aggregate | str = aggregate
    if kind == "count":
        return exp.Count(this=value if has_value(measure) else exp.Star())
    if kind == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[value]))
    if kind == "avg":
        return exp.Avg(this=build.engine.as_double(value))
    if kind == "stddev":
        return _stddev(build, position, value)
    if kind in {"median", "percentile"}:
        return _quantile(build, position, 0.5 if kind == "median" else (measure.percentile or 50) / 100)
    return {"sum": exp.Sum, "min": exp.Min, "max": exp.Max}[kind](this=value)


def _stddev(build: Build, position: int, value: exp.Expr) -> exp.Expr:
    """Sample standard deviation around the group's own mean; null for fewer than two values."""
    engine = build.engine
    away = exp.Sub(this=engine.as_double(value), expression=col("r", f"a{position + 1}"))
    squares = exp.Sum(this=exp.Mul(this=paren(away), expression=paren(away.copy())))
    spare = exp.Nullif(this=exp.Sub(this=exp.Count(this=value.copy()), expression=number(1)), expression=number(0))
    return exp.Sqrt(this=exp.Div(this=squares, expression=engine.as_double(spare), typed=False, safe=False))


def _quantile(build: Build, position: int, share: float) -> exp.Expr:
    """A percentile with linear interpolation: by the engine, or from the ranks within the group."""
    engine = build.engine
    value, rank, size = (col("r", f"{letter}{position + 1}") for letter in "xkn")
    if engine.has_quantile:
        return engine.quantile(value, share)
    spare = paren(exp.Sub(this=size, expression=number(1)))
    at = exp.Mul(this=engine.as_double(engine.binder.bind(share)), expression=spare)
    below = exp.Floor(this=at)
    rest = paren(exp.Sub(this=at.copy(), expression=below.copy()))
    before = paren(exp.Sub(this=rank, expression=number(1)))
    lower = exp.Mul(this=engine.as_double(value), expression=paren(exp.Sub(this=number(1), expression=rest.copy())))
    upper = exp.Mul(this=engine.as_double(value.copy()), expression=rest)
    is_lower = exp.EQ(this=before, expression=below)
    is_upper = exp.EQ(this=before.copy(), expression=exp.Add(this=below.copy(), expression=number(1)))
    valued = conjunction([is_upper, not_null(value.copy())])
    return exp.Sum(this=when([(is_lower, lower), (valued or is_upper, upper)]))
