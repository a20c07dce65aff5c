"""Generated tables in real DuckDB and SQLite files, and their summaries; shared by the proofs."""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from hypothesis import strategies as st

from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.model import Summary
from gateway.summary.releases import Releases
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for

ENGINES = ("duckdb", "sqlite")
Row = tuple[str, int, float | None, int | None, str | None, str | None]
COLUMNS = "tenant varchar, who integer, amount double precision, score integer, word varchar, day date"
RULES = '[source.tables.t]\ntenant = "tenant"\n'


@dataclass(frozen=True, slots=True)
class World:
    """Rows of one table, with a way to change them."""

    rows: tuple[Row, ...]

    def of(self, tenant: str) -> list[Row]:
        """The rows of one tenant."""
        return [row for row in self.rows if row[0] == tenant]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder per example: hypothesis runs many in one test, and tmp_path is one per test."""
    path = Path(tempfile.mkdtemp(prefix="rowless-world-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def write(rows: Sequence[Row], engine: str, path: Path, ddl: str = COLUMNS) -> Path:
    """Write the rows to a new database file."""
    file = path / f"world.{engine}"
    file.unlink(missing_ok=True)
    marks = ",".join("?" * len(ddl.split(",")))
    if engine == "duckdb":
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"create table t ({ddl})")
            for start in range(0, len(rows), 2_000):
                chunk = rows[start : start + 2_000]
                flat = [value for row in chunk for value in row]
                connection.execute(f"insert into t values {','.join([f'({marks})'] * len(chunk))}", flat)
        return file
    lite = sqlite3.connect(file)
    lite.execute(f"create table t ({ddl})")
    lite.executemany(f"insert into t values ({marks})", rows)
    lite.commit()
    lite.close()
    return file


def summary_of(file: Path, *, tenant: str = "a", rules: str = RULES, releases: Releases | None = None) -> Summary:
    """Open, summarise within the tenant's scope, close."""
    config = Project.parse(f'[[source]]\nname = "w"\npath = "{file}"\n{rules}').source()
    source = open_source(config)
    try:
        catalog = source.reflect()
        return summarise(source, catalog, scope_for(config, catalog, tenant=tenant), config, releases=releases)
    finally:
        source.close()


def numbers_of(summary: Summary) -> list[float]:
    """Every number a Summary says, shares apart."""
    found: list[float] = []
    for table in summary.tables:
        found += [table.rows] if isinstance(table.rows, int) else []
        for column in table.columns:
            found += [column.distinct] if isinstance(column.distinct, int) else []
            if column.number is not None:
                facts = column.number.model_dump(exclude_none=True, exclude={"zeros", "histogram"})
                bins = column.number.histogram
                found += [*bins.edges, *(count for count in bins.counts if isinstance(count, int))] if bins else []
                found += [float(v) for v in facts.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    return found


def digits(number: float) -> int:
    """Significant digits."""
    if number == 0:
        return 0
    lead = f"{abs(number):.12e}".split("e")[0].replace(".", "").rstrip("0")
    return len(lead)


def _amounts(shape: str, seeds: list[float]) -> list[float]:
    if shape == "flat":
        return [round(s * 100, 2) for s in seeds]
    if shape == "heavy":
        return [round(math.exp(s * 14), 2) for s in seeds]
    if shape == "signed":
        return [round((s - 0.5) * 1e4, 1) for s in seeds]
    if shape == "same":
        return [7.25 for _ in seeds]
    return [0.0 if s < 0.9 else round(s * 50, 2) for s in seeds]


@st.composite
def worlds(draw: st.DrawFn, *, most: int = 400) -> World:
    """Two tenants' rows: sizes around every threshold, several shapes, outliers, nulls and rare values."""
    size = draw(st.sampled_from([0, 1, 5, 9, 10, 14, 15, 29, 30, 31, 99, 100, 101, 199, 200, 250, most]))
    others = draw(st.sampled_from([0, 3, 120]))
    total = size + others
    seed = draw(st.integers(min_value=0, max_value=2**32 - 1))
    # Seeded floats, not one draw per cell: a table of 400 rows would drown the search.
    seeds = [((seed * (i + 1) * 2654435761) % 2**32) / 2**32 for i in range(total)]
    amounts = _amounts(draw(st.sampled_from(["flat", "heavy", "signed", "same", "zeros"])), seeds)
    subjects = draw(st.sampled_from([total or 1, 12, 40]))
    holes = draw(st.sampled_from([0, 1, 9, 10, 60]))
    rare = draw(st.sampled_from([0, 1, 9, 10, 40]))
    outlier = draw(st.sampled_from([None, 1e7, -1e7, 98765.43]))
    rows: list[Row] = []
    for i in range(total):
        amount: float | None = amounts[i]
        if i < holes:
            amount = None
        elif i == holes and outlier is not None:
            amount = outlier
        word = "Zanzibar Quill" if i < rare else ("open", "sent", "late")[int(seeds[i] * 1e6) % 3]
        day = f"{2019 + int(seeds[i] * 5)}-{int(seeds[i] * 1e4) % 12 + 1:02d}-{int(seeds[i] * 1e6) % 28 + 1:02d}"
        score = None if i % 11 == 0 and holes else int(seeds[i] * 7919) % 200
        rows.append(("a" if i < size else "b", i % subjects, amount, score, word, day))
    return World(rows=tuple(rows))
