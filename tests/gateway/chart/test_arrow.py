"""Rows as Arrow: what a reader gets is what was answered, typed, with nothing cut."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.chart.arrow import to_arrow
from gateway.types import Cell, ResultColumn, ResultTable


def column(field: str, kind: Any, shown: Any = "text") -> ResultColumn:
    role: Any = "measure" if field.startswith("m") else "dimension"
    return ResultColumn(field=field, title=field.upper(), type=kind, role=role, format=shown)


def read(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()


def test_types_and_facts_reach_an_independent_reader() -> None:
    """Apache's own reader finds the types, the titles and the facts."""
    result = ResultTable(
        columns=(
            column("d1", "date", "date"),
            column("d2", "datetime", "date"),
            column("d3", "text"),
            column("d4", "boolean"),
            column("m1", "number", "integer"),
            column("m2", "number", "currency"),
        ),
        rows=(
            ("2024-02-29", "2024-02-29T23:30:00", "Ünï", True, 3, 1.5),
            (None, None, None, None, None, None),
        ),
        truncated=True,
    )
    table = read(to_arrow(result, facts={"audit_id": "x"}))
    assert [str(field.type) for field in table.schema] == [
        "date32[day]", "timestamp[us]", "string", "bool", "int64", "double",
    ]  # fmt: skip
    assert table.to_pylist()[1] == dict.fromkeys(table.column_names)
    first = table.to_pylist()[0]
    assert (str(first["d1"]), str(first["d2"])) == ("2024-02-29", "2024-02-29 23:30:00")
    assert (first["d3"], first["d4"], first["m1"], first["m2"]) == ("Ünï", True, 3, 1.5)
    assert json.loads(table.schema.metadata[b"rowless"]) == {"truncated": True, "audit_id": "x"}
    assert table.schema.field("m2").metadata == {b"title": b"M2", b"role": b"measure", b"format": b"currency"}


def test_empty_result_keeps_its_columns() -> None:
    """No row is a table of no rows, not an error."""
    table = read(to_arrow(ResultTable(columns=(column("m1", "number", "integer"),), rows=())))
    assert table.num_rows == 0
    assert table.column_names == ["m1"]


CELLS: dict[tuple[str, str], st.SearchStrategy[Cell]] = {
    ("number", "integer"): st.one_of(st.none(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, width=32)),
    ("number", "currency"): st.one_of(st.none(), st.integers(-(2**50), 2**50), st.floats(allow_nan=False)),
    ("text", "text"): st.one_of(st.none(), st.text()),
    ("boolean", "text"): st.one_of(st.none(), st.booleans()),
    ("date", "date"): st.one_of(st.none(), st.dates().map(str), st.sampled_from(["", "0000-00-00", "later"])),
    ("datetime", "date"): st.one_of(st.none(), st.datetimes().map(lambda d: d.isoformat()), st.just("never")),
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_no_cell_is_lost(data: st.DataObject) -> None:
    """Whatever a column holds, its cells come out equal, as their type or as their text."""
    kinds = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)), max_size=6))
    columns = tuple(column(f"d{n}", kind, shown) for n, (kind, shown) in enumerate(kinds))
    table = read(to_arrow(ResultTable(columns=columns, rows=tuple(rows))))
    assert table.num_rows == len(rows)
    for position, _ in enumerate(kinds):
        for cell, got in zip((row[position] for row in rows), table.column(position).to_pylist(), strict=True):
            assert _same(cell, got), (type(cell), type(got))


def _same(cell: Cell, got: Any) -> bool:
    if cell is None or got is None:
        return cell is got
    if isinstance(cell, str):
        return got == cell or got.isoformat() == cell
    if isinstance(got, str):
        return got == str(cell)
    return bool(got == cell) or math.isclose(got, cell, rel_tol=1e-15)
