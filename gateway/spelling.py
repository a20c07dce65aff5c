"""How the asker's words are spelt in the database: looked up under the asker's scope, told to nobody else.

The value index knows that "ines wagner" is a value of ``customers.name``, as it hashes after folding case, accents and
punctuation; the database compares what is stored, "Inês Wagner". So a word that was linked by its folded form is looked
up before it is bound; and where a filter finds nothing, what is nearly the same is offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel

from gateway.attached import AttachedSource
from gateway.chart.spec import Compare, InList, Placeholder
from gateway.context import Context
from gateway.summary.values import near_misses, spelled
from gateway.tenancy.scope import Scope


def as_stored(context: Context, folded: frozenset[str], attached: AttachedSource, scope: Scope) -> Context:
    """Replace folded words by their one stored spelling. Blocks.

    Args:
        context: The chart and what its placeholders stand for.
        folded: Placeholders that were linked by a folded form.
        attached: Where to look.
        scope: The asker's right; no other row is read.
    """
    bindings = dict(context.bindings)
    for name, column in set(_compared(context.spec)):
        if name in folded and name in bindings:
            found = spelled(attached.source, scope, (column,), bindings[name])
            if found:
                bindings[name] = found[0]
    return replace(context, bindings=bindings)


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
        near = [value for _, value in near_misses(attached.source, scope, (column,), words) if value != words]
        if near:
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
