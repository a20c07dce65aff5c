"""Fall-backs keep the privacy contract: scanned again, audited, and only where the tenant allows."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import (
    AuditUnavailableError,
    ConfigError,
    GatewayError,
    GuardFailedError,
    ModelError,
    ModelTimeoutError,
    PromptRefusedError,
    RefusedError,
)
from gateway.llm.attempt import AttemptInfo, sending
from gateway.llm.endpoint import EndpointOptions, Timeouts
from gateway.llm.offline.planner import OfflinePlanner
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.retry import RetryPolicy
from gateway.llm.router import FallbackPlanner
from gateway.types import Reply
from redaction.scan import ScannedPrompt
from redaction.segments import UnscannedPrompt
from tests.simulator.chat_server import PLAN, ChatServer, Fault, chat_server
from tests.simulator.prompts import rescan, scanned

pytestmark = pytest.mark.loopback
ONCE = EndpointOptions(retry=RetryPolicy(max_attempts=1))
DOWN = Fault(status=503, body=b"")


def endpoint(server: ChatServer, name: str) -> OpenAIPlanner:
    times = Timeouts(connect_s=5, first_byte_s=2, total_s=20)
    return OpenAIPlanner(base_url=server.base_url, model=f"{name}-model", name=name, timeouts=times, options=ONCE)


class Log:
    """What left, in order."""

    def __init__(self, *, fails_on: str = "") -> None:
        self.sends: list[str] = []
        self._fails_on = fails_on

    async def __call__(self, info: AttemptInfo) -> None:
        """Take note, or fail."""
        if info.planner == self._fails_on:
            msg = "the audit log cannot be written"
            raise AuditUnavailableError(msg)
        self.sends.append(info.planner)


def ask(router: FallbackPlanner | OpenAIPlanner, log: Log, allowed: frozenset[str] | None = None) -> Reply:
    async def call() -> Reply:
        try:
            with sending(log, allowed=allowed):
                return await router.plan(scanned("how many orders"))
        finally:
            await router.aclose()

    return asyncio.run(call())


def test_first_planner_that_answers_is_taken() -> None:
    """The second is not asked when the first answers."""
    log = Log()
    with chat_server() as one, chat_server() as two:
        reply = ask(FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan), log)
    assert (reply.text, reply.model, reply.fallback) == (PLAN, "a-model", False)
    assert log.sends == ["a"]
    assert two.requests == []


@pytest.mark.parametrize("fault", [DOWN, Fault(status=429, body=b""), Fault(body=b"oops"), Fault(before_s=20)])
def test_next_planner_answers_after_a_new_scan_and_its_own_audit(fault: Fault) -> None:
    """Down, limited, malformed or silent: the next one gets the prompt, scanned again and announced again."""
    log, scans = Log(), []

    def count(prompt: UnscannedPrompt) -> ScannedPrompt:
        scans.append(prompt.question)
        return rescan(prompt)

    with chat_server(faults=[fault]) as one, chat_server() as two:
        reply = ask(FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=count), log)
    assert (reply.model, reply.fallback) == ("b-model", True)
    assert log.sends == ["a", "b"]
    assert scans == ["how many orders"]


def test_offline_planner_answers_while_every_model_is_down() -> None:
    """The last resort does not leave the process and is not announced as a send."""
    log = Log()
    with chat_server(faults=[DOWN]) as one:
        reply = ask(FallbackPlanner([endpoint(one, "a"), OfflinePlanner()], rescan=rescan), log)
    assert reply.model == OfflinePlanner.model
    assert '"count"' in reply.text
    assert log.sends == ["a"]


def test_planner_not_on_the_tenants_list_gets_nothing() -> None:
    """It is passed over in a router, and refuses by itself; planners that stay in the process are always allowed."""
    log = Log()
    with chat_server() as one, chat_server() as two:

        def both() -> FallbackPlanner:
            return FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan)

        assert ask(both(), log, frozenset({"b"})).model == "b-model"
        for planner in (both(), endpoint(one, "a")):
            with pytest.raises(RefusedError) as caught:
                ask(planner, log, frozenset({"c"}))
            assert caught.value.code == "model_not_allowed"
        assert ask(FallbackPlanner([OfflinePlanner()], rescan=rescan), log, frozenset()).model == OfflinePlanner.model
    assert one.requests == []
    assert len(two.requests) == 1


def test_scan_that_refuses_ends_the_line() -> None:
    """A prompt that a newer rule refuses is not sent to the fall-back."""

    def refuse(prompt: UnscannedPrompt) -> ScannedPrompt:
        msg = "the prompt holds what must not leave"
        raise PromptRefusedError(msg)

    with chat_server(faults=[DOWN]) as one, chat_server() as two, pytest.raises(PromptRefusedError):
        ask(FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=refuse), Log())
    assert two.requests == []


def test_fallback_without_a_scan_gets_nothing() -> None:
    """Neither the router nor the question brought one: the line ends."""
    with chat_server(faults=[DOWN]) as one, chat_server() as two, pytest.raises(GuardFailedError):
        ask(FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")]), Log())
    assert two.requests == []


def test_scan_of_the_question_is_used_before_the_routers() -> None:
    """It knows the value index of the asking scope."""
    scans = []

    def of_the_question(prompt: UnscannedPrompt) -> ScannedPrompt:
        scans.append(1)
        return rescan(prompt)

    async def call(router: FallbackPlanner) -> Reply:
        with sending(Log(), rescan=of_the_question):
            reply = await router.plan(scanned())
        await router.aclose()
        return reply

    with chat_server(faults=[DOWN]) as one, chat_server() as two:
        reply = asyncio.run(call(FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")])))
    assert (reply.model, scans) == ("b-model", [1])


@pytest.mark.parametrize(("fails_on", "sent"), [("a", (0, 0)), ("b", (1, 0))])
def test_audit_log_that_fails_ends_the_line(fails_on: str, sent: tuple[int, int]) -> None:
    """A guard's failure never makes a fall-back."""
    with chat_server(faults=[DOWN]) as one, chat_server() as two:
        router = FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan)
        with pytest.raises(AuditUnavailableError):
            ask(router, Log(fails_on=fails_on))
    assert (len(one.requests), len(two.requests)) == sent


def test_model_that_declines_is_not_answered_by_asking_around() -> None:
    """A refusal is an answer."""
    with chat_server(faults=[Fault(message={"refusal": "no"})]) as one, chat_server() as two:
        router = FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan)
        with pytest.raises(ModelError) as caught:
            ask(router, Log())
    assert caught.value.code == "model_refused"
    assert two.requests == []


def test_last_failure_is_told_when_all_fail() -> None:
    """Both down: the last one's code."""
    with chat_server(faults=[Fault(status=401, body=b"")]) as one, chat_server(faults=[DOWN]) as two:
        router = FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan)
        with pytest.raises(GatewayError) as caught:
            ask(router, Log())
    assert caught.value.code == "model_unavailable"


def test_total_time_bounds_all_planners_together() -> None:
    """Three silent endpoints do not take three times as long as allowed."""
    with chat_server(faults=[Fault(before_s=20)]) as one, chat_server(faults=[Fault(before_s=20)]) as two:
        router = FallbackPlanner([endpoint(one, "a"), endpoint(two, "b")], rescan=rescan, total_s=0.4)
        with pytest.raises(ModelTimeoutError):
            ask(router, Log())


def test_names_are_needed_and_unique() -> None:
    """An audit entry must say which endpoint it was."""
    with pytest.raises(ConfigError):
        FallbackPlanner([], rescan=rescan)
    with pytest.raises(ConfigError):
        FallbackPlanner([OfflinePlanner(), OfflinePlanner()], rescan=rescan)
