"""A small case over facts of its own, and a tape that records it from the test server: no database is needed."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from gateway.audit.entry import Intent, Outcome
from gateway.llm.cache import AnswerCache
from gateway.llm.choose import make_accounts, make_endpoint
from gateway.llm.settings import LlmSettings
from gateway.planning import Planning
from gateway.record import Recorder
from gateway.regression.cassette import Cassettes
from gateway.regression.fixtures import Fixtures
from gateway.regression.models import facts_of
from gateway.regression.prepare import Choice
from gateway.regression.purse import Purse
from gateway.regression.record import Tape
from prompts.regression.case import Case, read_cases
from redaction.scan import ScanConfig, Scanner

SCANNER = Scanner(ScanConfig(model=None))
"""Patterns only: the language model takes a second to load, and these tests are about files."""
COUNT = '{"charts":[{"mark":"text","table":"visits","measures":[{"aggregate":"count"}]}]}'
BY_CLINIC = (
    '{"charts":[{"mark":"bar","table":"visits","measures":[{"aggregate":"count"}],'
    '"dimensions":[{"column":"visits.clinic"}]}]}'
)


def cases(*questions: str, expect: str = "{outcome: chart}") -> tuple[Case, ...]:
    """Cases over a small summary, called ``a``, ``b`` and so on."""
    summary = (
        "{source: own, tables: [{name: visits, columns: [{name: id, type: integer},"
        " {name: clinic, type: text, distinct: few}]}]}"
    )
    lines = [
        f"  - {{id: {chr(97 + at)}, question: '{question}', summary: {summary}, expect: {expect}}}\n"
        for at, question in enumerate(questions)
    ]
    return read_cases("fixture: own\ntenant: t\ncases:\n" + "".join(lines), "own.yaml")


class Written:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.outcomes: list[Outcome] = []

    async def intent(self, intent: Intent) -> str:
        self.intents.append(intent)
        return f"{len(self.intents):032x}"

    async def outcome(self, entry_id: str, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def settings(base_url: str, **more: object) -> LlmSettings:
    """Settings of an endpoint, as `serve` would have them."""
    return LlmSettings.model_validate(
        {
            "planner": "openai", "base_url": base_url, "model": "demo-1", "api_key": SecretStr("k"),
            "price_input_usd": 1.0, "price_output_usd": 2.0, **more,
        }
    )  # fmt: skip


def tape(
    llm: LlmSettings,
    folder: Path,
    *,
    log: Written | None = None,
    purse: Purse | None = None,
    samples: int = 1,
    choice: Choice | None = None,
) -> Tape:
    """A tape into a folder."""
    return Tape(
        planning=Planning(
            planner=make_endpoint(llm),
            accounts=make_accounts(llm),
            cache=AnswerCache(max_entries=0),
            scanner=SCANNER,
        ),
        recorder=Recorder(log or Written()),
        fixtures=Fixtures(folder / "fixtures"),
        scanner=SCANNER,
        choice=choice or Choice(),
        store=Cassettes(folder / "cassettes", llm.model),
        facts=facts_of(llm, llm.repair_rounds),
        purse=purse or Purse(max_tokens=10_000_000),
        samples=samples,
    )
