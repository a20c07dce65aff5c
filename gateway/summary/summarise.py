"""Stage 2. From a datasource and a scope to a Summary: all that a model may know.

In: an opened source, its catalog, the scope of who asks, the owner's rules. Out: a Summary. Proved: every statistic is
of rows in the scope (the scope barrier stands in every statement), each passed the rule table, a new release is far
enough from the last one (`gateway.summary.gate`), and no row was fetched. Partial results are kept: a table whose
statistics cannot be had shows its last release, or its names and types.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal

from gateway.catalog import Catalog, Relationship, Table
from gateway.errors import QueryError, SourceError
from gateway.project import SourceConfig
from gateway.sources.address import place_of
from gateway.sources.base import Source
from gateway.summary.disclosure import Released, release_unmeasured
from gateway.summary.gate import Gate, column_fingerprint
from gateway.summary.measure import TIMEOUT_S, approved_labels, measure
from gateway.summary.metrics import metrics_in
from gateway.summary.model import Link, Summary, TableSummary
from gateway.summary.relate import candidates, owner_links, probe
from gateway.summary.releases import Releases, releases_of
from gateway.summary.semantic import is_key, semantic_of
from gateway.summary.spread import with_spread
from gateway.tenancy.scope import Scope

CLOCK = time.time
"""Seconds since 1970, for the gate."""
_NAMED = 5
_STOPPED = "query_cancelled"
"""The source was closed: what is half done is dropped, and not taken for what there is to know."""
_UNTESTED: Final = "untested"
WORKERS = 2
"""Tables measured at once; a database behind a product has other work to do."""


def summarise(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    config: SourceConfig,
    *,
    progress: Callable[[TableDone], None] | None = None,
    releases: Releases | None = None,
    workers: int = WORKERS,
) -> Summary:
    """Summarise every table in scope.

    Args:
        source: The opened source; `aggregate` is called from up to `workers` threads.
        catalog: Its structure.
        scope: The right of who asks; nothing outside it is read.
        config: The owner's rules, words and thresholds.
        progress: Told of each table that is done, from any of the threads.
        releases: Where last releases are kept; with the opened source, if None.
        workers: Tables measured at once.

    Raises:
        ConfigError: Summaries are not written for the engine, or a metric's tables are not joined.
        QueryError: The source was closed meanwhile (``query_cancelled``).
        ScopeRefusedError: The scope does not fit the catalog.
    """
    tables = [table for table in catalog.tables if table.name in scope.tables]
    place = place_of(config)
    gate = Gate(
        releases or releases_of(source),
        lambda table: f"{place}|{scope.rows_key(table)}",
        config.thresholds,
        privacy=config.privacy,
        clock=CLOCK,
    )
    told = _Progress(progress, len(tables))

    def one(table: Table) -> Released[TableSummary]:
        released, trouble = _release(source, catalog, scope, config, table, gate)
        told.done(table.name, trouble)
        return released

    def tested_link(guess: Relationship) -> Released[Link] | Literal["untested"] | None:
        try:
            return probe(source, catalog, scope, config, guess, timeout_s=TIMEOUT_S)
        except (QueryError, SourceError) as error:
            if error.code == _STOPPED:
                raise
            return _UNTESTED

    with ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="summarise") as pool:
        released = list(pool.map(one, tables))
        links = owner_links(catalog, scope, config)
        links_key = f"{place}|{scope.data_key()}"
        inferred = gate.links(links_key) if config.relationships.infer and config.privacy is None else ()
        if inferred is None:
            guesses = candidates(catalog, scope, config, links)
            tested = [link for link in pool.map(tested_link, guesses) if link is not _UNTESTED]
            inferred = tuple(link.value for link in tested if isinstance(link, Released))
            if len(tested) == len(guesses):
                # What could not be tested now is tested again next time; what was is not.
                inferred = gate.keep_links(links_key, inferred)
    return assemble(released, (*links, *inferred), catalog, scope, config)


def assemble(
    released: Iterable[Released[TableSummary]],
    links: tuple[Link, ...],
    catalog: Catalog,
    scope: Scope,
    config: SourceConfig,
) -> Summary:
    """Join released tables with the owner's words. Takes no statistic that disclosure control did not release."""
    return Summary(
        source=config.name,
        tables=tuple(_described(table.value, catalog, config) for table in released),
        links=links,
        metrics=tuple(metrics_in(scope, config, links)),
        currency=config.currency,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDone:
    """How far a summary is: names, counts and error codes, never a value.

    Attributes:
        table: The table that is done.
        done: Tables done so far, of `of`.
        trouble: What could not be had of it, in a sentence without its subject; empty if all is well.
    """

    table: str
    done: int
    of: int
    trouble: str = ""

    def __str__(self) -> str:
        return f"{self.done}/{self.of} {self.table}"


class _Progress:
    """Counts tables that are done; called from the worker threads."""

    def __init__(self, tell: Callable[[TableDone], None] | None, total: int) -> None:
        self._tell, self._total, self._done = tell, total, count(1)

    def done(self, table: str, trouble: str) -> None:
        done = next(self._done)
        if self._tell is not None:
            self._tell(TableDone(table=table, done=done, of=self._total, trouble=trouble))


def _release(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: Table, gate: Gate
) -> tuple[Released[TableSummary], str]:
    columns = {c.name: c.type for c in table.columns if c.name in scope.tables[table.name].columns}
    rule = config.rule(table.name)
    subject = rule.subject if rule else None
    marks = {
        name: column_fingerprint(
            kind.value,
            approved_labels(config, table.name, table.by_name[name]),
            config.column_rule(table.name, name).bounds,
        )
        for name, kind in columns.items()
    }
    standing = gate.standing(table.name, subject=subject, columns=marks)
    if standing is not None:
        return standing, ""
    try:
        measured = measure(source, catalog, scope, config, table)
        measured = with_spread(source, catalog, scope, config, table, measured)
    except (QueryError, SourceError) as error:
        if error.code == _STOPPED:
            raise
        last = gate.served(table.name, subject=subject, columns=marks)
        if last is not None:
            return last, f"cannot be read now, so its last release is served ({error.code})"
        return release_unmeasured(table.name, columns), f"cannot be read now: names and types only ({error.code})"
    return gate.release(measured, subject=subject, columns=marks), _uncounted(measured.uncounted)


def _uncounted(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"nothing could be counted of {', '.join(names[:_NAMED])}{more}: name and type only"


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
