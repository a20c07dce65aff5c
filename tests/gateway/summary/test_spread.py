"""Bins, pairs and declared bounds: their rules by themselves, and over real files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType
from gateway.errors import QueryError
from gateway.project_rules import Thresholds
from gateway.summary.disclosure import among, bin_edges_of
from gateway.summary.measured import ColumnMeasured, NumberMeasured, PairMeasured, Tail
from gateway.summary.model import ColumnSummary, Histogram, Related
from gateway.summary.releases import MemoryReleases
from gateway.summary.rounding import bin_edges, round_mean
from gateway.summary.spread_rules import band, histogram, merged
from tests.gateway.summary.worlds import RULES, Row, World, digits, folder, summary_of, worlds, write

ENGINES = ["duckdb", "sqlite"]


def _facts(bins: tuple[int, ...], edges: tuple[float, ...]) -> NumberMeasured:
    tail = Tail(units=10, mean=1.0, p_ratio=5.0)
    return NumberMeasured(
        mean=1.0, std=1.0, zeros=0, unit_zeros=0, unit_positives=1, unit_negatives=0, unit_fractions=0,
        quantiles=(1.0,) * 5, low=tail, high=tail, p_ratio=9.0, top_two=0.1, spread_top=0.1, edges=edges, bins=bins,
    )  # fmt: skip


def _told(bins: tuple[int, ...], *, values: int | None = None, last: Histogram | None = None) -> Histogram | None:
    edges = tuple(float(i) for i in range(1, len(bins)))
    total = sum(bins) if values is None else values
    return histogram(_facts(bins, edges), values=total, scale=None, min_group=10, last=last)


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e9))
def test_edges_are_round_few_and_inside(low: float, width: float) -> None:
    edges = bin_edges(low, low + width)
    assert len(edges) <= 9
    assert list(edges) == sorted(set(edges))
    assert all(low - width * 1e-6 <= edge <= low + width * (1 + 1e-6) for edge in edges)


@given(
    lead=st.sampled_from([1, 2, 5]), tens=st.integers(-6, 9), other=st.sampled_from([0, 1, 2, 5]), sign=st.booleans()
)
def test_edges_between_released_ends_have_two_digits(lead: int, tens: int, other: int, sign: bool) -> None:
    """Ends are 1, 2 or 5 times a power of ten, so an edge says no more than they do."""
    high, low = lead * 10.0**tens, -other * 10.0 ** (tens - 1) if sign else 0.0
    assert all(digits(edge) <= 2 for edge in bin_edges(low, high))


@given(st.lists(st.integers(0, 60), min_size=2, max_size=10))
def test_merging_loses_nobody_and_leaves_no_small_bin(bins: list[int]) -> None:
    edges, counts = merged(tuple(range(1, len(bins))), tuple(bins), 10)
    assert sum(counts) == sum(bins)
    assert len(edges) == len(counts) - 1
    assert len(counts) == 1 or min(counts) >= 10
    for place, edge in enumerate(edges):
        assert sum(counts[: place + 1]) == sum(bins[: int(edge)]), "a bin is a run of the bins it was made of"


@pytest.mark.parametrize(
    ("bins", "told"),
    [
        ((100, 100, 100), (100, 100, 100)),
        ((60, 9, 20, 100), (60, 30, 100)),
        ((100, 0, 100, 100), (100, 100, 100)),
        ((100, 10, 100), (100, "few", 100)),
        ((100, 9, 100), None),
        ((1, 2, 3, 200), None),
        ((100, 100), None),
        ((), None),
    ],
    ids=["large", "nine merged", "an empty one merged", "ten shown as few", "two left", "one left", "two bins", "none"],
)
def test_bins_with_fewer_than_ten_are_merged(bins: tuple[int, ...], told: tuple[object, ...] | None) -> None:
    found = _told(bins)
    assert (found.counts if found else None) == told


def test_attack_bins_of_another_moment_are_not_told() -> None:
    """A row that came between the two statements would show as the difference of two exact counts."""
    assert _told((100, 100, 100)) is not None
    assert _told((100, 100, 100), values=301) is None
    assert _told((100, 100, 100), values=299) is None


def test_counts_stay_while_they_are_near() -> None:
    last = Histogram(edges=(1.0, 2.0), counts=(100, 400, 50))
    again = _told((120, 449, 55), last=last)
    assert again == last
    moved = _told((300, 460, 55), last=last)
    assert moved is not None
    assert moved.counts == (300, 450, 50)
    other = _told((300, 400, 55, 55), last=last)
    assert other is not None
    assert len(other.counts) == 4


def _pair(n: int, a: int, b: int, both: int) -> PairMeasured:
    return PairMeasured(left="x", right="y", rows=n, left_above=a, right_above=b, both_above=both)


@pytest.mark.parametrize(
    ("pair", "word"),
    [
        (_pair(200, 100, 100, 100), "strong"),
        (_pair(200, 100, 100, 0), "strong"),
        (_pair(200, 100, 100, 50), "none"),
        (_pair(200, 100, 100, 62), "medium"),
        (_pair(200, 100, 100, 56), "weak"),
        (_pair(99, 50, 50, 50), None),
        (_pair(200, 0, 100, 0), None),
        (_pair(200, 200, 100, 100), None),
    ],
    ids=["together", "against", "independent", "medium", "weak", "too few", "never above", "always above"],
)
def test_bands(pair: PairMeasured, word: str | None) -> None:
    assert band(pair, min_spread=100, last=None) == word


def test_a_band_is_kept_while_near() -> None:
    edge = _pair(2_000, 1_000, 1_000, 590)
    assert band(edge, min_spread=100, last=None) == "weak"
    assert band(edge, min_spread=100, last="medium") == "medium"
    assert band(edge, min_spread=100, last="strong") == "weak"


@given(st.integers(100, 400), st.data())
def test_one_row_moves_no_pair_by_more_than_its_share(n: int, data: st.DataObject) -> None:
    """However far out a row lies it says one of four things: phi moves by at most some 4 in n of the smaller group."""
    a, b = data.draw(st.integers(n // 4, n // 2)), data.draw(st.integers(n // 4, n // 2))
    both = data.draw(st.integers(max(0, a + b - n), min(a, b)))

    def phi(n: int, a: int, b: int, both: int) -> float:
        return (n * both - a * b) / math.sqrt(a * (n - a) * b * (n - b))

    moved = max(abs(phi(n + 1, a + i, b + j, both + i * j) - phi(n, a, b, both)) for i in (0, 1) for j in (0, 1))
    assert moved <= 8 / n


@pytest.mark.parametrize("engine", ENGINES)
def test_bins_and_pairs_of_real_rows(engine: str, tmp_path: Path) -> None:
    """Rows of one tenant: score follows amount; the other tenant's rows, ten times as many, change nothing."""
    rows: list[Row] = [("a", i, float(i % 500), i % 500 // 2, "open", "2020-01-01") for i in range(1_000)]
    rows += [("b", i, 1e6 - i, i, "open", "2020-01-01") for i in range(3_000)]
    table = summary_of(write(rows, engine, tmp_path)).tables[0]
    amount = table.column("amount")
    assert amount is not None
    assert amount.number is not None
    assert amount.number.histogram == Histogram(
        edges=(50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 450.0), counts=(100,) * 10
    )
    assert amount.related is not None
    assert Related(column="score", band="strong") in amount.related


@settings(max_examples=60, deadline=None)
@given(world=worlds(most=300))
def test_b1_bins_of_real_rows_hold_ten_or_are_not_there(world: World) -> None:
    """Counted again from the rows: every bin that is told has at least ten of them, and is rounded."""
    with folder() as path:
        column = summary_of(write(world.rows, "sqlite", path)).tables[0].column("amount")
    assert column is not None
    told = column.number.histogram if column.number else None
    if told is None:
        return
    values = [row[2] for row in world.of("a") if row[2] is not None]
    ends = (-math.inf, *told.edges, math.inf)
    for low, high, count in zip(ends, ends[1:], told.counts, strict=False):
        inside = sum(low < value <= high for value in values)
        assert inside >= 10
        assert count == "few" if inside < 15 else isinstance(count, int) and abs(count - inside) <= 0.5 * inside


@pytest.mark.parametrize("engine", ENGINES)
def test_declared_bounds_are_the_range(engine: str, tmp_path: Path) -> None:
    """The owner's word on what can be takes the place of what is, also where there are too few rows to say."""
    rules = RULES + "[source.tables.t.columns.amount]\nbounds = [0, 500]\n"
    for size in (20, 1_000):
        rows: list[Row] = [("a", i, float(i % 90), 1, "open", "2020-01-01") for i in range(size)]
        folder_of = tmp_path / str(size)
        folder_of.mkdir()
        amount = summary_of(write(rows, engine, folder_of), rules=rules).tables[0].column("amount")
        assert amount is not None
        assert amount.number is not None
        assert (amount.number.low, amount.number.high) == (0, 500)


def test_with_a_subject_column_there_are_no_bins_and_no_pairs(tmp_path: Path) -> None:
    rules = RULES.replace('"tenant"', '"tenant"\nsubject = "who"', 1)
    rows: list[Row] = [("a", i % 300, float(i % 500), i % 500, "open", "2020-01-01") for i in range(1_000)]
    amount = summary_of(write(rows, "duckdb", tmp_path), rules=rules).tables[0].column("amount")
    assert amount is not None
    assert amount.number is not None
    assert amount.number.histogram is None
    assert amount.related is None


def test_cannot_finish_the_second_statement_leaves_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **named: object) -> None:
        raise QueryError("no", stage="summarise")

    rows: list[Row] = [("a", i, float(i % 500), i % 500, "open", "2020-01-01") for i in range(1_000)]
    file = write(rows, "duckdb", tmp_path)
    whole = summary_of(file, releases=MemoryReleases()).tables[0].column("amount")
    monkeypatch.setattr("gateway.summary.sql_measurer.SqlMeasurer.spread", fails)
    amount = summary_of(file, releases=MemoryReleases()).tables[0].column("amount")
    assert amount is not None
    assert amount.number is not None
    assert whole is not None
    assert whole.number is not None
    assert amount.number == whole.number.model_copy(update={"histogram": None})


def test_attack_a_hidden_column_is_not_named_by_another() -> None:
    """Two scopes share a release; one may not see what the other's column moves with."""
    told = (Related(column="salary", band="strong"), Related(column="age", band="none"))
    column = ColumnSummary(name="grade", type=ColumnType.INTEGER, related=told)
    assert among(column, {"grade", "age"}).related == told[1:]
    assert among(column, {"grade"}).related is None
    assert among(column, {"grade", "age", "salary"}) is column


def test_no_edges_where_the_range_may_not_be_told() -> None:
    facts = _facts((), ())
    column = ColumnMeasured(
        name="c", type=ColumnType.NUMBER, values=99, nulls=0, unit_values=99, unit_nulls=0, number=facts
    )
    assert bin_edges_of(column, Thresholds()) == ()


@pytest.mark.parametrize(
    ("mean", "spread", "told"),
    [(0.000193, 0.29, 0.0), (0.0193, 0.29, 0.02), (37.31, 4.2, 37.0), (37.31, None, 37.0), (123456.0, 99.0, 120000.0)],
)
def test_a_mean_is_no_finer_than_its_spread(mean: float, spread: float | None, told: float) -> None:
    """A mean near zero times the number of rows is an exact sum: two of those would give a row away."""
    assert round_mean(mean, spread) == told
    assert round_mean(mean * 1.005, spread, told) == told
