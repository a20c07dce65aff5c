"""Make the planner, the accounts and the cache that the settings ask for.

The client library is imported where an endpoint is made: a process that asks no model does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.errors import ConfigError
from gateway.llm.accounts import Accounts, Ledger, MemoryLedger, TokenLimits
from gateway.llm.attempt import Rescan
from gateway.llm.cache import AnswerCache
from gateway.llm.port import Planner
from gateway.llm.settings import EndpointSettings, LlmSettings, TenantModelSettings


def choose_planner(settings: LlmSettings, *, rescan: Rescan | None = None) -> Planner:
    """The configured planner: the offline one, an endpoint, or endpoints with fall-backs.

    Args:
        settings: The group of settings.
        rescan: Scans a prompt again before a fall-back is asked, where `sending` sets none.

    Raises:
        ConfigError: An address, certificate file or name is not usable.
    """
    from gateway.llm.offline.planner import OfflinePlanner

    if settings.planner == "offline":
        return OfflinePlanner()
    planners: list[Planner] = [make_endpoint(one) for one in (settings, *settings.fallbacks)]
    if settings.offline_fallback:
        planners.append(OfflinePlanner())
    if len(planners) == 1:
        return planners[0]
    from gateway.llm.router import FallbackPlanner

    return FallbackPlanner(planners, rescan=rescan, total_s=settings.fallback_total_timeout_s)


def make_endpoint(settings: EndpointSettings) -> Planner:
    """A planner of one endpoint.

    Raises:
        ConfigError: Its address, certificate file or prices are not usable.
    """
    from gateway.llm.endpoint import EndpointOptions, Pricing, Timeouts
    from gateway.llm.modes import ReplyMode
    from gateway.llm.openai_client import OpenAIPlanner

    if (settings.price_input_usd is None) != (settings.price_output_usd is None):
        msg = "llm.price_input_usd and llm.price_output_usd are given together or not at all"
        raise ConfigError(msg)
    pricing = None
    if settings.price_input_usd is not None and settings.price_output_usd is not None:
        pricing = Pricing(input_usd=settings.price_input_usd, output_usd=settings.price_output_usd)
    return OpenAIPlanner(
        base_url=settings.base_url,
        model=settings.model,
        api_key=settings.api_key,
        name=settings.name,
        timeouts=Timeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s,
            total_s=settings.total_timeout_s,
        ),
        options=EndpointOptions(
            modes=tuple(ReplyMode(mode) for mode in settings.reply_modes),
            stream=settings.stream,
            temperature=settings.temperature,
            max_output_tokens=settings.max_output_tokens,
            output_limit_field=settings.output_limit_field,
            max_concurrent=settings.max_concurrent,
            max_waiting=2 * settings.max_concurrent,
            key_header=settings.key_header,
            query={"api-version": settings.api_version} if settings.api_version else {},
            ca_file=settings.ca_file,
            proxy=settings.proxy.get_secret_value() if settings.proxy else None,
            pricing=pricing,
        ),
    )


def make_accounts(settings: LlmSettings, ledger: Ledger | None = None) -> Accounts:
    """Budgets of each tenant: its own where it has some, else those of all.

    Args:
        settings: The group of settings.
        ledger: Where spends are kept; in memory if None.

    Raises:
        ConfigError: A budget in dollars without prices to count them by.
    """
    priced = all(one.price_input_usd is not None for one in (settings, *settings.fallbacks))
    in_money = settings.usd_per_month is not None or any(
        own.usd_per_month is not None for own in settings.tenants.values()
    )
    if in_money and not priced:
        msg = "llm.usd_per_month needs llm.price_input_usd and llm.price_output_usd of every endpoint"
        raise ConfigError(msg)
    general = _limits(settings, settings)
    own = {tenant: _limits(one, settings) for tenant, one in settings.tenants.items()}
    return Accounts(limits=lambda tenant: own.get(tenant, general), ledger=ledger or MemoryLedger())


def _limits(own: TenantModelSettings | LlmSettings, general: LlmSettings) -> TokenLimits:
    def either(name: str) -> Any:
        value = getattr(own, name)
        return getattr(general, name) if value is None else value

    return TokenLimits(
        tokens_per_minute=either("tokens_per_minute"),
        tokens_per_day=either("tokens_per_day"),
        usd_per_month=either("usd_per_month"),
    )


def make_allowed(settings: LlmSettings) -> Callable[[str], frozenset[str] | None]:
    """Which endpoints each tenant's prompts may go to; None for all that are configured.

    Raises:
        ConfigError: A tenant's list names an endpoint that is not configured.
    """
    known = {one.name for one in (settings, *settings.fallbacks)}
    lists = {tenant: one.endpoints for tenant, one in settings.tenants.items() if one.endpoints is not None}
    if any(not known.issuperset(names) for names in lists.values()):
        msg = "llm.tenants names an endpoint that is not configured; configured: " + ", ".join(sorted(known))
        raise ConfigError(msg)
    allowed = {tenant: frozenset(names) for tenant, names in lists.items()}
    return allowed.get


def make_cache(settings: LlmSettings) -> AnswerCache:
    """The answer cache; it keeps nothing for the offline planner, which costs less than a look-up is worth."""
    entries = settings.cache_entries if settings.planner != "offline" else 0
    return AnswerCache(max_entries=entries, ttl_s=settings.cache_ttl_s)
