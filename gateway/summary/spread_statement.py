"""The second statement about a table: bins between released edges, and pairs of columns (`gateway.summary.spread`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from sqlglot import exp

from gateway.summary.asking import Parts
from gateway.summary.engine import Engine, as_number, case, number
from gateway.summary.measured import TableMeasured
from gateway.summary.shapes import Fields, flag_of, named_table, quoted, select_over
from gateway.summary.statement import Statement, common_tables, joined, sampled_rows
from gateway.tenancy.barrier import CTE_PREFIX, Barrier

PAIR_ROWS: Final = 5_000
"""Columns are compared on the first so many rows of the scope."""


def spread(
    measured: TableMeasured,
    edges: Mapping[str, tuple[float, ...]],
    paired: Sequence[str],
    barrier: Barrier,
    engine: Engine,
) -> Statement:
    """Rows up to each edge of each column, and how pairs of columns stand to their means."""
    names = list(edges)
    scoped = named_table(CTE_PREFIX + measured.name)
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
    return statement


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
