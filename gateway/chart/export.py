"""The rows of an answer as JSON or CSV.

CSV cells that a spreadsheet would run are defused: OWASP, "CSV Injection"
(owasp.org/www-community/attacks/CSV_Injection): a text cell that begins with = + - @, tab or carriage return gets an
apostrophe before it and every text cell is quoted. Numbers stay numbers, a minus sign included.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Final

from gateway.types import Cell, ResultTable

RUNS_IN_A_SHEET: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters that start a formula; the full-width forms do so too in some locales."""


def to_csv(result: ResultTable, *, titles: Sequence[str] | None = None, sheet_safe: bool = True) -> str:
    """Write RFC 4180 CSV with a header line.

    Args:
        result: The rows.
        titles: Of the columns, in order; the titles of the result if left out.
        sheet_safe: Defuse text that a spreadsheet would run. Off gives the values as they are, for programs.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    head = list(titles) if titles is not None else [column.title or column.field for column in result.columns]
    writer.writerow([_safe(title) if sheet_safe else title for title in head])
    for row in result.rows:
        writer.writerow([_csv_cell(cell, sheet_safe=sheet_safe) for cell in row])
    return out.getvalue()


def _csv_cell(cell: Cell, *, sheet_safe: bool) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and not math.isfinite(cell):
        return ""
    if isinstance(cell, float):
        # Fifteen digits are what a float holds of a decimal: 181324.02, not 181324.0200000001.
        return float(f"{cell:.15g}")
    return _safe(cell) if isinstance(cell, str) and sheet_safe else cell


def _safe(text: str) -> str:
    return (
        f"'{text}"
        if text.lstrip(" \u00a0\ufeff").startswith(RUNS_IN_A_SHEET) or text.startswith(RUNS_IN_A_SHEET)
        else text
    )


def to_json(result: ResultTable, *, titles: Sequence[str] | None = None, indent: int | None = 2) -> str:
    """Write ``{"columns": [...], "rows": [...], "truncated": false}``; numbers that JSON has no word for are null."""
    names = list(titles) if titles is not None else [column.title for column in result.columns]
    columns = [
        {"field": c.field, "title": title, "type": c.type, "role": c.role, "format": c.format, "grain": c.grain}
        for c, title in zip(result.columns, names, strict=True)
    ]
    rows = [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in result.rows]
    facts = {"columns": columns, "rows": rows, "truncated": result.truncated}
    return json.dumps(facts, ensure_ascii=False, indent=indent, allow_nan=False)
