"""Against a git revision: what that revision would have sent and planned, whatever lies in the work tree now."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.regression import revision as module
from gateway.regression.prepare import Choice
from gateway.regression.revision import checked_out
from gateway.regression.suite import Setup, at_revision, partner, run_suite
from prompts.regression.compare import compared, differences
from prompts.regression.outcome import Run
from prompts.template import TEMPLATES, versions

NEWEST = f"{versions('chart_spec')[-1]}.j2"

CASES = "fixture: ugly\ntenant: '100'\ncases:\n  - {id: a, question: number of orders by status}\n"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *words],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A prompt author's repository: templates and cases, committed."""
    shutil.copytree(TEMPLATES / "chart_spec", tmp_path / "templates" / "chart_spec")
    (tmp_path / "cases.yaml").write_text(CASES)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def _change(repository: Path) -> None:
    file = repository / "templates" / "chart_spec" / NEWEST
    file.write_text(file.read_text().replace("{% block system %}\n", "{% block system %}\nAnswer briefly.\n"))


def test_prompts_of_a_revision_are_compared_with_those_of_the_work_tree(repository: Path) -> None:
    _change(repository)
    setup = Setup(places=(repository / "cases.yaml",), choice=Choice(folder=repository / "templates"))
    now, old = run_suite(setup, Settings()), at_revision(setup, Settings(), "HEAD")
    verdict = compared(now[0], partner(now[0], old))
    assert (verdict.changed, verdict.worse) == (("a",), ())
    assert verdict.tokens > 0
    assert "+Answer briefly." in differences(old[0], now[0]).splitlines()
    assert old[0].label.startswith("HEAD ")
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_revision_of_rowless_is_run_by_its_own_code(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code stands in for an older Rowless: what it prints comes from its own folder, not from the one that runs."""
    (repository / "gateway").mkdir()
    (repository / "gateway" / "__init__.py").write_text("")
    result = '{"model":"offline/older","template":"t","template_version":"1","results":[{"id":"a","verdict":"pass"}]}'
    (repository / "gateway" / "cli.py").write_text(
        "import pathlib, sys\n"
        f"def main():\n    pathlib.Path(sys.argv[sys.argv.index('--json') + 1]).write_text({result!r})\n"
    )
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "code")
    shutil.rmtree(repository / "gateway")
    monkeypatch.setattr(module, "PACKAGE", repository.resolve())
    setup = Setup(places=(repository / "cases.yaml",), choice=Choice(folder=repository / "templates"))
    (old,) = at_revision(setup, Settings(), "HEAD")
    assert old.model == "offline/older"
    with pytest.raises(ConfigError, match="no such revision"):
        at_revision(setup, Settings(), "HEAD~7")


@pytest.mark.parametrize("revision", ["nowhere", "--output=/tmp/x", "-h", "HEAD; touch x", "HEAD:templates"])
def test_what_is_no_revision_is_refused(repository: Path, revision: str) -> None:
    with pytest.raises(ConfigError, match="no such revision"), checked_out(revision, repository / "templates"):
        pass


def test_templates_outside_of_any_repository_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigError, match="no git repository"), checked_out("HEAD", tmp_path):
        pass


def test_a_baseline_is_found_by_model_then_by_endpoint() -> None:
    def run(model: str) -> Run:
        return Run(model=model, template="t", template_version="1", results=())

    old = (run("offline/1"), run("openai/a"))
    assert partner(run("openai/a"), old) is old[1]
    assert partner(run("offline/2"), old) is old[0]
    assert partner(run("other/a"), old) is None
