"""The shared ledger of model budgets: replicas together never overspend, and nothing is sent while it is away."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.errors import GuardFailedError
from gateway.llm.accounts import Budget, Ledger, MemoryLedger, PeriodSpentError, Spent
from gateway.store.spend import StateLedger
from gateway.store.state import State
from tests.gateway.audit.samples import MASTER
from tests.gateway.store.spenders import LIMITS
from tests.servers.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]
ROOT = Path(__file__).parents[3]
DAY = Budget(kind="day", period="2026-12-31", tokens=1_000)
MONTH = Budget(kind="month", period="2026-12", usd=1.0)


def opened(tmp_path: Path) -> tuple[State, StateLedger]:
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MASTER)
    return state, StateLedger(state)


def race(url: str, replicas: int) -> list[tuple[int, int]]:
    """Processes that spend at once: (tokens, sends) of each."""
    State.open(url, MASTER).close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.store.spenders", url, "8"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(replicas)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    found = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err[-2000:]
        found.append(tuple(json.loads(out)))
    return found


def check_race(url: str, found: list[tuple[int, int]]) -> None:
    """All of the budget, and not a token more, was given out; the row agrees with what the replicas took."""
    state = State.open(url, MASTER)
    period, kept = StateLedger(state).spent("acme", "day")
    state.close()
    tokens = sum(one for one, _ in found)
    assert period == "2026-12-31"
    assert kept.tokens == tokens
    assert LIMITS.tokens_per_day is not None
    assert LIMITS.tokens_per_day - 1_000 < tokens <= LIMITS.tokens_per_day
    assert all(sends > 0 for _, sends in found), "every replica took part"


@pytest.mark.server
@pytest.mark.loopback
def test_replicas_on_postgresql_spend_the_budget_once(postgres_server: PostgresServer) -> None:
    """Two processes of eight questions at a time, on one server."""
    with postgres_server.admin() as admin:
        admin.execute("CREATE DATABASE spend")
    url = f"postgresql+psycopg://admin:secret@127.0.0.1:{postgres_server.port}/spend"
    check_race(url, race(url, 2))


def test_replicas_on_one_sqlite_file_spend_the_budget_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    check_race(url, race(url, 2))


def test_reservation_that_does_not_fit_one_budget_is_booked_on_none(tmp_path: Path) -> None:
    """The day would have room; the month has not: the day is as it was. And the first row is held to its limit too."""
    state, ledger = opened(tmp_path)

    async def run() -> None:
        assert await ledger.reserve("t", (MONTH, DAY), Spent(100, 0.6)) == ("2026-12", "2026-12-31")
        with pytest.raises(PeriodSpentError) as caught:
            await ledger.reserve("t", (DAY, MONTH), Spent(100, 0.6))
        assert caught.value.kind == "month"
        with pytest.raises(PeriodSpentError):
            await ledger.reserve("new", (DAY,), Spent(1_001, 0.0))

    asyncio.run(run())
    assert ledger.spent("t", "day") == ("2026-12-31", Spent(100, 0.0 + 0.6))
    assert ledger.spent("new", "day") == ("", Spent())
    state.close()


def test_period_only_moves_forward(tmp_path: Path) -> None:
    """A replica whose clock is behind books in the later day; a day that is over takes no more corrections."""
    state, ledger = opened(tmp_path)
    tomorrow = Budget(kind="day", period="2027-01-01", tokens=1_000)

    async def run() -> None:
        await ledger.reserve("t", (DAY,), Spent(900, 0.0))
        assert await ledger.reserve("t", (tomorrow,), Spent(900, 0.0)) == ("2027-01-01",)
        assert await ledger.reserve("t", (DAY,), Spent(100, 0.0)) == ("2027-01-01",)
        with pytest.raises(PeriodSpentError):
            await ledger.reserve("t", (DAY,), Spent(1, 0.0))
        await ledger.correct("t", (("day", "2026-12-31"),), Spent(-900, 0.0))
        assert ledger.spent("t", "day") == ("2027-01-01", Spent(1_000, 0.0))
        await ledger.correct("t", (("day", "2027-01-01"),), Spent(-100, 0.0))
        assert ledger.spent("t", "day") == ("2027-01-01", Spent(900, 0.0))

    asyncio.run(run())
    state.close()


def test_ledger_that_is_away_is_an_error_without_the_database_s_words(tmp_path: Path) -> None:
    """Cannot finish: a closed code, no tenant and no address in it."""
    state, ledger = opened(tmp_path)
    with state.write() as connection:
        connection.execute(text("DROP TABLE model_spend"))
    for call in (ledger.reserve("canary", (DAY,), Spent(1, 0.0)), ledger.correct("canary", (("day", "x"),), Spent(1))):
        with pytest.raises(GuardFailedError) as caught:
            asyncio.run(call)  # type: ignore[arg-type]
        assert caught.value.code == "ledger_unavailable"
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None
    state.close()


Act = tuple[str, int, int, int]
ACTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(0, 600), st.integers(0, 600)), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS)
def test_database_and_memory_book_alike(acts: list[Act], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any reservations and corrections: the same are let through, the same is booked, and never more than the limit."""
    state, shared = opened(tmp_path_factory.mktemp("spend"))
    memory = MemoryLedger()

    async def reserve(ledger: Ledger, act: Act) -> object:
        tenant, day, most, took = act
        budgets = (Budget(kind="day", period=f"2026-12-0{day + 1}", tokens=1_000), MONTH)
        try:
            periods = await ledger.reserve(tenant, budgets, Spent(most, 0.0))
        except PeriodSpentError as spent:
            return spent.kind
        await ledger.correct(tenant, tuple(zip(("day", "month"), periods, strict=True)), Spent(min(took, most) - most))
        return periods

    async def run() -> None:
        for act in acts:
            assert await reserve(shared, act) == await reserve(memory, act)
            assert shared.spent(act[0], "day")[1] == memory.spent(act[0], "day")
            assert memory.spent(act[0], "day").tokens <= 1_000

    try:
        asyncio.run(run())
    finally:
        state.close()
