"""What the gateway's sources add to their drivers: one small query, and one CSV file until its first answer.

    python bench/sources.py [--quick]

The query is ``SELECT 1`` on DuckDB and SQLite, through the source (own connection or cursor, lock-down, watch, error
map) and through the bare driver on a connection that is already open. The file is loaded by the source (encoding and
header looked at, typed, locked down) and by ``read_csv`` alone. Times are medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

from gateway.sources.open import open_path


def medians(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Median milliseconds of each action, run in turn so that drift hits all alike."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, taken in zip(actions, times, strict=True):
            started = time.perf_counter()
            action()
            taken.append((time.perf_counter() - started) * 1000)
    return [statistics.median(taken) for taken in times]


def small_queries(folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    with duckdb.connect(folder / "x.duckdb") as writer:
        writer.execute("CREATE TABLE t AS SELECT 1 AS i")
    with closing(sqlite3.connect(folder / "x.sqlite")) as writer:
        writer.execute("CREATE TABLE t (i INTEGER)")
    found = {}
    source = open_path(folder / "x.duckdb")
    source.reflect()
    bare_duck = duckdb.connect()
    found["DuckDB query"] = medians(
        rounds,
        lambda: source.aggregate("SELECT 1", {}, timeout_s=5),
        lambda: bare_duck.execute("SELECT 1").fetchall(),
    )
    source.close()
    lite = open_path(folder / "x.sqlite")
    lite.reflect()
    with closing(sqlite3.connect(folder / "x.sqlite")) as bare_lite:
        found["SQLite query"] = medians(
            rounds,
            lambda: lite.aggregate("SELECT 1", {}, timeout_s=5),
            lambda: bare_lite.execute("SELECT 1").fetchall(),
        )
    return {name: (ours, theirs) for name, (ours, theirs) in found.items()}


def csv_file(folder: Path, rows: int) -> tuple[float, float, int]:
    path = folder / "orders.csv"
    duckdb.sql(
        "SELECT i AS id, 'person' || i % 5000 || '@x.example' AS email, round(i * 1.37, 2) AS amount, "
        "DATE '2023-01-01' + CAST(i % 1000 AS INTEGER) AS day, 'status ' || i % 5 AS status "
        f"FROM range({rows}) r(i)"
    ).write_csv(str(path))

    def ours() -> None:
        source = open_path(path)
        source.aggregate("SELECT sum(amount) FROM orders", {}, timeout_s=60)
        source.close()

    def theirs() -> None:
        with duckdb.connect() as connection:
            connection.execute("SET threads = 2")
            connection.execute("CREATE TABLE orders AS SELECT * FROM read_csv(?)", [str(path)])
            connection.execute("SELECT sum(amount) FROM orders").fetchall()

    mine, bare = medians(3, ours, theirs)
    return mine, bare, path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rows = 200_000 if quick else 5_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'what':<28}{'source ms':>12}{'driver ms':>12}{'added ms':>12}")
        small = small_queries(folder, 100 if quick else 1000)
        for what, (ours, theirs) in small.items():
            print(f"{what:<28}{ours:>12.3f}{theirs:>12.3f}{ours - theirs:>12.3f}")
        ours, theirs, size = csv_file(folder, rows)
        print(f"{f'CSV, {rows:,} rows':<28}{ours:>12.0f}{theirs:>12.0f}{ours - theirs:>12.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"sources: DuckDB +{small['DuckDB query'][0] - small['DuckDB query'][1]:.2f} ms, "
        f"SQLite +{small['SQLite query'][0] - small['SQLite query'][1]:.2f} ms a query; CSV of {size / 1e6:.0f} MB "
        f"{ours / theirs:.2f} times read_csv; peak {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
