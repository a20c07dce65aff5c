"""Errors of the redaction package. Each says what kind of thing was found, never the thing itself.

RedactionError
  + QuestionRefused   the question holds what policy refuses (a password, a key)
  + PromptRefused     what is about to leave holds what must not leave
  + ScanUnfinished    a guard could not finish: time-out, missing model, over-long text. Never skipped
"""

from __future__ import annotations


class RedactionError(Exception):
    """Base of every error of this package; ``str()`` is safe to log and to return."""


class _Refused(RedactionError):  # noqa: N818  (a verdict, named as the adjective that was proved)
    def __init__(self, kinds: tuple[str, ...]) -> None:
        self.kinds = tuple(sorted(set(kinds)))
        super().__init__(f"{self._what}: {', '.join(self.kinds)}")

    _what = "refused"

    def __reduce__(self) -> tuple[type[_Refused], tuple[tuple[str, ...]]]:
        return type(self), (self.kinds,)


class QuestionRefused(_Refused):
    """The question holds what the policy refuses to take. `kinds` are entity types."""

    _what = "the question holds what must not be sent"


class PromptRefused(_Refused):
    """The prompt holds what must not leave. `kinds` are entity types and egress rules."""

    _what = "the prompt holds what must not leave"


class ScanUnfinished(RedactionError):  # noqa: N818
    """A guard could not finish, so nothing may leave. `reason` is a word of a closed set."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the scan did not finish: {reason}")

    def __reduce__(self) -> tuple[type[ScanUnfinished], tuple[str]]:
        return type(self), (self.reason,)
