"""What a recording may spend: asked before each send, so that it stops before the limit and not after."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import ConfigError
from gateway.regression.cassette import ModelFacts
from gateway.types import Reply


@dataclass(slots=True, kw_only=True)
class Purse:
    """Tokens and US dollars of one recording. One per event loop.

    Attributes:
        max_tokens: Most tokens, in and out, of all calls.
        max_usd: Most US dollars; needs prices.
        tokens: Spent so far; a call that failed has cost its prompt all the same.
        usd: Spent so far, as far as prices are known.
    """

    max_tokens: int
    max_usd: float | None = None
    tokens: int = 0
    usd: float = 0.0
    _held_tokens: int = 0
    _held_usd: float = 0.0

    def check(self, facts: ModelFacts) -> None:
        """Refuse a limit that nothing can be counted by.

        Raises:
            ConfigError: A limit in dollars without prices.
        """
        if self.max_usd is not None and facts.price_input_usd is None:
            msg = "a limit in dollars needs ROWLESS_LLM__PRICE_INPUT_USD and ROWLESS_LLM__PRICE_OUTPUT_USD"
            raise ConfigError(msg)

    def hold(self, facts: ModelFacts, prompt_tokens: int) -> bool:
        """Set the most that one call can cost aside; False if it might not fit."""
        tokens = prompt_tokens + facts.max_output_tokens
        usd = cost(facts, prompt_tokens, facts.max_output_tokens) or 0.0
        if self.tokens + self._held_tokens + tokens > self.max_tokens:
            return False
        if self.max_usd is not None and self.usd + self._held_usd + usd > self.max_usd:
            return False
        self._held_tokens += tokens
        self._held_usd += usd
        return True

    def settle(self, facts: ModelFacts, prompt_tokens: int, sends: int, reply: Reply | None) -> None:
        """Book what a call cost, in place of what was set aside.

        Args:
            facts: The model.
            prompt_tokens: Size of the prompt by our own count.
            sends: How often it left, retries included.
            reply: The reply; None if there was none.
        """
        self._held_tokens -= prompt_tokens + facts.max_output_tokens
        self._held_usd -= cost(facts, prompt_tokens, facts.max_output_tokens) or 0.0
        lost = prompt_tokens * (sends if reply is None else max(0, sends - 1))
        self.tokens += lost + (reply.tokens_in + reply.tokens_out if reply is not None else 0)
        self.usd += cost(facts, lost, 0) or 0.0
        self.usd += (reply.cost_usd or 0.0) if reply is not None else 0.0


def cost(facts: ModelFacts, tokens_in: int, tokens_out: int) -> float | None:
    """US dollars of one call; None without prices."""
    if facts.price_input_usd is None or facts.price_output_usd is None:
        return None
    return (tokens_in * facts.price_input_usd + tokens_out * facts.price_output_usd) / 1_000_000
