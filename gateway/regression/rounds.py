"""Repair rounds of a case: what a model is told of a reply that does not fit, as `gateway.pipeline` tells it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.chart.read import read_reply
from gateway.errors import GatewayError, PromptRefusedError, ReplyInvalidError, SpecInvalidError
from gateway.refusals import mapped, repair_note
from gateway.regression.fixtures import canaries_in
from gateway.regression.prepare import Prepared, build, messages_text
from gateway.types import Reply
from prompts.build import RepairNote
from redaction.scan import ScannedPrompt, Scanner, scan


def note_of(made: Prepared, reply: Reply) -> RepairNote | None:
    """What a model would be told of its reply; None if the reply fits, or no round would follow."""
    if made.known is None or made.masked is None:
        return None
    try:
        read_reply(reply, made.known.summary, placeholders=made.masked.placeholders())
    except (ReplyInvalidError, SpecInvalidError) as problem:
        return repair_note(problem)
    except GatewayError:
        return None
    return None


def repair_prompt(made: Prepared, notes: Sequence[RepairNote], scanner: Scanner) -> ScannedPrompt:
    """What is sent after replies that did not fit.

    Args:
        made: A case whose first prompt was sent.
        notes: What does not fit, a note for each reply so far.
        scanner: The recognisers.

    Raises:
        GatewayError: It cannot be built, or a guard refuses it; `gateway.refusals.kinds_of` says what was found.
    """
    prompt = build(made, notes)
    if canaries_in(messages_text(prompt)):
        msg = "a repair note holds a canary"
        raise PromptRefusedError(msg, stage="scan", details={"kinds": ("canary",)})
    assert made.known is not None  # noqa: S101  (it was built from what is known)
    with mapped("scan"):
        return scan(prompt, scanner, index=made.known.index, known_names=made.known.names)
