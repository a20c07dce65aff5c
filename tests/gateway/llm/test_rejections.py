"""A request that an endpoint does not take: which errors lead to another reply mode, and which end the matter."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ModelError
from gateway.llm.attempt import AttemptInfo
from gateway.llm.endpoint import EndpointOptions, Timeouts
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.rejections import is_about_auth, is_about_mode
from gateway.llm.retry import RetryPolicy
from gateway.types import Reply
from tests.simulator.chat_server import PLAN, Fault, chat_server
from tests.simulator.prompts import scanned

MODES = ("strict", "json", "tool", "text")
KEY_ERRORS = {
    "openai": {"error": {"message": "Incorrect API key", "type": "invalid_request_error", "code": "invalid_api_key"}},
    "a proxy": {"error": {"message": "token not found", "type": "auth_error", "param": "None", "code": "400"}},
    "a number": {"error": {"message": "no", "code": 401}},
    "flat": {"object": "error", "message": "no", "type": "authentication_error", "param": "response_format"},
    "about both": {"error": {"type": "permission_error", "param": "response_format", "code": "unsupported_parameter"}},
}


def fault(status: int, body: object) -> Fault:
    return Fault(status=status, body=json.dumps(body).encode())


def ask(faults: list[Fault], **options: object) -> tuple[Reply | ModelError, list[str], list[str]]:
    """The reply or the error, the modes that reached the server, and those announced to the audit log."""
    announced: list[str] = []

    async def announce(info: AttemptInfo) -> None:
        announced.append(info.mode)

    async def call(base_url: str) -> Reply | ModelError:
        planner = OpenAIPlanner(
            base_url=base_url,
            model="m",
            timeouts=Timeouts(connect_s=5, first_byte_s=10, total_s=30),
            options=EndpointOptions(retry=RetryPolicy(base_s=0.01, cap_s=0.02), **options),  # type: ignore[arg-type]
            before_send=announce,
        )
        try:
            return await planner.plan(scanned())
        except ModelError as error:
            return error
        finally:
            await planner.aclose()

    with chat_server(faults=faults) as server:
        found = asyncio.run(call(server.base_url))
    return found, [request.mode for request in server.requests], announced


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("status", "stream"),
    [(200, False), *((status, stream) for status in (400, 401, 403, 404, 422, 500) for stream in (False, True))],
)
@pytest.mark.parametrize("body", KEY_ERRORS.values(), ids=KEY_ERRORS)
def test_refused_key_is_sent_once(body: object, status: int, stream: bool) -> None:
    """Whatever the status: no retry, no other mode, and the one send is in the log."""
    found, sent, announced = ask([fault(status, body)] * 4, stream=stream)
    assert isinstance(found, ModelError)
    assert (found.code, sent, announced) == ("model_auth", ["strict"], ["strict"])


@pytest.mark.loopback
def test_refused_key_within_a_stream_is_sent_once() -> None:
    """A gateway that has begun a stream says it in an event."""
    event = b'data: {"error": {"message": "no", "code": "invalid_api_key"}}\n\n'
    stream = Fault(body=event, headers={"content-type": "text/event-stream"})
    found, sent, announced = ask([stream] * 4, stream=True)
    assert isinstance(found, ModelError)
    assert (found.code, sent, announced) == ("model_auth", ["strict"], ["strict"])


REJECTIONS = {
    "no body": (400, None),
    "an unknown model": (400, {"error": {"message": "x", "param": "model", "code": "model_not_found"}}),
    "another field": (400, {"error": {"message": "x", "param": "temperature", "code": "unsupported_parameter"}}),
    "words alone": (400, {"error": {"message": "response_format of type json_schema is not supported", "param": None}}),
    "a name that begins so": (400, {"error": {"param": "response_format_x", "code": "unsupported_parameter"}}),
    "a code of another kind": (400, {"error": {"param": "response_format", "code": "context_length_exceeded"}}),
    "another mode's field": (400, {"error": {"param": "tools", "code": "unsupported_parameter"}}),
    "no such address": (404, {"error": {"message": "not found"}}),
    "detail of another field": (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "temperature"]}]}),
    "a teapot": (418, {"error": {"param": "response_format", "code": "unsupported_parameter"}}),
}  # fmt: skip


@pytest.mark.loopback
@pytest.mark.parametrize(("status", "body"), REJECTIONS.values(), ids=REJECTIONS)
def test_request_that_is_refused_for_another_reason_is_sent_once(status: int, body: object) -> None:
    """A 4xx that does not name the reply mode by a closed code ends the matter."""
    found, sent, announced = ask([fault(status, body)] * 4)
    assert isinstance(found, ModelError)
    assert (found.code, sent, announced) == ("model_rejected", ["strict"], ["strict"])


UNSUPPORTED = {
    "openai": (400, {"error": {"type": "invalid_request_error", "param": "response_format", "code": None}}),
    "a path": (400, {"error": {"param": "response_format.json_schema.schema", "code": "invalid_value"}}),
    "unknown": (400, {"error": {"param": "response_format", "code": "unknown_parameter"}}),
    "flat": (400, {"object": "error", "type": "BadRequestError", "param": "response_format", "code": 400}),
    "detail": (422, {"detail": [{"type": "enum", "loc": ["body", "response_format", "type"]}]}),
    "not implemented": (501, {"error": {"param": "response_format", "code": "unsupported_value"}}),
}  # fmt: skip


@pytest.mark.loopback
@pytest.mark.parametrize(("status", "body"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_mode_that_is_said_to_be_unsupported_leads_to_the_next(status: int, body: object) -> None:
    """Each send is in the log, and the reply comes in the next mode."""
    found, sent, announced = ask([fault(status, body)])
    assert isinstance(found, Reply)
    assert (found.text, found.attempts, sent, announced) == (PLAN, 2, ["strict", "json"], ["strict", "json"])


@pytest.mark.loopback
def test_key_that_is_refused_in_the_second_mode_ends_there() -> None:
    """An endpoint that looks at the request before it looks at the key."""
    first = fault(*UNSUPPORTED["openai"])
    found, sent, announced = ask([first, *[fault(400, KEY_ERRORS["openai"])] * 3])
    assert isinstance(found, ModelError)
    assert (found.code, sent, announced) == ("model_auth", ["strict", "json"], ["strict", "json"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["response_format", "tools"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "param", "code", "type", "message", "detail", "loc"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([*MODES, "", "other"]))
def test_any_body_is_read_and_text_has_no_other_mode(body: object, mode: str) -> None:
    """No body breaks the reading; about the key and about the mode exclude each other; text asks for nothing."""
    assert not (is_about_auth(body) and is_about_mode(body, mode))
    if mode not in MODES[:3]:
        assert not is_about_mode(body, mode)


@given(st.text(), st.sampled_from(MODES))
def test_words_of_an_error_decide_nothing(words: str, mode: str) -> None:
    """The message can echo the prompt: whatever it says, the prompt is not sent again for it."""
    body = {"error": {"message": words, "type": "invalid_request_error", "param": None, "code": None}}
    assert not is_about_mode(body, mode)
    assert not is_about_auth(body)
