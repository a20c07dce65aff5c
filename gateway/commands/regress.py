"""``rowless regress``: what a change of template, rule or model made better, worse, dearer or less private.

Exit codes: 0 nothing became worse; 3 something did, or is stale, leaks or grew past a limit; 2 a file, revision or
option is wrong; 4 a model's endpoint did not answer; 1 our own bug.
"""

# ruff: noqa: PLR0913, PLR0917  # each argument is an option of the command line

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.commands import regress_cases, regress_record
from gateway.commands.regress_options import (
    Budget,
    Cases,
    Cassettes,
    Jobs,
    Models,
    Projects,
    Rules,
    Tag,
    Templates,
    TemplateVersion,
    write_text,
)
from gateway.config import Settings
from gateway.errors import ConfigError
from prompts.errors import PromptError
from prompts.regression.case import CASES, json_schema
from prompts.regression.compare import Compared, compared, differences
from prompts.regression.outcome import Run, read_run, read_runs, write_runs
from prompts.regression.report import as_junit, as_markdown, table

if TYPE_CHECKING:
    # It loads engines, which --help does not wait for.
    from gateway.regression.suite import Setup

app = typer.Typer(help="Run prompt regression cases offline.", no_args_is_help=True)
BASELINE = CASES.parent / "baseline.json"
_Made = TypeVar("_Made")


@app.command()
def run(
    cases: Cases = None,
    model: Models = None,
    cassettes: Cassettes = Path("cassettes"),
    samples: Annotated[int | None, typer.Option(min=1, max=100, help="Most recorded replies of a case.")] = None,
    templates: Templates = None,
    version: TemplateVersion = None,
    rules: Rules = None,
    project: Projects = None,
    budget: Budget = 4000,
    tag: Tag = "",
    baseline: Annotated[Path | None, typer.Option(help="A run to compare with; the shipped one for its cases.")] = None,
    against: Annotated[str, typer.Option(help="Compare with a git revision: its templates, rules and replies.")] = "",
    against_version: Annotated[str, typer.Option(help="Compare with this version of the template.")] = "",
    against_model: Annotated[str, typer.Option(help="Compare the other models with this one.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Fail on every failing case, not only on new ones.")] = False,
    allow_stale: Annotated[bool, typer.Option("--allow-stale", help="Do not fail on stale cases.")] = False,
    max_growth: Annotated[
        float | None, typer.Option(min=0, help="Fail if prompts or costs grow by more than so many percent.")
    ] = None,
    groups: Annotated[bool, typer.Option("--groups", help="A line for each group of cases too.")] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the run.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a Markdown report.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML report.")] = None,
    jobs: Jobs = 2,
) -> None:
    """Run the cases. Exit 0: nothing became worse; 3: something did, is stale, or leaks."""
    from gateway.regression.answers import OFFLINE
    from gateway.regression.prepare import Choice
    from gateway.regression.suite import Setup, own_fixtures
    from prompts.template import TEMPLATES

    if sum(map(bool, (baseline, against, against_version, against_model))) > 1:
        msg = "compare with one thing: --baseline, --against, --against-version or --against-model"
        raise ConfigError(msg)
    console = Console(highlight=False, soft_wrap=True)
    setup = Setup(
        places=tuple(cases or (CASES,)),
        choice=Choice(folder=templates or TEMPLATES, version=version, budget_tokens=budget),
        models=tuple(model or (OFFLINE,)),
        cassettes=cassettes,
        samples=samples,
        rules=rules,
        projects=own_fixtures(project or ()),
        tag=tag,
        jobs=jobs,
    )
    made = _progressing(console, setup)
    before = _guarded(lambda: _baselines(made, setup, baseline, against, against_version, against_model, bool(cases)))
    verdicts = [compared(one, old) for one, old in zip(made, before, strict=True)]
    console.print(table(made, verdicts, groups=groups), markup=False)
    writers: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (json_out, lambda: write_runs(made)),
        (junit, lambda: as_junit(made)),
        (markdown, lambda: as_markdown(made, verdicts)),
        (html, lambda: _page(made, before)),
    )
    for path, text in writers:
        if path is not None:
            write_text(path, text())
    alone = strict or not (against_model or any(before))
    if _is_worse(made, verdicts, strict=alone, allow_stale=allow_stale, max_growth=max_growth):
        raise typer.Exit(3)


@app.command()
def bless(
    cases: Cases = None,
    out: Annotated[Path | None, typer.Option(help="Where to write it; needed with own cases.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is the baseline now; kept in the file.")] = "",
    model: Models = None,
    cassettes: Cassettes = Path("cassettes"),
    templates: Templates = None,
    version: TemplateVersion = None,
    jobs: Jobs = 2,
) -> None:
    """Run the cases and keep the result as the baseline, its failures included."""
    from gateway.regression.answers import OFFLINE
    from gateway.regression.prepare import Choice
    from gateway.regression.suite import Setup, partner
    from prompts.template import TEMPLATES

    if out is None and (cases or model or templates or version):
        msg = "where to? give --out with your own: the shipped baseline is of the shipped cases and templates"
        raise ConfigError(msg)
    place = out or BASELINE
    console = Console(highlight=False, soft_wrap=True)
    setup = Setup(
        places=tuple(cases or (CASES,)),
        choice=Choice(folder=templates or TEMPLATES, version=version),
        models=tuple(model or (OFFLINE,)),
        cassettes=cassettes,
        jobs=jobs,
    )
    made = _progressing(console, setup, plant_leaks=False)
    if any(one.findings for one in made):
        msg = "not blessed: a prompt holds what must not leave, and no baseline can make that right"
        raise ConfigError(msg)
    old = _guarded(lambda: read_runs(place)) if place.is_file() else ()
    # Prompts are left out: their hashes are enough to see that one changed, and times would differ each run.
    write_text(place, write_runs(tuple(one.slim(reason) for one in made)))
    for one in made:
        verdict = compared(one, partner(one, old))
        console.print(f"wrote {place.name}: {one.name}: {one.count('pass')} of {len(one.results)} pass", markup=False)
        for word, names in (("worse now", verdict.worse), ("better now", verdict.better)):
            if verdict.paired is not None and names:
                console.print(f"  {word}, and kept so: {', '.join(names)}", markup=False)
    if not reason:
        console.print("  no reason was given (--reason); say it in the commit", markup=False)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="A run, as written by --json.")],
    after: Annotated[Path, typer.Argument(help="Another.")],
    case: Annotated[str, typer.Option(help="Only this case.")] = "",
) -> None:
    """Show how prompts and specs differ between two runs."""
    old, new = _guarded(lambda: (read_run(before), read_run(after)))
    typer.echo(differences(old, new, case), nl=False)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Runs, as written by --json.")],
    out: Annotated[Path, typer.Option(help="The HTML file.")] = Path("report.html"),
    baseline: Annotated[Path | None, typer.Option(help="A run to compare with.")] = None,
) -> None:
    """Write the HTML report of runs that were made before: one file that needs no network."""
    from gateway.regression.suite import partner

    made = _guarded(lambda: tuple(one for path in runs for one in read_runs(path)))
    old = _guarded(lambda: read_runs(baseline)) if baseline is not None else ()
    write_text(out, _page(made, [partner(one, old) for one in made]))
    typer.echo(f"wrote {out}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a case file, for editors."""
    typer.echo(json_schema(), nl=False)


app.command(name="record")(regress_record.record)
app.command(name="new")(regress_cases.new)
app.command(name="copy")(regress_cases.copy)
app.command(name="export")(regress_cases.export)
app.command(name="import")(regress_cases.import_cases)


def _page(made: Sequence[Run], before: Sequence[Run | None]) -> str:
    from gateway.regression.page import page

    return page(made, before)


def _progressing(console: Console, setup: Setup, *, plant_leaks: bool = True) -> tuple[Run, ...]:
    from gateway.regression.suite import run_suite

    def made() -> tuple[Run, ...]:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("cases", total=len(setup.cases()))
            settings = Settings.from_environment()
            return run_suite(setup, settings, plant_leaks=plant_leaks, progress=lambda: bar.advance(task))

    return _guarded(made)


def _baselines(
    made: Sequence[Run], setup: Setup, file: Path | None, revision: str, version: str, model: str, own_cases: bool
) -> list[Run | None]:
    from gateway.regression.suite import at_revision, partner, run_suite

    settings = Settings.from_environment()
    if model:
        other = next((one for one, name in zip(made, setup.models, strict=True) if name == model), None)
        if other is None:
            msg = f"--against-model {model}: it is not among the models of this run"
            raise ConfigError(msg)
        return [None if one is other else other for one in made]
    if revision:
        old = at_revision(setup, settings, revision)
    elif version:
        label = f"template version {version}"
        old = run_suite(replace(setup, choice=replace(setup.choice, version=version)), settings, label=label)
    elif file is not None or (not own_cases and BASELINE.exists()):
        old = tuple(one.model_copy(update={"label": one.label or "baseline"}) for one in read_runs(file or BASELINE))
        if len(old) == len(made) == 1:
            return [old[0]]
    else:
        return [None for _ in made]
    return [partner(one, old) for one in made]


def _is_worse(
    made: Sequence[Run],
    verdicts: Sequence[Compared],
    *,
    strict: bool,
    allow_stale: bool,
    max_growth: float | None,
) -> bool:
    for one, verdict in zip(made, verdicts, strict=True):
        failing = one.count("fail") if strict else len(verdict.worse)
        if failing or one.findings or one.count("error"):
            return True
        if (verdict.stale and not allow_stale) or one.leaks_missed:
            return True
        if max_growth is not None and 100 * max(verdict.grown, verdict.dearer) > max_growth:
            return True
    return False


def _guarded(work: Callable[[], _Made]) -> _Made:
    try:
        return work()
    except PromptError as error:
        raise ConfigError(str(error)) from None
