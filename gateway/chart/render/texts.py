"""Marks that are words: big numbers, a table, and the picture of an answer without rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.chart.formats import format_number
from gateway.chart.render.channels import Json, words
from gateway.chart.render.data import NO_VALUES, Drawing, Shown, Value, cell_text
from gateway.chart.render.theme import INK, MUTED

MAX_NUMBERS: Final = 4
MAX_ROWS: Final = 20
MAX_COLUMNS: Final = 8
ROW_HEIGHT: Final = 26
CHAR_WIDTH: Final = 7.2
"""Mean width of a character of 13 pixel sans-serif text, in pixels."""
MISSING: Final = "–"


def text(drawing: Drawing) -> tuple[Json, Drawing]:
    """Big numbers, side by side; a table if there is more than one row."""
    if len(drawing.values) != 1 or drawing.dimensions or drawing.series or not drawing.measures:
        return table(drawing)
    row = drawing.values[0]
    shown = drawing.measures[:MAX_NUMBERS]
    each = max(220, drawing.width // len(shown))
    texts: dict[str, Value] = {}
    for index, look in enumerate(shown):
        cell = row[look.field]
        texts[f"title{index}"] = look.title
        texts[f"big{index}"] = MISSING
        if isinstance(cell, int | float):
            short = abs(cell) >= 1e6
            texts[f"big{index}"] = format_number(float(cell), look.column.format, drawing.currency, short=short)
    longest = max(len(str(texts[f"big{index}"])) for index in range(len(shown)))
    size = min(56, int((each - 28) / (0.58 * longest)))
    style: Json = {"align": "left", "baseline": "middle"}
    said: Json = {"description": {"field": "label", "type": "nominal"}}
    layers: list[Json] = []
    for index in range(len(shown)):
        left: Json = {"x": {"value": index * each}}
        big = style | {"fontSize": size, "fontWeight": 700}
        small = style | {"fontSize": 14, "color": MUTED["light"], "limit": each - 20}
        layers.append(words(f"big{index}", left | {"y": {"value": 44}} | said, **big))
        layers.append(words(f"title{index}", left | {"y": {"value": 94}}, **small))
    body: Json = {"layer": layers, "width": each * len(shown), "height": 116}
    return body, replace(drawing, values=[row | texts])


def table(drawing: Drawing) -> tuple[Json, Drawing]:
    """The rows as text, numbers to the right; the first twenty, and a note of how many there are."""
    columns = [*drawing.dimensions, *([drawing.series] if drawing.series else []), *drawing.measures]
    notes = list(drawing.notes)
    if len(columns) > MAX_COLUMNS:
        notes.append(f"The first {MAX_COLUMNS} of {len(columns)} columns are drawn.")
        columns = columns[:MAX_COLUMNS]
    if len(drawing.values) > MAX_ROWS:
        notes.append(f"The first {MAX_ROWS} of {len(drawing.values):,} rows are drawn.")
    rows = _table_rows(columns, drawing)
    said: Json = {"description": {"field": "label", "type": "nominal"}}
    line: Json = {"type": "rule", "strokeWidth": 1, "opacity": 0.35, "yOffset": ROW_HEIGHT / 2}
    layers: list[Json] = [{"mark": line, "encoding": {"y": _row()} | said}]
    left = 0.0
    for index, look in enumerate(columns):
        longest = max(len(str(row[name])) for row in rows for name in (f"c{index}", f"h{index}"))
        wide = min(320.0, longest * CHAR_WIDTH + 28)
        right = look.kind == "number" and not look.bin_width
        style: Json = {"align": "right" if right else "left", "baseline": "middle", "limit": wide - 12}
        place: Json = {"x": {"value": left + wide - 20 if right else left + 4}, "y": _row()}
        head = style | {"fontWeight": 600, "color": MUTED["light"]}
        layers.append(words(f"h{index}", place, **head))
        layers.append(words(f"c{index}", place, **(style | {"fontSize": 13})))
        left += wide
    body: Json = {"layer": layers, "width": max(220.0, left), "height": ROW_HEIGHT * len(rows)}
    return body, replace(drawing, values=rows, notes=notes)


def _table_rows(columns: list[Shown], drawing: Drawing) -> list[dict[str, Value]]:
    """The head and the first rows as text; each row has every key, as Vega writes a missing one as a word."""
    blank: dict[str, Value] = {f"{kind}{index}": "" for kind in "hc" for index in range(len(columns))}
    titles: dict[str, Value] = {f"h{index}": look.title for index, look in enumerate(columns)}
    rows = [blank | titles | {"row": 0, "label": "; ".join(look.title for look in columns)}]
    for number, row in enumerate(drawing.values[:MAX_ROWS], start=1):
        cells: dict[str, Value] = {f"c{index}": _cell(row, look, drawing) for index, look in enumerate(columns)}
        rows.append(blank | cells | {"row": number, "label": row["label"]})
    return rows


def _row() -> Json:
    return {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}


def _cell(row: dict[str, Value], look: Shown, drawing: Drawing) -> str:
    cell = row[look.field]
    if look.kind == "time" or look.bin_width:
        return str(row[f"{look.field}_label"])
    return MISSING if cell is None else cell_text(look, cell, drawing.currency)


def empty(drawing: Drawing) -> tuple[Json, Drawing]:
    """The picture of an answer without rows or values: it says so, and that nothing is wrong."""
    said = {"big": "No rows match", "small": "The question was understood; no data fits it."}
    if drawing.values:
        said = {"big": "Nothing to draw", "small": NO_VALUES}
    rows: list[dict[str, Value]] = [{"label": said["big"], **said}]
    middle: Json = {"x": {"value": drawing.width / 2}}
    layers = [
        words("big", middle | {"y": {"value": 70}}, fontSize=22, fontWeight=600, color=INK["light"]),
        words("small", middle | {"y": {"value": 100}}, fontSize=13, color=MUTED["light"]),
    ]
    return {"layer": layers, "height": 170}, replace(drawing, values=rows)
