"""What an endpoint's error says of a request that it did not take, from closed lists of codes and field names.

The words of an error are never read: they can echo the prompt, and a prompt must not decide whether it is sent again.

Sources: the error object of OpenAI's API reference (``message``, ``type``, ``param``, ``code``), which vLLM, LiteLLM
and most others repeat; FastAPI's ``detail`` list, as Mistral's API answers with; answers quoted in openai-python's and
LiteLLM's issue threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_AUTH: Final = frozenset(
    {
        "invalid_api_key", "incorrect_api_key", "invalid_authentication", "authentication_error", "auth_error",
        "authorization_error", "unauthorized", "permission_error", "permission_denied", "access_denied",
        "invalid_organization", "account_deactivated", "401", "403",
    }
)  # fmt: skip
"""``type`` or ``code`` of an error about who asks, whatever the status; numbers as some write them there."""

_FIELDS: Final = {
    "strict": frozenset({"response_format"}),
    "json": frozenset({"response_format"}),
    "tool": frozenset({"tools", "tool_choice", "functions", "function_call"}),
}
"""Fields by which a reply is asked for, by reply mode; ``functions`` is what older servers call tools."""

_UNFIT: Final = frozenset(
    {
        "", "400", "422", "501", "unsupported_parameter", "unsupported_value", "unsupported_response_format",
        "invalid_value", "invalid_type", "invalid_parameter", "invalid_json_schema", "unknown_parameter",
        "invalid_request", "invalid_request_error", "invalid_request_body",
    }
)  # fmt: skip
"""``code`` beside such a field's name that says the field, or what it asks for, is not supported; empty where none."""

_FIRST_NAME: Final = re.compile(r"[a-z_]{1,40}(?=$|[.\[])")


def is_about_auth(body: object) -> bool:
    """Whether an error says that the key, or who it belongs to, may not ask."""
    return any(str(error.get(name, "")).lower() in _AUTH for error in _errors(body) for name in ("type", "code"))


def is_about_mode(body: object, mode: str) -> bool:
    """Whether an error says that the way in which the reply was asked for is not supported.

    Args:
        body: The parsed body of the error, or what is under its ``error``. Untrusted.
        mode: The reply mode of the request.
    """
    fields = _FIELDS.get(mode, frozenset())
    if not fields or is_about_auth(body):
        return False
    return any(_first_name(error.get("param")) in fields and _code(error) in _UNFIT for error in _errors(body)) or any(
        name in fields for name in _refused_fields(body)
    )


def _errors(body: object) -> Iterator[Mapping[str, object]]:
    """The error object, wherever it is: the body itself, or under ``error``."""
    if isinstance(body, Mapping):
        yield body
        if isinstance(inner := body.get("error"), Mapping):
            yield inner


def _code(error: Mapping[str, object]) -> str:
    code = error.get("code")
    return "" if code is None else str(code).lower()


def _first_name(path: object) -> str:
    """``response_format`` of ``response_format.json_schema.schema``, ``tools`` of ``tools[0].function``."""
    found = _FIRST_NAME.match(path) if isinstance(path, str) else None
    return found.group() if found else ""


def _refused_fields(body: object) -> Iterator[str]:
    """Fields of the request that a ``detail`` list names, as FastAPI writes it: ``["body", "response_format", …]``."""
    details = body.get("detail") if isinstance(body, Mapping) else None
    for one in details if isinstance(details, list) else ():
        place = one.get("loc") if isinstance(one, Mapping) else None
        if isinstance(place, list) and len(place) > 1 and place[0] == "body" and isinstance(place[1], str):
            yield place[1]
