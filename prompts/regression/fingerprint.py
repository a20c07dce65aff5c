"""The hash of exactly what would be sent: two runs sent the same if and only if it is equal."""

from __future__ import annotations

import hashlib
import json

from redaction.segments import UnscannedPrompt


def prompt_hash(prompt: UnscannedPrompt) -> str:
    """SHA-256 over roles, texts and reply schema: exactly what an endpoint would be sent of a prompt."""
    sent = [[[message.role, message.text] for message in prompt.messages], prompt.reply_schema]
    return hashlib.sha256(json.dumps(sent, ensure_ascii=False).encode()).hexdigest()
