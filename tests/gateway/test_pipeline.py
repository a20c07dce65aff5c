"""The line fails closed: whatever guard refuses or cannot finish, nothing leaves and nothing is run after it."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.answer import Answer, Asker
from gateway.audit.entry import Intent, Outcome
from gateway.config import Settings
from gateway.errors import (
    AuditUnavailableError,
    BudgetSpentError,
    GatewayError,
    NotFoundError,
    PromptRefusedError,
    ScanUnfinishedError,
    ScopeRefusedError,
    SpecInvalidError,
)
from gateway.pipeline import Gateway
from gateway.project import Project
from gateway.question_budget import QuestionBudget
from gateway.record import Recorder
from gateway.runtime import Runtime
from gateway.types import CompiledQuery, Reply, ScopedQuery
from redaction.errors import PromptRefused, ScanUnfinished
from redaction.scan import ScannedPrompt, Scanner

SCANNER = Scanner()
CSV = "day,region,amount\n" + "".join(
    f"2024-{i % 12 + 1:02d}-0{i % 9 + 1},{'North' if i % 3 else 'South'},{i % 97 + 3}\n" for i in range(300)
)
PLAN = {"charts": [{"mark": "bar", "table": "sales", "measures": [{"aggregate": "sum", "column": "sales.amount"}],
                    "dimensions": [{"column": "sales.region"}]}]}  # fmt: skip


@dataclass
class CountingModel:
    """A model that counts how often it is asked, and says what it is told to."""

    replies: list[str] = field(default_factory=lambda: [json.dumps(PLAN)])
    seen: list[ScannedPrompt] = field(default_factory=list)
    name: str = "counting"
    model: str = "m"
    leaves: bool = True
    wait: asyncio.Event | None = None

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        self.seen.append(prompt)
        if self.wait is not None:
            await self.wait.wait()
        return Reply(
            text=self.replies[min(len(self.seen), len(self.replies)) - 1], model="m", tokens_in=10, tokens_out=5
        )


@dataclass
class MemoryLog:
    """An audit log in memory that can be made to fail."""

    intents: list[Intent] = field(default_factory=list)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    fails_at: str = ""

    async def intent(self, intent: Intent) -> str:
        if self.fails_at == "intent":
            raise AuditUnavailableError("the audit log cannot be written")
        self.intents.append(intent)
        return str(len(self.intents))

    async def outcome(self, entry_id: str, outcome: Outcome) -> None:
        if self.fails_at == "outcome":
            raise AuditUnavailableError("the audit log cannot be written")
        self.outcomes.append((entry_id, outcome))


@dataclass
class Bench:
    """A gateway with everything that can be counted."""

    gateway: Gateway
    model: CountingModel
    log: MemoryLog
    ran: list[ScopedQuery]

    async def ask(self, question: str = "amount by region", source: str = "sales") -> Answer:
        return await self.gateway.ask(question, Asker(source=source, tenant="local"))


Scene = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    (tmp_path / "sales.csv").write_text(CSV, encoding="utf-8")

    async def run(scene: Scene) -> None:
        settings = Settings(home=tmp_path / "home")
        model, log = CountingModel(), MemoryLog()
        runtime = await Runtime.open(settings, Project.for_path(tmp_path / "sales.csv"), planner=model, scanner=SCANNER)
        try:
            runtime.gateway.recorder = Recorder(log)
            ran: list[ScopedQuery] = []
            source = runtime.gateway.sources["sales"].source
            real = source.run

            def counted(query: ScopedQuery, **more: Any) -> Any:
                ran.append(query)
                return real(query, **more)

            source.run = counted  # type: ignore[method-assign]
            await scene(Bench(gateway=runtime.gateway, model=model, log=log, ran=ran))
        finally:
            await runtime.close()

    return lambda scene: asyncio.run(run(scene))


def test_a_question_passes_every_guard(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        answer = await bench.ask()
        assert len(answer.result.rows) == 2
        assert len(bench.model.seen) == len(bench.ran) == len(bench.log.intents) == 1
        assert bench.log.outcomes[0][1].decision == "answered"
        assert bench.log.outcomes[0][1].checker == "proved"

    play(scene)


def test_no_prompt_leaves_and_nothing_is_run_when_the_intent_cannot_be_written(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        bench.log.fails_at = "intent"
        with pytest.raises(AuditUnavailableError):
            await bench.ask()
        assert bench.model.seen == bench.ran == []

    play(scene)


def test_no_answer_is_given_when_its_outcome_cannot_be_written(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        bench.log.fails_at = "outcome"
        with pytest.raises(AuditUnavailableError):
            await bench.ask()

    play(scene)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(PromptRefused(("EMAIL_ADDRESS",)), PromptRefusedError), (ScanUnfinished("timed_out"), ScanUnfinishedError)],
    ids=["refuses", "cannot finish"],
)
def test_no_prompt_leaves_when_the_scan(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: type[GatewayError]
) -> None:
    def no(*_: object, **__: object) -> None:
        raise raised

    async def scene(bench: Bench) -> None:
        monkeypatch.setattr("gateway.pipeline.scan", no)
        with pytest.raises(expected):
            await bench.ask()
        assert bench.model.seen == bench.ran == []
        assert bench.log.outcomes[-1][1].decision == "refused"
        assert bench.log.outcomes[-1][1].stage == "scan"

    play(scene)


def test_nothing_is_run_when_the_checker_refuses(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object, **__: object) -> None:
        raise ScopeRefusedError("the statement reads a table that is not in scope")

    async def scene(bench: Bench) -> None:
        monkeypatch.setattr("gateway.pipeline.prove", no)
        with pytest.raises(ScopeRefusedError):
            await bench.ask()
        assert bench.ran == []
        outcome = bench.log.outcomes[-1][1]
        assert (outcome.decision, outcome.stage, outcome.checker) == ("refused", "prove", "refused")

    play(scene)


def test_a_statement_that_was_changed_after_the_compiler_is_not_run(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real checker, not a stand-in: the compiler's output is tampered with on the way to it."""
    from dataclasses import replace

    from gateway.chart.compile import compile_spec

    def tampered(*args: Any, **more: Any) -> CompiledQuery:
        query = compile_spec(*args, **more)
        return replace(query, statement=query.statement.replace("SUM(", "MAX(", 1) + " UNION ALL SELECT 1, 2")

    async def scene(bench: Bench) -> None:
        monkeypatch.setattr("gateway.pipeline.compile_spec", tampered)
        with pytest.raises(ScopeRefusedError):
            await bench.ask()
        assert bench.ran == []

    play(scene)


def test_a_model_that_errs_is_told_twice_and_no_more(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        bench.model.replies = [json.dumps(PLAN).replace("sales.amount", "sales.nothing")]
        with pytest.raises(SpecInvalidError):
            await bench.ask()
        assert len(bench.model.seen) == 3
        assert [intent.attempt for intent in bench.log.intents] == [1, 2, 3]
        assert [outcome.decision for _, outcome in bench.log.outcomes] == ["failed"] * 3

    play(scene)


def test_a_model_that_mends_its_reply_is_heard(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        bench.model.replies = ["no json", json.dumps(PLAN)]
        answer = await bench.ask()
        assert len(answer.result.rows) == 2
        assert len(bench.model.seen) == 2

    play(scene)


def test_a_caller_who_leaves_is_in_the_log(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        bench.model.wait = asyncio.Event()
        asking = asyncio.create_task(bench.ask())
        while not bench.model.seen:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert bench.log.outcomes[-1][1].code == "caller_left"
        assert bench.ran == []

    play(scene)


def test_a_source_that_is_not_there_is_not_found_and_is_in_the_log(play: Callable[[Scene], None]) -> None:
    async def scene(bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            await bench.ask(source="other")
        assert bench.log.outcomes[-1][1].code == "not_found"

    play(scene)


def test_an_unforeseen_error_is_in_the_log_without_its_text(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("secret-canary")

    async def scene(bench: Bench) -> None:
        monkeypatch.setattr("gateway.pipeline.render", broken)
        with pytest.raises(KeyError):
            await bench.ask()
        outcome = bench.log.outcomes[-1][1]
        assert (outcome.decision, outcome.code) == ("failed", "internal")
        assert "secret-canary" not in repr(outcome)

    play(scene)


def test_a_scoped_query_cannot_be_made_by_hand() -> None:
    with pytest.raises(ScopeRefusedError):
        ScopedQuery(object(), "x", object())  # type: ignore[arg-type]


def test_only_the_checker_holds_the_proof() -> None:
    """The token that makes a ScopedQuery is named in two modules: where it is defined, and in the checker."""
    root = Path(gateway.__file__).parent
    holders = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == "_PROOF")
        or (isinstance(node, ast.ImportFrom) and any(name.name == "_PROOF" for name in node.names))
    }
    assert "types.py" in holders
    assert all(name == "types.py" or name.startswith("chart/prove") for name in holders), holders


def test_nothing_is_done_for_a_question_over_the_bound_but_to_log_it(play: Callable[[Scene], None]) -> None:
    """The bound on a user's questions comes before mask, model and database; a redrawn chart counts too."""

    async def scene(bench: Bench) -> None:
        bench.gateway._questions = QuestionBudget(per_hour=1)
        answer = await bench.ask()
        with pytest.raises(BudgetSpentError):
            await bench.ask("another")
        with pytest.raises(BudgetSpentError):
            await bench.gateway.redraw(answer.context, Asker(source="sales", tenant="local"))
        assert len(bench.model.seen) == len(bench.ran) == 1
        assert [outcome.decision for _, outcome in bench.log.outcomes] == ["answered", "refused", "refused"]

    play(scene)
