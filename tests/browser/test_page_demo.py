"""The page on the real gateway: `rowless demo` as a person starts it, from nothing, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.processes import stop

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
START_S = 120


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo that was just made, on a free port."""
    home = tmp_path_factory.mktemp("home")
    log = home / "demo.log"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ROWLESS_")}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", "from gateway.cli import main; main()", "demo", "--port", "0"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=kept | {"ROWLESS_HOME": str(home)},
            cwd=home,
        )
    try:
        yield _address(process, log)
    finally:
        stop(process)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8"))
        if found:
            return found.group()
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"the demo did not start: {log.read_text(encoding='utf-8')[-500:]}")


def ask(page: Any, question: str) -> None:
    """Ask, and wait for the chart."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector("#waiting", state="hidden")
    page.wait_for_selector("#answer:not([hidden]), #trouble:not([hidden])")
    assert not page.is_visible("#trouble"), page.inner_text("#trouble")


def test_every_question_the_page_offers_becomes_a_chart(demo_url: str, visit: Visit) -> None:
    page = visit(demo_url)
    page.click("#examples .more")
    questions = page.locator("#examples button").all_inner_texts()
    assert len(questions) >= 6
    for question in questions:
        ask(page, question)
        box = page.locator("#chart svg").bounding_box()
        assert box is not None, question
        assert box["width"] > 150, question
        assert page.locator("#table tbody tr").count() >= 1, question


def test_a_value_of_the_data_stays_here(demo_url: str, visit: Visit) -> None:
    """The question names a country; the prompt as it left does not, and the chart is of that country only."""
    page = visit(demo_url)
    ask(page, "orders from Germany by month in 2024")
    assert "1 value stayed here" in page.inner_text("#stayed")
    assert "“Germany”" in page.inner_text("#sentence")
    page.click("#panel-prompt > summary")
    assert "Germany" not in page.inner_text("#prompt")
    assert "⟨v1" in page.inner_text("#prompt .seg-question >> nth=-1")
    page.click("#panel-stages > summary")
    names = page.locator("#stages .name").all_inner_texts()
    assert names[0] == "scope"
    assert names.index("log") < names.index("plan") < names.index("prove") < names.index("run")


def test_each_tenant_sees_its_own_rows(demo_url: str, visit: Visit) -> None:
    page = visit(demo_url)
    totals = {}
    for tenant in page.locator("#tenant option").evaluate_all("(all) => all.map((o) => o.value)"):
        page.select_option("#tenant", tenant)
        page.wait_for_selector("#send:not([disabled])")
        ask(page, "how many customers do we have")
        page.click("#tab-table")
        totals[tenant] = page.inner_text("#table tbody")
    assert len(totals) == 3
    assert len(set(totals.values())) == 3


@pytest.mark.parametrize("question", ["revenue by month as a line", "top 10 products by revenue"])
def test_on_a_phone_the_whole_chart_is_seen_at_a_size_that_can_be_read(
    demo_url: str, visit: Visit, question: str
) -> None:
    page = visit(demo_url, width=390, height=844)
    ask(page, question)
    size = page.evaluate(
        """() => {
          const figure = document.getElementById('chart'), svg = figure.querySelector('svg');
          return { beyond: figure.scrollWidth - figure.clientWidth,
                   scale: svg.getBoundingClientRect().width / svg.viewBox.baseVal.width };
        }"""
    )
    assert size["beyond"] <= 1
    assert size["scale"] > 0.8


def test_a_follow_up_changes_the_chart(demo_url: str, visit: Visit) -> None:
    page = visit(demo_url)
    ask(page, "revenue by month as a line")
    before = page.inner_text("#sentence")
    page.check("#follow")
    ask(page, "only 2024")
    assert page.inner_text("#sentence") != before
    assert "2024" in page.inner_text("#sentence")


def test_what_cannot_be_answered_is_said(demo_url: str, visit: Visit) -> None:
    page = visit(demo_url)
    page.fill("#question", "astronauts by favourite crater")
    page.press("#question", "Enter")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "cannot be answered" in page.inner_text("#trouble")
