"""Ways to break what a compiled pipeline does within its scope, and what is said of it. `ALL` has every way there is."""

# ruff: noqa: E501 -- attacks are read more easily on one line

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from gateway.types import CompiledQuery
from tests.attack.query.pipeline_scope_mutants import (
    COLLECTIONS,
    FENCE,
    PIPELINES,
    QUERIES,
    Stages,
    bodies,
    field,
    heads,
    lookups,
    on_query,
    on_stages,
    pipelines,
    text,
)


@on_stages
def lookup_into_another_collection(stages: Stages, random: Random) -> bool:
    found = lookups(stages)
    if found:
        body = random.choice(found)
        body["from"] = random.choice([c for c in COLLECTIONS if c != body["from"]])
    return bool(found)


@on_stages
def lookup_without_a_pipeline(stages: Stages, random: Random) -> bool:
    found = lookups(stages)
    if found:
        random.choice(found).pop("pipeline")
    return bool(found)


@on_stages
def lookup_in_another_database(stages: Stages, random: Random) -> bool:
    found = lookups(stages)
    if found:
        body = random.choice(found)
        body["from"] = {"db": "admin", "coll": body["from"]}
    return bool(found)


@on_stages
def lookup_by_a_hiddenfield(stages: Stages, random: Random) -> bool:
    found = [body for body in lookups(stages) if "foreignField" in body and body["as"] != "rowless~parent"]
    if found:
        random.choice(found)[random.choice(["foreignField", "localField"])] = "tenant_id"
    return bool(found)


@on_stages
def lookup_without_a_key(stages: Stages, random: Random) -> bool:
    found = [body for body in lookups(stages) if "foreignField" in body and body["as"].startswith("j~")]
    if found:
        body = random.choice(found)
        for part in random.choice([("let",), ("localField", "foreignField"), ("localField",)]):
            body.pop(part)
    return bool(found)


@on_stages
def another_lookup(stages: Stages, random: Random) -> bool:
    stages.insert(random.randrange(3, len(stages) - 1), {"$lookup": random.choice([
        {"from": "orders", "pipeline": [], "as": "x"},
        {"from": "orders", "pipeline": [{"$match": {}}, {"$project": {"_id": 0, "id": "$_id"}}], "as": "x"},
        {"from": "secrets", "localField": "d1", "foreignField": "_id", "as": "x"},
        {"pipeline": [{"$documents": [{"x": 1}]}], "as": "x"},
    ])})  # fmt: skip
    return True


@on_stages
def forbidden_stage(stages: Stages, random: Random) -> bool:
    stages.insert(random.randrange(len(stages) + 1), random.choice([
        {"$out": "stolen"}, {"$merge": {"into": "stolen"}}, {"$unionWith": "orders"},
        {"$unionWith": {"coll": "orders", "pipeline": []}}, {"$collStats": {"count": {}}}, {"$indexStats": {}},
        {"$graphLookup": {"from": "orders", "startWith": "$d1", "connectFromField": "x", "connectToField": "y", "as": "z"}},
        {"$currentOp": {}}, {"$listSessions": {}}, {"$documents": [{"x": 1}]}, {"$changeStream": {}}, {"$sample": {"size": 1}},
        {"$planCacheStats": {}}, {"$redact": "$$KEEP"}, {"$unset": "x"}, {"$skip": 1}, {"$count": "m1"},
        {"$replaceRoot": {"newRoot": "$$ROOT"}}, {"$replaceWith": "$$ROOT"}, {"$addFields": {"x": "$$ROOT"}},
        {"$bucket": {"groupBy": "$d1", "boundaries": [0, 1]}}, {"$sortByCount": "$d1"}, {"$geoNear": {}},
        {"$search": {}}, {"$vectorSearch": {}}, {"$fill": {"output": {}}}, {"$densify": {"field": "d1"}},
        {"$listLocalSessions": {}}, {"$shardedDataDistribution": {}}, {"$queryStats": {}},
    ]))  # fmt: skip
    return True


@on_stages
def let_a_hidden_field_through(stages: Stages, random: Random) -> bool:
    found = heads(stages)
    if found:
        path = random.choice(["$tenant_id", "$_id.tenant", "$secret"])
        test = {"$in": [{"$type": path}, ["string"]]}
        random.choice(found)[random.choice(["tenant_id", "x"])] = random.choice([path, {"$cond": [test, path, None]}])
    return bool(found)


@on_stages
def a_hidden_field_under_another_name(stages: Stages, random: Random) -> bool:
    found = heads(stages)
    if found:
        head = random.choice(found)
        head[field(head, random)] = {"$cond": [{"$in": [{"$type": "$tenant_id"}, ["string"]]}, "$tenant_id", None]}
    return bool(found)


@on_stages
def a_field_of_any_type(stages: Stages, random: Random) -> bool:
    found = heads(stages)
    if found:
        head = random.choice(found)
        name = field(head, random)
        value = head[name]
        if not isinstance(value, dict) or "$cond" not in value:
            return False
        head[name] = random.choice([value["$cond"][1], {"$ifNull": [value["$cond"][1], None]}])
    return bool(found)


@on_stages
def whole_documents(stages: Stages, random: Random) -> bool:
    found = [p for p in pipelines(stages) if any("$project" in s and "$type" in text(s) for s in p)]
    if found:
        pipeline = random.choice(found)
        places = [i for i, s in enumerate(pipeline) if "$project" in s and "$type" in text(s)]
        pipeline[places[0]] = {"$project": random.choice([{"_id": 0}, {"tenant_id": 0}, {"x": "$$ROOT", "_id": 0}])}
    return bool(found)


@on_stages
def keep_the_id(stages: Stages, random: Random) -> bool:
    found = [
        stage["$project"]
        for pipeline in pipelines(stages)
        for stage in pipeline
        if "$project" in stage and stage["$project"].get("_id") == 0
    ]
    body = random.choice(found)
    body["_id"] = random.choice([1, True, "$tenant_id", "$_id"])
    if random.random() < 0.3:
        del body["_id"]
    return True


@on_stages
def value_that_reads_more(stages: Stages, random: Random) -> bool:
    """System variables, hidden fields, and operators that reach beyond the fields that were let through."""
    body = random.choice(bodies(stages))
    body[field(body, random)] = random.choice([
        "$$ROOT", "$$CURRENT", "$$NOW", "$$CLUSTER_TIME", "$$USER_ROLES", "$$SEARCH_META", "$$ROOT.tenant_id",
        "$$CURRENT.tenant_id", "$tenant_id", "$rowless~parent", {"$first": "$$ROOT"}, {"$max": "$$ROOT"},
        {"$getField": "tenant_id"}, {"$getField": {"field": "tenant_id", "input": "$$ROOT"}}, {"$objectToArray": "$$ROOT"},
        {"$mergeObjects": ["$$ROOT", {}]}, {"$setField": {"field": "x", "input": "$$ROOT", "value": 1}},
        {"$let": {"vars": {"x": "$$ROOT"}, "in": "$$x"}}, {"$let": {"vars": {"ROOT": 1}, "in": "$$ROOT"}},
        {"$push": "$$ROOT"}, {"$addToSet": "$tenant_id"}, {"$ifNull": ["$tenant_id", None]},
        {"$cond": [True, "$tenant_id", None]}, {"$meta": "textScore"}, {"$toHashedIndexKey": "$tenant_id"},
    ])  # fmt: skip
    return True


@on_stages
def code(stages: Stages, random: Random) -> bool:
    body = random.choice(bodies(stages))
    body[field(body, random)] = random.choice([
        {"$function": {"body": "function() { return 1 }", "args": [], "lang": "js"}},
        {"$accumulator": {"init": "x", "accumulate": "x", "accumulateArgs": [], "merge": "x", "lang": "js"}},
        {"$where": "1"}, {"$rand": {}}, {"$sum": {"$rand": {}}}, {"$max": {"$function": {}}},
    ])  # fmt: skip
    return True


@on_stages
def unknown_operator(stages: Stages, random: Random) -> bool:
    body = random.choice(bodies(stages))
    operator = random.choice([
        "$regexMatch", "$regexFindAll", "$convert", "$dateFromString", "$dateToString", "$concat", "$split", "$strcasecmp",
        "$reduce", "$range", "$zip", "$toObjectId", "$sampleRate", "$binarySize", "$arrayToObject", "$error", "$top",
        "$firstN", "$percentile", "$median", "$stdDevPop", "$bsonSize", "$pow", "$exp", "$",
    ])  # fmt: skip
    body[field(body, random)] = {operator: random.choice(["$d1", {"input": "$d1"}, ["$d1", "$d1"]])}
    return True


@on_stages
def unbound_literal(stages: Stages, random: Random) -> bool:
    body = random.choice(bodies(stages))
    body[field(body, random)] = random.choice([
        {"$literal": "x"}, {"$literal": {"$ne": 1}}, {"$literal": 4711}, {"$literal": "$tenant_id"}, "x", 4711, 0.3,
        {"$literal": {"$rowlessParam": "scope_0"}}, {"$literal": {"$rowlessParam": "p0", "x": 1}}, [1], 1, True, None,
        {"$rowlessParam": "p0"}, {"$literal": {"$rowlessParam": "p0", "as": "objectid"}}, {"$literal": [1]},
    ])  # fmt: skip
    return True


@on_stages
def query_condition_of_the_question(stages: Stages, random: Random) -> bool:
    stages.insert(len(stages) - 2, {"$match": random.choice([
        {"d1": {"$ne": None}}, {"$where": "1"}, {"d1": {"$regex": "^(a+)+$"}}, {"$jsonSchema": {}}, {"$text": {"$search": "x"}},
        {"$or": [{"d1": 1}]}, {"d1": 1}, {}, {"$expr": {"$eq": ["$tenant_id", "a"]}}, {"$comment": "x"}, {"$alwaysTrue": 1},
        {"$expr": "$$ROOT"}, {"tenant_id": {"$gt": "a"}},
    ])})  # fmt: skip
    return True


@on_stages
def order_by_a_hiddenfield(stages: Stages, random: Random) -> bool:
    stages.insert(len(stages) - 2, {"$sort": random.choice([
        {"tenant_id": 1}, {"d1": 1, "tenant_id": 1}, {"x": {"$meta": "textScore"}}, {"d1": 2}, {}, {"_id": 1},
        {"d1": True}, {"d1.x": 1},
    ])})  # fmt: skip
    return True


@on_stages
def group_by_a_hiddenfield(stages: Stages, random: Random) -> bool:
    found = [stage["$group"] for pipeline in pipelines(stages) for stage in pipeline if "$group" in stage]
    if found:
        group = random.choice(found)
        group["_id"] = random.choice([
            "$tenant_id", "$$ROOT", {**(group["_id"] or {}), "t": "$tenant_id"}, {"t": "$$ROOT"}, {"$first": "$d1"}, 1])  # fmt: skip
    return bool(found)


@on_stages
def other_zone_or_week(stages: Stages, random: Random) -> bool:
    changed = text(stages).replace('"UTC"', '"Asia/Tokyo"').replace('"startOfWeek":"monday"', '"startOfWeek":"friday"')
    changed = changed.replace('"timezone":"Europe/Berlin"', '"timezone":"$d1"')
    changed = changed.replace('"unit":"month"', '"unit":"millisecond"')
    same = changed == text(stages)
    stages[:] = json.loads(changed)
    return not same


@on_stages
def no_limit(stages: Stages, random: Random) -> bool:
    stages.pop(-2)
    return True


@on_stages
def higher_limit(stages: Stages, random: Random) -> bool:
    stages[-2]["$limit"] = random.choice([5002, 10**6, FENCE, -1, 0, 1.5, "5", True])
    return True


@on_stages
def many_rows_within(stages: Stages, random: Random) -> bool:
    found = [p for p in pipelines(stages) if p is not stages]
    if found:
        random.choice(found).append({"$limit": random.choice([10**6, FENCE, 0, -1, 101])})
    return bool(found)


@on_stages
def facet_that_reads(stages: Stages, random: Random) -> bool:
    stages.insert(random.randrange(3, len(stages) - 1), {"$facet": random.choice([
        {"x": [{"$match": {}}, {"$out": "x"}]}, {"x": [{"$lookup": {"from": "orders", "pipeline": [], "as": "y"}}]},
        {"x": [{"$match": {}}], "y": [{"$match": {}}]}, {"x": []}, {"x": [{"$collStats": {}}]}, {},
    ])})  # fmt: skip
    return True


@on_stages
def unwind_without_a_key(stages: Stages, random: Random) -> bool:
    found = [p for p in pipelines(stages) for s in p if "$lookup" in s and "localField" not in s["$lookup"]]
    for pipeline in found[:1]:
        place = next(i for i, s in enumerate(pipeline) if "$lookup" in s and "localField" not in s["$lookup"])
        alias = pipeline[place]["$lookup"]["as"]
        pipeline.insert(place + 1, {"$unwind": random.choice([f"${alias}", {"path": f"${alias}"}])})
    return bool(found)


@on_stages
def other_output(stages: Stages, random: Random) -> bool:
    stages[-1]["$project"]["extra"] = stages[-1]["$project"][field(stages[-1]["$project"], random)]
    return True


@on_stages
def strange_field_name(stages: Stages, random: Random) -> bool:
    body = random.choice(bodies(stages))
    name = random.choice(["$where", "a.b", "", "$$ROOT", "__proto__", "tenant_id\x00", "A", "x" * 40, "é"])
    body[name] = body[field(body, random)] if len(body) > 1 else "$d1"
    return True


@on_stages
def two_stages_in_one(stages: Stages, random: Random) -> bool:
    random.choice(stages)["$out"] = "stolen"
    return True


@on_query
def other_tenants_value(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    if not query.scope_parameters:
        return None
    name = random.choice(sorted(query.scope_parameters))
    value: Any = random.choice(["A", "b", "", "a ", None, 1, True, ("a",), {"$ne": 1}, "a\x00"])
    return replace(query, parameters={**query.parameters, name: value})


@on_query
def unsaid_scope_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, scope_parameters=frozenset()) if query.scope_parameters else None


@on_query
def missing_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    name = random.choice(sorted(query.parameters) or [""])
    return replace(query, parameters={k: v for k, v in query.parameters.items() if k != name}) if name else None


@on_query
def extra_parameter(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, parameters={**query.parameters, "p99": "x"})


@on_query
def parameter_that_is_an_object(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    names = sorted(set(query.parameters) - query.scope_parameters)
    value: Any = random.choice([{"$ne": 1}, ["x"], ("x",), None, b"x"])
    return replace(query, parameters={**query.parameters, names[0]: value}) if names else None


@on_query
def another_collection(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, collection=random.choice([c for c in COLLECTIONS if c != query.collection] + ["", "$cmd"]))


@on_query
def fewer_tables_said(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    return replace(query, tables=query.tables[:-1])


@on_query
def not_the_one_text(query: CompiledQuery, random: Random) -> CompiledQuery | None:
    said = query.statement
    return replace(query, statement=random.choice([
        said + " ", said.replace('{"$match"', '{"$match":{},"$match"', 1), said.replace(":0,", ":0.0,", 1) + "\n",
        "[" + said + "]", said[:-1], json.dumps(json.loads(said)), said.replace("null", "NaN", 1) + " ", "{}", "[]", "",
        said + said, "[" * 5_000 + "]" * 5_000, said.replace("$match", "\\u0024match", 1),
    ]))  # fmt: skip


ALL = [*PIPELINES, *QUERIES]
