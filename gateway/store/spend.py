"""The ledger of model budgets in the state database: every replica reserves in the same rows.

One row for each tenant and kind of period. A reservation is one conditional upsert: the database checks the limit and
books in one step under the row's lock, so that replicas cannot overspend together. A row's period only moves forward;
a replica whose clock is behind books in the later period that is there.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import GuardFailedError
from gateway.llm.accounts import Budget, PeriodSpentError, Spent
from gateway.store.state import State

_NO_LIMIT: Final = 2**62
_MICRO: Final = 1_000_000
"""Money is kept in whole millionths of a dollar, rounded up: sums of floats drift."""

_RESERVE: Final = text("""
INSERT INTO model_spend AS kept (tenant, kind, period, tokens, micro_usd)
VALUES (:tenant, :kind, :period, :tokens, :micro_usd)
ON CONFLICT (tenant, kind) DO UPDATE SET
    tokens = CASE WHEN kept.period >= excluded.period THEN kept.tokens ELSE 0 END + excluded.tokens,
    micro_usd = CASE WHEN kept.period >= excluded.period THEN kept.micro_usd ELSE 0 END + excluded.micro_usd,
    period = CASE WHEN kept.period >= excluded.period THEN kept.period ELSE excluded.period END
WHERE CASE WHEN kept.period >= excluded.period THEN kept.tokens ELSE 0 END + excluded.tokens <= :most_tokens
    AND CASE WHEN kept.period >= excluded.period THEN kept.micro_usd ELSE 0 END + excluded.micro_usd <= :most_usd
RETURNING period
""")
_CORRECT: Final = text("""
UPDATE model_spend SET tokens = tokens + :tokens, micro_usd = micro_usd + :micro_usd
WHERE tenant = :tenant AND kind = :kind AND period = :period
""")


class StateLedger:
    """Implements `gateway.llm.accounts.Ledger`.

    Args:
        state: The opened state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def reserve(self, tenant: str, budgets: Sequence[Budget], most: Spent) -> tuple[str, ...]:
        """Book on all of the budgets, or on none. See the protocol."""
        return await asyncio.to_thread(self._reserve, tenant, budgets, most)

    async def correct(self, tenant: str, booked: Sequence[tuple[str, str]], change: Spent) -> None:
        """Add to each period that still runs. See the protocol."""
        await asyncio.to_thread(self._correct, tenant, booked, change)

    def _reserve(self, tenant: str, budgets: Sequence[Budget], most: Spent) -> tuple[str, ...]:
        periods = []
        micro = _micro(most.usd)
        try:
            with self._state.write() as connection:
                # Always in the order given, which is the same everywhere: no two replicas wait for each other.
                for budget in budgets:
                    most_tokens = _NO_LIMIT if budget.tokens is None else budget.tokens
                    most_usd = _NO_LIMIT if budget.usd is None else _micro(budget.usd)
                    # The first row of a tenant is inserted unchecked by the statement.
                    fits = most.tokens <= most_tokens and micro <= most_usd
                    facts = {
                        "tenant": tenant, "kind": budget.kind, "period": budget.period, "tokens": most.tokens,
                        "micro_usd": micro, "most_tokens": most_tokens, "most_usd": most_usd,
                    }  # fmt: skip
                    period = connection.execute(_RESERVE, facts).scalar() if fits else None
                    if period is None:
                        raise PeriodSpentError(budget.kind)  # Leaves the transaction, which takes the others back.
                    periods.append(str(period))
        except SQLAlchemyError:
            raise _away() from None
        return tuple(periods)

    def _correct(self, tenant: str, booked: Sequence[tuple[str, str]], change: Spent) -> None:
        micro = _micro(change.usd)
        try:
            with self._state.write() as connection:
                for kind, period in booked:
                    facts = {
                        "tenant": tenant, "kind": kind, "period": period, "tokens": change.tokens, "micro_usd": micro,
                    }  # fmt: skip
                    connection.execute(_CORRECT, facts)
        except SQLAlchemyError:
            raise _away() from None

    def spent(self, tenant: str, kind: str) -> tuple[str, Spent]:
        """The running period of a kind and what is booked in it; for reports and tests. Blocks."""
        query = text("SELECT period, tokens, micro_usd FROM model_spend WHERE tenant = :tenant AND kind = :kind")
        try:
            with self._state.read() as connection:
                row = connection.execute(query, {"tenant": tenant, "kind": kind}).first()
        except SQLAlchemyError:
            raise _away() from None
        return (row.period, Spent(row.tokens, row.micro_usd / _MICRO)) if row else ("", Spent())


def _micro(usd: float) -> int:
    # A product such as 0.0011 * 1e6 is a hair over the whole number it stands for.
    return math.ceil(round(usd * _MICRO, 3))


def _away() -> GuardFailedError:
    # The database's own text may quote parameters, so it is dropped.
    msg = "the ledger of model budgets cannot be reached, so nothing was sent"
    return GuardFailedError(msg, code="ledger_unavailable", stage="plan")
