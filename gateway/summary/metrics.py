"""The owner's metrics as facts of a Summary: only those whose every column is in scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.chart.metric import BinaryNode, ColumnNode, ExpressionNode, NumberNode, columns_of, parse_metric
from gateway.chart.paths import AmbiguousPathError, NoPathError, graph_of
from gateway.errors import ConfigError
from gateway.project import SourceConfig
from gateway.summary.model import Link, Metric
from gateway.tenancy.scope import Scope


def metrics_in(scope: Scope, config: SourceConfig, links: Iterable[Link]) -> Iterator[Metric]:
    """Metrics of a source that this scope may know.

    Raises:
        ConfigError: A metric reads columns of tables that no relationship joins; names the metric.
    """
    known = tuple(links)
    for name, rule in config.metrics.items():
        aggregate, tree = parse_metric(rule.expression)
        columns = columns_of(tree)
        if not all(c.table in scope.tables and c.column in scope.tables[c.table].columns for c in columns):
            continue
        yield Metric(
            name=name,
            table=_root(name, columns, known),
            aggregate=aggregate,
            expression=_text(tree),
            format=rule.format,
            description=rule.description,
            synonyms=rule.synonyms,
        )


def _root(name: str, columns: tuple[ColumnNode, ...], links: tuple[Link, ...]) -> str:
    """The table whose rows are aggregated: the one from which all others are reached, many to one."""
    tables = list(dict.fromkeys(column.table for column in columns))
    graph = graph_of(links)
    for root in tables:
        try:
            for target in tables:
                graph.path(root, target)
        except (NoPathError, AmbiguousPathError):
            continue
        return root
    raise ConfigError(f"metric '{name}': no relationship joins its tables" if tables else f"metric '{name}': no column")


def _text(node: ExpressionNode) -> str:
    if isinstance(node, NumberNode):
        return node.text
    if isinstance(node, ColumnNode):
        return f"{node.table}.{node.column}"
    return f"{_inner(node.left)} {node.operator} {_inner(node.right)}"


def _inner(node: ExpressionNode) -> str:
    return f"({_text(node)})" if isinstance(node, BinaryNode) else _text(node)
