"""One send of a prompt to a model: what the audit log is told of it before it happens, and who is told.

`sending` sets, for the current task, the hook that every planner whose prompts leave the process must call before
each single send, retries and fall-backs included. Without a hook nothing is sent; if the hook raises, nothing is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from redaction.scan import ScannedPrompt
from redaction.segments import UnscannedPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptInfo:
    """One request that is about to leave.

    Attributes:
        planner: Name of the endpoint, as in the settings.
        model: Model name sent.
        host: Host and port it goes to.
        mode: How the reply is asked for: ``strict``, ``json``, ``tool`` or ``text``.
        number: 1 for the first send for this prompt by this planner, then 2, …
        body: The request body, byte for byte as it leaves. To be sealed by the audit log, never logged.
        prompt_tokens: Size of the prompt by our own count.
        most_output_tokens: Most tokens that are asked of the reply.
        prompt_usd: Price of the prompt alone; 0 if the endpoint's prices are not known.
        most_usd: Price of the prompt and the largest reply.
    """

    planner: str
    model: str
    host: str
    mode: str
    number: int
    body: bytes = field(repr=False)
    prompt_tokens: int = 0
    most_output_tokens: int = 0
    prompt_usd: float = 0.0
    most_usd: float = 0.0

    @property
    def sha256(self) -> str:
        """Hash of the body."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a streamed reply is; counts only, as the text is untrusted until it has been read."""

    planner: str
    attempt: int
    characters: int
    tokens: int


BeforeSend = Callable[[AttemptInfo], Awaitable[None]]
OnProgress = Callable[[Progress], None]
Rescan = Callable[[UnscannedPrompt], ScannedPrompt]
InHouse = Callable[[str, str], Awaitable[None]]
"""Told the name and the model of a planner that takes over and lets nothing leave, before it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Who is told of sends and of progress within one task."""

    before_send: BeforeSend | None = None
    on_progress: OnProgress | None = None
    allowed: frozenset[str] | None = None
    """Names of the endpoints that the asking tenant's prompts may go to; None for all that are configured."""
    rescan: Rescan | None = None
    """Scans a prompt again, with the index of the asking scope, before a fall-back is asked."""
    in_house: InHouse | None = None
    """Told before a planner inside the process answers in place of an endpoint: nothing announces that by a send."""


_HOOKS: ContextVar[Hooks] = ContextVar("rowless_sending", default=Hooks())  # noqa: B039 - frozen


@contextmanager
def sending(
    before_send: BeforeSend,
    on_progress: OnProgress | None = None,
    *,
    allowed: frozenset[str] | None = None,
    rescan: Rescan | None = None,
    in_house: InHouse | None = None,
) -> Iterator[None]:
    """Within this block, and the tasks started in it, prompts may leave, each send told to `before_send` first.

    Args:
        before_send: Awaited before each send; must raise if the intent could not be written durably.
        on_progress: Called as a streamed reply grows. Must not block.
        allowed: Names of the endpoints that may be sent to; None for all that are configured.
        rescan: Scans a prompt again before a fall-back is asked.
        in_house: Awaited before a planner inside the process takes over; must raise as `before_send` must.
    """
    token = _HOOKS.set(
        Hooks(before_send=before_send, on_progress=on_progress, allowed=allowed, rescan=rescan, in_house=in_house)
    )
    try:
        yield
    finally:
        _HOOKS.reset(token)


def current_hooks() -> Hooks:
    """The hooks of the current task."""
    return _HOOKS.get()
