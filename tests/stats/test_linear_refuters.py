"""Linear refuters from shared cross-products, against regressions fitted one by one."""

from math import comb, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare, ks_2samp

from cxcausal.stats.linear_refuters import (
    Array,
    Partialled,
    block_products,
    common_cause_effects,
    effects_of,
    normal_products,
    partialled,
    permuted_flags,
    placebo_effects,
    subset_effects,
    with_covariate,
)

EXACT = 1e-9
Drawn = tuple[Array, Array, Array]


def world(n: int = 400, seed: int = 0, *, binary: bool = True) -> Drawn:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [1.0, 50.0, 0.01] + [0.0, 1e3, 0.0]
    t = x[:, 0] + rng.normal(size=n)
    t = (t > 0.3).astype(float) if binary else t
    return t + x @ [1.0, 0.02, 30.0] + rng.normal(size=n), t, x


def refitted(y: Array, t: Array, x: Array) -> float:
    return float(np.linalg.lstsq(np.column_stack([t, np.ones(len(y)), x - x.mean(axis=0)]), y, rcond=None)[0][0])


@pytest.mark.parametrize("binary", [True, False])
def test_the_effect_is_the_regressions(*, binary: bool) -> None:
    y, t, x = world(binary=binary)
    assert partialled(y, t, x).effect == pytest.approx(refitted(y, t, x), rel=EXACT)
    copies = np.column_stack([x, x[:, 0], np.ones(len(y))])
    assert partialled(y, t, copies).effect == pytest.approx(refitted(y, t, x), rel=EXACT)


@pytest.mark.parametrize("binary", [True, False])
def test_placebos_are_refits_with_another_treatment(*, binary: bool) -> None:
    y, t, x = world(binary=binary)
    rng = np.random.default_rng(1)
    others = np.array([rng.permutation(t) for _ in range(5)])
    expected = [refitted(y, other, x) for other in others]
    assert effects_of(partialled(y, t, x), others) == pytest.approx(expected, rel=EXACT, abs=1e-12)


def test_a_random_covariate_is_a_refit_beside_it() -> None:
    y, t, x = world()
    found, rng = partialled(y, t, x), np.random.default_rng(2)
    causes = rng.normal(size=(5, len(y)))
    left = causes - (causes @ found.base) @ found.base.T
    told = with_covariate(found, left @ np.column_stack([found.t, found.y]), (left**2).sum(axis=1))
    expected = [refitted(y, t, np.column_stack([x, cause])) for cause in causes]
    assert told == pytest.approx(expected, rel=EXACT)


def test_a_subset_is_a_refit_of_its_units() -> None:
    y, t, x = world(n=403)
    rng = np.random.default_rng(3)
    found = subset_effects(partialled(y, t, x), 0.8, 3, np.random.default_rng(3))
    order = rng.permutation(403)
    for effect in found:  # 403 units are 403 blocks of one
        chosen = order[rng.permutation(403)[: round(0.8 * 403)]]
        assert effect == pytest.approx(refitted(y[chosen], t[chosen], x[chosen]), rel=EXACT)


def test_blocks_hold_every_unit_once() -> None:
    columns = np.random.default_rng(4).normal(size=(1_037, 4))
    products = block_products(columns, 100)
    assert products.shape == (100, 4, 4)
    assert products.sum(axis=0) == pytest.approx(columns.T @ columns, rel=EXACT, abs=EXACT)


def _naive(found: Drawn, kind: str, rng: np.random.Generator) -> float:
    y, t, x = found
    n = len(y)
    if kind == "placebo":
        return refitted(y, rng.permutation(t), x)
    if kind == "cause":
        return refitted(y, t, np.column_stack([x, rng.normal(size=n)]))
    chosen = rng.permutation(n)[: round(0.8 * n)]
    return refitted(y[chosen], t[chosen], x[chosen])


@pytest.mark.parametrize("kind", ["placebo", "cause", "subset"])
def test_estimates_are_distributed_as_those_of_naive_refits(kind: str) -> None:
    y, t, x = world(n=2_500, seed=5)
    rng = np.random.default_rng(6)
    found = partialled(y, t, x)
    ours: dict[str, Any] = {
        "placebo": lambda: placebo_effects(found, 600, rng),
        "cause": lambda: common_cause_effects(found, 600, rng),
        "subset": lambda: subset_effects(found, 0.8, 600, rng),
    }
    naive = [_naive((y, t, x), kind, rng) for _ in range(600)]
    assert ks_2samp(ours[kind](), naive).pvalue > 1e-3


def test_every_permutation_is_as_likely_as_any_other() -> None:
    rng = np.random.default_rng(7)
    counts: dict[bytes, int] = {}
    for _ in range(7_000):
        drawn = permuted_flags(7, 3, rng)
        assert drawn.sum() == 3
        counts[drawn.tobytes()] = counts.get(drawn.tobytes(), 0) + 1
    assert len(counts) == comb(7, 3)
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("ones", [0, 1, 9, 10])
def test_extreme_shares_are_kept(ones: int) -> None:
    assert permuted_flags(10, ones, np.random.default_rng(8)).sum() == ones


def test_products_with_a_covariate_never_drawn_have_its_moments() -> None:
    columns = np.random.default_rng(9).normal(size=(50, 2)) @ [[1.0, 0.8], [0.0, 0.5]]
    products, squares = normal_products(columns, 40_000, np.random.default_rng(10))
    assert np.cov(products.T) == pytest.approx(columns.T @ columns, rel=0.05)
    assert squares.mean() == pytest.approx(50, rel=0.01)
    assert squares.std() == pytest.approx(sqrt(100), rel=0.03)
    nothing, rest = normal_products(np.zeros((50, 2)), 10, np.random.default_rng(10))
    assert not nothing.any()
    assert (rest > 0).all()


def test_a_treatment_that_covariates_decide_has_no_finite_effect() -> None:
    y, t, x = world()
    found = partialled(y, t, np.column_stack([x, t]))
    assert isinstance(found, Partialled)
    assert found.t @ found.t < 1e-20
