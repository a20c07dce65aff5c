"""How old the value index of a scope may be, and who refreshes it.

The index has three ages, counted from the moment before its first statement was sent:

- up to `refresh_s` it is used;
- up to `max_age_s` it is used, and refreshed behind the asker's back, who does not wait;
- above that the asker waits for a refresh. If it fails, the question is refused: what the egress guard would not know
  is what must not leave.

A refresh trusts a digest of cells only if it is known to belong to what the index holds: both digests were taken in one
statement, and that of the distinct values is the index's own, added up as it was read. So nothing that happens between
two statements goes unseen, whatever their order. One refresh of a scope runs at a time; whoever needs it waits for it,
and is told of its failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.catalog import Catalog
from gateway.errors import GatewayError, IndexStaleError
from gateway.sources.base import Source
from gateway.summary.digests import Asker, Digests, Tally, new_seed
from gateway.summary.values import MAX_VALUES, Refresh, build_index, linked_columns, scope_key
from gateway.tenancy.scope import Scope
from redaction.fingerprints import ValueIndex

Clock = Callable[[], float]
"""A monotonic time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAges:
    """How old an index may be, in seconds.

    Attributes:
        refresh_s: Age from which it is refreshed, while it is still used; `max_age_s` at most.
        max_age_s: Age above which it is not used.
    """

    refresh_s: float = 300.0
    max_age_s: float = 900.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "refresh_s", min(self.refresh_s, self.max_age_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value index and what it was read from.

    Attributes:
        index: The index.
        seed: Secret of the digests.
        held: Of the distinct values that the index holds, as they were read.
        cells: Of all cells of a column when its distinct values were those held; no other column has one.
        as_of: Whatever was committed before this monotonic time is in the index.
    """

    index: ValueIndex
    seed: bytes = field(repr=False)
    held: Digests
    cells: Digests
    as_of: float


def read_index(
    source: Source,
    catalog: Catalog,
    scope: Scope,
    *,
    key: bytes,
    max_values: int = MAX_VALUES,
    previous: Reading | None = None,
    clock: Clock = time.monotonic,
) -> Reading:
    """Build the index of a scope, or bring one up to date: only columns whose values changed are read.

    Args:
        source: The opened datasource.
        catalog: Its structure.
        scope: Whose rows are read.
        key: Key of the process, as for `build_index`.
        max_values: As for `build_index`.
        previous: The last reading of the same scope and key.
        clock: The time.

    Returns:
        A reading; its index is the very same one if nothing changed.

    Raises:
        QueryError: A column could not be read. A digest that cannot be had is no error: its column is read.
    """
    as_of = clock()
    columns = [f"{table}.{column}" for table, column in linked_columns(catalog, scope)]
    may_differ = source.look_again(sorted({column.partition(".")[0] for column in columns}))
    if previous is not None and not may_differ:
        return replace(previous, as_of=as_of)
    if previous is None:
        seed = new_seed(scope_key(key, scope))
        tally = Tally(catalog.dialect, seed)
        index = build_index(source, catalog, scope, key=key, max_values=max_values, watch=tally.watch)
        return Reading(index=index, seed=seed, held=tally.digests, cells=Digests(), as_of=as_of)

    seed = previous.seed
    ask = Asker(source, catalog, scope, seed=seed)
    settled = ask.cells(columns).same_as(previous.cells) if previous.cells else frozenset()
    doubtful = frozenset(columns) - settled
    cells, values = ask.both(doubtful)
    large = values.above(max_values)
    known = values.same_as(previous.held) | (large & frozenset(previous.index.skipped))
    index, tally = previous.index, Tally(catalog.dialect, seed)
    if doubtful - known:
        refresh = Refresh(previous=index, changed=doubtful - known, too_large=large)
        index = build_index(source, catalog, scope, key=key, max_values=max_values, refresh=refresh, watch=tally.watch)
    settled_now = known | (large - known) | values.same_as(tally.digests)
    return Reading(
        index=index,
        seed=seed,
        held=previous.held.of(settled | known).with_(tally.digests),
        cells=previous.cells.of(settled).with_(cells.of(settled_now)),
        as_of=as_of,
    )


class FreshIndex:
    """The value index of one scope, kept from growing too old. Thread-safe.

    Args:
        first: The index as it was built.
        read: Brings a reading up to date; raises `GatewayError` if that fails.
        ages: How old it may be.
        behind: Runs a refresh that nobody waits for, at some time, in another thread.
        clock: The time.
    """

    def __init__(
        self,
        first: Reading,
        read: Callable[[Reading], Reading],
        *,
        ages: IndexAges,
        behind: Callable[[Callable[[], None]], object],
        clock: Clock = time.monotonic,
    ) -> None:
        self._reading = first
        self._read = read
        self._ages = ages
        self._behind = behind
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._waiting = threading.Lock()
        self._failed: tuple[float, str] = (float("-inf"), "")

    def current(self, *, asked: float) -> Reading:
        """An index that is not too old for a question; waits for a refresh only if there is none.

        Args:
            asked: When the question began, by the clock.

        Raises:
            IndexStaleError: It is too old and could not be refreshed.
        """
        reading = self._reading
        if reading.as_of < asked - self._ages.max_age_s:
            return self._refreshed(asked)
        if reading.as_of < asked - self._ages.refresh_s and self._waiting.acquire(blocking=False):
            try:
                self._behind(self._refresh_unasked)
            except RuntimeError:
                # The source is being closed.
                self._waiting.release()
        return reading

    def _refreshed(self, asked: float) -> Reading:
        with self._one_at_a_time:
            if self._reading.as_of >= asked - self._ages.max_age_s:
                return self._reading
            if self._failed[0] < asked:
                begun = self._clock()
                try:
                    self._reading = self._read(self._reading)
                except GatewayError as error:
                    self._failed = (begun, error.code)
                else:
                    return self._reading
            why = self._failed[1]
            msg = f"what is known of the data's values is too old and could not be read anew ({why}): nothing was sent"
            raise IndexStaleError(msg, stage="summarise", details={"cause": why})

    def _refresh_unasked(self) -> None:
        try:
            with self._one_at_a_time:
                if self._reading.as_of < self._clock() - self._ages.refresh_s:
                    self._reading = self._read(self._reading)
        except GatewayError:
            # The index is still good, up to its last age; then whoever asks is told.
            return
        finally:
            self._waiting.release()
