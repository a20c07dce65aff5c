"""The one retry loop's rules: how often, how long to wait, and a budget so that retries cannot become a storm.

Sources of the numbers: full jitter, AWS Architecture Blog "Exponential Backoff And Jitter" and REL05-BP03; the retry
budget, Finagle's (a share of requests plus a few a second) at Google SRE's client share of 10%; docs/models.md.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How one call may be retried.

    Attributes:
        max_attempts: Most sends of one prompt to one endpoint, changes of reply mode apart.
        base_s: Upper bound of the first wait; it doubles with each further one.
        cap_s: Largest upper bound of a wait.
        budget_share: Retries allowed per request, on average.
        budget_per_s: Retries allowed each second whatever the traffic.
    """

    max_attempts: int = 2
    base_s: float = 0.1
    cap_s: float = 2.0
    budget_share: float = 0.1
    budget_per_s: float = 1.0

    def wait_s(self, failed: int, rng: random.Random) -> float:
        """Seconds to wait after the `failed`-th failure: uniform from 0 to a doubling, capped bound (full jitter)."""
        return rng.uniform(0.0, min(self.cap_s, self.base_s * 2.0 ** min(30, max(0, failed - 1))))


@dataclass(slots=True)
class RetryBudget:
    """Token bucket shared by all calls to one endpoint: requests pay in a share, time pays in, a retry takes one."""

    policy: RetryPolicy
    clock: Clock = time.monotonic
    window_s: float = 10.0
    _tokens: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._at = self.clock()
        self._tokens = self._most()

    def _most(self) -> float:
        return max(1.0, self.policy.budget_per_s * self.window_s)

    def _refill(self) -> None:
        now = self.clock()
        self._tokens = min(self._most(), self._tokens + (now - self._at) * self.policy.budget_per_s)
        self._at = now

    def request(self) -> None:
        """Count a first send."""
        self._refill()
        self._tokens = min(self._most(), self._tokens + self.policy.budget_share)

    def take(self) -> bool:
        """Take one retry out of the budget; False if it is spent."""
        self._refill()
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110, 10.2.3: seconds or an HTTP date); None if it says nothing usable.

    Args:
        value: The header, untrusted.
        now: The present; the system clock if None.
    """
    if value is None or len(value) > 64:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
