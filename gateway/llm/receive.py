"""Take one reply off the wire: whole, or as a stream of pieces."""

from __future__ import annotations

import json
from typing import Any

import openai

from gateway.llm.attempt import OnProgress, Progress
from gateway.llm.failures import reply_error
from gateway.llm.modes import Extracted, check_end, count_of, extract

_TOLD_EVERY = 200
"""Characters between two reports of progress."""


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


async def receive_streamed(
    client: openai.AsyncOpenAI, payload: dict[str, Any], planner: str, attempt: int, on_progress: OnProgress | None
) -> Extracted:
    """Send, and read the reply piece by piece, telling how long it is so far.

    Raises:
        ModelError: The reply was declined or cut; and whatever the client library raises.
    """
    pieces: list[str] = []
    refused = False
    finish: object = None
    size = told = tokens_in = tokens_out = 0
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
                size += len(piece)
            if on_progress and size - told >= _TOLD_EVERY:
                told = size
                on_progress(Progress(planner=planner, attempt=attempt, characters=size))
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
