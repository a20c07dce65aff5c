"""What the asker's words stand for in the database: looked up under the asker's scope, told to nobody else.

The value index knows that "ines wagner" is a value of ``customers.name``, as it hashes after folding case, accents and
punctuation, and that "acme" is a part of one; the database compares what is stored, "Inês Wagner" and "Acme Corp". So
a word that was linked by its folded form or as a part is looked up before it is bound; and where a filter finds
nothing, what is nearly the same is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from pydantic import BaseModel

from gateway.attached import AttachedSource
from gateway.chart.spec import Compare, InList, Placeholder, Value
from gateway.context import Context
from gateway.summary.values import holding, near_misses, spelled
from gateway.tenancy.scope import Scope
from redaction.mask import LinkedValue

_ONE_OF: Final[dict[str, Literal["in", "not_in"]]] = {"eq": "in", "ne": "not_in", "in": "in", "not_in": "not_in"}
_Node = TypeVar("_Node", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Stored:
    """Readings of a question with bindings as they are stored, and what to tell the asker of it."""

    contexts: tuple[Context, ...]
    notes: tuple[str, ...] = ()


def as_stored(
    contexts: Sequence[Context], linked: Sequence[LinkedValue], attached: AttachedSource, scope: Scope
) -> Stored:
    """Replace words that were linked by a folded form, or as a part, by the values that they stand for. Blocks.

    A part that stands for several values makes of "is" an "is one of"; the asker is told which. In a scope that
    answers for groups only, a part is compared by "contains" instead: the value's other words are not the asker's.

    Args:
        contexts: The readings, each a chart and what its placeholders stand for.
        linked: The row values that the question was found to hold.
        attached: Where to look.
        scope: The asker's right; no other row is read.
    """
    lookups = _Lookups({v.placeholder: v for v in linked if v.styled or v.part}, attached, scope)
    return Stored(tuple(_Reading(context, lookups).stored() for context in contexts), tuple(lookups.notes))


class _Lookups:
    """Stored values of placeholders, each looked up once, and the notes on those that are parts."""

    def __init__(self, linked: Mapping[str, LinkedValue], attached: AttachedSource, scope: Scope) -> None:
        self._linked = linked
        self._attached = attached
        self._scope = scope
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        self.notes: dict[str, None] = {}

    def is_hidden_part(self, name: str) -> bool:
        """Whether a placeholder is a part of values whose other words this scope does not show."""
        return name in self._linked and self._linked[name].part and self._scope.min_answer_group > 1

    def values(self, name: str, column: str, words: str) -> tuple[str, ...]:
        """What a placeholder stands for in a column; nothing if its binding is good as it is."""
        linked = self._linked.get(name)
        if linked is None or self.is_hidden_part(name):
            return ()
        if (name, column) not in self._found:
            look = holding if linked.part else spelled
            found = look(self._attached.source, self._scope, (column,), words)
            self._found[name, column] = found if linked.part else found[:1]
            if linked.part and found:
                listed = " or ".join(f"“{value}”" for value in found)
                self.notes[f"“{words}” was read as {listed} ({column})"] = None
        return self._found[name, column]


class _Reading:
    """One reading of a question, rewritten."""

    def __init__(self, context: Context, lookups: _Lookups) -> None:
        self._context = context
        self._lookups = lookups
        self._bindings = dict(context.bindings)
        self._placeholders = dict(context.placeholders)

    def stored(self) -> Context:
        """The reading with comparisons against stored values."""
        spec = _rewritten(self._context.spec, self._compared)
        return replace(self._context, spec=spec, bindings=self._bindings, placeholders=self._placeholders)

    def _compared(self, node: Compare | InList) -> Compare | InList:
        if node.op not in _ONE_OF:
            return node
        old = node.values if isinstance(node, InList) else (node.value,)
        is_one = isinstance(node, Compare) and node.op == "eq"
        if is_one and isinstance(old[0], Placeholder) and self._lookups.is_hidden_part(old[0].placeholder):
            return node.model_copy(update={"op": "contains"})
        new = tuple(term for value in old for term in self._terms(value, node.column))
        if new == old:
            return node
        if isinstance(node, Compare) and len(new) == 1:
            return node.model_copy(update={"value": new[0]})
        return InList(op=_ONE_OF[node.op], column=node.column, via=node.via, values=new)

    def _terms(self, value: Value, column: str) -> tuple[Value, ...]:
        """A value of a filter, or the placeholders of all that it stands for."""
        words = self._context.bindings.get(value.placeholder) if isinstance(value, Placeholder) else None
        if not isinstance(value, Placeholder) or words is None:
            return (value,)
        name = value.placeholder
        terms: list[Value] = []
        for place, found in enumerate(self._lookups.values(name, column, words), start=1):
            made = name if place == 1 and self._bindings[name] in {words, found} else f"{name}_{place}"
            while self._bindings.get(made, found) not in {words, found}:
                made += "x"
            self._bindings[made] = found
            self._placeholders[made] = self._placeholders.get(name, (column,))
            terms.append(Placeholder(placeholder=made))
        return tuple(terms) or (value,)


def _rewritten(node: _Node, one: Callable[[Compare | InList], Compare | InList]) -> _Node:
    """A spec with each comparison replaced."""
    changed: dict[str, object] = {}
    for name in type(node).model_fields:
        value = getattr(node, name)
        made = _walked(value, one)
        if made is not value:
            changed[name] = made
    return node.model_copy(update=changed) if changed else node


def _walked(value: object, one: Callable[[Compare | InList], Compare | InList]) -> object:
    if isinstance(value, Compare | InList):
        return one(value)
    if isinstance(value, BaseModel):
        return _rewritten(value, one)
    if isinstance(value, tuple):
        made = tuple(_walked(item, one) for item in value)
        return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
    return value


def suggestions(context: Context, attached: AttachedSource, scope: Scope) -> tuple[str, ...]:
    """What the asker may have meant, for a chart whose filters found nothing. Blocks."""
    said: list[str] = []
    if scope.min_answer_group > 1:
        # A value that is spelt nearly so may be that of one record.
        return ()
    for name, column in dict.fromkeys(_compared(context.spec)):
        words = context.bindings.get(name)
        if words is None:
            continue
        near = [value for _, value in near_misses(attached.source, scope, (column,), words)]
        if near and words not in near:
            said.append(
                f"nothing in {column} is “{words}”; did you mean {' or '.join(f'“{value}”' for value in near)}?"
            )
    return tuple(said)


def _compared(node: object) -> Iterator[tuple[str, str]]:
    """Every (placeholder, column) that a spec compares."""
    if isinstance(node, Compare) and isinstance(node.value, Placeholder):
        yield node.value.placeholder, node.column
    elif isinstance(node, InList):
        for value in node.values:
            if isinstance(value, Placeholder):
                yield value.placeholder, node.column
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _compared(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _compared(item)
