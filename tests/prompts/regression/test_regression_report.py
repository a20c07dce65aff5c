"""Comparison and reports, against values worked out by hand."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from prompts.regression.case import CaseInvalid
from prompts.regression.compare import compared, differences, unified
from prompts.regression.outcome import CaseResult, Failed, Run, read_runs, write_runs
from prompts.regression.report import as_junit, as_markdown, by_group, row, table


def _result(name: str, verdict: str, **facts: object) -> CaseResult:
    failed = (Failed(column="rows", says="<&>|\x07"),) if verdict in ("fail", "error") else ()
    return CaseResult.model_validate({"id": name, "verdict": verdict, "failed": failed, **facts})


def _run(model: str = "m/m", /, **verdicts: str) -> Run:
    results = tuple(_result(name, v) for name, v in verdicts.items())
    return Run(model=model, template="t", template_version="1", results=results)


def test_better_worse_and_new_cases_are_told_apart() -> None:
    verdict = compared(_run(a="pass", b="fail", c="fail", d="fail"), _run(a="fail", b="pass", c="fail"))
    assert verdict.better == ("a",)
    assert verdict.worse == ("b", "d")
    assert verdict.added == ("d",)
    assert verdict.p_value == 1.0
    assert verdict.paired is not None
    assert (verdict.paired.both, verdict.paired.better, verdict.paired.worse, verdict.paired.neither) == (0, 1, 1, 1)


def test_a_stale_case_is_neither_better_nor_worse() -> None:
    verdict = compared(_run(a="stale", b="pass"), _run(a="pass", b="stale"))
    assert (verdict.better, verdict.worse, verdict.stale) == ((), (), ("a",))
    assert verdict.paired is not None
    assert verdict.paired.n == 0


def test_growth_is_counted_over_the_cases_that_both_know() -> None:
    old = Run(model="m", template="t", template_version="1", results=(
        _result("a", "pass", tokens=100, cost_usd=0.5), _result("b", "pass", tokens=100),
    ))  # fmt: skip
    new = old.model_copy(update={"results": (
        _result("a", "pass", tokens=150, cost_usd=0.75), _result("b", "stale", tokens=110),
        _result("c", "pass", tokens=900, cost_usd=9.0),
    )})  # fmt: skip
    verdict = compared(new, old)
    assert (verdict.tokens, verdict.grown) == (60, 0.3)
    assert (verdict.cost_usd, verdict.dearer) == (0.25, 0.5)


def test_a_run_of_several_models_is_read_back(tmp_path: Path) -> None:
    runs = (_run("a/a", x="pass"), _run("b/b", x="fail"))
    (tmp_path / "two.json").write_text(write_runs(runs))
    (tmp_path / "one.json").write_text(write_runs(runs[:1]))
    assert read_runs(tmp_path / "two.json") == runs
    assert read_runs(tmp_path / "one.json") == runs[:1]
    (tmp_path / "none.json").write_text('{"runs": []}')
    with pytest.raises(CaseInvalid):
        read_runs(tmp_path / "none.json")


def test_a_baseline_that_was_written_before_these_fields_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(
        '{"version":"1","model":"offline/offline-1","template":"t","template_version":"1","label":"","elapsed_s":0.0,'
        '"results":[{"id":"a","tags":[],"verdict":"pass","failed":[],"outcome":"chart","prompt":"","prompt_sha256":"",'
        '"spec":"","tokens":1,"cost_usd":null,"elapsed_ms":0.0,"privacy":[]}]}'
    )
    assert read_runs(tmp_path / "old.json")[0].count("pass") == 1


def test_the_table_has_a_line_for_each_model_and_group() -> None:
    run = _run(a="pass", b="fail", c="stale")
    text = table((run, _run("other/o", a="pass")), (compared(run, None), compared(run, run)), groups=True)
    assert "  m/m      1/2 50% " in text
    assert "other/o" in text
    assert "  stale c" in text
    assert "fail  b" in text
    assert list(by_group(run)) == ["cases"]
    assert row(run, compared(run, None))[2] == "1"


def test_junit_is_xml_with_one_case_each() -> None:
    root = ET.fromstring(as_junit((_run(a="pass", b="fail", c="error", d="stale"),)))
    suite = root[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "2")
    assert [len(item) for item in suite] == [0, 1, 1, 1]


def test_markdown_cannot_be_broken_by_what_a_reply_says() -> None:
    run = _run(a="fail")
    text = as_markdown((run,), (compared(run, None),))
    assert "| a | fail | rows | &lt;&>\\|  |" in text


def test_a_diff_is_of_prompt_and_spec_and_is_cut() -> None:
    one = Run(model="m", template="t", template_version="1", results=(
        _result("a", "pass", prompt="x\ny", spec='{"mark":"bar"}'),
    ))  # fmt: skip
    other = one.model_copy(update={"results": (_result("a", "pass", prompt="x\nz", spec='{"mark":"arc"}'),)})
    text = differences(one, other)
    assert "a: prompt" in text
    assert "-y" in text
    assert '+ "mark": "arc"' in text
    assert differences(one, one) == "no prompt and no spec differs\n"
    assert unified("\n".join("ab" * 600), "\n".join("cd" * 600)).endswith("more lines")
