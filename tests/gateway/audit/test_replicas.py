"""Several replicas write one log: on one SQLite file, and on one PostgreSQL server, as separate processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway.audit.commands import verify_state
from gateway.audit.log import AuditLog
from gateway.audit.rows import stored_rows
from gateway.audit.sinks import FolderSink
from gateway.errors import AuditUnavailableError
from gateway.store.schema import audit_entry, audit_head
from gateway.store.state import State
from tests.gateway.audit.samples import MASTER, question
from tests.servers.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]


def race(url: str, folder: Path, *, replicas: int, count: int) -> list[str]:
    """Start replicas at once on an empty database; returns every id that any was promised."""
    writers = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("race_writers.py")), url, str(folder), f"r{n}", str(count)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for n in range(replicas)
    ]  # fmt: skip
    promised: list[str] = []
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err[-2000:]
        promised += json.loads(out)
    return promised


def check_one_history(url: str, folder: Path, promised: list[str], count: int) -> None:
    state = State.open(url, MASTER)
    newest = sorted(folder.glob("*.checkpoint"))
    result = verify_state(state, newest)
    assert (result.ok, result.why, result.entries) == (True, "", count)
    assert (result.unfinished, result.proved) == (0, count)
    rows = list(stored_rows(state))
    assert [row.seq for row in rows] == list(range(count))
    assert set(promised) == {row.columns["id"] for row in rows if row.columns["kind"] == "intent"}
    tenants = {row.columns["tenant_h"] for row in rows}
    assert len(tenants) == 3, "both replicas agreed on one pseudonym for a tenant"
    state.close()


def test_processes_racing_on_one_sqlite_file_write_one_history(tmp_path: Path) -> None:
    """First use included: both make tables, keys and the log's name at the same time."""
    url, folder = f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "checkpoints"
    promised = race(url, folder, replicas=2, count=30)
    check_one_history(url, folder, promised, 2 * 30 * 2)


def database(server: PostgresServer, name: str) -> str:
    with server.admin() as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    return server.url("admin", database=name).replace("postgresql://", "postgresql+psycopg://")


@pytest.mark.server
def test_replicas_racing_on_postgresql_write_one_history(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Three replicas on one server, from the empty database on."""
    url, folder = database(postgres_server, "audit_race"), tmp_path / "checkpoints"
    promised = race(url, folder, replicas=3, count=25)
    check_one_history(url, folder, promised, 3 * 25 * 2)


@pytest.mark.server
async def test_change_on_postgresql_is_named(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """The verifier names the first bad index there too; a deleted one as well as a changed one."""
    url = database(postgres_server, "audit_change")
    state = State.open(url, MASTER)
    log = AuditLog.open(state, [FolderSink(tmp_path / "checkpoints")])
    for number in range(12):
        await log.intent(question(number))
    log.close()
    assert verify_state(state, []).ok
    with state.write() as connection:
        body = connection.execute(select(audit_entry.c.body).where(audit_entry.c.seq == 7)).scalar_one()
        changed = body.replace('"attempt":1', '"attempt":2')
        connection.execute(update(audit_entry).where(audit_entry.c.seq == 7).values(body=changed))
    assert verify_state(state, []).first_bad == 7
    with state.write() as connection:
        connection.execute(audit_entry.delete().where(audit_entry.c.seq == 3))
    assert verify_state(state, []).first_bad == 3
    state.close()


@pytest.mark.server
async def test_log_refuses_while_another_holds_the_head_for_too_long(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A replica that hangs with the lock makes the others refuse, not wait for ever."""
    url = database(postgres_server, "audit_hang")
    state = State.open(url, MASTER)
    log = AuditLog.open(state, [FolderSink(tmp_path / "checkpoints")], deadline_s=0.5)
    await log.intent(question())
    with state.write() as connection:
        connection.execute(select(audit_head).with_for_update())
        with pytest.raises(AuditUnavailableError):
            await log.intent(question(1))
    log.close()
    state.close()
