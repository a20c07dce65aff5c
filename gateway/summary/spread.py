"""How a column's numbers spread and which of them move together: a second, small statement after the first one.

It comes second because bins lie between *released* ends, never between ends of the data. Bins are counted over the
same rows as all else; if rows came or went between the two statements, the counts do not add up and are dropped
(`gateway.summary.disclosure`), so that a profile is of one snapshot. Rows as units only: a subject with many rows could
fill a bin alone.

Two columns are compared by the signs of their distances from their means, over the first rows of the scope: each row
says one of four things, so no row weighs more than another, however far out it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Final

from sqlglot import exp

from gateway.catalog import Catalog, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.asking import Parts
from gateway.summary.disclosure import bin_edges_of
from gateway.summary.engine import ENGINES, Engine, as_number, case, number
from gateway.summary.measure import TIMEOUT_S, answer, whole
from gateway.summary.measured import ColumnMeasured, PairMeasured, TableMeasured
from gateway.summary.shapes import Fields, flag_of, named_table, quoted, select_over
from gateway.summary.statement import common_tables, joined, sampled_rows
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope

PAIR_ROWS: Final = 5_000
"""Columns are compared on the first so many rows of the scope."""
PAIR_COLUMNS: Final = 8
"""Columns of a table that are compared with each other, the first ones."""
_COLUMNS_AT_ONCE: Final = 12


def with_spread(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: Table, measured: TableMeasured
) -> TableMeasured:
    """Add bins and pairs to what was measured; what cannot be had is left out, as the rest stands by itself."""
    rule = config.rule(table.name)
    if config.privacy is not None or catalog.dialect not in ENGINES or (rule is not None and rule.subject is not None):
        return measured
    edges = {column.name: bin_edges_of(column, config.thresholds) for column in measured.columns}
    binned = [column.name for column in measured.columns if edges[column.name]]
    paired = binned[:PAIR_COLUMNS]
    bins: dict[str, tuple[int, ...]] = {}
    pairs: tuple[PairMeasured, ...] = ()
    for start in range(0, len(binned), _COLUMNS_AT_ONCE):
        some = binned[start : start + _COLUMNS_AT_ONCE]
        both = paired if start == 0 and len(paired) > 1 else []
        try:
            said = _asked(source, catalog, scope, table, measured, {name: edges[name] for name in some}, both)
        except (QueryError, SourceError):
            continue
        for place, name in enumerate(some):
            bins[name] = _bins([whole(said[f"upto{place}_{j}"]) for j in range(len(edges[name]))], said, place)
        pairs += _pairs(both, said)
    columns = tuple(_binned(column, edges[column.name], bins.get(column.name, ())) for column in measured.columns)
    return replace(measured, columns=columns, pairs=pairs)


def _asked(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    table: Table,
    measured: TableMeasured,
    edges: Mapping[str, tuple[float, ...]],
    paired: Sequence[str],
) -> Mapping[str, object]:
    engine, names = ENGINES[catalog.dialect], list(edges)
    barrier = scoped_tables(catalog, scope, {table.name: {*names, *paired}})
    scoped = named_table(CTE_PREFIX + table.name)
    rows: Fields = [(f"v{i}", as_number(quoted(name), engine)) for i, name in enumerate(names)]
    share = measured.sampled / max(1, measured.rows) if measured.sampled is not None else None
    parts = Parts()
    for i, name in enumerate(names):
        value = quoted(f"v{i}")
        parts.rows.append((f"counted{i}", exp.Count(this=value)))
        parts.rows += [
            (f"upto{i}_{j}", exp.Sum(this=flag_of(exp.LTE(this=value.copy(), expression=number(repr(edge))))))
            for j, edge in enumerate(edges[name])
        ]
    singles = [_compared(list(paired), scoped, engine)] if paired else []
    statement = joined(parts, singles, "r", engine)
    ctes = common_tables(barrier, {"r": sampled_rows(rows, scoped, share, engine)}, engine, large=share is not None)
    statement.tree.set("with_", exp.With(expressions=ctes))
    return answer(source, statement, barrier, engine, TIMEOUT_S)


def _compared(names: list[str], scoped: exp.Table, engine: Engine) -> tuple[tuple[str, ...], exp.Select]:
    """For each pair: rows with both, rows above the one mean, above the other, and above both."""
    first = exp.Select(
        expressions=[exp.alias_(as_number(quoted(n), engine), f"v{i}", quoted=True) for i, n in enumerate(names)]
    )
    first = first.from_(scoped.copy(), copy=False).limit(PAIR_ROWS, copy=False)
    above: Fields = []
    for i in range(len(names)):
        value = quoted(f"v{i}")
        mean = exp.Window(this=exp.Avg(this=value.copy()))
        known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
        flag = exp.Case(
            ifs=[exp.If(this=exp.GT(this=value.copy(), expression=mean), true=number(1))], default=number(0)
        )
        above.append((f"h{i}", case(known, flag)))
    flags = select_over(first, "f", above)
    fields: Fields = []
    for i, j in combinations(range(len(names)), 2):
        one, two = quoted(f"h{i}"), quoted(f"h{j}")
        either = exp.Add(this=one, expression=two)
        both = exp.Mul(this=one.copy(), expression=two.copy())
        fields += [
            (f"n{i}_{j}", exp.Count(this=either)),
            (f"a{i}_{j}", exp.Sum(this=case(_known(two), one.copy()))),
            (f"b{i}_{j}", exp.Sum(this=case(_known(one), two.copy()))),
            (f"ab{i}_{j}", exp.Sum(this=both)),
        ]
    return tuple(key for key, _ in fields), select_over(flags, "g", fields)


def _known(value: exp.Expression) -> exp.Expression:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))


def _bins(upto: list[int], said: Mapping[str, object], place: int) -> tuple[int, ...]:
    """Counts between the edges, from counts up to each of them."""
    ends = [0, *upto, whole(said[f"counted{place}"])]
    return tuple(after - before for before, after in pairwise(ends))


def _pairs(names: Sequence[str], said: Mapping[str, object]) -> tuple[PairMeasured, ...]:
    return tuple(
        PairMeasured(
            left=names[i],
            right=names[j],
            rows=whole(said[f"n{i}_{j}"]),
            left_above=whole(said[f"a{i}_{j}"]),
            right_above=whole(said[f"b{i}_{j}"]),
            both_above=whole(said[f"ab{i}_{j}"]),
        )
        for i, j in combinations(range(len(names)), 2)
    )


def _binned(column: ColumnMeasured, edges: tuple[float, ...], bins: tuple[int, ...]) -> ColumnMeasured:
    return replace(column, number=replace(column.number, edges=edges, bins=bins)) if column.number and bins else column
