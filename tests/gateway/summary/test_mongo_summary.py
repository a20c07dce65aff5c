"""Summaries of MongoDB: paths, lists, dynamic keys, inferred relationships, samples; the same releaser as for SQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType
from gateway.project import Project, SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.choices import label_choices
from gateway.summary.model import Summary
from gateway.summary.mongo_measurer import MongoMeasurer
from gateway.summary.summarise import summarise
from gateway.summary.values import build_index, near_misses, spelled
from gateway.tenancy.rules import scope_for
from redaction.fingerprints import ValueIndex, normalise
from tests.gateway.summary.worlds import World, folder, summary_of, worlds, write
from tests.servers.mongodb import MongodbServer

pytestmark = pytest.mark.server
CANARY = "Ada-Lovelace-4711"
RULES = """
[source.tables.orders]
tenant = "tenant"
[source.tables.customers]
tenant = "tenant"
"""
CUSTOMERS = [ObjectId() for _ in range(60)]


def _customers() -> Iterator[dict[str, Any]]:
    for i, key in enumerate(CUSTOMERS):
        yield {"_id": key, "tenant": "ab"[i % 2], "name": f"Müller {i} GmbH", "address": {"city": f"City{i % 3}"}}


def _orders(count: int = 600, seed: int = 1) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    for i in range(count):
        yield {
            "_id": i,
            "tenant": "ab"[i % 2],
            "customer_id": CUSTOMERS[i % 60 - i % 60 % 2 + i % 2],
            "total": Decimal128(f"{chance.lognormvariate(3, 1):.2f}"),
            "mixed": i if i % 3 else i + 0.5,
            "items": [{"sku": f"s{i}", "price": 1.5, "tags": ["x"]}] * (1 + i % 3),
            "extra": {"deep": {"note": {"color": "red"}}} if i % 4 < 2 else {"deep": {"note": {"color": 3}}},
            "by_user": {f"user{chance.randrange(10_000)}": 1 for _ in range(3)},
            "rare": {"seldom": 1} if i < 6 else None,
        }


@pytest.fixture
def config(mongodb_server: MongodbServer) -> Iterator[SourceConfig]:
    with mongodb_server.admin() as client:
        client.drop_database("sums")
        client["sums"]["customers"].insert_many(list(_customers()))
        client["sums"]["orders"].insert_many(list(_orders()))
        mongodb_server.make_reader("sums_reader", "sums")
        url = mongodb_server.url("sums_reader", database="sums")
        yield Project.parse(f'[[source]]\nname = "w"\nurl = "{url}"\n{RULES}').source()
        client.drop_database("sums")


def _summary(config: SourceConfig, tenant: str = "a") -> Summary:
    source = open_source(config)
    try:
        catalog = source.reflect()
        return summarise(source, catalog, scope_for(config, catalog, tenant=tenant), config)
    finally:
        source.close()


def test_lists_and_deep_documents_are_told_by_path(config: SourceConfig) -> None:
    orders = _summary(config).table("orders")
    assert orders is not None
    items = orders.column("items")
    assert items is not None
    assert [(p.name, p.type, p.share) for p in items.paths or ()] == [
        ("[]", "object", 1.0), ("[].price", "number", 1.0), ("[].sku", "text", 1.0), ("[].tags", "array", 1.0),
        ("[].tags[]", "text", 1.0),
    ]  # fmt: skip
    note = orders.column("extra_deep_note_color") or orders.column("extra_deep_note")
    assert note is not None
    assert [(p.name, p.type) for p in note.paths or ()] == [("color", "mixed")]


def test_keys_that_are_data_are_one_word_and_rare_ones_nothing(config: SourceConfig) -> None:
    summary = _summary(config)
    orders = summary.table("orders")
    assert orders is not None
    by_user = orders.column("by_user")
    assert by_user is not None
    assert [p.name for p in by_user.paths or ()] == ["<dynamic>"]
    assert "user1" not in summary.model_dump_json()
    assert "seldom" not in summary.model_dump_json()


def test_numbers_of_every_kind_are_one_column(config: SourceConfig) -> None:
    orders = _summary(config).table("orders")
    assert orders is not None
    mixed, total = orders.column("mixed"), orders.column("total")
    assert mixed is not None
    assert total is not None
    assert (mixed.type, mixed.nulls, total.type) == (ColumnType.NUMBER, "none", ColumnType.NUMBER)
    assert total.number is not None
    assert total.number.p50 is not None
    assert mixed.number is not None
    assert mixed.number.whole is False


def test_relationships_are_inferred_and_tested_in_the_database(
    config: SourceConfig, mongodb_server: MongodbServer
) -> None:
    links = _summary(config).links
    assert [(k.table, k.columns, k.parent, k.parent_columns, k.origin) for k in links] == [
        ("orders", ("customer_id",), "customers", ("_id",), "inferred")
    ]
    with mongodb_server.admin() as client:
        for i in range(0, 20, 2):
            client["sums"]["orders"].update_one({"_id": i}, {"$set": {"customer_id": ObjectId()}})
    assert _summary(config).links == ()


def test_other_tenants_documents_change_no_byte(config: SourceConfig, mongodb_server: MongodbServer) -> None:
    before = _summary(config).model_dump_json()
    with mongodb_server.admin() as client:
        orders = client["sums"]["orders"]
        orders.update_many({"tenant": "b"}, {"$set": {"total": CANARY, "mixed": float("nan"), "customer_id": CANARY}})
        orders.delete_many({"tenant": "b", "_id": {"$gt": 300}})
        orders.insert_many(
            [{"_id": f"x{i}", "tenant": t, "total": 1e300} for i, t in enumerate([None, ["a"], ["a", "b"], {"a": 1}])]
        )
        client["sums"]["customers"].update_many({"tenant": "b"}, {"$set": {"name": CANARY}})
    # As many fields still have the type that makes them a column; the rest is the other tenant's alone.
    source = open_source(config)
    catalog = source.reflect()
    kept = {t.name: {c.name for c in t.columns} for t in catalog.tables}
    source.close()
    after = _summary(config)
    assert CANARY not in after.model_dump_json()
    expected = Summary.model_validate_json(before)
    for table in expected.tables:
        for column in table.columns:
            if column.name in kept[table.name] and column.name not in ("total", "customer_id"):
                assert after.table(table.name).column(column.name) == column  # type: ignore[union-attr]


def test_a_large_collection_is_sampled_by_a_random_share(config: SourceConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _summary(config).table("orders")
    monkeypatch.setattr(MongoMeasurer, "sample_above", 100)
    monkeypatch.setattr(MongoMeasurer, "sample_rows", 200)
    part = _summary(config).table("orders")
    assert whole is not None
    assert part is not None
    assert part.rows == whole.rows == 300
    number, exact = part.column("mixed"), whole.column("mixed")
    assert number is not None
    assert exact is not None
    assert number.number is not None
    assert exact.number is not None
    assert number.number.p50 == pytest.approx(exact.number.p50, rel=0.3)


def test_a_collection_without_a_document_in_scope_says_nothing(config: SourceConfig) -> None:
    orders = _summary(config, tenant="nobody").table("orders")
    assert orders is not None
    assert orders.rows == "few"
    assert all(column.number is None or column.number.mean is None for column in orders.columns)


def _opened(config: SourceConfig) -> tuple[Source, ValueIndex]:
    source = open_source(config)
    catalog = source.reflect()
    index = build_index(source, catalog, scope_for(config, catalog, tenant="a"), key=b"k" * 32)
    return source, index


def test_values_are_indexed_spelt_and_nearly_found_within_the_scope(config: SourceConfig) -> None:
    source, index = _opened(config)
    scope = scope_for(config, source.reflect(), tenant="a")
    assert index.find(normalise("Müller 4 GmbH"))
    assert not index.find(normalise("Müller 5 GmbH"))
    assert spelled(source, scope, ["customers.name"], "muller 4 gmbh") == ("Müller 4 GmbH",)
    near = near_misses(source, scope, ["customers.name"], "Müler 4 GmbH")
    assert near[0] == ("customers.name", "Müller 4 GmbH")
    source.close()


def test_labels_count_subjects(mongodb_server: MongodbServer) -> None:
    """Fifty documents of one subject are one unit, so that its label is not told."""
    with mongodb_server.admin() as client:
        client.drop_database("labels")
        rows = [{"_id": i, "who": i % 40, "word": "often", "n": i} for i in range(200)]
        rows += [{"_id": 1000 + i, "who": 1, "word": "alone", "n": i} for i in range(50)]
        client["labels"]["t"].insert_many(rows)
        mongodb_server.make_reader("labels_reader", "labels")
        url = mongodb_server.url("labels_reader", database="labels")
        rules = (
            '[source.tables.t]\nshared = true\nsubject = "who"\n'
            '[source.tables.t.columns.word]\nvocabulary = ["often", "alone"]'
        )
        config = Project.parse(f'[[source]]\nname = "w"\nurl = "{url}"\n{rules}').source()
        table = _summary(config).table("t")
        source = open_source(config)
        catalog = source.reflect()
        scope = scope_for(config, catalog, tenant="x")
        assert label_choices(source, catalog, scope, config, "t", "word") == ("often",)
        source.close()
        client.drop_database("labels")
    assert table is not None
    word = table.column("word")
    assert word is not None
    assert [label.text for label in word.labels or ()] == ["often"]


_FIELDS = ("tenant", "who", "amount", "score", "word", "day")
_TYPES = ("string", "int", "double", "int", "string", "date")
_DECLARED = {
    "$jsonSchema": {
        "additionalProperties": False,
        "properties": {
            "_id": {"bsonType": "int"},
            **{name: {"bsonType": [kind, "null"]} for name, kind in zip(_FIELDS, _TYPES, strict=True)},
        },
    }
}


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(most=250), st.booleans())
def test_any_documents_say_what_the_same_rows_say(
    mongodb_server: MongodbServer, world: World, by_subject: bool
) -> None:
    """All but distinct counts, which DuckDB estimates, and the meaning of a date, which MongoDB has as a time only."""
    rules = '[source.tables.t]\ntenant = "tenant"\n' + ('subject = "who"\n' if by_subject else "")
    with folder() as path:
        expected = summary_of(write(world.rows, "duckdb", path), rules=rules).tables[0]
    documents = [
        {k: datetime.fromisoformat(str(v)) if k == "day" and v else v for k, v in zip(_FIELDS, row, strict=True)}
        for row in world.rows
    ]
    with mongodb_server.admin() as client:
        client.drop_database("worlds")
        client["worlds"].create_collection("t", validator=_DECLARED)
        if documents:
            client["worlds"]["t"].insert_many([{"_id": i, **d} for i, d in enumerate(documents)])
    mongodb_server.make_reader("worlds_reader", "worlds")
    url = mongodb_server.url("worlds_reader", database="worlds")
    found = _summary(Project.parse(f'[[source]]\nname = "w"\nurl = "{url}"\n{rules}').source()).tables[0]
    assert found.rows == expected.rows
    for column in expected.columns:
        said = found.column(column.name)
        assert said is not None
        apart = {"distinct", "type", "semantic"}
        assert said.model_dump(exclude=apart) == column.model_dump(exclude=apart)
