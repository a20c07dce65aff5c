"""Options that the regression commands share, and how they write files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import ConfigError

Cases = Annotated[list[Path] | None, typer.Argument(help="Case files or folders; the shipped cases if left out.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="offline, or the name of a recorded model; repeatable.")
]
Cassettes = Annotated[Path, typer.Option(help="The folder of recorded replies.")]
Templates = Annotated[Path | None, typer.Option(help="A folder of templates in place of the shipped.")]
TemplateVersion = Annotated[
    str | None, typer.Option("--template-version", "--version", help="Template version; the newest if left out.")
]
Rules = Annotated[Path | None, typer.Option(help="A folder of project files in place of the fixtures' own.")]
Projects = Annotated[
    list[str] | None, typer.Option(help="NAME=FILE: a fixture of your own, by its project file; repeatable.")
]
Budget = Annotated[int, typer.Option(min=500, help="Most tokens of a prompt.")]
Tag = Annotated[str, typer.Option(help="Only cases with this tag.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", "--workers", min=1, max=64, help="How many at once.")]


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"cannot write {path.name}: {error.strerror or 'the file system refused'}"
        raise ConfigError(msg) from None
