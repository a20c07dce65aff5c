"""The demo's door: anyone on this machine gets a session of one of the demo's invented tenants. Loopback only."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from gateway.demo.examples import featured_questions
from gateway.demo.generate import TENANTS
from gateway.errors import NotFoundError
from gateway.runtime import Runtime
from gateway.tenancy.sessions import ApiKey
from gateway.web.auth import runtime_of
from gateway.web.embed import session_body
from gateway.web.models import DemoBody, SessionBody

router = APIRouter(prefix="/v1/demo", tags=["demo"])
SOURCE = "demo"


@router.get("", summary="The demo's tenants and example questions")
async def facts() -> DemoBody:
    """What the page shows before the first question."""
    return DemoBody(tenants=list(TENANTS), questions=list(featured_questions()))


@router.get("/session", summary="A session of one of the demo's tenants")
async def session(
    request: Request,
    tenant: Annotated[str, Query(max_length=50)],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> SessionBody:
    """Do what a product's server would do with its API key, for the page of this process alone."""
    if tenant not in TENANTS:
        msg = "no such demo tenant"
        raise NotFoundError(msg)
    key: ApiKey = request.app.state.demo_key
    origin = f"{request.url.scheme}://{request.url.netloc}"

    def mint() -> SessionBody:
        user = runtime.sessions.upsert_user(key, tenant, "demo visitor")
        made, token = runtime.sessions.create(key, user, datasource=SOURCE, origin=origin, ttl_s=900)
        return session_body(made, token)

    return await asyncio.to_thread(mint)
