"""Stage 10 on MongoDB: what a pipeline does, read from its text alone, stage by stage.

A document is followed from its collection to the answer as a set of fields: the head lets the allowed columns through
(`pipeline_head`), each stage makes new fields of fields that are there (`pipeline_expressions`), and a name that no
stage has made is refused. So nothing but allowed columns of documents in scope can reach the answer, a group, a
condition, an order or a join.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from gateway.catalog import Catalog
from gateway.chart.prove.nodes import refuse
from gateway.chart.prove.pipeline_expressions import (
    ACCUMULATORS,
    VALUE,
    VALUES,
    WINDOWED,
    Expressions,
    Fields,
    Shape,
    path,
)
from gateway.chart.prove.pipeline_head import HeadReader
from gateway.tenancy.scope import Scope
from gateway.types import CompiledQuery

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,15}(~[a-z0-9]{0,8})?\Z")
_MOST_STAGES: Final = 200
_MOST_WITHIN: Final = 100
"""Greatest limit within a lookup: the values of a top list."""
_DEEPEST: Final = 20
_WIDEST_WINDOW: Final = 365


def check_pipeline(query: CompiledQuery, catalog: Catalog, scope: Scope) -> None:
    """Prove that a pipeline stays in a scope, or refuse it.

    Raises:
        ScopeRefusedError: It leaves the scope, is not understood, or is not what the query says of it.
    """
    heads, expressions = HeadReader(query, catalog, scope), Expressions(scope)
    stages = _parsed(query.statement)
    if len(stages) < 3:
        raise refuse("it has no end")
    reader = _Reader(heads, expressions)
    *body, limit, last = stages
    fields = reader.pipeline(query.collection, body, {}, 0)
    if not isinstance(limit, dict) or set(limit) != {"$limit"} or type(limit["$limit"]) is not int:
        raise refuse("there is no limit")
    if not 1 <= limit["$limit"] <= max(scope.limits.max_rows, 1) + 1 or limit["$limit"] != query.max_rows:
        raise refuse("its limit is not that of the scope")
    outputs = reader.stage(last, fields, {}, 0) if isinstance(last, dict) and set(last) == {"$project"} else {}
    if set(outputs) != {column.field for column in query.columns} or any(s != VALUE for s in outputs.values()):
        raise refuse("it gives other fields than it says")
    if heads.tables != set(query.tables) or len(query.tables) != len(heads.tables):
        raise refuse("it reads other tables than it says")
    _check_parameters(query, heads.marks, expressions.marks)


def _parsed(statement: str) -> list[object]:
    """The stages. Only the one canonical text of a pipeline is read, so that no key is there twice or out of order."""
    stages = json.loads(statement)
    again = json.dumps(stages, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if again != statement or not isinstance(stages, list):
        raise refuse("it is not written in the one form")
    return stages


def _check_parameters(query: CompiledQuery, scope_marks: set[str], marks: set[str]) -> None:
    if scope_marks & marks:
        raise refuse("a scope value is used outside the scope's stages")
    if scope_marks != set(query.scope_parameters):
        raise refuse("its scope parameters are not those it says")
    if scope_marks | marks != set(query.parameters):
        raise refuse("its parameters are not those it binds")
    if any(type(value) not in (str, int, float, bool) for value in query.parameters.values()):
        raise refuse("a parameter of an unknown type")


class _Reader:
    def __init__(self, heads: HeadReader, expressions: Expressions) -> None:
        self._heads = heads
        self._expressions = expressions
        self._depth = 0
        self._plain: dict[str, Callable[[object, Fields], Fields]] = {
            "$unwind": self._unwind,
            "$sort": self._sort,
            "$limit": self._limit,
            "$facet": self._facet,
        }
        self._reading: dict[str, Callable[[object, Fields, Fields], Fields]] = {
            "$match": self._match,
            "$project": self._project,
            "$set": self._set,
            "$lookup": self._lookup,
            "$group": self._group,
            "$setWindowFields": self._windows,
        }

    def pipeline(self, collection: object, stages: object, variables: Fields, depth: int) -> Fields:
        """Fields of the documents that a pipeline over a collection gives."""
        if not isinstance(stages, list) or len(stages) > _MOST_STAGES or depth > _DEEPEST:
            raise refuse("a pipeline is not a list of stages, or too long")
        names, rest = self._heads.read(collection, stages)
        fields: Fields = dict.fromkeys(names, VALUE)
        for stage in rest:
            fields = self.stage(stage, fields, variables, depth)
        return fields

    def stage(self, stage: object, fields: Fields, variables: Fields, depth: int) -> Fields:
        """Fields after one stage."""
        if not isinstance(stage, dict) or len(stage) != 1:
            raise refuse("a stage of an unknown form")
        ((name, body),) = stage.items()
        self._depth = depth
        if name in self._plain:
            return self._plain[name](body, fields)
        if name not in self._reading:
            raise refuse("an unknown stage")
        return self._reading[name](body, fields, variables)

    def _match(self, body: object, fields: Fields, variables: Fields) -> Fields:
        if not isinstance(body, dict) or set(body) != {"$expr"}:
            raise refuse("a condition that is not an expression")
        self._expressions.value(body["$expr"], fields, variables)
        return fields

    def _made(self, body: object, fields: Fields, variables: Fields) -> dict[str, Shape]:
        """Fields by name. A bare number or truth value would name a field to be kept or dropped."""
        if not isinstance(body, dict) or not body:
            raise refuse("a stage makes no field")
        made: dict[str, Shape] = {}
        for name, value in body.items():
            if not isinstance(value, dict | str):
                raise refuse("a field is made of nothing")
            made[_name(name)] = self._expressions.shape(value, fields, variables)
        return made

    def _project(self, body: object, fields: Fields, variables: Fields) -> Fields:
        shown = dict(body) if isinstance(body, dict) else {}
        dropped = shown.pop("_id", None)
        if dropped != 0 or type(dropped) is not int:
            raise refuse("a projection keeps what it does not name")
        return self._made(shown, fields, variables)

    def _set(self, body: object, fields: Fields, variables: Fields) -> Fields:
        return {**fields, **self._made(body, fields, variables)}

    def _lookup(self, body: object, fields: Fields, variables: Fields) -> Fields:
        known = {"from", "pipeline", "as", "let", "localField", "foreignField"}
        if not isinstance(body, dict) or not {"from", "pipeline", "as"} <= set(body) <= known:
            raise refuse("a lookup of an unknown form")
        given = self._expressions.bound(body["let"], fields, variables) if "let" in body else {}
        if any(shape != VALUE for shape in given.values()):
            raise refuse("a lookup is given more than values")
        keyed = "localField" in body
        if keyed != ("foreignField" in body) or (keyed and not given):
            raise refuse("a lookup by half a key")
        if keyed:
            self._check_key(body, fields)
        depth = self._depth
        found = self.pipeline(body["from"], body["pipeline"], {**variables, **given}, depth + 1)
        self._depth = depth
        return {**fields, _name(body["as"]): Shape(fields=found, many=True, keyed=keyed)}

    def _check_key(self, body: dict[str, object], fields: Fields) -> None:
        """The key by field: one that is there on this side, and a column that the asker may see on the other."""
        table, right = self._heads.table(body["from"])
        keys = {table.by_name[name].physical for name in right.columns if name in table.by_name}
        if path(f"${body['localField']}", fields, {}) != VALUE or body["foreignField"] not in keys:
            raise refuse("a lookup by a field outside the scope")

    def _unwind(self, body: object, fields: Fields) -> Fields:
        place = body
        if isinstance(body, dict):
            if set(body) != {"path", "preserveNullAndEmptyArrays"}:
                raise refuse("a list is unwound in an unknown way")
            if type(body["preserveNullAndEmptyArrays"]) is not bool:
                raise refuse("a list is unwound in an unknown way")
            place = body["path"]
        if not isinstance(place, str) or "." in place or place.startswith("$$"):
            raise refuse("a list is unwound in an unknown way")
        shape = path(place, fields, {})
        if not shape.many or not shape.keyed or shape.fields is None:
            raise refuse("a list is unwound that no key keeps short")
        return {**fields, place[1:]: Shape(fields=shape.fields)}

    def _group(self, body: object, fields: Fields, variables: Fields) -> Fields:
        parts = dict(body) if isinstance(body, dict) else {}
        if "_id" not in parts:
            raise refuse("a group without a key")
        key = parts.pop("_id")
        made: dict[str, Shape] = {"_id": VALUE}
        if key is not None:
            by = self._made(key, fields, variables)
            if any(shape != VALUE for shape in by.values()):
                raise refuse("a group by more than values")
            made["_id"] = Shape(fields=by)
        for name, value in parts.items():
            if not isinstance(value, dict) or len(value) != 1 or not set(value) <= ACCUMULATORS:
                raise refuse("an unknown accumulator")
            ((kind, inner),) = value.items()
            self._expressions.value(inner, fields, variables)
            made[_name(name)] = VALUES if kind in {"$push", "$addToSet"} else VALUE
        return made

    def _sort(self, body: object, fields: Fields) -> Fields:
        if not isinstance(body, dict) or not 1 <= len(body) <= 32:
            raise refuse("an order of an unknown form")
        for name, way in body.items():
            if fields.get(name) != VALUE or type(way) is not int or way not in (1, -1):
                raise refuse("an order by something that is no value")
        return fields

    def _limit(self, body: object, fields: Fields) -> Fields:
        if type(body) is not int or not 1 <= body <= _MOST_WITHIN:
            raise refuse("a limit that is not a small number")
        return fields

    def _facet(self, body: object, fields: Fields) -> Fields:
        """Only to make one document of the groups so far; never more than one list, and nothing is read within."""
        if self._depth or not isinstance(body, dict) or list(body.values()) != [[{"$match": {}}]]:
            raise refuse("a facet of an unknown form")
        return {_name(name): Shape(fields=fields, many=True) for name in body}

    def _windows(self, body: object, fields: Fields, variables: Fields) -> Fields:
        if not isinstance(body, dict) or not {"output"} <= set(body) <= {"output", "partitionBy", "sortBy"}:
            raise refuse("a window of an unknown form")
        if "partitionBy" in body and any(
            shape != VALUE for shape in self._made(body["partitionBy"], fields, variables).values()
        ):
            raise refuse("a window by more than values")
        if "sortBy" in body:
            self._sort(body["sortBy"], fields)
        output = body["output"]
        if not isinstance(output, dict) or not output:
            raise refuse("a window of an unknown form")
        made = dict(fields)
        for name, value in output.items():
            parts = dict(value) if isinstance(value, dict) else {}
            if "window" in parts:
                _check_frame(parts.pop("window"))
            if len(parts) != 1 or not set(parts) <= WINDOWED:
                raise refuse("an unknown window function")
            self._expressions.value(next(iter(parts.values())), fields, variables)
            made[_name(name)] = VALUE
        return made


def _check_frame(frame: object) -> None:
    if frame == {"documents": ["unbounded", "current"]}:
        return
    ends = frame.get("range") if isinstance(frame, dict) and set(frame) == {"range"} else None
    if not isinstance(ends, list) or len(ends) != 2:
        raise refuse("an unknown window frame")
    low, high = ends
    if (low, high) == ("unbounded", "current"):
        return
    if type(low) is not int or type(high) is not int or not -_WIDEST_WINDOW <= low <= high <= 0:
        raise refuse("an unknown window frame")


def _name(name: object) -> str:
    """A field name that is a name and nothing more."""
    if not isinstance(name, str) or not _NAME.match(name):
        raise refuse("a field has an unknown name")
    return name
