"""Settings of one model endpoint, checked at start-up: where prompts may go, how long, how many, at what price."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx2

from gateway.errors import ConfigError
from gateway.llm.breaker import BreakerPolicy
from gateway.llm.modes import ReplyMode
from gateway.llm.retry import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds; defaults from SECURITY F.

    Attributes:
        connect_s: To open the connection, TLS included.
        first_byte_s: From sending the request to the reply's headers, and between two pieces of a streamed reply.
        total_s: For one question, retries and waits included.
    """

    connect_s: float = 3.0
    first_byte_s: float = 15.0
    total_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """US dollars per million tokens, from the provider's price list; the owner's to keep right."""

    input_usd: float
    output_usd: float

    def cost_usd(self, tokens_in: int, tokens_out: int) -> float:
        """Cost of one call."""
        return (tokens_in * self.input_usd + tokens_out * self.output_usd) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """What seldom differs from its default.

    Attributes:
        modes: Ways of asking for JSON, in the order tried; the one that works is remembered.
        stream: Ask for a streamed reply: the first byte comes early, and progress is told.
        max_output_tokens: Asked of the endpoint.
        output_limit_field: Name of the field that asks for it; empty for an endpoint that knows neither.
        temperature: Sent if set; some models take only their default.
        max_reply_bytes: Most bytes of a reply's envelope.
        max_concurrent: Most calls at once.
        max_waiting: Most callers waiting for one of those.
        key_header: ``api-key`` for Azure's own header.
        query: Fixed query parameters, such as Azure's ``api-version``.
        ca_file: Certificates to trust instead of the system's.
        proxy: Address of a proxy; the environment's are never read.
        pricing: For the cost of a call; unknown if None.
    """

    modes: tuple[ReplyMode, ...] = (ReplyMode.STRICT, ReplyMode.JSON, ReplyMode.TOOL, ReplyMode.TEXT)
    stream: bool = False
    max_output_tokens: int = 4_000
    output_limit_field: Literal["max_completion_tokens", "max_tokens", ""] = "max_completion_tokens"
    temperature: float | None = None
    max_reply_bytes: int = 1_000_000
    max_concurrent: int = 8
    max_waiting: int = 16
    key_header: Literal["authorization", "api-key"] = "authorization"
    query: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None
    proxy: str | None = None
    pricing: Pricing | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


def chat_address(base_url: str, query: Mapping[str, str]) -> httpx2.URL:
    """The full address of the chat completions call.

    Args:
        base_url: For example ``https://api.openai.com/v1``.
        query: Fixed query parameters.

    Raises:
        ConfigError: It is no address, carries a name or password, or is plain http off loopback.
    """
    try:
        url = httpx2.URL(base_url.rstrip("/") + "/chat/completions")
    except (httpx2.InvalidURL, TypeError):
        msg = "llm.base_url is not an address"
        raise ConfigError(msg) from None
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.fragment or url.query:
        msg = "llm.base_url is scheme, host and path only, without a name, password, query or fragment"
        raise ConfigError(msg)
    if url.scheme == "http" and not is_loopback(url.host):
        msg = "llm.base_url is plain http, which is allowed on loopback only; use https"
        raise ConfigError(msg)
    return url.copy_merge_params(dict(query)) if query else url


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine by its name or number alone; nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def tls_context(ca_file: Path | None) -> ssl.SSLContext | bool:
    """Certificates to trust: the file's alone, or the default ones. Verification cannot be turned off.

    Raises:
        ConfigError: The file cannot be read as certificates.
    """
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError):
        msg = "llm.ca_file cannot be read as PEM certificates"
        raise ConfigError(msg) from None
