"""A new case: from a question or an audit entry, masked, with what a run finds, and read back as it was written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.errors import ConfigError
from gateway.regression.fixtures import CANARIES, Fixtures
from gateway.regression.new_case import Found, draft, write_case
from prompts.regression.case import Case, load_cases
from redaction.scan import ScanConfig, Scanner
from tests.gateway.regression.recording import cases


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixtures]:
    made = Fixtures(tmp_path_factory.mktemp("fixtures"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(ScanConfig())


def _case(question: str, **facts: object) -> Case:
    whole = {"id": "a", "question": question, "fixture": "helpdesk", "tenant": "east", **facts}
    return Case.model_validate(whole)


def test_what_a_run_finds_is_what_is_expected(fixtures: Fixtures, scanner: Scanner) -> None:
    made = draft(_case("tickets by urgency as bars"), fixtures, scanner)
    assert made.expect.outcome == "chart"
    assert made.expect.spec is not None
    assert made.expect.spec["dimensions"] == [{"column": "tickets.urgency"}]
    assert made.expect.masked_only
    assert made.expect.tokens_at_most is not None
    assert made.expect.tokens_at_most % 50 == 0


def test_a_question_as_typed_expects_that_its_words_stay_here(fixtures: Fixtures, scanner: Scanner) -> None:
    made = draft(_case("tickets of ada@example.com by state"), fixtures, scanner)
    assert (made.expect.masks, made.expect.prompt_lacks) == (("email",), ("ada@example.com",))


def test_an_entry_keeps_the_chart_that_was_answered_then(fixtures: Fixtures, scanner: Scanner) -> None:
    case = _case("tickets of ⟨v1: requesters.full_name⟩ by state", already_masked=True)
    made = draft(case, fixtures, scanner, Found(decision="answered", spec='{"mark":"arc","table":"tickets"}'))
    assert made.expect.spec == {"mark": "arc", "table": "tickets"}
    assert made.expect.masks == ("v",)
    assert made.expect.prompt_lacks == ()
    assert draft(case, fixtures, scanner, Found(decision="clarified")).expect.outcome == "clarification"


@pytest.mark.parametrize("question", ["mail to jane.roe@corp.example", f"tickets of {CANARIES[0]}"])
def test_what_must_not_leave_is_no_case(fixtures: Fixtures, scanner: Scanner, question: str) -> None:
    with pytest.raises(ConfigError, match="must not leave"):
        draft(_case(question, already_masked=True), fixtures, scanner)


def test_cases_are_added_to_a_file_and_read_back(tmp_path: Path, fixtures: Fixtures, scanner: Scanner) -> None:
    out = tmp_path / "cases" / "new.yaml"
    one = draft(_case("tickets by state", group="new"), fixtures, scanner)
    write_case(one, out)
    (own,) = cases("visits by clinic")
    two = draft(own.model_copy(update={"id": "b", "group": "new"}), fixtures, scanner)
    write_case(two, out)
    assert load_cases([out]) == (one, two)
    head = out.read_text(encoding="utf-8").splitlines()
    assert head[0] == "# yaml-language-server: $schema=cases.schema.json"
    assert "not reviewed" in head[1]
    assert (out.parent / "cases.schema.json").is_file()
    with pytest.raises(ConfigError, match="has a case a already"):
        write_case(one, out)
    out.write_text(out.read_text() + "version: '1'\n")
    before = out.read_text()
    with pytest.raises(Exception, match="twice"):
        write_case(two.model_copy(update={"id": "c"}), out)
    assert out.read_text() == before


def _rowless(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "from gateway.cli import main; main()"
    environment = {"ROWLESS_HOME": str(folder / "home"), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=environment,
    )  # fmt: skip


def test_from_a_question_that_was_asked_to_a_case_that_runs(tmp_path: Path) -> None:
    """As a user does it: ask about a file, look the entry up, make it a case, run it without the file."""
    rows = [f"{i},{['north', 'south', 'west'][i % 3]},{i * 7 % 400},2025-0{1 + i % 9}-11" for i in range(300)]
    (tmp_path / "sales.csv").write_text("\n".join(["id,region,amount,day", *rows]))
    asked = _rowless(tmp_path, "ask", "--data", "sales.csv", "total amount per month in north as a line")
    entry = asked.stdout.split("audit entry ")[1].split()[0]
    done = _rowless(tmp_path, "regress", "new", "--audit", entry, "--data", "sales.csv", "--out", "own.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "sales.csv").unlink()
    (case,) = yaml.safe_load((tmp_path / "own.yaml").read_text())["cases"]
    assert case["question"] == "total amount per month in ⟨v1: sales.region⟩ as a line"
    assert case["expect"]["spec"]["filter"]["value"] == {"placeholder": "v1"}
    assert "north" not in (tmp_path / "own.yaml").read_text()
    done = _rowless(tmp_path, "regress", "run", "own.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    listed = _rowless(tmp_path, "audit", "list", "--what", "events", "--json")
    assert '"event": "audit.read"' in listed.stdout
