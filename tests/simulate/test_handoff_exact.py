"""The hand-off world's truth against its definitions, where these can be written down in a line each."""

import numpy as np
import pytest

from cxcausal.simulate import HandoffWorld, HiddenHandoffWorld
from cxcausal.simulate.effects import RETAINED_CUSTOMER
from cxcausal.simulate.handoff_hidden import Strengths
from cxcausal.simulate.handoff_outcomes import PERSON_COST, Pull, contact_rate, draw_after, draw_after_noise
from cxcausal.simulate.handoff_people import draw_conversations, draw_routes, person_probability
from cxcausal.simulate.handoff_truth import ESTIMANDS, effects_of, reference_people, reference_pull, side_of
from cxcausal.simulate.population import Floats
from tests.simulate.handoff_oracle import aipw, knowing_all, knowing_the_declared, means_of

STRONG = Strengths(route=0.18, churn=0.15, contacts=0.1)
LINEAR = {"churn_90d": "churned", "complaint_30d": "complained", "margin_90d": "margin", "csat_if_all_answered": "csat"}


def strong_world() -> HiddenHandoffWorld:
    return HiddenHandoffWorld(n=300, hidden_route=0.18, hidden_churn=0.15, hidden_contacts=0.1)


def weights(estimand: str) -> tuple[Floats, Floats]:
    """How much each customer of the population counts, calm and angry."""
    people, pull = reference_people(), reference_pull(STRONG, 1.0)
    calm, angry = (person_probability(people, u, pull=pull.route) for u in (0.0, 1.0))
    e = 0.7 * calm + 0.3 * angry
    one = np.ones_like(e)
    return {
        "ate": (0.7 * one, 0.3 * one),
        "att": (0.7 * calm, 0.3 * angry),
        "ato": (0.7 * e * (1 - e), 0.3 * e * (1 - e)),
    }[estimand]


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_each_estimand_is_its_own_mean_over_both_values_of_the_hidden_cause(estimand: str) -> None:
    people, pull, truth = reference_people(), reference_pull(STRONG, 1.0), strong_world().draw().truth
    of_calm, of_angry = weights(estimand)
    calm, angry = (means_of(people, u, pull) for u in (0.0, 1.0))

    def total(name: str, arm: int) -> float:
        return float((of_calm * calm[name][arm] + of_angry * angry[name][arm]).sum())

    size = float((of_calm + of_angry).sum())
    for metric, name in LINEAR.items():
        expected = (total(name, 1) - total(name, 0)) / size
        assert truth.effect(metric, estimand).expected == pytest.approx(expected, rel=1e-9)
    rating = [total("csat_given", arm) / total("csat_answered", arm) for arm in (0, 1)]
    assert truth.effect("csat", estimand).expected == pytest.approx(rating[1] - rating[0], rel=1e-9)


def test_the_three_estimands_differ_by_far_more_than_their_error() -> None:
    truth = strong_world().draw().truth
    ate, att, ato = (truth.effect("churn_90d", estimand) for estimand in ESTIMANDS)
    assert att.expected < ate.expected - 10 * ate.population_mc_se
    assert ate.expected < ato.expected - 5 * ate.population_mc_se


def test_net_value_is_margin_and_what_staying_is_worth_minus_the_hand_off() -> None:
    truth = HandoffWorld(n=2_000).draw().truth
    for row in truth.effects:
        if row.metric == "net_value":
            margin, churn = (truth.effect(name, row.estimand, row.population) for name in ("margin_90d", "churn_90d"))
            for field in ("expected", "naive", "adjusted"):
                parts = getattr(margin, field) - RETAINED_CUSTOMER * getattr(churn, field) - PERSON_COST
                assert getattr(row, field) == pytest.approx(parts, rel=1e-9)


def test_the_monte_carlo_error_is_how_far_other_populations_are_off() -> None:
    truth = HandoffWorld(n=100).draw().truth
    found: dict[tuple[str, str], list[float]] = {}
    sizes = []
    for seed in range(60):
        people = draw_conversations(6_000, np.random.default_rng([7, seed]))
        side = side_of(people.take(people.eligible), Pull(), scale=1.0)
        sizes.append(len(side.chance))
        for row in effects_of(side, side, observed=False):
            if row.population == "all" and row.metric in {"churn_90d", "csat", "margin_90d"}:
                found.setdefault((row.metric, row.estimand), []).append(row.expected)
    scale = np.sqrt(np.mean(sizes) / reference_people().n)
    for (metric, estimand), values in found.items():
        row = truth.effect(metric, estimand)
        spread = np.std(values, ddof=1) * scale
        assert row.population_mc_se == pytest.approx(spread, rel=0.35), (metric, estimand)
        assert abs(np.mean(values) - row.expected) < 5 * np.std(values) / np.sqrt(len(values))


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_the_weights_of_an_estimand_are_as_large_as_told(estimand: str) -> None:
    people, pull = draw_conversations(400_000, np.random.default_rng(3)), reference_pull(STRONG, 1.0)
    people = people.take(people.eligible)
    person = draw_routes(people, np.random.default_rng(4), pull=pull.route)
    hidden = strong_world().draw().truth.hidden
    assert hidden is not None
    blank = (np.zeros(people.n), np.zeros(people.n))
    e = knowing_the_declared(people, pull).chance
    short = aipw(np.ones(people.n), person, e, blank, estimand)
    long = aipw(np.ones(people.n), person, knowing_all(people, pull).chance, blank, estimand)
    if estimand == "ato":
        seen = knowing_all(people, pull).chance
        long = e * (1 - e) * (person / seen - (1 - person) / (1 - seen)) / (e * (1 - e)).mean()
    assert float((short**2).mean()) == pytest.approx(hidden.weight_size[estimand], rel=0.02)
    gain = float((long**2).mean() / (short**2).mean()) - 1
    assert gain == pytest.approx(hidden.balance_gain[estimand], rel=0.1)


def test_what_the_declared_causes_leave_open_is_as_large_as_told() -> None:
    people, pull = draw_conversations(400_000, np.random.default_rng(5)), reference_pull(STRONG, 1.0)
    people = people.take(people.eligible)
    rng = np.random.default_rng(6)
    person = draw_routes(people, rng, pull=pull.route)
    noise = draw_after_noise(people.n, rng)
    after = [draw_after(people, route, noise, pull=pull, scale=1.0) for route in ("bot", "human")]
    hidden, means = strong_world().draw().truth.hidden, knowing_the_declared(people, pull).means
    assert hidden is not None
    drawn = {
        name: np.where(person == 1, getattr(after[1], name), getattr(after[0], name))
        for name in ("churned", "complained", "margin")
    }
    drawn["contacts"] = people.contacts_prev_90d + rng.poisson(contact_rate(people, people.hidden, pull=pull))
    metrics = ("churn_90d", "complaint_30d", "margin_90d", "contacts_prev_year")
    for metric, (name, y) in zip(metrics, drawn.items(), strict=True):
        left = (y - np.where(person == 1, means[name][1], means[name][0])) ** 2
        assert (
            abs(left.mean() - hidden.residual_variance[metric])
            < 4.5 * left.std() / np.sqrt(people.n) + 0.005 * (hidden.residual_variance[metric])
        ), metric
