"""CR2 and its degrees of freedom against n × n matrices: nested and crossing clusters, ratios, several names."""

from itertools import combinations

import numpy as np
import pytest

from cxcausal.core.answers import ClusterPatterns
from cxcausal.stats.cluster import clustered, cr2, multiway, too_few_clusters
from cxcausal.stats.difference import hc2
from tests.twins import FullFit, Values, cluster_patterns_of, full_cr2, moments_of

EXACT = 1e-9
CONTRAST = np.array([1.0, -1.0])


def _world(seed: int, clusters: int, *, nested: bool, n: int = 600) -> tuple[Values, Values, Values]:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    treated = (rng.random(clusters) < 0.4)[cluster] if nested else rng.random(n) < 0.4
    outcome = rng.normal(size=clusters)[cluster] + rng.gamma(2.0, 1.0, n) + 0.3 * treated
    return outcome, treated.astype(float), cluster


def _full(outcome: Values, treated: Values, cluster: Values) -> FullFit:
    return full_cr2(np.column_stack([treated, 1 - treated]), outcome, cluster, CONTRAST)


@pytest.mark.parametrize("clusters", [20, 200])
@pytest.mark.parametrize("nested", [True, False])
def test_cr2_is_the_full_matrix(clusters: int, nested: bool) -> None:  # noqa: FBT001 - a parameter of the test
    outcome, treated, cluster = _world(clusters, clusters, nested=nested)
    full = _full(outcome, treated, cluster)
    found = clustered(cluster_patterns_of(outcome, treated, cluster))
    assert found.point == pytest.approx(CONTRAST @ full.beta, rel=EXACT)
    assert found.se**2 == pytest.approx(CONTRAST @ full.covariance @ CONTRAST, rel=EXACT)
    assert found.df == pytest.approx(full.df, rel=EXACT)
    parts = (found.var_treated, found.var_control, found.covariance)
    expected = (full.covariance[0, 0], full.covariance[1, 1], full.covariance[0, 1])
    assert parts == pytest.approx(expected, rel=EXACT, abs=1e-14)


@pytest.mark.parametrize("nested", [True, False])
def test_the_contrast_does_not_depend_on_the_parametrisation(nested: bool) -> None:  # noqa: FBT001 - as above
    outcome, treated, cluster = _world(3, 20, nested=nested)
    full = full_cr2(np.column_stack([np.ones_like(treated), treated]), outcome, cluster, np.array([0.0, 1.0]))
    found = clustered(cluster_patterns_of(outcome, treated, cluster))
    assert (found.se, found.df) == pytest.approx((full.covariance[1, 1] ** 0.5, full.df), rel=EXACT)


@pytest.mark.parametrize("nested", [True, False])
def test_a_ratio_is_linearised_at_the_estimate(nested: bool) -> None:  # noqa: FBT001 - as above
    revenue, treated, cluster = _world(4, 20, nested=nested)
    orders = np.random.default_rng(5).poisson(2.0, len(revenue)) + 1.0
    linear = np.empty_like(revenue)
    ratios = []
    for arm in (1, 0):
        own = treated == arm
        ratios.append(revenue[own].mean() / orders[own].mean())
        linear[own] = (revenue[own] - ratios[-1] * orders[own]) / orders[own].mean()
    full = _full(linear, treated, cluster)
    found = clustered(cluster_patterns_of(revenue, treated, cluster, orders))
    assert found.point == pytest.approx(ratios[0] - ratios[1], rel=EXACT)
    assert (found.se**2, found.df) == pytest.approx((CONTRAST @ full.covariance @ CONTRAST, full.df), rel=EXACT)


def test_the_general_form_handles_any_design() -> None:
    rng = np.random.default_rng(6)
    outcome, treated, cluster = _world(6, 25, nested=True, n=250)
    design = np.column_stack([np.ones(250), treated, rng.normal(size=(250, 2)), treated * rng.normal(size=250)])
    contrast = np.array([0.0, 1.0, 0.0, 0.0, 0.5])
    full = full_cr2(design, outcome, cluster, contrast)
    residual = outcome - design @ full.beta
    groups = [cluster == name for name in np.unique(cluster)]
    grams = np.array([design[own].T @ design[own] for own in groups])
    scores = [design[own].T @ residual[own] for own in groups]
    found = cr2(grams, np.array([np.outer(s, s) for s in scores]), np.ones(len(groups), dtype=np.int64), contrast)
    assert found.covariance == pytest.approx(full.covariance, rel=1e-8, abs=1e-12)
    assert found.df == pytest.approx(full.df, rel=EXACT)


def test_a_cluster_that_is_a_whole_arm_takes_the_pseudo_inverse() -> None:
    rng = np.random.default_rng(7)
    cluster = np.concatenate([np.zeros(15), rng.integers(1, 8, 45)])
    treated = (cluster == 0).astype(float)
    outcome = rng.normal(size=60)
    patterns = cluster_patterns_of(outcome, treated, cluster)
    full = _full(outcome, treated, cluster)
    found = clustered(patterns)
    assert too_few_clusters(patterns)
    assert (found.se**2, found.df) == pytest.approx((CONTRAST @ full.covariance @ CONTRAST, full.df), rel=EXACT)


def test_clusters_of_one_unit_are_hc2() -> None:
    outcome, treated, _ = _world(8, 10, nested=False, n=90)
    found = clustered(cluster_patterns_of(outcome, treated, np.arange(90)))
    plain = hc2(moments_of(outcome[treated == 1]), moments_of(outcome[treated == 0]))
    assert (found.point, found.se) == pytest.approx((plain.point, plain.se), rel=EXACT)


def _patterns(outcome: Values, treated: Values, columns: dict[str, Values]) -> dict[tuple[str, ...], ClusterPatterns]:
    found = {}
    for size in range(1, len(columns) + 1):
        for names in combinations(columns, size):
            rows = np.column_stack([columns[name] for name in names])
            cluster = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
            found[names] = cluster_patterns_of(outcome, treated, cluster)
    return found


def test_two_names_are_inclusion_and_exclusion() -> None:
    rng = np.random.default_rng(9)
    outcome, treated, agent = _world(9, 20, nested=False)
    household = rng.integers(0, 200, len(outcome))
    outcome = outcome + rng.normal(size=200)[household]
    both = agent * 1000 + household
    fulls = [_full(outcome, treated, cluster) for cluster in (agent, household, both)]
    one, two, cross = (CONTRAST @ full.covariance @ CONTRAST for full in fulls)
    found = multiway(_patterns(outcome, treated, {"agent": agent, "household": household}))
    assert found.se**2 == pytest.approx(one + two - cross, rel=EXACT)
    assert found.df == pytest.approx(min(fulls[0].df, fulls[1].df), rel=EXACT)
    assert found.note is None


def test_three_names_that_are_one_give_that_one() -> None:
    outcome, treated, cluster = _world(10, 20, nested=True)
    found = multiway(_patterns(outcome, treated, {"a": cluster, "b": cluster, "c": cluster}))
    assert found.se == pytest.approx(clustered(cluster_patterns_of(outcome, treated, cluster)).se, rel=EXACT)


def test_a_negative_variance_falls_back_to_the_largest_and_says_so() -> None:
    """Sums that cancel within rows and within columns, but not within cells."""
    cell = np.array([[1.0, -1.0], [-1.0, 1.0]])
    rows, columns = (index.ravel().repeat(2) for index in np.indices((8, 8)))
    treated = (rows % 4 < 2).astype(float)
    outcome = np.tile(cell, (4, 4)).ravel().repeat(2) + 1e-3 * rows
    patterns = _patterns(outcome, treated, {"row": rows, "column": columns})
    singles = [clustered(patterns[(name,)]) for name in ("row", "column")]
    found = multiway(patterns)
    assert found.se == max(single.se for single in singles)
    assert found.note is not None
    assert "not positive" in found.note


def test_permuted_clusters_change_nothing() -> None:
    outcome, treated, cluster = _world(11, 20, nested=True)
    order = np.random.default_rng(12).permutation(len(outcome))
    one = clustered(cluster_patterns_of(outcome, treated, cluster))
    two = clustered(cluster_patterns_of(outcome[order], treated[order], (cluster[order] * 7 + 3) % 1009))
    assert (one.point, one.se, one.df) == pytest.approx((two.point, two.se, two.df), rel=1e-10)


def test_a_single_cluster_in_an_arm_is_too_few() -> None:
    outcome, treated, _ = _world(13, 20, nested=True, n=50)
    assert too_few_clusters(cluster_patterns_of(outcome, treated, treated))
    assert not too_few_clusters(cluster_patterns_of(outcome, treated, np.arange(50) // 2))
