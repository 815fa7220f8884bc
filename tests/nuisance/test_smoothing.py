"""Penalties of terms: what restricted likelihood by n × n matrices would choose, and noise that hides no bend."""

import numpy as np
import pytest
from scipy.optimize import minimize

from cxcausal.core.rows import Floats
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.nuisance.learners.splines import Splines, bent, learned
from cxcausal.nuisance.smoothing import Terms, beginning, least_squares, logistic
from cxcausal.nuisance.weighing import squared_error
from tests.nuisance.units import rows_of

TWO = Recipe(folds=2, repeats=1)


def terms_of(n: int, seed: int) -> tuple[Terms, Floats]:
    """Return columns in three terms, and an outcome that the first two tell."""
    rng = np.random.default_rng(seed)
    columns = np.column_stack([np.ones(n), rng.normal(size=(n, 9))])
    of = np.repeat([0, 1, 2, 3], [1, 3, 3, 3])
    slopes = np.array([2.0, 0.8, -0.6, 0.4, 0.3, -0.2, 0.25, 0, 0, 0])
    return Terms(columns=columns, of=of), columns @ slopes + rng.normal(size=n)


def restricted(terms: Terms, y: Floats, strengths: Floats) -> float:
    """Return −2 log restricted likelihood with the noise's variance profiled out, by n × n matrices."""
    n, whole = len(y), np.eye(len(y))
    for place in range(1, terms.many):
        own = terms.columns[:, terms.of == place]
        whole += own @ own.T / strengths[place]
    inverse, ones = np.linalg.inv(whole), np.ones((n, 1))
    across = ones.T @ inverse @ ones
    left = inverse - inverse @ ones @ np.linalg.inv(across) @ ones.T @ inverse
    return float(np.linalg.slogdet(whole)[1] + np.log(across[0, 0]) + (n - 1) * np.log(y @ left @ y))


@pytest.mark.parametrize("seed", range(4))
def test_strengths_are_those_of_restricted_likelihood(seed: int) -> None:
    terms, y = terms_of(120, seed)
    found = least_squares(terms, y, np.ones(120), beginning(terms))

    def off(logs: Floats) -> float:
        return restricted(terms, y, np.exp(np.concatenate([[0.0], logs])))

    bounds = [(np.log(1e-4), np.log(1e8))] * 3
    best = min((minimize(off, np.full(3, start), bounds=bounds).fun for start in (0.0, 3.0, 8.0)), default=np.inf)
    ours = restricted(terms, y, found.strengths)
    assert ours <= best + 0.05
    assert ours < restricted(terms, y, np.full(4, 1e-3)) - 1


def test_slopes_are_penalised_least_squares() -> None:
    terms, y = terms_of(120, 1)
    found = least_squares(terms, y, np.ones(120), beginning(terms))
    penalty = np.where(terms.of > 0, found.strengths[terms.of], 0.0)
    again = np.linalg.solve(terms.columns.T @ terms.columns + np.diag(penalty), terms.columns.T @ y)
    assert np.abs(again - found.slopes).max() < 5e-3, "the last step moves the strengths a little beyond the slopes"


def test_a_weight_of_two_is_the_unit_twice() -> None:
    terms, y = terms_of(100, 2)
    mass = np.repeat([1.0, 2.0], 50)
    twice = np.concatenate([np.arange(100), np.arange(50, 100)])
    repeated = Terms(columns=terms.columns[twice], of=terms.of)
    chance = (y > y.mean()).astype(np.float64)
    weighed = logistic(terms, chance, mass, beginning(terms))
    counted = logistic(repeated, chance[twice], np.ones(150), beginning(terms))
    assert np.abs(weighed.slopes - counted.slopes).max() < 1e-8


def test_logistic_slopes_solve_their_equations() -> None:
    terms, y = terms_of(400, 3)
    chance = (y > y.mean()).astype(np.float64)
    found = logistic(terms, chance, np.ones(400), beginning(terms))
    penalty = np.where(terms.of > 0, found.strengths[terms.of], 0.0)
    told = 1 / (1 + np.exp(-terms.columns @ found.slopes))
    assert np.abs(terms.columns.T @ (chance - told) - penalty * found.slopes).max() < 0.02


def made(n: int, covariates: int, seed: int) -> tuple[Nuisances, Floats]:
    rng = np.random.default_rng(seed)
    numbers = {f"x{place}": rng.normal(size=n) for place in range(covariates)}
    arm = rng.integers(0, 2, n)
    return Nuisances(rows=rows_of(arm, numbers), covariates=tuple(numbers), recipe=TWO), rng.normal(size=n)


def off(units: Nuisances, truth: Floats, noise: Floats) -> float:
    everybody = np.ones(len(truth), dtype=bool)
    found = Splines().mean(units.features, truth + noise, everybody, units.split(0, "a"))
    return squared_error(found, truth)


def test_columns_that_tell_nothing_hide_no_bend() -> None:
    units, noise = made(800, 20, 5)
    x = units.rows.numbers
    truth = 1.5 * np.sin(2 * x["x0"])
    assert off(units, truth, noise) < 0.15 * truth.var()
    alone = Nuisances(rows=units.rows, covariates=("x0",), recipe=TWO)
    assert off(units, truth, noise) < 3 * off(alone, truth, noise)


@pytest.mark.parametrize("binary", [False, True])
def test_pairs_are_multiplied_where_they_matter(binary: bool) -> None:  # noqa: FBT001 - a parameter
    units, noise = made(1_200, 10, 6)
    x = units.rows.numbers
    truth = x["x1"] * x["x2"]
    if binary:
        y = (noise < truth).astype(np.float64)
        everybody = np.ones(len(y), dtype=bool)
        found = Splines().mean(units.features, y, everybody, units.split(0, "a"))
        assert np.corrcoef(found, truth)[0, 1] > 0.8
    else:
        assert off(units, truth, noise) < 0.1 * truth.var()


def test_noise_is_left_flat() -> None:
    lost = []
    for seed in range(20):
        units, noise = made(300, 12, 100 + seed)
        lost.append(off(units, np.zeros(300), noise))
    assert np.mean(lost) < 12 / 150, "what least squares on the plane alone would lose, and bends and pairs come on top"


def test_one_outlier_of_two_covariates_makes_no_wild_prediction() -> None:
    units, noise = made(400, 3, 8)
    x = units.rows.numbers
    x["x0"][0] = x["x1"][0] = 40.0
    again = Nuisances(rows=units.rows, covariates=units.covariates, recipe=TWO)
    y = np.clip(x["x0"], -3, 3) * np.clip(x["x1"], -3, 3) + noise
    train = np.arange(400) > 0
    found = learned(bent(again.features), y, train, None, binary=False)
    assert abs(found[0]) <= np.abs(y[train]).max()
