"""Stage 7, offline: a ScannedPrompt in, a Reply with `Plan` JSON out, with no model and no network.

It reads three things of the prompt and nothing else: the released facts (a budgeted Summary), the masked question,
and the previous spec of a follow-up. It is held to what a model would get, so its answers can stand in for a
model's in the regression suite, and nothing it does can tell a row apart from another.

What is not checked here: that the plan fits the Summary. `gateway.chart.read` checks every reply, ours included.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from gateway.chart.spec import ChartSpec
from gateway.errors import ModelError
from gateway.llm.offline.lexicon import MAX_LEXICONS
from gateway.llm.offline.plan import plan_question
from gateway.summary.model import Summary
from gateway.types import Reply

if TYPE_CHECKING:
    from redaction.scan import ScannedPrompt

VERSION: Final = "offline-3"
"""Written as the model's name; part of the answer cache's key, so it moves when plans may."""


class OfflinePlanner:
    """A planner without a model: the default without a key, and the fallback when the model is down.

    Attributes:
        name: ``offline``, as written to the audit log.
        model: The version of the rules.
        leaves: False: the prompt stays in this process.
    """

    name: str = "offline"
    model: str = VERSION
    leaves: bool = False

    def __init__(self) -> None:
        self._summaries: OrderedDict[str, Summary] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def kept(self) -> int:
        """How many Summaries are kept parsed."""
        return len(self._summaries)

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        """Answer the prompt with `Plan` JSON.

        Args:
            prompt: What a guard has read. Only its facts, question and previous spec are used.

        Returns:
            A reply without tokens or cost.

        Raises:
            ModelError: The facts are not a Summary, which is a fault of the caller of `build_prompt`.
        """
        unscanned = prompt.prompt
        try:
            summary = self._summary(unscanned.facts)
            previous = ChartSpec.model_validate_json(unscanned.previous) if unscanned.previous else None
        except ValidationError:
            msg = "the prompt's facts or previous spec cannot be read by the offline planner"
            raise ModelError(msg, code="facts_invalid", stage="plan") from None
        plan = plan_question(summary, unscanned.question, previous)
        return Reply(text=plan.model_dump_json(exclude_none=True), model=self.model)

    def _summary(self, facts: str) -> Summary:
        """The Summary of these facts: parsed once, and the same object, so that its lexicon is found again."""
        with self._lock:
            found = self._summaries.get(facts)
            if found is not None:
                self._summaries.move_to_end(facts)
                return found
        made = Summary.model_validate_json(facts)
        with self._lock:
            self._summaries[facts] = made
            while len(self._summaries) > MAX_LEXICONS:
                self._summaries.popitem(last=False)
        return made
