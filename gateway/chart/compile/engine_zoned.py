"""DuckDB and PostgreSQL: time zones, DATE_TRUNC and percentiles are the engine's own."""

from __future__ import annotations

from datetime import date

from sqlglot import exp
from typing_extensions import override

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import call, cast, number, paren, word
from gateway.chart.compile.engine import Engine
from gateway.chart.spec import Grain, Part


class _Zoned(Engine):
    """DuckDB and PostgreSQL: time zones and DATE_TRUNC in the engine."""

    @override
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        if column.type is ColumnType.DATE or (self.timezone == "UTC" and not column.tz_aware):
            return x
        instant = x if column.tz_aware else exp.AtTimeZone(this=x, zone=self._zone("UTC"))
        return exp.AtTimeZone(this=instant, zone=self._zone(self.timezone))

    def _zone(self, name: str) -> exp.Expr:
        return cast(self.binder.bind(name), "TEXT", self.name)

    @override
    def truncate(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain == "day":
            return cast(x, "DATE", self.name)
        if grain == "hour":
            return cast(call("DATE_TRUNC", word("hour"), x), self.timestamp, self.name)
        if grain == "week" and self.week_start == "sunday":
            later = exp.Add(this=cast(x, "DATE", self.name), expression=number(1))
            monday = cast(call("DATE_TRUNC", word("week"), later), "DATE", self.name)
            return cast(exp.Sub(this=monday, expression=number(1)), "DATE", self.name)
        return cast(call("DATE_TRUNC", word(grain), x), "DATE", self.name)

    @override
    def part(self, x: exp.Expr, part: Part) -> exp.Expr:
        unit = {"quarter_of_year": "QUARTER", "month_of_year": "MONTH", "day_of_month": "DAY", "weekday": "ISODOW",
                "hour_of_day": "HOUR"}[part]  # fmt: skip
        return self.as_big(exp.Extract(this=exp.Var(this=unit), expression=x))

    @override
    def ordinal(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain in {"year", "quarter", "month"}:
            return self._months(x, grain)
        days = exp.Sub(this=cast(x.copy(), "DATE", self.name), expression=self.bound_date(date(1970, 1, 1)))
        if grain == "week":
            return exp.IntDiv(this=paren(exp.Add(this=self.as_big(days), expression=number(4))), expression=number(7))
        if grain == "day":
            return self.as_big(days)
        hours = exp.Mul(this=self.as_big(days), expression=number(24))
        return exp.Add(this=hours, expression=self._field(x, "hour"))


class DuckDBEngine(_Zoned):
    """DuckDB."""

    name = "duckdb"

    @override
    def quantile(self, x: exp.Expr, share: float) -> exp.Expr:
        return call("QUANTILE_CONT", self.as_double(x), self.as_double(self.binder.bind(share)))


class PostgresEngine(_Zoned):
    """PostgreSQL."""

    name = "postgres"
    double = "DOUBLE PRECISION"

    @override
    def quantile(self, x: exp.Expr, share: float) -> exp.Expr:
        order = exp.Order(expressions=[exp.Ordered(this=self.as_double(x), nulls_first=False)])
        return exp.WithinGroup(this=exp.PercentileCont(this=self.as_double(self.binder.bind(share))), expression=order)

    @override
    def modulo(self, x: exp.Expr, divisor: int) -> exp.Expr:
        # The percent sign is the driver's own mark.
        return call("MOD", x, number(divisor))

    @override
    def collated(self, x: exp.Expr) -> exp.Expr:
        return exp.Collate(this=x, expression=exp.Column(this=ident_c()))

    @override
    def typed_null(self, kind: str) -> exp.Expr:
        types = {"number": "NUMERIC", "integer": "BIGINT", "date": "DATE", "datetime": "TIMESTAMP"}
        return cast(exp.Null(), types.get(kind, "TEXT"), self.name)


def ident_c() -> exp.Identifier:
    """PostgreSQL's name of the code-point collation."""
    return exp.Identifier(this="C", quoted=True)
