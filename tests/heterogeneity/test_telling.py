"""What is told of judged units: by turn, over turns, by cluster, and over aims."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.held_out import HeldOut, Side
from cxcausal.heterogeneity.telling import FEWEST, across, judged_of, told_of
from cxcausal.stats import targeting
from cxcausal.stats.ranks import ranked
from tests.validation.turn_worlds import TurnWorld

ALPHA = 0.05


def _held(seed: int = 1, **world: object) -> HeldOut:
    return TurnWorld(name="w", **world).held(np.random.default_rng(seed))  # type: ignore[arg-type]


def _constant(side: Side) -> Side:
    return replace(side, gains=np.full_like(side.gains, 0.7))


def test_numbers_are_the_means_of_the_turns_own() -> None:
    held = _held(apart=0.3, effect=0.1)
    arm = told_of(held, alpha=ALPHA).arms[0]
    parts = [(side.gains[:, 1], side.scores[:, 1] - side.scores[:, 0]) for side in (turn.judged for turn in held.turns)]
    sizes = [len(gain) for _, gain in parts]
    for number, estimate in ((arm.autoc, targeting.autoc), (arm.qini, targeting.qini), (arm.spread, targeting.spread)):
        own = [estimate(ranked(predicted), gain)[0] for predicted, gain in parts]
        assert number.point == pytest.approx(np.average(own, weights=sizes), abs=1e-12)
    assert arm.average.point == pytest.approx(np.concatenate([gain for _, gain in parts]).mean(), abs=1e-12)
    assert arm.n == sum(sizes) == told_of(held, alpha=ALPHA).judged


def test_a_difference_that_is_there_is_found_in_the_right_size() -> None:
    arm = told_of(_held(apart=0.5, effect=0.1, n=12_000), alpha=ALPHA).arms[0]
    assert arm.found
    assert arm.p_adjusted is not None
    assert arm.p_adjusted < 1e-6
    assert arm.slope.point == pytest.approx(1.0, abs=0.15)
    # of a gain that is normal with spread s, the areas are known: AUTOC s · .9032 (by quadrature), Qini s / (2√π)
    assert arm.qini.point == pytest.approx(0.5 / (2 * np.sqrt(np.pi)), abs=0.02)
    assert [group.group for group in arm.groups] == [1, 2, 3, 4, 5]
    assert sum(group.n for group in arm.groups) == arm.n
    told = [group.gain.point or 0.0 for group in arm.groups]
    assert told == sorted(told)
    assert arm.toc[-1].gain == pytest.approx(0, abs=1e-12)
    assert arm.uplift[-1].gain == pytest.approx(arm.average.point, abs=1e-12)
    assert arm.error is not None
    assert arm.error < 0.1


def test_constant_predictions_give_zero_and_one() -> None:
    held = _held(effect=0.4)
    held = replace(held, turns=tuple(replace(turn, judged=_constant(turn.judged)) for turn in held.turns))
    arm = told_of(held, alpha=ALPHA).arms[0]
    for number in (arm.slope, arm.spread, arm.autoc, arm.qini):
        assert (number.point, number.se, number.p) == (0.0, 0.0, 1.0)
    assert (arm.p, arm.p_adjusted, arm.found) == (1.0, 1.0, False)


def test_predictions_that_point_the_wrong_way_are_not_a_finding() -> None:
    held = _held(apart=0.5, n=6_000)
    held = replace(
        held, turns=tuple(replace(turn, judged=replace(turn.judged, gains=-turn.judged.gains)) for turn in held.turns)
    )
    arm = told_of(held, alpha=ALPHA).arms[0]
    assert (arm.qini.p or 0) < 1e-4
    assert arm.p is not None
    assert arm.p > 0.99
    assert not arm.found


def test_clusters_widen_what_depends_and_leave_points() -> None:
    held = _held(household=4, intraclass=0.9, effect=0.2)
    alone = replace(held, rows=replace(held.rows, clusters={}))
    wide, narrow = (told_of(one, alpha=ALPHA).arms[0] for one in (held, alone))
    assert wide.average.point == narrow.average.point
    assert (wide.average.se or 0) > 1.3 * (narrow.average.se or 0)


def test_arms_and_aims_are_adjusted_together() -> None:
    first, second = (told_of(_held(seed, shares=(0.4, 0.3, 0.3), apart=0.1), alpha=ALPHA) for seed in (1, 2))
    both = across((first, second), ALPHA)
    p = sorted(arm.p or 0.0 for aim in both for arm in aim.arms)
    adjusted = sorted(arm.p_adjusted or 0.0 for aim in both for arm in aim.arms)
    assert len(p) == 4
    assert adjusted[0] == pytest.approx(min(4 * p[0], 1.0))
    for aim in both:
        for arm in aim.arms:
            assert arm.found == ((arm.p_adjusted or 0) < ALPHA)


def test_too_few_are_not_told() -> None:
    arm = told_of(_held(n=120), alpha=ALPHA).arms[0]
    assert arm.status == "not_computed"
    assert str(FEWEST) in (arm.reason or "")
    assert arm.p is None
    held = _held(n=400)
    rare = replace(held.rows, arm=(np.arange(400) < 5).astype(np.int8))
    few = told_of(replace(held, rows=rare), alpha=ALPHA).arms[0]
    assert "of t" in (few.reason or "")


def test_weights_move_the_average() -> None:
    held = _held(apart=0.5)
    heavy = replace(held, weight=np.where(np.arange(held.rows.n) % 2 == 0, 1.5, 0.5))
    judged = judged_of(heavy, 1, ALPHA)
    told = told_of(heavy, alpha=ALPHA).arms[0].average.point
    assert told == pytest.approx(np.average(judged.gain, weights=heavy.weight[heavy.judged]), abs=1e-12)


def test_missing_scores_are_said() -> None:
    held = _held()
    side = held.turns[0].judged
    broken = replace(held.turns[0], judged=replace(side, scores=np.full_like(side.scores, np.nan)))
    arm = told_of(replace(held, turns=(broken, *held.turns[1:])), alpha=ALPHA).arms[0]
    assert (arm.status, arm.reason) == ("not_computed", "no score could be made for some customers")


def test_the_test_is_of_the_larger_rate() -> None:
    held = _held(apart=0.15)
    arm = told_of(held, alpha=ALPHA).arms[0]
    smaller = min((arm.autoc.p or 0) / 2, (arm.qini.p or 0) / 2)
    assert arm.p is not None
    assert smaller < arm.p < 2 * smaller
