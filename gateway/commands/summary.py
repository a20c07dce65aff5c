"""``rowless summary``: exactly what a model may know, what changed, and what the owner approves of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.commands.opening import Named, named_data, project_file
from gateway.config import Settings
from gateway.errors import RequestError
from gateway.project import Project
from gateway.project_init import check_labels, with_labels, with_link
from gateway.runtime import Runtime
from gateway.sources.open import open_source
from gateway.summary.choices import label_choices
from gateway.summary.model import Summary
from gateway.summary.show import as_json, as_text, diff_text
from gateway.summary.summarise import TableDone
from gateway.tenancy.rules import check_rules

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
    typer.echo(as_json(summary) if as_json_ else as_text(summary, rules=rules).rstrip())


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="What `rowless summary show --json` printed earlier.")],
    data: Annotated[Path | None, typer.Option(help="A file or folder of your own.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project file, in place of --data.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose rows: the tenant id. Needed with --project.")] = None,
) -> None:
    """Print what a model that knew an earlier release would learn from the one of now."""
    before = _saved(old)
    settings = Settings.from_environment()
    named = named_data(settings, data=data, project=project, source=source, tenant=tenant)
    typer.echo(diff_text(before, asyncio.run(_summary(settings, named))).rstrip())


@app.command()
def approve(
    column: Annotated[str, typer.Argument(help="TABLE.COLUMN whose labels a model may know.")],
    project: Annotated[Path | None, typer.Option(help="The project file; ROWLESS_PROJECT if left out.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Look at this tenant's rows for labels to choose from.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Approve this label; repeatable.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve all that are shown, without asking.")] = False,
) -> None:
    """Show the labels of a column and, if you agree, write them into the project file as its vocabulary."""
    settings = Settings.from_environment()
    named = named_data(settings, data=None, project=project, source=source, tenant=tenant)
    table, _, name = column.partition(".")
    check_labels(label or ())
    labels = tuple(label) if label else asyncio.run(_choices(settings, named, table, name))
    if not labels:
        typer.echo(f"{column} has no labels to approve: too many, too rare, or not like labels")
        raise typer.Exit(2)
    typer.echo(f"{column}: " + ", ".join(labels))
    if not yes and not _agreed():
        raise typer.Exit(3)
    _write(
        named.project,
        named.config.name,
        lambda text: with_labels(text, source=named.config.name, table=table, column=name, labels=labels),
    )


@app.command()
def link(
    relationship: Annotated[str, typer.Argument(help="orders.customer_id -> customers.id")],
    project: Annotated[Path | None, typer.Option(help="The project file; ROWLESS_PROJECT if left out.")] = None,
    source: Annotated[str | None, typer.Option(help="The project's datasource; its only one if left out.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Say that it is none.")] = False,
) -> None:
    """Confirm a relationship that was found by name, or remove it."""
    loaded = Project.load(project_file(Settings.from_environment(), project))
    name = loaded.source(source).name
    _write(loaded, name, lambda text: with_link(text, source=name, link=relationship, keep=not remove))


def _write(project: Project, source: str, edit: Callable[[str], str]) -> None:
    """Edit a project file, and look at it before it is written: it must open, and name what is there."""
    path = project.file
    assert path is not None  # noqa: S101  (a project that was loaded has a file)
    text = edit(path.read_text(encoding="utf-8"))
    opened = open_source(project.source(source))
    try:
        check_rules(Project.parse(text, file=path).source(source), opened.reflect())
    finally:
        opened.close()
    path.write_text(text, "utf-8")
    typer.echo(f"wrote {path.name}")


def _agreed() -> bool:
    try:
        return typer.confirm("May a model know these?")
    except typer.Abort:
        msg = "nobody answered; --yes approves what is shown"
        raise RequestError(msg, code="not_confirmed") from None


def _saved(path: Path) -> Summary:
    try:
        return Summary.model_validate_json(json.dumps(json.loads(path.read_text(encoding="utf-8"))["summary"]))
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{path.name} is not what `rowless summary show --json` prints"
        raise RequestError(msg, code="release_unreadable") from None


async def _choices(settings: Settings, named: Named, table: str, column: str) -> tuple[str, ...]:
    runtime = await Runtime.open(settings, named.project, only=named.config.name)
    try:
        attached = runtime.gateway.sources[named.config.name]
        scope = attached.scope(tenant=named.asker.tenant)
        return label_choices(attached.source, attached.catalog, scope, named.config, table, column)
    finally:
        await runtime.close()


async def _summary(settings: Settings, named: Named) -> Summary:
    troubles: list[str] = []

    def told(done: TableDone) -> None:
        status.update(f"reading the data: {done}")
        if done.trouble:
            troubles.append(f"table '{done.table}': {done.trouble}")

    with Console(stderr=True, highlight=False).status("reading the data") as status:
        runtime = await Runtime.open(settings, named.project, only=named.config.name)
        try:
            summary = await runtime.gateway.summary(named.asker, progress=told)
            notes = [*runtime.gateway.sources[named.config.name].catalog.warnings, *troubles]
        finally:
            await runtime.close()
    # Not with the summary, which is what a model knows, and may be read by another program.
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    return summary
