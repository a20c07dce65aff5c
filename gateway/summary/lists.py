"""Engines that can gather a column's values in a list answer for tails, dominance and quantiles in one pass.

DuckDB has ``max(x, 10)``, a list of the ten largest. PostgreSQL sorts a column once, into an array, from which both
ends and every quantile are read by position. Either way only what is computed from a list leaves the database.
"""

from __future__ import annotations

from typing import Final

import sqlglot
from sqlglot import exp

from gateway.catalog import Dialect
from gateway.summary.engine import Engine, call, number
from gateway.summary.lists_spark import spark_number_lists, spark_tenths
from gateway.summary.measured import QUANTILES, TAIL
from gateway.summary.shapes import Fields, or_null, quoted


def number_lists(i: int, engine: Engine, *, exact: bool, grouped: bool) -> tuple[Fields, Fields, Fields]:
    """Tails, dominance and quantiles of numeric column `i`: aggregates of rows, of units, and what is made of them.

    Args:
        i: Position of the column; ``v3`` is its value, ``lo3``, ``hi3`` and ``ab3`` what a unit says of it.
        engine: One that has lists.
        exact: Few enough rows for exact quantiles.
        grouped: A unit is a subject of several rows, else a row.
    """
    if engine.dialect is Dialect.SPARK:
        return spark_number_lists(i, grouped=grouped)
    total = exp.Sum(this=quoted(f"ab{i}"))
    if engine.dialect is not Dialect.POSTGRES:
        shares = exp.Array(expressions=[number(q) for q in QUANTILES])
        quantiles = call("quantile_cont" if exact else "approx_quantile", quoted(f"v{i}"), shares)
        units: Fields = [
            (f"~lo{i}", call("min", quoted(f"lo{i}"), number(TAIL))),
            (f"~hi{i}", call("max", quoted(f"hi{i}"), number(TAIL))),
            (f"~ab{i}", call("max", quoted(f"ab{i}"), number(2))),
            (f"~sum{i}", total),
        ]
        outer = [*_list_tail(f"lo{i}"), *_list_tail(f"hi{i}"), *_list_dominance(i)]
        return [(f"quantiles{i}", quantiles)], units, outer
    rows: Fields = [(f"~v{i}", _sorted(f"v{i}"))]
    values, units = f"~v{i}", [(f"~sum{i}", total)]
    if not grouped:
        low, high, most = _ends(values)
    else:
        units += [
            (f"~lo{i}", _sorted(f"lo{i}")),
            (f"~hi{i}", _sorted(f"hi{i}")),
            (f"~ab{i}", _sorted(f"ab{i}")),
        ]
        low, high, most = _ends(f"~lo{i}")[0], _ends(f"~hi{i}")[1], _ends(f"~ab{i}")[2]
    made = [*_array_tail(f"lo{i}", low), *_array_tail(f"hi{i}", high), *_array_dominance(i, most)]
    return rows, units, [*made, *_array_quantiles(i, values)]


def tenths(i: int, engine: Engine) -> tuple[Fields, Fields]:
    """The tenth unit from either end of date column `i`, null if there are fewer."""
    if engine.dialect is Dialect.SPARK:
        return spark_tenths(i)
    units: Fields = []
    outer: Fields = []
    for end, name, largest in (("first", f"lo{i}", False), ("last", f"hi{i}", True)):
        if engine.dialect is Dialect.POSTGRES:
            units.append((f"~{end}{i}", _sorted(name)))
            place = f'CARDINALITY("~{end}{i}") - {TAIL - 1}' if largest else str(TAIL)
            tenth = f'CASE WHEN CARDINALITY("~{end}{i}") >= {TAIL} THEN ("~{end}{i}")[{place}] END'
            outer.append((f"{end}{i}", _read(tenth)))
        else:
            units.append((f"~{end}{i}", call("max" if largest else "min", quoted(name), number(TAIL))))
            outer.append((f"{end}{i}", call("list_extract", quoted(f"~{end}{i}"), number(TAIL))))
    return units, outer


def _list_tail(name: str) -> Fields:
    """Size, mean and p ratio of a sorted list of ten: its largest two absolute values stand at its ends."""
    values = quoted("~" + name)
    size = exp.Lambda(this=exp.Abs(this=exp.column("e")), expressions=[exp.to_identifier("e")])
    sizes = call("list_reverse_sort", call("list_transform", values, size))
    return [
        (f"{name}_units", exp.Coalesce(this=call("len", values.copy()), expressions=[number(0)])),
        (f"{name}_mean", call("list_avg", values.copy())),
        (f"{name}_p", _p_ratio(call("list_sum", sizes), sizes)),
    ]


def _list_dominance(i: int) -> Fields:
    top, total = quoted(f"~ab{i}"), quoted(f"~sum{i}")
    two = exp.Add(this=_nth(top, 1), expression=exp.Coalesce(this=_nth(top, 2), expressions=[number(0)]))
    return [
        (f"p_ratio{i}", _p_ratio(total, top)),
        (f"top_two{i}", exp.Div(this=exp.Paren(this=two), expression=or_null(total.copy()))),
    ]


def _p_ratio(total: exp.Expression, sizes: exp.Expression) -> exp.Expression:
    second = exp.Coalesce(this=_nth(sizes, 2), expressions=[number(0)])
    rest = exp.Sub(this=exp.Sub(this=total.copy(), expression=_nth(sizes, 1)), expression=second)
    return exp.Div(this=exp.Paren(this=rest), expression=or_null(_nth(sizes, 1)))


def _nth(values: exp.Expression, place: int) -> exp.Expression:
    return call("list_extract", values.copy(), number(place))


def _sorted(name: str) -> exp.Expression:
    """A column's values in ascending order, null for none."""
    return _read(f'ARRAY_AGG("{name}" ORDER BY "{name}") FILTER (WHERE "{name}" IS NOT NULL)')


def _ends(array: str) -> tuple[str, str, str]:
    """The ten lowest and the ten highest of a sorted array, and four that have its two largest sizes."""
    size = f'CARDINALITY("{array}")'
    low, high = f'("{array}")[1:{TAIL}]', f'("{array}")[GREATEST({size} - {TAIL - 1}, 1):{size}]'
    return low, high, f'("{array}")[1:2] || ("{array}")[GREATEST({size} - 1, 3):{size}]'


_SIZES: Final = "ARRAY_AGG(ABS(e) ORDER BY ABS(e) DESC)"


def _over(aggregate: str, array: str) -> str:
    """An aggregate of the few values ``e`` of a slice."""
    return f"(SELECT {aggregate} FROM UNNEST({array}) AS t(e))"  # noqa: S608  (fixed text, see _read)


def _array_tail(name: str, slice_: str) -> Fields:
    sizes = _over(_SIZES, slice_)
    rest = f"{_over('SUM(ABS(e))', slice_)} - {sizes}[1] - COALESCE({sizes}[2], 0)"
    return [
        (f"{name}_units", _read(f"COALESCE(CARDINALITY({slice_}), 0)")),
        (f"{name}_mean", _read(_over("AVG(e)", slice_))),
        (f"{name}_p", _read(f"({rest}) / NULLIF({sizes}[1], 0)")),
    ]


def _array_dominance(i: int, four: str) -> Fields:
    sizes = _over(_SIZES, four)
    two = f"({sizes}[1] + COALESCE({sizes}[2], 0))"
    return [
        (f"p_ratio{i}", _read(f'("~sum{i}" - {two}) / NULLIF({sizes}[1], 0)')),
        (f"top_two{i}", _read(f'{two} / NULLIF("~sum{i}", 0)')),
    ]


def _array_quantiles(i: int, array: str) -> Fields:
    """By position, the two beside each quantile weighed (linear, type 7), as percentile_cont does."""
    fields: Fields = []
    for j, share in enumerate(QUANTILES):
        away = f'((CARDINALITY("{array}") - 1) * {share}::float8)'
        under = f'("{array}")[FLOOR({away})::int + 1]'
        over = f'("{array}")[CEIL({away})::int + 1]'
        fields.append((f"q{i}_{j}", _read(f"{under} + ({away} - FLOOR({away})) * ({over} - {under})")))
    return fields


def _read(text: str) -> exp.Expression:
    """An expression read from fixed text: nothing in it but positions of columns varies."""
    found = sqlglot.parse_one(text, dialect=Dialect.POSTGRES.value)
    if not isinstance(found, exp.Expression):
        raise TypeError("not an expression")
    return found
