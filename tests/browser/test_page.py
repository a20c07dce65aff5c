"""The page of `rowless demo`, driven as a person drives it, on a fake of the API that draws real charts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]


def ask(page: Any, question: str) -> None:
    """Type a question, press Enter, and wait for what comes back."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector("#waiting", state="hidden")
    page.wait_for_selector("#answer:not([hidden]), #trouble:not([hidden])")


def overflow(page: Any) -> int:
    """Pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_question_becomes_a_chart_with_its_sentence(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "line-series")
    assert page.inner_text("#sentence") == "Revenue by month of order, split by order channel, in 2024"
    assert page.locator("#chart svg g.mark-line").count() == 4
    assert fake.api.asked[0]["explain"] is True
    assert fake.api.asked[0]["token"] == "t1-northwind"
    assert page.evaluate("document.activeElement.id") == "sentence"
    assert "48 rows" in page.inner_text("#status")


def test_an_example_is_one_click_away(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    page.click("#examples button:has-text('bar-time')")
    page.wait_for_selector("#answer:not([hidden])")
    assert fake.api.asked[0]["question"] == "bar-time"


def test_what_stayed_here_is_said(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "masked")
    assert "1 value and 1 piece of personal data stayed here." in page.inner_text("#stayed")
    assert page.locator("#stayed .tag").all_inner_texts() == ["v1: orders.status", "email:1"]
    assert "October 2025" in page.inner_text("#notes")


def test_who_read_the_prompt_is_said(fake: Any, visit: Visit) -> None:
    """A model is only spoken of where the prompt left for one."""
    page = visit(fake.url)
    ask(page, "masked")
    assert "The model read: " in page.text_content("#stayed")
    assert "It left for a model once" in page.text_content("#prompt")
    assert "the reply of planner-small" in page.text_content("#prompt")
    ask(page, "offline")
    assert "The planner read: " in page.text_content("#stayed")
    assert "nothing left" in page.text_content("#prompt")
    assert "the reply of offline-3" in page.text_content("#prompt")


def test_another_reading_is_drawn_without_asking_the_model_again(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "which")
    buttons = page.locator("#choices button")
    assert buttons.count() == 2
    buttons.nth(1).click()
    page.wait_for_selector("#choices button:nth-of-type(2)[aria-pressed=true]")
    assert fake.api.asked[1]["context"] == "context-line-series"
    assert "split by order channel" in page.inner_text("#sentence")


def test_a_follow_up_carries_the_context_of_the_chart(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "line")
    page.check("#follow")
    ask(page, "line-series")
    assert fake.api.asked[0].get("context") is None
    assert fake.api.asked[1]["context"] == "context-line"
    assert not page.is_checked("#follow")


def test_the_prompt_is_shown_exactly_and_by_origin(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "masked")
    page.click("#panel-prompt > summary")
    assert page.locator("#prompt .seg-question").last.inner_text() == "⟨v1: orders.status⟩ orders"
    assert page.locator("#prompt pre").first.inner_text() == "You plan charts.\norders: about 1,000 rows\n"
    page.click("#panel-stages > summary")
    assert page.locator("#stages li .name").all_inner_texts()[6] == "plan"
    page.click("#panel-query > summary")
    assert "s_orders" in page.inner_text("#query")


def test_the_summary_is_there_before_any_question(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    page.wait_for_selector("#summary .known-table", state="attached")
    page.click("#panel-summary > summary")
    assert page.locator("#summary .known-table h3").first.inner_text().startswith("orders")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("fail unanswerable", "profit margin"),
        ("fail refused", "Nothing was sent"),
        ("fail model", "could not be reached"),
    ],
)
def test_an_error_says_what_and_what_to_do(fake: Any, visit: Visit, question: str, words: str) -> None:
    page = visit(fake.url)
    ask(page, question)
    shown = page.inner_text("#trouble")
    assert words in shown
    assert "5f0c1a2b3c4d5e6f" in shown
    assert page.get_attribute("#trouble", "role") == "alert"
    assert not page.is_visible("#answer")
    ask(page, "line")
    assert not page.is_visible("#trouble")
    ask(page, question)
    assert "not to your last question" in page.inner_text("#answer")
    ask(page, "line")
    assert not page.is_visible("#earlier")


def test_an_unreachable_gateway_is_said(fake: Any, visit: Visit) -> None:
    page = visit(fake.url, quiet=False)
    fake.close()
    ask(page, "line")
    assert "cannot be reached" in page.inner_text("#trouble")


def test_a_question_can_be_stopped(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    page.fill("#question", "slow")
    page.press("#question", "Enter")
    page.click("#stop")
    page.wait_for_selector("#waiting", state="hidden")
    assert not page.is_visible("#trouble")
    assert page.is_visible("#send")


def begin(page: Any, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector("#waiting:not([hidden])")


def test_progress_is_shown_stage_by_stage_and_then_the_chart(fake: Any, visit: Visit) -> None:
    """Tables of a first summary, then the tokens of the reply; a bar of the twelve stages fills."""
    page = visit(fake.url)
    fake.api.steps = [
        {"stage": "scope", "state": "begun"},
        {"stage": "scope", "state": "ended", "ms": 1.0},
        {"stage": "summarise", "state": "begun"},
        {"stage": "summarise", "state": "working", "done": 3, "of": 7},
    ]
    begin(page, "slow")
    page.wait_for_selector("#progress-says:has-text('3 of 7 tables')", state="attached")
    assert page.locator("#progress-bar li").count() == 12
    assert page.locator("#progress-bar .done").count() == 1
    assert page.locator("#progress-bar .now").count() == 1
    fake.api.hold.set()
    page.wait_for_selector("#answer:not([hidden])")
    assert not page.is_visible("#waiting")


def test_tokens_and_a_second_round_are_said(fake: Any, visit: Visit) -> None:
    """A reply that did not fit is asked for again: the page says so, and the bar goes back."""
    page = visit(fake.url)
    fake.api.steps = [
        {"stage": stage, "state": state}
        for stage in ("build", "plan", "read")
        for state in ("begun", "stopped" if stage == "read" else "ended")
    ] + [
        {"stage": "build", "state": "begun"},
        {"stage": "build", "state": "ended"},
        {"stage": "plan", "state": "begun"},
        {"stage": "plan", "state": "working", "done": 1200, "attempt": 2},
    ]
    begin(page, "slow")
    page.wait_for_selector("#progress-says:has-text('1,200 tokens so far')", state="attached")
    said = page.inner_text("#progress-says")
    assert "mending its first answer" in said
    assert "send 2" in said
    assert page.locator("#progress-bar .done").count() == 1
    assert page.locator("#progress-bar .stopped").count() == 0


def test_long_waits_are_spoken_and_short_ones_are_not(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    begin(page, "slow")
    assert page.inner_text("#status") == "Working on: slow"
    page.evaluate("performance.now = () => 1e9")
    page.click("#stop")
    fake.api.steps = [{"stage": "plan", "state": "begun"}, {"stage": "plan", "state": "working", "done": 90}]
    page.evaluate("let t = 2e9; performance.now = () => (t += 2000)")
    begin(page, "slow")
    page.wait_for_selector("#status:has-text('90 tokens')", state="attached")


def test_stream_that_is_lost_is_said(fake: Any, visit: Visit) -> None:
    """A connection that ends without an answer is an error, not an endless wait."""
    page = visit(fake.url)
    ask(page, "lost")
    assert "connection to the gateway was lost" in page.inner_text("#trouble").lower()


def test_a_session_that_has_run_out_is_renewed_once(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    page.wait_for_selector("#summary .known-table", state="attached")
    fake.api.expire_next = True
    ask(page, "line")
    assert page.is_visible("#answer")
    assert fake.api.asked[0]["token"] == "t2-northwind"


def test_another_tenant_starts_from_nothing(fake: Any, visit: Visit) -> None:
    """Nothing of one company stays on the page when another signs in."""
    page = visit(fake.url)
    ask(page, "line")
    page.select_option("#tenant", "lumen")
    page.wait_for_selector("#send:not([disabled])")
    assert not page.is_visible("#answer")
    assert not page.is_visible("#panel-prompt")
    ask(page, "bar-time")
    assert fake.api.asked[-1]["token"].endswith("-lumen")
    assert fake.api.asked[-1].get("context") is None


def test_markup_in_an_answer_is_text(fake: Any, visit: Visit) -> None:
    """A row, a model's words and a hostile picture cannot run, load or link anything."""
    page = visit(fake.url, quiet=False)
    before = len(fake.paths)
    ask(page, "evil")
    page.click("#tab-table")
    for panel in ("prompt", "stages", "query"):
        page.click(f"#panel-{panel} > summary")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.inner_text("#sentence").startswith("<img src=x")
    assert page.inner_text("#table td").startswith("<img src=x")
    assert page.locator("#main img, #main script, #main a, #main image, #main foreignObject, #main use").count() == 0
    assert page.locator("#chart [style], #chart [onclick], #chart [onload]").count() == 0
    assert page.locator("#chart [fill^=url]").count() == 0
    assert page.locator("#chart text").all_text_contents() == ["kept text"]
    assert [path for path in fake.paths[before:] if path != "/v1/ask/events"] == []


def test_the_page_loads_nothing_but_its_own_files(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "rect")
    assert all(path == "/" or path.startswith(("/static/", "/v1/")) for path in fake.paths)
    hosts = page.evaluate("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
    assert set(hosts) == {fake.url}


def test_static_files_hold_nothing_inline() -> None:
    """What the policy would block is not in the files: no inline script, style, handler, or foreign address."""
    static = Path(__file__).parents[2] / "gateway" / "web" / "static"
    page = (static / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page)
    for file in static.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"https?://|@import|innerHTML|insertAdjacentHTML|\beval\(|new Function", text), file.name


def test_the_table_shows_the_rows_as_people_read_them(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "line")
    page.wait_for_selector("#summary .known-table", state="attached")
    ask(page, "line")
    page.click("#tab-table")
    assert not page.is_visible("#chart")
    first = page.locator("#table tbody tr").first.locator("td").all_inner_texts()
    assert first[0] == "Jan 2023"
    assert first[1].startswith("€")


def test_downloads(fake: Any, visit: Visit, tmp_path: Path) -> None:
    page = visit(fake.url)
    ask(page, "bar-horizontal")
    content: dict[str, bytes] = {}
    for kind in ("png", "svg", "csv"):
        with page.expect_download() as waiting:
            page.click(f"[data-download={kind}]")
        assert waiting.value.suggested_filename == f"number-of-support-tickets-by-topic-highest-first.{kind}"
        path = tmp_path / kind
        waiting.value.save_as(path)
        content[kind] = path.read_bytes()
    assert content["png"].startswith(b"\x89PNG")
    assert len(content["png"]) > 5000
    assert content["svg"].startswith(b"<svg")
    rows = list(csv.reader(io.StringIO(content["csv"].decode("utf-8-sig"))))
    assert rows[1] == ["Billing question", "1840"]


def test_a_spreadsheet_runs_nothing_of_the_csv(fake: Any, visit: Visit, tmp_path: Path) -> None:
    page = visit(fake.url, quiet=False)
    ask(page, "evil")
    with page.expect_download() as waiting:
        page.click("[data-download=csv]")
    waiting.value.save_as(tmp_path / "x.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "x.csv").read_bytes().decode("utf-8-sig"))))
    assert rows[2] == ["'=HYPERLINK(1)", "-2"]


def test_the_keyboard_reaches_everything(fake: Any, visit: Visit) -> None:
    """Ask, read the marks with arrow keys, switch to the table: no mouse."""
    page = visit(fake.url)
    page.focus("#question")
    page.keyboard.type("bar-time")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer:not([hidden])")
    page.focus("#chart")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#status").startswith("Month: Jan 2024; Average order value: €")
    assert page.is_visible("#point")
    page.keyboard.press("End")
    assert "Dec 2024" in page.inner_text("#status")
    page.keyboard.press("Escape")
    assert not page.is_visible("#point")
    page.focus("#tab-chart")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#tab-table", "aria-selected") == "true"
    assert page.is_visible("#table")


def test_the_mouse_gets_a_tooltip(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "bar-stacked")
    page.locator("#chart g.mark-rect.role-mark path").nth(4).hover()
    assert re.search(r"Quarter of order\s*Q\d 202\d", page.inner_text("#point"))


def test_everything_has_a_name_for_a_screen_reader(fake: Any, visit: Visit) -> None:
    page = visit(fake.url)
    ask(page, "masked")
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, select, textarea, input, a, [tabindex="0"], [role=region]')]
        .filter((e) => e.checkVisibility() && !(e.innerText || e.getAttribute('aria-label') || e.labels?.length
            || e.closest('label'))).map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "Bar chart." in page.get_attribute("#chart", "aria-label")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


CONTRAST = """() => {
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => { const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgba = (text) => { const m = text.match(/[\\d.]+/g).map(Number); return m.length === 4 ? m : [...m, 1]; };
  const behind = (node) => { for (let n = node; n; n = n.parentElement) {
    const c = rgba(getComputedStyle(n).backgroundColor);
    if (c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = [];
  for (const node of document.querySelectorAll('body *')) {
    if (!node.checkVisibility() || node.closest('svg') || node.closest('.sr') || node.matches(':disabled')) continue;
    if (![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) continue;
    if ([...node.classList].some((c) => c.startsWith('seg-'))) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(rgba(style.color).slice(0, 3)), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push([node.tagName, node.className, ratio.toFixed(2)]);
  }
  return bad;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_has_enough_contrast(fake: Any, visit: Visit, dark: bool) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3) for all text outside of pictures."""
    page = visit(fake.url, dark=dark)
    ask(page, "masked")
    for panel in ("prompt", "stages", "query", "summary"):
        page.click(f"#panel-{panel} > summary")
    assert page.evaluate(CONTRAST) == []
    ask(page, "which")
    assert page.evaluate(CONTRAST) == []
    ask(page, "fail model")
    assert page.evaluate(CONTRAST) == []


def test_dark_follows_the_system_and_the_button(fake: Any, visit: Visit) -> None:
    page = visit(fake.url, dark=True)
    ask(page, "line")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    ink = page.evaluate("getComputedStyle(document.querySelector('#chart .role-axis-label text')).fill")
    assert ink == "rgb(154, 165, 180)"
    page.click("#theme")
    assert page.evaluate(paper) != dark
    assert page.get_attribute("#theme", "aria-label") == "Colours: light"
    page.reload()
    assert page.get_attribute("#theme", "aria-label") == "Colours: light"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_on_narrow_screens(fake: Any, visit: Visit, width: int) -> None:
    """No sideways scrolling of the page (WCAG 2.2, 1.4.10: 320 pixels)."""
    page = visit(fake.url, width=width, height=800)
    assert overflow(page) == 0
    for question in ("masked", "which", "table", "rect", "text", "several-measures"):
        ask(page, question)
        assert overflow(page) == 0
    for panel in ("prompt", "stages", "query", "summary"):
        page.click(f"#panel-{panel} > summary")
    assert overflow(page) == 0
    small = page.evaluate(
        """[...document.querySelectorAll('button, select, summary')].filter((e) => e.checkVisibility())
        .map((e) => [e.id || e.innerText, e.getBoundingClientRect().height]).filter(([, h]) => h < 24)"""
    )
    assert small == []


@pytest.mark.parametrize(
    "name", ["line", "bar-stacked", "arc", "rect", "boxplot", "histogram", "text", "point", "empty"]
)
def test_every_mark_is_shown(fake: Any, visit: Visit, name: str) -> None:
    page = visit(fake.url)
    ask(page, name)
    box = page.locator("#chart svg").bounding_box()
    assert box is not None
    assert box["width"] > 150
    assert box["height"] > 60
    assert "role-title" not in page.inner_html("#chart")
