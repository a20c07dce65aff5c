"""Pictures of a chart: PNG, SVG, and a page that works without a network. No address is ever fetched."""

from __future__ import annotations

import copy
import html
import json
from functools import lru_cache
from typing import Any, Final

from gateway.chart.render.inert import check_inert
from gateway.chart.render.theme import BACKGROUND, INK, MUTED, Theme, dressed, part
from gateway.types import Chart

MAX_SCALE: Final = 4.0


@lru_cache(maxsize=1)
def vega_lite_version() -> str:
    """The newest Vega-Lite 6 that the installed vl-convert bundles, for example ``6.4``."""
    import vl_convert

    known: list[str] = [v for v in vl_convert.get_vegalite_versions() if v.startswith("6.")]
    return max(known, key=lambda version: int(version.partition(".")[2]))


def uncut(spec: dict[str, Any]) -> dict[str, Any]:
    """A chart in which no text is shortened, if a row's holds a character beyond the basic plane, such as an emoji.

    The renderer shortens a text that is too wide by units of UTF-16, and half a character ends its work with an error.
    """
    if max(json.dumps(spec.get("data"), ensure_ascii=False)) <= "\uffff":
        return spec
    unlimited: dict[str, Any] = _unlimited(spec)
    return unlimited


def _unlimited(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: 0 if key in {"labelLimit", "titleLimit"} else _unlimited(inner) for key, inner in node.items()}
    return [_unlimited(inner) for inner in node] if isinstance(node, list) else node


def to_png(chart: Chart, scale: float = 2.0, *, theme: Theme = "light") -> bytes:
    """Draw a PNG; `scale` is pixels for each unit, 0.5 to 4."""
    import vl_convert

    scale = max(0.5, min(MAX_SCALE, scale))
    spec = uncut(dressed(chart.vega_lite, theme))
    check_inert(spec)
    drawn: bytes = vl_convert.vegalite_to_png(spec, vl_version=vega_lite_version(), scale=scale, allowed_base_urls=[])
    return drawn


def to_svg(chart: Chart, *, theme: Theme = "light", titled: bool = True, background: bool = True) -> str:
    """Draw an SVG; without its title and background it sits in a page that says the sentence itself."""
    import vl_convert

    spec = uncut(dressed(chart.vega_lite, theme))
    if not titled:
        spec.pop("title", None)
    if not background:
        spec["config"] = {**part(spec, "config"), "background": None, "padding": 4}
    check_inert(spec)
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version(), allowed_base_urls=[])
    return drawn


_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""Of the exported page: its own code may run, and nothing can be loaded or sent."""


@lru_cache(maxsize=1)
def _bundle() -> str:
    import vl_convert

    code: str = vl_convert.javascript_bundle(_SNIPPET, vl_version=vega_lite_version())
    return code.replace("</script", "<\\/script")


def to_html(chart: Chart, title: str) -> str:
    """A page of its own with the chart in it; opens from a file, offline, and fetches nothing.

    Args:
        chart: The chart.
        title: Of the page; plain text.
    """
    spec = copy.deepcopy(chart.vega_lite)
    check_inert(spec)
    # In a script element only "<" can end the element or open a comment; as an escape it is the same JSON.
    data = (
        json.dumps(spec, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
    name = html.escape(title, quote=True)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{name}</title>
<style>
body {{
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font-family: system-ui, sans-serif;
  color: {INK["light"]}; background: {BACKGROUND["light"]};
}}
#chart {{ overflow-x: auto; }}
p {{ color: {MUTED["light"]}; font-size: 0.85rem; }}
</style>
</head>
<body>
<div id="chart" role="img" aria-label="{html.escape(chart.description, quote=True)}"></div>
<script>{_bundle()}</script>
<script type="application/json" id="spec">{data}</script>
<script>
vegaEmbed("#chart", JSON.parse(document.getElementById("spec").textContent), {{
  mode: "vega-lite", renderer: "svg", actions: {{ export: true, source: false, compiled: false, editor: false }}
}});
</script>
</body>
</html>
"""
