"""The project file (``rowless.toml``): which datasources there are, and how the file is read.

Read once, at the door, into frozen strict models. A key that is not known, a rule that is missing or stands
twice, or a value of the wrong type stops the start with the place in the file; the value itself is never
repeated, as an address can hold a password. What each key means: docs/project-file.md. The rules of tables and
columns: `gateway.project_rules`.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gateway.errors import ConfigError, NotFoundError
from gateway.project_problems import problems_of
from gateway.project_rules import (
    Closed,
    ColumnRule,
    MetricRule,
    PrivacyRules,
    RelationshipRules,
    TableRule,
    Thresholds,
)
from gateway.summary.model import Name

FILE_NAME = "rowless.toml"

Kind = Literal["auto", "files", "duckdb", "sqlite", "postgres", "mysql", "mongodb", "clickhouse", "trino", "spark"]
"""``auto`` tells by the address or the file; ``files`` is a CSV, Parquet or JSON Lines file, or a folder of them."""


class SourceConfig(Closed):
    """One datasource and the owner's rules for it."""

    name: Name
    kind: Kind = "auto"
    path: Path | None = None
    """File or folder; relative paths are taken from the project file's folder."""
    url: SecretStr | None = None
    """Address of a server. Rather give `url_env`, so that no password is in the file."""
    url_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """Environment variable that holds the address."""
    schemas: tuple[str, ...] = ()
    """Only these schemas of a server; the driver's default if empty."""
    ca_file: Path | None = None
    """Certificate authority to check a server's certificate against."""
    header: bool | None = None
    """CSV: whether the first line names the columns; looked at if not set (a doubtful one counts as data)."""
    memory_mb: Annotated[int, Field(ge=128, le=1_000_000)] = 512
    """DuckDB and files: most memory of the engine. Medians of tens of millions of values need more."""
    timezone: str = "UTC"
    week_start: Literal["monday", "sunday"] = "monday"
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    comments: bool = False
    """Use the comments of the database's tables and columns as descriptions."""
    unrestricted: bool = False
    """All rows belong to whoever asks (an own file). Tables without a rule are visible only then."""
    min_answer_group: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Fewest subjects behind each group of an answer; from 2 on no single record is shown (docs/security-model.md)."""
    unsafe_no_tls: bool = False
    """Let a connection off loopback go unencrypted."""
    unsafe_can_write: bool = False
    """Accept a database user that could do more than read."""
    tables: dict[Name, TableRule] = Field(default_factory=dict)
    metrics: dict[Name, MetricRule] = Field(default_factory=dict)
    relationships: RelationshipRules = RelationshipRules()
    thresholds: Thresholds = Thresholds()
    privacy: PrivacyRules | None = None

    @model_validator(mode="after")
    def _one_place(self) -> SourceConfig:
        if sum((self.path is not None, self.url is not None, self.url_env is not None)) != 1:
            msg = "give one of path, url and url_env"
            raise ValueError(msg)
        if self.unrestricted and any(rule.has_rule and not rule.shared for rule in self.tables.values()):
            msg = "an unrestricted source has no tenant rules; take one or the other"
            raise ValueError(msg)
        return self

    def rule(self, table: str) -> TableRule | None:
        """The owner's rule of a table, by its safe name."""
        return self.tables.get(table)

    def column_rule(self, table: str, column: str) -> ColumnRule:
        """What the owner says of a column; an empty rule if nothing."""
        rule = self.tables.get(table)
        return (rule.columns.get(column) if rule else None) or ColumnRule()


class _File(Closed):
    source: Annotated[tuple[SourceConfig, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Project:
    """The datasources of one gateway.

    `file` is where they were read from; None for an own file without one.
    """

    sources: tuple[SourceConfig, ...]
    file: Path | None = field(default=None)

    @classmethod
    def load(cls, path: Path | str, *, environment: Mapping[str, str] | None = None) -> Project:
        """Read a project file, or the ``rowless.toml`` in a folder.

        Args:
            path: The file, or its folder.
            environment: Where ``url_env`` names are looked up; the process environment if None.

        Raises:
            ConfigError: The file is missing, is not TOML, or a key does not fit; names the place, never a
                value.
        """
        file = Path(path)
        file = file / FILE_NAME if file.is_dir() else file
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            msg = f"{file.name}: cannot be read"
            raise ConfigError(msg) from None
        return cls.parse(text, file=file, environment=environment)

    @classmethod
    def parse(cls, text: str, *, file: Path | None = None, environment: Mapping[str, str] | None = None) -> Project:
        """Read the text of a project file (see `load`)."""
        label = file.name if file else FILE_NAME
        try:
            # Through JSON, so that strict types still take a list as a tuple and text as a path.
            raw = tomllib.loads(text)
            parsed = _File.model_validate_json(json.dumps(_spelt_out(raw)))
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"\(at [^)]*\)\Z", str(error))
            msg = f"{label}: not TOML {place[0] if place else ''}".rstrip()
            raise ConfigError(msg) from None
        except TypeError:
            msg = f"{label}: dates and times are not used in this file"
            raise ConfigError(msg) from None
        except ValidationError as error:
            raise ConfigError(f"{label}: " + "; ".join(problems_of(error, raw))) from None
        names = [source.name for source in parsed.source]
        if len(set(names)) != len(names):
            msg = f"{label}: two sources have the same name"
            raise ConfigError(msg)
        variables = os.environ if environment is None else environment
        folder = file.resolve().parent if file else Path.cwd()
        return cls(sources=tuple(_located(s, label, folder, variables) for s in parsed.source), file=file)

    @classmethod
    def for_path(cls, path: Path | str, name: str | None = None) -> Project:
        """A project of one own file or folder, every table of it unrestricted."""
        place = Path(path)
        stem = re.sub(r"[^A-Za-z0-9_]", "_", name or place.stem)[:63] or "source"
        safe = stem if not stem[0].isdigit() else f"s_{stem}"[:63]
        return cls(sources=(SourceConfig(name=safe, path=place, unrestricted=True),))

    def source(self, name: str | None = None) -> SourceConfig:
        """The datasource of that name; the only one, if no name is given.

        Raises:
            NotFoundError: There is no such source, or more than one and no name.
        """
        if name is None and len(self.sources) == 1:
            return self.sources[0]
        for source in self.sources:
            if source.name == name:
                return source
        raise NotFoundError("no such datasource", details={"choices": [s.name for s in self.sources]})


def _spelt_out(raw: dict[str, object]) -> dict[str, object]:
    """Let ``revenue = "sum(…)"`` stand for ``revenue = {expression = "sum(…)"}``."""
    sources = raw.get("source")
    if not isinstance(sources, list):
        return raw
    return {**raw, "source": [_with_metrics(source) for source in sources]}


def _with_metrics(source: object) -> object:
    if not isinstance(source, dict) or not isinstance(source.get("metrics"), dict):
        return source
    metrics = {k: {"expression": v} if isinstance(v, str) else v for k, v in source["metrics"].items()}
    return {**source, "metrics": metrics}


def _located(source: SourceConfig, label: str, folder: Path, variables: Mapping[str, str]) -> SourceConfig:
    changes: dict[str, object] = {}
    if source.url_env is not None:
        address = variables.get(source.url_env)
        if not address:
            msg = f"{label}: source '{source.name}': the environment variable {source.url_env} is not set"
            raise ConfigError(msg)
        changes |= {"url": SecretStr(address)}
    for key in ("path", "ca_file"):
        place = getattr(source, key)
        if place is not None:
            changes[key] = folder / place.expanduser()
    return source.model_copy(update=changes)
