"""A datasource the gateway has opened, and what it has learnt of it, scope by scope (stages 1 and 2).

A Summary and a value index are derived from rows, so they are kept under the hash of the whole right to those rows
(`Scope.data_key`): another tenant, or the same tenant under other rules, never meets them. Work is done once per
scope, by whoever asks first; others wait for it. The index has an age of its own (`gateway.summary.freshness`): values
come and go within minutes, while what a Summary says may change once a day at most.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from gateway.catalog import Catalog
from gateway.chart.schema import reply_schema
from gateway.project import SourceConfig
from gateway.results import ResultCache
from gateway.sources.base import Cancel, Source
from gateway.summary.freshness import FreshIndex, IndexAges, Reading, read_index
from gateway.summary.model import Summary
from gateway.summary.releases import Releases
from gateway.summary.summarise import TableDone, summarise
from gateway.tenancy.rules import check_rules, scope_for
from gateway.tenancy.scope import Limits, Scope
from gateway.types import ResultTable, ScopedQuery
from redaction.fingerprints import ValueIndex

MAX_SCOPES: Final = 256
"""Scopes kept at once; the least recently used is dropped and made again when asked for."""

MAX_AGE_S: Final = 24 * 3600.0
"""A summary is made anew after a day at the earliest (docs/disclosure.md, refresh gate), and the index with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one datasource within one scope, and what is derived from it alone, once.

    Attributes:
        summary: All that a model may know.
        index: Keyed hashes of the values of text columns.
        names: Words of the schema, which are no row values.
        facts: The Summary as plain JSON values.
        schema: JSON Schema of the reply, specialised to the Summary.
        made_at: When the summary was made, a monotonic time in seconds.
        values_as_of: Values committed before this monotonic time are in the index.
    """

    summary: Summary
    index: ValueIndex
    names: frozenset[str]
    facts: dict[str, object]
    schema: str
    made_at: float
    values_as_of: float

    def values_age_s(self) -> float:
        """How old what is known of the values is, in seconds."""
        return max(0.0, time.monotonic() - self.values_as_of)


@dataclass(frozen=True, slots=True)
class _Kept:
    known: Known
    index: FreshIndex


class AttachedSource:
    """One opened datasource with its owner's rules.

    Args:
        source: The opened datasource; closed by `close`.
        config: The owner's rules for it.
        index_key: Key of the value index; never leaves the process.
        max_index_values: Columns with more distinct values are left out of the value index.
        limits: Bounds on one query.
        keep_results_s: Seconds that the rows of an answer may be given again to the same right; 0 for never.
        releases: Where last releases are kept; with the opened source, if None.
        index_ages: How old a value index may be.
    """

    def __init__(
        self,
        source: Source,
        config: SourceConfig,
        *,
        index_key: bytes,
        max_index_values: int,
        limits: Limits,
        keep_results_s: float = 0.0,
        releases: Releases | None = None,
        index_ages: IndexAges | None = None,
    ) -> None:
        self.source = source
        self.config = config
        self.catalog: Catalog = source.reflect()
        check_rules(config, self.catalog)
        self._index_key = index_key
        self._max_index_values = max_index_values
        self._limits = limits
        self._results = ResultCache(keep_results_s)
        self._releases = releases
        self._index_ages = index_ages or IndexAges()
        # One thread: refreshes that nobody waits for take turns, and leave connections to questions.
        self._behind = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rowless-index")
        self._known: OrderedDict[str, _Kept] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def scope(self, *, tenant: str | int, user: str = "", attributes: Mapping[str, str | int] | None = None) -> Scope:
        """The right of one session (stage 1).

        Raises:
            RefusedError: The tenant or an attribute that a rule needs is missing or of the wrong type.
        """
        return scope_for(
            self.config, self.catalog, tenant=tenant, user=user, attributes=attributes, limits=self._limits
        )

    def known(self, scope: Scope, *, progress: Callable[[TableDone], None] | None = None) -> Known:
        """The Summary and value index of a scope, made on first use (stage 2). Blocks.

        Raises:
            IndexStaleError: The index is too old for a question and could not be refreshed.
        """
        asked, key = time.monotonic(), scope.data_key()
        kept = self._fresh(key)
        if kept is None:
            with self._lock:
                lock = self._locks.setdefault(key, threading.Lock())
            with lock:
                kept = self._fresh(key) or self._make(key, scope, progress)
        reading = kept.index.current(asked=asked)
        return replace(kept.known, index=reading.index, values_as_of=reading.as_of)

    def _make(self, key: str, scope: Scope, progress: Callable[[TableDone], None] | None) -> _Kept:
        summary = self._summarise(scope, progress)

        def read(previous: Reading | None) -> Reading:
            return read_index(
                self.source,
                self.catalog,
                scope,
                key=self._index_key,
                max_values=self._max_index_values,
                previous=previous,
            )

        first = read(None)
        known = Known(
            summary=summary,
            index=first.index,
            names=known_names(summary),
            facts=summary.model_dump(mode="json"),
            schema=reply_schema(summary),
            made_at=time.monotonic(),
            values_as_of=first.as_of,
        )
        kept = _Kept(known, FreshIndex(first, read, ages=self._index_ages, behind=self._behind.submit))
        with self._lock:
            self._known[key] = kept
            self._known.move_to_end(key)
            while len(self._known) > MAX_SCOPES:
                dropped, _ = self._known.popitem(last=False)
                self._locks.pop(dropped, None)
        return kept

    def summary(self, scope: Scope, *, progress: Callable[[TableDone], None] | None = None) -> Summary:
        """The Summary of a scope alone: to be shown, where no question is asked that an index would guard. Blocks."""
        found = self._fresh(scope.data_key())
        return self._summarise(scope, progress) if found is None else found.known.summary

    def _summarise(self, scope: Scope, progress: Callable[[TableDone], None] | None) -> Summary:
        return summarise(self.source, self.catalog, scope, self.config, progress=progress, releases=self._releases)

    def run(self, query: ScopedQuery, *, limits: Limits, cancel: Cancel | None = None) -> ResultTable:
        """Run a proved statement, or give the rows it gave a moment ago under the same whole scope (stage 11)."""
        return self._results.run(query, lambda: self.source.run(query, limits=limits, cancel=cancel))

    def _fresh(self, key: str) -> _Kept | None:
        with self._lock:
            found = self._known.get(key)
            if found is None or time.monotonic() - found.known.made_at > MAX_AGE_S:
                return None
            self._known.move_to_end(key)
            return found

    def close(self) -> None:
        """Stop what runs, a refresh included, and release the datasource's connections."""
        self._behind.shutdown(wait=False, cancel_futures=True)
        self.source.close()
        self._behind.shutdown(wait=True)


def known_names(summary: Summary) -> frozenset[str]:
    """Words of the schema and its owner: names, synonyms, approved labels, descriptions, metrics. None is of a row."""
    words: set[str] = {summary.source}
    for table in summary.tables:
        words.update((table.name, table.description, *table.synonyms))
        for column in table.columns:
            words.update((column.name, column.description, *column.synonyms))
            words.update(label.text for label in column.labels or ())
    for metric in summary.metrics:
        words.update((metric.name, metric.description, metric.expression, *metric.synonyms))
    return frozenset(words - {""})
