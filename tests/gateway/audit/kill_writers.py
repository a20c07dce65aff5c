"""Kills log writers at random moments, and checks after each that no acknowledged entry is lost.

Run as a program: ``python kill_writers.py FOLDER RUNS SEED``. It forks writers that answer for each durable entry on a
pipe, ends each with SIGKILL after a random time, and opens the log again. Prints one line of JSON with what it saw.
A kill does not test a power cut, as the kernel keeps what was written: `test_disk.py` does that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select as io_select
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from gateway.audit import standalone_verify
from gateway.audit.sinks import read_notes
from tests.gateway.audit.samples import ended, opened, question


def write_for_ever(folder: Path, pipe: int) -> None:
    """Write from several tasks at once, so that batches of more than one entry are killed too."""

    async def one(log, task: int) -> None:  # type: ignore[no-untyped-def]
        number = task
        while True:
            entry_id = await log.intent(question(number))
            os.write(pipe, f"i {entry_id}\n".encode())
            await log.outcome(entry_id, ended(number))
            os.write(pipe, f"o {entry_id}\n".encode())
            number += 7

    async def all_of_them(log) -> None:  # type: ignore[no-untyped-def]
        await asyncio.gather(*(one(log, task) for task in range(4)))

    with opened(folder) as (_, log):
        asyncio.run(all_of_them(log))


def killed(folder: Path, after_s: float) -> list[str]:
    """Fork a writer, kill it `after_s` after its first acknowledgement; returns what it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write_for_ever(folder, writing)
        finally:
            os._exit(1)
    os.close(writing)
    # Some are killed while they open the log, most while they write.
    io_select.select([reading], [], [], 5.0 if after_s >= 0 else 0.0)
    time.sleep(abs(after_s))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    text = b""
    while piece := os.read(reading, 1 << 16):
        text += piece
    os.close(reading)
    return text.decode().rpartition("\n")[0].splitlines()


def stored(folder: Path) -> tuple[set[str], set[str]]:
    """Ids of the intents in the log, and of the intents that have an outcome."""
    path = folder / "state.db"
    with closing(sqlite3.connect(path)) as database:
        if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise SystemExit("the database is damaged")
        rows = database.execute("SELECT kind, id, intent_id FROM audit_entry").fetchall()
    return {r[1] for r in rows if r[0] == "intent"}, {r[2] for r in rows if r[0] == "outcome"}


def verified(folder: Path) -> standalone_verify.Result:
    """The whole log against its own and its exported checkpoints."""
    path = folder / "state.db"
    key, notes, _ = standalone_verify.sqlite_notes(path)
    return standalone_verify.verify(
        standalone_verify.sqlite_rows(path), key, [*notes, *read_notes(folder / "checkpoints")][-3:]
    )


def main(folder: Path, runs: int, seed: int) -> dict[str, object]:
    """Kill `runs` writers, in a fresh log every 50."""
    randomly = random.Random(seed)
    lost, acknowledged, bad = 0, 0, []
    for run in range(runs):
        home = folder / f"log-{run // 50}"
        home.mkdir(exist_ok=True)
        lines = killed(home, randomly.uniform(-0.15, 0.08))
        acknowledged += len(lines)
        if not (home / "state.db").exists():
            continue
        try:
            intents, outcomes = stored(home)
        except sqlite3.OperationalError:
            intents, outcomes = set(), set()  # Killed before there were tables.
        lost += sum(line[2:] not in (intents if line[0] == "i" else outcomes) for line in lines)
        if run % 10 == 9 or run == runs - 1:
            with opened(home):
                pass
            result = verified(home)
            if not result.ok:
                bad.append(f"run {run}: {result.why}")
    return {"runs": runs, "acknowledged": acknowledged, "lost": lost, "bad": bad}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
