"""The HTTP door: routes, pages and headers around one Runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from gateway.config import HttpSettings
from gateway.errors import AuditUnavailableError
from gateway.runtime import Runtime
from gateway.tenancy.sessions import ApiKey
from gateway.web import ask, demo, embed, errors, review
from gateway.web.headers import SecurityHeaders
from gateway.web.models import HealthBody
from gateway.web.unforeseen import Unforeseen

_HERE = Path(__file__).parent

DESCRIPTION = """Metadata-only LLM prompt gateway for embedded analytics.

Your server holds an API key, and with it asks for a short-lived session for one of its users
(`POST /v1/embed/sessions`). The browser asks questions with the session's token (`POST /v1/ask`). The model that
plans the chart sees names, types and rounded statistics (`GET /v1/summary` shows exactly which), never a row."""


def create_app(runtime: Runtime, http: HttpSettings | None = None, *, demo_key: ApiKey | None = None) -> FastAPI:
    """Build the app.

    Args:
        runtime: The opened gateway; closed with the app.
        http: Which web origins may call it, and may frame its pages.
        demo_key: Serve the page, and give sessions of the demo's tenants to whoever asks. For loopback only.
    """
    http = http or HttpSettings()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await runtime.close()

    app = FastAPI(
        title="Rowless",
        version=version("rowless"),
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        docs_url=None,
    )
    app.state.runtime = runtime
    errors.install(app)
    app.add_middleware(Unforeseen)
    if http.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(http.allowed_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "traceparent"],
            max_age=600,
        )
    app.add_middleware(SecurityHeaders, frame_ancestors=http.allowed_origins)
    app.include_router(ask.router)
    app.include_router(embed.router)
    app.include_router(review.router)

    @app.get("/healthz", tags=["operations"], summary="Whether the process runs")
    async def healthz() -> HealthBody:
        """Answers while the process runs."""
        return HealthBody(status="ok")

    @app.get("/readyz", tags=["operations"], summary="Whether a question would be taken")
    async def readyz() -> HealthBody:
        """Refuses while the audit log could not take an intent, as no question could be answered then."""
        if not runtime.audit.is_healthy:
            msg = "the audit log's checkpoints cannot be exported"
            raise AuditUnavailableError(msg)
        return HealthBody(status="ok")

    if demo_key is not None:
        app.state.demo_key = demo_key
        app.include_router(demo.router)
        app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")

        @app.get("/", include_in_schema=False)
        async def page(_: Request) -> Response:
            return FileResponse(_HERE / "static" / "index.html", media_type="text/html")

    return app
