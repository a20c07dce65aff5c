"""What people see of a Summary: every fact with its rule, and the difference between two releases."""

from __future__ import annotations

import json

from gateway.catalog import ColumnType
from gateway.summary.model import (
    ColumnSummary,
    Label,
    Link,
    Metric,
    NumberFacts,
    Summary,
    TableSummary,
    TextFacts,
    TimeFacts,
)  # fmt: skip
from gateway.summary.show import RULES, as_json, as_text, diff, diff_text


def _summary(rows: int = 2000, mean: float | None = 12.0, *, extra: bool = False) -> Summary:
    columns = (
        ColumnSummary(name="id", type=ColumnType.INTEGER, semantic="key", distinct="unique", nulls="none"),
        ColumnSummary(
            name="total",
            type=ColumnType.NUMBER,
            nulls="5%",
            distinct=800,
            number=NumberFacts(low=1, high=5000, p50=11, mean=mean, zeros=0.05, sign="non_negative", skew="right"),
            description="What was paid",
        ),
        ColumnSummary(
            name="status",
            type=ColumnType.TEXT,
            distinct="few",
            text=TextFacts(length="5-10", pattern="word"),
            labels=(Label(text="open", share=0.2), Label(text="sent", share=0.8)),
            synonyms=("state",),
        ),
        ColumnSummary(name="at", type=ColumnType.DATE, time=TimeFacts(first="2023-01", last="2024-12", grain="daily")),
    )
    orders = TableSummary(name="orders", rows=rows, columns=columns, primary_key=("id",))
    more = TableSummary(name="stores", rows="few", columns=columns[:1])
    return Summary(
        source="shop",
        tables=(orders, more) if extra else (orders,),
        links=(Link(table="orders", columns=("id",), parent="orders", parent_columns=("id",), origin="inferred"),),
        metrics=(Metric(name="paid", table="orders", aggregate="sum", expression="orders.total"),),
        currency="EUR",
    )


def test_the_table_shows_every_fact_of_every_column() -> None:
    text = as_text(_summary(extra=True), width=200)
    for part in (
        "currency EUR", "orders   2,000 rows   key id", "stores   few rows", "1 to 5,000",
        "quantiles ? | ? | 11 | ? | ?",
        "mean 12", "zeros 5%", "skewed right", "labels open 20%, sent 80%", "(also: state)", "What was paid",
        "2023-01 to 2024-12; daily", "word; 5-10 characters", "orders.id -> orders.id  (inferred)",
        "paid = sum(orders.total)",
    ):  # fmt: skip
        assert part in text, part


def test_each_statistic_has_its_rule() -> None:
    shown = json.loads(as_json(_summary()))
    assert shown["release"] == _summary().release
    facts = {
        f"{group}.{name}" if isinstance(value, dict) else group
        for column in shown["summary"]["tables"][0]["columns"]
        for group, value in column.items()
        for name in (value if isinstance(value, dict) else [""])
    }
    told = {"name", "type", "semantic", "description", "synonyms"}
    assert facts - told <= set(shown["rules"])
    assert set(shown["rules"]) <= set(RULES)
    assert "number.p90" not in shown["rules"]
    assert "p% rule" in as_text(_summary(), rules=True)


def test_every_field_of_the_model_has_a_rule() -> None:
    names = {f"number.{n}" for n in NumberFacts.model_fields}
    names |= {f"time.{n}" for n in TimeFacts.model_fields} | {f"text.{n}" for n in TextFacts.model_fields}
    names |= {"nulls", "distinct", "labels", "paths", "related", "rows", "links"}
    assert names == set(RULES)


def test_a_difference_names_what_moved() -> None:
    changes = {change.place: change for change in diff(_summary(), _summary(rows=2100, mean=None, extra=True))}
    assert changes["orders"].before == "2000 rows"
    assert changes["orders"].after == "2100 rows"
    assert changes["orders.total.number.mean"].kind == "removed"
    assert changes["stores.id"].kind == "added"
    assert "orders.status.labels.open" not in changes
    text = diff_text(_summary(), _summary(rows=2100))
    assert "~ orders: 2000 rows -> 2100 rows" in text


def test_no_difference_says_so() -> None:
    assert diff_text(_summary(), _summary()).startswith("no difference")
