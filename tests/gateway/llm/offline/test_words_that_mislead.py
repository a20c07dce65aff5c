"""Readings that were wrong once, by class of question: each is a case that a person found."""

from __future__ import annotations

from gateway.catalog import ColumnType
from gateway.chart.spec import Compare
from gateway.llm.offline.plan import plan_question
from gateway.summary.model import ColumnSummary, Label, Summary, TableSummary, TimeFacts

ORDERS = Summary(
    source="one",
    tables=(
        TableSummary(
            name="orders",
            rows=3000,
            columns=(
                ColumnSummary(name="id", type=ColumnType.INTEGER, semantic="key"),
                ColumnSummary(name="ordered_at", type=ColumnType.DATETIME, time=TimeFacts(grain="daily")),
                ColumnSummary(
                    name="status", type=ColumnType.TEXT, labels=(Label(text="shipped"), Label(text="returned"))
                ),
                ColumnSummary(name="channel", type=ColumnType.TEXT, semantic="category"),
                ColumnSummary(name="shipping_fee", type=ColumnType.NUMBER, semantic="currency"),
            ),
        ),
    ),
)


def test_a_label_before_its_table_is_a_filter_and_not_a_column_that_sounds_like_both() -> None:
    chart = plan_question(ORDERS, "shipped orders by channel").charts[0]
    assert chart.measures[0].aggregate == "count"
    assert isinstance(chart.filter, Compare)
    assert (chart.filter.column, chart.filter.value) == ("orders.status", "shipped")


def test_rows_of_the_only_table_are_counted_over_time() -> None:
    for question in ("number of rows by month", "count by month", "rows by month"):
        chart = plan_question(ORDERS, question).charts[0]
        assert chart.measures[0].aggregate == "count"
        assert (chart.dimensions[0].column, chart.dimensions[0].grain) == ("orders.ordered_at", "month")


def test_sorted_from_highest_to_lowest_is_descending() -> None:
    chart = plan_question(ORDERS, "average shipping fee by channel, sorted from highest to lowest").charts[0]
    assert [(sort.by, sort.order) for sort in chart.sort] == [("m1", "desc")]


def test_a_subject_that_is_not_there_is_still_missing() -> None:
    assert plan_question(ORDERS, "the weather by month").charts == ()
