"""The moments world: columns that mean what they say, and an oracle that nobody can beat and anybody can check."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from scipy.optimize import linprog

from cxcausal.core.errors import UsageError
from cxcausal.simulate import MomentsDrawn, MomentsTruth, MomentsWorld, net_values_given
from cxcausal.simulate.moments_effects import ANSWERS, UNIT_COSTS, chances, draw_luck, happen, net_values
from cxcausal.simulate.moments_oracle import by_lot, oracle
from cxcausal.simulate.moments_people import ARMS, SLEEPING, draw_moments

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/simulated-worlds.md").read_text(encoding="utf-8")
PLAN: Any = yaml.safe_load((ROOT / "experiments/moments_of_truth.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn() -> MomentsDrawn:
    return MomentsWorld(n=20_000, seed=3).draw()


@pytest.fixture(scope="module")
def gains(drawn: MomentsDrawn) -> npt.NDArray[np.float64]:
    values = net_values_given(drawn.columns)
    return values - values[:, :1]


def test_equal_worlds_draw_equal_columns_and_other_seeds_other_customers(drawn: MomentsDrawn) -> None:
    again, other = (MomentsWorld(n=20_000, seed=seed).draw() for seed in (3, 4))
    for name, values in drawn.columns.items():
        np.testing.assert_array_equal(values, again.columns[name])
    assert drawn.truth == again.truth
    assert not np.array_equal(drawn.columns["margin_90d"], other.columns["margin_90d"])
    assert drawn.truth.policies == other.truth.policies


def test_the_plan_reads_the_worlds_columns_with_its_arms_shares_and_costs(drawn: MomentsDrawn) -> None:
    arms = PLAN["design"]["treatment"]["arms"]
    assert tuple(arms) == ARMS
    assert all(Fraction(arm["share"]) == Fraction(1, len(ARMS)) for arm in arms.values())
    assert {name: arms[name]["unit_cost"] for name in ARMS[1:]} == {
        name: one.unit_cost for name, one in ANSWERS.items()
    }
    policy = PLAN["policy"]
    named = {*PLAN["covariates"], *PLAN["effect_modifiers"], *PLAN["segments"], *policy["protected"]}
    assert named | {policy["current_rule"], "marketing_opt_out"} <= set(drawn.columns)
    assert not set(policy["protected"]) & set(PLAN["effect_modifiers"])
    _, counts = np.unique(drawn.columns["arm"], return_counts=True)
    assert counts.max() - counts.min() <= 1


def test_no_column_tells_the_truth_and_the_assignment_tells_nothing(drawn: MomentsDrawn) -> None:
    names = " ".join(drawn.columns)
    assert not re.search("true|truth|effect|gain|potential|sleep", names)
    agent = drawn.columns["arm"] == "agent"
    for name in ("tenure_months", "self_service_share", "sentiment_before", "risk_score", "margin_prev_90d"):
        values = drawn.columns[name].astype(float)
        assert abs(values[agent].mean() - values[~agent].mean()) < 4 * values.std() / np.sqrt(4_000), name


def test_spend_is_mostly_zero_and_churn_is_what_the_money_hangs_on(drawn: MomentsDrawn) -> None:
    margin = drawn.columns["margin_90d"]
    assert 0.5 < (margin == 0).mean() < 0.62
    assert margin.min() == 0
    assert margin.mean() > np.median(margin)
    assert 0.13 < drawn.columns["churned_90d"].mean() < 0.18
    assert 0.01 < drawn.columns["complained_30d"].mean() < 0.04


@pytest.mark.parametrize("arm", ARMS)
def test_the_oracles_means_are_the_means_of_what_happens(arm: str) -> None:
    people = draw_moments(400, np.random.default_rng(1))
    law, expected = chances(people, arm, scale=1.0), net_values(people)[:, ARMS.index(arm)]
    rng = np.random.default_rng(2)
    worth = np.array([happen(law, draw_luck(400, rng)).worth for _ in range(2_500)]) - UNIT_COSTS[ARMS.index(arm)]
    z = (worth.mean(axis=0) - expected) / (worth.std(axis=0) / 50)
    assert abs(z.mean()) < 4 / 20
    assert 0.8 < z.std() < 1.2


def test_the_sample_effects_are_near_the_populations(drawn: MomentsDrawn) -> None:
    for row in drawn.truth.effects:
        if row.metric == "churn_90d":
            assert abs(row.sample - row.expected) < 5 * 0.25 / np.sqrt(row.n), row.population


def test_the_oracle_reads_rows_in_any_order(drawn: MomentsDrawn) -> None:
    order = np.random.default_rng(1).permutation(20_000)
    shuffled = {name: values[order] for name, values in drawn.columns.items()}
    np.testing.assert_array_equal(net_values_given(shuffled), net_values_given(drawn.columns)[order])


def test_contact_harms_exactly_the_customers_whom_the_filter_names(
    drawn: MomentsDrawn, gains: npt.NDArray[np.float64]
) -> None:
    columns = drawn.columns
    named = (columns["tenure_months"] < 12) & (columns["self_service_share"] >= 0.7)
    assert drawn.truth.harmed.filter == SLEEPING == "tenure_months < 12 and self_service_share >= 0.7"
    assert drawn.truth.harmed.share == pytest.approx(named.mean(), abs=0.01)
    assert min(drawn.truth.harmed.churn_effect.values()) > 0.05
    assert (gains[named, 1:] < -5).all()
    assert columns["sentiment_before"][named].mean() > columns["sentiment_before"][~named].mean() + 0.1
    assert gains[~named, 1].mean() > 5 > gains[:, 1].mean() > 0


def test_a_null_world_has_costs_and_nothing_else() -> None:
    truth = MomentsWorld(n=1_000, effect_scale=0).draw().truth
    for arm, answer in ANSWERS.items():
        assert truth.effect("churn_90d", arm).expected == 0
        assert truth.policy(f"everybody:{arm}").gain == pytest.approx(-answer.unit_cost)
    assert truth.policy("oracle").gain == truth.policy("best_arm").gain == 0


def test_no_rule_beats_the_oracle_and_every_cell_has_its_best_arm(drawn: MomentsDrawn) -> None:
    truth = drawn.truth
    best = truth.policy("oracle").gain
    assert best == max(row.gain for row in truth.policies)
    assert best > 3 * truth.policy("best_arm").gain > 0
    assert [point.gain for point in truth.frontier] == sorted(point.gain for point in truth.frontier)
    assert truth.frontier[-1].gain == pytest.approx(best, rel=1e-5)
    assert all(point.gain > 2 * point.untargeted > 0 for point in truth.frontier)
    assert sum(cell.share for cell in truth.moments) == pytest.approx(1)
    assert {cell.intent: cell.arm for cell in truth.moments} == {
        "password_reset": "bot",
        "order_status": "bot",
        "billing": "gig",
        "technical": "gig",
        "complaint": "agent",
    }


def best_by_linear_program(gains: npt.NDArray[np.float64], budget: float | None, capacity: dict[int, float]) -> float:
    """Return the best mean gain where every customer may be served in parts: the whole linear program."""
    n, arms = gains.shape
    limits = [(np.tile(UNIT_COSTS, n), budget)] if budget is not None else []
    limits += [(np.tile(np.eye(arms)[arm], n), share) for arm, share in capacity.items()]
    found = linprog(
        -gains.ravel() / n,
        A_ub=np.array([use / n for use, _ in limits]),
        b_ub=[limit for _, limit in limits],
        A_eq=np.kron(np.eye(n), np.ones(arms)),
        b_eq=np.ones(n),
    )
    assert found.fun is not None
    return -float(found.fun)


@pytest.mark.parametrize(
    ("budget", "capacity"),
    [(0.5, {}), (1.5, {}), (None, {1: 0.2}), (1.5, {2: 0.05}), (1.0, {1: 0.1, 2: 0.06}), (50.0, {1: 1.0, 2: 1.0})],
)
def test_the_oracle_is_the_linear_programs(
    gains: npt.NDArray[np.float64], budget: float | None, capacity: dict[int, float]
) -> None:
    few = gains[:250]
    found = oracle(few, UNIT_COSTS, budget=budget, capacity=capacity)
    assert found.gain == pytest.approx(best_by_linear_program(few, budget, capacity), abs=1e-4)
    assert found.price >= 0
    assert (found.hands >= 0).all()


def test_by_lot_takes_the_arm_that_gains_most_for_the_money() -> None:
    gains = np.array([[0.0, 2.0, 5.0], [0.0, 0.0, 5.0]])
    assert by_lot(gains, np.array([0.0, 1.0, 10.0]), budget=1.0) == 1.0
    assert by_lot(gains, np.array([0.0, 1.0, 10.0]), budget=10.0) == 5.0
    assert by_lot(-gains, np.array([0.0, 1.0, 10.0]), budget=10.0) == 0.0


@pytest.mark.parametrize("option", [{"n": 0}, {"seed": -1}, {"effect_scale": 2.5}])
def test_options_that_make_no_sense_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"simulate moments {next(iter(option))}"):
        MomentsWorld(**option)


@pytest.fixture(scope="module")
def truth() -> MomentsTruth:
    return MomentsWorld(n=500).draw().truth


def test_the_pages_rules_are_the_truths(truth: MomentsTruth) -> None:
    row = re.compile(r"^\| ([\w:]+) \| ([+-][\d.]+) \| ([\d.]+) \| (\d+) % \| (\d+) % \| (\d+) % \|$", re.MULTILINE)
    rows = row.findall(PAGE)
    assert len(rows) == 4
    for name, *told in rows:
        one = truth.policy(name)
        assert told == [f"{one.gain:+.2f}", f"{one.cost:.2f}", *(f"{100 * one.share[arm]:.0f}" for arm in ARMS)]


def test_the_pages_budgets_are_the_truths(truth: MomentsTruth) -> None:
    rows = re.findall(r"^\| (\d+) % \| ([\d.]+) \| ([+\d.]+) \| ([+\d.]+) \|$", PAGE, re.MULTILINE)
    points = [(p.share_of_full, p.budget, p.gain, p.untargeted) for p in truth.frontier]
    assert rows == [(f"{100 * s:.0f}", f"{b:.2f}", f"{g:+.2f}", f"{lot:+.2f}") for s, b, g, lot in points]


def test_the_pages_harmed_are_the_truths(truth: MomentsTruth) -> None:
    flat, harmed = PAGE.replace("\n", " "), truth.harmed
    assert f"(`{harmed.filter}`, {100 * harmed.share:.1f} % of all" in flat
    raised = [100 * harmed.churn_effect[arm] for arm in ("gig", "agent")]
    assert f"raises their churn by {raised[0]:.1f} points (expert) or {raised[1]:.1f} (agent)" in flat
