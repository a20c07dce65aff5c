"""The prompt as typed segments: what `prompts` builds and `redaction` scans.

A prompt is never one string until it is about to leave. Each piece of it says where it came from, so that a
guard can hold it to the rule of its kind, and so that a reviewer can see which words a template wrote and which
came from a schema or a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class SegmentKind(StrEnum):
    """Where the text of a segment came from."""

    TEMPLATE = "template"
    """Static text of a versioned template file; holds nothing of a request."""
    METADATA = "metadata"
    """Released facts of a Summary: names, types, disclosure-controlled statistics."""
    QUESTION = "question"
    """The asker's words after masking."""
    REPAIR = "repair"
    """Closed error codes and names, told to the model in a repair round."""
    SCHEMA = "schema"
    """The JSON Schema of the reply, specialised to the columns in scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One piece of a prompt: its kind and its text."""

    kind: SegmentKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat message, kept as segments until it is sent."""

    role: Literal["system", "user", "assistant"]
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The message as the model will see it."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnscannedPrompt:
    """A complete prompt that no guard has read yet. It cannot be sent: the model client takes a ScannedPrompt.

    Attributes:
        messages: The chat messages, in order.
        reply_schema: JSON Schema of the reply as canonical JSON text; sent along where the model supports it.
        template: Name of the template, for example ``chart_spec``.
        version: Version of the template, for example ``1``.
        tokens: Size of all messages and the schema in tokens of `encoding`.
        encoding: Name of the token encoding that was counted with, for example ``o200k_base``.
        facts: The released Summary after budgeting, as JSON. Read by the in-process offline planner only; it says
            no more than the metadata segments do and is not part of what leaves.
        question: The masked question, as in the question segment.
        left_out: Names of tables and columns that did not fit the budget.
        previous: Canonical JSON of the spec that a follow-up question refines, as in the prompt; empty for a first
            question. Read by the in-process offline planner only, as `facts` is.
    """

    messages: tuple[Message, ...]
    reply_schema: str
    template: str
    version: str
    tokens: int
    encoding: str
    facts: str
    question: str
    left_out: tuple[str, ...] = ()
    previous: str = ""

    @property
    def dynamic_segments(self) -> tuple[Segment, ...]:
        """Every segment that a template did not write, the reply schema included."""
        found = [s for m in self.messages for s in m.segments if s.kind is not SegmentKind.TEMPLATE]
        if self.reply_schema:
            found.append(Segment(kind=SegmentKind.SCHEMA, text=self.reply_schema))
        return tuple(found)
