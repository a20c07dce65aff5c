"""Sinks and streams as the settings name them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from gateway.audit.sinks import CheckpointSink, FolderSink, HttpSink
from gateway.audit.stream import FileOutlet, Outlet, Stream, SyslogOutlet
from gateway.config import AuditSettings
from gateway.errors import ConfigError
from gateway.store.state import State


def checkpoint_sinks(settings: AuditSettings, folder: Path) -> list[CheckpointSink]:
    """The sinks for checkpoints: a folder always, an address if one is set.

    Raises:
        ConfigError: The address is not https.
    """
    sinks: list[CheckpointSink] = [FolderSink(folder)]
    if settings.checkpoint_url:
        token = settings.checkpoint_token
        sinks.append(HttpSink(settings.checkpoint_url, token=token.get_secret_value() if token else ""))
    return sinks


def siem_streams(settings: AuditSettings, state: State) -> list[Stream]:
    """The streams to a SIEM.

    Raises:
        ConfigError: The collector's address is not one.
    """
    from importlib.metadata import version

    outlets: list[Outlet] = []
    if settings.siem_file is not None:
        outlets.append(FileOutlet(settings.siem_file.expanduser()))
    if settings.siem_syslog:
        outlets.append(_syslog(settings.siem_syslog))
    return [Stream(state, outlet, product_version=version("rowless")) for outlet in outlets]


def _syslog(address: str) -> SyslogOutlet:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("tcp", "udp") or not parts.hostname or port is None:
        msg = "the collector's address is like tcp://host:port (setting ROWLESS_AUDIT__SIEM_SYSLOG)"
        raise ConfigError(msg)
    return SyslogOutlet(parts.hostname, port, tcp=parts.scheme == "tcp")
