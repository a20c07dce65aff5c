"""Measures of a reading: which aggregate of which column, metric or table, and what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.chart.spec import Aggregate, Filter, Measure
from gateway.llm.offline.lexicon import Entry, Lexicon, words_of
from gateway.llm.offline.options import Option, column_sort
from gateway.llm.offline.search import Reading
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import word_set

_AVERAGED: Final = word_set(
    "price rate score rating satisfaction age duration discount percent percentage ratio temperature "
    "height weight speed average grade gpa year latitude longitude rank ranking margin length width "
    "depth latency age size wind humidity pressure kmh mph celsius fahrenheit duration runtime "
    "resolution response wait waiting turnaround tenure"
)
"""Quantities whose sum says nothing: intensive ones. They are averaged where no aggregate is named."""

_ADDED: Final = word_set("total amount revenue sale quantity units count cost fee spend budget salary sum")


@dataclass
class Measures:
    """Measures in order, and the table each plain one counts or adds up."""

    items: list[Measure] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def add(self, measure: Measure, table: str) -> str:
        """Add a measure unless it is there, and return what it is called."""
        if measure in self.items:
            return f"m{self.items.index(measure) + 1}"
        self.items.append(measure)
        self.tables.append(table)
        return f"m{len(self.items)}"


def default_aggregate(lexicon: Lexicon, ref: str) -> Aggregate:
    """Sum for what adds up, average for what does not, by the column's released meaning and its name."""
    column = lexicon.columns[ref]
    words = words_of(column.name)
    if column.semantic in {"percent", "year", "latitude", "longitude", "hour", "month"}:
        return "avg"
    if words and words[-1] in _ADDED:
        return "sum"
    if not _AVERAGED.isdisjoint(words):
        return "avg"
    return "sum"


def count_of(table: str, root: str, lexicon: Lexicon, *, distinct: bool = False) -> Measure:
    """How many rows of a table, seen from the root."""
    if table == root and not distinct:
        return Measure(aggregate="count")
    key = lexicon.tables[table].primary_key
    name = key[0] if key else lexicon.tables[table].columns[0].name
    return Measure(aggregate="count_distinct" if distinct else "count", column=f"{table}.{name}")


def measure_of(option: Option, reading: Reading, lexicon: Lexicon) -> Measure | None:
    """The measure that a filled slot asks for."""
    entry, aggregate = option.entry, option.slot.aggregate
    if entry is None:
        return None
    if entry.kind == "metric":
        return Measure(metric=entry.ref)
    if entry.kind == "table":
        return count_of(entry.ref, reading.root, lexicon, distinct=reading.swapped or aggregate == "count_distinct")
    if entry.kind == "label":
        return None
    return _column_measure(option, entry, aggregate, reading, lexicon)


def _column_measure(
    option: Option, entry: Entry, aggregate: Aggregate | None, reading: Reading, lexicon: Lexicon
) -> Measure:
    kind = column_sort(lexicon, entry.ref)
    table = lexicon.tables[entry.table]
    column = entry.ref.partition(".")[2]
    if kind == "date" and aggregate in {None, "count", "sum", "avg"}:
        # "orders" where only an order_date is known: the rows that have one.
        return Measure(aggregate="count")
    if aggregate in {"count", "count_distinct"}:
        if aggregate == "count" and kind == "number":
            return Measure(aggregate="sum", column=entry.ref)
        if aggregate == "count" and ((column,) == table.primary_key or lexicon.columns[entry.ref].distinct == "unique"):
            return count_of(entry.table, reading.root, lexicon, distinct=reading.swapped)
        return Measure(aggregate="count_distinct", column=entry.ref)
    if aggregate in {"min", "max"} and kind in {"date", "number"}:
        return Measure(aggregate=aggregate, column=entry.ref)
    if kind in {"text", "flag", "date", "other"}:
        return (
            Measure(aggregate="count_distinct", column=entry.ref) if aggregate is None else Measure(aggregate="count")
        )
    if aggregate is None and kind == "id":
        return Measure(aggregate="count")
    if aggregate == "percentile":
        return Measure(aggregate="percentile", column=entry.ref, percentile=option.slot.percentile or 90.0)
    return Measure(aggregate=aggregate or default_aggregate(lexicon, entry.ref), column=entry.ref)


def having_measure(option: Option, reading: Reading, lexicon: Lexicon) -> Measure | None:
    """What groups are kept by: how many rows of a table they have, or a metric."""
    if option.entry is not None and option.entry.kind == "table":
        return count_of(option.entry.table, reading.root, lexicon)
    return measure_of(option, reading, lexicon)


def collect(reading: Reading, frame: Frame, lexicon: Lexicon) -> Measures:
    """All plain measures of a reading; rows of the root are counted where nothing else is measured."""
    found = Measures()
    for option in reading.of("measure"):
        measure = measure_of(option, reading, lexicon)
        if measure is not None and option.entry is not None:
            found.add(measure, option.entry.table)
    if not found.items:
        for option in reading.of("having"):
            # "customers with revenue over 1000": what they are kept by is what is shown.
            measure = having_measure(option, reading, lexicon)
            if measure is not None and option.entry is not None:
                found.add(measure, option.entry.table)
    if not found.items:
        loose = [a for a in frame.aggregates if a[0] in {"count_distinct"}]
        roots = [o.entry.table for o in reading.of("root") if o.entry]
        table = roots[0] if roots else reading.root
        found.add(count_of(table, reading.root, lexicon, distinct=bool(loose) or reading.swapped), table)
    return found


def derive(found: Measures, frame: Frame, *, ordered: bool, grouped: bool, by: str | None) -> str:
    """Add what is derived of the first measure, and return the measure that the chart is about."""
    if frame.moving and ordered:
        return found.add(Measure(derive="moving_average", of="m1", window=max(2, frame.moving)), found.tables[0])
    if frame.running and grouped:
        return found.add(Measure(derive="running_total", of="m1"), found.tables[0])
    if frame.change and ordered:
        return found.add(Measure(derive=frame.change, of="m1"), found.tables[0])
    if frame.share and grouped and len(found.items) == 1:
        return found.add(Measure(derive="share_of_total", of="m1", by=by), found.tables[0])
    return "m1"


def per_row(found: Measures, table: str, root: str, lexicon: Lexicon, *, average: bool) -> str:
    """The first measure divided by how many rows of a table there are."""
    if average and found.items[0].aggregate == "avg":
        found.items[0] = found.items[0].model_copy(update={"aggregate": "sum"})
    rows = count_of(table, root, lexicon)
    if rows.column is not None:
        rows = rows.model_copy(update={"aggregate": "count"})
    name = found.add(rows, table)
    return found.add(Measure(derive="ratio", of="m1", by=name), found.tables[0])


def per_amount(found: Measures, amount: Measure | None, table: str) -> str:
    """The first measure divided by an amount that is added up: revenue per unit."""
    if amount is None or amount == found.items[0]:
        return "m1"
    name = found.add(amount, table)
    return found.add(Measure(derive="ratio", of="m1", by=name), found.tables[0])


def ratio(found: Measures, part: Filter) -> str:
    """The share of rows that fulfil a filter: its count over the count of all."""
    whole = found.items[0]
    if whole.filter is not None or whole.derive is not None:
        return "m1"
    found.items = [whole.model_copy(update={"filter": part}), whole, Measure(derive="ratio", of="m1", by="m2")]
    found.tables = [found.tables[0]] * 3
    return "m3"
