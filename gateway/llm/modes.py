"""How a reply is asked for, best first, and how it is taken out of the protocol's envelope.

strict  response_format json_schema, strict: the endpoint can only produce a reply of the schema
json    response_format json_object: some JSON; the prompt says which
tool    one function whose parameters are the schema, and must be called
text    nothing asked; the reader takes JSON out of the text
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from gateway.llm.failures import auth_error, model_error, reply_error
from gateway.llm.rejections import is_about_auth

TOOL_NAME: Final = "answer"


class ReplyMode(StrEnum):
    """A way of asking for JSON."""

    STRICT = "strict"
    JSON = "json"
    TOOL = "tool"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A reply's text, and the endpoint's own token counts (0 if it gave none)."""

    text: str
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


def schema_fields(mode: ReplyMode, schema: str) -> dict[str, object]:
    """The fields of the request that ask for a reply of a schema in a mode."""
    if mode is ReplyMode.STRICT:
        wanted = {"name": TOOL_NAME, "strict": True, "schema": json.loads(schema)}
        return {"response_format": {"type": "json_schema", "json_schema": wanted}}
    if mode is ReplyMode.JSON:
        return {"response_format": {"type": "json_object"}}
    if mode is ReplyMode.TOOL:
        function = {"name": TOOL_NAME, "parameters": json.loads(schema)}
        choice = {"type": "function", "function": {"name": TOOL_NAME}}
        return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    return {}


def extract(envelope: object) -> Extracted:
    """Take the reply out of a chat completion.

    Args:
        envelope: The response body, parsed. Untrusted.

    Raises:
        ReplyInvalidError: It is no chat completion (``reply_malformed``) or ended early (``reply_cut``).
        ModelError: The model, or a filter in front of it, declined (``model_refused``), or the envelope is an error
            about the key (``model_auth``).
    """
    if is_about_auth(envelope):
        raise auth_error()  # Gateways that answer 200 whatever happened behind them.
    choices = envelope.get("choices") if isinstance(envelope, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(envelope, Mapping) or not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise reply_error("reply_malformed", "the model endpoint's answer is not a chat completion")
    text = _tool_arguments(message) or _content(message)
    check_end(choice.get("finish_reason"), refusal=message.get("refusal"))
    if not text.strip():
        raise reply_error("reply_malformed", "the model's answer is empty")
    usage = envelope.get("usage")
    model = envelope.get("model")
    return Extracted(
        text=text,
        model=model if isinstance(model, str) else "",
        tokens_in=count_of(usage, "prompt_tokens"),
        tokens_out=count_of(usage, "completion_tokens"),
    )


def check_end(finish_reason: object, *, refusal: object) -> None:
    """Refuse a reply that was declined or cut.

    Raises:
        ModelError: ``model_refused``.
        ReplyInvalidError: ``reply_cut``.
    """
    if refusal or finish_reason == "content_filter":
        raise model_error("model_refused", "the model declined to answer")
    if finish_reason == "length":
        raise reply_error("reply_cut", "the model's answer was cut at its length limit")


def count_of(usage: object, name: str) -> int:
    """A count of the usage object; 0 if it is missing or no plausible count."""
    value = usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0


def _content(message: Mapping[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [p.get("text") for p in content if isinstance(p, Mapping)]
        return "".join(p for p in parts if isinstance(p, str))
    return ""


def _tool_arguments(message: Mapping[str, object]) -> str:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("arguments"), str):
            return cast("str", function["arguments"])
    return ""
