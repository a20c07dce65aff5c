"""Who is asking: the session behind a browser's token, or the API key behind a server's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from gateway.answer import Asker
from gateway.audit.entry import Event
from gateway.errors import AuthError
from gateway.runtime import Runtime
from gateway.tenancy.sessions import ApiKey, refused


def runtime_of(request: Request) -> Runtime:
    """The runtime of the app that serves this request."""
    runtime = request.app.state.runtime
    assert isinstance(runtime, Runtime)  # noqa: S101  (set by create_app)
    return runtime


def page_origin(request: Request) -> str | None:
    """The origin of the page that sent the request; a browser leaves the header out of its own page's GET."""
    origin = request.headers.get("origin")
    if origin is None and request.headers.get("sec-fetch-site") == "same-origin":
        return f"{request.url.scheme}://{request.url.netloc}"
    return origin


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise refused()
    return token.strip()


async def verified_asker(
    request: Request,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    authorization: Annotated[str | None, Header(description="`Bearer rws_…`: a session's token")] = None,
) -> Asker:
    """The asker behind a session's token, read from the database each time, so that a revocation holds at once."""
    try:
        session = await asyncio.to_thread(runtime.sessions.check, _bearer(authorization), origin=page_origin(request))
    except AuthError:
        await runtime.audit.event(Event(event="auth.failed", decision="refused", code="unauthorized"))
        raise
    return Asker(
        source=session.datasource,
        tenant=session.tenant,
        user=session.user.external_id,
        session=session.id,
        attributes=session.attributes,
        traceparent=request.headers.get("traceparent", ""),
    )


def verified_key(scope: str) -> Callable[..., Coroutine[Any, Any, ApiKey]]:
    """A dependency: the API key in the Authorization header, good for `scope`. Refused when a browser sent it."""

    async def check(
        request: Request,
        runtime: Annotated[Runtime, Depends(runtime_of)],
        authorization: Annotated[str | None, Header(description="`Bearer rwl_live_…`: an API key")] = None,
    ) -> ApiKey:
        try:
            return await asyncio.to_thread(
                runtime.keys.check, _bearer(authorization), scope=scope, origin=request.headers.get("origin")
            )
        except AuthError:
            await runtime.audit.event(Event(event="auth.failed", decision="refused", code="unauthorized"))
            raise

    return check
