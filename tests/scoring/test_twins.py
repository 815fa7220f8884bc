"""Scores against independent twins: published numbers, and the formulas written out unit by unit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels
from statsmodels.discrete.discrete_model import Probit

from cxcausal.core.score_queries import Target
from cxcausal.scoring.potential import potential_means, tilt_of
from cxcausal.stats.parametric_aipw import parametric_aipw
from tests.score_worlds import LINEAR, THREE_ARMS, WORLDS, Drawn, ScoreWorld, effect_of, road_of

CATTANEO = Path(statsmodels.__file__).parent / "treatment/tests/results/cataneo2.csv"
STATA_AIPW, STATA_SE = -230.98920, 26.21056


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    return pd.read_csv(CATTANEO)


def test_parametric_aipw_is_statas(births: pd.DataFrame) -> None:
    one = np.ones(len(births))
    outcome = np.column_stack([one, births.prenatal1_, births.mmarried_, births.mage, births.fbaby_])
    treatment = np.column_stack([one, births.mmarried_, births.mage, births.mage2, births.fbaby_, births.medu])
    y, smokes = births.bweight.to_numpy(float), births.mbsmoke_.to_numpy() == 1
    found = parametric_aipw(y, smokes, outcome, treatment, link="probit")
    assert found.effect == pytest.approx(STATA_AIPW, abs=1e-5)
    assert found.se == pytest.approx(STATA_SE, abs=1e-3)


def test_the_core_gives_statas_point_from_statas_nuisances(births: pd.DataFrame) -> None:
    formula = "mbsmoke_ ~ mmarried_ + mage + mage2 + fbaby_ + medu"
    share = np.asarray(Probit.from_formula(formula, births).fit(disp=0).predict())
    y, arm = births.bweight.to_numpy(float), births.mbsmoke_.to_numpy().astype(np.int8)
    columns = np.column_stack([np.ones(len(y)), births.prenatal1_, births.mmarried_, births.mage, births.fbaby_])
    shares = np.column_stack([1 - share, share])
    tilt = tilt_of("ate", shares, arm, None, np.ones(len(y)))
    means = []
    for place in (0, 1):
        slopes = np.linalg.lstsq(columns[arm == place], y[arm == place], rcond=None)[0]
        point, _ = potential_means(y, y > 0, arm == place, columns @ slopes, 1 / shares[:, place], tilt)
        means.append(point)
    assert means[1] - means[0] == pytest.approx(STATA_AIPW, abs=1e-5)


def _twin(drawn: Drawn, target: Target, treated: int, arms: int) -> tuple[float, float]:
    """Return effect and standard error from formulas written out per target, with nuisances of the very same folds."""
    road = road_of(drawn, arms=arms)
    fold, y, arm, x = road.nuisances.folds[0], drawn.y, drawn.arm, drawn.x
    e = road.nuisances.propensity.shares[0]
    mu = np.zeros((len(y), arms))
    design = np.column_stack([np.ones(len(y)), (x - x.mean(0)) / x.std(0)])
    for k in range(5):
        for a in range(arms):
            train = (fold != k) & (arm == a)
            slopes = np.linalg.solve(design[train].T @ design[train], design[train].T @ y[train])
            mu[fold == k, a] = design[fold == k] @ slopes
    phi = np.array([_phi(target, (treated, arm[i]), y[i], e[i], mu[i]) for i in range(len(y))])
    effect = phi[:, 0].sum() / phi[:, 1].sum()
    centred = (phi[:, 0] - effect * phi[:, 1]) / phi[:, 1].mean()
    return float(effect), float(centred.std(ddof=1) / np.sqrt(len(y)))


def _phi(target: Target, arms: tuple[int, int], y: float, e: np.ndarray, mu: np.ndarray) -> tuple[float, float]:
    """Return a unit's numerator and denominator: efficient scores of ATE, ATT (Hahn 1998) and overlap, by hand."""
    t, a = arms
    tau = mu[t] - mu[0]
    rest = (a == t) * (y - mu[t]) / e[t] - (a == 0) * (y - mu[0]) / e[0]
    if target == "ate":
        return tau + rest, 1.0
    if target == "att":
        return (a == t) * (y - mu[0]) - (a == 0) * e[t] / e[0] * (y - mu[0]), float(a == t)
    h = 1 / np.sum(1 / e)
    mass = h + sum(h**2 / e[c] ** 2 * ((a == c) - e[c]) for c in range(len(e)))
    return mass * tau + h * rest, mass


@pytest.mark.parametrize("target", ["ate", "att", "ato"])
@pytest.mark.parametrize("world", [WORLDS[0], WORLDS[2], THREE_ARMS], ids=lambda world: world.name)
def test_effects_are_the_twins(world: ScoreWorld, target: Target) -> None:
    drawn = world.sample(np.random.default_rng(4), 600)
    treated = world.arms - 1
    found = effect_of(road_of(drawn, recipe=LINEAR, arms=world.arms), target, treated)
    point, se = _twin(drawn, target, treated, world.arms)
    assert found.mean[0] - found.mean[1] == pytest.approx(point, rel=1e-9)
    one = np.array([1.0, -1.0])
    assert np.sqrt(one @ found.covariance @ one) == pytest.approx(se, rel=1e-9)
