"""The demo's example questions, read from ``questions.toml`` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def featured_questions() -> tuple[str, ...]:
    """The questions that the page offers, in order."""
    text = files("gateway.demo").joinpath("questions.toml").read_text(encoding="utf-8")
    return tuple(item["question"] for item in tomllib.loads(text)["question"] if item.get("featured"))
