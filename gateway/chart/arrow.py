"""The rows of an answer as an Apache Arrow IPC stream, typed by the columns of the result.

A result column that counts is int64, any other number float64, a date date32, a date and time timestamp[us] of the
tenant's wall clock (without a zone, as it is shown), a boolean bool and all else utf8; every column may hold nulls.
A column whose cells do not fit its type (a whole number beyond 64 bits, a year before 1) is widened to float64 or
utf8, never cut. Format: Apache Arrow columnar format, "IPC Streaming Format".
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from gateway.types import Cell, ResultColumn, ResultTable

MEDIA_TYPE: Final = "application/vnd.apache.arrow.stream"
"""Registered with IANA for the streaming format."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT64: Final = 2**63


def to_arrow(result: ResultTable, *, facts: Mapping[str, object] | None = None) -> bytes:
    """Write a result as one record batch.

    Args:
        result: The rows, shape (n_rows, n_columns).
        facts: JSON values for the reader, kept in the schema's metadata under ``rowless``.

    Returns:
        A complete stream. Field metadata has ``title``, ``role``, ``format`` and ``grain`` of each column; field names
        are those of the spec's parts (``d1``, ``s``, ``m1``).
    """
    import nanoarrow as na
    from nanoarrow.ipc import StreamWriter

    fields, arrays = {}, []
    for position, column in enumerate(result.columns):
        kind, cells = _typed(column, [row[position] for row in result.rows])
        array = na.c_array(cells, getattr(na, _MAKERS[kind])() if kind != "timestamp" else na.timestamp("us"))
        shown = {"title": column.title, "role": column.role, "format": column.format, "grain": column.grain}
        fields[column.field] = na.c_schema(array.schema).modify(metadata={k: v for k, v in shown.items() if v})
        arrays.append(array)
    about = {"rowless": json.dumps({"truncated": result.truncated, **(facts or {})}, ensure_ascii=False)}
    schema = na.c_schema(na.struct(fields)).modify(metadata=about)
    batch = na.c_array_from_buffers(schema, len(result.rows), [None], null_count=0, children=arrays)
    out = io.BytesIO()
    with StreamWriter.from_writable(out) as writer:
        writer.write_array(batch)
    return out.getvalue()


_MAKERS: Final = {"int64": "int64", "float64": "float64", "bool": "bool_", "date32": "date32", "utf8": "string"}


def _typed(column: ResultColumn, cells: Sequence[Cell]) -> tuple[str, list[Any]]:
    """The Arrow type of a column and its cells as that type's storage; text if they do not fit."""
    fits: tuple[tuple[str, Callable[[Cell], Any]], ...] = {
        "number": (("int64", _whole), ("float64", _real)) if column.format == "integer" else (("float64", _real),),
        "boolean": (("bool", _flag),),
        "date": (("date32", _days),),
        "datetime": (("timestamp", _microseconds),),
        "text": (),
    }[column.type]
    for kind, convert in fits:
        try:
            return kind, [None if cell is None else convert(cell) for cell in cells]
        except (ValueError, OverflowError):
            continue
    return "utf8", [None if cell is None else str(cell) for cell in cells]


def _whole(cell: Cell) -> int:
    if isinstance(cell, str) or cell is None or int(cell) != cell or not -_INT64 <= int(cell) < _INT64:
        raise ValueError
    return int(cell)


def _real(cell: Cell) -> float:
    if isinstance(cell, str) or cell is None:
        raise ValueError
    return float(cell)


def _flag(cell: Cell) -> bool:
    if cell not in (0, 1) or isinstance(cell, str):
        raise ValueError
    return bool(cell)


def _days(cell: Cell) -> int:
    return date.fromisoformat(_text(cell)).toordinal() - date(1970, 1, 1).toordinal()


def _microseconds(cell: Cell) -> int:
    moment = datetime.fromisoformat(_text(cell))
    return (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _text(cell: Cell) -> str:
    if not isinstance(cell, str):
        raise ValueError  # noqa: TRY004  # caught above, as any other cell that does not fit
    return cell
