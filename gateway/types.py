"""The frozen values that the stages hand on. A stage takes one and makes the next; the type says what was proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.catalog import Dialect
from gateway.errors import ScopeRefusedError

Cell = str | int | float | bool | None
"""A value of a result row after typing: dates and times are ISO 8601 text, decimals are float (or int if whole)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a planner answered (stage 7). `text` is untrusted: only `gateway.chart.read` may read it.

    `fallback` says that another planner than the first configured one gave it.
    """

    text: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    attempts: int = 1
    fallback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """One column of a result: which part of the spec it holds (``d1``, ``s``, ``m1``), its type, how to show it.

    A ``support`` column counts what a group stands on (`gateway.chart.support`); it never leaves the gateway.
    """

    field: str
    title: str
    type: Literal["number", "text", "boolean", "date", "datetime"]
    role: Literal["dimension", "series", "measure", "support"]
    format: Literal["number", "integer", "currency", "percent", "date", "text"] = "text"
    grain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledQuery:
    """A statement that no checker has read yet (stage 9). It cannot be run: sources take only a ScopedQuery.

    Attributes:
        statement: SQL text with the dialect's own parameter marks, or a MongoDB pipeline as canonical JSON.
        parameters: Values to bind, by name. Scope values, and the caller's own words; never shown or logged.
        scope_parameters: Names of the parameters that carry the scope.
        collection: MongoDB only: physical name of the collection the pipeline runs on.
        tables: Safe names of every base table read.
        max_rows: Row limit inside the statement (one more than is shown, so that a cut is noticed).
    """

    dialect: Dialect
    statement: str
    parameters: dict[str, Cell | tuple[Cell, ...]] = field(repr=False)
    scope_parameters: frozenset[str]
    columns: tuple[ResultColumn, ...]
    tables: tuple[str, ...]
    max_rows: int
    collection: str = ""


_PROOF: Final = object()
"""Held by `gateway.chart.prove` alone; a test reads the source tree to be sure."""


@dataclass(frozen=True, slots=True)
class ScopedQuery:
    """A statement that the independent checker proved to stay in scope (stage 10). Only `prove` can make one."""

    query: CompiledQuery
    scope_fingerprint: str
    _proof: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._proof is not _PROOF:
            msg = "a scoped query can only be made by the checker"
            raise ScopeRefusedError(msg, stage="prove")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTable:
    """Rows of one answer (stage 11).

    `truncated` says that the row limit cut the result; `age_s` how long ago the rows were read, in seconds: above 0
    only where the owner keeps results (`gateway.results`).
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    truncated: bool = False
    elapsed_ms: float = 0.0
    bytes: int = 0
    age_s: float = 0.0

    @property
    def is_empty(self) -> bool:
        """No row, or the one row that an aggregate over no rows gives."""
        return not self.rows or (len(self.rows) == 1 and all(cell in (None, 0) for cell in self.rows[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The picture of an answer (stage 12): a Vega-Lite spec with its data inline, and what it says in words."""

    vega_lite: dict[str, object] = field(repr=False)
    description: str = field(repr=False)
