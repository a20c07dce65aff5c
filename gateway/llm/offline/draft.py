"""A chart spec in the making: a reading with what has been decided of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.chart.paths import Graph
from gateway.chart.spec import (
    AllOf,
    Dimension,
    Filter,
)
from gateway.llm.offline.effect import size_of
from gateway.llm.offline.lexicon import Lexicon
from gateway.llm.offline.measures import Measures
from gateway.llm.offline.search import Reading
from gateway.llm.offline.slots import Frame

MANY: Final = 30
"""A bar chart of more groups is cut to the first ones by the measure."""
SHOWN: Final = 20
BINS: Final = 20


@dataclass
class Draft:
    """A spec in the making."""

    reading: Reading
    frame: Frame
    lexicon: Lexicon
    graph: Graph
    measures: Measures = field(default_factory=Measures)
    groups: list[Dimension] = field(default_factory=list)
    series: Dimension | None = None
    filters: list[Filter] = field(default_factory=list)
    part: Filter | None = None
    main: str = "m1"
    quantity: str = ""

    def bases(self) -> list[str]:
        """Tables that every group must be reachable from."""
        return list(dict.fromkeys([self.reading.root, *self.measures.tables]))

    def size(self, dimension: Dimension) -> int:
        """About how many groups a dimension makes."""
        if dimension.grain:
            return {"year": 5, "quarter": 14, "month": 40, "week": 160, "day": 1100, "hour": 20_000}[dimension.grain]
        if dimension.part:
            return 12
        if dimension.bin:
            return dimension.bin.count or BINS
        return size_of(self.lexicon.columns[dimension.column])

    def filter(self) -> Filter | None:
        """All filters as one."""
        flat: list[Filter] = []
        for one in self.filters:
            flat.extend(one.filters if isinstance(one, AllOf) else [one])
        if not flat:
            return None
        return flat[0] if len(flat) == 1 else AllOf(op="and", filters=tuple(flat))
