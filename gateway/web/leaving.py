"""When the caller leaves, the work stops: FastAPI does not cancel a handler by itself (fastapi issue 3766)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request

from gateway.errors import RequestError

T = TypeVar("T")


async def until_left(request: Request, work: Awaitable[T]) -> T:
    """Await `work`, and cancel it as soon as the client has closed the connection.

    The request's body must have been read already, so that the next message can only be the disconnect.
    """
    task = asyncio.ensure_future(work)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        return await task
    except asyncio.CancelledError:
        if not watcher.done():
            raise  # The server itself is stopping.
        msg = "the caller has left"
        raise RequestError(msg, code="caller_left") from None
    finally:
        watcher.cancel()
