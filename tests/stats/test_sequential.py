"""Boundaries against published tables and the multivariate normal; p-values against the levels that they invert."""

from itertools import pairwise
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

from cxcausal.stats.sequential import (
    LEAST,
    AlwaysValid,
    FixedReading,
    GroupSequential,
    Reading,
    spending,
    tightest,
)
from cxcausal.stats.sequential_integration import boundaries, crossing

ROUNDED = 1.2e-4
"""The tables were made by coarser integration: their last digit may be off by one."""
PROBABILITY = 1e-6
PRECISELY: dict[str, Any] = {"abseps": 1e-8, "releps": 1e-8, "maxpts": 1_000_000}
UNEQUAL = (0.15, 0.2, 0.55, 1.0)


def equal(looks: int) -> GroupSequential:
    return GroupSequential(
        spent=tuple((k + 1) / looks for k in range(looks)), information=tuple(float(k + 1) for k in range(looks))
    )


def stays_inside(
    information: tuple[float, ...], bounds: tuple[float, ...], drift: float = 0.0, *, draws: int = 4
) -> float:
    """Return the probability that no look is crossed, by the joint normal distribution of all looks.

    Its algorithm shifts its points at random, can't be seeded, and misses by up to 2e-6; a mean of draws misses less.
    """
    amount = np.asarray(information)
    covariance = np.sqrt(np.minimum.outer(amount, amount) / np.maximum.outer(amount, amount))
    mean = drift * np.sqrt(amount / amount[-1])
    low, high = -np.asarray(bounds), np.asarray(bounds)
    found = [multivariate_normal.cdf(high, mean, covariance, lower_limit=low, **PRECISELY) for _ in range(draws)]
    return float(np.mean(found))


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (2, (2.9626, 1.9686)),
        (3, (3.7103, 2.5114, 1.9930)),
        (4, (4.3326, 2.9631, 2.3590, 2.0141)),
        (5, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
    ],
)
def test_lan_demets_boundaries_are_the_published_ones(looks: int, published: tuple[float, ...]) -> None:
    """Proschan, Lan & Wittes 2006, and the R packages ldbounds and gsDesign."""
    assert equal(looks).bounds(0.05) == pytest.approx(published, abs=ROUNDED)


def test_twenty_eight_looks_end_at_two_point_one_four() -> None:
    assert equal(28).bounds(0.05)[-1] == pytest.approx(2.14, abs=0.005)


@pytest.mark.parametrize(("looks", "constant"), [(2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040), (10, 2.087)])
def test_classical_boundaries_spend_five_percent(looks: int, constant: float) -> None:
    """Jennison & Turnbull 1999, table 2.3: O'Brien and Fleming's constants."""
    information = [float(k + 1) for k in range(looks)]
    found = crossing(information, [constant * sqrt(looks / at) for at in information], 0.0)
    assert found.lower + found.upper == pytest.approx(0.05, abs=1.2e-4)


@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (5, 2.413), (20, 2.672)])
def test_constant_boundaries_are_pococks(looks: int, constant: float) -> None:
    found = crossing([float(k + 1) for k in range(looks)], [constant] * looks, 0.0)
    assert found.lower + found.upper == pytest.approx(0.05, abs=1.2e-4)


@pytest.mark.parametrize("information", [(1.0, 2.0), (0.3, 0.9, 1.0), UNEQUAL, (0.02, 0.5, 0.9, 3.0)])
@pytest.mark.parametrize("alpha", [0.2, 0.05])
def test_boundaries_spend_what_they_should_by_the_joint_normal(information: tuple[float, ...], alpha: float) -> None:
    spent = tuple(amount / information[-1] for amount in information)
    bounds = GroupSequential(spent=spent, information=information).bounds(alpha)
    for look in range(2, len(bounds) + 1):
        inside = stays_inside(information[:look], bounds[:look])
        assert 1 - inside == pytest.approx(spending(alpha, spent[look - 1]), abs=PROBABILITY)


@pytest.mark.parametrize("later", [1.0001, 1.01, 30.0])
@pytest.mark.parametrize("bounds", [(2.2, 2.1), (4.0, 3.9), (2.5, 6.0)])
def test_two_looks_close_together_or_far_apart_are_one_integral(later: float, bounds: tuple[float, float]) -> None:
    """The multivariate normal's algorithm loses digits where looks nearly coincide; adaptive quadrature doesn't."""
    step = sqrt(later - 1)

    def stays(at: float) -> float:
        limit = bounds[1] * sqrt(later)
        return float(norm.pdf(at) * (norm.cdf((limit - at) / step) - norm.cdf((-limit - at) / step)))

    points = [side * bounds[1] * sqrt(later) for side in (-1, 1) if bounds[1] * sqrt(later) < bounds[0]]
    inside, _ = quad(stays, -bounds[0], bounds[0], points=points or None, limit=500, epsabs=1e-12, epsrel=1e-12)
    found = crossing([1.0, later], bounds, 0.0)
    assert found.lower + found.upper == pytest.approx(1 - inside, abs=1e-9)


@pytest.mark.parametrize("drift", [-1.0, 0.0, 2.8, 6.0])
def test_crossing_under_a_drift_is_that_of_the_joint_normal(drift: float) -> None:
    bounds = (3.0, 2.9, 2.4, 2.0)
    found = crossing(UNEQUAL, bounds, drift)
    crossed = 1 - stays_inside(UNEQUAL, bounds, drift, draws=25)
    assert found.lower + found.upper == pytest.approx(crossed, abs=PROBABILITY)
    assert (found.lower > found.upper) == (drift < 0)


def test_one_look_is_the_ordinary_test() -> None:
    once = GroupSequential(spent=(1.0,), information=(7.0,))
    assert once.bounds(0.05)[0] == pytest.approx(norm.ppf(0.975), abs=1e-9)
    assert once.nominal(0.05) == pytest.approx(0.05, abs=1e-9)
    assert once.honest_p(0.03) == pytest.approx(0.03, abs=1e-8)
    assert crossing([1.0], [norm.ppf(0.975)], 2.801585).upper == pytest.approx(0.8, abs=1e-6)


def test_what_is_not_spent_early_is_spent_late_and_units_alone_give_the_correlation() -> None:
    """Boundaries depend on the ratios of information, and on the course that is spent, each by itself."""
    scaled = GroupSequential(spent=UNEQUAL, information=tuple(1000 * at for at in UNEQUAL))
    assert scaled.bounds(0.05) == pytest.approx(
        GroupSequential(spent=UNEQUAL, information=UNEQUAL).bounds(0.05), abs=1e-9
    )
    early = GroupSequential(spent=(0.5, 1.0), information=(1.0, 2.0)).bounds(0.05)
    late = GroupSequential(spent=(0.9, 1.0), information=(1.0, 2.0)).bounds(0.05)
    assert early[0] > late[0]
    assert early[1] < late[1]


def test_increments_too_small_for_any_boundary_get_the_farthest() -> None:
    assert boundaries([1e-3, 1.0], [0.0, 0.05])[0] == 9.0
    looks = equal(28)
    first = GroupSequential(spent=looks.spent[:1], information=looks.information[:1])
    assert (first.nominal(0.05), first.honest_p(1e-13), first.honest_p(1e-3)) == (LEAST, LEAST, 1.0)


READINGS = (
    equal(4),
    GroupSequential(spent=equal(4).spent[:2], information=(1.0, 2.0)),
    GroupSequential(spent=UNEQUAL, information=UNEQUAL),
    AlwaysValid(units=700, tuned=10_000),
    AlwaysValid(units=30_000, tuned=10_000, alpha=0.1),
    FixedReading(),
)


@pytest.mark.parametrize("reading", READINGS)
@given(alpha=st.floats(1e-6, 0.4))
def test_the_honest_p_inverts_the_nominal_level(reading: Reading, alpha: float) -> None:
    nominal = reading.nominal(alpha)
    assert nominal <= alpha * (1 + 1e-9)
    if nominal > LEAST:
        assert reading.honest_p(nominal) == pytest.approx(alpha, rel=1e-6)


@pytest.mark.parametrize("reading", READINGS)
def test_levels_and_p_values_rise_together(reading: Reading) -> None:
    at = np.geomspace(1e-10, 0.99, 40)
    assert all(a <= b for a, b in pairwise(reading.nominal(alpha) for alpha in at))
    honest = [reading.honest_p(p) for p in at]
    assert all(a <= b for a, b in pairwise(honest))
    assert all(p * (1 - 1e-6) <= told <= 1 for p, told in zip(at, honest, strict=True))


def test_no_p_is_zero_and_an_arbitrary_one_is_not_told() -> None:
    for reading in READINGS[:-1]:
        assert reading.honest_p(0.0) >= LEAST
        assert reading.honest_p(1.0) == 1.0


def test_an_always_valid_interval_is_tightest_where_it_was_tuned() -> None:
    def width(r: float) -> float:
        return (r + 1) / r * log((r + 1) / 0.05**2)

    best = minimize_scalar(width, bounds=(1, 50), method="bounded", options={"xatol": 1e-9})
    assert tightest(0.05) == pytest.approx(best.x, abs=1e-4)
    assert sqrt(best.fun) == pytest.approx(3.04, abs=0.005)
    assert sqrt(best.fun) / norm.ppf(0.975) == pytest.approx(1.55, abs=0.005)
    assert AlwaysValid(units=500, tuned=500).bound(0.05) == pytest.approx(sqrt(best.fun), abs=1e-9)


@pytest.mark.parametrize(("units", "alpha"), [(900, 0.05), (10_000, 0.05), (40_000, 0.01)])
def test_the_always_valid_p_is_where_the_mixture_martingale_reaches_its_inverse(units: float, alpha: float) -> None:
    """The mixture likelihood ratio with a normal prior of variance ρ² exceeds 1/alpha exactly beyond the bound."""
    reading = AlwaysValid(units=units, tuned=10_000)
    variance = tightest(0.05) / 10_000
    z = reading.bound(alpha)
    ratio = exp(z**2 * units * variance / (2 * (1 + units * variance))) / sqrt(1 + units * variance)
    assert ratio == pytest.approx(1 / alpha, rel=1e-9)
    assert reading.honest_p(2 * norm.sf(z)) == pytest.approx(alpha, rel=1e-6)
