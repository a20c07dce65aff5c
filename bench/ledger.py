"""What the shared ledger of model budgets adds to a question: one reservation and one settlement, warm.

python bench/ledger.py                                          an SQLite file in a temporary folder
python bench/ledger.py postgresql+psycopg://user:pw@host/db     a state database of its own on PostgreSQL

Prints the medians and 99th percentiles in milliseconds, alone and with eight questions at a time, beside one durable
commit of a single row (the peer: no ledger that survives a crash can be cheaper).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from gateway.llm.accounts import Accounts, TokenLimits
from gateway.llm.attempt import AttemptInfo
from gateway.store.seal import MasterKey
from gateway.store.spend import StateLedger
from gateway.store.state import State
from gateway.types import Reply

LIMITS = TokenLimits(tokens_per_minute=10**9, tokens_per_day=10**9, usd_per_month=10.0**6)
INFO = AttemptInfo(
    planner="p", model="m", host="h", mode="json", number=1, body=b"", prompt_tokens=2_000, most_output_tokens=4_000,
    prompt_usd=0.001, most_usd=0.01,
)  # fmt: skip
QUESTIONS = 400


async def one(accounts: Accounts, tenant: str) -> float:
    """Milliseconds of one question's bookkeeping."""
    started = time.perf_counter()
    async with accounts.spending(tenant) as spend:
        await spend.announce(INFO)
        spend.settle(Reply(text="", model="m", tokens_in=2_100, tokens_out=300, cost_usd=0.002))
    return (time.perf_counter() - started) * 1000


async def measure(ledger: StateLedger, at_once: int, tenants: int) -> list[float]:
    """Bookkeeping of many questions, so many at a time."""
    accounts = Accounts(limits=lambda _: LIMITS, ledger=ledger)
    found: list[float] = []
    for start in range(0, QUESTIONS, at_once):
        turn = (one(accounts, f"t{(start + i) % tenants}") for i in range(at_once))
        found += await asyncio.gather(*turn)
    return found[at_once:]


def commits(state: State) -> list[float]:
    """Milliseconds of one durable commit of one row."""
    found = []
    for turn in range(QUESTIONS):
        started = time.perf_counter()
        with state.write() as connection:
            connection.execute(text("UPDATE model_spend SET tokens = :n WHERE tenant = 't0'"), {"n": turn})
        found.append((time.perf_counter() - started) * 1000)
    return found


def say(name: str, found: list[float]) -> None:
    """One line of the table."""
    ordered = sorted(found)
    print(f"{name:<44} p50 {statistics.median(ordered):6.2f} ms   p99 {ordered[int(len(ordered) * 0.99)]:6.2f} ms")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'state.db'}"
        state = State.open(url, MasterKey.from_file(Path(folder) / "master.key", create=True))
        ledger = StateLedger(state)
        say("reserve and settle, one at a time", asyncio.run(measure(ledger, 1, 1)))
        say("eight at a time, eight tenants", asyncio.run(measure(ledger, 8, 8)))
        say("eight at a time, one tenant", asyncio.run(measure(ledger, 8, 1)))
        say("one durable commit of one row", commits(state))
        state.close()


if __name__ == "__main__":
    main()
