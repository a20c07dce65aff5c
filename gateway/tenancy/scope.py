"""Stage 1. Scope: who asks, which tables, columns and rows they may see, and the limits on a question.

A Scope is complete: a table that is not in it does not exist for the caller, and a table in it either carries at
least one row filter or was declared `unrestricted` by the owner (a shared look-up table, or the owner's own file).
It is built from the owner's rules and the session, never from a question, a prompt or a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ScopeValue = str | int
"""What a tenant id or session attribute may be. bool, float, null, list and object are refused (SECURITY D 33)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one query."""

    max_rows: int = 5_000
    max_bytes: int = 8_000_000
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Only rows whose `column` equals one of `values` (bound as parameters). An empty tuple lets no row pass."""

    column: str
    values: tuple[ScopeValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentFilter:
    """Only rows whose parent row is in scope: `column` is among `parent_column` of the scoped parent table."""

    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableScope:
    """What of one table may be seen. `subject` is the column whose values are whom the rows are about.

    Raises:
        ValueError: Neither a filter nor `unrestricted`: a table without a rule is no table.
    """

    columns: frozenset[str]
    filters: tuple[RowFilter | ParentFilter, ...] = ()
    unrestricted: bool = False
    subject: str | None = None

    def __post_init__(self) -> None:
        if bool(self.filters) == self.unrestricted:
            msg = "a table scope has row filters, or is declared unrestricted, never neither and never both"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The full right of one session on one datasource. All names are safe names of its Catalog.

    `min_answer_group` of 2 or more: groups of an answer stand on at least so many subjects, and no single record is
    shown (`gateway.chart.support`).
    """

    source: str
    tenant: str
    tables: Mapping[str, TableScope]
    user: str = ""
    timezone: str = "UTC"
    week_start: Literal["monday", "sunday"] = "monday"
    min_answer_group: int = 0
    limits: Limits = field(default_factory=Limits)

    def shape(self) -> str:
        """Hash of what is visible (names only): equal for two tenants under the same rules."""
        facts = {
            name: [sorted(t.columns), t.unrestricted, [type(f).__name__ + ":" + f.column for f in t.filters]]
            for name, t in sorted(self.tables.items())
        }
        return _digest([self.source, facts, self.timezone, self.week_start])

    def fingerprint(self) -> str:
        """Hash of the whole right, values included: the key under which anything derived from rows is cached."""
        limits = [self.limits.max_rows, self.limits.max_bytes, self.limits.timeout_s]
        subjects = {name: table.subject for name, table in self.tables.items() if table.subject}
        floor = [self.min_answer_group, subjects]
        return _digest([self.data_key(), self.user, self.timezone, self.week_start, floor, limits])

    def data_key(self) -> str:
        """Hash of the visible rows and columns alone: two users with it see the same Summary and value index."""
        facts = {
            name: [sorted(t.columns), t.unrestricted, [_filter_key(f) for f in t.filters]]
            for name, t in sorted(self.tables.items())
        }
        return _digest([self.source, self.tenant, facts])

    def rows_key(self, table: str) -> str:
        """Hash of which rows of one table are visible: equal for all scopes that see the same rows of it.

        What two such scopes are told must be one release. So neither the tenant (a shared table has the same rows
        for all) nor the columns, nor anything of other tables but the parents that decide on the rows, is part of it.
        """
        return _digest([self.source, table, self._rows(table, ())])

    def _rows(self, table: str, seen: tuple[str, ...]) -> list[object]:
        if table in seen:
            return ["again", table]
        chain: list[object] = []
        for row_filter in self.tables[table].filters:
            chain.append(_filter_key(row_filter))
            if isinstance(row_filter, ParentFilter):
                chain.append(self._rows(row_filter.parent, (*seen, table)))
        return chain


def _filter_key(row_filter: RowFilter | ParentFilter) -> list[object]:
    if isinstance(row_filter, RowFilter):
        return ["row", row_filter.column, [[type(v).__name__, v] for v in row_filter.values]]
    return ["parent", row_filter.column, row_filter.parent, row_filter.parent_column]


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
