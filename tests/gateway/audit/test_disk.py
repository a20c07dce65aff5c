"""Promise A3 against power cuts: a simulated disk that drops, tears and reorders what was not synced."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event

from gateway.audit import standalone_verify
from gateway.audit.log import AuditLog
from gateway.audit.sinks import FileSink
from gateway.store import state as state_module
from gateway.store.state import State
from tests.gateway.audit.samples import MASTER, ended, question
from tests.simulator.disk import Connection, Disk, Snapshot, dbapi

PATH = "/state.db"
CUTS = int(os.environ.get("ROWLESS_TEST_POWER_CUTS", "60"))
"""Power cuts in one run; 2,000 in the nightly run."""


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where there is one: what is tested is not this machine's disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def engine_on(name: str) -> Engine:
    """What `State.open` builds for SQLite, on the simulated disk and with its one connection."""
    engine = create_engine(
        "sqlite:///state.db", module=dbapi, creator=lambda: Connection(name, PATH), pool_size=1, max_overflow=0
    )
    event.listen(engine, "connect", state_module._prepare_sqlite)
    event.listen(engine, "begin", state_module._begin_sqlite)
    return engine


class Recording:
    """A run of the log on the disk: snapshots at moments of power cuts, each with what was acknowledged before."""

    def __init__(self, name: str, folder: Path, *, ignore_sync: bool = False) -> None:
        self.acknowledged: list[str] = []
        self.moments: list[tuple[Snapshot, int]] = []
        self._randomly = random.Random(7)
        self._is_on = False
        self.disk = Disk(name, on_change=self._on_change, ignore_sync=ignore_sync)
        self._run(name, folder)

    def _on_change(self) -> None:
        # Acknowledgements are counted first: one that comes while the disk is copied is not yet due.
        if self._is_on and self._randomly.random() < 0.12:
            due = len(self.acknowledged)
            self.moments.append((self.disk.snapshot(), due))

    def _run(self, name: str, folder: Path) -> None:
        engine = engine_on(name)
        state_module._migrate(engine)
        state = State(engine, MASTER)
        log = AuditLog.open(state, [FileSink(folder / "checkpoints")], checkpoint_every=10)
        self._is_on = True
        asyncio.run(self._write(log))
        self.moments.append((self.disk.snapshot(), len(self.acknowledged)))
        self._is_on = False
        log.close()
        state.close()

    async def _write(self, log: AuditLog) -> None:
        for number in range(0, 60, 3):
            ids = await asyncio.gather(*(log.intent(question(number + i)) for i in range(3)))
            self.acknowledged.extend(ids)
            for entry_id in ids:
                await log.outcome(entry_id, ended(number))


@contextmanager
def found_after(snapshot: Snapshot, folder: Path, randomly: random.Random) -> Iterator[Path]:
    """The files as they are found when power is back, on a real disk, opened by another SQLite."""
    path = folder / "state.db"
    for name, data in snapshot.after_power_cut(randomly).items():
        if name.startswith(PATH):
            (folder / name[1:]).write_bytes(data)
    yield path
    for left in folder.glob("state.db*"):
        left.unlink()


def ids_in(path: Path) -> set[str]:
    return {row.columns["id"] for row in standalone_verify.sqlite_rows(path)}


@pytest.mark.slow
def test_no_acknowledged_entry_is_lost_to_a_power_cut(memory: Path) -> None:
    """At every moment, whatever became of what was not synced: it opens, verifies, and holds what was promised."""
    run = Recording("powercut", memory)
    randomly = random.Random(11)
    assert len(run.moments) > 40
    for snapshot, due in randomly.choices(run.moments, k=CUTS):
        with found_after(snapshot, memory, randomly) as path:
            State.open(f"sqlite:///{path}", MASTER).close()
            assert set(run.acknowledged[:due]) <= ids_in(path)
            key, notes, size = standalone_verify.sqlite_notes(path)
            result = standalone_verify.verify(standalone_verify.sqlite_rows(path), key, notes[-1:])
            assert result.ok, result.why
            assert result.entries == size


@pytest.mark.slow
def test_a_disk_that_lies_about_syncing_loses_entries(memory: Path) -> None:
    """The control: the same run on a disk that ignores syncs does lose, so the test above can fail."""
    run = Recording("liar", memory, ignore_sync=True)
    randomly = random.Random(13)
    lost = 0
    for snapshot, due in run.moments[5:40]:
        with found_after(snapshot, memory, randomly) as path:
            try:
                lost += not set(run.acknowledged[:due]) <= ids_in(path)
            except Exception:  # noqa: BLE001  # a database that does not open has lost everything
                lost += 1
    assert lost > 5


def test_first_use_survives_a_power_cut(memory: Path) -> None:
    """A cut while the tables are made leaves a database that can be opened again."""
    disk = Disk("firstuse", on_change=lambda: moments.append(disk.snapshot()))
    moments: list[Snapshot] = []
    engine = engine_on("firstuse")
    state_module._migrate(engine)
    engine.dispose()
    randomly = random.Random(17)
    for snapshot in randomly.sample(moments, 12):
        with found_after(snapshot, memory, randomly) as path:
            State.open(f"sqlite:///{path}", MASTER).close()
