"""The command and the pytest plugin, run as a user runs them: in a process of their own, from an empty folder."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from prompts.regression.case import read_cases
from prompts.template import TEMPLATES, versions
from redaction.scan import ScanConfig
from tests.gateway.regression.recording import COUNT, settings, tape
from tests.simulator.chat_server import chat_server

NEWEST = f"{versions('chart_spec')[-1]}.j2"

CASES = """\
fixture: shop
tenant: northwind
cases:
  - {id: right, question: orders by status, expect: {mark: [bar]}}
"""
OWN = """\
  - id: by-clinic
    question: visits by clinic
    summary: {source: own, tables: [{name: visits, columns: [{name: id, type: integer}, {name: clinic, type: text}]}]}
    expect: {mark: [bar]}
"""
WRONG = "  - {id: wrong, question: orders by status, expect: {mark: [arc]}}\n"


def _in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


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


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "cases.yaml"), 0, ""),
        (("run", "cases.yaml", "--strict"), 0, ""),
        (("run", "both.yaml"), 3, ""),
        (("run", "both.yaml", "--baseline", "base.json"), 0, ""),
        (("run", "both.yaml", "--baseline", "base.json", "--strict"), 3, ""),
        (("run", "cases.yaml", "--baseline", "short.json", "--max-growth", "1"), 3, ""),
        (("run", "cases.yaml", "--baseline", "short.json", "--max-growth", "99"), 0, ""),
        (("run", "cases.yaml", "--templates", "leaky"), 3, ""),
        (("run", "cases.yaml", "--model", "m"), 2, "nothing is recorded"),
        (("run", "cases.yaml", "--model", "offline", "--model", "offline"), 2, "named twice"),
        (("run", "cases.yaml", "--against", "HEAD", "--against-version", "1"), 2, "one thing"),
        (("run", "cases.yaml", "--against-version", "1"), 0, ""),
        (("run", "cases.yaml", "--against-version", "77"), 2, "no such prompt template"),
        (("run", "cases.yaml", "--against-model", "m"), 2, "not among the models"),
        (("run", "cases.yaml", "--baseline", "none.json"), 2, "not a run"),
        (("run", "cases.yaml", "--html", "no/such/folder.html"), 2, "cannot write"),
        (("record", "cases.yaml"), 2, "ROWLESS_LLM__PLANNER"),
        (("new",), 2, "give a question"),
        (("copy", "cases.yaml"), 2, "cannot copy"),
        (("import", "cases.yaml"), 2, "not a list"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else None,
)
def test_exit_codes_are_as_documented(
    prepared: Path,
    words: tuple[str, ...],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _inside(prepared, monkeypatch, *words) == code
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) <= 1


def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of a command run in this process, with patterns only: a process each would take minutes."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["rowless", "regress", *words])
    monkeypatch.setattr("gateway.regression.suite.scan_config", lambda _: ScanConfig(model=None))
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cases, a baseline, one of shorter prompts, and a template that leaks. Over facts of its own."""
    folder = tmp_path_factory.mktemp("prepared")
    summary = "{source: own, tables: [{name: visits, columns: [{name: id, type: integer}]}]}"
    right = "fixture: own\ntenant: t\ncases:\n" + (
        f"  - {{id: right, question: how many visits, summary: {summary}, expect: {{mark: [text]}}}}\n"
    )
    wrong = f"  - {{id: wrong, question: how many visits, summary: {summary}, expect: {{mark: [arc]}}}}\n"
    (folder / "cases.yaml").write_text(right)
    (folder / "both.yaml").write_text(right + wrong)
    with pytest.MonkeyPatch.context() as patch:
        assert _inside(folder, patch, "bless", "both.yaml", "--out", "base.json", "--reason", "as it is") == 0
    run = json.loads((folder / "base.json").read_text())
    assert run["reason"] == "as it is"
    for result in run["results"]:
        result["tokens"] = round(result["tokens"] / 1.5)
    (folder / "short.json").write_text(json.dumps(run))
    shutil.copytree(TEMPLATES / "chart_spec", folder / "leaky" / "chart_spec")
    file = folder / "leaky" / "chart_spec" / NEWEST
    file.write_text(
        file.read_text().replace("{% block system %}\n", "{% block system %}\nAsk jane.roe@corp.example.\n")
    )
    return folder


def test_a_leaking_prompt_is_never_blessed(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("bless", "cases.yaml", "--templates", "leaky", "--out", "leak.json")
    assert _inside(prepared, monkeypatch, *words) == 2
    assert not (prepared / "leak.json").exists()
    assert "not blessed" in capsys.readouterr().err


def test_reports_are_written_from_runs_that_were_made_before(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _inside(prepared, monkeypatch, "run", "both.yaml", "--json", "run.json", "--html", "one.html") == 3
    assert _inside(prepared, monkeypatch, "report", "run.json", "--baseline", "base.json", "--out", "two.html") == 0
    assert "how many visits" in (prepared / "two.html").read_text()
    assert "Content-Security-Policy" in (prepared / "one.html").read_text()


def test_pytest_runs_the_cases_of_a_folder_and_nothing_without_the_option(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yaml").write_text(CASES + WRONG)
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    done = _in(tmp_path, "-m", "pytest", "-q", "--rowless-cases", "cases")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "mark: bar" in done.stdout
    assert "1 passed" in _in(tmp_path, "-m", "pytest", "-q").stdout


@pytest.mark.loopback
def test_pytest_plays_recorded_replies_back_beside_the_offline_planner(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    text = "fixture: own\ntenant: t\ncases:\n" + OWN
    (tmp_path / "cases" / "own.yaml").write_text(text)
    with chat_server(reply=lambda _: COUNT) as server:
        recorder = tape(settings(server.base_url), tmp_path)

        async def record() -> None:
            await recorder.record(read_cases(text, "own.yaml"))
            await recorder.planning.planner.aclose()  # type: ignore[attr-defined]

        asyncio.run(record())
    words = ("-m", "pytest", "-q", "-rA", "--rowless-cases", "cases")
    both = ("--rowless-model", "offline", "--rowless-model", "demo-1")
    done = _in(tmp_path, *words, *both)
    assert done.returncode == 1
    assert {line for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))} == {
        "PASSED cases/own.yaml::by-clinic[offline]",
        "FAILED cases/own.yaml::by-clinic[demo-1] - Failed: mark: text",
    }
    (tmp_path / "templates" / "chart_spec").mkdir(parents=True)
    changed = (
        (TEMPLATES / "chart_spec" / NEWEST).read_text().replace("{% block system %}\n", "{% block system %}\nHi.\n")
    )
    (tmp_path / "templates" / "chart_spec" / NEWEST).write_text(changed)
    done = _in(tmp_path, *words, "--rowless-model", "demo-1", "--rowless-templates", "templates")
    assert "stale: " in done.stdout
    assert "+Hi." in done.stdout
    done = _in(tmp_path, *words, "--rowless-model", "nobody")
    assert "nothing is recorded of the model nobody" in done.stdout
    assert "Traceback" not in done.stdout
