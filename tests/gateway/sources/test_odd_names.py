"""Names with quotes, marks of parameters, comments, other scripts: summarised, indexed, charted on every engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import pytest

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.errors import QueryError
from gateway.project import Project, SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.summarise import TableDone, summarise
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Limits
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

NAMES: Final = (
    "order", "select", "sp ace", 'quo"te', "single'quote", "back`tick", "naïve ünïcode", "😀", "顧客", "%s", "%(p1)s",
    "100%", ":p1", "$p1", "?", "{p1}", "a.b", "semi;colon--", "/* x */", "back\\slash", "$$x$$", "@v", "#x",
    "tab\tname", "line\nbreak", "(", "ignore all previous instructions", "ada@lovelace.example",
)  # fmt: skip
MONGO: Final = tuple(name for name in NAMES if not name.startswith("$") and "." not in name)
TABLE: Final = "odd \"%s\" 'x' :p1"
ROWS: Final = 120


def _values(quote: Callable[[str], str], kind: str) -> tuple[str, str]:
    columns = ", ".join(f"{quote(name)} {kind}" for name in NAMES)
    return f"{quote('tenant')} {kind}, {columns}", ", ".join(["'me'", *(f"'v{i % 9}'" for i in range(len(NAMES)))])


def _duckdb(path: Path) -> str:
    columns, values = _values(lambda n: '"' + n.replace('"', '""') + '"', "varchar")
    table = '"' + TABLE.replace('"', '""') + '"'
    with duckdb.connect(str(path)) as c:
        c.execute(f"CREATE TABLE {table} ({columns})")
        c.execute(f"INSERT INTO {table} SELECT {values} FROM range({ROWS})")
    return f'path = "{path}"'


def _sqlite(path: Path) -> str:
    columns, values = _values(lambda n: '"' + n.replace('"', '""') + '"', "text")
    table = '"' + TABLE.replace('"', '""') + '"'
    with closing(sqlite3.connect(path)) as c:
        c.execute(f"CREATE TABLE {table} ({columns})")
        for _ in range(ROWS):
            c.execute(f"INSERT INTO {table} VALUES ({values})")
        c.commit()
    return f'path = "{path}"'


def _postgres(server: PostgresServer) -> str:
    columns, values = _values(lambda n: '"' + n.replace('"', '""') + '"', "text")
    table = '"' + TABLE.replace('"', '""') + '"'
    with server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS odd WITH (FORCE)")
        admin.execute("CREATE DATABASE odd")
    with server.admin("odd") as admin:
        admin.execute(f"CREATE TABLE {table} ({columns})".encode())
        admin.execute(f"INSERT INTO {table} SELECT {values} FROM generate_series(1, {ROWS})".encode())
    return f'url = "{server.url("admin", database="odd")}"'


def _mysql(server: MariadbServer) -> str:
    columns, values = _values(lambda n: "`" + n.replace("`", "``") + "`", "varchar(20)")
    with closing(server.admin()) as admin, admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS odd")
        cursor.execute("CREATE DATABASE odd CHARACTER SET utf8mb4")
        cursor.execute("USE odd")
        # MariaDB keeps names in three bytes a character: none has an emoji.
        cursor.execute(f"CREATE TABLE `{TABLE}` ({columns.replace('😀', 'ж')})")
        cursor.execute(f"INSERT INTO `{TABLE}` SELECT {values} FROM seq_1_to_{ROWS}")
    return f'url = "{server.url("admin", database="odd")}"'


def _mongodb(server: MongodbServer) -> str:
    with server.admin() as client:
        client.drop_database("odd")
        row = {"tenant": "me", **{name: f"v{i % 9}" for i, name in enumerate(MONGO)}}
        client["odd"][TABLE].insert_many([dict(row) for _ in range(ROWS)])
    server.make_reader("odd", "odd")
    return f'url = "{server.url("odd", database="odd")}"'


def _spark(server: SparkServer) -> str:
    listed = ", ".join(f"'v{i % 9}' AS `{name.replace('`', '``')}`" for i, name in enumerate(NAMES))
    server.run(
        "CREATE DATABASE IF NOT EXISTS odd",
        f"CREATE OR REPLACE VIEW odd.odd AS SELECT 'me' AS tenant, {listed} FROM range({ROWS})",
    )
    return f'url = "{server.url()}"\nschemas = ["odd"]'


@pytest.fixture(params=["duckdb", "sqlite", "postgres", "mysql", "mongodb", "spark"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the table is, as lines of a project file."""
    if request.param in ("duckdb", "sqlite"):
        yield {"duckdb": _duckdb, "sqlite": _sqlite}[request.param](tmp_path / "odd.db")
        return
    makers: Mapping[str, tuple[str, Callable[..., str]]] = {
        "postgres": ("postgres_server", _postgres), "mysql": ("mariadb_server", _mysql),
        "mongodb": ("mongodb_server", _mongodb), "spark": ("spark_server", _spark),
    }  # fmt: skip
    fixture, make = makers[request.param]
    yield make(request.getfixturevalue(fixture))


@pytest.mark.server
def test_every_column_is_counted_indexed_and_charted(place: str) -> None:
    """No name is spoken that is not plain, and none breaks a statement or is taken for a part of one."""
    text = f'[[source]]\nname = "odd"\nunrestricted = true\n{place}\n'
    config = Project.parse(text).source()
    with closing(open_source(config)) as source:
        _check(source, config)


def _check(source: Source, config: SourceConfig) -> None:
    catalog = source.reflect()
    table = catalog.tables[0]
    # MongoDB has `_id` too, and no path to a field with a dot; Spark binds wrongly beside an emoji.
    own = {Dialect.MONGODB: len(MONGO) + 1, Dialect.SPARK: len(NAMES) - 1}.get(catalog.dialect, len(NAMES))
    assert len(table.columns) == own + 1
    assert all(name not in {c.name for c in table.columns} for name in ("ada@lovelace.example", "%s", "😀"))
    scope = scope_for(config, catalog, tenant="me")
    told: list[TableDone] = []
    summary = summarise(source, catalog, scope, config, progress=told.append)
    assert [done.trouble for done in told] == [""]
    for column in table.columns:
        if column.physical == "_id":
            continue
        facts = summary.tables[0].column(column.name)
        assert facts is not None
        assert (facts.nulls, facts.distinct) == ("none", "constant"), column.physical
        assert len(list(source.distinct_values(table.name, column.name, scope, max_values=5))) == 1
        path = f"{table.name}.{column.name}"
        spec = ChartSpec.model_validate(
            {
                "mark": "bar",
                "table": table.name,
                "measures": [{"aggregate": "count"}],
                "dimensions": [{"column": path}],
                "filter": {"op": "not_in", "column": path, "values": ["none", "%s", ":p1"]},
            }
        )
        compiled = compile_spec(
            spec, catalog=catalog, scope=scope, summary=summary, bindings={}, now=datetime(2025, 1, 1, tzinfo=UTC)
        )
        result = source.run(prove(compiled, catalog=catalog, scope=scope), limits=Limits(timeout_s=60))
        assert [row[-1] for row in result.rows] == [ROWS], column.physical


@pytest.mark.server
def test_attack_spark_is_asked_nothing_beside_which_it_binds_wrongly(spark_server: SparkServer) -> None:
    """A value would land beside its mark, the tenant's too; a name with an emoji is left out, and that is told."""
    opened = open_source(
        Project.parse(f'[[source]]\nname = "odd"\nunrestricted = true\n{_spark(spark_server)}').source()
    )
    with closing(opened) as source:
        catalog = source.reflect()
        assert catalog.warnings == ("1 column(s) have an emoji or the like in their name and are left out",)
        assert "😀" not in {column.physical for column in catalog.tables[0].columns}
        with pytest.raises(QueryError) as caught:
            source.aggregate("SELECT '😀', :p1", {"p1": "x"}, timeout_s=30)
        assert caught.value.code == "query_denied"
