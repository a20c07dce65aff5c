"""The attack checklist on pipelines, SECURITY model section D, by the numbers of `test_checklist`.

R: the checker refuses, and no driver is called. N: the answer is as if the attack were not there. Attacks that are
made of SQL have their like here where MongoDB has one: a second pipeline, a stage that writes, an operator that runs
code, a document within a document.
"""

# ruff: noqa: E501 -- attacks are read more easily on one line

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId, Regex

from gateway.catalog import Dialect
from gateway.chart.prove import prove
from gateway.errors import GatewayError, ScopeRefusedError
from gateway.tenancy.scope import RowFilter, Scope, TableScope
from gateway.types import CompiledQuery
from tests.attack.query.test_checklist import GOOD, Driver
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES, bar, text, where
from tests.gateway.chart.pipelines import Documents, load_shop, run
from tests.servers.mongodb import MongodbServer

CATALOG = shop.catalog(Dialect.MONGODB)
Stages = list[dict[str, Any]]
OWN = {"$and": [{"tenant_id": {"$in": [{"$rowlessParam": "scope_0"}]}}]}


def compiled() -> CompiledQuery:
    return shop.compiled(GOOD, shop=CATALOG)


def stages() -> Stages:
    found: Stages = json.loads(compiled().statement)
    return found


def written(pipeline: object) -> str:
    return json.dumps(pipeline, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def at(place: int, *more: dict[str, Any]) -> Stages:
    """The pipeline with further stages; after 3 the head has let its columns through."""
    found = stages()
    found[place:place] = copy.deepcopy(list(more))
    return found


def last(value: Any) -> Stages:
    """The pipeline with another value for the answer's measure."""
    found = stages()
    found[-1]["$project"]["m1"] = value
    return found


def changed(change: Callable[[Stages], object]) -> Stages:
    found = stages()
    change(found)
    return found


def lookup(**parts: Any) -> dict[str, Any]:
    return {"$lookup": {"from": "orders", "as": "x", **parts}}


def joined(found: Stages) -> dict[str, Any]:
    """The lookup of the customers."""
    body: dict[str, Any] = next(stage["$lookup"] for stage in found if "$lookup" in stage)
    return body


HIDDEN = {"$cond": [{"$in": [{"$type": "$tenant_id"}, ["string"]]}, "$tenant_id", None]}
FUNCTION = {"$function": {"body": "function(x) { return x }", "args": ["$d1"], "lang": "js"}}
ACCUMULATOR = {
    "$accumulator": {"init": "function() {}", "accumulate": "f", "accumulateArgs": [], "merge": "f", "lang": "js"}
}
ATTACKS: dict[str, list[Stages | str]] = {
    "01 a second pipeline": [written(stages()) * 2, written(stages()) + ";", written([stages(), stages()]), written({"aggregate": "orders"})],
    "02 two readings of one text": [
        written(stages()).replace('{"$match":{"$and"', '{"$match":{"$or":[]},"$match":{"$and"', 1),
        written(stages()).replace("$match", "\\u0024match", 1), json.dumps(stages()), written(stages()).replace("null", "NaN", 1),
    ],
    "03 a stage that writes, within": [changed(lambda p: joined(p)["pipeline"].append({"$merge": "x"})), changed(lambda p: joined(p)["pipeline"].append({"$out": "x"}))],
    "04 into a collection or a file": [at(-1, {"$out": {"db": "x", "coll": "y"}}), at(99, {"$out": "x"})],
    "05 a collection as it is": [[], [{"$limit": 5001}, {"$project": {"_id": 0, "d1": "$fee", "m1": "$fee"}}], [{"$match": {}}, *stages()[3:]]],
    "06 commands": [written({"explain": {"aggregate": "orders"}}), written([{"explain": True}]), at(0, {"$planCacheStats": {}})],
    "07 an unknown stage": [at(3, {"$nonsense": {}}), at(3, {"match": {}}), at(3, {"$MATCH": {}})],
    "08 comments": [at(3, {"$match": {"$comment": "x"}}), written(stages()) + "//", "/**/" + written(stages())],
    "10 union with another collection": [at(3, {"$unionWith": "orders"}), at(3, {"$unionWith": {"coll": "orders", "pipeline": [{"$match": OWN}]}})],
    "11 a lookup without a scope": [
        at(3, lookup(pipeline=[{"$match": {}}])), at(3, lookup(pipeline=[])),
        at(3, lookup(localField="customer_id", foreignField="_id")), changed(lambda p: joined(p)["pipeline"].pop(0)),
        at(3, lookup(**{"from": "secrets"}, pipeline=[{"$project": {"_id": 0, "x": "$x"}}])),
    ],
    "14 a key that is hidden": [
        changed(lambda p: joined(p).update(foreignField="tenant_id")), changed(lambda p: joined(p).update(localField="tenant_id")),
        changed(lambda p: joined(p)["let"].update(k1="$tenant_id")),
    ],
    "15 a lookup by half a key": [changed(lambda p: joined(p).pop("localField")), changed(lambda p: joined(p).pop("let"))],
    "16 whole documents": [
        at(3, {"$replaceRoot": {"newRoot": "$$ROOT"}}), last("$$ROOT"), last("$$CURRENT"), last({"$objectToArray": "$$ROOT"}),
        last({"$mergeObjects": ["$$ROOT"]}), changed(lambda p: p[2].update({"$project": {"_id": 0}})), last("$j~1"),
        changed(lambda p: p[2].update({"$project": {"secret": 0, "_id": 0}})), at(3, {"$unset": "x"}),
    ],
    "17 a hidden field in a condition, an order, a group": [
        at(3, {"$match": {"$expr": {"$eq": ["$tenant_id", "$tenant_id"]}}}), at(3, {"$sort": {"tenant_id": 1}}),
        at(3, {"$group": {"_id": {"d1": "$tenant_id"}}}), at(3, {"$match": {"tenant_id": "A"}}),
        changed(lambda p: p[2]["$project"].update(tenant_id=HIDDEN)), changed(lambda p: p[2]["$project"].update(customer_id=HIDDEN)),
        at(3, {"$setWindowFields": {"partitionBy": {"b": "$tenant_id"}, "output": {"x": {"$sum": 1}}}}),
    ],
    "18 collections of the server": [at(3, lookup(**{"from": name}, pipeline=[{"$project": {"_id": 0, "x": "$x"}}])) for name in ("system.users", "system.views", "system.profile", "startup_log")],
    "19 code as text": [last(FUNCTION), last(ACCUMULATOR), at(-3, {"$group": {"_id": None, "m1": ACCUMULATOR}})],
    "20 the server's own words": [last(word) for word in ("$$NOW", "$$CLUSTER_TIME", "$$USER_ROLES", "$$SEARCH_META")] + [at(0, {"$currentOp": {}}), at(0, {"$listLocalSessions": {}})],
    "21 another database": [changed(lambda p: joined(p).update({"from": {"db": "admin", "coll": "system.users"}})), at(99, {"$merge": {"into": {"db": "x", "coll": "y"}}})],
    "22 waiting": [last({"$function": {"body": "function() { sleep(10000) }", "args": [], "lang": "js"}}), at(3, {"$match": {"$where": "sleep(10000)"}}), at(0, {"$changeStream": {}})],
    "24 errors that quote a value": [last({"$convert": {"input": "$d1", "to": "int"}}), last({"$dateFromString": {"dateString": "$d1"}}), last({"$toObjectId": "$d1"}), last({"$error": "$d1"})],
    "25 patterns and products": [
        last({"$regexMatch": {"input": "$d1", "regex": "^(a+)+$"}}), at(3, {"$match": {"customer_id": {"$regex": "^(a+)+$"}}}),
        at(3, {"$graphLookup": {"from": "orders", "startWith": "$customer_id", "connectFromField": "_id", "connectToField": "_id", "as": "x"}}),
        at(4, {"$unwind": "$customer_id"}), last({"$range": [0, 10**9]}), last({"$reduce": {"input": [], "initialValue": 0, "in": 1}}),
    ],
    "28 names that look alike": [changed(lambda p, n=name: joined(p).update({"from": n})) for name in ("Customers", "customers ", "ｃustomers", "cuſtomers")]
        + [changed(lambda p: p[2]["$project"].update(Fee=HIDDEN)), at(3, {"$set": {"$x": "$customer_id"}}), at(3, {"$set": {"a.b": "$customer_id"}})],
    "29 a name with its database": [changed(lambda p: joined(p).update({"from": "chartshop.customers"})), changed(lambda p: joined(p).update({"from": {"db": "chartshop", "coll": "customers"}}))],
    "30 a view": [changed(lambda p: joined(p).update({"from": "all_customers"}))],
    "31 buckets of a time series": [changed(lambda p: joined(p).update({"from": "system.buckets.customers"})), changed(lambda p: joined(p).update({"from": "customers.chunks"}))],
    "32 a user's own function": [last(FUNCTION), at(3, {"$group": {"_id": None, "x": ACCUMULATOR}})],
    "33 a tenant that is no value": [changed(lambda p, v=value: p[0]["$match"]["$and"][0].update(tenant_id=v)) for value in ({"$ne": None}, {"$gt": ""}, "a", {"$in": ["a"]}, {"$regex": "."}, {"$exists": True}, None)],
    "37 where, function, accumulator, map and reduce": [at(0, {"$match": {"$where": "1"}}), at(3, {"$match": {"$where": "1"}}), at(3, {"$match": {"$expr": FUNCTION}}), last(FUNCTION), last(ACCUMULATOR), written({"mapReduce": "orders"})],
    "38 out and merge": [at(place, stage) for stage in ({"$out": "x"}, {"$merge": {"into": "x"}}) for place in (0, 3, 99)],
    "39 other collections": [
        at(3, {"$graphLookup": {"from": "customers", "startWith": "$customer_id", "connectFromField": "_id", "connectToField": "_id", "as": "x"}}),
        at(3, {"$unionWith": {"coll": "secrets"}}), at(3, lookup(**{"from": "secrets"}, pipeline=[{"$match": OWN}])),
        changed(lambda p: joined(p)["pipeline"].insert(3, lookup(pipeline=[{"$match": {}}]))),
        changed(lambda p: joined(p)["pipeline"][0]["$match"]["$and"].pop()), changed(lambda p: joined(p).update({"from": "products"})),
    ],
    "40 the document itself": [
        last({"$let": {"vars": {"x": "$$ROOT"}, "in": "$$x.tenant_id"}}), at(3, {"$match": {"$expr": {"$eq": ["$$ROOT.tenant_id", None]}}}),
        last({"$getField": {"field": "tenant_id", "input": "$$ROOT"}}), changed(lambda p: joined(p)["let"].update(k2="$$ROOT")),
        last({"$first": ["$$ROOT"]}), at(-3, {"$group": {"_id": None, "m1": {"$push": "$$ROOT"}}}), last("$$CURRENT.tenant_id"),
    ],
    "41 operators in the place of values": [
        last({"$literal": {"$ne": 1}}), last({"$literal": "$tenant_id"}), at(3, {"$match": {"customer_id": {"$ne": None}}}),
        last({"$rowlessParam": "p0"}), last({"$literal": {"$rowlessParam": "p0", "$ne": 1}}), at(3, {"$set": {"$expr": "$customer_id"}}),
        last({"$literal": {"$rowlessParam": {"$ne": 1}}}), last({"$literal": {"$rowlessParam": "scope_0"}}), last("$customer_id.$x"),
    ],
    "42 the server's statistics": [[stage, *stages()] for stage in ({"$collStats": {"count": {}}}, {"$indexStats": {}}, {"$currentOp": {}}, {"$listSessions": {}}, {"$documents": [{}]}, {"$shardedDataDistribution": {}})],
    "43 before the scope": [
        at(0, {"$facet": {"x": [{"$match": {}}]}}), at(0, {"$group": {"_id": None, "tenant_id": {"$first": "$tenant_id"}}}),
        at(0, {"$set": {"tenant_id": "a"}}), at(0, {"$match": {"$expr": {"$gt": [{"$toInt": "$fee"}, 0]}}}), at(0, {"$limit": 1}),
        at(1, {"$match": {"$expr": {"$gt": [{"$toInt": "$fee"}, 0]}}}), at(0, {"$unwind": "$tenant_id"}), at(0, {"$sort": {"fee": 1}}),
        changed(lambda p: p.pop(1)), changed(lambda p: p.insert(0, p.pop(1))), changed(lambda p: p.insert(0, p.pop(2))),
    ],
    "49 limits": [changed(lambda p, n=n: p[-2].update({"$limit": n})) for n in (10**9, -1, 0, 5002, 1.5, "1", True)] + [changed(lambda p: p.pop(-2)), at(3, {"$skip": 1})],
}  # fmt: skip
"""Every one is refused. What is put at 3 stands where the question's own stages begin."""


def test_what_is_attacked_is_proved_without_the_attack() -> None:
    """The refusals below are for the attack, not for the pipeline it is put into, nor for where it is put."""
    query, driver = compiled(), Driver()
    harmless = {"$match": {"$expr": {"$eq": ["$customer_id", "$customer_id"]}}}
    pipelines = [
        stages(), at(3, harmless), at(3, {"$set": {"x": "$customer_id"}}), last("$m1"), last({"$add": ["$m1", 0]}),
        at(3, {"$sort": {"customer_id": 1}}), at(-2, {"$limit": 100}),
    ]  # fmt: skip
    for pipeline in pipelines:
        driver.attempt(replace(query, statement=written(pipeline)), catalog=CATALOG, right=shop.scope("a"))
    assert len(driver.calls) == len(pipelines)


@pytest.mark.parametrize("name", ATTACKS)
def test_pipeline_is_refused(name: str) -> None:
    """R: the checker refuses with one error that quotes nothing of it; no driver is called."""
    query, driver = compiled(), Driver()
    for attack in ATTACKS[name]:
        statement = attack if isinstance(attack, str) else written(attack)
        with pytest.raises(ScopeRefusedError) as refusal:
            driver.attempt(replace(query, statement=statement), catalog=CATALOG, right=shop.scope("a"))
        assert refusal.value.status == 403
        for word in ("secret", "tenant_id", "$where", "sleep", "admin"):
            assert word not in str(refusal.value)
    assert driver.calls == []


@pytest.mark.parametrize(
    "collection", ["", "secrets", "system.users", "customers", "orders ", "Orders", "$cmd.aggregate"]
)
def test_18_28_30_another_root_is_refused(collection: str) -> None:
    """R: the pipeline of one collection is not run over another."""
    with pytest.raises(ScopeRefusedError):
        prove(replace(compiled(), collection=collection), catalog=CATALOG, scope=shop.scope("a"))


@pytest.mark.parametrize(
    "value", [1, 1.0, True, None, ("a",), ["a"], {"$ne": 1}, {"$gt": ""}, Regex("."), "01", " a", 10**40, b"a"],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_33_tenant_id_of_another_type_is_refused(value: Any) -> None:
    """R: neither the barrier nor the checker lets anything but the scope's own text be the tenant."""
    query, driver = compiled(), Driver()
    for name in sorted(query.scope_parameters):
        juggled = replace(query, parameters={**query.parameters, name: value})
        with pytest.raises(ScopeRefusedError):
            driver.attempt(juggled, catalog=CATALOG, right=shop.scope("a"))
    if not isinstance(value, str):
        with pytest.raises(ScopeRefusedError):
            shop.compiled(GOOD, right=shop.scope(value), shop=CATALOG)
    assert driver.calls == []


def test_41_what_is_bound_is_no_operator() -> None:
    """R: a parameter of the question that is an object, a list or bytes is refused."""
    query = shop.compiled(text("orders", filter=where("eq", "orders.status", value="new")), shop=CATALOG)
    for value in ({"$ne": 1}, ["x"], ("x",), b"x", None, Regex(".")):
        with pytest.raises(ScopeRefusedError):
            prove(replace(query, parameters={**query.parameters, "p0": value}), catalog=CATALOG, scope=shop.scope("a"))  # type: ignore[dict-item]


def test_27_a_hidden_field_and_one_that_is_not_there_look_the_same() -> None:
    """N: the same error, to the byte."""

    def refusal(column: str) -> tuple[object, ...]:
        with pytest.raises(GatewayError) as error:
            shop.compiled(bar("orders", column), shop=CATALOG)
        return str(error.value), error.value.code, error.value.status, json.dumps(error.value.details)

    assert refusal("orders.tenant_id") == refusal("orders.nonsense")


@pytest.fixture
def poisoned(mongodb_server: MongodbServer) -> Iterator[Documents]:
    """The shop, beside documents that would be the tenant's if arrays, types or operators were not told apart."""
    with mongodb_server.admin() as admin:
        database = admin["poisonedshop"]
        load_shop(database)
        tenants: list[Any] = [
            ["a"],
            ["a", "A"],
            {"$eq": "a"},
            {"": "a"},
            Regex("a"),
            None,
            "A",
            "a\x00",
            ObjectId("0" * 24),
        ]
        for place, tenant in enumerate(tenants, start=100):
            for name in ("orders", "customers", "products", "tickets"):
                document: dict[str, Any] = {"_id": place, "tenant_id": tenant, "status": {"x": 1}, "fee": "not a number",
                                            "name": ["Ann"], "customer_id": 1, "ordered_at": "2024-99-99", "score": [5]}  # fmt: skip
                database[name].insert_one(document)
            database["items"].insert_one(
                {"_id": place, "order_id": [1], "quantity": "x", "price": [1.0], "product_id": 1}
            )
            database["items"].insert_one({"_id": place + 100, "order_id": {"$gt": 0}, "quantity": 1, "price": 1.0})
            database["items"].insert_one({"_id": place + 200, "order_id": place, "quantity": 10**6, "price": 1.0})
        database["orders"].insert_one({"_id": 400, "fee": 5000.0, "status": "new", "customer_id": 1})
        yield database


@pytest.mark.server
def test_23_24_33_34_documents_of_any_shape_change_no_answer(
    mongodb_server: MongodbServer, poisoned: Documents
) -> None:
    """N: every construct answers as over the shop alone, and no conversion fails on what is not in scope."""
    right = shop.scope("a", timezone="Europe/Berlin", week_start="sunday")
    with mongodb_server.admin() as admin:
        clean = admin["cleanshop"]
        load_shop(clean)
        for case, spec in CASES.items():
            query = shop.proved(spec, right=right, shop=CATALOG, v1="PAID")
            assert run(poisoned, query) == run(clean, query), case


@pytest.mark.server
def test_34_documents_without_a_tenant_are_seen_by_nobody(poisoned: Documents) -> None:
    """N: an array, an object, nothing at all: none of them is the text of any tenant."""
    query = shop.proved(text("orders"), right=shop.scope("a", "A"), shop=CATALOG)
    assert run(poisoned, query) == [(9,)]


@pytest.mark.server
def test_44_fields_of_the_tenants_own_that_are_of_another_type_are_empty(poisoned: Documents) -> None:
    """N: what is not of its column's type is read as missing, and no operator fails on it."""
    odd: list[dict[str, Any]] = [
        {"status": ["new"], "fee": "5", "ordered_at": "2024-01-01", "customer_id": [1]},
        {"status": {"x": "new"}, "fee": [1, 2], "ordered_at": 5, "customer_id": "1"},
        {"status": 7, "fee": {"$gt": 0}, "ordered_at": [datetime(2024, 1, 1, tzinfo=UTC)], "customer_id": None},
        {"status": b"new", "fee": True, "ordered_at": ObjectId("0" * 24), "customer_id": {"_id": 1}},
    ]
    poisoned["orders"].insert_many([{"_id": 500 + n, "tenant_id": "a", **document} for n, document in enumerate(odd)])
    measures = [{"aggregate": a, "column": "orders.fee"} for a in ("count", "sum", "max", "median", "stddev")]
    spec = text("orders", {"aggregate": "count"}, *measures, {"aggregate": "count_distinct", "column": "orders.status"})
    (whole,) = run(poisoned, shop.proved(spec, shop=CATALOG))
    (odd_alone,) = run(poisoned, shop.proved({**spec, "filter": where("ge", "orders.id", value=500)}, shop=CATALOG))
    assert whole[0] == 7 + len(odd)
    assert odd_alone == (len(odd), 0, None, None, None, None, 0)
    for case in CASES.values():
        run(poisoned, shop.proved(case, right=shop.scope("a", timezone="Asia/Tokyo"), shop=CATALOG, v1="x"))


@pytest.mark.server
@pytest.mark.parametrize(
    "tenant", ["a' OR '1'='1", "%", ".*", "^a", "a\\", "$tenant_id", "$$ROOT", '{"$ne": 1}', "ａ", "a "]
)
def test_36_scope_values_are_plain_text(poisoned: Documents, tenant: str) -> None:
    """N: quotes, patterns, field paths and operators match themselves only."""
    assert run(poisoned, shop.proved(text("orders"), right=shop.scope(tenant), shop=CATALOG)) == [(0,)]


@pytest.mark.server
@pytest.mark.parametrize("words", ["$tenant_id", "$$ROOT", ".*", "{}", "$", "a|b", "\\", '"', "$literal"])
def test_41_words_of_the_asker_are_plain_text(poisoned: Documents, words: str) -> None:
    """N: whatever they look like, they are looked for as they are."""
    for op in ("eq", "ne", "contains", "starts_with", "ends_with"):
        spec = text("orders", filter=where(op, "orders.status", value={"placeholder": "v1"}))
        assert run(poisoned, shop.proved(spec, shop=CATALOG, v1=words)) == [(6 if op == "ne" else 0,)]


@pytest.mark.server
def test_35_44_no_rule_lets_no_document_pass_and_two_rules_are_both_kept(poisoned: Documents) -> None:
    """R and N: an empty filter is "nothing"; filters that exclude each other leave nothing."""
    assert run(poisoned, shop.proved(text("orders"), right=shop.scope(), shop=CATALOG)) == [(0,)]
    base = shop.scope("a")
    rules = tuple(RowFilter(column="tenant_id", values=(tenant,)) for tenant in ("a", "A"))
    both = TableScope(columns=base.tables["orders"].columns, filters=rules)
    right: Scope = replace(base, tables={**base.tables, "orders": both})
    assert run(poisoned, shop.proved(text("orders"), right=right, shop=CATALOG)) == [(0,)]


ELSEWHERE = {
    9: "beside every scope", 12: "a pipeline names no tables of its own", 13: "every reference", 26: "test_least_group",
    45: "test_results", 46: "test_surroundings", 47: "test_surroundings", 48: "the reader, whatever the engine",
    50: "test_surroundings", 51: "test_surroundings", 52: "test_surroundings",
}  # fmt: skip
"""Numbers that are not of pipelines: run for MongoDB among the engines of `test_checklist`, or where they are named."""


def test_every_number_of_the_checklist_is_accounted_for() -> None:
    """52 attacks: here by name, among the engines, or not of this engine."""
    source = Path(__file__).read_text()
    here = {int(name[:2]) for name in ATTACKS}
    for name in re.findall(r"def test_((?:\d\d_)+)", source):
        here |= {int(number) for number in name.strip("_").split("_")}
    assert here | set(ELSEWHERE) == set(range(1, 53)), set(range(1, 53)) - here - set(ELSEWHERE)
