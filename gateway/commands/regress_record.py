"""``rowless regress record``: a live model's replies to the cases, kept in files that a reviewer can read."""

# ruff: noqa: PLR0913, PLR0917  # each argument is an option of the command line

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gateway.commands.regress_options import Budget, Cases, Cassettes, Projects, Rules, Tag, Templates, TemplateVersion
from gateway.config import Settings
from gateway.errors import BudgetSpentError, ConfigError, ModelError, PromptRefusedError
from prompts.errors import PromptError
from prompts.regression.case import CASES

if TYPE_CHECKING:
    # These load engines, which --help does not wait for.
    from gateway.regression.purse import Purse
    from gateway.regression.record import Recording, Wanted
    from gateway.regression.suite import Setup


def record(
    cases: Cases = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Model to ask; ROWLESS_LLM__MODEL if left out; repeatable.")
    ] = None,
    cassettes: Cassettes = Path("cassettes"),
    samples: Annotated[int, typer.Option(min=1, max=100, help="Replies that a case shall have.")] = 1,
    only_missing: Annotated[bool, typer.Option("--only-missing", help="Only cases never recorded.")] = False,
    only_stale: Annotated[bool, typer.Option("--only-stale", help="Only cases whose prompt has changed.")] = False,
    again: Annotated[bool, typer.Option("--all", help="Every case anew, fitting replies too.")] = False,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens, in and out, of all calls.")] = 2_000_000,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Most US dollars; needs the model's prices.")] = None,
    templates: Templates = None,
    version: TemplateVersion = None,
    rules: Rules = None,
    project: Projects = None,
    budget: Budget = 4000,
    tag: Tag = "",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Calls at once.")] = 4,
) -> None:
    """Ask a live model, by the settings that `serve` has, and keep its replies. What fits is not asked again."""
    from gateway.regression.prepare import Choice
    from gateway.regression.purse import Purse
    from gateway.regression.suite import Setup, own_fixtures
    from prompts.template import TEMPLATES

    if sum((only_missing, only_stale, again)) > 1:
        msg = "give one of --only-missing, --only-stale and --all"
        raise ConfigError(msg)
    settings = Settings.from_environment()
    if settings.llm.planner == "offline":
        msg = "which endpoint? set ROWLESS_LLM__PLANNER=openai, ROWLESS_LLM__BASE_URL and so on, as for `rowless serve`"
        raise ConfigError(msg)
    setup = Setup(
        places=tuple(cases or (CASES,)),
        choice=Choice(folder=templates or TEMPLATES, version=version, budget_tokens=budget),
        models=tuple(model or (settings.llm.model,)),
        cassettes=cassettes,
        samples=samples,
        rules=rules,
        projects=own_fixtures(project or ()),
        tag=tag,
        jobs=jobs,
    )
    wanted: Wanted = "missing" if only_missing else "stale" if only_stale else "all" if again else "needed"
    console = Console(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_record(settings, setup, wanted, Purse(max_tokens=max_tokens, max_usd=max_usd), console))
    except PromptError as error:
        raise ConfigError(str(error)) from None


async def _record(settings: Settings, setup: Setup, wanted: Wanted, purse: Purse, console: Console) -> None:
    from gateway.llm.cache import AnswerCache
    from gateway.llm.choose import make_accounts, make_endpoint
    from gateway.planning import Planning
    from gateway.record import Recorder
    from gateway.regression.cassette import Cassettes
    from gateway.regression.models import facts_of
    from gateway.regression.record import Tape
    from gateway.runtime import open_audit, open_state, scan_config
    from gateway.store.spend import StateLedger
    from redaction.scan import Scanner

    cases = setup.cases()
    scanner = Scanner(scan_config(settings.redaction))
    state, _ = await asyncio.to_thread(open_state, settings)
    audit = await asyncio.to_thread(open_audit, state, settings)
    try:
        with setup.fixtures() as fixtures:
            for model in setup.models:
                chosen = settings.llm.model_copy(update={"model": model})
                planner = make_endpoint(chosen)
                tape = Tape(
                    planning=Planning(
                        planner=planner,
                        accounts=make_accounts(settings.llm, StateLedger(state)),
                        cache=AnswerCache(max_entries=0),
                        scanner=scanner,
                    ),
                    recorder=Recorder(audit),
                    fixtures=fixtures,
                    scanner=scanner,
                    choice=setup.choice,
                    store=Cassettes(setup.cassettes, model),
                    facts=facts_of(chosen, settings.llm.repair_rounds),
                    purse=purse,
                    samples=setup.samples or 1,
                )
                try:
                    with _bar(console) as bar:
                        task = bar.add_task(model, total=len(cases), tokens=0, usd=0.0)

                        def moved(_: Recording, bar: Progress = bar, task: object = task) -> None:
                            bar.update(task, advance=1, tokens=purse.tokens, usd=purse.usd)  # type: ignore[arg-type]

                        result = await tape.record(cases, wanted=wanted, jobs=setup.jobs, progress=moved)
                finally:
                    await planner.aclose()  # type: ignore[attr-defined]  # an endpoint has connections
                _tell(console, model, result, purse)
    finally:
        await asyncio.to_thread(audit.close)
        state.close()


def _bar(console: Console) -> Progress:
    spent = TextColumn("{task.fields[tokens]:,} tokens  ${task.fields[usd]:.4f}")
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), spent,
        console=console, transient=True,
    )  # fmt: skip


def _tell(console: Console, model: str, result: Recording, purse: Purse) -> None:
    """Say what came of it, and end as an exit code says it."""
    console.print(
        f"{model}: {result.replies} replies of {result.cases} cases recorded, {result.kept} needed none; "
        f"{purse.tokens:,} tokens, ${purse.usd:.4f}",
        markup=False,
    )
    for case, kinds in result.refused.items():
        console.print(f"  not kept {case}: {', '.join(kinds)}", markup=False)
    for case, code in result.failed.items():
        console.print(f"  no answer {case}: {code}", markup=False)
    more = f"{result.left} cases are left; run it again to go on"
    if result.stopped == "budget":
        msg = f"stopped before the budget was passed: {more}"
        raise BudgetSpentError(msg)
    if result.stopped or result.failed:
        msg = f"the endpoint did not answer {len(result.failed)} cases: {more}"
        raise ModelError(msg)
    if result.refused:
        msg = f"{len(result.refused)} cases were stopped by a guard"
        raise PromptRefusedError(msg)
