"""An error that nobody foresaw tells the asker an id, and the log where it was; its text reaches neither."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from gateway.web import errors
from gateway.web.headers import SecurityHeaders
from gateway.web.unforeseen import LOG_CONFIG, SafeFormatter, Unforeseen, places

CANARY = "ada@lovelace.example"


def _fails(value: str) -> None:
    try:
        _: object = dict[str, object]()[value]
    except KeyError as error:
        msg = f"could not convert {value}"
        raise RuntimeError(msg) from error


def app_that_fails() -> FastAPI:
    app = FastAPI()
    errors.install(app)
    app.add_middleware(Unforeseen)
    app.add_middleware(SecurityHeaders)

    @app.get("/fails")
    def fails() -> None:
        _fails(CANARY)

    @app.get("/half")
    def half() -> StreamingResponse:
        def parts() -> Iterator[str]:
            yield "first"
            _fails(CANARY)

        return StreamingResponse(parts())

    @app.get("/fine")
    def fine() -> dict[str, str]:
        return {"all": "well"}

    return app


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What a serving process would write to its log."""
    logging.config.dictConfig(LOG_CONFIG)
    written: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(SafeFormatter(LOG_CONFIG["formatters"]["safe"]["format"]).format(record))

    keeper = Keeper()
    loggers = [logging.getLogger(name) for name in LOG_CONFIG["loggers"]]
    for logger in loggers:
        logger.handlers = [keeper]
    yield written
    for logger in loggers:
        logger.handlers, logger.propagate = [], True


def test_the_answer_and_the_log_share_an_id_and_no_text(lines: list[str]) -> None:
    """One 500 in the one shape, with the headers of every response; one entry with kinds and places."""
    with TestClient(app_that_fails()) as client:
        answer = client.get("/fails")
    body = answer.json()["error"]
    assert (answer.status_code, body["code"]) == (500, "internal")
    assert answer.headers["x-request-id"] == body["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    (line,) = lines
    assert body["request_id"] in line
    assert "builtins.RuntimeError" in line
    assert "builtins.KeyError" in line
    assert "test_unforeseen.py" in line
    assert CANARY not in line + answer.text
    assert "could not convert" not in line + answer.text


def test_every_response_has_an_id(lines: list[str]) -> None:
    with TestClient(app_that_fails()) as client:
        ids = {client.get("/fine").headers["x-request-id"], client.get("/nothing").headers["x-request-id"]}
    assert len(ids) == 2
    assert lines == []


@pytest.mark.loopback
def test_a_real_server_logs_no_text_of_an_error_either(lines: list[str]) -> None:
    """Before and in the middle of an answer: the half answer does not look whole, and nothing is quoted."""

    async def run() -> None:
        listener = socket.socket()
        with closing(listener):
            listener.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app_that_fails(), log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                assert (await client.get("/fails")).status_code == 500
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get("/half")
            server.should_exit = True
            await serving

    asyncio.run(run())
    said = "\n".join(lines)
    assert said.count("unforeseen error") == 2
    assert CANARY not in said
    assert "could not convert" not in said


@given(st.text(min_size=12, alphabet="abcdefghijklmnopqrstuvwxyz0123456789@.+"))
def test_places_never_quote(value: str) -> None:
    """Whatever an error and those behind it say, only kinds and places are told."""
    try:
        _fails(value)
    except RuntimeError as error:
        told = "\n".join(places(error))
    assert value not in told
    assert told.count("_fails") == 2
