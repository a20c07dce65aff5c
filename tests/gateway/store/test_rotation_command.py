"""`rowless keys rewrap`: from one master key file to the next, by the operator's own steps."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.commands.serve import keys
from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.runtime import open_state
from gateway.tenancy.sessions import ApiKeys


def test_master_key_is_changed_by_its_four_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API key made before works after, and the old master key opens nothing any more."""
    monkeypatch.setenv("ROWLESS_HOME", str(tmp_path))
    state, _ = open_state(Settings.from_environment())
    _, text = ApiKeys(state).create("server", scopes=frozenset({"ask"}))
    state.close()
    new = tmp_path / "new.key"
    new.write_text(secrets.token_hex(32))
    new.chmod(0o600)
    monkeypatch.setenv("ROWLESS_MASTER_KEY_FILE", str(new))
    with pytest.raises(ConfigError, match="master key"):
        open_state(Settings.from_environment())
    monkeypatch.setenv("ROWLESS_PREVIOUS_MASTER_KEY_FILE", str(tmp_path / "master.key"))
    done = CliRunner().invoke(keys, ["rewrap"])
    assert done.exit_code == 0, done.exception
    assert "keys moved" in done.stdout
    monkeypatch.delenv("ROWLESS_PREVIOUS_MASTER_KEY_FILE")
    state, _ = open_state(Settings.from_environment())
    assert ApiKeys(state).check(text, scope="ask").name == "server"
    state.close()
    monkeypatch.delenv("ROWLESS_MASTER_KEY_FILE")
    with pytest.raises(ConfigError):
        open_state(Settings.from_environment())
