"""The exported page opens from a file, draws with no network, and runs nothing that a row says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gateway.chart.image import to_html
from gateway.chart.render import render
from gateway.types import ResultTable

pytestmark = pytest.mark.browser

EVIL = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"


def _gallery() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "gallery" / "pictures.py"
    spec = importlib.util.spec_from_file_location("gallery_for_exports", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery_for_exports"] = module
    spec.loader.exec_module(module)
    return module


GALLERY = _gallery()
PICTURES = {one.name: one for one in GALLERY.pictures()}


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Any:
    """Open an exported page from disk, offline; gives the page and what it tried to load."""
    context = browser.new_context(offline=True, timezone_id="America/Los_Angeles")
    requests: list[str] = []
    problems: list[str] = []

    def open_file(content: str) -> tuple[Any, list[str], list[str]]:
        file = tmp_path / "chart.html"
        file.write_text(content, encoding="utf-8")
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_selector("#chart svg g.role-mark", state="attached")
        return page, requests, problems

    yield open_file
    context.close()


@pytest.mark.parametrize("name", PICTURES)
def test_every_mark_draws_offline(opened: Any, name: str) -> None:
    one = PICTURES[name]
    chart = render(one.spec, one.result, summary=GALLERY.SHOP, sentence=one.sentence)
    page, requests, problems = opened(to_html(chart, one.sentence))
    assert page.title() == one.sentence
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert problems == []
    assert "undefined" not in page.inner_text("#chart")


def test_days_do_not_shift_west_of_greenwich(opened: Any) -> None:
    """In Los Angeles the first month is January too: times are drawn as the tenant's wall clock."""
    one = PICTURES["bar-time"]
    chart = render(one.spec, one.result, summary=GALLERY.SHOP, sentence=one.sentence)
    page, _, _ = opened(to_html(chart, "x"))
    assert page.locator("#chart .role-axis-label text").first.text_content() == "Jan 2024"


def test_the_tooltip_shows_markup_as_text(opened: Any) -> None:
    one = PICTURES["bar-horizontal"]
    result = ResultTable(columns=one.result.columns, rows=((EVIL, 5), ("b", 2)))
    chart = render(one.spec, result, summary=GALLERY.SHOP, sentence=EVIL)
    page, requests, problems = opened(to_html(chart, EVIL))
    page.locator("#chart g.mark-rect.role-mark path").first.hover()
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "<script>" in page.inner_text("#vg-tooltip-element")
    assert page.evaluate("window.pwned") is None
    assert len(requests) == 1
    assert problems == []
