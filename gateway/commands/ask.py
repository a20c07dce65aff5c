"""``rowless ask``: a question about a file of one's own, or a project's datasource, answered in the terminal."""

# ruff: noqa: PLR0913, PLR0917  # each argument is an option of the command line

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.answer import Answer
from gateway.attached import Known
from gateway.chart.terminal import to_text
from gateway.commands.explain import print_explanation, print_failure
from gateway.commands.last_answer import LastAnswer
from gateway.commands.opening import Named, named_data
from gateway.commands.write import check_suffix, write_chart
from gateway.config import Settings
from gateway.errors import GatewayError, RequestError
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
    follow: Annotated[
        bool, typer.Option("--follow", help='Refine the last answer of this data, for example "now by region".')
    ] = False,
    reading: Annotated[
        int, typer.Option(min=1, max=5, help="Draw this reading of the question; an answer lists the others.")
    ] = 1,
) -> None:
    """Answer a question with a chart. Without a model's key the offline planner reads the question."""
    console = Console(highlight=False, soft_wrap=True)
    for path in out or []:
        check_suffix(path)
    settings = Settings.from_environment()
    named = named_data(settings, data=data, project=project, source=source, tenant=tenant)
    wish = _Wish(question=question, out=tuple(out or ()), explain=explain, follow=follow, reading=reading)
    asyncio.run(_ask(settings, named, wish, console))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for: the question, and how to read and show the answer."""

    question: str
    out: tuple[Path, ...]
    explain: bool
    follow: bool
    reading: int


async def _ask(settings: Settings, named: Named, wish: _Wish, console: Console) -> None:
    last = LastAnswer(settings.home)
    past = last.context() if wish.follow else None
    with console.status("reading the data") as status:
        runtime = await Runtime.open(settings, named.project, only=named.config.name)
        try:
            known = await runtime.gateway.known(named.asker, progress=lambda said: status.update(str(said)))
            status.update("answering")
            try:
                answer = await runtime.gateway.ask(
                    wish.question,
                    named.asker,
                    context=past,
                    on_step=lambda step: status.update(_progress(step)),
                )
                if wish.reading > 1:
                    chosen = _reading(answer, wish.reading)
                    answer = await runtime.gateway.redraw(chosen, named.asker)
            except GatewayError as error:
                if wish.explain:
                    print_failure(console, known, error)
                raise
        finally:
            await runtime.close()
    last.keep(answer.context)
    if wish.explain:
        print_explanation(console, known, answer)
    _print(console, answer, known)
    for path in wish.out:
        await asyncio.to_thread(write_chart, path, answer)
        console.print(f"wrote {path}", markup=False)


def _reading(answer: Answer, number: int) -> str:
    if number - 1 > len(answer.alternatives):
        how_many = len(answer.alternatives) + 1
        msg = f"the question has {how_many} reading{'s' if how_many > 1 else ''} only"
        raise RequestError(msg)
    return answer.alternatives[number - 2].context


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
        console.print("this can be read in other ways (draw one with --reading):", markup=False)
        for number, other in enumerate(answer.alternatives, start=2):
            console.print(f"  {number}  {other.sentence}", markup=False)
    console.print(f"audit entry {answer.audit_id}", markup=False, style="dim")
