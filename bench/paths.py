"""What it takes to tell a column of documents by path, on each engine.

    python bench/paths.py [--quick] [--rows 100000] [ENGINE …]

Documents of 12 keys on three levels, with a list of up to six documents and one parent whose keys are data, some 400
bytes each, on the servers of the test suite, if they are installed. Of the first 20,000 (MongoDB and Spark: 5,000) the
paths are told. The time is that of the one statement about the column, behind the barrier of a tenant that has all the
rows; the least of three.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.measurer import Within, measurer_for
from gateway.tenancy.rules import scope_for
from tests.gateway.summary import documents as tables
from tests.servers import mariadb, mongodb, postgres, spark

_SOME = 2_000


def document(i: int) -> dict[str, Any]:
    """One of the documents."""
    return {
        "city": f"city {i % 300}",
        "size": i if i % 2 else f"{i}",
        "tags": ["x", "y"],
        "address": {"zip": i, "geo": {"lat": 1.5, "lon": 2.5}},
        "items": [{"sku": f"s{j}", "price": 1.5 * j, "options": [{"name": "n"}]} for j in range(i % 7)],
        "flag": i % 2 == 0,
        "by_user": {f"u{i % 500}": {"seen": 1}},
        "note": None if i % 3 else "text " * 20,
    }


@contextmanager
def server_of(fixture: Any) -> Iterator[Any]:
    """What a session's fixture of the tests starts."""
    running = fixture._get_wrapped_function()()  # noqa: SLF001  (pytest has no other way)
    yield next(running)
    next(running, None)


@contextmanager
def placed(engine: str, rows: list[tables.Row]) -> Iterator[str]:
    """The rows on an engine, as a line of the project file."""
    with tempfile.TemporaryDirectory() as folder:
        if engine in ("duckdb", "sqlite"):
            yield getattr(tables, f"in_{engine}")(Path(folder), rows)
        else:
            fixture = {"postgres": postgres.postgres_server, "mariadb": mariadb.mariadb_server,
                       "mongodb": mongodb.mongodb_server, "spark": spark.spark_server}[engine]  # fmt: skip
            make: Callable[..., str] = getattr(tables, f"in_{engine}")
            with server_of(fixture) as server:
                # A statement that holds all the rows would be too long for Spark: it multiplies some of them.
                place = make(server, rows if engine != "spark" else rows[:_SOME])
                if engine == "spark":
                    server.run(
                        f"CREATE TABLE documents.many USING parquet AS SELECT t.* FROM "
                        f"RANGE({max(1, len(rows) // _SOME)}) AS r CROSS JOIN documents.t AS t "
                        "ORDER BY HASH(t.subject, r.id)",
                        "DROP TABLE documents.t",
                        "CREATE TABLE documents.t USING parquet AS SELECT * FROM documents.many",
                        "DROP TABLE documents.many",
                    )
                yield place


def measure(engine: str, rows: list[tables.Row]) -> None:
    """Print the seconds of an engine, and how many paths it told."""
    with placed(engine, rows) as place:
        config = Project.parse(f'[[source]]\nname = "s"\n{place}\n{tables.RULES}').source()
        source = open_source(config)
        catalog = source.reflect()
        within = Within(source=source, catalog=catalog, scope=scope_for(config, catalog, tenant="a"), timeout_s=600)
        table = catalog.tables[0]
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            found = measurer_for(catalog.dialect).paths(within, config, table, table.by_name["data"])
            times.append(time.perf_counter() - begun)
        source.close()
    print(f"{engine:<10}{min(times):>8.1f} s{len(found):>6} paths", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="20,000 rows, the engines that need no server")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("engines", nargs="*", default=["duckdb", "sqlite", "postgres", "mariadb", "mongodb", "spark"])
    given = parser.parse_args()
    rows = [("a", i, json.dumps(document(i))) for i in range(20_000 if given.quick else given.rows)]
    for engine in ["duckdb", "sqlite"] if given.quick else given.engines:
        measure(engine, rows)


if __name__ == "__main__":
    main()
