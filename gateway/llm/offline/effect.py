"""Which chart shows an answer best, where the question names none.

The rules are those of Mackinlay (1986, "Automating the design of graphical presentations of relational information",
ACM TOG 5(2)): quantities go to position first, then length, and colour tells only a few categories apart; with the
defaults that Draco (Moritz et al. 2019, IEEE TVCG 25(1)) learnt as soft constraints: a continuous time axis is a
line, a category axis a bar, two quantities are points, two categories and one quantity a heat map or a coloured bar.
"""

from __future__ import annotations

from typing import Final

from gateway.chart.spec import Mark
from gateway.summary.model import ColumnSummary

FEW_SLICES: Final = 6
"""A pie of more slices cannot be compared by angle (Cleveland and McGill 1984 rank angle below length)."""
FEW_COLOURS: Final = 10
"""Colours that can be told apart; Draco's hard limit for nominal colour is 10 (Tableau 10)."""


def size_of(column: ColumnSummary) -> int:
    """About how many groups a column makes: an upper bound where the Summary has only a word."""
    if column.labels:
        return len(column.labels)
    if column.type.value == "boolean":
        return 2
    if isinstance(column.distinct, int):
        return column.distinct
    return {"constant": 1, "few": 9, "unique": 10_000, "many": 1_000, "unknown": 30}[column.distinct]


def choose_mark(*, measures: int, time: bool, groups: int, series: bool, share: bool, first_size: int) -> Mark:
    """The most effective mark for so many measures and groups.

    Args:
        measures: How many quantities are shown.
        time: Whether the first group is a stretch of time in order.
        groups: How many groups there are, the series left out.
        series: Whether colour tells a second group apart.
        share: Whether parts of a whole are asked for.
        first_size: About how many values the first group has.

    Returns:
        A mark that the chart language allows with these parts.
    """
    if groups == 0:
        return "text"
    if groups > 2 or measures > 4:
        return "table"
    if groups == 2:
        return "rect" if measures == 1 else "table"
    if time:
        return "line"
    if share and not series and measures == 1 and first_size <= FEW_SLICES:
        return "arc"
    return "bar"
