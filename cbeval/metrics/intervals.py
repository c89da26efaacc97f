"""Confidence intervals for proportions and for their differences: pure functions of counts, in closed form.

The normal approximation k/n +- 1.96 s.e. is not used anywhere: at 0 of 159 it says "exactly 0 %", and a gate that
believes it lets a release through that the data cannot vouch for. The score intervals here stay inside [0, 1] and
have near-nominal coverage at the ends of the scale, which is where circuit breakers live.
"""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """A closed interval of proportions (0..1) or of differences of proportions (-1..1)."""

    low: float
    high: float


def _z(confidence: float) -> float:
    """Two-sided normal quantile of a confidence level."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson score interval of k successes in n trials (Wilson 1927; Newcombe 1998a, method 3).

    With n = 0 nothing is known and the interval is [0, 1]. Raises ValueError unless 0 <= k <= n and
    0 < confidence < 1.
    """
    if not 0 <= k <= n:
        raise ValueError(f"need 0 <= k <= n, not k={k}, n={n}")
    z = _z(confidence)
    if n == 0:
        return Interval(0.0, 1.0)
    p = k / n
    centre = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The ends are exact at k = 0 and k = n; rounding would leave 1e-17 and make a strict comparison false.
    low = 0.0 if k == 0 else min(p, (centre - half) / scale)
    high = 1.0 if k == n else max(p, (centre + half) / scale)
    return Interval(low, high)


def newcombe_independent(k1: int, n1: int, k2: int, n2: int, confidence: float = 0.95) -> Interval:
    """Interval of p2 - p1 for two independent samples (Newcombe 1998b, method 10: square-and-add of Wilson limits).

    [-1, 1] if either sample is empty. Raises ValueError unless 0 <= k <= n in both.
    """
    first, second = wilson(k1, n1, confidence), wilson(k2, n2, confidence)
    if not (n1 and n2):
        return Interval(-1.0, 1.0)
    p1, p2 = k1 / n1, k2 / n2
    difference = p2 - p1
    below = sqrt((p2 - second.low) ** 2 + (first.high - p1) ** 2)
    above = sqrt((second.high - p2) ** 2 + (p1 - first.low) ** 2)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def newcombe_paired(both: int, only_base: int, only_other: int, neither: int, confidence: float = 0.95) -> Interval:
    """Interval of p_other - p_base for paired answers (Newcombe 1998c, method 10).

    `both` pairs have the property in both runs, `only_base` and `only_other` in one, `neither` in none. The limits
    are Wilson limits of the two margins, squared and added, less the correlation of the pairs (phi, with Newcombe's
    continuity correction where it is positive). Newcombe RG. Improved confidence intervals for the difference between
    binomial proportions based on paired data. Statistics in Medicine 1998;17:2635-2650.

    With no pairs the interval is [-1, 1]. Raises ValueError for negative counts.
    """
    if min(both, only_base, only_other, neither) < 0:
        raise ValueError("counts of pairs cannot be negative")
    n = both + only_base + only_other + neither
    if n == 0:
        _z(confidence)
        return Interval(-1.0, 1.0)
    k_base, k_other = both + only_base, both + only_other
    base, other = wilson(k_base, n, confidence), wilson(k_other, n, confidence)
    p_base, p_other = k_base / n, k_other / n

    margins = k_base * (n - k_base) * k_other * (n - k_other)
    cross = float(both * neither - only_base * only_other)
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    phi = cross / sqrt(margins) if margins else 0.0

    def added(x: float, y: float) -> float:
        return sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    difference = (only_other - only_base) / n
    below = added(p_other - other.low, base.high - p_base)
    above = added(other.high - p_other, p_base - base.low)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))
