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
from gateway.summary.digests import Digests, take_digests
from gateway.summary.summarise import summarise
from gateway.summary.values import linked_columns
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Scope

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


def _digests(file: Path, rows: Sequence[tuple[object, ...]], seeds: Sequence[bytes] = SEEDS) -> list[Digests]:
    file.unlink(missing_ok=True)
    connection = duckdb.connect(str(file)) if file.suffix == ".duckdb" else sqlite3.connect(file)
    connection.execute("CREATE TABLE deals (tenant varchar, firm varchar)")
    connection.executemany("INSERT INTO deals VALUES (?, ?)", rows)
    connection.commit()
    connection.close()
    source, catalog, scope = _opened(file)
    try:
        columns = linked_columns(catalog, scope)
        return [take_digests(source, catalog, scope, columns, seed=seed) for seed in seeds]
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
    assert not any(a.unchanged(b) for a, b in zip(after, before, strict=True))


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
    assert not second.unchanged(first)


def test_text_that_is_no_text_stops_no_digest(tmp_path: Path) -> None:
    """One cell of bytes that are no UTF-8 must not make every column be read anew for ever."""
    file = tmp_path / "deals.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE deals (tenant varchar, firm varchar)")
        connection.execute("INSERT INTO deals VALUES ('one', CAST(x'ff41fe' AS TEXT)), ('one', x'00ff')")
    connection.close()
    source, catalog, scope = _opened(file)
    columns = linked_columns(catalog, scope)
    first, second = (take_digests(source, catalog, scope, columns, seed=SEEDS[0]) for _ in range(2))
    source.close()
    assert second.unchanged(first) == {"deals.firm"}


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
    asking = replace(compiled, statement=compiled.statement.replace("COUNT(", "ROWLESS_DIGEST('00', "))
    assert asking.statement != compiled.statement
    with pytest.raises(ScopeRefusedError):
        prove(asking, catalog=catalog, scope=scope)
    source.close()
