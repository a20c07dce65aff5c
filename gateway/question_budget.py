"""Stage 1: how many questions one user may ask in an hour, counted once for all replicas.

A bound on load, and on what can be learnt by asking the same thing in many slightly different ways (SECURITY model D,
26). A question is counted before anything is done for it, and stays counted whatever becomes of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.answer import Asker
from gateway.errors import BudgetSpentError
from gateway.llm.accounts import Budget, Ledger, MemoryLedger, PeriodSpentError, Spent

_KIND = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionBudget:
    """Questions by user and hour.

    Attributes:
        per_hour: Most questions of one user of one tenant in one hour (UTC); 0 for no bound.
        ledger: Where they are counted; the state database's is one for all replicas.
        clock: The present, UTC.
    """

    per_hour: int = 0
    ledger: Ledger = field(default_factory=MemoryLedger)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def take(self, asker: Asker) -> None:
        """Count one question.

        Raises:
            BudgetSpentError: The user has asked as many as the hour has.
            GuardFailedError: They cannot be counted, so none is answered.
        """
        if not self.per_hour:
            return
        now = self.clock()
        hour = Budget(kind=_KIND, period=f"{now:%Y-%m-%dT%H}", tokens=self.per_hour)
        try:
            await self.ledger.reserve(_who(asker), (hour,), Spent(tokens=1))
        except PeriodSpentError:
            wait = 3600 - now.minute * 60 - now.second
            details: dict[str, object] = {"period": "hour", "retry_after_s": wait}
            msg = "as many questions as an hour has were asked"
            raise BudgetSpentError(msg, code="questions_spent", stage="scope", details=details) from None


def _who(asker: Asker) -> str:
    """A user's row in the ledger: a hash, as a user's own id is not for the clear text of the state database."""
    return hashlib.sha256(json.dumps(["asked", str(asker.tenant), asker.user]).encode()).hexdigest()
