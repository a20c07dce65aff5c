"""What a Spark session may read: structure only, from the catalog; no statistic, no file footer.

Columns come from the analysed schema of each table or view, typed. Spark itself knows no keys; a catalog that keeps
``information_schema`` (Unity Catalog) tells the declared ones. It does not enforce them, so they are as true as what an
owner writes in the project file, which is the only place for links where there is no such schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table, declared_link
from gateway.sources.names import safe_names
from gateway.sources.spark_connect import SparkFailure

_TYPES: Final[dict[str, ColumnType]] = {
    "byte": ColumnType.INTEGER, "short": ColumnType.INTEGER, "integer": ColumnType.INTEGER, "long": ColumnType.INTEGER,
    "float": ColumnType.NUMBER, "double": ColumnType.NUMBER, "decimal": ColumnType.NUMBER, "string": ColumnType.TEXT,
    "char": ColumnType.TEXT, "var_char": ColumnType.TEXT, "boolean": ColumnType.BOOLEAN, "date": ColumnType.DATE,
    "timestamp": ColumnType.DATETIME, "timestamp_ntz": ColumnType.DATETIME, "time": ColumnType.TIME,
    "binary": ColumnType.BINARY, "array": ColumnType.JSON, "map": ColumnType.JSON, "struct": ColumnType.JSON,
    "variant": ColumnType.JSON,
}  # fmt: skip
_CHAR: Final = "__CHAR_VARCHAR_TYPE_STRING"
"""Where Spark keeps that a text column was declared CHAR or VARCHAR."""
PLAIN_TEXT: Final = "string"
"""Native type of text that compares by bytes (collation UTF8_BINARY)."""

_KEYS: Final = """
SELECT c.table_name, c.constraint_name, c.constraint_type, k.column_name, u.table_name, u.column_name
FROM {0} c
JOIN {1} k ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name
    AND k.table_name = c.table_name
LEFT JOIN {2} r ON r.constraint_schema = c.constraint_schema AND r.constraint_name = c.constraint_name
LEFT JOIN {1} u ON u.constraint_schema = r.unique_constraint_schema AND u.constraint_name = r.unique_constraint_name
    AND u.ordinal_position = k.position_in_unique_constraint
WHERE c.table_schema = :place AND c.constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')
ORDER BY c.table_name, c.constraint_name, k.ordinal_position
"""

Place = tuple[str, str, str]


def is_bindable(text: str) -> bool:
    """Whether Spark binds values rightly beside this text (`gateway.sources.spark_source.check_query`)."""
    return all(ord(character) <= 0xFFFF for character in text)


class _Asked(Protocol):
    """What reflection needs of a source."""

    def ask(
        self, statement: str, *names: Sequence[str], parameters: Mapping[str, str] | None = None
    ) -> list[tuple[object, ...]]: ...

    def schema(self, table: Sequence[str]) -> Any: ...


def reflect_spark(source: _Asked, name: str, *, schemas: Sequence[tuple[str, str]], comments: bool) -> Catalog:
    """Read all tables and views of some databases.

    Args:
        source: Answers questions of structure.
        name: The owner's name of the source.
        schemas: (catalog, database) of each.
        comments: Whether to read the owner's comments.

    Raises:
        SparkFailure: A database cannot be listed.
    """
    structs: dict[Place, Any] = {}
    views: set[Place] = set()
    broken = odd = 0
    for schema in schemas:
        with suppress(SparkFailure):
            # Not every catalog knows views.
            views |= {(*schema, str(row[1])) for row in source.ask("SHOW VIEWS IN {}", schema)}
        for row in source.ask("SHOW TABLES IN {}", schema):
            if row[2] is True:
                continue
            place = (*schema, str(row[1]))
            try:
                structs[place] = source.schema(place)
            except SparkFailure:
                # A view of a table that is gone, or names that differ in case alone.
                broken += 1
            else:
                odd += sum(not is_bindable("".join((*place, field.name))) for field in structs[place].fields)
    spoken = [place[2] if len(schemas) == 1 else ".".join(place[1:]) for place in structs]
    names = dict(zip(structs, safe_names(spoken, prefix="t"), strict=True))
    keys = {place: found for schema in schemas for place, found in _keys(source, schema).items()}
    tables = {
        place: _table(
            place,
            names[place],
            struct,
            primary=keys.get(place, ((), ()))[0],
            is_view=place in views,
            comment=_comment(source, place) if comments else None,
        )
        for place, struct in structs.items()
        if struct.fields
    }
    links = [link for place, (_, found) in keys.items() for link in _links(tables, place, found)]
    warnings = [f"{broken} table(s) or view(s) cannot be read and are left out"] if broken else []
    warnings += [f"{odd} column(s) have an emoji or the like in their name and are left out"] if odd else []
    return Catalog(
        source=name,
        dialect=Dialect.SPARK,
        tables=tuple(table for table in tables.values() if table.columns),
        relationships=tuple(links),
        warnings=tuple(warnings),
    )


def _table(
    place: Place, name: str, struct: Any, *, primary: Sequence[str], is_view: bool, comment: str | None
) -> Table:
    fields = [field for field in struct.fields if is_bindable("".join((*place, field.name)))]
    physicals = [str(field.name) for field in fields]
    safe = dict(zip(physicals, safe_names(physicals, prefix="c"), strict=True))
    return Table(
        name=name,
        physical=place,
        columns=tuple(_column(field, safe[field.name], comments=comment is not None) for field in fields),
        primary_key=tuple(safe[column] for column in primary) if all(column in safe for column in primary) else (),
        kind="view" if is_view else "table",
        comment=comment or "",
    )


def _column(field: Any, name: str, *, comments: bool) -> Column:
    kind = str(field.data_type.WhichOneof("kind"))
    try:
        metadata = json.loads(field.metadata or "{}")
    except ValueError:
        metadata = {}
    return Column(
        name=name,
        physical=str(field.name),
        type=_type(kind, field.data_type),
        native_type=_native(kind, field.data_type, metadata),
        nullable=bool(field.nullable),
        tz_aware=kind == "timestamp",
        comment=str(metadata.get("comment", "")) if comments else "",
    )


def _type(kind: str, data_type: Any) -> ColumnType:
    if kind == "decimal" and data_type.decimal.scale == 0:
        return ColumnType.INTEGER
    return _TYPES.get(kind, ColumnType.OTHER)


def _native(kind: str, data_type: Any, metadata: Mapping[str, object]) -> str:
    if kind == "decimal":
        return f"decimal({data_type.decimal.precision},{data_type.decimal.scale})"
    if kind != "string":
        return kind
    collation = str(data_type.string.collation or "UTF8_BINARY")
    declared = str(metadata.get(_CHAR, PLAIN_TEXT))
    return declared if collation == "UTF8_BINARY" else f"{declared} collate {collation}"


def _comment(source: _Asked, place: Place) -> str:
    for label, value, *_ in source.ask("DESCRIBE TABLE EXTENDED {}", place)[::-1]:
        # From the end: the details of the table follow its columns, one of which may have this very name.
        if label == "Comment":
            return str(value or "")
        if str(label).startswith("# Detailed"):
            break
    return ""


Foreign = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Columns, parent table and its columns, all physical."""


def _keys(source: _Asked, schema: tuple[str, str]) -> dict[Place, tuple[tuple[str, ...], tuple[Foreign, ...]]]:
    """Primary key and foreign keys of each table, if the catalog keeps an ``information_schema``."""
    views = [
        (schema[0], "information_schema", view)
        for view in ("table_constraints", "key_column_usage", "referential_constraints")
    ]
    try:
        rows = source.ask(_KEYS, *views, parameters={"place": schema[1]})
    except SparkFailure:
        return {}
    grouped: dict[tuple[str, str, str], list[Sequence[object]]] = {}
    for row in rows:
        grouped.setdefault((str(row[0]), str(row[1]), str(row[2])), []).append(row)
    found: dict[Place, tuple[tuple[str, ...], tuple[Foreign, ...]]] = {}
    for (table, _, kind), members in grouped.items():
        place = (*schema, table)
        primary, foreign = found.get(place, ((), ()))
        columns = tuple(str(row[3]) for row in members)
        if kind == "PRIMARY KEY":
            primary = columns
        elif all(row[4] is not None for row in members):
            foreign = (*foreign, (columns, str(members[0][4]), tuple(str(row[5]) for row in members)))
        found[place] = (primary, foreign)
    return found


def _links(tables: Mapping[Place, Table], place: Place, keys: Sequence[Foreign]) -> list[Relationship]:
    child = tables.get(place)
    links = []
    for columns, target, parents in keys:
        parent = tables.get((*place[:2], target))
        if child is not None and parent is not None:
            links.append(declared_link(child, columns, parent, parents))
    return [link for link in links if link is not None]
