"""Every learner on covariates of every awkward kind: finite, in range, out of fold, the same bits, and no warning."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.registry import BUILT_IN
from cxcausal.core.rows import Floats, Rows
from cxcausal.nuisance.crossfit import Nuisances, Recipe, learner_named
from cxcausal.nuisance.threads import VARIABLE
from tests.nuisance.units import KINDS, Units, awkward, drawn

LEARNERS = tuple(BUILT_IN["learners"])
FAST = Recipe(folds=2, repeats=1)


def learned(units: Units, learner: str, *, weight: Floats | None = None, recipe: Recipe = FAST) -> Nuisances:
    chosen = replace(recipe, outcome=learner, propensity=learner)
    return Nuisances(rows=units.rows, covariates=units.covariates, recipe=chosen, weight=weight)


def means(made: Nuisances, name: str = "y") -> Floats:
    y = made.rows.numbers[name]
    return made.outcome(name, y, ~np.isnan(y)).mean


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_awkward_covariates_are_learned_from(learner: str, kind: str) -> None:
    units = awkward(80 if kind == "wide" else 300, kind)
    made = learned(units, learner)
    assert np.isfinite(means(made)).all()
    assert np.abs(means(made)).max() < 50
    shares = made.propensity.shares
    assert np.isfinite(shares).all()
    assert np.allclose(shares.sum(axis=2), 1)
    assert (shares >= 0).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_predicts_is_found_on_any_scale(learner: str) -> None:
    losses = []
    for kind in ("plain", "huge", "tiny", "collinear"):
        fact = learned(awkward(600, kind), learner).outcome(*_outcome(awkward(600, kind).rows)).facts[0]
        losses.append(fact.loss / fact.baseline)
    assert max(losses) < 0.75
    assert max(losses[:3]) - min(losses[:3]) < 0.03


def _outcome(rows: Rows) -> tuple[str, Floats, np.ndarray]:
    return "y", rows.numbers["y"], np.ones(rows.n, dtype=bool)


@pytest.mark.parametrize("arms", [3, 4])
@pytest.mark.parametrize("learner", LEARNERS)
def test_several_arms_have_shares_that_sum_to_one(learner: str, arms: int) -> None:
    made = learned(drawn(400, arms=arms), learner)
    assert made.propensity.shares.shape == (1, 400, arms)
    assert np.allclose(made.propensity.shares.sum(axis=2), 1)
    assert np.isfinite(means(made)).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_an_arm_that_is_missing_from_a_fold_has_a_share_nonetheless(learner: str) -> None:
    units = drawn(300, arms=3)
    arm = np.where(units.rows.arm == 2, 0, units.rows.arm).astype(np.int8)
    arm[0] = 2
    made = learned(replace(units, rows=replace(units.rows, arm=arm)), learner)
    assert np.isfinite(made.propensity.shares).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_weights_count(learner: str) -> None:
    units = drawn(400)
    light = np.where(units.rows.numbers["x"] > 0, 1.0, 1e-3)
    assert not np.allclose(means(learned(units, learner, weight=light)), means(learned(units, learner)))
    even = means(learned(units, learner, weight=np.ones(400)))
    assert np.allclose(even, means(learned(units, learner)), atol=1e-6)


@pytest.mark.parametrize("learner", LEARNERS)
def test_no_unit_is_predicted_by_a_model_that_saw_it(learner: str) -> None:
    units = drawn(200)
    made = learned(units, learner)
    y = units.rows.numbers["y"].copy()
    y[0] += 100
    changed = made.outcome("y", y, np.ones(200, dtype=bool)).mean
    own = made.folds[0] == made.folds[0][0]
    if learner not in {"stacked", "two_part"}:
        assert np.array_equal(changed[0][own], means(made)[0][own])
    assert not np.array_equal(changed[0][~own], means(made)[0][~own])


@pytest.mark.parametrize("learner", LEARNERS)
def test_threads_change_no_bit(learner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    units = drawn(300, arms=3)
    monkeypatch.setattr("cxcausal.nuisance.threads._FEWEST_ROWS", 1)
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv(VARIABLE, threads)
        made = learned(units, learner)
        found.append(means(made).tobytes() + made.propensity.shares.tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("learner", LEARNERS)
def test_missing_outcomes_have_a_chance_to_be_known(learner: str) -> None:
    units = drawn(400)
    y = units.rows.numbers["y"].copy()
    y[np.random.default_rng(3).random(400) < 0.3] = np.nan
    found = learned(units, learner).outcome("y", y, ~np.isnan(y))
    assert np.isfinite(found.mean).all()
    assert found.answered is not None
    assert 0.5 < float(np.mean(found.answered)) < 0.9


def test_one_more_outcome_changes_no_other() -> None:
    units = drawn(200)
    alone, both = learned(units, "lightgbm_tuned"), learned(units, "lightgbm_tuned")  # the learner that draws
    means(both, "bought")
    assert means(alone).tobytes() == means(both).tobytes()


@pytest.mark.parametrize("measure", [lambda made: made.propensity.shares, means])
def test_everything_is_learned_once(measure: Callable[[Nuisances], Floats], monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def counted(name: str) -> object:
        names.append(name)
        return learner_named(name)

    monkeypatch.setattr("cxcausal.nuisance.crossfit.learner_named", counted)
    made = learned(drawn(100), "linear")
    first = measure(made)
    asked = len(names)
    assert measure(made) is first
    assert len(names) == asked
