"""The demo questions and those over single files, run: the planned chart draws the gold chart's rows.

Floors, a little under what was measured.
"""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[4]


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


bench = _module("planner_demo")
files = _module("planner_files")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    made = bench.Demo(tmp_path_factory.mktemp("demo"), scale=0.25)
    yield made
    made.attached.close()


@pytest.mark.parametrize(("half", "floor"), [("tuning", 0.95), ("heldout", 0.80)])
def test_the_share_of_questions_answered_with_the_gold_rows_holds(demo: object, half: str, floor: float) -> None:
    share, _, _, median_ms = bench.score(demo, half)
    assert share >= floor
    assert median_ms < 15


def test_the_share_of_questions_over_single_files_answered_with_the_gold_rows_holds() -> None:
    for half, floor in (("tuning", 0.88), ("heldout", 0.88)):
        scored = files.score(half)[half]
        assert scored.total == 62
        assert scored.first / scored.total >= floor


def test_every_example_of_the_page_has_a_gold_chart_that_runs(demo: object) -> None:
    text = (ROOT / "gateway" / "demo" / "questions.toml").read_text(encoding="utf-8")
    items = tomllib.loads(text)["question"]
    assert len(items) == 40
    assert sum(bool(item.get("featured")) for item in items) == 12
    for item in items:
        (gold,) = bench.golds_of(item)
        assert demo.rows(gold, {}), item["question"]  # type: ignore[attr-defined]
