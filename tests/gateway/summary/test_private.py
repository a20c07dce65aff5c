"""Differential privacy as an option: what is told, by whose noise, at what cost, until when."""

from __future__ import annotations

import builtins
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gateway.catalog import ColumnType
from gateway.errors import ConfigError
from gateway.project import Project
from gateway.project_rules import PrivacyRules, Thresholds
from gateway.summary.gate import Gate
from gateway.summary.measured import GRID, ColumnMeasured, NumberMeasured, TableMeasured, Tail
from gateway.summary.private import laplace, noised, parts_of
from gateway.summary.releases import MemoryReleases
from tests.gateway.summary.worlds import ENGINES, RULES, Row, summary_of, write

RULE = PrivacyRules(epsilon=1.0, budget=2.5)
PRIVATE = "[source.privacy]\nepsilon = 5.0\nbudget = 10.0\n"
BOUNDS = "[source.tables.t.columns.amount]\nbounds = [0, 200]\n"
TAIL = Tail(units=10, mean=1.0, p_ratio=5.0)


def _table(units: int = 1_000, nulls: int = 100) -> TableMeasured:
    number = NumberMeasured(
        mean=1.0, std=1.0, zeros=0, unit_zeros=0, unit_positives=units, unit_negatives=0, unit_fractions=0,
        quantiles=(1.0,) * 5, low=TAIL, high=TAIL, p_ratio=9.0, top_two=0.1, spread_top=0.1,
        grid_sum=(units - nulls) * 500,
    )  # fmt: skip
    column = ColumnMeasured(
        name="c", type=ColumnType.NUMBER, values=units - nulls, nulls=nulls, unit_values=units - nulls,
        unit_nulls=nulls, distinct=77, number=number, label_units={"open": (400, 400)},
        bounds=(0.0, 100.0),
    )  # fmt: skip
    return TableMeasured(name="t", rows=units, units=units, sampled=None, columns=(column,))


def test_every_number_is_noised_on_its_part_of_epsilon_and_sensitivity() -> None:
    asked: list[tuple[int, float, int]] = []

    def noise(count: int, epsilon: float, sensitivity: int) -> int:
        asked.append((count, epsilon, sensitivity))
        return count

    table = noised(_table(), RULE, noise=noise)
    assert [(count, sensitivity) for count, _, sensitivity in asked] == [
        (1_000, 1), (100, 1), (400, 1), (450_000, GRID),
    ]  # fmt: skip
    assert math.fsum(epsilon for _, epsilon, _ in asked) == pytest.approx(RULE.epsilon)
    assert parts_of(_table()) == len(asked)
    column = table.columns[0]
    assert column.private_mean == pytest.approx(50.0)
    assert column.number is None
    assert column.distinct is None


def test_the_noise_is_opendps_and_of_the_right_scale() -> None:
    """Laplace noise of scale b has a mean absolute deviation of b: here 1 / 0.5 = 2 (discrete: a little less)."""
    drawn = [laplace(100, 0.5, 1) - 100 for _ in range(4_000)]
    assert statistics.fmean(map(abs, drawn)) == pytest.approx(2.0, rel=0.12)
    assert abs(statistics.fmean(drawn)) < 0.25


def test_attack_neighbours_are_told_apart_no_better_than_epsilon_allows() -> None:
    """For every output, the two tables' frequencies differ by at most e^epsilon (with 4 sigma of chance)."""
    runs, epsilon = 20_000, 1.0
    one = [laplace(50, epsilon, 1) for _ in range(runs)]
    two = [laplace(51, epsilon, 1) for _ in range(runs)]
    for told in range(47, 55):
        a, b = one.count(told), two.count(told)
        assert a <= math.exp(epsilon) * b + 4 * math.sqrt(a + math.exp(2 * epsilon) * b)
        assert b <= math.exp(epsilon) * a + 4 * math.sqrt(b + math.exp(2 * epsilon) * a)


def test_the_ledger_ends_at_the_budget_and_rows_do_not_open_the_gate() -> None:
    releases, now = MemoryReleases(), [0.0]

    def gate() -> Gate:
        return Gate(releases, lambda _: "s", Thresholds(), privacy=RULE, clock=lambda: now[0])

    def release(units: int) -> object:
        return gate().release(_table(units), subject=None, columns={"c": "1"}).value

    first = release(1_000)
    assert release(50_000) == first, "no data opens the gate within the day"
    now[0] += 25 * 3600
    second = release(1_000)
    held = gate().held("t")
    assert held is not None
    assert held.spent == 2.0
    assert held.units == 0, "the exact count is not kept"
    now[0] += 25 * 3600
    assert release(90_000) == second, "the budget is spent: the last release for good"
    other = gate().release(_table(), subject="who", columns={"c": "1"}).value
    assert other.rows == "few", "and nothing new under other rules"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_private_summary_says_less_and_is_near_the_truth(engine: str, tmp_path: Path) -> None:
    rows: list[Row] = [("a", i, None if i % 10 == 0 else float(i % 101), 1, "open", "2020-01-01") for i in range(2_000)]
    rows.append(("a", 1, 1e9, 1, "open", "2020-01-01"))
    table = summary_of(write(rows, engine, tmp_path), rules=RULES + BOUNDS + PRIVATE).tables[0]
    amount = table.column("amount")
    assert amount is not None
    assert table.rows == pytest.approx(2_000, rel=0.06)
    assert amount.nulls in ("5%", "10%", "15%")
    assert amount.number is not None
    assert set(amount.number.model_dump(exclude_none=True)) == {"low", "high", "mean"}
    assert amount.number.mean == pytest.approx(50, rel=0.15)
    assert {column.distinct for column in table.columns} == {"unknown"}
    assert all(column.time is None and column.text is None for column in table.columns)


def test_with_subjects_no_mean_is_told(tmp_path: Path) -> None:
    """A subject's rows are not bounded, so neither is the noise a mean would need."""
    rows: list[Row] = [("a", i % 300, float(i % 101), 1, "open", "2020-01-01") for i in range(2_000)]
    rules = RULES.replace('"tenant"', '"tenant"\nsubject = "who"', 1) + BOUNDS + PRIVATE
    amount = summary_of(write(rows, "duckdb", tmp_path), rules=rules).tables[0].column("amount")
    assert amount is not None
    assert amount.number is not None
    assert set(amount.number.model_dump(exclude_none=True)) == {"low", "high"}, "the owner's bounds are no statistic"


def test_cannot_finish_without_opendp(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(
        name: str, globals_: Mapping[str, object] | None = None, locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (), level: int = 0,
    ) -> object:  # fmt: skip
        if name.startswith("opendp"):
            raise ImportError
        return real(name, globals_, locals_, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match="private"):
        laplace(1, 1.0, 1)


@pytest.mark.parametrize("text", ["epsilon = 0\nbudget = 1", "epsilon = 1", "epsilon = 11\nbudget = 20"])
def test_privacy_needs_an_epsilon_and_a_budget(text: str) -> None:
    with pytest.raises(ConfigError, match="privacy"):
        Project.parse(f'[[source]]\nname = "s"\npath = "x"\n[source.privacy]\n{text}')
