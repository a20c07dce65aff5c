"""Draw the gallery: one picture for each mark, light and dark, from invented numbers.

    python docs/gallery/make.py [--out DIR] [--only NAME] [--png]

SVG is what is kept here; PNG is larger, and for looking at.
"""

# ruff: noqa: INP001  (a script, not a package)

from __future__ import annotations

import argparse
from pathlib import Path

from pictures import SHOP, pictures

from gateway.chart.image import to_png, to_svg
from gateway.chart.render import render
from gateway.chart.render.theme import Theme

HERE = Path(__file__).parent
THEMES: tuple[Theme, ...] = ("light", "dark")
INTRO = """# Gallery

Each mark of the chart language, drawn by `python docs/gallery/make.py` from invented rows. The title of a chart is
the reader's sentence of its spec (`gateway/chart/sentence.py`). Categories have the colours of Okabe and Ito, which
people with the common kinds of colour blindness can tell apart.
"""


def main() -> None:
    """Write the pictures and their index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--only", default="")
    parser.add_argument("--png", action="store_true")
    options = parser.parse_args()
    lines = [INTRO]
    for one in pictures():
        if options.only and options.only != one.name:
            continue
        chart = render(one.spec, one.result, summary=SHOP, sentence=one.sentence)
        cells = []
        for theme in THEMES:
            path = options.out / theme / f"{one.name}.{'png' if options.png else 'svg'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if options.png:
                path.write_bytes(to_png(chart, 1.5, theme=theme))
            else:
                path.write_text(to_svg(chart, theme=theme), encoding="utf-8")
            cells.append(f"![{one.sentence}]({theme}/{path.name})")
        lines.append(f"## {one.name}\n\n| light | dark |\n| --- | --- |\n| {' | '.join(cells)} |\n")
        print(f"{one.name}: {one.sentence}")
    if not options.only:
        (options.out / "README.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
