"""What does not fit is named by code and place, with what would be valid, and never with a value."""

# ruff: noqa: E501 -- one problem a line

from __future__ import annotations

from typing import Any

import pytest

from gateway.catalog import ColumnType
from gateway.chart.compile import compile_spec
from gateway.chart.spec import ChartSpec
from gateway.chart.validate import validate
from gateway.errors import AmbiguousError, SpecInvalidError
from gateway.summary.model import ColumnSummary, Summary, TableSummary, TimeFacts
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES, COUNT, MONTH, bar, text, where

FEE: dict[str, Any] = {"aggregate": "sum", "column": "orders.fee"}
PROBLEMS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    # name: spec, code, place, one thing that would be valid
    "table": (text("nothing"), "unknown_table", "table", "orders"),
    "column": (bar("orders", "orders.nothing"), "unknown_column", "dimensions[0].column", "orders.status"),
    "metric": (text("orders", {"metric": "nothing"}), "unknown_metric", "measures[0].metric", "revenue"),
    "two kinds of measure": (
        text("orders", {"aggregate": "count", "metric": "revenue"}), "measure_shape", "measures[0]", "aggregate"),
    "no kind of measure": (text("orders", {"column": "orders.fee"}), "measure_shape", "measures[0]", "metric"),
    "sum of text": (
        text("orders", {"aggregate": "sum", "column": "orders.status"}), "aggregate_type", "measures[0].column", "orders.fee"),
    "lowest text": (
        text("orders", {"aggregate": "min", "column": "orders.status"}), "aggregate_type", "measures[0].aggregate", "count"),
    "sum of nothing": (text("orders", {"aggregate": "sum"}), "column_missing", "measures[0].column", ""),
    "percentile without": (
        text("orders", {"aggregate": "percentile", "column": "orders.fee"}), "measure_shape", "measures[0].percentile", "percentile"),
    "unreachable dimension": (bar("cities", "orders.status"), "unreachable", "dimensions[0].via", "cities"),
    "ambiguous path": (bar("orders", "customers.name"), "ambiguous_path", "dimensions[0].via", "orders.payer_id"),
    "unreachable filter": (
        text("customers", filter=where("eq", "orders.status", value="x")), "unreachable", "filter.column", "exists"),
    "nothing related": (
        text("products", filter={"op": "exists", "table": "tickets"}), "unreachable", "filter.table", "items"),
    "date part of text": (
        bar("orders", {"column": "orders.status", "grain": "month"}), "grain_type", "dimensions[0].grain", "orders.ordered_at"),
    "hour of a date": (
        bar("customers", {"column": "customers.signed_up_on", "grain": "hour"}), "grain_type", "dimensions[0].grain", "day"),
    "grain and part": (
        bar("orders", {**MONTH, "part": "weekday"}), "dimension_shape", "dimensions[0]", "grain"),
    "bins of text": (
        bar("orders", {"column": "orders.status", "bin": {"count": 3}}), "bin_type", "dimensions[0].bin", ""),
    "bins by both": (
        bar("orders", {"column": "orders.fee", "bin": {"count": 3, "width": 2}}), "dimension_shape", "dimensions[0].bin", "width"),
    "text in a number": (
        text("orders", filter=where("eq", "orders.fee", value="cheap")), "value_type", "filter.value", "number"),
    "no such day": (
        text("orders", filter=where("eq", "orders.ordered_at", value="2024-02-30")), "value_type", "filter.value", "datetime"),
    "part of a number": (
        text("orders", filter=where("contains", "orders.fee", value="1")), "filter_type", "filter.op", "between"),
    "order of text": (
        text("orders", filter=where("lt", "orders.status", value="x")), "filter_type", "filter.op", "eq"),
    "period of text": (
        text("orders", filter=where("during", "orders.status", period={"kind": "this", "unit": "year"})),
        "filter_type", "filter.column", "date"),
    "period without unit": (
        text("orders", filter=where("during", "orders.ordered_at", period={"kind": "last"})),
        "period_shape", "filter.period.unit", "month"),
    "calendar without year": (
        text("orders", filter=where("during", "orders.ordered_at", period={"kind": "calendar", "month": 2})),
        "period_shape", "filter.period", "year"),
    "no such calendar day": (
        text("orders", filter=where("during", "orders.ordered_at",
             period={"kind": "calendar", "year": 2023, "month": 2, "day": 29})), "period_shape", "filter.period.day", ""),
    "derived from nothing": (
        bar("orders", MONTH, COUNT, {"derive": "change", "of": "m5"}), "field_ref", "measures[1].of", "m1"),
    "derived from derived": (
        bar("orders", MONTH, COUNT, {"derive": "change", "of": "m1"}, {"derive": "change", "of": "m2"}),
        "field_ref", "measures[2].of", "m1"),
    "change along names": (
        bar("orders", "orders.status", COUNT, {"derive": "change", "of": "m1"}), "order_missing", "measures[1].by", "grain"),
    "window of nothing": (
        bar("orders", MONTH, COUNT, {"derive": "moving_average", "of": "m1"}), "measure_shape", "measures[1].window", "window"),
    "having of nothing": (
        bar("orders", MONTH, having=[{"measure": "m2", "op": "gt", "value": 1}]), "field_ref", "having[0].measure", "m1"),
    "sort by nothing": (bar("orders", MONTH, sort=[{"by": "d2"}]), "field_ref", "sort[0].by", "d1"),
    "top of nothing": (bar("orders", MONTH, top={"n": 2, "of": "s"}), "field_ref", "top.of", "d1"),
    "other month": (bar("orders", MONTH, top={"n": 2, "other": True}), "top_other", "top.other", "false"),
    "bar without dimension": ({"mark": "bar", "table": "orders", "measures": [COUNT]}, "mark_dimensions", "dimensions", "1"),
    "bar without measure": (
        {"mark": "bar", "table": "orders", "dimensions": [MONTH]}, "mark_measures", "measures", "1"),
    "pie with series": (
        {**bar("orders", "orders.status", series={"column": "orders.status"}), "mark": "arc"}, "mark_series", "series", "bar"),
    "stacked line": ({**bar("orders", MONTH, stack="zero"), "mark": "line"}, "mark_stack", "stack", "area"),
    "dual axis of one": (bar("orders", MONTH, dual_axis=True), "dual_axis", "measures", "2"),
    "boxplot of a count": (
        {"mark": "boxplot", "table": "orders", "measures": [COUNT]}, "mark_measures", "measures[0].column", "number"),
    "histogram of names": (
        {"mark": "histogram", "table": "orders", "dimensions": [{"column": "orders.status"}]},
        "mark_dimensions", "dimensions[0].column", "number"),
    "lone point": (
        {"mark": "point", "table": "orders", "dimensions": [{"column": "orders.fee"}]}, "mark_dimensions", "dimensions", "2"),
    "nothing at all": ({"mark": "table", "table": "orders"}, "mark_measures", "measures", "dimensions"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_fits_has_no_problem(case: str) -> None:
    """The specs that run on every engine."""
    assert validate(ChartSpec.model_validate(CASES[case]), shop.summary(), {"v1": ()}) == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_does_not_fit_is_named(name: str) -> None:
    """Code, place, and something that would be valid."""
    spec, code, path, valid = PROBLEMS[name]
    first = validate(ChartSpec.model_validate(spec), shop.summary())[0]
    assert (first.code, first.path) == (code, path)
    assert not valid or valid in first.valid, first.valid


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_does_not_fit_is_not_compiled(name: str) -> None:
    """The compiler checks again, and an ambiguous path comes with its choices."""
    spec, code, path, _ = PROBLEMS[name]
    with pytest.raises((SpecInvalidError, AmbiguousError)) as error:
        compile_spec(
            ChartSpec.model_validate(spec),
            catalog=shop.catalog(shop.Dialect.DUCKDB),
            scope=shop.scope("a"),
            summary=shop.summary(),
            bindings={},
            now=shop.NOW,
        )
    if code == "ambiguous_path":
        assert error.value.details == {"choices": ["orders.customer_id", "orders.payer_id"], "path": path}
    else:
        assert error.value.details["code"] == code


def _dated(distinct: Any = "many") -> Summary:
    facts = TimeFacts(first="2015-01", last="2024-12", grain="hourly")
    columns = (
        ColumnSummary(name="at", type=ColumnType.DATETIME, time=facts),
        ColumnSummary(name="code", type=ColumnType.TEXT, distinct=distinct),
    )
    return Summary(source="log", tables=(TableSummary(name="events", columns=columns),))


def test_a_grain_too_fine_for_the_range_is_refused() -> None:
    """Ten years by the hour are 88,000 points; by the day they fit, and so they do with a filter."""
    hourly = bar("events", {"column": "events.at", "grain": "hour"})
    first = validate(ChartSpec.model_validate(hourly), _dated())[0]
    assert (first.code, "day" in first.valid, "hour" in first.valid) == ("grain_too_fine", True, False)
    narrowed = {**hourly, "filter": where("during", "events.at", period={"kind": "past", "unit": "day"})}
    assert validate(ChartSpec.model_validate(narrowed), _dated()) == []


def test_more_slices_than_can_be_read_are_refused_unless_cut() -> None:
    """A pie of hundreds of names; the first ten and the rest are fine."""
    pie = {**bar("events", "events.code"), "mark": "arc"}
    assert validate(ChartSpec.model_validate(pie), _dated(500))[0].code == "too_many_groups"
    assert validate(ChartSpec.model_validate({**pie, "top": {"n": 10, "other": True}}), _dated(500)) == []
    assert validate(ChartSpec.model_validate(pie), _dated(12)) == []


def test_a_unique_column_has_as_many_slices_as_its_table_has_rows() -> None:
    """Fourteen rows or fewer can be told apart, ten thousand cannot."""
    pie = ChartSpec.model_validate({**bar("events", "events.code"), "mark": "arc"})
    small = _dated("unique")
    table = small.tables[0].model_copy(update={"rows": 10_000})
    assert validate(pie, small) == []
    assert validate(pie, small.model_copy(update={"tables": (table,)}))[0].code == "too_many_groups"


def test_problems_do_not_depend_on_what_hides_behind_the_scope() -> None:
    """A hidden column and one that does not exist give the same problem."""
    hidden = validate(ChartSpec.model_validate(bar("orders", "orders.tenant_id")), shop.summary())
    missing = validate(ChartSpec.model_validate(bar("orders", "orders.whatever")), shop.summary())
    assert hidden == missing
