"""The last code a prompt passes before it leaves, whatever the client library does above it.

This holds for every send:

- it goes to the one configured address or nowhere; a redirect is an error, not a second send;
- the body is the payload made from the scanned prompt, and nothing else; only known headers go with it;
- the audit hook has returned for exactly these bytes;
- the reply begins in time, is not compressed, and ends within its size.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import httpx2
from pydantic import SecretStr

from gateway.errors import GuardFailedError
from gateway.llm.failures import STAGE, UpstreamTimeoutError, redirected, reply_error


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for exactly one send: the payload that may go, and what to do just before."""

    payload: dict[str, object]
    announce: Callable[[bytes], Awaitable[None]]


@dataclass(slots=True)
class _Slot:
    permit: Permit | None


_PERMIT: Final[ContextVar[_Slot | None]] = ContextVar("rowless_permit", default=None)


@contextmanager
def permitting(permit: Permit) -> Iterator[None]:
    """Allow one send within this block."""
    token = _PERMIT.set(_Slot(permit))
    try:
        yield
    finally:
        _PERMIT.reset(token)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """A transport that sends one permitted payload per permit to one address.

    Args:
        inner: The transport that does the sending.
        endpoint: The full address of the chat completions call.
        api_key: Key of the endpoint, if it needs one.
        key_header: ``authorization`` (bearer) or ``api-key`` (Azure).
        first_byte_timeout_s: Seconds from sending until the reply's headers.
        max_reply_bytes: Most bytes of a reply.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        endpoint: httpx2.URL,
        api_key: SecretStr | None,
        key_header: str,
        first_byte_timeout_s: float,
        max_reply_bytes: int,
    ) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._api_key = api_key
        self._key_header = key_header
        self._first_byte_timeout_s = first_byte_timeout_s
        self._max_reply_bytes = max_reply_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check, announce, send, and bound the reply.

        Raises:
            GuardFailedError: There is no permit, or the request is not the permitted one. Nothing was sent.
            ModelError: The endpoint answered with a redirect, or with too much.
        """
        body = await request.aread()
        permit = self._take_permit(request, body)
        await permit.announce(body)
        outgoing = httpx2.Request(
            "POST", self._endpoint, headers=self._headers(request, body), content=body, extensions=request.extensions
        )
        try:
            async with asyncio.timeout(self._first_byte_timeout_s):
                response = await self._inner.handle_async_request(outgoing)
        except TimeoutError:
            raise UpstreamTimeoutError from None
        if 300 <= response.status_code < 400:
            await response.aclose()
            raise redirected(response.status_code)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise reply_error("reply_malformed", "the model endpoint compressed its answer unasked")
        stream = response.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            msg = "an async transport gave a stream that is not async"
            raise TypeError(msg)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_CappedStream(stream, self._max_reply_bytes),
            extensions=response.extensions,
        )

    def _take_permit(self, request: httpx2.Request, body: bytes) -> Permit:
        slot = _PERMIT.get()
        if slot is None or slot.permit is None:
            msg = "a request to a model was made without a permit"
            raise GuardFailedError(msg, code="send_not_permitted", stage=STAGE)
        permit, slot.permit = slot.permit, None
        if request.method != "POST" or request.url != self._endpoint or json.loads(body) != permit.payload:
            msg = "a request to a model is not the one that was permitted"
            raise GuardFailedError(msg, code="send_not_permitted", stage=STAGE)
        return permit

    def _headers(self, request: httpx2.Request, body: bytes) -> httpx2.Headers:
        # Built anew: the client library adds facts of this machine, and headers out of the environment.
        headers = {
            "host": request.headers["host"],
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "user-agent": "rowless",
        }
        if self._api_key is not None:
            secret = self._api_key.get_secret_value()
            headers[self._key_header] = f"Bearer {secret}" if self._key_header == "authorization" else secret
        return httpx2.Headers(headers)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._inner:
            read += len(chunk)
            if read > self._max_bytes:
                raise reply_error("reply_too_large", "the model's answer is larger than allowed")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
