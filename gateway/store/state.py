"""The state database: SQLite by default, PostgreSQL in production. Opening it brings its tables up to date.

SQLite runs in WAL mode with ``synchronous=FULL`` (a commit that returned survives a power cut) and with
``secure_delete`` (a destroyed key is overwritten). On PostgreSQL, `synchronous_commit` is held on for the same reason.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gateway.errors import ConfigError
from gateway.store.keys import Keyring
from gateway.store.seal import MasterKey

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a writer waits for another process's write; half of the audit log's deadline."""

_MIGRATION_LOCK: Final = 7_245_093_118_001
"""Number of the advisory lock under which PostgreSQL replicas migrate one after another."""


class State:
    """An opened state database, and the keys in it. Thread-safe.

    Attributes:
        engine: For `read` and `write`; nothing else should connect.
        keys: Data keys, unwrapped by the master key.
    """

    def __init__(self, engine: Engine, master_key: MasterKey, older: Sequence[MasterKey] = ()) -> None:
        self.engine = engine
        self.keys = Keyring(self, master_key, older)

    @classmethod
    def open(cls, url: str | URL, master_key: MasterKey, *, older: Sequence[MasterKey] = ()) -> State:
        """Connect, migrate, and check that the master key fits.

        Args:
            url: A SQLAlchemy address. ``sqlite:///path/state.db``, or ``postgresql+psycopg://…``.
            master_key: What wraps the data keys.
            older: Master keys that still unwrap: for the time of a rotation.

        Raises:
            ConfigError: The address is unusable, the database cannot be reached, or the master key is another one.
        """
        try:
            engine = _engine(url)
            _migrate(engine)
        except (ArgumentError, SQLAlchemyError, OSError, ImportError):
            msg = "the state database cannot be opened (setting state_url)"
            raise ConfigError(msg) from None
        state = cls(engine, master_key, older)
        state.keys.check_master_key()
        return state

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database and changes nothing."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; durable when the block has ended without an error.

        On SQLite it takes the write lock at once: a transaction that reads first and then finds the lock taken
        could not go on.
        """
        with self.engine.connect().execution_options(rowless_write=True) as connection, connection.begin():
            yield connection

    def scrub(self) -> None:
        """Take what was overwritten out of SQLite's write-ahead log too; on PostgreSQL nothing, which needs VACUUM."""
        if self.is_sqlite:
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: str | URL) -> Engine:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database and address.database != ":memory:":
            file = Path(address.database)
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made here, for its owner alone; SQLite gives the files beside it the same mode.
            file.touch(mode=0o600, exist_ok=True)
        engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(
        address, pool_pre_ping=True, pool_size=5, max_overflow=5, pool_timeout=BUSY_TIMEOUT_MS / 1000
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` does, with the right kind of lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        # Copying the log file back into the database makes one commit in hundreds slow: rarely, 16 MB at a time.
        "wal_autocheckpoint=4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("rowless_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _prepare_postgres(connection: object, _record: object) -> None:
    with connection.cursor() as cursor:  # type: ignore[attr-defined]  # psycopg is an extra
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SET lock_timeout TO '5s'")
        cursor.execute("SET statement_timeout TO '60s'")
    connection.commit()  # type: ignore[attr-defined]


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect().execution_options(rowless_write=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
