"""Make the demo database: three invented companies, 2023 to 2025, with personal data where real data has it.

Everything is one chain of SQL statements in DuckDB. Randomness is a keyed hash of the row number (MD5, so that it
is the same on every version and machine), so the same seed gives the same rows, and a row does not depend on how
many threads made it.
"""

from __future__ import annotations

import secrets
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb

from gateway.demo import words

TENANTS: Final = ("northwind", "lumen", "atlas")

_SCRIPT: Final = "rows.sql"


def generate(path: Path, *, seed: int = 7, scale: float = 1.0) -> None:
    """Write the demo database to `path`, replacing what is there.

    Args:
        path: The DuckDB file. It appears under its name only once it is complete.
        seed: The same seed gives the same rows.
        scale: 1.0 gives about 240,000 rows in all; at least 0.01.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with duckdb.connect(unfinished) as connection:
            _fill(connection, seed=seed, scale=max(scale, 0.01))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(connection: duckdb.DuckDBPyConnection, *, seed: int, scale: float) -> None:
    connection.execute("CREATE TEMP TABLE places (country VARCHAR, city VARCHAR, weight INTEGER)")
    connection.executemany("INSERT INTO places VALUES (?, ?, ?)", words.PLACES)
    connection.execute(
        "CREATE TEMP TABLE catalogue (tenant_id VARCHAR, category VARCHAR, typical DOUBLE, words VARCHAR)"
    )
    connection.executemany("INSERT INTO catalogue VALUES (?, ?, ?, ?)", words.CATALOGUE)
    connection.execute("CREATE TEMP TABLE tickets (i BIGINT, topic VARCHAR, subject VARCHAR, body VARCHAR)")
    connection.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?)", [(i, *t) for i, t in enumerate(words.TICKETS)])
    known: dict[str, object] = {
        "first": words.FIRST_NAMES, "last": words.LAST_NAMES, "company": list(words.COMPANY_WORDS),
        "domains": list(words.MAIL_DOMAINS), "adjectives": words.ADJECTIVES, "pages": list(words.PAGES),
        "countries": sorted({country for country, _, _ in words.PLACES}),
        "customers": round(7_000 * scale), "orders": round(45_000 * scale), "events": round(70_000 * scale),
    }  # fmt: skip
    script = resources.files("gateway.demo").joinpath(_SCRIPT).read_text(encoding="utf-8")
    script = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    for statement in filter(str.strip, script.replace("$seed", str(int(seed))).split(";")):
        bound = {name: value for name, value in known.items() if f"${name}" in statement}
        connection.execute(statement, bound or None)
