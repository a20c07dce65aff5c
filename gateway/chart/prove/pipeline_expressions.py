"""The closed list of what an expression of a proved pipeline may be made of, and what each gives.

Nothing here reads a collection, the clock, the server or chance, runs code, turns a document into an array or the
other way round, makes a field name from a value, or can be asked for a whole document. A number that is not one the
compiler needs has to be bound, and text has to be bound unless it is a word of MongoDB's own in its own place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.chart.prove.nodes import refuse
from gateway.chart.prove.pipeline_head import MARK
from gateway.tenancy.scope import Scope

LISTED: Final[dict[str, tuple[int, int]]] = {
    "$and": (2, 200), "$or": (2, 200), "$not": (1, 1),
    "$eq": (2, 2), "$ne": (2, 2), "$lt": (2, 2), "$lte": (2, 2), "$gt": (2, 2), "$gte": (2, 2),
    "$cond": (3, 3), "$ifNull": (2, 20),
    "$add": (2, 2), "$subtract": (2, 2), "$multiply": (2, 2), "$divide": (2, 2), "$mod": (2, 2), "$max": (2, 2),
    "$indexOfCP": (2, 2), "$substrCP": (3, 3), "$arrayElemAt": (2, 2),
}  # fmt: skip
"""Operators over a list of values, with the least and greatest number of them."""
SINGLE: Final = frozenset(
    {"$toDouble", "$toInt", "$toString", "$toLower", "$strLenCP", "$floor", "$ceil", "$abs", "$month", "$dayOfMonth",
     "$isoDayOfWeek", "$hour"}
)  # fmt: skip
"""Operators over one value."""
ACCUMULATORS: Final = frozenset({"$sum", "$avg", "$min", "$max", "$push", "$addToSet", "$stdDevSamp"})
WINDOWED: Final = frozenset({"$sum", "$avg"})
UNITS: Final = frozenset({"year", "quarter", "month", "week", "day", "hour"})
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second", "millisecond")
NUMBERS: Final = frozenset(
    {(int, n) for n in range(31)}
    | {(int, step * 10**power) for step in (1, 2, 5) for power in range(11)}
    | {(float, float(f"{step}e{power}")) for step in (1, 2, 5) for power in range(-4, 0)}
    | {(float, 1e-09)}
)
"""Small whole numbers, round widths of bins, and a nudge. Those of a spec are bound."""
_VARIABLE: Final = re.compile(r"[a-z][a-z0-9]{0,15}\Z")
_MAX_NODES: Final = 50_000
_LONGEST: Final = 200
"""Items of a list: the forms of one text, the labels of an order."""


@dataclass(frozen=True)
class Shape:
    """What a field or a variable holds.

    Attributes:
        fields: Fields of a document (or of each document of a list); None for a plain value.
        many: A list.
        keyed: A list that a key keeps short, so that it may be unwound.
    """

    fields: Mapping[str, Shape] | None = None
    many: bool = False
    keyed: bool = False


VALUE: Final = Shape()
VALUES: Final = Shape(many=True)
Fields = Mapping[str, Shape]


class Expressions:
    """Reads the expressions of one pipeline.

    Attributes:
        marks: Parameters that are bound in them.
    """

    def __init__(self, scope: Scope) -> None:
        self.marks: set[str] = set()
        self._scope = scope
        self._nodes = 0

    def value(self, node: object, fields: Fields, variables: Fields) -> None:
        """An expression that gives one plain value."""
        if self.shape(node, fields, variables) != VALUE:
            raise refuse("a document or a list stands where a value should")

    def shape(self, node: object, fields: Fields, variables: Fields) -> Shape:
        """What an expression gives.

        Raises:
            ScopeRefusedError: It is made of something that is not on the list.
        """
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise refuse("it is too long")
        if node is None or node is True or node is False:
            return VALUE
        if isinstance(node, int | float):
            if (type(node), node) not in NUMBERS:
                raise refuse("a number that is not bound")
            return VALUE
        if isinstance(node, str):
            return path(node, fields, variables)
        if not isinstance(node, dict) or len(node) != 1:
            raise refuse("an expression of an unknown form")
        ((name, body),) = node.items()
        if name in LISTED:
            return self._listed(name, body, fields, variables)
        if name in SINGLE:
            self.value(body, fields, variables)
            return VALUE
        return self._special(name, body, fields, variables)

    def _listed(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        least, most = LISTED[name]
        if not isinstance(body, list) or not least <= len(body) <= most:
            raise refuse("an operator has another number of parts than it takes")
        parts = body
        if name == "$arrayElemAt":
            if self.shape(body[0], fields, variables) != VALUES:
                raise refuse("an item is taken of something that is no list")
            parts = body[1:]
        for part in parts:
            self.value(part, fields, variables)
        return VALUE

    def _special(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        if name == "$literal":
            return self._literal(body)
        if name in {"$size", "$first"}:
            return self._of_list(name, body, fields, variables)
        if name in {"$in", "$indexOfArray", "$setDifference", "$concatArrays"}:
            return self._with_list(name, body, fields, variables)
        if name == "$let":
            parts = _parts(body, {"vars", "in"})
            more = self.bound(parts["vars"], fields, variables)
            return self.shape(parts["in"], fields, {**variables, **more})
        if name in {"$filter", "$map"}:
            return self._each(name, body, fields, variables)
        if name == "$sortArray":
            parts = _parts(body, {"input", "sortBy"})
            if self.shape(parts["input"], fields, variables) != VALUES or (
                parts["sortBy"] != 1 or parts["sortBy"] is True
            ):
                raise refuse("a list is sorted in an unknown way")
            return VALUES
        if name == "$switch":
            return self._switch(body, fields, variables)
        if name in {"$dateTrunc", "$dateDiff", "$dateToParts", "$dateFromParts"}:
            return self._date(name, body, fields, variables)
        raise refuse("an unknown operator")

    def bound(self, node: object, fields: Fields, variables: Fields) -> dict[str, Shape]:
        """Variables that are given a name."""
        if not isinstance(node, dict) or not node or not all(_VARIABLE.match(str(name)) for name in node):
            raise refuse("a variable has an unknown name")
        return {name: self.shape(value, fields, variables) for name, value in node.items()}

    def _literal(self, body: object) -> Shape:
        if body == 1 and type(body) is int:
            return VALUE
        if not isinstance(body, dict) or not set(body) <= {MARK, "as"} or body.get("as", "date") != "date":
            raise refuse("a literal that is not bound")
        name = body.get(MARK)
        if not isinstance(name, str):
            raise refuse("a literal that is not bound")
        self.marks.add(name)
        return VALUE

    def _of_list(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        found = self.shape(body, fields, variables)
        if not found.many:
            raise refuse("something is counted that is no list")
        return VALUE if name == "$size" else Shape(fields=found.fields)

    def _with_list(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        if not isinstance(body, list) or not 1 <= len(body) <= _LONGEST:
            raise refuse("an operator has another number of parts than it takes")
        if name == "$concatArrays":
            shapes = [self.shape(part, fields, variables) for part in body]
            if any(not shape.many or shape.fields is None for shape in shapes):
                raise refuse("something is put together that is no list of groups")
            merged: dict[str, Shape] = {}
            for shape in shapes:
                merged.update(shape.fields or {})
            return Shape(fields=merged, many=True, keyed=True)
        if len(body) != 2:
            raise refuse("an operator has another number of parts than it takes")
        item, items = (body[1], body[0]) if name == "$indexOfArray" else (body[0], body[1])
        if name == "$setDifference":
            if self.shape(item, fields, variables) != VALUES or items != [None]:
                raise refuse("a list loses more than its nulls")
            return VALUES
        self.value(item, fields, variables)
        if isinstance(items, list):
            if not 1 <= len(items) <= _LONGEST:
                raise refuse("a list is too long")
            for part in items:
                self.value(part, fields, variables)
        elif self.shape(items, fields, variables) != VALUES:
            raise refuse("a value is looked for in something that is no list")
        return VALUE

    def _each(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        last = "cond" if name == "$filter" else "in"
        parts = _parts(body, {"input", "as", last})
        found = self.shape(parts["input"], fields, variables)
        alias = parts["as"]
        if not found.many or not isinstance(alias, str) or not _VARIABLE.match(alias):
            raise refuse("something is gone through that is no list")
        self.value(parts[last], fields, {**variables, alias: Shape(fields=found.fields)})
        return found if name == "$filter" else VALUES

    def _switch(self, body: object, fields: Fields, variables: Fields) -> Shape:
        parts = _parts(body, {"branches", "default"})
        branches = parts["branches"]
        if not isinstance(branches, list) or not 1 <= len(branches) <= _LONGEST:
            raise refuse("a choice has no branches")
        for branch in branches:
            for part in _parts(branch, {"case", "then"}).values():
                self.value(part, fields, variables)
        self.value(parts["default"], fields, variables)
        return VALUE

    def _date(self, name: str, body: object, fields: Fields, variables: Fields) -> Shape:
        given = dict(body) if isinstance(body, dict) else {}
        if name in {"$dateTrunc", "$dateDiff"}:
            unit = given.pop("unit", None)
            if unit not in UNITS:
                raise refuse("an unknown unit of time")
            if unit == "week" and given.pop("startOfWeek", None) != self._scope.week_start:
                raise refuse("a week that starts on another day than the scope's")
            wanted = {"date"} if name == "$dateTrunc" else {"startDate", "endDate"}
        elif name == "$dateToParts":
            if given.pop("timezone", None) != self._scope.timezone:
                raise refuse("another time zone than the scope's")
            wanted = {"date"}
        else:
            wanted = set(_PARTS)
        for part in _parts(given, wanted).values():
            self.value(part, fields, variables)
        return Shape(fields=dict.fromkeys(_PARTS, VALUE)) if name == "$dateToParts" else VALUE


def path(text: str, fields: Fields, variables: Fields) -> Shape:
    """What a field path or a variable holds: only what an earlier stage has made."""
    if text.startswith("$$"):
        names, known = text[2:].split("."), variables
    elif text.startswith("$"):
        names, known = text[1:].split("."), fields
    else:
        raise refuse("text that is not bound")
    shape = known.get(names[0])
    for name in names[1:]:
        shape = (shape.fields or {}).get(name) if shape is not None and not shape.many else None
    if shape is None:
        raise refuse("a field that no stage has let through")
    return shape


def _parts(body: object, wanted: set[str]) -> dict[str, object]:
    if not isinstance(body, dict) or set(body) != wanted:
        raise refuse("an operator has other parts than it takes")
    return body
