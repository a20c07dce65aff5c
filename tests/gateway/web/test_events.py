"""Progress of a question as server-sent events: what is told, what never is, and what stops when the caller leaves."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from gateway.config import HttpSettings, Settings
from gateway.llm.settings import LlmSettings
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.trace import STAGES
from gateway.web.app import create_app
from redaction.scan import ScanConfig, Scanner
from tests.servers.postgres import PostgresServer, postgres_server
from tests.simulator.chat_server import ChatServer, Fault, chat_server

__all__ = ["postgres_server"]
pytestmark = pytest.mark.loopback

ORIGIN = "https://app.example.com"
TOLD = {"stage", "state", "ms", "done", "of", "attempt"}
CHART = (
    '{"charts":[{"mark":"bar","table":"sales","measures":[{"aggregate":"count"}],'
    '"dimensions":[{"column":"sales.region"}]}]}'
)
CANARY = "marigold"


@dataclass
class Served:
    """A gateway that listens on loopback, and a token for it."""

    url: str
    token: str
    runtime: Runtime

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Origin": ORIGIN, **more}

    def events(self, question: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
        """All events of one question."""
        body = {"question": question, "svg": False, **more}
        with httpx2.stream("POST", self.url, json=body, headers=self.headers(), timeout=30) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            return list(parsed(answer.read().decode()))


def parsed(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events of a stream."""
    for block in text.split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@contextmanager
def served(project: Project, home: Path, **llm: Any) -> Iterator[Served]:
    """Serve a project on a free port, in a thread of its own."""
    settings = Settings(home=home, llm=LlmSettings(**llm), http=HttpSettings(allowed_origins=(ORIGIN,)))
    runtime = asyncio.run(Runtime.open(settings, project, scanner=Scanner(ScanConfig(model=None))))
    _, text = runtime.keys.create("test", scopes=frozenset({"sessions"}))
    key = runtime.keys.check(text, scope="sessions", origin=None)
    user = runtime.sessions.upsert_user(key, "own", "u1")
    _, token = runtime.sessions.create(key, user, datasource=project.sources[0].name, origin=ORIGIN)
    app = create_app(runtime, settings.http)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=3))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(url=f"http://127.0.0.1:{port}/v1/ask/events", token=token, runtime=runtime)
    finally:
        server.should_exit = True
        thread.join(10)


def model(server: ChatServer, **more: Any) -> dict[str, Any]:
    return {
        "planner": "openai", "base_url": server.base_url, "model": "m", "stream": True, "offline_fallback": False,
        "cache_entries": 0, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("events")
    rows = [f"{CANARY if i % 3 else 'south'},{i % 40}" for i in range(240)]
    (folder / "sales.csv").write_text("region,amount\n" + "\n".join(rows) + "\n")
    return Project.for_path(folder / "sales.csv")


@pytest.fixture(scope="module")
def offline(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(project, tmp_path_factory.mktemp("home")) as running:
        yield running


def test_every_stage_is_told_in_order_and_the_answer_comes_last(offline: Served) -> None:
    *steps, (last, answer) = offline.events("number of rows by region")
    assert last == "answer"
    assert answer["spec"]["table"] == "sales"
    assert answer["audit_id"]
    assert [told["stage"] for name, told in steps if told["state"] == "begun"] == list(STAGES)
    assert [told["stage"] for name, told in steps if told["state"] == "ended"] == list(STAGES)
    assert all(name == "step" for name, _ in steps)


def test_tables_of_a_first_summary_are_counted(project: Project, tmp_path: Path) -> None:
    """The first question of a scope waits for the summary: how far it is, is told; the second does not wait."""
    with served(project, tmp_path) as fresh:
        first, second = fresh.events("rows by region"), fresh.events("rows by region")
    counted = [told for _, told in first if told.get("of")]
    assert [(told["stage"], told["state"], told["done"], told["of"]) for told in counted] == [
        ("summarise", "working", 1, 1)
    ]
    assert not [told for _, told in second if told.get("of")]


def test_steps_are_counts_and_names_of_stages_only(project: Project, tmp_path: Path) -> None:
    """Neither the question, nor the reply, nor a row, nor a name of the schema is in any step."""
    words = CHART + " " * 3_000 + CANARY
    with chat_server(reply=lambda _: words) as server, served(project, tmp_path, **model(server)) as running:
        *steps, (last, _) = running.events(f"rows by region of {CANARY}")
    assert last == "answer"
    assert steps
    for _, told in steps:
        assert set(told) <= TOLD
        assert told["stage"] in STAGES
        assert told["state"] in ("begun", "working", "ended", "stopped")
        assert all(isinstance(told[name], int | float) for name in TOLD - {"stage", "state"} if name in told)
    assert CANARY not in json.dumps(steps)


def test_tokens_of_a_streamed_reply_grow(project: Project, tmp_path: Path) -> None:
    with chat_server(reply=lambda _: CHART) as server:
        server.faults = [Fault(drip_s=0.002)]
        with served(project, tmp_path, **model(server)) as running:
            events = running.events("rows by region")
    tokens = [told["done"] for _, told in events if told.get("state") == "working" and told["stage"] == "plan"]
    assert len(tokens) >= 3
    assert tokens == sorted(tokens)
    assert 20 < tokens[-1] < 80


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": ""}, 400, "question_empty"),
        ({"question": "profit margin by month"}, 422, "unanswerable"),
        ({"question": "rows", "context": CANARY}, 400, "context_invalid"),
    ],
)
def test_error_is_the_last_event_with_its_status_and_no_value(
    offline: Served, body: dict[str, Any], status: int, code: str
) -> None:
    *steps, (last, facts) = offline.events(**body)
    assert (last, facts["status"], facts["error"]["code"]) == ("error", status, code)
    assert set(facts["error"]) == {"code", "message", "request_id", "details"}
    assert CANARY not in json.dumps([steps, facts])


def test_bug_is_an_event_without_its_text(offline: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr("gateway.pipeline.mask", broken)
    *_, (last, facts) = offline.events("rows by region")
    assert (last, facts["status"], facts["error"]["code"]) == ("error", 500, "internal")
    assert CANARY not in json.dumps(facts)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no token"),
        pytest.param({"Authorization": "Bearer rws_wrong", "Origin": ORIGIN}, id="wrong token"),
        pytest.param({"Origin": "https://evil.example.com"}, id="another origin"),
    ],
)
def test_stream_does_not_begin_without_the_right(offline: Served, headers: dict[str, str]) -> None:
    """The same token checks and the same 401 as everywhere, as plain JSON, before the first event."""
    sent = headers if "Authorization" in headers or not headers else {**offline.headers(), **headers}
    answer = httpx2.post(offline.url, json={"question": "rows by region"}, headers=sent)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


def test_stream_carries_the_security_headers_and_is_not_stored(offline: Served) -> None:
    answer = httpx2.post(offline.url, json={"question": "rows by region"}, headers=offline.headers())
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers


def leave_after(running: Served, question: str, stage: str) -> float:
    """Read until a stage has begun, hang up, and return the time of it."""
    with httpx2.stream(
        "POST", running.url, json={"question": question}, headers=running.headers(), timeout=30
    ) as answer:
        seen = ""
        for piece in answer.iter_text():
            seen += piece
            if f'"stage": "{stage}", "state": "begun"' in seen:
                time.sleep(0.3)
                break
    return time.monotonic()


def test_model_call_is_closed_within_a_second_of_the_caller_leaving(project: Project, tmp_path: Path) -> None:
    """The endpoint drips its reply: its connection is cut when the caller's is, and the audit log says why."""
    with chat_server(reply=lambda _: CHART) as server, served(project, tmp_path, **model(server)) as running:
        server.faults = [Fault(drip_s=0.01, text=CHART * 50)]
        left_at = leave_after(running, "rows by region", "plan")
        while not server.cut and time.monotonic() - left_at < 3:
            time.sleep(0.01)
        assert server.cut
        assert server.cut[0] - left_at < 1
        assert running.events("rows by region")[-1][0] == "answer"


@pytest.mark.server
def test_database_query_is_gone_within_a_second_of_the_caller_leaving(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that waits for a lock is taken back on the server when the caller leaves."""
    with postgres_server.admin() as admin:
        for statement in (
            "DROP TABLE IF EXISTS sales",
            "DROP ROLE IF EXISTS events_reader",
            "CREATE TABLE sales (id int PRIMARY KEY, region text)",
            "INSERT INTO sales SELECT g, 'r' || g % 3 FROM generate_series(1, 500) g",
            "CREATE ROLE events_reader LOGIN PASSWORD 'secret'",
            "GRANT SELECT ON sales TO events_reader",
        ):
            admin.execute(statement)
    monkeypatch.setenv("EVENTS_URL", postgres_server.url("events_reader", database="postgres"))
    (tmp_path / "rowless.toml").write_text(
        '[[source]]\nname = "pg"\nurl_env = "EVENTS_URL"\n[source.tables.sales]\nshared = true\n'
    )

    def running_queries() -> int:
        with postgres_server.admin() as watcher:
            row = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'events_reader' AND state = 'active'"
            ).fetchone()
        return int(row[0]) if row else -1

    with served(Project.load(tmp_path), tmp_path / "home") as running:
        assert running.events("number of sales by region")[-1][0] == "answer"
        with postgres_server.admin() as blocker, blocker.transaction():
            blocker.execute("LOCK TABLE sales IN ACCESS EXCLUSIVE MODE")
            left_at = leave_after(running, "number of sales by region", "run")
            while running_queries() and time.monotonic() - left_at < 5:
                time.sleep(0.02)
            took = time.monotonic() - left_at
        assert took < 1
        assert running.events("number of sales by region")[-1][0] == "answer"
