"""The Spark client can be imported wherever the gateway runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_a_process_whose_main_module_is_no_file_can_import_the_source() -> None:
    """The client would take it for its own doctests and end the process; main is left as it was."""
    pytest.importorskip("pyspark")
    code = "import gateway.sources.spark_source, __main__; print(hasattr(__main__, '__file__'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3]
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
