"""Bounds against DoubleML's on the same predictions, against a twin in numpy, and against confounders put back in."""

from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from cxcausal.core.measure import Measure
from cxcausal.core.rows import Flags, Floats, Rows
from cxcausal.core.score_answers import Sensitivity
from cxcausal.core.score_queries import TARGETS, SensitivityQuery, Target
from cxcausal.scoring.road import ScoreRoad
from cxcausal.scoring.sensitivity import GRID
from cxcausal.stats.omitted import Bounded, equal_strengths, strength_of, undoing_strength
from tests.scoring.given import LINEAR, Y, drawn, road_of, rows_of

RATE = Measure(name="rate", terms=(("rate", 1.0),))
RATIO = Measure(name="ratio", terms=(("y", 1.0),), denominator="d")
LEVEL = 0.95

# DoubleML 0.11.4, DoubleMLIRM(score=…).fit(external_predictions=…).sensitivity_analysis(cf_y, cf_d, rho=1, level=.975)
# on `_for_doubleml`: bounds with their standard errors, σ² and ν², and both robustness values. DoubleML takes a score's
# sign for the effect's, so that it gives the lower bound the upper one's standard error and the other way round.
DOUBLEML: dict[str, Any] = {
    "ate": {
        "point": 1.4822727433350875,
        "se": 0.10525588139904674,
        "sigma2_nu2": (1.0024180028344938, 4.679659356615991),
        (0.1, 0.05): ((1.3251443213993186, 1.6394011652708564), (0.10638700103977605, 0.10444139112687228)),
        (0.04, 0.2): ((1.2656861605049234, 1.6988593261652516), (0.1068956106057447, 0.10421738786447556)),
        "robustness": (0.4891516, 0.43249118),
    },
    "att": {
        "point": 1.4498165850307454,
        "se": 0.12138650920114755,
        "sigma2_nu2": (1.0024180028344938, 5.337044313154925),
        (0.1, 0.05): ((1.2820142373049956, 1.6176189327564952), None),
        (0.04, 0.2): ((1.2185170108540524, 1.6811161592074384), None),
        "robustness": (0.46042776, None),
    },
}


def _for_doubleml() -> ScoreRoad:
    rng = np.random.default_rng(20261122)
    n = 400
    x = rng.normal(size=(n, 2))
    d = (rng.random(n) < 1 / (1 + np.exp(-0.7 * x[:, 0] + 0.3 * x[:, 1]))).astype(float)
    y = 1.5 * d * (1 + 0.3 * x[:, 1]) + x[:, 0] + 0.5 * x[:, 1] + rng.normal(size=n)
    share = np.clip(1 / (1 + np.exp(-0.6 * x[:, 0] + 0.2 * x[:, 1])), 0.05, 0.95)
    means = np.column_stack([0.9 * x[:, 0] + 0.4 * x[:, 1], 1.4 + 0.9 * x[:, 0] + 0.8 * x[:, 1]])
    numbers = {"y": y, "x0": x[:, 0], "x1": x[:, 1]}
    shares = np.column_stack([1 - share, share])
    return road_of(rows_of(d, numbers), ("x0", "x1"), shares=shares, means={"y": means})


def found_in(road: ScoreRoad, measure: Measure, target: Target, treated: str = "t") -> Sensitivity:
    query = SensitivityQuery(measure=measure, target=target, alpha=1 - LEVEL)
    answer: Any = road.answer([query])[query]
    found: Sensitivity = answer.found[treated, "c"]
    return found


def bounded(found: Sensitivity) -> Bounded:
    return Bounded(
        point=found.point,
        se=found.se,
        scale=found.scale,
        scale_se=found.scale_se,
        covariance=found.scale_covariance,
    )


@pytest.mark.parametrize("target", ["ate", "att"])
def test_the_bounds_are_doublemls(target: Target) -> None:
    found, theirs = found_in(_for_doubleml(), Y, target), DOUBLEML[target]
    larger = sqrt(400 / 399)  # where DoubleML divides by n
    assert found.point == pytest.approx(theirs["point"], abs=1e-12)
    assert found.se == pytest.approx(theirs["se"] * larger, rel=1e-12)
    assert found.scale == pytest.approx(sqrt(np.prod(theirs["sigma2_nu2"])), rel=1e-12)
    for strengths in ((0.1, 0.05), (0.04, 0.2)):
        limits, errors = theirs[strengths]
        strength = strength_of(*strengths)
        assert bounded(found).bounds(strength) == pytest.approx(limits, abs=1e-12)
        if errors is not None:
            own = [bounded(found).bound_se(sign * strength) for sign in (1, -1)]
            assert own == pytest.approx([each * larger for each in errors], rel=1e-12)


@pytest.mark.parametrize("target", ["ate", "att"])
def test_the_robustness_value_is_doublemls(target: Target) -> None:
    found, (point, interval) = found_in(_for_doubleml(), Y, target), DOUBLEML[target]["robustness"]
    assert found.robustness == pytest.approx(point, abs=5e-6)  # theirs is searched for
    if interval is not None:
        smaller = 399 / 400
        like = Bounded(  # with the errors of DoubleML, see above
            point=found.point,
            se=found.se * sqrt(smaller),
            scale=found.scale,
            scale_se=found.scale_se * sqrt(smaller),
            covariance=-found.scale_covariance * smaller,
        )
        assert equal_strengths(undoing_strength(like, norm.ppf(0.975))) == pytest.approx(interval, abs=1e-6)


def test_the_bounds_errors_are_the_spread_of_bounds_over_samples() -> None:
    """Where DoubleML and we differ, the bootstrap decides."""
    road = _for_doubleml()
    found, strength = found_in(road, Y, "ate"), strength_of(0.1, 0.05)
    e, mu = road.nuisances.propensity.shares[0], road.nuisances.outcome("y", *_known(road)).mean[0]
    d, y = road.rows.arm, road.rows.numbers["y"]
    score = mu[:, 1] - mu[:, 0] + d / e[:, 1] * (y - mu[:, 1]) - (1 - d) / e[:, 0] * (y - mu[:, 0])
    square = (y - np.where(d == 1, mu[:, 1], mu[:, 0])) ** 2
    size = 2 * (1 / e).sum(axis=1) - np.where(d == 1, 1 / e[:, 1], 1 / e[:, 0]) ** 2
    counts = np.random.default_rng(2).multinomial(400, [1 / 400] * 400, 8_000) / 400
    point, scale = counts @ score, np.sqrt((counts @ square) * (counts @ size))
    low, high = np.std(point - strength * scale), np.std(point + strength * scale)
    assert high > low * 1.01
    assert bounded(found).bound_se(-strength) == pytest.approx(low, rel=0.015)
    assert bounded(found).bound_se(strength) == pytest.approx(high, rel=0.015)


def _known(road: ScoreRoad) -> tuple[Floats, Flags]:
    y = road.rows.numbers["y"]
    return y, ~np.isnan(y)


def _twin(road: ScoreRoad, measure: Measure, target: Target, treated: str) -> tuple[float, Floats]:
    """Return S and its influence function, for plain measures, written down anew from the definitions."""
    one, y = road.rows.arms.index(treated), road.rows.numbers[measure.terms[0][0]]
    e = road.nuisances.propensity.shares[0]
    mu = road.nuisances.outcome(measure.name, y, np.ones(len(y), dtype=bool)).mean[0]
    a = road.rows.arm
    hot = np.eye(e.shape[1])[a]
    if target == "ate":
        h, slope = np.ones(len(y)), np.zeros_like(e)
    elif target == "att":
        h, slope = e[:, one], np.eye(e.shape[1])[[one] * len(y)]
    else:
        h = 1 / (1 / e).sum(axis=1)
        slope = (h[:, None] / e) ** 2
    # ν² = E[q(e)] / E[h]² with q = h²(1/eₜ + 1/e_c), and its derivative by every share.
    s = 1 / e[:, one] + 1 / e[:, 0]
    dq = 2 * (h * s)[:, None] * slope
    for place in (one, 0):
        dq[:, place] -= (h / e[:, place]) ** 2
    top = h**2 * s + (dq * (hot - e)).sum(axis=1)
    mass = h + (slope * (hot - e)).sum(axis=1)
    nu2 = top.mean() / mass.mean() ** 2
    phi_nu = top / mass.mean() ** 2 - nu2 - 2 * nu2 * (mass / mass.mean() - 1)
    among = (a == one) | (a == 0)
    square = np.where(among, (y - mu[np.arange(len(y)), a]) ** 2, 0.0)
    sigma2 = square.mean()
    return sqrt(sigma2 * nu2), (sigma2 * phi_nu + nu2 * (square - sigma2)) / (2 * sqrt(sigma2 * nu2))


@pytest.mark.parametrize(("target", "arms"), list(product(TARGETS, (2, 3))))
def test_the_scale_is_its_twins(target: Target, arms: int) -> None:
    road = drawn(700, 3, arms=arms)
    for treated in road.rows.arms[1:]:
        found = found_in(road, Y, target, treated)
        scale, phi = _twin(road, Y, target, treated)
        potential = road.potential(Y, target, treated if target == "att" else "c")[0]
        own = potential.phi[:, road.rows.arms.index(treated)] - potential.phi[:, 0]
        assert found.scale == pytest.approx(scale, rel=1e-9)
        assert found.scale_se == pytest.approx(sqrt(phi @ phi / (700 * 699)), rel=1e-9)
        assert found.scale_covariance == pytest.approx(own @ phi / (700 * 699), rel=1e-9, abs=1e-12)


def test_clusters_widen_the_bounds() -> None:
    road = drawn(600, 4)
    before = found_in(road, Y, "ato")
    rows = Rows(
        arms=road.rows.arms,
        arm=np.repeat(road.rows.arm, 2),
        key=np.repeat(road.rows.key, 2),
        numbers={name: np.repeat(values, 2) for name, values in road.rows.numbers.items()},
        texts={},
        clusters={"home": np.repeat(road.rows.key, 2)},
    )
    shares = np.repeat(road.nuisances.propensity.shares[0], 2, axis=0)
    y = road.rows.numbers["y"]
    means = np.repeat(road.nuisances.outcome("y", y, np.ones(600, dtype=bool)).mean[0], 2, axis=0)
    after = found_in(road_of(rows, road.nuisances.covariates, shares=shares, means={"y": means}), Y, "ato")
    assert (after.scale, after.robustness) == pytest.approx((before.scale, before.robustness), rel=1e-9)
    assert (after.se, after.scale_se) == pytest.approx((before.se, before.scale_se), rel=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_a_unit_of_weight_two_is_two_units(target: Target) -> None:
    road = drawn(500, 12)
    shares, names = road.nuisances.propensity.shares[0], road.nuisances.covariates
    means = road.nuisances.outcome("y", *_known(road)).mean[0]
    weight = 1.0 + (np.arange(500) % 3 == 0)
    times = weight.astype(int)
    rows = rows_of(
        np.repeat(road.rows.arm, times), {name: np.repeat(each, times) for name, each in road.rows.numbers.items()}
    )
    copied = road_of(rows, names, shares=np.repeat(shares, times, axis=0), means={"y": np.repeat(means, times, axis=0)})
    weighted = road_of(road.rows, names, shares=shares, means={"y": means}, weight=weight)
    one, two = found_in(weighted, Y, target), found_in(copied, Y, target)
    assert (one.point, one.scale, one.robustness) == pytest.approx((two.point, two.scale, two.robustness), rel=1e-9)
    for own, other in zip(one.benchmarks, two.benchmarks, strict=True):
        assert (own.outcome, own.treatment) == pytest.approx((other.outcome, other.treatment), rel=1e-4)


def test_missing_outcomes_weigh_the_seen_by_their_chance() -> None:
    road = drawn(700, 13)
    y = road.rows.numbers["y"].copy()
    y[np.random.default_rng(3).random(700) < 0.3] = np.nan
    gone = road_of(rows_of(road.rows.arm, {**road.rows.numbers, "y": y}), road.nuisances.covariates)
    found, a = found_in(gone, Y, "ate"), gone.rows.arm
    learned, e = gone.nuisances.outcome("y", *_known(gone)), gone.nuisances.propensity.shares[0]
    assert learned.answered is not None
    inverse = 1 / (e * learned.answered[0])
    own, places = ~np.isnan(y), (np.arange(700), a)
    sigma2 = np.mean(np.where(own, y - learned.mean[0][places], 0.0) ** 2)
    nu2 = np.mean(2 * inverse.sum(axis=1) - np.where(own, inverse[places], 0.0) ** 2)
    assert found.scale == pytest.approx(sqrt(sigma2 * nu2), rel=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_a_confounder_on_the_residuals_moves_a_regression_as_the_algebra_says(target: Target) -> None:
    """The simulated confounder, drawn and put into the regression of residuals, against the closed form."""
    road = drawn(800, 6)
    found = found_in(road, Y, target)
    rng = np.random.default_rng(1)
    d, share = road.rows.arm.astype(float), road.nuisances.propensity.shares[0]
    mu = road.nuisances.outcome("y", road.rows.numbers["y"], np.ones(800, dtype=bool)).mean[0]
    d_left = d - share[:, 1]
    y_left = road.rows.numbers["y"] - np.where(d == 1, mu[:, 1], mu[:, 0])
    y_left -= d_left * (d_left @ y_left) / (d_left @ d_left)
    noise = rng.normal(size=800)
    for each in (d_left, y_left):
        noise -= each * (each @ noise) / (each @ each)
    unit = [each / sqrt(each @ each) for each in (d_left, y_left, noise)]
    r_y, r_d = 0.3, 0.2
    u = sqrt(r_d) * unit[0] + sqrt(1 - r_d) * (sqrt(r_y) * unit[1] + sqrt(1 - r_y) * unit[2])
    y = 2.0 * d_left + y_left
    without = (d_left @ y) / (d_left @ d_left)
    beside = np.linalg.lstsq(np.column_stack([d_left, u]), y, rcond=None)[0][0]
    linear = sqrt((y_left @ y_left) / (d_left @ d_left))
    assert without - beside == pytest.approx(strength_of(r_y, r_d) * linear, rel=1e-9)
    told = dict(found.simulated)
    at_one = found.benchmarks[0]
    sigma = sqrt(np.mean((road.rows.numbers["y"] - np.where(d == 1, mu[:, 1], mu[:, 0])) ** 2))
    expected = found.point - strength_of(at_one.outcome, at_one.treatment) * sigma / sqrt(np.mean(d_left**2))
    assert told[1.0] == pytest.approx(expected, rel=1e-9)
    assert [multiple for multiple, _ in found.simulated] == sorted(told)
    assert all(abs(found.point - each) <= abs(found.point - found.bound.min()) for _, each in found.simulated[:2])


def test_benchmarks_agree_with_leaving_the_covariate_out() -> None:
    """Strengths from cross-products, against nuisances learned again without the covariate."""
    road = drawn(6_000, 7)
    found = found_in(road, Y, "ato")
    named = {each.column: each for each in found.benchmarks}
    assert found.benchmarks[0].column == "x0"
    assert set(named) == {"x0", "x1", "x2", "x3"}
    for column in ("x0", "x1", "x2"):
        left = tuple(name for name in road.nuisances.covariates if name != column)
        short = found_in(road_of(road.rows, left), Y, "ato")
        moved = abs(short.point - found.point)
        bound = strength_of(named[column].outcome, named[column].treatment) * found.scale
        # A confounder as strong as the one left out moves the effect at most so far, and of a linear world as far.
        assert moved <= bound * 1.05 + 3 * found.se / 10
        if column == "x0":
            assert moved >= 0.5 * bound


def test_what_does_not_vary_or_is_no_covariate_has_no_benchmark() -> None:
    road = drawn(300, 8)
    bare = found_in(road_of(road.rows, ()), Y, "ate")
    assert bare.benchmarks == ()
    assert bare.simulated == ()
    assert bare.multiple is None
    assert bare.robustness > 0


@pytest.mark.parametrize("measure", [Y, RATE, RATIO])
def test_contours_and_e_values_hang_together(measure: Measure) -> None:
    found = found_in(drawn(900, 9), measure, "ato")
    assert found.bound.shape == (GRID, GRID)
    assert found.bound[0] == pytest.approx([found.point] * GRID)
    reached = strength_of(found.grid[-1], found.grid[-1])
    assert found.bound[-1, -1] == pytest.approx(found.point - reached * found.scale)
    assert 0 < found.robustness_interval < found.robustness < 1
    assert found.e_value is not None
    assert found.e_value_limit is not None
    assert found.e_value > found.e_value_limit > 1


def test_an_effect_of_a_thousand_deviations_has_no_e_value() -> None:
    rng = np.random.default_rng(2)
    d = (rng.random(400) < 0.5).astype(float)
    road = road_of(rows_of(d, {"y": 1e4 * d + rng.normal(size=400), "x0": rng.normal(size=400)}), ("x0",))
    found = found_in(road, Y, "ate")
    assert (found.e_value, found.e_value_limit) == (None, None)


def test_a_ratios_scale_is_that_of_its_linearisation() -> None:
    road = drawn(900, 9)
    found = found_in(road, RATIO, "ate")
    y, d, arm = road.rows.numbers["y"], road.rows.numbers["d"], road.rows.arm
    whole = np.ones(900, dtype=bool)
    potential = road.potential(RATIO, "ate", "c")[0]
    below = road.potential(Measure(name="d", terms=(("d", 1.0),)), "ate", "c")[0].mean
    made = (y - potential.mean[arm] * d) / below[arm]
    means = (
        road.nuisances.outcome("y", y, whole).mean[0] - potential.mean * road.nuisances.outcome("d", d, whole).mean[0]
    )
    shares = road.nuisances.propensity.shares[0]
    rows = rows_of(arm, {**road.rows.numbers, "y": made})
    plain = found_in(road_of(rows, road.nuisances.covariates, shares=shares, means={"y": means / below}), Y, "ate")
    assert found.scale == pytest.approx(plain.scale, rel=1e-9)
    assert found.se == pytest.approx(plain.se, rel=1e-9)


def test_an_effect_without_numbers_has_a_reason() -> None:
    road = drawn(300, 8)
    gone = {**road.rows.numbers, "y": np.full(300, np.nan)}
    found = found_in(road_of(rows_of(road.rows.arm, gone), ("x0",)), Y, "ate")
    assert found.reason == "no customer in arm 't' has a value"


def test_an_outcome_that_does_not_vary_has_a_reason() -> None:
    road = drawn(300, 8)
    found = found_in(road_of(rows_of(road.rows.arm, {**road.rows.numbers, "y": np.zeros(300)}), ("x0",)), Y, "ate")
    assert found.reason == "the outcome does not vary beyond what covariates predict"


def test_splits_are_told_by_their_median() -> None:
    recipe = type(LINEAR)(outcome="linear", propensity="logistic", folds=3, repeats=3)
    road = drawn(500, 11, recipe=recipe)
    found = found_in(road, Y, "ato")
    single = [_twin_of_repeat(road, place) for place in range(3)]
    assert found.scale == pytest.approx(float(np.median(single)), rel=1e-9)


def _twin_of_repeat(road: ScoreRoad, repeat: int) -> float:
    y = road.rows.numbers["y"]
    shares = road.nuisances.propensity.shares[repeat]
    means = road.nuisances.outcome("y", y, np.ones(len(y), dtype=bool)).mean[repeat]
    given = road_of(road.rows, road.nuisances.covariates, shares=shares, means={"y": means})
    return found_in(given, Y, "ato").scale
