"""The guard of what is kept: a reply before it is written to a file, an old prompt before it is shown.

A prompt that is recorded has passed the scan. A reply is a model's text: it is read by the same recognisers, the
egress guard and the canary search, and one in which anything is found is not kept.
"""

from __future__ import annotations

from gateway.attached import Known
from gateway.errors import GatewayError
from gateway.refusals import kinds_of, mapped
from gateway.regression.fixtures import canaries_in
from redaction.scan import Scanner, scan
from redaction.segments import Message, Segment, SegmentKind, UnscannedPrompt


def found_in_reply(text: str, known: Known, scanner: Scanner) -> tuple[str, ...]:
    """Kinds of what must not be kept in a reply; empty if it may be. What cannot be read to the end may not."""
    # A reply is JSON of names; placeholders in it have no brackets.
    return _found(text, SegmentKind.SCHEMA, known, scanner)


def found_in_prompt(recorded: str, now: str, known: Known, scanner: Scanner) -> tuple[str, ...]:
    """Kinds of what must not be shown of a recorded prompt: only lines that today's prompt has not are read."""
    seen = frozenset(now.splitlines())
    other = "\n".join(line for line in recorded.splitlines() if line not in seen)
    return _found(other, SegmentKind.METADATA, known, scanner) if other else ()


def _found(text: str, kind: SegmentKind, known: Known, scanner: Scanner) -> tuple[str, ...]:
    kinds = ["canary"] if canaries_in(text) else []
    message = Message(role="assistant", segments=(Segment(kind=kind, text=text),))
    prompt = UnscannedPrompt(
        messages=(message,), reply_schema="", template="", version="", tokens=0, encoding="", facts="", question=""
    )
    try:
        with mapped("scan"):
            scan(prompt, scanner, index=known.index, known_names=known.names)
    except GatewayError as error:
        return tuple(dict.fromkeys((*kinds, *kinds_of(error)))) or (error.code,)
    return tuple(kinds)
