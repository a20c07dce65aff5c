"""Disclosure control: the only code that makes a number or a label that a model may know.

In: what was counted in the database (`gateway.summary.measured`). Out: `Released` facts. Proved: each released value
passed its rule, with the thresholds in force. Not proved here: that the counts are those of the asking scope alone
(`gateway.tenancy.barrier`), and that two releases are far enough apart
(`gateway.summary.gate`). The rule table, with its sources, is docs/disclosure.md.

`k` below is the number of units behind a fact: distinct data subjects where the owner named them, else rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar, get_args

from gateway.catalog import SAFE_NAME, ColumnType, Relationship
from gateway.project_rules import Thresholds
from gateway.summary.measured import (
    ColumnMeasured,
    NumberMeasured,
    PathMeasured,
    TableMeasured,
    Tail,
)
from gateway.summary.model import (
    ColumnSummary,
    Count,
    Distinct,
    JsonPath,
    Label,
    Link,
    NullShare,
    NumberFacts,
    Related,
    TableSummary,
)
from gateway.summary.paths import DEPTH, DYNAMIC, MOST_KEYS, beneath, parent_of, parts_of
from gateway.summary.rounding import bin_edges, round_count, round_digits, round_mean, round_share, snap_outward
from gateway.summary.shape_rules import absent, text_facts, time_facts
from gateway.summary.spread_rules import band, histogram

T = TypeVar("T")
_SEAL: Final = object()
_FEW_ROWS: Final = 15
_MAX_LABELS: Final = 50
_NULL_SHARES: Final = frozenset(get_args(NullShare))
_LABEL = re.compile(r"(?=.*[^\W\d_])[^\W_](?:[\w &/+.'()-]{0,58}[\w)+])?\Z")
"""What a label may look like: words. Anything that could be an address, a link or markup is no label."""
_LONG_NUMBER = re.compile(r"\d[\d .-]{4,}\d")


@dataclass(frozen=True, slots=True)
class Released(Generic[T]):
    """A fact that passed the rule table. Only this module can make one; a test reads the source tree to be sure."""

    value: T
    _seal: object

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise RuntimeError("only disclosure control releases facts")


def release_table(
    measured: TableMeasured, limits: Thresholds, *, previous: TableSummary | None = None
) -> Released[TableSummary]:
    """Apply the whole rule table to one table.

    Args:
        measured: Aggregates of one snapshot, within one scope.
        limits: Thresholds in force.
        previous: The last release, kept value by value where the new value is still near (hysteresis).
    """
    columns = []
    for column in measured.columns:
        last = previous.column(column.name) if previous else None
        columns.append(_release_column(column, measured, limits, last))
    rows = _count(measured.rows, previous.rows if previous else None)
    return Released(TableSummary(name=measured.name, rows=rows, columns=tuple(columns)), _SEAL)


def release_unmeasured(name: str, columns: dict[str, ColumnType]) -> Released[TableSummary]:
    """A table whose statistics could not be had: names and types only."""
    facts = tuple(ColumnSummary(name=column, type=kind) for column, kind in columns.items())
    return Released(TableSummary(name=name, rows="few", columns=facts), _SEAL)


def served_again(table: TableSummary) -> Released[TableSummary]:
    """An earlier release, served again byte for byte. Called by `gateway.summary.gate` alone."""
    return Released(table, _SEAL)


def among(column: ColumnSummary, names: Collection[str]) -> ColumnSummary:
    """A released column, without what it says of columns that are not among these: another scope may not see them."""
    if column.related is None or all(other.column in names for other in column.related):
        return column
    kept = tuple(other for other in column.related if other.column in names)
    return column.model_copy(update={"related": kept or None})


def bin_edges_of(column: ColumnMeasured, limits: Thresholds) -> tuple[float, ...]:
    """Edges of a column's bins, from ends that may be told; none if they may not."""
    if column.number is None or column.unit_values < limits.min_spread:
        return ()
    low, high = _ends(column, column.number, limits, NumberFacts())
    return () if low is None or high is None else bin_edges(low, high)


def release_link(
    link: Relationship, *, rows: int, values: int, found: int, parent_rows: int, limits: Thresholds
) -> Released[Link] | None:
    """An inferred relationship, if nearly every value of the child is one of the parent's.

    Args:
        link: The candidate.
        rows: Rows of the child with a value.
        values: Distinct values of the child looked at.
        found: How many of them the parent has.
        parent_rows: Rows of the parent.
        limits: Thresholds in force.

    Returns:
        None if fewer than 95% are found, or if either side is too small to say.
    """
    if rows < limits.min_spread or parent_rows < limits.min_group or values == 0 or found < 0.95 * values:
        return None
    facts = Link(
        table=link.table,
        columns=link.columns,
        parent=link.parent,
        parent_columns=link.parent_columns,
        origin="inferred",
    )
    return Released(facts, _SEAL)


def _release_column(
    column: ColumnMeasured, table: TableMeasured, limits: Thresholds, last: ColumnSummary | None
) -> ColumnSummary:
    return ColumnSummary(
        name=column.name,
        type=column.type,
        nulls=_nulls(column, limits, last.nulls if last else None),
        distinct=_distinct(column, table, limits, last.distinct if last else None),
        number=_number_or_mean(column, table, limits, last.number if last else None),
        time=time_facts(column.time, column, limits) if column.time else None,
        text=text_facts(column.text, column, limits) if column.text else None,
        labels=_labels(column, limits, last.labels if last else None),
        paths=_paths(column, limits, last.paths if last else None),
        related=_related(column, table, limits, last),
    )


def _count(count: int, last: Count | None) -> Count:
    """Row count on the ladder; ``few`` below 15."""
    if count < _FEW_ROWS:
        return "few"
    return max(_FEW_ROWS + 5, round_count(count, last if isinstance(last, int) else None))


def _nulls(column: ColumnMeasured, limits: Thresholds, last: NullShare | None) -> NullShare:
    """Null share to 5%, open at both ends; exactly none or all only where that says nothing of a small group."""
    total = column.values + column.nulls
    if total < _FEW_ROWS or max(column.unit_values, column.unit_nulls) < limits.min_group:
        return "unknown"
    if column.nulls == 0 or column.values == 0:
        whole: NullShare = "none" if column.nulls == 0 else "all"
        open_end: NullShare = "0-5%" if column.nulls == 0 else "95-100%"
        return whole if max(column.unit_values, column.unit_nulls) >= limits.min_spread else open_end
    share = column.nulls / total
    if column.unit_nulls < limits.min_group or column.unit_values < limits.min_group:
        # A group of 1 to 9: only the open end is said, and only if it is true.
        return "0-5%" if share <= 0.05 else "95-100%" if share >= 0.95 else "unknown"
    kept = float(last[:-1]) / 100 if last and last[:-1].isdigit() else None
    percent = round(round_share(share, kept) * 100)
    word = "0-5%" if percent < 5 else "95-100%" if percent >= 95 else f"{percent}%"
    return word if word in _NULL_SHARES else "unknown"  # type: ignore[return-value]


def _distinct(column: ColumnMeasured, table: TableMeasured, limits: Thresholds, last: Distinct | None) -> Distinct:
    k, count = column.unit_values, column.distinct
    if k < limits.min_distinct:
        return "unknown"
    if column.declared_unique:
        return "unique"
    if count is None:
        return "unknown"
    if count < 10:
        return "constant" if count <= 1 and k >= limits.min_spread else "few"
    ratio = count / max(1, column.values)
    if table.sampled is not None and ratio > 0.01:
        # A sample tells how many values there are only where it has seen each of them often.
        return "many"
    if ratio >= 0.99:
        return "unique"
    return max(10, round_count(count, last if isinstance(last, int) else None))


def _number_or_mean(
    column: ColumnMeasured, table: TableMeasured, limits: Thresholds, last: NumberFacts | None
) -> NumberFacts | None:
    if column.number is not None:
        return _number(column.number, column, table, limits, last)
    low, high = column.bounds or (None, None)
    if column.private_mean is None or column.unit_values < limits.min_distinct:
        return None if column.bounds is None else NumberFacts(low=low, high=high)
    return NumberFacts(low=low, high=high, mean=round_digits(column.private_mean, 2, last.mean if last else None))


def _number(
    facts: NumberMeasured, column: ColumnMeasured, table: TableMeasured, limits: Thresholds, last: NumberFacts | None
) -> NumberFacts:
    k, old = column.unit_values, last or NumberFacts()
    q = [_quantile(facts.quantiles, i, k, limits) for i in range(5)]
    kept = (old.p10, old.p25, old.p50, old.p75, old.p90)
    p10, p25, p50, p75, p90 = (None if v is None else round_digits(v, 2, o) for v, o in zip(q, kept, strict=True))
    mean_ok = k >= limits.min_distinct and _not_dominated(facts, limits)
    std_ok = mean_ok and facts.spread_top is not None and _spread_ok(facts.spread_top, limits)
    low, high = _ends(column, facts, limits, old)
    scale = None if table.sampled is None else table.rows / max(1, table.sampled)
    return NumberFacts(
        low=low,
        high=high,
        p10=p10,
        p25=p25,
        p50=p50,
        p75=p75,
        p90=p90,
        mean=round_mean(facts.mean, facts.std, old.mean) if mean_ok and facts.mean is not None else None,
        std=round_digits(facts.std, 2, old.std) if std_ok and facts.std is not None else None,
        whole=True if column.type is ColumnType.INTEGER else absent(facts.unit_fractions, k, limits),
        sign=_sign(facts, k, limits),
        zeros=_zeros(facts, column, limits, old.zeros),
        skew=_skew(p10, p50, p90),
        histogram=histogram(facts, values=column.values, scale=scale, min_group=limits.min_group, last=old.histogram),
    )


def _ends(
    column: ColumnMeasured, facts: NumberMeasured, limits: Thresholds, old: NumberFacts
) -> tuple[float | None, float | None]:
    """Both ends of the range: the owner's word on what can be, else ten units at either end."""
    if column.bounds is not None:
        return column.bounds
    k = column.unit_values
    return (
        _end(facts.low, k, limits, up=False, last=old.low),
        _end(facts.high, k, limits, up=True, last=old.high),
    )


def _related(
    column: ColumnMeasured, table: TableMeasured, limits: Thresholds, last: ColumnSummary | None
) -> tuple[Related, ...] | None:
    """How a column moves with later ones; only of columns whose range may be told, as bins are."""
    kept = {other.column: other.band for other in (last.related or ())} if last else {}
    told = []
    for pair in table.pairs:
        if pair.left == column.name:
            word = band(pair, min_spread=limits.min_spread, last=kept.get(pair.right))
            told += [Related(column=pair.right, band=word)] if word is not None else []
    return tuple(told) or None


def _quantile(values: tuple[float | None, ...], index: int, k: int, limits: Thresholds) -> float | None:
    needed = limits.min_spread * (2 if index in (0, 4) else 1)
    return values[index] if k >= needed and len(values) == 5 else None


def _end(tail: Tail, k: int, limits: Thresholds, *, up: bool, last: float | None) -> float | None:
    """An end of the range: mean of ten units that pass the p% rule among themselves, snapped away from the data."""
    if k < limits.min_spread or tail.units < limits.min_group or tail.mean is None:
        return None
    if tail.p_ratio is not None and tail.p_ratio < limits.p_percent / 100:
        return None
    return snap_outward(round_digits(tail.mean, 2), up=up, previous=last)


def _not_dominated(facts: NumberMeasured, limits: Thresholds) -> bool:
    """p% rule and (2, k) rule on absolute contributions; all zero is nobody's secret but has no mean worth telling."""
    if facts.p_ratio is None or facts.top_two is None:
        return False
    return facts.p_ratio >= limits.p_percent / 100 and facts.top_two <= limits.top_two_share


def _spread_ok(top: float, limits: Thresholds) -> bool:
    """The same two rules on squared deviations, taking the second largest to be as large as the largest."""
    if top <= 0:
        return False
    return (1 - 2 * top) / top >= limits.p_percent / 100 and 2 * top <= limits.top_two_share


def _sign(
    facts: NumberMeasured, k: int, limits: Thresholds
) -> Literal["positive", "negative", "mixed", "non_negative"] | None:
    zero, below, above = (
        absent(count, k, limits) for count in (facts.unit_zeros, facts.unit_negatives, facts.unit_positives)
    )
    if below is False and above is False:
        return "mixed"
    if below is True and zero is not None:
        return "positive" if zero else "non_negative"
    return "negative" if below is False and above is True and zero is True else None


def _zeros(facts: NumberMeasured, column: ColumnMeasured, limits: Thresholds, last: float | None) -> float | None:
    """Share of zeros to 0.05; not said where one to nine units are zero, or one to nine are not."""
    k, others = column.unit_values, facts.unit_positives + facts.unit_negatives
    if k < limits.min_distinct or absent(facts.unit_zeros, k, limits) is None or absent(others, k, limits) is None:
        return None
    return round_share(facts.zeros / max(1, column.values), last)


def _skew(low: float | None, middle: float | None, high: float | None) -> Literal["left", "none", "right"] | None:
    """Lean of the distribution, from released quantiles alone, so that it tells nothing new."""
    if low is None or middle is None or high is None or high <= low:
        return None
    lean = ((high - middle) - (middle - low)) / (high - low)
    return "right" if lean > 0.2 else "left" if lean < -0.2 else "none"


def is_label(text: str) -> bool:
    """Whether a text may be a label at all: words, not an address, a link, a long number or hidden characters."""
    if unicodedata.normalize("NFKC", text) != text or any(unicodedata.category(c)[0] == "C" for c in text):
        return False
    return _LABEL.match(text) is not None and _LONG_NUMBER.search(text) is None


def _labels(column: ColumnMeasured, limits: Thresholds, last: tuple[Label, ...] | None) -> tuple[Label, ...] | None:
    """Approved labels that at least `min_group` units and one percent of the rows have, with their share to 5%.

    No remainder is given, and none can be had by subtraction: shares are rounded one by one. A column where more than
    one value in five is distinct is no category, whatever the owner wrote.
    """
    total = max(1, column.values)
    if not column.label_units or len(column.label_units) > _MAX_LABELS or column.unit_values < limits.min_distinct:
        return None
    if column.distinct is not None and column.distinct / total > 0.2:
        return None
    kept = {label.text: label.share for label in last or ()}
    released = tuple(
        Label(text=text, share=round_share(rows / total, kept.get(text)))
        for text, (units, rows) in column.label_units.items()
        if is_label(text) and units >= limits.min_group and rows >= 0.01 * total
    )
    return released or None


def _paths(
    column: ColumnMeasured, limits: Thresholds, last: tuple[JsonPath, ...] | None
) -> tuple[JsonPath, ...] | None:
    """Paths that enough units have, below paths that are told; keys that are data are one word, ``<dynamic>``."""
    if not column.paths or min(column.unit_values, column.paths[0].looked) < limits.min_distinct:
        return None
    found = [path for path in column.paths if not path.dynamic]
    if max(len(found), column.paths[0].keys) > MOST_KEYS:
        return (JsonPath(name=DYNAMIC),)
    # The path of the column itself is empty, and told.
    told = {""} | {p.key for p in found if p.units >= max(limits.min_group, 0.01 * p.looked) and _is_path(p.key)}
    while orphans := {key for key in told if key and parent_of(key) not in told}:
        told -= orphans
    kept = {path.name: path.share for path in last or ()}
    data = (JsonPath(name=beneath(p.key, DYNAMIC)) for p in column.paths if p.dynamic and p.key in told)
    released = [_path(p, kept.get(p.key)) for p in found if p.key in told]
    return (*sorted(released, key=lambda path: (-(path.share or 0), path.name)), *data) or None


def _is_path(path: str) -> bool:
    keys = parts_of(path)
    return len(keys) <= DEPTH and all(SAFE_NAME.match(key) and not _LONG_NUMBER.search(key) for key in keys)


def _path(path: PathMeasured, last: float | None) -> JsonPath:
    share = round_share(min(1.0, path.units / max(1, path.looked)), last)
    return JsonPath.model_validate({"name": path.key, "type": path.type, "share": share})
