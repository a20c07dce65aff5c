"""Stage 1, the way in: from a configured address to an opened, locked-down source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.sources.errors import Code, failure
from gateway.sources.formats import Format, sniff_format

_SCHEMES: Final = {
    "postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql",
    "mongodb": "mongodb", "mongodb+srv": "mongodb", "sc": "spark",
}  # fmt: skip


def open_source(config: SourceConfig) -> Source:
    """Open a configured datasource read-only.

    Args:
        config: The owner's entry in the project file.

    Raises:
        SourceError: It cannot be opened; the code says why (`gateway.sources.errors.Code`).
    """
    if config.path is not None:
        return _open_file(config)
    return _open_server(config, kind_of(config))


def kind_of(config: SourceConfig) -> str:
    """The engine of a source: as configured, else told by the scheme of its url; ``files`` for a path.

    Raises:
        SourceError: The url's scheme is none that is known.
    """
    if config.path is not None:
        return "files" if config.kind == "auto" else config.kind
    if config.kind != "auto":
        return config.kind
    address = config.url.get_secret_value() if config.url is not None else ""
    kind = _SCHEMES.get(address.split(":", 1)[0].lower())
    if kind is None:
        raise failure(Code.KIND, config.name)
    return kind


def open_path(path: Path, name: str | None = None) -> Source:
    """Open an own file or folder: CSV, Parquet, JSON Lines, SQLite or DuckDB.

    Raises:
        SourceError: It is not there, or holds no table.
    """
    from gateway.project import Project

    return open_source(Project.for_path(path, name).source())


def _open_file(config: SourceConfig) -> Source:
    path = config.path
    if path is None or not path.exists():
        raise failure(Code.NOT_FOUND, config.name)
    found = Format.FOLDER if path.is_dir() else sniff_format(path, config.name)
    if found is Format.DUCKDB:
        from gateway.sources.duckdb_source import DuckDbSource

        return DuckDbSource(config.name, path, comments=config.comments, memory_mb=config.memory_mb)
    if found is Format.SQLITE:
        from gateway.sources.sqlite_source import SqliteSource

        return SqliteSource(config.name, path)
    from gateway.sources.files import open_files

    return open_files(config.name, path, header=config.header, memory_mb=config.memory_mb)


def _open_server(config: SourceConfig, kind: str) -> Source:
    try:
        if kind == "postgres":
            from gateway.sources.postgres_source import PostgresSource

            return PostgresSource(config)
        if kind == "mysql":
            from gateway.sources.mysql_source import MysqlSource

            return MysqlSource(config)
        if kind == "mongodb":
            from gateway.sources.mongo_source import MongoSource

            return MongoSource(config)
        if kind == "spark":
            # gRPC's core writes of failed handshakes to stderr, past Python's logging; this is read when it is loaded.
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")
            from gateway.sources.spark_source import SparkSource

            return SparkSource(config)
    except ImportError:
        raise failure(Code.DRIVER, config.name) from None
    raise failure(Code.KIND, config.name)
