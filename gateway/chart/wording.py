"""English names for the things a spec speaks of: columns, tables, measures and dimensions.

Used by the reader's sentence, by axis titles and by the terminal chart, so that all three say the same words. Only
identifiers of the Summary and closed words go in; no value of a row does.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.catalog import ColumnType
from gateway.chart.spec import ChartSpec, ColumnRef, Dimension, Measure
from gateway.summary.model import ColumnSummary, Summary

_INITIALS: Final = {
    "id": "ID", "url": "URL", "api": "API", "sku": "SKU", "vat": "VAT", "ip": "IP", "mrr": "MRR", "arr": "ARR",
    "nps": "NPS", "csat": "CSAT", "aov": "AOV", "ltv": "LTV", "eu": "EU", "us": "US", "uk": "UK", "usd": "USD",
    "eur": "EUR", "gbp": "GBP", "kpi": "KPI", "roi": "ROI", "cpc": "CPC", "ctr": "CTR", "os": "OS", "gdp": "GDP",
}  # fmt: skip
_IRREGULAR: Final = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse", "data": "data",
    "news": "news", "series": "series", "analyses": "analysis", "indices": "index", "movies": "movie",
    "cookies": "cookie", "addresses": "address", "statuses": "status", "buses": "bus", "taxes": "tax",
    "cities": "city",
}  # fmt: skip
_UNCHANGED_ENDINGS: Final = ("ss", "us", "is", "ics")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

PARTS: Final = {
    "quarter_of_year": "quarter of the year", "month_of_year": "month of the year",
    "day_of_month": "day of the month", "weekday": "weekday", "hour_of_day": "hour of the day",
}  # fmt: skip

AGGREGATES: Final = {
    "sum": "total {}", "avg": "average {}", "median": "median {}", "min": "lowest {}", "max": "highest {}",
    "stddev": "standard deviation of {}",
}  # fmt: skip


def humanise(name: str) -> str:
    """Turn an identifier into words: ``signed_up_on`` is ``signed up on``, ``orderID`` is ``order ID``."""
    words = [w for part in name.split("_") for w in _CAMEL.split(part) if w]
    return " ".join(_INITIALS.get(w.lower(), w.lower()) for w in words) or name


def capitalise(text: str) -> str:
    """Upper-case the first letter only: ``US orders`` stays as it is."""
    return text[:1].upper() + text[1:]


def singular(words: str) -> str:
    """The singular of a table's humanised name, by the common rules of English; unknown words stay as they are."""
    head, _, last = words.rpartition(" ")
    low = last.lower()
    if low in _IRREGULAR:
        last = _IRREGULAR[low]
    elif low.endswith("ies") and len(low) > 4:
        last = last[:-3] + "y"
    elif low.endswith(("sses", "shes", "ches", "xes", "zes")):
        last = last[:-2]
    elif low.endswith("s") and not low.endswith(_UNCHANGED_ENDINGS) and len(low) > 2:
        last = last[:-1]
    return f"{head} {last}" if head else last


def plural(words: str) -> str:
    """The plural of a singular noun phrase, by the common rules of English."""
    low = words.lower()
    if low.endswith("y") and len(low) > 1 and low[-2] not in "aeiou":
        return words[:-1] + "ies"
    if low.endswith(("s", "x", "z", "sh", "ch")):
        return words + "es"
    return words + "s"


def rows_of(table: str) -> str:
    """What the rows of a table are called, in the plural: ``orders``, ``support tickets``; ``sale`` is ``sales``."""
    words = humanise(table)
    one = singular(words)
    return words if one != words or words in _IRREGULAR.values() else plural(words)


def row_of(table: str) -> str:
    """What one row of a table is called: ``order``."""
    return singular(humanise(table))


def find_column(ref: ColumnRef, summary: Summary) -> ColumnSummary | None:
    """The column a reference names, if it is in the Summary."""
    table, _, name = ref.partition(".")
    found = summary.table(table)
    return found.column(name) if found else None


def is_temporal(ref: ColumnRef, summary: Summary) -> bool:
    """Whether the column is a date or a time stamp."""
    column = find_column(ref, summary)
    return column is not None and column.type.is_temporal


def owner_of(name: str) -> str | None:
    """What a key column points at: ``customer_id`` is ``customer``; None if it is no key by name."""
    for ending in ("_id", "_key", "_uuid", "Id", "_fk"):
        if name.endswith(ending) and len(name) > len(ending):
            return humanise(name[: -len(ending)])
    return None


def column_words(ref: ColumnRef, root: str, *, via: tuple[ColumnRef, ...] | None = None) -> str:
    """A column in words, with the thing it belongs to unless it belongs to the root: ``customer country``."""
    table, _, name = ref.partition(".")
    words = humanise(name)
    thing = row_of(table)
    if table != root and not words.lower().startswith(thing.lower()):
        words = f"{thing} {words}"
    if via:
        words += " (by way of " + " and ".join(column_words(step, root) for step in via) + ")"
    return words


def event_words(ref: ColumnRef) -> str | None:
    """The event a date column records, as a participle: ``ordered_at`` is ``ordered``; None if it is a noun."""
    name = ref.partition(".")[2]
    for ending in ("_at", "_on", "At", "On", "_datetime", "_timestamp", "_ts"):
        if name.endswith(ending) and len(name) > len(ending):
            stem = humanise(name[: -len(ending)])
            return stem if stem.split(" ")[0].endswith("ed") or ending in ("_at", "_on", "At", "On") else None
    return None


def happened(ref: ColumnRef, event: str, root: str) -> str:
    """An event as it follows a period: ``cancelled``, ``of order``, ``the customer signed up``."""
    thing = row_of(ref.partition(".")[0])
    if ref.partition(".")[0] == root:
        return event
    if event.startswith(thing):
        return f"of {thing}"
    # "signed up" is what someone did; "cancelled" is what was done.
    return f"the {thing} {event}" if " " in event else f"the {thing} was {event}"


def only_date(ref: ColumnRef, spec: ChartSpec, summary: Summary) -> bool:
    """Whether this is the only date column of the root table, so that "by month" cannot be misread."""
    table = summary.table(spec.table)
    dates = [f"{spec.table}.{c.name}" for c in table.columns if c.type.is_temporal] if table else []
    return dates == [ref]


def dimension_words(dimension: Dimension, spec: ChartSpec, summary: Summary) -> str:
    """A dimension in words: ``month``, ``month cancelled``, ``customer country``, ``unit price in bins of 10``."""
    ref = dimension.column
    words = column_words(ref, spec.table, via=dimension.via)
    if dimension.grain or dimension.part:
        span = dimension.grain or PARTS[dimension.part or ""]
        if only_date(ref, spec, summary) and not dimension.via:
            return span
        event = event_words(ref)
        if event and not dimension.via:
            return f"{span} {happened(ref, event, spec.table)}"
        return f"{span} of {words}"
    if dimension.bin:
        size = dimension.bin
        how = f"in bins of {number_words(size.width)}" if size.width else f"in up to {size.count} bins"
        return f"{words} {how}"
    return words


def number_words(value: float | int) -> str:
    """A number as people write it: ``1,200``, ``0.05``."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.10g}"


def ordinal(value: float) -> str:
    """``90th``, ``99.9th``, ``1st``."""
    text = number_words(value)
    if "." in text or text[-2:] in ("11", "12", "13"):
        return text + "th"
    return text + {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")


def _counted(measure: Measure, spec: ChartSpec, summary: Summary) -> str:
    if measure.column is None:
        return f"number of {rows_of(spec.table)}"
    table, _, name = measure.column.partition(".")
    found = summary.table(table)
    if measure.aggregate == "count":
        if found and found.primary_key == (name,):
            return f"number of {rows_of(table)}"
        return f"number of {rows_of(table)} with {article(column_words(measure.column, table))}"
    link = next((k for k in summary.links if k.table == table and k.columns == (name,)), None)
    if link:
        return f"number of different {rows_of(link.parent)}"
    if found and found.primary_key == (name,):
        return f"number of different {rows_of(table)}"
    event = event_words(measure.column)
    if event and is_temporal(measure.column, summary):
        return f"number of different dates {happened(measure.column, event, spec.table)}"
    owner = owner_of(name)
    return f"number of different {plural(owner or column_words(measure.column, spec.table, via=measure.via))}"


def article(words: str) -> str:
    """A noun phrase with its indefinite article: ``an email``."""
    return (
        "an " if words[:1].lower() in "aeiou" and not words.lower().startswith(("uni", "use", "eu")) else "a "
    ) + words


def measure_words(index: int, spec: ChartSpec, summary: Summary) -> str:
    """The measure at a position (0 is ``m1``) in words, without its own filter: ``average order value``."""
    measure = spec.measures[index]
    if measure.derive:
        return _derived(measure, index, spec, summary)
    if measure.metric:
        return humanise(measure.metric)
    if measure.aggregate in ("count", "count_distinct") or measure.column is None:
        return _counted(measure, spec, summary)
    words = column_words(measure.column, spec.table, via=measure.via)
    column = find_column(measure.column, summary)
    if measure.aggregate == "percentile":
        return f"{ordinal(measure.percentile or 50)} percentile of {words}"
    if column is not None and column.type.is_temporal and measure.aggregate in ("min", "max"):
        which = "earliest" if measure.aggregate == "min" else "latest"
        event = event_words(measure.column)
        return f"{which} {f'date {happened(measure.column, event, spec.table)}' if event else words}"
    if column is not None and column.type is ColumnType.BOOLEAN and measure.aggregate == "avg":
        return f"share of {rows_of(measure.column.partition('.')[0])} with {words.removeprefix('is ')}"
    phrase = AGGREGATES[measure.aggregate or "sum"]
    first = phrase.partition(" ")[0]
    # A column that is called so already: "sum of total", not "total total".
    doubled = words.partition(" ")[0] == first
    return f"{'sum' if first == 'total' else first} of {words}" if doubled else phrase.format(words)


def measure_index(field: str) -> int:
    """Position of a measure field: ``m1`` is 0. -1 if it is no measure."""
    return int(field[1:]) - 1 if field.startswith("m") and field[1:].isdigit() else -1


def _derived(measure: Measure, index: int, spec: ChartSpec, summary: Summary) -> str:
    def named(field: str | None, default: int) -> str:
        at = measure_index(field) if field else default
        # A measure may only be derived from an earlier one; anything else is named by its field, so that this ends.
        return measure_words(at, spec, summary) if 0 <= at < index else (field or "measure")

    base = named(measure.of, index - 1)
    step = next((d.grain for d in spec.dimensions if d.grain), None)
    if measure.derive == "ratio":
        return _ratio(base, named(measure.by, index - 1), spec, measure)
    if measure.derive == "share_of_total":
        return f"share of total {base.removeprefix('total ')}"
    if measure.derive == "running_total":
        return f"running total of {base.removeprefix('total ')}"
    if measure.derive == "moving_average":
        return f"{measure.window or 2}-{step or 'point'} moving average of {base}"
    change = "change" if measure.derive == "change" else "percentage change"
    return f"{change} in {base} against the previous {step or 'group'}"


def _ratio(base: str, below: str, spec: ChartSpec, measure: Measure) -> str:
    """``revenue per order``, ``share of subscriptions`` (some of them to all of them), else ``ratio of … to …``."""
    of, by = (measure_index(field or "") for field in (measure.of, measure.by))
    if min(of, by) < 0 or max(of, by) >= len(spec.measures):
        return f"ratio of {base} to {below}"
    if is_share(spec.measures[of], spec.measures[by]):
        return f"share of {below.removeprefix('number of ').removeprefix('total ')}"
    counted = below.removeprefix("number of ").removeprefix("different ")
    if counted != below and spec.measures[by].filter is None and " with " not in counted:
        return f"{base} per {singular(counted)}"
    return f"ratio of {base} to {below}"


def is_share(part: Measure, whole: Measure) -> bool:
    """Whether a ratio is of some rows to all of them: the same measure, filtered above and not below."""
    return part.filter is not None and whole.filter is None and part.model_copy(update={"filter": None}) == whole


def drawn_measures(spec: ChartSpec) -> tuple[int, ...]:
    """Positions of the measures a chart draws: all but those that only feed a derived one (these stay in the table)."""
    feeding = {m.of for m in spec.measures if m.derive} | {m.by for m in spec.measures if m.derive}
    return tuple(i for i in range(len(spec.measures)) if f"m{i + 1}" not in feeding)
