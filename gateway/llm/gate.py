"""A limit on concurrent calls to one endpoint, with a short queue in front of it and a refusal behind that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.llm.failures import model_error


class Gate:
    """Lets `slots` callers in at once; up to `waiting` more wait in order; the next is turned away at once.

    Turning away early costs nobody a token: nothing has been sent (SECURITY F, "shed before any LLM spend").
    """

    def __init__(self, *, slots: int, waiting: int) -> None:
        self._semaphore = asyncio.Semaphore(slots)
        self._room = slots + waiting
        self._inside = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a slot for the block.

        Raises:
            ModelError: ``model_busy``: the queue is full.
        """
        if self._inside >= self._room:
            raise model_error("model_busy", "too many questions wait for the model")
        self._inside += 1
        try:
            async with self._semaphore:
                yield
        finally:
            self._inside -= 1
