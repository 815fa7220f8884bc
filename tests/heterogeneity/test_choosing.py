"""The choice between learners: the smallest loss that weights allow, and nothing where there is nothing."""

from itertools import product

import numpy as np
import pytest

from cxcausal.core.errors import PlanError
from cxcausal.heterogeneity.choosing import aggregated, smallest
from cxcausal.heterogeneity.formulas import linear_terms
from cxcausal.heterogeneity.ridge import crossed, ridge
from cxcausal.heterogeneity.turning import course_of
from cxcausal.nuisance.crossfit import Recipe
from tests.heterogeneity.worlds import AIM, LINEAR, World, told, trial, with_numbers


def test_weights_are_the_smallest_of_all() -> None:
    rng = np.random.default_rng(1)
    grid = [np.array(mix) / 20 for mix in product(range(21), repeat=3) if sum(mix) == 20]
    for _ in range(30):
        root, right = rng.normal(size=(4, 3)), rng.normal(size=3)
        gram = root.T @ root
        found = smallest(gram, right)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
        best = min(float(mix @ gram @ mix - 2 * right @ mix) for mix in grid)
        assert float(found @ gram @ found - 2 * right @ found) <= best + 1e-12


def test_the_order_of_members_is_of_no_meaning() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(size=500)
    members = np.stack([np.zeros(500), 0.5 * target + rng.normal(size=500), rng.normal(size=500)])
    places, weight = np.array([0.0, 1.0, 2.0]), np.full(500, 1 / 500)
    one = aggregated(members, target, weight, places)
    two = aggregated(members[::-1], target, weight, places[::-1])
    assert np.allclose(one, two[::-1], atol=1e-6)
    assert one[1] > 0.3


def test_the_penalty_is_that_of_leaving_one_out_nearly() -> None:
    """GCV is leave-one-out with the mean leverage: both choose nearly the same fit."""
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(120), rng.normal(size=(120, 8))])
    y = x[:, 1] + 2 * rng.normal(size=120)
    found = ridge(crossed([(x[:50], y[:50], np.ones(50)), (x[50:], y[50:], np.ones(70))]), 120, 1)
    plain = np.linalg.lstsq(x, y, rcond=None)[0]
    true = np.array([0.0, 1.0, *np.zeros(7)])
    assert np.sum((found - true) ** 2) < np.sum((plain - true) ** 2)
    exact = ridge(crossed([(x, x @ true, np.ones(120))]), 120, 1)
    assert np.allclose(exact, true, atol=1e-3)


def _candidates(world: World, learners: tuple[str, ...], recipe: Recipe = LINEAR) -> dict[str, tuple[float, float]]:
    course = course_of(
        world.rows, AIM, modifiers=("x", "z"), nuisances=world.nuisances(recipe),
        eligible=np.ones(world.rows.n, dtype=bool), weight=np.ones(world.rows.n), learners=learners,
    )  # fmt: skip
    everybody = np.arange(world.rows.n)
    found = course.taught(everybody, everybody[:0], "test").chosen.candidates
    return {each.name: (float(each.loss or 0.0), each.weight) for each in found}


@pytest.mark.parametrize("learner", ["s", "t", "x", "dr", "r"])
def test_every_learner_finds_what_is_there(learner: str) -> None:
    told_of = _candidates(trial(1_500, chosen=True), (learner,))
    assert told_of["constant"][0] == 0.0
    assert told_of["constant"][1] < 0.2
    assert min(loss for loss, _ in told_of.values()) < -0.03


def test_no_learner_does_better_than_one_effect_where_that_is_the_truth() -> None:
    """With means that saw the judged units, X would seem 2 % better than the constant here."""
    losses = []
    for seed in range(4):
        world = trial(900, seed=seed, slope=0.0)
        bent = with_numbers(world, y=world.rows.numbers["y"] + 3 * np.sin(3 * world.rows.numbers["x"]))
        losses.append(min(loss for loss, _ in _candidates(bent, ("x",), Recipe(repeats=1)).values()))
    assert np.mean(losses) > -0.014


def test_a_fair_coin_leaves_r_to_dr() -> None:
    assert not any(name.startswith("r_") for name in _candidates(trial(600), ("r",)))
    assert any(name.startswith("r_") for name in _candidates(trial(600, arms=3), ("r",)))


def test_modifiers_that_do_not_vary_leave_one_effect() -> None:
    world = trial(600)
    world.rows.numbers["z"][:] = 3.0
    held = told(world, modifiers=("z",), learners=("t", "dr", "s", "x", "r"))
    for turn in held.turns:
        assert np.ptp(turn.judged.gains[:, 1]) < 0.4
        assert len(np.unique(turn.judged.gains[:, 1])) == 1


def test_an_unknown_learner_is_refused_by_name() -> None:
    with pytest.raises(PlanError, match=r"P190 there is no effect_learner named 'crystal_ball'"):
        told(trial(600), learners=("crystal_ball",))


def test_planes_have_a_constant_first() -> None:
    assert linear_terms(0).tolist() == [[-1, -1]]
