"""How each SQL engine says the few things the chart language needs. The only place where dialects differ.

Every method takes and gives trees; `x` is always a value of the barrier's rows or of a group. Dates come out as DATE
(or ISO text on SQLite), so that the same spec gives the same rows everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime
from typing import Literal

from sqlglot import exp

from gateway.catalog import Column
from gateway.chart.compile.binder import Binder, call, cast, number, paren
from gateway.chart.spec import Grain, Part

WeekStart = Literal["monday", "sunday"]


class Engine(ABC):
    """One dialect, for one statement."""

    name: str
    double = "DOUBLE"
    big = "BIGINT"
    timestamp = "TIMESTAMP"
    """Type of a wall-clock time."""
    timestamp_tz = "TIMESTAMPTZ"
    """Type of an instant."""
    has_quantile = True

    def __init__(self, binder: Binder, *, timezone: str, week_start: WeekStart, now: datetime) -> None:
        self.binder = binder
        self.timezone = timezone
        self.week_start: WeekStart = week_start
        self.now = now

    # Numbers

    def as_double(self, x: exp.Expr) -> exp.Expr:
        """As a double, so that division and averages do not depend on integer rules."""
        return cast(x, self.double, self.name)

    def as_big(self, x: exp.Expr) -> exp.Expr:
        """As a 64-bit integer, so that a product of two columns does not overflow early."""
        return cast(x, self.big, self.name)

    def summand(self, x: exp.Expr, column: Column) -> exp.Expr:  # noqa: ARG002
        """A column's value as it is summed, where the engine's own sum could overflow without a word."""
        return x

    def quotient(self, above: exp.Expr, below: exp.Expr) -> exp.Expr:
        """Division as real numbers; null where the divisor is zero."""
        return exp.Div(
            this=self.as_double(above),
            expression=exp.Nullif(this=self.as_double(below), expression=number(0)),
            typed=False,
            safe=False,
        )

    def modulo(self, x: exp.Expr, divisor: int) -> exp.Expr:
        """Rest of a whole-number division."""
        return exp.Mod(this=paren(x), expression=number(divisor))

    def quantile(self, x: exp.Expr, share: float) -> exp.Expr:
        """Percentile with linear interpolation (type 7 of Hyndman and Fan 1996)."""
        raise NotImplementedError

    # Text

    def lower(self, x: exp.Expr) -> exp.Expr:
        """Lower case."""
        return exp.Lower(this=x)

    def lowered(self, text: str) -> tuple[str, ...]:
        """The forms a text may have after `lower`."""
        return (text.lower(),)

    def position(self, x: exp.Expr, part: exp.Expr) -> exp.Expr:
        """Where a text first has a part, from 1; 0 if it has not."""
        return call("STRPOS", x, part)

    def length(self, x: exp.Expr) -> exp.Expr:
        """Characters of a text."""
        return call("LENGTH", x)

    def collated(self, x: exp.Expr) -> exp.Expr:
        """A text that sorts by code points, whatever the database's own collation."""
        return x

    def text(self, x: exp.Expr) -> exp.Expr:
        """As text."""
        return cast(x, "TEXT", self.name)

    def typed_null(self, kind: str) -> exp.Expr:  # noqa: ARG002
        """A missing value of a result type, for the unused columns of a union."""
        return exp.Null()

    # Time

    @abstractmethod
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        """The tenant's wall-clock time (or the date itself) of a stored value."""

    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        """A bound instant to compare a stored datetime with."""
        text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        if column.tz_aware:
            return cast(self.binder.bind(text + "+00:00"), self.timestamp_tz, self.name)
        return cast(self.binder.bind(text), self.timestamp, self.name)

    def bound_date(self, day: date) -> exp.Expr:
        """A bound day to compare a stored date with."""
        return cast(self.binder.bind(day.isoformat()), "DATE", self.name)

    def stored(self, x: exp.Expr, column: Column) -> exp.Expr:  # noqa: ARG002
        """A stored date or datetime in the form it is compared in."""
        return x

    @abstractmethod
    def truncate(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        """The first day (or hour) of the period a local time is in."""

    @abstractmethod
    def part(self, x: exp.Expr, part: Part) -> exp.Expr:
        """A part of a local time as a whole number; Monday is 1 and Sunday 7."""

    @abstractmethod
    def ordinal(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        """A whole number that grows by one from a period to the next."""

    def _months(self, x: exp.Expr, grain: Grain) -> exp.Expr:
        """The ordinal of a year, quarter or month."""
        year, month = self._field(x, "year"), self._field(x, "month")
        if grain == "year":
            return year
        if grain == "quarter":
            thirds = exp.IntDiv(this=paren(exp.Sub(this=month, expression=number(1))), expression=number(3))
            return exp.Add(this=exp.Mul(this=year, expression=number(4)), expression=paren(self._whole(thirds)))
        return exp.Add(this=exp.Mul(this=year, expression=number(12)), expression=month)

    def _whole(self, quotient: exp.IntDiv) -> exp.Expr:
        return quotient

    def _field(self, x: exp.Expr, unit: str) -> exp.Expr:
        return self.as_big(exp.Extract(this=exp.Var(this=unit.upper()), expression=x.copy()))
