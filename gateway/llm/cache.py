"""Answer cache: the same question of the same data, by the same rules, template and model, is not sent again.

The key is a hash over everything that a reply depends on. The question in it is masked, so that two askers whose
hidden values differ share the plan and each binds their own; a different Summary (another tenant's, or after a
refresh) is another key. What is kept is a planner's reply, which is read and validated again each time.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.types import Reply


def answer_key(
    *,
    masked_question: str,
    summary_release: str,
    scope_shape: str,
    template: str,
    version: str,
    model: str,
    previous: str = "",
    scanner: str = "",
) -> str:
    """The key of one question.

    Args:
        masked_question: The question with placeholders.
        summary_release: ``Summary.release``.
        scope_shape: ``Scope.shape()``.
        template: Name of the prompt template.
        version: Its version.
        model: Endpoint and model names.
        previous: Canonical JSON of the chart that the question may refine.
        scanner: Version of the guard: a stricter one must see a question again before an answer to it is reused.

    Returns:
        64 hex digits.
    """
    # A JSON list keeps the parts apart: no two different lists of texts have the same text.
    parts = [masked_question, summary_release, scope_shape, template, version, model, previous, scanner]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keepable(reply: Reply, model: str) -> bool:
    """Whether a reply may be kept under a planner's model: not if a fall-back gave it."""
    return reply.model == model and not reply.fallback


@dataclass(slots=True)
class AnswerCache:
    """Replies by key, in memory, the least recently used dropped first.

    Attributes:
        max_entries: Most replies kept; 0 turns the cache off.
        ttl_s: Seconds a reply is good for.
        clock: Monotonic seconds.
    """

    max_entries: int = 1_000
    ttl_s: float = 3_600.0
    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[str, tuple[float, Reply]] = field(default_factory=OrderedDict, repr=False)

    def get(self, key: str) -> Reply | None:
        """The reply under a key, if it is still good; its tokens and cost are zero, as it was paid for before."""
        found = self._kept.get(key)
        if found is None:
            return None
        kept_at, reply = found
        if self.clock() - kept_at >= self.ttl_s:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return replace(reply, tokens_in=0, tokens_out=0, cost_usd=0.0, attempts=0)

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply that was read and found valid."""
        if self.max_entries < 1:
            return
        self._kept[key] = (self.clock(), reply)
        self._kept.move_to_end(key)
        while len(self._kept) > self.max_entries:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, for example when rules changed."""
        self._kept.clear()
