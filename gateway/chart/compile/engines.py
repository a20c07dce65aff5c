"""How each SQL engine says the few things the chart language needs. The only place where dialects differ.

Every method takes and gives trees; `x` is always a value of the barrier's rows or of a group. Dates come out as DATE
(or ISO text on SQLite), so that the same spec gives the same rows everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime
from typing import Literal

from sqlglot import exp
from typing_extensions import override

from gateway.catalog import Column, ColumnType, Dialect
from gateway.chart.compile.binder import Binder, call, cast, number, paren, when, word
from gateway.chart.compile.zones import OffsetTree, offsets
from gateway.chart.spec import Grain, Part
from gateway.errors import ScopeRefusedError

WeekStart = Literal["monday", "sunday"]


class Engine(ABC):
    """One dialect, for one statement."""

    name: str
    double = "DOUBLE"
    big = "BIGINT"
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

    @abstractmethod
    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        """A bound instant to compare a stored datetime with."""

    @abstractmethod
    def bound_date(self, day: date) -> exp.Expr:
        """A bound day to compare a stored date with."""

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


class _Zoned(Engine):
    """DuckDB and PostgreSQL: time zones and DATE_TRUNC in the engine."""

    timestamp = "TIMESTAMP"
    timestamp_tz = "TIMESTAMPTZ"

    @override
    def local(self, x: exp.Expr, column: Column) -> exp.Expr:
        if column.type is ColumnType.DATE or (self.timezone == "UTC" and not column.tz_aware):
            return x
        instant = x if column.tz_aware else exp.AtTimeZone(this=x, zone=self._zone("UTC"))
        return exp.AtTimeZone(this=instant, zone=self._zone(self.timezone))

    def _zone(self, name: str) -> exp.Expr:
        return cast(self.binder.bind(name), "TEXT", self.name)

    @override
    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        if column.tz_aware:
            return cast(self.binder.bind(text + "+00:00"), self.timestamp_tz, self.name)
        return cast(self.binder.bind(text), self.timestamp, self.name)

    @override
    def bound_date(self, day: date) -> exp.Expr:
        return cast(self.binder.bind(day.isoformat()), "DATE", self.name)

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
        shifted = _offset_case(self, call("DATETIME", x.copy()), _sqlite_shift)
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
        return _shifted(exp.DateAdd, x, _offset_case(self, x.copy(), _mysql_shift), "SECOND")

    @override
    def bound_instant(self, moment: datetime, column: Column) -> exp.Expr:
        return cast(self.binder.bind(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")), "DATETIME(6)", self.name)

    @override
    def bound_date(self, day: date) -> exp.Expr:
        return cast(self.binder.bind(day.isoformat()), "DATE", self.name)

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


def _sqlite_shift(engine: Engine, seconds: int) -> exp.Expr:
    return engine.binder.bind(f"{seconds:+d} seconds")


def _mysql_shift(engine: Engine, seconds: int) -> exp.Expr:
    return engine.binder.bind(seconds)


def _offset_case(engine: Engine, x: exp.Expr, shift: object) -> exp.Expr:
    """The offset of the tenant's zone at an instant, as a search tree over the zone's changes."""

    def build(tree: OffsetTree | int) -> exp.Expr:
        if isinstance(tree, int):
            return _sqlite_shift(engine, tree) if shift is _sqlite_shift else _mysql_shift(engine, tree)
        limit = engine.bound_instant(tree.before, _UTC_COLUMN)
        return when([(exp.LT(this=x.copy(), expression=limit), build(tree.earlier))], build(tree.later))

    return build(offsets(engine.timezone, engine.now.year + 2))


_UTC_COLUMN = Column(name="at", physical="at", type=ColumnType.DATETIME)
_ENGINES: dict[Dialect, type[Engine]] = {
    Dialect.DUCKDB: DuckDBEngine,
    Dialect.POSTGRES: PostgresEngine,
    Dialect.SQLITE: SQLiteEngine,
    Dialect.MYSQL: MySQLEngine,
}


def engine_for(dialect: Dialect, binder: Binder, *, timezone: str, week_start: WeekStart, now: datetime) -> Engine:
    """The dialect of a source.

    Raises:
        ScopeRefusedError: No dialect is written for the engine.
    """
    engine = _ENGINES.get(dialect)
    if engine is None:
        raise ScopeRefusedError("no compiler is known for this engine", stage="compile")
    return engine(binder, timezone=timezone, week_start=week_start, now=now)
