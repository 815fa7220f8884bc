"""Omitted variables: identities of strengths and bounds, and published numbers."""

from math import inf

import numpy as np
import pytest
from scipy.optimize import brentq

from cxcausal.stats.omitted import (
    Bounded,
    Likeness,
    e_value,
    equal_strengths,
    multiple_reaching,
    strength_of,
    undoing_strength,
)
from cxcausal.stats.partial_r2 import partial_r2

EXACT = 1e-9


@pytest.mark.parametrize("point", [1.3, -1.3])
@pytest.mark.parametrize("covariance", [-0.01, 0.0, 0.02])
@pytest.mark.parametrize("scale_se", [0.0, 0.1, 1.2])
def test_the_undoing_strength_is_where_the_interval_touches_zero(
    point: float, covariance: float, scale_se: float
) -> None:
    effect = Bounded(point=point, se=0.3, scale=2.0, scale_se=scale_se, covariance=covariance)
    found = undoing_strength(effect, 1.96)

    def left(strength: float) -> float:
        low, high = effect.interval(strength, 1.96)
        return low if point > 0 else -high

    assert found == pytest.approx(brentq(left, 0.0, abs(point) / 2.0), rel=EXACT)
    assert undoing_strength(effect) == pytest.approx(abs(point) / 2.0, rel=1e-15)
    assert effect.nearest(undoing_strength(effect)) == pytest.approx(0.0, abs=EXACT)


def test_what_is_not_reliable_needs_no_undoing() -> None:
    assert undoing_strength(Bounded(point=0.5, se=0.3, scale=2.0), 1.96) == 0.0
    assert undoing_strength(Bounded(point=0.5, se=0.1, scale=0.0), 1.96) == inf
    assert equal_strengths(0.0) == 0.0


def test_the_robustness_value_of_darfur_is_the_published_one() -> None:
    """Cinelli & Hazlett 2020, table 1: t = 4.18 on 783 degrees of freedom give 13.9 %."""
    t, df = 0.09731582 / 0.02325654, 783
    assert equal_strengths(t / df**0.5) == pytest.approx(0.138776, abs=1e-6)


def test_benchmarks_of_darfur_are_the_published_ones() -> None:
    """The same data, `female` once, twice and three times (sensemakr's vignette)."""
    female = Likeness(outcome=0.10903, treatment=0.00908106)
    for multiple, outcome, treatment in ((1, 0.1246, 0.00916), (2, 0.2493, 0.0183), (3, 0.3741, 0.0275)):
        assert female.at(multiple) == pytest.approx((outcome, treatment), abs=1e-4)


def test_multiples_reach_what_they_say_and_no_more() -> None:
    likeness = Likeness(outcome=0.2, treatment=0.1)
    for strength in (0.01, 0.3, 2.0):
        multiple = multiple_reaching(likeness, strength)
        assert likeness.strength(multiple) >= strength
        assert likeness.strength(multiple * 0.999) < strength
    assert multiple_reaching(Likeness(outcome=0.0, treatment=0.0), 0.1) == inf
    assert multiple_reaching(likeness, 0.0) == 0.0
    assert multiple_reaching(Likeness(outcome=0.9, treatment=0.95), 0.1) < 0.1


def test_e_values_are_the_published_ones() -> None:
    """VanderWeele & Ding 2017: a risk ratio of 3.9 with lower limit 1.8."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.005)


def test_strengths_are_bounded() -> None:
    assert strength_of(0.0, 0.5) == 0.0
    assert np.isfinite(strength_of(1.0, 1.0))


@pytest.mark.parametrize("weighted", [False, True])
def test_partial_r2_is_what_leaving_a_group_out_costs(*, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 5))
    x[:, 3] += x[:, 0]
    y = x @ [1.0, 0.5, 0.0, 0.3, -0.2] + rng.normal(size=300)
    weight = rng.random(300) + 0.1 if weighted else np.ones(300)
    groups = [[0], [1, 2], [3, 4]]
    found = partial_r2(x, y, groups, weight if weighted else None)
    root = np.sqrt(weight)

    def left(columns: list[int]) -> float:
        matrix = np.column_stack([np.ones(300), x[:, columns]]) * root[:, None]
        return float(np.linalg.lstsq(matrix, y * root, rcond=None)[1][0])

    whole = left([0, 1, 2, 3, 4])
    for group, share in zip(groups, found, strict=True):
        short = left([place for place in range(5) if place not in group])
        assert share == pytest.approx((short - whole) / short, rel=1e-7)


def test_copies_and_constants_have_a_partial_r2() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 2))
    columns = np.column_stack([x, x[:, 0], np.full(200, 7.0)])
    y = x[:, 0] + rng.normal(size=200)
    copy, other, whole, constant = partial_r2(columns, y, [[0], [1], [0, 2], [3]])
    assert copy == pytest.approx(0.0, abs=1e-6)
    assert constant == pytest.approx(0.0, abs=1e-9)
    assert whole == pytest.approx(partial_r2(x, y, [[0]])[0], rel=1e-6)
    assert 0 <= other < 0.05
