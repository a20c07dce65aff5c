"""Vocabularies from CHECK constraints: a closed list of labels that the schema's owner wrote down.

Only a constraint that is a list and nothing else counts: ``status IN ('a', 'b')``, the same as PostgreSQL prints it
(``status = ANY (ARRAY['a'::text, …])``), or ``status = 'a' OR status = 'b'``. Any other literal in a constraint is
not read: a bound can be a cell value.
"""

from __future__ import annotations

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
