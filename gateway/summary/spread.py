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

from gateway.catalog import Catalog, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.disclosure import bin_edges_of
from gateway.summary.measure import TIMEOUT_S, whole
from gateway.summary.measured import ColumnMeasured, PairMeasured, TableMeasured
from gateway.summary.measurer import Within, measurer_for
from gateway.tenancy.scope import Scope

PAIR_COLUMNS: Final = 6
"""Columns of a table that are compared with each other, the first ones."""
_COLUMNS_AT_ONCE: Final = 12


def with_spread(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: Table, measured: TableMeasured
) -> TableMeasured:
    """Add bins and pairs to what was measured; what cannot be had is left out, as the rest stands by itself."""
    rule = config.rule(table.name)
    if config.privacy is not None or (rule is not None and rule.subject is not None):
        return measured
    measurer = measurer_for(catalog.dialect)
    within = Within(source=source, catalog=catalog, scope=scope, timeout_s=TIMEOUT_S)
    edges = {column.name: bin_edges_of(column, config.thresholds) for column in measured.columns}
    binned = [column.name for column in measured.columns if edges[column.name]]
    paired = binned[:PAIR_COLUMNS]
    bins: dict[str, tuple[int, ...]] = {}
    pairs: tuple[PairMeasured, ...] = ()
    for start in range(0, len(binned), _COLUMNS_AT_ONCE):
        some = binned[start : start + _COLUMNS_AT_ONCE]
        both = paired if start == 0 and len(paired) > 1 else []
        try:
            said = measurer.spread(within, measured, {name: edges[name] for name in some}, both)
        except (QueryError, SourceError):
            continue
        for place, name in enumerate(some):
            bins[name] = _bins([whole(said[f"upto{place}_{j}"]) for j in range(len(edges[name]))], said, place)
        pairs += _pairs(both, said)
    columns = tuple(_binned(column, edges[column.name], bins.get(column.name, ())) for column in measured.columns)
    return replace(measured, columns=columns, pairs=pairs)


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
