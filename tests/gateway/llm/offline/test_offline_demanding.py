"""Questions of a demanding user that were read wrongly, or answered with something else, when they were tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec
from gateway.llm.offline.plan import plan_question
from gateway.llm.offline.thesaurus import abbreviates
from gateway.summary.model import Summary

HERE = Path(__file__).parent
DEMO = Summary.model_validate_json((HERE / "demo_summary.json").read_text(encoding="utf-8"))


def _own() -> Summary:
    columns: list[dict[str, object]] = [
        {"name": "order_id", "type": "integer", "semantic": "key", "distinct": "unique"},
        {"name": "order_date", "type": "date", "distinct": 850, "time": {"first": "2023-01", "last": "2025-09"}},
        {"name": "closed_dt", "type": "date", "distinct": 400, "nulls": "20%", "time": {"grain": "daily"}},
        {"name": "product", "type": "text", "semantic": "category", "distinct": 40, "text": {"length": "5-10"}},
        {"name": "category", "type": "text", "semantic": "category", "distinct": "few", "text": {"length": "5-10"}},
        {"name": "rep_name", "type": "text", "semantic": "name_like", "distinct": 20, "text": {"length": "5-10"}},
        {"name": "chnl", "type": "text", "semantic": "category", "distinct": "few", "text": {"length": "5-10"}},
        {"name": "units", "type": "integer", "semantic": "quantity", "distinct": 10, "number": {"whole": True}},
        {"name": "unit_price", "type": "number", "semantic": "currency", "distinct": 2200, "number": {}},
        {"name": "revenue", "type": "number", "semantic": "currency", "distinct": 2300, "number": {}},
        {"name": "age", "type": "integer", "distinct": 50, "number": {"whole": True}},
        {"name": "rain_mm", "type": "number", "distinct": 300, "number": {}},
        {"name": "founded", "type": "integer", "distinct": 60, "number": {"whole": True}},
        {"name": "release_year", "type": "integer", "semantic": "year", "distinct": 60, "number": {"whole": True}},
    ]
    table = {"name": "sales", "rows": 2400, "columns": columns}
    return Summary.model_validate_json(json.dumps({"source": "own", "tables": [table]}))


OWN = _own()


def shown(question: str, summary: Summary = OWN, previous: ChartSpec | None = None) -> dict[str, object]:
    """The first chart as canonical facts."""
    plan = plan_question(summary, question, previous)
    assert plan.charts, plan.missing
    facts = json.loads(canonical(plan.charts[0]))
    assert isinstance(facts, dict)
    return facts


def aggregated(aggregate: str, column: str) -> list[dict[str, str]]:
    """One measure."""
    return [{"aggregate": aggregate, "column": f"sales.{column}"}]


@pytest.mark.parametrize(
    ("question", "part", "value"),
    [
        ("orders by category", "measures", [{"aggregate": "count"}]),
        ("orders by chnl", "dimensions", [{"column": "sales.chnl"}]),
        ("orders by channel", "dimensions", [{"column": "sales.chnl"}]),
        ("average unit price per product category", "dimensions", [{"column": "sales.category"}]),
        ("average order value by category", "measures", aggregated("avg", "revenue")),
        ("cheapest products", "measures", aggregated("avg", "unit_price")),
        ("cheapest products", "sort", [{"by": "m1"}]),
        ("rainiest category", "measures", aggregated("sum", "rain_mm")),
        ("top 5 unit prices", "measures", aggregated("max", "unit_price")),
        ("top 5 unit prices", "dimensions", [{"column": "sales.rep_name"}]),
        ("reps with more than 100 orders", "having", [{"measure": "m1", "op": "gt", "value": 100}]),
        ("unclosed orders by category", "filter", {"op": "is_null", "column": "sales.closed_dt"}),
    ],
)  # fmt: skip
def test_a_question_over_an_own_file_is_read_as_it_is_meant(question: str, part: str, value: object) -> None:
    assert shown(question)[part] == value


def test_orders_above_a_number_are_not_those_of_a_high_key_or_date() -> None:
    filtered = shown("orders above 1000 by category")["filter"]
    assert isinstance(filtered, dict)
    assert filtered["column"] in {"sales.revenue", "sales.unit_price", "sales.units"}


def test_years_on_an_axis_are_never_cut_to_the_largest() -> None:
    assert "top" not in shown("orders by release year as bars")


def test_a_comparison_with_the_average_is_named_as_not_understood() -> None:
    plan = plan_question(OWN, "revenue above average by category")
    assert "above average" in plan.missing


@pytest.mark.parametrize("question", ["orders by warehouse", "shipping cost by month", "profit by category"])
def test_what_is_not_in_an_own_file_is_missing(question: str) -> None:
    plan = plan_question(OWN, question)
    assert plan.charts == ()
    assert plan.missing


@pytest.mark.parametrize(
    ("question", "part", "value"),
    [
        ("revenue and orders by month", "measures",
         [{"metric": "revenue"}, {"aggregate": "count", "column": "orders.id"}]),
        ("table of the top 10 customers with revenue", "measures", [{"metric": "revenue"}]),
        ("the 3 worst selling categories", "measures", [{"metric": "revenue"}]),
        ("heatmap of orders by weekday and hour", "dimensions",
         [{"column": "orders.ordered_at", "part": "weekday"}, {"column": "orders.ordered_at", "part": "hour_of_day"}]),
        ("avg shp fee by chnl", "measures", [{"aggregate": "avg", "column": "orders.shipping_fee"}]),
    ],
)  # fmt: skip
def test_a_question_over_the_demo_is_read_as_it_is_meant(question: str, part: str, value: object) -> None:
    assert shown(question, DEMO)[part] == value


def test_words_that_only_lead_to_a_condition_are_not_named_as_missing() -> None:
    for question in ("customers without orders by country", "orders except returned by month"):
        assert plan_question(DEMO, question).missing == ()


def test_follow_ups_keep_what_they_do_not_speak_of() -> None:
    before = plan_question(DEMO, "revenue by month and channel").charts[0]
    narrowed = plan_question(DEMO, "exclude returned orders", before).charts[0]
    assert narrowed.measures == before.measures
    assert narrowed.filter is not None
    unsplit = plan_question(DEMO, "without the split", before).charts[0]
    assert unsplit.series is None
    assert unsplit.measures == before.measures
    web = plan_question(DEMO, "only web", before).charts[0]
    both = plan_question(DEMO, "also phone", web).charts[0].model_dump(exclude_none=True)
    assert set(both["filter"]["values"]) == {"web", "phone"}
    average = plan_question(DEMO, "average shipping fee by channel").charts[0]
    median = plan_question(DEMO, "median instead", average).charts[0]
    assert [(m.aggregate, m.column) for m in median.measures] == [("median", "orders.shipping_fee")]


@pytest.mark.parametrize(
    ("short", "word", "asked", "cut"),
    [
        ("prio", "priority", False, True),
        ("chnl", "channel", False, True),
        ("agt", "agent", False, True),
        ("age", "agent", False, False),
        ("agent", "agt", False, False),
        ("net", "network", True, False),
        ("shp", "shipping", True, True),
        ("pr", "price", False, False),
    ],
)
def test_a_word_cut_short_is_known_by_its_letters(short: str, word: str, *, asked: bool, cut: bool) -> None:
    assert abbreviates(short, word, asked=asked) is cut


def _with_total() -> Summary:
    columns: list[dict[str, object]] = [
        {"name": "order_id", "type": "integer", "semantic": "key", "distinct": "unique"},
        {"name": "customer", "type": "text", "semantic": "category", "distinct": 40, "text": {"length": "5-10"}},
        {"name": "country", "type": "text", "semantic": "category", "distinct": "few", "text": {"length": "5-10"}},
        {"name": "total", "type": "number", "semantic": "currency", "distinct": 590, "number": {}},
        {"name": "tax", "type": "number", "semantic": "currency", "distinct": 590, "number": {}},
        {"name": "ordered_on", "type": "date", "distinct": 300, "time": {"first": "2025-01", "last": "2025-12"}},
    ]
    tables = [{"name": "orders", "rows": 600, "columns": columns}]
    return Summary.model_validate_json(json.dumps({"source": "own", "tables": tables}))


@pytest.mark.parametrize(
    ("question", "aggregate", "column"),
    [
        ("average total by country", "avg", "total"),
        ("total by country", "sum", "total"),
        ("sum of total by month", "sum", "total"),
        ("median total per customer", "median", "total"),
        ("highest total per customer", "max", "total"),
        ("which country has the highest total", "sum", "total"),
        ("highest total tax by country", "sum", "tax"),
        ("average tax by country", "avg", "tax"),
        ("total tax by country", "sum", "tax"),
    ],
)
def test_a_column_called_as_an_aggregate_is_a_column_where_nothing_else_is_meant(
    question: str, aggregate: str, column: str
) -> None:
    """``total`` is what is averaged in "average total", and what is done in "total tax"."""
    measure = shown(question, _with_total())["measures"]
    assert measure == [{"aggregate": aggregate, "column": f"orders.{column}"}], measure
