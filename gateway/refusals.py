"""The errors of the leaf package `redaction`, as the gateway's: with kinds, and without text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import PromptRefusedError, ScanUnfinishedError
from redaction.errors import PromptRefused, QuestionRefused, ScanUnfinished


@contextmanager
def mapped(stage: str) -> Iterator[None]:
    """Turn the errors of the leaf package into the gateway's, with kinds and without text."""
    try:
        yield
    except QuestionRefused as refusal:
        msg = "the question holds what must not be sent: " + ", ".join(refusal.kinds)
        raise PromptRefusedError(msg, code="question_refused", stage=stage, details={"kinds": refusal.kinds}) from None
    except PromptRefused as refusal:
        msg = "the prompt holds what must not leave: " + ", ".join(refusal.kinds)
        raise PromptRefusedError(msg, stage=stage, details={"kinds": refusal.kinds}) from None
    except ScanUnfinished:
        msg = "the scan did not finish, so nothing was sent"
        raise ScanUnfinishedError(msg, stage=stage) from None
