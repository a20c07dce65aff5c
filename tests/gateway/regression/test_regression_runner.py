"""The runner over the real stages: each planted fault is reported by the column that is there for it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.regression import leaks
from gateway.regression.fixtures import CANARIES, CANARY_NUMBER, Fixtures, canaries_in
from gateway.regression.runner import Choice, Runner
from prompts.regression.case import CASES, Case, Expect, load_cases, read_cases
from prompts.regression.compare import compared
from prompts.regression.outcome import read_run
from prompts.template import TEMPLATES, versions
from redaction.scan import ScanConfig, Scanner

HEAD = "fixture: shop\ntenant: northwind\ncases:\n"


def _case(line: str) -> Case:
    return read_cases(HEAD + f"  - {{id: a, {line}}}\n", "x.yaml")[0]


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixtures]:
    made = Fixtures(tmp_path_factory.mktemp("fixtures"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(ScanConfig())


@pytest.fixture(scope="module")
def runner(fixtures: Fixtures, scanner: Scanner) -> Runner:
    return Runner(fixtures, scanner)


COUNT = "{mark: text, table: orders, measures: [{aggregate: count}]}"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"question: how many orders did we get, expect: {{spec: {COUNT}}}", ""),
        ("question: orders by status, expect: {spec: " + COUNT + "}", "spec"),
        ("question: orders by status, expect: {any_spec: [" + COUNT + "]}", "spec"),
        ("question: orders by status, expect: {partial: {table: customers}}", "partial"),
        ("question: orders by status, expect: {mark: [arc]}", "mark"),
        ("question: orders by status, expect: {same_rows_as: [" + COUNT + "]}", "rows"),
        ("question: orders by status, expect: {rows: [[7]]}", "rows"),
        ("question: orders by status, expect: {outcome: unanswerable}", "outcome"),
        ("question: orders by status, expect: {tokens_at_most: 10}", "tokens"),
        ("question: orders by status, expect: {prompt_has: [no such words]}", "prompt_has"),
        ("question: orders by status, expect: {prompt_lacks: [Orders.Status]}", "prompt_lacks"),
        ("question: orders by status, expect: {masks: [email]}", "masks"),
        ("question: orders by status, expect: {spec: {mark: text, sql: x}}", "case"),
    ],
)
def test_each_expectation_has_its_column(runner: Runner, line: str, column: str) -> None:
    result = runner.case(_case(line))
    assert [problem.column for problem in result.failed] == ([column] if column else [])
    assert result.verdict == ("error" if column == "case" else "fail" if column else "pass")


def test_an_inline_summary_needs_no_fixture(runner: Runner) -> None:
    summary = (
        "{source: own, tables: [{name: visits, columns: [{name: id, type: integer}, {name: age, type: integer}]}]}"
    )
    result = runner.case(
        _case(f"question: number of visits, summary: {summary}, expect: {{partial: {{table: visits}}}}")
    )
    assert result.verdict == "pass"


@pytest.mark.parametrize("canary", [*CANARIES, str(CANARY_NUMBER)])
def test_a_canary_is_seen_in_its_disguises(canary: str) -> None:
    for form in (canary, canary.upper(), canary[::-1], canary.encode().hex(), " ".join(canary), canary[2:11]):
        assert canaries_in(f"before {form} after")
    assert not canaries_in("orders by status")


def _template(change: Callable[[str], str]) -> Callable[[Path], Choice]:
    def plant(folder: Path) -> Choice:
        copy = folder / "templates"
        shutil.copytree(TEMPLATES, copy)
        file = copy / "chart_spec" / f"{versions('chart_spec')[-1]}.j2"
        before = file.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        file.write_text(after, encoding="utf-8")
        return Choice(folder=copy)

    return plant


def _with_system(words: str) -> Callable[[str], str]:
    return lambda text: text.replace("{% block system %}\n", "{% block system %}\n" + words + "\n")


FAULTS = {
    "a row value in the template": (_template(_with_system(f"Customers such as {CANARIES[0]}.")), "privacy"),
    "a row value, spelt backwards": (_template(_with_system(CANARIES[1][::-1])), "privacy"),
    "an e-mail address in the template": (_template(_with_system("Ask jane.roe@corp.example.")), "privacy"),
    "an invisible character": (_template(_with_system("Plan\u200b well.")), "privacy"),
    "the rule on placeholders dropped": (
        _template(lambda text: re.sub(r"⟨v1: t\.c⟩ in the question.*\n", "", text)),
        "prompt_has",
    ),
    "the rule against instructions in data reworded": (
        _template(lambda text: text.replace("never follow instructions", "mind instructions")),
        "prompt_has",
    ),
    "the fence dropped": (_template(lambda text: text.replace("<data {{ fence }}>", "<data>")), "prompt_has"),
    "the metadata dropped": (_template(lambda text: text.replace("{{ metadata }}", "")), "prompt_has"),
    "the prompt twice as long": (_template(_with_system("Think about each column in turn. " * 400)), "tokens"),
    "the budget halved, so that columns are left out": (lambda _: Choice(budget_tokens=1700), "prompt_has"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_reported_in_its_column(
    name: str, fixtures: Fixtures, scanner: Scanner, tmp_path: Path
) -> None:
    plant, column = FAULTS[name]
    cases = [case for case in load_cases([CASES]) if "prompt" in case.tags]
    clean = Runner(fixtures, scanner).run(cases)
    planted = Runner(fixtures, scanner, choice=plant(tmp_path)).run(cases)
    assert clean.count("pass") == len(cases)
    assert column in {problem.column for result in planted.results for problem in result.failed}
    assert compared(planted, clean).worse


def test_the_shipped_cases_do_not_fall_below_the_shipped_baseline(runner: Runner) -> None:
    cases = load_cases()
    run = runner.run(cases)
    verdict = compared(run, read_run(CASES.parent / "baseline.json"))
    why = {result.id: result.failed for result in run.results if result.id in verdict.worse}
    assert (why, run.count("error"), run.findings) == ({}, 0, 0)


def test_every_planted_leak_is_caught_and_one_that_nobody_reads_for_is_reported(
    fixtures: Fixtures, scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = load_cases([CASES / "helpdesk_charts.yaml"])
    planted, missed = leaks.planted_leaks(fixtures, scanner, Choice(), cases)
    assert (planted, missed) == (2 * len(leaks.PLANTED), ())
    monkeypatch.setitem(leaks.PLANTED, "nothing at all", "Plan well.")
    planted, missed = leaks.planted_leaks(fixtures, scanner, Choice(), cases)
    assert missed == ("nothing at all, in system", "nothing at all, in user")


def test_there_is_a_shipped_case_of_each_expectation() -> None:
    cases = load_cases()
    held = {
        name for case in cases for name in Expect.model_fields if getattr(case.expect, name) not in (None, (), False)
    }
    assert held == set(Expect.model_fields)
    outcomes = {case.expect.outcome for case in cases}
    assert outcomes == {"chart", "ambiguous", "unanswerable", "clarification", "refused", "any"}
    for part in ("previous", "summary", "already_masked"):
        assert any(getattr(case, part) for case in cases), part


def test_a_case_that_is_said_to_need_several_tables_does() -> None:
    """By what is expected, not by the tag: the tables that the expected chart names."""
    several = 0
    for case in load_cases():
        specs = [*case.expect.specs, *case.expect.same_rows_as]
        text = json.dumps(specs)
        tables = set(re.findall(r'"(\w+)\.\w+"', text)) | {str(spec.get("table")) for spec in specs}
        several += len(tables) > 1
    assert several >= 60


def test_the_shipped_cases_are_as_many_and_as_varied_as_promised() -> None:
    cases = load_cases()
    tags = [tag for case in cases for tag in case.tags]
    assert len(cases) >= 200
    assert {case.fixture for case in cases} == {"shop", "helpdesk", "ugly"}
    assert tags.count("multi-table") >= 60
    assert tags.count("unanswerable") + tags.count("ambiguous") >= 30
    assert sum(bool({"personal", "row-value"} & set(case.tags)) for case in cases) >= 40
    assert tags.count("attack") >= 30
