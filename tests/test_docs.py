"""The documents: links lead somewhere, settings and commands exist, and nothing names the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from gateway.cli import app
from gateway.config import setting_names

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


def commands() -> set[str]:
    """Every command of the command line, groups spelt out: ``audit verify``."""
    found: set[str] = set()

    def walk(group: typer.main.TyperGroup, prefix: str) -> None:
        for name, command in group.commands.items():
            found.add(f"{prefix}{name}")
            if isinstance(command, typer.main.TyperGroup):
                walk(command, f"{prefix}{name} ")

    root = typer.main.get_command(app)
    assert isinstance(root, typer.main.TyperGroup)
    walk(root, "")
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    known = set(setting_names()) | {"ROWLESS_KEY"}
    for name in re.findall(r"\bROWLESS_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")):
        is_group = any(other.startswith(name + "_") for other in known)
        assert name in known or is_group or name.startswith(("ROWLESS_TEST_", "ROWLESS_STOP_")), name


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    known = commands()
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"(?:^|[`/ ])rowless ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", text, re.MULTILINE)
    for first, second in shown:
        if first in known:
            is_group = any(name.startswith(f"{first} ") for name in known)
            assert not (is_group and second) or f"{first} {second}" in known, f"{first} {second}"


def test_the_readme_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!-- run command -->" in text
    assert "<!-- test command -->" in text


def test_nothing_names_the_machine_or_a_registry() -> None:
    """Paths of one machine and hosts of package registries do not belong into what others will read."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    if not any(listed):
        pytest.skip("not a git checkout")
    bad = re.compile("/" + "work/(?:main|shared)|/tmp/" + "rv\\b|pypi\\." + "org|registry\\.npmjs|deb\\.debian")
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".toml",
            ".yaml",
            ".yml",
            ".js",
            ".css",
            ".html",
            ".j2",
            "",
        }:
            found = bad.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert found is None, f"{name}: {found.group()}"
