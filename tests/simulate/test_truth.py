"""The truth of a world agrees with a huge trial in it, vanishes in a null world, and tells the planted story."""

import numpy as np
import pytest

from cxcausal.simulate import OutreachWorld
from cxcausal.simulate.effects import ARMS, CONTACTS
from cxcausal.simulate.outcomes import Noise, Outcomes, draw_noise, draw_outcomes, expected_outcomes
from cxcausal.simulate.outreach import Drawn
from cxcausal.simulate.population import Population, draw_population
from cxcausal.simulate.truth import METRICS, Truth

HUGE = 400_000
SIGMAS = 4.5
"""Two-sided chance per comparison below 1 in 100,000; fixed seeds, so a pass stays a pass."""


@pytest.fixture(scope="module")
def huge() -> Drawn:
    return OutreachWorld(n=HUGE, seed=11, shares=("1/4", "1/4", "1/4", "1/4")).draw()


@pytest.fixture(scope="module")
def truth(huge: Drawn) -> Truth:
    return huge.truth


OBSERVED = {
    "churn_90d": "churned_90d",
    "margin_90d": "margin_90d",
    "complaint_30d": "complained_30d",
    "csat": "csat",
    "csat_answered": "csat_answered",
    "nps_answered": "nps_answered",
    "handle_minutes_30d": "handle_minutes_30d",
    "orders_90d": "orders_90d",
    "revenue_90d": "revenue_90d",
    "first_contact_resolution": "resolved_first_contact",
}


def estimate(drawn: Drawn, column: str, arm: str, rows: np.ndarray | None = None) -> tuple[float, float]:
    """Difference in means with a household-robust standard error, in loops' clear terms."""
    inside = np.ones(len(drawn.columns["arm"]), dtype=bool) if rows is None else rows
    values = drawn.columns[column].astype(float)
    parts = []
    for name in (arm, "none"):
        take = inside & (drawn.columns["arm"] == name) & ~np.isnan(values)
        y = values[take]
        _, household = np.unique(drawn.columns["household_id"][take], return_inverse=True)
        sums = np.bincount(household, y - y.mean())
        parts.append((y.mean(), (sums**2).sum() / len(y) ** 2))
    return parts[0][0] - parts[1][0], float(np.sqrt(parts[0][1] + parts[1][1]))


@pytest.mark.parametrize("arm", list(CONTACTS))
@pytest.mark.parametrize("metric", list(OBSERVED))
def test_a_huge_trial_finds_the_truth(huge: Drawn, metric: str, arm: str) -> None:
    point, se = estimate(huge, OBSERVED[metric], arm)
    true = huge.truth.effect(metric, arm)
    assert abs(point - true.sample) < SIGMAS * se
    assert abs(point - true.expected) < SIGMAS * np.hypot(se, true.population_mc_se)


@pytest.mark.parametrize(
    "population", ["intent=billing", "intent=complaint", "tier=premium", "relationship=quiet_loyal"]
)
def test_a_huge_trial_finds_the_truth_in_segments(huge: Drawn, population: str) -> None:
    column, _, level = population.partition("=")
    for arm in CONTACTS:
        point, se = estimate(huge, "churned_90d", arm, huge.columns[column] == level)
        true = huge.truth.effect("churn_90d", arm, population)
        assert abs(point - true.sample) < SIGMAS * se


def test_ratio_and_score_metrics_agree_with_the_columns(huge: Drawn, truth: Truth) -> None:
    arm = huge.columns["arm"]
    revenue, orders = (huge.columns[name].astype(float) for name in ("revenue_90d", "orders_90d"))
    rating = huge.columns["nps_answer"].astype(float)
    score = np.where(rating >= 9, 100.0, np.where(rating <= 6, -100.0, 0.0))
    value = {name: revenue[arm == name].sum() / orders[arm == name].sum() for name in ("gig", "none")}
    net = {name: score[(arm == name) & ~np.isnan(rating)].mean() for name in ("gig", "none")}
    assert value["gig"] - value["none"] == pytest.approx(truth.effect("order_value", "gig").sample, abs=0.6)
    assert net["gig"] - net["none"] == pytest.approx(truth.effect("nps", "gig").sample, abs=2.5)


def test_sample_and_population_truths_meet_in_a_huge_sample(truth: Truth) -> None:
    for metric, tolerance in (("churn_90d", 1.5e-3), ("complaint_30d", 6e-4), ("csat", 6e-3), ("margin_90d", 0.08)):
        for arm in CONTACTS:
            row = truth.effect(metric, arm)
            assert row.sample == pytest.approx(row.expected, abs=tolerance), (metric, arm)


def small_population() -> tuple[Population, Noise]:
    return draw_population(60, np.random.default_rng(8)), draw_noise(60, np.random.default_rng(9))


@pytest.mark.parametrize("arm", list(ARMS))
def test_conditional_means_are_the_means_of_draws(arm: str) -> None:
    people, _ = small_population()
    rng, repeats = np.random.default_rng(10), 3_000
    expected = expected_outcomes(people, arm, scale=1.0)
    draws = [draw_outcomes(people, arm, draw_noise(people.n, rng), scale=1.0) for _ in range(repeats)]
    for name in Outcomes.__dataclass_fields__:
        if name == "nps_rating":
            continue
        totals = np.array([getattr(draw, name).mean() for draw in draws])
        error = totals.std() / np.sqrt(repeats)
        assert abs(totals.mean() - getattr(expected, name).mean()) <= SIGMAS * error + 2e-3, name


def test_potential_outcomes_share_their_noise() -> None:
    people, noise = small_population()
    none, gig = (draw_outcomes(people, arm, noise, scale=1.0) for arm in ("none", "gig"))
    same = gig.reached == 0
    assert 0 < same.sum() < people.n
    for name in Outcomes.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(none, name)[same], getattr(gig, name)[same])


def test_a_null_world_has_no_effects_but_still_costs() -> None:
    drawn = OutreachWorld(n=4_000, seed=1, effect_scale=0).draw()
    for row in drawn.truth.effects:
        if row.metric == "reached":
            assert row.expected > 0.5
        elif row.metric == "net_value":
            cost = CONTACTS[row.arm].unit_cost * drawn.truth.effect("reached", row.arm, row.population).expected
            assert row.expected == pytest.approx(-cost)
        else:
            assert row.sample == 0
            assert row.expected == pytest.approx(0, abs=1e-12)
    assert drawn.truth.harmed.churn_effect == pytest.approx(dict.fromkeys(CONTACTS, 0), abs=1e-12)


def test_half_the_scale_is_about_half_the_effect() -> None:
    full, half = (OutreachWorld(n=1_000, seed=1, effect_scale=scale).draw().truth for scale in (1.0, 0.5))
    ratio = half.effect("churn_90d", "gig").expected / full.effect("churn_90d", "gig").expected
    assert 0.4 < ratio < 0.65


def test_average_effects_are_those_of_the_demonstration(truth: Truth) -> None:
    churn = {arm: truth.effect("churn_90d", arm).expected for arm in CONTACTS}
    assert -0.022 < churn["gig"] < -0.018
    assert -0.024 < churn["agent"] < -0.018
    assert abs(churn["bot"]) < 0.004
    net = {arm: truth.effect("net_value", arm).expected for arm in CONTACTS}
    assert net["gig"] > 3
    assert -1 < net["agent"] < 1
    assert net["bot"] < 0


def test_humans_matter_for_hard_intents_and_the_bot_for_easy_ones(truth: Truth) -> None:
    for intent in ("billing", "technical", "complaint"):
        for arm in ("gig", "agent"):
            assert truth.effect("churn_90d", arm, f"intent={intent}").expected < -0.02
    for intent in ("password_reset", "order_status"):
        net = {arm: truth.effect("net_value", arm, f"intent={intent}").expected for arm in CONTACTS}
        assert max(net, key=net.__getitem__) == "bot"
        assert net["bot"] > 2
        assert net["gig"] < 0
    assert truth.effect("churn_90d", "bot", "intent=complaint").expected > 0.03
    assert truth.effect("complaint_30d", "bot", "intent=complaint").expected > 0.01


def test_sleeping_dogs_are_harmed_by_every_call(truth: Truth) -> None:
    assert truth.harmed.name == "relationship=quiet_loyal"
    assert 0.05 < truth.harmed.share < 0.10
    assert truth.harmed.churn_effect["gig"] > 0.03
    assert truth.harmed.churn_effect["agent"] > 0.03
    assert truth.effect("churn_90d", "gig", "relationship=settled").expected < 0


def test_guardrails_hold_for_experts_and_agents_but_not_for_the_bot(truth: Truth) -> None:
    for arm in ("gig", "agent"):
        assert truth.effect("complaint_30d", arm).expected < 0
        assert truth.effect("csat", arm).expected > 0
        assert truth.effect("handle_minutes_30d", arm).expected < 0
    assert truth.effect("complaint_30d", "bot").expected > 0.002


def test_complier_effects_are_what_reaching_someone_does(truth: Truth) -> None:
    row = truth.effect("churn_90d", "gig")
    assert row.complier == pytest.approx(row.expected / truth.effect("reached", "gig").expected)
    assert truth.effect("order_value", "gig").complier is None
    assert truth.effect("reached", "gig").complier is None


def test_segments_average_to_the_whole(truth: Truth) -> None:
    for column in ("tier", "intent", "relationship", "risk_top_third"):
        rows = [
            r for r in truth.effects if (r.metric, r.arm) == ("churn_90d", "gig") and r.population.startswith(column)
        ]
        assert sum(row.n for row in rows) == HUGE
        average = sum(row.n * row.sample for row in rows) / HUGE
        assert average == pytest.approx(truth.effect("churn_90d", "gig").sample)


def test_every_metric_has_a_row_for_every_arm_and_population(truth: Truth) -> None:
    keys = [(row.metric, row.arm, row.population) for row in truth.effects]
    assert len(keys) == len(set(keys)) == (len(METRICS) + 1) * len(CONTACTS) * (1 + 3 + 5 + 3 + 2)
    with pytest.raises(KeyError):
        truth.effect("churn_90d", "robot")
