"""plan_question over the demo's facts: each construct of the language, follow-ups, and what cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType
from gateway.chart.canonical import canonical
from gateway.chart.spec import ChartSpec, Plan
from gateway.chart.validate import validate
from gateway.llm.offline.plan import plan_question
from gateway.summary.model import ColumnSummary, Summary, TableSummary

HERE = Path(__file__).parent
DEMO = Summary.model_validate_json((HERE / "demo_summary.json").read_text(encoding="utf-8"))


def first(question: str, previous: ChartSpec | None = None) -> dict[str, object]:
    """The first chart as canonical facts."""
    plan = plan_question(DEMO, question, previous)
    assert plan.charts, plan.missing
    facts = json.loads(canonical(plan.charts[0]))
    assert isinstance(facts, dict)
    return facts


COUNT = [{"aggregate": "count"}]
REVENUE = [{"metric": "revenue"}]
MONTH = [{"column": "orders.ordered_at", "grain": "month"}]


@pytest.mark.parametrize(
    ("question", "part", "value"),
    [
        ("revenue by month as a line", "dimensions", MONTH),
        ("revenue by month as a line", "measures", REVENUE),
        ("how many customers do we have?", "mark", "text"),
        ("pie chart of customers by segment", "mark", "arc"),
        ("orders by month and channel", "series", {"column": "orders.channel"}),
        ("top 10 products by revenue", "top", {"n": 10}),
        ("average satisfaction by priority", "measures",
         [{"aggregate": "avg", "column": "support_tickets.satisfaction"}]),
        ("number of cancelled orders", "filter", {"op": "eq", "column": "orders.status", "value": "cancelled"}),
        ("orders that were not cancelled", "filter", {"op": "ne", "column": "orders.status", "value": "cancelled"}),
        ("shipped or delivered orders", "filter",
         {"op": "in", "column": "orders.status", "values": ["delivered", "shipped"]}),
        ("cancelled subscriptions by plan", "filter", {"op": "not_null", "column": "subscriptions.cancelled_on"}),
        ("active subscriptions by plan", "filter", {"op": "is_null", "column": "subscriptions.cancelled_on"}),
        ("customers without orders", "filter", {"op": "not_exists", "table": "orders"}),
        ("products that were never ordered", "filter", {"op": "not_exists", "table": "order_items"}),
        ("orders without a discount", "filter", {"op": "is_null", "column": "orders.discount"}),
        ("subscriptions with more than 10 seats", "filter", {"op": "gt", "column": "subscriptions.seats", "value": 10}),
        ("subscriptions with 10 seats or more", "filter", {"op": "ge", "column": "subscriptions.seats", "value": 10}),
        ("orders with a shipping fee between 4 and 7", "filter",
         {"op": "between", "column": "orders.shipping_fee", "low": 4, "high": 7}),
        ("orders for ⟨v1: customers.name⟩", "filter",
         {"op": "eq", "column": "customers.name", "value": {"placeholder": "v1"}}),
        ("tickets from ⟨email:1⟩", "filter",
         {"op": "eq", "column": "customers.email", "value": {"placeholder": "email:1"}}),
        ("customers in ⟨v1: customers.country | web_events.country⟩", "filter",
         {"op": "eq", "column": "customers.country", "value": {"placeholder": "v1"}}),
        ("countries with more than 100 customers", "having", [{"measure": "m1", "op": "gt", "value": 100}]),
        ("customers who opted in to marketing", "filter",
         {"op": "eq", "column": "customers.marketing_opt_in", "value": True}),
        ("revenue last year", "filter",
         {"op": "during", "column": "orders.ordered_at", "period": {"kind": "last", "unit": "year", "n": 1}}),
        ("customers who signed up in 2024", "filter",
         {"op": "during", "column": "customers.signed_up_on", "period": {"kind": "calendar", "year": 2024}}),
        ("revenue by channel in descending order", "sort", [{"by": "m1", "order": "desc"}]),
        ("customers by city in alphabetical order", "sort", [{"by": "d1"}]),
        ("revenue growth by quarter", "measures", [{"metric": "revenue"}, {"derive": "change_percent", "of": "m1"}]),
        ("cumulative revenue by month", "measures", [{"metric": "revenue"}, {"derive": "running_total", "of": "m1"}]),
        ("3 month moving average of revenue", "measures",
         [{"metric": "revenue"}, {"derive": "moving_average", "of": "m1", "window": 3}]),
        ("average order value by month", "measures",
         [{"metric": "revenue"}, {"aggregate": "count", "column": "orders.id"},
          {"derive": "ratio", "of": "m1", "by": "m2"}]),
        ("distribution of seats", "mark", "histogram"),
        ("box plot of seats by plan", "measures", [{"aggregate": "median", "column": "subscriptions.seats"}]),
        ("unit price vs unit cost", "mark", "point"),
        ("heat map of orders by weekday and hour of day", "dimensions",
         [{"column": "orders.ordered_at", "part": "weekday"}, {"column": "orders.ordered_at", "part": "hour_of_day"}]),
        ("list customers in ⟨v1: customers.country⟩", "mark", "table"),
        ("who are our top 20 customers?", "measures", REVENUE),
        ("revenue by catgory", "dimensions", [{"column": "products.category"}]),
        ("clients by segment", "table", "customers"),
    ],
)  # fmt: skip
def test_a_construct_of_the_language_is_planned(question: str, part: str, value: object) -> None:
    assert first(question)[part] == value


def test_a_measure_finds_its_own_table_and_the_path_to_its_groups() -> None:
    assert first("revenue by country")["table"] == "order_items"
    assert first("revenue by country")["dimensions"] == [{"column": "customers.country"}]


def test_what_is_counted_from_a_finer_table_is_counted_once() -> None:
    """A customer with many orders is one customer of each category."""
    spec = first("number of customers by product category")
    assert spec["measures"] == [{"aggregate": "count_distinct", "column": "customers.id"}]


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("profit margin by category", "profit margin"),
        ("employee headcount by department", "department"),
        ("revenue by planet", "planet"),
        ("net promoter score over time", "net promoter"),
        ("average time to close by priority", "time to"),
    ],
)
def test_what_the_data_does_not_have_is_named_and_not_guessed(question: str, word: str) -> None:
    plan = plan_question(DEMO, question)
    assert plan.charts == ()
    assert word in " ".join(plan.missing)


def test_a_word_that_was_not_used_is_named_beside_the_chart() -> None:
    plan = plan_question(DEMO, "revenue from lefthanded customers by month")
    assert plan.charts
    assert plan.ambiguous
    assert "lefthanded" in plan.missing


def test_an_open_chart_offers_what_could_fill_it() -> None:
    plan = plan_question(DEMO, "a pie chart of tickets")
    assert plan.ambiguous
    assert 2 <= len(plan.charts) <= 5
    assert {chart.mark for chart in plan.charts} == {"arc"}
    assert len({canonical(chart) for chart in plan.charts}) == len(plan.charts)


FOLLOW_UPS = [
    ("revenue by month", None),
    ("now by country", lambda s: s["dimensions"] == [{"column": "customers.country"}] and s["measures"] == REVENUE),
    ("as a pie chart", lambda s: s["mark"] == "arc" and s["dimensions"] == [{"column": "customers.country"}]),
    ("only 2024", lambda s: s["filter"]["period"] == {"kind": "calendar", "year": 2024} and s["mark"] == "arc"),
    ("what about units sold", lambda s: s["measures"] == [{"metric": "units_sold"}] and "filter" in s),
    ("same for 2025", lambda s: s["filter"]["period"]["year"] == 2025),
    ("top 5", lambda s: s["top"] == {"n": 5}),
    ("by quarter instead", lambda s: s["dimensions"] == [{"column": "orders.ordered_at", "grain": "quarter"}]),
    ("broken down by channel", lambda s: s["series"] == {"column": "orders.channel"}),
    ("exclude phone", lambda s: {"op": "ne", "column": "orders.channel", "value": "phone"} in s["filter"]["filters"]),
    ("weekly", lambda s: s["dimensions"][0]["grain"] == "week" and s["series"] == {"column": "orders.channel"}),
    ("remove the filters", lambda s: "filter" not in s),
    ("how many customers do we have?", lambda s: s["table"] == "customers" and "dimensions" not in s),
]


def test_follow_ups_change_what_they_say_and_keep_the_rest() -> None:
    previous: ChartSpec | None = None
    for question, holds in FOLLOW_UPS:
        plan = plan_question(DEMO, question, previous)
        assert plan.charts, question
        facts = json.loads(canonical(plan.charts[0]))
        assert holds is None or holds(facts), (question, facts)
        previous = plan.charts[0]


def test_a_follow_up_about_what_is_not_there_says_so() -> None:
    before = plan_question(DEMO, "revenue by month").charts[0]
    plan = plan_question(DEMO, "now by planet", before)
    assert plan.charts == ()
    assert plan.missing == ("planet",)


def _bare(columns: list[tuple[str, ColumnType]]) -> Summary:
    found = tuple(ColumnSummary(name=name, type=kind) for name, kind in columns)
    return Summary(source="own", tables=(TableSummary(name="data", columns=found),))


@pytest.mark.parametrize("question", ["how many rows", "number of records", "count of entries"])
def test_the_rows_of_the_only_table_need_no_name(question: str) -> None:
    summary = _bare([("clinic", ColumnType.TEXT), ("cost", ColumnType.NUMBER)])
    counted = [
        (c.mark, [m.aggregate for m in c.measures], c.dimensions) for c in plan_question(summary, question).charts
    ]
    assert ("text", ["count"], ()) in counted


def test_a_single_table_without_facts_is_enough() -> None:
    own = _bare([("city", ColumnType.TEXT), ("temp_c", ColumnType.NUMBER), ("day", ColumnType.DATE)])
    spec = plan_question(own, "average temperature by city").charts[0]
    assert spec.measures[0].aggregate == "avg"
    assert spec.measures[0].column == "data.temp_c"
    assert spec.dimensions[0].column == "data.city"


VOCABULARY = """
revenue orders customers by month per country top 10 average total number of in 2024 last year without with more than 5
seats not cancelled share growth ⟨v1:customers.name⟩ ⟨email:1⟩ and or vs between , . ? pie chart line heat map list
distribution now as a only sort descending planet 'x' $3 q1 each median over time status
"""
WORDS = st.sampled_from(VOCABULARY.split()).map(lambda word: word.replace("⟨v1:", "⟨v1: "))


@settings(max_examples=120, deadline=None)
@given(st.lists(WORDS, max_size=12).map(" ".join), st.booleans())
def test_whatever_is_asked_every_proposed_chart_can_be_compiled(question: str, follows: bool) -> None:
    """No question makes the planner fail, and nothing it proposes is outside the chart language or the facts."""
    previous = plan_question(DEMO, "revenue by month and channel").charts[0] if follows else None
    plan = plan_question(DEMO, question, previous)
    assert plan.charts or plan.missing
    assert plan == plan_question(DEMO, question, previous)
    for chart in plan.charts:
        assert validate(chart, DEMO) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_answered_with_a_plan(text: str) -> None:
    assert isinstance(plan_question(DEMO, text), Plan)
