"""MySQL and MariaDB: dates by arithmetic, never by format strings; time zones are spelled out as offsets."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlglot import exp
from typing_extensions import override

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import call, cast, number, paren
from gateway.chart.compile.engine import Engine
from gateway.chart.compile.offsets import offset_case
from gateway.chart.spec import Grain, Part


class MySQLEngine(Engine):
    """MySQL and MariaDB: dates by arithmetic, never by format strings; time zones spelled out as offsets."""

    name = "mysql"
    big = "SIGNED"
    has_quantile = False

    @override
    def position(self, x: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("INSTR", x, part)

    @override
    def length(self, x: exp.Expr) -> exp.Expr:
        return call("CHAR_LENGTH", x)

    @override
    def text(self, x: exp.Expr) -> exp.Expr:
        return cast(x, "CHAR", self.name)

    @override
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        if column.type is ColumnType.DATE or self.timezone == "UTC":
            return x
        return _shifted(exp.DateAdd, x, offset_case(self, x.copy(), self.binder.bind), "SECOND")

    @override
    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        return cast(self.binder.bind(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")), "DATETIME(6)", self.name)

    @override
    def truncate(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        day = cast(x, "DATE", self.name)
        if grain == "day":
            return day
        if grain == "hour":
            return _shifted(exp.DateAdd, cast(day, "DATETIME", self.name), call("HOUR", x.copy()), "HOUR")
        if grain == "week":
            gone: exp.Expr = call("WEEKDAY", x.copy())
            if self.week_start == "sunday":
                gone = exp.Mod(this=paren(exp.Add(this=gone, expression=number(1))), expression=number(7))
            return _shifted(exp.DateSub, day, gone, "DAY")
        first = _shifted(exp.DateSub, day, exp.Sub(this=call("DAYOFMONTH", x.copy()), expression=number(1)), "DAY")
        if grain == "month":
            return first
        month: exp.Expr = exp.Sub(this=call("MONTH", x.copy()), expression=number(1))
        if grain == "quarter":
            month = exp.Mod(this=paren(month), expression=number(3))
        return _shifted(exp.DateSub, first, month, "MONTH")

    @override
    def part(self, x: exp.Expr, part: Part) -> exp.Expr:
        if part == "weekday":
            return exp.Add(this=call("WEEKDAY", x), expression=number(1))
        names = {"quarter_of_year": "QUARTER", "month_of_year": "MONTH", "day_of_month": "DAYOFMONTH",
                 "hour_of_day": "HOUR"}  # fmt: skip
        return call(names[part], x)

    def _field(self, x: exp.Expr, unit: str) -> exp.Expr:
        return cast(call(unit.upper(), x.copy()), "SIGNED", self.name)

    @override
    def ordinal(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain in {"year", "quarter", "month"}:
            return self._months(x, grain)
        days = cast(call("DATEDIFF", x.copy(), self.bound_date(date(1970, 1, 1))), "SIGNED", self.name)
        if grain == "day":
            return days
        if grain == "week":
            return exp.IntDiv(this=days, expression=number(7))
        return exp.Add(this=exp.Mul(this=days, expression=number(24)), expression=self._field(x, "hour"))


def _shifted(kind: type[exp.DateAdd] | type[exp.DateSub], x: exp.Expr, amount: exp.Expr, unit: str) -> exp.Expr:
    return kind(this=x, expression=paren(amount), unit=exp.Var(this=unit))
