"""No error of any engine carries a cell: whatever the cell is, and whatever the statement does to it."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.errors import GatewayError
from gateway.project import SourceConfig
from gateway.sources.errors import Code
from gateway.sources.open import open_source
from gateway.sources.sql import SqlSource
from tests.servers.mariadb import MariadbServer
from tests.servers.postgres import PostgresServer

BREAKING = {
    "duckdb": [
        "CAST({x} AS INTEGER)", "CAST({x} AS DATE)", "CAST({x} AS UUID)", "error({x})", "strptime({x}, '%Y-%m')",
        "json_extract({x}, '$.a')", "regexp_matches('a', {x} || '(')", "CAST({x} AS DECIMAL(3, 1))",
        "CAST({x} AS BLOB)", "decode(encode({x}))", "CAST({x} AS INTERVAL)", "CAST({x} AS ENUM ('a'))",
    ],
    "sqlite": [
        "json_extract({x}, '$.a')", "abs({x}) / json({x})", "json_array_length({x})", "json_each({x})",
        "CAST({x} AS INTEGER) + json({x})", "strftime({x})", "printf({x})",
    ],
    "postgres": [
        "CAST({x} AS integer)", "CAST({x} AS date)", "CAST({x} AS uuid)", "CAST({x} AS json)", "to_date({x}, 'YYYY')",
        "'a' ~ ({x} || '(')", "CAST({x} AS xml)", "CAST({x} AS inet)", "to_number({x}, '999')",
        "CAST({x} AS numeric(3, 1))", "CAST({x} AS interval)", "CAST({x} AS point)", "CAST({x} AS bytea)",
        "CAST({x} AS pg_catalog.regclass)", "query_to_xml({x}, false, false, '')", "set_config({x}, 'a', true)",
        "convert_to({x}, {x})",
    ],
    "mysql": [
        "'a' REGEXP concat({x}, '(')", "json_extract({x}, '$.a')", "exp(length({x}) * 1000)", "ST_GeomFromText({x})",
        "json_extract('[1]', {x})", "updatexml('<a/>', concat('/', {x}), 'b')",
        "CAST({x} AS CHAR CHARACTER SET nothing)", "extractvalue('<a/>', concat('!', {x}))",
    ],
}  # fmt: skip
"""Expressions that fail on most texts; several quote the text in the engine's own error."""

CELLS = st.one_of(
    st.emails(),
    st.from_regex(r"[A-Za-z]{3,12} [A-Za-z]{3,12}, [0-9]{2,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=8, max_size=40),
)


@pytest.fixture(scope="module", params=list(BREAKING))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, SqlSource]]:
    kind = request.param
    place = tmp_path_factory.mktemp("leak")
    if kind == "duckdb":
        with duckdb.connect(place / "x.duckdb") as writer:
            writer.execute("CREATE TABLE t (i INTEGER)")
        config = SourceConfig(name="s", path=place / "x.duckdb", unrestricted=True)
    elif kind == "sqlite":
        with closing(sqlite3.connect(place / "x.sqlite")) as writer:
            writer.execute("CREATE TABLE t (i INTEGER)")
        config = SourceConfig(name="s", path=place / "x.sqlite", unrestricted=True)
    elif kind == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        config = SourceConfig(name="s", url=SecretStr(postgres.url("admin", database="postgres")), unrestricted=True)
    else:
        mariadb: MariadbServer = request.getfixturevalue("mariadb_server")
        config = SourceConfig(name="s", url=SecretStr(mariadb.url("admin", database="mysql")), unrestricted=True)
    source = open_source(config)
    assert isinstance(source, SqlSource)
    yield kind, source
    source.close()


CELL = {
    "duckdb": "CAST($cell AS TEXT)",
    "sqlite": "CAST(:cell AS TEXT)",
    "postgres": "CAST(%(cell)s AS TEXT)",
    "mysql": "CAST(:cell AS CHAR)",
}


def failure_of(kind: str, source: SqlSource, expression: str, cell: str) -> GatewayError | None:
    """Break a cell that is made inside the database from a bound value, so that no statement holds it."""
    statement = f"WITH made AS (SELECT {CELL[kind]} AS cell) SELECT {expression.format(x='cell')} FROM made"
    try:
        source.aggregate(statement, {"cell": cell}, timeout_s=5)
    except GatewayError as error:
        return error
    return None


@pytest.mark.server
@given(cell=CELLS, choice=st.integers(0, 10**6))
@example(cell="00000¡¡¡¡¡¡¡¡¡¡¡ࠀࠀ𐀀𐀀𐀀𐀀¡", choice=689)  # DuckDB cuts the text of its error within a letter
@settings(max_examples=60, deadline=None)
def test_no_error_carries_a_cell(engine: tuple[str, SqlSource], cell: str, choice: int) -> None:
    """Neither its text, nor its details, nor a traceback of it."""
    assume(len(cell.strip()) >= 8 and cell.isprintable())
    kind, source = engine
    error = failure_of(kind, source, BREAKING[kind][choice % len(BREAKING[kind])], cell)
    if error is not None:
        assert cell not in "".join(traceback.format_exception(error)) + repr(error) + repr(error.details)
        assert error.code in set(Code)
        assert error.__cause__ is None


@pytest.mark.server
def test_the_expressions_do_fail(engine: tuple[str, SqlSource]) -> None:
    """The property above would hold of statements that never fail: most of these do."""
    kind, source = engine
    failed = [failure_of(kind, source, expression, "Ada Lovelace, 1815") for expression in BREAKING[kind]]
    assert sum(error is not None for error in failed) >= len(failed) / 2
