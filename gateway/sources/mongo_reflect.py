"""The structure of a MongoDB database: collections and views, their fields by path, keys and closed lists.

MongoDB keeps no list of fields. What a validator declares is taken from it; the rest is counted in the database, by
name and type over at most 20,000 documents of a collection, the oldest and the newest half. No value is fetched. But a
field's name comes from documents, as a cell does, so the rule for keys of documents holds (docs/disclosure.md): a name
is told only if at least ten documents and one percent have it, and more than 200 names under one parent are data. Such
a parent is one JSON column, as is an array; of a whole document those names stay that half of all have. Nested
documents become columns down to three levels, ``address.city`` as ``address_city``.

A column has the type that nine in ten of its values have; a value of another type counts as missing from then on
(`gateway.tenancy.barrier_mongo`). MongoDB knows instants only: where every one counted is midnight in UTC, the column
holds days, which no time zone shifts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import QueryError
from gateway.mongo import Stage
from gateway.sources.errors import PASSING
from gateway.sources.mongo_schema import MAX_DEPTH, Declared, Schema, read_validator, type_of
from gateway.sources.names import safe_names

LOOKED_AT: Final = 20_000
"""Documents of a collection whose fields are counted."""
LEAST_DOCUMENTS: Final = 10
LEAST_SHARE: Final = 0.01
MOST_KEYS: Final = 200
_SAME_TYPE: Final = 0.9
_TIMEOUT_S: Final = 30.0
_DAY_MS: Final = 86_400_000
_PLAIN_KEY: Final = re.compile(r"[^$.\x00][^.\x00]*\Z")
_CLASSES: Final = (frozenset({"int", "long", "whole", "double", "decimal"}), frozenset({"string"}), frozenset({"bool"}),
                   frozenset({"date", "day"}), frozenset({"objectId"}), frozenset({"object", "array"}))  # fmt: skip
"""BSON types that one column can hold together."""
_ANY: Final = {
    ColumnType.INTEGER: {"int", "long", "double"},
    ColumnType.NUMBER: {"int", "long", "double", "decimal"},
    ColumnType.DATE: {"date"},
    ColumnType.DATETIME: {"date"},
    ColumnType.JSON: {"object", "array"},
}
"""Which numbers a program writes changes from document to document: a counted column takes them all."""


class Reading(Protocol):
    """What is needed of an opened source."""

    name: str

    def listed(self, command: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a command that lists collections or indexes."""
        ...

    def documents(self, collection: str, stages: Sequence[Stage], *, timeout_s: float) -> AbstractContextManager[Any]:
        """Run a pipeline and yield what fetches its next documents."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One field that enough documents have: in how many it has which BSON type, and where it stands in them."""

    path: tuple[str, ...]
    types: dict[str, int]
    place: float


def reflect_mongo(source: Reading, *, comments: bool) -> Catalog:
    """Read all collections and views that the user may read.

    Args:
        source: An opened source.
        comments: Whether to read the owner's descriptions in validators.

    Raises:
        QueryError: The database did not answer.
    """
    entries = sorted(_collections(source), key=lambda entry: str(entry["name"]))
    found: list[tuple[str, str, Schema, list[Column], dict[str, Any]]] = []
    unknown = left_out = broken = 0
    for entry in entries:
        name, options = str(entry["name"]), entry.get("options") or {}
        if name.startswith("system.") or "$" in name or _is_collated_view(entry):
            continue
        schema = read_validator(options.get("validator"))
        try:
            counted = [] if () in schema.closed else _count_fields(source, name, view=entry.get("type") == "view")
        except QueryError as error:
            if error.code in PASSING:
                raise
            # A view whose pipeline fails; the other collections are there all the same.
            broken += 1
            continue
        columns, mixed = _columns(schema, counted or [], comments=comments)
        unknown += not columns
        left_out += mixed
        if columns:
            found.append((name, "view" if entry.get("type") == "view" else "collection", schema, columns, options))
    names = safe_names([name for name, *_ in found], prefix="t")
    tables = [
        _table(source, safe, name, kind, columns, schema.comment if comments else "")
        for safe, (name, kind, schema, columns, _) in zip(names, found, strict=True)
    ]
    return Catalog(
        source=source.name,
        dialect=Dialect.MONGODB,
        tables=tuple(tables),
        warnings=tuple(_warnings(unknown, left_out, broken)),
    )


def _warnings(unknown: int, left_out: int, broken: int) -> Iterator[str]:
    if broken:
        yield f"{broken} collection(s) or view(s) cannot be read and are left out"
    if unknown:
        yield (
            f"{unknown} collection(s) have neither a validator nor a field that {LEAST_DOCUMENTS} documents have, and"
            " are left out"
        )
    if left_out:
        yield f"{left_out} field(s) hold values of several types, or of one that no chart shows, and are left out"


def _collections(source: Reading) -> list[dict[str, Any]]:
    try:
        return source.listed({"listCollections": 1, "authorizedCollections": True, "nameOnly": False})
    except QueryError:
        # A user without the right to list may still list the names of what it may read; validators stay unknown.
        return source.listed({"listCollections": 1, "authorizedCollections": True, "nameOnly": True})


def _is_collated_view(entry: Mapping[str, Any]) -> bool:
    """A view with a collation of its own cannot be read with another, and its texts would not compare byte by byte."""
    collation = (entry.get("options") or {}).get("collation") or {}
    return entry.get("type") == "view" and collation.get("locale", "simple") != "simple"


def _table(source: Reading, safe: str, name: str, kind: str, columns: list[Column], comment: str) -> Table:
    by_path = {column.physical: column.name for column in columns if column.type is not ColumnType.JSON}
    return Table(
        name=safe,
        physical=(name,),
        columns=tuple(columns),
        primary_key=(by_path["_id"],) if "_id" in by_path and kind == "collection" else (),
        unique=tuple(_unique(source, name, by_path)) if kind == "collection" else (),
        kind="view" if kind == "view" else "collection",
        comment=comment,
    )


def _unique(source: Reading, name: str, by_path: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    try:
        indexes = source.listed({"listIndexes": name})
    except QueryError:
        return
    for index in indexes:
        fields = tuple(index.get("key") or ())
        partial = index.get("sparse") or index.get("partialFilterExpression") or index.get("collation")
        if index.get("unique") and not partial and fields and all(field in by_path for field in fields):
            yield tuple(by_path[field] for field in fields)


def _columns(schema: Schema, counted: list[Counted], *, comments: bool) -> tuple[list[Column], int]:
    """Columns of a collection, and how many fields were left out; what is declared is not looked for in documents."""
    declared = {field.path: field for field in schema.fields}
    days = {c.path for c in counted if c.types.keys() - {"null", "undefined"} == {"day"}}
    fields: dict[tuple[str, ...], tuple[ColumnType, str, Declared | None]] = {}
    left_out = 0
    for path, field in declared.items():
        kind = type_of(field.types)
        if kind is not None and _is_plain(path):
            # A validator cannot say that a date is a day; documents can.
            kind = ColumnType.DATE if kind is ColumnType.DATETIME and path in days else kind
            fields[path] = (kind, "|".join(sorted(field.types)), field)
    for found in sorted(counted, key=lambda c: c.place):
        nested_in_declared = any(found.path[:depth] in fields for depth in range(1, len(found.path)))
        closed = any(found.path[:depth] in schema.closed for depth in range(len(found.path)))
        if found.path in fields or nested_in_declared or closed or not _is_plain(found.path):
            continue
        kept = _main_types(found, [other.path for other in counted])
        if kept is None:
            left_out += found.types.keys() - {"object", "null", "undefined"} != set()
            continue
        kind = type_of(kept)
        if kind is not None:
            fields[found.path] = (kind, "|".join(sorted(_ANY.get(kind, kept))), None)
    ordered = sorted(fields, key=lambda path: path != ("_id",))
    names = safe_names([".".join(path) for path in ordered], prefix="c")
    return [_column(name, path, *fields[path], comments=comments) for name, path in zip(names, ordered, strict=True)], (
        left_out
    )


def _column(
    name: str, path: tuple[str, ...], kind: ColumnType, native: str, declared: Declared | None, *, comments: bool
) -> Column:
    return Column(
        name=name,
        physical=".".join(path),
        type=kind,
        native_type=native,
        nullable=path != ("_id",),
        tz_aware=kind is ColumnType.DATETIME,
        vocabulary=declared.vocabulary if declared else None,
        comment=declared.comment if declared and comments else "",
    )


def _main_types(field: Counted, paths: Sequence[tuple[str, ...]]) -> set[str] | None:
    """The BSON types that make a field's column; None if no kind has nine in ten values, or its parts are columns."""
    types = {t: n for t, n in field.types.items() if t not in {"null", "undefined"}}
    total = sum(types.values())
    for kinds in _CLASSES:
        kept = {t for t in types if t in kinds}
        if total and sum(types[t] for t in kept) >= _SAME_TYPE * total:
            if "array" not in kept and "object" in kept and any(p[:-1] == field.path for p in paths):
                return None  # a nested document: its fields are columns themselves
            return kept
    return None


def _is_plain(path: tuple[str, ...]) -> bool:
    return all(_PLAIN_KEY.match(part) for part in path)


def _count_fields(source: Reading, collection: str, *, view: bool) -> list[Counted]:
    looked = _first(source, collection, [{"$limit": LOOKED_AT}, {"$count": "n"}])
    documents = int(looked[0]["n"]) if looked else 0
    least = max(LEAST_DOCUMENTS, math.ceil(LEAST_SHARE * documents))
    if documents < least:
        return []
    head: list[Stage] = [{"$limit": LOOKED_AT}]
    if documents == LOOKED_AT and not view:
        half: list[Stage] = [{"$sort": {"_id": -1}}, {"$limit": LOOKED_AT // 2}]
        head = [
            {"$sort": {"_id": 1}},
            {"$limit": LOOKED_AT // 2},
            {"$unionWith": {"coll": collection, "pipeline": half}},
        ]
    counted = []
    for group in _first(source, collection, [*head, *_field_stages(least, documents)]):
        for field in group["told"]:
            path = tuple(str(part) for part in field["path"])
            types = {str(t["type"]): int(t["n"]) for t in field["types"]}
            counted.append(Counted(path=path, types=types, place=float(field["place"])))
    told = {field.path for field in counted}
    # A field of a parent that is not told itself is not told either.
    return [field for field in counted if all(field.path[:depth] in told for depth in range(1, len(field.path)))]


def _first(source: Reading, collection: str, stages: Sequence[Stage]) -> list[dict[str, Any]]:
    with source.documents(collection, stages, timeout_s=_TIMEOUT_S) as fetch:
        return list(fetch(100_000))


def _field_stages(least: int, documents: int) -> list[Stage]:
    """Count fields by path and type; keep those that `least` documents have, under parents of at most 200 names."""
    path, places = "$_id", {"$sum": "$places"}
    parent = {
        "$cond": [
            {"$eq": [{"$size": path}, 1]},
            [],
            {"$slice": [path, {"$max": [1, {"$subtract": [{"$size": path}, 1]}]}]},
        ]
    }
    told = {"path": path, "types": "$types", "n": "$n", "place": {"$divide": ["$places", "$n"]}}
    # Of a document with data as names, those stay that half of all have: they are nobody's own. Nested: none.
    at_top: Stage = {"$and": [{"$eq": ["$_id", []]}, {"$gte": ["$$this.n", documents / 2]}]}
    common: Stage = {"$filter": {"input": "$told", "cond": at_top}}
    return [
        {"$project": {"field": _entries("$$ROOT", (), 1)}},
        {"$unwind": {"path": "$field", "includeArrayIndex": "place"}},
        {"$group": {"_id": {"p": "$field.p", "t": "$field.t"}, "n": {"$sum": 1}, "places": {"$sum": "$place"}}},
        {
            "$group": {
                "_id": "$_id.p",
                "n": {"$sum": "$n"},
                "places": places,
                "types": {"$push": {"type": "$_id.t", "n": "$n"}},
            }
        },
        {
            "$group": {
                "_id": parent,
                "keys": {"$sum": 1},
                "told": {"$push": {"$cond": [{"$gte": ["$n", least]}, told, "$$REMOVE"]}},
            }
        },
        {"$set": {"told": {"$cond": [{"$gt": ["$keys", MOST_KEYS]}, common, "$told"]}}},
        {"$match": {"told": {"$ne": []}}},
        {"$project": {"_id": 0, "told": 1}},
    ]


def _entries(document: str, above: tuple[str, ...], depth: int) -> Stage:
    """An expression: every field of a document as its path and its BSON type, nested ones after their parent."""
    key, value = f"$$f{depth}.k", f"$$f{depth}.v"
    kind = {"$type": value}
    number = {"$cond": [{"$eq": [value, {"$trunc": value}]}, "whole", "double"]}
    day = {"$cond": [{"$eq": [{"$mod": [{"$toLong": value}, _DAY_MS]}, 0]}, "day", "date"]}
    told = {"$cond": [{"$eq": [kind, "double"]}, number, {"$cond": [{"$eq": [kind, "date"]}, day, kind]}]}
    own = {"p": [*above, key], "t": told}
    inside: object = [own]
    if depth < MAX_DEPTH:
        deeper = _entries(value, (*above, key), depth + 1)
        inside = {"$concatArrays": [[own], {"$cond": [{"$eq": [kind, "object"]}, deeper, []]}]}
    each = {"$map": {"input": {"$objectToArray": document}, "as": f"f{depth}", "in": inside}}
    return {"$reduce": {"input": each, "initialValue": [], "in": {"$concatArrays": ["$$value", "$$this"]}}}
