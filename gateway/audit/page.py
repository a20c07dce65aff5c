"""Pages of the review, as text: one template folder, autoescaped, without JavaScript.

Text that people or models wrote goes through `visible`, so that control and bidi characters show as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.audit.numbers import Numbers
from gateway.audit.printing import visible
from gateway.store.clock import iso

TEMPLATES: Final = Path(__file__).parents[1] / "web" / "templates" / "review"
DECISIONS: Final = ("answered", "clarified", "refused", "failed", "unfinished")
_WIDTH: Final = 720
_HEIGHT: Final = 120
_MAX_BAR: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a stacked bar, in units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    decision: str
    day: str
    count: int


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["visible"] = visible
    environment.filters["when"] = lambda at_us: iso(at_us)[:19].replace("T", " ")
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


_ENVIRONMENT: Final = _environment()


def render_page(template: str, **values: Any) -> str:
    """A page of the review.

    Args:
        template: File name in the template folder.
        values: What the template names.
    """
    return _ENVIRONMENT.get_template(template).render(decisions=DECISIONS, **values)


def stylesheet() -> str:
    """The style of every page."""
    return (TEMPLATES / "review.css").read_text(encoding="utf-8")


def bars(numbers: Numbers) -> dict[str, Any]:
    """Questions by day and decision as a stacked bar chart: sizes of the drawing, and its parts."""
    days = sorted(numbers.by_day)
    most = max((sum(numbers.by_day[day].values()) for day in days), default=0)
    parts: list[Bar] = []
    step = min(_WIDTH / max(len(days), 1), _MAX_BAR)
    for place, day in enumerate(days):
        y = float(_HEIGHT)
        for decision in DECISIONS:
            count = numbers.by_day[day][decision]
            height = count / most * _HEIGHT if most else 0.0
            y -= height
            if count:
                parts.append(
                    Bar(
                        x=round(place * step + 1, 2), y=round(y, 2), width=round(max(step - 2, 1), 2),
                        height=round(height, 2), decision=decision, day=day, count=count,
                    )
                )  # fmt: skip
    return {"width": _WIDTH, "height": _HEIGHT, "parts": parts, "days": days, "most": most}
