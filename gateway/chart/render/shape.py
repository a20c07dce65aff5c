"""Rearranging a drawing: periods and bins as categories, several measures as one series, columns joined."""

from __future__ import annotations

from dataclasses import replace

from gateway.chart.formats import format_number
from gateway.chart.render.data import Drawing, Shown, Value
from gateway.types import ResultColumn


def as_category(look: Shown, drawing: Drawing) -> Shown:
    """A time or bin column as categories by its label, in natural order; other columns as they are."""
    if look.kind == "time" or look.bin_width:
        name = f"{look.field}_label"
        pairs = {row[look.field]: str(row[name]) for row in drawing.values}
        known = sorted((k for k in pairs if k is not None), key=lambda k: (isinstance(k, str), k))
        order = [pairs[k] for k in known] + ([pairs[None]] if None in pairs else [])
        column = replace(look.column, field=name)
        return replace(look, column=column, kind="category", bin_width=None, labels=tuple(dict.fromkeys(order)))
    if look.kind == "number":
        return replace(look, kind="category")
    return look


def grouping(drawing: Drawing) -> tuple[Shown | None, Shown | None, Drawing]:
    """What the position and the colour of a mark show: the first dimension, and the series or second dimension.

    Further dimensions are joined with the colour, so that no group is drawn on top of another.
    """
    dimensions = list(drawing.dimensions)
    first = dimensions.pop(0) if dimensions else None
    rest = [d for d in (drawing.series, *dimensions) if d is not None]
    if first is None and rest:
        first = rest.pop(0)
    if not rest:
        return first, None, drawing
    if len(rest) == 1:
        return first, as_category(rest[0], drawing), drawing
    looks = [as_category(r, drawing) for r in rest]
    values = [dict(row, joined=" · ".join(str(row[look.field]) for look in looks)) for row in drawing.values]
    joined = Shown(
        column=ResultColumn(field="joined", title="", type="text", role="series"),
        title=" · ".join(look.title for look in looks),
        kind="category",
        labels=tuple(dict.fromkeys(str(row["joined"]) for row in values)),
    )
    return first, joined, replace(drawing, values=values)


def fold_measures(drawing: Drawing) -> Drawing:
    """Several measures of one format as one measure (``value``) with a series that names them."""
    rows: list[dict[str, Value]] = []
    numbers: list[float] = []
    for row in drawing.values:
        for look in drawing.measures:
            cell = row[look.field]
            kept = {k: v for k, v in row.items() if not k.startswith("m") and k != "label"}
            groups = [f"{d.title}: {row.get(f'{d.field}_label', row[d.field])}" for d in drawing.dimensions]
            text = (
                format_number(float(cell), look.column.format, drawing.currency)
                if isinstance(cell, int | float)
                else "(none)"
            )
            rows.append(
                kept | {"measure": look.title, "value": cell, "label": "; ".join([*groups, f"{look.title}: {text}"])}
            )
            if isinstance(cell, int | float):
                numbers.append(float(cell))
    first = drawing.measures[0]
    measure = replace(first, column=replace(first.column, field="value"), title="", numbers=tuple(numbers))
    names = Shown(
        column=ResultColumn(field="measure", title="Measure", type="text", role="series"),
        title="Measure",
        kind="category",
        labels=tuple(look.title for look in drawing.measures),
    )
    return replace(drawing, values=rows, measures=(measure,), series=names)


def drop_missing(look: Shown, drawing: Drawing) -> Drawing:
    """Leave out groups without a place on a time or number axis, and say so."""
    if look.kind == "category":
        return drawing
    kept = [row for row in drawing.values if row[look.field] is not None]
    gone = len(drawing.values) - len(kept)
    if not gone:
        return drawing
    note = f"{gone:,} {'group' if gone == 1 else 'groups'} without a value for “{look.title}” not drawn."
    return replace(drawing, values=kept, notes=[*drawing.notes, note])


def first_groups(look: Shown, drawing: Drawing, most: int) -> tuple[Shown, Drawing]:
    """At most `most` categories, the first ones, with a note of how many there are."""
    labels = look.labels or tuple(dict.fromkeys(str(n) for n in look.numbers))
    if look.kind != "category" or len(look.labels) <= most:
        return look, drawing
    keep = set(labels[:most])
    note = f"The first {most} of {len(labels):,} groups are drawn; the table has them all."
    rows = [row for row in drawing.values if str(row[look.field]) in keep]
    return replace(look, labels=labels[:most]), replace(drawing, values=rows, notes=[*drawing.notes, note])


def drop_blank(drawing: Drawing) -> Drawing:
    """Leave out groups whose measure has no value: a bar of no height would read as zero."""
    kept = [row for row in drawing.values if row[drawing.measures[0].field] is not None]
    return replace(drawing, values=kept)
