"""What a collection's validator declares: fields, types, closed lists and the owner's descriptions.

Only ``$jsonSchema`` is read, and of it only names, types, lists of texts and descriptions. Bounds, patterns and other
literals are not: they can be cell values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.catalog import ColumnType

MAX_DEPTH: Final = 3
"""Levels of nested documents whose fields become columns; what is deeper is one JSON column."""
NUMBERS: Final = frozenset({"int", "long", "double", "decimal"})
_JSON_TYPES: Final = {"string": {"string"}, "boolean": {"bool"}, "integer": {"int", "long"}, "number": NUMBERS,
                      "object": {"object"}, "array": {"array"}, "null": {"null"}}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One declared field.

    Attributes:
        path: Names down to it.
        types: BSON types it may have, null left out; empty if none is declared.
        vocabulary: Texts it may be, if it is a closed list of texts.
        comment: The owner's description.
    """

    path: tuple[str, ...]
    types: frozenset[str]
    vocabulary: tuple[str, ...] | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A validator: its fields, the paths under which no other field may be, and a description of the collection."""

    fields: tuple[Declared, ...] = ()
    closed: frozenset[tuple[str, ...]] = frozenset()
    comment: str = ""


def read_validator(validator: object) -> Schema:
    """Read a collection's validator; an empty schema if it has none of the form that is understood."""
    schema = _json_schema(validator)
    if schema is None:
        return Schema()
    fields = tuple(_fields(schema, ()))
    closed = frozenset(_closed(schema, ()))
    return Schema(fields=fields, closed=closed, comment=_text(schema.get("description")))


def type_of(types: frozenset[str] | set[str]) -> ColumnType | None:
    """The column type that holds all of these BSON types; None if mixed.

    ``whole`` is a double without fraction, ``day`` a date at midnight in UTC.
    """
    kinds = set(types)
    if kinds and kinds <= {"int", "long", "whole"}:
        return ColumnType.INTEGER
    if kinds and kinds <= NUMBERS | {"whole"}:
        return ColumnType.NUMBER
    if kinds and kinds <= {"object", "array"}:
        return ColumnType.JSON
    if "day" in kinds and kinds <= {"date", "day"}:
        return ColumnType.DATE if kinds == {"day"} else ColumnType.DATETIME
    single = {"string": ColumnType.TEXT, "bool": ColumnType.BOOLEAN, "date": ColumnType.DATETIME,
              "objectId": ColumnType.OTHER}  # fmt: skip
    return single.get(next(iter(kinds))) if len(kinds) == 1 else None


def _json_schema(validator: object) -> Mapping[str, Any] | None:
    if not isinstance(validator, Mapping):
        return None
    found = validator.get("$jsonSchema")
    if isinstance(found, Mapping):
        return found
    parts = validator.get("$and")
    return next((s for part in parts if (s := _json_schema(part))), None) if isinstance(parts, list) else None


def _fields(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Declared]:
    properties = schema.get("properties")
    for key, rule in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(rule, Mapping):
            continue
        here = (*path, str(key))
        if isinstance(rule.get("properties"), Mapping) and len(here) < MAX_DEPTH:
            yield from _fields(rule, here)
            continue
        words = _vocabulary(rule)
        types = _types(rule) or (frozenset({"string"}) if words else frozenset())
        yield Declared(
            path=here,
            types=types,
            vocabulary=words if types == {"string"} else None,
            comment=_text(rule.get("description")),
        )


def _closed(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if schema.get("additionalProperties") is False:
        yield path
    properties = schema.get("properties")
    for key, rule in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(rule, Mapping):
            yield from _closed(rule, (*path, str(key)))


def _types(rule: Mapping[str, Any]) -> frozenset[str]:
    types: set[str] = set()
    for word in _listed(rule.get("bsonType")):
        types |= NUMBERS if word == "number" else {word}
    for word in _listed(rule.get("type")) if not types else ():
        types |= _JSON_TYPES.get(word, {word})
    return frozenset(types - {"null", "undefined"})


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [value] if isinstance(value, str) else []


def _vocabulary(rule: Mapping[str, Any]) -> tuple[str, ...] | None:
    values = [value for value in rule["enum"] if value is not None] if isinstance(rule.get("enum"), list) else []
    return tuple(dict.fromkeys(values)) if values and all(isinstance(value, str) for value in values) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
