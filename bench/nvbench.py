"""nvBench 2.0 items as Summaries, and charts in the terms its metrics compare: mark, fields, filtered fields."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.catalog import SAFE_NAME, ColumnType
from gateway.chart.spec import AllOf, AnyOf, ChartSpec, Dimension, Exists, Filter, Measure, Negation, Plan
from gateway.summary.model import ColumnSummary, Summary, TableSummary
from gateway.summary.rounding import round_count

_TYPES = {"text": ColumnType.TEXT, "integer": ColumnType.INTEGER, "real": ColumnType.NUMBER, "date": ColumnType.DATE}
_AGGREGATES = {"avg": "mean", "count_distinct": "distinct"}

Chart = tuple[str, frozenset[str], frozenset[str]]
"""Mark, fields as ``name|aggregate|bin|timeUnit``, names of filtered fields."""


@dataclass(frozen=True)
class Item:
    """One question with every chart that answers it."""

    question: str
    summary: Summary
    golds: frozenset[Chart]
    kinds: tuple[str, ...]
    raw: dict[str, object]


def load(path: Path) -> list[Item]:
    """Read the items of a file."""
    return [_item(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def halves(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """A fixed random split by table: the first half was tuned on, the second was not looked at."""
    tables = sorted({item.summary.tables[0].name for item in items})
    random.Random(20).shuffle(tables)
    tuned = set(tables[: len(tables) // 2])
    return (
        [item for item in items if item.summary.tables[0].name in tuned],
        [item for item in items if item.summary.tables[0].name not in tuned],
    )


_summaries: dict[str, Summary] = {}


def _item(raw: dict[str, object]) -> Item:
    columns = raw["columns"]
    assert isinstance(columns, list)
    key = json.dumps([raw["table"], columns])
    if key not in _summaries:
        _summaries[key] = _summary(str(raw["table"]), columns)
    golds = raw["gold"]
    assert isinstance(golds, list)
    return Item(
        question=str(raw["question"]),
        summary=_summaries[key],
        golds=frozenset(_gold(gold) for gold in golds),
        kinds=tuple(sorted({gold["mark"] for gold in golds})),
        raw=raw,
    )


def _summary(table: str, columns: Sequence[dict[str, object]]) -> Summary:
    """What a Summary says of these columns: counts are rounded as a release rounds them, and few below ten (fifteen).

    A column with as many distinct values as the largest of them is taken as unique, as these tables are small.
    """
    largest = max(int(str(c["distinct"])) for c in columns)
    found = []
    for column in columns:
        distinct = int(str(column["distinct"]))
        found.append(
            ColumnSummary(
                name=safe(str(column["name"])),
                type=_TYPES[str(column["type"])],
                distinct="unique"
                if distinct == largest
                else (max(10, round_count(distinct)) if distinct >= 10 else "few"),
            )
        )
    rows = max(20, round_count(largest)) if largest >= 15 else "few"
    return Summary(source="nvbench", tables=(TableSummary(name=safe(table), rows=rows, columns=tuple(found)),))


def _band(distinct: int) -> int | Literal["few"]:
    return max(10, round_count(distinct)) if distinct >= 10 else "few"


def safe(name: str) -> str:
    """A name as the chart language spells it."""
    return name if SAFE_NAME.match(name) else "c_" + re.sub(r"[^A-Za-z0-9_]", "_", name)[:60]


def _gold(gold: dict[str, object]) -> Chart:
    encoding, fields = gold["encoding"], set()
    assert isinstance(encoding, dict)
    for channel in encoding.values():
        fields.add(
            _field(channel.get("field"), channel.get("aggregate"), bool(channel.get("bin")), channel.get("timeUnit"))
        )
    filtered = set()
    transform = gold.get("transform") or []
    assert isinstance(transform, list)
    for step in transform:
        filtered.add(safe(step["filter"]["field"]))
    return str(gold["mark"]), frozenset(fields), frozenset(filtered)


def _field(name: str | None, aggregate: str | None, binned: bool, unit: str | None) -> str:
    return f"{safe(name) if name else ''}|{aggregate or ''}|{'bin' if binned else ''}|{unit or ''}"


def chart_of(spec: ChartSpec) -> Chart:
    """A spec in the metric's terms.

    The golds write a value without aggregate where each group is one row. The chart language has no such thing: the
    median of one row is the row's own value, and it is what the planner says then (and what a box plot is drawn of).
    """
    fields = {_dimension(d) for d in [*spec.dimensions, *([spec.series] if spec.series else [])]}
    fields |= {_measure(m) for m in spec.measures if m.derive is None}
    mark = {"histogram": "bar", "text": "text", "table": "table"}.get(spec.mark, spec.mark)
    return mark, frozenset(fields), frozenset(_filtered(spec.filter))


def _dimension(dimension: Dimension) -> str:
    name = dimension.column.partition(".")[2]
    return _field(name, None, dimension.bin is not None, dimension.grain)


def _measure(measure: Measure) -> str:
    if measure.aggregate == "count":
        return _field(None, "count", False, None)
    name = (measure.column or ".").partition(".")[2]
    aggregate = measure.aggregate or ""
    if aggregate == "median":
        return _field(name, None, False, None)
    return _field(name, _AGGREGATES.get(aggregate, aggregate), False, None)


def _filtered(part: Filter | None) -> Iterator[str]:
    if part is None:
        return
    if isinstance(part, AllOf | AnyOf):
        for inner in part.filters:
            yield from _filtered(inner)
    elif isinstance(part, Negation | Exists):
        yield from _filtered(part.filter)
    else:
        yield part.column.partition(".")[2]


def kind_of_miss(charts: Sequence[Chart], item: Item) -> str:
    """What is wrong with the first chart, against the gold chart that is nearest to it."""
    if not charts:
        return "no chart proposed"
    mark, fields, filtered = charts[0]
    nearest = min(item.golds, key=lambda g: (len(g[1] ^ fields) + 2 * (g[0] != mark) + len(g[2] ^ filtered), str(g)))
    wrong = []
    if nearest[0] != mark:
        wrong.append(f"mark {mark} for {nearest[0]}")
    if nearest[2] != filtered:
        wrong.append("filter left out" if nearest[2] - filtered else "filter too many")
    names = {f.split("|")[0] for f in fields}
    wanted = {f.split("|")[0] for f in nearest[1]}
    if fields != nearest[1]:
        if names == wanted:
            wrong.append("aggregate, bin or unit")
        elif wanted < names:
            wrong.append("a field too many")
        elif names < wanted:
            wrong.append("a field too few")
        else:
            wrong.append("another field")
    return ", ".join(wrong)


_MARKS = (("pie", "arc"), ("heat", "rect"), ("box", "boxplot"), ("scatter", "point"), ("line", "line"), ("bar", "bar"))


def baseline(summary: Summary, question: str) -> Plan:
    """The peer: exact words only. The first column named is grouped by, the first number named is averaged."""
    lowered = question.lower()
    table = summary.tables[0]
    mark = next((m for word, m in _MARKS if word in lowered), "bar")
    named = [c for c in table.columns if c.name.lower().replace("_", " ") in lowered or c.name.lower() in lowered]
    groups = [Dimension(column=f"{table.name}.{c.name}") for c in named]
    numbers = [c for c in named if c.type.is_numeric]
    aggregate = next((a for word, a in (("average", "avg"), ("total", "sum"), ("sum", "sum")) if word in lowered), None)
    measure = Measure(aggregate="count")
    if aggregate and numbers:
        measure = Measure(aggregate=aggregate, column=f"{table.name}.{numbers[0].name}")  # type: ignore[arg-type]
        groups = [g for g in groups if g.column != measure.column]
    spare = [Dimension(column=f"{table.name}.{c.name}") for c in table.columns if c not in named]
    need = 2 if mark == "rect" else 1
    groups = [*groups, *spare][:need]
    if mark == "boxplot":
        value = next((c for c in (*numbers, *table.columns) if c.type.is_numeric), None)
        if value is None:
            return Plan()
        measure = Measure(aggregate="median", column=f"{table.name}.{value.name}")
    return Plan(charts=(ChartSpec(mark=mark, table=table.name, measures=(measure,), dimensions=tuple(groups)),))  # type: ignore[arg-type]
