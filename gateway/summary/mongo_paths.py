"""Paths within documents and lists that are one column of a collection: what `gateway.summary.nested` does, as stages.

A document's values are taken apart level by level, each with its path, the paths of the objects above it and its BSON
type. What is not a plain name is no part of a path, is counted with its parent's keys, and is not looked into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.catalog import Column, ColumnType
from gateway.mongo import Stage
from gateway.summary.measured import PathMeasured
from gateway.summary.paths import DEPTH, DOCUMENTS, ITEMS, LONGEST, MOST_KEYS, MOST_PATHS, PLAIN

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
        {"$limit": DOCUMENTS},
        {"$project": {"_id": 0, "u": "$" + subject if subject is not None else {"$literal": 1}, "v": value}},
        {"$facet": {"looked": looked, "told": [*_nodes(), *_counted(subject), *_ruled(least)]}},
    ]


def read_paths(found: Sequence[Mapping[str, Any]]) -> tuple[PathMeasured, ...]:
    """The answer as measured paths."""
    if not found or not found[0].get("looked"):
        return ()
    looked = int(found[0]["looked"][0]["n"])
    told = sorted(found[0].get("told") or (), key=lambda entry: (-int(entry["units"]), str(entry["_id"]["p"])))
    return tuple(
        PathMeasured(
            key=str(entry["_id"]["p"]).removeprefix("."),
            units=int(entry["units"]),
            looked=looked,
            keys=int(entry["total"]),
            type=_type(entry["types"]),
            dynamic=bool(entry["_id"]["d"]),
        )
        for entry in told
    )


def _type(types: Sequence[object]) -> str:
    kinds = {_WORDS.get(str(kind), "mixed") for each in types if isinstance(each, list) for kind in each}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _nodes() -> list[Stage]:
    """Each document as nodes ``e``: path ``p``, paths above ``q``, type ``t``, whether an item ``i`` and plain ``s``.

    ``f`` are those to look into, with their value ``v``.
    """
    top = {"p": {"$literal": ""}, "q": [], "i": 0, "s": True, "t": {"$type": "$v"}, "v": "$v"}
    stages: list[Stage] = [{"$project": {"u": 1, "e": [], "f": [top]}}]
    for level in range(DEPTH + 1):
        stages += [{"$set": {"f": {"$concatArrays": ["$f", _each("array", _items())]}}}]
        # The document itself is no node, but the items of a list that is the column are.
        nodes: object = {"$filter": {"input": "$f", "cond": {"$ne": ["$$this.p", ""]}}}
        stages += [{"$set": {"e": {"$concatArrays": ["$e", {"$map": {"input": nodes, "in": _told_of("$$this")}}]}}}]
        if level < DEPTH:
            stages += [{"$set": {"f": _each("object", _keys())}}]
    return [*stages, {"$project": {"u": 1, "e": _once_each()}}, {"$unwind": "$e"}]


def _told_of(node: str) -> Stage:
    return {name: f"{node}.{name}" for name in ("p", "q", "i", "s", "t")}


def _each(kind: str, parts: Stage) -> Stage:
    """All parts of those values ``f`` that are of a kind and may be looked into."""
    cond = {"$and": [{"$eq": ["$$this.t", kind]}, "$$this.s", {"$or": [kind == "object", {"$eq": ["$$this.i", 0]}]}]}
    fit = {"$filter": {"input": "$f", "cond": cond}}
    return {"$reduce": {"input": fit, "initialValue": [], "in": {"$concatArrays": ["$$value", parts]}}}


def _items() -> Stage:
    """The first items of a list, as nodes."""
    node = {
        "p": {"$concat": ["$$this.p", "[]"]}, "q": "$$this.q", "i": 1, "s": True, "t": {"$type": "$$x"}, "v": "$$x",
    }  # fmt: skip
    return {"$map": {"input": {"$slice": ["$$this.v", ITEMS]}, "as": "x", "in": node}}


def _keys() -> Stage:
    """The keys of an object, as nodes."""
    plain = {
        "$and": [
            {"$regexMatch": {"input": "$$x.k", "regex": PLAIN}},
            # A last line break stands outside of the pattern.
            {"$not": [{"$regexMatch": {"input": "$$x.k", "regex": "[^A-Za-z0-9_]"}}]},
        ]
    }
    node = {
        "p": {"$concat": ["$$this.p", {"$cond": [plain, ".", ".~"]}, "$$x.k"]},
        "q": {"$concatArrays": ["$$this.q", ["$$this.p"]]},
        "i": 0,
        "s": plain,
        "t": {"$type": "$$x.v"},
        "v": "$$x.v",
    }
    return {"$map": {"input": {"$objectToArray": "$$this.v"}, "as": "x", "in": node}}


def _once_each() -> Stage:
    """Each path of a document once, with the set of its types; null is no type."""

    def set_of(values: Stage) -> Stage:
        return {"$setUnion": [values, []]}

    same = {"$filter": {"input": "$e", "as": "y", "cond": {"$eq": ["$$y.p", "$$x.p"]}}}
    types = {"$setDifference": [set_of({"$map": {"input": same, "as": "y", "in": "$$y.t"}}), ["null", "undefined"]]}
    places = {name: f"$$y.{name}" for name in ("p", "q", "i", "s")}
    paths = set_of({"$map": {"input": "$e", "as": "y", "in": places}})
    node = {**{name: f"$$x.{name}" for name in ("p", "q", "i", "s")}, "t": types}
    return {"$map": {"input": paths, "as": "x", "in": node}}


def _counted(subject: str | None) -> list[Stage]:
    """One row a path: its units and types, and the paths above it, ``q1`` to ``q4``."""
    there = {"$gt": [{"$size": "$e.t"}, 0]}
    units: Stage = {"$sum": {"$cond": [there, 1, 0]}}
    size: object = "$units"
    if subject is not None:
        units = {"$addToSet": {"$cond": [there, "$u", None]}}
        size = {"$size": {"$setDifference": ["$units", [None]]}}
    place = {name: f"$e.{name}" for name in ("p", "q", "i", "s")}
    above = {f"q{k}": {"$arrayElemAt": ["$_id.q", k - 1]} for k in _LEVELS}
    own = {"p": "$_id.p", "s": "$_id.s", "item": "$_id.i", "lvl": {"$size": "$_id.q"}}
    return [
        {"$group": {"_id": place, "units": units, "types": {"$addToSet": "$e.t"}}},
        {"$project": {"_id": 0, **own, **above, "units": size, "types": 1}},
    ]


def _ruled(least: int) -> list[Stage]:
    """Paths that enough units have under parents with few keys; and the first parents whose keys are too many."""
    beside: list[Stage] = []
    for k in _LEVELS:
        is_key = {"$and": [{"$eq": ["$lvl", k]}, {"$eq": ["$item", 0]}]}
        count = {f"s{k}": {"$sum": {"$cond": [is_key, 1, 0]}}}
        beside.append({"$setWindowFields": {"partitionBy": f"$q{k}", "output": count}})
    first = [{"case": {"$gt": [f"$s{k}", MOST_KEYS]}, "then": f"$q{k}"} for k in _LEVELS]
    many = {"$or": [{"$gt": [f"$s{k}", MOST_KEYS]} for k in _LEVELS]}
    is_told = {"$and": [{"$not": ["$d"]}, {"$eq": ["$item", 0]}]}
    ruled = {"_id": 0, "d": many, "p": {"$switch": {"branches": first, "default": "$p"}}, "s": 1, "item": 1,
             "units": 1, "types": 1}  # fmt: skip
    return [
        *beside,
        {"$project": ruled},
        {"$setWindowFields": {"output": {"total": {"$sum": {"$cond": [is_told, 1, 0]}}}}},
        {"$match": {"$or": [{"d": True}, {"$and": [{"s": True}, {"units": {"$gte": least}}]}]}},
        {
            "$group": {
                "_id": {"p": "$p", "d": "$d"},
                "units": {"$max": "$units"},
                "total": {"$max": "$total"},
                "types": {"$first": {"$cond": ["$d", [], "$types"]}},
            }
        },
        # Keys of a sort are read in the order of their names (`gateway.mongo`).
        {"$sort": {"_id.d": -1, "units": -1}},
        {"$limit": MOST_PATHS},
    ]
