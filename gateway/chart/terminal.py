"""A chart for a terminal: bars, lines, a heat map, a number or a table, in plain text.

Drawn here rather than by a plotting library, so that it works at any width, without colour, and on any result, and
so that no control character of a cell reaches the terminal (an escape sequence in a customer's name must not run).
"""

from __future__ import annotations

import unicodedata
from typing import Final

from gateway.chart.conditions import plain_line
from gateway.chart.formats import MISSING, format_number
from gateway.chart.render.data import Drawing, Shown, Value, cell_text, prepare
from gateway.chart.render.shape import as_category, grouping
from gateway.chart.spec import ChartSpec
from gateway.summary.model import Summary
from gateway.types import ResultTable

MIN_WIDTH: Final = 40
MAX_WIDTH: Final = 400
MAX_BARS: Final = 40
MAX_ROWS: Final = 40
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
SHADES: Final = " ░▒▓█"
COLOURS: Final = (33, 214, 36, 166, 175, 117, 227, 245)
"""Numbers of the 256-colour palette nearest to Okabe and Ito's."""
RESET: Final = "\x1b[0m"
_NO_SUMMARY: Final = Summary(source="data", tables=())


def to_text(spec: ChartSpec, result: ResultTable, *, width: int, color: bool, summary: Summary | None = None) -> str:
    """Draw a result as lines of text, each at most `width` columns wide.

    Args:
        spec: The spec that was run.
        result: Its rows.
        width: Of the terminal, in columns; 40 to 400.
        color: Whether to use 256-colour escapes. Without them no escape is written at all.
        summary: For titles and the currency; titles of the result without it.
    """
    width = max(MIN_WIDTH, min(MAX_WIDTH, width))
    drawing = prepare(spec, result, summary=summary or _NO_SUMMARY, width=640, height=320)
    if drawing.is_empty:
        return "No rows match."
    pen = _Pen(width, color=color)
    if spec.mark in ("table", "point", "boxplot") or not _has_numbers(drawing):
        lines = table_lines(drawing, result, pen)
    elif len(result.rows) == 1 and not drawing.dimensions and drawing.series is None:
        lines = [line for look in drawing.measures for line in _number(look, drawing, pen)]
    elif spec.mark in ("line", "area") and drawing.dimensions and _is_trend(drawing):
        lines = _trend(drawing, pen)
    elif spec.mark == "rect":
        lines = _heat(drawing, pen)
    else:
        lines = _bars(drawing, pen)
    return "\n".join([*lines, *drawing.notes])


def _has_numbers(drawing: Drawing) -> bool:
    return bool(drawing.measures) and all(look.kind == "number" for look in drawing.measures)


class _Pen:
    """Knows the width, and colours text if it may."""

    def __init__(self, width: int, *, color: bool) -> None:
        self.width = width
        self.color = color

    def paint(self, text: str, index: int) -> str:
        """Text in the colour of a series."""
        return f"\x1b[38;5;{COLOURS[index % len(COLOURS)]}m{text}{RESET}" if self.color and text else text

    def strong(self, text: str) -> str:
        """Text in bold."""
        return f"\x1b[1m{text}{RESET}" if self.color else text

    def faint(self, text: str) -> str:
        """Text that steps back."""
        return f"\x1b[2m{text}{RESET}" if self.color else text


def cells_wide(text: str) -> int:
    """Columns a text takes in a terminal: wide characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Cut or pad a text to exactly `width` columns."""
    line = plain_line(text, 200)
    if cells_wide(line) > width:
        while line and cells_wide(line) > width - 1:
            line = line[:-1]
        line += "…"
    space = " " * (width - cells_wide(line))
    return space + line if right else line + space


def _short(value: Value, look: Shown, drawing: Drawing) -> str:
    return (
        format_number(float(value), look.column.format, drawing.currency, short=True)
        if isinstance(value, int | float)
        else MISSING
    )


def _number(look: Shown, drawing: Drawing, pen: _Pen) -> list[str]:
    cell = drawing.values[0][look.field]
    text = (
        format_number(float(cell), look.column.format, drawing.currency) if isinstance(cell, int | float) else MISSING
    )
    return [pen.strong(text), pen.faint(fit(look.title, pen.width).rstrip())]


def _bars(drawing: Drawing, pen: _Pen) -> list[str]:
    group, split, drawing = grouping(drawing)
    group = as_category(group, drawing) if group else None
    lines: list[str] = []
    for look in drawing.measures:
        if lines:
            lines.append("")
        lines.append(pen.strong(fit(look.title, pen.width).rstrip()))
        rows = drawing.values[:MAX_BARS]
        names = [_name(row, group, split) for row in rows]
        numbers = [row[look.field] for row in rows]
        texts = [_short(v, look, drawing) for v in numbers]
        value_width = max(map(len, texts))
        name_width = min(max(map(cells_wide, names), default=0), pen.width // 2 - 4)
        room = max(4, pen.width - name_width - value_width - 2)
        real = [float(v) for v in numbers if isinstance(v, int | float)]
        low, high = min([0.0, *real]), max([0.0, *real])
        series = list(split.labels) if split else []
        for name, value, text, row in zip(names, numbers, texts, rows, strict=True):
            at = series.index(str(row[split.field])) if split and str(row[split.field]) in series else 0
            drawn = _bar(float(value), low, high, room) if isinstance(value, int | float) else ""
            lines.append(
                f"{fit(name, name_width)} {pen.paint(drawn, at)}{' ' * (room - len(drawn))} {text.rjust(value_width)}"
            )
        if len(drawing.values) > MAX_BARS:
            lines.append(pen.faint(f"… and {len(drawing.values) - MAX_BARS:,} more"))
    return lines


def _name(row: dict[str, Value], group: Shown | None, split: Shown | None) -> str:
    parts = [str(row[look.field]) for look in (group, split) if look is not None and row.get(look.field) is not None]
    return " · ".join(parts) or "all"


def _bar(value: float, low: float, high: float, room: int) -> str:
    """A bar of block characters; a negative one ends at the zero line."""
    span = (high - low) or 1.0
    zero = round(-low / span * room)
    if value < 0:
        size = max(1, round(-value / span * room))
        return " " * max(0, zero - size) + "▒" * min(size, zero)
    eighths = round(value / span * room * 8)
    full, part = divmod(min(eighths, (room - zero) * 8), 8)
    drawn = "█" * full + (EIGHTHS[part] if part else "" if full or value == 0 else "▏")
    return (" " * zero + drawn)[:room]


def _is_trend(drawing: Drawing) -> bool:
    first = drawing.dimensions[0]
    return len({row[first.field] for row in drawing.values}) > 2


def _trend(drawing: Drawing, pen: _Pen) -> list[str]:
    group, split, drawing = grouping(drawing)
    if group is None:
        return _bars(drawing, pen)
    axis = as_category(group, drawing)
    places = {
        label: i for i, label in enumerate(axis.labels or dict.fromkeys(str(row[axis.field]) for row in drawing.values))
    }
    lines: list[str] = []
    for look in drawing.measures:
        names = list(split.labels) if split else [""]
        points: dict[str, dict[int, float]] = {name: {} for name in names}
        for row in drawing.values:
            cell, place = row[look.field], places.get(str(row[axis.field]))
            name = str(row[split.field]) if split else ""
            if isinstance(cell, int | float) and place is not None and name in points:
                points[name][place] = float(cell)
        lines += [""] if lines else []
        lines.append(pen.strong(fit(look.title, pen.width).rstrip()))
        lines += _plot(list(points.values()), list(places), look, drawing, pen)
        if split:
            legend = "   ".join(pen.paint("⣿ ", i) + plain_line(n, 24) for i, n in enumerate(names[:8]))
            lines.append(legend if pen.color else _legend(names, pen))
    return lines


def _legend(names: list[str], pen: _Pen) -> str:
    return fit("   ".join(f"{_mark(i)} {name}" for i, name in enumerate(names[:8])), pen.width).rstrip()


def _mark(index: int) -> str:
    return "●○■□▲△◆◇"[index % 8]


def _plot(series: list[dict[int, float]], labels: list[str], look: Shown, drawing: Drawing, pen: _Pen) -> list[str]:
    numbers = [v for one in series for v in one.values()]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    low = 0.0 if 0 <= low < high * 0.7 else low
    high = high if high > low else low + (abs(low) or 1.0)
    rows = 12
    ticks = [
        format_number(high - (high - low) * i / (rows - 1), look.column.format, drawing.currency, short=True)
        for i in range(rows)
    ]
    gutter = max(map(len, ticks))
    room = max(8, pen.width - gutter - 2)
    grid: list[list[str]] = [[" "] * room for _ in range(rows)]
    last = max(1, len(labels) - 1)
    for index, one in enumerate(series):
        at = sorted(one)
        for here, there in zip(at, at[1:] or at, strict=False):
            start, end = round(here / last * (room - 1)), round(there / last * (room - 1))
            for x in range(start, end + 1):
                share = (x - start) / ((end - start) or 1)
                value = one[here] + (one[there] - one[here]) * share
                y = round((high - value) / (high - low) * (rows - 1))
                solid = x in (start, end)
                grid[y][x] = pen.paint(_mark(index) if solid or len(series) > 1 else "·", index)
    lines = []
    for y, row in enumerate(grid):
        tick = ticks[y] if y in (0, rows - 1, rows // 2) else ""
        lines.append(f"{tick.rjust(gutter)} ┤{''.join(row)}")
    lines.append(" " * gutter + " └" + "─" * room)
    first, final = labels[0], labels[-1]
    middle = room - cells_wide(first) - cells_wide(final)
    if middle > 0:
        lines.append(" " * (gutter + 2) + first + " " * middle + final)
    else:
        lines.append(" " * (gutter + 2) + fit(f"{first} – {final}", room).rstrip())
    return lines


def _heat(drawing: Drawing, pen: _Pen) -> list[str]:
    group, split, drawing = grouping(drawing)
    if group is None or split is None:
        return _bars(drawing, pen)
    across = as_category(group, drawing)
    look = drawing.measures[0]
    columns = list(across.labels) or list(dict.fromkeys(str(r[across.field]) for r in drawing.values))
    rows = list(split.labels) or list(dict.fromkeys(str(r[split.field]) for r in drawing.values))
    names = min(max(map(cells_wide, rows), default=1), pen.width // 3)
    room = max(2, (pen.width - names - 1) // max(1, len(columns)))
    room = min(room, 9)
    fitting = max(1, (pen.width - names - 1) // room)
    cells = {(str(r[across.field]), str(r[split.field])): r[look.field] for r in drawing.values}
    numbers = [float(v) for v in cells.values() if isinstance(v, int | float)]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    lines = [pen.strong(fit(look.title, pen.width).rstrip())]
    lines.append(" " * (names + 1) + "".join(fit(c, room - 1) + " " for c in columns[:fitting]))
    for row in rows[:MAX_ROWS]:
        line = fit(row, names) + " "
        for column in columns[:fitting]:
            value = cells.get((column, row))
            shade = (
                "·"
                if not isinstance(value, int | float)
                else SHADES[1 + round((float(value) - low) / ((high - low) or 1) * 3)]
            )
            line += shade * (room - 1) + " "
        lines.append(line.rstrip())
    lines.append(pen.faint(f"░ {_short(low, look, drawing)}   █ {_short(high, look, drawing)}"))
    if fitting < len(columns):
        lines.append(pen.faint(f"… and {len(columns) - fitting:,} more columns"))
    return lines


def table_lines(drawing: Drawing, result: ResultTable, pen: _Pen) -> list[str]:
    """The rows as a table, numbers to the right, as many columns as fit."""
    by_field = {c.field: i for i, c in enumerate(result.columns)}
    looks = [*drawing.dimensions, *([drawing.series] if drawing.series else []), *drawing.measures]
    rows = [
        [plain_line(cell_text(look, raw[by_field[look.field]], drawing.currency), 60) for look in looks]
        for raw in result.rows[:MAX_ROWS]
    ]
    wide = [max([cells_wide(look.title), *(cells_wide(r[i]) for r in rows)]) for i, look in enumerate(looks)]
    widest = max(12, pen.width // max(1, min(4, len(looks))) - 2)
    wide = [min(w, widest) for w in wide]
    shown = 0
    used = 0
    for size in wide:
        if used + size > pen.width and shown:
            break
        used += size + 2
        shown += 1
    right = [look.kind == "number" and not look.bin_width for look in looks]
    head = "  ".join(fit(looks[i].title, min(wide[i], pen.width), right=right[i]) for i in range(shown))
    lines = [pen.strong(head.rstrip()), pen.faint("─" * min(pen.width, cells_wide(head)))]
    for row in rows:
        cells = [fit(row[i], min(wide[i], pen.width), right=right[i]) for i in range(shown)]
        lines += ["  ".join(cells).rstrip()]
    if len(result.rows) > MAX_ROWS:
        lines.append(pen.faint(f"… and {len(result.rows) - MAX_ROWS:,} more rows"))
    if shown < len(looks):
        lines.append(pen.faint(f"… and {len(looks) - shown} more columns"))
    return lines
