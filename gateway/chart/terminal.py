"""A chart for a terminal: bars, lines, a heat map, a number or a table, in plain text.

Drawn here rather than by a plotting library, so that it works at any width, without colour, and on any result, and
so that no control character of a cell reaches the terminal (an escape sequence in a customer's name must not run).
"""

from __future__ import annotations

import textwrap
from typing import Final

from gateway.chart.conditions import plain_line
from gateway.chart.formats import MISSING, format_number
from gateway.chart.render.data import NO_VALUES, Drawing, Shown, Value, cell_text, prepare
from gateway.chart.render.shape import as_category, grouping
from gateway.chart.spec import ChartSpec
from gateway.chart.terminal_pen import Pen, cells_wide, fit
from gateway.chart.terminal_plot import boxes, is_trend, scatter, trend
from gateway.summary.model import Summary
from gateway.types import ResultTable

MIN_WIDTH: Final = 40
MAX_WIDTH: Final = 400
MAX_BARS: Final = 40
MAX_ROWS: Final = 40
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
SHADES: Final = " ░▒▓█"
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
        return "\n".join(textwrap.wrap(NO_VALUES, width)) if result.rows else "No rows match."
    pen = Pen(width, color=color)
    plotted = scatter(drawing, pen) if spec.mark == "point" else boxes(drawing, pen) if spec.mark == "boxplot" else []
    if plotted:
        lines = plotted
    elif spec.mark in ("table", "point", "boxplot") or not _has_numbers(drawing):
        lines = table_lines(drawing, result, pen)
    elif len(result.rows) == 1 and not drawing.dimensions and drawing.series is None:
        lines = [line for look in drawing.measures for line in _number(look, drawing, pen)]
    elif spec.mark in ("line", "area") and is_trend(drawing):
        lines = trend(drawing, pen)
    elif spec.mark == "rect":
        lines = _heat(drawing, pen)
    else:
        lines = _bars(drawing, pen)
    notes = [line for note in drawing.notes for line in textwrap.wrap(note, width)]
    return "\n".join([*lines, *notes])


def _has_numbers(drawing: Drawing) -> bool:
    return bool(drawing.measures) and all(look.kind == "number" for look in drawing.measures)


def _short(value: Value, look: Shown, drawing: Drawing) -> str:
    if not isinstance(value, int | float):
        return MISSING
    return format_number(float(value), look.column.format, drawing.currency, short=True)


def _number(look: Shown, drawing: Drawing, pen: Pen) -> list[str]:
    cell = drawing.values[0][look.field]
    text = (
        format_number(float(cell), look.column.format, drawing.currency) if isinstance(cell, int | float) else MISSING
    )
    return [pen.strong(text), pen.faint(fit(look.title, pen.width).rstrip())]


def _bars(drawing: Drawing, pen: Pen) -> list[str]:
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


def _heat(drawing: Drawing, pen: Pen) -> list[str]:
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


def table_lines(drawing: Drawing, result: ResultTable, pen: Pen) -> list[str]:
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
