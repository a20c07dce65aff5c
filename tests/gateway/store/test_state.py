"""The state database: opened, migrated, and its keys made, shared, rotated and destroyed."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from gateway.errors import ConfigError
from gateway.store import keys as keys_module
from gateway.store.clock import from_iso, iso
from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import data_key, metadata
from gateway.store.seal import MasterKey, Place, SealError
from gateway.store.state import State
from tests.servers.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

MASTER = MasterKey(b"m" * 32)
PLACE = Place(table="t", column="c", row="1")


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'state.db'}"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State.open(url(tmp_path), MASTER)
    yield opened
    opened.close()


def test_migrations_make_exactly_the_schema(state: State) -> None:
    """No table or column is in one and not in the other."""
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_database_is_set_up_to_survive_a_power_cut(state: State) -> None:
    """WAL, full sync, overwritten deletes."""
    with state.read() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """Migrations run on every opening, and find nothing to do."""
    for _ in range(3):
        State.open(url(tmp_path), MASTER).close()


def test_many_first_openings_at_once(tmp_path: Path) -> None:
    """Threads of one process stand for workers: each finds a complete database."""
    errors: list[Exception] = []

    def one() -> None:
        try:
            State.open(url(tmp_path), MASTER).close()
        except Exception as error:  # noqa: BLE001  # reported by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("address", ["", "nonsense", "sqlite:////proc/no/such/state.db", "oracle://x", "mongodb://x/y"])
def test_unusable_address_is_a_setting_that_is_wrong(address: str) -> None:
    """Named by its setting, never quoted: an address may hold a password."""
    with pytest.raises(ConfigError, match="state_url"):
        State.open(address, MASTER)


def test_database_that_is_none_is_refused(tmp_path: Path) -> None:
    """A file that is no database."""
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError):
        State.open(url(tmp_path), MASTER)


def test_wrong_master_key_is_noticed_at_the_start(tmp_path: Path) -> None:
    """Not with the first question."""
    opened = State.open(url(tmp_path), MASTER)
    opened.keys.live("northwind", "state")
    opened.close()
    with pytest.raises(ConfigError, match="master key"):
        State.open(url(tmp_path), MasterKey(b"x" * 32))
    State.open(url(tmp_path), MASTER).close()


def test_each_tenant_and_purpose_has_its_own_key(state: State) -> None:
    """And each stays the same."""
    pairs = [(tenant, purpose) for tenant in ("", "a", "b") for purpose in ("state", "audit-index")]
    ids = {pair: state.keys.live(*pair).id for pair in pairs}
    assert len(set(ids.values())) == 6
    assert {pair: state.keys.live(*pair).id for pair in pairs} == ids


def test_wrapped_key_copied_to_another_tenant_does_not_unwrap(state: State) -> None:
    """The wrapping is bound to tenant, purpose and id."""
    one, two = state.keys.live("a", "state"), state.keys.live("b", "state")
    with state.write() as connection:
        wrapped = connection.execute(select(data_key.c.wrapped).where(data_key.c.id == one.id)).scalar_one()
        connection.execute(data_key.update().where(data_key.c.id == two.id).values(wrapped=wrapped))
    state.keys.forget()
    with pytest.raises(SealError):
        state.keys.by_id(two.id)
    with pytest.raises(SealError):
        state.keys.by_id("ff" * 8)


def test_no_key_is_readable_in_the_database(state: State, tmp_path: Path) -> None:
    """Neither a data key nor the master key, in any file of it."""
    secret = state.keys.live("a", "state").secret
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for hidden in (secret, secret.hex().encode(), MASTER.secret):
        assert hidden not in raw


def test_destroyed_key_is_gone_for_every_reader_and_from_the_file(state: State, tmp_path: Path) -> None:
    """What it sealed is erased; its wrapped bytes are overwritten; a new key takes its place."""
    key = state.keys.live("a", "audit-content/2026-01")
    blob = key.seal(b"x", PLACE)
    with state.read() as connection:
        wrapped = connection.execute(select(data_key.c.wrapped).where(data_key.c.id == key.id)).scalar_one()
    state.scrub()
    assert wrapped in (tmp_path / "state.db").read_bytes()
    with state.write() as connection:
        assert state.keys.destroy([key.id], connection) == 1
    state.scrub()
    with pytest.raises(KeyDestroyedError):
        state.keys.by_id(key.id)
    assert all(wrapped not in path.read_bytes() for path in tmp_path.iterdir())
    fresh = state.keys.live("a", "audit-content/2026-01")
    assert fresh.id != key.id
    with pytest.raises(SealError):
        fresh.open(blob, PLACE)


def test_destruction_reaches_another_process(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the latest when what it keeps in memory is old."""
    other = State.open(url(tmp_path), MASTER)
    key = other.keys.live("a", "state")
    with state.write() as connection:
        state.keys.destroy([key.id], connection)
    assert other.keys.by_id(key.id).secret == key.secret
    monkeypatch.setattr(keys_module, "KEY_CACHE_S", 0.0)
    with pytest.raises(KeyDestroyedError):
        other.keys.by_id(key.id)
    other.close()


def test_rotation_moves_every_key_and_readers_never_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after any number of keys, run again: readers with both master keys open all of it at every step."""
    new = MasterKey(b"n" * 32)
    before = State.open(url(tmp_path), MASTER)
    blobs = {}
    for number in range(5):
        key = before.keys.live(f"t{number}", "state")
        blobs[key.id] = key.seal(b"kept", PLACE)
    before.close()
    rotating, reader = (State.open(url(tmp_path), new, older=[MASTER]) for _ in range(2))
    steps: list[int] = []
    write = State.write

    def failing(self: State) -> object:
        if self is rotating and len(steps) == 2:
            raise OSError("stopped")
        steps.append(1)
        return write(self)

    def all_open(state: State) -> bool:
        state.keys.forget()
        return all(state.keys.by_id(key_id).open(blob, PLACE) == b"kept" for key_id, blob in blobs.items())

    monkeypatch.setattr(State, "write", failing)
    with pytest.raises(OSError, match="stopped"):
        rotating.keys.rewrap()
    monkeypatch.undo()
    assert all_open(reader)
    with pytest.raises(ConfigError):
        State.open(url(tmp_path), MASTER)
    with pytest.raises(ConfigError):
        State.open(url(tmp_path), new)
    assert rotating.keys.rewrap() == 3
    assert rotating.keys.rewrap() == 0
    assert all_open(reader)
    after = State.open(url(tmp_path), new)
    assert all_open(after)
    for state in (rotating, reader, after):
        state.close()


def _make_key(address: str, results: multiprocessing.Queue[str]) -> None:
    opened = State.open(address, MASTER)
    results.put(opened.keys.live("tenant", "state").id)
    opened.close()


@pytest.mark.server
def test_replicas_on_postgresql_agree_on_schema_and_keys(postgres_server: PostgresServer) -> None:
    """Three processes open an empty database at once, and ask for the same key."""
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS state_race")
        admin.execute("CREATE DATABASE state_race")
    address = postgres_server.url("admin", database="state_race")
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=_make_key, args=(address, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=30) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(found) == 1
    opened = State.open(address, MASTER)
    with opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    opened.close()


def test_clock_is_whole_microseconds_in_utc() -> None:
    """To text and back, zones included."""
    assert iso(from_iso("2026-01-31T10:30:00.000001+01:00")) == "2026-01-31T09:30:00.000001Z"
    assert from_iso("1970-01-01") == 0
    assert iso(1) == "1970-01-01T00:00:00.000001Z"


def test_sqlite_version_is_new_enough() -> None:
    """RETURNING and upserts are not used; WAL and secure_delete are."""
    assert sqlite3.sqlite_version_info >= (3, 35)
