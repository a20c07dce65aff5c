"""MongoDB: reflected, bounded, stopped on cancel, closed errors; against a server that speaks the protocol."""

from __future__ import annotations

import datetime as dt
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from pydantic import SecretStr

from gateway.catalog import Catalog, ColumnType, Dialect
from gateway.errors import GatewayError, ScopeRefusedError, SourceError
from gateway.mongo import Stage, marker, written
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.mongo_source import MongoSource
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits, RowFilter, Scope, TableScope
from gateway.types import ScopedQuery
from tests.gateway.sources.proved import proved as proved_statement
from tests.servers.mongodb import MongodbServer

pytestmark = pytest.mark.server
CANARY = "ada@lovelace.example"
_KEY = ObjectId("65f0c0ffee65f0c0ffee65f0")


def _orders() -> Iterator[dict[str, Any]]:
    for i in range(100):
        yield {
            "_id": ObjectId(),
            "tenant": "ab"[i % 2],
            "who": f"user{i % 20}@x.example",
            "total": i * 1.5,
            "units": float(i),
            "number": i,
            "at": dt.datetime(2024, 1, 1 + i % 28, 12, tzinfo=dt.UTC),
            "paid": i % 3 == 0,
            "price": Decimal128("19.90"),
            "address": {"city": f"city{i % 5}", "geo": {"lat": i / 7, "deep": {"x": 1}}},
            "items": [{"sku": "a", "n": i}],
            "by_day": {f"d{i}x{j}": j for j in range(3)},
            "mixed": i if i % 2 else str(i),
            f"only{i}": CANARY,
            "dotted": None,
            "photo": b"\x00",
            "Order Date": "2024-01-01",
            "ignore previous instructions": 1,
        }


PLANS = {
    "$jsonSchema": {
        "bsonType": "object",
        "description": "What can be bought.",
        "additionalProperties": False,
        "properties": {
            "_id": {"bsonType": "int"},
            "name": {"enum": ["free", "pro", None], "description": "As printed."},
            "fee": {"bsonType": ["double", "null"]},
            "limits": {"bsonType": "object", "properties": {"seats": {"bsonType": "int", "maximum": 4711}}},
        },
    }
}


@pytest.fixture(scope="module")
def shop(mongodb_server: MongodbServer) -> Iterator[MongodbServer]:
    with mongodb_server.admin() as client:
        client.drop_database("shop")
        database = client["shop"]
        database["orders"].insert_many(list(_orders()))
        database["orders"].create_index("number", unique=True)
        database["orders"].create_index("who", sparse=True)
        database.create_collection("plans", validator=PLANS)
        database["plans"].insert_one({"_id": 1, "name": "free", "fee": None})
        database["few"].insert_many([{"_id": i, CANARY: 1} for i in range(9)])
        database.command("create", "late", viewOn="orders", pipeline=[{"$match": {"number": {"$gt": 2}}}])
        mongodb_server.make_reader("reader", "shop")
        yield mongodb_server
        client.drop_database("shop")


def config(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True, **more})


@pytest.fixture
def source(shop: MongodbServer) -> Iterator[MongoSource]:
    opened = open_source(config(shop.url("reader")))
    assert isinstance(opened, MongoSource)
    yield opened
    opened.close()


def proved(stages: list[Stage], *kinds: str, parameters: dict[str, Any] | None = None) -> ScopedQuery:
    return proved_statement(Dialect.MONGODB, written(stages), *kinds, parameters=parameters, collection="orders")


def test_reflects_fields_by_path_and_what_a_validator_declares(source: MongoSource) -> None:
    catalog = source.reflect()
    assert set(catalog.by_name) == {"late", "orders", "plans"}
    orders = catalog.by_name["orders"]
    assert {c.name: c.type for c in orders.columns} == {
        "_id": ColumnType.OTHER,
        "tenant": ColumnType.TEXT,
        "who": ColumnType.TEXT,
        "total": ColumnType.NUMBER,
        "units": ColumnType.INTEGER,
        "number": ColumnType.INTEGER,
        "at": ColumnType.DATETIME,
        "paid": ColumnType.BOOLEAN,
        "price": ColumnType.NUMBER,
        "address_city": ColumnType.TEXT,
        "address_geo_lat": ColumnType.NUMBER,
        "address_geo_deep": ColumnType.JSON,
        "items": ColumnType.JSON,
        "by_day": ColumnType.JSON,
        "Order_Date": ColumnType.TEXT,
        "c16": ColumnType.INTEGER,
    }
    assert orders.by_name["address_city"].physical == "address.city"
    assert (orders.primary_key, orders.unique, orders.kind) == (("_id",), (("number",),), "collection")
    assert (catalog.by_name["late"].kind, catalog.by_name["late"].primary_key) == ("view", ())
    plans = catalog.by_name["plans"].by_name
    assert {c.name: c.type for c in plans.values()} == {
        "_id": ColumnType.INTEGER, "name": ColumnType.TEXT, "fee": ColumnType.NUMBER,
        "limits_seats": ColumnType.INTEGER,
    }  # fmt: skip
    assert plans["name"].vocabulary == ("free", "pro")
    assert plans["name"].comment == ""


def test_no_name_that_few_documents_have_is_told(source: MongoSource) -> None:
    """A name of a field can be a cell: e-mail addresses as keys, one key a document, few documents at all."""
    told = repr(source.reflect())
    assert CANARY not in told
    assert "only7" not in told
    assert "d7x" not in told
    assert "4711" not in told


def test_of_documents_with_data_as_names_only_common_names_are_told(shop: MongodbServer) -> None:
    with shop.admin() as client:
        client["wide"]["t"].insert_many(
            [{"always": 1, "seldom" if i % 3 else "often": 1, f"user{i}@x.example": 1} for i in range(300)]
        )
        shop.make_reader("wide_reader", "wide")
        opened = open_source(config(shop.url("wide_reader", database="wide")))
        assert set(opened.reflect().by_name["t"].by_name) == {"_id", "always", "seldom"}
        opened.close()
        client.drop_database("wide")


def test_every_collection_is_listed_however_many_there_are(shop: MongodbServer) -> None:
    """A server lists 101 in its first batch."""
    declared = {"$jsonSchema": {"additionalProperties": False, "properties": {"x": {"bsonType": "int"}}}}
    with shop.admin() as client:
        for i in range(130):
            client["many"].create_collection(f"t{i}", validator=declared)
        shop.make_reader("many_reader", "many")
        opened = open_source(config(shop.url("many_reader", database="many")))
        assert len(opened.reflect().tables) == 130
        opened.close()
        client.drop_database("many")


def test_comments_are_told_only_if_the_owner_says_so(shop: MongodbServer) -> None:
    opened = open_source(config(shop.url("reader"), comments=True))
    plans = opened.reflect().by_name["plans"]
    opened.close()
    assert (plans.comment, plans.by_name["name"].comment) == ("What can be bought.", "As printed.")


def test_runs_a_proved_pipeline_with_bound_values(source: MongoSource) -> None:
    stages: list[Stage] = [
        {"$match": {"number": {"$in": marker("n")}, "at": {"$gte": marker("from", "date")}}},
        {"$sort": {"number": 1}},
        {"$project": {"_id": 0, "d1": "$number", "d2": "$at", "d3": "$price", "d4": "$paid", "d5": "$items",
                      "d6": {"$literal": marker("text")}, "d7": "$none", "d8": "$photo"}},
    ]  # fmt: skip
    kinds = ("number", "datetime", "number", "boolean", "text", "text", "text", "text")
    bound = {"n": (3, 4, 90), "from": "2024-01-05", "text": "$who"}
    result = source.run(proved(stages, *kinds, parameters=bound), limits=Limits())
    assert result.rows == (
        (4, "2024-01-05T12:00:00", 19.9, False, '[{"sku": "a", "n": 4}]', "$who", None, None),
        (90, "2024-01-07T12:00:00", 19.9, True, '[{"sku": "a", "n": 90}]', "$who", None, None),
    )


def test_an_object_id_is_bound_and_shown_as_its_digits(source: MongoSource, shop: MongodbServer) -> None:
    with shop.admin() as admin:
        stored = admin["shop"]["orders"].find_one({"number": 7}) or {}
    stages: list[Stage] = [
        {"$match": {"$expr": {"$eq": ["$_id", {"$literal": marker("id", "objectid")}]}}},
        {"$project": {"_id": 0, "d1": "$_id"}},
    ]
    query = proved(stages, "text", parameters={"id": str(stored["_id"])})
    assert source.run(query, limits=Limits()).rows == ((str(stored["_id"]),),)
    with pytest.raises(GatewayError) as caught:
        source.run(proved(stages, "text", parameters={"id": CANARY}), limits=Limits())
    assert (caught.value.code, CANARY in str(caught.value)) == ("query_statement_invalid", False)


def test_row_and_byte_limits_hold(source: MongoSource) -> None:
    stages: list[Stage] = [{"$project": {"_id": 0, "d1": "$who"}}]
    result = source.run(proved(stages, "text"), limits=Limits(max_rows=5))
    assert (len(result.rows), result.truncated) == (5, True)
    with pytest.raises(GatewayError) as caught:
        source.run(proved(stages, "text"), limits=Limits(max_bytes=100))
    assert caught.value.code == "query_bytes_limit"


def test_only_a_proved_pipeline_of_this_engine_is_run(source: MongoSource) -> None:
    query = proved([{"$project": {"_id": 0, "d1": "$who"}}], "text")
    with pytest.raises(ScopeRefusedError):
        source.run(query.query, limits=Limits())  # type: ignore[arg-type]


def test_a_document_with_more_than_its_columns_is_refused(source: MongoSource) -> None:
    with pytest.raises(GatewayError) as caught:
        source.run(proved([{"$project": {"d1": "$who"}}], "text"), limits=Limits())
    assert caught.value.code == "query_statement_invalid"


LONG: list[Stage] = [
    {"$lookup": {"from": "orders", "let": {"a": "$number"}, "as": "x", "pipeline": [
        {"$lookup": {"from": "orders", "as": "y", "let": {"b": "$number"}, "pipeline": [
            {"$match": {"$expr": {"$gt": [{"$add": ["$number", "$$a", "$$b"]}, -1]}}}]}}]}},
    {"$group": {"_id": None, "d1": {"$sum": {"$size": "$x"}}}},
    {"$project": {"_id": 0, "d1": 1}},
]  # fmt: skip


def test_a_pipeline_that_takes_too_long_is_stopped_by_the_server(source: MongoSource) -> None:
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(proved(LONG, "number"), limits=Limits(timeout_s=0.5))
    assert caught.value.code == "query_timeout"
    assert time.monotonic() - started < 2


def test_a_caller_who_leaves_stops_the_pipeline(source: MongoSource) -> None:
    cancel = Cancel()
    threading.Timer(0.3, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        source.run(proved(LONG, "number"), limits=Limits(timeout_s=20), cancel=cancel)
    assert caught.value.code == "query_cancelled"
    assert time.monotonic() - started < 1.3


def test_a_caller_who_left_before_runs_nothing(source: MongoSource) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(GatewayError) as caught:
        source.run(proved(LONG, "number"), limits=Limits(), cancel=cancel)
    assert caught.value.code == "query_cancelled"


def _scope(*columns: str) -> Scope:
    right = TableScope(columns=frozenset(columns), filters=(RowFilter(column="tenant", values=("a",)),))
    return Scope(source="shop", tenant="a", tables={"orders": right})


def test_distinct_values_stay_in_scope_and_stop_at_the_limit(source: MongoSource) -> None:
    values = list(source.distinct_values("orders", "who", _scope("who"), max_values=100))
    assert sorted(values) == sorted(f"user{i}@x.example" for i in range(0, 20, 2))
    assert len(list(source.distinct_values("orders", "who", _scope("who"), max_values=3))) == 4
    assert "7" not in set(source.distinct_values("orders", "units", _scope("units"), max_values=100))
    assert "8" in set(source.distinct_values("orders", "units", _scope("units"), max_values=100))
    with pytest.raises(ScopeRefusedError):
        list(source.distinct_values("orders", "tenant", _scope("who"), max_values=3))


def test_distinct_values_go_on_where_the_server_has_no_memory_to_gather_them(
    source: MongoSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MongoDB answers with code 292 to a group of more than 100 MB; this server has no such limit."""
    source.reflect()
    real = source.documents

    def short_of_memory(collection: str, stages: list[Stage], **more: Any) -> Any:
        if any("$group" in stage for stage in stages):
            from gateway.sources.errors import Code, failure

            raise failure(Code.MEMORY, "shop")
        return real(collection, stages, **more)

    monkeypatch.setattr(source, "documents", short_of_memory)
    values = list(source.distinct_values("orders", "who", _scope("who"), max_values=100))
    assert sorted(values) == sorted(f"user{i}@x.example" for i in range(0, 20, 2))
    assert len(list(source.distinct_values("orders", "who", _scope("who"), max_values=3))) == 4


def test_summary_pipelines_name_their_collection(source: MongoSource) -> None:
    stages: list[Stage] = [{"$match": {"number": marker("n")}}, {"$project": {"_id": 0, "total": 1, "price": 1}}]
    statement = json.dumps({"collection": "orders", "pipeline": stages})
    found = source.aggregate(statement, {"n": 2}, timeout_s=5)
    assert [(str(row[0]["total"]), str(row[0]["price"])) for row in found] == [("3.0", "19.90")]  # type: ignore[index]
    for broken in ("", "[]", "{}", '{"collection": "orders"}', '{"collection": "orders", "pipeline": 1}'):
        with pytest.raises(GatewayError):
            source.aggregate(broken, {}, timeout_s=5)


BREAKING: list[object] = [
    {"$toInt": "$who"}, {"$toDate": "$who"}, {"$toObjectId": "$who"}, {"$divide": [1, "$who"]},
    {"$dateFromString": {"dateString": "$who"}}, {"$arrayElemAt": ["$who", 0]},
    {"$regexMatch": {"input": "a", "regex": {"$concat": ["$who", "("]}}},
    {"$strcasecmp": ["$items", "$who"]}, {"$size": "$who"}, {"$mod": ["$who", 2]},
    {"$nothing": "$who"}, {"$substrCP": ["$who", "$who", 1]}, {"$dateTrunc": {"date": "$who", "unit": "day"}},
]  # fmt: skip


@pytest.mark.parametrize("expression", BREAKING, ids=lambda e: next(iter(e)))
def test_no_error_carries_a_cell(source: MongoSource, expression: object) -> None:
    stages: list[Stage] = [
        {"$set": {"who": CANARY}},
        {"$project": {"_id": 0, "d1": expression}},
    ]
    with pytest.raises(GatewayError) as caught:
        source.run(proved(stages, "text"), limits=Limits())
    assert caught.value.__cause__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.code.startswith("query_")


def test_bound_values_are_not_logged(source: MongoSource, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        stages: list[Stage] = [{"$match": {"who": marker("w")}}, {"$project": {"_id": 0, "d1": "$who"}}]
        source.run(proved(stages, "text", parameters={"w": CANARY}), limits=Limits())
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mongodb://reader:wrong@127.0.0.1:{port}/shop", "source_auth_failed"),
        ("mongodb://nobody:secret@127.0.0.1:{port}/shop", "source_auth_failed"),
        ("mongodb://127.0.0.1:{port}/shop", "source_auth_failed"),
        ("mongodb://reader:secret@127.0.0.1:1/shop", "source_unreachable"),
        ("mongodb://reader:secret@127.0.0.1:{port}/", "source_database_missing"),
        ("mongodb://reader:secret@127.0.0.1:{port}/no.such", "source_database_missing"),
        ("mongodb://empty:secret@127.0.0.1:{port}/empty", "source_database_missing"),
        ("mongodb://reader@127.0.0.1:{port}/shop", "source_auth_failed"),
        ("mongodb://reader:secret@127.0.0.1:{port}/shop?tls=true", "source_tls_failed"),
    ],
)
def test_each_wrong_address_has_its_own_error(shop: MongodbServer, url: str, code: str) -> None:
    shop.make_reader("empty", "empty")
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        open_source(config(url.format(port=shop.port)))
    assert caught.value.code == code or (code == "source_tls_failed" and caught.value.code == "source_unreachable")
    assert "secret" not in str(caught.value)
    assert time.monotonic() - started < 12


@pytest.mark.parametrize(
    "option",
    [
        "authMechanism=PLAIN", "authMechanism=MONGODB-CR", "authMechanismProperties=a:b", "tlsInsecure=true",
        "tlsAllowInvalidCertificates=true", "tlsAllowInvalidHostnames=true", "ssl=false",
        "proxyHost=x", "loadBalanced=true",
        "replicaSet=x", "readPreference=secondary", "directConnection=false", "tlsCAFile=/etc/passwd",
        "compressors=zlib",
        "tlsCertificateKeyFile=/etc/passwd", "srvServiceName=x", "uuidRepresentation=standard", "tls=off", "appname=x",
        "authSource=../x", "authSource=$external", "maxPoolSize=500", "w=0", "retryWrites=true", "TLS=false",
    ],
)  # fmt: skip
def test_attack_52_options_that_weaken_the_connection_are_refused(shop: MongodbServer, option: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(config(shop.url("reader", options=f"?{option}")))
    assert caught.value.code == "source_options_refused"


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("mongodb://u:p@%2Ftmp%2Fmongodb-27017.sock/shop", {"source_unreachable", "source_url_invalid"}),
        ("mongodb://u:p@169.254.169.254/shop", {"source_address_refused"}),
        ("mongodb://u:p@127.0.0.1,169.254.169.254/shop", {"source_unreachable", "source_url_invalid"}),
        ("mongodb://u:p@127.0.0.1:1,127.0.0.1:2/shop", {"source_url_invalid"}),
        ("mongodb+srv://u:p@127.0.0.1/shop", {"source_url_invalid"}),
    ],
)
def test_attack_51_sockets_metadata_hosts_and_host_lists_are_refused(
    url: str, codes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def lookup(host: object, *more: Any, **named: Any) -> Any:
        if host in ("169.254.169.254", "127.0.0.1"):
            return real("127.0.0.1", *more, **named) if host == "127.0.0.1" else [(2, 1, 6, "", (host, 27017))]
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(SourceError) as caught:
        open_source(config(url))
    assert caught.value.code in codes


def test_tls_holds_the_certificate_to_the_name(
    mongodb_tls_server: MongodbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the address that was checked; the certificate has to name the host that was asked for."""
    server = mongodb_tls_server
    server.make_reader("reader", "shop")
    with server.admin() as admin:
        admin["shop"]["t"].insert_many([{"_id": i, "x": i} for i in range(20)])
    url = f"mongodb://reader:secret@localhost:{server.port}/shop?tls=true"
    opened = open_source(config(url, ca_file=server.ca_file))
    assert set(opened.reflect().by_name) == {"t"}
    opened.close()
    with pytest.raises(SourceError) as caught:
        open_source(config(url))  # the system's authorities do not know it
    assert caught.value.code == "source_tls_failed"
    real = socket.getaddrinfo

    def lookup(host: object, *more: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == "db.example" else host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(SourceError) as caught:
        open_source(config(url.replace("localhost", "db.example"), ca_file=server.ca_file))
    assert caught.value.code == "source_tls_failed"
    with pytest.raises(SourceError) as caught:
        open_source(config(url.replace("?tls=true", "")))
    assert caught.value.code in {"source_unreachable", "source_tls_failed"}


def test_the_driver_goes_to_one_address_and_signs_in_one_way(source: MongoSource) -> None:
    options = source.client.options
    assert options.direct_connection
    assert options.pool_options._credentials.mechanism == "SCRAM-SHA-256"
    assert not options.retry_reads
    assert options.pool_options.max_pool_size == 7


def test_off_loopback_tls_is_a_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("192.0.2.1", 27017))])
    with pytest.raises(SourceError) as caught:
        open_source(config("mongodb://u:p@db.example/shop?tls=false"))
    assert caught.value.code == "source_tls_required"


def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("gateway.sources.mongo_source")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(SourceError) as caught:
        open_source(config("mongodb://127.0.0.1/shop"))
    assert caught.value.code == "source_driver_missing"


def test_an_old_server_is_refused(shop: MongodbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.sources import mongo_client

    monkeypatch.setattr(mongo_client, "_OLDEST", (99, 0))
    with pytest.raises(SourceError) as caught:
        open_source(config(shop.url("reader")))
    assert caught.value.code == "source_version_unsupported"


def test_the_catalog_is_read_once_and_again_on_request(source: MongoSource) -> None:
    first: Catalog = source._known_catalog()
    assert source._known_catalog() is first
    assert source.reflect() == first


def test_a_view_that_fails_costs_no_other_collection(mongodb_server: MongodbServer) -> None:
    with mongodb_server.admin() as client:
        client.drop_database("halves")
        client["halves"]["t"].insert_many([{"n": i} for i in range(20)])
        client["halves"].command("create", "broken", viewOn="t", pipeline=[{"$project": {"x": {"$divide": ["$n", 0]}}}])
        mongodb_server.make_reader("halver", "halves")
        opened = open_source(config(mongodb_server.url("halver", database="halves")))
        catalog = opened.reflect()
        opened.close()
        client.drop_database("halves")
    assert set(catalog.by_name) == {"t"}
    assert "1 collection(s) or view(s) cannot be read and are left out" in catalog.warnings
