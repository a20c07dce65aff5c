"""The one statement that measures a table: aggregates pushed down behind the scope barrier, nothing else fetched.

Two relations stand on the scoped table. ``r`` has its rows with values typed (numbers as doubles, dates as parts),
``u`` has its units: the same rows, or one row per data subject where the owner named one. Row facts (means, shares,
quantiles) are of ``r``, everything that a threshold or a dominance rule looks at is of ``u``.

An engine with list aggregates (DuckDB) answers with one wide row from one scan. The others answer with short rows of
one UNION ALL, each named by its key: they lack aggregates for tails and quantiles, so those are small sorted
subqueries. Either way it is one statement, hence one snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from gateway.catalog import Column, ColumnType, Dialect, Table
from gateway.summary.engine import Engine, as_number, call, case, date_parts, number, sample_rows, text_classes
from gateway.summary.measured import QUANTILES
from gateway.tenancy.barrier import CTE_PREFIX, Barrier

TAIL: Final = 10
"""Units in a tail mean (SECURITY B: min and max only as averages over enough distinct entities)."""
CLASS_ROWS: Final = 20_000
"""Text classes are judged on the first so many rows of the scope."""
_WIDTH: Final = 8
Fields = list[tuple[str, exp.Expression]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to measure.

    Attributes:
        subject: Column that names the data subject, or None for rows as units.
        labels: Approved labels by column.
        share: Random share of the rows to look at; None for all.
        exact: Few enough rows for exact quantiles.
    """

    table: Table
    columns: tuple[Column, ...]
    subject: str | None = None
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    share: float | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement and how its answer is read: `keys` of one wide row, or None for named short rows."""

    tree: exp.Select | exp.Union
    keys: tuple[str, ...] | None
    names: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class _Parts:
    """What is asked of each relation, as (key, aggregate), and subqueries of one row each."""

    rows: list[tuple[str, exp.Expression]] = field(default_factory=list)
    units: list[tuple[str, exp.Expression]] = field(default_factory=list)
    outer: list[tuple[str, exp.Expression]] = field(default_factory=list)
    single: list[tuple[tuple[str, ...], exp.Select]] = field(default_factory=list)


def build(ask: Ask, barrier: Barrier, engine: Engine) -> Statement:
    """Build the statement for one table (or some of a very wide table's columns)."""
    parts = _Parts()
    row_fields, unit_fields = _fields(ask, engine)
    parts.rows.append(("seen", _count()))
    parts.units.append(("units", _count()))
    for index, column in enumerate(ask.columns):
        _ask_column(parts, index, column, ask, engine)
    source = _scoped(ask.table.name)
    seen = _sampled(row_fields, source, ask, engine)
    if ask.subject is None:
        relations = {"r": _over(seen, "x", [*_star(row_fields), *unit_fields])}
        parts.rows += parts.units
        parts.units = []
        unit_name = "r"
    else:
        key = _q("subject")
        grouped = exp.Select(expressions=[exp.alias_(e, n, quoted=True) for n, e in unit_fields])
        relations = {"r": seen, "u": grouped.from_(_table("r")).group_by(key)}
        unit_name = "u"
    classes = _classes(ask, engine, source)
    full = exp.Select(expressions=[exp.alias_(_count(), "rows", quoted=True)]).from_(source.copy())
    singles = [(("rows",), full), *classes, *((keys, _rebound(s, unit_name)) for keys, s in parts.single)]
    ctes = [*_inlined(barrier, engine), *(_cte(name, tree, engine) for name, tree in relations.items())]
    statement = _wide(parts, singles, unit_name) if engine.top_lists else _long(parts, singles, unit_name)
    statement.tree.set("with_", exp.With(expressions=ctes))
    return statement


def count_rows(table: str, barrier: Barrier) -> exp.Select:
    """``SELECT count(*)`` of a scoped table: decides whether to sample and whether exact quantiles are cheap."""
    select = exp.Select(expressions=[_count()]).from_(_scoped(table))
    select.set("with_", exp.With(expressions=list(barrier.ctes)))
    return select


def _fields(ask: Ask, engine: Engine) -> tuple[Fields, Fields]:
    """Typed columns of ``r`` and columns of ``u``, by position of the column: ``v3`` is its value."""
    rows: Fields = []
    units: Fields = []
    if ask.subject is not None:
        rows.append(("subject", _q(ask.subject)))
    for i, column in enumerate(ask.columns):
        raw = _q(column.name)
        rows.append((f"c{i}", raw))
        if column.type.is_numeric:
            rows.append((f"v{i}", as_number(raw, engine)))
        elif column.type.is_temporal:
            parts = date_parts(raw, column.type, engine)
            rows.append((f"v{i}", parts.pop("month")))
            rows += [(f"{name}{i}", part) for name, part in parts.items()]
        else:
            rows.append((f"v{i}", raw.copy()))
        units += _unit_fields(i, column, ask, {name for name, _ in rows})
    return rows, units


def _unit_fields(i: int, column: Column, ask: Ask, known: set[str]) -> Fields:
    value = _q(f"v{i}")
    grouped = ask.subject is not None

    def flag(condition: exp.Expression) -> exp.Expression:
        test = exp.Case(ifs=[exp.If(this=condition, true=number(1))], default=number(0))
        return exp.Max(this=test) if grouped else test

    empty = exp.Is(this=value.copy(), expression=exp.Null())
    fields: Fields = [(f"has{i}", flag(exp.Not(this=empty))), (f"nil{i}", flag(empty.copy()))]
    if column.type.is_numeric:
        size: exp.Expression = exp.Abs(this=value.copy())
        whole = exp.NEQ(this=value.copy(), expression=call("floor", value.copy()))
        fields += [
            (f"lo{i}", exp.Min(this=value.copy()) if grouped else value.copy()),
            (f"hi{i}", exp.Max(this=value.copy()) if grouped else value.copy()),
            (f"ab{i}", exp.Sum(this=size) if grouped else size),
            (f"zero{i}", flag(exp.EQ(this=value.copy(), expression=number(0)))),
            (f"pos{i}", flag(exp.GT(this=value.copy(), expression=number(0)))),
            (f"neg{i}", flag(exp.LT(this=value.copy(), expression=number(0)))),
            (f"frac{i}", flag(whole)),
        ]
    elif column.type.is_temporal:
        off = {"clock": 0, "day": 1, "year_day": 101, "weekday": 0}
        fields += [
            (f"lo{i}", exp.Min(this=value.copy()) if grouped else value.copy()),
            (f"hi{i}", exp.Max(this=value.copy()) if grouped else value.copy()),
            *(
                (f"off_{name}{i}", flag(exp.NEQ(this=_q(f"{name}{i}"), expression=number(at))))
                for name, at in off.items()
                if f"{name}{i}" in known
            ),
        ]
    return fields


def _ask_column(parts: _Parts, i: int, column: Column, ask: Ask, engine: Engine) -> None:
    value, raw = _q(f"v{i}"), _q(f"c{i}")
    parts.rows.append((f"values{i}", exp.Count(this=value)))
    parts.units += [(f"unit_values{i}", _total(f"has{i}")), (f"unit_nulls{i}", _total(f"nil{i}"))]
    if column.type not in {ColumnType.JSON, ColumnType.BINARY}:
        distinct = exp.Count(this=exp.Distinct(expressions=[raw]))
        parts.rows.append((f"distinct{i}", call(engine.distinct, raw) if engine.distinct else distinct))
    if column.type.is_numeric:
        _ask_number(parts, i, ask, engine)
    elif column.type.is_temporal:
        flags = (
            ("clock", "day", "year_day", "weekday")
            if column.type is ColumnType.DATETIME
            else ("day", "year_day", "weekday")
        )
        if engine.dialect is Dialect.SQLITE:
            flags = ("clock", "day", "year_day")
        parts.units += [(f"off_{name}{i}", _total(f"off_{name}{i}")) for name in flags]
        _ask_tenths(parts, i, engine)
    elif column.type is ColumnType.TEXT:
        length = call("char_length" if engine.dialect is Dialect.MYSQL else "length", value.copy())
        parts.rows.append((f"length{i}", exp.Avg(this=length)))
    for j, label in enumerate(ask.labels.get(column.name, ())):
        same = exp.EQ(this=raw.copy(), expression=exp.Literal.string(label))
        parts.rows.append((f"label_rows{i}_{j}", exp.Sum(this=_flag(same))))
        who = case(same.copy(), _q("subject")) if ask.subject else None
        units = exp.Count(this=exp.Distinct(expressions=[who])) if who else exp.Sum(this=_flag(same.copy()))
        parts.rows.append((f"label_units{i}_{j}", units))


def _ask_number(parts: _Parts, i: int, ask: Ask, engine: Engine) -> None:
    value = _q(f"v{i}")
    mean = exp.Avg(this=value)
    parts.rows += [
        (f"mean{i}", mean),
        (f"zeros{i}", exp.Sum(this=_flag(exp.EQ(this=value.copy(), expression=number(0))))),
    ]
    squares = _squares(value, engine)
    farthest = exp.Greatest(
        this=exp.Sub(this=exp.Max(this=value.copy()), expression=mean.copy()),
        expressions=[exp.Sub(this=mean.copy(), expression=exp.Min(this=value.copy()))],
    )
    parts.rows.append((f"squares{i}", squares))
    if ask.subject is None:
        # Largest squared deviation over their sum. With several rows a subject it would not bound the subject's part.
        share = exp.Div(this=exp.Mul(this=farthest, expression=farthest.copy()), expression=_or_null(squares.copy()))
        parts.rows.append((f"spread{i}", share))
    parts.units += [(f"unit_{name}{i}", _total(f"{name}{i}")) for name in ("zero", "pos", "neg", "frac")]
    if engine.quantiles == "lists":
        shares = exp.Array(expressions=[number(q) for q in QUANTILES])
        parts.rows.append(
            (f"quantiles{i}", call("quantile_cont" if ask.exact else "approx_quantile", value.copy(), shares))
        )
    elif engine.quantiles == "ordered":
        parts.rows += [(f"q{i}_{j}", _ordered(q, value)) for j, q in enumerate(QUANTILES)]
    else:
        parts.single.append((tuple(f"q{i}_{j}" for j in range(len(QUANTILES))), _ranked(value)))
    total = exp.Sum(this=_q(f"ab{i}"))
    if engine.top_lists:
        parts.units += [
            (f"~lo{i}", call("min", _q(f"lo{i}"), number(TAIL))),
            (f"~hi{i}", call("max", _q(f"hi{i}"), number(TAIL))),
            (f"~ab{i}", call("max", _q(f"ab{i}"), number(2))),
            (f"~sum{i}", total),
        ]
        parts.outer += [*_list_tail(f"lo{i}"), *_list_tail(f"hi{i}"), *_list_dominance(i)]
        return
    parts.single.append((_tail_keys(f"lo{i}"), _tail(f"lo{i}", descending=False)))
    parts.single.append((_tail_keys(f"hi{i}"), _tail(f"hi{i}", descending=True)))
    parts.single.append(((f"p_ratio{i}", f"top_two{i}"), _dominance(i)))


def _squares(value: exp.Expression, engine: Engine) -> exp.Expression:
    """Sum of squared deviations from the mean, computed so that a large mean does not swallow it."""
    if engine.dialect is not Dialect.SQLITE:
        return exp.Mul(this=call("var_pop", value.copy()), expression=exp.Count(this=value.copy()))
    mean = exp.Subquery(this=exp.Select(expressions=[exp.Avg(this=value.copy())]).from_(_table("r")))
    away = exp.Paren(this=exp.Sub(this=value.copy(), expression=mean))
    return exp.Sum(this=exp.Mul(this=away, expression=away.copy()))


def _ask_tenths(parts: _Parts, i: int, engine: Engine) -> None:
    for end, field_name, descending in (("first", f"lo{i}", False), ("last", f"hi{i}", True)):
        if engine.top_lists:
            parts.units.append((f"~{end}{i}", call("max" if descending else "min", _q(field_name), number(TAIL))))
            parts.outer.append((f"{end}{i}", call("list_extract", _q(f"~{end}{i}"), number(TAIL))))
            continue
        value = exp.Min(this=_q("x")) if descending else exp.Max(this=_q("x"))
        full = exp.EQ(this=_count(), expression=number(TAIL))
        tenth = exp.Select(expressions=[case(full, value)]).from_(_ends(field_name, TAIL, descending=descending))
        parts.single.append(((f"{end}{i}",), tenth))


def _list_tail(name: str) -> Fields:
    """Size, mean and p ratio of a sorted list of ten: its largest two absolute values stand at its ends."""
    values = _q("~" + name)
    sizes = call("list_reverse_sort", call("list_transform", values, _absolute()))
    return [
        (f"{name}_units", exp.Coalesce(this=call("len", values.copy()), expressions=[number(0)])),
        (f"{name}_mean", call("list_avg", values.copy())),
        (f"{name}_p", _p_ratio(call("list_sum", sizes), sizes)),
    ]


def _absolute() -> exp.Expression:
    return exp.Lambda(this=exp.Abs(this=exp.column("e")), expressions=[exp.to_identifier("e")])


def _list_dominance(i: int) -> Fields:
    top, total = _q(f"~ab{i}"), _q(f"~sum{i}")
    two = exp.Add(this=_nth(top, 1), expression=exp.Coalesce(this=_nth(top, 2), expressions=[number(0)]))
    return [
        (f"p_ratio{i}", _p_ratio(total, top)),
        (f"top_two{i}", exp.Div(this=exp.Paren(this=two), expression=_or_null(total.copy()))),
    ]


def _p_ratio(total: exp.Expression, sizes: exp.Expression) -> exp.Expression:
    second = exp.Coalesce(this=_nth(sizes, 2), expressions=[number(0)])
    rest = exp.Sub(this=exp.Sub(this=total.copy(), expression=_nth(sizes, 1)), expression=second)
    return exp.Div(this=exp.Paren(this=rest), expression=_or_null(_nth(sizes, 1)))


def _nth(values: exp.Expression, place: int) -> exp.Expression:
    return call("list_extract", values.copy(), number(place))


def _or_null(value: exp.Expression) -> exp.Expression:
    return exp.Nullif(this=value, expression=number(0))


def _tail_keys(name: str) -> tuple[str, ...]:
    return (f"{name}_units", f"{name}_mean", f"{name}_p")


def _ends(name: str, count: int, *, descending: bool) -> exp.Subquery:
    """The first `count` values of a unit column from one end, as ``x``."""
    value = _q(name)
    inner = (
        exp.Select(expressions=[exp.alias_(value, "x", quoted=True)])
        .from_(_table("u"))
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
        .order_by(exp.Ordered(this=value.copy(), desc=descending, nulls_first=not descending))
        .limit(count)
    )
    return exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("e", quoted=True)))


def _tail(name: str, *, descending: bool) -> exp.Select:
    size = exp.Abs(this=_q("x"))
    order = exp.Order(expressions=[exp.Ordered(this=size.copy(), desc=True, nulls_first=False)])
    rank = exp.Window(this=exp.RowNumber(), order=order)
    ranked = exp.Select(
        expressions=[
            exp.alias_(_q("x"), "x", quoted=True),
            exp.alias_(size, "a", quoted=True),
            exp.alias_(rank, "k", quoted=True),
        ]
    ).from_(_ends(name, TAIL, descending=descending))
    below = exp.LTE(this=_q("k"), expression=number(2))
    rest = exp.Sub(this=exp.Sum(this=_q("a")), expression=exp.Sum(this=case(below, _q("a"))))
    ratio = exp.Div(this=exp.Paren(this=rest), expression=_or_null(exp.Max(this=_q("a"))))
    return _over(ranked, "t", [("n", _count()), ("m", exp.Avg(this=_q("x"))), ("p", ratio)])


def _dominance(i: int) -> exp.Select:
    """P ratio and share of the two largest contributions, from them and the sum of all."""
    largest, both = exp.Max(this=_q("x")), exp.Sum(this=_q("x"))
    total = exp.Subquery(this=exp.Select(expressions=[exp.Sum(this=_q(f"ab{i}"))]).from_(_table("u")))
    ratio = exp.Div(this=exp.Paren(this=exp.Sub(this=total, expression=both)), expression=_or_null(largest))
    share = exp.Div(this=both.copy(), expression=_or_null(total.copy()))
    return exp.Select(expressions=[ratio, share]).from_(_ends(f"ab{i}", 2, descending=True))


def _ordered(share: float, value: exp.Expression) -> exp.Expression:
    order = exp.Order(expressions=[exp.Ordered(this=value.copy())])
    return exp.WithinGroup(this=call("percentile_cont", number(share)), expression=order)


def _ranked(value: exp.Expression) -> exp.Select:
    """All quantiles from one sort: rows numbered by value, the two beside each quantile weighed (linear, type 7)."""
    order = exp.Order(expressions=[exp.Ordered(this=value.copy())])
    ranked = (
        exp.Select(
            expressions=[
                exp.alias_(value.copy(), "x", quoted=True),
                exp.alias_(exp.Window(this=exp.RowNumber(), order=order), "k", quoted=True),
                exp.alias_(exp.Window(this=_count()), "n", quoted=True),
            ]
        )
        .from_(_table("r"))
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
    )
    fields: Fields = []
    for j, share in enumerate(QUANTILES):
        # Place of the quantile among k = 1 … n; a row's weight is 1 less its distance from it, if that is below 1.
        place = exp.Add(
            this=exp.Mul(this=exp.Paren(this=exp.Sub(this=_q("n"), expression=number(1))), expression=number(share)),
            expression=number(1),
        )
        away = exp.Abs(this=exp.Sub(this=_q("k"), expression=exp.Paren(this=place)))
        near = exp.LT(this=away, expression=number(1))
        weight = exp.Paren(this=exp.Sub(this=number("1.0"), expression=away.copy()))
        fields.append((f"q{j}", exp.Sum(this=case(near, exp.Mul(this=_q("x"), expression=weight)))))
    return _over(ranked, "t", fields)


def _classes(ask: Ask, engine: Engine, source: exp.Expression) -> list[tuple[tuple[str, ...], exp.Select]]:
    """For each text column, how many of the first rows of the scope fit each text class."""
    found = []
    for i, column in enumerate(ask.columns):
        if column.type is not ColumnType.TEXT:
            continue
        value = _q(column.name)
        first = exp.Select(expressions=[value]).from_(source.copy()).limit(CLASS_ROWS)
        fields: Fields = [("looked", exp.Count(this=value.copy()))]
        fields += [(word, exp.Sum(this=_flag(test))) for word, test in text_classes(value.copy(), engine).items()]
        keys = tuple(f"class_{word}{i}" for word, _ in fields)
        found.append((keys, _over(first, "t", fields)))
    return found


def _wide(parts: _Parts, singles: Sequence[tuple[tuple[str, ...], exp.Select]], unit_name: str) -> Statement:
    """One row: aggregates of each relation side by side, then what is computed from their lists."""
    tables = [exp.Subquery(this=_aggregates(parts.rows, "r"), alias=_alias("a"))]
    shown = [key for key, _ in parts.rows]
    if parts.units:
        tables.append(exp.Subquery(this=_aggregates(parts.units, unit_name), alias=_alias("b")))
        shown += [key for key, _ in parts.units]
    for place, (keys, select) in enumerate(singles):
        named = select.copy()
        named.set(
            "expressions",
            [exp.alias_(e.unalias(), k, quoted=True) for k, e in zip(keys, select.expressions, strict=True)],
        )
        tables.append(exp.Subquery(this=named, alias=_alias(f"s{place}")))
        shown += keys
    fields: Fields = [(key, _q(key)) for key in shown if not key.startswith("~")] + parts.outer
    tree = exp.Select(expressions=[exp.alias_(e, k, quoted=True) for k, e in fields]).from_(tables[0])
    for table in tables[1:]:
        tree = tree.join(table, join_type="cross")
    return Statement(tree=tree, keys=tuple(key for key, _ in fields), names={})


def _long(parts: _Parts, singles: Sequence[tuple[tuple[str, ...], exp.Select]], unit_name: str) -> Statement:
    """Short rows: a name and eight numbers, which `names` gives the keys of."""
    selects: list[tuple[tuple[str, ...], exp.Select]] = []
    for fields, relation in ((parts.rows, "r"), (parts.units, unit_name)):
        for start in range(0, len(fields), _WIDTH):
            chunk = fields[start : start + _WIDTH]
            selects.append((tuple(k for k, _ in chunk), _aggregates(chunk, relation)))
    for keys, select in singles:
        for start in range(0, len(keys), _WIDTH):
            part = select.copy()
            part.set("expressions", part.expressions[start : start + _WIDTH])
            selects.append((keys[start : start + _WIDTH], part))
    names: dict[str, tuple[str, ...]] = {}
    tree: exp.Select | exp.Union | None = None
    for place, (keys, select) in enumerate(selects):
        names[f"x{place}"] = keys
        row = _named_row(f"x{place}", select)
        tree = row if tree is None else exp.Union(this=tree, expression=row, distinct=False)
    if tree is None:
        raise RuntimeError("nothing to measure")
    return Statement(tree=tree, keys=None, names=names)


def _named_row(name: str, select: exp.Select) -> exp.Select:
    """The row of a subquery as ``name, f0 … f7``, all doubles, so that a UNION agrees on types."""
    inner = select.copy()
    inner.set("expressions", [exp.alias_(e.unalias(), f"f{j}", quoted=True) for j, e in enumerate(select.expressions)])
    double = exp.DataType.build("double")
    cells: list[exp.Expression] = [exp.Literal.string(name)]
    cells += [exp.cast(_q(f"f{j}") if j < len(select.expressions) else exp.Null(), double) for j in range(_WIDTH)]
    return exp.Select(expressions=cells).from_(exp.Subquery(this=inner, alias=_alias("z")))


def _aggregates(fields: Fields, relation: str) -> exp.Select:
    return exp.Select(expressions=[exp.alias_(e, k, quoted=True) for k, e in fields]).from_(_table(relation))


def _sampled(fields: Fields, source: exp.Expression, ask: Ask, engine: Engine) -> exp.Select:
    select = exp.Select(expressions=[exp.alias_(e, n, quoted=True) for n, e in fields])
    if ask.share is None:
        return select.from_(source.copy())
    if engine.dialect is Dialect.SQLITE:
        # Every so many rows in the engine's own order.
        every = max(2, round(1 / ask.share))
        numbered = exp.Select(
            expressions=[exp.Star(), exp.alias_(exp.Window(this=exp.RowNumber()), "~n", quoted=True)]
        ).from_(source.copy())
        picked = exp.EQ(this=call("mod", _q("~n"), number(every)), expression=number(0))
        return select.from_(exp.Subquery(this=numbered, alias=_alias("n"))).where(picked)
    return select.from_(source.copy()).where(sample_rows(ask.share, engine))


def _inlined(barrier: Barrier, engine: Engine) -> list[exp.CTE]:
    """The barrier's tables. Where there is nothing to fence off, DuckDB is told not to copy the table."""
    ctes = [cte.copy() for cte in barrier.ctes]
    if engine.dialect is Dialect.DUCKDB:
        for cte in ctes:
            if cte.args.get("materialized") is None:
                cte.set("materialized", False)
    return ctes


def _cte(name: str, tree: exp.Select, engine: Engine) -> exp.CTE:
    """DuckDB reads ``r`` once, as it flows; the others read it many times, so they keep it."""
    keep = {Dialect.DUCKDB: False, Dialect.MYSQL: None}.get(engine.dialect, True)
    return exp.CTE(this=tree, alias=_alias(name), materialized=keep)


def _rebound(select: exp.Select, unit_name: str) -> exp.Select:
    """Point a subquery written for ``u`` at the relation that holds the units."""
    if unit_name == "u":
        return select
    tree = select.copy()
    for table in tree.find_all(exp.Table):
        if table.name == "u":
            table.set("this", exp.to_identifier(unit_name, quoted=True))
    return tree


def _star(fields: Fields) -> Fields:
    return [(name, _q(name)) for name, _ in fields]


def _over(inner: exp.Select, alias: str, fields: Fields) -> exp.Select:
    select = exp.Select(expressions=[exp.alias_(e, n, quoted=True) for n, e in fields])
    return select.from_(exp.Subquery(this=inner, alias=_alias(alias)))


def _scoped(table: str) -> exp.Table:
    return _table(CTE_PREFIX + table)


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


def _q(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _count() -> exp.Count:
    return exp.Count(this=exp.Star())


def _flag(condition: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=condition, true=number(1))], default=number(0))


def _total(name: str) -> exp.Expression:
    return exp.Sum(this=_q(name))
