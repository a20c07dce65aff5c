"""The command and the pytest plugin, run as a user runs them: in a process of their own, from an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CASES = """\
fixture: shop
tenant: northwind
cases:
  - {id: right, question: orders by status, expect: {mark: [bar]}}
"""
WRONG = "  - {id: wrong, question: orders by status, expect: {mark: [arc]}}\n"


def _in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def _rowless(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return _in(folder, "-c", "from gateway.cli import main; main()", "regress", *words)


def test_run_bless_and_compare_from_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "cases.yaml").write_text(CASES)
    done = _rowless(tmp_path, "run", "cases.yaml", "--json", "one.json", "--junit", "one.xml", "--markdown", "one.md")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "one.json").read_text())["results"][0]["verdict"] == "pass"
    (tmp_path / "cases.yaml").write_text(CASES + WRONG)
    done = _rowless(
        tmp_path, "run", "cases.yaml", "--json", "two.json", "--baseline", "one.json", "--markdown", "two.md"
    )
    assert done.returncode == 3
    assert "WORSE wrong" in done.stdout
    assert "These are few cases" in done.stdout
    assert "| wrong | WORSE | mark | bar |" in (tmp_path / "two.md").read_text()
    assert _rowless(tmp_path, "bless", "cases.yaml", "--out", "base.json").returncode == 0
    assert _rowless(tmp_path, "run", "cases.yaml", "--baseline", "base.json").returncode == 0


def test_diff_shows_what_a_change_of_budget_did_to_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "cases.yaml").write_text(CASES)
    for name, budget in (("a.json", "4000"), ("b.json", "1600")):
        _rowless(tmp_path, "run", "cases.yaml", "--budget", budget, "--json", name)
    done = _rowless(tmp_path, "diff", "a.json", "b.json")
    assert done.returncode == 0
    assert "right" in done.stdout
    assert "\n-" in done.stdout
    assert "no prompt and no spec differs" in _rowless(tmp_path, "diff", "a.json", "a.json").stdout


def test_own_cases_never_overwrite_the_shipped_baseline(tmp_path: Path) -> None:
    (tmp_path / "cases.yaml").write_text(CASES)
    done = _rowless(tmp_path, "bless", "cases.yaml")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_file_that_is_no_case_file_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "cases.yaml").write_text("cases: 1\n")
    done = _rowless(tmp_path, "run", "cases.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("rowless: cases.yaml: ")


def test_pytest_runs_the_cases_of_a_folder_and_nothing_without_the_option(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yaml").write_text(CASES + WRONG)
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    done = _in(tmp_path, "-m", "pytest", "-q", "--rowless-cases", "cases")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "mark: bar" in done.stdout
    assert "1 passed" in _in(tmp_path, "-m", "pytest", "-q").stdout
