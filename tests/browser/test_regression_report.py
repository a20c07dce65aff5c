"""The regression report in a real browser: opened from a file, offline, filtered, in both themes, and inert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.regression.page import page
from prompts.regression.outcome import CaseResult, Run
from tests.gateway.regression.test_regression_page import run_of

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Any:
    """Open a report; gives the page, what it tried to load, and what went wrong."""
    context = browser.new_context(offline=True, color_scheme="light")
    requests: list[str] = []
    problems: list[str] = []

    def open_file(text: str) -> tuple[Any, list[str], list[str]]:
        file = tmp_path / "report.html"
        file.write_text(text, encoding="utf-8")
        shown = context.new_page()
        shown.on("request", lambda request: requests.append(request.url))
        shown.on("console", lambda message: problems.append(message.text))
        shown.on("pageerror", lambda error: problems.append(str(error)))
        shown.goto(file.as_uri())
        return shown, requests, problems

    yield open_file
    context.close()


def test_nothing_runs_and_nothing_is_loaded(opened: Any) -> None:
    shown, requests, problems = opened(page([run_of(), run_of("openai/m")], [run_of(text="before"), None]))
    assert shown.evaluate("window.pwned") is None
    assert len(requests) == 1
    assert problems == []
    # Even a script that got into the page would not run.
    shown.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s)"
    )
    assert shown.evaluate("window.pwned") is None


def test_cases_are_filtered_by_word_state_and_group(opened: Any) -> None:
    results = tuple(
        CaseResult.model_validate(
            {"id": f"case-{at}", "group": "even" if at % 2 == 0 else "odd", "verdict": "pass" if at else "fail"}
        )
        for at in range(6)
    )
    shown, _, _ = opened(page([Run(model="m/m", template="t", template_version="1", results=results)], [None]))
    seen = "[...document.querySelectorAll('details.case')].filter((one) => !one.hidden).map((one) => one.id)"
    assert len(shown.evaluate(seen)) == 6
    shown.select_option("#state", "fail")
    assert shown.evaluate(seen) == ["c0-case-0"]
    shown.select_option("#state", "")
    shown.select_option("#group", "odd")
    assert shown.inner_text("#count") == "3 of 6"
    shown.fill("#words", "case-5")
    assert shown.evaluate(seen) == ["c0-case-5"]


def test_both_themes_are_drawn_and_can_be_switched(opened: Any) -> None:
    shown, _, _ = opened(page([run_of(text="plain")], [None]))
    assert shown.is_visible("figure .light svg")
    assert not shown.is_visible("figure .dark svg")
    shown.click("#theme")
    assert shown.is_visible("figure .dark svg")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 30)"
