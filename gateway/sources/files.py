"""CSV, JSON Lines and Parquet files and folders, through DuckDB.

Text formats are loaded once into a private DuckDB file that is then opened read-only and unlinked: after that no
SQL can reach any file, the text is parsed once rather than at each question, memory stays flat as rows grow, and
no copy outlives the process. Parquet is read in place through views, as copying it would cost time and gain no
speed; the engine may then open exactly those files and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from gateway.errors import SourceError
from gateway.sources.duckdb_instance import MEMORY_MB
from gateway.sources.duckdb_source import DuckDbSource
from gateway.sources.errors import Code, failure
from gateway.sources.formats import SUFFIXES, Format, as_utf8, sniff_format
from gateway.sources.header import is_header
from gateway.sources.names import safe_names, speakable
from gateway.sources.private import PrivateFolder
from gateway.sources.quoting import literal, quoted
from gateway.sources.textual import convert_numbers

_PEEK_ROWS: Final = 2_000
_MAX_JSON_COLUMNS: Final = 300
"""More keys than this at the top of JSON records are data (ids, addresses), not columns."""
_MAX_FILES: Final = 2_000
_LOADED: Final = frozenset({Format.CSV, Format.JSON, Format.PARQUET})
_CODE: Final = re.compile(r"0\d+\Z")
"""A leading zero makes a code (a postcode, an article number) of what would pass for a number."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One table to be made: its name in the folder, and its files, all of one format (None: of none that is read)."""

    label: str
    format: Format | None
    files: tuple[Path, ...]


def open_files(name: str, path: Path, *, header: bool | None = None, memory_mb: int = MEMORY_MB) -> DuckDbSource:
    """Open a file, or a folder of files, as a source.

    Args:
        name: The owner's name of the source.
        path: A CSV, JSON Lines or Parquet file, or a folder. In a folder each file is a table, and each folder in it
            is one table of all its files.
        header: Whether the first line of CSV names the columns; None to tell by looking.
        memory_mb: Most memory of the engine, in MB.

    Raises:
        SourceError: Nothing in it is a table.
    """
    work = PrivateFolder()
    try:
        parts = _parts(name, path)
        loader = _Loader(name, work.path, header=header, memory_mb=memory_mb)
        database, allowed = loader.load(parts)
        return DuckDbSource(
            name,
            database,
            warnings=tuple(loader.warnings),
            loaded=True,
            allowed_paths=allowed,
            memory_mb=memory_mb,
        )
    finally:
        # The open descriptor keeps the data; with the name gone, no rows outlive the process.
        work.close()


def _parts(name: str, path: Path) -> list[_Part]:
    if path.is_file():
        return [_Part(path.name.split(".")[0], sniff_format(path, name), (path,))]
    parts = []
    for entry in sorted(path.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        found = [entry] if entry.is_file() else sorted(p for p in entry.rglob("*") if p.is_file())
        files = tuple(f for f in found if _is_wanted(f) and f.stat().st_size > 0)
        if len(files) > _MAX_FILES:
            raise failure(Code.TOO_LARGE, name)
        if files:
            parts.append(_Part(entry.name.split(".")[0], _one_format(files, name), files))
    if not parts:
        raise failure(Code.EMPTY, name)
    return parts


def _one_format(files: Sequence[Path], name: str) -> Format | None:
    """The format that all files of a table have; None if they have not one, or are no tables."""
    try:
        formats = {sniff_format(file, name) for file in files}
    except SourceError:
        return None
    found = formats.pop()
    return found if not formats and found in _LOADED else None


def _is_wanted(file: Path) -> bool:
    suffixes = [s.lower() for s in file.suffixes[-2:]]
    return bool(suffixes) and (suffixes[-1] in SUFFIXES or "".join(suffixes) in SUFFIXES)


class _Loader:
    """Makes the private database. `warnings` are safe to show: they name tables by their safe names only."""

    def __init__(self, name: str, work: Path, *, header: bool | None, memory_mb: int) -> None:
        self._name = name
        self._memory_mb = memory_mb
        self._work = work
        self._header = header
        self.warnings: list[str] = []

    def load(self, parts: Sequence[_Part]) -> tuple[Path, tuple[str, ...]]:
        """Load every part; returns the database file and the paths it still reads."""
        database = self._work / "rows.duckdb"
        allowed: list[str] = []
        names = safe_names((part.label for part in parts), prefix="t")
        try:
            with duckdb.connect(
                database,
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "python_enable_replacements": "false",
                    "memory_limit": f"{self._memory_mb}MB",
                    "threads": "2",
                    "temp_directory": str(self._work),
                    "preserve_insertion_order": "false",
                },
            ) as connection:
                for part, table in zip(parts, names, strict=True):
                    try:
                        allowed.extend(self._add(connection, part, table))
                    except (duckdb.Error, SourceError):
                        # One bad file of a folder does not take the others with it.
                        if len(parts) == 1:
                            raise
                        self.warnings.append(f"table '{table}': its file cannot be read as a table and is left out")
        except duckdb.Error:
            raise failure(Code.FORMAT, self._name) from None
        except OSError:
            raise failure(Code.UNUSABLE, self._name) from None
        return database, tuple(allowed)

    def _add(self, connection: duckdb.DuckDBPyConnection, part: _Part, table: str) -> list[str]:
        if part.format is Format.PARQUET:
            return self._view(connection, part, table)
        if part.format is Format.CSV:
            self._csv(connection, part, table)
        elif part.format is Format.JSON:
            self._json(connection, part, table)
        else:
            raise failure(Code.FORMAT, self._name)
        return []

    def _view(self, connection: duckdb.DuckDBPyConnection, part: _Part, table: str) -> list[str]:
        paths = [str(f.resolve()) for f in part.files]
        listed = ", ".join(literal(p) for p in paths)
        reader = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = {len(paths) > 1})"
        found = [str(r[0]) for r in connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]  # noqa: S608
        names = self._names(found, table)
        columns = ", ".join(f"{quoted(c)} AS {quoted(n)}" for c, n in zip(found, names, strict=True))
        connection.execute(f"CREATE VIEW {quoted(table)} AS SELECT {columns} FROM {reader}")  # noqa: S608
        return paths

    def _csv(self, connection: duckdb.DuckDBPyConnection, part: _Part, table: str) -> None:
        texts = [as_utf8(f, self._work, self._name) for f in part.files]
        odd = sorted({encoding for _, encoding in texts} - {"utf-8", "utf-8-sig"})
        if odd:
            self.warnings.append(f"table '{table}': text was read as {', '.join(odd)}")
        paths = "[" + ", ".join(literal(str(p)) for p, _ in texts) + "]"
        dialect = connection.execute(
            "SELECT delimiter, quote, escape, skiprows FROM sniff_csv(?, sample_size = 20480)", [str(texts[0][0])]
        ).fetchall()[0]
        delimiter, quote, escape = (literal(_mark(str(m))) for m in dialect[:3])
        options = f"delim = {delimiter}, quote = {quote}, escape = {escape}, skip = {int(dialect[3])}"
        loose = "header = false, all_varchar = true, null_padding = true, parallel = false"
        raw = f"read_csv({literal(str(texts[0][0]))}, {options}, {loose})"
        peek = connection.execute(f"SELECT * FROM {raw} LIMIT {_PEEK_ROWS}").fetchall()  # noqa: S608
        if not peek:
            raise failure(Code.EMPTY, self._name)
        first = ["" if c is None else str(c) for c in peek[0]]
        header = self._header if self._header is not None else is_header(first, peek[1:])
        if header:
            names = self._names(first, table)
        else:
            names = [f"c{i + 1}" for i in range(len(first))]
            if self._header is None:
                self.warnings.append(
                    f"table '{table}': its first line looks like data, so the columns are called c1, c2, …; "
                    "set header = true if it does name them"
                )
        codes = [n for i, n in enumerate(names) if any(_CODE.match(r[i] or "") for r in peek[header:])]
        if codes:
            options += ", types = {" + ", ".join(f"{literal(n)}: 'VARCHAR'" for n in codes) + "}"
        listed = "[" + ", ".join(literal(n) for n in names) + "]"
        options += f", header = {header}, names = {listed}, union_by_name = false"
        for attempt in (
            "",
            ", sample_size = -1",
            ", all_varchar = true, null_padding = true, parallel = false, strict_mode = false",
        ):
            try:
                connection.execute(
                    f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT * FROM read_csv({paths}, {options}{attempt})"  # noqa: S608
                )
            except duckdb.Error:
                continue
            if "all_varchar" in attempt:
                self.warnings.append(f"table '{table}': its columns do not keep to one type, so all are text")
            if numbers := convert_numbers(connection, table):
                self.warnings.append(f"table '{table}': {', '.join(numbers[:5])} held amounts as text, read as numbers")
            return
        raise failure(Code.FORMAT, self._name)

    def _json(self, connection: duckdb.DuckDBPyConnection, part: _Part, table: str) -> None:
        texts = [as_utf8(f, self._work, self._name)[0] for f in part.files]
        paths = "[" + ", ".join(literal(str(p)) for p in texts) + "]"
        reader = f"read_json({paths}, sample_size = -1, map_inference_threshold = 200, union_by_name = true)"
        found = [str(r[0]) for r in connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]  # noqa: S608
        if len(found) > _MAX_JSON_COLUMNS:
            self.warnings.append(f"table '{table}': its records have too many different keys for columns")
            reader = f"read_json({paths}, records = false, columns = {{record: 'JSON'}})"
            found = ["record"]
        names = self._names(found, table)
        columns = ", ".join(f"{quoted(c)} AS {quoted(n)}" for c, n in zip(found, names, strict=True))
        connection.execute(f"CREATE TABLE {quoted(table)} AS SELECT {columns} FROM {reader}")  # noqa: S608

    def _names(self, found: Sequence[str], table: str) -> list[str]:
        names = safe_names(found, prefix="c")
        numbered = [n for n, f in zip(names, found, strict=True) if speakable(f) != n]
        if numbered:
            self.warnings.append(
                f"table '{table}': {len(numbered)} column name(s) cannot be used as they are; "
                f"they are called {', '.join(numbered[:5])}{' …' if len(numbered) > 5 else ''}"
            )
        return names


def _mark(mark: str) -> str:
    """A delimiter as the sniffer prints it; ``(empty)`` stands for none."""
    return "" if mark == "(empty)" else mark.replace("\\t", "\t")
