"""How many generated cases a property test runs: few in CI, as many as asked for at night."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    """`few`, or what ROWLESS_TEST_EXAMPLES says."""
    return int(os.environ.get("ROWLESS_TEST_EXAMPLES", few))
