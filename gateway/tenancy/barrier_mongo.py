"""Scope barrier of MongoDB: a collection is read through stages that let only the scope's documents and columns pass.

    {"$match": {"$and": [
        {"tenant": {"$in": [marker]}},                                    for an index; matches too much, see below
        {"$expr": {"$in": [{"$type": "$tenant"}, ["string"]]}},           one value of the column's own BSON type
        {"$expr": {"$in": ["$tenant", [{"$literal": marker}]]}}]}}        and exactly this one
    {"$limit": 9223372036854775807}                                       the fence: nothing moves before it
    {"$project": {"_id": 0, "name": {"$cond": [type is the column's, "$path", null]}}}

A query condition alone is no scope: ``{"tenant": 1}`` also matches ``{"tenant": [0, 1]}``, as it looks into arrays, and
1.0. Expressions do not look into arrays, and ``$type`` refuses them, null and missing fields. Text is compared byte by
byte as long as the command says ``collation: {locale: "simple"}``, which `gateway.sources` always does.

The optimiser merges neighbouring ``$match`` stages and moves them before a ``$project``, so that a question's own
condition could meet another tenant's value; it moves none before a ``$limit``. What is projected has one BSON type or
is null: an array where a number is expected, say, is no value.

Source: MongoDB manual, "Query an Array", "$expr", "Aggregation Pipeline Optimization", "Comparison/Sort Order".
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, Literal

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import ScopeRefusedError
from gateway.mongo import Stage, marker
from gateway.tenancy.barrier import check_scope_value
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, ScopeValue, TableScope

NO_CUT: Final = 2**63 - 1
"""The largest limit there is, in documents: it cuts nothing."""
_PARENT: Final = "rowless~parent"
"""Field that holds whether a document's parent is in scope; the projection drops it."""
_BSON_TYPES: Final[dict[ColumnType, frozenset[str]]] = {
    ColumnType.INTEGER: frozenset({"int", "long", "double"}),
    ColumnType.NUMBER: frozenset({"int", "long", "double", "decimal"}),
    ColumnType.TEXT: frozenset({"string"}),
    ColumnType.BOOLEAN: frozenset({"bool"}),
    ColumnType.DATE: frozenset({"date"}),
    ColumnType.DATETIME: frozenset({"date"}),
    ColumnType.JSON: frozenset({"object", "array"}),
    ColumnType.OTHER: frozenset({"objectId"}),
}
_PATH: Final = re.compile(r"[^.$\x00][^.\x00]*(\.[^.$\x00][^.\x00]*)*\Z")
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}\Z")


def bson_types(column: Column) -> list[str]:
    """The BSON types whose values are values of a column, sorted; ``Column.native_type`` lists them, ``int|long``.

    Raises:
        ScopeRefusedError: None is listed, or one that its type does not take.
    """
    types = set(column.native_type.split("|"))
    if not types <= _BSON_TYPES.get(column.type, frozenset()):
        raise ScopeRefusedError("a column has no usable type", stage="compile")
    return sorted(types)


def field_path(column: Column) -> str:
    """The path of a column in an expression, ``$address.city``.

    Raises:
        ScopeRefusedError: A part of it would be an operator, or is empty.
    """
    if not _PATH.match(column.physical):
        raise ScopeRefusedError("a column has no usable physical name", stage="compile")
    return "$" + column.physical


class MongoBarrier:
    """The scoped stages of one statement, and the values they bind.

    Args:
        catalog: Structure of the source; the only place where physical names come from.
        scope: Right of the asking session.

    Attributes:
        parameters: Scope values by parameter name (``scope_0`` …). Never shown or logged.
        tables: Safe names of all tables read, those that only a parent filter needs included.
    """

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        if catalog.dialect is not Dialect.MONGODB:
            raise ScopeRefusedError("no scope barrier is known for this engine", stage="compile")
        self._catalog = catalog
        self._scope = scope
        self.parameters: dict[str, ScopeValue] = {}
        self.tables: list[str] = []

    def collection(self, name: str) -> str:
        """Physical name of the collection of a table in scope."""
        self._right(name)
        return _collection(self._table(name))

    def stages(self, name: str, columns: Collection[str]) -> list[Stage]:
        """Everything that reads a table begins with these stages: scope, fence, columns under their safe names.

        Args:
            name: Safe name of the table.
            columns: Safe names of the columns needed. None is fine: documents can still be counted.

        Returns:
            Stages for the head of a pipeline over `collection`, or of a ``$lookup`` into it. After them a document has
            exactly these columns (``one`` if none); what is missing or of another type is null.

        Raises:
            ScopeRefusedError: The table or a column is outside the scope or unknown, a scope value does not fit its
                column, or parent filters form a circle.
        """
        table, right = self._table(name), self._right(name)
        if not set(columns) <= right.columns:
            raise ScopeRefusedError("the statement needs a column outside the scope", stage="compile")
        stages = self._rows(name, ())
        if stages:
            stages.append({"$limit": NO_CUT})
        shown: dict[str, object] = {"_id": 0}
        for column in sorted(columns):
            shown[column] = _projected(_column(table, column))
        if not columns:
            shown["one"] = {"$literal": 1}
        return [*stages, {"$project": shown}]

    def _rows(self, name: str, trail: tuple[str, ...]) -> list[Stage]:
        """The stages that let only the scope's documents of a table pass, as they are stored."""
        if name in trail:
            raise ScopeRefusedError("parent filters of the scope form a circle", stage="compile")
        table, right = self._table(name), self._right(name)
        conditions: list[object] = []
        lookups: list[Stage] = []
        for row_filter in right.filters:
            column = _column(table, row_filter.column)
            if isinstance(row_filter, RowFilter):
                conditions += self._equal(column, row_filter)
            else:
                conditions.append(_is_of_type(column))
                lookups += self._parent(column, row_filter, (*trail, name))
        if name not in self.tables:
            self.tables.append(name)
        own: list[Stage] = [{"$match": {"$and": conditions}}] if conditions else []
        return [*own, *lookups]

    def _equal(self, column: Column, row_filter: RowFilter) -> list[object]:
        if not row_filter.values:
            return [{"$expr": {"$literal": False}}]
        marks = [self._bind(value, column) for value in row_filter.values]
        literals = [{"$literal": mark} for mark in marks]
        return [
            {column.physical: {"$in": marks}},
            _is_of_type(column),
            {"$expr": {"$in": [field_path(column), literals]}},
        ]

    def _parent(self, column: Column, row_filter: ParentFilter, trail: tuple[str, ...]) -> list[Stage]:
        """Only documents whose parent is in scope. The index of the parent's key finds it; expressions make sure."""
        rows = self._rows(row_filter.parent, trail)
        parent = self._table(row_filter.parent)
        key = _column(parent, row_filter.parent_column)
        same: Stage = {"$match": {"$and": [_is_of_type(key), {"$expr": {"$eq": [field_path(key), "$$key"]}}]}}
        lookup: Stage = {
            "from": _collection(parent),
            "localField": column.physical,
            "foreignField": key.physical,
            "let": {"key": field_path(column)},
            "pipeline": [*rows, same, {"$limit": 1}, {"$project": {"_id": 1}}],
            "as": _PARENT,
        }
        return [{"$lookup": lookup}, {"$match": {"$expr": {"$gt": [{"$size": "$" + _PARENT}, 0]}}}]

    def _bind(self, value: ScopeValue, column: Column) -> Stage:
        check_scope_value(value, column)
        as_: Literal["", "objectid"] = ""
        if column.type is ColumnType.OTHER:
            if not _OBJECT_ID.match(str(value)):
                raise ScopeRefusedError("a scope value does not fit the type of its column", stage="compile")
            as_ = "objectid"
        name = f"scope_{len(self.parameters)}"
        self.parameters[name] = value
        return marker(name, as_)

    def _right(self, name: str) -> TableScope:
        right = self._scope.tables.get(name)
        if right is None:
            raise ScopeRefusedError("the statement needs a table outside the scope", stage="compile")
        return right

    def _table(self, name: str) -> Table:
        table = self._catalog.by_name.get(name)
        if table is None:
            raise ScopeRefusedError("the scope names a table that the source does not have", stage="compile")
        return table


def _collection(table: Table) -> str:
    if len(table.physical) != 1 or not table.physical[0] or "$" in table.physical[0] or "\x00" in table.physical[0]:
        raise ScopeRefusedError("a table has no usable physical name", stage="compile")
    return table.physical[0]


def _column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise ScopeRefusedError("the scope names a column that the source does not have", stage="compile")
    return column


def _type_test(column: Column) -> Stage:
    return {"$in": [{"$type": field_path(column)}, bson_types(column)]}


def _is_of_type(column: Column) -> Stage:
    return {"$expr": _type_test(column)}


def _projected(column: Column) -> Stage:
    return {"$cond": [_type_test(column), field_path(column), None]}
