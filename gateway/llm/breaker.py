"""Circuit breaker: an endpoint that fails most calls is left alone for a while, then tried with one call.

Closed, it counts the last calls in a window; when at least `min_calls` were made and the share of failures reaches
`failure_share`, it opens. Open, it lets nothing through for `open_s`. Then it lets one call through: a success closes
it, a failure opens it again. Numbers: docs/models.md.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When to open, and for how long."""

    window_s: float = 10.0
    min_calls: int = 20
    failure_share: float = 0.5
    open_s: float = 15.0


@dataclass(slots=True)
class CircuitBreaker:
    """State of one endpoint and model. Used from one event loop."""

    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    clock: Callable[[], float] = time.monotonic
    _calls: deque[tuple[float, bool]] = field(default_factory=deque)
    _opened_at: float | None = None
    _probing: bool = False

    @property
    def state(self) -> State:
        """The state now."""
        if self._opened_at is None:
            return "closed"
        return "open" if self.clock() - self._opened_at < self.policy.open_s else "half_open"

    def allow(self) -> bool:
        """Whether a call may be made now. A True in the half-open state reserves its single probe."""
        state = self.state
        if state == "half_open" and not self._probing:
            self._probing = True
            return True
        return state == "closed"

    def record(self, *, ok: bool) -> None:
        """Count the end of a call that `allow` let through."""
        now = self.clock()
        if self._opened_at is not None:
            self._probing = False
            self._opened_at = None if ok else now
            self._calls.clear()
            return
        self._calls.append((now, ok))
        while self._calls and now - self._calls[0][0] > self.policy.window_s:
            self._calls.popleft()
        failed = sum(not success for _, success in self._calls)
        if len(self._calls) >= self.policy.min_calls and failed >= self.policy.failure_share * len(self._calls):
            self._opened_at = now
            self._probing = False

    def forget(self) -> None:
        """Give a probe back whose call ended without a verdict on the endpoint (cancelled, or stopped by a guard)."""
        self._probing = False
