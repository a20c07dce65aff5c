"""Cassettes: recorded replies, kept under the hash of exactly what would be sent.

A prompt that changed by one byte has another key, so its old reply is never played for it: the case is stale until it
is recorded again. What is kept is the reply and its cost, never the prompt.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.regression.case import CaseInvalid
from redaction.segments import UnscannedPrompt


class Recorded(BaseModel):
    """One reply of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    elapsed_ms: float = 0.0


class Tape(BaseModel):
    """The replies of one model to one prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    case: str
    model: str
    prompt_sha256: str
    replies: tuple[Recorded, ...]


def prompt_hash(prompt: UnscannedPrompt) -> str:
    """SHA-256 over roles, texts and reply schema: exactly what an endpoint would be sent of a prompt."""
    sent = [[[message.role, message.text] for message in prompt.messages], prompt.reply_schema]
    return hashlib.sha256(json.dumps(sent, ensure_ascii=False).encode()).hexdigest()


class Cassettes:
    """A folder of tapes: ``<folder>/<model>/<hash>.json``."""

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder / re.sub(r"[^A-Za-z0-9_.-]", "_", model).strip(".")
        self._model = model

    def find(self, sha256: str) -> tuple[Recorded, ...]:
        """The replies to exactly this prompt; empty if none was recorded.

        Raises:
            CaseInvalid: The tape is damaged or is of another prompt or model.
        """
        path = self._path(sha256)
        if not path.exists():
            return ()
        try:
            tape = Tape.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            msg = f"cassette {path.name}: cannot be read"
            raise CaseInvalid(msg) from None
        if tape.prompt_sha256 != sha256 or tape.model != self._model:
            msg = f"cassette {path.name}: of another prompt or model than its name says"
            raise CaseInvalid(msg)
        return tape.replies

    def keep(self, case: str, sha256: str, replies: tuple[Recorded, ...]) -> None:
        """Write the replies to one prompt; the file appears complete or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        tape = Tape(case=case, model=self._model, prompt_sha256=sha256, replies=replies)
        draft = self._path(sha256).with_suffix(".draft")
        draft.write_text(tape.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(self._path(sha256))

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"
