"""Terminal charts on a plane: lines over time, points, and box plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.chart.formats import format_number
from gateway.chart.render.boxes import five_numbers
from gateway.chart.render.data import Drawing, Shown, is_scale
from gateway.chart.render.shape import as_category, grouping
from gateway.chart.terminal_pen import Pen, cells_wide, fit, legend, mark

ROWS: Final = 12
MAX_BOXES: Final = 30


@dataclass(frozen=True, slots=True)
class _Scale:
    """Numbers onto so many cells."""

    low: float
    high: float
    cells: int

    @classmethod
    def of(cls, numbers: list[float], cells: int) -> _Scale:
        """From the lowest to the highest; from zero where that is not far off."""
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        low = 0.0 if 0 <= low < high * 0.7 else low
        # Two ends that a float cannot tell apart, or whose distance it cannot hold, make no scale.
        high = high if high > low else low + (abs(low) or 1.0)
        return cls(low, high, cells)

    def place(self, value: float) -> int:
        """The cell of a number, from 0."""
        share = value / (self.high - self.low) - self.low / (self.high - self.low)
        return max(0, min(self.cells - 1, round(share * (self.cells - 1))))

    def ticks(self, look: Shown, drawing: Drawing) -> tuple[str, str, str]:
        """The lowest, middle and highest number as text."""
        middle = self.low + (self.high - self.low) / 2
        low, mid, high = (
            format_number(v, look.column.format, drawing.currency, short=True) for v in (self.low, middle, self.high)
        )
        return low, mid, high


def is_trend(drawing: Drawing) -> bool:
    """Whether there are enough places along the first dimension to draw a line."""
    return bool(drawing.dimensions) and len({row[drawing.dimensions[0].field] for row in drawing.values}) > 2


def trend(drawing: Drawing, pen: Pen) -> list[str]:
    """A line for each series over the places of the first dimension, a plot for each measure."""
    group, split, drawing = grouping(drawing)
    if group is None:
        return []
    axis = as_category(group, drawing)
    labels = list(axis.labels) or list(dict.fromkeys(str(row[axis.field]) for row in drawing.values))
    places = {label: i for i, label in enumerate(labels)}
    names = list(split.labels) if split else [""]
    lines: list[str] = []
    for look in drawing.measures:
        points: dict[str, dict[int, float]] = {name: {} for name in names}
        for row in drawing.values:
            cell, place = row[look.field], places.get(str(row[axis.field]))
            name = str(row[split.field]) if split else ""
            if isinstance(cell, int | float) and place is not None and name in points:
                points[name][place] = float(cell)
        lines += [""] if lines else []
        lines.append(pen.strong(fit(look.title, pen.width).rstrip()))
        lines += _lines(list(points.values()), labels, look, drawing, pen)
        lines += [legend(names, pen)] if split else []
    return lines


def _lines(series: list[dict[int, float]], labels: list[str], look: Shown, drawing: Drawing, pen: Pen) -> list[str]:
    up = _Scale.of([v for one in series for v in one.values()], ROWS)
    ticks = up.ticks(look, drawing)
    room = max(8, pen.width - max(map(len, ticks)) - 2)
    grid = [[" "] * room for _ in range(ROWS)]
    last = max(1, len(labels) - 1)
    for index, one in enumerate(series):
        at = sorted(one)
        for here, there in zip(at, at[1:] or at, strict=False):
            start, end = round(here / last * (room - 1)), round(there / last * (room - 1))
            for x in range(start, end + 1):
                share = (x - start) / ((end - start) or 1)
                y = ROWS - 1 - up.place(one[here] * (1 - share) + one[there] * share)
                solid = x in (start, end) or len(series) > 1
                grid[y][x] = pen.paint(mark(index) if solid else "·", index)
    return _framed(grid, ticks, labels[0], labels[-1])


def _framed(grid: list[list[str]], ticks: tuple[str, str, str], first: str, final: str) -> list[str]:
    """A grid with its axes: three ticks upward, the two ends across."""
    gutter = max(map(len, ticks))
    named = {len(grid) - 1: ticks[0], len(grid) // 2: ticks[1], 0: ticks[2]}
    lines = [f"{named.get(y, '').rjust(gutter)} ┤{''.join(row)}" for y, row in enumerate(grid)]
    room = len(grid[0])
    lines.append(" " * gutter + " └" + "─" * room)
    middle = room - cells_wide(first) - cells_wide(final)
    ends = first + " " * middle + final if middle > 0 else fit(f"{first} – {final}", room).rstrip()
    return [*lines, " " * (gutter + 2) + ends]


def scatter(drawing: Drawing, pen: Pen) -> list[str]:
    """Two measures (or numbers of rows) against each other; nothing if there are not two."""
    numbers = [*drawing.measures, *(d for d in drawing.dimensions if is_scale(d))]
    if len(drawing.measures) < 2:
        numbers = [*(d for d in drawing.dimensions if is_scale(d)), *drawing.measures]
    if len(numbers) < 2 or any(look.kind != "number" for look in numbers[:2]):
        return []
    across, upward = numbers[:2]
    split = as_category(drawing.series, drawing) if drawing.series else None
    names = list(split.labels) if split else []
    points: list[tuple[float, float, int]] = []
    for row in drawing.values:
        x, y = row[across.field], row[upward.field]
        name = str(row[split.field]) if split else ""
        if isinstance(x, int | float) and isinstance(y, int | float):
            points.append((float(x), float(y), names.index(name) if name in names else 0))
    if not points:
        return []
    up = _Scale.of([y for _, y, _ in points], ROWS)
    ticks = up.ticks(upward, drawing)
    side = _Scale.of([x for x, _, _ in points], max(8, pen.width - max(map(len, ticks)) - 2))
    grid = [[" "] * side.cells for _ in range(ROWS)]
    for x, y, index in points:
        grid[ROWS - 1 - up.place(y)][side.place(x)] = pen.paint(mark(index), index)
    low, _, high = side.ticks(across, drawing)
    title = fit(f"{across.title} (across) against {upward.title} (up)", pen.width).rstrip()
    return [pen.strong(title), *_framed(grid, ticks, low, high), *([legend(names, pen)] if names else [])]


def boxes(drawing: Drawing, pen: Pen) -> list[str]:
    """A box for each group, from the query's five numbers; nothing if it did not compute them."""
    numbers = five_numbers(drawing.measures)
    if numbers is None or any(look.kind != "number" for look in numbers):
        return []
    group, split, drawing = grouping(drawing)
    axis = as_category(group, drawing) if group else None
    rows: list[tuple[str, list[float]]] = []
    for row in drawing.values[:MAX_BOXES]:
        cells = [row[look.field] for look in numbers]
        parts = [str(row[look.field]) for look in (axis, split) if look is not None]
        known = [float(c) for c in cells if isinstance(c, int | float)]
        if len(known) == len(numbers):
            rows.append((" · ".join(parts) or "all", sorted(known)))
    if not rows:
        return []
    names = min(max(cells_wide(name) for name, _ in rows), pen.width // 3)
    side = _Scale.of([v for _, values in rows for v in values], pen.width - names - 1)
    lines = [pen.strong(fit(numbers[2].title, pen.width).rstrip())]
    for name, values in rows:
        low, q1, median, q3, high = (side.place(v) for v in values)
        line = [" "] * side.cells
        line[low : high + 1] = "─" * (high - low + 1)
        line[q1 : q3 + 1] = "▒" * (q3 - q1 + 1)
        line[low], line[high] = "├", "┤"
        line[median] = "┃"
        lines.append(f"{fit(name, names)} {pen.paint(''.join(line), 0)}")
    low_text, _, high_text = side.ticks(numbers[0], drawing)
    space = " " * max(1, side.cells - len(low_text) - len(high_text))
    lines.append(pen.faint((" " * (names + 1) + low_text + space + high_text)[: pen.width]))
    if len(drawing.values) > MAX_BOXES:
        lines.append(pen.faint(f"… and {len(drawing.values) - MAX_BOXES:,} more"))
    return lines
