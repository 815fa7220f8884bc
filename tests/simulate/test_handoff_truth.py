"""The hand-off world's truth: what a perfect analyst finds on average, and what the hidden cause hides from others."""

from functools import cache

import numpy as np
import pytest

from cxcausal.simulate import HandoffWorld, HiddenHandoffWorld
from cxcausal.simulate.handoff_hidden import Strengths
from cxcausal.simulate.handoff_outcomes import After, Pull, contact_rate, draw_after, draw_after_noise, means
from cxcausal.simulate.handoff_people import Conversations, draw_conversations, draw_routes, person_probability
from cxcausal.simulate.handoff_truth import ESTIMANDS, METRICS, HandoffTruth, reference_pull
from cxcausal.simulate.population import INTENTS, Floats
from tests.simulate.handoff_oracle import (
    COLUMNS,
    aipw,
    eligible,
    knowing_all,
    knowing_the_declared,
    naive,
    people_of,
)

SEEDS = range(16)
N = 20_000
SIGMAS = 4.5
"""Two-sided chance per comparison below 1 in 100,000; fixed seeds, so a pass stays a pass."""
DIRECT = {
    "churn_90d": "churned",
    "complaint_30d": "complained",
    "margin_90d": "margin",
    "contacts_prev_year": "contacts",
}
ASKED = Strengths(route=0.05, churn=0.05, contacts=0.05)

Found = dict[tuple[str, str, str], Floats]
"""(knowledge, outcome or metric, estimand) → one estimate per seed."""


def hidden_of(seed: int) -> Floats:
    """The hidden cause of a drawn world's eligible customers, which its columns do not show."""
    people = draw_conversations(N, np.random.default_rng([seed, 100]))
    return people.take(people.eligible).hidden


@cache
def found(world: type[HandoffWorld] | type[HiddenHandoffWorld], pull: Pull) -> Found:
    """What perfect analysts find over seeds, with and without knowing the hidden cause."""
    estimates: dict[tuple[str, str, str], list[float]] = {}
    for seed in SEEDS:
        kept = eligible(world(n=N, seed=seed).draw().columns)
        people, person = people_of(kept, hidden_of(seed)), (kept["route"] == "human").astype(float)
        known = {"all": knowing_all(people, pull)}
        if pull != Pull():
            known["declared"] = knowing_the_declared(people, pull)
        for knowledge, nuisances in known.items():
            seen = {name: kept[column].astype(float) for name, column in COLUMNS.items()}
            for name, y in seen.items():
                estimates.setdefault(("naive", name, ""), []).append(naive(y, person))
                for estimand in ESTIMANDS:
                    scores = aipw(y, person, nuisances.chance, nuisances.means[name], estimand)
                    estimates.setdefault((knowledge, name, estimand), []).append(float(scores.mean()))
    return {key: np.array(values) for key, values in estimates.items()}


def agrees(estimates: Floats, truth: float | None, mc_se: float = 0.0) -> bool:
    assert truth is not None
    error = np.hypot(estimates.std(ddof=1) / np.sqrt(len(SEEDS)), mc_se)
    return bool(abs(estimates.mean() - truth) < SIGMAS * error)


@pytest.fixture(scope="module")
def open_truth() -> HandoffTruth:
    return HandoffWorld(n=2_000).draw().truth


@pytest.fixture(scope="module")
def hidden_truth() -> HandoffTruth:
    return HiddenHandoffWorld(n=2_000).draw().truth


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize("metric", list(DIRECT))
def test_a_perfect_analyst_finds_the_truth_on_average(metric: str, estimand: str, open_truth: HandoffTruth) -> None:
    row = open_truth.effect(metric, estimand)
    estimates = found(HandoffWorld, Pull())
    assert agrees(estimates["all", DIRECT[metric], estimand], row.expected, row.population_mc_se)
    assert agrees(estimates["naive", DIRECT[metric], ""], row.naive, 2 * row.population_mc_se + 1e-3)
    assert row.adjusted == pytest.approx(row.expected, abs=1e-12)


@pytest.mark.parametrize("estimand", ["ate", "att"])
@pytest.mark.parametrize("metric", list(DIRECT))
def test_who_sees_the_hidden_cause_finds_the_truth(metric: str, estimand: str, hidden_truth: HandoffTruth) -> None:
    row = hidden_truth.effect(metric, estimand)
    estimates = found(HiddenHandoffWorld, reference_pull(ASKED, 1.0))
    assert agrees(estimates["all", DIRECT[metric], estimand], row.expected, row.population_mc_se)


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize("metric", list(DIRECT))
def test_who_adjusts_for_the_declared_is_wrong_as_stated(
    metric: str, estimand: str, hidden_truth: HandoffTruth
) -> None:
    row = hidden_truth.effect(metric, estimand)
    estimates = found(HiddenHandoffWorld, reference_pull(ASKED, 1.0))["declared", DIRECT[metric], estimand]
    assert agrees(estimates, row.adjusted, 2 * row.population_mc_se)
    if metric in {"churn_90d", "contacts_prev_year"}:
        assert not agrees(estimates, row.expected, row.population_mc_se)


def test_the_naive_sign_is_reversed_everywhere_that_matters(
    open_truth: HandoffTruth, hidden_truth: HandoffTruth
) -> None:
    for truth in (open_truth, hidden_truth):
        for metric in ("churn_90d", "complaint_30d"):
            for estimand in ESTIMANDS:
                row = truth.effect(metric, estimand)
                assert row.naive is not None
                assert row.expected < 0 < row.naive


def test_people_matter_for_hard_intents_and_not_for_easy_ones(open_truth: HandoffTruth) -> None:
    effect = {name: open_truth.effect("churn_90d", "ato", f"intent={name}").expected for name in INTENTS}
    assert max(effect["billing"], effect["complaint"]) < -0.06
    assert -0.06 < effect["technical"] < -0.02
    for easy in ("password_reset", "order_status"):
        assert -0.003 < effect[easy] < 0
        assert open_truth.effect("net_value", "ato", f"intent={easy}").expected < -5
    assert open_truth.effect("net_value", "ato", "intent=billing").expected > 5


def test_intents_average_to_the_whole(open_truth: HandoffTruth) -> None:
    rows = [open_truth.effect("churn_90d", "ate", f"intent={name}") for name in INTENTS]
    whole = open_truth.effect("churn_90d", "ate")
    assert sum(row.n for row in rows) == whole.n
    assert sum(row.n * (row.sample or 0) for row in rows) / whole.n == pytest.approx(whole.sample)


def test_every_metric_has_a_row_for_every_estimand_and_population(open_truth: HandoffTruth) -> None:
    keys = [(row.metric, row.estimand, row.population) for row in open_truth.effects]
    assert len(keys) == len(set(keys)) == len(METRICS) * len(ESTIMANDS) * (1 + len(INTENTS))
    with pytest.raises(KeyError):
        open_truth.effect("churn_90d", "late")


def test_a_null_world_has_no_effects_but_still_misleads() -> None:
    truth = HandoffWorld(n=2_000, effect_scale=0).draw().truth
    for row in truth.effects:
        assert row.expected == pytest.approx(-6.4 if row.metric == "net_value" else 0, abs=1e-12)
    assert (truth.effect("churn_90d").naive or 0) > 0.05


def everybody(n: int, seed: int) -> Conversations:
    people = draw_conversations(n, np.random.default_rng(seed))
    return people.take(people.eligible)


def test_potential_outcomes_drawn_by_the_hundred_thousand_average_to_the_truth(hidden_truth: HandoffTruth) -> None:
    """No formula of the truth is used: both outcomes of each customer are drawn, and weighted by their target."""
    people, pull = everybody(400_000, 8), reference_pull(ASKED, 1.0)
    noise = draw_after_noise(people.n, np.random.default_rng(9))
    person = draw_routes(people, np.random.default_rng(10), pull=pull.route)
    bot, human = (draw_after(people, route, noise, pull=pull, scale=1.0) for route in ("bot", "human"))
    calm, angry = (person_probability(people, u, pull=pull.route) for u in (0.0, 1.0))
    e = 0.7 * calm + 0.3 * angry
    tilts = {"ate": np.ones(people.n), "att": person, "ato": e * (1 - e)}
    for metric, name in (("churn_90d", "churned"), ("complaint_30d", "complained"), ("margin_90d", "margin")):
        gain = getattr(human, name) - getattr(bot, name)
        for estimand, tilt in tilts.items():
            point = np.average(gain, weights=tilt)
            error = np.sqrt((tilt**2 * (gain - point) ** 2).sum()) / tilt.sum()
            row = hidden_truth.effect(metric, estimand)
            assert abs(point - row.expected) < SIGMAS * np.hypot(error, row.population_mc_se), (metric, estimand)
    answers = {
        arm: (np.average(one.csat, weights=e * (1 - e) * one.csat_answered)) for arm, one in (("b", bot), ("h", human))
    }
    assert answers["h"] - answers["b"] == pytest.approx(hidden_truth.effect("csat").expected, abs=0.015)


@pytest.mark.parametrize("route", ["bot", "human"])
def test_conditional_means_are_the_means_of_draws(route: str) -> None:
    few, repeats, pull = everybody(60, 4), 4_000, Pull(route=0.6, churn=0.8, contacts=0.4)
    rng = np.random.default_rng(5)
    draws = [draw_after(few, route, draw_after_noise(few.n, rng), pull=pull, scale=1.0) for _ in range(repeats)]
    calm, angry = (means(few, route, u, pull=pull, scale=1.0) for u in (0.0, 1.0))
    for name in set(calm) & set(After.__dataclass_fields__):
        totals = np.array([getattr(draw, name).mean() for draw in draws])
        expected = np.where(few.hidden == 1, angry[name], calm[name]).mean()
        assert abs(totals.mean() - expected) <= SIGMAS * totals.std() / np.sqrt(repeats) + 1e-3, name


def test_a_person_never_makes_anyone_leave_who_would_have_stayed() -> None:
    people = everybody(30_000, 4)
    noise = draw_after_noise(people.n, np.random.default_rng(5))
    bot, human = (draw_after(people, route, noise, pull=Pull(), scale=1.0) for route in ("bot", "human"))
    assert (human.churned <= bot.churned).all()
    assert (human.churned < bot.churned).mean() > 0.02


STRENGTHS = [ASKED, Strengths(route=0.02, churn=0.1, contacts=0.15), Strengths(route=0.15, churn=0.02, contacts=0.03)]


def explained_by_more(y: Floats, less: Floats, more: Floats) -> float:
    """Partial R² by two least-squares fits, as a textbook has it."""
    left = [((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum() for x in (less, more)]
    return float(1 - left[1] / left[0])


@pytest.mark.parametrize("asked", STRENGTHS, ids=str)
def test_the_hidden_cause_explains_what_was_asked(asked: Strengths) -> None:
    people, pull = everybody(400_000, 21), reference_pull(asked, 1.0)
    rng = np.random.default_rng(22)
    person = draw_routes(people, rng, pull=pull.route)
    noise = draw_after_noise(people.n, rng)
    bot, human = (draw_after(people, route, noise, pull=pull, scale=1.0).churned for route in ("bot", "human"))
    contacts = people.contacts_prev_90d + rng.poisson(contact_rate(people, people.hidden, pull=pull))
    short = knowing_the_declared(people, pull)
    columns = [np.ones(people.n), short.chance, person, *short.means["churned"], *short.means["contacts"]]
    centred = people.hidden - 0.3
    given = np.column_stack([*columns, short.chance * person])
    for y, wanted, before in (
        (person, asked.route, np.column_stack(columns[:2])),
        (np.where(person == 1, human, bot), asked.churn, given),
        (contacts.astype(float), asked.contacts, given),
    ):
        base = short.means["contacts"][0] if y is contacts else short.chance * (1 - short.chance)
        more = np.column_stack([before, centred, centred * base, *(before[:, 1:].T * centred)])
        assert explained_by_more(y, before, more) == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("asked", STRENGTHS, ids=str)
def test_the_bias_is_within_the_bound_of_its_own_strength_and_not_far_below(asked: Strengths) -> None:
    world = HiddenHandoffWorld(
        n=100, hidden_route=asked.route, hidden_churn=asked.churn, hidden_contacts=asked.contacts
    )
    truth = world.draw().truth
    hidden = truth.hidden
    assert hidden is not None
    assert hidden.partial_r2["route"] == pytest.approx(asked.route, rel=1e-6)
    assert hidden.partial_r2["churn_90d"] == pytest.approx(asked.churn, rel=1e-6)
    assert hidden.partial_r2["contacts_prev_year"] == pytest.approx(asked.contacts, rel=1e-6)
    for metric, strength in hidden.residual_variance.items():
        for estimand in ESTIMANDS:
            row = truth.effect(metric, estimand)
            assert row.adjusted is not None
            size = hidden.partial_r2[metric] * hidden.balance_gain[estimand] * strength * hidden.weight_size[estimand]
            assert abs(row.adjusted - row.expected) <= np.sqrt(size)
            assert estimand == "att" or abs(row.adjusted - row.expected) > 0.3 * np.sqrt(size)


def test_a_hidden_cause_of_no_strength_is_the_open_world() -> None:
    null = HiddenHandoffWorld(n=3_000, seed=2, hidden_route=0, hidden_churn=0, hidden_contacts=0).draw()
    open_ = HandoffWorld(n=3_000, seed=2).draw()
    for name, values in open_.columns.items():
        np.testing.assert_array_equal(values, null.columns[name])
    assert null.truth.effects == open_.truth.effects
    assert null.truth.hidden is not None
    assert max(null.truth.hidden.partial_r2.values()) < 1e-20


def test_the_route_cannot_change_the_negative_control_but_shares_its_causes() -> None:
    people, pull = everybody(300_000, 31), reference_pull(ASKED, 1.0)
    rng = np.random.default_rng(32)
    person = draw_routes(people, rng, pull=pull.route)
    contacts = people.contacts_prev_90d + rng.poisson(contact_rate(people, people.hidden, pull=pull)).astype(float)
    gaps = {}
    for name, nuisances in (("all", knowing_all(people, pull)), ("declared", knowing_the_declared(people, pull))):
        e, flat = nuisances.chance, (np.full(people.n, contacts.mean()),) * 2
        scores = aipw(contacts, person, e, flat, "ato")
        gaps[name] = scores.mean() / (scores.std() / np.sqrt(people.n))
    assert abs(gaps["all"]) < SIGMAS
    assert gaps["declared"] > 10
    assert naive(contacts, person) > 0.3
