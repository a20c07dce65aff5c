"""Colours and type of a chart, light and dark.

Categories are the colours of Okabe and Ito, "Color Universal Design" (2008, jfly.uni-koeln.de/color), which people
with the common kinds of colour blindness can tell apart. On white their yellow cannot be seen, so Paul Tol's wine
("Colour schemes", SRON 2021) stands in its place; on a dark page black becomes grey, and blue, green and sky are
lighter. A test simulates three kinds of colour blindness on both. Sequences are one hue from light to dark, and read
in grey too.
"""

from __future__ import annotations

from typing import Final, Literal

Theme = Literal["light", "dark"]

CATEGORY: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#882255", "#1A1A1A")
CATEGORY_MORE: Final = (
    *CATEGORY,
    "#80B9D9",
    "#F3CF80",
    "#80CFB9",
    "#EAAF80",
    "#E6BCD3",
    "#ABDAF4",
    "#C390AA",
    "#8C8C8C",
)
"""Half-tints of the same, for a chart with nine to sixteen series."""
DARK_CATEGORY: Final = ("#2A87C4", "#E69F00", "#00B383", "#D55E00", "#CC79A7", "#8CCBF2", "#F0E442", "#DDDDDD")
SEQUENCE: Final = ("#E3F0F8", "#9CC9E3", "#4F9FCB", "#0072B2", "#003F66")
DARK_SEQUENCE: Final = ("#15324A", "#1D5783", "#2F83BC", "#6DB3E0", "#CDE7F8")
DIVERGING: Final = ("#B35806", "#F1A340", "#FEE0B6", "#F7F7F7", "#D8E6F3", "#67A9CF", "#0072B2")

FONT: Final = "Inter, Liberation Sans, Arial, Helvetica, sans-serif"
INK: Final = {"light": "#1F2933", "dark": "#E8ECF1"}
MUTED: Final = {"light": "#5B6673", "dark": "#9AA5B4"}
ON_PALE: Final = {"light": "#1F2A34", "dark": "#E7EBF0"}
ON_STRONG: Final = {"light": "#FEFEFE", "dark": "#0B1016"}
"""Numbers in the cells of a heat map: on a dark page, strong cells are the light ones."""
ON_MIDDLE: Final = "#20262C"
ON_ENDS: Final = "#FDFDFD"
"""The same where the colours diverge from a pale middle, in both themes."""
GRID: Final = {"light": "#E4E8ED", "dark": "#2C3542"}
BACKGROUND: Final = {"light": "#FFFFFF", "dark": "#12171E"}


def config(theme: Theme, currency_symbol: str, series: int) -> dict[str, object]:
    """The Vega-Lite configuration of a theme.

    Args:
        theme: Light or dark.
        currency_symbol: What d3's ``$`` writes.
        series: How many colours are needed.
    """
    ink, muted, grid = INK[theme], MUTED[theme], GRID[theme]
    category = CATEGORY_MORE if series > len(CATEGORY) else CATEGORY if theme == "light" else DARK_CATEGORY
    return {
        "background": BACKGROUND[theme],
        "font": FONT,
        "locale": {
            "number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": [currency_symbol, ""]},
        },
        "padding": 16,
        "view": {"stroke": None},
        "title": {
            "anchor": "start", "frame": "group", "color": ink, "fontSize": 15, "fontWeight": 600, "offset": 14,
            "lineHeight": 20, "subtitleColor": muted, "subtitleFontSize": 12, "subtitlePadding": 6,
        },
        "axis": {
            "labelColor": muted, "titleColor": muted, "gridColor": grid, "domainColor": grid, "tickColor": grid,
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "labelPadding": 6, "titlePadding": 10,
            "ticks": False, "labelLimit": 220, "titleLimit": 420, "labelOverlap": True, "labelSeparation": 6,
        },
        "axisQuantitative": {"domain": False, "tickCount": 5},
        "legend": {
            "labelColor": ink, "titleColor": muted, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500,
            "symbolType": "circle", "labelLimit": 180, "titleLimit": 260, "rowPadding": 4, "offset": 18,
        },
        "header": {"labelColor": ink, "titleColor": muted, "labelFontSize": 12},
        "range": {
            "category": list(category),
            "ramp": list(SEQUENCE if theme == "light" else DARK_SEQUENCE),
            "heatmap": list(SEQUENCE if theme == "light" else DARK_SEQUENCE),
            "diverging": list(DIVERGING),
        },
        "bar": {"cornerRadiusEnd": 2, "color": category[0]},
        "line": {"strokeWidth": 2.5, "color": category[0], "strokeCap": "round", "strokeJoin": "round"},
        "area": {"color": category[0], "fillOpacity": 0.85},
        "point": {"filled": True, "size": 70, "color": category[0], "opacity": 0.85},
        "arc": {"stroke": BACKGROUND[theme], "strokeWidth": 2},
        "rect": {"color": category[0]},
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": muted},
    }  # fmt: skip


def dressed(chart: dict[str, object], theme: Theme) -> dict[str, object]:
    """A copy of a chart in a theme: its configuration, and the few inks that marks carry themselves."""
    other: Theme = "dark" if theme == "light" else "light"
    swap = {inks[other]: inks[theme] for inks in (INK, MUTED, ON_PALE, ON_STRONG)}
    old = part(chart, "config")
    currency = part(part(old, "locale"), "number")["currency"]
    category = part(old, "range")["category"]
    symbol = str(currency[0]) if isinstance(currency, list) else ""
    colours = len(category) if isinstance(category, list) else 1
    copied = {
        key: value if key == "data" else _recolour(value, swap) for key, value in chart.items() if key != "config"
    }
    return copied | {"config": config(theme, symbol, colours)}


def part(node: dict[str, object], key: str) -> dict[str, object]:
    """An object inside an object; empty if it is none."""
    inner = node.get(key)
    return inner if isinstance(inner, dict) else {}


def _recolour(node: object, swap: dict[str, str]) -> object:
    if isinstance(node, dict):
        return {
            key: swap.get(value, value) if key == "color" and isinstance(value, str) else _recolour(value, swap)
            for key, value in node.items()
        }
    return [_recolour(item, swap) for item in node] if isinstance(node, list) else node
