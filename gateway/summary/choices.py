"""Labels an owner may approve: shown to the owner on their own screen, never released by themselves.

Grouped and cut off in the database: only values that enough units have come back, and only from a column with few.
"""

from __future__ import annotations

from sqlglot import exp

from gateway.catalog import Catalog
from gateway.errors import NotFoundError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.disclosure import is_label
from gateway.summary.measure import TIMEOUT_S
from gateway.summary.shapes import count_all, named_table, quoted
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope

MOST = 50


def label_choices(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: str, column: str
) -> tuple[str, ...]:
    """Values of a text column that may become labels, the commonest first.

    Returns:
        At most 50 texts that at least `min_group` units have and that look like labels; none if the column has more
        than 50 such values, as it is then no category.

    Raises:
        NotFoundError: The table or column is not in scope.
    """
    if table not in scope.tables or column not in scope.tables[table].columns:
        raise NotFoundError("no such column in scope")
    rule = config.rule(table)
    subject = rule.subject if rule else None
    needed = {column} | ({subject} if subject else set())
    barrier = scoped_tables(catalog, scope, {table: needed})
    value = quoted(column)
    units = exp.Count(this=exp.Distinct(expressions=[quoted(subject)])) if subject else count_all()
    enough = exp.GTE(this=units, expression=exp.Literal.number(config.thresholds.min_group))
    tree = (
        exp.Select(expressions=[value])
        .from_(named_table(CTE_PREFIX + table))
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())))
        .group_by(value.copy())
        .having(enough)
        .order_by(exp.Ordered(this=count_all(), desc=True, nulls_first=False), value.copy())
        .limit(MOST + 1)
    )
    tree.set("with_", exp.With(expressions=list(barrier.ctes)))
    statement = tree.sql(dialect=catalog.dialect.value, comments=False)
    found = source.aggregate(statement, dict(barrier.parameters), timeout_s=TIMEOUT_S)
    if len(found) > MOST:
        return ()
    return tuple(text for (text,) in found if isinstance(text, str) and is_label(text))
