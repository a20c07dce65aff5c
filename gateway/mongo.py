"""How a MongoDB pipeline travels through the stages: as canonical JSON with markers where values are bound.

A pipeline holds no value of a question or of a scope. Where one belongs stands a marker, one object with the name of
the parameter, and what BSON type its text is to become if that is not plain text:

    {"$rowlessParam": "scope_0"}                    text, number, boolean or null as it is
    {"$rowlessParam": "p1", "as": "date"}           ISO 8601 text -> BSON date (UTC if it has no offset)
    {"$rowlessParam": "p2", "as": "objectid"}       24 hexadecimal digits -> ObjectId

A tuple of values becomes a list, for ``$in``. A value takes the place of its marker as a value: it is a scalar, or a
list of scalars, never an object, so no value can become an operator. Inside an aggregation expression text that begins
with ``$`` would be read as a field path, so there the compiler writes ``{"$literal": marker}``.

Canonical JSON sorts keys, and some stages read theirs in order: the compiler gives the keys of a ``$sort`` names that
sort as they are meant.

No driver is imported here, so that compiler, checker and barrier can use it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from gateway.types import Cell

PARAMETER: Final = "$rowlessParam"
AS: Final = "as"
_AS_KINDS: Final = frozenset({"", "date", "objectid"})
_MAX_DEPTH: Final = 60
"""Levels of nesting; MongoDB itself takes 100 (its manual, "Limits", nested depth of documents)."""
_INT64: Final = 2**63

Stage = dict[str, object]
Bound = Mapping[str, Cell | tuple[Cell, ...]]


class PipelineError(ValueError):
    """The pipeline or its parameters do not fit; the text is fixed and names no value."""


def marker(name: str, as_: Literal["", "date", "objectid"] = "") -> dict[str, object]:
    """What stands in a pipeline for the value of a parameter."""
    return {PARAMETER: name, AS: as_} if as_ else {PARAMETER: name}


def is_marker(node: object) -> bool:
    """Whether a part of a pipeline is a marker; one with other keys, or another type to become, is not."""
    return (
        isinstance(node, dict)
        and isinstance(node.get(PARAMETER), str)
        and node.keys() <= {PARAMETER, AS}
        and (AS not in node or (node[AS] in _AS_KINDS and node[AS] != ""))
    )


def written(stages: list[Stage]) -> str:
    """A pipeline as canonical JSON: sorted keys, no white space, no number that JSON does not know.

    Raises:
        PipelineError: It holds what JSON cannot.
    """
    try:
        return json.dumps(stages, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise PipelineError("the pipeline cannot be written as JSON") from None


def read(statement: str) -> list[Stage]:
    """Parse a pipeline: a list of objects of one key each, whose key is a stage.

    Raises:
        PipelineError: It is something else, has a key twice, or is nested too deep.
    """
    try:
        stages = json.loads(statement, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise PipelineError("the pipeline is not JSON of the expected form") from None
    if not isinstance(stages, list) or not stages:
        raise PipelineError("a pipeline is a list of stages")
    for stage in stages:
        if not isinstance(stage, dict) or len(stage) != 1 or not next(iter(stage)).startswith("$"):
            raise PipelineError("a stage is an object of one key")
        if is_marker(stage):
            raise PipelineError("a value cannot be a stage")
    return stages


def substituted(statement: str, parameters: Bound, *, object_id: Callable[[str], object]) -> list[Stage]:
    """A pipeline ready for the driver: every marker replaced by its value.

    Args:
        statement: Canonical JSON of the pipeline.
        parameters: Values by name; each has to be used, and each marker has to have one.
        object_id: Makes the driver's ObjectId of 24 hexadecimal digits; raises ValueError if they are not.

    Raises:
        PipelineError: A marker without a value, a value without a marker, a malformed marker, or a value that is not
            of the type its marker asks for.
    """
    used: set[str] = set()

    def replace(node: object, depth: int) -> object:
        if depth > _MAX_DEPTH:
            raise PipelineError("the pipeline is nested too deep")
        if isinstance(node, list):
            return [replace(item, depth + 1) for item in node]
        if not isinstance(node, dict):
            return _checked(node)
        if PARAMETER not in node:
            return {key: replace(item, depth + 1) for key, item in node.items()}
        if not is_marker(node):
            raise PipelineError("a marker has other keys than its own")
        name = node[PARAMETER]
        if name not in parameters:
            raise PipelineError("a marker has no value")
        used.add(name)
        return _value(parameters[name], str(node.get(AS, "")), object_id)

    stages = [{key: replace(item, 0) for key, item in stage.items()} for stage in read(statement)]
    if used != set(parameters):
        raise PipelineError("a value has no marker")
    return stages


def _value(value: Cell | tuple[Cell, ...], as_: str, object_id: Callable[[str], object]) -> object:
    if isinstance(value, tuple):
        return [_value(item, as_, object_id) for item in value]
    if as_ == "":
        return _checked(value)
    if not isinstance(value, str):
        raise PipelineError("a value is not the text its marker asks for")
    try:
        if as_ == "objectid":
            return object_id(value)
        instant = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise PipelineError("a value is not the text its marker asks for") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _checked(value: object) -> object:
    """A scalar that BSON can hold without loss."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            # The driver's own error would quote it.
            raise PipelineError("a value is no text that can be stored") from None
        return value
    raise PipelineError("a value is of a type that cannot be bound")


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PipelineError("the pipeline has a key twice")
    return found


def _no_constant(_: str) -> object:
    raise PipelineError("the pipeline has a number that JSON does not know")
