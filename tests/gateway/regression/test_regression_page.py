"""The HTML report: nothing that a case, a model or a reply says can run in it, and nothing in it is loaded."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.regression.page import lines_of, page
from prompts.regression.outcome import CaseResult, Failed, Run
from prompts.regression.report import visible

EVIL = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>'\"\u202e{{7*7}}"


def run_of(model: str = "offline/o", text: str = EVIL, *, spec: str = '{"mark":"bar"}', verdict: str = "fail") -> Run:
    """A run in which every text that a stranger can set holds a text."""
    result = CaseResult.model_validate(
        {
            "id": "a", "group": text[:60], "verdict": verdict, "failed": (Failed(column="rows", says=text),),
            "question": text, "prompt": f"[user]\n{text}", "prompt_sha256": "1", "spec": spec, "stale": f"-{text}\n+x",
            "tokens": 10, "cost_usd": 0.1, "latency_ms": 5.0, "outcome": text,
        }
    )  # fmt: skip
    return Run(model=model, template="t", template_version="1", label=text, results=(result,))


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcdoc", "action", "xlink:href"):
                self.bad.append(f"{tag} {name}")
            if name == "href" and not (value or "").startswith("#"):
                self.bad.append(f"{tag} {name}")


@settings(max_examples=25, deadline=None)
@example(text="000\x1f\U00040500\U0001e131" + "0" * 40)
@example(text="a" + "\U0001f600" * 40)
@given(text=st.text(max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    # A control character in a label once ended the process in the renderer.
    for told in (text, f"\x00\x0c{EVIL}{text}"):
        made = _Read()
        made.feed(page([run_of(text=told)], [None]))
        assert made.bad == []
        assert made.tags.count("script") == 1
        assert "img" not in made.tags


def test_only_the_script_of_this_package_may_run_and_nothing_may_be_loaded() -> None:
    text = page([run_of()], [run_of(text="before")])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy.group(1).replace("&#39;", "'").replace("&#43;", "+")
    assert "default-src 'none'" in policy.group(1)
    assert "unsafe-eval" not in text
    loaded = re.sub(r"http://www\.w3\.org/\S+", "", text)
    assert "http://" not in loaded
    assert "https://" not in loaded


def test_models_stand_side_by_side_with_their_charts() -> None:
    runs = [run_of("offline/o", "one"), run_of("openai/m", "two", verdict="pass")]
    text = page(runs, [run_of("offline/o", "old"), None])
    assert text.count('<tr class="model">') == 2
    for title in ("Cases by group and verdict", "Tokens of a prompt", "Cost by group and model", "Time of a reply"):
        assert title in text
    # Each in light and dark.
    assert text.count("<svg") == 8


def test_a_change_that_many_cases_share_is_shown_once() -> None:
    def run(word: str) -> Run:
        results = tuple(
            CaseResult(id=f"c{at}", verdict="pass", prompt=f"same\n{word}\nend", prompt_sha256=word) for at in range(9)
        )
        return Run(model="m/m", template="t", template_version="1", results=results)

    text = page([run("new")], [run("old")])
    assert "9 cases, first" in text
    assert text.count("the same change as in") == 8


def test_the_words_that_differ_are_marked() -> None:
    old, new = lines_of("-a quiet word\n+a loud word")
    assert [piece.text for piece in old.pieces if piece.strong] == ["quiet"]
    assert [piece.text for piece in new.pieces if piece.strong] == ["loud"]
    assert "".join(piece.text for piece in new.pieces) == "+a loud word"


@pytest.mark.parametrize(("text", "shown"), [("a\u200bb", "a\\u{200b}b"), ("\u202e", "\\u{202e}"), ("é\n⟨", "é\n⟨")])
def test_what_cannot_be_seen_is_spelt_out(text: str, shown: str) -> None:
    assert visible(text) == shown
