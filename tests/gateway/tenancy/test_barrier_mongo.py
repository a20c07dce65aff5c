"""MongoDB's barrier lets exactly the scope's documents and columns pass, or refuses; run on a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection
from pymongo.database import Database

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import ScopeRefusedError
from gateway.mongo import substituted, written
from gateway.tenancy.barrier_mongo import MongoBarrier, bson_types, field_path
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, ScopeValue, TableScope
from tests.servers.mongodb import MongodbServer

_KEY = ObjectId("65f0c0ffee65f0c0ffee65f0")
_NATIVE = {
    ColumnType.INTEGER: "int|long|double",
    ColumnType.TEXT: "string",
    ColumnType.OTHER: "objectId",
    ColumnType.NUMBER: "int|long|double|decimal",
}


def _column(name: str, kind: ColumnType, physical: str = "") -> Column:
    return Column(name=name, physical=physical or name, type=kind, native_type=_NATIVE[kind])


def _catalog(tenant: ColumnType = ColumnType.TEXT, physical: str = "tenant") -> Catalog:
    orders = Table(
        name="orders",
        physical=("orders",),
        columns=(
            _column("_id", ColumnType.INTEGER),
            _column("tenant", tenant, physical),
            _column("city", ColumnType.TEXT, "address.city"),
            _column("amount", ColumnType.NUMBER),
        ),
    )
    items = Table(
        name="items",
        physical=("items",),
        columns=(_column("_id", ColumnType.INTEGER), _column("order_id", ColumnType.INTEGER)),
    )
    return Catalog(source="shop", dialect=Dialect.MONGODB, tables=(orders, items))


def _scope(*values: ScopeValue) -> Scope:
    return Scope(
        source="shop",
        tenant="a",
        tables={
            "orders": TableScope(
                columns=frozenset({"_id", "city", "amount"}),
                filters=(RowFilter(column="tenant", values=tuple(values)),),
            ),
            "items": TableScope(
                columns=frozenset({"_id"}),
                filters=(ParentFilter(column="order_id", parent="orders", parent_column="_id"),),
            ),
        },
    )


def _read(
    database: Database[dict[str, Any]], catalog: Catalog, scope: Scope, table: str, *columns: str
) -> list[dict[str, Any]]:
    barrier = MongoBarrier(catalog, scope)
    stages = barrier.stages(table, columns)
    bound = substituted(written(stages), barrier.parameters, object_id=ObjectId)
    collection: Collection[dict[str, Any]] = database[barrier.collection(table)]
    return list(collection.aggregate([*bound, {"$sort": {"_id": 1}}], collation={"locale": "simple"}))


@pytest.fixture(scope="module")
def database(mongodb_server: MongodbServer) -> Iterator[Database[dict[str, Any]]]:
    with mongodb_server.admin() as client:
        yield client["barrier"]
        client.drop_database("barrier")


STORED: list[Any] = [
    "a", "A", "á", "a ", "", ["a"], ["a", "b"], [["a"]], {"a": "a"}, None, Regex("a"), 1, 1.0, Int64(1),
    Decimal128("1"), True, "1", [1], [0, 1], 0, -0.0, _KEY, str(_KEY), [_KEY],
]  # fmt: skip
"""One document each, `_id` its place; the last one has no tenant at all."""


def _fill(database: Database[dict[str, Any]], path: str = "tenant") -> None:
    outer, _, inner = path.partition(".")
    database["orders"].drop()
    database["orders"].insert_many(
        [{"_id": i, outer: {inner: value} if inner else value} for i, value in enumerate(STORED)]
        + [{"_id": len(STORED)}]
    )


@pytest.mark.server
@pytest.mark.parametrize("path", ["tenant", "owner.tenant"])
@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        (ColumnType.TEXT, "a", {0}),
        (ColumnType.TEXT, "1", {16}),
        (ColumnType.TEXT, "", {4}),
        (ColumnType.TEXT, "$tenant", set()),
        (ColumnType.TEXT, "$$ROOT", set()),
        (ColumnType.TEXT, ".*", set()),
        (ColumnType.INTEGER, 1, {11, 12, 13}),
        (ColumnType.INTEGER, 0, {19, 20}),
        (ColumnType.INTEGER, 2, set()),
        (ColumnType.OTHER, str(_KEY), {21}),
    ],
)
def test_only_documents_with_exactly_this_tenant_pass(
    database: Database[dict[str, Any]], path: str, kind: ColumnType, value: ScopeValue, seen: set[int]
) -> None:
    """Not those with it in an array, in another type, in another case, nor those without one."""
    _fill(database, path)
    for index in (None, "tenant", "owner.tenant"):
        if index:
            database["orders"].create_index(index)
        found = _read(database, _catalog(kind, path), _scope(value), "orders", "_id")
        assert {row["_id"] for row in found} == seen


@pytest.mark.server
def test_documents_above_the_tenant_field_do_not_pass_if_they_are_arrays(database: Database[dict[str, Any]]) -> None:
    database["orders"].drop()
    database["orders"].insert_many(
        [{"_id": 0, "owner": [{"tenant": "a"}]}, {"_id": 1, "owner": [{"tenant": "a"}, {"tenant": "b"}]}]
    )
    assert _read(database, _catalog(physical="owner.tenant"), _scope("a"), "orders", "_id") == []


@pytest.mark.server
def test_a_collation_of_the_collection_does_not_widen_the_tenant(database: Database[dict[str, Any]]) -> None:
    database["orders"].drop()
    database.create_collection("orders", collation={"locale": "en", "strength": 1})
    database["orders"].insert_many([{"_id": i, "tenant": t} for i, t in enumerate(["a", "A", "á"])])
    assert [row["_id"] for row in _read(database, _catalog(), _scope("a"), "orders", "_id")] == [0]


@pytest.mark.server
def test_no_value_lets_no_document_pass(database: Database[dict[str, Any]]) -> None:
    _fill(database)
    assert _read(database, _catalog(), _scope(), "orders", "_id") == []


@pytest.mark.server
def test_several_values_let_each_of_theirs_pass(database: Database[dict[str, Any]]) -> None:
    _fill(database)
    found = _read(database, _catalog(), _scope("a", "A", "zz"), "orders", "_id")
    assert [row["_id"] for row in found] == [0, 1]


@pytest.mark.server
def test_only_columns_in_scope_come_out_and_each_is_of_its_type_or_null(database: Database[dict[str, Any]]) -> None:
    database["orders"].drop()
    database["orders"].insert_many(
        [
            {"_id": 0, "tenant": "a", "address": {"city": "Rome", "zip": "1"}, "amount": 2.5, "card": "4111"},
            {"_id": 1, "tenant": "a", "address": [{"city": "Rome"}], "amount": "2"},
            {"_id": 2, "tenant": "a", "address": "Rome", "amount": [1, 2]},
            {"_id": 3, "tenant": "a", "address": {"city": None}, "amount": Decimal128("1.5")},
        ]
    )
    found = _read(database, _catalog(), _scope("a"), "orders", "_id", "city", "amount")
    assert found == [
        {"_id": 0, "city": "Rome", "amount": 2.5},
        {"_id": 1, "city": None, "amount": None},
        {"_id": 2, "city": None, "amount": None},
        {"_id": 3, "city": None, "amount": Decimal128("1.5")},
    ]
    assert _read(database, _catalog(), _scope("a"), "orders") == [{"one": 1}] * 4


@pytest.mark.server
def test_a_parent_filter_lets_only_children_of_parents_in_scope_pass(database: Database[dict[str, Any]]) -> None:
    """Orphans, children of another tenant, and children that name several parents are nobody's."""
    database["orders"].drop()
    database["orders"].insert_many(
        [
            {"_id": 1, "tenant": "a"},
            {"_id": 2, "tenant": "b"},
            {"_id": 3, "tenant": ["a"]},
            {"_id": None, "tenant": "a"},
        ]
    )
    database["items"].drop()
    links: list[Any] = [1, 2, 3, 4, None, [1], [1, 2], "1", 1.0, {"order_id": 1}]
    database["items"].insert_many([{"_id": i, "order_id": link} for i, link in enumerate(links)] + [{"_id": 99}])
    assert [row["_id"] for row in _read(database, _catalog(), _scope("a"), "items", "_id")] == [0, 8]


_tenants = st.sampled_from(["a", "b", "", "$a"]) | st.integers(-2, 2) | st.none() | st.booleans() | st.floats(-2, 2)
_stored = st.recursive(
    _tenants, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("a"), inner), max_leaves=4
)


@pytest.mark.server
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(_stored, max_size=12), tenant=st.sampled_from(["a", "b", "$a"]) | st.integers(-2, 2))
def test_what_passes_is_what_equals_the_tenant(
    database: Database[dict[str, Any]], values: list[Any], tenant: ScopeValue
) -> None:
    database["orders"].drop()
    if values:
        database["orders"].insert_many([{"_id": i, "tenant": value} for i, value in enumerate(values)])
    kind = ColumnType.TEXT if isinstance(tenant, str) else ColumnType.INTEGER
    numbers = (int, float) if kind is ColumnType.INTEGER else (str,)
    expected = [i for i, v in enumerate(values) if isinstance(v, numbers) and not isinstance(v, bool) and v == tenant]
    assert [row["_id"] for row in _read(database, _catalog(kind), _scope(tenant), "orders", "_id")] == expected


def test_what_is_outside_the_scope_is_refused() -> None:
    barrier = MongoBarrier(_catalog(), _scope("a"))
    for table, columns in (("orders", ["tenant"]), ("orders", ["nothing"]), ("items", ["order_id"]), ("other", [])):
        with pytest.raises(ScopeRefusedError):
            barrier.stages(table, columns)
    with pytest.raises(ScopeRefusedError):
        barrier.collection("other")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.TEXT, 1),
        (ColumnType.TEXT, True),
        (ColumnType.INTEGER, "1"),
        (ColumnType.INTEGER, True),
        (ColumnType.INTEGER, 2**63),
        (ColumnType.OTHER, "1"),
        (ColumnType.OTHER, "65F0C0FFEE65F0C0FFEE65F0"),
        (ColumnType.OTHER, {"$ne": 1}),
    ],
)
def test_a_value_that_is_not_of_the_type_of_its_column_is_refused(kind: ColumnType, value: Any) -> None:
    with pytest.raises(ScopeRefusedError):
        MongoBarrier(_catalog(kind), _scope(value)).stages("orders", ["_id"])


def test_a_circle_of_parents_is_refused() -> None:
    around = TableScope(
        columns=frozenset({"_id"}), filters=(ParentFilter(column="_id", parent="items", parent_column="_id"),)
    )
    back = TableScope(
        columns=frozenset({"_id"}), filters=(ParentFilter(column="_id", parent="orders", parent_column="_id"),)
    )
    scope = Scope(source="shop", tenant="a", tables={"orders": around, "items": back})
    with pytest.raises(ScopeRefusedError, match="circle"):
        MongoBarrier(_catalog(), scope).stages("orders", ["_id"])


@pytest.mark.parametrize("physical", ["$where", "a.$b", "", ".a", "a.", "a..b", "a\x00", "a.\x00"])
def test_a_path_that_could_be_an_operator_is_refused(physical: str) -> None:
    with pytest.raises(ScopeRefusedError):
        field_path(Column(name="c", physical=physical, type=ColumnType.TEXT, native_type="string"))


@pytest.mark.parametrize(
    ("kind", "native"),
    [
        (ColumnType.TEXT, ""),
        (ColumnType.TEXT, "string|int"),
        (ColumnType.BINARY, "binData"),
        (ColumnType.DATE, "string"),
    ],
)
def test_a_column_of_another_type_than_its_own_is_refused(kind: ColumnType, native: str) -> None:
    with pytest.raises(ScopeRefusedError):
        bson_types(Column(name="c", physical="c", type=kind, native_type=native))


def test_another_engine_has_no_such_barrier() -> None:
    with pytest.raises(ScopeRefusedError):
        MongoBarrier(Catalog(source="shop", dialect=Dialect.SQLITE, tables=()), _scope("a"))


def test_every_read_begins_with_scope_and_fence_and_numbers_its_values_on() -> None:
    barrier = MongoBarrier(_catalog(), _scope("a", "b"))
    for _ in range(2):
        assert [next(iter(stage)) for stage in barrier.stages("orders", ["city"])] == ["$match", "$limit", "$project"]
    assert barrier.parameters == {"scope_0": "a", "scope_1": "b", "scope_2": "a", "scope_3": "b"}
    assert barrier.tables == ["orders"]
    items = [next(iter(stage)) for stage in barrier.stages("items", ["_id"])]
    assert items == ["$match", "$lookup", "$match", "$limit", "$project"]
    assert barrier.tables == ["orders", "items"]
