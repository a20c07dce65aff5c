"""One replica of many: reserves as fast as it can until the budget is spent, and prints what it was given."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

from gateway.errors import BudgetSpentError
from gateway.llm.accounts import Accounts, TokenLimits
from gateway.llm.attempt import AttemptInfo
from gateway.store.spend import StateLedger
from gateway.store.state import State
from gateway.types import Reply
from tests.gateway.audit.samples import MASTER

NOON = datetime(2026, 12, 31, 12, 0, 30, tzinfo=UTC)
LIMITS = TokenLimits(tokens_per_day=100_000, usd_per_month=10.0)
INFO = AttemptInfo(
    planner="p", model="m", host="h", mode="json", number=1, body=b"", prompt_tokens=700, most_output_tokens=300,
    prompt_usd=0.001, most_usd=0.01,
)  # fmt: skip


async def spend_all(url: str, tasks: int) -> tuple[int, int]:
    """Questions in parallel until each is refused; every second one answers with half of what was reserved."""
    state = State.open(url, MASTER)
    accounts = Accounts(limits=lambda _: LIMITS, ledger=StateLedger(state), clock=lambda: NOON)
    tokens = sends = 0
    # All replicas are opened before any of them begins.
    print("ready", flush=True)
    sys.stdin.readline()

    async def questions() -> None:
        nonlocal tokens, sends
        while True:
            try:
                async with accounts.spending("acme") as spend:
                    await spend.announce(INFO)
                    sends += 1
                    used = 500 if sends % 2 else 1_000
                    spend.settle(Reply(text="", model="m", tokens_in=used - 100, tokens_out=100, cost_usd=0.005))
                    tokens += used
            except BudgetSpentError:
                return

    await asyncio.gather(*(questions() for _ in range(tasks)))
    state.close()
    return tokens, sends


if __name__ == "__main__":
    print(json.dumps(asyncio.run(spend_all(sys.argv[1], int(sys.argv[2])))))
