"""What differential privacy costs in accuracy: relative error of released numbers by epsilon and size of the table.

    python bench/privacy.py [--quick]

A table of 20 columns, ten of them with declared bounds and a mean; epsilon is for one release of the table, shared
by its 31 numbers. Errors are medians over many draws of OpenDP's noise, before rounding. "None" is the rule table
without noise, which rounds only: its error is that of two digits.
"""

from __future__ import annotations

import argparse
import statistics

from gateway.catalog import ColumnType
from gateway.project_rules import PrivacyRules
from gateway.summary.measured import ColumnMeasured, NumberMeasured, TableMeasured, Tail
from gateway.summary.private import noised
from gateway.summary.rounding import round_count, round_digits

MEAN, BOUNDS, NULLS = 37.3, (0.0, 500.0), 0.12


def table_of(units: int) -> TableMeasured:
    """Aggregates of a table of that size; the mean is far from the middle of its bounds, as means are."""
    nulls = round(NULLS * units)
    tail = Tail(units=10, mean=1.0, p_ratio=5.0)
    number = NumberMeasured(
        mean=MEAN, std=1.0, zeros=0, unit_zeros=0, unit_positives=units, unit_negatives=0, unit_fractions=0,
        quantiles=(1.0,) * 5, low=tail, high=tail, p_ratio=9.0, top_two=0.1, spread_top=0.1,
        grid_sum=round((units - nulls) * MEAN / BOUNDS[1] * 1000),
    )  # fmt: skip
    columns = tuple(
        ColumnMeasured(
            name=f"c{i}", type=ColumnType.NUMBER, values=units - nulls, nulls=nulls, unit_values=units - nulls,
            unit_nulls=nulls, number=number if i < 10 else None, bounds=BOUNDS,
        )
        for i in range(20)
    )  # fmt: skip
    return TableMeasured(name="t", rows=units, units=units, sampled=None, columns=columns)


def errors(units: int, epsilon: float, draws: int) -> tuple[float, float, float]:
    """Median relative error of the count, absolute error of the null share, relative error of a mean."""
    table, rules = table_of(units), PrivacyRules(epsilon=epsilon, budget=1000)
    rows, nulls, means = [], [], []
    for _ in range(draws):
        told = noised(table, rules)
        rows.append(abs(told.units - units) / units)
        for column in told.columns:
            nulls.append(abs(column.unit_nulls / max(1, told.units) - NULLS))
            if column.private_mean is not None:
                means.append(abs(column.private_mean - MEAN) / MEAN)
    return statistics.median(rows), statistics.median(nulls), statistics.median(means)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer draws")
    draws = 20 if parser.parse_args().quick else 200
    print(f"{'units':>9} {'epsilon':>8} {'count':>8} {'null share':>11} {'mean':>8}")
    worst = 0.0
    for units in (100, 1_000, 10_000, 100_000):
        plain = abs(round_count(units) - units) / units, abs(round_digits(MEAN) - MEAN) / MEAN
        print(f"{units:>9,} {'none':>8} {plain[0]:>8.2%} {'2.50% most':>11} {plain[1]:>8.2%}")
        for epsilon in (0.5, 1.0, 5.0):
            count, null, mean = errors(units, epsilon, draws)
            worst = mean if (units, epsilon) == (10_000, 1.0) else worst
            print(f"{units:>9,} {epsilon:>8} {count:>8.2%} {null:>11.2%} {mean:>8.2%}", flush=True)
    print(f"privacy: at 10,000 units and epsilon 1, a mean is off by {worst:.1%} (median)")


if __name__ == "__main__":
    main()
