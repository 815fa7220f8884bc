"""Power against published tables, statsmodels, closed forms and identities; clusters against their definition."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import TTestIndPower

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.stats.power import Clustering, Setting, Test, intra_cluster, power, smallest_size, units_needed

HALVES = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5)
CHURN = Setting(base=0.14, variance=0.1204, binary=True, treated=0.5, control=0.5)
CLOSE = 1e-9


@pytest.mark.parametrize(("d", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_cohens_table_of_sample_sizes(d: float, n: int) -> None:
    """Cohen 1988, table 2.4.1: per arm, two-sided 5 %, power 80 %."""
    assert units_needed(HALVES, Test(alpha=0.05), d, 0.8) in {2 * n - 1, 2 * n}


@pytest.mark.parametrize("n", [10, 40, 128, 1000])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_equal_arms_have_the_power_of_students_test(n: int, alpha: float) -> None:
    assert power(HALVES, Test(alpha=alpha), 2 * n, 0.3) == pytest.approx(
        TTestIndPower().power(0.3, n, alpha), abs=CLOSE
    )


def test_rates_use_either_arms_own_variance() -> None:
    n, p1, p0 = 18_000, 0.13, 0.14
    se = sqrt(p1 * (1 - p1) / n + p0 * (1 - p0) / n)
    normal = norm.sf(1.959964 - 0.01 / se) + norm.cdf(-1.959964 - 0.01 / se)
    assert power(CHURN, Test(alpha=0.05), 2 * n, p1 - p0) == pytest.approx(normal, abs=1e-4)
    assert power(CHURN, Test(alpha=0.05), 2 * n, 0.01) < power(CHURN, Test(alpha=0.05), 2 * n, -0.01)


def test_no_effect_is_found_as_often_as_the_test_errs() -> None:
    assert power(HALVES, Test(alpha=0.05), 100, 0.0) == pytest.approx(0.05, abs=CLOSE)
    assert power(HALVES, Test(alpha=0.05, sides=1), 100, 0.0) == pytest.approx(0.05, abs=CLOSE)


def test_non_inferiority_keeps_both_arms_at_the_base() -> None:
    guard = Test(alpha=0.05, sides=1)
    se = sqrt(2 * 0.02 * 0.98 / 10_000)
    complaints = Setting(base=0.02, variance=0.0196, binary=True, treated=0.5, control=0.5)
    assert power(complaints, guard, 20_000, 0.004) == pytest.approx(norm.sf(1.644854 - 0.004 / se), abs=1e-4)


def test_a_relative_margin_counts_the_controls_noise() -> None:
    n, se = 5_000, sqrt((1 + 1.2**2) * 0.0196 / 5_000)
    complaints = Setting(base=0.02, variance=0.0196, binary=True, treated=0.5, control=0.5)
    found = power(complaints, Test(alpha=0.05, sides=1, ratio=1.2), 2 * n, 0.004)
    assert found == pytest.approx(norm.sf(1.644854 - 0.004 / se), abs=1e-4)


def test_a_covariate_saves_units_as_its_square() -> None:
    adjusted = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5, rho=0.6)
    plain, saved = (units_needed(one, Test(alpha=0.05), 0.02, 0.8) for one in (HALVES, adjusted))
    assert plain is not None
    assert saved == pytest.approx(plain * (1 - 0.36), rel=1e-3)


def test_a_design_effect_multiplies_the_units() -> None:
    clusters = Clustering(size=10.0, cv=0.5, icc=0.05)
    assert clusters.design_effect == pytest.approx(1 + (10 * 1.25 - 1) * 0.05)
    whole = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5, clusters=clusters)
    plain, more = (units_needed(one, Test(alpha=0.05), 0.02, 0.8) for one in (HALVES, whole))
    assert plain is not None
    assert more == pytest.approx(plain * clusters.design_effect, rel=2e-3)


def test_few_clusters_cost_degrees_of_freedom() -> None:
    few = Setting(base=0.0, variance=1.0, treated=0.5, control=0.5, clusters=Clustering(size=100.0, icc=0.0))
    assert power(few, Test(alpha=0.05), 800, 0.2) < power(HALVES, Test(alpha=0.05), 800, 0.2) - 0.1
    assert power(few, Test(alpha=0.05), 400, 0.2) == 0.0, "two clusters in either arm tell nothing"


def test_what_a_rate_cannot_do_is_out_of_reach() -> None:
    assert units_needed(CHURN, Test(alpha=0.05), -0.2, 0.8) is None
    assert smallest_size(CHURN, Test(alpha=0.05), 10, 0.8, -1) is None
    assert smallest_size(CHURN, Test(alpha=0.05), 0, 0.8) is None
    assert units_needed(HALVES, Test(alpha=0.05), 1e-9, 0.8) is None, "more than MOST_UNITS"


@settings(max_examples=60, deadline=None)
@given(
    base=st.floats(0.02, 0.6),
    share=st.floats(0.05, 0.6),
    asked=st.floats(0.5, 0.97),
    icc=st.floats(0.0, 0.3),
    sides=st.sampled_from([1, 2]),
)
def test_sizes_and_units_are_the_powers_inverse(
    base: float, share: float, asked: float, icc: float, sides: int
) -> None:
    clusters = Clustering(size=3.0, cv=0.3, icc=icc)
    arms = Setting(base=base, variance=1.0, binary=True, treated=share, control=0.4, clusters=clusters)
    test = Test(alpha=0.02, sides=1 if sides == 1 else 2)
    size = smallest_size(arms, test, 20_000, asked)
    assert size is not None
    assert power(arms, test, 20_000, size) == pytest.approx(asked, abs=1e-6)
    units = units_needed(arms, test, size, asked)
    assert units is not None
    assert abs(units - 20_000) <= 1
    assert power(arms, test, units, size) >= asked - 1e-6 > power(arms, test, units - 2, size) - 1e-4


def _patterns(groups: list[list[float]], center: float) -> tuple[Moments, ClusterPatterns]:
    values = np.array([value for group in groups for value in group])
    sums = np.array([[0.0, sum(value - center for value in group)] for group in groups])
    cell = Moments(n=len(values), mean=np.array([values.mean()]), m2=np.array([[values.var() * len(values)]]))
    return cell, ClusterPatterns(
        clusters=np.ones(len(groups), dtype=np.int64),
        n_treated=np.zeros(len(groups), dtype=np.int64),
        n_control=np.array([len(group) for group in groups]),
        total=sums,
        cross=np.einsum("gi,gj->gij", sums, sums),
        center=np.array([center]),
        clusters_treated=0,
        clusters_control=len(groups),
    )


@pytest.mark.parametrize("center", [0.0, 3.5])
def test_the_correlation_is_that_of_the_analysis_of_variance(center: float) -> None:
    groups = [[1.0, 2.0, 1.5], [4.0, 5.0], [2.0, 3.0, 2.5, 3.5], [6.0]]
    sizes, values = np.array([len(g) for g in groups]), np.concatenate(groups)
    n, k = len(values), len(groups)
    between = sum(len(g) * (np.mean(g) - values.mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((np.array(g) - np.mean(g)) ** 2).sum() for g in groups) / (n - k)
    typical = (n - (sizes**2).sum() / n) / (k - 1)
    found = intra_cluster(*_patterns(groups, center))
    assert found is not None
    assert found.icc == pytest.approx((between - within) / (between + (typical - 1) * within), abs=CLOSE)
    assert found.size == pytest.approx(sizes.mean())
    assert found.cv == pytest.approx(sizes.std() / sizes.mean())


def test_correlations_that_do_not_exist() -> None:
    alike = intra_cluster(*_patterns([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]], 0.0))
    assert alike is not None
    assert alike.icc == 0.0, "below zero is told as zero"
    singles = intra_cluster(*_patterns([[1.0], [2.0], [5.0]], 0.0))
    assert singles == Clustering(size=1.0, cv=0.0, icc=0.0)
    assert intra_cluster(*_patterns([[1.0, 2.0]], 0.0)) is None


def test_a_planted_correlation_is_found() -> None:
    rng = np.random.default_rng(5)
    groups = [list(rng.normal(0, sqrt(0.2)) + rng.normal(0, sqrt(0.8), rng.integers(2, 9))) for _ in range(4_000)]
    found = intra_cluster(*_patterns(groups, 0.3))
    assert found is not None
    assert found.icc == pytest.approx(0.2, abs=0.02)
