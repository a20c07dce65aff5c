"""Ways to break the scope of a compiled pipeline, and what all ways to break one share.

Each takes the parsed stages and changes them so that they say something else about who may see what; False where there
is nothing of its kind to break.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from gateway.types import CompiledQuery

Stages = list[dict[str, Any]]
Mutator = Callable[[Stages, Random], bool]
PIPELINES: dict[str, Mutator] = {}
QUERIES: dict[str, Callable[[CompiledQuery, Random], CompiledQuery | None]] = {}
FENCE = 2**63 - 1
COLLECTIONS = ("orders", "customers", "items", "products", "tickets", "secrets", "system.users", "cities")


def on_stages(mutator: Mutator) -> Mutator:
    """Keep a way to break the stages."""
    PIPELINES[mutator.__name__.strip("_")] = mutator
    return mutator


def on_query(
    mutator: Callable[[CompiledQuery, Random], CompiledQuery | None],
) -> Callable[[CompiledQuery, Random], CompiledQuery | None]:
    QUERIES[mutator.__name__.strip("_")] = mutator
    return mutator


def text(stages: object) -> str:
    """A pipeline as the compiler writes one."""
    return json.dumps(stages, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def mutate(query: CompiledQuery, name: str, random: Random) -> CompiledQuery | None:
    """The query broken in one way; None if that way does not apply or changes nothing."""
    if name in QUERIES:
        return QUERIES[name](query, random)
    stages = json.loads(query.statement)
    if not PIPELINES[name](stages, random):
        return None
    broken = text(stages)
    return None if broken == query.statement else replace(query, statement=broken)


def pipelines(stages: Stages) -> Iterator[Stages]:
    """The pipeline and every one within it, parents' ones included."""
    yield stages
    for stage in stages:
        body = next(iter(stage.values()))
        if isinstance(body, dict) and isinstance(body.get("pipeline"), list):
            yield from pipelines(body["pipeline"])


def _scoped(stages: Stages, random: Random) -> Stages | None:
    """One of the pipelines that begin with a scope."""
    found = [p for p in pipelines(stages) if p and isinstance(p[0].get("$match"), dict) and "$and" in p[0]["$match"]]
    return random.choice(found) if found else None


def _conditions(stages: Stages, random: Random) -> list[Any] | None:
    found = _scoped(stages, random)
    return found[0]["$match"]["$and"] if found else None


def lookups(stages: Stages) -> list[dict[str, Any]]:
    return [stage["$lookup"] for pipeline in pipelines(stages) for stage in pipeline if "$lookup" in stage]


def heads(stages: Stages) -> list[dict[str, Any]]:
    """The projections that let a collection's columns through."""
    return [
        stage["$project"]
        for pipeline in pipelines(stages)
        for stage in pipeline
        if any(isinstance(v, dict) and "$type" in str(v) for v in stage.get("$project", {}).values())
    ]


def bodies(stages: Stages) -> list[dict[str, Any]]:
    """What makes fields after the heads."""
    tops = [id(head) for head in heads(stages)]
    return [
        body
        for pipeline in pipelines(stages)
        for stage in pipeline
        for name, body in stage.items()
        if name in {"$project", "$set", "$group"} and id(body) not in tops and [*body] != ["_id"]
    ]


def field(body: dict[str, Any], random: Random) -> str:
    return random.choice([name for name in body if name != "_id"] or ["m1"])


def _swap_marker(node: Any, new: Any) -> bool:
    """Replace the first marker within a condition."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(value, dict) and "$rowlessParam" in value:
            node[key] = new
            return True
        if _swap_marker(value, new):
            return True
    return False


@on_stages
def drop_scope(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if found:
        found.pop(0)
    return found is not None


@on_stages
def drop_a_condition_of_the_scope(stages: Stages, random: Random) -> bool:
    found = _conditions(stages, random)
    if found:
        found.pop(random.randrange(len(found)))
    return bool(found)


@on_stages
def scope_or_anything(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if found:
        found[0] = {"$match": {"$or": [found[0]["$match"], random.choice([{}, {"_id": {"$exists": True}}])]}}
    return found is not None


@on_stages
def negated_scope(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if found:
        found[0] = {"$match": {"$nor": [found[0]["$match"]]}}
    return found is not None


@on_stages
def scope_compares_otherwise(stages: Stages, random: Random) -> bool:
    found = _conditions(stages, random)
    if not found:
        return False
    place = random.randrange(len(found))
    broken = text(found[place])
    for operator in random.sample(["$nin", "$gte", "$ne", "$exists", "$elemMatch", "$regex", "$eq"], 1):
        broken = broken.replace('"$in"', f'"{operator}"', 1)
    found[place] = json.loads(broken)
    return True


@on_stages
def scope_lets_arrays_pass(stages: Stages, random: Random) -> bool:
    found = _conditions(stages, random)
    for condition in found or ():
        types = condition.get("$expr", {}).get("$in", [None, None])
        if isinstance(types, list) and types[0] and "$type" in types[0]:
            types[1] = [*types[1], random.choice(["array", "null", "missing", "object", "regex"])]
            return True
    return False


@on_stages
def condition_beside_the_scope(stages: Stages, random: Random) -> bool:
    found = _conditions(stages, random)
    if found is not None:
        found.insert(random.randrange(len(found) + 1), random.choice(
            [{"status": "new"}, {"$expr": {"$gt": [{"$divide": [1, "$fee"]}, 0]}}, {"$where": "1"}, {}]))  # fmt: skip
    return found is not None


@on_stages
def literal_tenant(stages: Stages, random: Random) -> bool:
    return _swap_marker(_conditions(stages, random) or [], random.choice(["A", "a", {"$ne": None}, None, 1]))


@on_stages
def other_parameter(stages: Stages, random: Random) -> bool:
    return _swap_marker(_conditions(stages, random) or [], {"$rowlessParam": "p0"})


@on_stages
def marker_of_another_type(stages: Stages, random: Random) -> bool:
    name = {"$rowlessParam": "scope_0", "as": random.choice(["objectid", "date", "", "regex"])}
    return _swap_marker(_conditions(stages, random) or [], name)


@on_stages
def other_filterfield(stages: Stages, random: Random) -> bool:
    found = _conditions(stages, random)
    if not found:
        return False
    found[:] = json.loads(text(found).replace("tenant_id", random.choice(["status", "_id", "tenant_id.x", "name"])))
    return True


@on_stages
def scope_not_first(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if not found or len(found) < 3:
        return False
    place = random.randrange(1, len(found))
    found[0], found[place] = found[place], found[0]
    return True


@on_stages
def stage_before_the_scope(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if found is not None:
        found.insert(0, random.choice(
            [{"$facet": {"x": [{"$match": {}}]}}, {"$group": {"_id": None, "tenant_id": {"$first": "$tenant_id"}}},
             {"$set": {"tenant_id": "a"}}, {"$match": {}}, {"$unwind": "$tenant_id"}, {"$limit": 1},
             {"$sort": {"tenant_id": 1}}, {"$project": {"_id": 0}}]))  # fmt: skip
    return found is not None


@on_stages
def drop_fence(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    fences = [place for place, stage in enumerate(found or ()) if stage.get("$limit") == FENCE]
    if found and fences:
        found.pop(fences[0])
    return bool(fences)


@on_stages
def lower_fence(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    for stage in found or ():
        if stage.get("$limit") == FENCE:
            stage["$limit"] = random.choice([FENCE - 1, 1, 10**6, 1.0, -1, "1"])
            return True
    return False


@on_stages
def condition_before_the_fence(stages: Stages, random: Random) -> bool:
    found = _scoped(stages, random)
    if found is not None:
        found.insert(1, {"$match": {"$expr": {"$eq": [{"$literal": 1}, 1]}}})
    return found is not None


def _parents(stages: Stages) -> list[tuple[Stages, int]]:
    return [
        (pipeline, place)
        for pipeline in pipelines(stages)
        for place, stage in enumerate(pipeline)
        if stage.get("$lookup", {}).get("as") == "rowless~parent"
    ]


@on_stages
def drop_parents_scope(stages: Stages, random: Random) -> bool:
    found = _parents(stages)
    if found:
        pipeline, place = random.choice(found)
        pipeline[place]["$lookup"]["pipeline"].pop(0)
    return bool(found)


@on_stages
def drop_parent(stages: Stages, random: Random) -> bool:
    found = _parents(stages)
    if found:
        pipeline, place = random.choice(found)
        del pipeline[place : place + random.choice([1, 2])]
    return bool(found)


@on_stages
def parent_not_needed(stages: Stages, random: Random) -> bool:
    found = _parents(stages)
    if found:
        pipeline, place = random.choice(found)
        pipeline[place + 1] = {"$match": {"$expr": {random.choice(["$gte", "$ne"]): [{"$size": "$rowless~parent"}, 0]}}}
        if "$ne" in text(pipeline[place + 1]):
            pipeline[place + 1]["$match"]["$expr"]["$ne"][1] = 7
    return bool(found)


@on_stages
def parent_by_another_key(stages: Stages, random: Random) -> bool:
    found = _parents(stages)
    if found:
        pipeline, place = random.choice(found)
        part = random.choice(["localField", "foreignField", "let", "from"])
        body = pipeline[place]["$lookup"]
        body[part] = {"key": "$quantity"} if part == "let" else random.choice(["customer_id", "customers"])
    return bool(found)


@on_stages
def parent_of_any_type(stages: Stages, random: Random) -> bool:
    found = _parents(stages)
    if found:
        pipeline, place = random.choice(found)
        inner = pipeline[place]["$lookup"]["pipeline"]
        inner[-3]["$match"]["$and"].pop(random.randrange(2))
    return bool(found)
