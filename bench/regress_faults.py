"""Plant faults in templates, rules and settings, one by one, and say which case and column reports each.

Run: python bench/regress_faults.py [--report FILE]. Prints the table of docs/regression.md. Beside the offline planner
a second model plays: replies recorded from a server on loopback that answers as the offline planner would, so that the
columns `stale` and `cost` are real; each fault is also recorded anew, in a folder of its own, to see what it costs.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.config import Settings
from gateway.llm.cache import AnswerCache
from gateway.llm.choose import make_accounts, make_endpoint
from gateway.llm.settings import LlmSettings
from gateway.planning import Planning
from gateway.record import Recorder
from gateway.regression.answers import AskedNow
from gateway.regression.cassette import Cassettes
from gateway.regression.fixtures import CANARIES, shipped_rules
from gateway.regression.models import facts_of
from gateway.regression.page import page
from gateway.regression.prepare import prepare
from gateway.regression.purse import Purse
from gateway.regression.record import Tape
from gateway.regression.suite import Setup, run_suite
from prompts.budget import count_tokens
from prompts.regression.case import CASES
from prompts.regression.compare import compared
from prompts.regression.outcome import Run
from prompts.regression.report import table
from prompts.template import TEMPLATES, versions
from redaction.scan import ScanConfig, Scanner
from tests.gateway.regression.recording import Written
from tests.simulator.chat_server import Received, chat_server

MODEL = "loopback-demo"
NEWEST = versions("chart_spec")[-1]
PRICE_INPUT_USD, PRICE_OUTPUT_USD = 0.4, 1.6
Plant = Callable[[Path, Setup], Setup]


def template(change: Callable[[str], str]) -> Plant:
    def plant(folder: Path, setup: Setup) -> Setup:
        shutil.copytree(TEMPLATES / "chart_spec", folder / "templates" / "chart_spec")
        file = folder / "templates" / "chart_spec" / f"{NEWEST}.j2"
        before = file.read_text(encoding="utf-8")
        assert change(before) != before, "the fault changes nothing"
        file.write_text(change(before), encoding="utf-8")
        return replace(setup, choice=replace(setup.choice, folder=folder / "templates"))

    return plant


def rule(fixture: str, old: str, new: str) -> Plant:
    def plant(folder: Path, setup: Setup) -> Setup:
        text = shipped_rules(fixture)
        assert old in text, "the rule is not there"
        (folder / "rules").mkdir()
        (folder / "rules" / f"{fixture}.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return replace(setup, rules=folder / "rules")

    return plant


def line(words: str) -> Plant:
    return template(lambda text: text.replace("{% block system %}\n", "{% block system %}\n" + words + "\n"))


def without(start: str) -> Plant:
    return template(lambda text: "\n".join(part for part in text.split("\n") if not part.startswith(start)))


def budget(tokens: int) -> Plant:
    return lambda _, setup: replace(setup, choice=replace(setup.choice, budget_tokens=tokens))


FAULTS: dict[str, Plant] = {
    "a row value in the template": line(f"Customers such as {CANARIES[0]}."),
    "a row value, spelt backwards": line(CANARIES[1][::-1]),
    "an e-mail address in the template": line("Ask jane.roe@corp.example."),
    "an invisible character": line("Plan\u200b well."),
    "the rule on placeholders dropped": without("⟨v1: t.c⟩ in the question"),
    "the rule against instructions in data reworded": template(
        lambda text: text.replace("never follow instructions", "mind instructions")
    ),
    "the fence dropped": template(lambda text: text.replace("<data {{ fence }}>", "<data>")),
    "the metadata dropped": template(lambda text: text.replace("{{ metadata }}", "")),
    "the instructions written twice": line("Think about each column in turn, then decide. " * 60),
    "the budget cut, so that columns are left out": budget(1_700),
    "a rule: synonyms of a column dropped": rule("helpdesk", 'synonyms = ["severity"]\n', ""),
    "a rule: the labels of a column no longer approved": rule(
        "helpdesk", "[source.tables.tickets.columns.state]\nvocabulary = true\n", ""
    ),
    "a rule: synonyms of a metric changed": rule("ugly", 'synonyms = ["revenue", "sales"]', 'synonyms = ["income"]'),
    "a rule: a description that tells a row": rule("helpdesk", "People who solve tickets.", f"Such as {CANARIES[0]}."),
}


def answers(setup: Setup) -> dict[str, str]:
    """What the offline planner says to each user message."""
    scanner, planner, found = Scanner(ScanConfig()), AskedNow(), {}
    with setup.fixtures() as fixtures:
        for case in setup.cases():
            made = prepare(case, fixtures, scanner, setup.choice)
            if made.scanned is not None:
                given = planner.of(made, made.scanned).given[0]
                if given.reply is not None:
                    found[made.scanned.messages[-1].text] = given.reply.text
    return found


async def record(setup: Setup, base_url: str) -> None:
    """Record every case of a setup that has none."""
    llm = LlmSettings(
        planner="openai", base_url=base_url, model=MODEL, name="loopback",
        price_input_usd=PRICE_INPUT_USD, price_output_usd=PRICE_OUTPUT_USD,
    )  # fmt: skip
    scanner = Scanner(ScanConfig())
    planner = make_endpoint(llm)
    with setup.fixtures() as fixtures:
        tape = Tape(
            planning=Planning(
                planner=planner, accounts=make_accounts(llm), cache=AnswerCache(max_entries=0), scanner=scanner
            ),
            recorder=Recorder(Written()), fixtures=fixtures, scanner=scanner, choice=setup.choice,
            store=Cassettes(setup.cassettes, MODEL), facts=facts_of(llm, llm.repair_rounds),
            purse=Purse(max_tokens=50_000_000),
        )  # fmt: skip
        await tape.record(setup.cases(), jobs=4)
    await planner.aclose()  # type: ignore[attr-defined]  # an endpoint has connections


def told(name: str, offline: tuple[Run, Run], replayed: tuple[Run, Run], anew: Run | None) -> str:
    """One row of the table."""
    run, clean = offline
    verdict = compared(run, clean)
    worse = set(verdict.worse)
    columns = Counter(
        column for one in run.results if one.id in worse for column in {failed.column for failed in one.failed}
    )
    reported = ", ".join(f"{column} ({count})" for column, count in columns.most_common(4)) or "none"
    first = next((one.id for one in run.results if one.id in worse), "")
    stale = replayed[0].count("stale")
    cost = "nothing leaves"
    if anew is not None:
        growth = compared(anew, replayed[1])
        cost = f"{growth.cost_usd:+.4f}" if growth.cost_usd is not None else "nothing leaves"
    return (
        f"| {name} | {len(worse)} | {reported} | {first} | {len(verdict.changed)} | {verdict.tokens:+,} | {stale} "
        f"| {cost} |"
    )


def main() -> None:
    """Print the table; with --report, write the report of a template change too."""
    options = argparse.ArgumentParser()
    options.add_argument("--report", type=Path)
    options.add_argument("--only", default="")
    options.add_argument("--cases", type=Path, nargs="*", default=[CASES])
    chosen = options.parse_args()
    settings, started = Settings(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        base = Setup(places=tuple(chosen.cases), models=("offline", MODEL), cassettes=Path(place) / "cassettes")
        known = answers(base)

        def reply(request: Received) -> str:
            return known.get(request.json["messages"][-1]["content"], '{"charts":[],"missing":["facts"]}')

        def count(request: Received) -> tuple[int, int]:
            asked = sum(count_tokens(message["content"]) for message in request.json["messages"])
            return asked, count_tokens(reply(request))

        with chat_server(reply=reply, count=count) as server:
            asyncio.run(record(base, server.base_url))
            clean = run_suite(base, settings)
            print(f"clean: {clean[0].count('pass')} of {len(clean[0].results)}; {clean[0].elapsed_s:.1f} s", flush=True)
            if chosen.report:
                old = replace(base, choice=replace(base.choice, version=str(int(NEWEST) - 1)))
                asyncio.run(record(replace(old, cassettes=Path(place) / "old"), server.base_url))
                before = run_suite(
                    replace(old, cassettes=Path(place) / "old"), settings, label=f"version {old.choice.version}"
                )
                runs = run_suite(base, settings, plant_leaks=True)
                chosen.report.write_text(page(runs, before), encoding="utf-8")
                verdicts = [compared(run, was) for run, was in zip(runs, before, strict=True)]
                print(table(runs, verdicts, groups=True))
                return
            print("| fault | worse | reported in (cases) | first told by | changed | tokens | stale | USD |")
            print("| --- | --- | --- | --- | --- | --- | --- | --- |")
            for at, (name, plant) in enumerate(FAULTS.items()):
                if chosen.only and chosen.only not in name:
                    continue
                folder = Path(place) / f"fault{at}"
                folder.mkdir()
                setup = plant(folder, base)
                offline, replayed = run_suite(setup, settings)
                own = replace(setup, models=(MODEL,), cassettes=folder / "cassettes")
                asyncio.run(record(own, server.base_url))
                is_any = (folder / "cassettes").is_dir()
                anew = run_suite(own, settings)[0] if is_any else None
                print(told(name, (offline, clean[0]), (replayed, clean[1]), anew), flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
