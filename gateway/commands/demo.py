"""``rowless demo``: an invented SaaS shop of three tenants, its gateway, and a page to ask questions on."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.answer import Asker
from gateway.commands.serve import loopback_only, run_server
from gateway.config import Settings
from gateway.demo.generate import TENANTS, generate
from gateway.project import FILE_NAME, Project
from gateway.runtime import Runtime
from gateway.web.demo import SOURCE

SEED = 7
TODAY = datetime(2026, 1, 1, 9, tzinfo=UTC)
"""The demo's rows end with December 2025, and so its calendar stands here: "last month" has something to show."""


def demo(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the demo's database anew.")] = False,
) -> None:
    """Start the gateway on loopback with a demo database. No key, no server, no network."""
    settings = Settings.from_environment()
    loopback_only(settings.http.host)
    console = Console(highlight=False)
    asyncio.run(_demo(settings, settings.http.port if port is None else port, console, fresh=fresh))


def demo_project(folder: Path, *, fresh: bool = False) -> Project:
    """Make the demo's database and project file in a folder, unless they are there, and load the project."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / f"{SOURCE}.duckdb"
    if fresh or not database.exists():
        draft = folder / "draft.duckdb"
        draft.unlink(missing_ok=True)
        generate(draft, seed=SEED)
        draft.replace(database)
    with as_file(files("gateway.demo").joinpath(FILE_NAME)) as template:
        shutil.copyfile(template, folder / FILE_NAME)
    return Project.load(folder)


async def _demo(settings: Settings, port: int, console: Console, *, fresh: bool) -> None:
    folder = settings.home.expanduser() / "demo"
    with console.status("making the demo's database") as status:
        project = await asyncio.to_thread(demo_project, folder, fresh=fresh)
        status.update("opening the gateway")
        runtime = await Runtime.open(settings, project, clock=lambda: TODAY)
        for tenant in TENANTS:
            status.update(f"summarising what {tenant} may see")
            await runtime.gateway.warm(Asker(source=SOURCE, tenant=tenant))
    key, _ = await asyncio.to_thread(runtime.keys.create, "demo page", scopes=frozenset({"sessions"}), ttl_s=7 * 86400)
    await run_server(runtime, settings, port=port, console=console, demo_key=key)
