"""Spark's walk through documents: a variant is taken apart by nested functions of lists, in one pass over the rows.

Text is parsed as a variant; arrays, structs and maps are first written as JSON, so that a map's keys are keys of a
document like any other and go through the same rule. What is no JSON, or has a key twice, is null and not looked at.
Needs Spark 4.0 (``variant``).
"""

from __future__ import annotations

from typing import Final

from gateway.catalog import Column, ColumnType
from gateway.summary.paths import DEPTH, ITEMS

_NONE: Final = "ARRAY()"
_PLAIN: Final = "LENGTH({k}) <= 63 AND {k} RLIKE '^[A-Za-z_]' AND NOT {k} RLIKE '[^A-Za-z0-9_]'"


def spark_text(column: Column) -> str:
    """The JSON text of column ``x``."""
    return "x" if column.type is ColumnType.TEXT else "TO_JSON(x)"


def spark_document(column: Column) -> str:
    """Column ``x`` as a variant; null if it is no JSON."""
    return "x" if column.native_type == "variant" else f"TRY_PARSE_JSON({spark_text(column)})"


def spark_nodes(document: str) -> str:
    """An expression: each path of a variant with its type, once, as structs of ``p`` and ``ty``."""
    root = f"STRUCT('' AS p, {document} AS v, {_type(document)} AS ty)"
    below = f"FLATTEN(TRANSFORM({_with_items('r')}, c0 -> CONCAT(ARRAY({_node('c0')}), {_keys(1)})))"
    return f"ARRAY_DISTINCT(FLATTEN(TRANSFORM(ARRAY({root}), r -> {below})))"


def _type(value: str) -> str:
    """First word of a variant's type: ``OBJECT<a: BIGINT>`` is an ``OBJECT``, ``DECIMAL(3,1)`` a ``DECIMAL``."""
    return f"SUBSTRING_INDEX(SUBSTRING_INDEX(SCHEMA_OF_VARIANT({value}), '<', 1), '(', 1)"


def _node(at: str) -> str:
    return f"STRUCT({at}.p AS p, {at}.ty AS ty)"


def _with_items(at: str) -> str:
    """A value and, if it is a list, its first items beside it."""
    items = (
        f"TRANSFORM(SLICE(CAST({at}.v AS ARRAY<VARIANT>), 1, {ITEMS}), "
        f"i -> STRUCT(CONCAT({at}.p, '[]') AS p, i AS v, {_type('i')} AS ty))"
    )
    itself = f"ARRAY(STRUCT({at}.p AS p, {at}.v AS v, {at}.ty AS ty))"
    return f"CONCAT({itself}, CASE WHEN {at}.ty = 'ARRAY' THEN {items} ELSE {_NONE} END)"


def _keys(level: int) -> str:
    """The nodes of an object's keys and below, if `c` of the level above is an object."""
    above, entry, key, at = f"c{level - 1}", f"e{level}", f"k{level}", f"c{level}"
    plain = _PLAIN.format(k=f"{entry}.key")
    named = (
        f"TRANSFORM(MAP_ENTRIES(CAST({above}.v AS MAP<STRING, VARIANT>)), {entry} -> CASE WHEN {plain} "
        f"THEN STRUCT(CONCAT({above}.p, '.', {entry}.key) AS p, {entry}.value AS v, {_type(f'{entry}.value')} AS ty) "
        f"ELSE STRUCT(CONCAT({above}.p, '.~', MD5({entry}.key)) AS p, {entry}.value AS v, 'VOID' AS ty) END)"
    )
    inner = f"ARRAY({_node(at)})"
    if level < DEPTH:
        inner = f"CONCAT({inner}, {_keys(level + 1)})"
    each = f"TRANSFORM({named}, {key} -> FLATTEN(TRANSFORM({_with_items(key)}, {at} -> {inner})))"
    return f"CASE WHEN {above}.ty = 'OBJECT' THEN FLATTEN({each}) ELSE {_NONE} END"
