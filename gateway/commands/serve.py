"""``rowless serve``: the HTTP gateway over a project; and ``rowless keys``: the API keys of the product's servers."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from gateway.audit.entry import Event
from gateway.commands.opening import project_file
from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.project import Project
from gateway.runtime import Runtime, open_audit, open_state
from gateway.tenancy.sessions import ApiKey, ApiKeys
from gateway.web.app import create_app
from gateway.web.unforeseen import LOG_CONFIG

keys = typer.Typer(help="API keys of the product's servers.", no_args_is_help=True)


def serve(
    project: Annotated[Path | None, typer.Option(help="The project file; ROWLESS_PROJECT if left out.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
) -> None:
    """Serve the API over a project's datasources. Put a proxy that ends TLS in front of it."""
    settings = Settings.from_environment()
    file = project_file(settings, project)
    asyncio.run(_serve(settings, Project.load(file), settings.http.port if port is None else port))


async def _serve(settings: Settings, project: Project, port: int) -> None:
    console = Console(highlight=False)
    with console.status("opening the gateway"):
        runtime = await Runtime.open(settings, project)
    await run_server(runtime, settings, port=port, console=console)


async def run_server(
    runtime: Runtime, settings: Settings, *, port: int, console: Console, demo_key: ApiKey | None = None
) -> None:
    """Serve until the process is told to stop; prints the address once it listens."""
    app = create_app(runtime, settings.http, demo_key=demo_key)
    host = settings.http.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        await runtime.close()
        msg = f"port {port} of {host} is not free: give another with --port, or --port 0"
        raise ConfigError(msg) from None
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        app, log_config=LOG_CONFIG, access_log=False, server_header=False, timeout_graceful_shutdown=25
    )
    what = "open it and ask a question" if demo_key else "POST /v1/embed/sessions, then POST /v1/ask"
    console.print(f"Rowless listens on {address}  ({what}; stop with Ctrl-C)", markup=False)
    await uvicorn.Server(config).serve(sockets=[listener])


def loopback_only(host: str) -> None:
    """Refuse to give demo sessions away to a network.

    Raises:
        ConfigError: The host is not this machine's loopback.
    """
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        msg = "the demo gives sessions to whoever asks, so it listens on loopback only (ROWLESS_HTTP__HOST)"
        raise ConfigError(msg)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="sessions, review or admin; repeatable.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Good for this tenant only.")] = None,
) -> None:
    """Make an API key and show it, this once."""
    settings = Settings.from_environment()
    state, _ = open_state(settings)
    audit = open_audit(state, settings)
    try:
        made, text = ApiKeys(state).create(name, scopes=frozenset(scope or ["sessions"]), tenant=tenant)
        audit.record(Event(event="key.created", actor="command line", details={"key": made.id, "name": name}))
    finally:
        audit.close()
        state.close()
    typer.echo(text)
    typer.echo("keep it on your server; it cannot be shown again", err=True)


@keys.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    state, _ = open_state(Settings.from_environment())
    table = Table("id", "name", "scopes", "tenant", "ends in", "created", "live", box=None)
    for key in ApiKeys(state).list():
        created = datetime.fromtimestamp(key.created_us / 1_000_000, UTC).date().isoformat()
        scopes = " ".join(sorted(key.scopes))
        table.add_row(key.id, key.name, scopes, key.tenant or "any", key.last4, created, "yes" if key.is_live else "no")
    state.close()
    Console().print(table)


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The id, from `rowless keys list`.")]) -> None:
    """End a key now, and every session that was minted with it."""
    settings = Settings.from_environment()
    state, _ = open_state(settings)
    audit = open_audit(state, settings)
    try:
        ApiKeys(state).revoke(key_id)
        audit.record(Event(event="key.revoked", actor="command line", details={"key": key_id}))
    finally:
        audit.close()
        state.close()
    typer.echo(f"key {key_id} is revoked")


@keys.command("rewrap")
def rewrap() -> None:
    """Wrap every data key by the new master key, after ROWLESS_PREVIOUS_MASTER_KEY_FILE was set to the old one."""
    settings = Settings.from_environment()
    state, _ = open_state(settings)
    audit = open_audit(state, settings)
    try:
        audit.record(Event(event="master_key.rotated", actor="command line"))
        moved = state.keys.rewrap()
    finally:
        audit.close()
        state.close()
    typer.echo(f"{moved} keys moved; the previous master key is no longer needed")
