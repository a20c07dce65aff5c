"""Vega-Lite channels: the axis, legend or tooltip that one column becomes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.chart.formats import axis_format
from gateway.chart.render.data import Drawing, Shown

Json = dict[str, object]

MAX_TICKS: Final = 9
_TIME_FORMATS: Final = {
    "year": "%Y",
    "quarter": "Q%q %Y",
    "month": "%b %Y",
    "week": "%-d %b",
    "day": "%-d %b",
    "hour": "%H:%M",
}


def number_axis(look: Shown, drawing: Drawing, *, zero: bool, grid: bool = True, title: bool = True) -> Json:
    """A quantitative position channel."""
    values = list(look.numbers)
    axis: Json = {**axis_format(look.column.format, values, drawing.currency), "grid": grid}
    axis["title"] = look.title if title else None
    return {"field": look.field, "type": "quantitative", "axis": axis, "scale": {"zero": zero, "nice": 5}}


def time_axis(look: Shown, drawing: Drawing, *, padding: float = 0) -> Json:
    """A temporal position channel in the tenant's wall clock; ticks only where a period begins."""
    grain = look.column.grain or "day"
    scale: Json = {"type": "utc"}
    if padding:
        scale["padding"] = padding
    ticks = _ticks(look.times, grain, max(3, min(MAX_TICKS, drawing.width // 75)))
    pattern = _TIME_FORMATS.get(grain, "%-d %b %Y")
    if ticks and grain in ("week", "day", "hour"):
        several_years = look.times[0].year != look.times[-1].year
        several_days = look.times[0].date() != look.times[-1].date()
        pattern = "%-d %b %Y" if several_years else "%-d %b %H:%M" if grain == "hour" and several_days else pattern
    axis: Json = {
        "title": look.title, "format": pattern, "grid": False, "values": [_epoch_ms(t) for t in ticks],
        "labelFlush": False,
    }  # fmt: skip
    return {"field": look.field, "type": "temporal", "axis": axis, "scale": scale}


def _epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _ticks(times: tuple[datetime, ...], grain: str, most: int) -> list[datetime]:
    """At most `most` of the periods, evenly chosen; months by quarters or years, so that labels read well."""
    if len(times) <= most:
        return list(times)
    if grain == "month":
        for months in (2, 3, 6, 12, 24, 60, 120):
            chosen = [t for t in times if (t.year * 12 + t.month - 1) % months == 0]
            if chosen and len(chosen) <= most:
                return chosen
    step = -(-len(times) // most)
    return list(times[::step])


def category_axis(look: Shown, *, horizontal: bool, title: bool = True) -> Json:
    """A nominal or ordinal position channel in the order of the result (parts of dates: in their own order)."""
    axis: Json = {"title": look.title if title else None, "grid": False}
    if not horizontal:
        axis["labelAngle"] = 0 if fits_upright(look) else -40
        axis["labelLimit"] = 140
    labels: tuple[object, ...] = look.labels or tuple(dict.fromkeys(_plain(n) for n in look.numbers))
    return {"field": look.field, "type": "nominal", "sort": list(labels), "axis": axis}


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def fits_upright(look: Shown) -> bool:
    """Whether labels under upright bars fit side by side without being turned."""
    if not look.labels:
        return len(look.numbers) <= 16
    return len(look.labels) * (max(map(len, look.labels)) * 7 + 12) <= 600


def position(look: Shown, drawing: Drawing, *, horizontal: bool = False, padding: float = 0) -> Json:
    """The channel of a grouping column: time, number, or category."""
    if look.kind == "time":
        return time_axis(look, drawing, padding=padding)
    if look.kind == "number" and not look.bin_width:
        return number_axis(look, drawing, zero=False, grid=False)
    return category_axis(look, horizontal=horizontal)


def color(look: Shown, drawing: Drawing) -> Json:
    """The colour channel of a series, with a legend at the top where it is short."""
    legend: Json = {"title": look.title, "orient": "right"}
    if len(look.labels) <= 5 and sum(len(label) + 5 for label in look.labels) * 7 < drawing.width:
        legend = {"title": None, "orient": "top", "direction": "horizontal", "offset": 8}
    field = f"{look.field}_label" if look.kind == "time" or look.bin_width else look.field
    channel: Json = {"field": field, "type": "nominal", "legend": legend}
    if look.labels:
        channel["sort"] = list(look.labels)
        channel["scale"] = {"domain": list(look.labels)}
    return channel


def tooltip(drawing: Drawing) -> list[Json]:
    """One line for each column, formatted in full."""
    lines: list[Json] = []
    columns = [*drawing.dimensions, *([drawing.series] if drawing.series else []), *drawing.measures]
    for look in columns:
        if look.kind == "number" and not look.bin_width:
            lines.append(
                {"field": look.field, "type": "quantitative", "title": look.title, "format": full_format(look, drawing)}
            )
        else:
            suffix = "_label" if look.kind == "time" or look.bin_width else ""
            lines.append({"field": look.field + suffix, "type": "nominal", "title": look.title})
    return lines


def full_format(look: Shown, drawing: Drawing) -> str:
    """The d3 format of a number in full."""
    if look.column.format == "percent":
        return ".2~%"
    if look.column.format == "currency" and drawing.currency:
        return "$,.2f"
    return ",.6~f" if any(not n.is_integer() for n in look.numbers) else ",.0f"


def spoken(drawing: Drawing) -> Json:
    """Channels that every mark has: the tooltip, and the words a screen reader says for it."""
    return {"tooltip": tooltip(drawing), "description": {"field": "label", "type": "nominal"}}


def words(field: str, place: Json, **style: object) -> Json:
    """A layer that writes a field's text at a place."""
    return {"mark": {"type": "text"} | style, "encoding": place | {"text": {"field": field, "type": "nominal"}}}
