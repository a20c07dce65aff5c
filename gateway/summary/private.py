"""Optional: facts with differential privacy, by OpenDP's mechanisms, with a ledger of what was spent.

Off unless the owner sets ``[source.privacy]``. Then a table says less, and each number of it is noised by OpenDP, never
by noise of our own making: units, null shares, label shares, and means of columns whose bounds the owner declared (rows
as units only). Distinct counts are not told: they are estimates, which one value can change by more than one. Every
release of a table within one scope costs `epsilon`, shared evenly among its numbers; when the `budget` is spent, the
last release is served for good. A unit is a data subject where the owner named one, else a row.

Proved, given OpenDP: one unit more or less changes the probability of any release by a factor of at most e^epsilon.
Not proved: anything of what does not come from rows (names, types, keys, the owner's words).
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.errors import ConfigError
from gateway.project_rules import PrivacyRules
from gateway.summary.measured import GRID, ColumnMeasured, TableMeasured

Noise = Callable[[int, float, int], int]
"""(count, epsilon, sensitivity) -> noisy count."""


def laplace(count: int, epsilon: float, sensitivity: int) -> int:
    """Discrete Laplace noise of scale sensitivity / epsilon, drawn by OpenDP.

    Raises:
        ConfigError: OpenDP is not installed.
    """
    try:
        import opendp.prelude as dp
    except ImportError:
        raise ConfigError("differential privacy needs the 'private' extra: pip install 'rowless[private]'") from None
    dp.enable_features("contrib")
    domain, metric = dp.atom_domain(T=int), dp.absolute_distance(T=int)
    return int(dp.m.make_laplace(domain, metric, scale=sensitivity / epsilon)(count))


def parts_of(table: TableMeasured) -> int:
    """How many numbers of a table are noised, each with an equal part of epsilon."""
    numbers = 1
    for column in table.columns:
        numbers += 1 + len(column.label_units)
        numbers += column.number is not None and column.number.grid_sum is not None
    return numbers


def noised(table: TableMeasured, rules: PrivacyRules, *, noise: Noise = laplace) -> TableMeasured:
    """The table's counts with noise, and nothing that was not noised.

    Args:
        table: Aggregates of one snapshot.
        rules: Epsilon of one release.
        noise: The mechanism; OpenDP's but in tests of the arithmetic.
    """
    epsilon = rules.epsilon / parts_of(table)
    units = max(0, noise(table.units, epsilon, 1))
    columns = tuple(_noised(column, units, epsilon, noise) for column in table.columns)
    return TableMeasured(name=table.name, rows=units, units=units, sampled=table.sampled, columns=columns)


def _noised(column: ColumnMeasured, units: int, epsilon: float, noise: Noise) -> ColumnMeasured:
    nulls = min(units, max(0, noise(column.unit_nulls, epsilon, 1)))
    values = units - nulls
    # A subject can have several labels, so each is noised on a part of epsilon of its own.
    labels = {text: max(0, noise(count, epsilon, 1)) for text, (count, _) in column.label_units.items()}
    mean = None
    if column.number is not None and column.number.grid_sum is not None and column.bounds is not None:
        low, high = column.bounds
        total = noise(column.number.grid_sum, epsilon, GRID)
        mean = min(high, max(low, low + (high - low) / GRID * total / max(1, values)))
    return ColumnMeasured(
        name=column.name,
        type=column.type,
        values=values,
        nulls=nulls,
        unit_values=values,
        unit_nulls=nulls,
        declared_unique=column.declared_unique,
        bounds=column.bounds,
        private_mean=mean,
        label_units={text: (count, count) for text, count in labels.items()},
    )
