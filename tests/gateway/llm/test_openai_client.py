"""The model client against a real HTTP server on loopback, with faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from gateway.errors import (
    AuditUnavailableError,
    ConfigError,
    GuardFailedError,
    ModelError,
    ModelTimeoutError,
    ReplyInvalidError,
)
from gateway.llm.attempt import AttemptInfo, Progress, sending
from gateway.llm.breaker import BreakerPolicy
from gateway.llm.endpoint import EndpointOptions, Pricing, Timeouts
from gateway.llm.modes import ReplyMode
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.retry import RetryPolicy
from gateway.types import Reply
from redaction.scan import ScannedPrompt
from tests.simulator.chat_server import PLAN, ChatServer, Fault, chat_server
from tests.simulator.prompts import scanned

pytestmark = pytest.mark.loopback

CALM = Timeouts(connect_s=5.0, first_byte_s=10.0, total_s=30.0)
"""Wide enough for a loaded machine; a test of a time-out sets its own."""
IMPATIENT = Timeouts(connect_s=5.0, first_byte_s=0.4, total_s=30.0)
SHORT = Timeouts(connect_s=5.0, first_byte_s=10.0, total_s=1.0)
FAST_RETRY = RetryPolicy(base_s=0.01, cap_s=0.02)


class Audit:
    """Collects what was announced; raises after `allow` of them."""

    def __init__(self, allow: int = 99) -> None:
        self.seen: list[AttemptInfo] = []
        self._allow = allow

    async def __call__(self, info: AttemptInfo) -> None:
        """Take note, or fail."""
        if len(self.seen) >= self._allow:
            msg = "the audit log cannot be written"
            raise AuditUnavailableError(msg)
        self.seen.append(info)


def planner_for(server: ChatServer, audit: Audit | None = None, **kwargs: object) -> OpenAIPlanner:
    options = kwargs.pop("options", None) or EndpointOptions(retry=FAST_RETRY)
    arguments = {"base_url": server.base_url, "model": "test-model", "timeouts": CALM, **kwargs}
    return OpenAIPlanner(options=options, before_send=audit or Audit(), **arguments)  # type: ignore[arg-type]


def ask(planner: OpenAIPlanner, prompt: ScannedPrompt | None = None) -> Reply:
    async def call() -> Reply:
        try:
            return await planner.plan(prompt or scanned())
        finally:
            await planner.aclose()

    return asyncio.run(call())


def test_reply_comes_back_with_tokens_and_cost() -> None:
    """A good answer is handed on as it is, with the endpoint's own token counts and the cost by price list."""
    with chat_server() as server:
        options = EndpointOptions(pricing=Pricing(input_usd=2.0, output_usd=8.0))
        reply = ask(planner_for(server, options=options))
    assert reply.text == PLAN
    assert (reply.tokens_in, reply.tokens_out, reply.attempts) == (1000, 50, 1)
    assert reply.cost_usd == pytest.approx(0.0024)


def test_tokens_are_counted_here_when_the_endpoint_gives_none() -> None:
    """Without usage in the reply, our own counts are taken, so that no call is free in the accounts."""
    prompt = scanned()
    with chat_server(faults=[Fault(usage=False)]) as server:
        reply = ask(planner_for(server), prompt)
    assert reply.tokens_in == prompt.prompt.tokens
    assert reply.tokens_out > 10


def test_body_is_exactly_what_was_announced_and_what_was_scanned() -> None:
    """The audit hook saw, before the send, byte for byte what reached the server; and it is the scanned prompt."""
    prompt, audit = scanned("orders by month"), Audit()
    with chat_server() as server:
        ask(planner_for(server, audit), prompt)
    assert [info.body for info in audit.seen] == [request.body for request in server.requests]
    sent = server.requests[0].json
    assert sent["messages"] == [{"role": m.role, "content": m.text} for m in prompt.messages]
    assert sent["response_format"]["json_schema"]["schema"] == json.loads(prompt.prompt.reply_schema)
    assert set(sent) == {"model", "messages", "response_format", "max_completion_tokens"}


def test_headers_say_nothing_of_this_machine_or_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only known headers go out: no platform facts of the library's, nothing out of OPENAI_* variables, no proxy."""
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Canary: canary\nAuthorization: Bearer canary")
    with chat_server() as server:
        ask(planner_for(server, api_key=SecretStr("sk-real")))
    headers = server.requests[0].headers
    expected = "host content-type content-length accept accept-encoding user-agent authorization".split()  # noqa: SIM905
    assert sorted(headers) == sorted(expected)
    assert headers["authorization"] == "Bearer sk-real"
    assert "canary" not in str(headers)


def test_no_key_means_no_authorization_header() -> None:
    """An endpoint without a key gets no key, not even the library's placeholder."""
    with chat_server() as server:
        ask(planner_for(server))
    assert "authorization" not in server.requests[0].headers


def test_azure_key_header_and_query() -> None:
    """Azure's header and api-version are sent where asked for."""
    options = EndpointOptions(key_header="api-key", query={"api-version": "2025-04-01"})
    with chat_server() as server:
        ask(planner_for(server, options=options, api_key=SecretStr("k")))
    assert server.requests[0].headers["api-key"] == "k"
    assert server.requests[0].path == "/v1/chat/completions?api-version=2025-04-01"


@pytest.mark.parametrize(
    ("fault", "code", "sends"),
    [
        pytest.param(Fault(status=500, body=b'{"error":{"message":"boom"}}'), "model_unavailable", 2, id="500"),
        pytest.param(Fault(status=529, body=b""), "model_unavailable", 2, id="529"),
        pytest.param(Fault(status=429, body=b"{}"), "model_rate_limited", 2, id="429"),
        pytest.param(Fault(status=401, body=b'{"error":{"message":"bad key"}}'), "model_auth", 1, id="401"),
        pytest.param(Fault(status=403, body=b""), "model_auth", 1, id="403"),
        pytest.param(Fault(status=418, body=b""), "model_rejected", 1, id="418"),
        pytest.param(Fault(cut_after=40), "model_unreachable", 2, id="cut mid-body"),
        pytest.param(Fault(cut_after=0, headers={"content-length": "500"}), "model_unreachable", 2, id="cut at once"),
        pytest.param(Fault(body=b"{not json"), "reply_malformed", 2, id="malformed JSON"),
        pytest.param(Fault(body=b"[" * 100_000), "reply_malformed", 2, id="deeply nested JSON"),
        pytest.param(Fault(body=b"<html>", headers={"content-type": "text/html"}), "reply_malformed", 2, id="html"),
        pytest.param(Fault(body=b'{"hello":1}'), "reply_malformed", 2, id="JSON of another kind"),
        pytest.param(Fault(body=b'{"choices":[]}'), "reply_malformed", 2, id="no choices"),
        pytest.param(Fault(text="  "), "reply_malformed", 2, id="empty reply"),
        pytest.param(Fault(message={"refusal": "I cannot"}), "model_refused", 1, id="refusal"),
        pytest.param(Fault(fields={"finish_reason": "content_filter"}), "model_refused", 1, id="content filter"),
        pytest.param(Fault(fields={"finish_reason": "length"}), "reply_cut", 1, id="length"),
        pytest.param(Fault(headers={"content-encoding": "gzip"}), "reply_malformed", 2, id="compressed unasked"),
    ],
)
def test_fault_becomes_one_code_in_bounded_sends(fault: Fault, code: str, sends: int) -> None:
    """Each fault has one code; what can pass is tried once more, what cannot is not."""
    audit = Audit()
    with chat_server(faults=[fault] * 5) as server, pytest.raises(ModelError) as caught:
        ask(planner_for(server, audit))
    assert caught.value.code == code
    assert caught.value.stage == "plan"
    assert len(server.requests) == len(audit.seen) == sends
    assert [info.number for info in audit.seen] == list(range(1, sends + 1))


def test_passing_fault_is_retried_and_answered() -> None:
    """One 500, then an answer: the caller gets the answer, and the audit log both sends."""
    audit = Audit()
    with chat_server(faults=[Fault(status=500, body=b"")]) as server:
        reply = ask(planner_for(server, audit))
    assert (reply.text, reply.attempts, len(audit.seen)) == (PLAN, 2, 2)


def test_error_text_of_the_provider_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A provider that echoes the prompt in its error gets none of it into ours, its causes, or a log."""
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"error": {"message": "canary-echo orders by status", "code": "canary-code"}}).encode()
    with chat_server(faults=[Fault(status=418, body=body)]) as server, pytest.raises(ModelError) as caught:
        ask(planner_for(server, api_key=SecretStr("canary-key")))
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "canary" not in f"{error} {error.details} {error.code} {caplog.text}"
    assert "orders by status" not in caplog.text
    assert any(record.name.startswith(("openai", "httpx2", "httpcore2")) for record in caplog.records)


def test_redirect_is_not_followed_and_the_prompt_not_sent_again() -> None:
    """A 307 to another host would re-send the prompt there: it is an error, and the other host sees nothing."""
    with chat_server() as other:
        for status in (301, 302, 307, 308):
            fault = Fault(status=status, headers={"location": other.base_url + "/chat/completions"}, body=b"")
            with chat_server(faults=[fault]) as server, pytest.raises(ModelError) as caught:
                ask(planner_for(server))
            assert caught.value.code == "model_redirected"
            assert len(server.requests) == 1
    assert other.requests == []


def test_retry_after_is_honoured_when_there_is_time() -> None:
    """A 429 with Retry-After waits so long before the second send."""
    with chat_server(faults=[Fault(status=429, headers={"retry-after": "0.5"}, body=b"")]) as server:
        started = time.monotonic()
        reply = ask(planner_for(server))
    assert reply.attempts == 2
    assert time.monotonic() - started >= 0.5


def test_retry_after_beyond_the_deadline_fails_at_once() -> None:
    """Where the wait does not fit the deadline, the caller hears how long to wait instead of waiting."""
    with chat_server(faults=[Fault(status=429, headers={"retry-after": "120"}, body=b"")]) as server:
        started = time.monotonic()
        with pytest.raises(ModelError) as caught:
            ask(planner_for(server))
    assert time.monotonic() - started < 20
    assert caught.value.details["retry_after_s"] == 120.0
    assert len(server.requests) == 1


def test_silent_endpoint_times_out_at_the_first_byte() -> None:
    """An endpoint that accepts and says nothing is given up after the first-byte time, twice."""
    with chat_server(faults=[Fault(before_s=20), Fault(before_s=20)]) as server:
        started = time.monotonic()
        with pytest.raises(ModelTimeoutError) as caught:
            ask(planner_for(server, timeouts=IMPATIENT))
    assert caught.value.details == {"phase": "first_byte"}
    assert 0.7 < time.monotonic() - started < 15
    assert len(server.requests) == 2


def test_endpoint_that_does_not_take_the_connection_times_out_at_connecting() -> None:
    """A port whose queue of connections is full answers no SYN: given up after the connect time, nothing sent."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        planner = OpenAIPlanner(
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1",
            model="m",
            timeouts=Timeouts(connect_s=0.3, first_byte_s=15, total_s=20),
            options=EndpointOptions(retry=RetryPolicy(max_attempts=1)),
            before_send=Audit(),
        )
        prompt = scanned()
        started = time.monotonic()
        with pytest.raises(ModelTimeoutError) as caught:
            ask(planner, prompt)
    assert caught.value.details == {"phase": "connect"}
    assert 0.25 < time.monotonic() - started < 10


def test_dripping_endpoint_is_stopped_at_the_total_time() -> None:
    """A reply that drips byte by byte never trips the read time-out; the total time ends it."""
    with chat_server(faults=[Fault(drip_s=0.05)]) as server:
        started = time.monotonic()
        with pytest.raises(ModelTimeoutError) as caught:
            ask(planner_for(server, timeouts=SHORT))
    assert caught.value.details == {"phase": "total"}
    assert time.monotonic() - started < 10


def test_huge_reply_is_cut_off() -> None:
    """A reply over the cap is dropped while it is read, not after."""
    options = EndpointOptions(max_reply_bytes=10_000, retry=FAST_RETRY)
    with chat_server(faults=[Fault(text="x" * 2_000_000)]) as server, pytest.raises(ReplyInvalidError) as caught:
        ask(planner_for(server, options=options))
    assert caught.value.code == "reply_too_large"
    assert len(server.requests) == 1


def test_nobody_there() -> None:
    """A closed port is unreachable, quickly."""
    with chat_server() as server:
        pass
    with pytest.raises(ModelError) as caught:
        ask(planner_for(server))
    assert caught.value.code == "model_unreachable"


def test_reply_that_names_a_foreign_column_is_handed_on_untouched() -> None:
    """The client does not judge the reply: a foreign column is stage 8's to refuse, so the text must stay as it is."""
    foreign = '{"charts":[{"mark":"bar","table":"salaries","dimensions":[{"column":"salaries.amount"}]}]}'
    with chat_server(reply=lambda _: foreign) as server:
        assert ask(planner_for(server)).text == foreign


# Guards of the send: passes (above), refuses, cannot finish, wrong order.


def test_nothing_is_sent_without_an_audit_hook() -> None:
    """No hook, no send."""
    with chat_server() as server:
        planner = OpenAIPlanner(base_url=server.base_url, model="m")
        with pytest.raises(AuditUnavailableError):
            ask(planner)
    assert server.requests == []


@pytest.mark.parametrize("allow", [0, 1])
def test_nothing_more_is_sent_once_the_audit_log_fails(allow: int) -> None:
    """If the hook raises, that send does not happen, be it the first or a retry."""
    with chat_server(faults=[Fault(status=500, body=b"")] * 5) as server, pytest.raises(AuditUnavailableError):
        ask(planner_for(server, Audit(allow=allow)))
    assert len(server.requests) == allow


def test_hanging_audit_log_ends_at_the_total_time_with_nothing_sent() -> None:
    """An audit write that never returns cannot be overtaken by the send."""

    async def hang(_: AttemptInfo) -> None:
        await asyncio.sleep(60)

    with chat_server() as server:
        planner = OpenAIPlanner(base_url=server.base_url, model="m", timeouts=SHORT, before_send=hang)
        with pytest.raises(ModelTimeoutError):
            ask(planner)
    assert server.requests == []


def test_hook_of_the_task_is_used_before_the_constructors() -> None:
    """`sending` sets the hook of one question."""
    inner, outer = Audit(), Audit()
    with chat_server() as server, sending(inner):
        ask(planner_for(server, outer))
    assert (len(inner.seen), len(outer.seen)) == (1, 0)


def test_only_a_scanned_prompt_is_taken() -> None:
    """An unscanned prompt is refused at run time too, whatever the type checker was told."""
    with chat_server() as server, pytest.raises(GuardFailedError):
        ask(planner_for(server), scanned().prompt)  # type: ignore[arg-type]
    assert server.requests == []


def test_transport_refuses_a_request_without_a_permit() -> None:
    """Using the library's client directly, past the planner, sends nothing."""
    with chat_server() as server:
        planner = planner_for(server)

        async def sneak() -> None:
            try:
                await planner._client.chat.completions.create(model="m", messages=[])
            finally:
                await planner.aclose()

        with pytest.raises(GuardFailedError) as caught:
            asyncio.run(sneak())
    assert caught.value.code == "send_not_permitted"
    assert server.requests == []


# Reply modes


@pytest.mark.parametrize("only", ["strict", "json", "tool", "text"])
def test_mode_is_found_and_remembered(only: str) -> None:
    """The best mode the endpoint takes is found by its refusals, each send audited, and used at once next time."""
    audit = Audit()
    with chat_server(modes=(only,)) as server:
        planner = planner_for(server, audit)

        async def twice() -> list[Reply]:
            replies = [await planner.plan(scanned()), await planner.plan(scanned())]
            await planner.aclose()
            return replies

        replies = asyncio.run(twice())
    order = ["strict", "json", "tool", "text"]
    tried = order[: order.index(only) + 1]
    assert [r.mode for r in server.requests] == [*tried, only] == [info.mode for info in audit.seen]
    assert [r.text for r in replies] == [PLAN, PLAN]
    assert [r.attempts for r in replies] == [len(tried), 1]


def test_endpoint_that_takes_no_mode_is_rejected_and_nothing_remembered() -> None:
    """If every mode is refused the error says so, and the next call starts from the best mode again."""
    with chat_server(modes=()) as server:
        planner = planner_for(server)
        with pytest.raises(ModelError) as caught:
            ask(planner)
    assert caught.value.code == "model_rejected"
    assert [r.mode for r in server.requests] == ["strict", "json", "tool", "text"]
    assert planner._best_mode is None


def test_content_in_parts_is_joined() -> None:
    """Some servers answer with a list of parts."""
    parts = [{"type": "text", "text": PLAN[:10]}, {"type": "text", "text": PLAN[10:]}]
    with chat_server(faults=[Fault(message={"content": parts})]) as server:
        assert ask(planner_for(server)).text == PLAN


# Streaming

STREAM = EndpointOptions(stream=True, retry=FAST_RETRY)


@pytest.mark.parametrize("modes", [("strict",), ("tool",)])
def test_streamed_reply_is_whole_and_tells_progress(modes: tuple[str, ...]) -> None:
    """Pieces are joined, usage is read, and progress is counts only."""
    told: list[Progress] = []
    text = json.dumps({"charts": [], "missing": ["x" * 50] * 5})
    with chat_server(modes=modes, reply=lambda _: text) as server, sending(Audit(), told.append):
        options = EndpointOptions(stream=True, modes=(ReplyMode(modes[0]),))
        reply = ask(planner_for(server, options=options))
    assert (reply.text, reply.tokens_in) == (text, 1000)
    assert [p.characters for p in told] == sorted(p.characters for p in told)
    assert told


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault(cut_after=300, text="y" * 900), "model_unreachable", id="cut mid-stream"),
        pytest.param(Fault(fields={"finish_reason": None}), "reply_malformed", id="no end"),
        pytest.param(Fault(fields={"finish_reason": "length"}), "reply_cut", id="length"),
        pytest.param(Fault(message={"refusal": "no"}), "model_refused", id="refusal"),
        pytest.param(
            Fault(body=b"data: {oops\n\n", headers={"content-type": "text/event-stream"}),
            "reply_malformed",
            id="garbage",
        ),
        pytest.param(
            Fault(body=b'data: {"error":{"message":"canary"}}\n\n', headers={"content-type": "text/event-stream"}),
            "reply_malformed",
            id="error event",
        ),
        pytest.param(
            Fault(body=b'data: {"choices":[{"delta":"x"}]}\n\n', headers={"content-type": "text/event-stream"}),
            "reply_malformed",
            id="wrong shape",
        ),
    ],
)
def test_streamed_fault_becomes_a_code(fault: Fault, code: str) -> None:
    """A stream that breaks is never taken for a reply."""
    with chat_server(faults=[fault] * 3) as server, pytest.raises(ModelError) as caught:
        ask(planner_for(server, options=STREAM))
    assert caught.value.code == code
    assert "canary" not in str(caught.value)


# TLS and addresses


def _server_tls(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        pytest.param("127.0.0.1", True, id="good"),
        pytest.param("127.0.0.1", False, id="unknown authority"),
        pytest.param("other.example", True, id="other host's certificate"),
    ],
)
def test_certificate_is_checked(host: str, trusted: bool, tmp_path: Path) -> None:
    """A certificate of an unknown authority, or for another host, ends the call before a byte of the prompt."""
    authority = trustme.CA()
    known = authority if trusted else trustme.CA()
    known.cert_pem.write_to_path(tmp_path / "ca.pem")
    options = EndpointOptions(ca_file=tmp_path / "ca.pem", retry=FAST_RETRY)
    with chat_server(tls=_server_tls(authority, host)) as server:
        planner = planner_for(server, options=options)
        if host == "127.0.0.1" and trusted:
            assert ask(planner).text == PLAN
            return
        with pytest.raises(ModelError) as caught:
            ask(planner)
    assert caught.value.code == "model_tls"
    assert server.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com/v1",
        "http://10.0.0.5/v1",
        "http://localhost.example.com/v1",
        "http://127.0.0.1.example.com/v1",
        "http://0.0.0.0/v1",
        "https://user:secret@api.example.com/v1",
        "https://api.example.com/v1?key=secret",
        "ftp://api.example.com",
        "api.example.com/v1",
        "https://",
        "",
    ],
)
def test_address_that_is_not_safe_stops_the_start(address: str) -> None:
    """Plain http off loopback, secrets in an address, and what is no address are refused; the address is not quoted."""
    with pytest.raises(ConfigError) as caught:
        OpenAIPlanner(base_url=address, model="m")
    assert "secret" not in str(caught.value)
    assert "example" not in str(caught.value)


# Limits


def _run(make: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await make()

    asyncio.run(main())


def test_circuit_opens_after_failures_and_then_sends_nothing() -> None:
    """An endpoint that fails every call is left alone; a probe is let through after the pause."""
    breaker = BreakerPolicy(min_calls=4, window_s=60, open_s=15)
    options = EndpointOptions(breaker=breaker, retry=RetryPolicy(max_attempts=1))
    with chat_server(faults=[Fault(status=500, body=b"")] * 4) as server:
        planner = planner_for(server, options=options)
        now = [100.0]
        planner._breaker.clock = lambda: now[0]

        async def calls() -> None:
            codes = []
            for _ in range(6):
                try:
                    await planner.plan(scanned())
                except ModelError as error:
                    codes.append(error.code)
            assert codes == ["model_unavailable"] * 4 + ["model_circuit_open"] * 2
            assert len(server.requests) == 4
            now[0] += 15
            assert (await planner.plan(scanned())).text == PLAN
            assert (await planner.plan(scanned())).text == PLAN
            await planner.aclose()

        _run(calls)


def test_callers_over_the_queue_are_turned_away_before_a_send() -> None:
    """Two slots and one waiting place: the fourth caller is told at once, and nothing of his was sent."""
    options = EndpointOptions(max_concurrent=2, max_waiting=1)
    with chat_server(faults=[Fault(before_s=0.25)] * 3) as server:
        planner = planner_for(server, options=options)

        async def calls() -> None:
            got = await asyncio.gather(*(planner.plan(scanned()) for _ in range(4)), return_exceptions=True)
            busy = [e for e in got if isinstance(e, ModelError)]
            assert [e.code for e in busy] == ["model_busy"]
            await planner.aclose()

        _run(calls)
        assert len(server.requests) == 3


def test_retry_budget_bounds_the_storm_while_the_endpoint_is_down() -> None:
    """Over many failing calls the sends stay within calls plus the retry budget."""
    policy = RetryPolicy(base_s=0.0, cap_s=0.0, budget_share=0.1, budget_per_s=0.2)
    options = EndpointOptions(retry=policy, breaker=BreakerPolicy(min_calls=10_000))
    with chat_server(faults=[Fault(status=503, body=b"")] * 200) as server:
        planner = planner_for(server, options=options)
        frozen = planner._budget.clock()
        planner._budget.clock = lambda: frozen

        async def calls() -> None:
            for _ in range(50):
                with pytest.raises(ModelError):
                    await planner.plan(scanned())
            await planner.aclose()

        _run(calls)
        assert 50 < len(server.requests) <= 50 + 5 + 2, "a tenth of the calls, and what the bucket held at the start"


def test_cancelled_caller_frees_its_place() -> None:
    """A caller that goes away leaves no slot taken and no verdict on the endpoint."""
    options = EndpointOptions(max_concurrent=1, max_waiting=0)
    with chat_server(faults=[Fault(before_s=1)]) as server:
        planner = planner_for(server, options=options)

        async def calls() -> None:
            task = asyncio.create_task(planner.plan(scanned()))
            while not server.requests:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await planner.plan(scanned())).text == PLAN
            await planner.aclose()

        _run(calls)
