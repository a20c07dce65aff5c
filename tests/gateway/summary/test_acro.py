"""One-way agreement with ACRO, the UK research environments' checker: what it fails, we suppress.

Runs where `acro` is installed (it brings pandas and statsmodels, so it is no dependency of the project):
``python -m venv v && v/bin/pip install -e '.[dev]' acro==1.0.2 && v/bin/pytest tests/gateway/summary/test_acro.py``
"""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from tests.gateway.summary.worlds import World, folder, summary_of, worlds, write

acro = pytest.importorskip("acro", reason="acro is not installed")
pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.slow
FAILED: list[bool] = []


def _verdict(values: list[float]) -> str:
    """ACRO's status for the mean of these values as a table of one cell."""
    frame = pandas.DataFrame({"g": ["all"] * len(values), "h": ["x"] * len(values), "v": values})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = acro.ACRO(suppress=False)
        session.crosstab(frame["g"], frame["h"], values=frame["v"], aggfunc="mean")
        output = next(iter(session.results.results.values()))
    return str(output.status)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_b4_what_acro_fails_is_suppressed(world: World) -> None:
    values = [row[2] for row in world.of("a") if row[2] is not None]
    if not values:
        return
    failed = _verdict(values) == "fail"
    FAILED.append(failed)
    if not failed:
        return
    with folder() as path:
        column = summary_of(write(world.rows, "duckdb", path)).tables[0].column("amount")
    assert column is not None
    assert column.number is not None
    assert column.number.mean is None
    assert column.number.std is None


def test_b4_acro_failed_some_and_passed_some() -> None:
    """The agreement was put to the test: ACRO said both."""
    assert {True, False} <= set(FAILED)
