"""OfflinePlanner behind the port: it reads facts, question and previous spec of a prompt, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from gateway.chart.read import read_reply
from gateway.chart.spec import ChartSpec, Measure, Plan
from gateway.errors import ModelError
from gateway.llm.offline.planner import OfflinePlanner
from gateway.summary.model import Summary
from redaction.segments import UnscannedPrompt

if TYPE_CHECKING:
    from redaction.scan import ScannedPrompt

FACTS = (Path(__file__).parent / "demo_summary.json").read_text(encoding="utf-8")


def scanned(question: str, *, facts: str = FACTS, previous: str = "") -> ScannedPrompt:
    """A stand-in for a scanned prompt that has no messages at all: reading one would fail."""
    prompt = UnscannedPrompt(
        messages=(), reply_schema="", template="chart_spec", version="1", tokens=0, encoding="o200k_base",
        facts=facts, question=question, previous=previous,
    )  # fmt: skip
    return cast("ScannedPrompt", SimpleNamespace(prompt=prompt))


def test_the_reply_is_read_like_any_models() -> None:
    planner = OfflinePlanner()
    assert (planner.name, planner.leaves) == ("offline", False)
    reply = asyncio.run(planner.plan(scanned("revenue by month for ⟨v1: customers.name⟩")))
    plan = read_reply(reply, Summary.model_validate_json(FACTS), placeholders={"v1": ("customers.name",)})
    assert plan.charts[0].mark == "line"
    assert (reply.tokens_in, reply.tokens_out, reply.model) == (0, 0, planner.model)


def test_a_follow_up_reads_the_previous_spec() -> None:
    before = ChartSpec(mark="text", table="orders", measures=(Measure(aggregate="count"),))
    reply = asyncio.run(
        OfflinePlanner().plan(scanned("by channel", previous=before.model_dump_json(exclude_none=True)))
    )
    chart = Plan.model_validate_json(reply.text).charts[0]
    assert chart.measures == before.measures
    assert chart.dimensions[0].column == "orders.channel"


@pytest.mark.parametrize(("facts", "previous"), [("{}", ""), ("not json", ""), (FACTS, '{"mark": "bar"}')])
def test_facts_that_are_none_are_an_error_without_their_text(facts: str, previous: str) -> None:
    with pytest.raises(ModelError) as caught:
        asyncio.run(OfflinePlanner().plan(scanned("revenue", facts=facts, previous=previous)))
    assert caught.value.code == "facts_invalid"
    assert "json" not in str(caught.value)


def test_equal_facts_are_read_once() -> None:
    planner = OfflinePlanner()
    first = asyncio.run(planner.plan(scanned("orders by status")))
    assert asyncio.run(planner.plan(scanned("orders by status"))) == first
    assert planner.kept == 1
