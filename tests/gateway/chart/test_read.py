"""A reply is read with forgiveness for form and none for names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.chart.read import read_reply
from gateway.chart.spec import Plan
from gateway.errors import GatewayError, ReplyInvalidError, SpecInvalidError
from gateway.types import Reply
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES, COUNT, MONTH, bar, text, where

BY_STATUS = bar("orders", "orders.status")


def read(reply: Any, placeholders: dict[str, tuple[str, ...]] | None = None) -> Plan:
    body = reply if isinstance(reply, str) else json.dumps(reply)
    return read_reply(Reply(text=body, model="test"), shop.summary(), placeholders=placeholders or {})


@pytest.mark.parametrize("case", CASES)
def test_every_construct_can_be_read(case: str) -> None:
    """The specs that the engines are tested with."""
    plan = read({"charts": [CASES[case]]}, {"v1": ("orders.status",)})
    assert len(plan.charts) == 1


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"charts": [BY_STATUS]}),
        "```json\n" + json.dumps({"charts": [BY_STATUS]}) + "\n```",
        "Here it is: " + json.dumps({"charts": [BY_STATUS]}) + " Enjoy!",
        json.dumps(BY_STATUS),
        json.dumps({"charts": [{**BY_STATUS, "series": None, "filter": None, "version": "1", "top": None}],
                    "ambiguous": False, "missing": []}),
    ],
    ids=["plain", "fenced", "with words", "lone chart", "nulls of strict output"],
)  # fmt: skip
def test_form_is_forgiven(body: str) -> None:
    """The same chart, however it is wrapped."""
    assert read(body).charts == read({"charts": [BY_STATUS]}).charts


def test_a_reading_that_does_not_fit_is_dropped_and_equal_ones_are_one() -> None:
    """As long as one reading fits, the asker gets an answer."""
    plan = read({"charts": [bar("orders", "orders.nothing"), BY_STATUS, BY_STATUS], "ambiguous": True})
    assert len(plan.charts) == 1
    assert plan.ambiguous is False


def test_what_is_missing_is_kept_without_control_characters() -> None:
    """It is shown to the asker, so it holds nothing that could change what is around it."""
    plan = read({"charts": [], "missing": ["profit\u202e margin", "\x00", "x" * 500, 7]})
    assert plan.missing == ("profit margin", "x" * 60)


@pytest.mark.parametrize(
    ("reply", "code", "path"),
    [
        ("no json", "not_json", ""),
        ("{}", "no_chart", "charts"),
        ({"charts": "x"}, "shape", ""),
        ({"charts": [], "evil": 1}, "shape", ""),
        ({"charts": [{"mark": "pie", "table": "orders"}]}, "literal_error", "charts[0].mark"),
        ({"charts": [bar("orders", "orders.status", {"evil_key": 1})]}, "extra_forbidden", "charts[0].measures[0]"),
        ({"charts": [bar("orders", "orders.secret_thing")]}, "unknown_column", "charts[0].dimensions[0].column"),
        ({"charts": [text("secret_table")]}, "unknown_table", "charts[0].table"),
        ("{" + "x" * 100_001, "too_long", ""),
        ('{"charts": [{"mark": "text", "table": "orders", "limit": Infinity}]}', "not_json", ""),
    ],
)  # fmt: skip
def test_refusals_say_where_and_quote_nothing(reply: Any, code: str, path: str) -> None:
    """A repair round may carry exactly this."""
    with pytest.raises((ReplyInvalidError, SpecInvalidError)) as error:
        read(reply)
    assert (error.value.details["code"], error.value.details["path"]) == (code, path)
    shown = f"{error.value}{error.value.details}"
    assert "secret" not in shown
    assert "evil" not in shown
    assert error.value.__cause__ is None


def test_second_dimension_of_a_bar_is_its_series() -> None:
    """There is only one way to mean it; references follow."""
    spec = {
        **bar("orders", MONTH),
        "dimensions": [MONTH, {"column": "orders.status"}],
        "sort": [{"by": "d2"}],
        "top": {"n": 3, "of": "d2"},
    }
    chart = read({"charts": [spec]}).charts[0]
    assert chart.series is not None
    assert chart.series.column == "orders.status"
    assert (chart.sort[0].by, chart.top and chart.top.of) == ("s", "s")


def test_series_of_a_heat_map_is_its_second_dimension() -> None:
    """And the other way round."""
    spec = {
        "mark": "rect",
        "table": "orders",
        "dimensions": [MONTH],
        "series": {"column": "orders.status"},
        "measures": [COUNT],
    }
    chart = read({"charts": [spec]}).charts[0]
    assert [d.column for d in chart.dimensions] == ["orders.ordered_at", "orders.status"]
    assert chart.series is None


@pytest.mark.parametrize(
    ("value", "placeholders", "code"),
    [
        ({"placeholder": "v1"}, {"v1": ("orders.status",)}, None),
        ({"placeholder": "email:1"}, {"email:1": ()}, None),
        ({"placeholder": "v2"}, {"v1": ("orders.status",)}, "unknown_placeholder"),
        ({"placeholder": "v1"}, {"v1": ("customers.name",)}, "placeholder_column"),
    ],
)
def test_placeholders_are_those_of_the_question(value: Any, placeholders: Any, code: str | None) -> None:
    """A linked value stands only where it was found."""
    reply = {"charts": [text("orders", filter=where("eq", "orders.status", value=value))]}
    if code is None:
        assert read(reply, placeholders).charts
        return
    with pytest.raises(GatewayError) as error:
        read(reply, placeholders)
    assert error.value.details["code"] == code


def test_literals_are_not_converted() -> None:
    """One is no truth value, and a text of digits stays a text."""
    chart = read({"charts": [text("items", filter=where("eq", "items.quantity", value=1))]}).charts[0]
    value = chart.filter.value  # type: ignore[union-attr]
    assert (type(value), value) == (int, 1)
    chart = read({"charts": [text("orders", filter=where("eq", "orders.status", value="1"))]}).charts[0]
    assert chart.filter.value == "1"  # type: ignore[union-attr]


def test_a_condition_on_rows_below_the_root_means_a_related_row() -> None:
    """Conditions that stand together speak of the same related row; others stay where they are."""
    links = [link for link in shop.LINKS if link[1] != "payer_id"]
    conditions = [
        where("eq", "orders.status", value="paid"),
        where("gt", "orders.fee", value=5),
        where("eq", "customers.vip", value=True),
    ]
    spec = text("customers", filter={"op": "and", "filters": conditions})
    plan = read_reply(Reply(text=json.dumps({"charts": [spec]}), model="m"), shop.summary(links=links), placeholders={})
    said = plan.charts[0].filter
    assert said is not None
    dumped = said.model_dump(exclude_none=True, mode="json")
    assert dumped == {
        "op": "and",
        "filters": [
            conditions[2],
            {"op": "exists", "table": "orders", "filter": {"op": "and", "filters": conditions[:2]}},
        ],
    }


def test_marks_that_need_a_measure_count() -> None:
    """A bar chart of countries shows how many there are of each."""
    spec = {"mark": "bar", "table": "customers", "dimensions": [{"column": "customers.country"}]}
    assert read({"charts": [spec]}).charts[0].measures[0].aggregate == "count"


def test_a_big_number_of_each_group_is_a_table() -> None:
    """There is no room for groups in one number."""
    spec = {**text("customers"), "dimensions": [{"column": "customers.country"}]}
    assert read({"charts": [spec]}).charts[0].mark == "table"
