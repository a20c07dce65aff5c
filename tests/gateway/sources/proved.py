"""A proved query for tests of the runner alone; the proof itself is tested with `gateway.chart.prove`."""

from __future__ import annotations

from typing import Any

from gateway import types
from gateway.catalog import Dialect
from gateway.types import CompiledQuery, ResultColumn, ScopedQuery


def proved(
    dialect: Dialect,
    statement: str,
    *kinds: str,
    parameters: dict[str, Any] | None = None,
    max_rows: int = 1000,
    collection: str = "",
) -> ScopedQuery:
    """A ScopedQuery of this statement with one result column per type name in `kinds`."""
    columns = tuple(
        ResultColumn(field=f"d{i + 1}", title=f"d{i + 1}", type=k, role="dimension")  # type: ignore[arg-type]
        for i, k in enumerate(kinds)
    )
    query = CompiledQuery(
        dialect=dialect, statement=statement, parameters=parameters or {}, scope_parameters=frozenset(),
        columns=columns, tables=(), max_rows=max_rows, collection=collection,
    )  # fmt: skip
    return ScopedQuery(query=query, scope_fingerprint="test", _proof=types._PROOF)
