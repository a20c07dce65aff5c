"""Pictures: every mark draws, nothing is fetched, and markup in rows stays text."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from gateway.chart.image import to_html, to_png, to_svg, vega_lite_version
from gateway.chart.render import render
from gateway.errors import RefusedError
from gateway.types import Chart, ResultTable

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def _gallery() -> ModuleType:
    path = Path(__file__).parents[3] / "docs" / "gallery" / "pictures.py"
    spec = importlib.util.spec_from_file_location("gallery_for_images", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery_for_images"] = module
    spec.loader.exec_module(module)
    return module


GALLERY = _gallery()
PICTURES = {one.name: one for one in GALLERY.pictures()}


def chart(name: str, **changes: Any) -> Chart:
    one = PICTURES[name]
    return render(
        one.spec,
        changes.get("result", one.result),
        summary=GALLERY.SHOP,
        sentence=changes.get("sentence", one.sentence),
    )


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_of_the_gallery_draws(name: str) -> None:
    """As SVG that is well-formed and holds no script, link, style or reference to elsewhere."""
    svg = to_svg(chart(name))
    root = ElementTree.fromstring(svg)
    for node in root.iter():
        assert node.tag.rpartition("}")[2] not in ("script", "a", "image", "foreignObject", "use", "style")
        assert not [key for key in node.attrib if key.startswith("on") or key.endswith("href") or key == "style"]
    assert "undefined" not in svg
    assert "NaN" not in svg


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_png_has_the_size_asked_for(theme: Any) -> None:
    small, large = (to_png(chart("line"), scale, theme=theme) for scale in (1.0, 2.0))
    assert small.startswith(b"\x89PNG")
    width = [struct.unpack(">I", png[16:20])[0] for png in (small, large)]
    assert width[1] == pytest.approx(2 * width[0], abs=2)


def test_dark_and_light_differ_in_colours_only() -> None:
    light, dark = to_svg(chart("line")), to_svg(chart("line"), theme="dark")
    assert "#12171E" in dark
    assert "#1F2933" not in dark

    def strip(svg: str) -> str:
        return re.sub(r"#[0-9A-Fa-f]{6}|rgb\([^)]*\)", "C", svg)

    assert strip(light) == strip(dark)


def test_svg_without_title_for_a_page_that_says_it() -> None:
    one = chart("line", sentence="A quite special sentence")
    assert "A quite special sentence" in to_svg(one)
    assert "A quite special sentence" not in re.sub(r"aria-label=\"[^\"]*\"", "", to_svg(one, titled=False))


def _evil() -> Chart:
    one = PICTURES["bar-horizontal"]
    result = ResultTable(columns=one.result.columns, rows=((EVIL, 1), ("b", 2)))
    return chart("bar-horizontal", result=result, sentence=EVIL)


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_long_label_of_emoji_is_drawn_whole_rather_than_cut_within_one(before: str) -> None:
    label = before + "\U0001f600" * 40
    one = PICTURES["bar-horizontal"]
    drawn = chart("bar-horizontal", result=ResultTable(columns=one.result.columns, rows=((label, 1), ("b", 2))))
    assert label in to_svg(drawn)
    assert to_png(drawn).startswith(b"\x89PNG")


def test_markup_in_rows_is_text_in_svg() -> None:
    root = ElementTree.fromstring(to_svg(_evil()))
    assert not [node for node in root.iter() if node.tag.rpartition("}")[2] in ("script", "img")]


def test_html_is_one_file_that_loads_nothing() -> None:
    page = to_html(_evil(), EVIL)
    head = page[: page.index("<script>")]
    assert EVIL not in head
    assert "default-src 'none'" in head
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", page, flags=re.S)
    assert markup.count("<script") == 3
    assert not re.search(r"(?:src|href)=|<(?:img|link|iframe)", markup.replace(html.escape(EVIL), ""))
    data = re.search(r'<script type="application/json" id="spec">(.*?)</script>', page, re.S)
    assert data is not None
    assert json.loads(data.group(1))["data"]["values"][0]["d1"].startswith("</script>")


def test_a_chart_that_would_fetch_is_not_drawn() -> None:
    bad = Chart(vega_lite=chart("line").vega_lite | {"data": {"url": "http://127.0.0.1:9/x.json"}}, description="")
    for draw in (to_png, to_svg, lambda c: to_html(c, "x")):
        with pytest.raises(RefusedError):
            draw(bad)


@pytest.mark.loopback
def test_the_drawing_library_itself_fetches_nothing() -> None:
    """The second wall: even a chart that got past the check reaches no server, not even one of this machine."""
    import vl_convert

    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/d.json"
    spec = dict(chart("bar-horizontal").vega_lite) | {"data": {"url": address}}
    try:
        with pytest.raises(ValueError, match="data"):
            vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version(), allowed_base_urls=[])
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
