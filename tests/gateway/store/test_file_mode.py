"""The state database is its owner's alone, whatever the folder it lies in allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.store.seal import MasterKey
from gateway.store.state import State


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_nobody_else_can_read_the_state_database(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}", MasterKey(b"k" * 32))
    try:
        with state.write():
            pass
        files = list(tmp_path.glob("state.db*"))
        assert files
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    finally:
        state.close()
