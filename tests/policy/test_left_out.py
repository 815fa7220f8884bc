"""An arm that no rule may give: rules are learned without it, and what they gain is of the arms that are left."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.held_out import HeldOut, Rules, Side, Spending
from cxcausal.core.rows import Rows
from cxcausal.core.whom import PolicyResult, PolicyWorth
from cxcausal.policy.best_arm import is_limited
from cxcausal.policy.deciding import policy_of
from cxcausal.policy.question import Question
from cxcausal.policy.rule import model_of
from cxcausal.policy.seen import Setting
from cxcausal.policy.valuing import gives
from tests.validation.policy_worlds import HARMED, MODIFIERS, Drawn, drawn, held_out, spending

LEFT_OUT = 2
KEPT = (0, 1)
AGENT = "agent"
LIMITED = spending(HARMED, 0.2, (("bot", 0.3), (AGENT, 0.25)))


@pytest.fixture(scope="module")
def found() -> Drawn:
    return drawn(HARMED, np.random.default_rng(11), 6_000)


@pytest.fixture(scope="module")
def held(found: Drawn) -> HeldOut:
    return held_out(found)


def _asked(found: Drawn, costs: Spending, rules: Rules, held: HeldOut) -> PolicyResult:
    intents = {"intent": found.rows.texts["intent"]}
    return policy_of(held, costs, rules, Question(segments=intents, protected=intents, modifiers=MODIFIERS))


def _rules(found: Drawn, left_out: tuple[int, ...] = (LEFT_OUT,)) -> Rules:
    return replace(found.rules, left_out=left_out)


def _never_had(held: HeldOut) -> HeldOut:
    """Return the same turns of a trial that never had the last arm: whoever got it belongs to no arm that is told."""

    def cut(side: Side) -> Side:
        return replace(side, scores=side.scores[:, :2], gains=side.gains[:, :2], means=side.means[:, :2])

    turns = tuple(replace(turn, learned=cut(turn.learned), judged=cut(turn.judged)) for turn in held.turns)
    half = replace(held.half, learned=cut(held.half.learned), judged=cut(held.half.judged))
    rows: Rows = replace(held.rows, arms=held.rows.arms[:2])
    return replace(held, rows=rows, turns=turns, half=half)


def _by_name(result: PolicyResult) -> dict[str, PolicyWorth]:
    return {worth.name: worth for worth in result.policies}


@pytest.mark.parametrize("costs", [spending(HARMED), LIMITED], ids=["free", "limited"])
def test_rules_are_those_of_a_trial_that_never_had_the_arm(found: Drawn, held: HeldOut, costs: Spending) -> None:
    without = _by_name(_asked(found, costs, _rules(found), held))
    never = _by_name(_asked(found, costs.of(KEPT, held.arms), Rules(eligible=found.rules.eligible), _never_had(held)))
    assert never.keys() == without.keys() - {f"everybody:{AGENT}", "current_rule"}
    for name, worth in never.items():
        assert without[name].gain.point == pytest.approx(worth.gain.point, abs=1e-12), name
        assert without[name].beyond.point == pytest.approx(worth.beyond.point, abs=1e-12), name
        assert without[name].share == {**worth.share, AGENT: 0.0}, name
        assert without[name].cost == pytest.approx(worth.cost)


@pytest.mark.parametrize("costs", [spending(HARMED), LIMITED], ids=["free", "limited"])
def test_nothing_that_may_be_followed_gives_the_arm(found: Drawn, held: HeldOut, costs: Spending) -> None:
    before, result = _asked(found, costs, found.rules, held), _asked(found, costs, _rules(found), held)
    chosen = _by_name(before)[before.recommended or ""]
    assert chosen.share[AGENT] > 0.05  # with it on offer, the rule would give it
    assert result.left_out == (AGENT,)
    assert [worth.name for worth in result.policies if gives(worth, {AGENT})] == [f"everybody:{AGENT}", "current_rule"]
    assert result.recommended not in {f"everybody:{AGENT}", "current_rule"}
    assert AGENT not in {rule.arm for rule in result.rules} | {group.arm for group in result.groups}
    assert result.moments is not None
    assert all(cell.arm != AGENT and AGENT not in cell.gains for cell in result.moments.cells)
    assert before.groups != result.groups


def test_what_may_not_be_followed_is_told_and_compared_with_nothing(found: Drawn, held: HeldOut) -> None:
    before, after = (_by_name(_asked(found, spending(HARMED), rules, held)) for rules in (found.rules, _rules(found)))
    for name in (f"everybody:{AGENT}", "current_rule"):
        assert after[name].gain == before[name].gain
        assert after[name].regret is None
    assert min(worth.regret for worth in after.values() if worth.regret is not None) == 0.0


def test_a_rule_in_use_that_does_not_say_how_is_not_valued_by_the_arm(found: Drawn, held: HeldOut) -> None:
    contact = np.where(found.rows.numbers["risk"] > 0.7, -1, 0).astype(np.int8)
    rules = Rules(eligible=found.rules.eligible, current=contact, left_out=(LEFT_OUT,))
    today = _by_name(_asked(found, spending(HARMED), rules, held))["current_rule"]
    assert today.share[AGENT] == 0
    assert today.share["bot"] == pytest.approx(0.3, abs=0.03)


def test_a_limit_of_the_arm_alone_is_none(found: Drawn, held: HeldOut) -> None:
    costs = spending(HARMED, capacity=((AGENT, 0.25),))
    for rules, expected in ((found.rules, True), (_rules(found), False)):
        assert is_limited(Setting.of(held, costs, rules, MODIFIERS, seed=1)) is expected


@pytest.mark.parametrize("name", ["nobody", "best_arm", "value", "limited", "tree"])
def test_the_rule_that_is_kept_does_not_know_the_arm(found: Drawn, held: HeldOut, name: str) -> None:
    rules = _rules(found, (1,))
    model = model_of(held, LIMITED, rules, Question(modifiers=MODIFIERS), name=name)
    assert model.arms == ("none", AGENT)
    assert model.cost == (0.0, 1.0)
    assert model.capacity == ((AGENT, 0.25),)
    side = held.turns[-1].judged
    own = {column: found.rows.numbers[column][side.units] for column in ("tenure", "risk", "age")}
    text = found.rows.texts["intent"]
    intents = np.array(text.levels, dtype=object)[text.codes[side.units]]
    given = model.assign(side.gains[:, [0, 2]], columns={**own, "intent": intents})
    assert set(given.tolist()) <= {0, 1}
    assert (given.max() == 1) == (name in {"value", "limited", "tree"})  # the agent gains nothing on average


def test_a_better_rule_in_use_that_gives_the_arm_is_not_to_be_kept(found: Drawn, held: HeldOut) -> None:
    best = found.gains.argmax(axis=1).astype(np.int8)
    rules = Rules(eligible=found.rules.eligible, current=best, left_out=(LEFT_OUT,))
    told = " ".join(_asked(found, spending(HARMED), rules, held).notes)
    assert "it can't be kept as it is" in told
    assert "keep it." not in told
