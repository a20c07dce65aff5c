"""``rowless source check``: connect, and say what the database user could do beyond reading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.commands.opening import project_file
from gateway.config import Settings
from gateway.errors import RefusedError
from gateway.project import Project
from gateway.sources.check import check_source

app = typer.Typer(help="The datasources of a project.", no_args_is_help=True)

_MARKS = {"fails": "FAILS", "warns": "warns", "passes": "ok"}


@app.callback()
def group() -> None:
    """The datasources of a project."""


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="The datasource; the project's only one if left out.")] = None,
    project: Annotated[Path | None, typer.Option(help="The project file; ROWLESS_PROJECT if left out.")] = None,
) -> None:
    """Connect, report what the user could do beyond reading, and print the statements that make the right user."""
    file = project_file(Settings.from_environment(), project)
    report = check_source(Project.load(file).source(name))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"source {report.source} ({report.kind}): {report.tables} tables and views can be read", markup=False)
    for finding in report.findings:
        console.print(f"  {_MARKS[finding.level]:<6} {finding.text}", markup=False)
    if report.statements:
        console.print("\nstatements that make a user who can read and nothing else:\n", markup=False)
        for statement in report.statements:
            # A comment says what to set outside of SQL, and is copied as it stands.
            end = "" if statement.startswith("--") else ";"
            console.print(f"  {statement.rstrip(';')}{end}", markup=False)
    if not report.passed:
        msg = f"source '{report.source}' does not pass: its user can do more than read (unsafe_can_write accepts that)"
        raise RefusedError(msg, code="source_can_write")
    if report.overridden:
        console.print("what fails was accepted by the owner (unsafe_can_write)", markup=False)
