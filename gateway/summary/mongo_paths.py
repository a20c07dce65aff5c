"""Paths within documents and lists that are one column of a collection: what `gateway.summary.nested` does, as stages.

A document's values are taken apart level by level, each with its path and its BSON type. What is not a plain name is no
part of a path, is counted with its parent's keys, and is not looked into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.catalog import Column, ColumnType
from gateway.mongo import Stage
from gateway.summary.measured import PathMeasured
from gateway.summary.paths import DEPTH, FEWER_DOCUMENTS, ITEMS, LONGEST, MOST_KEYS, PLAIN

_WORDS: Final = {
    "int": "number", "long": "number", "double": "number", "decimal": "number", "string": "text", "bool": "boolean",
    "object": "object", "array": "array", "date": "text", "objectId": "text",
}  # fmt: skip
"""Types as JSON has them: what JSON writes as text is text."""
_LEVELS: Final = range(1, DEPTH + 1)


def path_stages(column: Column, subject: str | None, *, least: int) -> list[Stage]:
    """Stages over scoped documents that count the paths of a JSON column; none if it is no such column.

    Args:
        column: The column.
        subject: Column that names the data subject, or None for documents as units.
        least: Fewest units that may have a path that is told.
    """
    if column.type is not ColumnType.JSON:
        return []
    value = "$" + column.name
    short = {"$lte": [{"$bsonSize": {"v": value}}, LONGEST]}
    looked: list[Stage] = [{"$count": "n"}]
    if subject is not None:
        looked = [{"$group": {"_id": "$u"}}, {"$match": {"_id": {"$ne": None}}}, *looked]
    return [
        {"$match": {"$and": [{column.name: {"$ne": None}}, {"$expr": short}]}},
        {"$limit": FEWER_DOCUMENTS},
        {"$project": {"_id": 0, "u": "$" + subject if subject is not None else {"$literal": 1}, "v": value}},
        {"$facet": {"looked": looked, "told": [*_nodes(), *_counted(subject, least), *_ruled()]}},
    ]


def read_paths(found: Sequence[Mapping[str, Any]]) -> tuple[PathMeasured, ...]:
    """The answer as measured paths."""
    if not found or not found[0].get("looked") or not found[0].get("told"):
        return ()
    looked, answer = int(found[0]["looked"][0]["n"]), found[0]["told"][0]
    keys = int(answer["keys"])
    if keys > MOST_KEYS:
        return (PathMeasured(key="", units=0, looked=looked, keys=keys, type="mixed"),)
    return tuple(
        PathMeasured(
            key=str(path["p"]).removeprefix("."),
            units=int(path["units"]),
            looked=looked,
            keys=keys,
            type=_type(path["types"]),
            dynamic=bool(path["d"]),
        )
        for paths in answer["told"]
        for path in paths
    )


def _type(types: Sequence[object]) -> str:
    kinds = {_WORDS.get(str(kind), "mixed") for kind in types if kind is not None}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _nodes() -> list[Stage]:
    """Each document as ``e``, paths ``p`` with types ``t``; ``f`` are the values to look into, with their value ``v``.

    Every path has one point a level, ``.items[].price``; a key that is no plain name has none, and ``~`` before it.
    """
    top = {"p": {"$literal": ""}, "i": False, "t": {"$type": "$v"}, "v": "$v"}
    stages: list[Stage] = [{"$project": {"u": 1, "e": [], "f": [top]}}]
    for level in range(DEPTH + 1):
        stages += [{"$set": {"f": {"$concatArrays": ["$f", _each("array", _items())]}}}]
        seen = {"$map": {"input": "$f", "in": {"p": "$$this.p", "t": "$$this.t"}}}
        stages += [{"$set": {"e": {"$concatArrays": ["$e", seen]}}}]
        if level < DEPTH:
            stages += [{"$set": {"f": _each("object", _keys())}}]
    return [*stages, *_once_each(), {"$unwind": "$e"}]


def _each(kind: str, parts: Stage) -> Stage:
    """All parts of those values ``f`` that are of a kind and may be looked into."""
    cond: list[object] = [{"$eq": ["$$this.t", kind]}, {"$eq": [{"$indexOfBytes": ["$$this.p", "~"]}, -1]}]
    if kind == "array":
        cond.append({"$not": ["$$this.i"]})
    fit = {"$filter": {"input": "$f", "cond": {"$and": cond}}}
    return {"$reduce": {"input": fit, "initialValue": [], "in": {"$concatArrays": ["$$value", parts]}}}


def _items() -> Stage:
    """The first items of a list."""
    node = {"p": {"$concat": ["$$this.p", "[]"]}, "i": True, "t": {"$type": "$$x"}, "v": "$$x"}
    return {"$map": {"input": {"$slice": ["$$this.v", ITEMS]}, "as": "x", "in": node}}


def _keys() -> Stage:
    """The keys of an object."""
    plain = {
        "$and": [
            {"$regexMatch": {"input": "$$x.k", "regex": PLAIN}},
            # A last line break stands outside of the pattern.
            {"$not": [{"$regexMatch": {"input": "$$x.k", "regex": "[^A-Za-z0-9_]"}}]},
        ]
    }
    other = {"$concat": [".~", {"$replaceAll": {"input": "$$x.k", "find": ".", "replacement": "~"}}]}
    key = {"$cond": [plain, {"$concat": [".", "$$x.k"]}, other]}
    node = {"p": {"$concat": ["$$this.p", key]}, "i": False, "t": {"$type": "$$x.v"}, "v": "$$x.v"}
    return {"$map": {"input": {"$objectToArray": "$$this.v"}, "as": "x", "in": node}}


def _once_each() -> list[Stage]:
    """Each path of a document with each of its types once; ``f`` is 1 once a path, 0 for one that has but nulls."""
    is_null = {"$in": ["$$this.t", ["null", "undefined"]]}
    nulls = {"$filter": {"input": "$e", "cond": is_null}}
    values = {"$sortArray": {"input": {"$filter": {"input": "$e", "cond": {"$not": [is_null]}}}, "sortBy": {"p": 1}}}
    here, before = ({"$arrayElemAt": ["$v", place]} for place in ("$$this", {"$subtract": ["$$this", 1]}))
    again = {"$and": [{"$gt": ["$$this", 0]}, {"$eq": ["$$x.p", "$$y.p"]}]}
    node = {"p": "$$x.p", "t": "$$x.t", "f": {"$cond": [again, 0, 1]}}
    first = {"$map": {"input": {"$range": [0, {"$size": "$v"}]}, "in": _let(x=here, y=before, within=node)}}
    none = {"$map": {"input": "$n", "in": {"p": "$$this.p", "t": None, "f": 0}}}
    return [
        {"$project": {"u": 1, "e": {"$setUnion": ["$e", []]}}},
        {"$project": {"u": 1, "n": nulls, "v": values}},
        {"$project": {"u": 1, "e": {"$concatArrays": [none, first]}}},
    ]


def _let(*, within: object, **names: object) -> Stage:
    return {"$let": {"vars": names, "in": within}}


def _counted(subject: str | None, least: int) -> list[Stage]:
    """One row a path: its level, the paths above it, ``q1`` to ``q4``, and what is told of it if enough units have it.

    ``keys`` is 1 for a key and 0 for the items of a list.
    """
    units: Stage = {"$sum": "$e.f"}
    size: object = "$units"
    if subject is not None:
        units = {"$addToSet": {"$cond": [{"$eq": ["$e.f", 1]}, "$u", None]}}
        size = {"$size": {"$setDifference": ["$units", [None]]}}
    parts: object = {"$split": ["$_id", "."]}
    key = {"$cond": [{"$regexMatch": {"input": "$_id", "regex": r"\[\]$"}}, 0, 1]}
    told = {"p": "$_id", "d": {"$literal": False}, "units": size, "types": "$types"}
    enough = {"$and": [{"$eq": [{"$indexOfBytes": ["$_id", "~"]}, -1]}, {"$gte": [size, least]}]}
    above: list[Stage] = []
    for k in _LEVELS:
        part = {"$arrayElemAt": ["$parts", k - 1]}
        path = part if k == 1 else {"$concat": [f"$q{k - 1}", ".", part]}
        above.append({"$set": {f"q{k}": {"$cond": [{"$gte": ["$lvl", k]}, path, None]}}})
    return [
        {"$match": {"e.p": {"$ne": ""}}},
        {"$group": {"_id": "$e.p", "units": units, "types": {"$addToSet": "$e.t"}}},
        {"$project": {"_id": 0, "p": "$_id", "key": key, "parts": parts, "told": {"$cond": [enough, [told], []]}}},
        {"$set": {"lvl": {"$subtract": [{"$size": "$parts"}, 1]}, "keys": "$key"}},
        *above,
    ]


def _ruled() -> list[Stage]:
    """All rows as one: from the last level up, what is below a parent becomes one row of it, or one word if too much.

    Rows of higher levels pass a level as they are. (A window over each parent says it shorter; the server of its
    protocol that is at hand takes the square of the rows for one.)
    """
    stages: list[Stage] = []
    for k in reversed(_LEVELS):
        here = {"$eq": ["$lvl", k]}
        is_here = {"$gt": ["$here", 0]}
        above = {f"q{j}": {"$first": f"$q{j}"} for j in range(1, k)}
        gathered = {
            "here": {"$max": {"$cond": [here, 1, 0]}},
            "beside": {"$sum": {"$cond": [here, "$key", 0]}},
            "key": {"$first": "$key"},
            "keys": {"$sum": "$keys"},
            "lvl": {"$first": "$lvl"},
            "told": {"$push": {"$cond": [{"$eq": ["$told", []]}, "$$REMOVE", "$told"]}},
            **above,
        }
        parent = {"$cond": [here, {"g": f"$q{k}"}, {"p": "$p"}]}
        many = {"$and": [is_here, {"$gt": ["$beside", MOST_KEYS]}]}
        dynamic = {"p": "$_id.g", "d": {"$literal": True}, "units": {"$literal": 0}, "types": []}
        all_told = {"$reduce": {"input": "$told", "initialValue": [], "in": {"$concatArrays": ["$$value", "$$this"]}}}
        row: Stage = {
            "_id": 0,
            "p": "$_id.p",
            "lvl": {"$cond": [is_here, k - 1, "$lvl"]},
            "key": {"$cond": [is_here, 0, "$key"]},
            "keys": {"$cond": [many, 0, "$keys"]},
            "told": {"$cond": [many, [dynamic], all_told]},
            **{f"q{j}": 1 for j in range(1, k)},
        }
        stages += [{"$group": {"_id": parent, **gathered}}, {"$project": row}]
    few = {"$lte": ["$keys", MOST_KEYS]}
    return [
        *stages,
        {"$group": {"_id": None, "keys": {"$sum": "$keys"}, "told": {"$push": "$told"}}},
        {"$project": {"_id": 0, "keys": 1, "told": {"$cond": [few, "$told", []]}}},
    ]
