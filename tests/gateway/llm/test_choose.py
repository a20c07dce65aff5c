"""From settings to planners, accounts and cache."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from gateway.errors import BudgetSpentError, ConfigError
from gateway.llm.attempt import AttemptInfo, sending
from gateway.llm.choose import choose_planner, make_accounts, make_allowed, make_cache, make_endpoint
from gateway.llm.offline.planner import OfflinePlanner
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.router import FallbackPlanner
from gateway.llm.settings import EndpointSettings, LlmSettings
from gateway.types import Reply
from tests.simulator.chat_server import PLAN, Fault, chat_server
from tests.simulator.prompts import rescan, scanned


def test_default_is_the_offline_planner() -> None:
    """No key, no network."""
    assert isinstance(choose_planner(LlmSettings(), rescan=rescan), OfflinePlanner)


def test_endpoint_alone_or_with_fallbacks() -> None:
    """The offline planner stands behind an endpoint unless that is turned off."""
    one = choose_planner(LlmSettings(planner="openai", offline_fallback=False), rescan=rescan)
    assert isinstance(one, OpenAIPlanner)
    second = EndpointSettings(name="second", base_url="http://127.0.0.1:1/v1", model="m2")
    router = choose_planner(LlmSettings(planner="openai", fallbacks=(second,)), rescan=rescan)
    assert isinstance(router, FallbackPlanner)
    assert (router.name, router.model, router.leaves) == ("openai>second>offline", "gpt-4.1-mini", True)


@pytest.mark.loopback
def test_every_setting_of_an_endpoint_reaches_the_wire() -> None:
    """Key header, version, limits, temperature, streaming and prices, seen at the server."""
    seen: list[AttemptInfo] = []

    async def note(info: AttemptInfo) -> None:
        seen.append(info)

    async def run(settings: LlmSettings) -> Reply:
        planner = choose_planner(settings, rescan=rescan)
        assert isinstance(planner, FallbackPlanner)
        try:
            with sending(note):
                return await planner.plan(scanned())
        finally:
            await planner.aclose()

    with chat_server(faults=[Fault(status=500, body=b"")] * 2) as down, chat_server() as up:
        spare = EndpointSettings(
            name="azure", base_url=up.base_url, model="m2", api_key=SecretStr("k2"), key_header="api-key",
            api_version="2025-01-01", stream=True, temperature=0.0, max_output_tokens=777,
            output_limit_field="max_tokens", price_input_usd=1.0, price_output_usd=2.0,
        )  # fmt: skip
        settings = LlmSettings(planner="openai", base_url=down.base_url, model="m1", fallbacks=(spare,))
        reply = asyncio.run(run(settings))
    assert (reply.text, reply.model, reply.fallback) == (PLAN, "m2", True)
    assert reply.cost_usd == pytest.approx(0.0011)
    request = up.requests[0]
    assert request.path.endswith("?api-version=2025-01-01")
    assert request.headers["api-key"] == "k2"
    assert (request.json["temperature"], request.json["max_tokens"], request.json["stream"]) == (0.0, 777, True)
    assert [info.planner for info in seen] == ["openai", "openai", "azure"]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"base_url": "http://example.com/v1"}, id="plain http"),
        pytest.param({"ca_file": Path("/nonexistent.pem")}, id="no such certificates"),
        pytest.param({"price_input_usd": 1.0}, id="half a price"),
    ],
)
def test_endpoint_that_cannot_work_stops_the_start(settings: dict[str, object]) -> None:
    """At start-up, not at the first question."""
    with pytest.raises(ConfigError):
        make_endpoint(EndpointSettings(**settings))  # type: ignore[arg-type]


def test_two_endpoints_of_one_name_stop_the_start() -> None:
    """The audit log could not tell them apart."""
    with pytest.raises(ConfigError):
        choose_planner(LlmSettings(planner="openai", fallbacks=(EndpointSettings(),)), rescan=rescan)


def test_secrets_are_in_no_text_of_the_settings() -> None:
    """Neither in repr nor in the error of a wrong value."""
    settings = LlmSettings(api_key=SecretStr("canary-key"), proxy=SecretStr("http://u:canary@p:1"))
    assert "canary" not in f"{settings!r} {settings}"
    with pytest.raises(ValidationError) as caught:
        LlmSettings(api_key=SecretStr("canary-key"), temperature="canary")  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


def test_budgets_and_cache_follow_the_settings() -> None:
    """A day's tokens, a tenant's own in place of all's; money only with prices; no cache for the offline planner."""
    info = AttemptInfo(planner="p", model="m", host="h", mode="json", number=1, body=b"", prompt_tokens=100)

    async def two(settings: LlmSettings, tenant: str = "t") -> None:
        accounts = make_accounts(settings)
        for _ in range(2):
            async with accounts.spending(tenant) as spend:
                await spend.announce(info)

    own = {"big": {"tokens_per_day": 1_000}, "small": {"tokens_per_minute": 150}}
    with pytest.raises(BudgetSpentError):
        asyncio.run(two(LlmSettings(tokens_per_day=150)))
    asyncio.run(two(LlmSettings()))
    asyncio.run(two(LlmSettings(tokens_per_day=150, tenants=own), "big"))  # type: ignore[arg-type]
    with pytest.raises(BudgetSpentError):
        asyncio.run(two(LlmSettings(tokens_per_day=500, tenants=own), "small"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        make_accounts(LlmSettings(usd_per_month=5))
    with pytest.raises(ConfigError):
        make_accounts(LlmSettings(tenants={"t": {"usd_per_month": 5}}))  # type: ignore[dict-item]
    assert make_accounts(LlmSettings(usd_per_month=5, price_input_usd=1, price_output_usd=1))
    assert make_cache(LlmSettings()).max_entries == 0
    assert make_cache(LlmSettings(planner="openai", cache_entries=7)).max_entries == 7


def test_endpoints_of_a_tenant_are_those_on_its_list() -> None:
    """All if there is no list, none if it is empty; a name that is not configured stops the start."""
    spare = EndpointSettings(name="spare")
    lists = {"a": {"endpoints": ["spare"]}, "none": {"endpoints": []}, "b": {}}
    allowed = make_allowed(LlmSettings(fallbacks=(spare,), tenants=lists))  # type: ignore[arg-type]
    assert allowed("a") == {"spare"}
    assert allowed("none") == set()
    assert allowed("b") is None
    assert allowed("other") is None
    with pytest.raises(ConfigError):
        make_allowed(LlmSettings(tenants=lists))  # type: ignore[arg-type]


def test_process_that_asks_no_model_does_not_load_the_client_library() -> None:
    """It takes longer to import than the offline planner takes to answer a thousand questions."""
    code = (
        "import sys; from gateway.llm.choose import choose_planner, make_accounts, make_cache;"
        "from gateway.llm.settings import LlmSettings as S;"
        "choose_planner(S()); make_accounts(S()); make_cache(S());"
        "assert not {'openai', 'httpx2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
