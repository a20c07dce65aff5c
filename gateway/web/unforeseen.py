"""What happens to an error that nobody foresaw: one 500 without its text, and one log line without its text.

An exception's message, and the values in its frames, may quote a question, a key or a cell (docs/security-model.md,
leak channels). So the log says which request it was, the kinds of error in the chain, and where each was raised; and
the server around the app, which would print the whole traceback, is not shown the error at all.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.errors import BUG, error_facts, id_of

LOGGER: Final = "rowless"


class SafeFormatter(logging.Formatter):
    """A log line whose traceback is names of errors and places in code; never a message, never a line of source."""

    def formatException(  # noqa: N802  (the library's name)
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Places of an error and of those it came from, the latest first."""
        return "\n".join(places(ei[1])) if ei[1] is not None else ""


def places(error: BaseException) -> list[str]:
    """One line an error of the chain, and one a frame of it: module file, line and function."""
    lines: list[str] = []
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        lines.append(f"{type(found).__module__}.{type(found).__qualname__}")
        frames = traceback.extract_tb(found.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        found = found.__cause__ or found.__context__
    return lines


LOG_CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"safe": {"()": SafeFormatter, "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "safe", "stream": "ext://sys.stderr"}},
    "loggers": {
        name: {"handlers": ["stderr"], "level": "WARNING", "propagate": False}
        for name in (LOGGER, "uvicorn", "uvicorn.error", "asyncio")
    },
}
"""Logging of a serving process (`logging.config.dictConfig`)."""


def note(request: str, error: BaseException) -> None:
    """Write down an unforeseen error under its request's id."""
    logging.getLogger(LOGGER).error("request %s: unforeseen error", request, exc_info=error)


class Unforeseen:
    """ASGI middleware, inside the one that sets headers.

    Args:
        app: The app to wrap.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. What it raises is logged and, if nothing was sent yet, answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - the last place where its text can be kept from the log
            request = id_of(scope)
            note(request, error)
            if started:
                # Half an answer must not look whole; the server closes the connection.
                raise RuntimeError("the response was cut") from None
            await JSONResponse(error_facts(request, "internal", BUG), status_code=500)(scope, receive, send)
