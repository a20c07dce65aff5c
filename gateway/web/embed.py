"""The server door: a product's server mints and ends sessions of its users with an API key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.audit.entry import Event
from gateway.errors import NotFoundError
from gateway.runtime import Runtime
from gateway.tenancy.sessions import ApiKey, Session
from gateway.web.auth import runtime_of, verified_key
from gateway.web.models import EndedBody, ErrorBody, SessionBody, SessionRequest

router = APIRouter(prefix="/v1/embed", tags=["embed"])

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in ((400, "The request is wrong"), (401, "No valid key"), (404, "No such datasource"))
}
KeyForSessions = Annotated[ApiKey, Depends(verified_key("sessions"))]


def session_body(session: Session, token: str) -> SessionBody:
    """What the caller is told of a session, once."""
    return SessionBody(
        token=token,
        session=session.id,
        expires_at=datetime.fromtimestamp(session.expires_us / 1_000_000, UTC).isoformat(timespec="seconds"),
        tenant=session.tenant,
        source=session.datasource,
    )


@router.post("/sessions", summary="Mint a session for one of your users", status_code=201, responses=ERRORS)
async def create(
    body: SessionRequest, key: KeyForSessions, runtime: Annotated[Runtime, Depends(runtime_of)]
) -> SessionBody:
    """Upsert the user and mint a short session. Give its token to the browser, and nothing else."""
    if body.source not in runtime.gateway.sources:
        msg = "no such datasource"
        raise NotFoundError(msg)

    def mint() -> SessionBody:
        user = runtime.sessions.upsert_user(key, body.tenant, body.user, body.user_attributes)
        session, token = runtime.sessions.create(
            key, user, datasource=body.source, origin=body.origin, attributes=body.attributes, ttl_s=body.ttl_s
        )
        return session_body(session, token)

    made = await asyncio.to_thread(mint)
    await runtime.audit.event(
        Event(event="session.created", tenant=body.tenant, actor=f"key {key.id}", details={"session": made.session})
    )
    return made


@router.delete("/sessions/{session}", summary="End a session now", responses=ERRORS)
async def revoke(session: str, key: KeyForSessions, runtime: Annotated[Runtime, Depends(runtime_of)]) -> EndedBody:
    """Revoke one session; it is refused from the next request on. A key bound to a tenant ends only that tenant's."""
    ended = await asyncio.to_thread(runtime.sessions.revoke, session, tenant=key.tenant)
    await runtime.audit.event(
        Event(event="session.revoked", tenant=key.tenant or "", actor=f"key {key.id}", details={"session": session})
    )
    return EndedBody(ended=ended)
