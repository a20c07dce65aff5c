"""What a named chart still needs, where the question names no column for it: the candidates, the best first.

``a pie chart of tickets`` leaves open by what. The candidates are what people group by: words of a small closed set
and yes/no columns, on the counted table before its parents; time for a line. Keys, names and free text never are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.paths import Graph
from gateway.chart.spec import Dimension, Mark
from gateway.chart.validate import GROUPABLE
from gateway.llm.offline.effect import size_of
from gateway.llm.offline.lexicon import Lexicon, is_identifier
from gateway.llm.offline.options import column_sort
from gateway.llm.offline.search import distance, main_date

MOST: Final = 24
"""A column of more values is not offered: its chart would be a long tail."""

FAR: Final = 2
"""Joins away that a column may be to be offered."""

NEEDED: Final[dict[Mark, int]] = {"bar": 1, "line": 1, "area": 1, "arc": 1, "rect": 2, "point": 1}


def open_groups(
    lexicon: Lexicon, graph: Graph, bases: Sequence[str], mark: Mark | None, taken: set[str]
) -> list[Dimension]:
    """Dimensions that could fill an open place of a chart.

    Args:
        lexicon: The Summary's names.
        graph: Its join paths.
        bases: Tables that every dimension must be reachable from.
        mark: The mark that was named, if any.
        taken: Columns that the chart shows or filters already.

    Returns:
        Dimensions, the best first.
    """
    ranked: list[tuple[float, str]] = []
    for ref, column in lexicon.columns.items():
        if ref in taken or column_sort(lexicon, ref) not in {"text", "flag"} or is_identifier(column):
            continue
        if column.type not in {ColumnType.TEXT, ColumnType.BOOLEAN} or column.distinct in {
            "constant",
            "unique",
            "many",
            "unknown",
        }:
            continue
        steps = [distance(graph, base, ref.partition(".")[0]) for base in bases]
        size = size_of(column)
        if any(s is None or s > FAR for s in steps) or size > MOST:
            continue
        far = max(s or 0 for s in steps)
        ranked.append((far + 0.3 * (not column.labels) + size / 100 + 0.3 * (column.type is ColumnType.BOOLEAN), ref))
    found = [Dimension(column=ref) for _, ref in sorted(ranked)]
    date = main_date(lexicon, graph, bases)
    if date is not None and date not in taken and mark != "arc":
        found.insert(0 if mark in {"line", "area", None} else min(1, len(found)), Dimension(column=date, grain="month"))
    if not found:
        found = _last_resort(lexicon, bases, taken)
    return found


def _last_resort(lexicon: Lexicon, bases: Sequence[str], taken: set[str]) -> list[Dimension]:
    """Any column of the table that can be grouped by, where none of the usual kind is there; the smallest first."""
    columns = lexicon.tables[bases[0]].columns
    rest = [c for c in columns if f"{bases[0]}.{c.name}" not in taken and c.type in GROUPABLE]
    rest.sort(key=size_of)
    return [Dimension(column=f"{bases[0]}.{c.name}") for c in rest]


def open_quantities(lexicon: Lexicon, table: str, taken: set[str]) -> list[str]:
    """Numeric columns of a table that a box plot or histogram could spread out."""
    return [
        f"{table}.{c.name}"
        for c in lexicon.tables[table].columns
        if f"{table}.{c.name}" not in taken and column_sort(lexicon, f"{table}.{c.name}") == "number"
    ]
