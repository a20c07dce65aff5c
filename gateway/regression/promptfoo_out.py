"""Cases as a promptfoo configuration: what promptfoo can express of them, and a list of what it cannot.

promptfoo judges replies. So the prompts are made, masked and scanned here, and only what is expected of the reply goes
along: outcome, spec, part of a spec, mark. Questions are exported as they are masked; nothing that was typed is.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import yaml

from gateway.chart.canonical import canonical
from gateway.regression.prepare import Prepared, prepare, read_spec
from gateway.regression.suite import Setup
from prompts.regression.case import Case
from redaction.scan import ScanConfig, Scanner

PROMPT: Final = '[{"role": "system", "content": {{ system | dump }}}, {"role": "user", "content": {{ user | dump }}}]'
JUDGE: Final = """\
const tidy = (part) => {
  if (Array.isArray(part)) return part.map(tidy);
  if (part === null || typeof part !== 'object') return part;
  const kept = Object.entries(part).map(([key, value]) => [key, tidy(value)])
    .filter(([, value]) => value !== null && value !== false && value !== ''
      && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
};
const lacks = (wanted, has) => {
  if (Array.isArray(wanted)) {
    return !Array.isArray(has) || has.length !== wanted.length || wanted.some((part, at) => lacks(part, has[at]));
  }
  if (wanted === null || typeof wanted !== 'object') return wanted !== has;
  return has === null || typeof has !== 'object' || Object.keys(wanted).some((key) => lacks(wanted[key], has[key]));
};
const plan = JSON.parse(output);
const charts = plan.charts || [];
const first = charts[0];
const { rowless: kind, value } = context.config;
const ended = charts.length === 0 ? 'unanswerable' : plan.ambiguous ? 'ambiguous' : 'chart';
if (kind === 'outcome') {
  return value === ended || (value === 'clarification' && ended !== 'chart')
    || (value === 'chart' && ended === 'ambiguous');
}
if (first === undefined) return false;
if (kind === 'mark') return value.includes(first.mark);
if (kind === 'partial') return !lacks(value, first);
return value.some((spec) => JSON.stringify(tidy(spec)) === JSON.stringify(tidy(first)));
"""
"""Run by promptfoo for each expectation. It knows no defaults of the chart language and no order of filters, so a spec
that differs in these alone fails there and passes here."""

_TEMPLATED: Final = ("{{", "{%", "{#")


def exported(setup: Setup, providers: tuple[str, ...]) -> tuple[str, int, list[str]]:
    """A configuration of the cases.

    Args:
        setup: Cases and templates.
        providers: promptfoo's names of what is asked.

    Returns:
        The configuration as YAML, how many cases are in it, and what was left out, a line each.

    Raises:
        PromptError: A case or template is not valid.
    """
    scanner = Scanner(ScanConfig())
    tests: list[dict[str, Any]] = []
    lost: Counter[str] = Counter()
    gone: list[str] = []
    with setup.fixtures() as fixtures:
        for case in setup.cases():
            made = prepare(case, fixtures, scanner, setup.choice)
            why = _unfit(made)
            if why:
                gone.append(f"{case.id}: {why}")
                continue
            tests.append(_test(made))
            lost.update(lost_of(case))
    systems = Counter(test["vars"]["system"] for test in tests)
    usual = systems.most_common(1)[0][0] if systems else ""
    for test in tests:
        if test["vars"]["system"] == usual:
            del test["vars"]["system"]
    whole = {
        "description": "Prompt regression cases, exported; prompts are masked and scanned",
        "prompts": [PROMPT],
        "providers": list(providers),
        "defaultTest": {"vars": {"system": usual}},
        "tests": tests,
    }
    told = [f"{kind} of {count} cases: {_WHY[kind]}" for kind, count in sorted(lost.items())]
    told.append("the reply schema: a provider's response_format is yours to set")
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=110), len(tests), [*told, *gone]


_WHY: Final = {
    "masks": "promptfoo judges replies; masking was checked here",
    "prompt_has": "promptfoo judges replies; the prompt was made here",
    "prompt_lacks": "promptfoo judges replies; the prompt was made here",
    "rows": "it needs the fixture's database",
    "same_rows_as": "it needs the fixture's database",
    "tokens_at_most": "promptfoo judges replies; the prompt was made here",
    "note": "for people, in the case file",
}


def lost_of(case: Case) -> list[str]:
    """What a case expects that promptfoo cannot express."""
    expect = case.expect
    held = {
        "masks": bool(expect.masks) or expect.masked_only,
        "prompt_has": bool(expect.prompt_has),
        "prompt_lacks": bool(expect.prompt_lacks),
        "rows": expect.rows is not None,
        "same_rows_as": bool(expect.same_rows_as),
        "tokens_at_most": expect.tokens_at_most is not None,
        "note": bool(case.note),
    }
    return [name for name, is_held in held.items() if is_held]


def _unfit(made: Prepared) -> str:
    """Why a case cannot be exported; empty if it can."""
    if made.scanned is None or made.masked is None:
        return "no prompt leaves for it, so there is nothing to ask"
    if made.case.summary is not None or made.case.previous is not None:
        return "an own summary or an earlier chart is not expressed"
    roles = [message.role for message in made.scanned.messages]
    if roles != ["system", "user"]:
        return "its prompt is not one system and one user message"
    if any(mark in message.text for message in made.scanned.messages for mark in _TEMPLATED):
        return "its prompt holds what promptfoo would run as a template"
    return ""


def _test(made: Prepared) -> dict[str, Any]:
    case = made.case
    assert made.scanned is not None  # noqa: S101  (`_unfit` said so)
    assert made.masked is not None  # noqa: S101
    system, user = (message.text for message in made.scanned.messages)
    facts: dict[str, Any] = {
        "id": case.id,
        "question": made.masked.text,
        "fixture": case.fixture,
        "tenant": case.tenant,
        "tags": list(case.tags),
    }
    if case.already_masked or made.masked.placeholders():
        facts["already_masked"] = True
    return {
        "description": case.id,
        "vars": {"system": system, "user": user},
        "assert": [{"type": "is-json"}, *(_assert(kind, value) for kind, value in _expected(case))],
        "metadata": {"rowless": facts},
    }


def _assert(kind: str, value: object) -> dict[str, Any]:
    return {"type": "javascript", "metric": kind, "value": JUDGE, "config": {"rowless": kind, "value": value}}


def _expected(case: Case) -> list[tuple[str, object]]:
    expect = case.expect
    found: list[tuple[str, object]] = []
    if expect.outcome != "any":
        found.append(("outcome", expect.outcome))
    if expect.specs:
        found.append(("spec", [json.loads(canonical(read_spec(spec))) for spec in expect.specs]))
    if expect.partial is not None:
        found.append(("partial", expect.partial))
    if expect.mark:
        found.append(("mark", list(expect.mark)))
    return found
