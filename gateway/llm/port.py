"""The port of a planner (stage 7): something that reads a scanned prompt and answers with a chart spec as text."""

from __future__ import annotations

from typing import Protocol

from gateway.types import Reply
from redaction.scan import ScannedPrompt


class Planner(Protocol):
    """A model endpoint, or the offline planner. It takes only what a guard has read.

    Attributes:
        name: ``offline`` or the name of the endpoint, as written to the audit log.
        model: Name of the model; part of the answer cache's key.
        leaves: Whether the prompt leaves the process.
    """

    name: str
    model: str
    leaves: bool

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        """Answer the prompt with ChartSpec JSON.

        Raises:
            ModelError: The planner could not be reached, refused, or timed out.
        """
        ...
