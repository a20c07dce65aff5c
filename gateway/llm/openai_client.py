"""Stage 7. Plan: ScannedPrompt -> Reply, by any endpoint that speaks chat completions, through the openai client.

In comes what a guard has read, and nothing else can: the types and a check at run time say so. Out goes text that is
untrusted until `gateway.chart.read` has read it. Proved here, by `gateway.llm.transport`: each send goes to the one
configured address, holds exactly the scanned prompt, and was announced to the audit log. Not proved: anything about
the reply.

One loop does all retries; the client library's own are off. Failures: `gateway.llm.failures`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx2
import openai
from pydantic import SecretStr

from gateway.errors import AuditUnavailableError, GuardFailedError, RefusedError
from gateway.llm.attempt import AttemptInfo, BeforeSend, Hooks, current_hooks
from gateway.llm.breaker import CircuitBreaker
from gateway.llm.endpoint import EndpointOptions, Timeouts, chat_address, tls_context
from gateway.llm.failures import STAGE, Failure, classify, model_error, timeout_error
from gateway.llm.gate import Gate
from gateway.llm.modes import Extracted, ReplyMode
from gateway.llm.receive import Meter, receive_streamed, receive_whole
from gateway.llm.request import Parameters, chat_request
from gateway.llm.retry import RetryBudget
from gateway.llm.transport import GuardedTransport, Permit, permitting
from gateway.types import Reply
from prompts.budget import count_tokens
from redaction.scan import ScannedPrompt

_NO_KEY: Final = "none"  # The library wants some key; the transport sends the real one, or none.


class OpenAIPlanner:
    """A model behind an OpenAI-compatible endpoint. One per event loop; close it with `aclose`.

    Args:
        base_url: Address up to ``/chat/completions``; https unless on loopback.
        model: Model name to send.
        api_key: Key of the endpoint, if it needs one.
        name: Name of the endpoint in the audit log.
        timeouts: See `Timeouts`.
        options: See `EndpointOptions`.
        before_send: The audit hook where `gateway.llm.attempt.sending` has not set one.

    Attributes:
        leaves: True: the prompt leaves the process.

    Raises:
        ConfigError: The address or a certificate file is not usable.
    """

    leaves: bool = True

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: SecretStr | None = None,
        name: str = "openai",
        timeouts: Timeouts | None = None,
        options: EndpointOptions | None = None,
        before_send: BeforeSend | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self._timeouts = timeouts or Timeouts()
        self._options = options or EndpointOptions()
        self._before_send = before_send
        self._endpoint = chat_address(base_url, self._options.query)
        self._best_mode: ReplyMode | None = None
        self._budget = RetryBudget(policy=self._options.retry)
        self._breaker = CircuitBreaker(policy=self._options.breaker)
        self._gate = Gate(slots=self._options.max_concurrent, waiting=self._options.max_waiting)
        self._rng = random.Random()
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._client = self._make_client(base_url, api_key)

    def _make_client(self, base_url: str, api_key: SecretStr | None) -> openai.AsyncOpenAI:
        options, times = self._options, self._timeouts
        limits = httpx2.Limits(max_connections=options.max_concurrent, max_keepalive_connections=options.max_concurrent)
        inner = httpx2.AsyncHTTPTransport(
            verify=tls_context(options.ca_file), trust_env=False, limits=limits, proxy=options.proxy, retries=0
        )
        transport = GuardedTransport(
            inner,
            endpoint=self._endpoint,
            api_key=api_key,
            key_header=options.key_header,
            first_byte_timeout_s=times.first_byte_s,
            max_reply_bytes=options.max_reply_bytes,
        )
        timeout = httpx2.Timeout(times.first_byte_s, connect=times.connect_s, pool=times.total_s)
        http = httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout)
        return openai.AsyncOpenAI(
            base_url=base_url,
            api_key=_NO_KEY,
            http_client=http,
            max_retries=0,
            timeout=timeout,
            default_query=dict(options.query) or None,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        """Answer the prompt.

        Args:
            prompt: What the scan let through.

        Returns:
            The reply's text, untrusted, with tokens and cost; counted here where the endpoint gave no counts.

        Raises:
            RefusedError: The endpoint is not on the tenant's list.
            GuardFailedError: It is no ScannedPrompt, or the audit hook is missing or failed; nothing was sent.
            ModelError: See `gateway.llm.failures`.
        """
        if not isinstance(prompt, ScannedPrompt):
            msg = "only a scanned prompt may leave"
            raise GuardFailedError(msg, code="prompt_not_scanned", stage=STAGE)
        hooks = current_hooks()
        before_send = hooks.before_send or self._before_send
        if before_send is None:
            msg = "a prompt may not leave without an audit hook"
            raise AuditUnavailableError(msg, stage=STAGE)
        if hooks.allowed is not None and self.name not in hooks.allowed:
            msg = "this model is not allowed for this tenant"
            raise RefusedError(msg, code="model_not_allowed", stage=STAGE)
        hooks = Hooks(before_send=before_send, on_progress=hooks.on_progress)
        try:
            async with asyncio.timeout(self._timeouts.total_s), self._gate.enter():
                return await self._attempts(prompt, hooks)
        except TimeoutError:
            self._breaker.record(ok=False)
            raise timeout_error("total") from None

    async def _attempts(self, prompt: ScannedPrompt, hooks: Hooks) -> Reply:
        deadline = time.monotonic() + self._timeouts.total_s
        modes = self._options.modes
        at = modes.index(self._best_mode) if self._best_mode else 0
        sends = failed = 0
        self._budget.request()
        while True:
            if not self._breaker.allow():
                raise model_error("model_circuit_open", "the model endpoint failed too often lately")
            sends += 1
            try:
                found = await self._send(prompt, modes[at], sends, hooks)
            except Exception as error:  # noqa: BLE001 - `classify` raises what it does not know
                failure = self._judge(error, modes[at])
            except BaseException:
                self._breaker.forget()
                raise
            else:
                self._breaker.record(ok=True)
                self._remember(modes[at])
                return self._reply(prompt, found, sends)
            # Outside of the except block, so that no error of ours carries the library's, which quotes bodies.
            if failure.other_mode and at + 1 < len(modes):
                at += 1
                continue
            failed += 1
            await self._wait_or_raise(failure, failed, deadline)

    def _judge(self, error: Exception, mode: ReplyMode) -> Failure:
        try:
            failure = classify(error, mode)
        except Exception:
            self._breaker.forget()
            raise
        self._breaker.record(ok=not failure.counts)
        return failure

    async def _wait_or_raise(self, failure: Failure, failed: int, deadline: float) -> None:
        policy = self._options.retry
        wait = max(policy.wait_s(failed, self._rng), failure.after_s or 0.0)
        in_time = time.monotonic() + wait < deadline
        if failure.after_s is not None:
            failure.error.details["retry_after_s"] = round(failure.after_s, 1)
        may = failure.retryable and failed < policy.max_attempts and in_time
        if not may or not self._budget.take():
            raise failure.error
        await self._sleep(wait)

    def _remember(self, mode: ReplyMode) -> None:
        modes = self._options.modes
        if self._best_mode is None or modes.index(mode) < modes.index(self._best_mode):
            self._best_mode = mode

    async def _send(self, prompt: ScannedPrompt, mode: ReplyMode, number: int, hooks: Hooks) -> Extracted:
        payload = self._payload(prompt, mode)
        size, longest, price = prompt.prompt.tokens, self._options.max_output_tokens, self._options.pricing

        async def announce(body: bytes) -> None:
            info = AttemptInfo(
                planner=self.name,
                model=self.model,
                host=self._endpoint.netloc.decode("ascii"),
                mode=mode.value,
                number=number,
                body=body,
                prompt_tokens=size,
                most_output_tokens=longest,
                prompt_usd=price.cost_usd(size, 0) if price else 0.0,
                most_usd=price.cost_usd(size, longest) if price else 0.0,
            )
            if hooks.before_send is not None:
                await hooks.before_send(info)

        with permitting(Permit(payload, announce)):
            if self._options.stream:
                encoding = prompt.prompt.encoding
                meter = Meter(self.name, number, hooks.on_progress, lambda text: count_tokens(text, encoding))
                return await receive_streamed(self._client, payload, meter)
            return await receive_whole(self._client, payload)

    def _payload(self, prompt: ScannedPrompt, mode: ReplyMode) -> dict[str, Any]:
        options = self._options
        asked = Parameters(
            model=self.model,
            max_output_tokens=options.max_output_tokens,
            output_limit_field=options.output_limit_field,
            temperature=options.temperature,
        )
        payload: dict[str, Any] = chat_request(asked, prompt.spoken, prompt.prompt.reply_schema, mode)
        if options.stream:
            payload["stream"] = True
            payload["stream_options"] = {"include_usage": True}
        return payload

    def _reply(self, prompt: ScannedPrompt, found: Extracted, sends: int) -> Reply:
        tokens_in = found.tokens_in or prompt.prompt.tokens
        tokens_out = found.tokens_out or count_tokens(found.text, prompt.prompt.encoding)
        pricing = self._options.pricing
        return Reply(
            text=found.text,
            model=self.model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=pricing.cost_usd(tokens_in, tokens_out) if pricing else None,
            attempts=sends,
        )
