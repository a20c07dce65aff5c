"""Judges one reply to a case: each expectation on its own, each in its own column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.attached import Known
from gateway.chart.canonical import canonical
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.read import read_reply
from gateway.chart.spec import ChartSpec, Plan
from gateway.errors import GatewayError
from gateway.regression.fixtures import NOW, Fixture
from gateway.regression.prepare import Prepared, message_tokens, messages_text, read_spec
from gateway.tenancy.scope import Scope
from gateway.types import Reply
from prompts.regression.outcome import Failed

Drawn = Counter[tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reply, judged: how the question ended, the first chart, and what does not hold."""

    outcome: str
    spec: str = ""
    failed: tuple[Failed, ...] = ()


def judge(made: Prepared, reply: Reply | None, code: str = "") -> Judged:
    """Judge a reply, or that there is none.

    Args:
        made: The prepared case.
        reply: What a planner said; None if the line ended before.
        code: Code of the error of a planner that did not answer.
    """
    outcome, plan = made.outcome or ("failed" if code else ""), None
    code = code or made.code
    if reply is not None and made.known is not None and made.masked is not None:
        try:
            plan = read_reply(reply, made.known.summary, placeholders=made.masked.placeholders())
            outcome = _outcome(plan)
        except GatewayError as error:
            outcome, code = "failed", error.code
    failed = [*_outcome_of(made, outcome, code), *_prompt_of(made), *_masks_of(made)]
    first = plan.charts[0] if plan is not None and plan.charts else None
    if first is not None:
        failed += _chart_of(made, first)
        if made.fixture is not None and made.scope is not None and made.known is not None:
            failed += _rows_of(made, first, made.fixture, made.scope, made.known)
    failed += [Failed(column="privacy", says=kind) for kind in made.privacy]
    return Judged(outcome=outcome, spec=canonical(first) if first is not None else "", failed=tuple(failed))


def _outcome(plan: Plan) -> str:
    if not plan.charts:
        return "unanswerable"
    return "ambiguous" if plan.ambiguous else "chart"


def _outcome_of(made: Prepared, outcome: str, code: str) -> list[Failed]:
    expected = made.case.expect.outcome
    wanted = {"clarification": ("ambiguous", "unanswerable")}.get(expected, (expected,))
    # An ambiguous plan still has a best chart first, so it is no failure where a chart is expected.
    is_chart = expected == "chart" and outcome == "ambiguous"
    if expected == "any" or outcome in wanted or is_chart:
        return []
    return [Failed(column="outcome", says=f"{outcome} {code}".strip())]


def _prompt_of(made: Prepared) -> list[Failed]:
    if made.prompt is None:
        return []
    text, expect = messages_text(made.prompt), made.case.expect
    failed = [Failed(column="prompt_has", says=f"lacks: {part}") for part in expect.prompt_has if part not in text]
    low = (text + made.prompt.reply_schema).lower()
    count = sum(part.lower() in low for part in expect.prompt_lacks)
    if count:
        failed.append(Failed(column="prompt_lacks", says=f"{count} of its texts stand in the prompt"))
    size = message_tokens(made.prompt)
    if expect.tokens_at_most is not None and size > expect.tokens_at_most:
        failed.append(Failed(column="tokens", says=f"{size}, at most {expect.tokens_at_most}"))
    return failed


def _masks_of(made: Prepared) -> list[Failed]:
    if made.masked is None:
        return []
    expect = made.case.expect
    labels = Counter(name.split(":")[0].rstrip("0123456789") for name in made.masked.placeholders())
    failed = []
    lacking = Counter(expect.masks) - labels
    if lacking:
        failed.append(Failed(column="masks", says="not masked: " + ", ".join(sorted(lacking))))
    over = labels - Counter(expect.masks)
    if expect.masked_only and over:
        failed.append(Failed(column="masks", says="masked too much: " + ", ".join(sorted(over))))
    return failed


def _chart_of(made: Prepared, first: ChartSpec) -> list[Failed]:
    expect, failed = made.case.expect, []
    if expect.specs and canonical(first) not in {canonical(read_spec(spec)) for spec in expect.specs}:
        failed.append(Failed(column="spec", says=canonical(first)))
    if expect.partial is not None:
        whole = first.model_dump(mode="json", exclude_defaults=True)
        failed += [Failed(column="partial", says=place) for place in _lacks(expect.partial, whole, "")]
    if expect.mark and first.mark not in expect.mark:
        failed.append(Failed(column="mark", says=first.mark))
    return failed


def _rows_of(made: Prepared, first: ChartSpec, fixture: Fixture, scope: Scope, known: Known) -> list[Failed]:
    expect = made.case.expect
    bindings = made.masked.vault.bindings() if made.masked else {}
    if made.case.already_masked and bindings and not (expect.same_rows_as or expect.rows is not None):
        # What the placeholders stood for is not in the entry; such a chart has no rows to look at.
        return []
    try:
        golds = [_drawn(read_spec(spec), fixture, scope, known, bindings) for spec in expect.same_rows_as]
    except GatewayError as error:
        return [Failed(column="rows", says=f"the expected chart cannot be drawn: {error.code}")]
    try:
        drawn = _drawn(first, fixture, scope, known, bindings)
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
