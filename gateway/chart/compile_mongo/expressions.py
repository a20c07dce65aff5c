"""Small builders of aggregation expressions. Every value goes through `Bound`, so no literal of a spec is an operator.

An expression here is a value that JSON can hold: ``"$name"`` is a field, ``"$$name"`` a variable, an object of one key
an operator. Text that is neither stands only where MongoDB has a word of its own, such as the unit of ``$dateTrunc``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from gateway.mongo import marker
from gateway.types import Cell

Expression: TypeAlias = "bool | int | float | str | Sequence[Expression] | Mapping[str, Expression] | None"


class Bound:
    """Parameters of one pipeline, in order: ``p0``, ``p1`` …; equal values of the same type share one."""

    def __init__(self) -> None:
        self.parameters: dict[str, Cell | tuple[Cell, ...]] = {}
        self._known: dict[tuple[type, Cell, str], str] = {}

    def value(self, value: Cell, as_: Literal["", "date"] = "") -> Expression:
        """A value, as the pipeline writes it: a literal, whatever it looks like."""
        key = (type(value), value, as_)
        if key not in self._known:
            self._known[key] = f"p{len(self._known)}"
            self.parameters[self._known[key]] = value
        return {"$literal": marker(self._known[key], as_)}  # type: ignore[dict-item]

    def instant(self, moment: datetime) -> Expression:
        """An instant."""
        return self.value(moment.astimezone(UTC).isoformat(), "date")


def op(name: str, *arguments: Expression) -> Expression:
    """An operator over its arguments."""
    return {"$" + name: list(arguments)}


def of(name: str, argument: Expression) -> Expression:
    """An operator over one argument."""
    return {"$" + name: argument}


def not_null(x: Expression) -> Expression:
    """Whether a value is there."""
    return op("ne", x, None)


def is_null(x: Expression) -> Expression:
    """Whether a value is missing. Fields may be null, but they are there."""
    return op("eq", x, None)


def when(test: Expression, then: Expression, otherwise: Expression) -> Expression:
    """One of two."""
    return op("cond", test, then, otherwise)


def given(x: Expression) -> Expression:
    """A value of a document that may not be there, as null in that case."""
    return op("ifNull", x, None)


def every(parts: Sequence[Expression]) -> Expression:
    """All of the conditions."""
    return parts[0] if len(parts) == 1 else op("and", *parts)


def some(parts: Sequence[Expression]) -> Expression:
    """Any of the conditions."""
    return parts[0] if len(parts) == 1 else op("or", *parts)


def as_double(x: Expression) -> Expression:
    """As a double, so that the same numbers give the same result whatever they are stored as."""
    return of("toDouble", x)


def quotient(above: Expression, below: Expression) -> Expression:
    """Division of real numbers; null where the divisor is zero."""
    divided = op("divide", as_double(above), "$$below")
    bound: Expression = {"vars": {"below": as_double(below)}, "in": when(op("eq", "$$below", 0), None, divided)}
    return of("let", bound)
