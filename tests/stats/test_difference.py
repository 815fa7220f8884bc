"""Differences in means against rows, against statsmodels, and under transformations that must not matter."""

import math
from typing import Literal

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from cxcausal.core.answers import Moments
from cxcausal.stats.difference import NO_BASE, UNBOUNDED, Difference, hc2, pooled, quantile
from cxcausal.stats.moments import linearise, merge
from tests.twins import Values, moments_of

EXACT = 1e-9
samples = st.lists(st.floats(-1e3, 1e3, allow_nan=False, width=32), min_size=3, max_size=30).map(np.array)


def _arms(seed: int, n_treated: int = 41, n_control: int = 67) -> tuple[Values, Values]:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, 3.0, n_treated), rng.gamma(1.5, 4.0, n_control)


@pytest.mark.parametrize("seed", range(5))
def test_hc2_is_the_regression_of_statsmodels(seed: int) -> None:
    treated, control = _arms(seed)
    design = sm.add_constant(np.repeat([1.0, 0.0], [len(treated), len(control)]))
    fit = sm.OLS(np.concatenate([treated, control]), design).fit(cov_type="HC2")
    found = hc2(moments_of(treated), moments_of(control))
    assert found.point == pytest.approx(fit.params[1], rel=EXACT)
    assert found.se == pytest.approx(fit.bse[1], rel=EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_welch_is_that_of_scipy(seed: int) -> None:
    treated, control = _arms(seed)
    found = hc2(moments_of(treated), moments_of(control))
    welch = reference.ttest_ind(treated, control, equal_var=False)
    limits = welch.confidence_interval(0.9)
    assert found.p == pytest.approx(welch.pvalue, rel=EXACT)
    assert found.df == pytest.approx(welch.df, rel=EXACT)
    assert (found.interval(0.9).low, found.interval(0.9).high) == pytest.approx((limits.low, limits.high), rel=EXACT)


@pytest.mark.parametrize(("null", "side"), [(-1.0, "greater"), (0.7, "greater"), (0.7, "less")])
def test_one_sided_p_at_a_shifted_null_is_that_of_scipy(null: float, side: Literal["greater", "less"]) -> None:
    treated, control = _arms(1)
    found = hc2(moments_of(treated), moments_of(control))
    expected = reference.ttest_ind(treated - null, control, equal_var=False, alternative=side).pvalue
    assert (found.p_above(null) if side == "greater" else found.p_below(null)) == pytest.approx(expected, rel=EXACT)


def test_pooled_is_students_test() -> None:
    treated, control = _arms(2)
    found = pooled(moments_of(treated), moments_of(control))
    student = reference.ttest_ind(treated, control)
    assert (found.p, found.df) == pytest.approx((student.pvalue, student.df), rel=EXACT)


def test_a_ratio_is_the_delta_method_on_rows() -> None:
    rng = np.random.default_rng(3)
    orders = rng.poisson(2.0, 80) + 1.0
    revenue = orders * rng.gamma(3.0, 10.0, 80)
    ratio = revenue.mean() / orders.mean()
    influence = (revenue - ratio * orders) / orders.mean()
    found = linearise(moments_of(revenue, orders))
    assert found.point == pytest.approx(ratio, rel=EXACT)
    assert found.variance == pytest.approx(influence.var(ddof=1) / 80, rel=EXACT)


def test_a_ratio_with_constant_denominator_is_a_mean() -> None:
    treated, _ = _arms(4)
    one, two = linearise(moments_of(treated, np.ones_like(treated))), linearise(moments_of(treated))
    assert (one.point, one.variance) == pytest.approx((two.point, two.variance), rel=EXACT)


@pytest.mark.parametrize("df", [1.2, 7.5, 200.0, 1e7])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_those_of_scipy(df: float, level: float) -> None:
    assert quantile(level, df) == pytest.approx(reference.t.ppf(0.5 + level / 2, df), rel=EXACT)


def test_fieller_limits_are_where_the_ratio_is_just_rejected() -> None:
    treated, control = _arms(5)
    found = hc2(moments_of(treated), moments_of(control))
    limits = found.relative(0.95).interval
    assert limits is not None
    assert found.p_above(0.0, 1 + limits.low) == pytest.approx(0.025, rel=1e-7)
    assert found.p_below(0.0, 1 + limits.high) == pytest.approx(0.025, rel=1e-7)


def test_the_delta_se_of_the_ratio_is_the_spread_of_draws() -> None:
    rng = np.random.default_rng(6)
    found = Difference(mean_treated=5.5, mean_control=5.0, var_treated=4e-4, var_control=9e-4, covariance=2e-4, df=1e6)
    draws = rng.multivariate_normal([5.5, 5.0], [[4e-4, 2e-4], [2e-4, 9e-4]], 200_000)
    assert found.relative(0.95).se == pytest.approx(np.std(draws[:, 0] / draws[:, 1]), rel=0.01)


@given(
    mean_treated=st.floats(-5, 5),
    mean_control=st.floats(0.01, 5),
    variances=st.tuples(st.floats(1e-3, 1), st.floats(1e-3, 1), st.floats(-0.9, 0.9)),
    level=st.floats(0.5, 0.999),
)
def test_relative_and_absolute_agree_on_whether_there_is_an_effect(
    mean_treated: float, mean_control: float, variances: tuple[float, float, float], level: float
) -> None:
    one, two, correlation = variances
    found = Difference(
        mean_treated=mean_treated,
        mean_control=mean_control,
        var_treated=one,
        var_control=two,
        covariance=correlation * math.sqrt(one * two),
        df=12.0,
    )
    told = found.relative(level)
    if told.interval is None:
        assert told.reason == UNBOUNDED
        assert mean_control**2 <= quantile(level, 12.0) ** 2 * two
        return
    absolute, relative = found.interval(level), told.interval
    assert told.point is not None
    assert relative.low - 1e-9 <= told.point <= relative.high + 1e-9
    assert (absolute.low > 0, absolute.high < 0) == (relative.low > 0, relative.high < 0)


@pytest.mark.parametrize("base", [0.0, -2.0, 4e-17])
def test_no_relative_effect_without_a_positive_base(base: float) -> None:
    found = Difference(mean_treated=1.0, mean_control=base, var_treated=0.1, var_control=0.1, df=50.0)
    assert found.relative(0.95).reason == NO_BASE
    assert found.relative(0.95).point is None


@given(treated=samples, control=samples)
def test_swapped_arms_mirror_everything(treated: Values, control: Values) -> None:
    one, two = hc2(moments_of(treated), moments_of(control)), hc2(moments_of(control), moments_of(treated))
    assert (one.point, one.se, one.df, one.p) == (-two.point, two.se, two.df, two.p)
    assert one.interval(0.95).low == -two.interval(0.95).high


@given(treated=samples, control=samples, scale=st.sampled_from([100.0, 0.01]), shift=st.floats(-50, 50))
def test_scaling_scales_and_shifting_cancels(treated: Values, control: Values, scale: float, shift: float) -> None:
    plain = hc2(moments_of(treated), moments_of(control))
    moved = hc2(moments_of(treated * scale + shift), moments_of(control * scale + shift))
    size = scale * (1 + np.abs(np.concatenate([treated, control])).max()) + abs(shift)
    assert moved.point == pytest.approx(plain.point * scale, abs=1e-10 * size)
    assert moved.se == pytest.approx(plain.se * scale, rel=1e-6, abs=1e-10 * size)


@given(values=samples, cut=st.integers(0, 30))
def test_merging_chunks_is_the_whole(values: Values, cut: int) -> None:
    whole, merged = moments_of(values), merge([moments_of(values[:cut]), moments_of(values[cut:])])
    assert (merged.n, merged.events, merged.low, merged.high) == (whole.n, whole.events, whole.low, whole.high)
    assert merged.mean == pytest.approx(whole.mean, rel=1e-10, abs=1e-8)
    assert merged.m2 == pytest.approx(whole.m2, rel=1e-10, abs=1e-6)


def test_merging_keeps_precision_far_from_zero() -> None:
    values = 1e9 + np.random.default_rng(7).normal(size=900)
    merged = merge([moments_of(chunk) for chunk in np.array_split(values, 30)])
    assert float(merged.m2[0, 0]) == pytest.approx(899 * np.var(values - 1e9, ddof=1), rel=1e-7)


def test_merging_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge([])


def test_two_cells_without_units_stay_empty() -> None:
    assert merge([moments_of(np.array([])), moments_of(np.array([]))]).n == 0


def test_no_spread_gives_certainty() -> None:
    flat = Moments(n=5, mean=np.array([2.0]), m2=np.array([[0.0]]))
    assert hc2(flat, flat).p == 1.0
    assert hc2(flat, Moments(n=5, mean=np.array([1.0]), m2=np.array([[0.0]]))).p == 0.0
