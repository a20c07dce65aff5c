"""What a source's database user could do beyond reading, and the statements that make the right user.

The gateway never writes, but a user that can is one mistake away from it; and some rights read more than rows:
files, other schemas, other tenants past row security. So a source is checked before it is taken on: a finding that
``fails`` keeps it out unless the owner wrote ``unsafe_can_write``, which then shows in every report.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.catalog import Catalog
from gateway.errors import RefusedError
from gateway.project import SourceConfig
from gateway.sources.open import kind_of, open_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the check found.

    Attributes:
        code: Stable name, for example ``can_write``.
        level: ``fails`` keeps the source out, ``warns`` is shown, ``passes`` is what was looked at and is fine.
        text: One sentence; names rights, tables and settings, never a value.
    """

    code: str
    level: Literal["fails", "warns", "passes"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What `check_source` found.

    Attributes:
        source: Name of the source.
        kind: Its engine, for example ``postgres``.
        tables: How many tables and views are readable.
        findings: Everything looked at, worst first.
        statements: SQL for an administrator: creates a user that passes. Empty for files.
        overridden: The owner accepted what fails (``unsafe_can_write``).
    """

    source: str
    kind: str
    tables: int
    findings: tuple[Finding, ...]
    statements: tuple[str, ...]
    overridden: bool

    @property
    def passed(self) -> bool:
        """Whether the source may be used."""
        return self.overridden or not any(f.level == "fails" for f in self.findings)


def check_source(config: SourceConfig) -> CheckReport:
    """Connect to a source and report what its user could do.

    Args:
        config: The owner's entry in the project file.

    Raises:
        SourceError: The source cannot be opened at all; the code says why.
    """
    kind = kind_of(config)
    source = open_source(config)
    try:
        catalog = source.reflect()
        findings, statements = _probe(config, kind, source, catalog)
    finally:
        source.close()
    findings = [*findings, *_unruled(config, catalog)]
    if config.url is not None and config.unsafe_no_tls:
        findings.append(Finding(code="no_tls", level="warns", text="the connection may go unencrypted (unsafe_no_tls)"))
    order = {"fails": 0, "warns": 1, "passes": 2}
    return CheckReport(
        source=config.name,
        kind=kind,
        tables=len(catalog.tables),
        findings=tuple(sorted(findings, key=lambda f: order[f.level])),
        statements=tuple(statements),
        overridden=config.unsafe_can_write,
    )


def require_read_only(config: SourceConfig) -> CheckReport:
    """Check a source and refuse it if its user can do more than read.

    Raises:
        RefusedError: A finding fails and the owner has not accepted it; `details["findings"]` lists the codes.
        SourceError: The source cannot be opened.
    """
    report = check_source(config)
    if not report.passed:
        raise RefusedError(
            f"the database user of source '{config.name}' can do more than read; see: rowless source check",
            code="source_can_write",
            stage="open",
            details={"findings": [f.code for f in report.findings if f.level == "fails"]},
        )
    return report


def _probe(config: SourceConfig, kind: str, source: object, catalog: Catalog) -> tuple[list[Finding], list[str]]:
    if kind == "postgres":
        from gateway.sources.check_postgres import probe_postgres
        from gateway.sources.postgres_source import PostgresSource

        if isinstance(source, PostgresSource):
            with source.reading() as connection:
                return probe_postgres(connection, config, catalog)
    if kind == "mysql":
        from gateway.sources.check_mysql import probe_mysql
        from gateway.sources.mysql_source import MysqlSource

        if isinstance(source, MysqlSource):
            with source.reading() as connection:
                return probe_mysql(connection, source.schemas, catalog)
    if kind == "mongodb":
        from gateway.sources.check_mongo import probe_mongo
        from gateway.sources.mongo_source import MongoSource

        if isinstance(source, MongoSource):
            return probe_mongo(source, catalog)
    if kind == "spark":
        from gateway.sources.check_spark import probe_spark
        from gateway.sources.spark_source import SparkSource

        if isinstance(source, SparkSource):
            return probe_spark(source, catalog)
    return _probe_file(config.path), []


def _probe_file(path: Path | None) -> list[Finding]:
    """Files: opened read-only whatever the rights are; rights of the process beyond that are worth knowing."""
    if path is not None and os.access(path, os.W_OK):
        text = "this process may write the file; it is opened read-only, but a user without that right is safer"
        return [Finding(code="file_writable", level="warns", text=text)]
    return [Finding(code="file_read_only", level="passes", text="this process may only read the file")]


def _unruled(config: SourceConfig, catalog: Catalog) -> list[Finding]:
    """Tables that can be read but have no tenant rule: invisible to askers, and better not granted at all."""
    if config.unrestricted:
        return []
    names = [t.name for t in catalog.tables if (rule := config.rule(t.name)) is None or not rule.has_rule]
    if not names:
        return [Finding(code="all_ruled", level="passes", text="every readable table has a tenant rule")]
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    text = f"{len(names)} readable table(s) have no rule in the project file and so are not used: {shown}"
    return [Finding(code="not_ruled", level="warns", text=text)]
