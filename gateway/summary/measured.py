"""What was counted inside the database for one table, before disclosure control. Never shown, logged or kept.

These values are aggregates, yet not safe: a mean of three rows, or a count of one, is about somebody. Only
`gateway.summary.disclosure` reads them, and only what it releases goes on. Extremes are not here at all: minimum and
maximum never leave the database, but as a mean over ten units or as a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.catalog import ColumnType

GRID = 1_000
"""Steps between a column's declared bounds: whole numbers, so that a sum is exact."""
TAIL = 10
"""Units in a tail mean (docs/disclosure.md: min and max only as averages over enough distinct entities)."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""The only quantiles that are ever computed (SECURITY B)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The ten lowest or highest units of a column.

    Attributes:
        units: How many there were, at most ten.
        mean: Their mean.
        p_ratio: (sum - largest - second) / largest of their absolute values; None if the largest is zero.
    """

    units: int
    mean: float | None = field(repr=False)
    p_ratio: float | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMeasured:
    """Aggregates of a numeric column; `low` and `high` are means over ten units.

    Attributes:
        zeros: Rows that are zero; all other counts are of units that have at least one such row.
        p_ratio: (sum - largest - second) / largest of the units' absolute contributions; None if all are zero.
        top_two: Share of the two largest contributions in their sum.
        spread_top: Share of the largest squared deviation in their sum, an upper bound; None if not computed.
        grid_sum: Sum of the values as whole steps between the declared bounds, for differential privacy alone.
        edges: Rounded edges of bins.
        bins: Rows up to the first edge, between each two, and above the last.
    """

    mean: float | None
    std: float | None
    zeros: int
    unit_zeros: int
    unit_positives: int
    unit_negatives: int
    unit_fractions: int
    quantiles: tuple[float | None, ...]
    low: Tail
    high: Tail
    p_ratio: float | None
    top_two: float | None
    spread_top: float | None
    grid_sum: int | None = None
    edges: tuple[float, ...] = ()
    bins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMeasured:
    """Aggregates of a date column. `tenth_first` and `tenth_last` are month numbers (year * 12 + month - 1).

    They are those of the tenth unit from either end, so that at least ten units lie at or beyond them. The others
    count units with at least one date that is not at midnight, not on the first of its month, and so on.
    """

    tenth_first: int | None
    tenth_last: int | None
    off_midnight: int
    off_first_of_month: int
    off_first_of_year: int
    off_monday: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMeasured:
    """Aggregates of a text column: mean length in characters, and how many of `looked_at` values fit each class.

    `json` of them begin as a JSON document or list does.
    """

    mean_length: float | None
    looked_at: int = 0
    json: int = 0
    classes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMeasured:
    """Aggregates of one column. Units are distinct data subjects where the owner named them, else rows.

    Attributes:
        unit_values: Units with at least one value.
        unit_nulls: Units with at least one null.
        distinct: Distinct values, perhaps approximate; None if not counted.
        bounds: Lowest and highest value that the owner declared.
        private_mean: A mean that already has the noise of differential privacy.
        label_units: For each approved label, how many units have it, and how many rows.
        counted: Whether the engine could count it; all counts are 0 if not.
    """

    name: str
    type: ColumnType
    values: int
    nulls: int
    unit_values: int
    unit_nulls: int
    distinct: int | None = None
    declared_unique: bool = False
    number: NumberMeasured | None = None
    time: TimeMeasured | None = None
    text: TextMeasured | None = None
    bounds: tuple[float, float] | None = None
    private_mean: float | None = None
    label_units: dict[str, tuple[int, int]] = field(default_factory=dict)
    paths: tuple[PathMeasured, ...] = ()
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMeasured:
    """One path within the documents of a column (`gateway.summary.paths`).

    Attributes:
        key: The path, ``items[].price``; empty for the column itself.
        units: Units of the documents looked at that have a value there; with `dynamic` of no meaning.
        looked: Units of the documents looked at.
        keys: How many different keys all of these documents have, those under a `dynamic` parent left out.
        type: ``number``, ``text``, ``boolean``, ``object``, ``array`` or ``mixed``.
        dynamic: The keys of what stands there are too many to be structure.
    """

    key: str
    units: int
    looked: int
    keys: int
    type: str
    dynamic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMeasured:
    """Two numeric columns: rows that have both, above the mean of `left`, of `right`, and of both."""

    left: str
    right: str
    rows: int
    left_above: int
    right_above: int
    both_above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMeasured:
    """Aggregates of one table within one scope, from one snapshot.

    `sampled` rows are those the facts are of.
    """

    name: str
    rows: int
    units: int
    sampled: int | None
    columns: tuple[ColumnMeasured, ...]
    pairs: tuple[PairMeasured, ...] = ()

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Columns that the engine failed on."""
        return tuple(column.name for column in self.columns if not column.counted)
