"""The refresh gate: shut until enough changed and enough time passed; kept over restarts; never simply open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from gateway.catalog import ColumnType
from gateway.errors import GuardFailedError
from gateway.project_rules import Thresholds
from gateway.store.releases import StateReleases
from gateway.store.schema import summary_release
from gateway.store.seal import MasterKey
from gateway.store.state import State
from gateway.summary.gate import Gate, column_fingerprint
from gateway.summary.measured import ColumnMeasured, TableMeasured
from gateway.summary.model import TableSummary
from gateway.summary.releases import MemoryReleases, Releases
from tests.servers.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

MASTER = MasterKey(b"m" * 32)
HOUR = 3600.0
MARKS = {"c": column_fingerprint("text", ())}


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def _gate(releases: Releases, rows: str = "s", limits: Thresholds | None = None, clock: _Clock | None = None) -> Gate:
    return Gate(releases, lambda _: rows, limits or Thresholds(), clock=clock or _Clock())


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def releases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Releases]:
    if request.param == "memory":
        yield MemoryReleases()
        return
    state = State.open(_address(request, tmp_path), MASTER)
    yield StateReleases(state)
    state.close()


def _address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param != "postgres":
        return f"sqlite:///{tmp_path / 'state.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS releases WITH (FORCE)")
        admin.execute("CREATE DATABASE releases")
    return server.url("admin", database="releases")


def _measured(units: int, distinct: int = 50, name: str = "c") -> TableMeasured:
    column = ColumnMeasured(
        name=name, type=ColumnType.TEXT, values=units, nulls=0, unit_values=units, unit_nulls=0, distinct=distinct
    )
    return TableMeasured(name="t", rows=units, units=units, sampled=None, columns=(column,))


def _release(gate: Gate, units: int, distinct: int = 50, subject: str | None = None) -> TableSummary:
    return gate.release(_measured(units, distinct), subject=subject, columns=MARKS).value


@pytest.mark.parametrize(
    ("hours", "units", "opens"),
    [
        (25, 1_010, True),
        (25, 1_009, False),
        (25, 990, True),
        (23, 5_000, False),
        (25, 1_000, False),
        (24, 1_010, True),
    ],
    ids=["ten came", "nine came", "ten went", "too soon", "nothing changed", "exactly a day"],
)
def test_the_gate_opens_on_enough_change_and_time(releases: Releases, hours: float, units: int, opens: bool) -> None:
    clock = _Clock()
    first = _release(_gate(releases, clock=clock), 1_000)
    clock.now += hours * HOUR
    second = _release(_gate(releases, clock=clock), units, distinct=400)
    assert (second != first) == opens
    if not opens:
        assert second.model_dump_json() == first.model_dump_json()


def test_large_tables_need_one_percent(releases: Releases) -> None:
    clock = _Clock()
    first = _release(_gate(releases, clock=clock), 50_000)
    clock.now += 25 * HOUR
    assert _release(_gate(releases, clock=clock), 50_499, distinct=400) == first
    assert _release(_gate(releases, clock=clock), 50_500, distinct=400) != first


def test_a_value_that_moved_little_stays_when_the_gate_opens(releases: Releases) -> None:
    clock = _Clock()
    first = _release(_gate(releases, clock=clock), 1_040, distinct=120)
    assert (first.rows, first.columns[0].distinct) == (1_000, 100)
    clock.now += 25 * HOUR
    second = _release(_gate(releases, clock=clock), 1_090, distinct=149)
    assert (second.rows, second.columns[0].distinct) == (1_000, 100)
    clock.now += 25 * HOUR
    third = _release(_gate(releases, clock=clock), 1_200, distinct=250)
    assert (third.rows, third.columns[0].distinct) == (1_200, 250)


def test_the_owners_new_thresholds_open_the_gate_at_once(releases: Releases) -> None:
    _release(_gate(releases), 40)
    strict = _release(_gate(releases, limits=Thresholds(min_distinct=100)), 40)
    assert strict.columns[0].distinct == "unknown"
    assert _release(_gate(releases, limits=Thresholds(min_distinct=100)), 40, subject="c").rows == 40


def test_a_new_column_is_released_and_the_old_ones_keep_their_bytes(releases: Releases) -> None:
    gate = _gate(releases)
    _release(gate, 1_000)
    wide = _measured(1_005, 300)
    wide = TableMeasured(
        name="t", rows=1_005, units=1_005, sampled=None, columns=(*wide.columns, *_measured(1_005, 600, "d").columns)
    )
    marks = {**MARKS, "d": column_fingerprint("text", ())}
    released = gate.release(wide, subject=None, columns=marks).value
    assert [c.distinct for c in released.columns] == [50, 600]
    assert released.rows == 1_000
    again = gate.release(wide, subject=None, columns=marks).value
    assert again == released
    held = gate.held("t")
    assert held is not None
    assert held.units == 1_000


def test_a_newly_approved_label_is_released_at_once(releases: Releases) -> None:
    gate = _gate(releases)
    _release(gate, 1_000)
    column = ColumnMeasured(
        name="c", type=ColumnType.TEXT, values=1_000, nulls=0, unit_values=1_000, unit_nulls=0, distinct=3,
        label_units={"open": (500, 500)},
    )  # fmt: skip
    table = TableMeasured(name="t", rows=1_000, units=1_000, sampled=None, columns=(column,))
    released = gate.release(table, subject=None, columns={"c": column_fingerprint("text", ("open",))}).value
    assert [label.text for label in released.columns[0].labels or ()] == ["open"]


def test_scopes_do_not_share_releases(releases: Releases) -> None:
    one = _release(_gate(releases, rows="tenant a"), 1_000)
    two = _release(_gate(releases, rows="tenant b"), 1_005, distinct=300)
    assert one.columns[0].distinct != two.columns[0].distinct


def test_inferred_links_are_kept_until_a_table_is_released_anew(releases: Releases) -> None:
    gate = _gate(releases)
    assert gate.links("k") is None
    gate.keep_links("k", ())
    assert gate.links("k") == ()
    _release(gate, 1_000)
    assert gate.links("k") is None


def test_within_the_day_a_table_need_not_be_measured(releases: Releases) -> None:
    clock = _Clock()
    assert _gate(releases, clock=clock).standing("t", subject=None, columns=MARKS) is None
    first = _release(_gate(releases, clock=clock), 1_000)
    clock.now += 23 * HOUR
    again = _gate(releases, clock=clock).standing("t", subject=None, columns=MARKS)
    assert again is not None
    assert again.value == first
    assert _gate(releases, clock=clock).standing("t", subject=None, columns={**MARKS, "d": "1"}) is None
    clock.now += 1 * HOUR
    assert _gate(releases, clock=clock).standing("t", subject=None, columns=MARKS) is None


def test_attack_rules_that_flip_do_not_open_the_gate(releases: Releases) -> None:
    """Two replicas under different thresholds, or an owner who goes back: each rule set has one release a day."""
    one = _release(_gate(releases), 1_000)
    _release(_gate(releases, limits=Thresholds(min_distinct=100)), 1_001, distinct=80)
    assert _release(_gate(releases), 1_002, distinct=90) == one


def test_attack_a_column_that_comes_and_goes_is_not_released_anew(releases: Releases) -> None:
    """Labels approved, taken back and approved again: each state of the column has one release."""
    other = {"c": column_fingerprint("text", ("open",))}
    one = _release(_gate(releases), 1_000)
    two = _gate(releases).release(_measured(1_001, 80), subject=None, columns=other).value
    three = _release(_gate(releases), 1_002, distinct=90)
    assert three == one
    assert _gate(releases).release(_measured(1_003, 95), subject=None, columns=other).value == two


def test_attack_replicas_that_release_at_once_serve_the_same_bytes(releases: Releases) -> None:
    """Eight gates over one keeper, each with its own count of rows: one wins, all serve it."""
    start, told = threading.Barrier(8), []

    def replica(number: int) -> None:
        gate = _gate(releases)
        start.wait()
        told.append(_release(gate, 1_000 + 30 * number, distinct=50 + 10 * number))

    threads = [threading.Thread(target=replica, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8
    assert len({table.model_dump_json() for table in told}) == 1


def test_cannot_finish_a_release_that_cannot_be_understood_stops_the_next(releases: Releases) -> None:
    """Nobody can tell what was said before, so nothing is said."""
    gate = _gate(releases)
    _release(gate, 1_000)
    key = gate._key("t", None)
    releases.swap(key, '{"table": "old"}', replaces=releases.get(key))
    with pytest.raises(GuardFailedError):
        _release(gate, 1_000)
    with pytest.raises(GuardFailedError):
        gate.standing("t", subject=None, columns=MARKS)


def test_a_swap_that_saw_something_else_changes_nothing(releases: Releases) -> None:
    assert releases.swap("k", "one", replaces=None) == "one"
    assert releases.swap("k", "two", replaces=None) == "one"
    assert releases.swap("k", "two", replaces="zero") == "one"
    assert releases.swap("k", "two", replaces="one") == "two"
    assert releases.get("k") == "two"


def test_releases_outlive_the_process_and_are_sealed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    state = State.open(address, MASTER)
    first = _release(_gate(StateReleases(state)), 123_457)
    with state.read() as connection:
        blob = connection.execute(text("SELECT sealed FROM summary_release")).scalar()
    assert isinstance(blob, bytes)
    assert b"123457" not in blob
    assert b"units" not in blob
    state.close()
    state = State.open(address, MASTER)
    assert _release(_gate(StateReleases(state)), 123_458, distinct=400) == first
    state.close()


def test_cannot_finish_a_release_that_does_not_open_stops_the_next(tmp_path: Path) -> None:
    """A swapped or damaged row is no release, and no permission to make one."""
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MASTER)
    kept = StateReleases(state)
    _release(_gate(kept), 1_000)
    with state.write() as connection:
        connection.execute(update(summary_release).values(sealed=b"x" * 80))
    with pytest.raises(GuardFailedError):
        _release(_gate(kept), 1_000)
    with pytest.raises(GuardFailedError):
        kept.swap(_gate(kept)._key("t", None), "new", replaces=None)
    with state.write() as connection:
        connection.execute(text("DROP TABLE summary_release"))
    with pytest.raises(GuardFailedError):
        _release(_gate(kept), 1_000)
    state.close()
