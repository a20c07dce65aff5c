"""Documents by path: every engine says the same of the same documents, and no key that is data is told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.gateway.summary.documents import (
    BY_SUBJECT,
    Row,
    in_duckdb,
    in_json_lines,
    in_mariadb,
    in_mongodb,
    in_postgres,
    in_spark,
    in_sqlite,
    told,
)

MAIL = "ada.lovelace@example.com"


def _document(i: int) -> dict[str, object]:
    document: dict[str, object] = {
        "city": f"c{i}",
        "size": i if i % 2 else f"{i}",
        "tags": ["x", "y"],
        "mixed": ["x", {"hidden": 1}],
        "none": [],
        "matrix": [[1, 2], [3]],
        "address": {"zip": i, "geo": {"lat": 1.5, "deep": {"four": True, "er": {"five": 1}}}},
        "items": [{"sku": f"s{i}", "price": j, "options": [{"name": "n"}]} for j in range(i % 5)],
        "note": None,
        "a.b": 1,
        'q"]`': {"below": 1},
        "né": 2,
        f"user {i % 4}": 1,
        "by_user": {f"u{i}": {"x": 1, "y": 2}},
        "people": [{"who": {MAIL: 1, f"k{i % 3}": 1}}],
        "x123456": 1,
    }
    if i < 9:
        document["rare"] = True
    if i % 3 == 0:
        document["flag"] = i % 2 == 0
    return document


def _rows(tenant: str, count: int) -> list[Row]:
    return [(tenant, i % 40, json.dumps(_document(i))) for i in range(count)]


ROWS = [*_rows("a", 300), *_rows("few", 20)]
ROWS += [("keyed", i, json.dumps({f"u{i}": 1, "fixed": 2})) for i in range(300)]
ROWS += [("one", 7, json.dumps({"secret": 1})) for _ in range(300)]
EXPECTED = {
    "city": ("text", 1.0),
    "size": ("mixed", 1.0),
    "tags": ("array", 1.0),
    "tags[]": ("text", 1.0),
    "mixed": ("array", 1.0),
    "mixed[]": ("mixed", 1.0),
    "mixed[].hidden": ("number", 1.0),
    "none": ("array", 1.0),
    "matrix": ("array", 1.0),
    "matrix[]": ("array", 1.0),
    "address": ("object", 1.0),
    "address.zip": ("number", 1.0),
    "address.geo": ("object", 1.0),
    "address.geo.lat": ("number", 1.0),
    "address.geo.deep": ("object", 1.0),
    "address.geo.deep.four": ("boolean", 1.0),
    "address.geo.deep.er": ("object", 1.0),
    "items": ("array", 1.0),
    "items[]": ("object", 0.8),
    "items[].sku": ("text", 0.8),
    "items[].price": ("number", 0.8),
    "items[].options": ("array", 0.8),
    "items[].options[]": ("object", 0.8),
    "items[].options[].name": ("text", 0.8),
    "by_user": ("object", 1.0),
    "by_user.<dynamic>": ("mixed", None),
    "people": ("array", 1.0),
    "people[]": ("object", 1.0),
    "people[].who": ("object", 1.0),
    "people[].who.k0": ("number", 0.35),
    "people[].who.k1": ("number", 0.35),
    "people[].who.k2": ("number", 0.35),
    "flag": ("boolean", 0.35),
}

ENGINES = [
    pytest.param(engine, marks=() if engine.startswith(("duckdb", "files", "sqlite")) else pytest.mark.server)
    for engine in (
        "duckdb json", "duckdb varchar", "files lines", "sqlite json", "sqlite text", "postgres jsonb", "postgres json",
        "postgres text", "mariadb json", "mariadb longtext", "spark variant", "spark text", "mongodb document",
    )
]  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    engine, kind = request.param.split()
    folder = tmp_path_factory.mktemp("documents")
    server = request.getfixturevalue(f"{engine}_server") if engine not in ("duckdb", "sqlite", "files") else None
    makers: dict[str, Callable[[], str]] = {
        "duckdb": lambda: in_duckdb(folder, ROWS, kind),
        "sqlite": lambda: in_sqlite(folder, ROWS, kind),
        "files": lambda: in_json_lines(folder, ROWS),
        "postgres": lambda: in_postgres(server, ROWS, kind),
        "mariadb": lambda: in_mariadb(server, ROWS, kind),
        "mongodb": lambda: in_mongodb(server, ROWS),
        "spark": lambda: in_spark(server, ROWS, "TRY_PARSE_JSON(data)" if kind == "variant" else "data"),
    }
    return makers[engine]()


def test_paths_are_told_with_type_and_share(place: str) -> None:
    assert told(place, "a") == EXPECTED


def test_attack_keys_that_are_data_are_one_word(place: str) -> None:
    assert list(told(place, "keyed")) == ["<dynamic>"]


def test_few_documents_say_nothing(place: str) -> None:
    assert told(place, "few") == {}
    assert told(place, "nobody") == {}


def test_a_key_of_one_subject_is_not_told(place: str) -> None:
    assert list(told(place, "one")) == ["secret"]
    assert told(place, "one", BY_SUBJECT) == {}
