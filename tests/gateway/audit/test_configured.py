"""Sinks and streams by settings, and wrong addresses refused at the start."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.audit.configured import checkpoint_sinks, siem_streams
from gateway.config import AuditSettings, Settings
from gateway.errors import ConfigError
from gateway.runtime import open_audit, open_state
from tests.gateway.audit.samples import fill


def test_settings_name_the_log_its_folder_and_its_siem(tmp_path: Path) -> None:
    """Checkpoints land in the folder, events in the file, the log has its name."""
    audit = AuditSettings(
        origin="audit.example.com/rowless", checkpoint_folder=tmp_path / "bucket", siem_file=tmp_path / "siem.jsonl"
    )
    settings = Settings(home=tmp_path / "home", audit=audit)
    state, _ = open_state(settings)
    log = open_audit(state, settings, serving=True)
    asyncio.run(fill(log, 3))
    log.close()
    state.close()
    assert log.verifier.origin == "audit.example.com/rowless"
    assert len(list((tmp_path / "bucket").glob("*.checkpoint"))) >= 2
    assert len([json.loads(line) for line in (tmp_path / "siem.jsonl").read_text().splitlines()]) == 6


def test_folder_and_address_are_both_needed(tmp_path: Path) -> None:
    """An address is beside the folder, not in place of it."""
    found = checkpoint_sinks(AuditSettings(checkpoint_url="https://audit.example.com/x"), tmp_path)
    assert [sink.name for sink in found] == ["folder", "http"]
    with pytest.raises(ConfigError):
        checkpoint_sinks(AuditSettings(checkpoint_url="http://audit.example.com/x"), tmp_path)


@pytest.mark.parametrize(
    "address", ["collector:514", "http://collector:514", "tcp://collector", "tcp://:514", "udp://c:x"]
)
def test_wrong_collector_is_refused(address: str, tmp_path: Path) -> None:
    """At the start, by the name of its setting."""
    state, _ = open_state(Settings(home=tmp_path))
    with pytest.raises(ConfigError, match="SIEM_SYSLOG") as caught:
        siem_streams(AuditSettings(siem_syslog=address), state)
    assert address not in str(caught.value)
    state.close()


def test_bad_name_of_a_log_is_refused(tmp_path: Path) -> None:
    """It would not be a key name of a signed note."""
    settings = Settings(home=tmp_path, audit=AuditSettings(origin="not a name"))
    state, _ = open_state(settings)
    with pytest.raises(ConfigError):
        open_audit(state, settings)
    state.close()
