"""Spark: every expression gives null where another engine would fail, and whole numbers are reckoned as decimals.

The session has ANSI mode off (`gateway.sources.spark_source.SETTINGS`), so nothing raises on a value and no error can
be an oracle. The price is that a 64-bit overflow would wrap around unseen: so columns of whole numbers are summed and
multiplied as decimals, which do not.
"""

from __future__ import annotations

from datetime import date

from sqlglot import exp
from typing_extensions import override

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import call, cast, number, paren, word
from gateway.chart.compile.engine import Engine
from gateway.chart.spec import Grain, Part

_WHOLE = "BIGINT"
_LOCAL = "TIMESTAMP_NTZ"


class SparkEngine(Engine):
    """Apache Spark 3.5 and newer."""

    name = "spark"
    big = "DECIMAL(20, 0)"
    timestamp = _LOCAL
    timestamp_tz = "TIMESTAMP"

    @override
    def summand(self, x: exp.Expr, column: Column) -> exp.Expr:
        return self.as_big(x) if column.type is ColumnType.INTEGER else x

    @override
    def quantile(self, x: exp.Expr, share: float) -> exp.Expr:
        return exp.Quantile(this=self.as_double(x), quantile=self.binder.bind(share))

    @override
    def position(self, x: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.StrPosition(this=x, substr=part)

    @override
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        if column.type is ColumnType.DATE:
            return x
        # The session's own zone is UTC, so an instant becomes UTC's wall-clock time.
        clock = cast(x, _LOCAL, self.name) if column.tz_aware else x
        if self.timezone == "UTC":
            return clock
        zones = {"source_tz": word("UTC"), "target_tz": self.binder.bind(self.timezone)}
        return exp.ConvertTimezone(**zones, timestamp=clock)

    @override
    def truncate(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain == "day":
            return cast(x, "DATE", self.name)
        if grain == "hour":
            return cast(self._start(x, "hour"), _LOCAL, self.name)
        if grain == "week" and self.week_start == "sunday":
            monday = cast(self._start(_days_on(cast(x, "DATE", self.name), 1), "week"), "DATE", self.name)
            return _days_on(monday, -1)
        return cast(self._start(x, grain), "DATE", self.name)

    def _start(self, x: exp.Expr, grain: str) -> exp.Expr:
        return exp.TimestampTrunc(this=x, unit=exp.Var(this=grain.upper()))

    @override
    def part(self, x: exp.Expr, part: Part) -> exp.Expr:
        if part == "weekday":
            return cast(paren(exp.Add(this=call("WEEKDAY", x), expression=number(1))), _WHOLE, self.name)
        unit = {"quarter_of_year": "QUARTER", "month_of_year": "MONTH", "day_of_month": "DAY", "hour_of_day": "HOUR"}
        return self._field(x, unit[part])

    @override
    def _field(self, x: exp.Expr, unit: str) -> exp.Expr:
        return cast(exp.Extract(this=exp.Var(this=unit.upper()), expression=x.copy()), _WHOLE, self.name)

    @override
    def ordinal(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain in {"year", "quarter", "month"}:
            return self._months(x, grain)
        days = call("DATEDIFF", cast(x.copy(), "DATE", self.name), self.bound_date(date(1970, 1, 1)))
        whole = cast(days, _WHOLE, self.name)
        if grain == "week":
            return exp.IntDiv(this=paren(exp.Add(this=whole, expression=number(4))), expression=number(7))
        if grain == "day":
            return whole
        return exp.Add(this=exp.Mul(this=whole, expression=number(24)), expression=self._field(x, "hour"))


def _days_on(x: exp.Expr, days: int) -> exp.Expr:
    return call("DATE_ADD", x, number(days) if days >= 0 else exp.Neg(this=number(-days)))
