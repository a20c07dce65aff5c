"""Time and peak memory of a summary, beside the one-scan limit (DuckDB SUMMARIZE) and profilers where they install.

    python bench/summary.py [--quick] [--rows 100000 1000000 …] [--tables 500] [--peer NAME=PYTHON …]
    python bench/summary.py --postgres-rows 5000000

A 20-column table (whole numbers, decimals, doubles, dates, times, texts, a boolean; 10% nulls in one column) is made
with a fixed seed. Every tool runs in a process of its own, so that peak memory is its own; the load of the data counts
for those that must load it. Tools are run in turn, round after round, so that other work on the machine hits all alike;
the round of least CPU time counts, and the load is told. A peer is measured with an interpreter in which it is
installed: ``--peer ydata-profiling=/path/python --peer ydata-minimal=… --peer dataprofiler=… --peer whylogs=…``.
``ydata-profiling`` is its report as it comes, ``ydata-minimal`` the one without correlations and interactions.

``--postgres-rows N`` starts a PostgreSQL server on loopback (CONTRIBUTING.md), copies the same table into it and
summarises it; nothing else is run then.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

COLUMNS = """
i::bigint AS id, (hash(i) % 1000)::int AS store, ((hash(i * 3) % 100000) / 100.0)::double AS price,
(hash(i * 5) % 1000000 / 1e6)::double AS score, ((hash(i * 6) % 100000000) / 100)::decimal(12, 2) AS total,
DATE '2020-01-01' + (hash(i * 7) % 1500)::int AS day,
TIMESTAMP '2020-01-01' + to_seconds((hash(i * 11) % 100000000)::bigint) AS at,
'kind ' || (hash(i * 13) % 7) AS kind, 'user' || (hash(i * 17) % 500000) || '@mail.example' AS contact,
md5(i::varchar) AS code, (hash(i * 19) % 2) = 0 AS active, (hash(i * 23) % 10)::int AS stars,
(hash(i * 25) % 100000 / 1000.0)::double AS rate, exp((hash(i * 26) % 10000) / 1000.0)::double AS amount,
'some free text number ' || (hash(i * 29) % 1000000) AS note, (hash(i * 31) % 2000)::bigint AS points,
((hash(i * 32) % 100000) / 1e5 - 0.5)::double AS change,
CASE WHEN hash(i * 33) % 10 > 0 THEN (hash(i * 34) % 1000 / 10.0)::double END AS weight,
'city ' || (hash(i * 37) % 300) AS city, (hash(i * 41) % 100)::smallint AS age
"""


def child(tool: str, path: str) -> None:
    """Run one tool on one file and print its seconds and peak memory as JSON. Imports are not counted."""
    work = _TOOLS[tool](path)
    started, cpu = time.perf_counter(), time.process_time()
    said = work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = _peak_mb()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "said": said}))


def _peak_mb() -> float:
    """Peak memory of this program alone: rusage would count that of the process it was started from too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rowless(path: str) -> Callable[[], str]:
    from gateway.project import Project
    from gateway.sources.open import open_source
    from gateway.summary.summarise import summarise
    from gateway.tenancy.rules import scope_for

    def work() -> str:
        config = Project.for_path(path).source()
        source = open_source(config)
        catalog = source.reflect()
        summary = summarise(source, catalog, scope_for(config, catalog, tenant="bench"), config)
        source.close()
        return f"{len(summary.tables)} tables, {len(summary.model_dump_json(exclude_none=True))} bytes"

    return work


def _summarize(path: str) -> Callable[[], str]:
    import duckdb

    def work() -> str:
        with duckdb.connect(path, read_only=True, config={"threads": 2, "memory_limit": "2GB"}) as connection:
            names = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            return f"{sum(len(connection.execute(f'SUMMARIZE {name}').fetchall()) for name in names)} columns"

    return work


def _frame(path: str) -> object:
    import pandas

    return pandas.read_parquet(Path(path).with_suffix(".parquet"))


def _ydata(path: str, *, minimal: bool = False) -> Callable[[], str]:
    from ydata_profiling import ProfileReport

    def work() -> str:
        report = ProfileReport(_frame(path), minimal=minimal, progress_bar=False)
        return f"{len(report.get_description().variables)} columns"

    return work


def _dataprofiler(path: str) -> Callable[[], str]:
    import dataprofiler

    def work() -> str:
        options = dataprofiler.ProfilerOptions()
        options.set({"data_labeler.is_enabled": False})
        profile = dataprofiler.Profiler(_frame(path), options=options)
        return f"{len(profile.report(report_options={'output_format': 'compact'})['data_stats'])} columns"

    return work


def _whylogs(path: str) -> Callable[[], str]:
    os.environ["WHYLOGS_NO_ANALYTICS"] = "True"  # it would else wait for a network
    import whylogs

    def work() -> str:
        return f"{len(whylogs.log(_frame(path)).view().get_columns())} columns"

    return work


_TOOLS = {
    "rowless": _rowless,
    "SUMMARIZE": _summarize,
    "ydata-profiling": _ydata,
    "ydata-minimal": partial(_ydata, minimal=True),
    "dataprofiler": _dataprofiler,
    "whylogs": _whylogs,
}


def make_table(path: Path, rows: int, *, parquet: bool) -> None:
    """Write the 20-column table, as a Parquet file too if a peer needs one."""
    import duckdb

    with duckdb.connect(str(path), config={"threads": 2}) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT {COLUMNS} FROM range({rows}) r(i)")
        if parquet:
            connection.execute(f"COPY t TO '{path.with_suffix('.parquet')}' (FORMAT parquet)")


def make_schema(path: Path, tables: int) -> None:
    """Write a schema of many tables of 12 columns and 2,000 rows, every other one with a key of another."""
    import duckdb

    with duckdb.connect(str(path), config={"threads": 2}) as connection:
        for k in range(tables):
            connection.execute(
                f"CREATE TABLE thing_{k} AS SELECT i::int AS id, (i % 2000)::int AS thing_{k // 2}_id, "
                f"'n' || i AS name, "
                f"(i * 37 % 500)::int AS quantity, (i * 7919 % 10000) / 100.0 AS price, 'k' || (i % 5) AS kind, "
                f"DATE '2022-01-01' + (i % 900)::int AS day, TIMESTAMP '2022-01-01' + to_minutes(i) AS at, "
                f"i % 3 = 0 AS active, (i % 100) / 100.0 AS rate, 'note ' || (i * 13) AS note, i % 17 AS score "
                f"FROM range(2000) r(i)"
            )


def run(tool: str, path: Path, python: str = sys.executable) -> dict[str, float] | None:
    """Measure a tool in a process of its own; None if it failed, with the reason on stderr."""
    done = subprocess.run(
        [python, str(Path(__file__).resolve()), "--child", tool, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(f"{tool} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def interleaved(tools: dict[str, str], path: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Run tools in turn, some rounds of each; peers beyond the first two run once. The least CPU time counts."""
    found: dict[str, dict[str, float]] = {}
    for number in range(rounds):
        for place, (tool, python) in enumerate(tools.items()):
            if number and place > 1:
                continue
            result = run(tool, path, python)
            if result is not None and (tool not in found or result["cpu"] < found[tool]["cpu"]):
                found[tool] = result
    return found


def compare(folder: Path, rows: int, rounds: int, peers: dict[str, str]) -> float | None:
    """Print one row a tool; return our CPU time over SUMMARIZE's."""
    path = folder / f"t{rows}.duckdb"
    if not path.exists():
        make_table(path, rows, parquet=bool(peers))
    tools = {"SUMMARIZE": sys.executable, "rowless": sys.executable, **peers}
    found = interleaved(tools, path, rounds)
    theirs = found["SUMMARIZE"]["cpu"] if "SUMMARIZE" in found else None
    for tool in tools:
        result = found.get(tool)
        if result is None:
            print(f"{rows:>12,}  {tool:<16} {'failed':>10}")
            continue
        share = f"{result['cpu'] / theirs:8.2f}x" if theirs else ""
        said = f"{result['seconds']:>9.2f}s {result['cpu']:>9.2f}s {result['peak_mb']:>9.0f} MB {share}"
        print(f"{rows:>12,}  {tool:<16} {said}   load {os.getloadavg()[0]:.1f}", flush=True)
    for made in (path, path.with_suffix(".parquet")):
        made.unlink(missing_ok=True)
    return found["rowless"]["cpu"] / theirs if theirs and "rowless" in found else None


def postgres(folder: Path, rows: int, rounds: int) -> None:
    """Copy the table into a PostgreSQL server of its own and print what a summary of it takes."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import duckdb

    from tests.servers.postgres import started

    path = folder / "postgres.csv"
    with duckdb.connect(config={"threads": 2}) as connection:
        made = f"SELECT {COLUMNS} FROM range({rows}) r(i)"
        connection.execute(f"COPY ({made}) TO '{path}' (HEADER false)")
        columns = [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {made}").fetchall()]
    declared = ", ".join(f"{name} {kind.replace('DOUBLE', 'DOUBLE PRECISION')}" for name, kind in columns)
    with started() as server:
        with server.admin() as admin:
            admin.execute("CREATE DATABASE shop")
        with server.admin("shop") as admin, path.open("rb") as lines:
            admin.execute(f"CREATE TABLE t ({declared})")
            with admin.cursor().copy("COPY t FROM STDIN (FORMAT csv)") as copy:
                while block := lines.read(1 << 20):
                    copy.write(block)
            admin.execute("VACUUM ANALYZE t")
        path.unlink()
        seconds = min(_postgres_summary(server.url("admin")) for _ in range(rounds))
        print(f"PostgreSQL: {rows:,} rows of {len(columns)} columns {seconds:.2f}s   load {os.getloadavg()[0]:.1f}")


def _postgres_summary(url: str) -> float:
    from gateway.project import Project
    from gateway.sources.open import open_source
    from gateway.summary.summarise import summarise
    from gateway.tenancy.rules import scope_for

    config = Project.parse(f'[[source]]\nname = "bench"\nurl = "{url}"\nunrestricted = true\n').source()
    source = open_source(config)
    catalog = source.reflect()
    started = time.perf_counter()
    summarise(source, catalog, scope_for(config, catalog, tenant="bench"), config)
    seconds = time.perf_counter() - started
    source.close()
    return seconds


def main() -> None:
    """Measure, print a table, and a line to sum it up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 45 seconds")
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--postgres-rows", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("TOOL", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    sizes, tables, rounds = arguments.rows, arguments.tables, arguments.rounds
    if arguments.quick:
        sizes, tables, rounds = [100_000, 1_000_000], 20, 2
    peers = dict(peer.split("=", 1) for peer in arguments.peer)
    folder = Path(tempfile.mkdtemp(prefix="rowless-bench-"))
    try:
        if arguments.postgres_rows:
            postgres(folder, arguments.postgres_rows, rounds)
            return
        print(f"{'rows':>12}  {'tool':<16} {'time':>10} {'CPU':>10} {'peak':>12} {'CPU of SUMMARIZE':>9}")
        ratios = [compare(folder, rows, rounds, peers) for rows in sizes]
        many = folder / "many.duckdb"
        make_schema(many, tables)
        schema = run("rowless", many)
        scans = run("SUMMARIZE", many)
        seconds = schema["seconds"] if schema else float("nan")
        cpu = schema["cpu"] if schema else float("nan")
        print(
            f"{tables} tables of 12 columns: {seconds:.1f}s, CPU {cpu:.1f}s; "
            f"SUMMARIZE CPU {scans['cpu'] if scans else 0:.1f}s"
        )
        said = ", ".join(f"{ratio:.2f}x at {rows:,} rows" for ratio, rows in zip(ratios, sizes, strict=True) if ratio)
        print(f"summary: {said} of SUMMARIZE's CPU time; {tables} tables in {cpu:.1f} CPU seconds")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
