# ruff: noqa: N802  # the methods are SQLite's and the DB-API's own, under their own names
"""A disk that can lose power: what was not synced is kept, lost, torn or reordered, as chance has it.

Files live in memory. A write is pending until its file is synced; `snapshot` is the moment of a power cut, and
`Snapshot.after_power_cut` one of the many states in which the files may be found afterwards. The model is that of
SQLite's own crash tests (sqlite.org/testing.html): any subset of the pending writes of a file, each whole or torn.

SQLite reaches it by a virtual file system of apsw, whose SQLite is its own copy; `dbapi` dresses apsw as the driver
that SQLAlchemy expects. Only files of a single connection in exclusive mode work: there is no shared memory.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw

SECTOR = 512


@dataclass(slots=True)
class File:
    """One file: what is safe, and what was done since, in order: (offset, bytes), or (size, None) to truncate."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    now: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The disk at the moment of a power cut."""

    files: dict[str, tuple[bytes, tuple[tuple[int, bytes | None], ...]]]

    def after_power_cut(self, randomly: random.Random) -> dict[str, bytes]:
        """One state in which the files may be found."""
        found = {}
        for name, (safe, pending) in self.files.items():
            data = bytearray(safe)
            # Everything, nothing, or any subset of the pending writes survives; any of them may be torn.
            share = randomly.choice((0.0, 0.5, 0.9, 1.0))
            survivors = [op for op in pending if randomly.random() < share]
            if randomly.random() < 0.5:
                randomly.shuffle(survivors)
            for offset, written in survivors:
                apply(data, offset, torn(written, randomly) if randomly.random() < 0.3 else written)
            found[name] = bytes(data)
        return found


def apply(data: bytearray, offset: int, written: bytes | None) -> None:
    """Do one write or truncation."""
    if written is None:
        del data[offset:]
        return
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(written)] = written


def torn(written: bytes | None, randomly: random.Random) -> bytes | None:
    """A write of which only the first sectors came through."""
    if written is None or len(written) <= SECTOR:
        return written if written is None else written[: randomly.randrange(len(written) + 1)]
    return written[: SECTOR * randomly.randrange(len(written) // SECTOR + 1)]


class Disk(apsw.VFS):
    """The virtual file system.

    Args:
        name: Its name in SQLite.
        on_change: Called before each write, truncation and sync: the moments at which power may be cut.
        ignore_sync: A disk that lies about syncing: the control that shows that the tests can fail.
    """

    def __init__(self, name: str, *, on_change: Callable[[], None], ignore_sync: bool = False) -> None:
        self.files: dict[str, File] = {}
        self.lock = threading.RLock()
        self.on_change = on_change
        self.ignore_sync = ignore_sync
        super().__init__(name, "", maxpathname=200)

    def snapshot(self) -> Snapshot:
        """The disk as it is now."""
        with self.lock:
            return Snapshot({n: (bytes(f.safe), tuple(f.pending)) for n, f in self.files.items()})

    def xOpen(self, name: Any, flags: list[int]) -> Handle:
        path = name if isinstance(name, str) or name is None else name.filename()
        flags[1] = flags[0]
        return Handle(self, self.files.setdefault(path or f"temp-{id(flags)}", File()))

    def xAccess(self, path: str, _flags: int) -> bool:
        return path in self.files

    def xDelete(self, path: str, _sync: bool) -> None:
        self.files.pop(path, None)

    def xFullPathname(self, name: str) -> str:
        return name


class Handle:
    """One open file of the disk."""

    def __init__(self, disk: Disk, file: File) -> None:
        self._disk = disk
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._file.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.on_change()
        with self._disk.lock:
            apply(self._file.now, offset, bytes(data))
            self._file.pending.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.on_change()
        with self._disk.lock:
            apply(self._file.now, size, None)
            self._file.pending.append((size, None))

    def xSync(self, _flags: int) -> None:
        self._disk.on_change()
        if self._disk.ignore_sync:
            return
        with self._disk.lock:
            self._file.safe = bytearray(self._file.now)
            self._file.pending.clear()

    def xFileSize(self) -> int:
        return len(self._file.now)

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xLock(self, _level: int) -> None:
        return None

    def xUnlock(self, _level: int) -> None:
        return None

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False

    def xClose(self) -> None:
        return None


class dbapi:  # noqa: N801  # stands in for a module
    """apsw dressed as a DB-API driver, as far as SQLAlchemy's SQLite dialect looks."""

    paramstyle = "qmark"
    apilevel = "2.0"
    threadsafety = 1
    sqlite_version_info = sqlite3.sqlite_version_info
    sqlite_version = sqlite3.sqlite_version
    Binary = bytes
    PARSE_DECLTYPES = sqlite3.PARSE_DECLTYPES
    PARSE_COLNAMES = sqlite3.PARSE_COLNAMES
    Error = sqlite3.Error
    DatabaseError = sqlite3.DatabaseError
    OperationalError = sqlite3.OperationalError
    IntegrityError = sqlite3.IntegrityError
    InterfaceError = sqlite3.InterfaceError
    InternalError = sqlite3.InternalError
    NotSupportedError = sqlite3.NotSupportedError
    ProgrammingError = sqlite3.ProgrammingError
    DataError = sqlite3.DataError
    Warning = sqlite3.Warning


class Connection:
    """A connection to a database on a disk."""

    def __init__(self, disk_name: str, path: str) -> None:
        self._inner = apsw.Connection(path, vfs=disk_name)
        self._inner.pragma("locking_mode", "EXCLUSIVE")
        self.isolation_level: str | None = None

    def cursor(self) -> Cursor:
        return Cursor(self._inner)

    def commit(self) -> None:
        if self._inner.in_transaction:
            self._inner.execute("COMMIT")

    def rollback(self) -> None:
        if self._inner.in_transaction:
            self._inner.execute("ROLLBACK")

    def create_function(self, *_args: object, **_options: object) -> None:
        """Not needed here."""

    def close(self) -> None:
        self._inner.close()


class Cursor:
    """A cursor that reads its rows at once."""

    arraysize = 1

    def __init__(self, inner: apsw.Connection) -> None:
        self._inner = inner
        self._rows: Iterator[Sequence[Any]] = iter(())
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        cursor = self._inner.cursor()
        # Looked at before the first step: a statement that finds nothing has no description after it.
        names: list[str] = []
        cursor.exec_trace = lambda c, _sql, _values: names.extend(d[0] for d in c.get_description()) or True
        try:
            self._rows = iter(list(cursor.execute(statement, tuple(parameters))))
        except apsw.ConstraintError:
            raise sqlite3.IntegrityError from None
        except apsw.Error:
            raise sqlite3.OperationalError from None
        self.description = [(name, None, None, None, None, None, None) for name in names] or None
        self.rowcount = self._inner.changes()
        self.lastrowid = self._inner.last_insert_rowid()
        return self

    def executemany(self, statement: str, many: Sequence[Sequence[Any]]) -> Cursor:
        for parameters in many:
            self.execute(statement, parameters)
        return self

    def fetchone(self) -> Sequence[Any] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[Sequence[Any]]:
        return list(self._rows)

    def fetchmany(self, size: int = 1) -> list[Sequence[Any]]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def close(self) -> None:
        self._rows = iter(())
