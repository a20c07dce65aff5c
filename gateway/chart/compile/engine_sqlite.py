"""SQLite: dates are ISO text, and time zones are spelled out as offsets."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlglot import exp
from typing_extensions import override

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import call, number, paren, word
from gateway.chart.compile.engine import Engine
from gateway.chart.compile.offsets import offset_case
from gateway.chart.spec import Grain, Part

_ISO = "%Y-%m-%dT%H:%M:%S"


class SQLiteEngine(Engine):
    """SQLite: dates are ISO text, and time zones are spelled out as offsets."""

    name = "sqlite"
    double = "REAL"
    big = "INTEGER"
    has_quantile = False

    @override
    def lowered(self, text: str) -> tuple[str, ...]:
        # SQLite lowers ASCII letters only, so a stored capital umlaut stays one.
        ascii_only = "".join(c.lower() if c.isascii() else c for c in text)
        return tuple(dict.fromkeys((text.lower(), ascii_only)))

    @override
    def position(self, x: exp.Expr, part: exp.Expr) -> exp.Expr:
        return call("INSTR", x, part)

    @override
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        if column.type is ColumnType.DATE:
            return call("DATE", x)
        if self.timezone == "UTC":
            return call("STRFTIME", word(_ISO), x)
        shifted = offset_case(self, call("DATETIME", x.copy()), self._seconds)
        return call("STRFTIME", word(_ISO), x, shifted)

    @override
    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        return self.binder.bind(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"))

    @override
    def bound_date(self, day: date) -> exp.Expr:
        return self.binder.bind(day.isoformat())

    @override
    def stored(self, x: exp.Expr, column: Column) -> exp.Expr:
        return call("DATE" if column.type is ColumnType.DATE else "DATETIME", x)

    @override
    def truncate(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain in {"year", "month"}:
            return call("DATE", x, word(f"start of {grain}"))
        if grain == "quarter":
            back = exp.Mod(this=paren(exp.Sub(this=self._strf("%m", x), expression=number(1))), expression=number(3))
            shift = exp.DPipe(this=exp.Neg(this=paren(back)), expression=word(" months"), safe=True)
            return call("DATE", x, word("start of month"), shift)
        if grain == "week":
            last = "weekday 0" if self.week_start == "monday" else "weekday 6"
            return call("DATE", x, word(last), word("-6 days"))
        if grain == "day":
            return call("DATE", x)
        return call("STRFTIME", word("%Y-%m-%dT%H:00:00"), x)

    def _strf(self, form: str, x: exp.Expr) -> exp.Expr:
        return self.as_big(call("STRFTIME", word(form), x.copy()))

    @override
    def part(self, x: exp.Expr, part: Part) -> exp.Expr:
        if part == "quarter_of_year":
            months = exp.Add(this=self._strf("%m", x), expression=number(2))
            return self.as_big(exp.Div(this=paren(months), expression=number(3), typed=True, safe=True))
        if part == "weekday":
            days = exp.Add(this=self._strf("%w", x), expression=number(6))
            return exp.Add(this=paren(exp.Mod(this=paren(days), expression=number(7))), expression=number(1))
        return self._strf({"month_of_year": "%m", "day_of_month": "%d", "hour_of_day": "%H"}[part], x)

    def _field(self, x: exp.Expr, unit: str) -> exp.Expr:
        return self._strf({"year": "%Y", "month": "%m", "hour": "%H"}[unit], x)

    def _whole(self, quotient: exp.IntDiv) -> exp.Expr:
        # Both sides are integers, and SQLite divides integers as integers.
        return exp.Div(this=quotient.this, expression=quotient.expression, typed=True, safe=True)

    @override
    def ordinal(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        if grain in {"year", "quarter", "month"}:
            return self._months(x, grain)
        days = self.as_big(call("JULIANDAY", call("DATE", x.copy())))
        if grain == "day":
            return days
        if grain == "week":
            return self.as_big(exp.Div(this=days, expression=number(7), typed=True, safe=True))
        return exp.Add(this=exp.Mul(this=days, expression=number(24)), expression=self._field(x, "hour"))

    def _seconds(self, seconds: int) -> exp.Expr:
        return self.binder.bind(f"{seconds:+d} seconds")
