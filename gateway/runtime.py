"""A runtime: one opened gateway process. Doors (command, HTTP) build it once from settings and a project.

Everything with a key or a file behind it is opened here and closed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.attached import AttachedSource
from gateway.audit.configured import checkpoint_sinks, siem_streams
from gateway.audit.log import AuditLog
from gateway.audit.sinks import CheckpointSink
from gateway.config import RedactionSettings, Settings
from gateway.context import ContextSeal
from gateway.errors import ConfigError
from gateway.llm.port import Planner
from gateway.pipeline import Gateway
from gateway.planning import Planning
from gateway.project import Project
from gateway.record import Recorder
from gateway.sources.check import require_read_only
from gateway.sources.open import open_source
from gateway.store.releases import StateReleases
from gateway.store.seal import MasterKey, hkdf
from gateway.store.spend import StateLedger
from gateway.store.state import State
from gateway.summary.freshness import IndexAges
from gateway.tenancy.scope import Limits
from gateway.tenancy.sessions import ApiKeys, Sessions
from prompts.budget import check_encoding
from prompts.errors import EncodingMissing
from redaction.config import ENGLISH_MODEL
from redaction.policy import Action, Policy
from redaction.scan import OwnPattern, ScanConfig, Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """An opened gateway: the line, its state, its sessions and its audit log. Close it, so that nothing is lost."""

    settings: Settings
    gateway: Gateway
    state: State
    keys: ApiKeys
    sessions: Sessions
    audit: AuditLog

    @classmethod
    async def open(
        cls,
        settings: Settings,
        project: Project,
        *,
        only: str | None = None,
        planner: Planner | None = None,
        scanner: Scanner | None = None,
        sinks: Sequence[CheckpointSink] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Runtime:
        """Open state, audit log, planner and datasources. Blocking work runs in a thread.

        Args:
            settings: The process's settings.
            project: The owner's datasources.
            only: Open just the datasource of this name.
            planner: In place of the configured one.
            scanner: One that is loaded already.
            sinks: Where audit checkpoints go, in place of the folder in `settings.home`.
            clock: The time that relative dates are counted from; UTC.

        Raises:
            ConfigError: A setting, the master key or the state database is not usable.
            SourceError: A datasource cannot be opened.
            RefusedError: A database user can do more than read, and the owner has not accepted that.
            AuditUnavailableError: The audit log cannot be written.
        """
        return await asyncio.to_thread(
            _open, cls, settings, project, only=only, planner=planner, scanner=scanner, sinks=sinks, clock=clock
        )

    async def close(self) -> None:
        """Close datasources, planner and audit log, in this order."""
        for attached in self.gateway.sources.values():
            await asyncio.to_thread(attached.close)
        closing = getattr(self.gateway.planning.planner, "aclose", None)
        if closing is not None:
            await closing()
        await asyncio.to_thread(self.audit.close)
        self.state.close()


def open_state(settings: Settings) -> tuple[State, MasterKey]:
    """Open the state database under its master key, both made on first use of the embedded default.

    Raises:
        ConfigError: The folder cannot be written, or the key or database is not usable.
    """
    home = settings.home.expanduser()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        msg = "the home folder cannot be made or written (setting ROWLESS_HOME)"
        raise ConfigError(msg) from None
    key_file = settings.master_key_file
    master = MasterKey.from_file(key_file or home / "master.key", create=key_file is None)
    older = [MasterKey.from_file(settings.previous_master_key_file)] if settings.previous_master_key_file else []
    return State.open(settings.state_url or f"sqlite:///{home / 'state.db'}", master, older=older), master


def open_audit(state: State, settings: Settings, *, serving: bool = False) -> AuditLog:
    """Open the audit log with its configured sinks, checkpoints in the home folder if none is.

    Args:
        state: The opened state database.
        settings: The process's settings.
        serving: Stream entries to the configured SIEM while it is open.

    Raises:
        AuditUnavailableError: It cannot be written.
        ConfigError: The address of a sink or a collector is not one.
    """
    return AuditLog.open(
        state,
        checkpoint_sinks(settings.audit, checkpoint_folder(settings)),
        origin=settings.audit.origin,
        max_lag_s=settings.audit.max_export_lag_s,
        streams=siem_streams(settings.audit, state) if serving else (),
    )


def checkpoint_folder(settings: Settings) -> Path:
    """Where signed checkpoints go; copy them off the machine."""
    return (settings.audit.checkpoint_folder or settings.home / "checkpoints").expanduser()


def scan_config(settings: RedactionSettings) -> ScanConfig:
    """What the scanner looks for, by the settings; a language without a model is scanned by patterns."""
    return ScanConfig(
        language=settings.language,
        model=settings.model or (ENGLISH_MODEL if settings.language == "en" else None),
        countries=settings.countries,
        phone_regions=settings.phone_regions,
        grouped_phone_regions=settings.grouped_phone_regions,
        thresholds=settings.thresholds,
        allow=frozenset(settings.allow),
        own_patterns=tuple(
            OwnPattern(name=own.name, regex=own.regex, score=own.score) for own in settings.own_patterns
        ),
    )


def _open(
    cls: type[Runtime],
    settings: Settings,
    project: Project,
    *,
    only: str | None,
    planner: Planner | None,
    scanner: Scanner | None,
    sinks: Sequence[CheckpointSink] | None,
    clock: Callable[[], datetime],
) -> Runtime:
    try:
        check_encoding(settings.prompt.encoding)
    except EncodingMissing as missing:
        raise ConfigError(str(missing)) from None
    scanner = scanner or Scanner(scan_config(settings.redaction))
    # The language model is loaded now, not when the first asker waits for it.
    scanner.load()
    state, master = open_state(settings)
    limits = Limits(
        max_rows=settings.limits.max_rows,
        max_bytes=settings.limits.max_bytes,
        timeout_s=settings.limits.query_timeout_s,
    )
    audit = AuditLog.open(state, sinks) if sinks is not None else open_audit(state, settings, serving=True)
    attached: dict[str, AttachedSource] = {}
    try:
        for config in project.sources:
            if only is None or config.name == only:
                if config.url is not None:
                    require_read_only(config)
                attached[config.name] = AttachedSource(
                    open_source(config),
                    config,
                    index_key=hkdf(master.secret, f"rowless value index {config.name}"),
                    max_index_values=settings.limits.index_values_per_column,
                    limits=limits,
                    keep_results_s=settings.limits.keep_results_s,
                    index_ages=IndexAges(
                        refresh_s=settings.limits.index_refresh_s, max_age_s=settings.limits.index_max_age_s
                    ),
                    # A project's releases are one for all replicas and outlive them, as two that differ must not give
                    # a row away; an own file may change between two questions, and nobody else is told of it.
                    releases=StateReleases(state) if project.file else None,
                )
        planning = Planning.configured(settings.llm, scanner, planner, ledger=StateLedger(state))
        gateway = Gateway(
            attached,
            scanner=scanner,
            policy=Policy(actions={kind: Action(action) for kind, action in settings.redaction.actions.items()}),
            planning=planning,
            recorder=Recorder(audit),
            seal=ContextSeal(hkdf(master.secret, "rowless answer context")),
            settings=settings,
            clock=clock,
        )
    except BaseException:
        for source in attached.values():
            source.close()
        audit.close()
        state.close()
        raise
    return cls(
        settings=settings, gateway=gateway, state=state, keys=ApiKeys(state), sessions=Sessions(state), audit=audit
    )
