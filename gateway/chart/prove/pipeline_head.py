"""What a pipeline over a collection has to begin with, worked out from the scope alone and compared part by part.

The order is that of the barrier, but nothing of it is used here: the same is derived a second time, so that one
mistake does not hide in both. Between the first stage and the fence no other condition may stand, and what passes the
fence is only what the asker may see, under its safe name, of its column's own BSON type.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.chart.prove.nodes import refuse
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope
from gateway.types import CompiledQuery

MARK: Final = "$rowlessParam"
FENCE: Final = 9_223_372_036_854_775_807
"""The largest limit there is; a limit is what the optimiser moves no condition before."""
_FIELD: Final = re.compile(r"[^.$\x00][^.\x00]*(?:\.[^.$\x00][^.\x00]*)*\Z")
_HEX: Final = re.compile(r"[0-9a-f]{24}\Z")
_TYPES: Final[dict[ColumnType, tuple[str, ...]]] = {
    ColumnType.INTEGER: ("double", "int", "long"),
    ColumnType.NUMBER: ("decimal", "double", "int", "long"),
    ColumnType.TEXT: ("string",),
    ColumnType.BOOLEAN: ("bool",),
    ColumnType.DATE: ("date",),
    ColumnType.DATETIME: ("date",),
    ColumnType.JSON: ("array", "object"),
    ColumnType.OTHER: ("objectId",),
}
"""BSON types that a column's type may stand for (MongoDB manual, "BSON Types", aliases)."""


class HeadReader:
    """Reads the heads of one pipeline and of all within it.

    Attributes:
        tables: Safe names of the tables read, parents of a filter included.
        marks: Parameters that carry the scope.
    """

    def __init__(self, query: CompiledQuery, catalog: Catalog, scope: Scope) -> None:
        self.tables: set[str] = set()
        self.marks: set[str] = set()
        self._query = query
        self._catalog = catalog
        self._scope = scope

    def table(self, collection: object) -> tuple[Table, TableScope]:
        """The one table in scope that a collection is.

        Raises:
            ScopeRefusedError: None is, or the name is not one of a collection.
        """
        found = [
            table
            for table in self._catalog.tables
            if table.physical == (collection,) and table.name in self._scope.tables
        ]
        if len(found) != 1 or not isinstance(collection, str) or "$" in collection or collection.startswith("system."):
            raise refuse("it reads a collection outside the scope")
        self.tables.add(found[0].name)
        return found[0], self._scope.tables[found[0].name]

    def read(self, collection: object, stages: list[object]) -> tuple[set[str], list[object]]:
        """Check a head.

        Returns:
            Safe names of the fields a document has after it, and the stages that follow.

        Raises:
            ScopeRefusedError: It is not exactly the scope of this session.
        """
        table, right = self.table(collection)
        rest = list(stages)
        self._rows(table, right, rest, ())
        if not right.unrestricted:
            self._expect(rest, {"$limit": FENCE})
        shown = _only(rest.pop(0) if rest else None, "$project")
        if not isinstance(shown, dict) or "_id" not in shown:
            raise refuse("a collection is read without naming its fields")
        if _same(shown["_id"], 0):
            # The key is dropped; else it is a column like any other.
            del shown["_id"]
        if not shown:
            raise refuse("a collection is read without naming its fields")
        if shown == {"one": {"$literal": 1}}:
            return {"one"}, rest
        for name, value in shown.items():
            column = table.by_name.get(name)
            if column is None or name not in right.columns:
                raise refuse("it lets through a field outside the scope")
            if not _same(value, {"$cond": [_type_test(column), _path(column), None]}):
                raise refuse("it lets through another field than it says")
        return set(shown), rest

    def _rows(self, table: Table, right: TableScope, rest: list[object], trail: tuple[str, ...]) -> None:
        """Take the scope's conditions off the front: exactly those, in their order."""
        if table.name in trail:
            raise refuse("the scope's parents run in a circle")
        if right.unrestricted:
            return
        body = _only(rest.pop(0) if rest else None, "$match")
        found = body.get("$and") if isinstance(body, dict) and set(body) == {"$and"} else None
        if not isinstance(found, list) or not right.filters:
            raise refuse("the first stage is not the scope")
        found = list(found)
        for row_filter in right.filters:
            column = _column(table, row_filter.column)
            if isinstance(row_filter, RowFilter) and row_filter.values:
                self._equal(found, column, row_filter)
            elif isinstance(row_filter, RowFilter):
                self._expect(found, {"$expr": {"$literal": False}})
            else:
                self._expect(found, {"$expr": _type_test(column)})
        if found:
            raise refuse("the first stage has a condition that is not of the scope")
        for row_filter in right.filters:
            if isinstance(row_filter, ParentFilter):
                self._parent(rest, _column(table, row_filter.column), row_filter, (*trail, table.name))

    def _expect(self, found: list[object], wanted: object) -> None:
        if not found or not _same(found.pop(0), wanted):
            raise refuse("a collection is read without a condition of the scope")

    def _equal(self, found: list[object], column: Column, row_filter: RowFilter) -> None:
        first = found[0] if found else None
        marks = first.get(column.physical) if isinstance(first, dict) else None
        listed = marks.get("$in") if isinstance(marks, dict) else None
        if not isinstance(listed, list) or len(listed) != len(row_filter.values):
            raise refuse("a collection is read without a condition of the scope")
        for mark, value in zip(listed, row_filter.values, strict=True):
            self._mark(mark, value, column)
        self._expect(found, {column.physical: {"$in": listed}})
        self._expect(found, {"$expr": _type_test(column)})
        self._expect(found, {"$expr": {"$in": [_path(column), [{"$literal": mark} for mark in listed]]}})

    def _mark(self, mark: object, value: object, column: Column) -> None:
        """A marker that is bound to exactly this value of the scope, of a type that needs no conversion."""
        as_ = {"as": "objectid"} if column.type is ColumnType.OTHER else {}
        name = mark.get(MARK) if isinstance(mark, dict) else None
        if not isinstance(name, str) or mark != {MARK: name, **as_}:
            raise refuse("a scope value is not bound")
        bound = self._query.parameters.get(name)
        # True equals 1 and 1.0 equals 1 in Python, so the types must be the same as well.
        if type(bound) is not type(value) or bound != value or not _fits(value, column):
            raise refuse("the first stage has other values than the scope")
        self.marks.add(name)

    def _parent(self, rest: list[object], column: Column, row_filter: ParentFilter, trail: tuple[str, ...]) -> None:
        parent = self._catalog.by_name.get(row_filter.parent)
        right = self._scope.tables.get(row_filter.parent)
        body = _only(rest.pop(0) if rest else None, "$lookup")
        if parent is None or right is None or not isinstance(body, dict):
            raise refuse("a collection is read without its parent's scope")
        if self.table(body.get("from"))[0] is not parent:
            raise refuse("a collection is read without its parent's scope")
        key = _column(parent, row_filter.parent_column)
        inner = body.get("pipeline")
        if not isinstance(inner, list):
            raise refuse("a collection is read without its parent's scope")
        inner = list(inner)
        self._rows(parent, right, inner, trail)
        same = {"$expr": {"$eq": [_path(key), "$$key"]}}
        wanted = [{"$match": {"$and": [{"$expr": _type_test(key)}, same]}}, {"$limit": 1}, {"$project": {"_id": 1}}]
        frame = {
            "from": parent.physical[0],
            "localField": column.physical,
            "foreignField": key.physical,
            "let": {"key": _path(column)},
            "as": "rowless~parent",
        }
        if not _same(inner, wanted) or not _same({k: v for k, v in body.items() if k != "pipeline"}, frame):
            raise refuse("a collection is read without its parent's scope")
        self._expect(rest, {"$match": {"$expr": {"$gt": [{"$size": "$rowless~parent"}, 0]}}})


def _only(stage: object, name: str) -> object:
    """What a stage of this name says; a copy of it, if it is an object."""
    if not isinstance(stage, dict) or set(stage) != {name}:
        raise refuse("a collection is read without its scope")
    body = stage[name]
    return dict(body) if isinstance(body, dict) else body


def _same(mine: object, theirs: object) -> bool:
    """Equal, types included: 1 is neither 1.0 nor true."""
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_same(value, theirs[key]) for key, value in mine.items())
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(_same(a, b) for a, b in zip(mine, theirs, strict=True))
    return mine == theirs


def _column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise refuse("the scope names a field that does not exist")
    return column


def _path(column: Column) -> str:
    if not _FIELD.match(column.physical):
        raise refuse("a field has a name that is more than a name")
    return "$" + column.physical


def _type_test(column: Column) -> object:
    native = column.native_type.split("|")
    allowed = _TYPES.get(column.type, ())
    if not native or not all(name in allowed for name in native):
        raise refuse("a field is of an unknown type")
    return {"$in": [{"$type": _path(column)}, sorted(set(native))]}


def _fits(value: object, column: Column) -> bool:
    """Whether nothing has to be converted to compare it."""
    if column.type is ColumnType.INTEGER:
        return type(value) is int and abs(value) < 2**63
    if column.type is ColumnType.NUMBER:
        return type(value) is int and abs(value) <= 2**53
    if type(value) is not str or "\x00" in value:
        return False
    return column.type is ColumnType.TEXT or (column.type is ColumnType.OTHER and _HEX.match(value) is not None)
