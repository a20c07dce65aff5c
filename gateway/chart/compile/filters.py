"""Filters as conditions. Text compares without regard to case; dates compare as stretches of the tenant's days."""

from __future__ import annotations

from datetime import date, datetime

from sqlglot import exp

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.binder import (
    conjunction,
    disjunction,
    is_null,
    named,
    not_null,
    number,
    paren,
)
from gateway.chart.compile.rows import Build, Joined
from gateway.chart.compile.zones import bounds, instant
from gateway.chart.legs import Leg
from gateway.chart.literals import Meaning, Span
from gateway.chart.paths import Path
from gateway.chart.spec import (
    AllOf,
    AnyOf,
    Between,
    During,
    Exists,
    Filter,
    InList,
    Negation,
    NullTest,
)

_COMPARE: dict[str, type[exp.Binary]] = {
    "eq": exp.EQ, "ne": exp.NEQ, "lt": exp.LT, "le": exp.LTE, "gt": exp.GT, "ge": exp.GTE,
}  # fmt: skip
_NEVER = date(9999, 12, 31)


class Filters:
    """Conditions over the rows of one `Joined`."""

    def __init__(self, build: Build, joined: Joined, leg: Leg) -> None:
        self._build = build
        self._joined = joined
        self._leg = leg

    def condition(self, part: Filter) -> exp.Expr:
        """One filter as a condition that is true, false or unknown."""
        if isinstance(part, AllOf):
            return paren(conjunction(self.condition(p) for p in part.filters) or exp.true())
        if isinstance(part, AnyOf):
            return paren(disjunction(self.condition(p) for p in part.filters) or exp.false())
        if isinstance(part, Negation):
            return exp.Not(this=paren(exp.Is(this=paren(self.condition(part.filter)), expression=exp.true())))
        if isinstance(part, Exists):
            return self._related(part)
        table, column = self._build.column(part.column)
        path = self._build.names.path(self._build.spec.table, self._leg, table, part.via)
        value = self._joined.read(path, table, column.name)
        if isinstance(part, NullTest):
            return is_null(value) if part.op == "is_null" else not_null(value)
        if isinstance(part, During):
            return self._during(part, value, column)
        if isinstance(part, Between):
            return self._between(part, value, column)
        if isinstance(part, InList):
            return self._among(part, value, column)
        return self._compare(part.op, value, column, self._build.meaning(part.value, column))

    def _compare(self, op: str, value: exp.Expr, column: Column, meaning: Meaning) -> exp.Expr:
        if isinstance(meaning, Span | datetime):
            return self._compare_time(op, value, column, meaning)
        if isinstance(meaning, str):
            return self._compare_text(op, value, column, meaning)
        return _COMPARE[op](this=value, expression=self._build.binder.bind(meaning))

    def _compare_text(self, op: str, value: exp.Expr, column: Column, text: str) -> exp.Expr:
        engine = self._build.engine
        plain = value if column.type is ColumnType.TEXT else engine.text(value)
        lowered = engine.lower(plain)
        if op in {"eq", "ne"}:
            return _equal(lowered, self._forms(text), negate=op == "ne")
        tests = [self._has(op, lowered, form) for form in engine.lowered(text)]
        return paren(disjunction(tests) or exp.false())

    def _forms(self, text: str) -> tuple[exp.Expr, ...]:
        return tuple(self._build.binder.bind(form) for form in self._build.engine.lowered(text))

    def _has(self, op: str, lowered: exp.Expr, form: str) -> exp.Expr:
        """Contains, starts with or ends with: by position, never by LIKE, so that no character is a wildcard."""
        engine, binder = self._build.engine, self._build.binder
        if op == "contains":
            return exp.GT(this=engine.position(lowered.copy(), binder.bind(form)), expression=number(0))
        size = binder.bind(len(form))
        first: exp.Expr = number(1)
        if op == "ends_with":
            spare = exp.Sub(this=engine.length(lowered.copy()), expression=size.copy())
            first = exp.Add(this=spare, expression=number(1))
        cut = exp.Substring(this=lowered.copy(), start=first, length=size)
        same = exp.EQ(this=cut, expression=binder.bind(form))
        if op == "starts_with":
            return same
        # A start before the first character counts from the end on some engines.
        fits = exp.GTE(this=engine.length(lowered.copy()), expression=size.copy())
        return exp.And(this=fits, expression=same)

    def _compare_time(self, op: str, value: exp.Expr, column: Column, meaning: Span | datetime) -> exp.Expr:
        stored = self._build.engine.stored(value, column)
        if isinstance(meaning, datetime):
            if column.type is ColumnType.DATE:
                return self._compare_time(op, value, column, Span(meaning.date(), _next(meaning.date())))
            return _COMPARE[op](this=stored, expression=self._edge(meaning, column))
        if op in {"eq", "ne"}:
            within = exp.And(
                this=exp.GTE(this=stored, expression=self._edge(meaning.start, column)),
                expression=exp.LT(this=stored.copy(), expression=self._edge(meaning.end, column)),
            )
            return paren(within) if op == "eq" else exp.Not(this=paren(within))
        # Before the stretch, up to its end, after it, from its start: never its middle.
        edge = self._edge(meaning.end if op in {"le", "gt"} else meaning.start, column)
        return (exp.LT if op in {"lt", "le"} else exp.GTE)(this=stored, expression=edge)

    def _edge(self, local: date | datetime, column: Column) -> exp.Expr:
        engine = self._build.engine
        if column.type is ColumnType.DATE:
            return engine.bound_date(local.date() if isinstance(local, datetime) else local)
        return engine.bound_instant(instant(local, engine.timezone), column)

    def _between(self, part: Between, value: exp.Expr, column: Column) -> exp.Expr:
        low, high = self._build.meaning(part.low, column), self._build.meaning(part.high, column)
        above = self._compare("ge", value, column, low)
        return paren(exp.And(this=above, expression=self._compare("le", value.copy(), column, high)))

    def _among(self, part: InList, value: exp.Expr, column: Column) -> exp.Expr:
        meanings = [self._build.meaning(item, column) for item in part.values]
        negate = part.op == "not_in"
        if any(isinstance(meaning, Span | datetime) for meaning in meanings):
            tests = [self._compare("eq", value.copy(), column, meaning) for meaning in meanings]
            found = paren(disjunction(tests) or exp.false())
            return exp.Not(this=found) if negate else found
        engine = self._build.engine
        marks: list[exp.Expr] = []
        for meaning in meanings:
            if isinstance(meaning, str):
                marks.extend(self._forms(meaning))
            elif not isinstance(meaning, Span | datetime):
                marks.append(self._build.binder.bind(meaning))
        target = value
        if isinstance(meanings[0], str):
            target = engine.lower(value if column.type is ColumnType.TEXT else engine.text(value))
        return _equal(target, tuple(marks), negate=negate)

    def _during(self, part: During, value: exp.Expr, column: Column) -> exp.Expr:
        engine = self._build.engine
        days = column.type is ColumnType.DATE
        start, end = bounds(part.period, engine.now, engine.timezone, engine.week_start, days=days)
        if days and end.time() != datetime.min.time():
            end = datetime.combine(_next(end.date()), datetime.min.time())
        stored = engine.stored(value, column)
        return paren(
            exp.And(
                this=exp.GTE(this=stored, expression=self._edge(start, column)),
                expression=exp.LT(this=stored.copy(), expression=self._edge(end, column)),
            )
        )

    def _related(self, part: Exists) -> exp.Expr:
        """A semi-join: the key of this row is among (or not among) the keys of the related rows."""
        build = self._build
        base = build.spec.table if self._leg.kind == "finer" else self._leg.start
        up, down = build.names.anchor(base, part)
        ours_at: Path = (self._leg.stem if self._leg.kind == "finer" else ()) + up
        step = down[-1]
        child = Joined(build, part.table)
        keys: list[exp.Expr] = [child.read(down[:-1], step.table, name) for name in step.columns]
        tests = [not_null(key.copy()) for key in keys]
        if part.filter is not None:
            inner = Filters(build, child, Leg(kind="apart", start=part.table))
            tests.append(inner.condition(part.filter))
        rows = child.select([named(key, f"k{i + 1}") for i, key in enumerate(keys)], conjunction(tests))
        ours: list[exp.Expr] = [self._joined.read(ours_at, step.parent, name) for name in step.parent_columns]
        target = ours[0] if len(ours) == 1 else exp.Tuple(expressions=ours)
        found = exp.In(this=target, query=exp.Subquery(this=rows))
        if part.op == "exists":
            return found
        missing = [is_null(key.copy()) for key in ours]
        return paren(disjunction([*missing, exp.Not(this=found)]) or exp.false())


def _equal(target: exp.Expr, marks: tuple[exp.Expr, ...], *, negate: bool) -> exp.Expr:
    if len(marks) == 1:
        return (exp.NEQ if negate else exp.EQ)(this=target, expression=marks[0])
    among = exp.In(this=target, expressions=list(marks))
    return exp.Not(this=among) if negate else among


def _next(day: date) -> date:
    return day if day >= _NEVER else date.fromordinal(day.toordinal() + 1)
