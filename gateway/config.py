"""Settings: the only reader of the process environment.

Every setting can be given as ``ROWLESS_<NAME>`` in the environment, nested ones as ``ROWLESS_LLM__MODEL``. A name
with that prefix that is not a setting stops the start: a misspelt guard must not be silently off.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.errors import ConfigError
from gateway.llm.settings import LlmSettings
from redaction.config import DEFAULT_COUNTRIES, DEFAULT_GROUPED

PREFIX = "ROWLESS_"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class PromptSettings(_Group):
    """What a prompt may be."""

    template: str = "chart_spec"
    """Name of the prompt template."""
    version: str | None = None
    """Version of the template; the newest if not set."""
    budget_tokens: Annotated[int, Field(ge=1_500, le=200_000)] = 4_000
    """Most tokens of a whole prompt, the reply schema apart."""
    encoding: Literal["o200k_base", "cl100k_base"] = "o200k_base"
    """Token encoding to count with."""


class LimitSettings(_Group):
    """Bounds on one question."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Most rows of an answer."""
    max_bytes: Annotated[int, Field(ge=1_000, le=500_000_000)] = 8_000_000
    """Most bytes of an answer."""
    query_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """Seconds the database may take."""
    keep_results_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """Seconds that the rows of an answer are kept in memory and given again to the same right; 0 for never."""
    max_question_chars: Annotated[int, Field(ge=10, le=10_000)] = 1_000
    """Most characters of a question; the scan of a question costs time in proportion."""
    questions_per_hour: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Most questions of one user in an hour, counted once for all replicas; 0 for no bound."""
    index_values_per_column: Annotated[int, Field(ge=0, le=10_000_000)] = 200_000
    """Columns with more distinct values are not linked (and the summary page says so)."""
    index_refresh_s: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    """Seconds after which what is known of the data's values is compared with the data, while questions go on."""
    index_max_age_s: Annotated[float, Field(ge=0, le=86_400)] = 900.0
    """Seconds after which a question waits for that, and is refused if it fails; 0 to compare at every question."""


class OwnPatternSettings(_Group):
    """A kind of personal data that is the owner's own, such as a patient number."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{2,39}$")]
    """Entity type in capitals."""
    regex: Annotated[str, StringConstraints(min_length=2, max_length=500)]
    """Regular expression, without regard to case."""
    score: Annotated[float, Field(gt=0, le=1)] = 0.9
    """How sure a match is."""


class RedactionSettings(_Group):
    """What counts as personal data, and what is done with it."""

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"
    """Language of the questions; one without a model is scanned by patterns only, and the audit says so."""
    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")] | None = None
    """Import name of an installed spaCy package for `language`; English has its own."""
    countries: tuple[str, ...] = DEFAULT_COUNTRIES
    """Countries whose national identifiers are looked for; a JSON list."""
    phone_regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES", "IN")
    """Countries whose number plans are tried for telephone numbers without a country code; a JSON list."""
    grouped_phone_regions: tuple[str, ...] = DEFAULT_GROUPED
    """Countries whose telephone numbers count where they are grouped as is usual there; a JSON list."""
    thresholds: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Least score by entity type; a JSON object."""
    allow: tuple[str, ...] = ()
    """Words that are never personal data, for example product names; a JSON list."""
    own_patterns: tuple[OwnPatternSettings, ...] = ()
    """Patterns of the owner's; a JSON list of objects with name, regex and score."""
    actions: dict[str, Literal["mask", "refuse", "allow"]] = {}
    """What is done with each entity type in a question: mask (default), refuse or allow; a JSON object."""


class HttpSettings(_Group):
    """The HTTP door."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8321
    """Port to listen on; 0 for any free one."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins that may call the API from a browser, each spelt exactly; a JSON list in the environment."""


class AuditSettings(_Group):
    """Where the audit log's checkpoints and events go, and when it refuses (docs/audit.md)."""

    origin: str = ""
    """Name of a log that is made now, for example ``audit.example.com/rowless``; chosen at random if empty."""
    checkpoint_folder: Path | None = None
    """Folder for signed checkpoints, one file each; ``checkpoints`` in `home` if not set. A mounted bucket will do."""
    checkpoint_url: str = ""
    """Address that takes each checkpoint as a POST, beside the folder; https unless on loopback."""
    checkpoint_token: SecretStr | None = None
    """Bearer token for that address."""
    max_export_lag_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Seconds a signed checkpoint may wait for its export before no prompt leaves any more."""
    siem_file: Path | None = None
    """File that gets every entry as an OCSF event, one a line."""
    siem_syslog: str = ""
    """Collector that gets the same as syslog: ``tcp://host:port`` or ``udp://host:port``."""


class Settings(BaseSettings):
    """All settings of a gateway process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=lambda: Path.home() / ".rowless")
    """Folder of the embedded state: database, master key, audit checkpoints. Created with mode 0700."""
    project: Path | None = None
    """The project file (``rowless.toml``) that names datasources and the rules of their tables."""
    state_url: str = ""
    """SQLAlchemy address of the state database; an SQLite file in `home` if empty."""
    master_key_file: Path | None = None
    """File of the master key that wraps every data key; made in `home` on first run if not set."""
    previous_master_key_file: Path | None = None
    """File of the master key before it, until `rowless keys rewrap` has run (docs/operations.md)."""
    llm: LlmSettings = LlmSettings()
    prompt: PromptSettings = PromptSettings()
    limits: LimitSettings = LimitSettings()
    redaction: RedactionSettings = RedactionSettings()
    http: HttpSettings = HttpSettings()
    audit: AuditSettings = AuditSettings()

    @classmethod
    def from_environment(cls, **overrides: object) -> Settings:
        """Read the settings once, at the door.

        Raises:
            ConfigError: A name is unknown or a value does not fit; lists names, never values.
        """
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and not _is_known(name))
        if unknown:
            msg = "unknown settings in the environment: " + ", ".join(unknown)
            raise ConfigError(msg)
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            fields = sorted({".".join(str(part) for part in problem["loc"][:2]) for problem in error.errors()})
            msg = "settings that do not fit: " + ", ".join(_env_name(name) for name in fields)
            raise ConfigError(msg) from None


def _env_name(path: str) -> str:
    return PREFIX + path.upper().replace(".", "__")


def setting_names() -> dict[str, str]:
    """Every environment name a gateway reads, with the path of the setting it fills."""
    names = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner in field.annotation.model_fields:
                names[_env_name(f"{name}.{inner}")] = f"{name}.{inner}"
        else:
            names[_env_name(name)] = name
    return names


def _is_known(name: str) -> bool:
    # ROWLESS_TEST_* tunes the test suite and is read by it alone.
    return name in setting_names() or name.startswith(PREFIX + "TEST_")
