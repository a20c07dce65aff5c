"""Small readers of a parsed tree, each of which refuses what it does not expect."""

from __future__ import annotations

from sqlglot import exp

from gateway.errors import ScopeRefusedError


def refuse(why: str) -> ScopeRefusedError:
    """The checker's one way to say no. `why` names parts of SQL, never values."""
    return ScopeRefusedError(f"the statement was not proved: {why}", stage="prove")


def given(node: exp.Expr) -> list[str]:
    """Parts of a node that are there."""
    return [part for part, value in node.args.items() if value is not None and value is not False and value != []]


def plain_name(node: exp.Expr | None) -> str:
    """A quoted name."""
    if type(node) is not exp.Identifier or not node.args.get("quoted") or not isinstance(node.this, str):
        raise refuse("a name without quotes")
    return node.this


def alias_name(node: exp.Expr | None) -> str:
    """A table alias that is a name and nothing more."""
    if type(node) is not exp.TableAlias or set(given(node)) != {"this"}:
        raise refuse("a table alias with more than a name")
    return plain_name(node.this)


def bare_column(node: exp.Expr) -> str:
    """A column named without its table."""
    if type(node) is not exp.Column or set(given(node)) != {"this"}:
        raise refuse("a scope CTE computes something")
    return plain_name(node.this)


def collated(node: exp.Collate, *names: str) -> exp.Expr:
    """What is compared by one of the named collations. No engine has more than one of them."""
    collation = node.expression
    word = collation.this if type(collation) in {exp.Var, exp.Identifier} else getattr(collation, "name", "")
    if str(word) not in names:
        raise refuse("an unknown collation")
    return node.this if isinstance(node.this, exp.Expr) else node


def type_name(node: exp.Cast) -> str:
    """Name of the type a value is cast to."""
    kind = node.args["to"].this
    return str(getattr(kind, "name", kind))


def utf8(node: exp.Expr) -> exp.Expr:
    """What is cast to text of MySQL's full character set."""
    kind = node.args["to"].args.get("kind") if type(node) is exp.Cast else None
    if not isinstance(node.this, exp.Expr) or type(kind) is not exp.Var or kind.this != "utf8mb4":
        raise refuse("an unknown character set")
    return node.this


def number_text(node: exp.Expr | None) -> str:
    """A number as written."""
    if type(node) is not exp.Literal or node.is_string:
        raise refuse("a number is missing")
    return str(node.this)


def mark(node: exp.Placeholder) -> str:
    """Name of a parameter."""
    name = node.this
    text = name.this if isinstance(name, exp.Identifier) else name
    if not isinstance(text, str) or not text:
        raise refuse("a parameter without a name")
    return text


def unwrapped(node: exp.Expr) -> exp.Expr:
    """What stands within brackets."""
    while type(node) is exp.Paren and set(given(node)) == {"this"}:
        node = node.this
    return node


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that are joined by AND."""
    node = unwrapped(node)
    if type(node) is exp.And:
        return conjuncts(node.this) + conjuncts(node.expression)
    return [node]
