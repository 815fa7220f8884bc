"""Adjustment with clusters against n × n matrices: nested, spanning and crossing clusters, two and three arms."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from cxcausal.core.answers import ClusterSums
from cxcausal.stats import cluster_roots
from cxcausal.stats.cluster_regression import Adjusted, common_slopes, difference, lin, why_not_adjusted, why_not_told
from cxcausal.stats.difference import Difference
from tests.cluster_regression_twins import Full, Sample, full_common, full_lin, full_multiway

EXACT = 1e-9
BRANCH = ("branch",)


def sample(seed: int, clusters: int = 20, *, nested: bool, k: int = 2, arms: int = 2, n: int = 400) -> Sample:
    """Return rows whose slopes differ between the arms, with one covariate of the cluster."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    names = np.array(["c", "t", "u"])[:arms]
    arm = names[rng.permutation(clusters) % arms][cluster] if nested else rng.choice(names, n)
    x = rng.normal(size=(n, k)) * np.exp(rng.normal(0, 2, k)) + rng.normal(0, 5, k)
    x[:, 0] = rng.normal(size=clusters)[cluster]
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    treated = (arm != "c").astype(float)
    y = 7 + scaled.sum(axis=1) * (1 + treated) + rng.normal(size=clusters)[cluster] + rng.gamma(2.0, 1.0, n)
    return Sample(outcome=y, arm=arm, covariates=x, cluster=cluster)


def close(found: Difference, full: Full) -> None:
    assert (found.point, found.se, found.df) == pytest.approx((full.point, full.se, full.df), rel=EXACT)
    assert (found.mean_treated, found.mean_control) == pytest.approx(tuple(full.means), rel=EXACT)
    parts = (found.var_treated, found.var_control, found.covariance)
    expected = (full.covariance[0, 0], full.covariance[1, 1], full.covariance[0, 1])
    assert parts == pytest.approx(expected, rel=EXACT, abs=1e-13)


def told(found: Adjusted) -> Difference:
    assert why_not_told({BRANCH: found}) is None
    return difference({BRANCH: found})


@pytest.mark.parametrize("arms", [2, 3])
@pytest.mark.parametrize("clusters", [20, 150])
@pytest.mark.parametrize("nested", [True, False])
def test_lin_is_the_full_matrix(nested: bool, clusters: int, arms: int) -> None:  # noqa: FBT001 - a parameter of the test
    rows = sample(clusters + arms, clusters, nested=nested, arms=arms)
    close(told(lin(rows.sums(), "t", "c")), full_lin(rows, "t", "c"))


@pytest.mark.parametrize("nested", [True, False])
def test_common_slopes_are_the_full_matrix(nested: bool) -> None:  # noqa: FBT001 - as above
    rows = sample(4, nested=nested, arms=3)
    close(told(common_slopes(rows.sums(), "t", "c")), full_common(rows, "t", "c"))


def test_large_and_small_clusters_stand_side_by_side() -> None:
    """Half of the rows are alone in their cluster, and those take the series instead of eigenvalues."""
    rows = sample(5, 8, nested=False)
    rows = replace(rows, cluster=np.where(np.arange(400) < 200, rows.cluster, 1000 + np.arange(400)))
    close(told(lin(rows.sums(), "t", "c")), full_lin(rows, "t", "c"))
    close(told(common_slopes(rows.sums(), "t", "c")), full_common(rows, "t", "c"))


def test_arms_that_lie_far_apart_keep_their_digits() -> None:
    rows = sample(16, nested=True)
    apart = replace(rows, covariates=rows.covariates + np.where(rows.arm == "t", 1e5, 0.0)[:, None])
    found = lin(apart.sums(), "t", "c")
    slopes = full_lin(rows, "t", "c")
    assert why_not_told({BRANCH: found}) is None
    assert np.isfinite(found.means).all()
    assert found.fit.covariance[0, 0] > slopes.covariance[0, 0]


def test_many_clusters_are_worked_on_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sample(6, 150, nested=False)
    whole = told(lin(rows.sums(), "t", "c"))
    monkeypatch.setattr(cluster_roots, "AT_ONCE", 40)
    parts = told(lin(rows.sums(), "t", "c"))
    assert (parts.point, parts.se, parts.df) == pytest.approx((whole.point, whole.se, whole.df), rel=1e-12)


def _crossing(rows: Sample, columns: dict[str, np.ndarray]) -> dict[tuple[str, ...], Sample]:
    found = {}
    for size in range(1, len(columns) + 1):
        for names in combinations(columns, size):
            stacked = np.column_stack([columns[name] for name in names])
            cluster = np.unique(stacked, axis=0, return_inverse=True)[1].reshape(-1)
            found[names] = replace(rows, cluster=cluster)
    return found


def test_two_names_are_inclusion_and_exclusion() -> None:
    rows = sample(7, nested=False, arms=3)
    other = np.random.default_rng(8).integers(0, 60, 400)
    samples = _crossing(rows, {"agent": rows.cluster, "household": other})
    found = difference({names: lin(one.sums(), "t", "c") for names, one in samples.items()})
    close(found, full_multiway(samples, "t", "c"))
    assert found.note is None


def test_names_that_are_one_give_that_one() -> None:
    rows = sample(9, nested=True)
    samples = _crossing(rows, {"a": rows.cluster, "b": rows.cluster})
    found = difference({names: lin(one.sums(), "t", "c") for names, one in samples.items()})
    assert found.se == pytest.approx(told(lin(rows.sums(), "t", "c")).se, rel=EXACT)


def test_a_cluster_that_decides_a_slope_is_told() -> None:
    rows = sample(10, nested=True)
    (first, *_) = rows.cluster[rows.arm == "t"]
    x = rows.covariates.copy()
    x[:, 1] = np.where((rows.cluster == first) | (rows.arm == "c"), x[:, 1], 0.0)
    found = lin(replace(rows, covariates=x).sums(), "t", "c")
    assert found.share == pytest.approx(1.0)
    assert "single cluster decides" in str(why_not_told({BRANCH: found}))


def test_the_reasons_for_not_adjusting() -> None:
    rows = sample(11, 20, nested=True, k=3)
    sums = rows.sums()
    assert why_not_adjusted({BRANCH: sums}, "t", "c") == "3 covariate columns need at least 30 clusters, there are 20"
    assert why_not_adjusted({BRANCH: sample(11, 20, nested=True).sums()}, "t", "c") is None
    few: dict[tuple[str, ...], ClusterSums] = {("agent",): sums, ("home",): sample(12, 100, nested=True, k=3).sums()}
    assert "there are 20 of 'agent'" in str(why_not_adjusted(few, "t", "c"))
    one = replace(sums, columns=("x0",), clusters=5, cluster=sums.cluster // 4)
    assert why_not_adjusted({BRANCH: one}, "t", "c") == "1 covariate column needs at least 10 clusters, there are 5"
    small = replace(sample(13, 60, nested=True).sums(), fitted=("c",))
    assert "fewer than 20 customers with a value per covariate column (2 of them) in arm 't'" in str(
        why_not_adjusted({BRANCH: small}, "t", "c")
    )
    assert "no covariate varies" in str(why_not_adjusted({BRANCH: replace(sums, columns=())}, "t", "c"))
    unheld = replace(sums, clusters=12_000, cluster=np.zeros(0, dtype=np.int64), arms=())
    assert "12,000 clusters with 3 covariate columns are more" in str(why_not_adjusted({BRANCH: unheld}, "t", "c"))


def _numbers(sums: ClusterSums) -> tuple[float, ...]:
    found = told(lin(sums, "t", "c"))
    return found.point, found.se, found.df


def test_nothing_changes_where_nothing_that_matters_does() -> None:
    rows = sample(14, nested=False, arms=3)
    plain = _numbers(rows.sums())
    order = np.random.default_rng(15).permutation(400)
    moved = Sample(
        outcome=rows.outcome[order],
        arm=rows.arm[order],
        covariates=rows.covariates[order][:, ::-1] * [1e-3, 1e4] + 7,
        cluster=(rows.cluster[order] * 7 + 3) % 1009,
    )
    assert _numbers(moved.sums()) == pytest.approx(plain, rel=1e-10, abs=1e-10)
    large = _numbers(replace(rows, outcome=rows.outcome * 100).sums())
    assert large == pytest.approx((100 * plain[0], 100 * plain[1], plain[2]), rel=1e-10)
    renamed = replace(rows, arm=np.select([rows.arm == "t", rows.arm == "c"], ["c", "t"], rows.arm))
    assert _numbers(renamed.sums()) == pytest.approx((-plain[0], plain[1], plain[2]), rel=1e-10)
