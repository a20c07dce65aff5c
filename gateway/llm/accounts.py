"""What each tenant's questions cost in tokens and money, and budgets that stop before the spend, not after.

A call reserves its largest possible size first; calls in flight count as spent, so that a burst cannot overdraw. Each
announced send charges the prompt at once, and the answer charges the rest: a call that fails, or is cancelled, has
cost its input all the same.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from gateway.errors import BudgetSpentError
from gateway.llm.attempt import AttemptInfo, BeforeSend
from gateway.types import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLimits:
    """Budgets of one tenant; None is no limit. Days and months are UTC."""

    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    usd_per_month: float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens (in and out) and US dollars of one tenant in one period."""

    tokens: int = 0
    usd: float = 0.0


class Ledger(Protocol):
    """Where spends are kept. A period is named ``minute:…``, ``day:2026-11-24`` or ``month:2026-11``."""

    async def spent(self, tenant: str, period: str) -> Spent:
        """What was spent in a period."""
        ...

    async def add(self, tenant: str, periods: Sequence[str], spent: Spent) -> None:
        """Add to each of the periods. May raise; then the call that spends fails."""
        ...


class MemoryLedger:
    """A ledger of one process; a period that is over is forgotten. Several workers need one that they share."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], Spent] = {}
        self._current: dict[tuple[str, str], str] = {}

    async def spent(self, tenant: str, period: str) -> Spent:
        """What was spent in a period."""
        return self._spent.get((tenant, period), Spent())

    async def add(self, tenant: str, periods: Sequence[str], spent: Spent) -> None:
        """Add to each of the periods."""
        for period in periods:
            kind = period.partition(":")[0]
            last = self._current.get((tenant, kind))
            if last is not None and last != period:
                self._spent.pop((tenant, last), None)
            self._current[tenant, kind] = period
            before = self._spent.get((tenant, period), Spent())
            self._spent[tenant, period] = Spent(before.tokens + spent.tokens, before.usd + spent.usd)


@dataclass(slots=True)
class Spend:
    """One question's account while it runs. `announce` is called with each send, `settle` with the answer."""

    tokens: int = 0
    usd: float = 0.0
    _last_prompt: int = 0

    async def announce(self, info: AttemptInfo) -> None:
        """Charge the prompt of one send. Has the shape of a `before_send` hook."""
        self.tokens += info.prompt_tokens
        self._last_prompt = info.prompt_tokens

    def after(self, before_send: BeforeSend) -> BeforeSend:
        """A hook that charges each send once `before_send` has let it go."""

        async def both(info: AttemptInfo) -> None:
            await before_send(info)
            await self.announce(info)

        return both

    def settle(self, reply: Reply) -> None:
        """Charge what the answered send used, in place of the estimate of its prompt.

        A reply without tokens was made in this process, after sends that failed: their estimates stay.
        """
        if reply.tokens_in:
            self.tokens += reply.tokens_in - self._last_prompt
        self.tokens += reply.tokens_out
        self.usd += reply.cost_usd or 0.0
        self._last_prompt = 0


@dataclass(slots=True)
class Accounts:
    """Budgets of all tenants.

    Attributes:
        limits: Budgets of a tenant, by name.
        ledger: Where spends are kept.
        clock: The present, UTC.
    """

    limits: Callable[[str], TokenLimits]
    ledger: Ledger = field(default_factory=MemoryLedger)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _in_flight: dict[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def spending(self, tenant: str, tokens: int) -> AsyncIterator[Spend]:
        """Reserve for one question, and book what it cost when the block ends, however it ends.

        Args:
            tenant: Who pays.
            tokens: The most one send and its answer can take.

        Raises:
            BudgetSpentError: The tenant's budget does not allow it; `details["retry_after_s"]` says when it may.
        """
        # Reserved before it is checked: two questions that are checked at the same moment see each other.
        self._in_flight[tenant] = self._in_flight.get(tenant, 0) + tokens
        spend = Spend()
        try:
            await self._check(tenant)
            yield spend
        finally:
            self._release(tenant, tokens)
            if spend.tokens or spend.usd:
                await self.ledger.add(tenant, _periods(self.clock()), Spent(spend.tokens, spend.usd))

    def _release(self, tenant: str, tokens: int) -> None:
        left = self._in_flight[tenant] - tokens
        if left:
            self._in_flight[tenant] = left
        else:
            del self._in_flight[tenant]

    async def _check(self, tenant: str) -> None:
        limits = self.limits(tenant)
        now = self.clock()
        minute, day, month = _periods(now)
        flying = self._in_flight.get(tenant, 0)
        for limit, period in ((limits.tokens_per_minute, minute), (limits.tokens_per_day, day)):
            if limit is not None and (await self.ledger.spent(tenant, period)).tokens + flying > limit:
                raise _spent(period, now)
        if limits.usd_per_month is not None and (await self.ledger.spent(tenant, month)).usd >= limits.usd_per_month:
            raise _spent(month, now)


def _periods(now: datetime) -> tuple[str, str, str]:
    return f"minute:{now:%Y-%m-%dT%H:%M}", f"day:{now:%Y-%m-%d}", f"month:{now:%Y-%m}"


def _spent(period: str, now: datetime) -> BudgetSpentError:
    kind = period.partition(":")[0]
    if kind == "minute":
        wait = 60.0 - now.second
    elif kind == "day":
        wait = 86_400.0 - (now.hour * 3600 + now.minute * 60 + now.second)
    else:
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        later = first.replace(year=now.year + now.month // 12, month=now.month % 12 + 1)
        wait = (later - now).total_seconds()
    details: dict[str, object] = {"period": kind, "retry_after_s": math.ceil(wait)}
    return BudgetSpentError("the tenant's model budget is spent", stage="plan", details=details)
