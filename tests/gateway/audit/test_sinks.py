"""Promise A1: no prompt leaves and no query runs unless its intent is durable. Sinks full, read-only, slow and gone.

The whole gateway runs here, over a real file, with a model that counts; only disk and sinks are made to fail.
"""

from __future__ import annotations

import asyncio
import errno
import http.server
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from gateway.answer import Asker
from gateway.audit import exporter
from gateway.audit.log import AuditLog
from gateway.audit.sinks import FileSink, FolderSink, HttpSink, SinkError, read_notes
from gateway.config import Settings
from gateway.errors import AuditUnavailableError, ConfigError
from gateway.llm.offline.planner import OfflinePlanner
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.types import Reply
from redaction.scan import ScannedPrompt
from tests.gateway.audit.samples import ended, open_state, opened, question

pytestmark = pytest.mark.anyio


class CountingModel:
    """A model that counts what reaches it, and answers as the offline planner does."""

    name = "counting"
    model = "counting"
    leaves = True

    def __init__(self) -> None:
        self.calls = 0
        self._planner = OfflinePlanner()

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        """Count, and answer."""
        self.calls += 1
        return await self._planner.plan(prompt)


class BreakableSink:
    """A sink that takes checkpoints until it is told how to fail."""

    name = "breakable"

    def __init__(self) -> None:
        self.fault = ""
        self.taken: list[int] = []

    def put(self, size: int, note: str) -> None:
        """Take it, or fail as told."""
        if self.fault == "slow":
            time.sleep(0.4)
        elif self.fault:
            raise SinkError("the checkpoint sink 'breakable' does not take checkpoints")
        self.taken.append(size)

    def latest(self) -> str | None:
        """Unknown, as for an HTTP sink."""
        return None


Line = tuple[Runtime, CountingModel, BreakableSink, Asker]


@pytest.fixture
async def line(tmp_path: Path) -> object:
    data = tmp_path / "shop.csv"
    data.write_text("region,amount\n" + "".join(f"r{i % 3},{i}\n" for i in range(200)))
    model, sink = CountingModel(), BreakableSink()
    runtime = await Runtime.open(Settings(home=tmp_path / "home"), Project.for_path(data), planner=model, sinks=[sink])
    name = next(iter(runtime.gateway.sources))
    yield runtime, model, sink, Asker(source=name, tenant="owner")
    sink.fault = ""
    await runtime.close()


def break_database(runtime: Runtime, how: str) -> threading.Event:
    """Make every write to the state database fail or hang, as SQLite reports it, until the event is cleared."""
    faults = {"full": "database or disk is full", "read-only": "attempt to write a readonly database",
              "gone": "unable to open database file", "io": "disk I/O error"}  # fmt: skip

    broken = threading.Event()
    broken.set()

    def before(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if broken.is_set() and statement.startswith(("INSERT", "UPDATE")):
            if how == "slow":
                time.sleep(1.0)
                return
            raise sqlite3.OperationalError(faults[how])

    event.listen(runtime.state.engine, "before_cursor_execute", before)
    return broken


async def test_answered_question_reaches_the_model_once(
    line: Line,
) -> None:
    """The control: with a sound log the model is called, after the intent."""
    runtime, model, _, asker = line
    answer = await runtime.gateway.ask("sum of amount by region", asker)
    assert model.calls == 1
    assert answer.audit_id


@pytest.mark.parametrize("how", ["full", "read-only", "gone", "io"])
async def test_no_prompt_leaves_when_the_database_cannot_be_written(line: Line, how: str) -> None:
    """Refused with `audit_unavailable`, and the model was never called."""
    runtime, model, _, asker = line
    break_database(runtime, how)
    with pytest.raises(AuditUnavailableError) as caught:
        await runtime.gateway.ask("sum of amount by region", asker)
    assert (caught.value.code, caught.value.status) == ("audit_unavailable", 503)
    assert model.calls == 0


async def test_no_prompt_leaves_when_the_database_is_slow(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that does not answer within its deadline refuses."""
    runtime, model, _, asker = line
    await runtime.gateway.known(asker)
    monkeypatch.setattr(runtime.audit, "_deadline_s", 0.2)
    broken = break_database(runtime, "slow")
    with pytest.raises(AuditUnavailableError):
        await runtime.gateway.ask("sum of amount by region", asker)
    broken.clear()
    assert model.calls == 0


async def test_no_prompt_leaves_when_checkpoints_cannot_be_exported(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sink that is gone for longer than the lag allows stops the line; it goes on when the sink is back."""
    runtime, model, sink, asker = line
    monkeypatch.setattr(exporter, "_RETRY_S", 0.05)
    monkeypatch.setattr(runtime.audit._exporter, "_max_lag_s", 0.2)
    sink.fault = "gone"
    await runtime.gateway.ask("sum of amount by region", asker)
    runtime.audit.checkpoint()
    await asyncio.sleep(0.6)
    assert not runtime.audit.is_healthy
    with pytest.raises(AuditUnavailableError):
        await runtime.gateway.ask("sum of amount by region", asker)
    assert model.calls == 1
    sink.fault = ""
    await asyncio.sleep(0.5)
    assert runtime.audit.is_healthy
    await runtime.gateway.ask("sum of amount by region", asker)
    assert model.calls == 2


async def test_slow_sink_slows_no_question(tmp_path: Path) -> None:
    """Exporting is a thread of its own."""
    sink = BreakableSink()
    state = open_state(tmp_path)
    log = AuditLog.open(state, [sink], checkpoint_every=1)
    sink.fault = "slow"
    started = time.monotonic()
    for number in range(5):
        await log.outcome(await log.intent(question(number)), ended())
    assert time.monotonic() - started < 0.4 * 5
    sink.fault = ""
    log.close()
    state.close()
    assert sink.taken[-1] == 10


async def test_client_that_leaves_during_the_write_leaves_an_intent_and_an_outcome(
    line: Line,
) -> None:
    """A cancelled question is in the log as surely as an answered one."""
    from gateway.audit.reader import Filter, Reader

    runtime, _, _, asker = line
    await runtime.gateway.known(asker)
    task = asyncio.create_task(runtime.gateway.ask("sum of amount by region", asker))
    while not Reader(runtime.state).lines(Filter()):
        await asyncio.sleep(0.001)
        if task.done():
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = Reader(runtime.state).lines(Filter())
    assert len(found) >= 1
    assert all(one.decision != "unfinished" for one in found)


# Sinks by themselves.


def test_no_start_when_the_sink_is_read_only(tmp_path: Path) -> None:
    """A folder that is a file stands for a place that cannot be written, whoever runs the tests."""
    (tmp_path / "taken").write_text("x")
    state = open_state(tmp_path)
    for sink in (FolderSink(tmp_path / "taken" / "in"), FileSink(tmp_path / "taken" / "checkpoints")):
        with pytest.raises(AuditUnavailableError):
            AuditLog.open(state, [sink])
    state.close()


def test_one_failing_sink_of_two_is_enough_to_refuse(tmp_path: Path) -> None:
    """A sink that is configured is a sink that is needed."""
    state, broken = open_state(tmp_path), BreakableSink()
    broken.fault = "gone"
    with pytest.raises(AuditUnavailableError):
        AuditLog.open(state, [FileSink(tmp_path / "checkpoints"), broken])
    state.close()


def test_disk_full_in_the_middle_of_a_checkpoint_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-written checkpoint is a failed one, and is not read back."""
    import os

    sink = FileSink(tmp_path / "checkpoints")
    sink.put(1, "a\n1\nx\n\n— a b\n")
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:4]))
    with pytest.raises(SinkError):
        sink.put(2, "a\n2\nx\n\n— a b\n")
    monkeypatch.undo()
    assert sink.latest() == "a\n1\nx\n\n— a b\n"
    sink.put(3, "a\n3\nx\n\n— a b\n")
    assert "a\n1\nx\n\n— a b\n" in read_notes(tmp_path / "checkpoints")


def test_no_space_left_is_a_failed_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC, EIO and EACCES are one error, which names the sink and nothing else."""
    import os

    for code in (errno.ENOSPC, errno.EIO, errno.EACCES):

        def fail(*_args: object, code: int = code, **_more: object) -> int:
            raise OSError(code, "secret path")

        monkeypatch.setattr(os, "fsync", fail)
        for sink in (FileSink(tmp_path / "one"), FolderSink(tmp_path / "two")):
            with pytest.raises(SinkError) as caught:
                sink.put(1, "a\n1\nx\n\n— a b\n")
            assert "secret" not in str(caught.value)


def test_folder_keeps_one_file_a_checkpoint_and_never_changes_it(tmp_path: Path) -> None:
    """As an object store with versions locked."""
    sink = FolderSink(tmp_path / "objects")
    for size in (1, 100, 20):
        sink.put(size, f"note {size}\n")
    sink.put(100, "another\n")
    assert sink.latest() == "note 100\n"
    assert len(list((tmp_path / "objects").iterdir())) == 3


@contextmanager
def receiver(status: int, *, location: str = "") -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes checkpoints."""
    got: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            if location:
                self.send_header("location", location)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/checkpoints", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.loopback
def test_http_sink_posts_each_checkpoint(tmp_path: Path) -> None:
    """The log opens, exports, and the receiver holds the very note."""
    with receiver(201) as (url, got):
        state = open_state(tmp_path)
        log = AuditLog.open(state, [HttpSink(url, token="t")])
        asyncio.run(log.intent(question()))
        log.close()
        assert log.verifier.read(got[-1].decode()).size == 1
        state.close()


@pytest.mark.loopback
@pytest.mark.parametrize("status", [301, 307, 400, 403, 500, 507])
def test_http_sink_that_does_not_keep_it_refuses_the_start(tmp_path: Path, status: int) -> None:
    """Anything but 2xx, and a redirect above all: a checkpoint goes where it was told to, or nowhere."""
    with receiver(200) as (elsewhere, strayed), receiver(status, location=elsewhere) as (url, _):
        state = open_state(tmp_path)
        with pytest.raises(AuditUnavailableError):
            AuditLog.open(state, [HttpSink(url)])
        assert strayed == []
        state.close()


@pytest.mark.loopback
def test_http_sink_that_is_gone_refuses_the_start(tmp_path: Path) -> None:
    """Nobody listens there."""
    with receiver(200) as (url, _):
        pass
    state = open_state(tmp_path)
    with pytest.raises(AuditUnavailableError):
        AuditLog.open(state, [HttpSink(url, timeout_s=1)])
    state.close()


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "nowhere", ""])
def test_http_sink_takes_https_only(url: str) -> None:
    """Plain http is for loopback."""
    with pytest.raises(ConfigError):
        HttpSink(url)


def test_rolled_back_database_does_not_open(tmp_path: Path) -> None:
    """An old copy of the database put back under a newer exported checkpoint: no start, so no second history."""
    with opened(tmp_path) as (_, log):
        asyncio.run(log.intent(question()))
    old = (tmp_path / "state.db").read_bytes()
    with opened(tmp_path) as (_, log):
        asyncio.run(log.intent(question(1)))
    for left in tmp_path.glob("state.db-*"):
        left.unlink()
    (tmp_path / "state.db").write_bytes(old)
    with pytest.raises(AuditUnavailableError, match="rolled back"), opened(tmp_path):
        pass


def test_replaced_log_does_not_open(tmp_path: Path) -> None:
    """A fresh database under the checkpoints of another log is refused too."""
    with opened(tmp_path) as (_, log):
        asyncio.run(log.intent(question()))
    for left in tmp_path.glob("state.db*"):
        left.unlink()
    with pytest.raises(AuditUnavailableError), opened(tmp_path):
        pass
