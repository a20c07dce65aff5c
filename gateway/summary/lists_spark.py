"""Spark's part of `gateway.summary.lists`: a column is collected and sorted once, and read by position.

One read of the table instead of one a tail, and no branch of a plan for each: a statement of forty branches took
twenty times as long to plan and schedule as to run. What is collected is bounded: more rows than `Engine.sample_above`
are sampled. All of it is text with nothing but positions of columns in it.
"""

from __future__ import annotations

from typing import Final

import sqlglot
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.summary.measured import QUANTILES, TAIL
from gateway.summary.shapes import Fields

_SUM: Final = "AGGREGATE({values}, CAST(0 AS DOUBLE), (a, e) -> a + e)"
_SIZES: Final = "SORT_ARRAY(TRANSFORM({values}, e -> ABS(e)), FALSE)"


def spark_number_lists(i: int, *, grouped: bool) -> tuple[Fields, Fields, Fields]:
    """As `gateway.summary.lists.number_lists`."""
    rows: Fields = [(f"~v{i}", _sorted(f"v{i}"))]
    units: Fields = [(f"~sum{i}", _read(f"SUM(`ab{i}`)"))]
    low = high = most = f"`~v{i}`"
    if grouped:
        units += [(f"~{name}{i}", _sorted(f"{name}{i}")) for name in ("lo", "hi", "ab")]
        low, high, most = f"`~lo{i}`", f"`~hi{i}`", f"`~ab{i}`"
    made = [
        *_tail(f"lo{i}", f"SLICE({low}, 1, {TAIL})"),
        *_tail(f"hi{i}", f"SLICE({high}, GREATEST(SIZE({high}) - {TAIL - 1}, 1), {TAIL})"),
        *_dominance(i, f"CONCAT(SLICE({most}, 1, 2), SLICE({most}, GREATEST(SIZE({most}) - 1, 3), 2))"),
    ]
    return rows, units, [*made, *_quantiles(i, f"`~v{i}`")]


def spark_tenths(i: int) -> tuple[Fields, Fields]:
    """As `gateway.summary.lists.tenths`."""
    units: Fields = [(f"~first{i}", _sorted(f"lo{i}")), (f"~last{i}", _sorted(f"hi{i}"))]
    first, last = f"`~first{i}`", f"`~last{i}`"
    # A place outside of the list, fewer than ten values then, is null.
    outer = [
        (f"first{i}", _read(f"GET({first}, {TAIL - 1})")),
        (f"last{i}", _read(f"GET({last}, SIZE({last}) - {TAIL})")),
    ]
    return units, outer


def _sorted(name: str) -> exp.Expression:
    """A column's values in ascending order, an empty list for none; nulls are not collected."""
    return _read(f"SORT_ARRAY(COLLECT_LIST(`{name}`))")


def _tail(name: str, values: str) -> Fields:
    return [
        (f"{name}_units", _read(f"SIZE({values})")),
        (f"{name}_mean", _read(f"{_SUM.format(values=values)} / NULLIF(SIZE({values}), 0)")),
        (f"{name}_p", _read(_p_ratio(_SUM.format(values=_SIZES.format(values=values)), values))),
    ]


def _dominance(i: int, four: str) -> Fields:
    two = f"(GET({_SIZES.format(values=four)}, 0) + COALESCE(GET({_SIZES.format(values=four)}, 1), 0))"
    return [
        (f"p_ratio{i}", _read(_p_ratio(f"`~sum{i}`", four))),
        (f"top_two{i}", _read(f"{two} / NULLIF(`~sum{i}`, 0)")),
    ]


def _p_ratio(total: str, values: str) -> str:
    """(sum - largest - second) / largest of absolute values, whose largest two are among `values`."""
    sizes = _SIZES.format(values=values)
    return f"({total} - GET({sizes}, 0) - COALESCE(GET({sizes}, 1), 0)) / NULLIF(GET({sizes}, 0), 0)"


def _quantiles(i: int, values: str) -> Fields:
    """By position, the two beside each quantile weighed (linear, type 7)."""
    fields: Fields = []
    for j, share in enumerate(QUANTILES):
        away = f"((SIZE({values}) - 1) * CAST({share} AS DOUBLE))"
        under, over = (f"GET({values}, CAST({edge}({away}) AS INT))" for edge in ("FLOOR", "CEIL"))
        fields.append((f"q{i}_{j}", _read(f"{under} + ({away} - FLOOR({away})) * ({over} - {under})")))
    return fields


def _read(text: str) -> exp.Expression:
    found = sqlglot.parse_one(text, dialect=Dialect.SPARK.value)
    if not isinstance(found, exp.Expression):
        raise TypeError("not an expression")
    return found
