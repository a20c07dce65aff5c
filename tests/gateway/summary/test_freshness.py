"""The value index is brought up to date on real engines, in time, in the right order, or the question is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.errors import GatewayError, IndexStaleError, QueryError
from gateway.summary.freshness import FreshIndex, IndexAges, Reading, read_index
from gateway.tenancy.scope import Scope
from redaction.egress import INDEXED_VALUE, check_segment
from redaction.fingerprints import ValueIndex
from redaction.linking import KnownNames
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner
from redaction.segments import SegmentKind
from tests.gateway.summary.changing import ENGINES, ROWS, Changing, changing

KEY = b"key of the process, 32 bytes....."
SCANNER = Scanner(ScanConfig(model=None))
NAMES = KnownNames(frozenset({"deals", "firm", "state"}))
QUETZAL = (7, "one", "Quetzal Works", "shipped")
NO_DIGESTS = {"secantusdb"}


@pytest.fixture(params=ENGINES)
def deals(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Changing]:
    with changing(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Changing]:
    """The table where it is quickest."""
    with changing(ENGINES[0].values[0], request, tmp_path) as made:  # type: ignore[arg-type]
        yield made


class Watched:
    """A source that tells what was asked of it, and does something before a reading."""

    def __init__(self, deals: Changing, before_read: Callable[[str], None] = lambda _: None) -> None:
        self._deals = deals
        self._before_read = before_read
        self.asked: list[str] = []
        self.fails = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._deals.source, name)

    def aggregate(self, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        self._check("digest")
        return self._deals.source.aggregate(*args, **kwargs)  # type: ignore[arg-type]

    def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
        self._check(column)
        self._before_read(column)
        return self._deals.source.distinct_values(table, column, scope, max_values=max_values)

    def look_again(self, tables: list[str]) -> bool:
        """A source that had to be opened anew for the rows to change is another one, which does not know it."""
        return self._deals.source.look_again(tables) or self._deals.reopens

    def _check(self, what: str) -> None:
        self.asked.append(what)
        if self.fails:
            raise QueryError("the connection was lost", code="query_connection_lost")


def read(deals: Changing, source: Watched, previous: Reading | None = None, scope: Scope | None = None) -> Reading:
    source.asked.clear()
    return read_index(source, deals.catalog, scope or deals.one, key=KEY, previous=previous)  # type: ignore[arg-type]


def links(index: ValueIndex, words: str) -> bool:
    """Whether a question with these words has them taken out, and a prompt with them is stopped."""
    linked = words not in mask(f"total of {words} by month", SCANNER, index=index).text
    stopped = check_segment(SegmentKind.METADATA, f"note {words}", index, NAMES) == {INDEXED_VALUE}
    assert linked == stopped
    return linked


def test_a_value_that_appears_is_linked_and_stopped_after_the_refresh(deals: Changing) -> None:
    """And one that is gone no longer is; of what did not change nothing is read."""
    source = Watched(deals)
    first = read(deals, source)
    settled = read(deals, source, first)
    knows = deals.engine not in NO_DIGESTS
    if knows:
        assert source.asked == ["digest"], "once after a build: does the database hold what was read?"
        assert settled.index is first.index
    assert repr(settled.seed) not in repr(settled)
    again = read(deals, source, settled)
    if knows:
        assert source.asked == ["digest"], "nothing changed: one statement for the table"
        assert again.index is first.index
    assert again.as_of > settled.as_of > first.as_of
    deals.write([(1, "one", "Quetzal Works", "shipped"), *ROWS[1:]])
    second = read(deals, source, again)
    if knows:
        assert source.asked == ["digest", "digest", "firm"], "only the column that changed is read"
    assert not links(first.index, "quetzal works")
    assert links(first.index, "muller gmbh")
    assert links(second.index, "quetzal works")
    assert not links(second.index, "muller gmbh")
    assert links(second.index, "acme corp"), "what was not touched is still known"


def test_rows_that_bring_known_values_only_are_not_read(deals: Changing) -> None:
    """A table that grows by the same few words costs no reading but of its key, whose values are new."""
    source = Watched(deals)
    settled = read(deals, source, read(deals, source))
    deals.write([*ROWS, (7, "one", "Acme Corp", "returned"), (8, "one", "Acme Corp", "shipped")])
    grown = read(deals, source, settled)
    if deals.engine not in NO_DIGESTS:
        assert [asked for asked in source.asked if asked not in {"id", "_id"}] == ["digest", "digest"]
    read(deals, source, grown)
    if deals.engine not in NO_DIGESTS:
        assert source.asked == ["digest"]


def test_another_tenants_changes_make_no_work(deals: Changing) -> None:
    """The same statements and the same index, whatever happens in rows of others: nothing to see or to time."""
    source = Watched(deals)
    settled = read(deals, source, read(deals, source))
    quiet = read(deals, source, settled)
    asked = list(source.asked)
    deals.write([*ROWS, (7, "two", "Quetzal Works", "x"), (8, "two", "Nobody & Sons", "y")])
    after = read(deals, source, quiet)
    assert source.asked == asked
    if deals.engine not in NO_DIGESTS:
        assert after.index is settled.index
    assert not links(after.index, "quetzal works")
    assert links(read(deals, source, scope=deals.two).index, "quetzal works")


def test_a_column_that_grows_too_large_is_left_out_and_taken_in_again(small: Changing) -> None:
    """Without reading it while it is too large; and it is said in between."""
    source = Watched(small)

    def most_two(previous: Reading | None = None) -> Reading:
        source.asked.clear()
        return read_index(source, small.catalog, small.one, key=KEY, max_values=3, previous=previous)  # type: ignore[arg-type]

    small.write(ROWS[:3])
    fits = most_two(most_two())
    assert not fits.index.skipped
    small.write([*ROWS[:3], QUETZAL])
    large = most_two(fits)
    assert source.asked == ["digest", "digest"], "how many there are is known from the digest"
    assert large.index.skipped == ("deals.firm", "deals.id")
    assert not links(large.index, "acme corp")
    still = most_two(large)
    assert source.asked == ["digest"]
    assert still.index is large.index
    small.write(ROWS[:2])
    small_again = most_two(still)
    assert not small_again.index.skipped
    assert links(small_again.index, "acme corp")


# The four cases of the guard: passes, refuses, cannot finish, wrong order


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Kept:
    """One scope's index under a clock of the test's; refreshes that nobody waits for are run when the test says so."""

    def __init__(self, deals: Changing, ages: IndexAges) -> None:
        self.now = Now()
        self.source = Watched(deals)
        self.queued: list[Callable[[], None]] = []

        def again(previous: Reading | None) -> Reading:
            return read_index(
                self.source, deals.catalog, deals.one, key=KEY, previous=previous, clock=self.now  # type: ignore[arg-type]
            )  # fmt: skip

        self.index = FreshIndex(again(None), again, ages=ages, behind=self.queued.append, clock=self.now)
        self.source.asked.clear()

    def ask(self) -> ValueIndex:
        return self.index.current(asked=self.now.at).index

    def run_queued(self) -> None:
        for refresh in self.queued:
            refresh()
        self.queued.clear()


AGES = IndexAges(refresh_s=300, max_age_s=900)


def test_passes_a_young_index_is_used_and_an_older_one_refreshed_behind(small: Changing) -> None:
    """Up to its first age nothing is asked; then the asker goes on at once, and the next one has the new values."""
    kept = Kept(small, AGES)
    small.write([*ROWS, QUETZAL])
    kept.now.at += 300
    assert not links(kept.ask(), "quetzal works")
    assert not kept.queued
    assert not kept.source.asked
    kept.now.at += 1
    assert not links(kept.ask(), "quetzal works"), "who asks does not wait"
    kept.ask()
    assert len(kept.queued) == 1, "one refresh at a time"
    kept.run_queued()
    assert links(kept.ask(), "quetzal works")
    assert not kept.queued


def test_passes_too_old_an_index_is_refreshed_before_the_answer(small: Changing) -> None:
    """Above the last age the asker waits: no question is guarded by less."""
    kept = Kept(small, AGES)
    small.write([*ROWS, QUETZAL])
    kept.now.at += 901
    assert links(kept.ask(), "quetzal works")
    assert not kept.queued


def test_no_age_at_all_compares_at_every_question(small: Changing) -> None:
    """Then every question is guarded by what was there when it began."""
    kept = Kept(small, IndexAges(max_age_s=0))
    kept.now.at += 0.001
    small.write([*ROWS, QUETZAL])
    assert links(kept.ask(), "quetzal works")
    assert kept.source.asked[0] == "digest"


def test_refuses_when_it_is_too_old_and_cannot_be_refreshed(small: Changing) -> None:
    """A closed code, and nothing of what the source said; a source that is back is read again."""
    kept = Kept(small, AGES)
    kept.source.fails = True
    kept.now.at += 901
    with pytest.raises(IndexStaleError) as refused:
        kept.ask()
    assert (refused.value.code, refused.value.status, refused.value.stage) == ("index_stale", 503, "summarise")
    assert refused.value.details == {"cause": "query_connection_lost"}
    assert "the connection was lost" not in str(refused.value)
    assert refused.value.__cause__ is None
    kept.source.fails = False
    kept.now.at += 1
    assert links(kept.ask(), "acme corp")


def test_cannot_finish_keeps_the_old_one_up_to_its_last_age(small: Changing) -> None:
    """A refresh that fails behind the asker's back changes nothing, until the index is too old."""
    kept = Kept(small, AGES)
    kept.source.fails = True
    for age in (301, 600, 900):
        kept.now.at = 1000.0 + age
        assert links(kept.ask(), "acme corp")
        kept.run_queued()
    assert kept.source.asked, "it was tried"
    kept.now.at = 1000.0 + 901
    with pytest.raises(IndexStaleError):
        kept.ask()


def test_cannot_finish_half_a_refresh_is_none(small: Changing) -> None:
    """A source that fails at the second column leaves index and digests as they were: both columns are read later."""
    broken: list[str] = []

    def fail_at_second(column: str) -> None:
        broken.append(column)
        if len(broken) == 2:
            raise QueryError("lost", code="query_connection_lost")

    first = read(small, Watched(small))
    small.write([*ROWS, (8, "one", "Quetzal Works", "vanquilled")])
    with pytest.raises(QueryError):
        read(small, Watched(small, fail_at_second), first)
    second = read(small, Watched(small), first)
    assert links(second.index, "quetzal works")
    assert links(second.index, "vanquilled")
    assert not links(first.index, "quetzal works")


def test_wrong_order_a_change_between_two_statements_is_not_missed(small: Changing) -> None:
    """A value that comes after its column was read, but before the last statement of a build, is found next time."""

    def change(column: str) -> None:
        if column == "state":
            small.write([*ROWS, QUETZAL])

    # Columns are read in their order: firm is read before the change, state with it.
    first = read(small, Watched(small, change))
    assert not links(first.index, "quetzal works")
    assert links(read(small, Watched(small), first).index, "quetzal works")


@pytest.mark.parametrize("first_build", [True, False])
def test_wrong_order_a_column_that_was_empty_just_while_it_was_read_is_read_again(
    small: Changing, *, first_build: bool
) -> None:
    """A table is emptied and filled anew with the same rows: before and after the reading its digests are equal."""

    def reload(column: str) -> None:
        small.write([(9, "two", "x", "y")] if column == "firm" else rows)

    rows = list(ROWS)
    source = Watched(small)
    previous = None
    if not first_build:
        previous = read(small, source, read(small, source))
        rows.append((8, "one", "Vanquilled Ltd", "vanquilled"))
        small.write(rows)
    reading = read(small, Watched(small, reload), previous)
    assert not links(reading.index, "muller gmbh"), "it was read while it was empty"
    assert links(read(small, source, reading).index, "muller gmbh")
    assert "firm" in source.asked


def test_wrong_order_a_refresh_that_began_before_the_question_is_not_waited_for_in_vain(small: Changing) -> None:
    """What counts is when the reading began: one that began too early does not do for a later question."""
    kept = Kept(small, IndexAges(refresh_s=0, max_age_s=0))
    asked = kept.now.at + 5
    kept.now.at += 1
    kept.ask()
    small.write([*ROWS, QUETZAL])
    kept.now.at = asked
    assert links(kept.index.current(asked=asked).index, "quetzal works")


def test_only_one_refresh_of_a_scope_runs_and_its_failure_is_told_to_all_who_wait(small: Changing) -> None:
    """Askers that wait do not each try again: one attempt that began after they asked speaks for them."""
    kept = Kept(small, AGES)
    entered, go_on = threading.Event(), threading.Event()
    tries: list[int] = []

    def failing(_: Reading) -> Reading:
        tries.append(1)
        entered.set()
        go_on.wait(30)
        raise QueryError("lost", code="query_connection_lost")

    index = FreshIndex(
        kept.index.current(asked=kept.now.at), failing, ages=AGES, behind=kept.queued.append, clock=kept.now
    )
    kept.now.at += 1000
    asked = kept.now.at
    told: list[GatewayError] = []

    def ask() -> None:
        try:
            index.current(asked=asked)
        except GatewayError as error:
            told.append(error)

    with ExitStack() as stack:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        stack.callback(lambda: [thread.join(30) for thread in threads])
        stack.callback(go_on.set)
        for thread in threads:
            thread.start()
        assert entered.wait(30)
    assert len(tries) == 1
    assert [error.code for error in told] == ["index_stale"] * 4


def test_a_copy_that_nobody_can_write_to_is_not_compared(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Files that were loaded stay as they are; their index is as of now without a statement."""
    with changing(ENGINES[2].values[0], request, tmp_path) as csv:  # type: ignore[arg-type]
        source = Watched(csv)
        first = read(csv, source)
        assert not csv.source.look_again(["deals"])
        second = read_index(csv.source, csv.catalog, csv.one, key=KEY, previous=first)
        assert second.index is first.index
        assert second.as_of > first.as_of
    with changing(ENGINES[3].values[0], request, tmp_path) as parquet:  # type: ignore[arg-type]
        assert parquet.source.look_again(["deals"]), "read in place"
