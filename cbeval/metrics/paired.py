"""Exact tests on paired answers: did the same prompts change their outcome more one way than the other?

Pairs that agree say nothing about a change; under "no change" each discordant pair falls either way like a fair coin
(McNemar 1947). The binomial tail is summed in whole numbers, so it is exact for any count: no chi-square that needs
25 discordant pairs, and five changes out of five are p = .0625, not "significant".
"""


def _tail(least: int, n: int) -> float:
    """P(X >= least) for X ~ Binomial(n, 1/2)."""
    tail, term = 0, 1  # term runs through C(n, n), C(n, n - 1), ...
    for missing in range(n - least + 1):
        tail += term
        term = term * (n - missing) // (missing + 1)
    return tail / (1 << n)


def mcnemar(only_base: int, only_other: int) -> float:
    """Exact two-sided p value of McNemar's test on the discordant pairs; 1.0 if there are none.

    `only_base` pairs have the property in the base run alone, `only_other` in the other run alone. Twice the smaller
    binomial tail, at most 1. Raises ValueError for negative counts.
    """
    _check(only_base, only_other)
    return min(1.0, 2 * _tail(max(only_base, only_other), only_base + only_other))


def mcnemar_fall(only_base: int, only_other: int) -> float:
    """Exact one-sided p value against "the property did not become rarer from base to other".

    Small if many more pairs lost the property than gained it. For the opposite direction swap the arguments.
    """
    _check(only_base, only_other)
    return _tail(only_base, only_base + only_other)


def _check(only_base: int, only_other: int) -> None:
    if min(only_base, only_other) < 0:
        raise ValueError("counts of pairs cannot be negative")
