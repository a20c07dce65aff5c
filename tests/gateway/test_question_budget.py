"""A user's questions in an hour: counted before anything is done, for all replicas together."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.answer import Asker
from gateway.errors import BudgetSpentError, GuardFailedError
from gateway.llm.accounts import MemoryLedger
from gateway.question_budget import QuestionBudget
from gateway.store.seal import MasterKey
from gateway.store.spend import StateLedger
from gateway.store.state import State

ADA = Asker(source="shop", tenant="a", user="ada")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_as_many_as_the_hour_has_and_then_none() -> None:
    """Passes, refuses with the wait, and passes again in the next hour; another user has an hour of their own."""
    now = [at("2026-11-25T10:59:30")]
    budget = QuestionBudget(per_hour=2, clock=lambda: now[0])
    asyncio.run(budget.take(ADA))
    asyncio.run(budget.take(ADA))
    with pytest.raises(BudgetSpentError) as spent:
        asyncio.run(budget.take(ADA))
    assert (spent.value.status, spent.value.code) == (429, "questions_spent")
    assert spent.value.details["retry_after_s"] == 30
    asyncio.run(budget.take(Asker(source="shop", tenant="a", user="bob")))
    asyncio.run(budget.take(Asker(source="shop", tenant="b", user="ada")))
    now[0] = at("2026-11-25T11:00:00")
    asyncio.run(budget.take(ADA))


def test_two_replicas_count_together_and_no_user_is_named(tmp_path: Path) -> None:
    """One row for both; the state database holds a hash in place of the user."""
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"m" * 32))
    budgets = [QuestionBudget(per_hour=5, ledger=StateLedger(state)) for _ in range(2)]
    who = Asker(source="shop", tenant="canary-tenant", user="ada@lovelace.example")

    async def burst() -> list[object]:
        turns = (budgets[n % 2].take(who) for n in range(12))
        return list(await asyncio.gather(*turns, return_exceptions=True))

    outcomes = asyncio.run(burst())
    state.close()
    assert sum(outcome is None for outcome in outcomes) == 5
    assert all(outcome is None or isinstance(outcome, BudgetSpentError) for outcome in outcomes)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"ada@lovelace" not in raw
    assert b"canary-tenant" not in raw


def test_what_cannot_be_counted_is_not_answered(tmp_path: Path) -> None:
    """Cannot finish: the ledger is away."""
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"m" * 32))
    with state.write() as connection:
        connection.exec_driver_sql("DROP TABLE model_spend")
    with pytest.raises(GuardFailedError):
        asyncio.run(QuestionBudget(per_hour=5, ledger=StateLedger(state)).take(ADA))
    state.close()


def test_without_a_bound_the_ledger_is_not_asked() -> None:
    """Wrong order would be a write for every question that nobody wants counted."""
    ledger = MemoryLedger()
    asyncio.run(QuestionBudget(ledger=ledger).take(ADA))
    assert vars(ledger) == vars(MemoryLedger())


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(("u", "v", "")), st.integers(0, 3)), max_size=40),
    st.integers(1, 4),
)
def test_never_more_than_the_bound(asked: list[tuple[str, str, int]], most: int) -> None:
    """Of any order of questions in hours that only move forward, each user gets at most the bound in each."""
    hour = [0]
    budget = QuestionBudget(per_hour=most, clock=lambda: at(f"2026-11-25T{hour[0]:02d}:15:00"))
    told: dict[tuple[str, str, int], int] = {}
    for tenant, user, later in asked:
        hour[0] = min(23, hour[0] + (later == 3))
        try:
            asyncio.run(budget.take(Asker(source="s", tenant=tenant, user=user)))
        except BudgetSpentError:
            assert told[tenant, user, hour[0]] == most
            continue
        told[tenant, user, hour[0]] = told.get((tenant, user, hour[0]), 0) + 1
    assert all(count <= most for count in told.values())
