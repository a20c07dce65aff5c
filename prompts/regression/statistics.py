"""What few cases can tell: a paired test, intervals, and how both are said to someone who is no statistician."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, sqrt

Z95 = 1.959963984540054
FEW = 30
"""Below so many compared cases the note says that they are few."""


def mcnemar(better: int, worse: int) -> float:
    """Two-sided exact McNemar test: the chance of a split at least so uneven if a change helped no more than it hurt.

    Source: the binomial form of McNemar (1947), Psychometrika 12, 153.
    """
    n, low = better + worse, min(better, worse)
    tail = sum(comb(n, k) for k in range(low + 1))
    return min(1.0, float(2 * tail / 2**n))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share. Source: Wilson (1927), JASA 22, 209."""
    if n == 0:
        return (0.0, 1.0)
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (max(0.0, middle - half), min(1.0, middle + half))


def newcombe(both: int, better: int, worse: int, neither: int) -> tuple[float, float]:
    """95 % interval of the change of the share that passes, over the same cases before and after.

    Args:
        both: Cases that pass before and after.
        better: Cases that pass only after.
        worse: Cases that pass only before.
        neither: Cases that pass in neither.

    Source: Newcombe (1998), Statistics in Medicine 17, 2635, method 10: Wilson's intervals, joined with a correlation
    that is corrected for continuity.
    """
    n = both + better + worse + neither
    if n == 0:
        return (-1.0, 1.0)
    after, before = (both + better) / n, (both + worse) / n
    low_after, high_after = wilson(both + better, n)
    low_before, high_before = wilson(both + worse, n)
    phi = _correlation(both, better, worse, neither)
    change = after - before
    down = _joined(after - low_after, high_before - before, phi)
    up = _joined(high_after - after, before - low_before, phi)
    return (max(-1.0, change - down), min(1.0, change + up))


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))


def _correlation(both: int, better: int, worse: int, neither: int) -> float:
    square = (both + better) * (worse + neither) * (both + worse) * (better + neither)
    if square == 0:
        return 0.0
    skew = float(both * neither - better * worse)
    n = both + better + worse + neither
    skew = skew - n / 2 if skew > n / 2 else min(skew, 0.0)
    return skew / sqrt(square)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The same cases before and after, by how they changed sides."""

    both: int
    better: int
    worse: int
    neither: int

    @property
    def n(self) -> int:
        """Cases that were judged both times."""
        return self.both + self.better + self.worse + self.neither

    @property
    def p_value(self) -> float:
        """Of the exact McNemar test."""
        return mcnemar(self.better, self.worse)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the change of the share that passes."""
        return newcombe(self.both, self.better, self.worse, self.neither)

    def in_words(self) -> str:
        """What the numbers allow one to say, and what they do not."""
        if self.n == 0:
            return "No case was judged both before and after, so nothing can be said."
        low, high = self.interval
        points = f"between {100 * low:+.1f} and {100 * high:+.1f} points (95% interval)"
        moved = self.better + self.worse
        few = " These are few cases: add some before you rely on it." if self.n < FEW else ""
        if moved == 0:
            text = f"No case changed sides. With {self.n} cases the true change of the share that passes may still be "
            return text + f"{points}.{few}"
        return (
            f"{moved} of {self.n} cases changed sides: {self.better} better, {self.worse} worse. If the change helped "
            f"as often as it hurts, a split at least this uneven would come in {_times(self.p_value)} "
            f"(exact McNemar test, p = {self.p_value:.3f}), so {_verdict(self.p_value)}. The share that passes has "
            f"changed by {points}.{few}"
        )


def _times(p_value: float) -> str:
    return f"about {max(1, round(100 * p_value))} of 100 tries" if p_value >= 0.01 else "less than 1 of 100 tries"


def _verdict(p_value: float) -> str:
    if p_value < 0.05:
        return "it is unlikely to be chance"
    return "it may well be chance" if p_value >= 0.2 else "chance cannot be ruled out"


def spread(passed: tuple[int, ...], samples: int) -> tuple[float, float]:
    """Mean share of samples that pass, and its standard error over cases.

    Args:
        passed: Samples that pass, of each case.
        samples: Samples of each case.

    Source: the cluster form of a mean: samples of one case are alike, so cases are what is counted.
    """
    if not passed or samples < 1:
        return (0.0, 0.0)
    shares = [hits / samples for hits in passed]
    mean = sum(shares) / len(shares)
    if len(shares) == 1:
        return (mean, 0.0)
    variance = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    return (mean, sqrt(variance / len(shares)))
