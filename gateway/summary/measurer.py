"""How the questions of a summary are put to a source: one measurer for all that speak SQL, one for MongoDB.

What is asked, and what is made of the answers, is the same for every engine (`gateway.summary.measure`,
`gateway.summary.disclosure`); a measurer only asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.catalog import Catalog, Column, Dialect, Relationship, Table
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.asking import Ask
from gateway.summary.measured import PathMeasured, TableMeasured
from gateway.tenancy.scope import Scope

Answer = Mapping[str, object]
"""Aggregates by key: the name of a fact and the place of its column, ``mean3``; the keys are those that
`gateway.summary.measure` reads."""
Inclusion = tuple[int, int, int, int, int]
"""Rows of a child with a value, distinct values looked at, those that the parent has, rows and keys of the parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """Where and for whom is asked, and how long one statement may take, in seconds."""

    source: Source
    catalog: Catalog
    scope: Scope
    timeout_s: float


class Measurer(Protocol):
    """Asks a source for aggregates within a scope. Every statement stands behind the scope barrier."""

    @property
    def columns_at_once(self) -> int:
        """Columns of one statement."""
        ...

    @property
    def sample_above(self) -> int:
        """Rows above which only a sample is looked at, whatever the owner's threshold is."""
        ...

    @property
    def sample_rows(self) -> int:
        """Largest sample in rows."""
        ...

    def count(self, within: Within, table: Table) -> int:
        """Rows of a table in scope."""
        ...

    def answer(self, within: Within, ask: Ask) -> Answer:
        """Everything that is asked of some columns of a table, from one snapshot."""
        ...

    def spread(
        self,
        within: Within,
        measured: TableMeasured,
        edges: Mapping[str, tuple[float, ...]],
        paired: Sequence[str],
    ) -> Answer:
        """Rows of each column up to each of its edges, and how pairs of columns stand to their means.

        Keys are ``counted{i}`` and ``upto{i}_{j}`` by place of column and edge; and by places of two columns, over the
        first rows that have both, ``n{i}_{j}`` rows, ``a…`` above the first mean, ``b…`` the second, ``ab…`` both.
        """
        ...

    def paths(self, within: Within, config: SourceConfig, table: Table, column: Column) -> tuple[PathMeasured, ...]:
        """Paths within a column of documents; none if it is no such column or the engine cannot tell."""
        ...

    def common(self, within: Within, config: SourceConfig, table: Table, column: str, *, most: int) -> list[object]:
        """Values of a column that at least `min_group` units have, the commonest first, at most `most`."""
        ...

    def inclusion(self, within: Within, link: Relationship) -> Inclusion:
        """How far the values of a child column are keys of its supposed parent."""
        ...


def subject_of(config: SourceConfig, table: Table) -> str | None:
    """Column that names the data subjects of a table; None if its rows are the units."""
    rule = config.rule(table.name)
    return rule.subject if rule else None


def measurer_for(dialect: Dialect) -> Measurer:
    """The measurer of a dialect.

    Raises:
        ConfigError: Summaries are not written for it.
    """
    if dialect is Dialect.MONGODB:
        from gateway.summary.mongo_measurer import MongoMeasurer

        return MongoMeasurer()
    from gateway.summary.sql_measurer import SqlMeasurer

    return SqlMeasurer(dialect)
