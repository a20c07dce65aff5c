"""``rowless ask``: a question about a file of one's own, or a project's datasource, answered in the terminal."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.answer import Answer
from gateway.attached import Known
from gateway.chart.terminal import to_text
from gateway.commands.explain import print_explanation, print_failure
from gateway.commands.opening import Named, named_data
from gateway.commands.write import check_suffix, write_chart
from gateway.config import Settings
from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.trace import Step


def ask(
    question: Annotated[str, typer.Argument(help="The question, in plain words.")],
    data: Annotated[
        Path | None, typer.Option(help="A CSV, Parquet, JSON Lines, SQLite or DuckDB file, or a folder of files.")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="A project file (rowless.toml), in place of --data.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose rows: the tenant id. Needed with --project.")] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Write the chart: a .html, .png, .svg, .json, .csv or .arrow file. Repeatable."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every stage: known, sent, found, run.")] = False,
) -> None:
    """Answer a question with a chart. Without a model's key the offline planner reads the question."""
    console = Console(highlight=False, soft_wrap=True)
    for path in out or []:
        check_suffix(path)
    settings = Settings.from_environment()
    named = named_data(settings, data=data, project=project, source=source, tenant=tenant)
    asyncio.run(_ask(settings, named, question, console, out or [], explain=explain))


async def _ask(
    settings: Settings,
    named: Named,
    question: str,
    console: Console,
    out: list[Path],
    *,
    explain: bool,
) -> None:
    with console.status("reading the data") as status:
        runtime = await Runtime.open(settings, named.project, only=named.config.name)
        try:
            known = await runtime.gateway.known(named.asker, progress=lambda said: status.update(str(said)))
            status.update("answering")
            try:
                answer = await runtime.gateway.ask(
                    question,
                    named.asker,
                    on_step=lambda step: status.update(_progress(step)),
                )
            except GatewayError as error:
                if explain:
                    print_failure(console, known, error)
                raise
        finally:
            await runtime.close()
    if explain:
        print_explanation(console, known, answer)
    _print(console, answer, known)
    for path in out:
        await asyncio.to_thread(write_chart, path, answer)
        console.print(f"wrote {path}", markup=False)


def _progress(step: Step) -> str:
    if step.state != "working":
        return f"answering: {step.stage}"
    return f"{step.done} of {step.of} tables read" if step.of else f"the model has written {step.done} tokens"


def _print(console: Console, answer: Answer, known: Known) -> None:
    width = min(shutil.get_terminal_size((100, 30)).columns, 160)
    console.print(f"\n{answer.sentence}\n", markup=False)
    text = to_text(answer.spec, answer.result, width=width, color=console.is_terminal, summary=known.summary)
    typer.echo(text)
    for part in answer.masked:
        where = f", a value of {' or '.join(part.columns)}" if part.columns else ""
        console.print(f"kept here: {part.placeholder} ({part.kind}{where})", markup=False)
    for note in answer.notes:
        console.print(f"note: {note}", markup=False)
    if answer.ambiguous and answer.alternatives:
        console.print("this can be read in other ways:", markup=False)
        for other in answer.alternatives:
            console.print(f"  - {other.sentence}", markup=False)
    console.print(f"audit entry {answer.audit_id}", markup=False, style="dim")
