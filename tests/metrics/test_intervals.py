"""Intervals against published values, statsmodels and their own laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cbeval.metrics.intervals import newcombe_independent, newcombe_paired, wilson

CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
cells = st.tuples(*[st.integers(0, 300)] * 4).filter(any)


def test_wilson_published_values():
    # Newcombe 1998a, table I: 81/263, 15/148, 0/20, 1/29 by method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_no_success_on_harmbench_standard_is_not_zero():
    assert round(100 * wilson(0, 159).high, 1) == 2.4


@given(counts, CONFIDENCES)
def test_wilson_equals_statsmodels(kn, confidence):
    k, n = kn
    assert wilson(k, n, confidence) == pytest.approx(
        proportion_confint(k, n, alpha=1 - confidence, method="wilson"), abs=1e-9
    )


@given(counts, CONFIDENCES)
def test_wilson_laws(kn, confidence):
    k, n = kn
    low, high = wilson(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1
    mirrored = wilson(n - k, n, confidence)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high))
    if k < n:
        above = wilson(k + 1, n, confidence)
        assert above.low > low and above.high > high
    wider = wilson(k, n, (1 + confidence) / 2)
    assert wider.low <= low and wider.high >= high
    more = wilson(10 * k, 10 * n, confidence)
    assert more.high - more.low < high - low


def test_nothing_asked_is_nothing_known():
    assert wilson(0, 0) == (0, 1)
    assert newcombe_paired(0, 0, 0, 0) == (-1, 1)
    assert newcombe_independent(0, 0, 0, 0) == (-1, 1)


@pytest.mark.parametrize(("k", "n", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0), (1, 5, 95)])
def test_wilson_refuses_nonsense(k, n, confidence):
    with pytest.raises(ValueError):
        wilson(k, n, confidence)


def test_newcombe_independent_published_value():
    # Newcombe 1998b, table II (a): 56/70 - 48/80 by method 10 is 0.0524 to 0.3339.
    assert newcombe_independent(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(counts, counts)
def test_newcombe_independent_equals_statsmodels(first, second):
    (k1, n1), (k2, n2) = first, second
    expected = confint_proportions_2indep(k2, n2, k1, n1, method="newcomb", compare="diff")
    assert newcombe_independent(k1, n1, k2, n2) == pytest.approx(expected, abs=1e-9)


def test_newcombe_paired_published_values():
    # Bentur et al. 2009, airway hyper-responsiveness before and after, as computed by Fagerland, Lydersen and Laake,
    # Statistical Analysis of Contingency Tables, table 8.5: -0.507 to -0.026 for before - after.
    low, high = newcombe_paired(1, 7, 1, 12)
    assert (low, high) == pytest.approx((-0.507, -0.026), abs=5e-4)
    # Swapping the runs mirrors the interval.
    assert newcombe_paired(1, 1, 7, 12) == pytest.approx((-high, -low))


@given(cells, CONFIDENCES)
def test_newcombe_paired_laws(table, confidence):
    both, only_base, only_other, neither = table
    n = sum(table)
    low, high = newcombe_paired(*table, confidence)
    difference = (only_other - only_base) / n
    assert -1 <= low <= difference + 1e-12 and difference - 1e-12 <= high <= 1
    swapped = newcombe_paired(both, only_other, only_base, neither, confidence)
    assert swapped == pytest.approx((-high, -low))
    # Asking for "not the property" turns the sign.
    inverted = newcombe_paired(neither, only_other, only_base, both, confidence)
    assert inverted == pytest.approx((-high, -low))
    wider = newcombe_paired(*table, (1 + confidence) / 2)
    assert wider.low <= low + 1e-12 and wider.high >= high - 1e-12


@given(cells)
def test_newcombe_paired_without_correlation_is_the_independent_one(table):
    both, only_base, only_other, neither = table
    n = sum(table)
    cross = both * neither - only_base * only_other
    if 0 <= cross <= n / 2:  # phi is 0 by the continuity correction
        expected = newcombe_independent(both + only_base, n, both + only_other, n)
        assert newcombe_paired(*table) == pytest.approx(expected)
