"""Values of rules against sums written out customer by customer, and what must not matter."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from cxcausal.core.held_out import HeldOut, Rules, Side, Spending
from cxcausal.core.rows import Flags
from cxcausal.core.whom import PolicyResult
from cxcausal.policy.deciding import policy_of
from cxcausal.policy.predicted import Limited
from cxcausal.policy.question import Question
from cxcausal.policy.seen import Setting
from cxcausal.policy.valuing import sides_of
from cxcausal.policy.worth import Judging
from tests.validation.policy_worlds import HARMED, HARMED_HOMES, MODIFIERS, Drawn, drawn, held_out, spending

EXACT = 1e-9


@pytest.fixture(scope="module")
def found() -> Drawn:
    return drawn(HARMED, np.random.default_rng(5), 6_000)


@pytest.fixture(scope="module")
def held(found: Drawn) -> HeldOut:
    return held_out(found)


def _question(found: Drawn) -> Question:
    intents = {"intent": found.rows.texts["intent"]}
    return Question(segments=intents, protected=intents, modifiers=MODIFIERS, population=100_000)


@pytest.fixture(scope="module")
def result(found: Drawn, held: HeldOut) -> PolicyResult:
    return policy_of(held, spending(HARMED), found.rules, _question(found))


def test_the_value_of_predictions_is_the_mean_score_of_whom_they_choose(held: HeldOut, result: PolicyResult) -> None:
    gains, parts = [], []
    for turn in held.turns:
        side = turn.judged
        own = [side.scores[i, int(np.argmax(side.gains[i]))] - side.scores[i, 0] for i in range(len(side.units))]
        gains += own
        parts.append(np.array(own) - np.mean(own))
    n, turns = len(gains), len(held.turns)
    se = np.sqrt(np.sum(np.concatenate(parts) ** 2) / n / (n - turns))
    worth = next(each for each in result.policies if each.name == "value")
    assert worth.gain.point == pytest.approx(np.mean(gains), abs=EXACT)
    assert worth.gain.se == pytest.approx(se, abs=EXACT)
    assert worth.gain.low is not None
    assert worth.gain.low == pytest.approx(np.mean(gains) - student.ppf(0.975, n) * se, abs=1e-4)


def test_the_best_arm_is_learned_on_the_other_side_and_differences_are_paired(
    held: HeldOut, result: PolicyResult
) -> None:
    beyond, best = [], []
    for turn in held.turns:
        arm = int(np.argmax((turn.learned.scores - turn.learned.scores[:, :1]).mean(axis=0)))
        side = turn.judged
        chosen = side.gains.argmax(axis=1)
        best += list(side.scores[:, arm] - side.scores[:, 0])
        beyond += [side.scores[i, chosen[i]] - side.scores[i, arm] for i in range(len(chosen))]
    by_name = {each.name: each for each in result.policies}
    assert by_name["best_arm"].gain.point == pytest.approx(np.mean(best), abs=EXACT)
    assert by_name["value"].beyond.point == pytest.approx(np.mean(beyond), abs=EXACT)


def test_regret_and_differences_agree(result: PolicyResult) -> None:
    points = {each.name: each.gain.point or 0.0 for each in result.policies}
    for each in result.policies:
        assert each.regret == pytest.approx(max(points.values()) - points[each.name], abs=EXACT)
        assert each.beyond.point == pytest.approx(points[each.name] - points["best_arm"], abs=EXACT)
        assert each.over_current.point == pytest.approx(points[each.name] - points["current_rule"], abs=EXACT)
    assert points["nobody"] == 0.0


def test_costs_and_shares_are_those_of_the_customers_chosen(held: HeldOut, result: PolicyResult) -> None:
    chosen = np.concatenate([turn.judged.gains.argmax(axis=1) for turn in held.turns])
    worth = next(each for each in result.policies if each.name == "value")
    assert worth.share == pytest.approx({"bot": np.mean(chosen == 1), "agent": np.mean(chosen == 2)}, abs=EXACT)
    assert worth.cost == pytest.approx(np.mean(np.array([0.0, 0.25, 1.0])[chosen]), abs=EXACT)


def _spoiled(side: Side, who: Flags) -> Side:
    return replace(side, scores=np.where(who[side.units, None], 1e6, side.scores))


def test_whoever_may_not_be_contacted_does_not_count(found: Drawn, held: HeldOut, result: PolicyResult) -> None:
    wild = held.rows.numbers["age"] < 0.3
    rules = Rules(eligible=~wild, current=found.rules.current)
    spoiled = replace(held, turns=tuple(replace(turn, judged=_spoiled(turn.judged, wild)) for turn in held.turns))
    kept = policy_of(held, spending(HARMED), rules, _question(found))
    other = policy_of(spoiled, spending(HARMED), rules, _question(found))
    assert kept.policies == other.policies
    assert kept.policies != result.policies
    assert kept.eligible == pytest.approx(np.mean(~wild))


def test_weights_are_those_of_the_population(found: Drawn, held: HeldOut) -> None:
    weight = 0.5 + np.asarray(held.rows.numbers["risk"])
    result = policy_of(replace(held, weight=weight), spending(HARMED), found.rules, _question(found))
    agent = next(each for each in result.policies if each.name == "everybody:agent")
    units = held.judged
    scores = np.concatenate([turn.judged.scores for turn in held.turns])
    expected = np.average(scores[:, 2] - scores[:, 0], weights=weight[units])
    assert agent.gain.point == pytest.approx(expected, abs=EXACT)


def test_a_rule_does_not_see_who_is_judged(held: HeldOut, found: Drawn) -> None:
    mirrored = replace(held, turns=tuple(
        replace(turn, judged=replace(turn.judged, scores=-turn.judged.scores)) for turn in held.turns))  # fmt: skip
    question = Question(modifiers=MODIFIERS)
    one = policy_of(held, spending(HARMED, 0.2, (("agent", 0.1),)), found.rules, question)
    other = policy_of(mirrored, spending(HARMED, 0.2, (("agent", 0.1),)), found.rules, question)
    for a, b in zip(one.policies, other.policies, strict=True):
        assert a.share == b.share
        assert a.gain.point == pytest.approx(-(b.gain.point or 0.0), abs=EXACT)


def test_homes_widen_the_intervals() -> None:
    found = drawn(HARMED_HOMES, np.random.default_rng(6), 6_000)
    held = held_out(found)
    loose = replace(held, rows=replace(held.rows, clusters={}))
    question = Question(modifiers=MODIFIERS)
    one, other = (policy_of(each, spending(HARMED), found.rules, question) for each in (held, loose))
    ses = {each.name: each.gain.se or 0.0 for each in one.policies}
    free = {each.name: each.gain.se or 0.0 for each in other.policies}
    assert ses["everybody:agent"] > 1.15 * free["everybody:agent"]


def test_few_homes_are_few_draws_of_every_turn() -> None:
    rng = np.random.default_rng(16)
    home = np.repeat(np.arange(12, dtype=np.uint64), 5)
    one = np.zeros(60, dtype=np.int8)
    judging = Judging(arm=one, weight=np.ones(60), clusters={"home": home}, turn=np.repeat(np.arange(3), 20))
    ratios = []
    for _ in range(400):
        values = np.repeat(rng.normal(size=12), 5)
        (told,) = judging.told(values[:, None], 0.05)
        ratios.append((told.se or 0.0) ** 2)
    # Twelve homes of equal size, whose values vary by one: the mean's variance is a twelfth.
    assert np.mean(ratios) == pytest.approx(1 / 12, rel=0.08)


def test_the_same_twice(found: Drawn, held: HeldOut, result: PolicyResult) -> None:
    assert policy_of(held, spending(HARMED), found.rules, _question(found)) == result


def test_too_few_customers_are_told_so(found: Drawn) -> None:
    few = drawn(HARMED, np.random.default_rng(7), 200)
    result = policy_of(held_out(few), spending(HARMED), few.rules, Question())
    assert result.status == "not_computed"
    assert result.reason is not None
    assert "fewer than 20 of an arm" in result.reason
    assert result.policies == ()


def test_targeting_is_shown_where_contact_harms_some(result: PolicyResult) -> None:
    assert (result.recommended, result.targeting) == ("value", True)
    harmed = {each.name for each in result.groups if each.harmed and each.arm == "agent" and not each.declared}
    assert any("tenure ≤" in name and "risk ≤" in name for name in harmed), harmed


def test_protected_levels_part_all_judged(result: PolicyResult) -> None:
    assert sum(each.n for each in result.protected) == result.judged
    assert sum(each.share for each in result.protected) == pytest.approx(1.0)
    worth = next(each for each in result.policies if each.name == result.recommended)
    contacted = sum(each.share * (each.contacted or 0.0) for each in result.protected)
    assert contacted == pytest.approx(sum(worth.share.values()), abs=EXACT)
    gain = sum(each.share * (each.gain.point or 0.0) for each in result.protected)
    assert gain == pytest.approx(worth.gain.point, abs=EXACT)


def test_risk_comes_first_worst_outcome_first_and_as_many_as_by_value(held: HeldOut, result: PolicyResult) -> None:
    gains, shares = [], []
    for turn in held.turns:
        many = np.mean(turn.learned.gains.argmax(axis=1) > 0)
        level = np.quantile(turn.learned.means[:, 0], many, method="inverted_cdf")
        arm = 1 + int(np.argmax((turn.learned.scores[:, 1:] - turn.learned.scores[:, :1]).mean(axis=0)))
        side = turn.judged
        gains += list(np.where(side.means[:, 0] <= level, side.scores[:, arm] - side.scores[:, 0], 0.0))
        shares.append(many)
    worth = next(each for each in result.policies if each.name == "top_risk")
    assert worth.gain.point == pytest.approx(np.mean(gains), abs=0.003)
    assert sum(worth.share.values()) == pytest.approx(np.mean(shares), abs=0.05)


def test_with_a_budget_the_best_arm_is_the_best_that_it_buys(found: Drawn, held: HeldOut) -> None:
    costs = spending(HARMED, 0.05)
    result = policy_of(held, costs, found.rules, Question())
    gains = []
    for turn in held.turns:
        means = (turn.learned.scores - turn.learned.scores[:, :1]).mean(axis=0)
        share = np.array([1.0, 0.2, 0.05])
        arm = int(np.argmax(means * share))
        gains += list(share[arm] * (turn.judged.scores[:, arm] - turn.judged.scores[:, 0]))
    worth = next(each for each in result.policies if each.name == "best_arm")
    assert worth.gain.point == pytest.approx(np.mean(gains), abs=EXACT)
    dear = Spending(cost=np.array([0.0, 0.01, 100.0]), budget=0.01)
    swapped = replace(held, turns=tuple(
        replace(turn, learned=_favouring_the_agent(turn.learned)) for turn in held.turns))  # fmt: skip
    told = policy_of(swapped, dear, found.rules, Question())
    best = next(each for each in told.policies if each.name == "best_arm")
    assert best.share == pytest.approx({"bot": 1.0, "agent": 0.0})


def _favouring_the_agent(side: Side) -> Side:
    return replace(side, scores=side.scores + np.array([0.0, 1.0, 2.0]))


def test_lots_of_the_frontier_and_rules_do_not_see_who_is_judged(held: HeldOut, found: Drawn) -> None:
    mirrored = replace(
        held,
        turns=tuple(replace(turn, judged=replace(turn.judged, scores=-turn.judged.scores)) for turn in held.turns),
        half=replace(held.half, judged=replace(held.half.judged, scores=-held.half.judged.scores)),
    )
    question = Question(modifiers=MODIFIERS)
    one, other = (policy_of(each, spending(HARMED), found.rules, question) for each in (held, mirrored))
    for a, b in zip(one.frontier, other.frontier, strict=True):
        assert a.untargeted.point == pytest.approx(-(b.untargeted.point or 0.0), abs=EXACT)
        assert a.contacted == b.contacted
    assert [(rule.condition, rule.arm, rule.share) for rule in one.rules] == [
        (rule.condition, rule.arm, rule.share) for rule in other.rules
    ]


def test_contact_rates_of_levels_are_their_own(found: Drawn, held: HeldOut) -> None:
    costs = spending(HARMED, 0.2, (("agent", 0.1),))
    result = policy_of(held, costs, found.rules, _question(found))
    assert result.recommended == "limited"
    rates = {each.level: each.contacted for each in result.protected}
    setting = Setting.of(held, costs, found.rules, MODIFIERS, seed=1)
    chosen, codes = [], []
    for turn in sides_of(held, setting):
        chosen.append(Limited().learn(turn.learned).shares(turn.judged)[:, 1:].sum(axis=1))
        codes.append(found.rows.texts["intent"].codes[turn.judged.side.units])
    contacted, code = np.concatenate(chosen), np.concatenate(codes)
    for place, level in enumerate(found.rows.texts["intent"].levels):
        assert rates[level] == pytest.approx(contacted[code == place].mean(), abs=EXACT)
    assert len({round(rate or 0.0, 3) for rate in rates.values()}) > 1
