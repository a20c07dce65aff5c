"""Every example of docs/chart-spec.md is read, compiled, proved and run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.chart.read import read_reply
from gateway.types import Reply
from tests.gateway.chart import shop
from tests.gateway.chart.conftest import Engine
from tests.gateway.chart.test_engines import answer

EXAMPLES = re.findall(r"```json\n(.*?)```", Path("docs/chart-spec.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("position", range(len(EXAMPLES)))
def test_example_runs(position: int, duckdb_shop: Engine) -> None:
    """As written on the page."""
    plan = read_reply(
        Reply(text=EXAMPLES[position], model="docs"), shop.summary(), placeholders={"v1": ("orders.status",)}
    )
    assert len(plan.charts) == 1
    result = answer(duckdb_shop, json.loads(plan.charts[0].model_dump_json()), shop.scope("a"))
    assert result.rows


def test_there_are_examples() -> None:
    """A page without examples would pass all of the above."""
    assert len(EXAMPLES) >= 12
