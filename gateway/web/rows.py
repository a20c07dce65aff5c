"""The rows of an answer as an Arrow stream, for a client that asks for them with ``Accept``."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request, Response

from gateway.answer import Answer
from gateway.chart.arrow import MEDIA_TYPE, to_arrow

ARROW_RESPONSE: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
"""What the API description says of it."""


def wants_arrow(request: Request) -> bool:
    """Whether the caller names the Arrow stream among the media types it accepts; ``*/*`` is JSON."""
    accepted = ",".join(request.headers.getlist("accept"))
    return any(part.split(";", 1)[0].strip().lower() == MEDIA_TYPE for part in accepted.split(","))


def arrow_response(answer: Answer) -> Response:
    """The rows, with the sentence, the spec and the audit id in the schema's metadata."""
    facts = {
        "audit_id": answer.audit_id,
        "sentence": answer.sentence,
        "spec": answer.spec.model_dump(mode="json", exclude_defaults=True),
        "notes": list(answer.notes),
    }
    return Response(to_arrow(answer.result, facts=facts), media_type=MEDIA_TYPE)
