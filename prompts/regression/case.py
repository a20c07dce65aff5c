"""A regression case: a question, who asks, and what a person expects of the answer. Strict YAML, no free keys.

A case file holds cases over one fixture. Specs are kept as plain JSON here, since this package knows no chart
language; the runner reads them strictly and reports one that does not parse as a fault of the case.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from prompts.errors import PromptError

CASES = Path(__file__).parent / "cases"
"""The cases that are shipped."""
MAX_FILE_BYTES = 4_000_000

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]
Spec = dict[str, object]
Cell = str | int | float | bool | None
Outcome = Literal["chart", "ambiguous", "unanswerable", "clarification", "refused", "any"]
"""``clarification`` is ambiguous or unanswerable; ``refused`` is a guard's; ``any``: only what is masked, sent and run
matters, as for an attack."""


class CaseInvalid(PromptError):  # noqa: N818 - named as the package's other errors are
    """A case file cannot be read. Names the file and the place in it."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Expect(_Closed):
    """What must hold. Every field that is given is checked on its own and reported in its own column."""

    outcome: Outcome = "chart"
    """How the question must end."""
    spec: Spec | None = None
    """The first chart, equal in canonical form."""
    any_spec: Annotated[tuple[Spec, ...], Field(max_length=20)] = ()
    """The first chart, equal in canonical form to any of these."""
    partial: Spec | None = None
    """These keys of the first chart have these values; lists are compared item by item."""
    same_rows_as: Annotated[tuple[Spec, ...], Field(max_length=20)] = ()
    """The first chart, run on the fixture, gives the rows that one of these gives (order apart)."""
    rows: tuple[tuple[Cell, ...], ...] | None = None
    """The first chart, run on the fixture, gives these rows (order apart)."""
    mark: tuple[str, ...] = ()
    """The first chart is of one of these kinds."""
    tokens_at_most: Annotated[int, Field(ge=1)] | None = None
    """Size of the messages, the reply schema apart, in tokens of the template's encoding."""
    prompt_has: tuple[str, ...] = ()
    """Texts that must stand in the messages."""
    prompt_lacks: tuple[str, ...] = ()
    """Texts that must stand neither in the messages nor in the reply schema, whatever their case."""
    masks: tuple[str, ...] = ()
    """Labels of placeholders that the question must be given: ``email``, ``name``, …; ``v`` for a row value."""
    masked_only: bool = False
    """Nothing but `masks` is masked."""

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Every spec that would be equal."""
        return (*((self.spec,) if self.spec is not None else ()), *self.any_spec)


class Case(_Closed):
    """One question and what is expected of it."""

    id: Name
    question: Annotated[str, StringConstraints(max_length=1000)]
    tags: tuple[Name, ...] = ()
    fixture: Name = ""
    """The file's if left out."""
    tenant: str = ""
    """The file's if left out."""
    previous: Spec | None = None
    """The chart that the question refines."""
    summary: dict[str, object] | None = None
    """Released facts given here in place of a fixture's; nothing is run then."""
    note: str = ""
    """For people only: why the expectation is as it is."""
    group: str = Field(default="", max_length=80)
    """What it is counted with in reports; the file's name if left out."""
    already_masked: bool = False
    """The question is as an audit entry holds it: placeholders in it stand for what was masked, and nothing is masked
    anew. The scan reads it all the same."""
    expect: Expect = Expect()


class CaseFile(_Closed):
    """A file of cases over one fixture."""

    version: Literal["1"] = "1"
    fixture: Name
    tenant: str
    cases: Annotated[tuple[Case, ...], Field(min_length=1, max_length=5000)]

    @model_validator(mode="after")
    def _distinct(self) -> CaseFile:
        if len({case.id for case in self.cases}) != len(self.cases):
            msg = "two cases have the same id"
            raise ValueError(msg)
        return self


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML in which a key may not stand twice: the second would silently win."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[object, object]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if len({str(key) for key in keys}) != len(keys):
        raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
    loader.flatten_mapping(node)
    return dict(yaml.constructor.SafeConstructor.construct_mapping(loader, node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_cases(text: str, label: str) -> tuple[Case, ...]:
    """Read the text of one case file; each case carries its fixture and tenant afterwards.

    Raises:
        CaseInvalid: Not YAML, or not of the form; names the place, not the content.
    """
    try:
        # Through JSON: a date that YAML would make of 2024-01-01 stays out, and lists become tuples.
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader)
        parsed = CaseFile.model_validate_json(json.dumps(raw))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        msg = f"{label}: line {line}: {error.problem or 'not YAML'}"
        raise CaseInvalid(msg) from None
    except (yaml.YAMLError, TypeError, RecursionError):
        msg = f"{label}: not plain YAML (write dates and times in quotes)"
        raise CaseInvalid(msg) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in _FIELDS)
        msg = f"{label}: {place or 'file'}: {first['msg'] if first['type'] == 'value_error' else first['type']}"
        raise CaseInvalid(msg) from None
    return tuple(
        case.model_copy(
            update={
                "fixture": case.fixture or parsed.fixture,
                "tenant": case.tenant or parsed.tenant,
                "group": case.group or Path(label).stem,
            }
        )
        for case in parsed.cases
    )


_FIELDS = frozenset(CaseFile.model_fields) | frozenset(Case.model_fields) | frozenset(Expect.model_fields)


def load_cases(places: Iterable[Path] = (CASES,)) -> tuple[Case, ...]:
    """Read case files and folders of them (``*.yaml``), in the order of their names.

    Raises:
        CaseInvalid: A file is missing, too large or not one; an id stands twice; or there is no case.
    """
    found: dict[str, Case] = {}
    for place in places:
        files = sorted(place.glob("*.yaml")) if place.is_dir() else [place]
        for file in files:
            try:
                if file.stat().st_size > MAX_FILE_BYTES:
                    msg = f"{file.name}: larger than {MAX_FILE_BYTES} bytes"
                    raise CaseInvalid(msg)
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                msg = f"{file.name}: cannot be read"
                raise CaseInvalid(msg) from None
            for case in read_cases(text, file.name):
                if case.id in found:
                    msg = f"{file.name}: the id {case.id} is another case's too"
                    raise CaseInvalid(msg)
                found[case.id] = case
    if not found:
        msg = "no case found: give a folder with *.yaml files, or a file"
        raise CaseInvalid(msg)
    return tuple(found.values())


def json_schema() -> str:
    """The JSON Schema of a case file, for editors."""
    schema = CaseFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"
