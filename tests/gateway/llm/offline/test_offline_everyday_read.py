"""90 questions of end customers, masked and planned over the regression fixtures: each right reading stays right."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.chart.sentence import describe
from gateway.chart.spec import ChartSpec
from gateway.llm.offline.plan import plan_question
from gateway.regression.fixtures import Fixtures
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner

QUESTIONS = tomllib.loads((Path(__file__).parent / "questions_everyday.toml").read_text(encoding="utf-8"))["question"]
TENANTS = {"shop": "northwind", "helpdesk": "east", "ugly": "100"}


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixtures]:
    made = Fixtures(tmp_path_factory.mktemp("everyday"))
    yield made
    made.close()


def test_each_right_reading_stays_and_what_was_refused_is_not_guessed(fixtures: Fixtures) -> None:
    """Another sentence is looked at by a person before it is written down here."""
    scanner = Scanner(ScanConfig(model=None))
    previous: ChartSpec | None = None
    wrong: list[tuple[str, str]] = []
    for asked in QUESTIONS:
        said, previous = _read(asked, fixtures, scanner, previous)
        if said != asked.get("said", "") and ("said" in asked or asked.get("refused")):
            wrong.append((asked["asked"], said))
    assert wrong == []


def _read(
    asked: dict[str, Any], fixtures: Fixtures, scanner: Scanner, previous: ChartSpec | None
) -> tuple[str, ChartSpec | None]:
    """The sentence of the first chart (empty if there is none), and the chart that a follow-up refines."""
    _, known = fixtures[asked["on"]].asked_by(TENANTS[asked["on"]])
    masked = mask(asked["asked"], scanner, index=known.index, known_names=known.names)
    plan = plan_question(known.summary, masked.text, previous if asked.get("follows") else None)
    if not plan.charts:
        return "", previous
    first = plan.charts[0]
    return describe(first, known.summary, bindings=masked.vault.bindings()), first
