"""Filters as expressions that are true, or not: MongoDB has no third truth value, and none is needed.

The chart language keeps a row where a filter is true. Its ``not`` means "is not true", so what is unknown in SQL only
ever has to count as not true: each comparison asks first whether the value is there. Text compares without regard to
case; dates compare as stretches of the tenant's days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import product
from typing import Final

from gateway.catalog import Column, ColumnType
from gateway.chart.compile.zones import bounds, instant
from gateway.chart.compile_mongo.expressions import Expression, as_double, every, is_null, not_null, of, op, some
from gateway.chart.compile_mongo.rows import Build, Joined, same_keys
from gateway.chart.legs import Leg
from gateway.chart.literals import Meaning, Span
from gateway.chart.paths import Path
from gateway.chart.spec import AllOf, AnyOf, Between, During, Exists, Filter, InList, Negation, NullTest

_COMPARE: Final = {"eq": "eq", "ne": "ne", "lt": "lt", "le": "lte", "gt": "gt", "ge": "gte"}
_NEVER: Final = date(9999, 12, 31)
_MOST_FORMS: Final = 16


class Filters:
    """Conditions over the rows of one `Joined`."""

    def __init__(self, build: Build, joined: Joined, leg: Leg) -> None:
        self._build = build
        self._joined = joined
        self._leg = leg

    def split(self, part: Filter | None) -> tuple[list[Expression], list[Expression]]:
        """A filter as conditions that must all hold: those of the start's own columns, and the others."""
        early: list[Expression] = []
        late: list[Expression] = []
        for piece in _conjuncts(part):
            self._joined.touched.clear()
            related = len(self._joined.related)
            condition = self.condition(piece)
            own = self._joined.touched <= {()} and len(self._joined.related) == related
            (early if own else late).append(condition)
        return early, late

    def condition(self, part: Filter) -> Expression:
        """One filter as an expression that is true or false."""
        if isinstance(part, AllOf):
            return every([self.condition(p) for p in part.filters])
        if isinstance(part, AnyOf):
            return some([self.condition(p) for p in part.filters])
        if isinstance(part, Negation):
            return op("not", self.condition(part.filter))
        if isinstance(part, Exists):
            return self._related(part)
        table, column = self._build.column(part.column)
        value = self._joined.read(self._build.names.path(self._build.spec.table, self._leg, table, part.via),
                                  column.name)  # fmt: skip
        if isinstance(part, NullTest):
            return is_null(value) if part.op == "is_null" else not_null(value)
        if isinstance(part, During):
            return every([not_null(value), *self._during(part, value, column)])
        if isinstance(part, Between):
            low = self._compare("ge", value, column, self._build.meaning(part.low, column))
            high = self._compare("le", value, column, self._build.meaning(part.high, column))
            return every([not_null(value), low, high])
        if isinstance(part, InList):
            tests = [self._compare("eq", value, column, self._build.meaning(item, column)) for item in part.values]
            found = some(tests)
            return every([not_null(value), op("not", found) if part.op == "not_in" else found])
        test = self._compare(part.op, value, column, self._build.meaning(part.value, column))
        return every([not_null(value), test])

    def _compare(self, name: str, value: Expression, column: Column, meaning: Meaning) -> Expression:
        """A comparison of a value that is there."""
        if isinstance(meaning, Span | datetime):
            return self._compare_time(name, value, column, meaning)
        if isinstance(meaning, str):
            return self._compare_text(name, value, column, meaning)
        # A decimal 7.1 is not the double 7.1 to MongoDB: what is typed with a fraction compares as doubles.
        compared = as_double(value) if isinstance(meaning, float) else value
        return op(_COMPARE[name], compared, self._build.bound.value(meaning))

    def _compare_text(self, name: str, value: Expression, column: Column, text: str) -> Expression:
        """By position, never by a regular expression, so that no character is more than itself."""
        lowered = of("toLower", value if column.type is ColumnType.TEXT else of("toString", value))
        forms = [self._build.bound.value(form) for form in lowered_forms(text)]
        if name in {"eq", "ne"}:
            found = op("eq", lowered, forms[0]) if len(forms) == 1 else op("in", lowered, forms)
            return op("not", found) if name == "ne" else found
        if name == "contains":
            return some([op("gte", op("indexOfCP", lowered, form), 0) for form in forms])
        size = self._build.bound.value(len(lowered_forms(text)[0]))
        if name == "starts_with":
            return some([op("eq", op("substrCP", lowered, 0, size), form) for form in forms])
        spare = op("subtract", of("strLenCP", lowered), size)
        cut = op("substrCP", lowered, op("max", 0, spare), size)
        return every([op("gte", spare, 0), some([op("eq", cut, form) for form in forms])])

    def _compare_time(self, name: str, value: Expression, column: Column, meaning: Span | datetime) -> Expression:
        stored = self._stored(value, column)
        if isinstance(meaning, datetime):
            if column.type is ColumnType.DATE:
                return self._compare_time(name, value, column, Span(meaning.date(), _next(meaning.date())))
            return op(_COMPARE[name], stored, self._edge(meaning, column))
        if name in {"eq", "ne"}:
            within = every(self._within(stored, meaning.start, meaning.end, column))
            return within if name == "eq" else op("not", within)
        # Before the stretch, up to its end, after it, from its start: never its middle.
        edge = self._edge(meaning.end if name in {"le", "gt"} else meaning.start, column)
        return op("lt" if name in {"lt", "le"} else "gte", stored, edge)

    def _during(self, part: During, value: Expression, column: Column) -> list[Expression]:
        scope, days = self._build.scope, column.type is ColumnType.DATE
        start, end = bounds(part.period, self._build.now, scope.timezone, scope.week_start, days=days)
        if days and end.time() != datetime.min.time():
            end = datetime.combine(_next(end.date()), datetime.min.time())
        return self._within(self._stored(value, column), start, end, column)

    def _stored(self, value: Expression, column: Column) -> Expression:
        return self._build.clock.day(value) if column.type is ColumnType.DATE else value

    def _within(
        self, stored: Expression, start: date | datetime, end: date | datetime, column: Column
    ) -> list[Expression]:
        return [op("gte", stored, self._edge(start, column)), op("lt", stored, self._edge(end, column))]

    def _edge(self, local: date | datetime, column: Column) -> Expression:
        if column.type is ColumnType.DATE:
            return self._build.bound.instant(datetime(local.year, local.month, local.day, tzinfo=UTC))
        return self._build.bound.instant(instant(local, self._build.scope.timezone))

    def _related(self, part: Exists) -> Expression:
        """A semi-join: whether a lookup into the related rows finds one with this row's key."""
        build = self._build
        finer = self._leg.kind == "finer"
        up, down = build.names.anchor(build.spec.table if finer else self._leg.start, part)
        ours_at: Path = (self._leg.stem if finer else ()) + up
        step = down[-1]
        child = Joined(build, part.table)
        keys = [child.read(down[:-1], name) for name in step.columns]
        inner = Filters(build, child, Leg(kind="apart", start=part.table))
        early, late = inner.split(part.filter)
        ours = [self._joined.read(ours_at, name) for name in step.parent_columns]
        (early if len(down) == 1 else late).append(same_keys(keys))
        collection, stages = child.stages(early, late)
        stages += [{"$limit": 1}, {"$project": {"_id": 0, "one": {"$literal": 1}}}]
        found = build.fresh("e")
        body: dict[str, Expression] = {
            "from": collection,
            "let": {f"k{number + 1}": key for number, key in enumerate(ours)},
            "as": found,
        }
        if len(down) == 1 and isinstance(ours[0], str):
            # By field as well, so that an index is used; the expression within makes sure.
            body["localField"] = ours[0].removeprefix("$")
            body["foreignField"] = build.catalog.by_name[part.table].by_name[step.columns[0]].physical
        self._joined.related.append({"$lookup": {**body, "pipeline": stages}})
        size = of("size", f"${found}")
        return op("gt" if part.op == "exists" else "eq", size, 0)


def lowered_forms(text: str) -> tuple[str, ...]:
    """What ``$toLower`` may have made of a stored text that is the same but for case.

    It lowers ASCII letters alone (MongoDB manual, "$toLower"), so each other letter may stand in either case. Of a
    text with more than four of them only the forms in lower case, in upper case, and as given are looked for.
    """
    lowered = text.lower()
    choices = [(c,) if c.isascii() or len(c.upper()) > 1 else tuple(dict.fromkeys((c, c.upper()))) for c in lowered]
    forms = 1
    for choice in choices:
        forms *= len(choice)
    if forms > _MOST_FORMS:
        return tuple(dict.fromkeys((lowered, _ascii(text.upper()), _ascii(text))))
    return tuple(dict.fromkeys((*("".join(form) for form in product(*choices)), _ascii(text))))


def _ascii(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _conjuncts(part: Filter | None) -> Sequence[Filter]:
    if part is None:
        return ()
    if isinstance(part, AllOf):
        return [piece for inner in part.filters for piece in _conjuncts(inner)]
    return (part,)


def _next(day: date) -> date:
    return day if day >= _NEVER else date.fromordinal(day.toordinal() + 1)
