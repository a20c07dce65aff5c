"""Time in the tenant's zone. A local time is the date whose UTC reading is the tenant's wall clock."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.catalog import Column, ColumnType
from gateway.chart.compile_mongo.expressions import Bound, Expression, of, op
from gateway.chart.spec import Grain, Part
from gateway.tenancy.scope import Scope

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = {"month_of_year": "month", "day_of_month": "dayOfMonth", "weekday": "isoDayOfWeek", "hour_of_day": "hour"}
_FIELDS = ("year", "month", "day", "hour", "minute", "second", "millisecond")


class Clock:
    """Dates of one pipeline.

    Args:
        scope: Has the tenant's time zone and week start.
        bound: Parameters of the pipeline.
    """

    def __init__(self, scope: Scope, bound: Bound) -> None:
        self._scope = scope
        self._bound = bound

    def local(self, x: Expression, column: Column) -> Expression:
        """The tenant's wall-clock time of a stored instant; a day is that day everywhere.

        The zone is written out, as some servers take no expression there; it is the scope's, not the question's.
        """
        if column.type is ColumnType.DATE:
            return self.day(x)
        if self._scope.timezone == "UTC":
            return x
        parts: Expression = {"date": x, "timezone": self._scope.timezone}
        fields: Expression = {name: f"$$at.{name}" for name in _FIELDS}
        return of("let", {"vars": {"at": of("dateToParts", parts)}, "in": of("dateFromParts", fields)})

    def day(self, x: Expression) -> Expression:
        """The start of a day in UTC."""
        return of("dateTrunc", {"date": x, "unit": "day"})

    def truncate(self, x: Expression, grain: Grain) -> Expression:
        """The first day (or hour) of the period a local time is in."""
        unit: dict[str, Expression] = {"date": x, "unit": grain}
        if grain == "week":
            unit["startOfWeek"] = self._scope.week_start
        return of("dateTrunc", unit)

    def part(self, x: Expression, part: Part) -> Expression:
        """A part of a local time as a whole number; Monday is 1 and Sunday 7."""
        if part == "quarter_of_year":
            return of("toInt", of("ceil", op("divide", of("month", x), 3)))
        return of(_PARTS[part], x)

    def ordinal(self, x: Expression, grain: Grain) -> Expression:
        """A whole number that grows by one from a period to the next."""
        between: dict[str, Expression] = {"startDate": self._bound.instant(_EPOCH), "endDate": x, "unit": grain}
        if grain == "week":
            between["startOfWeek"] = self._scope.week_start
        return of("dateDiff", between)
