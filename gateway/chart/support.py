"""Stage 9, after validation: the least group of an answer, where the owner set one (`min_answer_group`).

A tenant may let its users see figures but no single record. Then every group of an answer, and every measure in it,
must stand on at least that many subjects (rows, or distinct values of the table's `subject` column). The counts are
added to the spec as further measures with a `having` on each, so that every engine's compiler and the checker treat
them like any other measure and a small group never leaves the database; `without_support` takes their columns off the
result. What cannot be made safe by counting is refused: lists of rows, extremes and other positions (one record's own
value), and derived measures (a share, a change or a running total gives a left-out group away by subtraction).

Not proved: that two answers differ by as many subjects. Whoever may ask two questions one subject apart can subtract;
The bound on questions an hour makes that slower (docs/security-model.md, T7b). Sums are not checked for dominance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.chart.spec import ChartSpec, Having, Measure
from gateway.errors import SpecInvalidError
from gateway.summary.model import Metric, Summary
from gateway.tenancy.scope import Scope
from gateway.types import ResultColumn, ResultTable

COUNTED: Final = ("count", "count_distinct", "sum", "avg", "stddev")
"""Aggregates that speak of a group. ACRO's position and endpoint statistics (median, percentiles, extremes) do not."""


def with_support(spec: ChartSpec, *, scope: Scope, summary: Summary) -> ChartSpec:
    """Add what every group and measure stands on, and the demand that it be enough.

    Args:
        spec: A spec that fits the Summary, with nothing left unsaid (`with_defaults`).
        scope: The asking right; without `min_answer_group` the spec is returned as it is.
        summary: The facts in scope: keys and metrics.

    Raises:
        SpecInvalidError: The spec shows single records (code ``aggregates_only``), or a table has nothing to count its
            subjects by (code ``no_key``).
    """
    least = scope.min_answer_group
    if least < 2:
        return spec
    if not spec.measures or spec.mark == "boxplot":
        raise _refused("aggregates_only", "mark")
    supports = [_support(spec.table, None, spec, scope, summary, "table")]
    for position, measure in enumerate(spec.measures):
        path = f"measures[{position}]"
        if measure.derive not in (None, "ratio"):
            raise _refused("aggregates_only", f"{path}.derive", ("ratio",))
        if measure.derive is None:
            supports.append(_support(_home(measure, path, spec, summary), measure, spec, scope, summary, path))
    supports = list(dict.fromkeys(supports))
    first = len(spec.measures) + 1
    demands = tuple(
        Having.model_construct(measure=f"m{first + n}", op="ge", value=least) for n, _ in enumerate(supports)
    )
    # The bounds of the reply's schema are on what a model may write, not on what is added here.
    return spec.model_copy(update={"measures": (*spec.measures, *supports), "having": (*spec.having, *demands)})


def as_support(columns: tuple[ResultColumn, ...], asked: int) -> tuple[ResultColumn, ...]:
    """Mark the columns of measures beyond those asked for as added."""
    return tuple(
        replace(column, role="support")
        if column.role == "measure" and int(column.field[1:].partition("_")[0]) > asked
        else column
        for column in columns
    )


def without_support(result: ResultTable) -> ResultTable:
    """Take the columns off that `with_support` added."""
    kept = [n for n, column in enumerate(result.columns) if column.role != "support"]
    if len(kept) == len(result.columns):
        return result
    return replace(
        result,
        columns=tuple(result.columns[n] for n in kept),
        rows=tuple(tuple(row[n] for n in kept) for row in result.rows),
    )


def support_note(scope: Scope) -> tuple[str, ...]:
    """What an asker is told of groups that may be missing."""
    if scope.min_answer_group < 2:
        return ()
    return (f"groups of fewer than {scope.min_answer_group} are left out",)


def _home(measure: Measure, path: str, spec: ChartSpec, summary: Summary) -> str:
    """The table whose rows a measure aggregates."""
    if measure.metric is not None:
        metric = next(m for m in summary.metrics if m.name == measure.metric)
        return _checked(metric, path).table
    if measure.aggregate not in COUNTED:
        raise _refused("aggregates_only", f"{path}.aggregate", COUNTED)
    return measure.column.partition(".")[0] if measure.column else spec.table


def _checked(metric: Metric, path: str) -> Metric:
    if metric.aggregate not in COUNTED:
        raise _refused("aggregates_only", f"{path}.metric", COUNTED)
    return metric


def _support(home: str, measure: Measure | None, spec: ChartSpec, scope: Scope, summary: Summary, path: str) -> Measure:
    """A measure that counts the subjects behind another one, under the same filter and along the same path."""
    narrowed = measure.filter if measure is not None else None
    table = scope.tables.get(home)
    subject = table.subject if table is not None else None
    if subject is None and home == spec.table:
        return Measure(aggregate="count", filter=narrowed)
    facts = summary.table(home)
    keys = facts.primary_key if facts is not None else ()
    column = subject or (keys[0] if len(keys) == 1 else None)
    if column is None or facts is None or facts.column(column) is None:
        raise _refused("no_key", path)
    via = measure.via if measure is not None else None
    return Measure(aggregate="count_distinct", column=f"{home}.{column}", via=via, filter=narrowed)


def _refused(code: str, path: str, valid: tuple[str, ...] = ()) -> SpecInvalidError:
    said = {
        "aggregates_only": "this session sees groups, never single records",
        "no_key": "the subjects of a table cannot be counted: it has no key in scope",
    }
    return SpecInvalidError(said[code], stage="compile", details={"code": code, "path": path, "valid": list(valid)})
