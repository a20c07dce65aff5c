"""Stage 4. Build: released metadata and a masked question -> UnscannedPrompt, within a token budget.

In comes the Summary as JSON, which holds released facts only, and the question after masking. Out goes the prompt as
typed segments. Proved here: every byte is of a template file, or of one of those inputs, and is marked as such; the
messages fit the budget. Not proved here: that the text holds nothing that must not leave; that is the scan's work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prompts.budget import MESSAGE_OVERHEAD, count_tokens
from prompts.errors import BudgetTooSmall, NoteInvalid, PromptError
from prompts.notation import NOTATIONS, Facts, Notation
from prompts.select import Selection, select
from prompts.template import TEMPLATES, Slot, Template, load_template
from redaction.segments import Message, Segment, SegmentKind, UnscannedPrompt

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
_PATH: Final = re.compile(r"[A-Za-z0-9_.\[\]]{0,200}\Z")
_VALID: Final = re.compile(r"[A-Za-z0-9_.: ><=-]{1,140}\Z")
MAX_VALID: Final = 40
"""Names told per repair note."""
MAX_NOTES: Final = 10

ReplySchema = str | Callable[[Mapping[str, object]], str]
"""The reply schema as text, or a function from the facts within budget to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairNote:
    """What did not fit in a reply, told to the model in codes and names only.

    Attributes:
        code: What is wrong, from a closed set, for example ``column_unknown``.
        path: Where in the reply, for example ``charts[0].measures[0].column``.
        valid: Names that would fit there; at most `MAX_VALID` are told.
    """

    code: str
    path: str
    valid: tuple[str, ...] = ()


def build_prompt(  # noqa: PLR0913 - one value in, one out; the rest are settings with defaults
    summary: Mapping[str, object],
    masked_question: str,
    *,
    reply_schema: ReplySchema,
    template: str = "chart_spec",
    version: str | None = None,
    budget_tokens: int = 4000,
    encoding: str = "o200k_base",
    repair: Sequence[RepairNote] = (),
    previous: str | None = None,
    folder: Path = TEMPLATES,
) -> UnscannedPrompt:
    """Build the prompt of one question.

    Args:
        summary: ``Summary.model_dump(mode="json")``: released facts, nothing else.
        masked_question: The question after masking, placeholders in it.
        reply_schema: JSON Schema of the reply as canonical JSON; or a function that makes it from the facts that fit
            the budget, so that a large schema is not specialised to what the model was never shown.
        template: Name of the template.
        version: Its version; the newest if None.
        budget_tokens: Most tokens of all messages, the reply schema apart.
        encoding: Token encoding to count with.
        repair: What did not fit in the last reply.
        previous: Canonical JSON of the chart that the question may refine.
        folder: Folder of templates.

    Returns:
        The prompt as segments. `left_out` names every table and column that did not fit.

    Raises:
        TemplateInvalid: No such template, or it is not allowed.
        EncodingMissing: The encoding is not installed.
        BudgetTooSmall: Not even the instructions and the question fit.
        NoteInvalid: A repair note holds what is no code, path or name.
    """
    loaded = load_template(template, version, folder)
    fixed = {
        "previous": _slot(SegmentKind.QUESTION, previous or ""),
        "question": _slot(SegmentKind.QUESTION, masked_question),
        "repair": Slot(tuple(Segment(kind=SegmentKind.REPAIR, text=_note_line(n)) for n in repair[:MAX_NOTES])),
        "fence": _slot(SegmentKind.METADATA, fence("")),
    }
    bare = _render(loaded, {**fixed, "metadata": Slot()})
    room = budget_tokens - _size(bare, encoding) - _slack(bare, encoding)
    if room < 1:
        msg = "the instructions and the question alone do not fit the prompt budget"
        raise BudgetTooSmall(msg)
    notation = NOTATIONS[loaded.front.notation]
    chosen = _select(summary, masked_question + " " + (previous or ""), room, encoding, notation)
    blocks = chosen.blocks
    slots = {
        **fixed,
        "metadata": Slot(tuple(Segment(kind=SegmentKind.METADATA, text=block) for block in blocks)),
        "fence": _slot(SegmentKind.METADATA, fence("".join(blocks))),
    }
    messages = _render(loaded, slots)
    schema = reply_schema if isinstance(reply_schema, str) else reply_schema(chosen.facts)
    return UnscannedPrompt(
        messages=messages,
        reply_schema=schema,
        template=loaded.name,
        version=loaded.version,
        tokens=_size(messages, encoding) + count_tokens(schema, encoding),
        encoding=encoding,
        facts=json.dumps(chosen.facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        question=masked_question,
        left_out=chosen.left_out,
        previous=previous or "",
    )


def fence(text: str) -> str:
    """A word that marks where data begins and ends: made of the data's own hash, so that no data can hold it.

    Deterministic, so that the same facts give the same bytes (answer cache, provider-side prefix cache, recorded
    tests). Letters only, so that no recogniser takes it for a number.
    """
    digest = hashlib.sha256(text.encode()).digest()[:5]
    return "".join(chr(ord("a") + (byte & 15)) + chr(ord("a") + (byte >> 4)) for byte in digest)


def _slack(bare: Sequence[Message], encoding: str) -> int:
    """Tokens by which the real fence can be longer than the one of no data: one for each of its letters, at most."""
    sample = fence("")
    times = sum(segment.text == sample for message in bare for segment in message.segments)
    return times * (len(sample) - count_tokens(sample, encoding))


def _slot(kind: SegmentKind, text: str) -> Slot:
    return Slot((Segment(kind=kind, text=text),) if text else ())


def _select(summary: Facts, question: str, room: int, encoding: str, notation: Notation) -> Selection:
    try:
        return select(summary, question, room, lambda text: count_tokens(text, encoding), notation)
    except (KeyError, TypeError, ValueError):
        msg = "the summary is not one: a fact is missing or a name is not a safe name"
        raise PromptError(msg) from None


def _render(template: Template, slots: Mapping[str, Slot]) -> tuple[Message, ...]:
    wanted = template.front.inputs
    return template.render({name: slot for name, slot in slots.items() if name in wanted})


def _size(messages: Sequence[Message], encoding: str) -> int:
    spoken = sum(count_tokens(segment.text, encoding) for message in messages for segment in message.segments)
    return spoken + MESSAGE_OVERHEAD * (len(messages) + 1)


def _note_line(note: RepairNote) -> str:
    fits = _CODE.match(note.code) and _PATH.match(note.path) and all(_VALID.match(name) for name in note.valid)
    if not fits:
        msg = "a repair note holds something that is neither a code, a path nor a name"
        raise NoteInvalid(msg)
    valid = f"; valid: {', '.join(note.valid[:MAX_VALID])}" if note.valid else ""
    more = f" and {len(note.valid) - MAX_VALID} more" if len(note.valid) > MAX_VALID else ""
    return f"- {note.code} at {note.path or 'the whole answer'}{valid}{more}\n"
