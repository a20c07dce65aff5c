"""Take one reply off the wire: whole, or as a stream of pieces."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai

from gateway.llm.attempt import OnProgress, Progress
from gateway.llm.failures import reply_error
from gateway.llm.modes import Extracted, check_end, count_of, extract

_TOLD_EVERY_S = 0.1
"""Seconds between two reports of progress, at least."""


async def receive_whole(client: openai.AsyncOpenAI, payload: dict[str, Any]) -> Extracted:
    """Send, and read the whole reply.

    Raises:
        ModelError: See `gateway.llm.modes.extract`; and whatever the client library raises.
    """
    raw = await client.chat.completions.with_raw_response.create(**payload)
    try:
        envelope = json.loads(raw.http_response.content)
    except (ValueError, RecursionError):
        raise reply_error("reply_malformed", "the model endpoint's answer is not JSON") from None
    return extract(envelope)


@dataclass(slots=True)
class Meter:
    """Tells how long a streamed reply is so far: never what it says.

    Attributes:
        planner: Name of the endpoint.
        attempt: Number of the send.
        on_progress: Who is told, at most every tenth of a second, and once at the end.
        count: Counts tokens.
    """

    planner: str
    attempt: int
    on_progress: OnProgress | None
    count: Callable[[str], int]
    _characters: int = 0
    _tokens: int = 0
    _waiting: str = ""
    _told_at: float = float("-inf")

    def add(self, piece: str) -> None:
        """Count one piece of the reply."""
        self._waiting += piece
        if self._waiting and time.monotonic() - self._told_at >= _TOLD_EVERY_S:
            self.tell()

    def tell(self) -> None:
        """Say how much has come."""
        if self.on_progress is None or not self._waiting:
            return
        # Each stretch is counted once: where two meet, a token may be counted as two.
        self._tokens += self.count(self._waiting)
        self._characters += len(self._waiting)
        self._waiting = ""
        self._told_at = time.monotonic()
        told = Progress(planner=self.planner, attempt=self.attempt, characters=self._characters, tokens=self._tokens)
        self.on_progress(told)


async def receive_streamed(client: openai.AsyncOpenAI, payload: dict[str, Any], meter: Meter) -> Extracted:
    """Send, and read the reply piece by piece, telling how long it is so far.

    Raises:
        ModelError: The reply was declined or cut; and whatever the client library raises.
    """
    pieces: list[str] = []
    refused = False
    finish: object = None
    tokens_in = tokens_out = 0
    stream = await client.chat.completions.create(**payload)
    async with stream:
        async for chunk in stream:
            usage = getattr(chunk, "usage", None)
            tokens_in = count_of(usage, "prompt_tokens") or tokens_in
            tokens_out = count_of(usage, "completion_tokens") or tokens_out
            for choice in _list(getattr(chunk, "choices", None)):
                delta = getattr(choice, "delta", None)
                piece = _piece(delta)
                refused = refused or bool(getattr(delta, "refusal", None))
                finish = getattr(choice, "finish_reason", None) or finish
                pieces.append(piece)
                meter.add(piece)
    meter.tell()
    check_end(finish, refusal=refused)
    text = "".join(pieces)
    if finish is None or not text.strip():
        raise reply_error("reply_malformed", "the model's answer is empty or ended early")
    return Extracted(text=text, tokens_in=tokens_in, tokens_out=tokens_out)


def _list(value: object) -> list[Any]:
    # The library builds its objects without checking what the endpoint sent.
    return value if isinstance(value, list) else []


def _piece(delta: Any) -> str:
    content = getattr(delta, "content", None)
    if isinstance(content, str):
        return content
    for call in _list(getattr(delta, "tool_calls", None)):
        arguments = getattr(getattr(call, "function", None), "arguments", None)
        if isinstance(arguments, str):
            return arguments
    return ""
