"""promptfoo: what both can express comes back as it was, the rest is listed, and nothing that was typed leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.regression.fixtures import shipped_rules
from gateway.regression.promptfoo_in import imported
from gateway.regression.promptfoo_out import exported, lost_of
from gateway.regression.suite import Setup
from prompts.regression.case import Case, CaseInvalid

SPECS = (
    {"mark": "bar", "table": "tickets", "measures": [{"aggregate": "count"}]},
    {"mark": "text", "table": "tickets", "measures": [{"aggregate": "avg", "column": "tickets.first_response_min"}]},
)


def _write(folder: Path, cases: list[dict[str, object]]) -> Setup:
    file = folder / "cases.yaml"
    file.write_text(json.dumps({"fixture": "helpdesk", "tenant": "east", "cases": cases}))
    return Setup(places=(file,))


def _back(text: str, folder: Path) -> tuple[tuple[Case, ...], list[str]]:
    (folder / "foo.yaml").write_text(text, encoding="utf-8")
    return imported(folder / "foo.yaml", fixture="shop", tenant="northwind", variable="question")


def test_what_both_can_express_comes_back_as_it_was(tmp_path: Path) -> None:
    expects: list[dict[str, object]] = [
        {"outcome": "chart"},
        {"outcome": "any"},
        {"outcome": "clarification"},
        {"outcome": "chart", "spec": SPECS[0]},
        {"outcome": "chart", "any_spec": list(SPECS)},
        {"outcome": "chart", "partial": {"table": "tickets", "measures": [{"aggregate": "count"}]}},
        {"outcome": "ambiguous", "mark": ["bar", "arc"]},
    ]
    cases: list[dict[str, object]] = [
        {"id": f"c{at}", "question": "tickets by state", "tags": ["x"], "expect": expect}
        for at, expect in enumerate(expects)
    ]
    setup = _write(tmp_path, cases)
    text, count, _ = exported(setup, ("echo",))
    back, left_out = _back(text, tmp_path)
    assert (count, left_out) == (len(cases), [])
    assert [one.model_copy(update={"group": "cases"}) for one in back] == list(setup.cases())


def test_what_promptfoo_cannot_say_is_listed_by_name(tmp_path: Path) -> None:
    expect = {"rows": [[1]], "prompt_lacks": ["x-y-z"], "masks": ["email"], "tokens_at_most": 9000, "mark": ["bar"]}
    setup = _write(tmp_path, [{"id": "a", "question": "tickets of ada@example.com by state", "expect": expect}])
    text, _, left_out = exported(setup, ("echo",))
    told = "\n".join(left_out)
    for name in ("rows of 1", "prompt_lacks of 1", "masks of 1", "tokens_at_most of 1", "reply schema"):
        assert name in told
    assert lost_of(setup.cases()[0]) == ["masks", "prompt_lacks", "rows", "tokens_at_most"]
    # The question leaves as it is masked, and comes back as one that was.
    assert "ada@" not in text
    (back,), _ = _back(text, tmp_path)
    assert back.already_masked
    assert back.question == "tickets of ⟨email:1⟩ by state"


@pytest.mark.parametrize("words", ["{{ env.PATH }}", "{% if x %}", "{# note #}"])
def test_what_promptfoo_would_run_as_a_template_is_never_exported(tmp_path: Path, words: str) -> None:
    """The mask takes braces out of a question; the owner's own description may hold them."""
    setup = _write(tmp_path, [{"id": "a", "question": f"tickets by state {words}"}])
    text, count, _ = exported(setup, ("echo",))
    assert (count, words in text) == (1, False)
    (tmp_path / "rules").mkdir()
    rules = shipped_rules("helpdesk").replace("People who solve tickets.", f"People {words}")
    (tmp_path / "rules" / "helpdesk.toml").write_text(rules)
    text, count, left_out = exported(replace(setup, rules=tmp_path / "rules"), ("echo",))
    assert (count, words in text) == (0, False)
    assert any(line.startswith("a: ") for line in left_out)


def test_a_question_that_a_guard_refuses_is_not_exported(tmp_path: Path) -> None:
    key = "sk-proj-Zx81KqLm92TyWv04BnRt77Ha"
    setup = _write(tmp_path, [{"id": "a", "question": f"key {key}"}, {"id": "b", "question": "tickets by state"}])
    text, count, left_out = exported(setup, ("echo",))
    assert (count, key in text) == (1, False)
    assert any(line.startswith("a: no prompt leaves") for line in left_out)


def test_tests_of_others_become_cases_as_far_as_they_can(tmp_path: Path) -> None:
    config = {
        "prompts": ["Plan: {{question}}"],
        "providers": ["openai:gpt"],
        "scenarios": [],
        "tests": [
            {
                "description": "Orders, by status!",
                "vars": {"question": "orders by status", "tone": "dry"},
                "assert": [
                    {"type": "is-json"},
                    {"type": "equals", "value": json.dumps({"charts": [SPECS[0]]})},
                    {"type": "llm-rubric", "value": "is polite"},
                ],
            },
            {"vars": {"other": "no question"}},
            "file://more.yaml",
        ],
    }
    cases, left_out = _back(yaml.safe_dump(config), tmp_path)
    assert [(one.id, one.question, one.fixture, one.expect.spec) for one in cases] == [
        ("orders-by-status", "orders by status", "shop", SPECS[0])
    ]
    told = "\n".join(left_out)
    for part in ("scenarios", "variable tone", "assert llm-rubric", "test 2: it has no text", "test 3: not a test"):
        assert part in told


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
            ["tests", "vars", "question", "assert", "type", "value", "config", "rowless", "metadata", "id"]), inner),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    folder = tmp_path_factory.mktemp("foo")
    for whole in (content, {"tests": [content]}, {"tests": [{"vars": {"question": "q"}, "assert": content}]}):
        try:
            cases, _ = _back(yaml.safe_dump(whole), folder)
        except CaseInvalid:
            continue
        assert cases
