"""Catalog: the structure of a datasource as reflected, without a row and without a statistic.

Every name that may be spoken (to a model, in a spec, in an error) is a *safe name*: a plain identifier. A physical
name that is not one gets an alias (``c17``); only the compiler and the sources know the physical name behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
"""What may be spoken as it is: SECURITY model, metadata injection points."""
NUMBERED = re.compile(r"[tc][0-9]+_*\Z")
"""Safe names of what may not be spoken (`gateway.sources.names`)."""


class Dialect(StrEnum):
    """The query language of a datasource; the values are sqlglot's dialect names, where it has one."""

    DUCKDB = "duckdb"
    SQLITE = "sqlite"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    CLICKHOUSE = "clickhouse"
    TRINO = "trino"
    SPARK = "spark"
    MONGODB = "mongodb"


class ColumnType(StrEnum):
    """What a column holds, as far as the chart language tells types apart."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    JSON = "json"
    BINARY = "binary"
    OTHER = "other"

    @property
    def is_numeric(self) -> bool:
        """Whether it can be summed."""
        return self in {ColumnType.INTEGER, ColumnType.NUMBER}

    @property
    def is_temporal(self) -> bool:
        """Whether it has a date."""
        return self in {ColumnType.DATE, ColumnType.DATETIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: Safe name, unique within its table without regard to case.
        physical: Name in the database, to be quoted by the compiler only.
        native_type: The engine's own type name, for example ``DECIMAL(12,2)``. Not spoken to a model.
        tz_aware: For a datetime: stored with a zone (an instant) or without (taken as UTC).
        vocabulary: Labels of a database enum or CHECK list, in declared order; None if it has none.
        comment: The owner's comment; empty unless the owner enabled comments.
    """

    name: str
    physical: str
    type: ColumnType
    native_type: str = ""
    nullable: bool = True
    tz_aware: bool = False
    vocabulary: tuple[str, ...] | None = None
    comment: str = ""

    @property
    def is_numbered(self) -> bool:
        """Whether the safe name is a number that says nothing and may be another column's one day."""
        return NUMBERED.match(self.name) is not None and self.physical != self.name


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table or view. `physical` is the path in the database, outermost first, for example (schema, table)."""

    name: str
    physical: tuple[str, ...]
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    kind: Literal["table", "view", "file", "collection"] = "table"
    comment: str = ""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by safe name."""
        return {column.name: column for column in self.columns}

    @property
    def own_name(self) -> str:
        """The name in the database, schema first."""
        return ".".join(self.physical)

    @property
    def is_numbered(self) -> bool:
        """Whether the safe name is a number that says nothing and may be another table's one day."""
        return NUMBERED.match(self.name) is not None and self.physical[-1] != self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A foreign key from many rows of `table` to at most one row of `parent`. All names are safe names.

    `name` is ``table.column`` of its first column; the chart language uses it to choose between two paths.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    origin: Literal["declared", "inferred", "owner"] = "declared"

    @property
    def name(self) -> str:
        """The name a spec uses for this step of a join path."""
        return f"{self.table}.{self.columns[0]}"


def declared_link(
    child: Table, columns: Sequence[str], parent: Table, parent_columns: Sequence[str]
) -> Relationship | None:
    """A foreign key that the database declares by physical names; None if one of its columns is not in the catalog."""
    mine = {column.physical: column.name for column in child.columns}
    theirs = {column.physical: column.name for column in parent.columns}
    if not columns or not all(name in mine for name in columns) or not all(name in theirs for name in parent_columns):
        return None
    return Relationship(
        table=child.name,
        columns=tuple(mine[name] for name in columns),
        parent=parent.name,
        parent_columns=tuple(theirs[name] for name in parent_columns),
    )


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All tables of one datasource and how they relate. `warnings` are safe to show and to log."""

    source: str
    dialect: Dialect
    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Tables by safe name."""
        return {table.name: table for table in self.tables}
