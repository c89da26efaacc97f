"""McNemar's exact test against the benchmark's facts and statsmodels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from cbeval.metrics.paired import mcnemar, mcnemar_fall

pairs = st.tuples(st.integers(0, 300), st.integers(0, 300))


def test_five_changes_of_five_are_not_significant_and_six_are():
    assert mcnemar(5, 0) == 0.0625  # 2 / 2**5
    assert mcnemar(0, 6) == 0.03125  # 2 / 2**6
    assert mcnemar_fall(5, 0) == 0.03125
    assert mcnemar_fall(0, 5) == 1.0


def test_no_change_is_no_evidence():
    assert mcnemar(0, 0) == mcnemar_fall(0, 0) == mcnemar(7, 7) == 1.0


@given(pairs)
def test_equals_statsmodels_and_scipy(discordant):
    only_base, only_other = discordant
    expected = statsmodels_mcnemar([[3, only_base], [only_other, 4]], exact=True).pvalue
    assert mcnemar(only_base, only_other) == pytest.approx(expected, rel=1e-9)
    if only_base + only_other:
        one_sided = binomtest(only_base, only_base + only_other, alternative="greater").pvalue
        assert mcnemar_fall(only_base, only_other) == pytest.approx(one_sided, rel=1e-9)


@given(pairs)
def test_laws(discordant):
    a, b = discordant
    assert 0 < mcnemar(a, b) <= 1
    assert mcnemar(a, b) == mcnemar(b, a)
    assert mcnemar_fall(a + 1, b) <= mcnemar_fall(a, b) <= mcnemar_fall(a, b + 1)


def test_large_counts_stay_exact():
    assert mcnemar(0, 5000) == 0.0  # 2**-4999 is below the smallest float
    assert mcnemar(10_100, 9_900) == pytest.approx(binomtest(10_100, 20_000).pvalue, rel=1e-6)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError):
        mcnemar(-1, 3)
    with pytest.raises(ValueError):
        mcnemar_fall(1, -3)
