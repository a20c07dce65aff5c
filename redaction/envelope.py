"""What goes with a prompt over the wire besides its segments: model name, tool names, headers.

None of it has a reason to hold anything of a request, so each is held to a closed shape, and what is not of that
shape refuses. The provider's own key travels in one header, whose value is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from redaction.errors import PromptRefused
from redaction.scanner import Scanner

MODEL_NAME: Final = "MODEL_NAME"
TOOL_NAME: Final = "TOOL_NAME"
HEADER: Final = "HEADER"

_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+\-]{0,127}\Z")
_TOOL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,63}\Z")
_CREDENTIALS: Final = frozenset({"authorization", "api-key", "x-api-key"})
_HEADERS: Final = _CREDENTIALS | frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "openai-organization",
        "openai-project",
        "user-agent",
    }
)
"""Headers that may be sent, in lower case; `x-stainless-…` of the client library are allowed by their beginning."""


def check_envelope(
    scanner: Scanner,
    *,
    model: str,
    tool_names: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    allowed_headers: Collection[str] = (),
) -> None:
    """Hold what goes with a prompt to its closed shape.

    Args:
        scanner: The recognisers.
        model: Name of the model, as sent.
        tool_names: Names of tools or of the response format, as sent.
        headers: Header names and values, as sent.
        allowed_headers: Further header names that the operator configured.

    Raises:
        PromptRefused: Something is not of its shape, or holds personal data or a secret. Names kinds only.
        ScanUnfinished: A recogniser could not finish.
    """
    broken: set[str] = set()
    if not _MODEL.match(model) or _found(scanner, model):
        broken.add(MODEL_NAME)
    if any(not _TOOL.match(name) or _found(scanner, name) for name in tool_names):
        broken.add(TOOL_NAME)
    allowed = _HEADERS | {name.casefold() for name in allowed_headers}
    for name, value in (headers or {}).items():
        plain = name.casefold()
        if plain in _CREDENTIALS:
            continue
        known = plain in allowed or plain.startswith("x-stainless-")
        if not known or not value.isprintable() or (plain != "host" and _found(scanner, value)):
            broken.add(HEADER)
    if broken:
        raise PromptRefused(tuple(broken))


def _found(scanner: Scanner, text: str) -> bool:
    return bool(scanner.find(text, prose=False))
