"""The project file (``rowless.toml``): which datasources there are, and the owner's rules for their tables.

Read once, at the door, into frozen strict models. A key that is not known, a rule that is missing or stands
twice, or a value of the wrong type stops the start with the place in the file; the value itself is never
repeated, as an address can hold a password. What each key means: docs/project-file.md. Whether a rule fits
the database is checked by `gateway.tenancy.rules.check_rules`, which has the catalog.
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
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gateway.chart.metric import MetricInvalidError, parse_metric
from gateway.errors import ConfigError, NotFoundError
from gateway.project_problems import problems_of
from gateway.summary.model import Name, OwnerText, Semantic

FILE_NAME = "rowless.toml"

Kind = Literal["auto", "files", "duckdb", "sqlite", "postgres", "mysql", "mongodb", "clickhouse", "trino", "spark"]
"""``auto`` tells by the address or the file; ``files`` is a CSV, Parquet or JSON Lines file, or a folder of them."""

_ONE = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
ColumnPath = Annotated[str, StringConstraints(pattern=rf"^{_ONE}\.{_ONE}$")]
VIA = re.compile(rf"\s*({_ONE})\s*->\s*({_ONE})\.({_ONE})\s*\Z")
LINK = re.compile(
    rf"\s*({_ONE}\.{_ONE}(?:\s*,\s*{_ONE}\.{_ONE})*)\s*->\s*({_ONE}\.{_ONE}(?:\s*,\s*{_ONE}\.{_ONE})*)\s*\Z"
)
LabelText = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class ColumnRule(_Closed):
    """What the owner says of one column."""

    physical: str | None = None
    """The column's own name; a must where a rule speaks of it by a number (``c9``), which may move to another."""
    description: OwnerText = ""
    """One sentence for the model; scanned, and capped as it may carry instructions."""
    synonyms: tuple[OwnerText, ...] = ()
    """Other words askers use for the column."""
    vocabulary: Literal[True] | Annotated[tuple[LabelText, ...], Field(min_length=1, max_length=50)] | None = None
    """Opt-in to labels: true for the list the database declares (enum or CHECK), or the approved labels."""
    semantic: Semantic | None = None
    """What the column means, where the inference is wrong."""
    hidden: bool = False
    """Never visible: not to the model, not in a chart."""
    bounds: tuple[float, float] | None = None
    """Lowest and highest value that can be, told as the range; needed for a mean with differential privacy."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> ColumnRule:
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            msg = "bounds are [lowest, highest]"
            raise ValueError(msg)
        return self


class TableRule(_Closed):
    """Whose rows these are (`tenant`, `via` or `shared`: exactly one, unless the source is unrestricted)."""

    tenant: Name | None = None
    """Column that holds the tenant's id: only rows equal to the session's tenant are visible."""
    physical: str | None = None
    """The table's own name, schema first; a must where a number (``t3``) stands for it, which may move to another."""
    via: str | None = None
    """``order_id -> orders.id``: rows are visible if their parent row is."""
    shared: bool = False
    """A look-up table that every tenant may read in full."""
    match: dict[Name, Name] = {}
    """Further filters, column = session attribute; a session without the attribute is refused."""
    allow: tuple[Name, ...] | None = None
    """Only these columns exist for askers."""
    deny: tuple[Name, ...] = ()
    """These columns do not exist for askers."""
    subject: Name | None = None
    """Column that names the person or firm a row is about: thresholds then count these, not rows."""
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()
    columns: dict[Name, ColumnRule] = {}

    @model_validator(mode="after")
    def _one_rule(self) -> TableRule:
        if sum((self.tenant is not None, self.via is not None, self.shared)) > 1:
            msg = "give one of tenant, via and shared, not several"
            raise ValueError(msg)
        if self.via is not None and not VIA.match(self.via):
            msg = "via is written 'column -> parent.column'"
            raise ValueError(msg)
        if self.match and not (self.tenant or self.via):
            msg = "match narrows a tenant or via rule; it does not replace one"
            raise ValueError(msg)
        return self

    @property
    def has_rule(self) -> bool:
        """Whether it says whose rows these are."""
        return self.tenant is not None or self.via is not None or self.shared

    @property
    def parent(self) -> tuple[str, str, str] | None:
        """The ``via`` rule as (column, parent table, parent column)."""
        found = VIA.match(self.via) if self.via else None
        return (found[1], found[2], found[3]) if found else None


class MetricRule(_Closed):
    """A named measure: an aggregate over ``table.column`` names, numbers and + - * /."""

    expression: Annotated[str, StringConstraints(min_length=3, max_length=400)]
    format: Literal["number", "currency", "percent"] = "number"
    description: OwnerText = ""
    synonyms: tuple[OwnerText, ...] = ()

    @model_validator(mode="after")
    def _is_aggregate(self) -> MetricRule:
        try:
            parse_metric(self.expression)
        except MetricInvalidError:
            msg = "a metric is one aggregate, for example 'sum(orders.quantity * orders.price)'"
            raise ValueError(msg) from None
        return self


class RelationshipRules(_Closed):
    """Relationships the owner adds or takes back, each ``orders.customer_id -> customers.id``."""

    infer: bool = True
    """Look for undeclared keys by name and type, tested in the database; they are marked as inferred."""
    confirm: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _are_links(self) -> RelationshipRules:
        for text in (*self.confirm, *self.remove):
            if read_link(text) is None:
                msg = "a relationship is written 'orders.customer_id -> customers.id'"
                raise ValueError(msg)
        return self


class Thresholds(_Closed):
    """Disclosure thresholds: they can be raised here, never lowered. Sources: docs/disclosure.md."""

    min_group: Annotated[int, Field(ge=10, le=10_000)] = 10
    """Smallest group of subjects that may show in a fact."""
    min_distinct: Annotated[int, Field(ge=30, le=100_000)] = 30
    """Fewest subjects for a distinct count, mean or standard deviation."""
    min_spread: Annotated[int, Field(ge=100, le=1_000_000)] = 100
    """Fewest subjects for ranges and quantiles; p10 and p90 need twice as many."""
    p_percent: Annotated[float, Field(ge=10, le=100)] = 10.0
    """p% rule: the second-largest contributor must not learn the largest to within this."""
    top_two_share: Annotated[float, Field(gt=0, le=0.85)] = 0.85
    """Two contributors may not make up more of a total."""
    sample_above: Annotated[int, Field(ge=10_000)] = 5_000_000
    """Rows above which all facts but the row count are those of a random sample."""
    sample_rows: Annotated[int, Field(ge=10_000)] = 1_000_000
    """About how many rows such a sample has."""
    release_hours: Annotated[int, Field(ge=24, le=8_784)] = 24
    """Fewest hours between two releases of a table's facts."""


class PrivacyRules(_Closed):
    """Differential privacy, off unless this is given (docs/disclosure.md, differential privacy)."""

    epsilon: Annotated[float, Field(gt=0, le=10)]
    """Cost of one release of one table within one scope."""
    budget: Annotated[float, Field(gt=0, le=1_000)]
    """What all releases of one table within one scope may cost together."""


class SourceConfig(_Closed):
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
    tables: dict[Name, TableRule] = {}
    metrics: dict[Name, MetricRule] = {}
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


class _File(_Closed):
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


def read_link(text: str) -> tuple[str, tuple[str, ...], str, tuple[str, ...]] | None:
    """Read ``a.x, a.y -> b.x, b.y`` as (table, columns, parent, parent columns); None if it is not that."""
    found = LINK.match(text)
    if not found:
        return None
    child, parent = ([part.strip().split(".") for part in side.split(",")] for side in (found[1], found[2]))
    if len(child) != len(parent) or len({t for t, _ in child}) != 1 or len({t for t, _ in parent}) != 1:
        return None
    return child[0][0], tuple(c for _, c in child), parent[0][0], tuple(c for _, c in parent)


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
