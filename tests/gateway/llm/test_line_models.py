"""The whole line with model endpoints: kept answers, budgets, fall-backs, and replies that do not fit."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.answer import Answer, Asker
from gateway.audit.reader import Filter, Reader
from gateway.audit.rows import stored_rows
from gateway.config import Settings
from gateway.errors import (
    AuditUnavailableError,
    BudgetSpentError,
    GuardFailedError,
    ModelError,
    RefusedError,
    SpecInvalidError,
)
from gateway.llm.offline.planner import OfflinePlanner
from gateway.llm.places import TenantPlaces
from gateway.llm.settings import EndpointSettings, LlmSettings
from gateway.project import Project
from gateway.runtime import Runtime, open_state
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


def test_budget_outlives_the_process_and_is_one_for_all(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """A second process on the same state database finds what the first has spent; another tenant's is its own."""
    ask(project, scanner, tmp_path, server, ["rows by region"], tokens_per_day=7_500)
    with pytest.raises(BudgetSpentError):
        ask(project, scanner, tmp_path, server, ["amount by region"], tokens_per_day=7_500)
    assert len(server.requests) == 1
    own = {"own": {"tokens_per_day": 100_000}}
    ask(project, scanner, tmp_path, server, ["amount by region"], tokens_per_day=7_500, tenants=own)
    assert len(server.requests) == 2


def test_retry_that_the_budget_does_not_allow_is_not_sent(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """A failed send has cost its prompt; what is left is not enough for a second."""
    server.faults = [Fault(status=503, body=b"")]
    with pytest.raises(BudgetSpentError):
        ask(project, scanner, tmp_path, server, ["rows by region"], tokens_per_day=7_500)
    assert len(server.requests) == 1


def test_burst_of_one_tenant_leaves_places_for_the_others() -> None:
    """Passes up to its share, is turned away over it, and gives each place back, come what may."""
    places = TenantPlaces(2)
    with places.hold("a"), places.hold("a"):
        with pytest.raises(ModelError) as caught, places.hold("a"):
            raise AssertionError
        assert caught.value.code == "model_busy"
        with places.hold("b"):
            pass
    with contextlib.suppress(ZeroDivisionError), places.hold("a"):
        raise ZeroDivisionError
    with places.hold("a"), places.hold("a"):
        pass
    assert places._inside == {}


def test_one_tenant_cannot_have_every_place_at_the_model(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """Five questions at once under a share of two: two are sent, three are turned away, nothing is sent for them."""
    server.faults = [Fault(before_s=1.0)] * 2
    options = {"planner": "openai", "base_url": server.base_url, "model": "m", "offline_fallback": False}

    async def run() -> list[object]:
        settings = Settings(home=tmp_path, llm=LlmSettings(max_per_tenant=2, **options))  # type: ignore[arg-type]
        runtime = await Runtime.open(settings, project, scanner=scanner)
        try:
            asker = Asker(source=project.sources[0].name, tenant="own")
            await runtime.gateway.known(asker)
            asked = (runtime.gateway.ask(f"rows by region {n}", asker) for n in range(5))
            return list(await asyncio.gather(*asked, return_exceptions=True))
        finally:
            await runtime.close()

    found = asyncio.run(run())
    assert sum(isinstance(one, Answer) for one in found) == len(server.requests) == 2
    assert {one.code for one in found if isinstance(one, ModelError)} == {"model_busy"}


def test_nothing_is_sent_while_the_ledger_is_away(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails closed, and the audit log has the refusal."""

    def away(*_: object) -> None:
        raise GuardFailedError("away", code="ledger_unavailable")

    monkeypatch.setattr("gateway.store.spend.StateLedger._reserve", away)
    with pytest.raises(GuardFailedError):
        ask(project, scanner, tmp_path, server, ["rows by region"], tokens_per_day=7_500)
    assert server.requests == []
    assert entries(tmp_path)[-1] == ("outcome", "refused", "m")


def entries(home: Path) -> list[tuple[str, str, str]]:
    """The audit log: kind, decision and model of each entry."""
    state, _ = open_state(Settings(home=home))
    try:
        return [(row.columns["kind"], row.columns["decision"], row.columns["model"]) for row in stored_rows(state)]
    finally:
        state.close()


def spare_of(server: ChatServer) -> EndpointSettings:
    return EndpointSettings(name="spare", base_url=server.base_url, model="m2")


def test_audit_log_names_the_endpoint_that_a_prompt_went_to(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The first endpoint is passed over without a send: the log says before the send that the spare gets it."""
    with chat_server(reply=lambda _: COUNT) as other:
        options = {"fallbacks": (spare_of(other),), "tenants": {"own": {"endpoints": ["spare"]}}}
        ask(project, scanner, tmp_path, server, ["rows by region"], **options)
        assert (len(server.requests), len(other.requests)) == (0, 1)
    assert entries(tmp_path)[1] == ("intent", "", "m2")
    assert entries(tmp_path)[-1] == ("outcome", "answered", "m2")


def test_prompt_of_a_tenant_goes_to_no_endpoint_that_is_not_on_its_list(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """An empty list keeps a tenant's prompts in the house: refused, or answered by the offline planner."""
    nowhere = {"own": {"endpoints": []}}
    with pytest.raises(RefusedError) as caught:
        ask(project, scanner, tmp_path, server, ["rows by region"], tenants=nowhere)
    assert caught.value.code == "model_not_allowed"
    (answer,) = ask(
        project, scanner, tmp_path, server, ["number of rows by region"], tenants=nowhere, offline_fallback=True
    )
    assert answer.spec.dimensions[0].column == "sales.region"
    assert server.requests == []


def questions(home: Path) -> list[tuple[str, str, str, bool | None]]:
    """What a reviewer reads: decision, code and model of each entry, and whether a prompt left for it."""
    state, _ = open_state(Settings(home=home))
    try:
        lines = Reader(state).stream(Filter(what="questions"))
        return [(line.decision, line.code, line.model, line.left) for line in lines]
    finally:
        state.close()


OFFLINE = OfflinePlanner.model


def test_reviewer_reads_which_planner_answered_when_every_send_failed(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """Two sends that left and failed, each of its own; then the offline planner, for which nothing left."""
    server.faults = [Fault(status=503, body=b"")] * 2
    (answer,) = ask(project, scanner, tmp_path, server, ["number of rows by region"], offline_fallback=True)
    assert questions(tmp_path) == [
        ("failed", "tried_again", "m", True),
        ("failed", "tried_again", "m", True),
        ("answered", "", OFFLINE, False),
    ]
    assert (answer.explanation.answered_by, answer.explanation.sends) == (OFFLINE, 2)


def test_reviewer_reads_that_nothing_left_when_no_endpoint_may_be_asked(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The first intent came to no send, whatever it meant to do."""
    nowhere = {"own": {"endpoints": []}}
    (answer,) = ask(
        project, scanner, tmp_path, server, ["number of rows by region"], tenants=nowhere, offline_fallback=True
    )
    assert questions(tmp_path) == [("failed", "tried_again", "m", False), ("answered", "", OFFLINE, False)]
    assert (answer.explanation.answered_by, answer.explanation.sends) == (OFFLINE, 0)
    assert server.requests == []


def test_reviewer_reads_that_a_refused_send_did_not_leave(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The budget refuses after the log has let a send go and before a byte of it leaves."""
    with pytest.raises(BudgetSpentError):
        ask(project, scanner, tmp_path, server, ["rows by region"], tokens_per_day=10)
    assert questions(tmp_path) == [("refused", "budget_spent", "m", False)]
    assert server.requests == []


def test_reviewer_reads_of_a_kept_answer_that_nothing_left(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path
) -> None:
    """The first question was sent, the same one again was not."""
    _, again = ask(project, scanner, tmp_path, server, ["rows by region"] * 2)
    assert [left for *_, left in questions(tmp_path)] == [True, False]
    assert (answer_of := again.explanation).sends == 0
    assert answer_of.answered_by == "m"


def test_no_planner_answers_in_the_house_unless_the_log_says_so_first(
    project: Project, scanner: Scanner, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit log fails at the take-over: the line ends there, and no answer goes out under a wrong name."""

    async def away(*_: object) -> None:
        raise AuditUnavailableError("away", stage="log")

    monkeypatch.setattr("gateway.record.Entry.in_house", away)
    server.faults = [Fault(status=503, body=b"")] * 2
    with pytest.raises(AuditUnavailableError):
        ask(project, scanner, tmp_path, server, ["number of rows by region"], offline_fallback=True)
    assert len(server.requests) == 2
