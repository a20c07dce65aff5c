"""A case made from a question, or from an audit entry: written with what was found, for a person to review.

What is written is masked, unless the author asks for the question as typed: an entry of the audit log is, and a typed
question is masked with the value index of its datasource first. A case over one's own data carries the released
Summary inline, which is all that a model may know, so that it runs on any machine and without a database.
"""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.attached import AttachedSource, Known
from gateway.errors import ConfigError
from gateway.project import SourceConfig
from gateway.regression.answers import AskedNow
from gateway.regression.fixtures import Fixtures
from gateway.regression.judge import judge
from gateway.regression.prepare import Choice, message_tokens, prepare
from gateway.sources.check import require_read_only
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits
from prompts.regression.case import Case, CaseFile, json_schema, read_cases
from redaction.mask import MaskedQuestion
from redaction.scan import Scanner

SCHEMA_NAME = "cases.schema.json"
ROOM = 1.1
"""A prompt may grow by a tenth before a new case says so."""
_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_NAME}
# Found by running, not reviewed yet: read each expectation, and change what a person would expect otherwise.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an audit entry knows of how a question ended: the decision, and the chart in canonical form."""

    decision: str
    spec: str = ""


def draft(case: Case, fixtures: Fixtures, scanner: Scanner, found: Found | None = None) -> Case:
    """A case with the expectations that a run of it finds.

    Args:
        case: Id, question, and what it is asked of.
        fixtures: The fixtures.
        scanner: The recognisers.
        found: How it ended when it was asked, if that is known; else the offline planner is asked now.

    Raises:
        ConfigError: A guard refuses the prompt: what must not leave is no case.
    """
    made = prepare(case, fixtures, scanner, Choice())
    if made.privacy or made.faulty:
        msg = "no case is made: its prompt holds what must not leave: " + (", ".join(made.privacy) or "invalid facts")
        raise ConfigError(msg)
    expect: dict[str, Any] = {}
    if found is None and made.scanned is not None:
        given = AskedNow().of(made, made.scanned).given[0]
        judged = judge(made, given.reply, given.code)
        outcome, spec = judged.outcome, judged.spec
    elif found is None:
        outcome, spec = made.outcome, ""
    else:
        outcome, spec = _outcome(found), found.spec
    expect["outcome"] = outcome if outcome in _OUTCOMES else "any"
    if spec and outcome in ("chart", "ambiguous"):
        expect["spec"] = json.loads(spec)
    if made.masked is not None:
        masks = sorted(name.split(":")[0].rstrip("0123456789") for name in made.masked.placeholders())
        expect |= {"masks": masks, "masked_only": True}
        if not case.already_masked:
            expect["prompt_lacks"] = sorted(set(made.masked.vault.bindings().values()))
    if made.prompt is not None:
        expect["tokens_at_most"] = math.ceil(message_tokens(made.prompt) * ROOM / 50) * 50
    return Case.model_validate_json(json.dumps(case.model_dump(mode="json") | {"expect": expect}))


_OUTCOMES = frozenset({"chart", "ambiguous", "unanswerable", "clarification", "refused"})


def _outcome(found: Found) -> str:
    return {"answered": "chart", "clarified": "clarification", "refused": "refused"}.get(found.decision, "any")


def masked_by(known: Known, question: str, scanner: Scanner) -> MaskedQuestion:
    """A question, masked as the line would mask it.

    Raises:
        RefusedError: It holds what the policy refuses.
    """
    from gateway.refusals import mapped
    from redaction.mask import mask

    with mapped("mask"):
        return mask(question, scanner, index=known.index, known_names=known.names)


def known_of(config: SourceConfig, tenant: str | int) -> Known:
    """What is known of a datasource of the author's, within one tenant's scope.

    Raises:
        SourceError: It cannot be opened.
        RefusedError: Its user can do more than read, or the tenant has no right to it.
    """
    if config.url is not None:
        require_read_only(config)
    attached = AttachedSource(
        open_source(config), config, index_key=secrets.token_bytes(32), max_index_values=200_000, limits=Limits()
    )
    try:
        return attached.known(attached.scope(tenant=tenant))
    finally:
        attached.close()


def write_case(case: Case, out: Path) -> None:
    """Write a case to a new file, or at the end of one; and the schema for editors beside it.

    Raises:
        ConfigError: The file cannot be read or written, has such a case already, or does not end with its cases.
    """
    facts = case.model_dump(mode="json", exclude_defaults=True, exclude={"group"})
    old = ""
    try:
        if out.exists():
            old = out.read_text(encoding="utf-8")
            if any(one.id == case.id for one in read_cases(old, out.name)):
                msg = f"{out.name} has a case {case.id} already: give another with --id"
                raise ConfigError(msg)
            text = old.rstrip("\n") + "\n" + _indented(facts)
        else:
            whole = {"version": "1", "fixture": case.fixture, "tenant": case.tenant}
            own = {key: value for key, value in facts.items() if key not in ("fixture", "tenant")}
            text = _HEAD + _yaml(whole) + "cases:\n" + _indented(own)
        written = next(one for one in read_cases(text, out.name) if one.id == case.id)
        if written.model_copy(update={"group": case.group}) != case:
            msg = f"{out.name}: the case would not be read as it was written"
            raise ConfigError(msg)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        schema = out.parent / SCHEMA_NAME
        if not schema.exists():
            schema.write_text(json_schema(), encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        msg = f"cannot write {out.name}"
        raise ConfigError(msg) from None


def case_file(cases: tuple[Case, ...], fixture: str, tenant: str) -> str:
    """The text of a file of cases.

    Raises:
        CaseInvalid: Two have the same id.
    """
    text = _HEAD + _yaml({"version": "1", "fixture": fixture, "tenant": tenant}) + "cases:\n"
    for case in cases:
        facts = case.model_dump(mode="json", exclude_defaults=True, exclude={"group"})
        same = {"fixture": fixture, "tenant": tenant}
        text += _indented({key: value for key, value in facts.items() if same.get(key) != value})
    read_cases(text, "cases")
    return text


def _indented(facts: dict[str, Any]) -> str:
    lines = _yaml([facts]).splitlines(keepends=True)
    return "".join(f"  {line}" if line.strip() else line for line in lines)


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)


__all__ = ["SCHEMA_NAME", "CaseFile", "Found", "case_file", "draft", "known_of", "masked_by", "write_case"]
