"""Names and texts written into statements that this package makes itself; never words of a question."""

from __future__ import annotations


def quoted(identifier: str) -> str:
    """A name in SQL's own quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a literal of an engine without backslash escapes (DuckDB)."""
    return "'" + text.replace("'", "''") + "'"
