"""Stages 1 to 5 of a case: whose rows, what is known, what is masked, the prompt, and what the guards say of it.

Nothing here depends on a model: the same prompt is prepared for each. Every prompt passes the scan with its egress
guard and a canary search of ours; what either finds is kept by kind and the prompt is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from gateway.attached import Known, known_names
from gateway.chart.canonical import canonical
from gateway.chart.schema import reply_schema
from gateway.chart.spec import ChartSpec
from gateway.errors import ConfigError, GatewayError, RefusedError
from gateway.refusals import kinds_of, mapped
from gateway.regression.fixtures import Fixture, Fixtures, canaries_in
from gateway.summary.model import Summary
from gateway.tenancy.scope import Scope
from prompts.budget import count_tokens
from prompts.build import RepairNote, build_prompt
from prompts.regression.case import Case, Spec
from prompts.template import TEMPLATES
from redaction.index_builder import IndexBuilder
from redaction.mask import LinkedValue, MaskedEntity, MaskedQuestion, Vault, mask
from redaction.scan import PLACEHOLDER, ScannedPrompt, Scanner, scan
from redaction.segments import UnscannedPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a run varies: the templates, their version, and the prompt's budget."""

    folder: Path = TEMPLATES
    template: str = "chart_spec"
    version: str | None = None
    budget_tokens: int = 4000
    encoding: str = "o200k_base"


@dataclass(slots=True, kw_only=True)
class Prepared:
    """What came of the stages before a model is asked.

    Attributes:
        outcome: ``refused`` or ``failed`` if the line ended here.
        code: Code of the error that ended it.
        privacy: Kinds of what must not leave.
        faulty: The case itself is not valid.
        scanned: What may leave; None if the line ended here.
    """

    case: Case
    choice: Choice
    fixture: Fixture | None = None
    previous: str | None = None
    scope: Scope | None = None
    known: Known | None = None
    masked: MaskedQuestion | None = None
    prompt: UnscannedPrompt | None = None
    scanned: ScannedPrompt | None = None
    outcome: str = ""
    code: str = ""
    privacy: list[str] = field(default_factory=list)
    faulty: bool = False

    @property
    def shown(self) -> str:
        """The prompt to show: empty if a guard found something in it."""
        return messages_text(self.prompt) if self.prompt is not None and not self.privacy else ""


def prepare(case: Case, fixtures: Fixtures, scanner: Scanner, choice: Choice) -> Prepared:
    """Run stages 1 to 5. A guard's refusal, or a case that is not valid, is in the result."""
    made = Prepared(case=case, choice=choice, fixture=None if case.summary is not None else fixtures[case.fixture])
    try:
        if made.fixture is None:
            made.known = _inline(case.summary or {})
        else:
            made.scope, made.known = made.fixture.asked_by(case.tenant)
        made.previous = canonical(read_spec(case.previous)) if case.previous is not None else None
        for spec in (*case.expect.specs, *case.expect.same_rows_as):
            read_spec(spec)
        _fill(made, made.known, scanner)
    except (ValidationError, ConfigError):
        made.faulty = True
    return made


def _fill(made: Prepared, known: Known, scanner: Scanner) -> None:
    case = made.case
    try:
        with mapped("mask"):
            made.masked = (
                placeholders_of(case.question)
                if case.already_masked
                else mask(case.question, scanner, index=known.index, known_names=known.names)
            )
        made.prompt = build(made)
        if canaries_in(messages_text(made.prompt) + made.prompt.reply_schema):
            made.privacy.append("canary")
        with mapped("scan"):
            scanned = scan(made.prompt, scanner, index=known.index, known_names=known.names)
        made.scanned = scanned if not made.privacy else None
        made.outcome = "refused" if made.privacy else ""
    except GatewayError as error:
        made.outcome = "refused" if isinstance(error, RefusedError) else "failed"
        made.code = error.code
        if error.stage == "scan" and isinstance(error, RefusedError):
            # The scan is the second reader: what it still finds, the mask or the template let through.
            made.privacy.extend(kinds_of(error))


def build(made: Prepared, notes: Sequence[RepairNote] = ()) -> UnscannedPrompt:
    """The prompt of a case (stage 4).

    Args:
        made: A case of which is known what a model may know, with its question masked.
        notes: What did not fit in earlier replies.

    Raises:
        GatewayError: It cannot be built.
    """
    assert made.known is not None and made.masked is not None  # noqa: S101, PT018  (the stages before it)
    choice = made.choice
    with mapped("build"):
        return build_prompt(
            made.known.facts,
            made.masked.text,
            reply_schema=made.known.schema,
            template=choice.template,
            version=choice.version,
            budget_tokens=choice.budget_tokens,
            encoding=choice.encoding,
            repair=notes,
            previous=made.previous,
            folder=choice.folder,
        )


def placeholders_of(question: str) -> MaskedQuestion:
    """A question that was masked before: its placeholders are bound to words that are in no row."""
    entities: list[MaskedEntity] = []
    values: list[LinkedValue] = []
    for found in PLACEHOLDER.finditer(question):
        name, colon, rest = found.group()[1:-1].partition(": ")
        if colon:
            columns = tuple(rest.split(" | "))
            values.append(LinkedValue(placeholder=name, columns=columns, start=found.start(), end=found.end()))
        else:
            kind = name.partition(":")[0].upper()
            entities.append(MaskedEntity(placeholder=name, entity_type=kind, start=found.start(), end=found.end()))
    names = [*(entity.placeholder for entity in entities), *(value.placeholder for value in values)]
    hidden = dict.fromkeys(names, "what an entry does not tell")
    return MaskedQuestion(text=question, entities=tuple(entities), values=tuple(values), vault=Vault(hidden))


def read_spec(facts: Spec) -> ChartSpec:
    """A spec of a case, read strictly."""
    return ChartSpec.model_validate_json(json.dumps(facts))


def messages_text(prompt: UnscannedPrompt) -> str:
    """The messages as one text, for a reader and for diffs."""
    return "\n".join(f"[{message.role}]\n{message.text}" for message in prompt.messages)


def message_tokens(prompt: UnscannedPrompt) -> int:
    """Size of the messages, the reply schema apart."""
    return sum(count_tokens(message.text, prompt.encoding) for message in prompt.messages)


def _inline(facts: Mapping[str, object]) -> Known:
    summary = Summary.model_validate_json(json.dumps(facts))
    return Known(
        summary=summary,
        index=IndexBuilder(b"regression fixtures, no secret").build(),
        names=known_names(summary),
        facts=summary.model_dump(mode="json"),
        schema=reply_schema(summary),
        made_at=0.0,
        values_as_of=0.0,
    )
