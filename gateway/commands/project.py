"""``rowless init``: a first project file, written by looking at a datasource's structure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import RequestError
from gateway.project import FILE_NAME, Project, SourceConfig
from gateway.project_init import project_text
from gateway.sources.open import open_source


def init(
    data: Annotated[Path | None, typer.Option(help="A file or folder of your own.")] = None,
    url_env: Annotated[
        str | None, typer.Option(help="Name of the environment variable that holds a database's address.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the datasource.")] = None,
    tenant_column: Annotated[
        str | None, typer.Option(help="Column that says whose a row is; guessed from the usual names if left out.")
    ] = None,
    schema: Annotated[
        list[str] | None, typer.Option(help="Only this schema of a server, or database of Spark; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path(FILE_NAME),
) -> None:
    """Look at the structure of a datasource (no row is read) and write a project file to go on from."""
    if (data is None) == (url_env is None):
        msg = "which data? give --data FILE_OR_FOLDER, or --url-env NAME"
        raise RequestError(msg, code="source_missing")
    if out.exists():
        msg = f"{out.name} is there already: give another with --out"
        raise RequestError(msg, code="output_exists")
    config = _config(data, url_env, name).model_copy(update={"schemas": tuple(schema or ())})
    source = open_source(config)
    try:
        catalog = source.reflect()
    finally:
        source.close()
    text = project_text(catalog, config, tenant_column=tenant_column)
    # Read before it is written: what was written must open.
    written = Project.parse(text, environment={url_env: "unset://"} if url_env else {}).source()
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"cannot write {out.name}: {error.strerror or 'the file system refused'}"
        raise RequestError(msg, code="output_failed") from None
    for warning in catalog.warnings:
        typer.echo(f"note: {warning}", err=True)
    typer.echo(f"wrote {out}: {len(catalog.tables)} tables; read it, then:")
    where = "" if out == Path(FILE_NAME) else f" --project {out}"
    whose = "" if written.unrestricted else " --tenant ID"
    typer.echo(f"  rowless source check{where}\n  rowless summary show{where}{whose}")


def _config(data: Path | None, url_env: str | None, name: str | None) -> SourceConfig:
    if data is not None:
        found = Project.for_path(data, name).source()
        # The file says whose rows its tables have; what nobody decided stays closed.
        return found.model_copy(update={"unrestricted": False, "path": data.resolve()})
    text = f'[[source]]\nname = "{name or "database"}"\nurl_env = "{url_env}"\n'
    return Project.parse(text).source()
