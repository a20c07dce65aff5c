"""``rowless ask``: a question about a file of one's own, or a project's datasource, answered in the terminal."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.answer import Answer, Asker
from gateway.attached import Known
from gateway.chart.terminal import to_text
from gateway.commands.explain import print_explanation, print_failure
from gateway.commands.write import check_suffix, write_chart
from gateway.config import Settings
from gateway.errors import GatewayError, RequestError
from gateway.project import Project
from gateway.runtime import Runtime

LOCAL_TENANT = "local"
"""The tenant of a file that belongs to whoever asks."""


def ask(
    question: Annotated[str, typer.Argument(help="The question, in plain words.")],
    data: Annotated[
        Path | None, typer.Option(help="A CSV, Parquet, JSON Lines, SQLite or DuckDB file, or a folder of files.")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="A project file (rowless.toml), in place of --data.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose rows: the tenant id. Needed with --project.")] = None,
    out: Annotated[
        list[Path] | None, typer.Option(help="Write the chart: a .html, .png, .svg, .json or .csv file. Repeatable.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show every stage: known, sent, found, run.")] = False,
) -> None:
    """Answer a question with a chart. Without a model's key the offline planner reads the question."""
    console = Console(highlight=False, soft_wrap=True)
    for path in out or []:
        check_suffix(path)
    settings = Settings.from_environment()
    loaded = _project(data, project, settings)
    config = loaded.source(source)
    if data is None and tenant is None:
        msg = "whose rows? give --tenant with --project"
        raise RequestError(msg, code="tenant_missing")
    asker = Asker(source=config.name, tenant=tenant if data is None and tenant else LOCAL_TENANT, user="cli")
    asyncio.run(_ask(settings, loaded, asker, question, console, out or [], explain=explain))


def _project(data: Path | None, project: Path | None, settings: Settings) -> Project:
    if data is not None and project is not None:
        msg = "give --data or --project, not both"
        raise RequestError(msg, code="source_twice")
    if data is not None:
        return Project.for_path(data)
    file = project or settings.project
    if file is None:
        msg = "which data? give --data FILE_OR_FOLDER, or --project rowless.toml"
        raise RequestError(msg, code="source_missing")
    return Project.load(file)


async def _ask(
    settings: Settings,
    project: Project,
    asker: Asker,
    question: str,
    console: Console,
    out: list[Path],
    *,
    explain: bool,
) -> None:
    with console.status("reading the data") as status:
        runtime = await Runtime.open(settings, project, only=asker.source)
        try:
            known = await runtime.gateway.known(asker, progress=lambda said: status.update(str(said)))
            status.update("answering")
            answer = await _answer(runtime, question, asker, known, console, explain=explain)
        finally:
            await runtime.close()
    if explain:
        print_explanation(console, known, answer)
    _print(console, answer)
    for path in out:
        await asyncio.to_thread(write_chart, path, answer)
        console.print(f"wrote {path}", markup=False)


async def _answer(
    runtime: Runtime, question: str, asker: Asker, known: Known, console: Console, *, explain: bool
) -> Answer:
    try:
        return await runtime.gateway.ask(question, asker)
    except GatewayError as error:
        if explain:
            print_failure(console, known, error)
        raise


def _print(console: Console, answer: Answer) -> None:
    width = min(shutil.get_terminal_size((100, 30)).columns, 160)
    console.print(f"\n{answer.sentence}\n", markup=False)
    text = to_text(answer.spec, answer.result, width=width, color=console.is_terminal)
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
