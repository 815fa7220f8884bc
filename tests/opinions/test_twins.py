"""Each method against a few lines of numpy that know nothing of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import root

from cxcausal.core.rows import Floats
from cxcausal.scoring.measured import Values
from cxcausal.scoring.opinions.causal_forest import CausalForest, forest
from cxcausal.scoring.opinions.dr_learner import effects
from cxcausal.scoring.opinions.linear_dml import folds_in, slope
from cxcausal.scoring.opinions.matching import MOST_FOR_TREE, NEIGHBOURS, match_weights, neighbours
from cxcausal.scoring.opinions.opining import Asked
from cxcausal.scoring.opinions.overlap_weighting import OverlapWeighting
from cxcausal.scoring.opinions.pair import Pair
from cxcausal.stats.parametric_aipw import parametric_aipw
from tests.opinions.worlds import ARMS, METHODS, OUTCOME, means_of, opinions_of, road_of, rows_of

EXACT = 1e-9


def _refined(x: Floats, treated: Floats, e: Floats) -> Floats:
    """Return the logistic regression on covariates with the logit of e as offset, by a general solver."""
    wide = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])
    offset = np.log(e / (1 - e))

    def left(beta: Floats) -> Floats:
        return np.asarray(wide.T @ (treated - 1 / (1 + np.exp(-offset - wide @ beta))) - beta)

    beta = root(left, np.zeros(wide.shape[1]), tol=1e-14).x
    return np.asarray(1 / (1 + np.exp(-offset - wide @ beta)))


def _logistic(x: Floats, own: Floats) -> Floats:
    """Return the chances of a logistic regression, by a general solver."""

    def left(beta: Floats) -> Floats:
        return np.asarray(x.T @ (own - 1 / (1 + np.exp(-x @ beta))))

    return np.asarray(1 / (1 + np.exp(-x @ root(left, np.zeros(x.shape[1]), tol=1e-14).x)))


@pytest.mark.parametrize("arms", [2, 3])
def test_parametric_aipw_is_the_textbooks(arms: int) -> None:
    rows = rows_of(arms=arms)
    numbers = {**rows.numbers, "again": 2 * rows.numbers["x0"] - rows.numbers["x1"]}
    road = road_of(replace(rows, numbers=numbers), covariates=("x0", "x1", "x2", "again"))
    x = np.column_stack([np.ones(rows.n), *(rows.numbers[f"x{place}"] for place in range(3))])
    means = []
    for place in range(arms):
        own = rows.arm == place
        share = _logistic(x, own.astype(np.float64))
        line = x @ np.linalg.lstsq(x[own], rows.numbers["y"][own], rcond=None)[0]
        means.append(np.mean(line + own * (rows.numbers["y"] - line) / share))
    told = opinions_of(road, "parametric_aipw", "ate")
    points = [told[arm, "zed"].point for arm in ARMS[1:arms]]
    assert points == pytest.approx([mean - means[0] for mean in means[1:]], abs=EXACT)
    if arms == 2:
        alone = parametric_aipw(rows.numbers["y"], rows.arm == 1, x, x)
        assert told["call", "zed"].se == pytest.approx(alone.se, rel=1e-2)
        assert told["call", "zed"].point == pytest.approx(alone.effect, abs=EXACT)


def test_parametric_aipw_says_why_it_has_no_effect() -> None:
    rows = rows_of()
    weighted = road_of(rows)
    weighted.nuisances.weight = np.linspace(0.5, 1.5, rows.n)
    assert opinions_of(weighted, "parametric_aipw")["call", "zed"].reason == "this method knows no weights"
    decided = {**rows.numbers, "x0": rows.arm.astype(np.float64)}
    alone = opinions_of(road_of(replace(rows, numbers=decided)), "parametric_aipw")["call", "zed"]
    assert alone.reason is not None
    wide = {**rows.numbers, **{f"w{at}": np.random.default_rng(at).normal(size=rows.n) for at in range(40)}}
    names = ("x0", *(f"w{at}" for at in range(40)))
    crowded = opinions_of(road_of(replace(rows, numbers=wide), covariates=names), "parametric_aipw")["call", "zed"]
    assert "too few customers for a regression on 42 columns" in str(crowded.reason)


def test_overlap_weighting_is_a_difference_of_weighted_means() -> None:
    road = road_of(rows_of())
    told = opinions_of(road, "overlap_weighting")["call", "zed"]
    y, treated = road.rows.numbers["y"], road.rows.arm == 1
    mean, shares = means_of(road)
    x = np.column_stack([road.rows.numbers[f"x{place}"] for place in range(3)])
    e = _refined(x, treated, shares[:, 1])
    weights = np.where(treated, 1 - e, e)
    one, base = (np.average(y[group], weights=weights[group]) for group in (treated, ~treated))
    assert told.point == pytest.approx(one - base, rel=EXACT)
    assert told.base == pytest.approx(base, rel=EXACT)
    assert told.gap == pytest.approx(told.point - _overlap_scores(y, treated, mean, shares[:, 1])[0], abs=EXACT)
    apart = [np.average(x[group], axis=0, weights=weights[group]) for group in (treated, ~treated)]
    assert apart[0] == pytest.approx(apart[1], abs=2 / np.sum(weights[treated]))  # the penalty is a unit's weight


@pytest.mark.parametrize("arms", [2, 3])
def test_influence_is_what_a_unit_more_would_do(arms: int) -> None:
    road = road_of(rows_of(n=400, arms=arms))
    asked = Asked(measure=OUTCOME, target="ato", arm="call", control="zed", repeat=0)
    heard = OverlapWeighting().heard(road, asked)  # what is learned is kept, whatever the weights are from here on
    more = 1e-4
    for unit in range(0, 400, 40):
        road.nuisances.weight = np.ones(400)
        road.nuisances.weight[unit] += more
        moved = (OverlapWeighting().heard(road, asked).point - heard.point) / more
        assert moved == pytest.approx(heard.phi[unit] / 400, rel=0.02, abs=2e-5)


def _overlap_scores(y: Floats, treated: Floats, mean: Floats, e: Floats) -> tuple[float, Floats]:
    """Return the doubly robust effect of two arms' overlap: its mass is (A − e)²."""
    mass = (treated - e) ** 2
    left = np.where(treated, (1 - e) * (y - mean[:, 1]), -e * (y - mean[:, 0]))
    told = mass * (mean[:, 1] - mean[:, 0]) + left
    point = told.sum() / mass.sum()
    return float(point), (told - mass * point) / mass.mean()


def test_matching_counts_whom_each_unit_stands_for() -> None:
    rng = np.random.default_rng(5)
    points, pool = rng.normal(size=(30, 2)), np.arange(30) % 3 == 0
    represented, weight = np.arange(30) != 7, rng.random(30)
    found = match_weights(neighbours(points, pool, 2), pool, represented, weight)
    twin = np.zeros(30)
    for unit in range(30):
        if not represented[unit]:
            continue
        if pool[unit]:
            twin[unit] += weight[unit]
            continue
        apart = np.where(pool, ((points - points[unit]) ** 2).sum(axis=1), np.inf)
        twin[np.argsort(apart)[:2]] += weight[unit] / 2
    assert found == pytest.approx(twin, rel=EXACT)


@pytest.mark.parametrize("columns", [2, MOST_FOR_TREE + 1])
def test_a_units_neighbours_are_the_nearest_of_the_pool_without_itself(columns: int) -> None:
    rng = np.random.default_rng(6)
    points, pool = rng.normal(size=(50, columns)), rng.random(50) < 0.4
    points[7] = points[8]  # a copy
    pool[[7, 8]] = True
    found = neighbours(points, pool, 3)
    for unit in range(50):
        apart = np.where(pool, ((points - points[unit]) ** 2).sum(axis=1), np.inf)
        apart[unit] = np.inf
        assert len(set(found[unit])) == 3
        assert np.sort(apart[found[unit]]) == pytest.approx(np.sort(apart)[:3], abs=EXACT)


@pytest.mark.parametrize("target", ["ate", "att"])
def test_matching_by_hand(target: str) -> None:
    road = road_of(rows_of(n=200))
    told = opinions_of(road, "matching", target)["call", "zed"]  # type: ignore[arg-type]
    y, treated = road.rows.numbers["y"], road.rows.arm == 1
    mean, shares = means_of(road)
    x = np.column_stack([road.rows.numbers[f"x{place}"] for place in range(3)])
    z = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.log(shares[:, 1] / shares[:, 0])])
    inverse = np.linalg.inv(np.cov(z.T, bias=True))
    effects_of_units = []
    for unit in np.flatnonzero(treated) if target == "att" else range(len(y)):
        others = np.flatnonzero(treated != treated[unit])
        apart = np.einsum("ij,jk,ik->i", z[others] - z[unit], inverse, z[others] - z[unit])
        nearest = others[np.argsort(apart)[:NEIGHBOURS]]
        other = int(not treated[unit])
        missing = np.mean(y[nearest] + mean[unit, other] - mean[nearest, other])
        effects_of_units.append((y[unit] - missing) * (1 if treated[unit] else -1))
    assert told.point == pytest.approx(np.mean(effects_of_units), rel=EXACT)
    assert told.target == target


def test_partialling_out_is_a_slope_by_hand() -> None:
    rng = np.random.default_rng(2)
    n = 300
    mean, share, weight = rng.normal(size=n), rng.uniform(0.2, 0.8, n), rng.uniform(0.5, 2, n)
    treated = (rng.random(n) < share).astype(float)
    y = mean + treated + rng.normal(size=n)
    fold = (np.arange(n) % 5).astype(np.int16)
    rest = treated - share
    by_hand = np.sum(weight * rest * (y - mean)) / np.sum(weight * rest**2)
    # EconML's final stage has no constant when nothing moderates the effect
    assert slope(y, treated, mean, share, weight, folds_in(fold)) == pytest.approx(by_hand, rel=EXACT)


def test_partialling_out_with_the_scores_own_models_is_the_scores_own_overlap_effect() -> None:
    road = road_of(rows_of())
    y, treated = road.rows.numbers["y"], (road.rows.arm == 1).astype(float)
    mean, shares = means_of(road)
    e = shares[:, 1]
    pooled = e * mean[:, 1] + (1 - e) * mean[:, 0]
    found = slope(y, treated, pooled, e, np.ones(len(y)), folds_in(road.nuisances.folds[0]))
    assert found == pytest.approx(_overlap_scores(y, treated == 1, mean, e)[0], rel=EXACT)


def test_the_doubly_robust_learner_is_a_mean_of_scores() -> None:
    rng = np.random.default_rng(4)
    n = 300
    mean, share = rng.normal(size=(n, 3)), rng.dirichlet([4, 4, 4], n)
    arm, weight = rng.integers(0, 3, n).astype(np.int8), rng.uniform(0.5, 2, n)
    y = mean[np.arange(n), arm] + rng.normal(size=n)
    scores = mean + (arm[:, None] == np.arange(3)) * (y[:, None] - mean) / share
    by_hand = np.average(scores, axis=0, weights=weight)
    found = effects(y, arm, mean, share, weight, folds_in((np.arange(n) % 5).astype(np.int16)))
    assert found == pytest.approx(by_hand - by_hand[0], abs=EXACT)


def test_a_forest_on_the_overlap_of_two_arms_is_partialling_out() -> None:
    road = road_of(rows_of(n=300))
    heard = CausalForest().heard(road, Asked(measure=OUTCOME, target="ato", arm="call", control="zed", repeat=0))
    rest = (road.rows.arm == 1) - means_of(road)[1][:, 1]
    # φ = (A − e)(Y − m − θ(A − e)) / mean((A − e)²), so that the forest's outcome model can be read off it
    left = heard.phi * np.mean(rest**2) / rest + heard.point * rest
    assert np.sum(rest * left) / np.sum(rest**2) == pytest.approx(heard.point, rel=EXACT)
    predicted = road.rows.numbers["y"] - left
    assert np.corrcoef(predicted, road.rows.numbers["x0"])[0, 1] > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_the_control_is_the_plans_whatever_the_arms_are_called(method: str) -> None:
    told = opinions_of(road_of(rows_of(n=900, arms=3)), method, "ate")
    assert min(ARMS) != ARMS[0]
    for place, arm in enumerate(ARMS[1:], start=1):
        assert abs(told[arm, "zed"].point - place) < 5 * told[arm, "zed"].se
        assert told[arm, "zed"].point > 0.5


def test_a_forest_finds_effects_that_vary_where_outcomes_vary_far_more() -> None:
    rng = np.random.default_rng(8)
    n = 1200
    x = rng.normal(size=(n, 2))
    share = 1 / (1 + np.exp(-x[:, 1]))
    treated, effect, base = (rng.random(n) < share).astype(float), 1 + 2 * x[:, 0], 20 * x[:, 1]
    y = base + effect * treated + rng.normal(size=n)
    pair = Pair(
        values=Values(parts=(), constants=(), seen=np.ones(n, dtype=bool)),
        y=y,
        use=np.ones(n, dtype=bool),
        treated=treated,
        share=share,
        weight=np.ones(n),
    )
    learn = np.arange(1000)
    found = forest(x, pair, base + share * effect, learn, 3, x[1000:])
    # only with its own prediction and propensity beside each unit does so large a base leave a trace of the effects
    assert np.corrcoef(found, effect[1000:])[0, 1] > 0.9
    assert found.mean() == pytest.approx(effect[1000:].mean(), abs=0.4)
