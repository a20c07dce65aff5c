"""A small fake of the gateway's API behind the real page, and Debian's Chromium to look at it.

The fake draws real charts (from the gallery's specs and rows), serves the real static files under the real security
headers, and fails on demand. `test_page_demo.py` looks at the same page on the real gateway.
"""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gateway.chart.image import to_svg
from gateway.chart.render import render
from gateway.types import ResultTable
from gateway.web.headers import CONTENT_SECURITY_POLICY

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "gateway" / "web" / "static"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'


def _gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_pictures", ROOT / "docs" / "gallery" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["gallery_pictures"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


GALLERY = _gallery()
PICTURES = {picture.name: picture for picture in GALLERY.pictures()}


def answer(name: str, **changes: Any) -> dict[str, Any]:
    """The body of an answer, with a real chart in it."""
    picture = PICTURES[name]
    chart = render(picture.spec, picture.result, summary=GALLERY.SHOP, sentence=picture.sentence)
    result: ResultTable = picture.result
    prompt = [
        {
            "role": "system",
            "segments": [
                {"kind": "template", "text": "You plan charts.\n"},
                {"kind": "metadata", "text": "orders: about 1,000 rows\n"},
            ],
        },
        {"role": "user", "segments": [{"kind": "question", "text": "⟨v1: orders.status⟩ orders"}]},
    ]  # fmt: skip
    stages = ("scope", "summarise", "mask", "build", "scan", "log", "plan", "read", "compile", "prove", "run", "render")
    return {
        "audit_id": "7",
        "sentence": picture.sentence,
        "spec": picture.spec.model_dump(mode="json"),
        "vega_lite": chart.vega_lite,
        "svg": to_svg(chart),
        "table": {
            "columns": [
                {"field": c.field, "title": c.title, "type": c.type, "role": c.role, "format": c.format}
                for c in result.columns
            ],
            "rows": [list(row) for row in result.rows],
            "truncated": result.truncated,
        },
        "notes": [],
        "masked": [],
        "ambiguous": False,
        "alternatives": [],
        "context": f"context-{name}",
        "explain": {
            "masked_question": "⟨v1: orders.status⟩ orders by ⟨email:1⟩",
            "prompt": prompt,
            "reply": '{"charts": []}',
            "answered_by": "planner-small",
            "sends": 1,
            "statement": "SELECT 1 FROM s_orders WHERE tenant_id = $scope_1",
            "stages": [{"name": s, "ms": 0.4 * (i + 1), "says": f"stage {i + 1} done"} for i, s in enumerate(stages)],
        },
    } | changes


ERRORS = {
    "fail unanswerable": (422, "unanswerable", "this data has no: profit margin"),
    "fail refused": (403, "question_refused", "the question holds what must not be sent: SECRET"),
    "fail model": (502, "model_failed", "the model could not be reached"),
}


class FakeApi:
    """What the fake answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.tokens = 0
        self.expire_next = False
        self.hold = threading.Event()
        self.steps: list[dict[str, Any]] = [{"stage": "plan", "state": "begun"}]

    def reply(self, method: str, path: str, body: dict[str, Any], token: str) -> tuple[int, object]:
        """Status and body for a request."""
        if path == "/v1/demo":
            return 200, {"tenants": ["northwind", "lumen"], "questions": list(PICTURES)[:6]}
        if path.startswith("/v1/demo/session"):
            self.tokens += 1
            tenant = path.partition("tenant=")[2]
            return 200, {
                "token": f"t{self.tokens}-{tenant}",
                "session": "s",
                "expires_at": "",
                "tenant": tenant,
                "source": "demo",
            }
        if not token or self.expire_next:
            self.expire_next = False
            return 401, _error("unauthorized", "no valid session")
        if path == "/v1/summary":
            return 200, {"release": "ab" * 32, "summary": GALLERY.SHOP.model_dump(mode="json")}
        self.asked.append(body | {"token": token})
        if path == "/v1/run":
            return 200, answer(body["context"].removeprefix("context-"))
        question = body["question"]
        if question in ERRORS:
            status, code, message = ERRORS[question]
            return status, _error(code, message)
        if question == "slow":
            self.hold.wait(10)
        if question == "evil":
            return 200, evil_answer()
        if question == "which":
            other = PICTURES["line-series"]
            alternatives = [
                {
                    "sentence": other.sentence,
                    "spec": other.spec.model_dump(mode="json"),
                    "context": "context-line-series",
                }
            ]
            return 200, answer("line", ambiguous=True, alternatives=alternatives)
        if question == "offline":
            body = answer("line", masked=[{"placeholder": "v1", "kind": "value", "columns": ["orders.status"]}])
            body["explain"] |= {"answered_by": "offline-3", "sends": 0}
            return 200, body
        if question == "masked":
            masked = [
                {"placeholder": "v1", "kind": "value", "columns": ["orders.status"]},
                {"placeholder": "email:1", "kind": "EMAIL_ADDRESS", "columns": []},
            ]
            return 200, answer("bar-stacked", masked=masked, notes=["Read “last month” as October 2025."])
        return 200, answer(question if question in PICTURES else "line")


def evil_answer() -> dict[str, Any]:
    """An answer with markup in every place that a row, a model or a database could fill."""
    body = answer(
        "bar-horizontal", sentence=EVIL, notes=[EVIL], masked=[{"placeholder": EVIL, "kind": EVIL, "columns": [EVIL]}]
    )
    body["table"]["rows"] = [[EVIL, 1], ["=HYPERLINK(1)", -2]]
    body["explain"]["masked_question"] = EVIL
    body["explain"]["prompt"][0]["segments"][0]["text"] = EVIL
    body["explain"]["reply"] = EVIL
    body["explain"]["stages"][0]["says"] = EVIL
    body["svg"] = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="80" '
        'viewBox="0 0 200 80" onload="window.pwned=1"><script>window.pwned=1</script>'
        '<a xlink:href="javascript:window.pwned=1"><text x="5" y="20">link</text></a>'
        '<image href="/leak.png" width="9" height="9"/><foreignObject><body xmlns="http://www.w3.org/1999/xhtml">'
        '<img src="x" onerror="window.pwned=1"/></body></foreignObject>'
        '<rect width="50" height="20" style="background:url(/leak2.png)" fill="url(/leak3.svg#a)" '
        'onclick="window.pwned=1"/>'
        '<use href="/leak4.svg#b"/><text x="5" y="50">kept text</text></svg>'
    )
    return body


def _error(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "request_id": "5f0c1a2b3c4d5e6f", "details": {}}}


def _event(name: str, facts: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(facts, ensure_ascii=False)}\n\n".encode()


class Fake:
    """The fake, running."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.paths: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def _send(self, status: int, content: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(ancestors="'none'"))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    return

            def _handle(self, method: str) -> None:
                fake.paths.append(self.path)
                path = "/static/index.html" if self.path == "/" else self.path
                if path.startswith("/static/"):
                    file = STATIC / Path(path).name
                    if file.is_file():
                        self._send(200, file.read_bytes(), TYPES[file.suffix])
                    else:
                        self._send(404, b"", "text/plain")
                    return
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else {}
                token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                if path == "/v1/ask/events" and token and not fake.api.expire_next:
                    _stream(fake, self, body, token)
                    return
                status, reply = fake.api.reply(method, path, body, token)
                self._send(status, json.dumps(reply).encode(), "application/json")

            def do_GET(self) -> None:
                self._handle("GET")

            def do_POST(self) -> None:
                self._handle("POST")

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Stop it."""
        self.api.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def _stream(fake: Fake, handler: BaseHTTPRequestHandler, body: dict[str, Any], token: str) -> None:
    """Steps, then the answer or the error, as the gateway sends them."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(ancestors="'none'"))
    handler.end_headers()
    try:
        for step in fake.api.steps:
            handler.wfile.write(b": still at work\n\n" + _event("step", step))
        status, reply = fake.api.reply("POST", "/v1/ask", body, token)
        if body["question"] == "lost":
            return
        assert isinstance(reply, dict)
        text = _event("answer", reply) if status == 200 else _event("error", {"status": status, **reply})
        # In two pieces, cut within a character, as a network may.
        cut = next((i for i, byte in enumerate(text) if byte > 0xE0), 9) + 1
        handler.wfile.write(text[:cut])
        handler.wfile.flush()
        handler.wfile.write(text[cut:])
    except (BrokenPipeError, ConnectionResetError):
        return


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fresh fake for each test."""
    made = Fake()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; a machine without it skips, unless the tests say that it must be there."""
    if not CHROMIUM.exists():
        if "browser" in os.environ.get("ROWLESS_TEST_REQUIRE", ""):
            pytest.fail("chromium is required and missing")
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """Open a page: `visit(url, width=…, dark=…)`. Fails the test if the page logged an error or broke its policy."""
    contexts: list[Any] = []
    problems: list[str] = []

    def open_page(url: str, *, width: int = 1100, height: int = 900, dark: bool = False, quiet: bool = True) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
            has_touch=width < 600,
        )
        contexts.append(context)
        page = context.new_page()
        if quiet:
            page.on(
                "console",
                lambda m: (
                    problems.append(m.text)
                    if m.type == "error" and "status of 4" not in m.text and "status of 5" not in m.text
                    else None
                ),
            )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        page.wait_for_selector("#send:not([disabled])")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
