"""Turns leak nothing, their scores are unbiased, and nothing depends on the order of rows."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from cxcausal.core.errors import DataError
from cxcausal.core.held_out import HeldOut
from cxcausal.core.measure import Measure
from cxcausal.heterogeneity.subject import rows_at
from cxcausal.heterogeneity.turning import STEPS_OF_AIM, held_out
from cxcausal.nuisance.crossfit import Recipe
from cxcausal.nuisance.threads import VARIABLE
from tests.heterogeneity.worlds import AIM, LINEAR, World, told, trial, with_numbers

STACKED = Recipe(repeats=1)


def _off(held: HeldOut, world: World) -> float:
    """Return the error of judged gains, over that of one effect for everybody."""
    turns = [(turn.judged.gains[:, 1:], world.gains[turn.judged.units][:, 1:]) for turn in held.turns]
    error = sum(float(((told - true) ** 2).sum()) for told, true in turns)
    plain = sum(float(((true - true.mean(axis=0)) ** 2).sum()) for _, true in turns)
    return error / plain


@pytest.mark.parametrize("recipe", [LINEAR, STACKED], ids=["linear", "stacked"])
@pytest.mark.parametrize("chosen", [False, True], ids=["coin", "chosen"])
def test_judged_outcomes_and_arms_have_no_part_in_what_is_told_of_them(recipe: Recipe, *, chosen: bool) -> None:
    world = trial(900, chosen=chosen)
    before = told(world, recipe=recipe)
    for place, turn in enumerate(before.turns):
        units = turn.judged.units
        y, arm = world.rows.numbers["y"].copy(), world.rows.arm.copy()
        y[units], arm[units] = 5 - 3 * y[units], 1 - arm[units]
        moved = with_numbers(replace(world, rows=replace(world.rows, arm=arm)), y=y)
        after = told(moved, recipe=recipe).turns[place]
        own = np.argsort(turn.judged.units), np.argsort(after.judged.units)
        assert np.array_equal(turn.judged.units[own[0]], after.judged.units[own[1]])
        assert np.array_equal(turn.judged.gains[own[0]], after.judged.gains[own[1]])
        assert np.array_equal(turn.judged.means[own[0]], after.judged.means[own[1]])
        assert not np.array_equal(turn.judged.scores[own[0]], after.judged.scores[own[1]])
        assert np.array_equal(turn.learned.gains, after.learned.gains)


def test_turns_learn_from_what_comes_before_and_judge_each_unit_once() -> None:
    world = trial(900)
    held = told(world)
    assert len(np.unique(held.judged)) == len(held.judged)
    for turn in (*held.turns, held.half):
        assert not set(turn.learned.units) & set(turn.judged.units)
    for before, after in zip(held.turns, held.turns[1:], strict=False):
        assert {*before.learned.units, *before.judged.units} == set(after.learned.units)
    everybody = {*held.half.learned.units, *held.half.judged.units}
    assert len(everybody) == world.rows.n
    assert np.array_equal(held.half.judged.gains[:0], held.turns[1].judged.gains[:0])
    both = np.isin(held.half.judged.units, held.turns[1].judged.units)
    assert np.array_equal(held.half.judged.gains[both], held.turns[1].judged.gains)


def test_scores_of_judged_units_are_unbiased_in_a_trial() -> None:
    z = []
    for seed in range(12):
        world = trial(1_200, seed=seed, arms=3)
        held = told(world, learners=())
        scores = np.concatenate([turn.judged.scores for turn in held.turns])
        off = scores[:, 1:] - scores[:, :1] - world.gains[held.judged][:, 1:]
        z.append(off.mean(axis=0) / (off.std(axis=0) / np.sqrt(len(off))))
    found = np.array(z)
    assert np.abs(found.mean(axis=0)).max() < 3.5 / np.sqrt(12)
    assert 0.5 < found.std() < 1.5


def test_where_effects_differ_the_difference_is_learned() -> None:
    assert _off(told(trial(3_000)), trial(3_000)) < 0.25
    chosen = trial(4_000, chosen=True)
    assert _off(told(chosen), chosen) < 0.3
    three = trial(4_000, arms=3)
    assert _off(told(three), three) < 0.4


def test_where_nothing_differs_predictions_shrink_to_one_effect() -> None:
    shares = []
    for seed in range(6):
        held = told(trial(1_500, seed=seed, slope=0.0))
        shares.append(np.mean([turn.judged.gains[:, 1].std() for turn in held.turns]))
    assert np.mean(shares) < 0.06  # noise alone would make this .15 with two free slopes


@pytest.mark.parametrize("clustered", [False, True])
def test_row_order_changes_no_bit(*, clustered: bool) -> None:
    world = trial(700, seed=3)
    rows = world.rows
    if clustered:
        homes = np.arange(700, dtype=np.uint64) // np.uint64(3)
        rows = replace(rows, clusters={"home": homes})
    order = np.random.default_rng(2).permutation(700)
    one = told(replace(world, rows=rows), recipe=STACKED, learners=("s", "dr"))
    two = told(replace(world, rows=rows_at(rows, order)), recipe=STACKED, learners=("s", "dr"))
    for turn, other in zip((*one.turns, one.half), (*two.turns, two.half), strict=True):
        for side, moved in ((turn.learned, other.learned), (turn.judged, other.judged)):
            assert np.array_equal(side.units, order[moved.units])
            assert np.array_equal(side.gains, moved.gains)
            assert np.array_equal(side.scores, moved.scores)


def test_threads_change_no_bit_and_every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world, found = trial(900, arms=3), []
    for threads in ("1", "3"):
        monkeypatch.setenv(VARIABLE, threads)
        steps: list[int] = []
        held = held_out(
            world.rows,
            AIM,
            modifiers=("x", "z"),
            nuisances=world.nuisances(),
            eligible=np.ones(world.rows.n, dtype=bool),
            weight=np.ones(world.rows.n),
            step=partial(steps.append, 1),
        )
        assert len(steps) == STEPS_OF_AIM
        found.append(held)
    one, several = found
    for turn, other in zip((*one.turns, one.half), (*several.turns, several.half), strict=True):
        for side, twin in ((turn.learned, other.learned), (turn.judged, other.judged)):
            assert np.array_equal(side.gains, twin.gains)
            assert np.array_equal(side.scores, twin.scores)
    assert one.learners == several.learners


def test_clusters_stay_whole() -> None:
    world = trial(1_200)
    homes = np.arange(1_200, dtype=np.uint64) % np.uint64(150)
    rows = replace(world.rows, clusters={"home": homes}, cluster_keys={})
    held = told(replace(world, rows=rows))
    sides = [turn.judged.units for turn in held.turns]
    for one in range(len(sides)):
        for two in range(one):
            assert not set(homes[sides[one]]) & set(homes[sides[two]])
        assert not set(homes[sides[one]]) & set(homes[held.turns[one].learned.units])


def test_only_eligible_units_have_a_part() -> None:
    world = trial(1_000)
    eligible = world.rows.numbers["z"] > -1
    held = held_out(
        world.rows, AIM, modifiers=("x",), nuisances=world.nuisances(), eligible=eligible, weight=np.ones(1_000),
        learners=("dr",),
    )  # fmt: skip
    assert eligible[held.judged].all()
    assert eligible[held.turns[-1].learned.units].all()
    assert len(held.half.learned.units) + len(held.half.judged.units) == eligible.sum()


def test_less_is_better_turns_every_sign() -> None:
    world = trial(900)
    more, less = told(world), told(world, aim=replace(AIM, sign=-1))
    for one, two in zip(more.turns, less.turns, strict=True):
        assert np.allclose(one.judged.gains, -two.judged.gains, atol=1e-9)
        assert np.allclose(one.judged.scores, -two.judged.scores, atol=1e-9)


def test_costs_of_arms_shift_gains_by_themselves() -> None:
    world = trial(900)
    priced = replace(AIM, measure=replace(AIM.measure, arm_constant=(("call", -2.0),)))
    plain, costly = told(world), told(world, aim=priced)
    for one, two in zip(plain.turns, costly.turns, strict=True):
        assert np.allclose(one.judged.gains[:, 1] - 2.0, two.judged.gains[:, 1], atol=1e-9)
        assert np.allclose(one.judged.scores[:, 1] - 2.0, two.judged.scores[:, 1], atol=1e-9)
        assert np.allclose(one.judged.scores[:, 0], two.judged.scores[:, 0], atol=1e-9)


def test_missing_outcomes_that_modifiers_explain_do_not_bend_scores() -> None:
    world = trial(6_000, seed=5)
    rng = np.random.default_rng(6)
    y = world.rows.numbers["y"].copy()
    x = world.rows.numbers["x"]
    y[rng.random(6_000) > 1 / (1 + np.exp(-1 - x))] = np.nan
    held = told(with_numbers(world, y=y))
    judged = held.judged
    scores = np.concatenate([turn.judged.scores for turn in held.turns])
    off = scores[:, 1] - scores[:, 0] - world.gains[judged, 1]
    assert abs(off.mean()) < 3.5 * off.std() / np.sqrt(len(off))
    assert np.isfinite(scores).all()
    assert _off(held, world) < 0.3


def test_weights_are_heard() -> None:
    world = trial(1_500)
    weight = np.where(world.rows.numbers["x"] > 0, 1.8, 0.2)
    plain, weighed = told(world, learners=()), told(world, learners=(), weight=weight)
    # With one effect for everybody, that of those who count more is told, and theirs is larger.
    assert weighed.half.judged.gains[0, 1] > plain.half.judged.gains[0, 1] + 0.2


def test_too_few_units_are_refused_with_a_reason() -> None:
    world = trial(70)
    with pytest.raises(DataError, match=r"D620 .*fewer than 40 eligible customers"):
        told(world)


def test_a_ratio_is_refused_with_a_reason() -> None:
    world = trial(300)
    ratio = replace(AIM, measure=Measure(name="r", terms=(("y", 1.0),), denominator="x"))
    with pytest.raises(DataError, match=r"D620 .*a ratio has no gain per customer"):
        told(world, aim=ratio)


def test_modifiers_apart_from_confounders_predict_from_modifiers_alone() -> None:
    world = trial(3_000, chosen=True)
    held = told(world, modifiers=("z",), learners=("s", "t", "x", "dr", "r"))
    for turn in held.turns:
        z, gains = world.rows.numbers["z"][turn.judged.units], turn.judged.gains[:, 1]
        near = np.argsort(z)
        assert np.corrcoef(world.rows.numbers["x"][turn.judged.units], gains)[0, 1] < 0.3
        assert np.abs(np.diff(gains[near])).max() < 1.0
        assert abs(gains.mean() - 0.5) < 0.25


def test_amounts_that_are_mostly_zero_are_learned_without_bending_scores() -> None:
    world = trial(3_000, seed=9)
    rng, x, arm = np.random.default_rng(10), world.rows.numbers["x"], world.rows.arm
    chance = 0.2 * np.exp(0.2 * np.tanh(x))
    lift = 1 + 0.8 * (x > 0)
    spend = np.where(rng.random(3_000) < chance, 20 * rng.lognormal(-0.32, 0.8, 3_000), 0.0) * np.where(
        arm == 1, lift, 1
    )
    truth = 20 * chance * (lift - 1)
    held = told(with_numbers(world, y=spend), recipe=Recipe(outcome="two_part", repeats=1), learners=("x", "dr"))
    judged = held.judged
    scores = np.concatenate([turn.judged.scores for turn in held.turns])
    gains = np.concatenate([turn.judged.gains for turn in held.turns])
    off = scores[:, 1] - scores[:, 0] - truth[judged]
    assert abs(off.mean()) < 3.5 * off.std() / np.sqrt(len(off))
    assert np.corrcoef(gains[:, 1], truth[judged])[0, 1] > 0.5


@pytest.mark.parametrize(
    ("homes", "reason"), [(3, "too few groups"), (12, "a turn leaves fewer than 5|too few groups")]
)
def test_a_handful_of_large_clusters_is_refused_with_a_reason(homes: int, reason: str) -> None:
    world = trial(600)
    keys = np.arange(600, dtype=np.uint64) % np.uint64(homes)
    arm = (keys == 0).astype(np.int8)  # the arm is one whole cluster, and most turns never see it
    rows = replace(world.rows, clusters={"home": keys}, arm=arm)
    with pytest.raises(DataError, match=f"D620 .*({reason})"):
        told(replace(world, rows=rows))
