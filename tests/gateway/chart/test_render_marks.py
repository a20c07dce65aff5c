"""Each mark draws what its spec asks for."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from gateway.chart.image import to_svg
from gateway.chart.render import render
from gateway.chart.render.data import NO_VALUES
from gateway.chart.spec import ChartSpec
from gateway.summary.model import ColumnSummary, Metric, Summary, TableSummary
from gateway.types import Cell, Chart, ResultColumn, ResultTable

SHOP = Summary(
    source="shop",
    currency="GBP",
    tables=(
        TableSummary(
            name="t",
            rows=100,
            columns=tuple(
                ColumnSummary.model_validate({"name": n, "type": k})
                for n, k in (("at", "datetime"), ("a", "text"), ("b", "text"), ("n", "number"))
            ),
        ),
    ),
    metrics=(Metric(name="aov", table="t", aggregate="avg", expression="t.n", format="currency"),),
)
COUNT: dict[str, Any] = {"aggregate": "count"}
AVG: dict[str, Any] = {"aggregate": "avg", "column": "t.n"}
A: dict[str, Any] = {"column": "t.a"}
MONTH: dict[str, Any] = {"column": "t.at", "grain": "month"}


def col(field: str, kind: str = "text", fmt: str = "text", grain: str = "") -> ResultColumn:
    role: Literal["measure", "series", "dimension"]
    role = "measure" if field[0] == "m" else "series" if field == "s" else "dimension"
    return ResultColumn(field=field, title=field, type=kind, role=role, format=fmt, grain=grain)  # type: ignore[arg-type]


NUM = ("number", "integer")


def draw(
    spec: dict[str, Any], columns: list[ResultColumn], rows: list[tuple[Cell, ...]], **options: Any
) -> dict[str, Any]:
    return dict(chart_of(spec, columns, rows, **options).vega_lite)


def chart_of(spec: dict[str, Any], columns: list[ResultColumn], rows: list[tuple[Cell, ...]], **options: Any) -> Chart:
    made = ChartSpec.model_validate({"mark": "bar", "table": "t", "measures": [COUNT]} | spec)
    result = ResultTable(columns=tuple(columns), rows=tuple(rows), truncated=options.pop("truncated", False))
    return render(made, result, summary=SHOP, sentence="A sentence", **options)


def test_a_heat_map_skips_a_measure_without_a_value() -> None:
    """A colour scale over nothing would have a legend that reads NaN (found by a generated case)."""
    spec = {"mark": "rect", "dimensions": [A], "series": A, "measures": [{"aggregate": "max", "column": "t.at"}, COUNT]}
    columns = [col("d1"), col("s"), col("m1", "date", "date"), col("m2", *NUM)]
    svg = to_svg(chart_of(spec, columns, [("x", "y", None, 0)]))
    assert ">NaN<" not in svg


def mark(chart: dict[str, Any]) -> str:
    return str(chart["mark"]["type"])


MONTHS: list[tuple[Cell, ...]] = [(f"2024-{m:02d}-01", m * 10) for m in range(1, 13)]
CATEGORIES: list[tuple[Cell, ...]] = [("x", 3), ("y", 1), ("z", 2)]


def test_few_short_categories_stand_and_many_or_long_ones_lie() -> None:
    upright = draw({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], CATEGORIES)
    assert upright["encoding"]["x"]["field"] == "d1"
    lying = draw(
        {"dimensions": [A]}, [col("d1"), col("m1", *NUM)], [(f"a long category name {i}", i) for i in range(8)]
    )
    assert lying["encoding"]["y"]["field"] == "d1"
    asked = draw({"dimensions": [A], "orientation": "horizontal"}, [col("d1"), col("m1", *NUM)], CATEGORIES)
    assert asked["encoding"]["y"]["field"] == "d1"


def test_categories_keep_the_order_of_the_rows() -> None:
    chart = draw({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], CATEGORIES)
    assert chart["encoding"]["x"]["sort"] == ["x", "y", "z"]


def test_parts_of_dates_are_in_their_own_order() -> None:
    chart = draw(
        {"dimensions": [{"column": "t.at", "part": "weekday"}]},
        [col("d1", "number", "integer"), col("m1", *NUM)],
        [(7, 1), (1, 2), (3, 3)],
    )
    assert chart["encoding"]["x"]["sort"] == ["Mon", "Wed", "Sun"]


def test_time_is_utc_of_the_wall_clock_so_that_no_browser_shifts_a_day() -> None:
    chart = draw({"mark": "line", "dimensions": [MONTH]}, [col("d1", "date", "date", "month"), col("m1", *NUM)], MONTHS)
    assert chart["encoding"]["x"]["scale"]["type"] == "utc"
    assert chart["data"]["values"][0]["d1"] == "2024-01-01T00:00:00Z"
    assert chart["data"]["values"][0]["d1_label"] == "Jan 2024"


def test_counts_stack_and_averages_stand_side_by_side() -> None:
    rows: list[tuple[Cell, ...]] = [(a, s, 5) for a in "xy" for s in "pq"]
    columns = [col("d1"), col("s"), col("m1", *NUM)]
    series = {"dimensions": [A], "series": {"column": "t.b"}}
    assert draw(series, columns, rows)["encoding"]["y"]["stack"] == "zero"
    averages = draw(series | {"measures": [AVG]}, columns, rows)
    assert averages["encoding"]["y"]["stack"] is None
    assert averages["encoding"]["xOffset"]["field"] == "s"
    metric = draw(series | {"measures": [{"metric": "aov"}]}, columns, rows)
    assert metric["encoding"]["y"]["stack"] is None
    assert draw(series | {"stack": "normalize"}, columns, rows)["encoding"]["y"]["stack"] == "normalize"


def test_currency_is_the_scope_s_own() -> None:
    chart = draw({"dimensions": [A]}, [col("d1"), col("m1", "number", "currency")], [("x", 20_000.0)])
    assert chart["encoding"]["y"]["axis"]["format"] == "$.3~s"
    assert chart["config"]["locale"]["number"]["currency"] == ["£", ""]
    assert "£20k" in to_svg(
        chart_of({"dimensions": [A]}, [col("d1"), col("m1", "number", "currency")], [("x", 20_000.0)])
    )


def test_a_group_without_a_value_is_no_bar_of_zero() -> None:
    chart = draw({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], [("x", None), ("y", 2)])
    assert [row["d1"] for row in chart["data"]["values"]] == ["y"]


def test_a_group_without_a_period_is_left_out_and_said() -> None:
    columns = [col("d1", "date", "date", "month"), col("m1", *NUM)]
    chart = chart_of({"mark": "line", "dimensions": [MONTH]}, columns, [*MONTHS, (None, 4)])
    assert "1 group without a value for “Month” not drawn." in chart.description
    assert len(chart.vega_lite["data"]["values"]) == 12  # type: ignore[index,call-overload]


def test_many_groups_are_cut_and_said() -> None:
    chart = chart_of({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], [(f"g{i}", i) for i in range(500)])
    assert "The first 60 of 500 groups are drawn" in chart.description
    assert len(chart.vega_lite["data"]["values"]) == 60  # type: ignore[index,call-overload]


def test_a_million_rows_are_not_a_million_marks() -> None:
    columns = [col("m1", *NUM), col("m2", *NUM)]
    rows: list[tuple[Cell, ...]] = [(i, i) for i in range(100_000)]
    chart = chart_of({"mark": "point", "measures": [COUNT, AVG]}, columns, rows)
    assert len(chart.vega_lite["data"]["values"]) == 10_000  # type: ignore[index,call-overload]
    assert "The first 10,000 of 100,000 rows are drawn" in chart.description


def test_a_cut_result_is_said() -> None:
    chart = chart_of({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], CATEGORIES, truncated=True)
    assert "more rows than the limit" in chart.description


def test_measures_that_only_feed_another_are_not_drawn() -> None:
    chart = draw(
        {"measures": [COUNT, {"derive": "share_of_total", "of": "m1"}], "dimensions": [A]},
        [col("d1"), col("m1", *NUM), col("m2", "number", "percent")],
        [("x", 3, 0.75), ("y", 1, 0.25)],
    )
    assert chart["encoding"]["y"]["field"] == "m2"


def test_measures_of_one_kind_share_a_picture_and_others_get_panels() -> None:
    columns = [col("d1"), col("m1", *NUM), col("m2", *NUM)]
    same = draw(
        {"measures": [COUNT, COUNT | {"column": "t.a"}], "dimensions": [A]}, columns, [("x", 3, 2), ("y", 4, 1)]
    )
    assert {row["measure"] for row in same["data"]["values"]} == {"Number of ts", "Number of ts with an a"}
    columns[2] = col("m2", "number", "currency")
    apart = draw({"measures": [COUNT, {"metric": "aov"}], "dimensions": [A]}, columns, [("x", 3, 2.5)])
    assert len(apart["vconcat"]) == 2


def test_two_axes_only_when_asked() -> None:
    columns = [col("d1"), col("m1", *NUM), col("m2", "number", "currency")]
    chart = draw(
        {"measures": [COUNT, {"metric": "aov"}], "dimensions": [A], "dual_axis": True}, columns, [("x", 3, 2.5)]
    )
    assert chart["resolve"] == {"scale": {"y": "independent"}}


def test_points_put_measures_against_each_other() -> None:
    columns = [col("d1"), col("m1", *NUM), col("m2", *NUM)]
    chart = draw({"mark": "point", "measures": [COUNT, AVG], "dimensions": [A]}, columns, [("x", 3, 2), ("y", 1, 5)])
    assert (chart["encoding"]["x"]["field"], chart["encoding"]["y"]["field"]) == ("m1", "m2")


def test_a_ring_of_negative_or_many_parts_is_bars() -> None:
    columns = [col("d1"), col("m1", *NUM)]
    assert "layer" in draw({"mark": "arc", "dimensions": [A]}, columns, CATEGORIES)
    assert mark(draw({"mark": "arc", "dimensions": [A]}, columns, [("x", -1), ("y", 2)])) == "bar"
    assert mark(draw({"mark": "arc", "dimensions": [A]}, columns, [(f"p{i}", 1) for i in range(20)])) == "bar"


def test_a_box_plot_reads_the_five_numbers() -> None:
    columns = [col("d1"), *(col(f"m1_{k}", "number", "number") for k in ("min", "q1", "median", "q3", "max"))]
    chart = draw({"mark": "boxplot", "measures": [AVG], "dimensions": [A]}, columns, [("x", 1, 2, 3, 4, 5)])
    whisker, box, median = (layer["encoding"] for layer in chart["layer"])
    assert (whisker["y"]["field"], whisker["y2"]["field"]) == ("m1_min", "m1_max")
    assert (box["y"]["field"], box["y2"]["field"]) == ("m1_q1", "m1_q3")
    assert median["y"]["field"] == "m1_median"


def test_a_histogram_has_touching_bins_of_their_width() -> None:
    columns = [col("d1", "number", "number", "bin"), col("m1", *NUM)]
    chart = draw(
        {"mark": "histogram", "measures": [], "dimensions": [{"column": "t.n"}]},
        columns,
        [(0.0, 5), (2.5, 3), (7.5, 1)],
    )
    assert [(row["d1"], row["upper"]) for row in chart["data"]["values"]] == [(0.0, 2.5), (2.5, 5.0), (7.5, 10.0)]
    assert chart["encoding"]["x"]["bin"] == "binned"


def test_an_empty_answer_says_so() -> None:
    columns = [col("d1"), col("m1", *NUM)]
    chart = chart_of({"dimensions": [A]}, columns, [])
    assert chart.description.endswith("No rows match.")
    assert "No rows match" in to_svg(chart)
    without_values = chart_of({"dimensions": [A]}, columns, [("x", None)])
    assert without_values.description.endswith(NO_VALUES)
    assert NO_VALUES in to_svg(without_values)


def test_the_description_says_what_and_how_much() -> None:
    chart = chart_of({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], CATEGORIES)
    assert chart.description == "Bar chart. A sentence. 3 rows of data."


def test_each_mark_is_spoken() -> None:
    """A screen reader hears the group and the number of every mark."""
    svg = to_svg(chart_of({"dimensions": [A]}, [col("d1"), col("m1", *NUM)], CATEGORIES))
    assert 'aria-label="A: x; Number of ts: 3"' in svg


@pytest.mark.parametrize("points", [(12.0, "12"), (0.12, "12%")], ids=["points", "share"])
def test_a_stored_percentage_is_not_scaled_by_guess(points: tuple[float, str]) -> None:
    value, text = points
    svg = to_svg(
        chart_of({"measures": [AVG], "dimensions": [A]}, [col("d1"), col("m1", "number", "percent")], [("x", value)])
    )
    assert f': {text}"' in svg
