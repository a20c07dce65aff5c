"""One locked-down DuckDB engine a database file, shared by the sources of this process that read the file.

What is taken away, before the first statement and for good: writing, file and network access, extensions, the
look-up of Python variables, more memory, threads and spill than the caps, and the means to change any of this.

Source: duckdb.org/docs, "Securing DuckDB"; SECURITY model D.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb

from gateway.sources.errors import Code, failure
from gateway.sources.private import PrivateFolder

MEMORY_MB: Final = 512
"""Memory of an engine unless the owner gives it more: its buffer pool grows to this, whatever the file's size."""
THREADS: Final = 2
_SPILL_LIMIT: Final = "8GB"

_LOCK_DOWN: Final[dict[str, str]] = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "threads": str(THREADS),
    "max_temp_directory_size": _SPILL_LIMIT,
}


class Instance:
    """A DuckDB engine over one file. `use` counts the sources that hold it; DuckDB allows one a file and process."""

    def __init__(self, name: str, path: Path, allowed_paths: tuple[str, ...], memory_mb: int) -> None:
        self.users = 1
        self._spill = PrivateFolder()
        try:
            config: dict[str, str | bool | int | float | list[str]] = {
                **_LOCK_DOWN,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(self._spill.path),
            }
            self.connection = duckdb.connect(path, read_only=True, config=config)
            # These three only go in this order, and the first is refused by the engine once the second is set.
            if allowed_paths:
                self.connection.execute("SET allowed_paths = ?", [list(allowed_paths)])
            self.connection.execute("SET enable_external_access = false")
            self.connection.execute("SET lock_configuration = true")
            self.database = str(self.connection.execute("SELECT current_database()").fetchall()[0][0])
        except duckdb.Error as error:
            self._spill.close()
            raise failure(_open_code(error), name) from None

    def close(self) -> None:
        """Close the engine and remove what it spilt."""
        with suppress(duckdb.Error):
            self.connection.close()
        self._spill.close()


_shared: dict[Path, Instance] = {}
_lock = threading.Lock()


def open_instance(name: str, path: Path, allowed_paths: tuple[str, ...] = (), memory_mb: int = MEMORY_MB) -> Instance:
    """Open a file, or join those that have it open already.

    Args:
        name: The source, for errors.
        path: The database file.
        allowed_paths: Parquet files that views of the database read; no other file can be opened.
        memory_mb: Most memory of the engine, in MB; of several sources of a file, the first one's counts.

    Raises:
        SourceError: The file is missing, locked by a writer, or no DuckDB database.
    """
    place = path.resolve()
    with _lock:
        instance = _shared.get(place)
        if instance is not None:
            instance.users += 1
            return instance
        instance = Instance(name, place, allowed_paths, memory_mb)
        _shared[place] = instance
        return instance


def close_instance(instance: Instance) -> None:
    """Leave an instance; the last one closes it."""
    with _lock:
        instance.users -= 1
        if instance.users:
            return
        for place in [p for p, known in _shared.items() if known is instance]:
            del _shared[place]
    instance.close()


def _open_code(error: duckdb.Error) -> Code:
    """Opening fails in few ways, which DuckDB tells apart by text only; the text stays here."""
    text = str(error).lower()
    if "set lock" in text or "conflicting lock" in text or "different configuration" in text:
        return Code.BUSY
    if "not a valid duckdb" in text or "corrupt" in text or "version number" in text:
        return Code.FORMAT
    if "permission denied" in text:
        return Code.PERMISSION
    return Code.NOT_FOUND if "does not exist" in text else Code.UNUSABLE
