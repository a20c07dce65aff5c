"""From groups to the answer: derived measures, having, the top n, order and limit."""

from __future__ import annotations

from sqlglot import exp

from gateway.chart.compile.binder import (
    col,
    conjunction,
    derived,
    is_null,
    named,
    not_null,
    number,
    paren,
    select_from,
    window,
)
from gateway.chart.compile.groups import is_member, order_keys
from gateway.chart.compile.question import OTHER_FLAG
from gateway.chart.compile.rows import Build
from gateway.chart.spec import Dimension, Measure

_COMPARE: dict[str, type[exp.Binary]] = {
    "eq": exp.EQ, "ne": exp.NEQ, "lt": exp.LT, "le": exp.LTE, "gt": exp.GT, "ge": exp.GTE,
}  # fmt: skip


def with_derived(build: Build, rows: exp.Query, groups: dict[str, Dimension], *, flag: bool) -> exp.Query:
    """Add the derived measures, each a function of the groups already there."""
    spec = build.spec
    if not any(measure.derive for measure in spec.measures):
        return rows
    names = [*groups, *([OTHER_FLAG] if flag else [])]
    picked: list[exp.Expr] = [named(col("g", name), name) for name in names]
    for position, measure in enumerate(spec.measures):
        name = f"m{position + 1}"
        value = col("g", name) if measure.derive is None else _derived(build, groups, measure)
        picked.append(named(value, name))
    return select_from(picked, derived(rows, "g"))


def _value(build: Build, name: str) -> exp.Expr:
    """A measure by its name; a ratio is spelled out."""
    measure = build.spec.measures[int(name[1:]) - 1]
    if measure.derive == "ratio":
        return paren(build.engine.quotient(col("g", measure.of or "m1"), col("g", measure.by or "m1")))
    return col("g", name)


def _derived(build: Build, groups: dict[str, Dimension], measure: Measure) -> exp.Expr:
    engine = build.engine
    if measure.derive == "ratio":
        return engine.quotient(col("g", measure.of or "m1"), col("g", measure.by or "m1"))
    value = _value(build, measure.of or "m1")
    if measure.derive == "share_of_total":
        within = [col("g", measure.by)] if measure.by else []
        return engine.quotient(value, window(exp.Sum(this=value.copy()), within))
    along = measure.by or build.first_ordered(groups)
    others = [col("g", name) for name in groups if name != along]
    order = _ordinal(build, groups[along], col("g", along))
    if order is None:
        # Names have no steps between them: only a running total makes sense, in their natural order.
        keys = [is_null(col("g", along))]
        keys += [key.this for key in order_keys(build, groups[along], col("g", along))]
        return window(exp.Sum(this=value), others, keys, _frame("ROWS", "UNBOUNDED"))
    # A group without a period follows no other, wherever the engine would sort it.
    partition: list[exp.Expr] = [*others, is_null(col("g", along))]
    if measure.derive == "running_total":
        return window(exp.Sum(this=value), partition, [order], _frame("RANGE", "UNBOUNDED"))
    if measure.derive == "moving_average":
        # The periods of the window that exist, so that a gap is not filled with an older period.
        before = (measure.window or 2) - 1
        average = exp.Avg(this=engine.as_double(value))
        return window(average, partition, [order], _frame("RANGE", number(before)))
    before_frame = _frame("RANGE", number(1), end=number(1))
    previous = window(exp.Sum(this=value.copy()), partition, [order], before_frame)
    change = exp.Sub(this=value, expression=previous)
    if measure.derive == "change":
        return change
    return engine.quotient(paren(change), exp.Abs(this=previous.copy()))


def _frame(kind: str, start: exp.Expr | str, end: exp.Expr | str = "CURRENT ROW") -> exp.WindowSpec:
    return exp.WindowSpec(
        kind=kind,
        start=start,
        start_side="PRECEDING",
        end=end,
        end_side="PRECEDING" if not isinstance(end, str) else None,
    )


def _ordinal(build: Build, dimension: Dimension, value: exp.Expr) -> exp.Expr | None:
    """A whole number that grows by one from a group to the next; None for names and measures."""
    step = build.step(dimension)
    if step is None:
        return None
    return value if step == "itself" else build.engine.ordinal(value, step)


def in_order(
    build: Build, rows: exp.Query, groups: dict[str, Dimension], fields: tuple[str, ...], *, alias: str
) -> exp.Select | None:
    """The groups of one grain in order, without another level around them.

    A chart over time needs no more, and the checker reads every level.

    Args:
        build: The statement.
        rows: The groups.
        groups: Dimensions by name.
        fields: Output columns in order.
        alias: What the rows under the groups are called.

    Returns:
        The same statement in order; None if it has to be filtered, derived from, or put in order by a measure.
    """
    spec = build.spec
    wanted = build.wanted_order(groups, fields, "")
    if spec.having or spec.mark == "histogram" or any(measure.derive for measure in spec.measures):
        return None
    if not isinstance(rows, exp.Select) or tuple(one.alias for one in rows.expressions) != fields:
        return None
    if not all(name in groups for name, _ in wanted):
        return None
    keys = [
        key
        for name, descending in wanted
        for key in order_keys(build, groups[name], col(alias, name), descending=descending)
    ]
    if keys:
        rows.set("order", exp.Order(expressions=keys))
    return rows


def final(
    build: Build, rows: exp.Query, groups: dict[str, Dimension], fields: tuple[str, ...], *, top: str, flag: str
) -> exp.Select:
    """The answer's rows: kept groups, in order, at most as many as may be shown and one more.

    Args:
        build: The statement.
        rows: Groups (or plain rows) with all fields as columns.
        groups: Dimensions by name.
        fields: Output columns in order.
        top: CTE of the top values to keep; empty to keep all.
        flag: Name of the group that has an "Other"; empty if none has.
    """
    spec = build.spec
    select = select_from([named(col("h", name), name) for name in fields], derived(rows, "h"))
    tests: list[exp.Expr] = [
        _COMPARE[having.op](this=col("h", having.measure), expression=build.binder.bind(having.value))
        for having in spec.having
    ]
    if spec.mark == "histogram":
        # What has no value is in no bin.
        tests.append(not_null(col("h", "d1")))
    if top and spec.top is not None:
        tests.append(is_member(col("h", spec.top.of), top))
    where = conjunction(tests)
    if where is not None:
        select.set("where", exp.Where(this=where))
    keys: list[exp.Ordered] = []
    for name, descending in build.wanted_order(groups, fields, flag):
        if name in groups:
            keys.extend(order_keys(build, groups[name], col("h", name), descending=descending))
        else:
            keys.append(exp.Ordered(this=col("h", name), desc=descending, nulls_first=False))
    if keys:
        select.set("order", exp.Order(expressions=keys))
    return select
