"""The hash of exactly what would be sent: two runs sent the same if and only if it is equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from redaction.segments import UnscannedPrompt


def prompt_hash(prompt: UnscannedPrompt) -> str:
    """SHA-256 over roles, texts and reply schema: what an endpoint would be sent of a prompt, whatever the model."""
    sent = [[[message.role, message.text] for message in prompt.messages], prompt.reply_schema]
    return text_hash(json.dumps(sent, ensure_ascii=False))


def request_hash(body: Mapping[str, object]) -> str:
    """SHA-256 over the body of a call (model, messages, schema, parameters) as canonical JSON.

    Args:
        body: The body. Whether the reply is streamed is left out: it says how bytes arrive, not what is asked.
    """
    asked = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
    return text_hash(json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def text_hash(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
