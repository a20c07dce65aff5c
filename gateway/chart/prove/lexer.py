"""The checker's own reading of the characters of a statement, before any parser sees it.

Parsers and databases disagree about comments, backslashes and quotes (SECURITY model D 2, 8). So only characters and
strings on which nobody can disagree pass: one line, no comment, no semicolon, no backslash outside a quoted name, no
text literal but a few words of the engines' own language.
"""

from __future__ import annotations

import re

from gateway.catalog import Dialect
from gateway.errors import ScopeRefusedError

MAX_CHARACTERS = 200_000
STRUCTURAL = frozenset(
    {"year", "quarter", "month", "week", "day", "hour", "start of month", "start of year", " months", "-6 days",
     "weekday 0", "weekday 6", "%Y", "%m", "%d", "%w", "%H", "%Y-%m-%dT%H:00:00", "%Y-%m-%dT%H:%M:%S",
     "YEAR", "QUARTER", "MONTH", "WEEK", "HOUR", "UTC"}
)  # fmt: skip
"""Every text literal a statement may hold: units and formats of DATE_TRUNC, DATE and STRFTIME."""

_MARK = {
    Dialect.DUCKDB: r"\$[a-z][a-z0-9_]*",
    Dialect.SQLITE: r":[a-z][a-z0-9_]*",
    Dialect.MYSQL: r":[a-z][a-z0-9_]*",
    Dialect.POSTGRES: r"%\([a-z][a-z0-9_]*\)s",
    Dialect.SPARK: r":[a-z][a-z0-9_]*",
}
_BACKTICKED = r"`(?:[^`\x00]|``)+`"
_NAME = {Dialect.MYSQL: _BACKTICKED, Dialect.SPARK: _BACKTICKED}
_PLAIN_NAME = r'"(?:[^"\x00]|"")+"'
_REST = (
    r"'(?P<text>[A-Za-z0-9 %:-]*)'(?!')|[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?(?![A-Za-z0-9_])"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|\|\||//|<=|>=|<>|-(?!-)|/(?!\*)|\*(?!/)|[ (),.=<>+%]"
)
_TOKEN = {
    dialect: re.compile(rf"{mark}|(?P<name>{_NAME.get(dialect, _PLAIN_NAME)})|{_REST}", re.ASCII)
    for dialect, mark in _MARK.items()
}


def check_characters(statement: str, dialect: Dialect) -> None:
    """Refuse a statement that a database could read in another way than the parser does.

    Raises:
        ScopeRefusedError: An unknown engine, too long, or a character sequence that is not on the list.
    """
    token = _TOKEN.get(dialect)
    # Every statement reads through a scope CTE, so it starts with one. Nothing else is worth a parser's time, or its
    # warning: sqlglot logs the start of what it does not know.
    if token is None or len(statement) > MAX_CHARACTERS or not statement.startswith("WITH "):
        raise ScopeRefusedError("the checker does not know such statements", stage="prove")
    position = 0
    while position < len(statement):
        match = token.match(statement, position)
        if match is None:
            raise ScopeRefusedError("the statement holds characters the checker does not know", stage="prove")
        text = match["text"]
        if text is not None and text not in STRUCTURAL:
            raise ScopeRefusedError("the statement holds a text literal", stage="prove")
        position = match.end()
