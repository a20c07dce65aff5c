"""One JSON shape for every error: ``{"error": {"code", "message", "request_id", "details"}}``.

FastAPI's own 422 body quotes the input, so it is replaced: only the kind of each problem and those parts of its
place that are names of declared fields are said (docs/security-model.md, leak channels).
"""

from __future__ import annotations

import math
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from gateway.errors import GatewayError
from gateway.web import models

_DECLARED = frozenset(
    name
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, models.Body)
    for name in model.model_fields
) | {"body", "query", "header", "path"}

BUG = "something went wrong here; the request id finds it in the log"
"""Stands in for the text of an unforeseen error, which may quote anything."""


def id_of(scope: Scope) -> str:
    """The id of a request, made on first use: in the header X-Request-Id of its response, its errors and the log."""
    return str(scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(8)))


def request_id(request: Request) -> str:
    """The id of this request."""
    return id_of(request.scope)


def error_facts(
    request: str, code: str, message: str, details: dict[str, object] | None = None
) -> dict[str, dict[str, object]]:
    """The one shape of every error.

    Args:
        request: Id of the request.
        code: Stable code.
        message: One safe sentence.
        details: Small closed facts.
    """
    return {"error": {"code": code, "message": message, "request_id": request, "details": details or {}}}


def _body(
    request: Request, status: int, code: str, message: str, details: dict[str, object] | None = None
) -> JSONResponse:
    return JSONResponse(error_facts(request_id(request), code, message, details), status_code=status)


def install(app: FastAPI) -> None:
    """Put the handlers on an app."""

    @app.exception_handler(GatewayError)
    async def gateway_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, GatewayError)  # noqa: S101  (Starlette's handler type is wider)
        response = _body(request, error.status, error.code, error.message, error.details)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        wait = error.details.get("retry_after_s")
        if isinstance(wait, int | float):
            response.headers["Retry-After"] = str(math.ceil(wait))  # RFC 9110, 10.2.3: whole seconds
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        problems = [
            {"where": ".".join(part for part in map(str, problem["loc"]) if part in _DECLARED), "what": problem["type"]}
            for problem in error.errors()
        ]
        return _body(request, 422, "request_invalid", "the request does not fit its schema", {"problems": problems})

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        names = {404: ("not_found", "no such page"), 405: ("method_not_allowed", "this address takes another method")}
        code, message = names.get(error.status_code, ("http_error", "the request was not accepted"))
        return _body(request, error.status_code, code, message)
