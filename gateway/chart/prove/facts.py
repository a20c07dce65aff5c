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
from typing import Literal

import sqlglot
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.chart.prove.grammar import FUNCTIONS, JOINS, NODES, NUMBERS, TYPES, WINDOW_ENDS, WORDS
from gateway.chart.prove.lexer import STRUCTURAL, check_characters
from gateway.errors import ScopeRefusedError

_SCOPE_CTE = re.compile(r"s_([A-Za-z_][A-Za-z0-9_]{0,62})\Z", re.ASCII)
_OTHER_CTE = re.compile(r"(top|bins)_[1-9][0-9]?\Z", re.ASCII)
_NO_CUT = "18446744073709551615"
_MAX_NODES = 20_000
Environment = tuple[Mapping[str, str], ...]
"""Aliases in reach, innermost last: alias -> CTE it stands for, or "" for a derived table."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition of a scope CTE.

    Attributes:
        kind: ``equal`` to bound values; among the keys of a ``parent``; or ``never``.
        column: Physical name of the column tested.
        form: How it is compared: as it is, by binary collation, or by bytes.
        marks: Parameters it is compared with (``equal``).
        parent: CTE and column of the keys (``parent``).
    """

    kind: Literal["equal", "parent", "never"]
    column: str = ""
    form: Literal["plain", "binary", "bytes"] = "plain"
    marks: tuple[str, ...] = ()
    parent: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class ScopeCte:
    """One scope CTE: the only place where a base table is read."""

    table: str
    physical: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    predicates: tuple[Predicate, ...]
    materialized: bool
    limited: bool


@dataclass(slots=True)
class Facts:
    """All there is to know of a statement to decide whether it stays in a scope."""

    ctes: dict[str, ScopeCte] = field(default_factory=dict)
    references: set[tuple[str, str]] = field(default_factory=set)
    scope_marks: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    outputs: tuple[str, ...] = ()
    limit: int = 0


def refuse(why: str) -> ScopeRefusedError:
    """The checker's one way to say no. `why` names parts of SQL, never values."""
    return ScopeRefusedError(f"the statement was not proved: {why}", stage="prove")


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
        if type(with_) is not exp.With or set(_given(with_)) != {"expressions"}:
            raise refuse("it reads nothing through a scope")
        for cte in with_.expressions:
            name = self._cte_name(cte)
            if name.casefold() in names:
                raise refuse("two CTEs have one name")
            names.add(name.casefold())
            match = _SCOPE_CTE.match(name)
            if match:
                self._facts.ctes[name] = self._scope_cte(cte, match[1])
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
        if type(cte) is not exp.CTE or not set(_given(cte)) <= {"this", "alias", "materialized"}:
            raise refuse("a CTE has an unknown part")
        return _alias_name(cte.args.get("alias"))

    # Scope CTEs

    def _scope_cte(self, cte: exp.CTE, table: str) -> ScopeCte:
        body = cte.this
        if type(body) is not exp.Select or not set(_given(body)) <= {"expressions", "from_", "where", "limit"}:
            raise refuse("a scope CTE has an unknown part")
        source = body.args["from_"].this if type(body.args.get("from_")) is exp.From else None
        if type(source) is not exp.Table or not set(_given(source)) <= {"this", "db", "catalog"}:
            raise refuse("a scope CTE does not read one base table")
        physical = tuple(_name(source.args[part]) for part in ("catalog", "db", "this") if source.args.get(part))
        columns = tuple(self._projection(item) for item in body.expressions)
        where = body.args.get("where")
        predicates = tuple(self._predicate(p) for p in _conjuncts(where.this)) if where is not None else ()
        limit = body.args.get("limit")
        if limit is not None and (type(limit) is not exp.Limit or _number(limit.expression) != _NO_CUT):
            raise refuse("a scope CTE cuts its rows")
        return ScopeCte(table, physical, columns, predicates, cte.args.get("materialized") is True, limit is not None)

    def _projection(self, item: exp.Expr) -> tuple[str, str]:
        """Physical and safe name of a column let through; ``("", "one")`` if only rows are counted."""
        if type(item) is not exp.Alias:
            raise refuse("a scope CTE lets through something without a name")
        alias, value = _name(item.args.get("alias")), item.this
        if type(value) is exp.Literal and _number(value) == "1" and alias == "one":
            return "", alias
        if type(value) is exp.Cast and set(_given(value)) <= {"this", "to"} and _type(value) in {"TEXT", "VARCHAR"}:
            value = value.this
        elif type(value) is exp.Collate and type(value.this) is exp.Cast and _type(value.this) == "CHARACTER_SET":
            value = _utf8(_collated(value, "utf8mb4_bin"))
        elif type(value) is exp.Collate:
            value = _collated(value, "BINARY")
        return _bare_column(value), alias

    def _predicate(self, test: exp.Expr) -> Predicate:
        if type(test) is exp.Boolean and not test.this:
            return Predicate("never")
        if type(test) is exp.EQ and type(test.this) is exp.Literal:
            if (_number(test.this), _number(test.expression)) != ("1", "0"):
                raise refuse("a scope CTE has an unknown condition")
            return Predicate("never")
        if type(test) is exp.In and test.args.get("query") is not None:
            return self._parent(test)
        if type(test) is exp.EQ:
            values = [test.expression]
        elif type(test) is exp.In and set(_given(test)) == {"this", "expressions"}:
            values = test.expressions
        else:
            raise refuse("a scope CTE has an unknown condition")
        form, column = self._compared(test.this)
        marks = tuple(self._scope_mark(value, form) for value in values)
        return Predicate("equal", column, form, marks)

    def _compared(self, target: exp.Expr) -> tuple[Literal["plain", "binary", "bytes"], str]:
        if type(target) is exp.Collate:
            return "binary", _bare_column(_collated(target, "BINARY"))
        if type(target) is exp.Cast and _type(target) == "BINARY":
            if type(target.this) is not exp.Cast or _type(target.this) != "CHARACTER_SET":
                raise refuse("a scope CTE compares in an unknown way")
            return "bytes", _bare_column(_utf8(target.this))
        return "plain", _bare_column(target)

    def _scope_mark(self, value: exp.Expr, form: str) -> str:
        if form == "bytes":
            if type(value) is not exp.Cast or _type(value) != "BINARY":
                raise refuse("a scope CTE compares in an unknown way")
            value = value.this
        if type(value) is not exp.Placeholder:
            raise refuse("a scope value is not bound")
        self._facts.scope_marks.add(_mark(value))
        return _mark(value)

    def _parent(self, test: exp.In) -> Predicate:
        query = test.args["query"]
        body = query.this if type(query) is exp.Subquery and set(_given(query)) == {"this"} else None
        if type(body) is not exp.Select or set(_given(body)) != {"expressions", "from_"} or len(body.expressions) != 1:
            raise refuse("a scope CTE has an unknown condition")
        source = body.args["from_"].this
        key = body.expressions[0]
        if type(source) is not exp.Table or set(_given(source)) != {"this"} or type(key) is not exp.Column:
            raise refuse("a scope CTE has an unknown condition")
        parent = _name(source.this)
        if parent not in self._facts.ctes or _name(key.args.get("table")) != parent:
            raise refuse("a scope CTE stands on a table that is not scoped before it")
        return Predicate("parent", _bare_column(test.this), parent=(parent, _name(key.this)))

    # Everything else

    def _query(self, query: exp.Expr, outer: Environment, *, top: bool = False) -> None:
        if type(query) is exp.Union:
            # sqlglot writes UNION DISTINCT as distinct=True.
            if query.args.get("distinct") or set(_given(query)) != {"this", "expression"}:
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
            self._facts.outputs = tuple(_name(part.args.get("alias")) for part in query.expressions)

    def _limit(self, query: exp.Select, *, top: bool) -> None:
        limit = query.args.get("limit")
        if limit is None:
            if top:
                raise refuse("there is no LIMIT")
            return
        self._shape(limit)
        number = _number(limit.expression)
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
            name = _name(source.this)
            if source.args.get("db") or source.args.get("catalog"):
                raise refuse("a base table is read outside a scope CTE")
            if name not in self._facts.ctes and name not in self._others:
                raise refuse("a table that is no scope CTE is read")
            alias = _alias_name(source.args["alias"]) if source.args.get("alias") else name
            stands_for = name
        elif type(source) is exp.Subquery:
            self._shape(source)
            alias, stands_for = _alias_name(source.args.get("alias")), ""
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
            if on is not None or type(join.this) is not exp.Table or not _name(join.this.this).startswith("bins_"):
                raise refuse("a cross join with more than one row")
            return
        for test in _conjuncts(on) if on is not None else (exp.Null(),):
            plain = _unwrapped(test)
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
        table, name = _name(node.args["table"]), _name(node.this)
        for aliases in reversed(here):
            if table in aliases:
                if aliases[table] in self._facts.ctes:
                    self._facts.references.add((aliases[table], name))
                return
        raise refuse("a column of an unknown table")

    def _leaf(self, node: exp.Expr) -> bool:
        """Check what a node says by itself; whether its parts are to be looked at as well."""
        if isinstance(node, exp.Placeholder):
            self._facts.marks.add(_mark(node))
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
            _name(node)
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
        for part in _given(node):
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


def _given(node: exp.Expr) -> list[str]:
    return [part for part, value in node.args.items() if value is not None and value is not False and value != []]


def _name(node: exp.Expr | None) -> str:
    if type(node) is not exp.Identifier or not node.args.get("quoted") or not isinstance(node.this, str):
        raise refuse("a name without quotes")
    return node.this


def _alias_name(node: exp.Expr | None) -> str:
    if type(node) is not exp.TableAlias or set(_given(node)) != {"this"}:
        raise refuse("a table alias with more than a name")
    return _name(node.this)


def _bare_column(node: exp.Expr) -> str:
    if type(node) is not exp.Column or set(_given(node)) != {"this"}:
        raise refuse("a scope CTE computes something")
    return _name(node.this)


def _collated(node: exp.Collate, name: str) -> exp.Expr:
    collation = node.expression
    word = collation.this if type(collation) in {exp.Var, exp.Identifier} else getattr(collation, "name", "")
    if str(word) != name:
        raise refuse("an unknown collation")
    return node.this if isinstance(node.this, exp.Expr) else node


def _type(node: exp.Cast) -> str:
    kind = node.args["to"].this
    return str(getattr(kind, "name", kind))


def _utf8(node: exp.Expr) -> exp.Expr:
    """What is cast to text of MySQL's full character set."""
    kind = node.args["to"].args.get("kind") if type(node) is exp.Cast else None
    if not isinstance(node.this, exp.Expr) or type(kind) is not exp.Var or kind.this != "utf8mb4":
        raise refuse("an unknown character set")
    return node.this


def _number(node: exp.Expr | None) -> str:
    if type(node) is not exp.Literal or node.is_string:
        raise refuse("a number is missing")
    return str(node.this)


def _mark(node: exp.Placeholder) -> str:
    name = node.this
    text = name.this if isinstance(name, exp.Identifier) else name
    if not isinstance(text, str) or not text:
        raise refuse("a parameter without a name")
    return text


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while type(node) is exp.Paren and set(_given(node)) == {"this"}:
        node = node.this
    return node


def _conjuncts(node: exp.Expr) -> list[exp.Expr]:
    node = _unwrapped(node)
    if type(node) is exp.And:
        return _conjuncts(node.this) + _conjuncts(node.expression)
    return [node]
