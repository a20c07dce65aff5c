"""Join paths, metrics, canonical forms, and periods."""

# ruff: noqa: DTZ001 -- local times have no zone

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.chart.canonical import canonical, spec_hash
from gateway.chart.compile.zones import OffsetTree, bounds, instant, offsets
from gateway.chart.metric import BinaryNode, ColumnNode, MetricInvalidError, NumberNode, columns_of, parse_metric
from gateway.chart.paths import AmbiguousPathError, Graph, NoPathError
from gateway.chart.spec import ChartSpec, Period
from gateway.summary.model import Link
from tests.gateway.chart import shop
from tests.gateway.chart.cases import bar, text, where


def link(table: str, column: str, parent: str) -> Link:
    return Link(table=table, columns=(column,), parent=parent, parent_columns=("id",))


def test_the_shortest_path_is_taken_whatever_the_order_of_the_links() -> None:
    """Two steps beat three; the order in which the database lists its keys does not matter."""
    links = [link("a", "b_id", "b"), link("b", "c_id", "c"), link("c", "d_id", "d"), link("b", "d_id", "d")]
    for order in (links, links[::-1]):
        assert [step.name for step in Graph(order).path("a", "d")] == ["a.b_id", "b.d_id"]


def test_two_shortest_paths_are_a_choice_and_via_makes_it() -> None:
    """The choices are the relationships in which the paths differ."""
    graph = Graph(shop.summary().links)
    with pytest.raises(AmbiguousPathError) as error:
        graph.path("orders", "cities")
    assert error.value.choices == ("orders.customer_id", "orders.payer_id")
    names = [step.name for step in graph.path("orders", "cities", ("orders.payer_id",))]
    assert names == ["orders.payer_id", "customers.city_id"]


def test_a_row_may_have_a_parent_in_its_own_table() -> None:
    """A manager is reached by naming the step."""
    graph = Graph([link("staff", "manager_id", "staff")])
    assert graph.path("staff", "staff") == ()
    assert [step.name for step in graph.path("staff", "staff", ("staff.manager_id",))] == ["staff.manager_id"]


def test_no_path_says_what_can_be_reached() -> None:
    """Against the direction of the keys there is none: it would multiply rows."""
    with pytest.raises(NoPathError) as error:
        Graph(shop.summary().links).path("customers", "orders")
    assert error.value.reachable == ("customers", "cities")


def test_metrics_are_read_as_trees() -> None:
    """Precedence, brackets, signs, numbers."""
    aggregate, tree = parse_metric("SUM( a.x * (a.y - 1.50) + -a.z )")
    assert aggregate == "sum"
    assert isinstance(tree, BinaryNode)
    assert tree.operator == "+"
    assert tree.left == BinaryNode("*", ColumnNode("a", "x"), BinaryNode("-", ColumnNode("a", "y"), NumberNode("1.50")))
    assert columns_of(tree) == (ColumnNode("a", "x"), ColumnNode("a", "y"), ColumnNode("a", "z"))
    assert parse_metric("count(distinct a.x)") == ("count_distinct", ColumnNode("a", "x"))
    assert parse_metric("mean(a.x)")[0] == "avg"


@pytest.mark.parametrize(
    "text_of_metric",
    ["a.x", "sum()", "sum(a.x", "sum(a.x) + 1", "evil(a.x)", "sum(x)", "sum(a.x; drop)", "sum(a.x b.y)", "sum(a.x +)",
     "sum('1')", "sum(a.x) --", "sum(" + "(" * 50 + "a.x" + ")" * 50 + ")", "sum(a.b.c)", "sum(ſ.x)"],
)  # fmt: skip
def test_what_is_not_a_metric_is_refused(text_of_metric: str) -> None:
    """A closed grammar, and an error that does not quote."""
    with pytest.raises(MetricInvalidError) as error:
        parse_metric(text_of_metric)
    assert "drop" not in str(error.value)


def spec(**more: object) -> ChartSpec:
    return ChartSpec.model_validate({**bar("orders", "orders.status"), **more})


def test_equal_meanings_have_one_canonical_form() -> None:
    """Order and nesting of and/or, order of values, defaults and nulls do not matter."""
    one, two = where("eq", "orders.fee", value=1), where("is_null", "orders.fee")
    three = where("in", "orders.status", values=["a", "b"])
    forms = [
        spec(filter={"op": "and", "filters": [one, {"op": "and", "filters": [two, three]}]}),
        spec(filter={"op": "and", "filters": [{**three, "values": ["b", "a", "a"]}, two, one, one]}),
        spec(filter={"op": "and", "filters": [two, one, three]}, dual_axis=False, series=None, limit=None),
    ]
    assert len({canonical(form) for form in forms}) == 1
    assert len({spec_hash(form) for form in forms}) == 1
    assert canonical(spec(filter={"op": "or", "filters": [one]})) == canonical(spec(filter=one))


def test_other_meanings_have_other_forms() -> None:
    """Order of measures and sort keys, and the type of a literal, do matter."""
    assert canonical(spec(filter=where("eq", "orders.status", value="1"))) != canonical(
        spec(filter=where("eq", "orders.status", value="2"))
    )
    assert canonical(ChartSpec.model_validate(text("orders"))) != canonical(spec())
    assert canonical(spec(sort=[{"by": "m1"}])) != canonical(spec(sort=[{"by": "d1"}]))


def test_the_canonical_form_reads_back_as_the_same_spec() -> None:
    """It can be stored."""
    first = spec(filter=where("eq", "orders.status", value="x"), limit=3)
    assert canonical(ChartSpec.model_validate_json(canonical(first))) == canonical(first)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period(kind="last", unit="month", n=2), datetime(2024, 1, 1), datetime(2024, 3, 1)),
        (Period(kind="this", unit="quarter"), datetime(2024, 1, 1), datetime(2024, 4, 1)),
        (Period(kind="last", unit="week"), datetime(2024, 3, 4), datetime(2024, 3, 11)),
        (Period(kind="calendar", year=2023, quarter=4), datetime(2023, 10, 1), datetime(2024, 1, 1)),
        (Period(kind="calendar", year=2024, month=2), datetime(2024, 2, 1), datetime(2024, 3, 1)),
    ],
)
def test_periods_are_whole_units_of_the_tenants_calendar(period: Period, start: datetime, end: datetime) -> None:
    """Start included, end excluded."""
    assert bounds(period, shop.NOW, "UTC", "monday", days=False) == (start, end)


def test_a_week_may_start_on_sunday_and_a_day_where_the_tenant_is() -> None:
    """Friday noon in London is Saturday in Auckland."""
    now = datetime(2024, 3, 15, 12, tzinfo=UTC)
    assert bounds(Period(kind="this", unit="week"), now, "UTC", "sunday", days=False)[0] == datetime(2024, 3, 10)
    assert bounds(Period(kind="this", unit="day"), now, "Pacific/Auckland", "monday", days=False)[0].day == 16


def test_the_end_of_a_month_is_kept_in_shorter_months() -> None:
    """A month before 31 March is 29 February in a leap year."""
    now = datetime(2024, 3, 31, 12, tzinfo=UTC)
    assert bounds(Period(kind="past", unit="month"), now, "UTC", "monday", days=False)[0] == datetime(2024, 2, 29, 12)


@settings(deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 8), datetime(2026, 12, 30)),
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_the_tree_of_offsets_agrees_with_the_zone(at: datetime, zone: str) -> None:
    """At every instant from 1970 on, the search tree finds the offset the zone database has."""
    moment = at.replace(tzinfo=UTC)
    tree = offsets(zone, 2026)
    while isinstance(tree, OffsetTree):
        tree = tree.earlier if moment < tree.before else tree.later
    expected = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert expected is not None
    assert tree == expected.total_seconds()


def test_local_days_become_instants() -> None:
    """Midnight in Berlin, before and after clocks change."""
    assert instant(date(2024, 3, 31), "Europe/Berlin") == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert instant(date(2024, 4, 1), "Europe/Berlin") == datetime(2024, 3, 31, 22, tzinfo=UTC)
