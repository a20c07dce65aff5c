"""The refresh gate: shut until enough changed and enough time passed; kept over restarts; never simply open."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.catalog import ColumnType
from gateway.errors import GuardFailedError
from gateway.project import Thresholds
from gateway.summary.gate import FileReleases, Gate, MemoryReleases, Releases, column_fingerprint
from gateway.summary.measured import ColumnMeasured, TableMeasured
from gateway.summary.model import TableSummary

HOUR = 3600.0
MARKS = {"c": column_fingerprint("text", ())}


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "file"])
def releases(request: pytest.FixtureRequest, tmp_path: Path) -> Releases:
    return MemoryReleases() if request.param == "memory" else FileReleases(tmp_path / "releases")


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
    first = _release(Gate(releases, "s", Thresholds(), clock=clock), 1_000)
    clock.now += hours * HOUR
    second = _release(Gate(releases, "s", Thresholds(), clock=clock), units, distinct=400)
    assert (second != first) == opens
    if not opens:
        assert second.model_dump_json() == first.model_dump_json()


def test_large_tables_need_one_percent(releases: Releases) -> None:
    clock = _Clock()
    first = _release(Gate(releases, "s", Thresholds(), clock=clock), 50_000)
    clock.now += 25 * HOUR
    assert _release(Gate(releases, "s", Thresholds(), clock=clock), 50_499, distinct=400) == first
    assert _release(Gate(releases, "s", Thresholds(), clock=clock), 50_500, distinct=400) != first


def test_a_value_that_moved_little_stays_when_the_gate_opens(releases: Releases) -> None:
    clock = _Clock()
    first = _release(Gate(releases, "s", Thresholds(), clock=clock), 1_040, distinct=120)
    assert (first.rows, first.columns[0].distinct) == (1_000, 100)
    clock.now += 25 * HOUR
    second = _release(Gate(releases, "s", Thresholds(), clock=clock), 1_090, distinct=149)
    assert (second.rows, second.columns[0].distinct) == (1_000, 100)
    clock.now += 25 * HOUR
    third = _release(Gate(releases, "s", Thresholds(), clock=clock), 1_200, distinct=250)
    assert (third.rows, third.columns[0].distinct) == (1_200, 250)


def test_the_owners_new_thresholds_open_the_gate_at_once(releases: Releases) -> None:
    _release(Gate(releases, "s", Thresholds()), 40)
    strict = _release(Gate(releases, "s", Thresholds(min_distinct=100)), 40)
    assert strict.columns[0].distinct == "unknown"
    assert _release(Gate(releases, "s", Thresholds(min_distinct=100)), 40, subject="c").rows == 40


def test_a_new_column_is_released_and_the_old_ones_keep_their_bytes(releases: Releases) -> None:
    gate = Gate(releases, "s", Thresholds())
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
    gate = Gate(releases, "s", Thresholds())
    _release(gate, 1_000)
    column = ColumnMeasured(
        name="c", type=ColumnType.TEXT, values=1_000, nulls=0, unit_values=1_000, unit_nulls=0, distinct=3,
        label_units={"open": (500, 500)},
    )  # fmt: skip
    table = TableMeasured(name="t", rows=1_000, units=1_000, sampled=None, columns=(column,))
    released = gate.release(table, subject=None, columns={"c": column_fingerprint("text", ("open",))}).value
    assert [label.text for label in released.columns[0].labels or ()] == ["open"]


def test_scopes_do_not_share_releases(releases: Releases) -> None:
    one = _release(Gate(releases, "tenant a", Thresholds()), 1_000)
    two = _release(Gate(releases, "tenant b", Thresholds()), 1_005, distinct=300)
    assert one.columns[0].distinct != two.columns[0].distinct


def test_inferred_links_are_kept_until_a_table_is_released_anew(releases: Releases) -> None:
    gate = Gate(releases, "s", Thresholds())
    assert gate.links() is None
    gate.keep_links(())
    assert gate.links() == ()
    _release(gate, 1_000)
    assert gate.links() is None


def test_a_release_of_another_version_is_not_served(releases: Releases) -> None:
    releases.put("1|s|t", '{"table": "old"}')
    releases.put("1|s|~links", "{}")
    gate = Gate(releases, "s", Thresholds())
    assert gate.held("t") is None
    assert gate.links() is None
    assert _release(gate, 1_000).rows == 1_000


def test_files_are_for_their_owner_only_and_outlive_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    first = _release(Gate(FileReleases(folder), "s", Thresholds()), 1_000)
    files = list(folder.iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert _release(Gate(FileReleases(folder), "s", Thresholds()), 1_009, distinct=400) == first


def test_cannot_finish_a_folder_that_cannot_be_read_stops_the_release(tmp_path: Path) -> None:
    kept = FileReleases(tmp_path / "releases")
    kept.put("1|s|t", "{}")
    file = next((tmp_path / "releases").iterdir())
    file.unlink()
    file.mkdir()
    with pytest.raises(GuardFailedError):
        _release(Gate(kept, "s", Thresholds()), 1_000)
