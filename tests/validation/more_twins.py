"""Twins of what the other gaps leave out: relative effects, margins, adjusted degrees of freedom, splits, skewness."""

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from cxcausal.core.spec.models import Metric
from cxcausal.estimators.comparison import harm_p
from cxcausal.stats.difference import hc2
from cxcausal.stats.newcombe import RateDifference
from cxcausal.stats.proportions import srm_p
from cxcausal.stats.regression import common_slopes, lin
from cxcausal.stats.skewness import skewness
from tests.regression_twins import fits_of, interacted
from tests.twins import Values, moments_of

Generator = np.random.Generator


def _gap(found: tuple[float, ...], expected: tuple[float, ...]) -> float:
    one, two = np.array(found), np.array(expected)
    return float(np.max(np.abs(one - two) / np.maximum(np.abs(two), 1e-3)))


def _arms(rng: Generator) -> tuple[Values, Values]:
    return rng.gamma(2.0, 5.0, int(rng.integers(40, 200))), rng.gamma(2.0, 4.5, int(rng.integers(40, 200)))


def fieller_gap(rng: Generator) -> float:
    """Compare the relative effect with the roots of Fieller's quadratic, and its SE with the delta method on rows."""
    treated, control = _arms(rng)
    found = hc2(moments_of(treated), moments_of(control)).relative(0.95)
    assert found.point is not None
    assert found.se is not None
    assert found.interval is not None
    one, zero = treated.var(ddof=1) / len(treated), control.var(ddof=1) / len(control)
    squared = stats.t.ppf(0.975, stats.ttest_ind(treated, control, equal_var=False).df) ** 2
    mean, base = treated.mean(), control.mean()
    low, high = np.sort(np.roots([base**2 - squared * zero, -2 * mean * base, mean**2 - squared * one]).real) - 1
    own, others = treated / base, mean * control / base**2
    se = (own.var(ddof=1) / len(own) + others.var(ddof=1) / len(others)) ** 0.5
    told = (found.point, found.se, found.interval.low, found.interval.high)
    return _gap(told, (mean / base - 1, se, float(low), float(high)))


def ratio_of_rates_gap(rng: Generator) -> float:
    """Compare the ratio of small rates with the root at which Newcombe's limit of p₁ − r·p₀ meets zero."""
    n, m = (int(size) for size in rng.integers(80, 400, 2))
    x, y = (int(count) for count in rng.integers(6, 30, 2))
    found = RateDifference(events_treated=x, n_treated=n, events_control=y, n_control=m).relative(0.95).interval
    assert found is not None
    one, two = (stats.binomtest(k, size).proportion_ci(0.95, "wilson") for k, size in ((x, n), (y, m)))
    p, q = x / n, y / m

    def lower(r: float) -> float:
        return float(p - r * q - np.hypot(p - one.low, r * (two.high - q)))

    def upper(r: float) -> float:
        return float(p - r * q + np.hypot(one.high - p, r * (q - two.low)))

    # scipy's quantile and the product's agree to the last bits, so roots do to 1e-12
    expected = tuple(brentq(limit, 1e-9, 1e3, xtol=1e-14, rtol=1e-14) - 1 for limit in (lower, upper))
    return _gap((found.low, found.high), expected)


def margin_gap(rng: Generator) -> float:
    """Compare a guardrail's test at a relative margin with Welch's statistic of rescaled rows."""
    treated, control = _arms(rng)
    keys = {"name": "m", "type": "mean", "column": "x", "desired_direction": "increase", "margin": {"relative": 0.2}}
    rescaled = 0.8 * control
    se = (treated.var(ddof=1) / len(treated) + rescaled.var(ddof=1) / len(control)) ** 0.5
    df = stats.ttest_ind(treated, control, equal_var=False).df
    expected = float(stats.t.sf((treated.mean() - rescaled.mean()) / se, df))
    return _gap((harm_p(hc2(moments_of(treated), moments_of(control)), Metric.model_validate(keys)),), (expected,))


def adjusted_df_gap(rng: Generator) -> float:
    """Compare Lin's and common slopes' degrees of freedom with those counted from whole matrices."""
    n = int(rng.integers(200, 400))
    z, treated = rng.gamma(2.0, 3.0, (n, 2)), rng.random(n) < 0.4
    y = z @ rng.normal(size=2) + treated * (1 + z[:, 0]) + rng.normal(size=n)
    arm = np.where(treated, "t", "c")
    twin = interacted(y, arm, z, ["t", "c"])
    apart = twin.beta[2:4] - twin.beta[4:6]
    parts = np.array([twin.covariance[0, 0], twin.covariance[1, 1], apart @ np.cov(z, rowvar=False) @ apart / n])
    counted = np.array([treated.sum() - 3, n - treated.sum() - 3, n - 1])
    expected = float(parts.sum() ** 2 / np.sum(parts**2 / counted))
    common = common_slopes(fits_of(y, arm, z, ("a", "b"), contrast=("t", "c")), "t", "c").df
    return _gap((lin(fits_of(y, arm, z, ("a", "b")), "t", "c").df, common), (expected, n - 4.0))


def split_gap(rng: Generator) -> float:
    """Compare the split's p-value with scipy's chi-square test."""
    shares = rng.dirichlet(np.ones(4) * 5)
    counts = rng.multinomial(2_000, shares)
    return _gap((srm_p(counts.tolist(), shares.tolist()),), (float(stats.chisquare(counts, 2_000 * shares).pvalue),))


def skewness_gap(rng: Generator) -> float:
    """Compare the skewness of zeros and equal amounts with that of the rows."""
    rows = np.where(rng.random(1_000) < rng.uniform(0.002, 0.2), 7.0, 0.0)
    rows[0] = 7.0
    return _gap((skewness(moments_of(rows)),), (float(stats.skew(rows)),))


GAPS = {
    "relative effect by Fieller, SE by the delta method on rows": fieller_gap,
    "ratio of small rates, roots of Newcombe's limits": ratio_of_rates_gap,
    "guardrail at a relative margin, rescaled rows": margin_gap,
    "degrees of freedom of Lin's regression and of common slopes": adjusted_df_gap,
    "split, chi-square of scipy": split_gap,
    "skewness of events": skewness_gap,
}
