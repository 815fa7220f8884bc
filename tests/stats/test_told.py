"""Intervals and p-values from influence functions, and the chance of the larger of two."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, t, ttest_1samp

from cxcausal.stats.told import Sample, p_any_above, told

EXACT = 1e-9


def _sample(n: int, alpha: float = 0.05) -> Sample:
    return Sample(arm=np.zeros(n, np.int8), weight=np.ones(n), alpha=alpha)


def test_a_mean_is_told_as_students() -> None:
    values = 0.3 + np.tile([-1.0, 1.0], 20)
    found = told(np.array([values.mean()]), (values - values.mean())[:, None], _sample(40, 0.1))[0]
    twin = ttest_1samp(values, 0)
    interval = twin.confidence_interval(0.9)
    assert found.p == pytest.approx(twin.pvalue, rel=EXACT)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=EXACT)


def test_few_units_that_bear_the_variance_widen_the_interval() -> None:
    even, few = np.tile([-1.0, 1.0], 500), np.where(np.arange(1_000) < 10, 10.0, 0.01) * np.tile([-1.0, 1.0], 500)
    wide, narrow = (told(np.zeros(1), phi[:, None], _sample(1_000))[0] for phi in (few, even))
    assert (narrow.high or 0) / (narrow.se or 1) == pytest.approx(t.ppf(0.975, 999), rel=1e-6)
    assert (wide.high or 0) / (wide.se or 1) == pytest.approx(t.ppf(0.975, 10), rel=1e-2)


@pytest.mark.parametrize("shared", [-0.5, 0.0, 0.6, 0.99])
@pytest.mark.parametrize("height", [-0.02, 0.0, 0.03])
def test_the_larger_of_two_has_the_chance_of_both_normals(shared: float, height: float) -> None:
    rng = np.random.default_rng(2)
    first, other = rng.normal(size=(2, 5_000))
    phi = np.column_stack([first, shared * first + np.sqrt(1 - shared**2) * other])
    phi -= phi.mean(axis=0)
    points = np.array([height, height - 0.05])
    covariance = np.cov(phi.T) / 5_000
    z = (points / np.sqrt(np.diag(covariance))).max()
    rho = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    twin = 1 - multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([z, z])
    assert p_any_above(points, phi, _sample(5_000)) == pytest.approx(twin, abs=5e-4)


def test_what_cannot_vary_is_certain() -> None:
    zero, three = told(np.array([0.0, 3.0]), np.zeros((5, 2)), _sample(5))
    assert (zero.p, three.p, three.low, three.high) == (1.0, 0.0, 3.0, 3.0)
    assert p_any_above(np.zeros(2), np.zeros((5, 2)), _sample(5)) == 1.0
