"""The owner's named measures: ``sum(order_items.quantity * order_items.unit_price)`` as a tree, never as text.

Grammar, closed::

    metric     = aggregate "(" [ "distinct" ] expression ")"
    expression = term { ("+" | "-") term }
    term       = factor { ("*" | "/") factor }
    factor     = number | table.column | "-" factor | "(" expression ")"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

MetricAggregate = Literal["count", "count_distinct", "sum", "avg", "median", "min", "max"]
Operator = Literal["+", "-", "*", "/"]
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,15}(?:\.\d{1,9})?)|(?P<column>[A-Za-z_]\w{0,62}\.[A-Za-z_]\w{0,62})|(?P<mark>[-+*/()]))",
    re.ASCII,
)
_METRIC = re.compile(r"\s*(?P<aggregate>[A-Za-z_]+)\s*\((?P<inner>.*)\)\s*\Z", re.DOTALL)
_DISTINCT = re.compile(r"\s*distinct\s+", re.IGNORECASE)
_MAX_DEPTH = 20


class MetricInvalidError(ValueError):
    """The owner's text is not in the grammar. The message says where, not what."""


@dataclass(frozen=True, slots=True)
class ColumnNode:
    """A column, by safe names."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class NumberNode:
    """A number, kept as written so that no digit is lost."""

    text: str


@dataclass(frozen=True, slots=True)
class BinaryNode:
    """Two parts and what is done with them."""

    operator: Operator
    left: ExpressionNode
    right: ExpressionNode


ExpressionNode = ColumnNode | NumberNode | BinaryNode


def parse_metric(text: str) -> tuple[MetricAggregate, ExpressionNode]:
    """Read ``aggregate(expression)``.

    Args:
        text: As the owner wrote it; ``count(distinct a.b)`` is ``count_distinct(a.b)``, ``mean`` is ``avg``.

    Returns:
        The aggregate, and the tree of what is aggregated.

    Raises:
        MetricInvalidError: The text is not in the grammar.
    """
    match = _METRIC.match(text)
    if match is None:
        raise MetricInvalidError("a metric is written aggregate(expression)")
    name = {"mean": "avg", "average": "avg"}.get(match["aggregate"].lower(), match["aggregate"].lower())
    inner = match["inner"]
    if name == "count" and _DISTINCT.match(inner):
        name, inner = "count_distinct", _DISTINCT.sub("", inner, count=1)
    for aggregate in get_args(MetricAggregate):
        if name == aggregate:
            return aggregate, parse_expression(inner)
    raise MetricInvalidError("a metric's aggregate is one of " + ", ".join(get_args(MetricAggregate)))


@lru_cache(maxsize=512)
def parse_expression(text: str) -> ExpressionNode:
    """Read what a metric aggregates: arithmetic over columns and numbers.

    Raises:
        MetricInvalidError: The text is not in the grammar.
    """
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise MetricInvalidError(f"unexpected text at character {position + 1} of a metric")
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        position = match.end()
    reader = _Reader(tokens)
    tree = reader.expression(0)
    if reader.rest():
        raise MetricInvalidError("a metric has text after its expression")
    return tree


def columns_of(node: ExpressionNode) -> tuple[ColumnNode, ...]:
    """Every column the expression reads, in order of appearance, each once."""
    if isinstance(node, ColumnNode):
        return (node,)
    if isinstance(node, NumberNode):
        return ()
    return tuple(dict.fromkeys(columns_of(node.left) + columns_of(node.right)))


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def rest(self) -> bool:
        return self._at < len(self._tokens)

    def _next_is(self, marks: str) -> bool:
        return self.rest() and self._tokens[self._at][0] == "mark" and self._tokens[self._at][1] in marks

    def _take(self) -> tuple[str, str]:
        if not self.rest():
            raise MetricInvalidError("a metric ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def expression(self, depth: int) -> ExpressionNode:
        tree = self._term(depth)
        while self._next_is("+-"):
            tree = BinaryNode("+" if self._take()[1] == "+" else "-", tree, self._term(depth))
        return tree

    def _term(self, depth: int) -> ExpressionNode:
        tree = self._factor(depth)
        while self._next_is("*/"):
            tree = BinaryNode("*" if self._take()[1] == "*" else "/", tree, self._factor(depth))
        return tree

    def _factor(self, depth: int) -> ExpressionNode:
        if depth > _MAX_DEPTH:
            raise MetricInvalidError("a metric is nested too deeply")
        kind, text = self._take()
        if kind == "number":
            return NumberNode(text)
        if kind == "column":
            table, column = text.split(".")
            return ColumnNode(table, column)
        if text == "-":
            return BinaryNode("-", NumberNode("0"), self._factor(depth + 1))
        if text == "(":
            tree = self.expression(depth + 1)
            if not self._next_is(")"):
                raise MetricInvalidError("a metric lacks a closing bracket")
            self._take()
            return tree
        raise MetricInvalidError("a metric has a mark where a column or a number should be")
