"""Rows made so that a change of them goes unseen: what a digest of columns must not fall for."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from gateway.catalog import Catalog
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.errors import ScopeRefusedError
from gateway.project import Project, SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.digests import Asker, Digests
from gateway.summary.summarise import summarise
from gateway.summary.values import build_index, linked_columns
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Scope
from redaction.fingerprints import ValueIndex, normalise
from tests.servers.mariadb import MariadbServer
from tests.servers.postgres import PostgresServer

ONE, OTHER = "xxxxxxxaxxxxxxxa", "xxxxxxx!xxxxxxx!"
"""Blocks of eight bytes whose differences DuckDB's own hash carries to its top bits, where they cancel each other."""
SEEDS = [secrets.token_bytes(16) for _ in range(40)]


def _opened(file: Path) -> tuple[Source, Catalog, Scope]:
    config = Project.parse(
        f'[[source]]\nname = "shop"\npath = "{file}"\n[source.tables.deals]\ntenant = "tenant"\n'
    ).source()
    source = open_source(config)
    catalog = source.reflect()
    return source, catalog, scope_for(config, catalog, tenant="one")


def _of(source: Source, catalog: Catalog, scope: Scope, seed: bytes) -> Digests:
    columns = [f"{table}.{column}" for table, column in linked_columns(catalog, scope)]
    return Asker(source, catalog, scope, seed=seed).cells(columns)


def _digests(file: Path, rows: Sequence[tuple[object, ...]], seeds: Sequence[bytes] = SEEDS) -> list[Digests]:
    file.unlink(missing_ok=True)
    connection = duckdb.connect(str(file)) if file.suffix == ".duckdb" else sqlite3.connect(file)
    connection.execute("CREATE TABLE deals (tenant varchar, firm varchar)")
    connection.executemany("INSERT INTO deals VALUES (?, ?)", rows)
    connection.commit()
    connection.close()
    source, catalog, scope = _opened(file)
    try:
        return [_of(source, catalog, scope, seed) for seed in seeds]
    finally:
        source.close()


def test_two_values_that_a_fast_hash_takes_for_one_under_any_seed(tmp_path: Path) -> None:
    """DuckDB's own hash of secret and value is the same for both under half of all secrets; the digest under none."""
    with duckdb.connect() as connection:
        asked = "SELECT count(*) FROM unnest($seeds) AS t(s) WHERE hash(s || $a) = hash(s || $b)"
        met = connection.execute(asked, {"seeds": [seed.hex() for seed in SEEDS], "a": ONE, "b": OTHER}).fetchall()
    assert met[0][0] >= 5, "the attack works on that hash, so it proves something here"
    before = _digests(tmp_path / "deals.duckdb", [("one", ONE)])
    after = _digests(tmp_path / "deals.duckdb", [("one", OTHER)])
    assert all(len(digests) == 1 for digests in before)
    assert not any(a.same_as(b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("suffix", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["ab", "c"], ["a", "bc"]),
        (["1", "1", "2"], ["1", "2", "2"]),
        (["x", "x"], ["x"]),
        (["x", None], ["x", ""]),
        (["a\x1fb"], ["a", "b"]),
        (["Ä"], ["A\u0308"]),
        (["x" * 70_000], ["x" * 69_999 + "y"]),
    ],
    ids=["moved letters", "moved copies", "a copy gone", "empty", "a mark between", "two spellings", "a long tail"],
)
def test_sums_that_a_weak_digest_would_not_tell_apart(
    suffix: str, before: list[str | None], after: list[str | None], tmp_path: Path
) -> None:
    """Letters and copies moved between rows, an end beyond what is indexed, another writing of the same letter."""
    file = tmp_path / f"deals.{suffix}"
    first = _digests(file, [("one", value) for value in before], SEEDS[:1])[0]
    second = _digests(file, [("one", value) for value in after], SEEDS[:1])[0]
    assert len(first) == len(second) == 1
    assert not second.same_as(first)


def test_text_that_is_no_text_stops_no_digest(tmp_path: Path) -> None:
    """One cell of bytes that are no UTF-8 must not make every column be read anew for ever."""
    file = tmp_path / "deals.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE deals (tenant varchar, firm varchar)")
        connection.execute("INSERT INTO deals VALUES ('one', CAST(x'ff41fe' AS TEXT)), ('one', x'00ff')")
    connection.close()
    source, catalog, scope = _opened(file)
    first, second = (_of(source, catalog, scope, SEEDS[0]) for _ in range(2))
    source.close()
    assert second.same_as(first) == {"deals.firm"}


def test_a_statement_of_a_chart_cannot_ask_for_a_digest(tmp_path: Path) -> None:
    """SQLite would run it, as a digest statement must; the checker of stage 10 knows no such function."""
    _digests(tmp_path / "deals.sqlite", [("one", "acme")])
    source, catalog, scope = _opened(tmp_path / "deals.sqlite")
    summary = summarise(source, catalog, scope, SourceConfig(name="shop", path=tmp_path, unrestricted=True))
    spec = ChartSpec.model_validate(
        {"mark": "text", "table": "deals", "measures": [{"aggregate": "count", "column": "deals.firm"}]}
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    compiled = compile_spec(spec, catalog=catalog, scope=scope, summary=summary, bindings={}, now=now)
    prove(compiled, catalog=catalog, scope=scope)
    asking = replace(compiled, statement=compiled.statement.replace("COUNT(", "ROWLESS_DIGEST('00', 1, "))
    assert asking.statement != compiled.statement
    with pytest.raises(ScopeRefusedError):
        prove(asking, catalog=catalog, scope=scope)
    source.close()


def _index(url: str) -> ValueIndex:
    config = Project.parse(
        f'[[source]]\nname = "shop"\nurl = "{url}"\nunsafe_can_write = true\n[source.tables.deals]\ntenant = "tenant"\n'
    ).source()
    source = open_source(config)
    catalog = source.reflect()
    try:
        return build_index(source, catalog, scope_for(config, catalog, tenant="one"), key=b"k" * 32)
    finally:
        source.close()


@pytest.mark.server
def test_a_value_that_mariadb_takes_for_another_is_indexed_too(mariadb_server: MariadbServer) -> None:
    """Most of its collations take "ß" for "s": a DISTINCT under one of them gave one of two values."""
    with mariadb_server.admin() as admin, admin.cursor() as cursor:
        for statement in (
            "DROP DATABASE IF EXISTS alike",
            "CREATE DATABASE alike CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
            "CREATE TABLE alike.deals (tenant varchar(9), firm varchar(80))",
            "INSERT INTO alike.deals VALUES ('one', 'Strase Vier'), ('one', 'Straße Vier'), ('one', 'STRASE VIER')",
        ):
            cursor.execute(statement)
    index = _index(mariadb_server.url("admin", database="alike"))
    assert index.find(normalise("Strase Vier")) == index.find(normalise("Straße Vier")) == ("deals.firm",)


@pytest.mark.server
def test_a_value_that_postgres_takes_for_another_is_indexed_too(postgres_server: PostgresServer) -> None:
    """A collation of the owner's may pass over spaces and hyphens."""
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS alike")
        admin.execute("CREATE DATABASE alike")
    with postgres_server.admin("alike") as admin:
        loose = "provider = icu, locale = 'und-u-ka-shifted-ks-level1', deterministic = false"
        admin.execute(f"CREATE COLLATION loose ({loose})")
        admin.execute("CREATE TABLE deals (tenant text, firm text COLLATE loose)")
        admin.execute("INSERT INTO deals VALUES ('one', 'Blue Vane'), ('one', 'Bluevane'), ('one', 'blue-vane')")
    index = _index(postgres_server.url("admin", database="alike"))
    assert index.find("blue vane") == index.find("bluevane") == ("deals.firm",)
