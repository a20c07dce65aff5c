"""A real HTTP server on loopback that speaks the chat-completions protocol, with faults on demand.

Used by the model client's tests and, with a `reply` of the attacker's, by the leak tests: everything that reached it
is in `requests`, byte for byte.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLAN = '{"charts":[{"mark":"text","table":"orders","measures":[{"aggregate":"count"}]}]}'
"""A small, valid answer."""


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed = json.loads(self.body)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def mode(self) -> str:
        """How the reply was asked for."""
        kind = (self.json.get("response_format") or {}).get("type", "")
        if self.json.get("tools"):
            return "tool"
        return {"json_schema": "strict", "json_object": "json"}.get(kind, "text")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How one request is answered.

    Attributes:
        status: HTTP status.
        headers: Extra headers.
        body: Raw body; made from `text` if None.
        text: The model's words; the server's `reply` if None.
        before_s: Seconds of silence before the status line.
        cut_after: Close the connection after so many bytes of the body.
        drip_s: Seconds between two bytes of the body.
        fields: Merged into the choice, for example ``{"finish_reason": "length"}``.
        message: Merged into the message, for example ``{"refusal": "No."}``.
        usage: Whether the reply counts tokens.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    text: str | None = None
    before_s: float = 0.0
    cut_after: int | None = None
    drip_s: float = 0.0
    fields: dict[str, object] = field(default_factory=dict)
    message: dict[str, object] = field(default_factory=dict)
    usage: bool = True


@dataclass
class ChatServer:
    """The server's state, shared with the test.

    Attributes:
        reply: Makes the model's words from a request; anything, however hostile.
        faults: Answers of the next requests, first in, first out; then it answers normally.
        modes: Reply modes it supports; another is answered with 400, as real endpoints do.
        requests: Everything that came in.
        count: Tokens in and out that a reply is said to have taken.
        cut: Monotonic times at which a client was found to have left in the middle of an answer.
    """

    reply: Callable[[Received], str] = lambda _: PLAN
    faults: list[Fault] = field(default_factory=list)
    modes: tuple[str, ...] = ("strict", "json", "tool", "text")
    requests: list[Received] = field(default_factory=list)
    count: Callable[[Received], tuple[int, int]] = lambda _: (1000, 50)
    cut: list[float] = field(default_factory=list)
    origin: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        """What to configure as the endpoint."""
        return self.origin + "/v1"

    def sent(self) -> bytes:
        """All bytes of all bodies that came in, for a canary search."""
        return b"\n".join(request.body for request in self.requests)


def _completion(server: ChatServer, request: Received, fault: Fault) -> bytes:
    text = fault.text if fault.text is not None else server.reply(request)
    message: dict[str, object] = {"role": "assistant", "content": text}
    if request.mode == "tool" and "content" not in fault.message:
        call = {"id": "c1", "type": "function", "function": {"name": "answer", "arguments": text}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "stop", "message": {**message, **fault.message}, **fault.fields}
    body: dict[str, object] = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    if fault.usage:
        tokens_in, tokens_out = server.count(request)
        total = tokens_in + tokens_out
        body["usage"] = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": total}
    return json.dumps(body).encode()


def _events(server: ChatServer, request: Received, fault: Fault) -> bytes:
    text = fault.text if fault.text is not None else server.reply(request)
    pieces = [text[i : i + 50] for i in range(0, len(text), 50)]
    chunks: list[dict[str, object]] = []
    for piece in pieces:
        delta: dict[str, object] = {"content": piece}
        if request.mode == "tool":
            delta = {"tool_calls": [{"index": 0, "function": {"name": "answer", "arguments": piece}}]}
        chunks.append({"choices": [{"index": 0, "delta": {**delta, **fault.message}, "finish_reason": None}]})
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", **fault.fields}]})
    if fault.usage:
        tokens_in, tokens_out = server.count(request)
        chunks.append({"choices": [], "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}})
    base = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    lines = [f"data: {json.dumps({**base, **chunk})}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def _next_fault(server: ChatServer, request: Received) -> Fault:
    fault = server.faults.pop(0) if server.faults else Fault()
    if request.mode in server.modes:
        return fault
    # As real endpoints do, the refusal quotes what was sent, and names the field.
    field = "tools" if request.mode == "tool" else "response_format"
    said = {"message": f"unsupported: {request.body.decode()}", "type": "invalid_request_error", "param": field}
    error = {"error": {**said, "code": None}}
    return Fault(status=400, body=json.dumps(error).encode())


def _content(server: ChatServer, request: Received, fault: Fault) -> tuple[dict[str, str], bytes]:
    streamed = bool(request.json.get("stream")) and fault.status == 200 and fault.body is None
    content = fault.body
    if content is None:
        content = _events(server, request, fault) if streamed else _completion(server, request, fault)
    kind = "text/event-stream" if streamed else "application/json"
    return {"content-type": kind, "content-length": str(len(content)), **fault.headers}, content


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _answer(self, body: bytes) -> None:
            request = Received(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.requests.append(request)
            fault = _next_fault(server, request)
            server.stopping.wait(fault.before_s)
            headers, content = _content(server, request, fault)
            try:
                self._write(fault, headers, content)
            except OSError:
                server.cut.append(time.monotonic())
                self.close_connection = True

        def _write(self, fault: Fault, headers: dict[str, str], content: bytes) -> None:
            self.send_response(fault.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = self.close_connection or fault.cut_after is not None
            content = content[: fault.cut_after]
            step = 1 if fault.drip_s else len(content) or 1
            for start in range(0, len(content), step):
                if server.stopping.wait(fault.drip_s):
                    return
                self.wfile.write(content[start : start + step])
                self.wfile.flush()

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is part of the tests."""


@contextmanager
def chat_server(*, tls: ssl.SSLContext | None = None, **state: Any) -> Iterator[ChatServer]:
    """Run the server on a free port of 127.0.0.1.

    Args:
        tls: Serve https with this context.
        state: Fields of `ChatServer`.
    """
    server = ChatServer(**state)
    http = _Quiet(("127.0.0.1", 0), _handler(server))
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.origin = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        http.shutdown()
        http.server_close()
        thread.join(timeout=5)
        time.sleep(0)
