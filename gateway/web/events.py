"""A question whose progress is sent while it is worked on: server-sent events, the answer or the error as the last.

Progress is `gateway.trace.Step`: names of stages and counts. When the caller leaves, the work is cancelled: the call to
the model is closed, and the database is told to stop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.trace import OnStep, Step
from gateway.web.errors import BUG, error_facts
from gateway.web.models import AnswerBody
from gateway.web.unforeseen import note

KEEP_ALIVE_S: Final = 10.0
"""Seconds of silence after which a comment is sent, so that no proxy on the way takes the line for dead."""

MEDIA_TYPE: Final = "text/event-stream"

Work = Callable[[OnStep], Awaitable[AnswerBody]]


class EventStream(Response):
    """Does some work and tells how far it is: events ``step``, then one ``answer`` or one ``error``.

    The request's body must have been read already, so that the next message can only be the disconnect.

    Args:
        work: What to do; given the function that it tells its steps to.
        request_id: Shown in an error.
    """

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, work: Work, *, request_id: str) -> None:
        # A proxy that collects a response before it passes it on would show no progress.
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._work = work
        self._request_id = request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of ASGI
        """Serve the stream."""
        loop = asyncio.get_running_loop()
        steps: asyncio.Queue[Step | None] = asyncio.Queue()

        def tell(step: Step) -> None:
            # Steps come from worker threads too, of which one can outlast a server that stops.
            if not loop.is_closed():
                loop.call_soon_threadsafe(steps.put_nowait, step)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            task.cancel()

        task = asyncio.ensure_future(self._work(tell))
        task.add_done_callback(lambda _: steps.put_nowait(None))
        watcher = asyncio.create_task(watch())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._pass_on(steps, send)
            last = await self._last(task)
            await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            watcher.cancel()
            task.cancel()
            # Until the outcome is in the audit log.
            await asyncio.gather(task, return_exceptions=True)

    async def _pass_on(self, steps: asyncio.Queue[Step | None], send: Send) -> None:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    step = await steps.get()
            except TimeoutError:
                body = b": still at work\n\n"
            else:
                if step is None:
                    return
                body = event("step", json.dumps(step_facts(step)))
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _last(self, task: asyncio.Future[AnswerBody]) -> bytes:
        try:
            return event("answer", (await task).model_dump_json())
        except GatewayError as error:
            facts = error_facts(self._request_id, error.code, error.message, error.details)
            return event("error", json.dumps({"status": error.status, **facts}))
        except asyncio.CancelledError:
            if not task.cancelled():
                raise  # The server itself is stopping.
            return b""  # The caller has left: nobody reads this.
        except Exception as error:  # noqa: BLE001 - the text of an unforeseen error may quote anything
            note(self._request_id, error)
            return event("error", json.dumps({"status": 500, **error_facts(self._request_id, "internal", BUG)}))


def step_facts(step: Step) -> dict[str, object]:
    """A step as the facts that are sent; what says nothing is left out."""
    facts: dict[str, object] = {"stage": step.stage, "state": step.state}
    if step.state in ("ended", "stopped"):
        facts["ms"] = step.ms
    counts = {"done": step.done, "of": step.of, "attempt": step.attempt}
    return facts | {name: number for name, number in counts.items() if number}


def event(name: str, data: str) -> bytes:
    """One server-sent event (WHATWG HTML, 9.2) of JSON text, which has no line break: one ``data`` line."""
    return f"event: {name}\ndata: {data}\n\n".encode()
