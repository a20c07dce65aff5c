"""Promise A3: after SIGKILL at any instant the log opens, verifies, and holds every acknowledged entry.

ROWLESS_TEST_KILLS sets the number of kills; 1,000 in the nightly run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("ROWLESS_TEST_KILLS", "60"))  # test tuning only


@pytest.mark.slow
def test_no_acknowledged_entry_is_lost_to_a_kill(tmp_path: Path) -> None:
    """Writers are killed at random moments; each acknowledged entry is found, and the tree still verifies."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_writers.py")), str(tmp_path), str(KILLS), "20261124"],
        capture_output=True, text=True, check=False, timeout=60 + KILLS * 3, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert seen["runs"] == KILLS
    assert seen["acknowledged"] > KILLS
    assert (seen["lost"], seen["bad"]) == (0, [])
