"""Budgets stop before the spend; the cache's key holds all that a reply depends on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BudgetSpentError, GuardFailedError
from gateway.llm.accounts import Accounts, Budget, MemoryLedger, Spent, TokenLimits
from gateway.llm.attempt import AttemptInfo
from gateway.llm.cache import AnswerCache, answer_key, keepable
from gateway.types import Reply

NOON = datetime(2026, 12, 31, 12, 0, 30, tzinfo=UTC)


class Time:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        """Return the present."""
        return self.at


def accounts(**limits: object) -> tuple[Accounts, Time]:
    time = Time()
    return Accounts(limits=lambda _: TokenLimits(**limits), clock=time), time  # type: ignore[arg-type]


def kept(account: Accounts, tenant: str = "t", kind: str = "day") -> Spent:
    """What the ledger has booked."""
    assert isinstance(account.ledger, MemoryLedger)
    return account.ledger.spent(tenant, kind)


def info(prompt: int, output: int = 0, usd: float = 0.0) -> AttemptInfo:
    return AttemptInfo(
        planner="p", model="m", host="h", mode="strict", number=1, body=b"x", prompt_tokens=prompt,
        most_output_tokens=output, prompt_usd=usd / 2, most_usd=usd,
    )  # fmt: skip


async def spend(account: Accounts, tenant: str = "t", tokens: int = 100, cost: float = 0.0) -> None:
    """One question that takes `tokens`, a tenth of them the answer, and all that was reserved for it."""
    prompt = tokens * 9 // 10
    async with account.spending(tenant) as spending:
        await spending.announce(info(prompt, tokens - prompt, cost))
        spending.settle(Reply(text="", model="m", tokens_in=prompt, tokens_out=tokens - prompt, cost_usd=cost))


def test_day_budget_is_spent_and_is_new_tomorrow() -> None:
    """The eleventh hundred of a thousand is refused until midnight UTC; another tenant is not touched."""
    account, time = accounts(tokens_per_day=1_000)

    async def run() -> None:
        for _ in range(10):
            await spend(account)
        with pytest.raises(BudgetSpentError) as caught:
            await spend(account)
        assert caught.value.status == 429
        assert caught.value.details == {"period": "day", "retry_after_s": 11 * 3600 + 59 * 60 + 30}
        await spend(account, "other")
        time.at += timedelta(days=1)
        await spend(account)

    asyncio.run(run())


def test_minute_and_month_budgets() -> None:
    """The minute says to wait seconds; the money of a month says to wait for the next, over the year's end too."""
    account, time = accounts(tokens_per_minute=150, usd_per_month=1.0)

    async def run() -> None:
        await spend(account, cost=0.6)
        with pytest.raises(BudgetSpentError) as caught:
            await spend(account)
        assert caught.value.details == {"period": "minute", "retry_after_s": 30}
        time.at += timedelta(minutes=1)
        with pytest.raises(BudgetSpentError) as caught:
            await spend(account, cost=0.6)
        assert caught.value.details == {"period": "month", "retry_after_s": 12 * 3600 - 90}
        await spend(account, cost=0.4)

    asyncio.run(run())


def test_burst_cannot_overdraw() -> None:
    """Fifty at once on a budget for ten: ten pass, whatever the order."""
    account, _ = accounts(tokens_per_day=1_000)

    async def question() -> bool:
        try:
            async with account.spending("t") as spending:
                await asyncio.sleep(0.001)
                await spending.announce(info(100))
                await asyncio.sleep(0.005)
        except BudgetSpentError:
            return False
        return True

    async def run() -> None:
        passed = await asyncio.gather(*(question() for _ in range(50)))
        assert sum(passed) == 10
        assert kept(account).tokens == 1_000

    asyncio.run(run())


def test_failed_and_cancelled_calls_cost_what_was_sent() -> None:
    """Two sends announced, no answer: both prompts are booked, and the rest of each reserve is given back."""
    account, _ = accounts(tokens_per_day=1_000, usd_per_month=1.0)

    async def run() -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with account.spending("t") as spending:
                await spending.announce(info(90, 200, 0.2))
                await spending.announce(info(90, 200, 0.2))
                assert kept(account) == Spent(580, 0.4)
                raise ZeroDivisionError
        assert kept(account).tokens == 180
        assert kept(account, kind="month").usd == pytest.approx(0.2)

    asyncio.run(run())


def test_second_send_that_does_not_fit_is_not_sent() -> None:
    """Each retry and fall-back reserves for itself: a failing endpoint cannot take a tenant over its budget."""
    account, _ = accounts(tokens_per_day=500)

    async def run() -> None:
        async with account.spending("t") as spending:
            await spending.announce(info(90, 200))
            with pytest.raises(BudgetSpentError):
                await spending.announce(info(90, 300))
        assert kept(account).tokens == 90

    asyncio.run(run())


def test_cancelled_question_gives_its_reserve_back() -> None:
    """The caller leaves in the middle of the call."""
    account, _ = accounts(tokens_per_day=1_000)

    async def question() -> None:
        async with account.spending("t") as spending:
            await spending.announce(info(90, 200))
            await asyncio.sleep(10)

    async def run() -> None:
        task = asyncio.create_task(question())
        await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert kept(account).tokens == 90

    asyncio.run(run())


class Away(MemoryLedger):
    """A ledger that is away when asked to."""

    def __init__(self, *, reserve: bool = False, correct: bool = False) -> None:
        super().__init__()
        self.down = {"reserve": reserve, "correct": correct}

    async def reserve(self, tenant: str, budgets: Sequence[Budget], most: Spent) -> tuple[str, ...]:
        if self.down["reserve"]:
            raise GuardFailedError("away")
        return await super().reserve(tenant, budgets, most)

    async def correct(self, tenant: str, booked: Sequence[tuple[str, str]], change: Spent) -> None:
        if self.down["correct"]:
            raise GuardFailedError("away")
        await super().correct(tenant, booked, change)


def test_ledger_that_is_away_lets_nothing_be_sent() -> None:
    """Cannot finish: refused, and a hook that was to run before it has run, none after."""
    account, _ = accounts(tokens_per_day=1_000)
    account.ledger = Away(reserve=True)
    with pytest.raises(GuardFailedError):
        asyncio.run(spend(account))


def test_what_cannot_be_settled_stays_booked_at_its_largest() -> None:
    """The answer was paid for and goes out; the budget errs to the safe side."""
    account, _ = accounts(tokens_per_day=1_000)
    account.ledger = ledger = Away(correct=True)

    async def run() -> None:
        async with account.spending("t") as spending:
            await spending.announce(info(90, 200))
            spending.settle(Reply(text="", model="m", tokens_in=80, tokens_out=5))
        assert ledger.spent("t", "day").tokens == 290

    asyncio.run(run())


def test_answer_made_here_after_failed_sends_leaves_their_cost() -> None:
    """The offline planner as a fall-back is free; what was sent before it is not."""
    account, _ = accounts(tokens_per_day=1_000)

    async def run() -> None:
        async with account.spending("t") as spending:
            await spending.announce(info(90, 200))
            spending.settle(Reply(text="", model="offline-1", fallback=True))
        assert kept(account).tokens == 90

    asyncio.run(run())


def test_send_that_the_audit_log_refuses_is_not_charged() -> None:
    """The hook of both: audit first, then the charge."""
    account, _ = accounts(tokens_per_day=1_000)

    async def refuse(_: AttemptInfo) -> None:
        raise OSError

    async def run() -> None:
        noted: list[AttemptInfo] = []

        async def note(attempt: AttemptInfo) -> None:
            noted.append(attempt)

        async with account.spending("t") as spending:
            await spending.after(note)(info(90))
            with pytest.raises(OSError):  # noqa: PT011 - the hook's own error, whatever it is
                await spending.after(refuse)(info(90))
        assert len(noted) == 1
        assert kept(account).tokens == 90

    asyncio.run(run())


def test_ledger_keeps_one_row_for_each_kind() -> None:
    """A long-running process does not grow by the minute."""
    account, time = accounts(tokens_per_day=10**9, tokens_per_minute=10**9, usd_per_month=10**6)

    async def run() -> None:
        for _ in range(200):
            await spend(account)
            time.at += timedelta(minutes=1)

    asyncio.run(run())
    assert isinstance(account.ledger, MemoryLedger)
    assert len(account.ledger._running) == 3


def test_tenant_without_a_limit_costs_no_look_up() -> None:
    """A ledger that is away does not stop whoever has no budget."""
    account, _ = accounts()
    account.ledger = Away(reserve=True)
    asyncio.run(spend(account))


PARTS = ("masked_question", "summary_release", "scope_shape", "template", "version", "model", "previous", "scanner")


@settings(max_examples=100)
@given(one=st.tuples(*[st.text(max_size=8)] * 8), two=st.tuples(*[st.text(max_size=8)] * 8))
def test_key_is_equal_only_for_equal_parts(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    """No part can be moved into its neighbour."""
    first, second = (answer_key(**dict(zip(PARTS, parts, strict=True))) for parts in (one, two))
    assert (first == second) == (one == two)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_in_the_key(part: str) -> None:
    """Changing any one part is a miss."""
    base = dict.fromkeys(PARTS, "x")
    assert answer_key(**base) != answer_key(**{**base, part: "y"})


def test_cache_gives_back_what_was_kept_as_paid_for_until_it_is_old() -> None:
    """A hit costs nothing; an old reply is a miss; the least recently used goes first."""
    now = [0.0]
    cache = AnswerCache(max_entries=2, ttl_s=10, clock=lambda: now[0])
    reply = Reply(text="{}", model="m", tokens_in=100, tokens_out=5, cost_usd=0.1)
    cache.put("a", reply)
    hit = cache.get("a")
    assert hit is not None
    assert (hit.text, hit.tokens_in, hit.tokens_out, hit.cost_usd, hit.attempts) == ("{}", 0, 0, 0.0, 0)
    cache.put("b", reply)
    cache.get("a")
    cache.put("c", reply)
    assert cache.get("b") is None
    assert cache.get("a") is not None
    now[0] = 10.0
    assert cache.get("a") is None
    cache.clear()
    assert cache.get("c") is None


def test_cache_of_no_entries_keeps_nothing() -> None:
    """Zero turns it off."""
    cache = AnswerCache(max_entries=0)
    cache.put("a", Reply(text="{}", model="m"))
    assert cache.get("a") is None


def test_answer_of_a_fallback_is_not_kept_under_the_first_model() -> None:
    """Else an outage of a minute would answer for an hour."""
    assert keepable(Reply(text="", model="m"), "m")
    assert not keepable(Reply(text="", model="offline-1"), "m")
    assert not keepable(Reply(text="", model="m", fallback=True), "m")
