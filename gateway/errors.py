"""The whole error tree. ``str(error)`` of every GatewayError is safe to log, to audit and to return.

    GatewayError            code (stable string), HTTP status, stage of the line it came from
      + RequestError        4xx  the caller's request is wrong: names what and where
      + AuthError           401  no valid key or session: one body for every cause
      + RefusedError        403  a guard said no (429 where a budget is spent)
      + GuardFailedError    503  a guard could not finish; never skipped
      + ModelError          502  the model could not be reached or did not answer with a spec
      + QueryError          5xx  the database did not answer in time, or within the limits
    ConfigError             start-up only; lists setting names, never values

Messages name things (a table, a setting), never values: no cell, prompt, reply, key or SQL literal.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Base of every error that may reach a caller.

    Args:
        message: One lower-case sentence that names things, never values.
        code: Stable, machine-readable code; the class default if left out.
        stage: Name of the stage of the line, for example ``scan``.
        details: Small closed facts for the caller, such as what would be valid. Never values of rows.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str, *, code: str = "", stage: str = "", details: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.stage = stage
        self.details = details or {}


class RequestError(GatewayError):
    """The caller's request is wrong."""

    status = 400
    default_code = "request_invalid"
    exit_code = 2


class SourceError(RequestError):
    """A datasource cannot be opened or read as one: wrong path, host, password, driver or format."""

    status = 422
    default_code = "source_unusable"


class NotFoundError(RequestError):
    """The named thing does not exist, or not for this caller: both look the same."""

    status = 404
    default_code = "not_found"


class AmbiguousError(RequestError):
    """The question or spec has more than one reading; `details["choices"]` lists them."""

    status = 409
    default_code = "ambiguous"


class UnanswerableError(RequestError):
    """The data in scope cannot answer the question; the message names what is missing."""

    status = 422
    default_code = "unanswerable"


class AuthError(GatewayError):
    """No valid key or session. The body is the same whatever the cause."""

    status = 401
    default_code = "unauthorized"
    exit_code = 3


class RefusedError(GatewayError):
    """A guard said no."""

    status = 403
    default_code = "refused"
    exit_code = 3


class ScopeRefusedError(RefusedError):
    """The query would leave the asking tenant's scope, or the checker cannot prove that it does not."""

    default_code = "scope_refused"


class PromptRefusedError(RefusedError):
    """The prompt holds something that must not leave."""

    default_code = "prompt_refused"


class BudgetSpentError(RefusedError):
    """The tenant's budget of tokens or money is spent; `details["retry_after_s"]` says when it is not."""

    status = 429
    default_code = "budget_spent"


class GuardFailedError(GatewayError):
    """A guard could not finish, so nothing was sent."""

    status = 503
    default_code = "guard_failed"
    exit_code = 4


class ScanUnfinishedError(GuardFailedError):
    """The scan of what is about to leave did not finish."""

    default_code = "scan_unfinished"


class IndexStaleError(GuardFailedError):
    """What the egress guard knows of the data is older than allowed and could not be refreshed."""

    default_code = "index_stale"


class AuditUnavailableError(GuardFailedError):
    """The audit log cannot be written, so nothing is sent and nothing is run."""

    default_code = "audit_unavailable"


class ModelError(GatewayError):
    """The model could not be reached or did not answer with a chart spec."""

    status = 502
    default_code = "model_failed"
    exit_code = 4


class ModelTimeoutError(ModelError):
    """The model did not answer in time."""

    status = 504
    default_code = "model_timeout"


class ReplyInvalidError(ModelError):
    """The model's reply is not a chart spec that can be read."""

    default_code = "reply_invalid"


class SpecInvalidError(ModelError):
    """The chart spec does not fit the data in scope. `details` holds code, path and what would be valid."""

    default_code = "spec_invalid"


class QueryError(GatewayError):
    """The database did not answer, or not within the limits. Driver text never gets here."""

    status = 502
    default_code = "query_failed"
    exit_code = 4


class QueryTimeoutError(QueryError):
    """The database did not answer in time and was told to stop."""

    status = 504
    default_code = "query_timeout"


class QueryLimitError(QueryError):
    """The answer is larger than the row or byte limit."""

    status = 422
    default_code = "query_limit"


class ConfigError(Exception):
    """Start-up only: lists the names of settings that are wrong, never their values."""
