"""One replica of a race: ``python race_writers.py URL FOLDER NAME COUNT`` writes and prints the ids it was promised."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from gateway.audit.log import AuditLog
from gateway.audit.sinks import FolderSink
from gateway.store.state import State
from tests.gateway.audit.samples import MASTER, ended, question


async def race(log: AuditLog, name: str, count: int) -> list[str]:
    """Several questions at a time, each with its outcome."""

    async def one(number: int) -> str:
        entry_id = await log.intent(question(number, text=f"{name} {number}"))
        await log.outcome(entry_id, ended(number))
        return entry_id

    ids = []
    for start in range(0, count, 5):
        ids += await asyncio.gather(*(one(number) for number in range(start, min(start + 5, count))))
    return ids


def main(url: str, folder: str, name: str, count: int) -> None:
    """Open, race, close."""
    state = State.open(url, MASTER)
    log = AuditLog.open(state, [FolderSink(Path(folder))], checkpoint_every=10)
    ids = asyncio.run(race(log, name, count))
    log.close()
    state.close()
    print(json.dumps(ids))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
