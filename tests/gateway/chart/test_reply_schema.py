"""The reply schema keeps to OpenAI's strict subset, names only what is in scope, and degrades where it must."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.catalog import ColumnType
from gateway.chart.schema import reply_schema
from gateway.chart.spec import Plan
from gateway.summary.model import ColumnSummary, Summary, TableSummary
from tests.gateway.chart import shop

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs",
    "pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems",
    "maxItems", "description",
}  # fmt: skip
MAX_PROPERTIES, MAX_DEPTH, MAX_ENUM, MAX_CHARACTERS = 5_000, 10, 1_000, 120_000


def wide(tables: int, columns: int) -> Summary:
    return Summary(
        source="big",
        tables=tuple(
            TableSummary(
                name=f"table_{t}",
                columns=tuple(ColumnSummary(name=f"column_number_{c}", type=ColumnType.TEXT) for c in range(columns)),
            )
            for t in range(tables)
        ),
    )


def subschemas(part: Any, depth: int = 0) -> list[tuple[dict[str, Any], int]]:
    """Every schema with its depth, counted in objects and arrays; references are not followed."""
    found = [(part, depth)]
    deeper = depth + (part.get("type") in {"object", "array"})
    for child in [*part.get("properties", {}).values(), *part.get("$defs", {}).values(), *part.get("anyOf", [])]:
        found += subschemas(child, deeper)
    if "items" in part:
        found += subschemas(part["items"], deeper)
    return found


@pytest.mark.parametrize(
    "summary", [shop.summary(), wide(3, 5), wide(40, 30), wide(100, 60)], ids=["shop", "s", "m", "l"]
)
def test_schema_is_within_the_strict_subset(summary: Summary) -> None:
    """Each documented rule of the subset, on small and very large sources."""
    schema = json.loads(reply_schema(summary))
    assert schema["type"] == "object"
    assert "anyOf" not in schema
    properties = enum_values = characters = 0
    for part, depth in subschemas(schema):
        assert set(part) <= KEYWORDS, set(part) - KEYWORDS
        assert depth <= MAX_DEPTH
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
            properties += len(part["properties"])
            characters += sum(map(len, part["properties"]))
        values = part.get("enum", [])
        enum_values += len(values)
        size = sum(len(str(value)) for value in values)
        characters += size + sum(map(len, part.get("$defs", {})))
        assert len(values) <= 250 or size <= 15_000
        for reference in [part["$ref"]] if "$ref" in part else []:
            assert reference.removeprefix("#/$defs/") in schema["$defs"]
        assert len(part.get("anyOf", [{}])) >= 1
    assert properties <= MAX_PROPERTIES
    assert enum_values <= MAX_ENUM
    assert characters <= MAX_CHARACTERS


def test_objects_of_a_union_are_told_apart_by_their_first_key() -> None:
    """OpenAI refuses a union whose objects share a first key that does not tell them apart."""
    schema = json.loads(reply_schema(shop.summary()))
    unions = 0
    for part, _ in subschemas(schema):
        objects = [
            schema["$defs"][option["$ref"].removeprefix("#/$defs/")]
            for option in part.get("anyOf", [])
            if "$ref" in option
        ]
        objects = [option for option in objects if option.get("type") == "object"]
        seen: set[str] = set()
        for option in objects if len(objects) > 1 else []:
            first, place = next(iter(option["properties"].items()))
            values = set(place.get("enum", [first]))
            assert not values & seen
            seen |= values
            unions += 1
    assert unions >= 9


def test_only_names_in_scope_can_be_said() -> None:
    """Columns, tables, relationships and metrics are lists of the Summary's own."""
    definitions = json.loads(reply_schema(shop.summary()))["$defs"]
    assert "orders.tenant_id" not in definitions["Column"]["enum"]
    assert "orders.status" in definitions["Column"]["enum"]
    assert definitions["Table"]["enum"] == list(shop.COLUMNS)
    assert definitions["Metric"]["enum"] == ["revenue", "share_sold"]
    assert "orders.payer_id" in definitions["Relationship"]["enum"]


def test_a_very_large_source_falls_back_to_patterns() -> None:
    """6,000 columns do not fit into a schema; tables still do."""
    definitions = json.loads(reply_schema(wide(100, 60)))["$defs"]
    assert "enum" not in definitions["Column"]
    assert definitions["Column"]["pattern"].startswith("^[A-Za-z_]")
    assert len(definitions["Table"]["enum"]) == 100


def test_without_metrics_or_relationships_none_can_be_named() -> None:
    """An empty list of names would be an invalid enum."""
    definitions = json.loads(reply_schema(wide(1, 2)))["$defs"]
    assert definitions["Measure"]["properties"]["metric"] == {"type": "null"}
    assert definitions["Dimension"]["properties"]["via"] == {"type": "null"}
    assert "Metric" not in definitions


def test_schema_is_the_same_for_the_same_names() -> None:
    """It can be kept and compared."""
    assert reply_schema(shop.summary()) == reply_schema(shop.summary())


def test_every_property_of_the_models_is_in_the_schema() -> None:
    """What can be read can be said."""
    definitions = json.loads(reply_schema(shop.summary()))["$defs"]
    for name, model in Plan.model_json_schema()["$defs"].items():
        if "properties" in model:
            assert set(definitions[name]["properties"]) == set(model["properties"]), name
