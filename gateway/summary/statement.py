"""The one statement that measures a table: aggregates pushed down behind the scope barrier, nothing else fetched.

Two relations stand on the scoped table. ``r`` has its rows with values typed (numbers as doubles, dates as parts),
``u`` has its units: the same rows, or one row per data subject where the owner named one. Row facts (means, shares,
quantiles) are of ``r``, everything that a threshold or a dominance rule looks at is of ``u``.

An engine with list aggregates (DuckDB, PostgreSQL) answers with one wide row from one scan. The others answer with
short rows of one UNION ALL, each named by its key: they lack aggregates for tails and quantiles, so those are small
sorted subqueries. Either way it is one statement, hence one snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from gateway.catalog import Dialect
from gateway.summary.asking import Ask, Parts, ask_classes, ask_column, typed_fields
from gateway.summary.engine import Engine, call, number, sample_rows
from gateway.summary.shapes import Fields, alias_of, all_of, count_all, named_table, quoted, select_over
from gateway.tenancy.barrier import CTE_PREFIX, Barrier, unfenced

_WIDTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement and how its answer is read: `keys` of one wide row, or None for named short rows."""

    tree: exp.Select | exp.Union
    keys: tuple[str, ...] | None
    names: dict[str, tuple[str, ...]]


def build(ask: Ask, barrier: Barrier, engine: Engine) -> Statement:
    """Build the statement for one table (or some of a very wide table's columns)."""
    parts = Parts()
    row_fields, unit_fields = typed_fields(ask, engine)
    parts.rows.append(("seen", count_all()))
    parts.units.append(("units", count_all()))
    for index, column in enumerate(ask.columns):
        ask_column(parts, index, column, ask, engine)
    source = _scoped(ask.table.name)
    seen = sampled_rows(row_fields, source, ask.share, engine)
    if ask.subject is None:
        relations = {"r": select_over(seen, "x", [*all_of(row_fields), *unit_fields])}
        parts.rows += parts.units
        parts.units = []
        unit_name = "r"
    else:
        key = quoted("subject")
        grouped = exp.Select(expressions=[exp.alias_(e, n, quoted=True, copy=False) for n, e in unit_fields])
        relations = {"r": seen, "u": grouped.from_(named_table("r"), copy=False).group_by(key, copy=False)}
        unit_name = "u"
    classes = ask_classes(ask, engine, source)
    full = exp.Select(expressions=[exp.alias_(count_all(), "rows", quoted=True, copy=False)]).from_(
        source.copy(), copy=False
    )
    singles = [(("rows",), full), *classes, *((keys, _rebound(s, unit_name)) for keys, s in parts.single)]
    statement = joined(parts, singles, unit_name, engine)
    ctes = common_tables(barrier, relations, engine, large=not ask.exact)
    statement.tree.set("with_", exp.With(expressions=ctes))
    return statement


def joined(
    parts: Parts, singles: Sequence[tuple[tuple[str, ...], exp.Select]], unit_name: str, engine: Engine
) -> Statement:
    """One statement that gives all that was asked, in the shape that is cheapest for the engine."""
    return _wide(parts, singles, unit_name) if engine.top_lists else _long(parts, singles, unit_name, engine)


def common_tables(
    barrier: Barrier, relations: Mapping[str, exp.Select], engine: Engine, *, large: bool
) -> list[exp.CTE]:
    """The scope barrier, then the relations that stand on it. Nothing else of a statement reads a base table."""
    # Read once, a relation flows; read twice it is kept where it is sampled, so that both readings see the same rows.
    flows = engine.top_lists and ("u" not in relations or (engine.dialect is Dialect.DUCKDB and not large))
    # MySQL and Spark have no such word; Spark by itself computes once what is random and read twice.
    keep = None if engine.dialect in (Dialect.MYSQL, Dialect.SPARK) else not flows
    ctes = (exp.CTE(this=tree, alias=alias_of(name), materialized=keep) for name, tree in relations.items())
    return [*_inlined(barrier, engine, large=large), *ctes]


def count_rows(table: str, barrier: Barrier) -> exp.Select:
    """``SELECT count(*)`` of a scoped table: decides whether to sample and whether exact quantiles are cheap."""
    select = exp.Select(expressions=[count_all()]).from_(_scoped(table), copy=False)
    select.set("with_", exp.With(expressions=list(barrier.ctes)))
    return select


def _wide(parts: Parts, singles: Sequence[tuple[tuple[str, ...], exp.Select]], unit_name: str) -> Statement:
    """One row: aggregates of each relation side by side, then what is computed from their lists."""
    tables = [exp.Subquery(this=_aggregates(parts.rows, "r"), alias=alias_of("a"))]
    shown = [key for key, _ in parts.rows]
    if parts.units:
        tables.append(exp.Subquery(this=_aggregates(parts.units, unit_name), alias=alias_of("b")))
        shown += [key for key, _ in parts.units]
    for place, (keys, select) in enumerate(singles):
        cells = [e.unalias() for e in select.expressions]
        named = [exp.alias_(e, k, quoted=True, copy=False) for k, e in zip(keys, cells, strict=True)]
        select.set("expressions", named)
        tables.append(exp.Subquery(this=select, alias=alias_of(f"s{place}")))
        shown += keys
    fields: Fields = [(key, quoted(key)) for key in shown if not key.startswith("~")] + parts.outer
    tree = exp.Select(expressions=[exp.alias_(e, k, quoted=True, copy=False) for k, e in fields]).from_(
        tables[0], copy=False
    )
    for table in tables[1:]:
        tree = tree.join(table, join_type="cross", copy=False)
    return Statement(tree=tree, keys=tuple(key for key, _ in fields), names={})


def _long(
    parts: Parts, singles: Sequence[tuple[tuple[str, ...], exp.Select]], unit_name: str, engine: Engine
) -> Statement:
    """Short rows: a name and up to 32 numbers, which `names` gives the keys of."""
    selects: list[tuple[tuple[str, ...], exp.Select]] = []
    for fields, relation in ((parts.rows, "r"), (parts.units, unit_name)):
        for start in range(0, len(fields), _WIDTH):
            chunk = fields[start : start + _WIDTH]
            selects.append((tuple(key for key, _ in chunk), _aggregates(chunk, relation)))
    for keys, select in singles:
        for start in range(0, len(keys), _WIDTH):
            part = select.copy() if len(keys) > _WIDTH else select
            part.set("expressions", part.expressions[start : start + _WIDTH])
            selects.append((keys[start : start + _WIDTH], part))
    names: dict[str, tuple[str, ...]] = {}
    tree: exp.Select | exp.Union | None = None
    for place, (keys, select) in enumerate(selects):
        names[f"x{place}"] = keys
        row = _named_row(f"x{place}", select, engine)
        tree = row if tree is None else exp.Union(this=tree, expression=row, distinct=False)
    if tree is None:
        raise RuntimeError("nothing to measure")
    return Statement(tree=tree, keys=None, names=names)


def _named_row(name: str, select: exp.Select, engine: Engine) -> exp.Select:
    """A name, the aggregates, and nulls up to the common width; doubles where a UNION must agree on types."""
    cells = [e.unalias() for e in select.expressions]
    cells += [exp.Null() for _ in range(_WIDTH - len(cells))]
    if engine.dialect is Dialect.SPARK:
        double = exp.DataType.build("double")
        cells = [exp.Cast(this=cell, to=double.copy()) for cell in cells]
    select.set("expressions", [exp.Literal.string(name), *cells])
    return select


def _aggregates(fields: Fields, relation: str) -> exp.Select:
    return exp.Select(expressions=[exp.alias_(e, k, quoted=True, copy=False) for k, e in fields]).from_(
        named_table(relation), copy=False
    )


def sampled_rows(fields: Fields, source: exp.Expression, share: float | None, engine: Engine) -> exp.Select:
    """Fields of a random share of the rows, or of all for None."""
    select = exp.Select(expressions=[exp.alias_(e, n, quoted=True, copy=False) for n, e in fields])
    if share is None:
        return select.from_(source.copy(), copy=False)
    if engine.dialect is Dialect.SQLITE:
        # Every so many rows in the engine's own order.
        every = max(2, round(1 / share))
        numbered = exp.Select(
            expressions=[exp.Star(), exp.alias_(exp.Window(this=exp.RowNumber()), "~n", quoted=True, copy=False)]
        ).from_(source.copy(), copy=False)
        picked = exp.EQ(this=call("mod", quoted("~n"), number(every)), expression=number(0))
        return select.from_(exp.Subquery(this=numbered, alias=alias_of("n")), copy=False).where(picked, copy=False)
    return select.from_(source.copy(), copy=False).where(sample_rows(share, engine), copy=False)


def _inlined(barrier: Barrier, engine: Engine, *, large: bool) -> list[exp.CTE]:
    """The barrier's tables; a table with nothing to fence off is not copied, nor is a large one.

    The fence keeps a question's own expressions off other tenants' rows, as their errors can quote a cell. A summary
    statement has no such expression: all of its are fixed here, none fails on a value, and the filter stays.
    """
    ctes = [cte.copy() for cte in barrier.ctes]
    if engine.dialect in (Dialect.DUCKDB, Dialect.POSTGRES):
        for cte in ctes:
            if large or cte.args.get("materialized") is None:
                cte.set("materialized", False)
    if engine.dialect is Dialect.SPARK:
        # Behind the fence a table that is read twice would be shuffled whole; without it each reader reads its columns.
        for cte in ctes:
            cte.set("this", unfenced(cte.this))
    return ctes


def _rebound(select: exp.Select, unit_name: str) -> exp.Select:
    """Point a subquery written for ``u`` at the relation that holds the units."""
    if unit_name != "u":
        for table in list(select.find_all(exp.Table)):
            if table.name == "u":
                table.set("this", exp.to_identifier(unit_name, quoted=True))
    return select


def _scoped(table: str) -> exp.Table:
    return named_table(CTE_PREFIX + table)
