"""Refuters: against twins by brute force, and alarmed where the computation is broken."""

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from cxcausal.core.measure import Measure
from cxcausal.core.score_answers import Refuter
from cxcausal.core.score_queries import TARGETS, RefutationQuery, Target
from cxcausal.scoring import refutation
from cxcausal.scoring.road import ScoreRoad
from tests.scoring.given import Y, drawn, road_of, rows_of

RATE = Measure(name="rate", terms=(("rate", 1.0),))
RATIO = Measure(name="ratio", terms=(("y", 1.0),), denominator="d")
NAMES = ("placebo_treatment", "random_common_cause", "subset", "dummy_outcome")


def refuters(road: ScoreRoad, measure: Measure = Y, target: Target = "ato", treated: str = "t") -> dict[str, Refuter]:
    query = RefutationQuery(measure=measure, target=target)
    answer: Any = road.answer([query])[query]
    return {each.name: each for each in answer.refuters[treated, "c"]}


def shift(found: Refuter) -> float:
    return (found.found - found.expected) / found.se


@pytest.mark.parametrize("measure", [Y, RATE, RATIO])
@pytest.mark.parametrize("target", TARGETS)
def test_a_sound_effect_stands(measure: Measure, target: Target) -> None:
    road = drawn(1_200, 3, arms=3)
    for treated in ("t", "u"):
        found = refuters(road, measure, target, treated)
        assert tuple(found) == NAMES
        assert all(abs(shift(each)) < 4 for each in found.values())
        assert [each.refits for each in found.values()] == [True, False, False, True]
        assert [each.p is not None for each in found.values()] == [True, False, False, False]


def test_only_what_is_refitted_is_learned_and_once_for_all_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    from cxcausal.nuisance.learners import linear, logistic  # noqa: PLC0415 - to count their work

    road = drawn(600, 3, arms=3)
    calls: list[str] = []
    road.potential(Y, "ato", "c")
    for kind, method in ((linear.Linear, "mean"), (linear.Linear, "shares"), (logistic.Logistic, "shares")):
        real = getattr(kind, method)

        def counted(*args: Any, _real: Any = real, _name: str = f"{kind.__name__}.{method}", **more: Any) -> Any:
            calls.append(_name)
            return _real(*args, **more)

        monkeypatch.setattr(kind, method, counted)
    for target in TARGETS:
        refuters(road, Y, target)
    # One draw of arms, whose propensities are learned again, and the dummy outcome's models, one per arm.
    assert sorted(calls) == ["Linear.mean"] * 3 + ["Logistic.shares"]


def test_placebo_draws_are_spread_as_the_score_says_and_centred_at_zero() -> None:
    """The score (T′ − p)(Y − m(X)), by brute force."""
    road = drawn(500, 4)
    found = refuters(road, Y, "ate")["placebo_treatment"]
    e = road.nuisances.propensity.shares[0]
    y = road.rows.numbers["y"]
    mu = road.nuisances.outcome("y", y, np.ones(500, dtype=bool)).mean[0]
    left = y - (e * mu).sum(axis=1)
    rng = np.random.default_rng(0)
    draws = rng.random((4_000, 500)) < e[:, 1]
    effects = ((draws / e[:, 1] - ~draws / e[:, 0]) * left).mean(axis=1)
    assert found.se == pytest.approx(effects.std(), rel=0.05)
    assert effects.mean() == pytest.approx(0.0, abs=4 * found.se / sqrt(4_000))


def test_subsets_are_averages_of_the_same_scores() -> None:
    road = drawn(900, 5)
    found = refuters(road)["subset"]
    potential = road.potential(Y, "ato", "c")[0]
    phi = potential.phi[:, 1] - potential.phi[:, 0]
    assert found.se == pytest.approx(sqrt(phi @ phi / (900 * 899) * 0.25), rel=1e-9)
    assert abs(shift(found)) < 4 / sqrt(found.draws)


def test_a_random_cause_moves_scores_as_adding_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against draws of the covariate itself, partialled out of residuals one by one."""
    road = drawn(400, 6)
    found = refuters(road, Y, "ate")["random_common_cause"]
    e, d, y = road.nuisances.propensity.shares[0], road.rows.arm, road.rows.numbers["y"]
    mu = road.nuisances.outcome("y", y, np.ones(400, dtype=bool)).mean[0]
    left = y - np.where(d == 1, mu[:, 1], mu[:, 0])
    alpha = np.where(d == 1, 1 / e[:, 1], -1 / e[:, 0])
    u = np.random.default_rng(1).normal(size=(5_000, 400))
    moved = -(u @ left) / (u**2).sum(axis=1) * (u @ alpha) / 400
    assert found.se == pytest.approx(moved.std(), rel=0.1)
    assert abs(found.found - found.expected - moved.mean()) < 4 * found.se / sqrt(found.draws)
    monkeypatch.setattr(refutation, "DRAWS", 5_000)
    own = refutation._cause_shifts(alpha / 400, left, np.random.default_rng(2))
    assert ks_2samp(own, moved).pvalue > 1e-3


def test_nuisances_that_are_both_too_simple_leave_an_effect_on_the_dummy() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=4_000)
    chance = 1 / (1 + np.exp(2 - x**2))
    arm = rng.random(4_000) < chance
    rows = rows_of(arm, {"y": 3 * x**2 + rng.normal(size=4_000), "x": x})
    means = {"y": np.column_stack([3 * x**2] * 2)}
    flat, curved = np.full(4_000, arm.mean()), np.clip(chance, 0.05, 0.95)
    wrong = road_of(rows, ("x",), shares=np.column_stack([1 - flat, flat]), means=means)
    right = road_of(rows, ("x",), shares=np.column_stack([1 - curved, curved]), means=means)
    assert abs(shift(refuters(wrong)["dummy_outcome"])) > 4
    assert abs(shift(refuters(right)["dummy_outcome"])) < 4


def test_an_effect_without_numbers_has_no_refuters() -> None:
    road = drawn(300, 8)
    gone = {**road.rows.numbers, "y": np.full(300, np.nan)}
    assert refuters(road_of(rows_of(road.rows.arm, gone), ("x0",))) == {}


def test_missing_outcomes_and_clusters_are_refuted_too() -> None:
    road = drawn(900, 9)
    y = road.rows.numbers["y"].copy()
    y[np.random.default_rng(3).random(900) < 0.2] = np.nan
    rows = replace(
        road.rows, numbers={**road.rows.numbers, "y": y}, clusters={"home": road.rows.key // np.uint64(2**50)}
    )
    found = refuters(road_of(rows, road.nuisances.covariates))
    assert all(abs(shift(each)) < 4 for each in found.values())


def test_an_outcome_that_does_not_vary_refutes_nothing() -> None:
    road = drawn(300, 8)
    found = refuters(road_of(rows_of(road.rows.arm, {**road.rows.numbers, "y": np.full(300, 2.0)}), ("x0",)))
    assert all(each.found == pytest.approx(each.expected, abs=1e-9) for each in found.values())


def test_draws_are_the_same_however_many_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = refuters(drawn(400, 10))
    monkeypatch.setattr(refutation, "_AT_ONCE", 900)
    assert refuters(drawn(400, 10)) == before


def test_another_measure_changes_no_number() -> None:
    alone = refuters(drawn(400, 10))
    road = drawn(400, 10)
    refuters(road, RATE)
    assert refuters(road) == alone
