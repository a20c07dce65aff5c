"""What to do with each kind of finding in a question: mask it, refuse the question, or let it pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What happens to a finding in a question."""

    MASK = "mask"
    """It becomes a placeholder; the original is bound back as a query parameter."""
    REFUSE = "refuse"
    """The question is not answered."""
    ALLOW = "allow"
    """It stays, and leaves with the prompt. For what an owner knows to be harmless, such as their own domain."""


DEFAULT_ACTIONS: Final[Mapping[str, Action]] = {"SECRET": Action.REFUSE}
"""A key or password has no use in a question about data and should be changed by whoever pasted it: refuse, so that
they notice. Everything else can be what a question is about ("orders of this e-mail address"): mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Action per entity type.

    Attributes:
        actions: Overrides by entity type, on top of `DEFAULT_ACTIONS`.
        default: Action for every other entity type, also one that nobody has heard of.
    """

    actions: Mapping[str, Action] = field(default_factory=dict)
    default: Action = Action.MASK

    def action(self, entity_type: str) -> Action:
        """The action for one entity type."""
        if entity_type in self.actions:
            return self.actions[entity_type]
        return DEFAULT_ACTIONS.get(entity_type, self.default)

    @property
    def allowed(self) -> frozenset[str]:
        """Entity types that stay in the text."""
        return frozenset(name for name, action in self.actions.items() if action is Action.ALLOW)
