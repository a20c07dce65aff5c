"""The reader's sentence says every part of a spec, in plain English."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway.chart.sentence import describe
from gateway.chart.spec import ChartSpec
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary


def _table(name: str, /, **columns: str) -> TableSummary:
    made = tuple(ColumnSummary.model_validate({"name": c, "type": t}) for c, t in columns.items())
    return TableSummary(name=name, rows=1000, primary_key=("id",), columns=made)


def _link(table: str, column: str, parent: str) -> Link:
    return Link(table=table, columns=(column,), parent=parent, parent_columns=("id",))


SHOP = Summary(
    source="shop",
    currency="EUR",
    tables=(
        _table("orders", id="integer", customer_id="integer", ordered_at="datetime", status="text",
               discount="number", is_gift="boolean"),
        _table("order_items", id="integer", order_id="integer", quantity="integer", unit_price="number"),
        _table("customers", id="integer", name="text", country="text", region="text", signed_up_on="date"),
        _table("subscriptions", id="integer", customer_id="integer", plan="text", started_on="date",
               cancelled_on="date", seats="integer"),
    ),
    links=(
        _link("orders", "customer_id", "customers"), _link("order_items", "order_id", "orders"),
        _link("subscriptions", "customer_id", "customers"),
    ),
    metrics=(Metric(name="average_order_value", table="orders", aggregate="avg", expression="orders.discount"),),
)  # fmt: skip

COUNT: dict[str, Any] = {"aggregate": "count"}
MONTH: dict[str, Any] = {"column": "orders.ordered_at", "grain": "month"}
COUNTRY: dict[str, Any] = {"column": "customers.country"}


def during(column: str, **period: Any) -> dict[str, Any]:
    return {"op": "during", "column": column, "period": period}


def orders(**parts: Any) -> dict[str, Any]:
    return {"mark": "bar", "table": "orders", "measures": [COUNT]} | parts


def subs(**parts: Any) -> dict[str, Any]:
    return orders(table="subscriptions") | parts


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "the design's example": (
        orders(measures=[{"metric": "average_order_value"}], dimensions=[MONTH], filter={"op": "and", "filters": [
            during("orders.ordered_at", kind="calendar", year=2024),
            {"op": "eq", "column": "customers.region", "value": "EU"}]}),
        "Average order value by month, 2024, only customers with region “EU”",
    ),
    "count": (orders(dimensions=[COUNTRY]), "Number of orders by customer country"),
    "count of a column": (orders(measures=[COUNT | {"column": "orders.status"}]), "Number of orders with a status"),
    "count of the key": (orders(measures=[COUNT | {"column": "orders.id"}]), "Number of orders"),
    "distinct by foreign key": (
        orders(measures=[{"aggregate": "count_distinct", "column": "orders.customer_id"}]),
        "Number of different customers",
    ),
    "distinct text": (
        orders(measures=[{"aggregate": "count_distinct", "column": "customers.country"}]),
        "Number of different customer countries",
    ),
    "sum": (orders(measures=[{"aggregate": "sum", "column": "order_items.quantity"}]), "Total order item quantity"),
    "avg": (orders(measures=[{"aggregate": "avg", "column": "orders.discount"}]), "Average discount"),
    "avg of a boolean": (
        orders(measures=[{"aggregate": "avg", "column": "orders.is_gift"}]), "Share of orders with gift"),
    "median": (orders(measures=[{"aggregate": "median", "column": "orders.discount"}]), "Median discount"),
    "min": (orders(measures=[{"aggregate": "min", "column": "orders.discount"}]), "Lowest discount"),
    "max of a date": (orders(measures=[{"aggregate": "max", "column": "orders.ordered_at"}]), "Latest date ordered"),
    "stddev": (
        orders(measures=[{"aggregate": "stddev", "column": "orders.discount"}]), "Standard deviation of discount"),
    "percentile": (
        orders(measures=[{"aggregate": "percentile", "column": "orders.discount", "percentile": 90}]),
        "90th percentile of discount",
    ),
    "two measures": (
        orders(measures=[COUNT, {"metric": "average_order_value"}], dimensions=[MONTH], dual_axis=True),
        "Number of orders and average order value by month, on two axes",
    ),
    "ratio of filtered to all": (
        subs(measures=[COUNT | {"filter": {"op": "not_null", "column": "subscriptions.cancelled_on"}}, COUNT,
                       {"derive": "ratio", "of": "m1", "by": "m2"}]),
        "Share of subscriptions (only where cancelled at some time)",
    ),
    "ratio to a count": (
        orders(measures=[{"metric": "average_order_value"}, COUNT, {"derive": "ratio", "of": "m1", "by": "m2"}]),
        "Average order value per order",
    ),
    "ratio of two": (
        orders(measures=[COUNT | {"filter": {"op": "eq", "column": "orders.is_gift", "value": True}},
                         {"aggregate": "sum", "column": "orders.discount"},
                         {"derive": "ratio", "of": "m1", "by": "m2"}]),
        "Ratio of number of orders to total discount (the first only where gift is yes)",
    ),
    "share of total": (
        orders(measures=[COUNT, {"derive": "share_of_total", "of": "m1"}], dimensions=[COUNTRY]),
        "Share of total number of orders by customer country",
    ),
    "running total": (
        orders(measures=[COUNT, {"derive": "running_total", "of": "m1"}], dimensions=[MONTH]),
        "Running total of number of orders by month",
    ),
    "moving average": (
        orders(measures=[COUNT, {"derive": "moving_average", "of": "m1", "window": 7}], dimensions=[MONTH]),
        "7-month moving average of number of orders by month",
    ),
    "change": (
        orders(measures=[COUNT, {"derive": "change_percent", "of": "m1"}], dimensions=[MONTH]),
        "Percentage change in number of orders against the previous month by month",
    ),
    "one of several dates": (
        subs(dimensions=[{"column": "subscriptions.cancelled_on", "grain": "month"}]),
        "Number of subscriptions by month cancelled",
    ),
    "a date elsewhere": (
        orders(dimensions=[{"column": "customers.signed_up_on", "grain": "year"}]),
        "Number of orders by year the customer signed up",
    ),
    "a date of the parent": (
        {"mark": "line", "table": "order_items", "measures": [COUNT], "dimensions": [MONTH],
         "filter": during("orders.ordered_at", kind="calendar", year=2024)},
        "Number of order items by month of order, in 2024",
    ),
    "a part of a date": (
        orders(mark="rect", dimensions=[{"column": "orders.ordered_at", "part": "weekday"},
                                        {"column": "orders.ordered_at", "part": "hour_of_day"}]),
        "Number of orders by weekday and hour of the day",
    ),
    "bins by width": (
        orders(dimensions=[{"column": "orders.discount", "bin": {"width": 0.05}}]),
        "Number of orders by discount in bins of 0.05",
    ),
    "histogram": (
        orders(mark="histogram", measures=[], dimensions=[{"column": "orders.discount", "bin": {"count": 20}}]),
        "Distribution of discount in up to 20 bins",
    ),
    "box plot": (
        orders(mark="boxplot", measures=[{"aggregate": "avg", "column": "orders.discount"}], dimensions=[COUNTRY]),
        "Spread of discount by customer country",
    ),
    "points of groups": (
        orders(mark="point", measures=[COUNT, {"metric": "average_order_value"}], dimensions=[COUNTRY]),
        "Number of orders against average order value by customer country",
    ),
    "points of rows": (
        orders(mark="point", table="order_items", measures=[], dimensions=[
            {"column": "order_items.unit_price"}, {"column": "order_items.quantity"}]),
        "Unit price against quantity of order items, a point for each",
    ),
    "list": (
        orders(mark="table", measures=[], dimensions=[{"column": "orders.id"}, {"column": "customers.name"}], limit=20,
               sort=[{"by": "d2", "order": "desc"}]),
        "Orders: ID and customer name, in reverse order of customer name, first 20 rows",
    ),
    "series": (
        orders(dimensions=[MONTH], series={"column": "orders.status"}, stack="normalize"),
        "Number of orders by month, split by status, as shares of 100%",
    ),
    "by way of": (
        orders(dimensions=[{"column": "customers.country", "via": ["orders.customer_id"]}]),
        "Number of orders by customer country (by way of customer ID)",
    ),
    "comparisons on one table": (
        orders(filter={"op": "and", "filters": [
            {"op": "gt", "column": "orders.discount", "value": 0.1},
            {"op": "ne", "column": "orders.status", "value": "cancelled"},
            {"op": "eq", "column": "orders.is_gift", "value": False}]}),
        "Number of orders, only orders with discount over 0.1, with status other than “cancelled” and with gift: no",
    ),
    "lists": (
        orders(filter={"op": "in", "column": "orders.status", "values": ["paid", "shipped", 3]}),
        "Number of orders, only orders with status “paid”, “shipped” or 3",
    ),
    "not in": (
        orders(filter={"op": "not_in", "column": "orders.status", "values": ["paid"]}),
        "Number of orders, only orders with status other than “paid”",
    ),
    "between dates": (
        orders(filter={"op": "between", "column": "orders.ordered_at", "low": "2024-01-01", "high": "2024-03-31"}),
        "Number of orders, only orders ordered from 1 January 2024 to 31 March 2024",
    ),
    "text": (
        orders(filter={"op": "starts_with", "column": "customers.name", "value": "A"}),
        "Number of orders, only customers with name starting with “A”",
    ),
    "nulls": (
        subs(filter={"op": "and", "filters": [{"op": "is_null", "column": "subscriptions.cancelled_on"},
                                              {"op": "is_null", "column": "subscriptions.plan"}]}),
        "Number of subscriptions, only subscriptions not cancelled and with no plan",
    ),
    "or": (
        orders(filter={"op": "or", "filters": [
            {"op": "eq", "column": "orders.status", "value": "paid"},
            {"op": "contains", "column": "customers.name", "value": "x"}]}),
        "Number of orders, only where status is “paid” or customer name contains “x”",
    ),
    "not": (
        orders(filter={"op": "not", "filter": {"op": "eq", "column": "orders.status", "value": "paid"}}),
        "Number of orders, only where not (status is “paid”)",
    ),
    "exists": (
        {"mark": "text", "table": "customers", "measures": [COUNT], "filter": {
            "op": "not_exists", "table": "orders",
            "filter": during("orders.ordered_at", kind="past", unit="day", n=90)}},
        "Number of customers, only customers without any order where ordered in the past 90 days, up to now",
    ),
    "having": (
        orders(dimensions=[COUNTRY], having=[{"measure": "m1", "op": "ge", "value": 10}]),
        "Number of orders by customer country, only where number of orders is at least 10",
    ),
    "top with other": (
        orders(dimensions=[COUNTRY], top={"n": 5, "other": True}),
        "Number of orders by customer country, top 5 by number of orders, the rest as “Other”",
    ),
    "bottom": (
        orders(dimensions=[COUNTRY], top={"n": 3, "order": "asc"}, sort=[{"by": "m1", "order": "asc"}]),
        "Number of orders by customer country, bottom 3 by number of orders, lowest first",
    ),
    "latest first": (
        orders(dimensions=[MONTH], sort=[{"by": "d1", "order": "desc"}]), "Number of orders by month, latest first"),
    "time forward needs no word": (
        orders(dimensions=[MONTH], sort=[{"by": "d1", "order": "asc"}]), "Number of orders by month"),
    "last": (
        orders(filter=during("orders.ordered_at", kind="last", unit="month", n=3)),
        "Number of orders, in the last 3 full months",
    ),
    "yesterday": (
        orders(filter=during("orders.ordered_at", kind="last", unit="day", n=1)), "Number of orders, yesterday"),
    "this": (
        orders(filter=during("orders.ordered_at", kind="this", unit="year")), "Number of orders, this year so far"),
    "quarter": (
        orders(filter=during("orders.ordered_at", kind="calendar", year=2024, quarter=2)),
        "Number of orders, Q2 2024",
    ),
    "day of another date": (
        subs(filter=during("subscriptions.started_on", kind="calendar", year=2024, month=3, day=5)),
        "Number of subscriptions, started on 5 March 2024",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_sentence_of_each_construct(name: str) -> None:
    spec, expected = CASES[name]
    assert describe(ChartSpec.model_validate(spec), SHOP) == expected


def test_bound_words_are_shown_and_unbound_ones_are_not_guessed() -> None:
    spec = ChartSpec.model_validate(
        orders(filter={"op": "eq", "column": "customers.name", "value": {"placeholder": "v1"}})
    )
    assert describe(spec, SHOP).endswith("with name ⟨v1⟩")
    assert describe(spec, SHOP, bindings={"v1": "Acme Corp"}).endswith("with name “Acme Corp”")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a\nb\tc", "“a b c”"),
        ("pay\u202egnp.exe", "“paygnp.exe”"),
        ("zero\u200bwidth\x1b[31m", "“zerowidth[31m”"),
        ("x" * 500, "“" + "x" * 59 + "…”"),
    ],
    ids=["newline", "bidi", "invisible and escape", "long"],
)
def test_bound_words_cannot_hide_or_turn_text(words: str, shown: str) -> None:
    """A value is one visible line of at most sixty characters."""
    spec = ChartSpec.model_validate(
        orders(filter={"op": "eq", "column": "orders.status", "value": {"placeholder": "v1"}})
    )
    assert describe(spec, SHOP, bindings={"v1": words}).endswith(f"status {shown}")


def test_a_spec_that_does_not_fit_is_still_described() -> None:
    """References to measures that are not there, in a circle or to unknown columns end in words, not in an error."""
    spec = ChartSpec.model_validate(
        orders(
            measures=[{"derive": "ratio", "of": "m2", "by": "m9"}, {"derive": "change", "of": "m1"}],
            dimensions=[{"column": "ghosts.boo"}],
            sort=[{"by": "d7"}],
            having=[{"measure": "m8", "op": "gt", "value": 1}],
            top={"n": 1, "of": "s", "by": "m7"},
        )
    )
    assert "ghost boo" in describe(spec, SHOP)


FULL: dict[str, Any] = {
    "mark": "bar",
    "table": "subscriptions",
    "measures": [
        {"aggregate": "sum", "column": "subscriptions.seats"},
        {"aggregate": "percentile", "column": "subscriptions.seats", "percentile": 90},
        COUNT | {"filter": {"op": "eq", "column": "subscriptions.plan", "value": "team"}},
        {"derive": "moving_average", "of": "m3", "window": 3},
    ],
    "dimensions": [
        {"column": "subscriptions.started_on", "grain": "month"},
        {"column": "subscriptions.seats", "bin": {"width": 10}},
        {"column": "subscriptions.cancelled_on", "part": "weekday"},
    ],
    "series": {"column": "customers.country", "via": ["subscriptions.customer_id"]},
    "filter": {
        "op": "and",
        "filters": [
            {"op": "gt", "column": "subscriptions.seats", "value": 5},
            {"op": "in", "column": "subscriptions.plan", "values": ["team", "free"]},
            {"op": "between", "column": "subscriptions.seats", "low": 1, "high": 9},
            {"op": "is_null", "column": "subscriptions.cancelled_on"},
            during("subscriptions.started_on", kind="calendar", year=2024, month=3, day=5),
            during("subscriptions.cancelled_on", kind="last", unit="month", n=3),
            {"op": "exists", "table": "orders", "filter": {"op": "eq", "column": "orders.status", "value": "paid"}},
            {"op": "or", "filters": [
                {"op": "starts_with", "column": "customers.name", "value": "A"},
                {"op": "not", "filter": {"op": "eq", "column": "customers.region", "value": "EU"}}]},
        ],
    },
    "having": [{"measure": "m1", "op": "ge", "value": 10}],
    "sort": [{"by": "m1", "order": "desc"}],
    "top": {"n": 5, "of": "s", "by": "m1", "order": "desc", "other": False},
    "limit": 50,
}  # fmt: skip

CHANGES: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "table": (("table",), "customers"),
    "aggregate": (("measures", 0, "aggregate"), "avg"),
    "column of a measure": (("measures", 0, "column"), "orders.discount"),
    "percentile": (("measures", 1, "percentile"), 95),
    "value in a measure's filter": (("measures", 2, "filter", "value"), "free"),
    "window": (("measures", 3, "window"), 12),
    "derivation": (("measures", 3, "derive"), "running_total"),
    "grain": (("dimensions", 0, "grain"), "quarter"),
    "column of a dimension": (("dimensions", 0, "column"), "subscriptions.cancelled_on"),
    "bin": (("dimensions", 1, "bin"), {"count": 10}),
    "part": (("dimensions", 2, "part"), "hour_of_day"),
    "series": (("series", "column"), "customers.region"),
    "path of the series": (("series", "via"), ["orders.customer_id"]),
    "comparison": (("filter", "filters", 0, "op"), "ge"),
    "compared value": (("filter", "filters", 0, "value"), 6),
    "list": (("filter", "filters", 1, "values"), ["team"]),
    "in or not in": (("filter", "filters", 1, "op"), "not_in"),
    "lower bound": (("filter", "filters", 2, "low"), 2),
    "null or not": (("filter", "filters", 3, "op"), "not_null"),
    "year": (("filter", "filters", 4, "period", "year"), 2023),
    "day": (("filter", "filters", 4, "period", "day"), 6),
    "units of a period": (("filter", "filters", 5, "period", "n"), 4),
    "unit of a period": (("filter", "filters", 5, "period", "unit"), "week"),
    "kind of a period": (("filter", "filters", 5, "period", "kind"), "past"),
    "exists or not": (("filter", "filters", 6, "op"), "not_exists"),
    "filter of related rows": (("filter", "filters", 6, "filter", "value"), "open"),
    "or, and": (("filter", "filters", 7, "op"), "and"),
    "prefix": (("filter", "filters", 7, "filters", 0, "op"), "ends_with"),
    "under a not": (("filter", "filters", 7, "filters", 1, "filter", "value"), "US"),
    "having": (("having", 0, "value"), 11),
    "having's comparison": (("having", 0, "op"), "lt"),
    "having's measure": (("having", 0, "measure"), "m2"),
    "order": (("sort", 0, "order"), "asc"),
    "sorted by": (("sort", 0, "by"), "m2"),
    "top n": (("top", "n"), 6),
    "top or bottom": (("top", "order"), "asc"),
    "top of": (("top", "of"), "d1"),
    "top by": (("top", "by"), "m2"),
    "other": (("top", "other"), True),
    "limit": (("limit",), 51),
    "stack": (("stack",), "normalize"),
    "two axes": (("dual_axis",), True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_different_reading_is_a_different_sentence(name: str) -> None:
    """Whatever part of a spec is read wrongly, the asker can see it."""
    path, value = CHANGES[name]
    changed = copy.deepcopy(FULL)
    node: Any = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    before, after = (describe(ChartSpec.model_validate(spec), SHOP) for spec in (FULL, changed))
    assert before != after


@pytest.mark.parametrize(
    ("aggregate", "column", "said"),
    [
        ("sum", "total", "Sum of total"),
        ("avg", "average_stay", "Average of average stay"),
        ("avg", "total", "Average total"),
        ("sum", "tax", "Total tax"),
    ],
)
def test_a_column_called_as_its_aggregate_is_not_said_twice(aggregate: str, column: str, said: str) -> None:
    facts = Summary(
        source="s", tables=(_table("bills", id="integer", total="number", average_stay="number", tax="number"),)
    )
    spec = ChartSpec.model_validate(
        {"mark": "text", "table": "bills", "measures": [{"aggregate": aggregate, "column": f"bills.{column}"}]}
    )
    assert describe(spec, facts) == said
