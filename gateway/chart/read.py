"""Stage 8. A planner's reply in, a Plan out: the only reader of text that a model wrote.

What comes in is untrusted bytes. What goes out names only columns, tables, metrics and placeholders of this request
and fits their types; it holds no text that will be rendered but `missing`. An error tells where the reply is wrong and
what would be right, in words of the chart language and names of the Summary: safe to send back to the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import ValidationError

from gateway.chart.canonical import canonical
from gateway.chart.lift import with_related_rows
from gateway.chart.spec import ChartSpec, Dimension, Measure, Plan
from gateway.chart.validate import Problem, validate
from gateway.errors import ReplyInvalidError, SpecInvalidError
from gateway.summary.model import Summary
from gateway.types import Reply

MAX_REPLY_CHARACTERS = 100_000
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_EXPECTED = re.compile(r"'([a-z_]{1,40})'")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAX_SPLIT = 2
_COUNTING = frozenset({"bar", "line", "area", "arc", "rect"})
"""Marks that show nothing without a measure; what they are asked to show is how many."""
_KNOWN_FIELDS = frozenset(
    name for model in Plan.model_json_schema()["$defs"].values() for name in model.get("properties", {})
) | frozenset(Plan.model_fields)


def read_reply(reply: Reply, summary: Summary, *, placeholders: Mapping[str, tuple[str, ...]]) -> Plan:
    """Read a reply as a plan whose charts all fit the data in scope.

    Args:
        reply: What the planner answered. A code fence or words around the JSON are forgiven.
        summary: The facts the planner was given.
        placeholders: Placeholder -> columns its value was found in (empty: anywhere).

    Returns:
        The plan; readings that do not fit are dropped as long as one does.

    Raises:
        ReplyInvalidError: Not JSON, or not of the shape of a plan.
        SpecInvalidError: No chart of the plan fits; `details` has code, path and what would be valid.
    """
    facts = _parse(reply.text)
    charts, ambiguous, missing = _plan_parts(facts)
    if not charts:
        if missing:
            return Plan(charts=(), ambiguous=False, missing=missing)
        raise _invalid("no_chart", "charts")
    kept: dict[str, ChartSpec] = {}
    first: ReplyInvalidError | SpecInvalidError | None = None
    for position, chart in enumerate(charts[:5]):
        try:
            spec = _read_chart(chart, position, summary, placeholders)
        except (ReplyInvalidError, SpecInvalidError) as error:
            first = first or error
            continue
        kept.setdefault(canonical(spec), spec)
    if not kept:
        raise first or _invalid("no_chart", "charts")
    return Plan(charts=tuple(kept.values()), ambiguous=ambiguous and len(kept) > 1, missing=missing)


def _parse(text: str) -> dict[str, object]:
    if len(text) > MAX_REPLY_CHARACTERS:
        raise _invalid("too_long", "")
    fenced = _FENCE.search(text)
    body = fenced[1] if fenced else text
    start, end = body.find("{"), body.rfind("}")
    if start < 0 or end < start:
        raise _invalid("not_json", "")
    try:
        facts = json.loads(body[start : end + 1], parse_constant=_no_constant)
        facts = _without_nulls(facts)
    except (ValueError, RecursionError):
        # The decoder's text quotes the reply.
        raise _invalid("not_json", "") from None
    if not isinstance(facts, dict):
        raise _invalid("not_an_object", "")
    return facts


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _without_nulls(part: object) -> object:
    """In strict output every property is there and null stands for nothing."""
    if isinstance(part, dict):
        return {key: _without_nulls(value) for key, value in part.items() if value is not None}
    if isinstance(part, list):
        return [_without_nulls(item) for item in part if item is not None]
    return part


def _plan_parts(facts: dict[str, object]) -> tuple[list[object], bool, tuple[str, ...]]:
    if "mark" in facts:
        # A lone chart instead of a plan.
        return [facts], False, ()
    unknown = set(facts) - set(Plan.model_fields)
    charts = facts.get("charts", [])
    ambiguous = facts.get("ambiguous", False)
    missing = facts.get("missing", [])
    if unknown or not isinstance(charts, list) or not isinstance(missing, list) or not isinstance(ambiguous, bool):
        raise _invalid("shape", "", tuple(Plan.model_fields))
    texts = [_CONTROL.sub("", text)[:60] for text in missing if isinstance(text, str)]
    return charts, ambiguous, tuple(text for text in texts if text.strip())[:5]


def _read_chart(
    chart: object, position: int, summary: Summary, placeholders: Mapping[str, tuple[str, ...]]
) -> ChartSpec:
    try:
        spec = ChartSpec.model_validate(chart)
    except ValidationError as error:
        raise _shape_error(error, position) from None
    except RecursionError:
        raise _invalid("too_deep", f"charts[{position}]") from None
    spec = tidy(spec)
    problems = validate(spec, summary, placeholders)
    if problems and problems[0].code == "unreachable":
        lifted = with_related_rows(spec, summary)
        if not validate(lifted, summary, placeholders):
            return lifted
    if problems:
        raise _misfit(problems[0], position)
    return spec


def _shape_error(error: ValidationError, position: int) -> ReplyInvalidError:
    """Where and what kind, in declared names only: pydantic's own text can quote the reply."""
    first = error.errors(include_input=False, include_url=False)[0]
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}"
        for part in first["loc"]
        if isinstance(part, int) or part in _KNOWN_FIELDS
    )
    context = first.get("ctx") or {}
    expected = str(context.get("expected") or context.get("expected_tags") or "")
    return _invalid(first["type"], f"charts[{position}]{path}", tuple(_EXPECTED.findall(expected)))


def _invalid(code: str, path: str, valid: tuple[str, ...] = ()) -> ReplyInvalidError:
    return ReplyInvalidError(
        "the reply is not a chart plan", stage="read", details={"code": code, "path": path, "valid": list(valid)}
    )


def _misfit(problem: Problem, position: int) -> SpecInvalidError:
    return SpecInvalidError(
        "the chart spec does not fit the data in scope",
        stage="read",
        details={"code": problem.code, "path": f"charts[{position}].{problem.path}", "valid": list(problem.valid)},
    )


def tidy(spec: ChartSpec) -> ChartSpec:
    """Say the same chart in the form its mark asks for, where there is only one way to mean it."""
    changes: dict[str, object] = {}
    dimensions, series = spec.dimensions, spec.series
    if spec.mark in {"bar", "line", "area"} and len(dimensions) == _MAX_SPLIT and series is None:
        spec = _renamed(spec, {"d2": "s"})
        changes.update(dimensions=dimensions[:1], series=dimensions[1])
    elif spec.mark in {"rect", "table", "arc"} and series is not None:
        renamed = f"d{len(dimensions) + 1}"
        spec = _renamed(spec, {"s": renamed})
        changes.update(dimensions=(*dimensions, series), series=None)
    elif spec.mark in {"bar", "line", "area"} and not dimensions and series is not None:
        spec = _renamed(spec, {"s": "d1"})
        changes.update(dimensions=(series,), series=None)
    elif series is not None and _same(series, dimensions):
        spec = _renamed(spec, {"s": "d1"})
        changes["series"] = None
    if not spec.measures and spec.mark in _COUNTING:
        changes["measures"] = (Measure(aggregate="count"),)
    if spec.mark == "text" and dimensions:
        # A big number of each group is a table.
        changes["mark"] = "table"
    if spec.mark not in {"bar", "area", "histogram"}:
        changes["stack"] = None
    if spec.dual_axis and len(spec.measures) != _MAX_SPLIT:
        changes["dual_axis"] = False
    return spec.model_copy(update=changes)


def _same(series: Dimension, dimensions: tuple[Dimension, ...]) -> bool:
    return len(dimensions) > 0 and dimensions[0] == series


def _renamed(spec: ChartSpec, names: Mapping[str, str]) -> ChartSpec:
    """The spec with every reference to a dimension under its new name."""
    changes: dict[str, object] = {
        "sort": tuple(sort.model_copy(update={"by": names.get(sort.by, sort.by)}) for sort in spec.sort),
        "measures": tuple(
            measure.model_copy(update={"by": names.get(measure.by, measure.by)}) if measure.by else measure
            for measure in spec.measures
        ),
    }
    if spec.top is not None:
        changes["top"] = spec.top.model_copy(update={"of": names.get(spec.top.of, spec.top.of)})
    return spec.model_copy(update=changes)
