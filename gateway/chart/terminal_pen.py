"""What a terminal chart is written with: widths of text, colours, and the parts all charts share."""

from __future__ import annotations

import unicodedata
from typing import Final

from gateway.chart.conditions import plain_line

COLOURS: Final = (33, 214, 36, 166, 175, 117, 227, 245)
"""Numbers of the 256-colour palette nearest to Okabe and Ito's."""
MARKS: Final = "●○■□▲△◆◇"
"""Series are told apart without colour too."""
RESET: Final = "\x1b[0m"


class Pen:
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


def mark(index: int) -> str:
    """The mark of a series."""
    return MARKS[index % len(MARKS)]


def legend(names: list[str], pen: Pen) -> str:
    """The names of the first eight series with their marks, in one line."""
    texts = [f"{mark(i)} {plain_line(name, 24)}" for i, name in enumerate(names[:8])]
    line = "   ".join(texts)
    if cells_wide(line) > pen.width:
        return fit(line, pen.width).rstrip()
    return "   ".join(pen.paint(text, i) for i, text in enumerate(texts))
