"""What it takes to build the value index of a scope, and to bring it up to date.

    python bench/index_refresh.py [--quick] [--rows 1000000] [--rounds 3] [--engine duckdb] [--engine postgres]

One table with ten text columns (two of 200,000 distinct values, of two words and of e-mail addresses; one of sentences)
and a whole-number key, two tenants; one tenant's half of twice the rows is in scope. Timed: a build,
the first refresh after it, one when nothing changed, when only another tenant's rows did, when one value of a column of
200 or of 200,000 changed, and when a row came that has known values but for its key. PostgreSQL is a server of its own
on loopback (CONTRIBUTING.md). Seconds are wall time, with the time of this process's processor beside it; the quickest
of the rounds counts. Last, how well another tenant's changes are told from none by the time of a refresh (area under
the curve; 0.5 is a coin).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.side_channel import told_apart
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.freshness import Reading, read_index
from gateway.tenancy.rules import scope_for
from tests.servers.postgres import started

KEY = b"key of the benchmark, 32 bytes.."
WORDS = (
    "list_extract(['amber','birch','cedar','delta','ember','fjord','grove','heron','iris','jade'], 1 + ({})::int % 10)"
)
COLUMNS = {
    "status": "'state ' || chr((97 + hash(j) % 5)::int)",
    "channel": "'channel ' || chr((97 + hash(j * 3) % 10)::int)",
    "team": "'team ' || (hash(j * 5) % 50)",
    "country": "'land of ' || (hash(j * 7) % 200)",
    "city": f"{WORDS.format('hash(j * 11) % 5000')} || ' town ' || (hash(j * 11) % 5000)",
    "sku": "'SKU-' || (hash(j * 13) % 50000)",
    "product": f"{WORDS.format('hash(j * 17) % 20000')} || ' works ' || md5((hash(j * 17) % 20000)::varchar)[1:6]",
    "name": f"md5((j % 200000)::varchar)[1:7] || ' ' || {WORDS.format('j % 200000')}",
    "email": "md5((j % 200000)::varchar)[1:9] || '@mail.example'",
    "note": "'a note of nine words or more, number ' || (hash(j * 19) % 100000) || ', and so on and on'",
}
DECLARED = "id bigint PRIMARY KEY, tenant varchar, " + ", ".join(f"{name} varchar" for name in COLUMNS)
RULES = '[source.tables.deals]\ntenant = "tenant"\n'
CHANGES = {
    "nothing changed": "",
    "another tenant's rows changed": "UPDATE deals SET status = 'x {turn}', name = 'y {turn}' WHERE id = 1",
    "a column of 200 changed": "UPDATE deals SET country = 'new land {turn}' WHERE id = 2",
    "a column of 200,000 changed": "UPDATE deals SET name = 'quetzal {turn}' WHERE id = 2",
    "a row came": "INSERT INTO deals SELECT 1000000000 + 2 * {turn}, 'one', "
    + ", ".join(COLUMNS)
    + " FROM deals WHERE id = 2",
}


class Bench:
    """A database with the table, and the source that reads it."""

    def __init__(self, project: str, change: Callable[[str], None], *, reopens: bool) -> None:
        self._project = project
        self._change = change
        self._reopens = reopens
        self._open()

    def _open(self) -> None:
        config = Project.parse(self._project).source()
        self.source = open_source(config)
        self.catalog = self.source.reflect()
        self.scope = scope_for(config, self.catalog, tenant="one")

    def change(self, statement: str) -> None:
        """Write as the owner's program would; DuckDB lets nobody write to what is open."""
        if statement:
            if self._reopens:
                self.source.close()
            self._change(statement)
            if self._reopens:
                self._open()

    def read(self, previous: Reading | None = None) -> Reading:
        """Build, or bring up to date."""
        return read_index(self.source, self.catalog, self.scope, key=KEY, previous=previous)


def rows_of(rows: int) -> str:
    """Statement that makes twice as many rows, every other one of tenant one."""
    made = ", ".join(f"{how} AS {name}" for name, how in COLUMNS.items())
    tenant = "CASE WHEN i % 2 = 0 THEN 'one' ELSE 'two' END AS tenant"
    return f"SELECT i AS id, {tenant}, {made} FROM (SELECT i, i // 2 AS j FROM range({2 * rows}) r(i))"


@contextmanager
def on_duckdb(rows: int) -> Iterator[Bench]:
    """The table in a DuckDB file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "deals.duckdb"

        def change(statement: str) -> None:
            with duckdb.connect(str(file), config={"threads": 2}) as connection:
                connection.execute(statement)

        change(f"CREATE TABLE deals ({DECLARED})")
        change(f"INSERT INTO deals {rows_of(rows)}")
        bench = Bench(f'[[source]]\nname = "bench"\npath = "{file}"\n{RULES}', change, reopens=True)
        yield bench
        bench.source.close()


@contextmanager
def on_postgres(rows: int) -> Iterator[Bench]:
    """The table in a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory() as folder, started() as server:
        lines = Path(folder) / "deals.csv"
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute(f"COPY ({rows_of(rows)}) TO '{lines}' (HEADER false)")
        with server.admin() as admin:
            admin.execute("CREATE DATABASE shop")
        with server.admin("shop") as admin:
            admin.execute(f"CREATE TABLE deals ({DECLARED})")
            with lines.open("rb") as file, admin.cursor().copy("COPY deals FROM STDIN (FORMAT csv)") as copy:
                while block := file.read(1 << 20):
                    copy.write(block)
            admin.execute("VACUUM ANALYZE deals")
            lines.unlink()
            url = server.url("admin")
            bench = Bench(
                f'[[source]]\nname = "bench"\nurl = "{url}"\nunsafe_can_write = true\n{RULES}',
                lambda statement: void(admin.execute(statement)),
                reopens=False,
            )
            yield bench
            bench.source.close()


def void(_: object) -> None:
    """Nothing."""


def timed(
    work: Callable[[], object], rounds: int, before: Callable[[int], None] = lambda _: None
) -> tuple[float, float]:
    """Least wall seconds of some rounds, and the processor's of the same one."""
    taken = []
    for turn in range(rounds):
        before(turn)
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(taken)


def measure(name: str, bench: Bench, rounds: int, pairs: int) -> None:
    """Print one engine's times."""

    def say(what: str, times: tuple[float, float]) -> None:
        print(f"{name:<9} {what:<32} {times[0]:8.2f} s {times[1]:8.2f} s   load {os.getloadavg()[0]:.1f}", flush=True)

    say("build", timed(bench.read, rounds))
    first = bench.read()
    say("first refresh", timed(lambda: bench.read(first), rounds))
    kept = [bench.read(first)]
    print(f"{name:<9} {len(first.index):,} fingerprints, skipped {', '.join(first.index.skipped) or 'none'}")

    def refresh() -> None:
        kept[0] = bench.read(kept[0])

    for number, (what, statement) in enumerate(CHANGES.items()):
        asked = statement
        say(what, timed(refresh, rounds, lambda turn, s=asked, n=number: bench.change(s.format(turn=turn + 100 * n))))
    chance = random.Random(5)
    times: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(pairs * 2):
        foreign = bool(chance.getrandbits(1))
        # Both write, so that both find the engine in the same state; one writes to no row.
        bench.change(f"UPDATE deals SET name = 'z {turn}' WHERE id = {3 if foreign else -1}")
        wall = time.perf_counter()
        refresh()
        times[foreign].append(time.perf_counter() - wall)
    size = min(len(times[True]), len(times[False]))
    apart = told_apart(times[True][:size], times[False][:size])
    noise = 1.96 * (2 * size + 1) ** 0.5 / (12**0.5 * size)
    print(f"{name:<9} another tenant's change told from none with {apart:.3f} (coin 0.5, noise ± {noise:.3f})")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50,000 rows, DuckDB alone")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in scope")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=40, help="refreshes of each kind for the side channel")
    parser.add_argument("--engine", action="append", choices=["duckdb", "postgres"])
    arguments = parser.parse_args()
    rows = 50_000 if arguments.quick else arguments.rows
    engines = ["duckdb"] if arguments.quick else arguments.engine or ["duckdb", "postgres"]
    for engine in engines:
        with {"duckdb": on_duckdb, "postgres": on_postgres}[engine](rows) as bench:
            measure(engine, bench, arguments.rounds, 10 if arguments.quick else arguments.pairs)


if __name__ == "__main__":
    main()
