"""How skewed an outcome is judged to be, against rows and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from cxcausal.core.answers import Moments
from cxcausal.stats.skewness import skewness, skewness_of_difference, skewness_of_mean
from tests.twins import Values, moments_of

EXACT = 1e-9


def _population(values: Values) -> Moments:
    return moments_of(values)


@pytest.mark.parametrize("share", [0.002, 0.05, 0.3])
def test_events_have_the_skewness_of_their_rows(share: float) -> None:
    rows = np.zeros(1_000)
    rows[: round(1_000 * share)] = 7.0
    assert skewness(_population(rows)) == pytest.approx(float(stats.skew(rows)), rel=EXACT)


def test_spend_has_the_skewness_of_zeros_and_lognormal_amounts() -> None:
    sigma, share = 0.8, 0.2
    first, second, third = (share * np.exp(k * k * sigma**2 / 2) for k in (1, 2, 3))
    variance = second - first**2
    expected = (third - 3 * first * variance - first**3) / variance**1.5
    n = 10**6
    cell = Moments(n=n, mean=np.array([first]), m2=np.array([[n * variance]]), events=200_000, low=0.0, high=5.0)
    assert skewness(cell) == pytest.approx(expected, rel=EXACT)


def test_amounts_far_from_zero_keep_their_precision() -> None:
    n, variation = 1_000, 1e-7
    cell = Moments(
        n=n, mean=np.array([1e8]), m2=np.array([[n * (1e8 * variation) ** 2]]), events=n, low=1e8 - 9, high=1e8 + 9
    )
    assert skewness(cell) == pytest.approx(n**0.5 * (81 / (n * 100)) ** 1.5, rel=1e-6)


def test_of_values_below_zero_only_the_largest_deviation_is_told() -> None:
    rows = np.array([-1.0] * 60 + [0.0] * 20 + [1.0] * 20 + [40.0])
    away = rows - rows.mean()
    expected = len(rows) ** 0.5 * ((away**2).max() / np.sum(away**2)) ** 1.5
    assert skewness(_population(rows)) == pytest.approx(expected, rel=EXACT)
    assert skewness(_population(-rows)) == pytest.approx(expected, rel=EXACT)


def test_nothing_is_told_of_what_does_not_vary_or_is_not_known() -> None:
    assert skewness(_population(np.ones(5))) == 0.0
    assert skewness(replace(_population(np.arange(5.0)), low=np.nan, high=np.nan)) == 0.0


def test_a_difference_has_the_skewness_of_its_arms_sums() -> None:
    rng = np.random.default_rng(4)
    rows = (rng.random(5_000) < 0.1).astype(float)
    few, many = _population(rows[:500]), _population(rows[500:])
    unit = float(stats.skew(rows))
    third = 1 / 500**2 - 1 / 4_500**2
    expected = unit * third / (1 / 500 + 1 / 4_500) ** 1.5
    assert skewness_of_difference(few, many) == pytest.approx(expected, rel=EXACT)
    assert skewness_of_difference(many, few) == pytest.approx(expected, rel=EXACT)
    assert skewness_of_mean(few, many) == pytest.approx(unit / 500**0.5, rel=EXACT)
