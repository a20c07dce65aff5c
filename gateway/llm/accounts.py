"""What each tenant's questions cost in tokens and money, and budgets that stop before the spend, not after.

Every single send, retries and fall-backs included, reserves its largest possible size just before it leaves; what it
really took is settled when the question ends. A reservation is checked and booked in one step, so that neither a burst
nor a second replica can overdraw. What cannot be settled (the process died, the ledger is away) stays booked at its
largest. A call that fails, or is cancelled, has cost its prompt all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from gateway.errors import BudgetSpentError, GuardFailedError
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

    def __sub__(self, other: Spent) -> Spent:
        """The difference, which may be negative."""
        return Spent(self.tokens - other.tokens, self.usd - other.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit in one period.

    Attributes:
        kind: ``minute``, ``day`` or ``month``.
        period: Which, as text that sorts by time: ``2026-11-24T09:30``, ``2026-11-24``, ``2026-11``.
        tokens: Most tokens in it; None for no limit.
        usd: Most US dollars in it; None for no limit.
    """

    kind: str
    period: str
    tokens: int | None = None
    usd: float | None = None


class PeriodSpentError(Exception):
    """A reservation does not fit a budget; `kind` says which. Internal: `Accounts` tells the asker when it may."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Ledger(Protocol):
    """Where spends are kept: one running period for each tenant and kind, which only ever moves forward."""

    async def reserve(self, tenant: str, budgets: Sequence[Budget], most: Spent) -> tuple[str, ...]:
        """Book `most` on all of the budgets, or on none.

        Returns:
            The period that each was booked in: a later one than asked for, if another replica's clock is ahead.

        Raises:
            PeriodSpentError: It does not fit one of them.
            GuardFailedError: The ledger is away. Nothing may be sent.
        """
        ...

    async def correct(self, tenant: str, booked: Sequence[tuple[str, str]], change: Spent) -> None:
        """Add `change` to each (kind, period) that still runs.

        Raises:
            GuardFailedError: The ledger is away.
        """
        ...


class MemoryLedger:
    """A ledger of one process. Replicas share one in the state database (`gateway.store.spend`)."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], tuple[str, Spent]] = {}

    def spent(self, tenant: str, kind: str) -> Spent:
        """What is booked in the period of that kind that runs."""
        return self._running.get((tenant, kind), ("", Spent()))[1]

    async def reserve(self, tenant: str, budgets: Sequence[Budget], most: Spent) -> tuple[str, ...]:
        """Book on all of the budgets, or on none."""
        after: dict[tuple[str, str], tuple[str, Spent]] = {}
        for budget in budgets:
            period, spent = self._running.get((tenant, budget.kind), ("", Spent()))
            if period < budget.period:
                period, spent = budget.period, Spent()
            spent = Spent(spent.tokens + most.tokens, spent.usd + most.usd)
            if spent.tokens > _or_endless(budget.tokens) or spent.usd > _or_endless(budget.usd):
                raise PeriodSpentError(budget.kind)
            after[tenant, budget.kind] = period, spent
        self._running.update(after)
        return tuple(after[tenant, budget.kind][0] for budget in budgets)

    async def correct(self, tenant: str, booked: Sequence[tuple[str, str]], change: Spent) -> None:
        """Add to each period that still runs."""
        for kind, period in booked:
            running, spent = self._running.get((tenant, kind), ("", Spent()))
            if running == period:
                now = Spent(spent.tokens + change.tokens, spent.usd + change.usd)
                self._running[tenant, kind] = period, now


def _or_endless(limit: float | None) -> float:
    return math.inf if limit is None else limit


@dataclass(slots=True)
class _Send:
    booked: tuple[tuple[str, str], ...]
    most: Spent
    took: Spent


@dataclass(slots=True)
class Spend:
    """One question's account while it runs. `announce` is called before each send, `settle` with the answer."""

    reserve: Callable[[Spent], Awaitable[tuple[tuple[str, str], ...]]]
    sends: list[_Send] = field(default_factory=list)

    async def announce(self, info: AttemptInfo) -> None:
        """Reserve the most that one send can take. Has the shape of a `before_send` hook.

        Raises:
            BudgetSpentError: It does not fit the tenant's budget; nothing may be sent.
            GuardFailedError: The ledger is away; nothing may be sent.
        """
        most = Spent(info.prompt_tokens + info.most_output_tokens, info.most_usd)
        booked = await self.reserve(most)
        self.sends.append(_Send(booked, most, Spent(info.prompt_tokens, info.prompt_usd)))

    def after(self, before_send: BeforeSend) -> BeforeSend:
        """A hook that reserves for each send once `before_send` has let it go."""

        async def both(info: AttemptInfo) -> None:
            await before_send(info)
            await self.announce(info)

        return both

    def settle(self, reply: Reply) -> None:
        """Note what the answered send took, in place of the estimate of its prompt.

        A reply without tokens was made in this process, after sends that failed: their estimates stay.
        """
        if reply.tokens_in and self.sends:
            self.sends[-1].took = Spent(reply.tokens_in + reply.tokens_out, reply.cost_usd or 0.0)


@dataclass(slots=True)
class Accounts:
    """Budgets of all tenants.

    Attributes:
        limits: Budgets of a tenant, by name.
        ledger: Where spends are kept; not asked for a tenant without a limit.
        clock: The present, UTC.
    """

    limits: Callable[[str], TokenLimits]
    ledger: Ledger = field(default_factory=MemoryLedger)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @asynccontextmanager
    async def spending(self, tenant: str) -> AsyncIterator[Spend]:
        """The account of one question; what its sends took is settled when the block ends, however it ends.

        Args:
            tenant: Who pays.
        """
        spend = Spend(lambda most: self._reserve(tenant, most))
        try:
            yield spend
        finally:
            for send in spend.sends:
                change = send.took - send.most
                # Shielded, so that a caller who leaves does not leave the largest size booked. A ledger that is away
                # now has the largest size booked already: the answer has been paid for and may go.
                if send.booked and (change.tokens or change.usd):
                    with contextlib.suppress(GuardFailedError):
                        await asyncio.shield(self.ledger.correct(tenant, send.booked, change))

    async def _reserve(self, tenant: str, most: Spent) -> tuple[tuple[str, str], ...]:
        now = self.clock()
        budgets = _budgets(self.limits(tenant), now)
        if not budgets:
            return ()
        try:
            periods = await self.ledger.reserve(tenant, budgets, most)
        except PeriodSpentError as spent:
            raise _spent(spent.kind, now) from None
        return tuple((budget.kind, period) for budget, period in zip(budgets, periods, strict=True))


def _budgets(limits: TokenLimits, now: datetime) -> tuple[Budget, ...]:
    """The limits that are set, the shortest period last: the longest wait is the one that is told."""
    every = (
        Budget(kind="month", period=f"{now:%Y-%m}", usd=limits.usd_per_month),
        Budget(kind="day", period=f"{now:%Y-%m-%d}", tokens=limits.tokens_per_day),
        Budget(kind="minute", period=f"{now:%Y-%m-%dT%H:%M}", tokens=limits.tokens_per_minute),
    )
    return tuple(budget for budget in every if budget.tokens is not None or budget.usd is not None)


def _spent(kind: str, now: datetime) -> BudgetSpentError:
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
