"""What is asked of a collection, as accumulators: the same facts, under the same keys, as `gateway.summary.asking`.

A document that passed the barrier is typed (``v3`` is the value of column 3 as a number, or the month of a date; ``c3``
the value itself; ``s`` the subject). Row facts are gathered over documents, unit facts over units: the same documents,
or one for each subject. Extremes are gathered within the database and leave it only as means of ten units and ratios.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from gateway.catalog import ColumnType
from gateway.mongo import Stage, marker
from gateway.summary.asking import Ask
from gateway.summary.engine import CLASSES
from gateway.summary.measured import GRID, QUANTILES, TAIL

Expression = Any
"""An aggregation expression: JSON, as the driver takes it."""
Fields = dict[str, Expression]

_BOUND: Final = 1e100
"""As in `gateway.summary.engine`: numbers beyond are left out of numeric facts, NaN and infinities with them."""
_OFF: Final = {"clock": 0, "day": 1, "year_day": 101, "weekday": 0}
_COUNTED: Final = frozenset(ColumnType) - {ColumnType.JSON, ColumnType.BINARY, ColumnType.TIME}
"""Types whose distinct values are counted; documents and lists are not."""


def typed(ask: Ask) -> Fields:
    """The fields of a typed document."""
    fields: Fields = {"_id": 0}
    if ask.subject is not None:
        fields["s"] = "$" + ask.subject
    for i, column in enumerate(ask.columns):
        raw = "$" + column.name
        fields[f"c{i}"] = raw
        if ask.describes_number(column):
            fields[f"v{i}"] = _as_number(raw)
        elif column.type.is_temporal:
            parts = _date_parts(raw)
            fields[f"v{i}"] = parts.pop("month")
            fields |= {f"{name}{i}": part for name, part in parts.items()}
        else:
            fields[f"v{i}"] = raw
    return fields


def row_facts(ask: Ask) -> Fields:
    """Accumulators over documents."""
    facts: Fields = {"seen": {"$sum": 1}}
    for i, column in enumerate(ask.columns):
        value = f"$v{i}"
        facts[f"values{i}"] = _count(_there(value))
        if ask.describes_number(column):
            facts |= {
                f"mean{i}": {"$avg": value},
                f"zeros{i}": _count({"$eq": [value, 0]}),
                f"deviation{i}": {"$stdDevPop": value},
            }
            if ask.subject is None:
                facts |= {f"least{i}": {"$min": value}, f"most{i}": {"$max": value}}
            if ask.private and column.name in ask.bounds and ask.subject is None:
                facts[f"grid{i}"] = {"$sum": _grid(value, *ask.bounds[column.name])}
        elif column.type is ColumnType.TEXT:
            facts[f"length{i}"] = {"$avg": {"$cond": [_there(value), {"$strLenCP": value}, None]}}
        for j in range(len(ask.labels.get(column.name, ()))):
            facts[f"label_rows{i}_{j}"] = _count({"$eq": [f"$c{i}", {"$literal": label_marker(i, j)}]})
    return facts


def label_marker(i: int, j: int) -> Stage:
    """What stands for an approved label of a column."""
    return marker(f"label_{i}_{j}")


def unit_fields(ask: Ask, *, grouped: bool) -> Fields:
    """What each unit says: accumulators over its documents, or expressions of its one document."""

    def flag(condition: Expression) -> Expression:
        test = {"$cond": [condition, 1, 0]}
        return {"$max": test} if grouped else test

    fields: Fields = {}
    for i, column in enumerate(ask.columns):
        value = f"$v{i}"
        fields |= {f"has{i}": flag(_there(value)), f"nil{i}": flag({"$eq": [value, None]})}
        if ask.describes_number(column):
            size = {"$cond": [_there(value), {"$abs": value}, None]}
            fields |= {
                f"lo{i}": {"$min": value} if grouped else value,
                f"hi{i}": {"$max": value} if grouped else value,
                f"ab{i}": {"$sum": size} if grouped else size,
                f"zero{i}": flag({"$eq": [value, 0]}),
                f"pos{i}": flag({"$gt": [value, 0]}),
                # Null is less than every number.
                f"neg{i}": flag({"$and": [_there(value), {"$lt": [value, 0]}]}),
                f"frac{i}": flag({"$ne": [value, {"$floor": value}]}),
            }
        elif column.type.is_temporal:
            fields |= {
                f"lo{i}": {"$min": value} if grouped else value,
                f"hi{i}": {"$max": value} if grouped else value,
                **{
                    f"off_{name}{i}": flag({"$and": [_there(value), {"$ne": [f"${name}{i}", at]}]})
                    for name, at in _OFF.items()
                },
            }
        for j in range(len(ask.labels.get(column.name, ()))):
            same = {"$eq": [f"$c{i}", {"$literal": label_marker(i, j)}]}
            fields[f"label{i}_{j}"] = flag({"$and": [_there("$s"), same]} if grouped else same)
    return fields


def unit_facts(ask: Ask) -> Fields:
    """Accumulators over units."""
    facts: Fields = {"units": {"$sum": 1}}
    for i, column in enumerate(ask.columns):
        facts |= {f"unit_values{i}": {"$sum": f"$has{i}"}, f"unit_nulls{i}": {"$sum": f"$nil{i}"}}
        if ask.describes_number(column):
            facts |= {f"unit_{name}{i}": {"$sum": f"${name}{i}"} for name in ("zero", "pos", "neg", "frac")}
            facts |= {
                f"lows{i}": {"$minN": {"input": f"$lo{i}", "n": TAIL}},
                f"highs{i}": {"$maxN": {"input": f"$hi{i}", "n": TAIL}},
                f"largest{i}": {"$maxN": {"input": f"$ab{i}", "n": 2}},
                f"total{i}": {"$sum": f"$ab{i}"},
            }
        elif column.type.is_temporal:
            facts |= {f"off_{name}{i}": {"$sum": f"$off_{name}{i}"} for name in _OFF}
            facts |= {
                f"lows{i}": {"$minN": {"input": f"$lo{i}", "n": TAIL}},
                f"highs{i}": {"$maxN": {"input": f"$hi{i}", "n": TAIL}},
            }
        for j in range(len(ask.labels.get(column.name, ()))):
            facts[f"label_units{i}_{j}"] = {"$sum": f"$label{i}_{j}"}
    return facts


def row_answer(ask: Ask) -> Fields:
    """What of `row_facts` leaves the database."""
    shown: Fields = {"_id": 0, **dict.fromkeys(row_facts(ask), 1)}
    for i, column in enumerate(ask.columns):
        if not ask.describes_number(column):
            continue
        squares = {"$multiply": [f"$deviation{i}", f"$deviation{i}", f"$values{i}"]}
        shown[f"squares{i}"] = squares
        del shown[f"deviation{i}"]
        if ask.subject is None:
            # Largest squared deviation over their sum; see `gateway.summary.asking`.
            del shown[f"least{i}"], shown[f"most{i}"]
            away = {"$max": [{"$subtract": [f"$most{i}", f"$mean{i}"]}, {"$subtract": [f"$mean{i}", f"$least{i}"]}]}
            shown[f"spread{i}"] = _ratio({"$multiply": [away, away]}, squares)
    return shown


def unit_answer(ask: Ask) -> Fields:
    """What of `unit_facts` leaves the database: tails as size, mean and ratio, dominance as ratios."""
    shown: Fields = {"_id": 0, **dict.fromkeys(unit_facts(ask), 1)}
    for i, column in enumerate(ask.columns):
        if ask.describes_number(column):
            for name in ("lows", "highs", "largest", "total"):
                del shown[f"{name}{i}"]
            shown |= _tail(f"lo{i}", f"$lows{i}") | _tail(f"hi{i}", f"$highs{i}")
            first, second = _nth(f"$largest{i}", 0), {"$ifNull": [_nth(f"$largest{i}", 1), 0]}
            shown[f"p_ratio{i}"] = _ratio({"$subtract": [{"$subtract": [f"$total{i}", first]}, second]}, first)
            shown[f"top_two{i}"] = _ratio({"$add": [first, second]}, f"$total{i}")
        elif column.type.is_temporal:
            del shown[f"lows{i}"], shown[f"highs{i}"]
            shown[f"first{i}"] = _nth(f"$lows{i}", TAIL - 1)
            shown[f"last{i}"] = _nth(f"$highs{i}", TAIL - 1)
    return shown


def distinct_stages(ask: Ask) -> dict[str, list[Stage]]:
    """For each column that can be compared, how many distinct values it has; numbers count as doubles."""

    def stages(field: str) -> list[Stage]:
        return [{"$match": {field: {"$ne": None}}}, {"$group": {"_id": "$" + field}}, {"$count": "n"}]

    return {
        f"distinct{i}": stages(f"v{i}" if ask.describes_number(column) else f"c{i}")
        for i, column in enumerate(ask.columns)
        if column.type in _COUNTED
    }


def quantile_stages(ask: Ask) -> dict[str, list[Stage]]:
    """For each number, the quantiles, interpolated between the two values beside each (linear, type 7)."""
    return {f"quantiles{i}": _quantiles(f"v{i}") for i, c in enumerate(ask.columns) if ask.describes_number(c)}


def class_facts(ask: Ask) -> Fields:
    """Accumulators: how many texts were looked at, and how many fit each text class."""
    facts: Fields = {}
    for i, column in enumerate(ask.columns):
        if column.type is ColumnType.TEXT:
            facts[f"class_looked{i}"] = _count(_there(f"$c{i}"))
            facts |= {f"class_{word}{i}": _count(_fits(f"$c{i}", pattern)) for word, pattern in CLASSES.items()}
    return facts


def class_stages(ask: Ask, rows: int) -> list[Stage]:
    """`class_facts` over the first rows; nothing if there is no text."""
    facts = class_facts(ask)
    return [{"$limit": rows}, {"$group": {"_id": None, **facts}}, {"$project": {"_id": 0}}] if facts else []


def _as_number(raw: str) -> Expression:
    converted = {"$convert": {"input": raw, "to": "double", "onError": None, "onNull": None}}
    inside = {"$and": [{"$gte": ["$$d", -_BOUND]}, {"$lte": ["$$d", _BOUND]}]}
    return {"$let": {"vars": {"d": converted}, "in": {"$cond": [inside, "$$d", None]}}}


def _date_parts(raw: str) -> Fields:
    month = {"$month": raw}
    return {
        "month": {"$add": [{"$multiply": [{"$year": raw}, 12]}, {"$subtract": [month, 1]}]},
        "clock": {"$add": [{"$hour": raw}, {"$minute": raw}, {"$second": raw}]},
        "day": {"$dayOfMonth": raw},
        "year_day": {"$add": [{"$multiply": [month, 100]}, {"$dayOfMonth": raw}]},
        "weekday": {"$subtract": [{"$isoDayOfWeek": raw}, 1]},
    }


def _grid(value: str, low: float, high: float) -> Expression:
    """As `gateway.summary.asking` counts it: whole steps between the bounds."""
    steps = {"$round": [{"$multiply": [{"$subtract": [value, low]}, GRID / (high - low)]}, 0]}
    inside = {"$cond": [{"$gte": [value, high]}, GRID, steps]}
    return {"$cond": [_there(value), {"$cond": [{"$lte": [value, low]}, 0, inside]}, None]}


def _quantiles(field: str) -> list[Stage]:
    place = [{"$multiply": [{"$subtract": [{"$size": "$x"}, 1]}, share]} for share in QUANTILES]
    return [
        {"$match": {field: {"$ne": None}}},
        {"$project": {field: 1}},
        {"$sort": {field: 1}},
        {"$group": {"_id": None, "x": {"$push": "$" + field}}},
        {"$project": {"_id": 0, "q": [_between(at) for at in place]}},
    ]


def _between(place: Expression) -> Expression:
    low = {"$toInt": {"$floor": "$$p"}}
    high = {"$toInt": {"$ceil": "$$p"}}
    below, above = {"$arrayElemAt": ["$x", low]}, {"$arrayElemAt": ["$x", high]}
    weight = {"$subtract": ["$$p", {"$floor": "$$p"}]}
    between = {"$add": [below, {"$multiply": [{"$subtract": [above, below]}, weight]}]}
    return {"$let": {"vars": {"p": place}, "in": between}}


def _tail(name: str, values: str) -> Fields:
    """Size, mean and p ratio of the units at one end."""
    sizes = {"$sortArray": {"input": {"$map": {"input": values, "in": {"$abs": "$$this"}}}, "sortBy": -1}}
    first, second = _nth("$$a", 0), {"$ifNull": [_nth("$$a", 1), 0]}
    rest = {"$subtract": [{"$subtract": [{"$sum": "$$a"}, first]}, second]}
    return {
        f"{name}_units": {"$size": values},
        f"{name}_mean": {"$avg": values},
        f"{name}_p": {"$let": {"vars": {"a": sizes}, "in": _ratio(rest, first)}},
    }


def _fits(value: str, pattern: str) -> Expression:
    regex = pattern.replace("[[:space:]]", r"\s").replace("[:space:]", r"\s")
    return {"$and": [_there(value), {"$regexMatch": {"input": {"$ifNull": [value, ""]}, "regex": regex}}]}


def _nth(values: str, place: int) -> Expression:
    return {"$arrayElemAt": [values, place]}


def _ratio(part: Expression, whole: Expression) -> Expression:
    """A quotient; null where the whole is zero or missing."""
    return {"$cond": [{"$gt": [whole, 0]}, {"$divide": [part, whole]}, None]}


def _there(value: str) -> Expression:
    return {"$gt": [value, None]}


def _count(condition: Expression) -> Expression:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def spread_facets(
    edges: Mapping[str, tuple[float, ...]], paired: Sequence[str], *, pair_rows: int
) -> dict[str, list[Stage]]:
    """Rows up to each edge of each column; and signs of the distances from the means over the first rows."""
    facts: Fields = {}
    for i, name in enumerate(edges):
        value = f"${name}"
        facts[f"counted{i}"] = _count(_there(value))
        facts |= {
            f"upto{i}_{j}": _count({"$and": [_there(value), {"$lte": [value, edge]}]})
            for j, edge in enumerate(edges[name])
        }
    facets: dict[str, list[Stage]] = {"bins": [{"$group": {"_id": None, **facts}}, {"$project": {"_id": 0}}]}
    if not paired:
        return facets
    means: Fields = {f"m{i}": {"$avg": f"${name}"} for i, name in enumerate(paired)}
    above: Fields = {
        f"h{i}": {"$cond": [_there(f"${name}"), {"$cond": [{"$gt": [f"${name}", f"$m{i}"]}, 1, 0]}, None]}
        for i, name in enumerate(paired)
    }
    pairs: Fields = {}
    for i, j in combinations(range(len(paired)), 2):
        both = {"$and": [_there(f"$h{i}"), _there(f"$h{j}")]}
        pairs |= {
            f"n{i}_{j}": _count(both),
            f"a{i}_{j}": {"$sum": {"$cond": [both, f"$h{i}", 0]}},
            f"b{i}_{j}": {"$sum": {"$cond": [both, f"$h{j}", 0]}},
            f"ab{i}_{j}": {"$sum": {"$cond": [both, {"$multiply": [f"$h{i}", f"$h{j}"]}, 0]}},
        }
    window: Stage = {"$setWindowFields": {"output": means}}
    gathered: list[Stage] = [{"$group": {"_id": None, **pairs}}, {"$project": {"_id": 0}}]
    facets["pairs"] = [{"$limit": pair_rows}, window, {"$project": above}, *gathered]
    return facets


def numbers(names: Collection[str]) -> Fields:
    """A document's fields as numbers, under their own names."""
    return {"_id": 0, **{name: _as_number("$" + name) for name in names}}
