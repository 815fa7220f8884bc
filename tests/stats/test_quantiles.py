from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from cxcausal.core.answers import ClusterPatterns, OrderStatistics
from cxcausal.core.ranks import quantile_rank
from cxcausal.stats.quantiles import TOO_FEW, arm_quantile, does_not_vary, quantile_difference
from tests.quantile_twins import Values, arm_limits, every_rank, grid_of, mover, sample_quantile
from tests.twins import cluster_patterns_of, full_cr2

EXACT = 1e-9
Z95 = float(stats.norm.isf(0.025))
QUANTILES = (0.1, 0.5, 0.9)


def _draw(seed: int, kind: str) -> tuple[Values, Values]:
    rng = np.random.default_rng(seed)
    if kind == "smooth":
        return rng.lognormal(3, 1, 90), rng.lognormal(3, 1, 120)
    if kind == "scores":
        return rng.integers(1, 6, 90) + 0.0, rng.integers(1, 6, 120) + 0.0
    return (np.where(rng.random(n) < 0.45, 0.0, rng.gamma(2, 9, n).round(1)) for n in (90, 120))  # type: ignore[return-value]


@pytest.mark.parametrize("q", QUANTILES)
@pytest.mark.parametrize("kind", ["smooth", "scores", "spend"])
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_the_twins(seed: int, kind: str, q: float) -> None:
    treated, control = _draw(seed, kind)
    found = quantile_difference(every_rank(treated), every_rank(control), q)
    assert found.mean_treated == sample_quantile(treated, q)
    assert found.mean_control == sample_quantile(control, q)
    for level in (0.8, 0.95, 0.99):
        limits = found.interval(level)
        expected = mover(treated, control, q, float(stats.norm.isf((1 - level) / 2)))
        assert (limits.low, limits.high) == pytest.approx(expected, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("q", QUANTILES)
def test_one_arms_limits_are_the_twins(q: float) -> None:
    treated, _ = _draw(5, "smooth")
    arm = arm_quantile(every_rank(treated), q)
    assert (arm.low(Z95), arm.high(Z95)) == pytest.approx(arm_limits(treated, q, Z95), rel=EXACT)


@pytest.mark.parametrize("kind", ["smooth", "scores", "spend"])
@pytest.mark.parametrize("q", QUANTILES)
def test_p_and_interval_agree(q: float, kind: str) -> None:
    treated, control = _draw(11, kind)
    found = quantile_difference(every_rank(treated + 1), every_rank(control), q)
    assert 0 < found.p <= 1
    assert found.p == pytest.approx(min(1.0, 2 * min(found.p_above(), found.p_below())))
    for p in (found.p * 0.99, min(found.p * 1.01, 0.9999)):
        limits = found.interval(1 - p)
        excludes = limits.low > 0 or limits.high < 0
        assert excludes == (p > found.p) or found.p > 0.99


@pytest.mark.parametrize("seed", range(5))
def test_levels_nest_and_margins_shift(seed: int) -> None:
    treated, control = _draw(seed, "spend")
    found = quantile_difference(every_rank(treated), every_rank(control), 0.9)
    limits = [found.interval(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99)]
    assert all(wide.low <= narrow.low and narrow.high <= wide.high for narrow, wide in pairwise(limits))
    tails = [found.p_above(null) for null in (-30.0, -10.0, 0.0, 10.0)]
    assert tails == sorted(tails)


@pytest.mark.parametrize("kind", ["smooth", "scores", "spend"])
@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_excludes_one_when_the_difference_excludes_zero(seed: int, kind: str) -> None:
    treated, control = _draw(seed, kind)
    found = quantile_difference(every_rank(treated + seed), every_rank(control), 0.75)
    told, limits = found.relative(0.95), found.interval(0.95)
    assert told.interval is not None
    assert told.point == pytest.approx(found.mean_treated / found.mean_control - 1)
    assert told.interval.low <= told.point <= told.interval.high  # type: ignore[operator]
    assert (told.interval.low > 0, told.interval.high < 0) == (limits.low > 0, limits.high < 0)


def test_the_ratio_solves_its_equation_also_below_zero() -> None:
    treated, control = _draw(3, "smooth")
    for shift in (0.0, -25.0, -80.0):
        found = quantile_difference(every_rank(treated + shift), every_rank(control + 20), 0.5)
        told = found.relative(0.95)
        assert told.interval is not None
        for end, side in ((told.interval.low, -1), (told.interval.high, 1)):
            assert found._limit(Z95, 1 + end, side=side) == pytest.approx(0, abs=1e-9)


def test_a_ratio_needs_a_control_above_zero() -> None:
    treated, control = _draw(3, "smooth")
    below = quantile_difference(every_rank(treated), every_rank(control - 500), 0.5)
    assert "control quantile above zero" in str(below.relative(0.95).reason)
    unsure = quantile_difference(every_rank(treated), every_rank(control - np.quantile(control, 0.49)), 0.5)
    assert "too uncertain" in str(unsure.relative(0.95).reason)


def test_a_small_arm_has_no_limits_at_a_high_level() -> None:
    rng = np.random.default_rng(1)
    found = quantile_difference(every_rank(rng.normal(size=12)), every_rank(rng.normal(size=400)), 0.9)
    assert np.isinf(found.interval(0.95).high)
    assert np.isfinite(found.interval(0.3).high)
    above = quantile_difference(every_rank(rng.normal(9, 1, 12)), every_rank(rng.normal(9, 1, 12)), 0.9)
    assert above.relative(0.95).reason == TOO_FEW


def test_ties_that_leave_nothing_to_see_are_told() -> None:
    zeros = np.concatenate([np.zeros(800), np.arange(1.0, 201.0)])
    same = quantile_difference(grid_of(zeros, 0.5), grid_of(zeros, 0.5), 0.5)
    assert does_not_vary(same)
    moved = quantile_difference(grid_of(zeros + 1, 0.5), grid_of(zeros, 0.5), 0.5)
    assert not does_not_vary(moved)
    assert (moved.point, moved.interval(0.95).low, moved.interval(0.95).high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95])
def test_the_grid_loses_little(q: float) -> None:
    rng = np.random.default_rng(4)
    treated, control = rng.lognormal(size=20_000), rng.lognormal(size=30_000)
    every = quantile_difference(every_rank(treated), every_rank(control), q).interval(0.95)
    thin = quantile_difference(grid_of(treated, q), grid_of(control, q), q).interval(0.95)
    assert thin.low == pytest.approx(every.low, abs=0.05 * (every.high - every.low))
    assert thin.high == pytest.approx(every.high, abs=0.05 * (every.high - every.low))


def test_units_and_swapped_arms_change_nothing_else() -> None:
    treated, control = _draw(8, "spend")
    plain = quantile_difference(every_rank(treated), every_rank(control), 0.9)
    large = quantile_difference(every_rank(100 * treated), every_rank(100 * control), 0.9)
    swapped = quantile_difference(every_rank(control), every_rank(treated), 0.9)
    limits, mirrored = plain.interval(0.95), swapped.interval(0.95)
    assert large.interval(0.95).low == pytest.approx(100 * limits.low, rel=1e-10)
    assert large.p == pytest.approx(plain.p, rel=1e-10)
    assert (mirrored.low, mirrored.high) == pytest.approx((-limits.high, -limits.low), rel=1e-10)
    assert swapped.p == pytest.approx(plain.p, rel=1e-10)


def test_clusters_widen_by_the_design_effect_of_the_share_above() -> None:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(60), 20)
    treated = (cluster % 2).astype(float)
    values = rng.normal(size=60)[cluster] + rng.normal(size=len(cluster))
    cuts = {arm: sample_quantile(values[treated == arm], 0.75) for arm in (0.0, 1.0)}
    share = np.array([value >= cuts[arm] for value, arm in zip(values, treated, strict=True)]).astype(float)
    one, two = (every_rank(values[treated == arm]) for arm in (1.0, 0.0))
    patterns: dict[tuple[str, ...], ClusterPatterns] = {("g",): cluster_patterns_of(share, treated, cluster)}
    found = quantile_difference(one, two, 0.75, [patterns])
    full = full_cr2(np.column_stack([treated, 1 - treated]), share, cluster, np.array([1.0, -1.0]))
    rates = [share[treated == arm].mean() for arm in (1.0, 0.0)]
    alone = sum(rate * (1 - rate) / 600 for rate in rates)
    variance = full.covariance[0, 0] + full.covariance[1, 1] - 2 * full.covariance[0, 1]
    assert found.spread == pytest.approx(np.sqrt(variance / alone), rel=EXACT)
    assert found.df == pytest.approx(full.df, rel=EXACT)
    z = stats.t.isf(0.025, full.df) * found.spread
    limits = mover(values[treated == 1], values[treated == 0], 0.75, float(z))
    assert (found.interval(0.95).low, found.interval(0.95).high) == pytest.approx(limits, rel=EXACT)


def test_ranks_are_those_of_exact_arithmetic() -> None:
    for n in (1, 2, 7, 10, 100, 1000):
        for tenths in range(1, 10):
            assert quantile_rank(n, tenths / 10) == max(-(-n * tenths // 10), 1)
    cell = OrderStatistics(n=3, ranks=np.array([1, 2, 3]), values=np.array([1.0, 2.0, 3.0]))
    assert arm_quantile(cell, 0.5).point == 2.0


def test_the_larger_design_effect_of_the_two_shares_counts() -> None:
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(40), 10)
    treated = (cluster % 2).astype(float)
    scores = np.clip(np.round(3 + rng.normal(size=40)[cluster] + rng.normal(size=400)), 1, 5)
    arms = [every_rank(scores[treated == arm]) for arm in (1.0, 0.0)]
    at_least, above = (
        {("g",): cluster_patterns_of(share.astype(float), treated, cluster)} for share in (scores >= 4, scores > 4)
    )
    spreads = [quantile_difference(arms[0], arms[1], 0.75, [one]).spread for one in (at_least, above)]  # type: ignore[list-item]
    for order in ([at_least, above], [above, at_least]):
        assert quantile_difference(arms[0], arms[1], 0.75, order).spread == max(spreads)  # type: ignore[arg-type]
    assert spreads[0] != spreads[1]
