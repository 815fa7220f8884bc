"""Holm and Benjamini–Hochberg against statsmodels, and levels whose intervals agree with the rejections."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from cxcausal.stats.multiplicity import Adjusted, benjamini_hochberg, holm

families = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=25)


def _check_levels(p: list[float], found: Adjusted) -> None:
    """An interval at level 1 − alpha excludes the null exactly when p ≤ alpha (ties of floating point aside)."""
    for value, rejected, alpha in zip(p, found.rejected, found.alpha, strict=True):
        if abs(value - alpha) > 1e-12:
            assert (value < alpha) == rejected


@given(p=families, alpha=st.sampled_from([0.01, 0.05, 0.1]))
def test_holm_is_that_of_statsmodels(p: list[float], alpha: float) -> None:
    with patch("gc.collect"):  # statsmodels collects everybody's garbage at every call
        rejected, adjusted, _, _ = multipletests(p, alpha=alpha, method="holm")
    found = holm(p, alpha)
    assert found.p == pytest.approx(tuple(adjusted), rel=1e-12)
    assert found.rejected == tuple(rejected)
    _check_levels(p, found)


@given(p=families, q=st.sampled_from([0.01, 0.05, 0.1]))
def test_benjamini_hochberg_is_that_of_statsmodels(p: list[float], q: float) -> None:
    rejected, adjusted, _, _ = multipletests(p, alpha=q, method="fdr_bh")
    found = benjamini_hochberg(p, q)
    assert found.p == pytest.approx(tuple(adjusted), rel=1e-12)
    assert found.rejected == tuple(rejected)
    _check_levels(p, found)


def test_holm_levels_by_hand() -> None:
    found = holm([0.001, 0.5, 0.014, 0.03], 0.05)
    assert found.rejected == (True, False, True, False)
    assert found.alpha == pytest.approx((0.05 / 4, 0.05 / 2, 0.05 / 3, 0.05 / 2))


def test_false_coverage_levels_by_hand() -> None:
    found = benjamini_hochberg([0.001, 0.5, 0.02, 0.3], 0.05)
    assert found.rejected == (True, False, True, False)
    assert found.alpha == pytest.approx((2 * 0.05 / 4, 3 * 0.05 / 4, 2 * 0.05 / 4, 3 * 0.05 / 4))


@pytest.mark.parametrize("rule", [holm, benjamini_hochberg])
def test_one_hypothesis_is_left_alone(rule: type) -> None:
    found = rule([0.04], 0.05)
    assert (found.p, found.alpha) == ((0.04,), (0.05,))


@pytest.mark.parametrize("rule", [holm, benjamini_hochberg])
def test_order_does_not_matter(rule: type) -> None:
    p = np.random.default_rng(1).random(12) ** 3
    order = np.random.default_rng(2).permutation(12)
    plain, shuffled = rule(p.tolist(), 0.05), rule(p[order].tolist(), 0.05)
    assert shuffled.p == tuple(np.array(plain.p)[order])
    assert shuffled.alpha == tuple(np.array(plain.alpha)[order])
