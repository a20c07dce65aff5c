"""What a statement does, read from its text alone: pure, so that it can be kept by text.

Everything that does not depend on who asks is decided here: one SELECT, only known parts, base tables only within
scope CTEs, every name resolved. Whether the tables, columns, filters and values are those of *this* scope is decided
by `gateway.chart.prove` from the facts, every time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import sqlglot
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.chart.prove.grammar import FUNCTIONS, JOINS, NODES, NUMBERS, TYPES, WINDOW_ENDS, WORDS
from gateway.chart.prove.lexer import STRUCTURAL, check_characters
from gateway.chart.prove.nodes import alias_name, conjuncts, given, mark, number_text, plain_name, refuse, unwrapped
from gateway.chart.prove.scope_cte import ScopeCte, ScopeCteReader

_SCOPE_CTE = re.compile(r"s_([A-Za-z_][A-Za-z0-9_]{0,62})\Z", re.ASCII)
_OTHER_CTE = re.compile(r"(top|bins)_[1-9][0-9]?\Z", re.ASCII)
_MAX_NODES = 20_000
Environment = tuple[Mapping[str, str], ...]
"""Aliases in reach, innermost last: alias -> CTE it stands for, or "" for a derived table."""


@dataclass(slots=True)
class Facts:
    """All there is to know of a statement to decide whether it stays in a scope."""

    ctes: dict[str, ScopeCte] = field(default_factory=dict)
    references: set[tuple[str, str]] = field(default_factory=set)
    scope_marks: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    outputs: tuple[str, ...] = ()
    limit: int = 0


@lru_cache(maxsize=2048)
def read_facts(statement: str, dialect: Dialect) -> Facts:
    """Read a statement.

    Returns:
        Its facts; not to be changed, as they are kept.

    Raises:
        ScopeRefusedError: Not one SELECT of the known parts, or it cannot be parsed.
    """
    check_characters(statement, dialect)
    trees = sqlglot.parse(statement, read=dialect.value)
    if len(trees) != 1 or type(trees[0]) is not exp.Select:
        raise refuse("it is not one SELECT")
    return _Reader(dialect).read(trees[0])


class _Reader:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._facts = Facts()
        self._others: set[str] = set()
        self._nodes = 0

    def read(self, select: exp.Select) -> Facts:
        names: set[str] = set()
        with_ = select.args.get("with_")
        if type(with_) is not exp.With or set(given(with_)) != {"expressions"}:
            raise refuse("it reads nothing through a scope")
        scoped = ScopeCteReader(self._facts.ctes, self._facts.scope_marks)
        for cte in with_.expressions:
            name = self._cte_name(cte)
            if name.casefold() in names:
                raise refuse("two CTEs have one name")
            names.add(name.casefold())
            match = _SCOPE_CTE.match(name)
            if match:
                self._facts.ctes[name] = scoped.read(cte, match[1])
            elif _OTHER_CTE.match(name) and not cte.args.get("materialized"):
                self._query(cte.this, ())
                self._others.add(name)
            else:
                raise refuse("a CTE has an unknown name")
        for found in self._facts.ctes.values():
            if len(found.physical) == 1 and found.physical[0].casefold() in names:
                raise refuse("a base table has the name of a CTE")
        self._query(select, (), top=True)
        return self._facts

    def _cte_name(self, cte: exp.Expr) -> str:
        if type(cte) is not exp.CTE or not set(given(cte)) <= {"this", "alias", "materialized"}:
            raise refuse("a CTE has an unknown part")
        return alias_name(cte.args.get("alias"))

    def _query(self, query: exp.Expr, outer: Environment, *, top: bool = False) -> None:
        if type(query) is exp.Union:
            # sqlglot writes UNION DISTINCT as distinct=True.
            if query.args.get("distinct") or set(given(query)) != {"this", "expression"}:
                raise refuse("a union is not a plain UNION ALL")
            self._query(query.this, outer)
            self._query(query.expression, outer)
            return
        if type(query) is not exp.Select:
            raise refuse("a statement within is not a SELECT")
        self._shape(query)
        if not top and query.args.get("with_") is not None:
            raise refuse("a WITH stands within")
        aliases: dict[str, str] = {}
        self._source(query.args.get("from_"), aliases)
        for join in query.args.get("joins") or ():
            self._source(join, aliases)
        here = (*outer, aliases)
        for join in query.args.get("joins") or ():
            self._join(join, here)
        for part in query.expressions:
            if type(part) is not exp.Alias and not (outer and type(part) in {exp.Literal, exp.Column}):
                raise refuse("an output has no name")
            self._visit(part, here)
        for clause in ("where", "group", "order"):
            if query.args.get(clause) is not None:
                self._visit(query.args[clause], here)
        self._limit(query, top=top)
        if top:
            self._facts.outputs = tuple(plain_name(part.args.get("alias")) for part in query.expressions)

    def _limit(self, query: exp.Select, *, top: bool) -> None:
        limit = query.args.get("limit")
        if limit is None:
            if top:
                raise refuse("there is no LIMIT")
            return
        self._shape(limit)
        number = number_text(limit.expression)
        if not number.isdecimal() or len(number) > 9:
            raise refuse("a LIMIT is not a plain number")
        if top:
            self._facts.limit = int(number)

    def _source(self, node: exp.Expr | None, aliases: dict[str, str]) -> None:
        """Note what one FROM or JOIN brings in: a CTE of this statement, or a statement within."""
        if type(node) not in {exp.From, exp.Join}:
            raise refuse("a FROM is missing")
        source = node.this if node is not None else None
        if type(source) is exp.Table:
            self._shape(source)
            name = plain_name(source.this)
            if source.args.get("db") or source.args.get("catalog"):
                raise refuse("a base table is read outside a scope CTE")
            if name not in self._facts.ctes and name not in self._others:
                raise refuse("a table that is no scope CTE is read")
            alias = alias_name(source.args["alias"]) if source.args.get("alias") else name
            stands_for = name
        elif type(source) is exp.Subquery:
            self._shape(source)
            alias, stands_for = alias_name(source.args.get("alias")), ""
            self._query(source.this, ())
        else:
            raise refuse("a FROM reads something unknown")
        if alias.casefold() in {known.casefold() for known in aliases}:
            raise refuse("two sources have one name")
        aliases[alias] = stands_for

    def _join(self, join: exp.Join, here: Environment) -> None:
        self._shape(join)
        kind = (str(join.args.get("side") or ""), str(join.args.get("kind") or ""))
        on = join.args.get("on")
        if kind not in JOINS:
            raise refuse("a join of an unknown kind")
        if kind[1] == "CROSS":
            if on is not None or type(join.this) is not exp.Table or not plain_name(join.this.this).startswith("bins_"):
                raise refuse("a cross join with more than one row")
            return
        for test in conjuncts(on) if on is not None else (exp.Null(),):
            plain = unwrapped(test)
            if type(plain) is not exp.EQ or {type(plain.this), type(plain.expression)} != {exp.Column}:
                raise refuse("a join without a key")
            self._visit(plain, here)

    def _visit(self, node: exp.Expr, here: Environment) -> None:
        self._shape(node)
        if isinstance(node, exp.Column):
            self._column(node, here)
            return
        if isinstance(node, exp.Subquery | exp.Select | exp.Union):
            inner = node.this if isinstance(node, exp.Subquery) else node
            if isinstance(node, exp.Subquery) and node.args.get("alias") is not None:
                raise refuse("a value has the shape of a table")
            self._query(inner, here)
            return
        if self._leaf(node):
            for child in node.iter_expressions():
                self._visit(child, here)

    def _column(self, node: exp.Column, here: Environment) -> None:
        if type(node.this) is not exp.Identifier or node.args.get("table") is None:
            raise refuse("a column without its table")
        table, name = plain_name(node.args["table"]), plain_name(node.this)
        for aliases in reversed(here):
            if table in aliases:
                if aliases[table] in self._facts.ctes:
                    self._facts.references.add((aliases[table], name))
                return
        raise refuse("a column of an unknown table")

    def _leaf(self, node: exp.Expr) -> bool:
        """Check what a node says by itself; whether its parts are to be looked at as well."""
        if isinstance(node, exp.Placeholder):
            self._facts.marks.add(mark(node))
            return False
        if isinstance(node, exp.Anonymous) and str(node.this).upper() not in FUNCTIONS[self._dialect]:
            raise refuse("an unknown function")
        if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
            raise refuse("a star")
        if isinstance(node, exp.Table):
            raise refuse("a table in a place for values")
        if isinstance(node, exp.WindowSpec):
            _check_frame(node)
        elif isinstance(node, exp.Identifier):
            plain_name(node)
        else:
            _check_word(node)
        return True

    def _shape(self, node: exp.Expr) -> None:
        """Every node is of a known type and has only known parts."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise refuse("it is too long")
        kind = type(node)
        parts = frozenset({"this", "expressions"}) if kind is exp.Anonymous else NODES.get(kind)
        if parts is None:
            raise refuse(f"unknown part {kind.__name__}")
        for part in given(node):
            if part not in parts:
                raise refuse(f"unknown part {part} of {kind.__name__}")
        if node.comments:
            raise refuse("a comment")


def _check_word(node: exp.Expr) -> None:
    """Literals, bare words and types are on their lists."""
    if isinstance(node, exp.Literal):
        if node.this not in (STRUCTURAL if node.is_string else NUMBERS):
            raise refuse("a literal that is not bound")
    elif isinstance(node, exp.Var):
        if str(node.this).upper() not in WORDS:
            raise refuse("an unknown word")
    elif isinstance(node, exp.DataType) and str(getattr(node.this, "value", node.this)) not in TYPES:
        raise refuse(f"an unknown type {getattr(node.this, 'value', '')}")


def _check_frame(node: exp.WindowSpec) -> None:
    if node.args.get("kind") not in {"ROWS", "RANGE"}:
        raise refuse("an unknown window frame")
    for end in ("start", "end"):
        value = node.args.get(end)
        if isinstance(value, str) and value not in WINDOW_ENDS:
            raise refuse("an unknown window frame")
