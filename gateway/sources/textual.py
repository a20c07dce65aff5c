"""Numbers that were written as text: amounts, shares and thousands marks, made numbers inside the database.

A column is converted only if every filled cell of it is such a number in one and the same notation, and at least one
has a mark that plain numbers lack. What starts with a zero (postcodes, article numbers) is a code and stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from gateway.sources.quoting import quoted

_ENGLISH: Final = r"[-+]?\s?[$€£¥]?\s?[-+]?(\d{1,3}(,\d{3})+|[1-9]\d*|0)(\.\d+)?\s?[$€£¥%]?"
_CONTINENTAL: Final = r"[-+]?\s?[$€£¥]?\s?[-+]?(\d{1,3}(\.\d{3})+|[1-9]\d*|0)(,\d+)?\s?[$€£¥%]?"
_MARK: Final = r".*[,$€£¥%].*|.*\.\d{3}\..*"
_MAX_COLUMNS: Final = 200
_LOOK_ROWS: Final = 1_000


def convert_numbers(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Make numbers of the text columns of a loaded table that hold nothing else.

    Args:
        connection: The loader's own, before the database is locked down.
        table: Name of the table.

    Returns:
        Names of the columns that were converted. Shares (``12%``) become fractions (0.12).
    """
    described = connection.execute(f"DESCRIBE {quoted(table)}").fetchall()
    texts = [str(row[0]) for row in described if row[1] == "VARCHAR"][:_MAX_COLUMNS]
    # A look at the first rows settles most columns, so that few are read to the end.
    likely = [c for c, form in _forms(connection, f"(FROM {quoted(table)} LIMIT {_LOOK_ROWS})", texts) if form]
    converted = []
    for column, form in _forms(connection, quoted(table), likely):
        if form is None:
            continue
        digits = f"regexp_replace({quoted(column)}, '[^0-9.,-]', '', 'g')"
        plain = f"replace({digits}, ',', '')" if form.english else f"replace(replace({digits}, '.', ''), ',', '.')"
        number = f"CAST(nullif({plain}, '') AS DOUBLE)" + (" / 100" if form.share else "")
        connection.execute(f"ALTER TABLE {quoted(table)} ALTER {quoted(column)} TYPE DOUBLE USING {number}")
        converted.append(column)
    return converted


@dataclass(frozen=True, slots=True)
class _Form:
    english: bool
    share: bool


def _forms(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> list[tuple[str, _Form | None]]:
    """The notation that all filled cells of a column share; None if they share none, or are plain numbers."""
    if not columns:
        return []
    counts = ", ".join(
        f"count(CASE WHEN trim({c}) <> '' THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $english) THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $continental) THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $mark) THEN 1 END), "
        f"count(CASE WHEN {c} LIKE '%\\%' ESCAPE '\\' THEN 1 END)"
        for c in map(quoted, columns)
    )
    known = {"english": _ENGLISH, "continental": _CONTINENTAL, "mark": _MARK}
    row = connection.execute(f"SELECT {counts} FROM {rows}", known).fetchall()[0]  # noqa: S608
    found: list[tuple[str, _Form | None]] = []
    for i, column in enumerate(columns):
        filled, english, continental, marked, shares = (int(n) for n in row[5 * i : 5 * i + 5])
        fits = filled and marked and shares in {0, filled} and filled in {english, continental}
        found.append((column, _Form(english == filled, shares > 0) if fits else None))
    return found
