"""Specs that use every construct of the chart language: run on every engine, compared row by row."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
COUNT: Spec = {"aggregate": "count"}


def bar(table: str, dimension: Spec | str, *measures: Spec, **more: Any) -> Spec:
    """A bar chart of one dimension."""
    return {
        "mark": "bar",
        "table": table,
        "dimensions": [{"column": dimension} if isinstance(dimension, str) else dimension],
        "measures": list(measures) or [COUNT],
        **more,
    }


def text(table: str, *measures: Spec, **more: Any) -> Spec:
    """Big numbers."""
    return {"mark": "text", "table": table, "measures": list(measures) or [COUNT], **more}


def where(op: str, column: str, **more: Any) -> Spec:
    """A filter."""
    return {"op": op, "column": column, **more}


MONTH: Spec = {"column": "orders.ordered_at", "grain": "month"}
CASES: dict[str, Spec] = {
    "count": text("orders"),
    "count column": text("orders", {"aggregate": "count", "column": "orders.fee"}),
    "all aggregates": bar(
        "orders",
        {"column": "customers.country", "via": ["orders.customer_id"]},
        *({"aggregate": a, "column": "orders.fee"} for a in ("sum", "avg", "median", "min", "max", "stddev")),
        {"aggregate": "count_distinct", "column": "orders.status"},
        {"aggregate": "percentile", "percentile": 90, "column": "orders.fee"},
    ),
    "metric": bar("items", "products.category", {"metric": "revenue"}),
    "metric with division": bar("items", "products.category", {"metric": "share_sold"}),
    "coarser sum": bar("items", "products.name", {"aggregate": "sum", "column": "orders.fee"}, COUNT),
    "coarser average and median": text(
        "items",
        {"aggregate": "avg", "column": "orders.fee"},
        {"aggregate": "median", "column": "orders.fee"},
        {"aggregate": "count", "column": "orders.id"},
    ),
    "numbers of three grains": text(
        "items",
        {"aggregate": "sum", "column": "orders.fee"},
        COUNT,
        {"aggregate": "avg", "column": "tickets.score"},
        {"aggregate": "count", "column": "tickets.id"},
    ),
    "coarser filtered": text(
        "items", {"aggregate": "sum", "column": "orders.fee", "filter": where("gt", "items.quantity", value=1)}
    ),
    "finer sum": bar("orders", "orders.status", COUNT, {"aggregate": "sum", "column": "items.quantity"}),
    "finer only": bar("orders", "orders.status", {"metric": "revenue"}),
    "finer filtered by root": bar(
        "orders", "orders.status", {"metric": "revenue"}, filter=where("ge", "orders.fee", value=5)
    ),
    "apart": bar(
        "orders",
        {"column": "customers.country", "via": ["orders.customer_id"]},
        COUNT,
        {"aggregate": "avg", "column": "orders.fee"},
    ),
    "two facts": bar(
        "customers",
        "customers.country",
        {"aggregate": "count", "column": "orders.id", "via": ["orders.customer_id"]},
        {"aggregate": "avg", "column": "tickets.score"},
        COUNT,
    ),
    **{
        f"grain {grain}": bar("orders", {"column": "orders.ordered_at", "grain": grain})
        for grain in ("year", "quarter", "month", "week", "day", "hour")
    },
    **{
        f"part {part}": bar("orders", {"column": "orders.ordered_at", "part": part})
        for part in ("quarter_of_year", "month_of_year", "day_of_month", "weekday", "hour_of_day")
    },
    **{
        f"date grain {grain}": bar("customers", {"column": "customers.signed_up_on", "grain": grain})
        for grain in ("year", "quarter", "month", "week", "day")
    },
    **{
        f"derived by {grain}": {
            "mark": "line",
            "table": "orders",
            "dimensions": [{"column": "orders.ordered_at", "grain": grain}],
            "measures": [
                COUNT,
                {"derive": "running_total", "of": "m1"},
                {"derive": "moving_average", "of": "m1", "window": 3},
                {"derive": "change", "of": "m1"},
                {"derive": "change_percent", "of": "m1"},
                {"derive": "share_of_total", "of": "m1"},
            ],
        }
        for grain in ("year", "quarter", "month", "week", "day", "hour")
    },
    "moving average of a year": bar(
        "orders",
        {"column": "orders.ordered_at", "grain": "day"},
        COUNT,
        {"derive": "moving_average", "of": "m1", "window": 365},
    ),
    "derived by weekday": bar(
        "orders", {"column": "orders.ordered_at", "part": "weekday"}, COUNT, {"derive": "change", "of": "m1"}
    ),
    "running total by name": bar("items", "products.name", COUNT, {"derive": "running_total", "of": "m1"}),
    "share within series": bar(
        "orders",
        MONTH,
        COUNT,
        {"derive": "share_of_total", "of": "m1", "by": "d1"},
        {"derive": "share_of_total", "of": "m1", "by": "s"},
        series={"column": "orders.status"},
    ),
    "ratio": bar(
        "orders",
        MONTH,
        {"aggregate": "count", "filter": where("eq", "orders.status", value="new")},
        COUNT,
        {"derive": "ratio", "of": "m1", "by": "m2"},
    ),
    "ratio over time": bar(
        "orders",
        MONTH,
        {"aggregate": "sum", "column": "orders.fee"},
        COUNT,
        {"derive": "ratio", "of": "m1", "by": "m2"},
        {"derive": "change", "of": "m3"},
    ),
    "histogram": {"mark": "histogram", "table": "orders", "dimensions": [{"column": "orders.fee"}]},
    "histogram of integers": {
        "mark": "histogram",
        "table": "items",
        "dimensions": [{"column": "items.quantity", "bin": {"count": 5}}],
    },
    "bins by width": bar("orders", {"column": "orders.fee", "bin": {"width": 2.5}}, sort=[{"by": "d1"}]),
    "boxplot": {
        "mark": "boxplot",
        "table": "orders",
        "dimensions": [{"column": "orders.status"}],
        "measures": [{"aggregate": "median", "column": "orders.fee"}],
    },
    "boxplot of all": {
        "mark": "boxplot",
        "table": "items",
        "measures": [{"aggregate": "median", "column": "items.price"}],
    },
    "top": bar("orders", "orders.status", top={"n": 2}),
    "top and other": bar("orders", "orders.status", top={"n": 1, "other": True}),
    "top of series by average": bar(
        "orders",
        MONTH,
        {"aggregate": "avg", "column": "orders.fee"},
        series={"column": "orders.status"},
        top={"n": 2, "of": "s", "other": True},
    ),
    "bottom": bar("orders", "orders.status", top={"n": 2, "order": "asc"}, sort=[{"by": "m1"}]),
    "having": bar("orders", "orders.status", having=[{"measure": "m1", "op": "gt", "value": 1}]),
    "having of derived": bar(
        "orders",
        "orders.status",
        COUNT,
        {"derive": "share_of_total", "of": "m1"},
        having=[{"measure": "m2", "op": "ge", "value": 0.2}],
    ),
    "sorted by name descending": bar("items", "products.name", sort=[{"by": "d1", "order": "desc"}]),
    "limited": bar("items", "products.name", sort=[{"by": "m1", "order": "desc"}], limit=2),
    "rect": {
        "mark": "rect",
        "table": "orders",
        "dimensions": [
            {"column": "orders.ordered_at", "part": "weekday"},
            {"column": "orders.ordered_at", "part": "hour_of_day"},
        ],
        "measures": [COUNT],
    },
    "rows": {
        "mark": "table",
        "table": "orders",
        "dimensions": [
            {"column": "orders.id"},
            {"column": "orders.ordered_at"},
            {"column": "customers.name", "via": ["orders.payer_id"]},
            {"column": "customers.vip", "via": ["orders.payer_id"]},
            {"column": "customers.signed_up_on", "via": ["orders.customer_id"]},
        ],
    },
    "points": {
        "mark": "point",
        "table": "items",
        "dimensions": [{"column": "items.quantity"}, {"column": "items.price"}],
    },
    "points of groups": {
        "mark": "point",
        "table": "items",
        "dimensions": [{"column": "products.name"}],
        "measures": [{"aggregate": "avg", "column": "items.price"}, {"aggregate": "sum", "column": "items.quantity"}],
    },
    "equal ignores case": text("orders", filter=where("eq", "orders.status", value="New")),
    "not equal": text("orders", filter=where("ne", "orders.status", value="new")),
    "in": text("orders", filter=where("in", "orders.status", values=["new", "PAID"])),
    "not in": text("orders", filter=where("not_in", "orders.status", values=["new", "paid"])),
    "umlaut": text("orders", filter=where("eq", "orders.status", value="müde")),
    "contains": text("customers", filter=where("contains", "customers.name", value="E")),
    "wildcards are text": text("customers", filter=where("contains", "customers.name", value="%")),
    "starts with": text("customers", filter=where("starts_with", "customers.name", value="B")),
    "ends with": text("customers", filter=where("ends_with", "customers.name", value="EE")),
    "ends with something longer": text("customers", filter=where("ends_with", "customers.name", value="xxxxxxxxee")),
    "between": text("orders", filter=where("between", "orders.fee", low=1.15, high=6.25)),
    "equal to a decimal": text("orders", filter=where("eq", "orders.fee", value=7.1)),
    "among decimals": text("orders", filter=where("in", "orders.fee", values=[1.15, 7.1, 6.25])),
    "by decimal": bar(
        "items",
        "items.price",
        COUNT,
        {"aggregate": "count_distinct", "column": "items.price"},
        having=[{"measure": "m1", "op": "ge", "value": 0.5}],
    ),
    "having a decimal": bar(
        "orders",
        "orders.status",
        {"aggregate": "sum", "column": "orders.fee"},
        having=[{"measure": "m1", "op": "ne", "value": 8.25}],
    ),
    "in numbers": text("items", filter=where("in", "items.quantity", values=[1, 2, 2.0])),
    "boolean": text("customers", filter=where("eq", "customers.vip", value=True)),
    "by boolean": bar("customers", "customers.vip"),
    "null": text("orders", filter=where("is_null", "orders.status")),
    "not null": text("orders", filter=where("not_null", "customers.name", via=["orders.payer_id"])),
    "not": text("orders", filter={"op": "not", "filter": where("eq", "orders.status", value="new")}),
    "and or": text(
        "orders",
        filter={
            "op": "and",
            "filters": [
                {"op": "or", "filters": [where("lt", "orders.fee", value=2), where("is_null", "orders.fee")]},
                {"op": "not", "filter": where("eq", "orders.status", value="paid")},
            ],
        },
    ),
    "day": text("orders", filter=where("eq", "orders.ordered_at", value="2024-03-31")),
    "not that day": text("orders", filter=where("ne", "orders.ordered_at", value="2024-03-31")),
    "month literal": text("orders", filter=where("eq", "orders.ordered_at", value="2024-03")),
    "up to a day": text("orders", filter=where("le", "orders.ordered_at", value="2024-01-01")),
    "after a day": text("orders", filter=where("gt", "orders.ordered_at", value="2024-01-01")),
    "between days": text("orders", filter=where("between", "orders.ordered_at", low="2024-01-01", high="2024-03-10")),
    "at a time": text("orders", filter=where("ge", "orders.ordered_at", value="2024-03-14T22:15:30")),
    "dates in": text("customers", filter=where("in", "customers.signed_up_on", values=["2024-01-01", "2024-02"])),
    "date compared": text("customers", filter=where("lt", "customers.signed_up_on", value="2024-01-01")),
    **{
        f"{kind} {unit}": bar(
            "orders",
            {"column": "orders.ordered_at", "grain": "day"},
            filter=where("during", "orders.ordered_at", period={"kind": kind, "unit": unit}),
        )
        for kind in ("last", "this", "past")
        for unit in ("year", "quarter", "month", "week", "day", "hour")
    },
    "past days of dates": text(
        "customers", filter=where("during", "customers.signed_up_on", period={"kind": "past", "unit": "day", "n": 20})
    ),
    "calendar quarter": text(
        "orders", filter=where("during", "orders.ordered_at", period={"kind": "calendar", "year": 2024, "quarter": 1})
    ),
    "calendar day": text(
        "customers",
        filter=where(
            "during", "customers.signed_up_on", period={"kind": "calendar", "year": 2024, "month": 2, "day": 29}
        ),
    ),
    "exists": text("customers", filter={"op": "exists", "table": "orders", "via": ["orders.customer_id"]}),
    "not exists": bar(
        "customers",
        "customers.name",
        filter={
            "op": "not_exists",
            "table": "orders",
            "via": ["orders.customer_id"],
            "filter": where("eq", "orders.status", value="new"),
        },
    ),
    "exists two steps away": text(
        "customers",
        filter={
            "op": "exists",
            "table": "items",
            "via": ["orders.customer_id"],
            "filter": where("eq", "products.category", value="kitchen"),
        },
    ),
    "exists beside": text(
        "orders",
        filter={
            "op": "exists",
            "table": "tickets",
            "via": ["orders.customer_id"],
            "filter": where("ge", "tickets.score", value=4),
        },
    ),
    "placeholder": text("orders", filter=where("eq", "orders.status", value={"placeholder": "v1"})),
}
"""Every case runs for tenant ``a`` with the binding v1 = "PAID"."""
