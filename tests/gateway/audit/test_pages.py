"""The review pages: who gets in, what they show, and that they work without JavaScript, by keyboard, in light and dark.

The pages are served by a real server on loopback and, where it is a matter of looks, opened in Debian's Chromium.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from gateway.audit.entry import Event, Intent
from gateway.audit.log import AuditLog
from gateway.audit.reader import Filter, Reader
from gateway.config import Settings
from gateway.runtime import Runtime, open_audit, open_state
from gateway.store.state import State
from gateway.tenancy.sessions import ApiKeys, Sessions
from gateway.web import errors, review
from gateway.web.headers import SecurityHeaders
from tests.gateway.audit.samples import fill

pytestmark = pytest.mark.loopback
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
EVIL = '<script>window.pwned=1</script><img src=x onerror="window.pwned=1">\u202eabc\x1b[2J'


@dataclass
class Site:
    """A served gateway with a filled log, a key for all tenants, and one for lumen only."""

    url: str
    key: str
    lumen_key: str
    asking_key: str
    ids: list[str]
    evil: str
    state: State
    log: AuditLog
    keys: ApiKeys


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    ids = asyncio.run(fill(log, 70))
    evil = asyncio.run(log.intent(Intent(tenant="northwind", user=EVIL, source="shop", question=EVIL)))
    log.checkpoint()
    keys = ApiKeys(state)
    gateway: Any = SimpleNamespace(sources={}, planner=None)
    app = FastAPI()
    app.state.runtime = Runtime(
        settings=settings, gateway=gateway, state=state, keys=keys, sessions=Sessions(state), audit=log
    )
    errors.install(app)
    app.add_middleware(SecurityHeaders)
    app.include_router(review.router)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Site(
        url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        key=keys.create("ann", scopes=frozenset({"review"}))[1],
        lumen_key=keys.create("lou", scopes=frozenset({"review"}), tenant="lumen")[1],
        asking_key=keys.create("server", scopes=frozenset({"sessions", "ask", "admin"}))[1],
        ids=ids,
        evil=evil,
        state=state,
        log=log,
        keys=keys,
    )
    server.should_exit = True
    thread.join()
    listener.close()
    log.close()
    state.close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


def fetch(site: Site, path: str, *, cookie: str = "", form: dict[str, str] | None = None, **headers: str) -> Any:
    """Status, headers and text of one request; redirects are not followed."""
    request = urllib.request.Request(
        site.url + path,
        data=None if form is None else urllib.parse.urlencode(form).encode(),
        headers={**({"Cookie": cookie} if cookie else {}), **{k.replace("_", "-"): v for k, v in headers.items()}},
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=20) as answer:
            return SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())
    except urllib.error.HTTPError as answer:
        with answer:
            return SimpleNamespace(status=answer.code, headers=answer.headers, text=answer.read().decode())


def signed_in(site: Site, key: str) -> str:
    answer = fetch(site, "/review/sign-in", form={"key": key})
    assert answer.status == 303
    assert re.search(r"HttpOnly.*Path=/review; SameSite=strict", answer.headers["set-cookie"])
    return str(answer.headers["set-cookie"].split(";")[0])


PAGES = ["/review", "/review/report", "/review/verify", "/review/entry/%230"]


@pytest.mark.parametrize("path", PAGES)
def test_nobody_gets_in_without_a_review_key(site: Site, path: str) -> None:
    """No cookie, a made-up one, or one from another place: to the sign-in, and nothing of the page."""
    for cookie in ("", "rowless_review=AAAA", "rowless_review=" + "A" * 200, "rowless_review=%00", "other=1"):
        answer = fetch(site, path, cookie=cookie)
        assert (answer.status, answer.headers["location"], answer.text) == (303, "/review/sign-in", "")


def test_key_without_the_review_scope_is_refused_and_recorded(site: Site) -> None:
    """A key to ask, or to administer, is no key to review; the failure is an entry."""
    for wrong in (site.asking_key, "", "rwl_live_x", EVIL):
        answer = fetch(site, "/review/sign-in", form={"key": wrong})
        assert answer.status == 401
        assert "set-cookie" not in answer.headers
        assert wrong == "" or wrong not in answer.text
    failed = Reader(site.state).lines(Filter(event="auth.failed"))
    assert len(failed) >= 4


def test_revoked_key_signs_its_reviewer_out(site: Site) -> None:
    """From the next request on."""
    key, text = site.keys.create("leaving", scopes=frozenset({"review"}))
    cookie = signed_in(site, text)
    assert fetch(site, "/review", cookie=cookie).status == 200
    site.keys.revoke(key.id)
    assert fetch(site, "/review", cookie=cookie).status == 303


def test_cookie_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After four hours, whatever the browser keeps."""
    cookie = signed_in(site, site.key)
    real = review.now_us()
    monkeypatch.setattr(review, "now_us", lambda: real + (review.SIGNED_IN_S + 1) * 1_000_000)
    assert fetch(site, "/review", cookie=cookie).status == 303


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_form_of_another_page_is_refused(site: Site, headers: dict[str, str]) -> None:
    """Nobody can sign a reviewer in or out from elsewhere."""
    for path in ("/review/sign-in", "/review/sign-out"):
        answer = fetch(site, path, form={"key": site.key}, **headers)
        assert answer.status == 400
        assert "set-cookie" not in answer.headers


def test_form_that_is_too_large_is_refused(site: Site) -> None:
    """A key is short."""
    assert fetch(site, "/review/sign-in", form={"key": "x" * 10_000}).status == 400


def test_pages_cannot_load_or_run_anything(site: Site) -> None:
    """The strictest policy there is but for our own style sheet; nothing is cached."""
    cookie = signed_in(site, site.key)
    for path in (*PAGES, "/review/sign-in"):
        answer = fetch(site, path, cookie=cookie)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text
        assert " style=" not in answer.text


def test_entry_shows_the_line_and_both_sides(site: Site) -> None:
    """Twelve stages; the question beside what the model saw; verification with its checkpoint; no chart."""
    text = fetch(site, f"/review/entry/{site.ids[0]}", cookie=signed_in(site, site.key)).text
    for piece in ("1 scope", "7 plan", "12 render", "8.5 ms", "one chart", "<mark>ada@lovelace.example</mark>",
                  "masked as email:1", "table orders ~52000 rows", "row count: DRB", "leads to the signed checkpoint",
                  "The chart is not shown"):  # fmt: skip
        assert piece in text
    assert text.count('<li class="absent">') == 10


def test_hostile_text_is_shown_as_text(site: Site) -> None:
    """Markup is escaped, bidi and escape characters are shown by their numbers."""
    text = fetch(site, f"/review/entry/{site.evil}", cookie=signed_in(site, site.key)).text
    assert "&lt;script&gt;" in text
    assert "\\u{202e}abc\\u{001b}[2J" in text
    assert "\u202e" not in text


def test_key_of_one_tenant_sees_that_tenant_only(site: Site) -> None:
    """Lists, numbers, filters, entries and reports: another tenant's entry looks like one that is not there."""
    cookie = signed_in(site, site.lumen_key)
    for path in ("/review", "/review?tenant=northwind", "/review/report?tenant=northwind"):
        text = fetch(site, path, cookie=cookie).text
        assert "northwind" not in text.replace("tenant=northwind", "")
    assert fetch(site, f"/review/entry/{site.ids[1]}", cookie=cookie).status == 200
    other = fetch(site, f"/review/entry/{site.ids[0]}", cookie=cookie)
    missing = fetch(site, "/review/entry/" + "0" * 32, cookie=cookie)
    assert (other.status, other.text) == (missing.status, missing.text) == (404, missing.text)


def test_reads_are_entries(site: Site) -> None:
    """Who opened which entry is in the log before the page is."""
    cookie = signed_in(site, site.key)
    fetch(site, f"/review/entry/{site.ids[3]}", cookie=cookie)
    reader = Reader(site.state)
    newest = reader.lines(Filter(event="audit.read"), limit=1)[0]
    content = reader.content(newest.seq)
    assert content is not None
    assert (content["actor"], content["details"]) == ("key ann", {"entry": site.ids[3]})


def test_nothing_is_shown_when_the_read_cannot_be_recorded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reviewer who cannot be seen sees nothing."""
    from gateway.audit.writer import unavailable

    cookie = signed_in(site, site.key)

    def refuse(_event: Event) -> str:
        raise unavailable()

    monkeypatch.setattr(site.log, "record", refuse)
    for path in PAGES:
        answer = fetch(site, path, cookie=cookie)
        assert answer.status == 503
        assert "lovelace" not in answer.text
        assert "the audit log cannot be written" in answer.text


def test_list_pages_and_filters(site: Site) -> None:
    """Fifty a page, older ones by a link that keeps the filter; a wrong filter says so."""
    cookie = signed_in(site, site.key)
    text = fetch(site, "/review?what=questions", cookie=cookie).text
    older = re.search(r'href="/review\?([^"]+)" rel="next"', text)
    assert older is not None
    assert text.count('href="/review/entry/') == 50
    more = fetch(site, "/review?" + older[1].replace("&amp;", "&"), cookie=cookie).text
    assert more.count('href="/review/entry/') == 71 - 50
    assert "a time is like" in fetch(site, "/review?since=soon", cookie=cookie).text
    assert "No entry fits" in fetch(site, "/review?model=none-such", cookie=cookie).text


def test_report_can_be_kept_as_one_file(site: Site) -> None:
    """With its style inside, and nobody's words."""
    answer = fetch(site, "/review/report?download", cookie=signed_in(site, site.key))
    assert "attachment" in answer.headers["content-disposition"]
    assert "<style>" in answer.text
    assert "lovelace" not in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reading_needs_no_javascript_and_no_mouse(site: Site, scheme: str, tmp_path: Path) -> None:
    """In Chromium without JavaScript: signed in and filtered by keyboard, readable in light and dark."""
    if not CHROMIUM.exists() and "browsers" not in os.environ.get("ROWLESS_TEST_REQUIRE", ""):
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = browser.new_context(color_scheme=scheme, java_script_enabled=False)  # type: ignore[arg-type]
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.goto(f"{site.url}/review/sign-in")
        page.keyboard.press("Tab")
        assert page.locator(".skip").evaluate("e => getComputedStyle(e).left") != "-100vw"
        page.get_by_label("Review key").focus()
        page.keyboard.type(site.key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/review")
        page.locator("select[name=decision]").select_option("refused")
        page.locator("input[name=user]").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**decision=refused**")
        assert page.locator("tbody .tag").first.inner_text() == "refused"
        page.goto(f"{site.url}/review/entry/{site.ids[0]}")
        assert page.get_by_role("heading", name="What the model saw").is_visible()
        assert page.get_by_role("list", name="The line").get_by_role("listitem").count() == 12
        page.set_viewport_size({"width": 360, "height": 700})
        width = page.locator("main").evaluate("e => document.documentElement.scrollWidth")
        assert width <= 360, "nothing is wider than a phone"
        assert contrast(page.locator(".stages small").first) >= 4.5
        assert contrast(page.locator("h1 .tag")) >= 4.5
        assert [t for t in troubles if "favicon" not in t and "404" not in t] == []
        browser.close()


def contrast(element: Any) -> float:
    """Contrast of an element's text to what is behind it (WCAG 2.1, 1.4.3)."""
    colours = element.evaluate(
        """e => { let b = e; while (getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
        return [getComputedStyle(e).color, getComputedStyle(b).backgroundColor]; }"""
    )

    def light(colour: str) -> float:
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    one, two = sorted((light(c) for c in colours), reverse=True)
    return (one + 0.05) / (two + 0.05)
