"""Both sides of every border of the rule table: each of these cases was a changed rule that no other test noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.catalog import ColumnType
from gateway.project_rules import Thresholds
from gateway.summary.disclosure import among, bin_edges_of, is_label, release_table, release_unmeasured
from gateway.summary.measured import ColumnMeasured, NumberMeasured, PairMeasured, TableMeasured, Tail
from gateway.summary.model import ColumnSummary, Related, TableSummary
from gateway.summary.rounding import bin_edges, round_count, round_digits, round_mean, round_share, snap_outward

LIMITS = Thresholds()
TAIL = Tail(units=10, mean=12.3, p_ratio=8.0)
NUMBER = NumberMeasured(
    mean=123.4, std=45.6, zeros=0, unit_zeros=0, unit_positives=1000, unit_negatives=0, unit_fractions=1000,
    quantiles=(10.0, 20.0, 50.0, 80.0, 90.0), low=TAIL, high=replace(TAIL, mean=987.0), p_ratio=50.0, top_two=0.02,
    spread_top=0.01,
)  # fmt: skip


def _column(k: int = 1000, nulls: int = 0, **facts: object) -> ColumnMeasured:
    base = {"name": "c", "type": ColumnType.NUMBER, "values": k, "nulls": nulls, "unit_values": k, "unit_nulls": nulls}
    return ColumnMeasured(**{**base, **facts})  # type: ignore[arg-type]


def _told(*columns: ColumnMeasured, pairs: tuple[PairMeasured, ...] = (), **more: object) -> TableSummary:
    rows = columns[0].values + columns[0].nulls
    facts = {"name": "t", "rows": rows, "units": rows, "sampled": None, "columns": columns, "pairs": pairs, **more}
    return release_table(TableMeasured(**facts), LIMITS).value  # type: ignore[arg-type]


def _numbers(k: int = 1000, **changes: object) -> dict[str, object]:
    column = _told(_column(k, number=replace(NUMBER, **changes))).columns[0]  # type: ignore[arg-type]
    assert column.number is not None
    return column.number.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("values", "nulls", "unit_values", "unit_nulls", "said"),
    [
        (970, 30, 970, 9, "0-5%"),
        (950, 50, 950, 9, "0-5%"),
        (940, 60, 940, 9, "unknown"),
        (30, 970, 9, 970, "95-100%"),
        (50, 950, 9, 950, "95-100%"),
        (14, 1, 14, 1, "unknown"),
        (15, 0, 9, 0, "unknown"),
        (15, 0, 10, 0, "0-5%"),
        (960, 40, 960, 40, "5%"),
    ],
)
def test_a_null_share_that_one_to_nine_units_decide(
    values: int, nulls: int, unit_values: int, unit_nulls: int, said: str
) -> None:
    """Rows and units part here: thirty rows of nine units are a small group."""
    column = _column(values, nulls, unit_values=unit_values, unit_nulls=unit_nulls)
    assert _told(column).columns[0].nulls == said


@pytest.mark.parametrize(
    ("k", "distinct", "said"), [(30, 5, "few"), (1000, 900, 900), (1000, 989, 1000), (1000, 990, "unique")]
)
def test_distinct_counts_at_their_borders(k: int, distinct: int, said: object) -> None:
    assert _told(_column(k, distinct=distinct)).columns[0].distinct == said


@pytest.mark.parametrize(
    ("quantiles", "skew"),
    [
        ((0.0, 10.0, 20.0, 60.0, 100.0), "right"),
        ((0.0, 40.0, 80.0, 90.0, 100.0), "left"),
        ((0.0, 20.0, 50.0, 80.0, 100.0), "none"),
        ((7.0, 7.0, 7.0, 7.0, 7.0), None),
    ],
)
def test_skew_is_of_released_quantiles(quantiles: tuple[float, ...], skew: str | None) -> None:
    assert _numbers(quantiles=quantiles).get("skew") == skew


@pytest.mark.parametrize(
    ("positives", "negatives", "zeros", "told"),
    [(12, 5, 983, True), (5, 4, 991, False), (5, 5, 990, True), (1000, 0, 0, True), (991, 0, 9, False)],
)
def test_a_share_of_zeros_needs_ten_units_on_each_side(positives: int, negatives: int, zeros: int, told: bool) -> None:
    said = _numbers(unit_positives=positives, unit_negatives=negatives, unit_zeros=zeros, zeros=zeros)
    assert ("zeros" in said) is told


@pytest.mark.parametrize(
    ("top", "told"), [(0.0, False), (-0.1, False), (0.01, True), (0.425, True), (0.43, False), (0.9, False)]
)
def test_a_deviation_that_one_row_makes_is_not_told(top: float, told: bool) -> None:
    assert ("std" in _numbers(spread_top=top)) is told


@pytest.mark.parametrize(("ratio", "told"), [(0.1, True), (0.0999, False), (None, True)])
def test_an_end_passes_the_p_percent_rule_at_exactly_its_border(ratio: float | None, told: bool) -> None:
    """None is ten units that are all zero: nobody's contribution."""
    assert ("high" in _numbers(high=Tail(units=10, mean=987.0, p_ratio=ratio))) is told


@pytest.mark.parametrize(("mean", "high"), [(206.0, 500.0), (200.4, 200.0), (500.0, 500.0), (-206.0, -200.0)])
def test_an_end_is_two_digits_before_it_is_snapped(mean: float, high: float) -> None:
    assert _numbers(high=replace(TAIL, mean=mean))["high"] == high


@pytest.mark.parametrize("fact", ["p_ratio", "top_two"])
def test_a_mean_is_told_at_exactly_the_border_of_dominance(fact: str) -> None:
    border, beyond = {"p_ratio": (0.1, 0.0995), "top_two": (0.85, 0.8505)}[fact]
    assert "mean" in _numbers(**{fact: border})
    assert "mean" not in _numbers(**{fact: beyond})


def _labels(units: dict[str, tuple[int, int]], k: int = 1000, distinct: int = 20) -> list[str]:
    column = _told(_column(k, type=ColumnType.TEXT, label_units=units, distinct=distinct)).columns[0]
    return [label.text for label in column.labels or ()]


def test_labels_at_their_borders() -> None:
    """Ten units and one percent; fifty labels; thirty values; one in five distinct."""
    assert _labels({"open": (10, 10), "rare": (9, 500), "thin": (10, 9)}) == ["open"]
    assert _labels({"open": (15, 15)}) == ["open"]
    many = {f"label {'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}": (10, 15) for i in range(51)}
    assert len(_labels(dict(list(many.items())[:50]))) == 50
    assert _labels(many) == []
    assert _labels({"open": (30, 30)}, k=30, distinct=1) == ["open"]
    assert _labels({"open": (29, 29)}, k=29, distinct=1) == []
    assert _labels({"open": (30, 30)}, distinct=200) == ["open"]
    assert _labels({"open": (30, 30)}, distinct=201) == []


@pytest.mark.parametrize("text", ["\ufb01ne", "fi\u200bne", "\uff4fpen", "a\u202eb", "tab\tname"])
def test_attack_a_label_in_disguise_is_none(text: str) -> None:
    """Ligatures, full width, zero width, directions: what a reader and a pattern would see as different texts."""
    assert not is_label(text)


def test_bins_lie_between_told_ends_only() -> None:
    assert bin_edges_of(_column(100, number=NUMBER), LIMITS) != ()
    assert bin_edges_of(_column(99, number=NUMBER), LIMITS) == ()
    assert bin_edges_of(_column(), LIMITS) == ()
    for end in ("low", "high"):
        hidden = replace(NUMBER, **{end: Tail(units=9, mean=1.0, p_ratio=8.0)})  # type: ignore[arg-type]
        assert bin_edges_of(_column(number=hidden), LIMITS) == ()


def test_a_correlation_is_told_at_its_left_column_alone_and_hidden_with_its_right_one() -> None:
    pair = PairMeasured(left="a", right="b", rows=1000, left_above=500, right_above=500, both_above=500)
    low = PairMeasured(left="a", right="c", rows=99, left_above=50, right_above=50, both_above=50)
    columns = tuple(_column(name=name, number=NUMBER) for name in "abc")
    table = _told(*columns, pairs=(pair, low))
    assert [c.related for c in table.columns] == [(Related(column="b", band="strong"),), None, None]
    left = table.columns[0]
    assert among(left, {"a", "b"}) == left
    assert among(left, {"a"}).related is None
    two = left.model_copy(update={"related": (*(left.related or ()), Related(column="c", band="weak"))})
    assert among(two, {"a", "c"}).related == (Related(column="c", band="weak"),)
    assert among(table.columns[1], set()) == table.columns[1]


def test_a_table_that_could_not_be_read_tells_names_and_types() -> None:
    told = release_unmeasured("t", {"a": ColumnType.TEXT}).value
    assert told == TableSummary(name="t", rows="few", columns=(ColumnSummary(name="a", type=ColumnType.TEXT),))


@pytest.mark.parametrize(
    ("value", "spread", "previous", "said"),
    [
        (123.4, None, None, 120.0), (123.4, 0.0, None, 120.0), (0.1234, 45.0, None, 0.0), (1.6, 45.0, None, 2.0),
        (3.4, 45.0, None, 3.0), (-123.4, 10.0, None, -120.0), (0.0, None, None, 0.0), (0.0, 45.0, None, 0.0),
        (130.0, None, 120.0, 120.0), (131.0, None, 120.0, 130.0), (3.0, 45.0, 2.0, 2.0), (3.1, 45.0, 2.0, 3.0),
    ],
)  # fmt: skip
def test_a_mean_is_rounded_by_its_digits_or_its_spread(
    value: float, spread: float | None, previous: float | None, said: float
) -> None:
    """A standard deviation of 45 makes steps of 1; a release is kept within a whole step."""
    assert round_mean(value, spread, previous) == said


@pytest.mark.parametrize(
    ("value", "up", "previous", "said"),
    [
        (900.0, True, 0.0, 1000.0), (319.0, True, 200.0, 200.0), (321.0, True, 200.0, 500.0),
        (63.0, True, 200.0, 200.0), (62.0, True, 200.0, 100.0), (130.0, True, 500.0, 500.0),
        (124.0, True, 500.0, 200.0),
        (799.0, False, 200.0, 200.0), (801.0, False, 200.0, 500.0), (126.0, False, 200.0, 200.0),
        (124.0, False, 200.0, 100.0), (319.0, False, 100.0, 100.0), (321.0, False, 100.0, 200.0),
        (1_599.0, False, 500.0, 500.0), (1_601.0, False, 500.0, 1000.0), (-63.0, False, -200.0, -200.0),
        (-62.0, False, -200.0, -100.0), (-799.0, True, -200.0, -200.0), (-801.0, True, -200.0, -500.0),
        (float("inf"), True, None, 0.0), (float("nan"), True, 5.0, 0.0),
    ],
)  # fmt: skip
def test_an_end_is_kept_within_half_a_cell_on_a_log_scale(
    value: float, up: bool, previous: float | None, said: float
) -> None:
    """A high end of 200 stands for (100, 200]; it is kept from 62.5 to 320. A low end of 200 stands for [200, 500)."""
    assert snap_outward(value, up=up, previous=previous) == said


def test_kept_values_at_exactly_a_cell() -> None:
    assert round_count(5_100, 5_000) == 5_000
    assert round_count(5_101, 5_000) == 5_100
    assert round_digits(130.0, 2, 120.0) == 120
    assert round_digits(131.0, 2, 120.0) == 130
    assert round_digits(float("inf")) == 0
    assert round_share(0.25, 0.2) == 0.2
    assert round_share(0.26, 0.2) == 0.25
    assert round_share(0.15, 0.2) == 0.2


@pytest.mark.parametrize(
    ("low", "high", "edges"),
    [
        (0, 10, (1, 2, 3, 4, 5, 6, 7, 8, 9)), (0, 100, (10, 20, 30, 40, 50, 60, 70, 80, 90)), (5, 5, ()), (6, 5, ()),
        (0, 11, (2, 4, 6, 8, 10)), (-5, 5, (-4, -3, -2, -1, 0, 1, 2, 3, 4)), (0, 21, (5, 10, 15, 20)),
    ],
)  # fmt: skip
def test_bins_are_at_most_ten_of_one_two_or_five(low: float, high: float, edges: tuple[float, ...]) -> None:
    assert bin_edges(low, high) == edges
