"""``rowless summary``: exactly what a model may know, as a table or as JSON."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.commands.opening import Named, named_data
from gateway.config import Settings
from gateway.runtime import Runtime
from gateway.summary.model import Summary
from gateway.summary.show import as_json, as_text

app = typer.Typer(help="What a model may know of your data.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What a model may know of your data."""


@app.command()
def show(
    data: Annotated[Path | None, typer.Option(help="A file or folder of your own.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project file, in place of --data.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose rows: the tenant id. Needed with --project.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="As JSON, with the rule behind each statistic.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Name the rule behind each statistic.")] = False,
) -> None:
    """Print all that a model may know when this tenant asks."""
    settings = Settings.from_environment()
    named = named_data(settings, data=data, project=project, source=source, tenant=tenant)
    summary = asyncio.run(_summary(settings, named))
    typer.echo(as_json(summary) if as_json_ else as_text(summary, rules=rules))


async def _summary(settings: Settings, named: Named) -> Summary:
    with Console(stderr=True, highlight=False).status("reading the data") as status:
        runtime = await Runtime.open(settings, named.project, only=named.config.name)
        try:
            known = await runtime.gateway.known(named.asker, progress=status.update)
        finally:
            await runtime.close()
    return known.summary
