"""A proposed chart in the terms that proposals are compared and ranked in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.chart.spec import AllOf, AnyOf, ChartSpec, Dimension, Exists, Filter, Mark, Measure, Negation

Key = tuple[str, frozenset[tuple[str, str]], str, str, frozenset[str]]
"""Two proposals with the same key draw the same chart, but for the order of groups."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A chart that the question may ask for.

    Attributes:
        fields: Columns that it groups by, as ``table.column``.
        cuts: For each of them how its values are cut into groups: a grain, a part of a date, ``bin`` or nothing.
        kind: What is measured: an aggregate, ``raw`` (the value of the only row of each group), ``box``, ``none``,
            ``metric``, or ``derived`` (anything that takes more than one plain measure).
        column: The measured column or metric; empty for counts of rows.
        filtered: Columns that the rows are filtered by.
        spec: The chart, if it is written already.
        fit: How well the grammar's reading fits, as the logarithm of its share of the best one's score; None if the
            grammar did not find it.
        filled: Whether a place that the question leaves open was filled by the grammar's defaults.
    """

    mark: Mark
    fields: tuple[str, ...]
    kind: str
    column: str
    cuts: tuple[str, ...] = ()
    filtered: frozenset[str] = frozenset()
    spec: ChartSpec | None = field(default=None, compare=False)
    fit: float | None = None
    filled: bool = False

    @property
    def key(self) -> Key:
        """What tells it from other proposals."""
        cuts = self.cuts or ("",) * len(self.fields)
        return (
            self.mark, frozenset(zip(self.fields, cuts, strict=True)), self.kind, self.column, self.filtered,
        )  # fmt: skip


def proposal_of(spec: ChartSpec, *, fit: float, filled: bool) -> Proposal:
    """A chart of the grammar as a proposal."""
    groups = [*spec.dimensions, *([spec.series] if spec.series else [])]
    kind, column = _measured(spec)
    return Proposal(
        mark=spec.mark,
        fields=tuple(g.column for g in groups),
        kind=kind,
        column=column,
        cuts=tuple(_cut(g) for g in groups),
        filtered=frozenset(filtered_columns(spec.filter)),
        spec=spec,
        fit=fit,
        filled=filled,
    )


def _cut(dimension: Dimension) -> str:
    return dimension.grain or dimension.part or ("bin" if dimension.bin else "")


def _measured(spec: ChartSpec) -> tuple[str, str]:
    if not spec.measures:
        return "none", ""
    first: Measure = spec.measures[0]
    if len(spec.measures) > 1 or first.derive is not None or first.filter is not None or spec.having:
        return "derived", first.column or ""
    if first.metric is not None:
        return "metric", first.metric
    if spec.mark == "boxplot":
        return "box", first.column or ""
    return str(first.aggregate), first.column or ""


def filtered_columns(part: Filter | None) -> Iterator[str]:
    """Columns that a filter is about; a table's name for rows that have to be there or not."""
    if part is None:
        return
    if isinstance(part, AllOf | AnyOf):
        for inner in part.filters:
            yield from filtered_columns(inner)
    elif isinstance(part, Negation):
        yield from filtered_columns(part.filter)
    elif isinstance(part, Exists):
        yield part.table
    else:
        yield part.column
