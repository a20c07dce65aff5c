"""JSON Schema of a planner's reply, specialised to the names in scope, within OpenAI's strict structured output.

The subset (OpenAI guide "Structured model outputs", section "Supported schemas"): the root is an object; every
property is required; ``additionalProperties`` is false; an optional value is a union with null; unions are ``anyOf``;
at most 5,000 properties, 10 levels of nesting, 1,000 enum values in all, 120,000 characters of names and enum values,
and 15,000 characters for one enum of more than 250 values. A schema with more names than that falls back from lists
of names to patterns: `gateway.chart.read` checks every name again in any case.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.chart.spec import Plan
from gateway.summary.model import Summary

MAX_ENUM_VALUES = 1_000
MAX_CHARACTERS = 120_000
MAX_LONG_ENUM_CHARACTERS = 15_000
LONG_ENUM = 250
_KEPT = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs",
     "pattern", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)  # fmt: skip
_MAPS = frozenset({"properties", "$defs"})


def reply_schema(summary: Summary) -> str:
    """Return the schema of a reply about this Summary, as compact JSON in a fixed order.

    Args:
        summary: Facts of the scope: only its tables, columns, relationships and metrics can be named.

    Returns:
        JSON text, the same for the same names.

    Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    schema = _subset(Plan.model_json_schema())
    definitions = schema["$defs"]
    if not isinstance(definitions, dict):
        raise TypeError("a schema of models has definitions")
    names = {
        "Column": [f"{table.name}.{column.name}" for table in summary.tables for column in table.columns],
        "Table": [table.name for table in summary.tables],
        "Relationship": sorted({link.name for link in summary.links}),
        "Metric": [metric.name for metric in summary.metrics],
    }
    _name_unions(schema, definitions)
    enums = _enums(names, schema)
    definitions.update(enums)
    for definition in definitions.values():
        _specialise(definition, names)
    _specialise(schema, names)
    _drop_unused(schema, definitions)
    # In the order of the models: a model writes the properties in the order of the schema.
    return json.dumps(schema, separators=(",", ":"))


def _subset(part: object, *, names: bool = False) -> dict[str, object]:
    """Keep what the strict subset knows; every property required, ``oneOf`` as ``anyOf``, no defaults, no prose."""
    if not isinstance(part, dict):
        raise TypeError("a schema is an object")
    kept: dict[str, object] = {}
    for key, value in part.items():
        name = "anyOf" if key == "oneOf" and not names else key
        if names:
            kept[name] = _subset(value)
        elif name in _MAPS:
            kept[name] = _subset(value, names=True)
        elif name == "anyOf":
            kept[name] = _flat(_subset(option) for option in value)
        elif name == "items":
            kept[name] = _subset(value)
        elif name in _KEPT:
            kept[name] = value
    if not names and kept.get("type") == "object":
        properties = kept.get("properties", {})
        kept["required"] = list(properties) if isinstance(properties, dict) else []
        kept["additionalProperties"] = False
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
        kept.setdefault("type", "string")
    return kept


def _flat(options: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """A union within a union says the same as one union; each option once."""
    flat: list[dict[str, object]] = []
    for option in options:
        nested = option.get("anyOf")
        parts = nested if isinstance(nested, list) and len(option) == 1 else [option]
        flat.extend(part for part in parts if part not in flat)
    return flat


def _name_unions(schema: dict[str, object], definitions: dict[str, object]) -> None:
    """Write the union of all filters once, under a name, rather than in each of its seven places."""
    filters = [{"$ref": f"#/$defs/{name}"} for name, part in definitions.items() if _has_operator(part)]

    def shorten(part: object) -> None:
        if isinstance(part, list):
            for item in part:
                shorten(item)
        elif isinstance(part, dict):
            options = part.get("anyOf")
            if isinstance(options, list) and len(filters) > 1 and all(option in options for option in filters):
                rest = [option for option in options if option not in filters]
                named: dict[str, object] = {"$ref": "#/$defs/Filter"}
                del part["anyOf"]
                part.update({"anyOf": [named, *rest]} if rest else named)
            for value in list(part.values()):
                shorten(value)

    shorten(schema)
    definitions["Filter"] = {"anyOf": filters}


def _has_operator(part: object) -> bool:
    """Whether a definition is one of the filters: they are told apart by their operator, which comes first."""
    properties = part.get("properties") if isinstance(part, dict) else None
    return isinstance(properties, dict) and next(iter(properties), "") == "op"


def _enums(names: dict[str, list[str]], schema: dict[str, object]) -> dict[str, dict[str, object]]:
    """A definition for each kind of name: the list of names, or their pattern where the list is too long."""
    left = MAX_ENUM_VALUES - _count_enum_values(schema)
    characters = MAX_CHARACTERS - len(json.dumps(schema))
    found: dict[str, dict[str, object]] = {}
    one = "[A-Za-z_][A-Za-z0-9_]{0,62}"
    # The shortest lists first, so that one very long list does not cost the others their names.
    for kind, values in sorted(names.items(), key=lambda item: len(item[1])):
        size = sum(len(value) for value in values)
        too_long = len(values) > LONG_ENUM and size > MAX_LONG_ENUM_CHARACTERS
        if not values or len(values) > left or size > characters or too_long:
            dotted = kind in {"Column", "Relationship"}
            found[kind] = {"type": "string", "pattern": rf"^{one}\.{one}$" if dotted else f"^{one}$"}
            continue
        left -= len(values)
        characters -= size
        found[kind] = {"type": "string", "enum": values}
    return found


def _count_enum_values(part: object) -> int:
    if isinstance(part, list):
        return sum(_count_enum_values(item) for item in part)
    if not isinstance(part, dict):
        return 0
    own = part.get("enum")
    return (len(own) if isinstance(own, list) else 0) + sum(_count_enum_values(item) for item in part.values())


def _specialise(definition: object, names: dict[str, list[str]]) -> None:
    """Point every property that is a name to its list of names."""
    properties = definition.get("properties") if isinstance(definition, dict) else None
    if not isinstance(properties, dict):
        return
    for name, place in properties.items():
        kind = {"column": "Column", "table": "Table", "metric": "Metric"}.get(name)
        if kind is not None:
            properties[name] = _named(kind, place, given=bool(names[kind]))
        elif name == "via":
            # Without relationships there is nothing to choose between.
            items = {"$ref": "#/$defs/Relationship"}
            paths = [{"type": "array", "items": items, "maxItems": 6}] if names["Relationship"] else []
            properties[name] = {"anyOf": [*paths, {"type": "null"}]} if paths else {"type": "null"}


def _named(kind: str, place: object, *, given: bool) -> dict[str, object]:
    optional = isinstance(place, dict) and any(
        option == {"type": "null"} for option in place.get("anyOf", []) if isinstance(option, dict)
    )
    if optional and not given:
        return {"type": "null"}
    reference: dict[str, object] = {"$ref": f"#/$defs/{kind}"}
    return {"anyOf": [reference, {"type": "null"}]} if optional else reference


def _drop_unused(schema: dict[str, object], definitions: dict[str, object]) -> None:
    used: set[str] = set()

    def note(part: object) -> None:
        if isinstance(part, list):
            for item in part:
                note(item)
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in used:
                used.add(name)
                note(definitions.get(name))
            for key, value in part.items():
                if key != "$defs":
                    note(value)

    note(schema)
    for name in set(definitions) - used:
        del definitions[name]
