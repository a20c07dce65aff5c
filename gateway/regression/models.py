"""The models of a run by name: the offline planner, a recorded model, and how a live one is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.llm.settings import EndpointSettings
from gateway.regression.answers import OFFLINE, Answers, AskedNow, Replayed
from gateway.regression.cassette import ModelFacts
from redaction.scan import Scanner


def facts_of(settings: EndpointSettings, repair_rounds: int) -> ModelFacts:
    """A model as these settings would ask it."""
    return ModelFacts(
        endpoint=settings.name,
        model=settings.model,
        max_output_tokens=settings.max_output_tokens,
        output_limit_field=settings.output_limit_field,
        temperature=settings.temperature,
        repair_rounds=repair_rounds,
        price_input_usd=settings.price_input_usd,
        price_output_usd=settings.price_output_usd,
    )


def answers_for(
    names: Sequence[str], cassettes: Path, scanner: Scanner, settings: Settings, *, samples: int | None = None
) -> tuple[Answers, ...]:
    """Where the replies of each named model come from.

    Args:
        names: ``offline``, or names of recorded models.
        cassettes: The folder of recorded replies.
        scanner: The recognisers.
        settings: If they configure a named model, its replies are played back only if recorded under these
            parameters; else under those that they were recorded with.
        samples: Most replies of each case.

    Raises:
        ConfigError: Nothing is recorded of a model, or one is named twice.
    """
    if len(set(names)) < len(names):
        msg = "a model is named twice"
        raise ConfigError(msg)
    configured: dict[str, ModelFacts] = {}
    if settings.llm.planner != OFFLINE:
        rounds = settings.llm.repair_rounds
        configured = {one.model: facts_of(one, rounds) for one in (settings.llm, *settings.llm.fallbacks)}
    return tuple(
        AskedNow()
        if name == OFFLINE
        else Replayed(cassettes, name, scanner, samples=samples, facts=configured.get(name))
        for name in names
    )
