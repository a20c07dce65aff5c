"""The model client against a real OpenAI-compatible server of other makers: the LiteLLM proxy, on loopback.

LiteLLM has its own reading of the protocol, its own validation and its own errors; behind it stands the tests'
simulator as the model, so that no key and no network is needed. Install the proxy in an environment of its own:

python -m venv /tmp/litellm && /tmp/litellm/bin/pip install 'litellm[proxy]'
PYTHONPATH=. python bench/compatible.py /tmp/litellm/bin/litellm

Prints one line for each case and ends with an error if any went otherwise than it should.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from pydantic import SecretStr

from gateway.errors import GatewayError
from gateway.llm.attempt import AttemptInfo, Progress, sending
from gateway.llm.endpoint import EndpointOptions, Timeouts
from gateway.llm.modes import ReplyMode
from gateway.llm.openai_client import OpenAIPlanner
from tests.simulator.chat_server import PLAN, ChatServer, Fault, chat_server
from tests.simulator.prompts import scanned

KEY = "sk-loopback"
CONFIG = """
model_list:
  - model_name: planner
    litellm_params: {{model: openai/m, api_base: "{upstream}", api_key: sk-upstream}}
litellm_settings: {{telemetry: false, num_retries: 0}}
router_settings: {{disable_cooldowns: true}}
general_settings: {{master_key: {key}}}
"""
MODES = [tuple(ReplyMode), *((mode,) for mode in ReplyMode)]
FAULTS = {
    "429 with Retry-After": (Fault(status=429, headers={"retry-after": "1"}, body=b'{"error":{"message":"slow"}}'), ""),
    "503": (Fault(status=503, body=b"{}"), ""),
    "cut": (Fault(cut_after=30), ""),
    "HTML": (Fault(body=b"<html>"), ""),
    "refusal": (Fault(message={"content": None, "refusal": "No."}), "model_refused"),
    "length limit": (Fault(fields={"finish_reason": "length"}), "reply_cut"),
    "key refused upstream": (Fault(status=401, body=b'{"error":{"message":"no"}}'), "model_auth"),
}
"""Fault of one send -> code of the error; empty if the second send is to answer."""


@contextmanager
def proxy(binary: str, server: ChatServer) -> Iterator[str]:
    """Run LiteLLM in front of a server; its base address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="rowless-litellm-"))
    (folder / "config.yaml").write_text(CONFIG.format(upstream=server.base_url, key=KEY))
    command = [binary, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment.pop("PYTHONPATH", None)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/health/liveliness", timeout=2).status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


async def ask(
    base_url: str, modes: tuple[ReplyMode, ...], *, stream: bool = False, model: str = "planner", key: str = KEY
) -> tuple[str, int, list[str]]:
    """One question: the reply or the error's code, the reply's tokens as counted, and the mode of each send."""
    sends: list[str] = []

    async def sent(info: AttemptInfo) -> None:
        sends.append(info.mode)

    def told(_: Progress) -> None:
        """Counts are shown by the page; here only the way is tried."""

    planner = OpenAIPlanner(
        base_url=base_url, model=model, api_key=SecretStr(key), timeouts=Timeouts(first_byte_s=25, total_s=60),
        options=EndpointOptions(modes=modes, stream=stream),
    )  # fmt: skip
    try:
        with sending(sent, told):
            reply = await planner.plan(scanned())
    except GatewayError as error:
        return error.code, 0, sends
    finally:
        await planner.aclose()
    return reply.text, reply.tokens_in, sends


async def run(base_url: str, server: ChatServer) -> list[bool]:
    """All cases; whether each went as it should."""
    passed = []
    for stream in (False, True):
        for modes in MODES:
            text, tokens, sends = await ask(base_url, modes, stream=stream)
            got = server.requests[-1].mode
            passed.append((text, tokens, sends, got) == (PLAN, 1000, [modes[0].value], modes[0].value))
            way = "streamed" if stream else "whole"
            print(f"{'ok  ' if passed[-1] else 'FAIL'} {way:<9} asked {sends}, the model was asked {got}")
    for name, (fault, code) in FAULTS.items():
        server.faults = [fault]
        text, _, sends = await ask(base_url, tuple(ReplyMode))
        passed.append(text == (code or PLAN) and len(sends) == (1 if code else 2))
        print(
            f"{'ok  ' if passed[-1] else 'FAIL'} {name:<20} {text if text != PLAN else 'answered'}, {len(sends)} sends"
        )
        server.faults = []
    for name, model, key in (("unknown model", "no-such", KEY), ("unknown key", "planner", "sk-wrong")):
        text, _, sends = await ask(base_url, tuple(ReplyMode), model=model, key=key)
        passed.append(text in {"model_rejected", "model_auth"} and len(sends) == 1)
        print(f"{'ok  ' if passed[-1] else 'FAIL'} {name:<20} {text}, {len(sends)} sends")
    server.modes = ("json", "tool", "text")
    text, _, sends = await ask(base_url, tuple(ReplyMode))
    passed.append((text, sends) == (PLAN, ["strict", "json"]))
    print(f"{'ok  ' if passed[-1] else 'FAIL'} strict not supported upstream: asked {sends}")
    return passed


def main() -> None:
    """Run the cases against the proxy that is named."""
    with chat_server() as server, proxy(sys.argv[1], server) as base_url:
        passed = asyncio.run(run(base_url, server))
    print(f"{sum(passed)} of {len(passed)} as they should be")
    raise SystemExit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
