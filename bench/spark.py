"""What a Spark cluster takes for a chart and for a summary of a million rows, and what the fence adds.

    python bench/spark.py [--quick]

Starts the cluster of the test suite (a master, two workers of one core each, Spark Connect; see CONTRIBUTING.md) and
writes a table of 20 columns in Parquet. The chart is a sum by region and month within one tenant of four: through the
gateway (compiled, proved, fenced) and as the same aggregate by hand without fence or limit. The summary is everything
that a model may know of the table; beside it stands Spark's own ``summary()`` of count, mean, deviation, extremes and
quartiles, as SQL. Rounds are interleaved; times are medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.catalog import Catalog
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.project import Project, SourceConfig
from gateway.sources.spark_source import SparkSource
from gateway.summary.measure import measure as measure_table
from gateway.summary.spread import with_spread
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Scope
from tests.servers.spark import SparkServer, find_spark, started

SPEC = {
    "mark": "line", "table": "sales", "measures": [{"aggregate": "sum", "column": "sales.n0"}],
    "dimensions": [{"column": "sales.day", "grain": "month"}], "series": {"column": "sales.region"},
}  # fmt: skip
BY_HAND = (
    "SELECT TRUNC(day, 'MONTH') AS d1, region AS s, SUM(n0) AS m1 FROM bench.sales WHERE tenant = 't1' "
    "GROUP BY TRUNC(day, 'MONTH'), region ORDER BY d1, s"
)


def write(server: SparkServer, rows: int) -> None:
    """20 columns: a tenant, 12 numbers, 5 texts, a day and an instant."""
    numbers = ", ".join(f"CAST(pmod(hash(id, {i}), 100000) / 100 AS DOUBLE) AS n{i}" for i in range(12))
    texts = ", ".join(f"concat('word ', pmod(hash(id, 'x{i}'), {10 ** (i + 1)})) AS w{i}" for i in range(4))
    server.run(
        "CREATE DATABASE bench",
        f"CREATE TABLE bench.sales USING parquet AS SELECT concat('t', id % 4) AS tenant, {numbers}, {texts}, "
        "concat('region ', id % 7) AS region, date_add(date'2022-01-01', CAST(id % 1000 AS INT)) AS day, "
        f"timestamp_seconds(1640995200 + id) AS at FROM range(0, {rows}, 1, 4)",
    )


def median_s(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Median seconds of each, in turn, after one round that is not counted."""
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + 1):
        for action, taken in zip(actions, times, strict=True):
            begun = time.perf_counter()
            action()
            if turn:
                taken.append(time.perf_counter() - begun)
    return [statistics.median(taken) for taken in times]


def measured_anew(source: SparkSource, catalog: Catalog, scope: Scope, config: SourceConfig) -> None:
    """What a summary asks of the cluster; a second `summarise` would serve its last release."""
    table = catalog.tables[0]
    with_spread(source, catalog, scope, config, table, measure_table(source, catalog, scope, config, table))


def measure(server: SparkServer, rows: int, rounds: int) -> None:
    project = Project.parse(
        f'[[source]]\nname = "bench"\nurl = "{server.url()}"\nschemas = ["bench"]\n'
        '[source.tables.sales]\ntenant = "tenant"\n'
    )
    config = project.source()
    source = SparkSource(config)
    catalog = source.reflect()
    scope = scope_for(config, catalog, tenant="t1")
    begun = time.perf_counter()
    summary = summarise(source, catalog, scope, config)
    first = time.perf_counter() - begun
    limits = replace(scope.limits, timeout_s=120)
    now = datetime(2025, 1, 1, tzinfo=UTC)

    def chart() -> None:
        spec = ChartSpec.model_validate(SPEC)
        compiled = compile_spec(spec, catalog=catalog, scope=scope, summary=summary, bindings={}, now=now)
        source.run(prove(compiled, catalog=catalog, scope=scope), limits=limits)

    ours, theirs = median_s(rounds, chart, lambda: source.aggregate(BY_HAND, {}, timeout_s=60))
    columns = [f"n{i}" for i in range(12)]
    peer = ", ".join(
        f"COUNT({c}), AVG({c}), STDDEV({c}), MIN({c}), MAX({c}), PERCENTILE_APPROX({c}, ARRAY(0.25, 0.5, 0.75))"
        for c in columns
    )
    statement = f"SELECT {peer} FROM bench.sales WHERE tenant = 't1'"
    mine, spark = median_s(
        max(1, rounds // 3),
        lambda: measured_anew(source, catalog, scope, config),
        lambda: source.aggregate(statement, {}, timeout_s=300),
    )
    print(f"{rows:,} rows, a quarter of them in scope; first summary of a cold cluster {first:.1f} s")
    print(f"{'':<24}{'gateway s':>12}{'by hand s':>12}")
    print(f"{'chart, p50':<24}{ours:>12.2f}{theirs:>12.2f}")
    print(f"{'summary':<24}{mine:>12.2f}{spark:>12.2f}")
    source.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    home = find_spark()
    if home is None:
        sys.exit("no Spark server: see CONTRIBUTING.md")
    with started(home) as server:
        rows = 100_000 if quick else 1_000_000
        write(server, rows)
        measure(server, rows, 3 if quick else 6)


if __name__ == "__main__":
    main()
