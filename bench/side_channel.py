"""What the time of a question tells of another tenant's values: an index of one tenant, asked about another's.

    python bench/side_channel.py [--quick] [--rounds 2000]

Two tenants with 20,000 values each, of the same shape. Questions under the first one's index name a firm of the other
tenant, or one that nobody has, in turns and in random order; both are masked and scanned. What an attacker could learn
is the chance to tell a pair apart by its times (area under the curve; 0.5 is a coin). The own values are the control:
they are linked, which is seen in the answer anyway, and may take another time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings

from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner

SYLLABLES = ("zor", "blax", "qui", "vex", "mun", "dral", "pek", "thol", "gwan", "jub", "skor", "wum", "hax", "vra")
KNOWN = frozenset({"orders", "customers", "revenue"})


def firms(rng: random.Random, count: int) -> list[str]:
    """Names of one shape."""
    return sorted({"".join(rng.choices(SYLLABLES, k=5)) + " Works" for _ in range(count)})


def built(key: bytes, values: list[str]) -> ValueIndex:
    """An index of one tenant."""
    builder = IndexBuilder(key)
    builder.add("customers.name", values)
    return builder.build()


def told_apart(one: list[float], other: list[float]) -> float:
    """Chance that a time of `one` is above a time of `other` (Mann and Whitney's U over the number of pairs)."""
    ranked = sorted([(t, 0) for t in one] + [(t, 1) for t in other])
    ranks = sum(rank for rank, (_, group) in enumerate(ranked, start=1) if group == 0)
    size = len(one)
    return (ranks - size * (size + 1) / 2) / (size * len(other))


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=2000)
    arguments = parser.parse_args()
    rounds = 300 if arguments.quick else arguments.rounds
    rng = random.Random(11)
    pool = firms(rng, 70_000)
    rng.shuffle(pool)
    groups = {"own": pool[:20_000], "another tenant's": pool[20_000:40_000], "nobody's": pool[40_000:]}
    index = built(b"key of the first tenant", groups["own"])
    other = built(b"key of the other tenant", groups["another tenant's"])
    scanner = Scanner(ScanConfig(model=None))
    for name in rng.sample(groups["another tenant's"], 50):  # The other tenant has asked about its own before.
        mask(f"revenue of {name}", scanner, index=other, known_names=KNOWN)
    asked = [(group, name) for group in groups for name in rng.sample(groups[group], rounds)]
    rng.shuffle(asked)
    taken: dict[str, list[float]] = {group: [] for group in groups}
    for group, name in asked:
        started = time.perf_counter()
        mask(f"revenue of {name} by month", scanner, index=index, known_names=KNOWN)
        taken[group].append((time.perf_counter() - started) * 1000)
    print(f"{rounds} questions of each kind, times in ms")
    for group, times in taken.items():
        ordered = sorted(times)
        print(f"{group:<20} p50 {statistics.median(times):.3f}  p95 {ordered[int(len(ordered) * 0.95)]:.3f}")
    apart = told_apart(taken["another tenant's"], taken["nobody's"])
    sure = 1.96 * (2 * rounds + 1) ** 0.5 / (12**0.5 * rounds)
    print(f"side channel: another tenant's value told from nobody's with {apart:.3f} (coin 0.5, noise ± {sure:.3f})")


if __name__ == "__main__":
    main()
