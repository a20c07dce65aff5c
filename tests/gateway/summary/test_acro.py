"""One-way agreement with ACRO, the UK research environments' checker: what it fails, we suppress.

A mean is judged as a table of one cell; bins as a table of counts, cut from the rows at the edges that we told.
"""

from __future__ import annotations

import warnings

import acro
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.summary.worlds import Row, World, folder, summary_of, worlds, write

pytestmark = pytest.mark.slow
FAILED: list[bool] = []
BINS: list[bool] = []


def _verdict(cells: list[str], values: list[float] | None = None) -> str:
    """ACRO's status for a table with one row: a count of each cell, or the mean of the values in each."""
    rows = pandas.Series(["all"] * len(cells), name="g")
    columns = pandas.Series(cells, name="h")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = acro.ACRO(suppress=False)
        if values is None:
            session.crosstab(rows, columns)
        else:
            session.crosstab(rows, columns, values=pandas.Series(values, name="v"), aggfunc="mean")
        output = next(iter(session.results.results.values()))
    return str(output.status)


def _amounts(world: World) -> list[float]:
    return [row[2] for row in world.of("a") if row[2] is not None]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_b4_what_acro_fails_is_suppressed(world: World) -> None:
    values = _amounts(world)
    if not values:
        return
    failed = _verdict(["x"] * len(values), values) == "fail"
    FAILED.append(failed)
    if not failed:
        return
    with folder() as path:
        column = summary_of(write(world.rows, "duckdb", path)).tables[0].column("amount")
    assert column is not None
    assert column.number is not None
    assert column.number.mean is None
    assert column.number.std is None
    assert column.number.histogram is None or len(values) >= 100, "bins are counts, judged below"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(size=st.integers(95, 400), power=st.sampled_from([0.2, 1.0, 3.0, 9.0]), top=st.integers(3, 2_000))
def test_b4_acro_passes_the_bins_that_are_told(size: int, power: float, top: int) -> None:
    values = [float(round((i * 7919 % size / size) ** power * top, 1)) for i in range(size)]
    rows: list[Row] = [("a", i, value, 1, "open", "2020-01-01") for i, value in enumerate(values)]
    with folder() as path:
        column = summary_of(write(rows, "duckdb", path)).tables[0].column("amount")
    told = column.number.histogram if column is not None and column.number is not None else None
    BINS.append(told is not None)
    if told is not None:
        assert _verdict([str(sum(value > edge for edge in told.edges)) for value in values]) == "pass"


def test_b4_was_put_to_the_test() -> None:
    """ACRO said both; bins were told and withheld; and it fails a table of counts with a small cell."""
    assert {True, False} <= set(FAILED)
    assert {True, False} <= set(BINS)
    assert _verdict(["x"] * 50 + ["y"] * 9) == "fail"
