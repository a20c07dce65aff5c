"""Keys of documents and lists that are one column: counted and cut off in the database, like those of JSON columns.

Unlike SQL's, these paths run through lists: the price in ``items: [{price: 1}]`` is ``price`` of column ``items``,
counted once a document however often it stands there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.catalog import SAFE_NAME, Column, ColumnType
from gateway.mongo import Stage
from gateway.summary.asking import CLASS_ROWS
from gateway.summary.measured import PathMeasured

MOST_KEYS: Final = 200
"""More keys than this are data, not structure (docs/disclosure.md)."""
_DEPTH: Final = 4
_WORDS: Final = {
    "int": "number", "long": "number", "double": "number", "decimal": "number", "string": "text", "bool": "boolean",
    "object": "object", "array": "array",
}  # fmt: skip


def path_stages(column: Column, subject: str | None, *, least: int) -> list[Stage]:
    """Stages over scoped documents that count the keys of a JSON column; none if it is no such column.

    Args:
        column: The column.
        subject: Column that names the data subject, or None for documents as units.
        least: Fewest units that may have a key that is told.
    """
    if column.type is not ColumnType.JSON:
        return []
    units = {"$sum": 1} if subject is None else {"$addToSet": "$u"}
    size = "$units" if subject is None else {"$size": {"$setDifference": ["$units", [None]]}}
    looked: list[Stage] = [{"$count": "n"}]
    if subject is not None:
        looked = [{"$group": {"_id": "$u"}}, {"$match": {"_id": {"$ne": None}}}, *looked]
    told: list[Stage] = [
        {"$unwind": "$e"},
        {"$group": {"_id": "$e.p", "units": units, "types": {"$addToSet": "$e.t"}}},
        {"$project": {"units": size, "types": 1}},
        {"$match": {"units": {"$gte": least}}},
        {"$sort": {"units": -1}},
        {"$limit": MOST_KEYS + 1},
    ]
    keys: list[Stage] = [{"$unwind": "$e"}, {"$group": {"_id": "$e.p"}}, {"$count": "n"}]
    kept: Stage = {"_id": 0, "e": _once_each(_keys("$" + column.name, (), 1))}
    if subject is not None:
        kept["u"] = "$" + subject
    return [
        {"$match": {column.name: {"$ne": None}}},
        {"$limit": CLASS_ROWS},
        {"$project": kept},
        {"$facet": {"looked": looked, "keys": keys, "told": told}},
    ]


def read_paths(found: Sequence[Mapping[str, Any]]) -> tuple[PathMeasured, ...]:
    """The answer as measured keys."""
    if not found or not found[0].get("looked"):
        return ()
    answer = found[0]
    looked, keys = int(answer["looked"][0]["n"]), int(answer["keys"][0]["n"]) if answer.get("keys") else 0
    if keys > MOST_KEYS and not answer.get("told"):
        return (PathMeasured(key="", units=0, looked=looked, keys=keys, type="mixed"),)
    told = sorted(answer.get("told") or (), key=lambda entry: (-int(entry["units"]), list(entry["_id"])))
    return tuple(
        PathMeasured(
            key=_name(entry["_id"]), units=int(entry["units"]), looked=looked, keys=keys, type=_type(entry["types"])
        )
        for entry in told
    )


def _name(path: Sequence[object]) -> str:
    parts = [str(part) for part in path]
    return ".".join(parts) if all(SAFE_NAME.match(part) for part in parts) else ""


def _type(types: Sequence[object]) -> str:
    kinds = {_WORDS.get(str(kind), "mixed") for each in types if isinstance(each, list) for kind in each}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _once_each(pairs: Stage) -> Stage:
    """Each path of a document once, with the set of its types; null is no type."""

    def set_of(values: Stage) -> Stage:
        return {"$setUnion": [values, []]}

    same = {"$filter": {"input": "$$all", "as": "y", "cond": {"$eq": ["$$y.p", "$$p"]}}}
    types = set_of({"$map": {"input": same, "as": "y", "in": "$$y.t"}})
    path = {"p": "$$p", "t": {"$setDifference": [types, ["null", "undefined"]]}}
    paths = set_of({"$map": {"input": "$$all", "as": "y", "in": "$$y.p"}})
    return {"$let": {"vars": {"all": pairs}, "in": {"$map": {"input": paths, "as": "p", "in": path}}}}


def _keys(value: str, above: tuple[str, ...], depth: int) -> Stage:
    """An expression: path and BSON type of every key under a value, through objects and through lists of objects."""
    pair, inner = f"$$k{depth}", f"$$k{depth}.v"
    own = {"p": [*above, f"{pair}.k"], "t": {"$type": inner}}
    inside: object = [own]
    if depth < _DEPTH:
        inside = {"$concatArrays": [[own], _keys(inner, (*above, f"{pair}.k"), depth + 1)]}
    each = {"$map": {"input": {"$objectToArray": f"$$d{depth}"}, "as": f"k{depth}", "in": inside}}
    joined = {"$reduce": {"input": each, "initialValue": [], "in": {"$concatArrays": ["$$value", "$$this"]}}}
    documents = {
        "$switch": {
            "branches": [
                {"case": {"$eq": [{"$type": value}, "object"]}, "then": [value]},
                {
                    "case": {"$eq": [{"$type": value}, "array"]},
                    "then": {"$filter": {"input": value, "cond": {"$eq": [{"$type": "$$this"}, "object"]}}},
                },
            ],
            "default": [],
        }
    }
    all_of = {"$map": {"input": documents, "as": f"d{depth}", "in": joined}}
    return {"$reduce": {"input": all_of, "initialValue": [], "in": {"$concatArrays": ["$$value", "$$this"]}}}
