"""Tests of a promptfoo configuration as cases: our own exports come back, others' tests as far as a case can say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from gateway.chart.spec import ChartSpec
from prompts.regression.case import MAX_FILE_BYTES, Case, CaseInvalid

_OURS: Final = frozenset({"outcome", "spec", "partial", "mark"})


def imported(file: Path, *, fixture: str, tenant: str, variable: str) -> tuple[tuple[Case, ...], list[str]]:
    """The cases of a configuration, and what was left out, a line each.

    Args:
        file: The configuration, in YAML or JSON.
        fixture: Fixture of tests that name none.
        tenant: Tenant of tests that name none.
        variable: Variable that holds the question, in tests that are not ours.

    Raises:
        CaseInvalid: It cannot be read, or has no test that can be a case.
    """
    whole = _read(file)
    tests = whole.get("tests")
    if not isinstance(tests, list):
        msg = f"{file.name}: its tests are not a list in the file itself"
        raise CaseInvalid(msg)
    default = whole.get("defaultTest")
    common = default.get("assert") if isinstance(default, dict) else None
    cases: list[Case] = []
    left_out: list[str] = [f"{name}: not of a case" for name in sorted(set(whole) - _KNOWN)]
    for number, test in enumerate(tests, 1):
        label = f"test {number}"
        if not isinstance(test, dict):
            left_out.append(f"{label}: not a test")
            continue
        made, lost = _case(test, common, label, fixture, tenant, variable)
        left_out += [f"{label}: {what}" for what in lost]
        if made is not None and any(one.id == made.id for one in cases):
            left_out.append(f"{label}: another test has its name")
        elif made is not None:
            cases.append(made)
    if not cases:
        msg = f"{file.name}: no test of it can be a case: " + "; ".join(left_out[:5])
        raise CaseInvalid(msg)
    return tuple(cases), left_out


_KNOWN: Final = frozenset({"description", "prompts", "providers", "defaultTest", "tests"})


def _case(
    test: dict[str, Any], common: object, label: str, fixture: str, tenant: str, variable: str
) -> tuple[Case | None, list[str]]:
    metadata = test.get("metadata")
    ours = metadata.get("rowless") if isinstance(metadata, dict) else None
    facts: dict[str, Any] = dict(ours) if isinstance(ours, dict) else {}
    lost: list[str] = []
    if not facts:
        variables = test.get("vars")
        question = variables.get(variable) if isinstance(variables, dict) else None
        if not isinstance(question, str):
            return None, [f"it has no text in the variable {variable}"]
        facts = {"id": _identifier(test, label), "question": question, "fixture": fixture, "tenant": tenant}
        lost = [f"variable {name}" for name in sorted(map(str, variables)) if name != variable]  # type: ignore[arg-type]
    expect: dict[str, Any] = {"outcome": "any"}
    own = test.get("assert")
    asserts = [*(common if isinstance(common, list) else ()), *(own if isinstance(own, list) else ())]
    for one in asserts:
        said = _expectation(one) if isinstance(one, dict) else None
        if said is None:
            lost.append(f"assert {one.get('type', '') if isinstance(one, dict) else ''}: it is about a reply's text")
        else:
            expect |= said
    try:
        return Case.model_validate_json(json.dumps(facts | {"expect": expect})), lost
    except (ValidationError, TypeError, ValueError):
        return None, ["it is not of the form of a case"]


def _expectation(one: dict[str, Any]) -> dict[str, Any] | None:
    """What an assertion says in the words of a case; None if it cannot."""
    kind, config = one.get("type"), one.get("config")
    if kind == "is-json" and one.get("value") is None:
        # A reply that is no JSON is never a chart here.
        return {}
    if isinstance(config, dict) and config.get("rowless") in _OURS:
        name, value = config["rowless"], config.get("value")
        if name == "spec":
            specs = value if isinstance(value, list) else []
            return {"spec": specs[0]} if len(specs) == 1 else {"any_spec": specs}
        return {name: value}
    if kind == "equals":
        return _equal(one.get("value"))
    return None


def _equal(value: object) -> dict[str, Any] | None:
    """A reply, or a chart, that is expected word for word."""
    try:
        facts = json.loads(value) if isinstance(value, str) else value
        charts = facts.get("charts") if isinstance(facts, dict) else None
        if charts == []:
            return {"outcome": "unanswerable"}
        chart = charts[0] if isinstance(charts, list) else facts
        ChartSpec.model_validate_json(json.dumps(chart))
    except (ValueError, TypeError, ValidationError):
        return None
    return {"outcome": "chart", "spec": chart}


def _identifier(test: dict[str, Any], label: str) -> str:
    words = str(test.get("description") or label)
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in words.lower()).strip("-")[:60]
    while "--" in plain:
        plain = plain.replace("--", "-")
    return plain if plain[:1].isalpha() else f"test-{plain}"[:60].rstrip("-")


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > 10 * MAX_FILE_BYTES:
            msg = f"{file.name}: too large"
            raise CaseInvalid(msg)
        whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        msg = f"{file.name}: not a configuration that can be read"
        raise CaseInvalid(msg) from None
    if not isinstance(whole, dict):
        msg = f"{file.name}: not a promptfoo configuration"
        raise CaseInvalid(msg)
    return whole
