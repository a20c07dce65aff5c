"""A result made ready for drawing: what each column is called and how it is read, and the rows as inline values.

Every cell becomes text, a finite number or null; times become ISO text in UTC notation of the tenant's wall clock,
so that a browser in another zone draws the same day. Labels are cut, and told apart where cutting made them equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

from gateway.chart.conditions import plain_line
from gateway.chart.formats import MISSING, format_cell, parse_time
from gateway.chart.sentence import field_title
from gateway.chart.spec import ChartSpec, Dimension
from gateway.chart.wording import capitalise, column_words, drawn_measures, measure_index
from gateway.summary.model import Summary
from gateway.types import Cell, ResultColumn, ResultTable

MAX_LABEL: Final = 48
"""Characters of a category's label."""
MAX_TITLE: Final = 70
MAX_MARKS: Final = 10_000
"""Rows that become marks: a picture of more is a blot, and takes a browser's memory."""

Kind = Literal["time", "number", "category"]
NO_VALUES: Final = "No row matches, or none has a value that can be drawn."
Value = str | float | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One column as drawn. `labels` are the categories in order of first appearance, or in their natural order.

    `additive` says that stacking the measure makes sense: counts and sums add up, averages and ratios do not.
    """

    column: ResultColumn
    title: str
    kind: Kind
    part: str = ""
    bin_width: float | None = None
    labels: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()
    numbers: tuple[float, ...] = ()
    drawn: bool = True
    additive: bool = False

    @property
    def field(self) -> str:
        """Name of the column in the data: ``d1``, ``s``, ``m1``."""
        return self.column.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Everything a mark needs: the spec, the columns, the values, and notes for the reader."""

    spec: ChartSpec
    currency: str | None
    dimensions: tuple[Shown, ...]
    series: Shown | None
    measures: tuple[Shown, ...]
    values: list[dict[str, Value]] = field(repr=False)
    width: int
    height: int
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw: no row, or no measure with a value."""
        if not self.values:
            return True
        return bool(self.measures) and all(row[m.field] is None for row in self.values for m in self.measures)


def prepare(spec: ChartSpec, result: ResultTable, *, summary: Summary, width: int, height: int) -> Drawing:
    """Turn a result into a drawing. Row order is kept: the query sorted it."""
    notes = ["Only part of the answer is shown: it has more rows than the limit."] if result.truncated else []
    if len(result.rows) > MAX_MARKS:
        notes.append(f"The first {MAX_MARKS:,} of {len(result.rows):,} rows are drawn; the table has them all.")
        result = replace(result, rows=result.rows[:MAX_MARKS])
    drawn = {f"m{i + 1}" for i in drawn_measures(spec)}
    shown: list[Shown] = []
    cells: list[list[Value]] = []
    for position, column in enumerate(result.columns):
        raw = [row[position] for row in result.rows]
        look, values = _column(spec, column, raw, summary)
        shown.append(
            look if column.role != "measure" or not drawn or column.field.partition("_")[0] in drawn else _hidden(look)
        )
        cells.append(values)
    rows: list[dict[str, Value]] = [
        {look.field: cell for look, cell in zip(shown, row, strict=True)} for row in zip(*cells, strict=True)
    ]
    _describe_rows(rows, result, shown, summary.currency)
    measures = tuple(c for c in shown if c.column.role == "measure" and c.drawn)
    return Drawing(
        spec=spec,
        currency=summary.currency,
        dimensions=tuple(c for c in shown if c.column.role == "dimension"),
        series=next((c for c in shown if c.column.role == "series"), None),
        measures=measures,
        values=rows,
        width=width,
        height=height,
        notes=notes,
    )


def _hidden(look: Shown) -> Shown:
    return replace(look, drawn=False)


def _part_of(spec: ChartSpec, name: str) -> Dimension | None:
    if name == "s":
        return spec.series
    if name.startswith("d") and name[1:].isdigit() and 0 < int(name[1:]) <= len(spec.dimensions):
        return spec.dimensions[int(name[1:]) - 1]
    return None


def title_of(spec: ChartSpec, column: ResultColumn, summary: Summary) -> str:
    """The title of a result column, from the spec where it is a part of it, else as the query called it."""
    name = column.field.partition("_")[0]
    known = _part_of(spec, name) is not None or 0 <= measure_index(name) < len(spec.measures)
    title = field_title(name, spec, summary) if known else column.title or column.field
    # vega-tooltip treats lower-case "image" and "title" as its own keys: a title of ours starts with a capital.
    return plain_line(title[:1].upper() + title[1:], MAX_TITLE)


def _column(spec: ChartSpec, column: ResultColumn, raw: list[Cell], summary: Summary) -> tuple[Shown, list[Value]]:
    dimension = _part_of(spec, column.field)
    title = title_of(spec, column, summary)
    if dimension is not None and dimension.bin is not None:
        # The bins can be seen on the axis; the sentence says how they were asked for.
        title = capitalise(column_words(dimension.column, spec.table, via=dimension.via))
    part = (dimension.part or "") if dimension else ""
    if column.role == "measure":
        values = [_number(v) for v in raw]
        numbers = tuple(float(v) for v in values if v is not None)
        if numbers or all(v is None for v in raw):
            column = _percent_points(spec, column, numbers)
            sums = _is_additive(spec, measure_index(column.field), summary)
            return Shown(column=column, title=title, kind="number", numbers=numbers, additive=sums), list(values)
    if part:
        labels = [format_cell(v, column, summary.currency, part=part) for v in raw]
        order = sorted({_rank(v) for v in raw})
        by_rank = {_rank(v): label for v, label in zip(raw, labels, strict=True)}
        natural = tuple(dict.fromkeys(by_rank[r] for r in order))
        return Shown(column=column, title=title, kind="category", part=part, labels=natural), list(labels)
    if column.type in ("date", "datetime"):
        times = [parse_time(v) for v in raw]
        if all(t is not None or v is None for t, v in zip(times, raw, strict=True)):
            iso: list[Value] = [None if t is None else t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times]
            known = tuple(sorted({t for t in times if t is not None}))
            return Shown(column=column, title=title, kind="time", times=known), iso
    if column.type == "number":
        values = [_number(v) for v in raw]
        numbers = tuple(sorted({float(v) for v in values if v is not None}))
        binned = column.grain.startswith("bin") or (dimension is not None and dimension.bin is not None)
        width = _bin_width(dimension, numbers) if binned else None
        return Shown(column=column, title=title, kind="number", bin_width=width, numbers=numbers), list(values)
    texts = _labels([format_cell(v, column, summary.currency) for v in raw])
    return Shown(column=column, title=title, kind="category", labels=tuple(dict.fromkeys(texts))), list(texts)


def _is_additive(spec: ChartSpec, at: int, summary: Summary) -> bool:
    if not 0 <= at < len(spec.measures):
        return spec.mark == "histogram"
    measure = spec.measures[at]
    if measure.metric:
        return any(m.name == measure.metric and m.aggregate in ("count", "sum") for m in summary.metrics)
    return measure.aggregate in ("count", "sum") or measure.derive == "share_of_total"


def _percent_points(spec: ChartSpec, column: ResultColumn, numbers: tuple[float, ...]) -> ResultColumn:
    """A stored percentage above one is in points (12, not 0.12): written as it is, since scaling would guess."""
    at = measure_index(column.field.partition("_")[0])
    stored = 0 <= at < len(spec.measures) and spec.measures[at].aggregate is not None
    if column.format != "percent" or not stored or max(map(abs, numbers), default=0) <= 1:
        return column
    return replace(column, format="number")


def _rank(value: Cell) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, "" if value is None else value)


def _number(value: Cell) -> float | int | None:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e300:
        return value
    return None


def _bin_width(dimension: Dimension | None, lows: tuple[float, ...]) -> float | None:
    if dimension and dimension.bin and dimension.bin.width:
        return dimension.bin.width
    gaps = [b - a for a, b in pairwise(lows) if b > a]
    return min(gaps) if gaps else None


def _labels(texts: list[str]) -> list[str]:
    """Cut labels to one short line each; different texts keep different labels."""
    taken: dict[str, str] = {}
    used: set[str] = set()
    for text in texts:
        if text in taken:
            continue
        label = base = plain_line(text, MAX_LABEL) or "(blank)"
        number = 2
        while label in used:
            label = f"{base[: MAX_LABEL - 6]} ({number})"
            number += 1
        taken[text] = label
        used.add(label)
    return [taken[text] for text in texts]


def _describe_rows(rows: list[dict[str, Value]], result: ResultTable, shown: list[Shown], currency: str | None) -> None:
    """Give each row a `label` (read out by screen readers, shown as a tooltip) and its periods as text."""
    for row, raw in zip(rows, result.rows, strict=True):
        texts = []
        for look, cell in zip(shown, raw, strict=True):
            if look.kind == "category":
                text = str(row[look.field])
            else:
                text = plain_line(cell_text(look, cell, currency), MAX_LABEL)
            if look.kind == "time" or look.bin_width:
                row[f"{look.field}_label"] = text
            texts.append(f"{look.title}: {text}")
        row["label"] = "; ".join(texts)


def is_scale(look: Shown) -> bool:
    """Whether a column is a number with a place on an axis, not a name, a period or a bin."""
    return look.kind == "number" and not look.bin_width


def plain_number(cell: Cell) -> str:
    """A number that names a group, such as a year or a key: no thousands separators, no unit."""
    whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15
    return str(int(cell)) if whole and isinstance(cell, float) else str(cell)


def cell_text(look: Shown, cell: Cell, currency: str | None, *, short: bool = False) -> str:
    """A cell of a column as text, bins as ``10 to 20``."""
    if look.bin_width and isinstance(cell, int | float):
        edges = (cell, round(cell + look.bin_width, 9))
        # Whole edges need no cents, and a currency that is unknown needs no two places either.
        whole = all(float(edge).is_integer() for edge in edges)
        column = replace(look.column, format="number") if whole and not currency else look.column
        low, high = (format_cell(edge, column, currency, short=short) for edge in edges)
        return f"{low} to {high}"
    if cell is None:
        return MISSING
    if look.column.role != "measure" and look.kind == "number":
        return plain_number(cell)
    return format_cell(cell, look.column, currency, part=look.part, short=short)
