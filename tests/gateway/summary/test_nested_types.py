"""The engines' own nested types are told as documents are; documents that are none, or too much, break nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.errors import QueryError
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary import nested
from gateway.summary.show import as_json, as_text
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for
from tests.gateway.summary.documents import (
    RULES,
    Row,
    in_duckdb,
    in_json_lines,
    in_mariadb,
    in_mongodb,
    in_postgres,
    in_spark,
    in_sqlite,
    summary_of,
    told,
)
from tests.leak.canaries import CanarySearch
from tests.servers.mariadb import MariadbServer
from tests.servers.mongodb import MongodbServer
from tests.servers.postgres import PostgresServer
from tests.servers.spark import SparkServer

MAIL = "ada.lovelace@example.com"
NUMBERS = [("a", i, f"{{{i},2}}") for i in range(40)]
TEXTS = {"[]": ("text", 1.0)}


@pytest.mark.server
def test_arrays_and_composites_of_postgres(postgres_server: PostgresServer) -> None:
    assert told(in_postgres(postgres_server, NUMBERS, "int[]"), "a") == {"[]": ("number", 1.0)}
    assert told(in_postgres(postgres_server, NUMBERS, "text[]"), "a") == TEXTS
    nested_arrays = [("a", i, "{{1,2},{3,4}}") for i in range(40)]
    assert told(in_postgres(postgres_server, nested_arrays, "int[]"), "a") == {"[]": ("array", 1.0)}
    with postgres_server.admin("documents") as admin:
        admin.execute("CREATE TYPE place AS (city text, size int, spots point[])")
        admin.execute("ALTER TABLE t ADD COLUMN old int; ALTER TABLE t DROP COLUMN data")
        admin.execute("ALTER TABLE t ADD COLUMN data place DEFAULT ROW('x', 1, NULL)")
    place = f'url = "{postgres_server.url("documents_reader", database="documents")}"'
    assert told(place, "a") == {"city": ("text", 1.0), "size": ("number", 1.0)}


STRUCTS = [
    (
        "a",
        i,
        json.dumps({"city": "x", "at": {"lat": 1.5, "seen": "2024-01-02"}, "list": [{"n": i}], "by": {f"k{i}": 1}}),
    )
    for i in range(300)
]
STRUCT_PATHS = {
    "at": ("object", 1.0),
    "at.lat": ("number", 1.0),
    "at.seen": ("text", 1.0),
    "by": ("object", 1.0),
    "by.<dynamic>": ("mixed", None),
    "city": ("text", 1.0),
    "list": ("array", 1.0),
    "list[]": ("object", 1.0),
    "list[].n": ("number", 1.0),
}


def test_structs_lists_and_maps_of_duckdb(tmp_path: Path) -> None:
    place = '"at" STRUCT(lat DOUBLE, seen DATE)'
    kind = f'STRUCT(city VARCHAR, {place}, "list" STRUCT(n INTEGER)[], "by" MAP(VARCHAR, INTEGER))'
    assert told(in_duckdb(tmp_path, STRUCTS, kind), "a") == STRUCT_PATHS
    assert told(in_json_lines(tmp_path, STRUCTS), "a") == STRUCT_PATHS


def test_attack_names_that_a_file_reader_made_of_keys_are_not_told(tmp_path: Path) -> None:
    """Of a key in a JSON file DuckDB makes a field of a struct, in every row, though one row alone had it."""
    rows = [("a", i, json.dumps({"city": "x", **({"lovelace": 1} if i == 7 else {})})) for i in range(100)]
    assert told(in_json_lines(tmp_path, rows), "a") == {"city": ("text", 1.0)}


@pytest.mark.server
def test_structs_lists_and_maps_of_spark(spark_server: SparkServer) -> None:
    kind = (
        "STRUCT<city: STRING, at: STRUCT<lat: DOUBLE, seen: DATE>, list: ARRAY<STRUCT<n: INT>>, by: MAP<STRING, INT>>"
    )
    assert told(in_spark(spark_server, STRUCTS, f"FROM_JSON(data, '{kind}')"), "a") == STRUCT_PATHS
    numbers = "MAP(-1, 'x', subject, 'y')"
    assert told(in_spark(spark_server, STRUCTS, numbers), "a") == {"<dynamic>": ("mixed", None)}
    assert told(in_spark(spark_server, STRUCTS, "ARRAY('x', data)"), "a") == TEXTS


@pytest.mark.server
def test_canaries_in_keys_and_values_reach_neither_an_answer_nor_a_summary(
    tmp_path: Path, postgres_server: PostgresServer, mariadb_server: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary in every value, as a key of few documents at every level, and as a key of all of another tenant's."""
    search = CanarySearch()
    rows: list[Row] = []
    for i in range(120):
        rare = {search.text(("key", level, i // 5)): search.text(("below", level, i)) for level in range(3)}
        one, two, three = ({name: value} for name, value in rare.items())
        document = {"city": search.text(("city", i)), "items": [{"note": search.text(("note", i)), **two}], **one}
        rows.append(("a", i, json.dumps({**document, "at": {"deep": {"spot": search.text(("spot", i)), **three}}})))
        rows.append(("b", i, json.dumps({search.text("foreign"): 1, "items": [{search.text("inner"): 1}]})))
    answers: list[str] = []
    real = nested.PathMeasured
    monkeypatch.setattr(nested, "PathMeasured", lambda **facts: (answers.append(repr(facts)), real(**facts))[1])
    for place in (
        in_duckdb(tmp_path, rows),
        in_sqlite(tmp_path, rows),
        in_postgres(postgres_server, rows),
        in_mariadb(mariadb_server, rows),
    ):
        summary = summary_of(place, "a")
        column = summary.tables[0].column("data")
        assert column is not None
        assert {path.name for path in column.paths or ()} == {
            "city", "items", "items[]", "items[].note", "at", "at.deep", "at.deep.spot",
        }  # fmt: skip
        assert search.find("summary", summary.model_dump_json()) == []
        assert search.find("shown", as_text(summary, rules=True) + as_json(summary)) == []
    assert len(answers) == 4 * 7
    assert search.find("answers", "\n".join(answers)) == []


DEEP = "[" * 900 + "]" * 900
ODD: list[Row] = [("a", i, json.dumps({"city": "x"})) for i in range(60)]
BROKEN: list[Row] = [("a", i, text) for i, text in enumerate(["{", '{"a": ', "", "nonsense", '{"a": 1} x', DEEP + "]"])]
LARGE: list[Row] = [("a", i, json.dumps({"large": "x" * 300_000})) for i in range(30)]
WIDE: list[Row] = [("a", i, json.dumps({f"k{i}_{j}": {"x": 1} for j in range(5_000)})) for i in range(12)]
LONG_LISTS: list[Row] = [("a", i, json.dumps({"list": [1] * 100 + [{"late": 1}]})) for i in range(30)]
TWICE: list[Row] = [("a", i, '{"city": "x", "city": "y"}') for i in range(12)]
PLAIN: list[Row] = [("a", i, text) for i, text in enumerate(["null", "1", '"text"', "true", DEEP])]


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_what_is_no_document_or_too_long_is_not_looked_at(tmp_path: Path, kind: str) -> None:
    place = in_duckdb if kind == "duckdb" else in_sqlite
    rows = [*ODD, *LARGE, *LONG_LISTS, *TWICE, *PLAIN]
    if kind == "sqlite":
        rows += BROKEN
    found = told(place(tmp_path, rows), "a")
    assert {path: type_ for path, (type_, _) in found.items()} == {
        "city": "text", "list": "array", "list[]": "number",
    }  # fmt: skip
    assert told(place(tmp_path, [*ODD, *WIDE]), "a") == {"<dynamic>": ("mixed", None)}


@pytest.mark.server
def test_odd_documents_of_servers(postgres_server: PostgresServer, mariadb_server: MariadbServer) -> None:
    rows = [*ODD, *LARGE, *LONG_LISTS, *TWICE, *PLAIN]
    paths = {"city": "text", "list": "array", "list[]": "number"}
    for place in (in_postgres(postgres_server, rows), in_postgres(postgres_server, rows, "json")):
        assert {path: kind for path, (kind, _) in told(place, "a").items()} == paths
    # MariaDB takes no more than 32 levels.
    shallow = [row for row in rows if row[2] != DEEP]
    found = told(in_mariadb(mariadb_server, [*shallow, *BROKEN], "longtext"), "a")
    assert {path: kind for path, (kind, _) in found.items()} == paths
    assert told(in_mariadb(mariadb_server, [*ODD, *WIDE]), "a") == {"<dynamic>": ("mixed", None)}
    assert told(in_postgres(postgres_server, [*ODD, *WIDE]), "a") == {"<dynamic>": ("mixed", None)}


@pytest.mark.server
def test_json_of_postgres_that_jsonb_cannot_hold_is_left_out(postgres_server: PostgresServer) -> None:
    odd = ['{"city": "\\u0000"}', '{"\\u0000": 1}', '{"city": "\\ud83d"}', '{"city": 1e999999}', '{"x": [-1.5E-99999]}']
    rows = [*ODD, *(("a", i, text) for i, text in enumerate(odd * 5)), ("a", 1, '{"city": "\\ud83d\\ude00"}')]
    assert told(in_postgres(postgres_server, rows, "json"), "a") == {"city": ("text", 1.0)}


@pytest.mark.server
def test_text_of_postgres_with_one_broken_document_says_nothing(postgres_server: PostgresServer) -> None:
    assert told(in_postgres(postgres_server, [*ODD, ("a", 1, "{broken")], "text"), "a") == {}
    # Another tenant's broken document breaks nothing.
    assert told(in_postgres(postgres_server, [*ODD, ("b", 1, "{broken")], "text"), "a") == {"city": ("text", 1.0)}


def test_text_that_is_no_json_is_not_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(nested, "_statement", lambda *parts: asked.append(parts))
    rows = [("a", i, "{x" if i % 5 else "plain") for i in range(100)]
    assert told(in_duckdb(tmp_path, rows, "varchar"), "a") == {}
    assert asked == []


def test_cannot_finish_a_walk_that_fails_tells_no_path_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Project.parse(f'[[source]]\nname = "s"\n{in_duckdb(tmp_path, ODD)}\n{RULES}').source()
    source = open_source(config)
    real = source.aggregate

    def fails(statement: str, parameters: dict[str, object], *, timeout_s: float) -> list[tuple[object, ...]]:
        if "rw_walk" in statement:
            assert timeout_s <= 60
            raise QueryError("source 's' took too long", stage="summarise")
        return real(statement, parameters, timeout_s=timeout_s)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "aggregate", fails)
    catalog = source.reflect()
    table = summarise(source, catalog, scope_for(config, catalog, tenant="a"), config).tables[0]
    source.close()
    column = table.column("data")
    assert column is not None
    assert column.paths is None
    assert column.nulls != "unknown"


@pytest.mark.server
def test_attack_an_address_as_a_key_within_a_list_leaves_no_engine(
    tmp_path: Path,
    postgres_server: PostgresServer,
    mariadb_server: MariadbServer,
    mongodb_server: MongodbServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key at the third level, under a list, in every document: not even the database's answer has it."""
    document = {"teams": [{"people": {MAIL: {"role": "x"}, f"{MAIL}\n": 1, "n": 1}}]}
    rows = [("a", i, json.dumps(document)) for i in range(60)]
    answers: list[object] = []
    real = nested.PathMeasured
    monkeypatch.setattr(nested, "PathMeasured", lambda **facts: (answers.append(facts), real(**facts))[1])
    expected = {"teams", "teams[]", "teams[].people", "teams[].people.n"}
    for place in (
        in_duckdb(tmp_path, rows),
        in_sqlite(tmp_path, rows),
        in_postgres(postgres_server, rows),
        in_mariadb(mariadb_server, rows),
        in_mongodb(mongodb_server, rows),
    ):
        assert set(told(place, "a")) == expected
    assert len(answers) == 4 * len(expected)
    assert "lovelace" not in repr(answers)


@pytest.mark.server
def test_attack_an_address_as_a_key_leaves_no_spark(spark_server: SparkServer) -> None:
    document = {"teams": [{"people": {MAIL: {"role": "x"}, f"{MAIL}\n": 1, "n\n": 1, "n": 1}}]}
    rows = [("a", i, json.dumps(document)) for i in range(60)]
    expected = {"teams", "teams[]", "teams[].people", "teams[].people.n"}
    assert set(told(in_spark(spark_server, rows), "a")) == expected
