"""ChartSpec: the whole language in which a model may answer.

A closed grammar. It names columns of the Summary as ``table.column``, never joins, functions or SQL; there is no
field for free text that would be rendered. `via` chooses between join paths where more than one is shortest.
Measures are called ``m1, m2, …`` and dimensions ``d1, d2, …`` by their position; the series is ``s``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

ColumnRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,62}$")]
"""``table.column`` by safe names."""
NameRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
FieldRef = Annotated[str, StringConstraints(pattern=r"^(m[1-9][0-9]?|d[1-9]|s)$")]
"""``m1`` … the measure at that position; ``d1`` … the dimension; ``s`` the series."""

Mark = Literal["bar", "line", "area", "point", "arc", "rect", "boxplot", "histogram", "text", "table"]
Aggregate = Literal["count", "count_distinct", "sum", "avg", "median", "min", "max", "stddev", "percentile"]
Grain = Literal["year", "quarter", "month", "week", "day", "hour"]
Part = Literal["quarter_of_year", "month_of_year", "day_of_month", "weekday", "hour_of_day"]
Unit = Literal["year", "quarter", "month", "week", "day", "hour"]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Placeholder(_Closed):
    """A value of the question that was masked: ``v1`` or ``email:1``. Bound back locally as a parameter."""

    placeholder: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}(:[1-9][0-9]{0,2})?$")]


Scalar = Annotated[
    StrictBool
    | StrictInt
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, StringConstraints(strict=True, max_length=200)],
    Field(union_mode="left_to_right"),
]
"""A literal, never converted (``"1"`` is text, ``1`` is no truth value). A date is ISO 8601 text.

Text has at most 200 characters and is only ever a bound parameter.
"""
Value = Placeholder | Scalar


class Period(_Closed):
    """A stretch of time in the tenant's time zone.

    ``last`` n units: the n full units before the current one; ``past`` n units: rolling back from now;
    ``this``: the current unit so far; ``calendar``: the named year, quarter, month or day.
    """

    kind: Literal["last", "past", "this", "calendar"]
    unit: Unit | None = None
    n: Annotated[int, Field(ge=1, le=1000)] | None = None
    year: Annotated[int, Field(ge=1, le=9999)] | None = None
    quarter: Annotated[int, Field(ge=1, le=4)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    day: Annotated[int, Field(ge=1, le=31)] | None = None


class Compare(_Closed):
    """A column against one value."""

    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "starts_with", "ends_with"]
    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None
    value: Value


class InList(_Closed):
    """A column among values, or among none of them."""

    op: Literal["in", "not_in"]
    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=100)]


class Between(_Closed):
    """A column from `low` to `high`, both included."""

    op: Literal["between"]
    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None
    low: Value
    high: Value


class NullTest(_Closed):
    """A column that is empty, or not."""

    op: Literal["is_null", "not_null"]
    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None


class During(_Closed):
    """A date column within a period."""

    op: Literal["during"]
    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None
    period: Period


class Exists(_Closed):
    """Rows that have (or have not) a related row in a child table, itself filtered."""

    op: Literal["exists", "not_exists"]
    table: NameRef
    via: tuple[ColumnRef, ...] | None = None
    filter: Filter | None = None


class AllOf(_Closed):
    """Every one of the filters."""

    op: Literal["and"]
    filters: Annotated[tuple[Filter, ...], Field(min_length=1, max_length=20)]


class AnyOf(_Closed):
    """At least one of the filters."""

    op: Literal["or"]
    filters: Annotated[tuple[Filter, ...], Field(min_length=1, max_length=20)]


class Negation(_Closed):
    """Rows for which the filter is not true (rows where it is unknown included)."""

    op: Literal["not"]
    filter: Filter


Filter = Annotated[
    Compare | InList | Between | NullTest | During | Exists | AllOf | AnyOf | Negation, Field(discriminator="op")
]


class Measure(_Closed):
    """An aggregate of a column (of the rows themselves for ``count``), a named metric, or derived from another.

    Exactly one of `aggregate`, `metric` and `derive` is given.
    """

    aggregate: Aggregate | None = None
    column: ColumnRef | None = None
    via: tuple[ColumnRef, ...] | None = None
    percentile: Annotated[float, Field(gt=0, lt=100)] | None = None
    metric: NameRef | None = None
    filter: Filter | None = None
    derive: Literal["ratio", "share_of_total", "running_total", "moving_average", "change", "change_percent"] | None = (
        None
    )
    of: FieldRef | None = None
    by: FieldRef | None = None
    window: Annotated[int, Field(ge=2, le=365)] | None = None


class Bin(_Closed):
    """Numeric bins, by how many or by how wide: exactly one."""

    count: Annotated[int, Field(ge=2, le=100)] | None = None
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Dimension(_Closed):
    """A column to group by, at most one of a time grain, a part of a date, or bins."""

    column: ColumnRef
    via: tuple[ColumnRef, ...] | None = None
    grain: Grain | None = None
    part: Part | None = None
    bin: Bin | None = None


class Having(_Closed):
    """Keep groups whose measure compares so."""

    measure: FieldRef
    op: Literal["eq", "ne", "lt", "le", "gt", "ge"]
    value: Annotated[
        StrictInt | Annotated[float, Field(strict=True, allow_inf_nan=False)], Field(union_mode="left_to_right")
    ]


class Sort(_Closed):
    """Order by a measure, dimension or series."""

    by: FieldRef
    order: Literal["asc", "desc"] = "asc"


class Top(_Closed):
    """Only the first n of a dimension by a measure; the rest is dropped, or shown as one group."""

    n: Annotated[int, Field(ge=1, le=100)]
    of: FieldRef = "d1"
    by: FieldRef = "m1"
    order: Literal["asc", "desc"] = "desc"
    other: bool = False


class ChartSpec(_Closed):
    """A chart, in the closed language. See docs/chart-spec.md for an example of each construct."""

    version: Literal["1"] = "1"
    mark: Mark
    table: NameRef
    measures: Annotated[tuple[Measure, ...], Field(max_length=8)] = ()
    dimensions: Annotated[tuple[Dimension, ...], Field(max_length=8)] = ()
    series: Dimension | None = None
    filter: Filter | None = None
    having: Annotated[tuple[Having, ...], Field(max_length=8)] = ()
    sort: Annotated[tuple[Sort, ...], Field(max_length=8)] = ()
    top: Top | None = None
    limit: Annotated[int, Field(ge=1, le=100_000)] | None = None
    stack: Literal["none", "zero", "normalize"] | None = None
    orientation: Literal["vertical", "horizontal"] | None = None
    dual_axis: bool = False


class Plan(_Closed):
    """The whole reply of a planner: up to five charts, the best reading first; or what is missing to answer.

    Attributes:
        charts: Ranked readings of the question. Empty only if `missing` says why.
        ambiguous: The first reading is not clearly the right one: the asker should choose.
        missing: What the question asks for that the data does not have, in words of the question (placeholders
            included); shown to the asker as plain text.
    """

    charts: Annotated[tuple[ChartSpec, ...], Field(max_length=5)] = ()
    ambiguous: bool = False
    missing: Annotated[tuple[Annotated[str, StringConstraints(max_length=60)], ...], Field(max_length=5)] = ()


for _model in (Exists, AllOf, AnyOf, Negation, Measure, ChartSpec, Plan):
    _model.model_rebuild()
