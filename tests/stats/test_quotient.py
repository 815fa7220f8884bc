"""The quotient of two differences against raw rows: its variance, its set, and when it has one."""

import numpy as np
import pytest
from scipy import stats as reference

from cxcausal.core.answers import ClusterPatterns, Moments
from cxcausal.stats.difference import hc2
from cxcausal.stats.quotient import ABOVE, Patterns, Quotient, part_of, part_of_patterns, quotient
from tests.twins import Values, cluster_patterns_of, full_cr2, moments_of

EXACT = 1e-9
SEEDS = range(8)


def world(seed: int, n: int = 300, reach: float = 0.5, always: float = 0.1) -> tuple[Values, Values, Values]:
    """Return outcome, delivery and assignment, each by customer."""
    rng = np.random.default_rng(seed)
    z = (rng.random(n) < 0.4).astype(float)
    kind = rng.random(n)
    d = ((kind < always) | ((kind < always + reach) & (z == 1))).astype(float)
    return rng.gamma(2.0, 2.0, n) + 1.5 * d + 2.0 * kind, d, z


def cells(y: Values, d: Values, z: Values) -> tuple[Moments, Moments]:
    return moments_of(y[z == 1], d[z == 1]), moments_of(y[z == 0], d[z == 0])


def found(y: Values, d: Values, z: Values) -> Quotient:
    one = quotient(*cells(y, d, z), {})
    assert one is not None
    return one


def welch(values: Values, z: Values) -> tuple[float, float]:
    """Return the difference in means and its squared standard error."""
    one, two = values[z == 1], values[z == 0]
    return float(one.mean() - two.mean()), float(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quotient_is_two_stage_least_squares(seed: int) -> None:
    y, d, z = world(seed)
    one = found(y, d, z)
    instruments, regressors = np.column_stack([np.ones_like(z), z]), np.column_stack([np.ones_like(d), d])
    beta = np.linalg.solve(instruments.T @ regressors, instruments.T @ y)
    assert one.point == pytest.approx(beta[1], rel=EXACT)
    _, variance = welch(y - beta[1] * d, z)
    assert one.se == pytest.approx(np.sqrt(variance) / abs(welch(d, z)[0]), rel=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("value", [-3.0, 0.0, 0.7, 12.0])
def test_every_value_is_tested_as_on_raw_rows(seed: int, value: float) -> None:
    y, d, z = world(seed)
    difference, variance = welch(y - value * d, z)
    assert found(y, d, z).statistic(value) == pytest.approx(difference / np.sqrt(variance), rel=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_set_is_what_a_grid_of_tests_leaves(seed: int, level: float) -> None:
    y, d, z = world(seed)
    one = found(y, d, z)
    limits = one.interval(level)
    assert limits is not None
    df = reference.ttest_ind(y[z == 1], y[z == 0], equal_var=False).df
    bound = reference.t.ppf((1 + level) / 2, df)
    for value in np.linspace(limits.low - 5, limits.high + 5, 401):
        difference, variance = welch(y - value * d, z)
        assert (abs(difference) <= bound * np.sqrt(variance)) == (limits.low <= value <= limits.high)
    for end in (limits.low, limits.high):
        difference, variance = welch(y - end * d, z)
        assert abs(difference) / np.sqrt(variance) == pytest.approx(bound, rel=1e-7)


@pytest.mark.parametrize("seed", range(200))
def test_the_set_excludes_zero_exactly_when_the_effect_of_being_assigned_does(seed: int) -> None:
    y, d, z = world(seed, n=80)
    one = found(y, d, z)
    itt = hc2(*(moments_of(y[z == arm]) for arm in (1, 0)))
    # At the level of its own p-value, a hair to either side.
    for nudge in (1e-6, -1e-6):
        level = 1 - itt.p * (1 + nudge)
        ours, theirs = one.interval(level), itt.interval(level)
        if ours is not None:
            assert (ours.low > 0 or ours.high < 0) == (theirs.low > 0 or theirs.high < 0) == (nudge > 0)
    assert one.p == pytest.approx(itt.p, rel=EXACT)


@pytest.mark.parametrize("seed", range(60))
def test_the_set_has_two_ends_exactly_when_delivery_is_told_from_none(seed: int) -> None:
    y, d, z = world(seed, n=60, reach=0.2)
    one = found(y, d, z)
    limits = one.interval(0.95)
    bound = reference.t.ppf(0.975, one.df)
    difference, variance = welch(d, z)
    assert (limits is not None) == (abs(difference) > bound * np.sqrt(variance))
    far = [abs(one.statistic(side * 1e9)) <= bound for side in (-1, 1)]
    assert any(far) == (limits is None)
    if difference:  # never empty: at its own point the distance is zero
        assert one.statistic(one.point) == pytest.approx(0.0, abs=1e-6)
        assert limits is None or limits.low <= one.point <= limits.high


def test_with_everybody_reached_it_is_the_effect_of_being_assigned() -> None:
    y, _, z = world(1)
    one, itt = found(y, z, z), hc2(*(moments_of(y[z == arm]) for arm in (1, 0)))
    ours, theirs = one.interval(0.95), itt.interval(0.95)
    assert ours is not None
    assert (one.point, one.se, ours.low, ours.high) == pytest.approx((itt.point, itt.se, theirs.low, theirs.high))


def clustered_world(seed: int, *, nested: bool) -> tuple[Values, Values, Values, Values]:
    rng = np.random.default_rng(seed)
    y, d, z = world(seed, n=500)
    cluster = rng.integers(0, 30, 500)
    if nested:
        z = (rng.random(30) < 0.5)[cluster].astype(float)
        d = ((rng.random(500) < 0.6) & (z == 1)).astype(float)
    return y + rng.normal(size=30)[cluster], d, z, cluster


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("nested", [True, False])
def test_with_clusters_every_value_is_tested_as_by_the_full_matrices(seed: int, *, nested: bool) -> None:
    y, d, z, cluster = clustered_world(seed, nested=nested)
    patterns: Patterns = {("g",): cluster_patterns_of(y, z, cluster, d)}
    one = quotient(*cells(y, d, z), patterns)
    assert one is not None
    design, contrast = np.column_stack([z, 1 - z]), np.array([1.0, -1.0])
    for value in (0.0, 1.0, -4.0, 9.0):
        full = full_cr2(design, y - value * d, cluster, contrast)
        t = contrast @ full.beta / np.sqrt(contrast @ full.covariance @ contrast)
        assert one.statistic(value) == pytest.approx(t, rel=EXACT)
        assert one.df == pytest.approx(full.df, rel=EXACT)


def test_over_several_cluster_names_the_covariance_follows_the_same_sum() -> None:
    y, d, z, cluster = clustered_world(3, nested=False)
    agent = np.random.default_rng(9).integers(0, 25, 500)
    both = cluster * 1000 + agent
    names = {("g",): cluster, ("a",): agent, ("g", "a"): both}
    one = quotient(*cells(y, d, z), {name: cluster_patterns_of(y, z, ids, d) for name, ids in names.items()})
    assert one is not None
    design, contrast = np.column_stack([z, 1 - z]), np.array([1.0, -1.0])
    fits = {name: full_cr2(design, y - 2.0 * d, ids, contrast) for name, ids in names.items()}
    variance = sum((-1) ** (len(name) + 1) * contrast @ fit.covariance @ contrast for name, fit in fits.items())
    beta = contrast @ fits["g",].beta
    assert one.statistic(2.0) == pytest.approx(beta / np.sqrt(variance), rel=EXACT)


def test_variances_that_do_not_agree_give_no_quotient() -> None:
    y, d, z, _ = clustered_world(3, nested=False)
    rng = np.random.default_rng(2)
    # Two names that cross like a chessboard, with sums that vanish along either: nothing is left of the variance.
    rows, columns = np.arange(500) % 4, np.arange(500) // 4 % 4
    y = np.where((rows + columns) % 2, 1.0, -1.0) + 1e-3 * rng.normal(size=500)
    z = (rng.random(500) < 0.5).astype(float)
    names = {("r",): rows, ("c",): columns, ("r", "c"): rows * 10 + columns}
    patterns = {name: cluster_patterns_of(y, z, ids, d) for name, ids in names.items()}
    assert quotient(*cells(y, d, z), patterns) is None


def test_a_part_is_what_the_sum_of_columns_gives() -> None:
    y, d, z, cluster = clustered_world(5, nested=False)
    joint, alone = moments_of(y, d), moments_of(y)
    part = part_of(joint, ABOVE)
    assert (part.n, part.events, part.low, part.high) == (alone.n, alone.events, alone.low, alone.high)
    assert part.mean[0] == pytest.approx(alone.mean[0], rel=EXACT)
    wanted: ClusterPatterns = cluster_patterns_of(y - 2 * d, z, cluster)
    ours = part_of_patterns(cluster_patterns_of(y, z, cluster, d), (1.0, -2.0))
    assert ours.total == pytest.approx(wanted.total, abs=1e-9)
    assert ours.cross == pytest.approx(wanted.cross, abs=1e-8)
