"""RATE, TOC, GATES and BLP against independent twins that go unit by unit, ties, weights and constants included."""

from collections.abc import Callable
from itertools import pairwise, permutations
from math import log

import numpy as np
import pytest
from scipy.integrate import quad

from cxcausal.stats import targeting
from cxcausal.stats.ranks import Ranked, mean_between, mean_of, ranked
from tests.twins import Values

EXACT = 1e-9
Estimate = Callable[[Ranked, Values], tuple[float, Values]]
RATES: dict[str, tuple[Estimate, Callable[[float], float]]] = {
    "autoc": (targeting.autoc, lambda u: -log(u) - 1),
    "qini": (targeting.qini, lambda u: 0.5 - u),
    "auuc": (targeting.auuc_of_scores, lambda u: 1 - u),
}


def _drawn(seed: int, n: int = 40, *, levels: int = 0, weighted: bool = False) -> tuple[Values, Values, Values]:
    rng = np.random.default_rng(seed)
    predicted = rng.normal(size=n) if levels == 0 else rng.integers(0, levels, n).astype(float)
    return predicted, rng.normal(1.0, 2.0, n) + predicted, rng.uniform(0.2, 3.0, n) if weighted else np.ones(n)


def _area_by_unit(predicted: Values, gain: Values, weight: Values, at: Callable[[float], float]) -> float:
    """Integrate the rank's weight over every block of ties, by quadrature."""
    share, edge, total = weight / weight.sum(), 0.0, 0.0
    for value in sorted(set(predicted), reverse=True):
        own = predicted == value
        mass = share[own].sum()
        total += (share[own] * gain[own]).sum() / mass * quad(at, edge, min(edge + mass, 1.0), epsabs=1e-13)[0]
        edge += mass
    return total


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("levels", [0, 4, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_areas_equal_the_integral_over_ranks(name: str, levels: int, weighted: bool) -> None:  # noqa: FBT001
    estimate, at = RATES[name]
    predicted, gain, weight = _drawn(1, levels=levels, weighted=weighted)
    point, phi = estimate(ranked(predicted, weight), gain)
    assert point == pytest.approx(_area_by_unit(predicted, gain, weight, at), abs=EXACT)
    assert phi.mean() == pytest.approx(0, abs=EXACT)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("levels", [0, 4])
def test_the_influence_is_the_derivative_by_each_units_weight(name: str, levels: int) -> None:
    estimate, _ = RATES[name]
    predicted, gain, weight = _drawn(2, levels=levels, weighted=True)
    _, phi = estimate(ranked(predicted, weight), gain)
    step = 1e-6 * weight.sum()
    for unit in range(len(gain)):
        nudge = step * (np.arange(len(gain)) == unit)
        up, down = (estimate(ranked(predicted, weight + sign * nudge), gain)[0] for sign in (1, -1))
        assert phi[unit] == pytest.approx((up - down) / 2e-6 * weight[unit] / weight.mean(), abs=1e-4)


def test_ties_are_the_mean_over_all_ways_to_break_them() -> None:
    gain, tied = np.array([5.0, -1.0, 2.0, 0.5, 7.0]), np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    for estimate in (targeting.autoc, targeting.qini, targeting.auuc_of_scores, _first_two_fifths, _top_group):
        broken = []
        for order in permutations([0.1, 0.2, 0.3]):
            apart = tied + np.array([0.0, *order, 0.0])
            broken.append(estimate(ranked(apart), gain)[0])
        assert estimate(ranked(tied), gain)[0] == pytest.approx(np.mean(broken), abs=EXACT)


def _first_two_fifths(ranks: Ranked, gain: Values) -> tuple[float, Values]:
    return mean_between(ranks, gain, 0.0, 0.4)


def _top_group(ranks: Ranked, gain: Values) -> tuple[float, Values]:
    return targeting.group_mean(ranks, gain, 3)


@pytest.mark.parametrize("constant", [0.0, 0.3, -1e6])
def test_a_constant_tells_nothing(constant: float) -> None:
    rng = np.random.default_rng(3)
    predicted = np.full(50, constant) * (1 + 1e-15 * rng.normal(size=50))
    gain = rng.normal(size=50)
    ranks = ranked(predicted)
    for estimate in (targeting.autoc, targeting.qini, targeting.spread):
        point, phi = estimate(ranks, gain)
        assert point == pytest.approx(0, abs=1e-15)
        assert np.abs(phi).max() < 1e-12
    slope, phi = targeting.best_linear_predictor(gain, predicted, np.ones(50), np.zeros(50, int))
    assert (slope, np.abs(phi).max()) == (0.0, 0.0)


@pytest.mark.parametrize("name", RATES)
def test_units_by_a_hundred_and_their_order_change_nothing(name: str) -> None:
    estimate, _ = RATES[name]
    predicted, gain, weight = _drawn(4, levels=6, weighted=True)
    point = estimate(ranked(predicted, weight), gain)[0]
    many = estimate(ranked(np.tile(predicted, 100), np.tile(weight, 100)), np.tile(gain, 100))[0]
    shuffled = np.random.default_rng(5).permutation(len(gain))
    other = estimate(ranked(predicted[shuffled], weight[shuffled]), gain[shuffled])[0]
    assert many == pytest.approx(point, abs=1e-10)
    assert other == pytest.approx(point, abs=1e-10)


@pytest.mark.parametrize("n", [10, 1000])
def test_grf_sums_over_ranks_and_differs_by_little(n: int) -> None:
    predicted, gain, _ = _drawn(6, n=n)
    falling = gain[np.argsort(-predicted)]
    toc = np.cumsum(falling) / np.arange(1, n + 1) - gain.mean()
    share = np.arange(1, n + 1) / n
    found = targeting.autoc(ranked(predicted), gain)[0], targeting.qini(ranked(predicted), gain)[0]
    assert found[0] == pytest.approx(toc.mean(), abs=4 * log(n) / n)
    assert found[1] == pytest.approx((toc * share).mean(), abs=EXACT)


def test_qini_is_the_area_over_the_diagonal_of_the_uplift_curve() -> None:
    predicted, gain, _ = _drawn(7, n=200)
    ranks = ranked(predicted)
    shares = np.arange(0, 201) / 200
    curve = np.array([0.0, *(share * mean_between(ranks, gain, 0.0, float(share))[0] for share in shares[1:])])
    over = sum((a + b) / 2 for a, b in pairwise(curve)) / 200 - gain.mean() / 2
    assert targeting.qini(ranks, gain)[0] == pytest.approx(over, abs=EXACT)
    assert targeting.auuc_of_scores(ranks, gain)[0] == pytest.approx(over + gain.mean() / 2, abs=EXACT)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_line_and_the_groups_equal_their_twins(weighted: bool) -> None:  # noqa: FBT001
    predicted, gain, weight = _drawn(8, n=60, weighted=weighted)
    turn = np.arange(60) % 3
    design = np.column_stack([predicted, *(turn == place for place in range(3))])
    root = np.sqrt(weight)[:, None]
    twin = np.linalg.lstsq(design * root, gain * root[:, 0], rcond=None)[0]
    slope, phi = targeting.best_linear_predictor(gain, predicted, weight, turn)
    bread = np.linalg.inv((design * weight[:, None]).T @ design)
    left = gain - design @ twin
    meat = (design * (weight * left)[:, None]).T @ (design * (weight * left)[:, None])
    assert slope == pytest.approx(twin[0], abs=EXACT)
    assert np.sum(phi**2) / 60**2 == pytest.approx((bread @ meat @ bread)[0, 0], rel=1e-9)


def test_groups_are_means_of_fifths() -> None:
    predicted, gain, _ = _drawn(9, n=100)
    rising = gain[np.argsort(predicted)].reshape(5, 20).mean(axis=1)
    ranks = ranked(predicted)
    for place, mean in enumerate(rising):
        assert targeting.group_mean(ranks, gain, place)[0] == pytest.approx(mean, abs=EXACT)
    assert targeting.spread(ranks, gain)[0] == pytest.approx(rising[-1] - rising[0], abs=EXACT)
    assert mean_of(ranks, gain)[0] == pytest.approx(mean_between(ranks, gain, 0, 1)[0], abs=EXACT)


def test_calibration_is_what_chance_does_not_explain() -> None:
    assert targeting.calibration_error(np.array([1.0, -1.0]), np.ones(2)) == pytest.approx(1 - np.sqrt(2 / np.pi))
    assert targeting.calibration_error(np.array([0.1, 0.1]), np.ones(2)) == 0.0
