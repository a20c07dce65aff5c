"""JSON columns by path: keys that enough documents have, with type and share; keys that are data are not told."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import duckdb
import pytest

from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.model import JsonPath
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from tests.servers.postgres import PostgresServer


def _documents(tenant: str, count: int) -> list[tuple[str, int, str]]:
    made = []
    for i in range(count):
        document: dict[str, object] = {"city": f"c{i}", "size": i if i % 2 else f"{i}", "tags": ["x", {"hidden": 1}]}
        document["address"] = {"zip": i, "geo": {"lat": 1.5}}
        if i < 9:
            document["rare"] = True
        if i % 3 == 0:
            document["flag"] = i % 2 == 0
        document[f"user {i % 4}"] = None
        made.append((tenant, i % 40, json.dumps(document)))
    return made


ROWS = [*_documents("a", 200), *_documents("few", 20)]
ROWS += [("keyed", i, json.dumps({f"u{i}": 1, "fixed": 2})) for i in range(300)]
ROWS += [("one", 7, json.dumps({"secret": 1})) for _ in range(300)]
RULES = '[source.tables.t]\ntenant = "who"\n'


def _paths(source_path: Path, tenant: str, rules: str = RULES) -> tuple[JsonPath, ...]:
    return _told(f'path = "{source_path}"', tenant, rules)


def _told(place: str, tenant: str, rules: str = RULES) -> tuple[JsonPath, ...]:
    config = Project.parse(f'[[source]]\nname = "s"\n{place}\n{rules}').source()
    source = open_source(config)
    try:
        catalog = source.reflect()
        summary = summarise(source, catalog, scope_for(config, catalog, tenant=tenant), config)
    finally:
        source.close()
    column = summary.tables[0].column("data")
    assert column is not None
    return column.paths or ()


@pytest.fixture(params=["duckdb", "sqlite"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / f"s.{request.param}"
    if request.param == "duckdb":
        with duckdb.connect(str(file)) as c:
            c.execute("create table t (who varchar, subject integer, data json)")
            flat = [value for row in ROWS for value in row]
            c.execute(f"insert into t values {','.join(['(?, ?, ?)'] * len(ROWS))}", flat)
    else:
        c = sqlite3.connect(file)
        c.execute("create table t (who text, subject integer, data json)")
        c.executemany("insert into t values (?, ?, ?)", ROWS)
        c.execute("insert into t values ('a', 1, 'not json')")
        c.commit()
        c.close()
    return file


def test_keys_are_told_by_path_with_type_and_share(path: Path) -> None:
    told = {item.name: (item.type, item.share) for item in _paths(path, "a")}
    assert told == {
        "city": ("text", 1.0),
        "size": ("mixed", 1.0),
        "tags": ("array", 1.0),
        "address": ("object", 1.0),
        "address.zip": ("number", 1.0),
        "address.geo": ("object", 1.0),
        "address.geo.lat": ("number", 1.0),
        "flag": ("boolean", 0.35),
    }


def test_attack_keys_that_are_data_are_one_word(path: Path) -> None:
    assert [item.name for item in _paths(path, "keyed")] == ["<dynamic>"]


def test_few_documents_say_nothing(path: Path) -> None:
    assert _paths(path, "few") == ()
    assert _paths(path, "nobody") == ()


def test_a_key_of_one_subject_is_not_told(path: Path) -> None:
    assert [item.name for item in _paths(path, "one")] == ["secret"]
    assert _paths(path, "one", RULES + 'subject = "subject"\n') == ()


@pytest.mark.server
def test_postgres_tells_the_top_level(postgres_server: PostgresServer) -> None:
    with postgres_server.admin() as admin:
        admin.execute("DROP DATABASE IF EXISTS documents")
        admin.execute("CREATE DATABASE documents")
        admin.execute("CREATE USER documents_reader PASSWORD 'secret'")
    with postgres_server.admin("documents") as admin:
        admin.execute("CREATE TABLE t (who text, subject integer, data jsonb)")
        with admin.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s, %s)", [*ROWS, ("a", 1, "[1, 2]")])
        admin.execute("GRANT SELECT ON t TO documents_reader")
    place = f'url = "{postgres_server.url("documents_reader", database="documents")}"'
    assert {item.name for item in _told(place, "a")} == {"city", "size", "tags", "address", "flag"}
    assert [item.name for item in _told(place, "keyed")] == ["<dynamic>"]
