"""Every way a model call can fail, as a closed set of codes.

The provider's own words are dropped: they can echo the prompt.

model_unreachable   no connection, or it was cut                        retried, counts against the endpoint
model_tls           the certificate is not trusted                      never retried
model_timeout       no answer in time                                   retried while the deadline allows
model_busy          our own limit of concurrent calls is reached        503, nothing was sent
model_circuit_open  too many failures lately; left alone                503, nothing was sent
model_rate_limited  429                                                 retried after Retry-After
model_unavailable   408, 409, 5xx                                       retried
model_auth          401, 403, or an error that names the key            never retried, in no other mode either
model_rejected      any other 4xx                                       asked in the next reply mode only if the error
                                                                        says this one is unsupported, else stopped
model_redirected    3xx; the prompt is never sent on                    never retried
model_refused       the model or its filter declined to answer          never retried
reply_malformed     the protocol's own envelope cannot be read          retried
reply_cut           the reply ended before it was complete              never retried
reply_too_large     more bytes than allowed                             never retried
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

import httpx2
import openai

from gateway.errors import ModelError, ModelTimeoutError, ReplyInvalidError
from gateway.llm.rejections import is_about_auth, is_about_mode
from gateway.llm.retry import retry_after_s

STAGE: Final = "plan"
_MAX_CAUSES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed send: the error to raise, and what it means for the next."""

    error: ModelError
    retryable: bool = False
    counts: bool = False
    """Whether it speaks against the endpoint (the circuit breaker counts it)."""
    other_mode: bool = False
    """Whether another way of asking for the reply may help."""
    after_s: float | None = None
    """Seconds the endpoint asked to wait."""


class UpstreamTimeoutError(Exception):
    """The endpoint sent nothing in time. Internal to this package."""


def model_error(code: str, message: str, **details: object) -> ModelError:
    """A ModelError of this stage."""
    return ModelError(message, code=code, stage=STAGE, details=details)


def timeout_error(phase: str) -> ModelTimeoutError:
    """A time-out in a phase: ``connect``, ``first_byte``, ``read`` or ``total``."""
    return ModelTimeoutError("the model did not answer in time", stage=STAGE, details={"phase": phase})


def reply_error(code: str, message: str) -> ReplyInvalidError:
    """A reply that cannot be read, by code."""
    return ReplyInvalidError(message, code=code, stage=STAGE)


def classify(error: Exception, mode: str = "") -> Failure:
    """What an exception of a send means.

    Reads its type, status code, Retry-After and, of its body, codes and field names of closed lists
    (`gateway.llm.rejections`), never its words.

    Args:
        error: Whatever came out of the client library.
        mode: The reply mode that was asked for.

    Raises:
        Exception: The error itself, if it is none that a model call makes: our own bug, or a guard's.
    """
    if isinstance(error, ReplyInvalidError):
        return Failure(error=error, retryable=error.code == "reply_malformed")
    if isinstance(error, ModelError):
        return Failure(error=error)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, mode)
    timeout = _cause(error, UpstreamTimeoutError, httpx2.TimeoutException, TimeoutError)
    if timeout is not None:
        phase = "connect" if isinstance(timeout, httpx2.ConnectTimeout) else "read"
        phase = "first_byte" if isinstance(timeout, UpstreamTimeoutError) else phase
        return Failure(error=timeout_error(phase), retryable=True, counts=True)
    if _cause(error, ssl.SSLCertVerificationError, ssl.SSLError) is not None:
        return Failure(error=model_error("model_tls", "the model endpoint's certificate is not trusted"), counts=True)
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError | ConnectionError):
        found = model_error("model_unreachable", "the model endpoint could not be reached, or cut the connection")
        return Failure(error=found, retryable=True, counts=True)
    if isinstance(error, openai.APIError) and is_about_auth(error.body):
        return Failure(error=auth_error())
    if isinstance(error, openai.OpenAIError | httpx2.HTTPError | httpx2.StreamError | ValueError):
        found = reply_error("reply_malformed", "the model endpoint's answer is not one of its protocol")
        return Failure(error=found, retryable=True, counts=True)
    raise error


def _of_status(error: openai.APIStatusError, mode: str) -> Failure:
    status, after = error.status_code, retry_after_s(error.response.headers.get("retry-after"))
    if status in (401, 403) or is_about_auth(error.body):
        return Failure(error=auth_error(status=status))
    if status in (400, 404, 415, 422, 501) and is_about_mode(error.body, mode):
        return Failure(error=rejected(status), other_mode=True)
    if status == 429:
        found = model_error("model_rate_limited", "the model endpoint's rate limit is reached", status=status)
        return Failure(error=found, retryable=True, counts=True, after_s=after)
    if status in (408, 409, 425) or status >= 500:
        found = model_error("model_unavailable", "the model endpoint is failing", status=status)
        return Failure(error=found, retryable=True, counts=True, after_s=after)
    if 300 <= status < 400:
        return Failure(error=redirected(status), counts=True)
    return Failure(error=rejected(status))


def rejected(status: int) -> ModelError:
    """The endpoint does not take the request as it was asked."""
    return model_error("model_rejected", "the model endpoint does not take the request", status=status)


def auth_error(**details: object) -> ModelError:
    """The endpoint does not know the key, or does not let it ask."""
    return model_error("model_auth", "the model endpoint refused the key", **details)


def redirected(status: int) -> ModelError:
    """The endpoint answered with a redirect. The prompt is not sent anywhere else."""
    return model_error(
        "model_redirected", "the model endpoint redirects elsewhere, which is never followed", status=status
    )


def _cause(error: BaseException, *kinds: type[BaseException]) -> BaseException | None:
    """The first of the error and its causes that is of one of the kinds."""
    seen: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if seen is None or isinstance(seen, kinds):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
