"""The whole line with model endpoints: kept answers, budgets, fall-backs, and replies that do not fit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.answer import Answer, Asker
from gateway.config import Settings
from gateway.errors import BudgetSpentError, SpecInvalidError
from gateway.llm.settings import LlmSettings
from gateway.project import Project
from gateway.runtime import Runtime
from redaction.scan import ScanConfig, Scanner
from tests.simulator.chat_server import ChatServer, Fault, chat_server

pytestmark = pytest.mark.loopback

COUNT = (
    '{"charts":[{"mark":"bar","table":"sales","measures":[{"aggregate":"count"}],'
    '"dimensions":[{"column":"sales.region"}]}]}'
)
FOREIGN = '{"charts":[{"mark":"bar","table":"salaries","measures":[{"aggregate":"sum","column":"salaries.pay"}]}]}'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("line")
    rows = [f"{'north' if i % 3 else 'south'},{i % 40},2024-{i % 12 + 1:02d}-03" for i in range(240)]
    (folder / "sales.csv").write_text("region,amount,sold_on\n" + "\n".join(rows) + "\n")
    return Project.for_path(folder / "sales.csv")


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(ScanConfig(model=None))


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(reply=lambda _: COUNT) as running:
        yield running


def ask(
    project: Project, scanner: Scanner, folder: Path, server: ChatServer, questions: list[str], **llm: object
) -> list[Answer]:
    """Ask in one process, one after the other."""
    options = {"planner": "openai", "base_url": server.base_url, "model": "m", "offline_fallback": False, **llm}

    async def run() -> list[Answer]:
        settings = Settings(home=folder, llm=LlmSettings(**options))  # type: ignore[arg-type]
        runtime = await Runtime.open(settings, project, scanner=scanner)
        try:
            asker = Asker(source=project.sources[0].name, tenant="own")
            return [await runtime.gateway.ask(question, asker) for question in questions]
        finally:
            await runtime.close()

    return asyncio.run(run())


def test_same_question_of_the_same_data_is_sent_once(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The second answer is the same chart from the kept reply; another question is sent."""
    one, two, _ = ask(project, scanner, tmp_path, server, ["rows by region", "rows by region", "rows for each region"])
    assert len(server.requests) == 2
    assert one.spec == two.spec
    assert one.result.rows == two.result.rows


def test_cache_of_no_entries_sends_every_question(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """Turned off, it is off."""
    ask(project, scanner, tmp_path, server, ["rows by region", "rows by region"], cache_entries=0)
    assert len(server.requests) == 2


def test_reply_that_does_not_fit_is_mended_twice_at_most_and_never_kept(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """A foreign table: told codes and names, then given up; the next asker starts anew."""
    server.reply = lambda _: FOREIGN
    for sends in (3, 6):
        with pytest.raises(SpecInvalidError):
            ask(project, scanner, tmp_path, server, ["rows by region"])
        assert len(server.requests) == sends
    assert "unknown_table" in json.dumps(server.requests[1].json["messages"])


def test_mended_reply_is_answered(project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path) -> None:
    """One repair round is enough for a model that listens."""
    server.faults = [Fault(text=FOREIGN)]
    (answer,) = ask(project, scanner, tmp_path, server, ["rows by region"])
    assert answer.spec.table == "sales"
    assert len(server.requests) == 2


def test_offline_planner_answers_while_the_endpoint_is_down_and_is_not_kept(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """Two sends fail, the offline planner answers; when the endpoint is back it is asked again."""
    server.faults = [Fault(status=503, body=b"")] * 2
    one, two = ask(project, scanner, tmp_path, server, ["number of rows by region"] * 2, offline_fallback=True)
    assert one.spec.dimensions[0].column == two.spec.dimensions[0].column == "sales.region"
    assert len(server.requests) == 3
    assert any("did not answer" in note for note in one.notes)
    assert not any("did not answer" in note for note in two.notes)


def test_budget_that_is_spent_sends_nothing(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The first question is answered, the second is refused before a byte leaves."""
    with pytest.raises(BudgetSpentError):
        ask(project, scanner, tmp_path, server, ["rows by region", "amount by region"], tokens_per_day=7_500)
    assert len(server.requests) == 1
