"""Settings of the planners, as groups for `gateway.config`. Bounds and defaults: docs/models.md.

Nothing is imported here that takes time to load: the command line reads settings before it knows what it will do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Seconds = Annotated[float, Field(gt=0, le=600)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]
EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,40}$")]


class EndpointSettings(BaseModel):
    """One endpoint that speaks chat completions."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: EndpointName = "openai"
    """Name of the endpoint in the audit log and in a tenant's list of allowed models."""
    base_url: str = "https://api.openai.com/v1"
    """Address of the endpoint; https unless it is on loopback."""
    model: str = "gpt-4.1-mini"
    """Model name sent to the endpoint."""
    api_key: SecretStr | None = None
    """Key of the endpoint, if it needs one."""
    key_header: Literal["authorization", "api-key"] = "authorization"
    """Header of the key; ``api-key`` for Azure's own."""
    api_version: str = ""
    """Azure's ``api-version`` query parameter, if the endpoint needs one."""
    ca_file: Path | None = None
    """Certificates to trust for the endpoint in place of the system's."""
    proxy: SecretStr | None = None
    """Address of a proxy; the environment's are never read."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    """Seconds to open the connection."""
    first_byte_timeout_s: Seconds = 15.0
    """Seconds until the first byte of the answer."""
    total_timeout_s: Seconds = 30.0
    """Seconds for one question, every retry included."""
    reply_modes: Annotated[tuple[Literal["strict", "json", "tool", "text"], ...], Field(min_length=1)] = (
        "strict", "json", "tool", "text",
    )  # fmt: skip
    """Ways of asking for JSON, best first; leave out what the endpoint refuses without naming it."""
    stream: bool = False
    """Ask for a streamed answer, so that progress can be shown."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Sent if set; some models take only their default."""
    max_output_tokens: Annotated[int, Field(ge=200, le=100_000)] = 4_000
    """Most tokens of an answer, asked of the endpoint."""
    output_limit_field: Literal["max_completion_tokens", "max_tokens", ""] = "max_completion_tokens"
    """Name of the request field for that; ``max_tokens`` for older servers."""
    max_concurrent: Annotated[int, Field(ge=1, le=1_000)] = 8
    """Most calls at once; twice as many may wait, the next is turned away."""
    price_input_usd: Dollars | None = None
    """US dollars per million tokens in, from the provider's list; costs are unknown without."""
    price_output_usd: Dollars | None = None
    """US dollars per million tokens out."""


class TenantModelSettings(BaseModel):
    """What holds for one tenant in place of what holds for all."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Most tokens in a minute; as for all if not given."""
    tokens_per_day: Annotated[int, Field(ge=1)] | None = None
    """Most tokens in a day, UTC; as for all if not given."""
    usd_per_month: Dollars | None = None
    """Most US dollars in a month, UTC; as for all if not given."""
    endpoints: tuple[EndpointName, ...] | None = None
    """Names of the endpoints that the tenant's prompts may go to; all if not given, none if empty."""


class LlmSettings(EndpointSettings):
    """Which planner answers, what it may cost, and what happens when it is down."""

    planner: Literal["offline", "openai"] = "offline"
    """``offline`` needs no key and no network; ``openai`` is any endpoint that speaks chat completions."""
    repair_rounds: Annotated[int, Field(ge=0, le=2)] = 2
    """How often the model may mend a reply that does not fit; it is told codes and names only."""
    fallbacks: tuple[EndpointSettings, ...] = ()
    """Further endpoints, as a JSON list, asked in order when the one before cannot answer."""
    offline_fallback: bool = True
    """Let the offline planner answer when every endpoint is down; the answer says so."""
    fallback_total_timeout_s: Seconds = 60.0
    """Seconds for one question over all endpoints."""
    max_per_tenant: Annotated[int, Field(ge=1, le=3_000)] | None = None
    """Most questions of one tenant at the models at once; half of what an endpoint holds if not set."""
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    """Most tokens, in and out, of one tenant in a minute."""
    tokens_per_day: Annotated[int, Field(ge=1)] | None = None
    """Most tokens of one tenant in a day, UTC."""
    usd_per_month: Dollars | None = None
    """Most US dollars of one tenant in a month, UTC; needs the prices."""
    tenants: dict[str, TenantModelSettings] = {}
    """Budgets and endpoints of single tenants, by tenant id; a JSON object."""
    cache_entries: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """Answers of the model kept in memory for the same question of the same data; 0 for none."""
    cache_ttl_s: Annotated[float, Field(gt=0, le=86_400 * 30)] = 3_600.0
    """Seconds such an answer is kept."""
