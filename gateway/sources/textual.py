"""Numbers that were written as text: amounts, shares and thousands marks, made numbers inside the database.

A column is converted only if every filled cell of it is such a number in one and the same notation, and at least one
has a mark that plain numbers lack. What starts with a zero (postcodes, article numbers) is a code and stays text.
"""

from __future__ import annotations

from typing import Final

import duckdb

_ENGLISH: Final = r"[-+]?\s?[$€£¥]?\s?[-+]?(\d{1,3}(,\d{3})+|[1-9]\d*|0)(\.\d+)?\s?[$€£¥%]?"
_CONTINENTAL: Final = r"[-+]?\s?[$€£¥]?\s?[-+]?(\d{1,3}(\.\d{3})+|[1-9]\d*|0)(,\d+)?\s?[$€£¥%]?"
_MARK: Final = r".*[,$€£¥%].*|.*\.\d{3}\..*"
_MAX_COLUMNS: Final = 200


def convert_numbers(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Make numbers of the text columns of a loaded table that hold nothing else.

    Args:
        connection: The loader's own, before the database is locked down.
        table: Name of the table.

    Returns:
        Names of the columns that were converted. Shares (``12%``) become fractions (0.12).
    """
    described = connection.execute(f"DESCRIBE {_quoted(table)}").fetchall()
    texts = [str(row[0]) for row in described if row[1] == "VARCHAR"][:_MAX_COLUMNS]
    if not texts:
        return []
    counts = ", ".join(
        f"count(CASE WHEN trim({c}) <> '' THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $english) THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $continental) THEN 1 END), "
        f"count(CASE WHEN regexp_full_match(trim({c}), $mark) THEN 1 END), "
        f"count(CASE WHEN {c} LIKE '%\\%' ESCAPE '\\' THEN 1 END)"
        for c in map(_quoted, texts)
    )
    known = {"english": _ENGLISH, "continental": _CONTINENTAL, "mark": _MARK}
    row = connection.execute(f"SELECT {counts} FROM {_quoted(table)}", known).fetchall()[0]  # noqa: S608
    converted = []
    for i, column in enumerate(texts):
        filled, english, continental, marked, shares = (int(n) for n in row[5 * i : 5 * i + 5])
        if not filled or not marked or shares not in {0, filled} or filled not in {english, continental}:
            continue
        digits = f"regexp_replace({_quoted(column)}, '[^0-9.,-]', '', 'g')"
        plain = f"replace({digits}, ',', '')" if english == filled else f"replace(replace({digits}, '.', ''), ',', '.')"
        number = f"CAST(nullif({plain}, '') AS DOUBLE)" + (" / 100" if shares else "")
        connection.execute(f"ALTER TABLE {_quoted(table)} ALTER {_quoted(column)} TYPE DOUBLE USING {number}")
        converted.append(column)
    return converted


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
