"""The errors of the leaf packages `redaction` and `prompts`, as the gateway's: with kinds, and without text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.chart.spec import Plan
from gateway.errors import (
    GatewayError,
    GuardFailedError,
    PromptRefusedError,
    RequestError,
    ScanUnfinishedError,
    UnanswerableError,
)
from prompts.build import RepairNote
from prompts.errors import BudgetTooSmall, PromptError
from redaction.errors import PromptRefused, QuestionRefused, ScanUnfinished


@contextmanager
def mapped(stage: str) -> Iterator[None]:
    """Turn the errors of the leaf packages into the gateway's, with kinds and without text."""
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
    except BudgetTooSmall:
        msg = "the question and the instructions do not fit the prompt's token budget"
        raise RequestError(msg, code="prompt_too_large", stage=stage) from None
    except PromptError:
        msg = "the prompt could not be built, so nothing was sent"
        raise GuardFailedError(msg, code="prompt_unbuilt", stage=stage) from None


def unanswerable(plan: Plan) -> GatewayError:
    """The refusal of a plan without a chart; names what the data does not have."""
    if plan.missing:
        msg = "this data has no: " + ", ".join(plan.missing)
        return UnanswerableError(msg, stage="read", details={"missing": list(plan.missing)})
    return UnanswerableError("no chart of this data answers the question", stage="read")


def kinds_of(error: GatewayError) -> tuple[str, ...]:
    """Kinds of what a guard found; none if it refused for another reason or could not finish."""
    kinds = error.details.get("kinds", ())
    return tuple(str(kind) for kind in kinds) if isinstance(kinds, list | tuple) else ()


def repair_note(problem: GatewayError) -> RepairNote:
    """All that a model is told of a reply that does not fit: a code, a path and names that would."""
    valid = problem.details.get("valid", ())
    return RepairNote(
        code=str(problem.details.get("code", problem.code)),
        path=str(problem.details.get("path", "")),
        valid=tuple(str(name) for name in valid) if isinstance(valid, list | tuple) else (),
    )
