"""How long an audit entry takes to become durable, and how long it takes to verify a log.

    python bench/audit.py [--quick] [--entries N] [--folder DIR]

Append: one caller waiting for each entry (the worst case: an fsync each), and 16 callers at once (group commit),
with a prompt of 12 kB in every intent; beside it, on the same disk in the same run, what the disk itself needs to write
and sync the same bytes, and the same JSON in a bare SQLite table. Then the same within the whole gateway, as the stage
`log` of a question. Verify: the standalone verifier over a log of N entries (a million unless --quick), beside one
SHA-256 over the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import resource
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gateway.audit import standalone_verify  # noqa: E402
from gateway.audit.entry import Intent, draft_intent  # noqa: E402
from gateway.audit.log import AuditLog, signer_of  # noqa: E402
from gateway.audit.merkle import Frontier, leaf_hash  # noqa: E402
from gateway.audit.numbers import quantile  # noqa: E402
from gateway.audit.sinks import FolderSink  # noqa: E402
from gateway.store.clock import from_iso  # noqa: E402
from gateway.store.seal import MasterKey  # noqa: E402
from gateway.store.state import State  # noqa: E402
from redaction.segments import Message, Segment, SegmentKind  # noqa: E402

PROMPT_BYTES = 12_000
CONTENT_BYTES = 512


def intent(number: int) -> Intent:
    """An intent with a prompt of the usual size."""
    text = ('status text ["new","paid"] null 5%\n' * (PROMPT_BYTES // 34))[:PROMPT_BYTES]
    return Intent(
        tenant=f"tenant-{number % 5}", user=f"user-{number % 50}", source="shop", question="revenue by month",
        messages=(Message(role="system", segments=(Segment(kind=SegmentKind.METADATA, text=text),)),),
        template="chart_spec", template_version="1", planner="offline", model="offline",
    )  # fmt: skip


def timed(count: int, act: Callable[[int], object]) -> list[float]:
    """Milliseconds of each of `count` calls."""
    times = []
    for number in range(count):
        started = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - started) * 1000)
    return times


def append_alone(folder: Path, count: int) -> tuple[list[float], float]:
    """Times of single appends, and appends a second with 16 callers."""
    state = State.open(f"sqlite:///{folder / 'state.db'}", MasterKey(secrets.token_bytes(32)))
    log = AuditLog.open(state, [FolderSink(folder / "checkpoints")])

    async def one_by_one() -> list[float]:
        times = []
        for number in range(count):
            started = time.perf_counter()
            await log.intent(intent(number))
            times.append((time.perf_counter() - started) * 1000)
        return times

    async def sixteen() -> float:
        async def caller(first: int) -> None:
            for number in range(first, count, 16):
                await log.intent(intent(number))

        started = time.perf_counter()
        await asyncio.gather(*(caller(first) for first in range(16)))
        return count / (time.perf_counter() - started)

    times = asyncio.run(one_by_one())
    rate = asyncio.run(sixteen())
    log.close()
    state.close()
    return times, rate


def disk_alone(folder: Path, count: int) -> list[float]:
    """Times of a write and fdatasync of as many bytes: what the disk needs."""
    data = draft_intent(intent(0)).content
    handle = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(_number: int) -> None:
        os.write(handle, data)
        os.fdatasync(handle)

    times = timed(count, write)
    os.close(handle)
    return times


def table_alone(folder: Path, count: int) -> list[float]:
    """Times of an insert of the same JSON into a bare SQLite table, as durable, with nothing sealed or hashed."""
    data = draft_intent(intent(0)).content.decode()
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE entry (body TEXT)"):
        connection.execute(statement)
    times = timed(count, lambda _number: connection.execute("INSERT INTO entry VALUES (?)", (data,)))
    connection.close()
    return times


async def in_the_line(folder: Path, count: int) -> list[float]:
    """Times of the stage `log` within whole questions."""
    from gateway.answer import Asker
    from gateway.config import Settings
    from gateway.project import Project
    from gateway.runtime import Runtime

    data = folder / "shop.csv"
    data.write_text("region,amount\n" + "".join(f"r{i % 3},{i}\n" for i in range(2_000)))
    runtime = await Runtime.open(Settings(home=folder / "home"), Project.for_path(data))
    asker = Asker(source=next(iter(runtime.gateway.sources)), tenant="owner")
    times = []
    for number in range(count + 3):
        answer = await runtime.gateway.ask("sum of amount by region", asker)
        if number >= 3:
            times += [stage.ms for stage in answer.explanation.stages if stage.name == "log"]
    await runtime.close()
    return times


def entries(state: State, count: int) -> tuple[str, Iterator[tuple[tuple[object, ...], tuple[object, ...]]]]:
    """Rows of a log of `count` entries, made as the writer makes them, and the signed checkpoints' notes at the end."""
    signer = signer_of(state)
    at = "2026-01-31T09:30:00.000000Z"
    at_us = from_iso(at)

    def make() -> Iterator[tuple[tuple[object, ...], tuple[object, ...]]]:
        for seq in range(count):
            is_intent = seq % 2 == 0
            entry_id = f"{seq:032x}"
            intent_id = None if is_intent else f"{seq - 1:032x}"
            kind, decision = ("intent", "") if is_intent else ("outcome", "answered")
            blob = hashlib.shake_128(entry_id.encode()).digest(CONTENT_BYTES)
            body = json.dumps(
                {
                    "actor_h": "a" * 32, "at": at, "content": {"bytes": CONTENT_BYTES, "key": "0" * 16,
                    "sha256": hashlib.sha256(blob).hexdigest()}, "decision": decision, "event": "question",
                    "facts": {"attempt": 1, "masked": {"email": 1}, "prompt_h": "b" * 32, "scan": {"clean": 9},
                              "scope_h": "c" * 32, "source": "shop", "tokens": 812, "ms": {"plan": 3.25, "run": 8.5}},
                    "id": entry_id, "intent_id": intent_id, "kind": kind, "kinds": ",email,", "log": signer.origin,
                    "model": "offline", "seq": seq, "template": "chart_spec@1", "tenant_h": "d" * 32,
                    "trace_id": "", "v": 1,
                },
                sort_keys=True, separators=(",", ":"),
            )  # fmt: skip
            leaf = leaf_hash(body.encode())
            row = (seq, entry_id, at_us, kind, intent_id, "d" * 32, "a" * 32, "question", decision, "chart_spec@1",
                   "offline", ",email,", body, leaf, signer.sign_entry(seq, leaf))  # fmt: skip
            yield row, (seq, "0" * 16, blob)

    return signer.verifier.text, make()


def build(folder: Path, count: int) -> tuple[Path, str]:
    """A log of `count` entries with a checkpoint every 100, as a real one has."""
    path = folder / "big.db"
    state = State.open(f"sqlite:///{path}", MasterKey(bytes(32)))
    key, rows = entries(state, count)
    signer, frontier, notes = signer_of(state), Frontier(), []
    state.close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("BEGIN")
    for row, content in rows:
        database.execute(f"INSERT INTO audit_entry VALUES ({','.join('?' * 15)})", row)
        database.execute("INSERT INTO audit_content VALUES (?, ?, ?)", content)
        frontier.append(row[13])  # type: ignore[arg-type]
        # One in a thousand, so that the time is that of entries, not of checking signatures in pure Python.
        if frontier.size % 1000 == 0 or frontier.size == count:
            notes.append((frontier.size, 0, signer.sign(frontier.size, frontier.root())))
    database.executemany("INSERT INTO audit_checkpoint (size, at_us, note) VALUES (?, ?, ?)", notes)
    database.execute("INSERT INTO audit_head VALUES (1, ?, ?)", (frontier.size, frontier.to_bytes()))
    database.execute("COMMIT")
    database.close()
    return path, key


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="under 45 seconds")
    parser.add_argument("--entries", type=int, default=0, help="entries to verify")
    parser.add_argument("--folder", type=Path, default=None, help="where to write; its disk is what is measured")
    arguments = parser.parse_args()
    count = 400 if arguments.quick else 3_000
    total = arguments.entries or (30_000 if arguments.quick else 1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="rowless-bench-", dir=arguments.folder))
    try:
        times, rate = append_alone(folder, count)
        disk, table = disk_alone(folder, count), table_alone(folder, count)
        line = asyncio.run(in_the_line(folder, 20 if arguments.quick else 300))
        print(f"\nappend, prompt of {PROMPT_BYTES:,} bytes, {count} times   p50 ms   p99 ms")
        for name, values in (
            ("write + fdatasync of the bytes", disk), ("bare SQLite table, synchronous=FULL", table),
            ("audit log: sealed, in the tree, durable", times), ("the same as stage `log` of a question", line),
        ):  # fmt: skip
            print(f"  {name:<46} {quantile(values, 0.5):>7.2f} {quantile(values, 0.99):>8.2f}")
        print(f"  16 callers at once: {rate:,.0f} entries a second")
        path, _ = build(folder, total)
        size = path.stat().st_size
        started, started_cpu = time.perf_counter(), time.process_time()
        own, notes, _ = standalone_verify.sqlite_notes(path)
        result = standalone_verify.verify(standalone_verify.sqlite_rows(path), own, notes)
        took, cpu = time.perf_counter() - started, time.process_time() - started_cpu
        if not result.ok:
            raise SystemExit(result.why)
        started = time.perf_counter()
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        plain = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nverify {total:,} entries, {size / 1e6:,.0f} MB, {result.checkpoints} checkpoints")
        print(f"  one SHA-256 over the file                      {plain:8.1f} s")
        print(f"  standalone verifier, contents included         {took:8.1f} s   of them {cpu:.1f} s of CPU")
        print(f"  peak memory of this process                    {peak:8.0f} MB")
        million = took / total * 1e6
        print(
            f"audit: append p50 {quantile(times, 0.5):.2f} ms, p99 {quantile(times, 0.99):.2f} ms with fsync;"
            f" verify {million:.0f} s per million entries"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
