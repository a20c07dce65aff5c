"""Vocabularies from CHECK constraints: a closed list of labels that the schema's owner wrote down.

Only a constraint that is a list and nothing else counts: ``status IN ('a', 'b')``, the same as PostgreSQL prints it
(``status = ANY (ARRAY['a'::text, …])``), or ``status = 'a' OR status = 'b'``. Any other literal in a constraint is
not read: a bound can be a cell value.
"""

from __future__ import annotations

import re
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from gateway.catalog import Dialect


def vocabulary(expression: str, dialect: Dialect) -> tuple[str, tuple[str, ...]] | None:
    """The labels a CHECK expression allows.

    Args:
        expression: The constraint's condition, with or without a leading ``CHECK``.
        dialect: The engine that printed it.

    Returns:
        (physical column name, labels in order), or None if it is not a plain list of texts.
    """
    text = expression.strip()
    if text[:5].upper() == "CHECK":
        text = text[5:]
    try:
        condition = sqlglot.parse_one(f"SELECT {text}", read=dialect.value).expressions[0]
    except (SqlglotError, IndexError, ValueError):
        return None
    found = _listed(_bare(condition))
    if found is None or not found[1]:
        return None
    return found[0], tuple(dict.fromkeys(found[1]))


_STRING: Final = r"'(?:[^']|'')*'"
_ESCAPED_STRING: Final = r"'(?:[^'\\]|\\.|'')*'"
_OTHER_QUOTES: Final = r"\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`"


def check_bodies(ddl: str, dialect: Dialect) -> list[str]:
    """The conditions of all ``CHECK (…)`` in a table's own text; what stands in quotes is passed over.

    Args:
        ddl: The text of CREATE TABLE as the engine keeps or prints it.
        dialect: The engine; in MySQL a backslash escapes a quote.
    """
    quoted = (_ESCAPED_STRING if dialect is Dialect.MYSQL else _STRING) + "|" + _OTHER_QUOTES
    found = []
    for match in re.finditer(quoted + r"|\bCHECK\s*\(", ddl, re.IGNORECASE | re.DOTALL):
        if match[0][0] in "'\"`":
            continue
        depth, start = 1, match.end()
        for token in re.compile(quoted + "|[()]", re.DOTALL).finditer(ddl, start):
            depth += (token[0] == "(") - (token[0] == ")")
            if depth == 0:
                found.append(ddl[start : token.start()])
                break
    return found


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren | exp.Cast | exp.TryCast):
        node = node.this
    return node


def _listed(node: exp.Expr) -> tuple[str, list[str]] | None:
    if isinstance(node, exp.Or):
        one, other = _listed(_bare(node.left)), _listed(_bare(node.right))
        if one is None or other is None or one[0] != other[0]:
            return None
        return one[0], one[1] + other[1]
    if isinstance(node, exp.In) and not node.args.get("query"):
        return _labels(node.this, node.expressions)
    if isinstance(node, exp.EQ):
        right = _bare(node.expression)
        if isinstance(right, exp.Any):
            array = _bare(right.this)
            return _labels(node.this, array.expressions) if isinstance(array, exp.Array) else None
        return _labels(node.this, [right])
    return None


def _labels(column: exp.Expr, values: list[exp.Expr]) -> tuple[str, list[str]] | None:
    target = _bare(column)
    texts = [_bare(v) for v in values]
    if not isinstance(target, exp.Column) or not all(isinstance(t, exp.Literal) and t.is_string for t in texts):
        return None
    return target.name, [t.name for t in texts]
