"""What end customers type: short, sloppy, with cut words; and readings that once dropped a part of it silently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chart.canonical import canonical
from gateway.chart.sentence import describe
from gateway.chart.spec import Plan
from gateway.llm.offline.lexicon import lexicon_of
from gateway.llm.offline.plan import plan_question
from gateway.llm.offline.shorthand import written_out
from gateway.summary.model import Summary
from tests.gateway.llm.offline.test_offline_own_files import table

DEMO = Summary.model_validate_json((Path(__file__).parent / "demo_summary.json").read_text(encoding="utf-8"))
WEATHER = table("weather", "day:d:350 city:t temperature:n:80 humidity:i:60 station_id:i:unique sensor_id:i:20")
TICKETS = table("tickets", "id:i:unique opened_on:d:300 priority:t resolution_time:i:90 agent:t:12")
PLACES = table("shops", "shop_id:i:unique name:t:unique country:t:20 opened:i:30")


def sentence(question: str, summary: Summary = DEMO) -> str:
    """What the first chart says it shows."""
    plan = plan_question(summary, question)
    assert plan.charts, plan.missing
    return describe(plan.charts[0], summary)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("top 5 customers by revenue this yr", "this year so far"),
        ("tickets this week by priority", "this week so far"),
        ("best selling products last quarter", "last full quarter"),
        ("orders in March 2024 by channel", "March 2024"),
    ],
)
def test_a_stretch_of_time_is_never_taken_for_a_number(question: str, said: str) -> None:
    """The words before it may name a key: it stays a period, and is in the sentence."""
    assert said in sentence(question)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("customers w/o orders", "customers without orders"),
        ("whats our revenue by month", "what is our revenue by month"),
        ("orders by month pls", "orders by month"),
        ("open tickets by prio", "open tickets by priority"),
        ("revenue last qtr", "revenue last quarter"),
        ("unsolved tickets", "open tickets"),
    ],
)
def test_shorthand_is_read_as_what_it_stands_for(short: str, long: str) -> None:
    one, other = plan_question(DEMO, short), plan_question(DEMO, long)
    assert one.charts
    assert canonical(one.charts[0]) == canonical(other.charts[0])
    assert one.missing == other.missing == ()


def test_shorthand_that_the_data_is_called_by_stays() -> None:
    """A column called wk is no week; a placeholder and quoted words are never rewritten."""
    lexicon = lexicon_of(table("t", "wk:i:52 amount:n:80"))
    assert written_out("amount by wk pls", lexicon) == "amount by wk please"
    kept = 'orders of ⟨v1: customers.name⟩ w/o "pls" and ⟨u: t.wo⟩'
    assert written_out(kept, lexicon) == kept.replace("w/o", "without")


@given(st.text(alphabet="wo/u⟨⟩:.\"'ylsp #", max_size=30))
def test_any_text_is_written_out_once_for_all(text: str) -> None:
    """Writing out twice changes nothing more."""
    lexicon = lexicon_of(WEATHER)
    once = written_out(text, lexicon)
    assert written_out(once, lexicon) == once


def test_orders_above_an_amount_are_those_that_come_to_it() -> None:
    """Not those of a high shipping fee: by the owner's money metric, said to be a guess."""
    plan = plan_question(DEMO, "orders above 1000")
    facts = json.loads(canonical(plan.charts[0]))
    assert plan.ambiguous
    assert facts["measures"] == [{"metric": "revenue"}]
    assert facts["having"] == [{"measure": "m1", "op": "gt", "value": 1000}]
    assert [d["column"] for d in facts["dimensions"]] == ["orders.id"]


def test_a_column_that_says_the_worth_comes_before_a_metric() -> None:
    assert "unit price over 100" in sentence("products above 100")


@pytest.mark.parametrize(
    ("question", "missing"),
    [("number of orders over 500 by month", "orders over 500"), ("min and max order total per month", "order total")],
)
def test_what_the_chart_language_cannot_say_is_missing(question: str, missing: str) -> None:
    """Rows kept by a sum and grouped by something else; the extreme of sums."""
    plan = plan_question(DEMO, question)
    assert plan.charts == ()
    assert missing in plan.missing[0]


def test_a_measure_per_amount_is_a_ratio_and_per_row_stays() -> None:
    assert sentence("revenue per unit by category") == "Ratio of revenue to units sold by product category"
    assert sentence("revenue per order by channel") == "Revenue per order by order channel"
    assert "by month" in sentence("revenue per month")


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("min and max temperature", ["min", "max"]),
        ("min/max temperature by city", ["min", "max"]),
        ("highest and lowest temperature per month", ["max", "min"]),
        ("minimum, average and maximum temperature by city", ["min", "avg", "max"]),
        ("lowest temperature by city", ["min"]),
    ],
)
def test_all_of_several_aggregates_are_shown(question: str, shown: list[str]) -> None:
    chart = plan_question(WEATHER, question).charts[0]
    assert [m.aggregate for m in chart.measures] == shown
    assert {m.column for m in chart.measures} == {"weather.temperature"}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("customers with the most orders", "Number of orders by customer name, top 10"),
        ("who placed the most orders", "Number of orders by customer name, top 10"),
        ("country with the fewest customers", "Number of customers by country, lowest first"),
        ("month with the fewest orders", "Number of orders by month, lowest first"),
        ("which products never sold", "only products without any order item"),
        ("customers who never bought", "only customers without any order"),
        ("how much shipping fee do we charge on avg", "Average shipping fee"),
    ],
)
def test_everyday_questions_over_the_demo(question: str, said: str) -> None:
    assert said in sentence(question)


def test_a_time_that_is_taken_is_averaged_and_known_cut_short() -> None:
    assert sentence("resolution time by priority", TICKETS) == "Average resolution time by priority"
    assert sentence("res time by prio", TICKETS) == "Average resolution time by priority"


def test_slowest_is_who_takes_longest() -> None:
    assert sentence("slowest agents", TICKETS) == "Average resolution time by agent, highest first"
    assert sentence("fastest agents", TICKETS) == "Average resolution time by agent, lowest first"


def test_a_share_is_of_the_rows_that_the_condition_is_about() -> None:
    """Not of the rows that it is grouped by: tickets of a segment, and not customers with such a ticket."""
    said = sentence("share of high priority tickets by customer segment")
    assert said.startswith("Share of support tickets (only where priority is")
    assert said.endswith("by customer segment")


def test_the_name_of_a_column_is_that_column() -> None:
    """The rows have a name too; it is not what is asked for."""
    assert sentence("number of shops by country name", PLACES).startswith("Number of shops by country")


def _filtered(plan: Plan) -> str:
    return str(json.loads(canonical(plan.charts[0]))["filter"]["column"])


def test_ids_are_those_of_what_they_follow() -> None:
    """A key called after the things before it comes before the table's own."""
    assert _filtered(plan_question(WEATHER, "average temperature for sensors with IDs 3, 5 and 9")) == (
        "weather.sensor_id"
    )


def test_a_unit_before_a_comparison_is_no_value() -> None:
    """``meters or less`` is no list of names."""
    facts = json.loads(canonical(plan_question(PLACES, "number of shops with opened of 1990 or less").charts[0]))
    assert facts["filter"] == {"column": "shops.opened", "op": "le", "value": 1990}
