"""Colours that people with the common kinds of colour blindness can tell apart, on both backgrounds.

Matrices: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency"
(IEEE TVCG 2009), severity 1.0.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from gateway.chart.render.theme import BACKGROUND, CATEGORY, CATEGORY_MORE, DARK_CATEGORY, INK, MUTED

Rgb = tuple[float, float, float]
VISION: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> Rgb:
    """Linear RGB of a hex colour (IEC 61966-2-1)."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b))
    return r, g, b


def seen(colour: str, vision: str) -> Rgb:
    """CIE Lab of a colour as it is seen."""
    rgb = linear(colour)
    r, g, b = (min(1, max(0, sum(a * c for a, c in zip(row, rgb, strict=True)))) for row in VISION[vision])
    x, y, z = (
        0.4124 * r + 0.3576 * g + 0.1805 * b,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        0.0193 * r + 0.1192 * g + 0.9505 * b,
    )  # fmt: skip
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x / 0.9505, y, z / 1.089)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(a), linear(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [CATEGORY, DARK_CATEGORY], ids=["light", "dark"])
def test_categories_can_be_told_apart(palette: tuple[str, ...], vision: str) -> None:
    for one, other in itertools.combinations(palette, 2):
        away = sum((a - b) ** 2 for a, b in zip(seen(one, vision), seen(other, vision), strict=True)) ** 0.5
        assert away > 16, (one, other, round(away, 1))


def test_categories_and_text_can_be_seen_on_their_background() -> None:
    assert all(contrast(colour, BACKGROUND["light"]) > 2.2 for colour in CATEGORY)
    assert all(contrast(colour, BACKGROUND["dark"]) > 3 for colour in DARK_CATEGORY)
    for theme in ("light", "dark"):
        assert contrast(INK[theme], BACKGROUND[theme]) > 7
        assert contrast(MUTED[theme], BACKGROUND[theme]) > 4.5


def test_sixteen_series_have_sixteen_colours() -> None:
    assert len(set(CATEGORY_MORE)) == 16


def test_the_page_recolours_the_same_colours() -> None:
    """The page shows the light picture in its own theme: its style sheet names every colour of both."""
    static = Path(__file__).parents[3] / "gateway" / "web" / "static"
    page = (static / "page.css").read_text(encoding="utf-8").lower()
    answer = (static / "answer.css").read_text(encoding="utf-8")
    for number, (light, dark) in enumerate(zip(CATEGORY, DARK_CATEGORY, strict=True), start=1):
        assert len(re.findall(f"--c{number}: {light.lower()};", page)) >= 1
        assert len(re.findall(f"--c{number}: {dark.lower()};", page)) >= 2
        assert f'[fill="{light}" i] {{ fill: var(--c{number}); }}' in answer
        assert f'[stroke="{light}" i] {{ stroke: var(--c{number}); }}' in answer
