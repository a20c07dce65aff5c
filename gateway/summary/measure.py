"""Measure one table: ask, run and read the answer into `TableMeasured`. Only aggregates come back, never a row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.errors import QueryError
from gateway.project import SourceConfig
from gateway.project_rules import Thresholds
from gateway.sources.base import Source
from gateway.sources.errors import PASSING
from gateway.summary.asking import Ask
from gateway.summary.engine import CLASSES
from gateway.summary.measured import (
    QUANTILES,
    ColumnMeasured,
    NumberMeasured,
    TableMeasured,
    Tail,
    TextMeasured,
    TimeMeasured,
)
from gateway.summary.measurer import Answer, Measurer, Within, measurer_for
from gateway.summary.semantic import is_key
from gateway.tenancy.scope import Scope

TIMEOUT_S = 600.0
"""Longest a summary statement may take; summaries are made once a day, not while somebody waits."""
_EXACT_ROWS = 200_000
_TEXT_DOCUMENTS = 0.9


def measure(
    source: Source, catalog: Catalog, scope: Scope, config: SourceConfig, table: Table, *, timeout_s: float = TIMEOUT_S
) -> TableMeasured:
    """Count everything the rule table needs of one table, within the scope.

    Raises:
        QueryError, SourceError: The database did not answer; the caller keeps what it has of other tables.
        ScopeRefusedError: The table is outside the scope.
    """
    measurer = measurer_for(catalog.dialect)
    within = Within(source=source, catalog=catalog, scope=scope, timeout_s=timeout_s)
    visible = scope.tables[table.name].columns
    columns = tuple(column for column in table.columns if column.name in visible)
    rule = config.rule(table.name)
    subject = rule.subject if rule else None
    needed = {column.name for column in columns}
    if subject is not None and subject not in needed:
        # The owner hid the subject from askers, so no scoped statement may read it: every row is then one of few.
        return TableMeasured(name=table.name, rows=0, units=0, sampled=None, columns=_unknown(columns))
    rows = measurer.count(within, table)
    # Noise is scaled to one unit of the whole table, so with differential privacy the whole table is counted.
    share = _share(rows, config.thresholds, measurer) if config.privacy is None else None
    labels = {column.name: approved_labels(config, table.name, column) for column in columns}
    found = [
        _measured_part(Part(within, config, table, subject, labels, share, rows), chunk)
        for chunk in _chunks(columns, measurer.columns_at_once)
    ]
    seen = found[0][1]
    return TableMeasured(
        name=table.name,
        rows=found[0][0],
        units=found[0][2],
        sampled=None if share is None else seen,
        columns=tuple(column for *_, part in found for column in part),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What stays the same for every statement about one table."""

    within: Within
    config: SourceConfig
    table: Table
    subject: str | None
    labels: dict[str, tuple[str, ...]]
    share: float | None
    rows: int


def _bounds(config: SourceConfig, table: Table, columns: tuple[Column, ...]) -> dict[str, tuple[float, float]]:
    declared = ((column.name, config.column_rule(table.name, column.name).bounds) for column in columns)
    return {name: bounds for name, bounds in declared if bounds is not None}


def _chunks(columns: tuple[Column, ...], size: int) -> list[tuple[Column, ...]]:
    return [columns[start : start + size] for start in range(0, max(1, len(columns)), size)]


def _measured_part(part: Part, columns: tuple[Column, ...]) -> tuple[int, int, int, list[ColumnMeasured]]:
    """Rows, rows looked at, units and columns. A column that the engine cannot count is left unknown, not its table."""
    try:
        return _measured(part, columns)
    except QueryError as error:
        if not columns or error.code in PASSING:
            raise
        if len(columns) == 1:
            rows, seen, units, _ = _measured(part, ())
            return rows, seen, units, list(_unknown(columns))
    half = len(columns) // 2
    rows, seen, units, first = _measured_part(part, columns[:half])
    *_, second = _measured_part(part, columns[half:])
    return rows, seen, units, [*first, *second]


def _measured(part: Part, columns: tuple[Column, ...]) -> tuple[int, int, int, list[ColumnMeasured]]:
    measurer, table = measurer_for(part.within.catalog.dialect), part.table
    ask = Ask(
        table=table,
        columns=columns,
        subject=part.subject,
        keys=frozenset(column.name for column in columns if is_key(table, column, part.within.catalog)),
        labels=part.labels,
        bounds=_bounds(part.config, table, columns),
        private=part.config.privacy is not None,
        share=part.share,
        exact=part.rows <= _EXACT_ROWS,
    )
    said = measurer.answer(part.within, ask)
    seen = whole(said["seen"])
    found = []
    for i, column in enumerate(columns):
        measured = _column(i, column, ask, said, seen)
        paths = measurer.paths(part.within, part.config, table, column) if _holds_documents(measured) else ()
        found.append(replace(measured, paths=paths) if paths else measured)
    return whole(said["rows"]), seen, whole(said["units"]), found


def _holds_documents(column: ColumnMeasured) -> bool:
    """Whether a column is one of documents: by its type, or as nine in ten of its first texts begin as JSON does."""
    if column.type is ColumnType.JSON:
        return True
    text = column.text
    return text is not None and text.json > 0 and text.json >= _TEXT_DOCUMENTS * text.looked_at


def approved_labels(config: SourceConfig, table: str, column: Column) -> tuple[str, ...]:
    """Labels the owner opted in to: a list of their own, or the database's declared list."""
    vocabulary = config.column_rule(table, column.name).vocabulary
    if vocabulary is None:
        return ()
    return column.vocabulary or () if vocabulary is True else vocabulary


def _share(rows: int, limits: Thresholds, measurer: Measurer) -> float | None:
    if rows <= min(limits.sample_above, measurer.sample_above):
        return None
    return min(limits.sample_rows, measurer.sample_rows) / rows


def _unknown(columns: Iterable[Column]) -> tuple[ColumnMeasured, ...]:
    return tuple(
        ColumnMeasured(name=c.name, type=c.type, values=0, nulls=0, unit_values=0, unit_nulls=0, counted=False)
        for c in columns
    )


def _column(i: int, column: Column, ask: Ask, answer: Answer, seen: int) -> ColumnMeasured:
    values = whole(answer[f"values{i}"])
    nulls = max(0, seen - values)
    keys = {*ask.table.unique, ask.table.primary_key}
    return ColumnMeasured(
        name=column.name,
        type=column.type,
        values=values,
        nulls=nulls,
        unit_values=whole(answer.get(f"unit_values{i}", values)),
        unit_nulls=whole(answer.get(f"unit_nulls{i}", nulls)),
        distinct=whole(answer[f"distinct{i}"]) if f"distinct{i}" in answer else None,
        declared_unique=(column.name,) in keys,
        number=_number(i, answer, values) if ask.describes_number(column) else None,
        bounds=ask.bounds.get(column.name) if column.type.is_numeric else None,
        time=_time(i, answer) if column.type.is_temporal else None,
        text=_text_facts(i, answer) if f"length{i}" in answer else None,
        label_units={
            label: (whole(answer[f"label_units{i}_{j}"]), whole(answer[f"label_rows{i}_{j}"]))
            for j, label in enumerate(ask.labels.get(column.name, ()))
        },
    )


def _number(i: int, answer: Answer, values: int) -> NumberMeasured:
    squares = _real(answer[f"squares{i}"])
    std = math.sqrt(squares / (values - 1)) if squares is not None and squares >= 0 and values > 1 else None
    listed = answer.get(f"quantiles{i}")
    quantiles = listed if isinstance(listed, list | tuple) else [answer.get(f"q{i}_{j}") for j in range(len(QUANTILES))]
    return NumberMeasured(
        mean=_real(answer[f"mean{i}"]),
        std=std,
        zeros=whole(answer[f"zeros{i}"]),
        unit_zeros=whole(answer[f"unit_zero{i}"]),
        unit_positives=whole(answer[f"unit_pos{i}"]),
        unit_negatives=whole(answer[f"unit_neg{i}"]),
        unit_fractions=whole(answer[f"unit_frac{i}"]),
        quantiles=tuple(_real(value) for value in quantiles),
        low=_tail(f"lo{i}", answer),
        high=_tail(f"hi{i}", answer),
        p_ratio=_real(answer[f"p_ratio{i}"]),
        top_two=_real(answer[f"top_two{i}"]),
        spread_top=_real(answer.get(f"spread{i}")),
        grid_sum=whole(answer[f"grid{i}"]) if f"grid{i}" in answer else None,
    )


def _tail(name: str, answer: Answer) -> Tail:
    return Tail(
        units=whole(answer[f"{name}_units"]), mean=_real(answer[f"{name}_mean"]), p_ratio=_real(answer[f"{name}_p"])
    )


def _time(i: int, answer: Answer) -> TimeMeasured:
    first, last = _real(answer[f"first{i}"]), _real(answer[f"last{i}"])
    weekday = answer.get(f"off_weekday{i}")
    return TimeMeasured(
        tenth_first=None if first is None else int(first),
        tenth_last=None if last is None else int(last),
        off_midnight=whole(answer.get(f"off_clock{i}")),
        off_first_of_month=whole(answer[f"off_day{i}"]),
        off_first_of_year=whole(answer[f"off_year_day{i}"]),
        off_monday=None if weekday is None else whole(weekday),
    )


def _text_facts(i: int, answer: Answer) -> TextMeasured:
    classes = {word: whole(answer.get(f"class_{word}{i}")) for word in CLASSES}
    return TextMeasured(
        mean_length=_real(answer[f"length{i}"]),
        looked_at=whole(answer[f"class_looked{i}"]),
        json=whole(answer.get(f"class_json{i}")),
        classes=classes,
    )


def whole(value: object) -> int:
    """A count; null, as the sum over no rows gives, is none."""
    number = _real(value)
    return 0 if number is None else int(number)


def _real(value: object) -> float | None:
    if value is None or isinstance(value, str | bytes):
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None
