"""The arithmetic of retries and of the circuit breaker, with a clock of the test's own."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.llm.breaker import BreakerPolicy, CircuitBreaker
from gateway.llm.retry import RetryBudget, RetryPolicy, retry_after_s


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the present."""
        return self.now


@settings(max_examples=50)
@given(failed=st.integers(1, 2_000), seed=st.integers())
def test_wait_is_jittered_within_a_doubling_capped_bound(failed: int, seed: int) -> None:
    """Full jitter: anything from nothing to the bound."""
    policy = RetryPolicy(base_s=0.1, cap_s=2.0)
    assert 0.0 <= policy.wait_s(failed, random.Random(seed)) <= min(2.0, 0.1 * 2 ** min(failed - 1, 10))


def test_waits_differ() -> None:
    """Two callers that failed together do not come back together."""
    rng = random.Random(1)
    assert len({RetryPolicy().wait_s(3, rng) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("-5", 0.0),
        ("Tue, 24 Nov 2026 12:00:10 GMT", 10.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 12:00:10 -0000", 10.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("9" * 65, None),
        ("Tue, 99 Foo 2026", None),
        (None, None),
    ],
)
def test_retry_after_of_any_kind(value: str | None, seconds: float | None) -> None:
    """Seconds, a date, or nonsense from an untrusted server."""
    assert retry_after_s(value, datetime(2026, 11, 24, 12, tzinfo=UTC)) == seconds


def test_budget_allows_a_share_of_requests_once_its_start_is_spent() -> None:
    """Without time passing, ten requests pay for one retry."""
    budget = RetryBudget(policy=RetryPolicy(budget_share=0.1, budget_per_s=0.5), clock=Clock())
    while budget.take():
        pass
    for _ in range(30):
        budget.request()
    assert [budget.take() for _ in range(4)] == [True, True, True, False]


def test_budget_fills_with_time_but_not_without_end() -> None:
    """A second pays in; an hour does not pay for an hour's storm."""
    clock = Clock()
    budget = RetryBudget(policy=RetryPolicy(budget_per_s=1.0), clock=clock, window_s=10.0)
    while budget.take():
        pass
    clock.now += 3
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 3600
    assert sum(budget.take() for _ in range(100)) == 10


POLICY = BreakerPolicy(window_s=10, min_calls=4, failure_share=0.5, open_s=15)


def breaker_after(*results: bool) -> tuple[CircuitBreaker, Clock]:
    """A breaker that has seen these calls."""
    clock = Clock()
    breaker = CircuitBreaker(policy=POLICY, clock=clock)
    for ok in results:
        assert breaker.allow()
        breaker.record(ok=ok)
    return breaker, clock


def test_breaker_stays_closed_below_its_minimum_and_its_share() -> None:
    """Three failures are too few to tell; one in four is too small a share."""
    assert breaker_after(False, False, False)[0].state == "closed"
    assert breaker_after(True, True, True, False, True, False)[0].state == "closed"


def test_breaker_opens_at_its_share_and_lets_one_probe_through_later() -> None:
    """Half of four failed: open for fifteen seconds, then a single probe."""
    breaker, clock = breaker_after(True, True, False, False)
    assert breaker.state == "open"
    assert not breaker.allow()
    clock.now += 15
    assert [breaker.allow(), breaker.allow()] == [True, False]
    breaker.record(ok=True)
    assert breaker.state == "closed"


def test_failed_probe_opens_again_and_a_lost_one_is_given_back() -> None:
    """A probe that was cancelled says nothing of the endpoint: the next caller may try."""
    breaker, clock = breaker_after(False, False, False, False)
    clock.now += 15
    assert breaker.allow()
    breaker.forget()
    assert breaker.allow()
    breaker.record(ok=False)
    assert breaker.state == "open"
    assert not breaker.allow()


def test_old_failures_are_forgotten() -> None:
    """Failures outside of the window do not count."""
    breaker, clock = breaker_after(False, False, False)
    clock.now += 11
    breaker.record(ok=False)
    assert breaker.state == "closed"
