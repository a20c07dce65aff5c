"""``rowless regress``: what a change of template, rule or model made better, worse, dearer or less private."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.errors import ConfigError
from prompts.errors import PromptError
from prompts.regression.case import CASES, json_schema, load_cases
from prompts.regression.outcome import Run, read_run
from prompts.regression.report import as_junit, as_markdown, compared, differences, table

app = typer.Typer(help="Run prompt regression cases offline.", no_args_is_help=True)
Cases = Annotated[list[Path] | None, typer.Argument(help="Case files or folders; the shipped cases if left out.")]
BASELINE = CASES.parent / "baseline.json"


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one option each
    cases: Cases = None,
    templates: Annotated[Path | None, typer.Option(help="A folder of templates in place of the shipped.")] = None,
    version: Annotated[str | None, typer.Option(help="Template version; the newest if left out.")] = None,
    budget: Annotated[int, typer.Option(min=500, help="Most tokens of a prompt.")] = 4000,
    tag: Annotated[str, typer.Option(help="Only cases with this tag.")] = "",
    baseline: Annotated[Path | None, typer.Option(help="A run to compare with; the shipped one for its cases.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on every failing case, not only on new ones.")] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the run.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a Markdown report.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 2,
) -> None:
    """Run the cases with the offline planner. Exit 0: nothing became worse; 3: something did, or leaks."""
    console = Console(highlight=False, soft_wrap=True)
    made = _run(cases, templates, version, budget, tag, workers, console)
    if baseline is None and not cases and BASELINE.exists():
        baseline = BASELINE
    try:
        before = read_run(baseline) if baseline else None
    except PromptError as error:
        raise ConfigError(str(error)) from None
    verdict = compared(made, before)
    console.print(table(made, verdict), markup=False)
    for path, text in (
        (json_out, made.model_dump_json(indent=1) + "\n"),
        (junit, as_junit(made)),
        (markdown, as_markdown(made, verdict)),
    ):
        if path is not None:
            _write(path, text)
    bad = made.count("fail") + made.count("error") if strict or before is None else len(verdict.worse)
    if bad or made.findings or made.count("error"):
        raise typer.Exit(3)


@app.command()
def bless(
    cases: Cases = None,
    out: Annotated[Path | None, typer.Option(help="Where to write it; needed with own cases.")] = None,
) -> None:
    """Run the cases and keep the result as the baseline, its failures included."""
    if cases and out is None:
        msg = "where to? give --out with your own cases: the shipped baseline is of the shipped cases"
        raise ConfigError(msg)
    place = out or BASELINE
    console = Console(highlight=False, soft_wrap=True)
    made = _run(cases, None, None, 4000, "", 2, console)
    # Prompts are left out: their hashes are enough to see that one changed, and times would differ each run.
    slim = tuple(r.model_copy(update={"prompt": "", "elapsed_ms": 0.0}) for r in made.results)
    _write(place, made.model_copy(update={"results": slim, "elapsed_s": 0.0}).model_dump_json(indent=1) + "\n")
    console.print(f"wrote {place.name}: {made.count('pass')} of {len(made.results)} pass", markup=False)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="A run, as written by --json.")],
    after: Annotated[Path, typer.Argument(help="Another.")],
    case: Annotated[str, typer.Option(help="Only this case.")] = "",
) -> None:
    """Show how prompts and specs differ between two runs."""
    try:
        old, new = read_run(before), read_run(after)
    except PromptError as error:
        raise ConfigError(str(error)) from None
    typer.echo(differences(old, new, case), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a case file, for editors."""
    typer.echo(json_schema(), nl=False)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"cannot write {path.name}: {error.strerror or 'the file system refused'}"
        raise ConfigError(msg) from None


def _run(
    places: list[Path] | None,
    templates: Path | None,
    version: str | None,
    budget: int,
    tag: str,
    workers: int,
    console: Console,
) -> Run:
    from gateway.regression.fixtures import Fixtures
    from gateway.regression.runner import Choice, Runner
    from prompts.template import TEMPLATES
    from redaction.scan import ScanConfig, Scanner

    try:
        cases = [case for case in load_cases(places or (CASES,)) if not tag or tag in case.tags]
        with tempfile.TemporaryDirectory() as folder, Progress(console=console, transient=True) as bar:
            task = bar.add_task("cases", total=len(cases))
            fixtures = Fixtures(Path(folder))
            try:
                choice = Choice(folder=templates or TEMPLATES, version=version, budget_tokens=budget)
                runner = Runner(fixtures, Scanner(ScanConfig()), choice=choice)
                return runner.run(cases, workers=workers, progress=lambda: bar.advance(task))
            finally:
                fixtures.close()
    except PromptError as error:
        raise ConfigError(str(error)) from None
