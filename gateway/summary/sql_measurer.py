"""Puts the questions of a summary as SQL: one statement a table, one for paths, one for a guessed relationship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from gateway.catalog import Column, Dialect, Relationship, Table
from gateway.errors import QueryError
from gateway.project import SourceConfig
from gateway.summary.asking import Ask
from gateway.summary.engine import engine_for
from gateway.summary.inclusion import inclusion
from gateway.summary.measured import PathMeasured, TableMeasured
from gateway.summary.measurer import Answer, Inclusion, Within, subject_of
from gateway.summary.nested import measure_paths
from gateway.summary.shapes import count_all, named_table, quoted
from gateway.summary.spread_statement import spread
from gateway.summary.statement import Statement, build, count_rows
from gateway.tenancy.barrier import CTE_PREFIX, Barrier, scoped_tables


class SqlMeasurer:
    """Asks in SQL.

    Args:
        dialect: The engine.

    Raises:
        ConfigError: Summaries are not written for it.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._engine = engine_for(dialect)

    @property
    def columns_at_once(self) -> int:
        """Columns of one statement."""
        return self._engine.columns_at_once

    @property
    def sample_above(self) -> int:
        """Rows above which only a sample is looked at."""
        return self._engine.sample_above

    @property
    def sample_rows(self) -> int:
        """Largest sample in rows."""
        return self._engine.sample_rows

    def count(self, within: Within, table: Table) -> int:
        """Rows of a table in scope."""
        barrier = scoped_tables(within.catalog, within.scope, {table.name: set()})
        text = self._text(count_rows(table.name, barrier))
        counted = within.source.aggregate(text, dict(barrier.parameters), timeout_s=within.timeout_s)
        return _whole(counted[0][0]) if counted else 0

    def answer(self, within: Within, ask: Ask) -> Answer:
        """Everything that is asked of some columns of a table, in one statement."""
        names = {column.name for column in ask.columns} | ({ask.subject} if ask.subject else set())
        barrier = scoped_tables(within.catalog, within.scope, {ask.table.name: names})
        return self._answer(within, build(ask, barrier, self._engine), barrier)

    def spread(
        self,
        within: Within,
        measured: TableMeasured,
        edges: Mapping[str, tuple[float, ...]],
        paired: Sequence[str],
    ) -> Answer:
        """Rows up to each edge, and pairs of columns, in one statement."""
        barrier = scoped_tables(within.catalog, within.scope, {measured.name: {*edges, *paired}})
        return self._answer(within, spread(measured, edges, paired, barrier, self._engine), barrier)

    def paths(self, within: Within, config: SourceConfig, table: Table, column: Column) -> tuple[PathMeasured, ...]:
        """Paths within a column of documents (`gateway.summary.nested`)."""
        return measure_paths(within, config, table, column)

    def common(self, within: Within, config: SourceConfig, table: Table, column: str, *, most: int) -> list[object]:
        """Values of a column that enough units have, the commonest first."""
        subject, least = subject_of(config, table), config.thresholds.min_group
        barrier = scoped_tables(
            within.catalog, within.scope, {table.name: {column} | ({subject} if subject else set())}
        )
        value = quoted(column)
        units = exp.Count(this=exp.Distinct(expressions=[quoted(subject)])) if subject else count_all()
        enough = exp.GTE(this=units, expression=exp.Literal.number(least))
        tree = (
            exp.Select(expressions=[value])
            .from_(named_table(CTE_PREFIX + table.name))
            .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
            .group_by(value.copy())
            .having(enough)
            .order_by(exp.Ordered(this=count_all(), desc=True, nulls_first=False), value.copy())
            .limit(most)
        )
        tree.set("with_", exp.With(expressions=list(barrier.ctes)))
        found = within.source.aggregate(self._text(tree), dict(barrier.parameters), timeout_s=within.timeout_s)
        return [row[0] for row in found]

    def inclusion(self, within: Within, link: Relationship) -> Inclusion:
        """How far the values of a child column are keys of its supposed parent."""
        child, parent = link.columns[0], link.parent_columns[0]
        needed = {link.table: {child}, link.parent: {parent}}
        if link.table == link.parent:
            needed = {link.table: {child, parent}}
        barrier = scoped_tables(within.catalog, within.scope, needed)
        tree = inclusion(link)
        tree.set("with_", exp.With(expressions=list(barrier.ctes)))
        answer = within.source.aggregate(self._text(tree), dict(barrier.parameters), timeout_s=within.timeout_s)
        rows, values, matched, parent_rows, parent_keys = (_whole(cell) for cell in answer[0])
        return rows, values, matched, parent_rows, parent_keys

    def _answer(self, within: Within, statement: Statement, barrier: Barrier) -> Answer:
        found = within.source.aggregate(
            self._text(statement.tree), dict(barrier.parameters), timeout_s=within.timeout_s
        )
        if statement.keys is not None:
            if len(found) != 1:
                raise QueryError("a summary statement gave no answer", stage="summarise")
            return dict(zip(statement.keys, found[0], strict=True))
        answer: dict[str, object] = {}
        for name, *cells in found:
            answer.update(zip(statement.names[str(name)], cells, strict=False))
        return answer

    def _text(self, tree: exp.Expr) -> str:
        # The statement is used once, so it need not be copied first.
        return tree.sql(dialect=self._engine.dialect.value, comments=False, copy=False)


def _whole(cell: object) -> int:
    """A count; null, as the sum over no rows gives, is none."""
    return int(str(cell or 0))
