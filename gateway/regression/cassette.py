"""Recorded replies of a model: one YAML file for each case, kept under the hash of exactly what was sent.

    cassettes/<model>/model.facts.yaml    name, parameters and prices of the model
    cassettes/<model>/<case>.yaml         what was sent, and the replies
    cassettes/<model>/schemas/<hash>.json reply schemas, shared by the cases that sent the same

A reply is played back only if the body that would be sent now, made by the code that sends, has the hash that it was
recorded under. Otherwise the case is stale, and says how old and new differ. Only prompts that the scan let through
and replies that the guard of `gateway.regression.stored` has read are ever written.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import ConfigError
from gateway.llm.modes import ReplyMode
from gateway.llm.request import Parameters, chat_request
from prompts.regression.compare import unified
from prompts.regression.fingerprint import request_hash, text_hash

MODEL_FILE: Final = "model.facts.yaml"
"""No case can be called so: its name has no dot."""
MAX_BYTES: Final = 4_000_000
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_HASH: Final = r"^[0-9a-f]{64}$"
_File = TypeVar("_File", bound=BaseModel)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ModelFacts(_Closed):
    """A recorded model: what is asked of it beside the prompt, and its prices in US dollars per million tokens.

    Attributes:
        repair_rounds: How often it is told at most what does not fit in its reply.
    """

    version: Literal["1"] = "1"
    endpoint: Annotated[str, Field(max_length=60)]
    model: Annotated[str, Field(min_length=1, max_length=200)]
    max_output_tokens: Annotated[int, Field(ge=1)] = 4_000
    output_limit_field: Literal["max_completion_tokens", "max_tokens", ""] = "max_completion_tokens"
    temperature: float | None = None
    repair_rounds: Annotated[int, Field(ge=0, le=2)] = 0
    price_input_usd: float | None = None
    price_output_usd: float | None = None

    @property
    def parameters(self) -> Parameters:
        """What is sent of them."""
        return Parameters(
            model=self.model,
            max_output_tokens=self.max_output_tokens,
            output_limit_field=self.output_limit_field,
            temperature=self.temperature,
        )


class _Reply(_Closed):
    """One reply: its text, what it cost, how long it took, and the day it was recorded (UTC)."""

    text: Annotated[str, Field(max_length=1_000_000)]
    tokens_in: Annotated[int, Field(ge=0)] = 0
    tokens_out: Annotated[int, Field(ge=0)] = 0
    cost_usd: Annotated[float, Field(ge=0)] | None = None
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    day: str = ""


class Repair(_Reply):
    """The reply to a repair round, under the hash of what was sent in it."""

    request_sha256: Annotated[str, Field(pattern=_HASH)]
    mode: ReplyMode


class Recorded(_Reply):
    """The first reply, and those of the repair rounds after it."""

    repairs: Annotated[tuple[Repair, ...], Field(max_length=2)] = ()


class Said(_Closed):
    """One message that was sent."""

    role: str
    text: str


class Cassette(_Closed):
    """What was sent for one case, and the replies to it."""

    version: Literal["1"] = "1"
    case: str
    template: str
    request_sha256: Annotated[str, Field(pattern=_HASH)]
    mode: ReplyMode
    parameters: ModelFacts
    schema_sha256: Annotated[str, Field(pattern=_HASH)]
    messages: tuple[Said, ...]
    replies: Annotated[tuple[Recorded, ...], Field(min_length=1, max_length=100)]

    @property
    def spoken(self) -> list[tuple[str, str]]:
        """Role and text of each message."""
        return [(message.role, message.text) for message in self.messages]

    @property
    def prompt(self) -> str:
        """The messages as one text."""
        return "\n".join(f"[{role}]\n{text}" for role, text in self.spoken)


def request_key(facts: ModelFacts, spoken: Sequence[tuple[str, str]], schema: str, mode: ReplyMode) -> str:
    """The hash of the body that a call would send now."""
    return request_hash(chat_request(facts.parameters, spoken, schema, mode))


class Cassettes:
    """The cassettes of one model in a folder.

    Args:
        folder: The folder of all models.
        model: Name of the model.

    Raises:
        ConfigError: A file in it is not one, or is of another model.
    """

    def __init__(self, folder: Path, model: str) -> None:
        slug = _UNSAFE.sub("_", model).lstrip(".")
        if not slug:
            msg = "a model needs a name"
            raise ConfigError(msg)
        self.place = folder / slug
        self.model = model

    def facts(self) -> ModelFacts:
        """The recorded model.

        Raises:
            ConfigError: Nothing was recorded of it.
        """
        path = self.place / MODEL_FILE
        if not path.is_file():
            msg = f"nothing is recorded of the model {self.model} in {self.place.parent.name}: rowless regress record"
            raise ConfigError(msg)
        found = _read(path, ModelFacts)
        if found.model != self.model:
            msg = f"{path.parent.name}/{MODEL_FILE} is of another model"
            raise ConfigError(msg)
        return found

    def get(self, case: str) -> Cassette | None:
        """What was recorded of a case."""
        path = self._path(case)
        if not path.is_file():
            return None
        found = _read(path, Cassette)
        if found.case != case or found.parameters.model != self.model:
            msg = f"{path.name} is of another case or model"
            raise ConfigError(msg)
        return found

    def schema(self, sha256: str) -> str:
        """A reply schema that was sent; empty if its file is gone or is not what it was."""
        path = self.place / "schemas" / f"{sha256}.json"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return text if text_hash(text) == sha256 else ""

    def put(self, facts: ModelFacts, cassette: Cassette, schema: str) -> None:
        """Write what was recorded of a case; a crash leaves the old file or the new one.

        Raises:
            ConfigError: The folder cannot be written.
        """
        try:
            (self.place / "schemas").mkdir(parents=True, exist_ok=True)
            file = self.place / "schemas" / f"{cassette.schema_sha256}.json"
            if not file.is_file():
                _write(file, schema)
            _write(self.place / MODEL_FILE, _yaml(facts))
            _write(self._path(cassette.case), _yaml(cassette))
        except OSError as error:
            msg = f"cannot write recorded replies: {error.strerror or 'the file system refused'}"
            raise ConfigError(msg) from None

    def _path(self, case: str) -> Path:
        return self.place / f"{case}.yaml"


def fits(cassette: Cassette, facts: ModelFacts, spoken: Sequence[tuple[str, str]], schema: str) -> bool:
    """Whether exactly this would be sent now."""
    return cassette.request_sha256 == request_key(facts, spoken, schema, cassette.mode)


def is_intact(cassette: Cassette, schema: str) -> bool:
    """Whether what stands in the file is what it was recorded under: nobody has edited the prompt in it."""
    return cassette.request_sha256 == request_key(cassette.parameters, cassette.spoken, schema, cassette.mode)


def staleness(cassette: Cassette, facts: ModelFacts, prompt: str, schema: str, old_schema: str) -> str:
    """How what would be sent now differs from what was recorded, for a reader."""
    parts = []
    if cassette.prompt != prompt:
        parts.append(unified(cassette.prompt, prompt, before="recorded", after="now"))
    for name in type(facts.parameters).__slots__:
        old, new = getattr(cassette.parameters, name), getattr(facts, name)
        if old != new:
            parts.append(f"-{name}: {old}\n+{name}: {new}")
    if text_hash(schema) != cassette.schema_sha256:
        lines = unified(_spread(old_schema), _spread(schema), before="reply schema recorded", after="reply schema now")
        parts.append(lines if old_schema else "the reply schema differs (the recorded one is not kept)")
    return "\n".join(parts) or "the file was edited by hand: its prompt is not the one it was recorded under"


def _spread(schema: str) -> str:
    return re.sub(r"([,{\[])", r"\1\n", schema)


class _Dumper(yaml.SafeDumper):
    """YAML for reviewers: texts of several lines stand as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(value: BaseModel) -> str:
    facts = value.model_dump(mode="json", exclude_none=True)
    return yaml.dump(facts, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _read(path: Path, kind: type[_File]) -> _File:
    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"{path.name}: too large for recorded replies"
            raise ConfigError(msg)
        return kind.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        msg = f"{path.parent.name}/{path.name}: not a file of recorded replies"
        raise ConfigError(msg) from None


_LOADER = yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader


def _write(path: Path, text: str) -> None:
    # Several cases are written at once, and all of them write the model's file.
    draft = path.with_suffix(f".{secrets.token_hex(4)}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
