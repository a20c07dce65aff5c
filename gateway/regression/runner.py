"""Runs a case through the real stages 1 to 11 and judges each expectation on its own.

The stages are those of `gateway.pipeline`, without its audit log, repair rounds and picture: a case is about one
prompt and the first reply to it. Every prompt passes the scan with its egress guard, and a canary search of ours.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from gateway.attached import Known, known_names
from gateway.chart.canonical import canonical
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.read import read_reply
from gateway.chart.schema import reply_schema
from gateway.chart.spec import ChartSpec, Plan
from gateway.errors import ConfigError, GatewayError, RefusedError
from gateway.llm.offline.planner import OfflinePlanner
from gateway.llm.port import Planner
from gateway.refusals import mapped
from gateway.regression.fixtures import NOW, Fixture, Fixtures, canaries_in
from gateway.summary.model import Summary
from gateway.tenancy.scope import Scope
from prompts.budget import count_tokens
from prompts.build import build_prompt
from prompts.regression.case import Case, Spec
from prompts.regression.fingerprint import prompt_hash
from prompts.regression.outcome import CaseResult, Failed, Run
from prompts.template import TEMPLATES, load_template
from redaction.fingerprints import IndexBuilder
from redaction.mask import MaskedQuestion, mask
from redaction.scan import Scanner, scan
from redaction.segments import UnscannedPrompt

Drawn = Counter[tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a run varies: the templates, their version, and the prompt's budget."""

    folder: Path = TEMPLATES
    template: str = "chart_spec"
    version: str | None = None
    budget_tokens: int = 4000
    encoding: str = "o200k_base"


@dataclass(slots=True)
class _Found:
    """What came of one case, stage by stage."""

    outcome: str = ""
    masked: MaskedQuestion | None = None
    prompt: UnscannedPrompt | None = None
    plan: Plan | None = None
    code: str = ""
    privacy: list[str] = field(default_factory=list)
    cost_usd: float | None = None


class Runner:
    """Runs cases; scanner, fixtures and planner are shared. Thread-safe.

    Args:
        fixtures: The databases.
        scanner: The recognisers, loaded.
        choice: Template and budget.
        planner: Asked for the reply; the offline planner if None.
    """

    def __init__(
        self, fixtures: Fixtures, scanner: Scanner, *, choice: Choice | None = None, planner: Planner | None = None
    ) -> None:
        self._fixtures = fixtures
        self._scanner = scanner
        self._choice = choice or Choice()
        self._planner = planner or OfflinePlanner()

    def run(
        self, cases: Sequence[Case], *, workers: int = 2, label: str = "", progress: Callable[[], None] = lambda: None
    ) -> Run:
        """Run all cases, each once.

        Raises:
            ConfigError: A case names a fixture that is not there.
        """
        started = time.perf_counter()
        template = load_template(self._choice.template, self._choice.version, self._choice.folder)

        def one(case: Case) -> CaseResult:
            result = self.case(case)
            progress()
            return result

        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            results = tuple(pool.map(one, cases))
        return Run(
            model=f"{self._planner.name}/{self._planner.model}",
            template=template.name,
            template_version=template.version,
            label=label,
            elapsed_s=round(time.perf_counter() - started, 3),
            results=results,
        )

    def case(self, case: Case) -> CaseResult:
        """Run one case."""
        started = time.perf_counter()
        found = _Found()
        failed: list[Failed] = []
        scope: Scope | None = None
        fixture = None if case.summary is not None else self._fixtures[case.fixture]
        try:
            if fixture is None:
                known = _inline(case.summary or {})
            else:
                scope, known = fixture.asked_by(case.tenant)
            self._ask(case, known, found)
            failed += self._judge(case, found)
            if fixture is not None and scope is not None:
                failed += _judge_rows(case, found, fixture, scope, known)
        except (ValidationError, ConfigError):
            failed.append(Failed(column="case", says="its summary or a spec in it is not valid"))
        failed += [Failed(column="privacy", says=kind) for kind in found.privacy]
        faulty = any(problem.column == "case" for problem in failed)
        prompt = found.prompt
        return CaseResult(
            id=case.id,
            tags=case.tags,
            verdict="error" if faulty else "fail" if failed else "pass",
            failed=tuple(failed),
            outcome=found.outcome,
            # A prompt that a guard refused is not kept: it holds what must not be shown.
            prompt=_messages(prompt) if prompt and not found.privacy else "",
            prompt_sha256=prompt_hash(prompt) if prompt else "",
            spec=canonical(found.plan.charts[0]) if found.plan and found.plan.charts else "",
            tokens=_size(prompt) if prompt else 0,
            cost_usd=found.cost_usd,
            elapsed_ms=round((time.perf_counter() - started) * 1000, 2),
            privacy=tuple(found.privacy),
        )

    def _ask(self, case: Case, known: Known, found: _Found) -> None:
        try:
            with mapped("mask"):
                masked = mask(case.question, self._scanner, index=known.index, known_names=known.names)
        except RefusedError as refusal:
            found.outcome = "refused"
            found.code = refusal.code
            return
        found.masked = masked
        previous = canonical(_spec(case.previous)) if case.previous is not None else None
        try:
            with mapped("build"):
                prompt = build_prompt(
                    known.facts,
                    masked.text,
                    reply_schema=known.schema,
                    template=self._choice.template,
                    version=self._choice.version,
                    budget_tokens=self._choice.budget_tokens,
                    encoding=self._choice.encoding,
                    previous=previous,
                    folder=self._choice.folder,
                )
            found.prompt = prompt
            if canaries_in(_messages(prompt) + prompt.reply_schema):
                found.privacy.append("canary")
            with mapped("scan"):
                scanned = scan(prompt, self._scanner, index=known.index, known_names=known.names)
            reply = asyncio.run(self._planner.plan(scanned))
            found.cost_usd = reply.cost_usd
            found.plan = read_reply(reply, known.summary, placeholders=masked.placeholders())
            found.outcome = _outcome(found.plan)
        except GatewayError as error:
            found.outcome, found.code = ("refused" if isinstance(error, RefusedError) else "failed"), error.code
            if error.stage == "scan" and isinstance(error, RefusedError):
                # The scan is the second reader: what it still finds, the mask or the template let through.
                kinds = error.details.get("kinds", ())
                found.privacy.extend(str(kind) for kind in (kinds if isinstance(kinds, list | tuple) else ()))

    def _judge(self, case: Case, found: _Found) -> list[Failed]:
        expect, failed = case.expect, []
        wanted = {"clarification": ("ambiguous", "unanswerable")}.get(expect.outcome, (expect.outcome,))
        # An ambiguous plan still has a best chart first, so it is no failure where a chart is expected.
        if (
            expect.outcome != "any"
            and found.outcome not in wanted
            and not (expect.outcome == "chart" and found.outcome == "ambiguous")
        ):
            failed.append(Failed(column="outcome", says=f"{found.outcome} {found.code}".strip()))
        failed += _judge_prompt(case, found)
        if found.masked is not None:
            labels = Counter(name.split(":")[0].rstrip("0123456789") for name in found.masked.placeholders())
            lacking = Counter(expect.masks) - labels
            if lacking:
                failed.append(Failed(column="masks", says="not masked: " + ", ".join(sorted(lacking))))
            if expect.masked_only and labels - Counter(expect.masks):
                over = sorted(labels - Counter(expect.masks))
                failed.append(Failed(column="masks", says="masked too much: " + ", ".join(over)))
        if found.plan is None or not found.plan.charts:
            return failed
        first = found.plan.charts[0]
        if expect.specs and canonical(first) not in {canonical(_spec(spec)) for spec in expect.specs}:
            failed.append(Failed(column="spec", says=canonical(first)))
        if expect.partial is not None:
            whole = first.model_dump(mode="json", exclude_defaults=True)
            failed += [Failed(column="partial", says=place) for place in _lacks(expect.partial, whole, "")]
        if expect.mark and first.mark not in expect.mark:
            failed.append(Failed(column="mark", says=first.mark))
        return failed


def _judge_prompt(case: Case, found: _Found) -> list[Failed]:
    if found.prompt is None:
        return []
    text, expect = _messages(found.prompt), case.expect
    failed = [Failed(column="prompt_has", says=f"lacks: {part}") for part in expect.prompt_has if part not in text]
    low = (text + found.prompt.reply_schema).lower()
    count = sum(part.lower() in low for part in expect.prompt_lacks)
    if count:
        failed.append(Failed(column="prompt_lacks", says=f"{count} of its texts stand in the prompt"))
    size = _size(found.prompt)
    if expect.tokens_at_most is not None and size > expect.tokens_at_most:
        failed.append(Failed(column="tokens", says=f"{size}, at most {expect.tokens_at_most}"))
    return failed


def _judge_rows(case: Case, found: _Found, fixture: Fixture, scope: Scope, known: Known) -> list[Failed]:
    expect = case.expect
    if found.plan is None or not found.plan.charts:
        return []
    bindings = found.masked.vault.bindings() if found.masked else {}
    golds = [_drawn(_spec(spec), fixture, scope, known, bindings) for spec in expect.same_rows_as]
    try:
        drawn = _drawn(found.plan.charts[0], fixture, scope, known, bindings)
    except GatewayError as error:
        return [Failed(column="rows", says=error.code)]
    failed = []
    if golds and drawn not in golds:
        failed.append(Failed(column="rows", says=f"{sum(drawn.values())} rows, not those of the expected chart"))
    if expect.rows is not None:
        told = Counter(tuple(sorted(_shown(cell) for cell in row)) for row in expect.rows)
        flat = Counter(tuple(sorted((*groups, *numbers))) for groups, numbers in drawn.elements())
        if told != flat:
            failed.append(Failed(column="rows", says=f"{sum(drawn.values())} rows, not the expected ones"))
    return failed


def _drawn(spec: ChartSpec, fixture: Fixture, scope: Scope, known: Known, bindings: Mapping[str, str]) -> Drawn:
    """The rows that a spec draws, without order: each as its groups and its measures."""
    attached = fixture.attached
    compiled = compile_spec(
        spec, catalog=attached.catalog, scope=scope, summary=known.summary, bindings=bindings, now=NOW
    )
    result = attached.source.run(prove(compiled, catalog=attached.catalog, scope=scope), limits=scope.limits)
    roles = [column.role == "measure" for column in result.columns]
    return Counter(
        (
            tuple(sorted(_shown(cell) for cell, is_measure in zip(row, roles, strict=True) if not is_measure)),
            tuple(sorted(_shown(cell) for cell, is_measure in zip(row, roles, strict=True) if is_measure)),
        )
        for row in result.rows
    )


def _shown(cell: object) -> str:
    return str(round(float(cell), 6)) if isinstance(cell, int | float) else str(cell)


def _lacks(wanted: object, has: object, place: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(has, dict):
        return [lack for key, part in wanted.items() for lack in _lacks(part, has.get(key), f"{place}.{key}")]
    if isinstance(wanted, list) and isinstance(has, list) and len(wanted) == len(has):
        parts = enumerate(zip(wanted, has, strict=True))
        return [lack for at, (one, other) in parts for lack in _lacks(one, other, f"{place}[{at}]")]
    return [] if wanted == has else [place.lstrip(".") or "the chart"]


def _outcome(plan: Plan) -> str:
    if not plan.charts:
        return "unanswerable"
    return "ambiguous" if plan.ambiguous else "chart"


def _spec(facts: Spec) -> ChartSpec:
    return ChartSpec.model_validate_json(json.dumps(facts))


def _messages(prompt: UnscannedPrompt) -> str:
    return "\n".join(f"[{message.role}]\n{message.text}" for message in prompt.messages)


def _size(prompt: UnscannedPrompt) -> int:
    return sum(count_tokens(message.text, prompt.encoding) for message in prompt.messages)


def _inline(facts: dict[str, object]) -> Known:
    summary = Summary.model_validate_json(json.dumps(facts))
    return Known(
        summary=summary,
        index=IndexBuilder(b"regression fixtures, no secret").build(),
        names=known_names(summary),
        facts=summary.model_dump(mode="json"),
        schema=reply_schema(summary),
        made_at=0.0,
    )
