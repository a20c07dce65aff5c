"""Stage 2. From a datasource and a scope to a Summary: all that a model may know.

In: an opened source, its catalog, the scope of who asks, the owner's rules. Out: a Summary. Proved: every statistic is
of rows in the scope (the scope barrier stands in every statement), each passed the rule table, and no row was fetched.
Partial results are kept: a table whose statistics cannot be had keeps its names and types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from gateway.catalog import Catalog, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.summary.disclosure import Released, release_table, release_unmeasured
from gateway.summary.measure import measure
from gateway.summary.metrics import metrics_in
from gateway.summary.model import Link, Summary, TableSummary
from gateway.summary.semantic import is_key, semantic_of
from gateway.tenancy.scope import Scope

WORKERS = 2
"""Tables measured at once; a database behind a product has other work to do."""


def summarise(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    config: SourceConfig,
    *,
    progress: Callable[[str], None] | None = None,
    workers: int = WORKERS,
) -> Summary:
    """Summarise every table in scope.

    Args:
        source: The opened source; `aggregate` is called from up to `workers` threads.
        catalog: Its structure.
        scope: The right of who asks; nothing outside it is read.
        config: The owner's rules, words and thresholds.
        progress: Called with one line per table, names only.
        workers: Tables measured at once.

    Raises:
        ConfigError: Summaries are not written for the engine.
        ScopeRefusedError: The scope does not fit the catalog.
    """
    tables = [table for table in catalog.tables if table.name in scope.tables]
    done = 0

    def one(table: Table) -> Released[TableSummary]:
        nonlocal done
        try:
            measured = measure(source, catalog, scope, config, table)
            released, state = release_table(measured, config.thresholds), "done"
        except (QueryError, SourceError) as error:
            visible = scope.tables[table.name].columns
            columns = {c.name: c.type for c in table.columns if c.name in visible}
            released, state = release_unmeasured(table.name, columns), f"no statistics ({error.code})"
        done += 1
        if progress is not None:
            progress(f"{done}/{len(tables)} {table.name}: {state}")
        return released

    with ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="summarise") as pool:
        released = list(pool.map(one, tables))
    return assemble(released, catalog, scope, config)


def assemble(
    released: Iterable[Released[TableSummary]], catalog: Catalog, scope: Scope, config: SourceConfig
) -> Summary:
    """Join released tables with the owner's words. Takes nothing that disclosure control did not release."""
    tables = tuple(_described(table.value, catalog, config) for table in released)
    links = tuple(_links(catalog, scope))
    return Summary(
        source=config.name,
        tables=tables,
        links=links,
        metrics=tuple(metrics_in(scope, config, links)),
        currency=config.currency,
    )


def _described(table: TableSummary, catalog: Catalog, config: SourceConfig) -> TableSummary:
    known = catalog.by_name[table.name]
    rule = config.rule(table.name)
    columns = []
    for column in table.columns:
        words = config.column_rule(table.name, column.name)
        comment = known.by_name[column.name].comment if config.comments else ""
        meaning = words.semantic or semantic_of(column, key=is_key(known, known.by_name[column.name], catalog))
        said = {"semantic": meaning, "description": words.description or comment[:200], "synonyms": words.synonyms}
        columns.append(column.model_copy(update=said))
    names = {column.name for column in columns}
    return table.model_copy(
        update={
            "columns": tuple(columns),
            "primary_key": known.primary_key if set(known.primary_key) <= names else (),
            "description": (rule.description if rule else "") or (known.comment[:200] if config.comments else ""),
            "synonyms": rule.synonyms if rule else (),
        }
    )


def _links(catalog: Catalog, scope: Scope) -> Iterable[Link]:
    for link in catalog.relationships:
        child, parent = scope.tables.get(link.table), scope.tables.get(link.parent)
        if child and parent and child.columns >= set(link.columns) and parent.columns >= set(link.parent_columns):
            yield Link(
                table=link.table,
                columns=link.columns,
                parent=link.parent,
                parent_columns=link.parent_columns,
                origin=link.origin,
            )
