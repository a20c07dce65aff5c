"""The body of a chat completion, made in one place: what the client sends, and what a recorded reply is kept under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.llm.modes import ReplyMode, schema_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What is asked of a model beside the prompt.

    Attributes:
        model: Model name, as sent.
        max_output_tokens: Most tokens of the answer.
        output_limit_field: Name of the field that asks for it; empty for none.
        temperature: Sent if set.
    """

    model: str
    max_output_tokens: int = 4_000
    output_limit_field: Literal["max_completion_tokens", "max_tokens", ""] = "max_completion_tokens"
    temperature: float | None = None


def chat_request(
    parameters: Parameters, messages: Sequence[tuple[str, str]], reply_schema: str, mode: ReplyMode
) -> dict[str, object]:
    """The body of one call, streaming apart.

    Args:
        parameters: What is asked of the model.
        messages: Role and text of each, in order.
        reply_schema: JSON Schema of the reply as text; sent where the mode has a place for it.
        mode: How the reply is asked for.
    """
    body: dict[str, object] = {
        "model": parameters.model,
        "messages": [{"role": role, "content": text} for role, text in messages],
        **schema_fields(mode, reply_schema),
    }
    if parameters.output_limit_field:
        body[parameters.output_limit_field] = parameters.max_output_tokens
    if parameters.temperature is not None:
        body["temperature"] = parameters.temperature
    return body
