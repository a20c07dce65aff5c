"""Ordered fall-backs: when one planner cannot answer, the next is asked, and the privacy contract stays the same.

The prompt is scanned again before each further planner, so that a verdict is never older than the send it allows;
each send of each planner is announced to the audit log by that planner, and a planner inside the process that takes
over is announced here; a planner that is not on the asking tenant's list is passed over. A guard that refuses or fails
ends the line: it never makes a fall-back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.errors import ConfigError, GuardFailedError, ModelError, RefusedError
from gateway.llm.attempt import Rescan, current_hooks
from gateway.llm.failures import STAGE, timeout_error
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.port import Planner
from gateway.types import Reply
from redaction.scan import ScannedPrompt

FALLS_BACK: Final = frozenset(
    {
        "model_unreachable", "model_tls", "model_timeout", "model_busy", "model_circuit_open", "model_rate_limited",
        "model_unavailable", "model_auth", "model_rejected", "model_redirected", "reply_malformed", "reply_too_large",
        "reply_cut",
    }
)  # fmt: skip
"""Failures of an endpoint. ``model_refused`` is none: a model that declines is not answered by asking around."""


class FallbackPlanner:
    """Planners in order; the first that answers is taken.

    Args:
        planners: At least one, best first; the offline planner last keeps answers coming while models are down.
        rescan: Scans a prompt, before each planner after the first, where `sending` has not set one for the question.
        total_s: Seconds for all of them together.

    Attributes:
        name: Names in order, joined by ``>``.
        model: The first planner's model: an answer of another is not kept under it (`gateway.llm.cache.keepable`).
        leaves: Whether any of them leaves the process.

    Raises:
        ConfigError: No planner, or two of one name.
    """

    def __init__(self, planners: Sequence[Planner], *, rescan: Rescan | None = None, total_s: float = 60.0) -> None:
        names = [planner.name for planner in planners]
        if not planners or len(set(names)) < len(names):
            msg = "llm fall-backs need at least one planner, and a name of its own for each"
            raise ConfigError(msg)
        self.name = ">".join(names)
        self.model = planners[0].model
        self.leaves = any(planner.leaves for planner in planners)
        self._planners = tuple(planners)
        self._rescan = rescan
        self._total_s = total_s

    async def aclose(self) -> None:
        """Close the connections of every planner that has some."""
        for planner in self._planners:
            if isinstance(planner, OpenAIPlanner | FallbackPlanner):
                await planner.aclose()

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        """Ask each allowed planner in order until one answers.

        Returns:
            The first answer; `attempts` counts the sends of the planner that gave it.

        Raises:
            RefusedError: No planner is allowed for the asking tenant.
            ModelError: The last planner's failure, or one that no other planner can mend.
            GuardFailedError: The scan or the audit log failed. Nothing more was sent.
        """
        allowed = current_hooks().allowed
        usable = [p for p in self._planners if allowed is None or not p.leaves or p.name in allowed]
        if not usable:
            raise not_allowed()
        try:
            async with asyncio.timeout(self._total_s):
                return await self._first_answer(usable, prompt)
        except TimeoutError:
            raise timeout_error("total") from None

    async def _first_answer(self, planners: Sequence[Planner], prompt: ScannedPrompt) -> Reply:
        hooks = current_hooks()
        rescan = hooks.rescan or self._rescan
        for turn, planner in enumerate(planners):
            if turn:
                if rescan is None:
                    msg = "a fall-back may not be asked without a scan of its own"
                    raise GuardFailedError(msg, code="prompt_not_scanned", stage=STAGE)
                prompt = await asyncio.to_thread(rescan, prompt.prompt)
            if not planner.leaves and planner is not self._planners[0] and hooks.in_house is not None:
                await hooks.in_house(planner.name, planner.model)
            try:
                return replace(await planner.plan(prompt), fallback=turn > 0)
            except ModelError as error:
                if error.code not in FALLS_BACK or turn + 1 == len(planners):
                    raise
        raise not_allowed()


def not_allowed() -> RefusedError:
    """The tenant's list of models has none that is configured."""
    return RefusedError("no model is allowed for this tenant", code="model_not_allowed", stage=STAGE)
