"""Settings: unknown names stop the start, and no error says a value."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from pathlib import Path

import pytest

from gateway.config import Settings, setting_names
from gateway.errors import ConfigError
from gateway.project import Project
from gateway.runtime import Runtime
from prompts import budget

ROOT = Path(__file__).parents[2]


def test_the_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()
    assert settings.llm.planner == "offline"
    assert settings.http.host == "127.0.0.1"


def test_a_nested_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLESS_LLM__MODEL", "some-model")
    assert Settings.from_environment().llm.model == "some-model"


def test_an_encoding_that_is_not_installed_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At start-up, with how to get it, and before a datasource or the state database is opened."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    budget._counter.cache_clear()
    project = Project.for_path(tmp_path / "none.csv")
    try:
        with pytest.raises(ConfigError, match="pip install tiktoken bpe-openai"):
            asyncio.run(Runtime.open(Settings(home=tmp_path / "home"), project))
    finally:
        budget._counter.cache_clear()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["ROWLESS_LLM__MODELL", "ROWLESS_AUDIT_OFF", "ROWLESS_LIMITS_MAX_ROWS"])
def test_a_misspelt_name_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hush-hush")
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment()
    assert name in str(caught.value)
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROWLESS_LIMITS__MAX_ROWS", "hush-hush"),
        ("ROWLESS_LIMITS__MAX_ROWS", "-7777"),
        ("ROWLESS_LLM__PLANNER", "hush"),
    ],
)
def test_a_value_that_does_not_fit_is_named_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment()
    assert name in str(caught.value)
    assert value not in str(caught.value)


def test_the_key_of_the_model_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLESS_LLM__API_KEY", "hush-hush")
    assert "hush-hush" not in repr(Settings.from_environment())


def test_the_operations_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(ROWLESS_[A-Z_]+)`", page, re.MULTILINE))
    assert listed == set(setting_names())
