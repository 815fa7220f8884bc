"""What few units tell: members of the stack that bend, step and borrow from other arms, and exact convex weights."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.rows import Floats
from cxcausal.nuisance.crossfit import Nuisances, Recipe
from cxcausal.nuisance.learners import stacked
from cxcausal.nuisance.learners.sharing import shared
from cxcausal.nuisance.learners.splines import Splines, bent
from cxcausal.nuisance.learners.stacked import Stacked
from cxcausal.nuisance.weighing import convex_weights, least_squares_weights, squared_error
from tests.nuisance.units import rows_of

TWO = Recipe(folds=2, repeats=1)
MEMBERS = {"lightgbm", "splines", "stumps"}


def curved(n: int, *, binary: bool = False) -> tuple[Nuisances, Floats]:
    """Return units whose outcome bends, and its true mean in the first arm, shape (n,); the second has 1 more."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=n), rng.normal(size=n)
    arm = rng.integers(0, 2, n)
    mean = 1.5 * np.maximum(x, 0) + np.abs(z)
    if binary:
        mean = 1 / (1 + np.exp(1.5 - mean))
        y = (rng.random(n) < mean).astype(np.float64)
    else:
        y = mean + arm + rng.normal(size=n)
    rows = rows_of(arm, {"x": x, "z": z, "y": y})
    return Nuisances(rows=rows, covariates=("x", "z"), recipe=TWO), mean


def off(made: Nuisances, truth: Floats, learner: str) -> float:
    chosen = Nuisances(rows=made.rows, covariates=made.covariates, recipe=replace(TWO, outcome=learner))
    found = chosen.outcome("y", made.rows.numbers["y"], np.ones(made.rows.n, dtype=bool)).mean[0, :, 0]
    return squared_error(found, truth)


@pytest.mark.parametrize("binary", [False, True])
def test_splines_find_bends_that_planes_miss(binary: bool) -> None:  # noqa: FBT001 - a parameter
    made, truth = curved(800, binary=binary)
    everybody, y = np.ones(800, dtype=bool), made.rows.numbers["y"]
    found = Splines().mean(made.features, y, everybody & (made.rows.arm == 0), made.split(0, "a"))
    assert squared_error(found, truth) < 0.5 * off(made, truth, "logistic" if binary else "linear")


def test_the_stack_is_nearer_to_bends_than_its_plane_and_trees() -> None:
    made, truth = curved(600)
    assert off(made, truth, "stacked") < 0.7 * min(off(made, truth, name) for name in ("linear", "lightgbm"))


def test_splines_of_a_straight_line_are_nearly_straight() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    made = Nuisances(rows=rows_of(rng.integers(0, 2, 400), {"x": x}), covariates=("x",), recipe=TWO)
    found = Splines().mean(made.features, x + rng.normal(size=400), np.ones(400, dtype=bool), made.split(0, "a"))
    assert squared_error(found, x) < 0.05


def test_columns_are_bounded_however_many_covariates_there_are() -> None:
    rng = np.random.default_rng(6)
    numbers = {f"n{place}": rng.normal(size=60) for place in range(130)}
    made = Nuisances(rows=rows_of(rng.integers(0, 2, 60), numbers), covariates=tuple(numbers), recipe=TWO)
    assert bent(made.features).terms.columns.shape == (60, 131)
    fewer = made.features.without(frozenset(f"n{place}" for place in range(50)))
    assert bent(fewer).terms.columns.shape == (60, 1 + 80 + 80)


def test_the_other_arms_units_are_told_apart_and_predicted_out_of_fold() -> None:
    made, _ = curved(300)
    y, own = made.rows.numbers["y"], made.rows.arm == 0
    split = replace(made.split(0, "a"), beside=~own)
    lesson = shared(made.features, y, own, split)
    assert lesson is not None
    assert lesson.use.sum() == 300
    assert np.array_equal(lesson.features.matrix[:300, 2], np.ones(300))
    assert np.array_equal(lesson.features.matrix[300:, 2], np.zeros((~own).sum()))
    assert np.array_equal(lesson.split.fold[300:], split.fold[~own])
    found = lesson.mean(Splines())
    held = split.fold == 0
    changed = shared(made.features, np.where(held, y + 100, y), own, split)
    assert changed is not None
    assert np.array_equal(changed.mean(Splines())[held], found[held])
    assert not np.allclose(changed.mean(Splines())[~held], found[~held])


def test_nothing_is_borrowed_where_no_other_arm_is_told() -> None:
    made, _ = curved(200)
    y, own, split = made.rows.numbers["y"], made.rows.arm == 0, made.split(0, "a")
    alone, both = Stacked(), Stacked()
    assert shared(made.features, y, own, split) is None
    alone.mean(made.features, y, own, split)
    both.mean(made.features, y, own, replace(split, beside=~own))
    assert set(alone.weights) == MEMBERS | {"linear"}
    assert set(both.weights) == set(alone.weights) | {"shared"}


def test_many_units_are_left_to_the_plane_and_boosted_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "MOST_FOR_ALL", 199)
    made, _ = curved(200)
    learner = Stacked()
    own = made.rows.arm == 0
    learner.mean(made.features, made.rows.numbers["y"], own, replace(made.split(0, "a"), beside=~own))
    assert set(learner.weights) == {"linear", "lightgbm"}
    learner.shares(made.features, made.rows.arm, 2, made.split(0, "a"))
    assert set(learner.weights) == {"logistic", "lightgbm"}


@pytest.mark.parametrize("members", [1, 2, 4, 6])
def test_exact_weights_lose_nothing_against_a_search(members: int) -> None:
    rng = np.random.default_rng(members)
    y, weight = rng.normal(size=200), rng.random(200)
    made = 0.5 * y + rng.normal(size=(members, 200)) * np.linspace(0.3, 2, members)[:, None]
    exact = least_squares_weights(made, y, weight)
    searched = convex_weights(lambda mix: squared_error(mix @ made, y, weight), members)
    assert np.isclose(exact.sum(), 1)
    assert exact.min() >= 0
    assert squared_error(exact @ made, y, weight) <= squared_error(searched @ made, y, weight) + 1e-9


def test_members_that_are_the_same_or_perfect_have_weights() -> None:
    y = np.arange(5.0)
    assert least_squares_weights(np.ones((3, 5)), y).sum() == pytest.approx(1)
    assert least_squares_weights(np.stack([y, y]), y).sum() == pytest.approx(1)
