"""Whatever an endpoint sends, the planner answers with a reply or with a ModelError."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ModelError
from gateway.llm.attempt import AttemptInfo
from gateway.llm.breaker import BreakerPolicy
from gateway.llm.endpoint import EndpointOptions
from gateway.llm.modes import ReplyMode, extract
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.retry import RetryPolicy
from tests.simulator.chat_server import Fault, chat_server
from tests.simulator.prompts import scanned

pytestmark = pytest.mark.loopback


async def _announced(_: AttemptInfo) -> None:
    """Nothing to note."""


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "delta", "content", "tool_calls", "function", "arguments", "usage", "refusal",
                 "finish_reason", "prompt_tokens", "text", "error", "message"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_any_envelope_is_a_reply_or_a_model_error(envelope: object) -> None:
    """No shape of JSON makes another kind of error."""
    with contextlib.suppress(ModelError):
        assert extract(envelope).text.strip()


@pytest.mark.parametrize("stream", [False, True])
def test_any_body_is_a_reply_or_a_model_error(stream: bool) -> None:
    """The same through the library and the wire, streamed and whole, well-formed and not."""
    options = EndpointOptions(
        stream=stream,
        modes=(ReplyMode.TEXT,),
        retry=RetryPolicy(max_attempts=1),
        breaker=BreakerPolicy(min_calls=10**6),
    )
    kind = "text/event-stream" if stream else "application/json"
    with chat_server() as server, asyncio.Runner() as runner:
        planner = OpenAIPlanner(base_url=server.base_url, model="m", options=options, before_send=_announced)

        @settings(max_examples=60, deadline=None, database=None)
        @given(st.lists(_JSON.map(json.dumps) | st.text(max_size=20), min_size=1, max_size=3))
        def run(parts: list[str]) -> None:
            text = "".join(f"data: {part}\n\n" for part in parts) if stream else parts[0]
            server.faults[:] = [Fault(body=text.encode("utf-8", "replace"), headers={"content-type": kind})]
            with contextlib.suppress(ModelError):
                assert runner.run(planner.plan(scanned())).text.strip()

        try:
            run()
        finally:
            runner.run(planner.aclose())
