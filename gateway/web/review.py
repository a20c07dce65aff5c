"""Review of the audit log by page, for keys with the scope ``review``. Reading needs no JavaScript.

A reviewer signs in with such a key; the browser then holds a sealed cookie that names the key and an end. The key is
looked up again on each request, so that revoking it signs the reviewer out. A key bound to a tenant sees that tenant's
entries only. Every page that shows an entry is itself recorded, before it is shown.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.audit.commands import chosen, verify_state
from gateway.audit.entry import Event
from gateway.audit.entry_page import entry_values
from gateway.audit.numbers import count
from gateway.audit.page import bars, render_page, stylesheet
from gateway.audit.reader import Filter
from gateway.audit.report import weekly_report
from gateway.audit.reviewer import Reviewer
from gateway.errors import AuthError, GatewayError, RequestError
from gateway.runtime import Runtime, checkpoint_folder
from gateway.store.clock import now_us
from gateway.store.keys import KeyDestroyedError
from gateway.store.seal import Place, SealError, key_id_of
from gateway.tenancy.sessions import ApiKey, refused
from gateway.web.auth import runtime_of

router = APIRouter(prefix="/review", include_in_schema=False)

COOKIE: Final = "rowless_review"
SIGNED_IN_S: Final = 4 * 3600
"""How long a sign-in lasts, in seconds."""
PAGE_LINES: Final = 50
COUNTED_LINES: Final = 20_000
"""Lines behind the counts over time, so that a page of a long log is still a page."""
MAX_FORM_BYTES: Final = 4_096
VERIFY_EVERY_S: Final = 30
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ASKED: Final = ("tenant", "user", "since", "until", "decision", "kind", "template", "model", "what")
_PLACE: Final = Place(table="cookie", column=COOKIE, row="reviewer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed-in reviewer: the key, and the review functions in its name."""

    key: ApiKey
    reviewer: Reviewer
    runtime: Runtime


def signed_in(request: Request, runtime: Annotated[Runtime, Depends(runtime_of)]) -> Signed | None:
    """The reviewer behind the cookie, or None."""
    try:
        key = _key_of(runtime, request.cookies.get(COOKIE, ""))
    except AuthError:
        return None
    return Signed(key=key, reviewer=Reviewer(runtime.state, runtime.audit, f"key {key.name}"), runtime=runtime)


SignedIn = Annotated[Signed | None, Depends(signed_in)]


@router.get("/review.css")
async def css() -> Response:
    """The style of every page."""
    return Response(stylesheet(), media_type="text/css")


@router.get("/sign-in")
async def sign_in_form() -> Response:
    """The form that takes a review key."""
    return _page("sign_in.html", failed=False, linked=False, css="")


@router.post("/sign-in")
async def sign_in(request: Request, runtime: Annotated[Runtime, Depends(runtime_of)]) -> Response:
    """Take a review key, and give a cookie for it."""
    form = await _form(request)
    try:
        key = await asyncio.to_thread(runtime.keys.check, form.get("key", "").strip(), scope="review")
    except AuthError:
        await runtime.audit.event(Event(event="auth.failed", decision="refused", code="review_key"))
        return _page("sign_in.html", status=401, failed=True, linked=False, css="")
    await runtime.audit.event(Event(event="review.signed_in", actor=f"key {key.name}"))
    response = RedirectResponse("/review", status_code=303)
    response.set_cookie(
        COOKIE, _cookie(runtime, key.id), max_age=SIGNED_IN_S, path="/review", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Take the cookie back."""
    await _form(request)
    response = RedirectResponse("/review/sign-in", status_code=303)
    response.delete_cookie(COOKIE, path="/review")
    return response


@router.get("")
async def entries(request: Request, signed: SignedIn) -> Response:
    """The list, with filters and counts over time."""
    if signed is None:
        return _to_sign_in()
    return await _shown(_entries, signed, dict(request.query_params))


@router.get("/entry/{entry_id}")
async def entry(entry_id: str, signed: SignedIn) -> Response:
    """One question or event."""
    if signed is None:
        return _to_sign_in()
    return await _shown(_entry, signed, entry_id)


@router.get("/report")
async def report(request: Request, signed: SignedIn) -> Response:
    """The weekly report."""
    if signed is None:
        return _to_sign_in()
    return await _shown(_report, signed, dict(request.query_params))


@router.get("/verify")
async def verification(request: Request, signed: SignedIn) -> Response:
    """Verify the whole log, at most twice a minute."""
    if signed is None:
        return _to_sign_in()
    if not hasattr(request.app.state, "verifying"):
        request.app.state.verifying = asyncio.Lock()
    async with request.app.state.verifying:
        known = getattr(request.app.state, "verified", None)
        if known is None or now_us() - known[1] > VERIFY_EVERY_S * 1_000_000:
            folder = checkpoint_folder(signed.runtime.settings)
            known = (await asyncio.to_thread(_verified, signed, folder), now_us())
            request.app.state.verified = known
    return await _shown(_verify, signed, known)


def _entries(signed: Signed, query: dict[str, str]) -> Response:
    asked = {name: query.get(name, "")[:200] for name in _ASKED}
    asked["what"] = asked["what"] or "all"
    problem = ""
    try:
        which = _within(signed, chosen(**asked))
        before = int(query["before"]) if query.get("before", "").isdigit() else None
    except RequestError as error:
        which, before, problem = _within(signed, Filter()), None, error.message
    lines = signed.reviewer.lines(which, limit=PAGE_LINES + 1, before=before)
    older = (
        {**{k: v for k, v in asked.items() if v}, "before": lines[PAGE_LINES - 1].seq}
        if len(lines) > PAGE_LINES
        else {}
    )
    lines = lines[:PAGE_LINES]
    numbers = count(signed.reviewer.newest(which, limit=COUNTED_LINES))
    return _page(
        "list.html", signed, lines=lines, actors=signed.reviewer.actors(lines), asked=asked, problem=problem,
        numbers=numbers, bars=bars(numbers), counted=COUNTED_LINES,
        tenants=[signed.key.tenant] if signed.key.tenant else signed.reviewer.tenants(),
        older=urlencode(older), head=signed.reviewer.head(),
    )  # fmt: skip


def _entry(signed: Signed, entry_id: str) -> Response:
    found = signed.reviewer.open(entry_id, tenant=signed.key.tenant or "")
    return _page("entry.html", signed, **entry_values(found, signed.reviewer))


def _report(signed: Signed, query: dict[str, str]) -> Response:
    which = _within(
        signed, chosen(tenant=query.get("tenant", ""), since=query.get("since", ""), until=query.get("until", ""))
    )
    page = weekly_report(signed.reviewer, which, linked="download" not in query)
    response = _html(page)
    if "download" in query:
        response.headers["Content-Disposition"] = 'attachment; filename="rowless-report.html"'
    return response


def _verify(signed: Signed, known: tuple[Any, int]) -> Response:
    signed.reviewer.record("audit.verified")
    result, checked = known
    return _page("verify.html", signed, result=result, checked=checked, head=signed.reviewer.head())


def _verified(signed: Signed, folder: Path) -> Any:
    newest = sorted(folder.glob("*.checkpoint"))[-1:]
    return verify_state(signed.runtime.state, newest)


def _within(signed: Signed, which: Filter) -> Filter:
    """The filter, held to the tenant that the reviewer's key is bound to."""
    if signed.key.tenant is None:
        return which
    from dataclasses import replace

    return replace(which, tenant=signed.key.tenant)


async def _shown(make: Any, signed: Signed, *parts: Any) -> Response:
    """A page made in a thread; errors as a page of their own, and nothing if the read cannot be recorded."""
    try:
        response = await asyncio.to_thread(make, signed, *parts)
    except GatewayError as error:
        response = _page("problem.html", signed, status=error.status, message=error.message)
    assert isinstance(response, Response)  # noqa: S101  # each page makes one
    return response


def _page(template: str, signed: Signed | None = None, *, status: int = 200, **values: Any) -> Response:
    shown: Mapping[str, Any] = values
    if signed is not None:
        shown = {"linked": True, "css": "", "key_name": signed.key.name, **values}
    elif "key_name" not in values:
        shown = {"key_name": "", **values}
    return _html(render_page(template, **shown), status=status)


def _html(text: str, *, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
    return HTMLResponse(text, status_code=status, headers=headers)


def _to_sign_in() -> Response:
    return RedirectResponse("/review/sign-in", status_code=303)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of our own page.

    Raises:
        RequestError: It is too large, or another page sent it.
    """
    # Under our own `Referrer-Policy: no-referrer` a browser says `Origin: null` of our own page, so its other word
    # for the same thing counts first. A request without either did not come from a browser.
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.url.netloc}"
    if (site is not None and site != "same-origin") or (site is None and origin not in (None, own)):
        msg = "this form was sent by another page"
        raise RequestError(msg)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            msg = "the form is too large"
            raise RequestError(msg)
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("ascii")).items()}
    except (UnicodeDecodeError, ValueError):
        msg = "the form cannot be read"
        raise RequestError(msg) from None


def _cookie(runtime: Runtime, key_id: str) -> str:
    plain = json.dumps({"key": key_id, "until": now_us() + SIGNED_IN_S * 1_000_000}).encode()
    sealed = runtime.state.keys.live("", "review-cookie").seal(plain, _PLACE)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _key_of(runtime: Runtime, cookie: str) -> ApiKey:
    try:
        blob = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        said = json.loads(runtime.state.keys.by_id(key_id_of(blob)).open(blob, _PLACE))
    except (ValueError, binascii.Error, SealError, KeyDestroyedError):
        raise refused() from None
    if said["until"] < now_us():
        raise refused()
    return runtime.keys.live(said["key"], scope="review")
