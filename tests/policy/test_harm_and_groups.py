"""Bounds that hold whatever the joint outcomes are, groups told together, and the map of moments."""

from dataclasses import replace

import numpy as np
import pytest

from cxcausal.core.held_out import Places, Rules, Spending
from cxcausal.core.rows import Floats, Text
from cxcausal.core.whom import MomentMap, Told
from cxcausal.policy.deciding import policy_of
from cxcausal.policy.groups import declared_groups, group_effects
from cxcausal.policy.harm import harm_of
from cxcausal.policy.moments import _best, map_of
from cxcausal.policy.question import Question, everyone
from cxcausal.policy.seen import Setting
from tests.validation.policy_worlds import (
    HARMED,
    HARMED_HOMES,
    NULLS,
    YES_OR_NO,
    World,
    drawn,
    held_out,
    spending,
)


def _who(n: int) -> Rules:
    return Rules(eligible=np.ones(n, dtype=bool))


def _crossing(_tenure: Floats, risk: Floats, _intent: Places) -> Floats:
    """Contact helps half of them by .2 and harms the other half by .2; nobody gains on average."""
    return np.column_stack([np.zeros(len(risk)), np.where(risk > 0.5, 0.2, -0.2)])


def test_bounds_hold_the_share_that_covariates_tell() -> None:
    world = World(name="crossing", gains=_crossing, shares=(0.5, 0.5), binary=True)
    found = drawn(world, np.random.default_rng(21), 20_000)
    (harm,) = harm_of(held_out(found), _who(20_000), 0.05)
    assert harm.lowest is not None
    assert harm.highest is not None
    assert harm.lowest_limit is not None
    assert harm.highest_limit is not None
    # A half of them lose .2 each, of .4 − .3·risk; no more than all of the good outcomes can be lost.
    assert harm.lowest == pytest.approx(0.1, abs=0.02)
    assert harm.lowest_limit <= harm.lowest <= harm.highest <= harm.highest_limit
    base = 0.4 - 0.3 * found.rows.numbers["risk"]
    most = np.minimum(base, 1 - base - found.gains[:, 1]).mean()
    assert harm.highest == pytest.approx(most, abs=0.02)


def test_bounds_are_the_same_told_as_losses() -> None:
    found = drawn(YES_OR_NO, np.random.default_rng(22), 8_000)
    held = held_out(found)
    mirrored = replace(held, aim=replace(held.aim, sign=-1), turns=tuple(
        replace(turn, judged=replace(turn.judged, scores=turn.judged.scores - 1, means=turn.judged.means - 1))
        for turn in held.turns))  # fmt: skip
    (one,), (other,) = harm_of(held, _who(8_000), 0.05), harm_of(mirrored, _who(8_000), 0.05)
    assert other.lowest == pytest.approx(one.lowest, abs=1e-9)
    assert other.highest == pytest.approx(one.highest, abs=1e-9)


def test_amounts_have_no_such_bounds() -> None:
    found = drawn(HARMED, np.random.default_rng(23), 1_000)
    assert {each.status for each in harm_of(held_out(found), _who(1_000), 0.05)} == {"not_computed"}


def test_declared_groups_use_all_customers_and_their_means_are_those_of_scores() -> None:
    found = drawn(HARMED, np.random.default_rng(24), 3_000)
    held = held_out(found)
    setting = Setting.of(held, spending(HARMED), _who(3_000), (), seed=1)
    side = everyone(held, _who(3_000))
    assert sorted(side.units.tolist()) == list(range(3_000))
    segments = {"intent": found.rows.texts["intent"]}
    effects = group_effects(list(declared_groups(segments, side)), side, setting, 0.05, declared=True)
    assert len(effects) == 6
    codes = found.rows.texts["intent"].codes[side.units]
    for each in effects:
        inside = codes == ("cancel", "billing", "other").index(each.name.removeprefix("intent: "))
        place = HARMED.arms.index(each.arm)
        assert each.gain.point == pytest.approx(np.mean((side.scores[:, place] - side.scores[:, 0])[inside]), abs=1e-9)
        assert each.n == inside.sum()
        assert each.declared
        assert (each.harmed, each.helped) == ((each.gain.high or 0) < 0, (each.gain.low or 0) > 0)


def test_no_group_is_named_where_nothing_happens() -> None:
    wrong, runs = 0, 120
    for seed in range(runs):
        found = drawn(NULLS[0], np.random.default_rng([25, seed]), 900)
        held = held_out(found)
        setting = Setting.of(held, spending(HARMED), _who(900), (), seed=1)
        side = everyone(held, _who(900))
        segments = {"intent": found.rows.texts["intent"]}
        effects = group_effects(list(declared_groups(segments, side)), side, setting, 0.05, declared=True)
        wrong += any(each.harmed or each.helped for each in effects)
    # Five in a hundred, and four standard errors.
    assert wrong <= runs * (0.05 + 4 * np.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize(
    ("bot", "agent", "expected"),
    [
        ((0.1, -0.1, 0.3), (0.5, -0.2, 1.2), None),
        ((0.1, 0.05, 0.2), (0.5, -0.2, 1.2), "bot"),
        ((0.1, 0.05, 0.2), (0.3, 0.1, 0.5), "agent"),
        ((-0.1, -0.2, -0.05), (-0.3, -0.5, -0.1), "none"),
        ((-0.1, -0.2, 0.05), (-0.3, -0.5, -0.1), None),
    ],
)
def test_only_what_is_reliable_is_named(
    bot: tuple[float, float, float], agent: tuple[float, float, float], expected: str | None
) -> None:
    gains = {arm: Told(point=p, low=low, high=high) for arm, (p, low, high) in {"bot": bot, "agent": agent}.items()}
    assert _best(gains, ("none", "bot", "agent")) == expected


def _map(n: int, seed: int) -> MomentMap:
    found = drawn(HARMED, np.random.default_rng(seed), n)
    held = held_out(found)
    rows = found.rows
    tier = Text(codes=(rows.numbers["tenure"] < 0.3).astype(np.int32), levels=("old", "new"))
    setting = Setting.of(held, spending(HARMED), _who(n), (), seed=1)
    told = map_of({"tier": tier, "intent": rows.texts["intent"]}, everyone(held, _who(n)), setting, 0.05)
    assert told is not None
    return told


def test_the_map_crosses_intent_with_the_other_segment() -> None:
    told = _map(20_000, 26)
    assert (told.rows, told.columns) == ("intent", "tier")
    assert {(cell.row, cell.column) for cell in told.cells} == {
        (intent, tier) for intent in ("cancel", "billing", "other") for tier in ("old", "new")
    }
    arms = {(cell.row, cell.column): cell.arm for cell in told.cells}
    assert arms["cancel", "old"] == "agent"
    assert arms["other", "old"] == "bot"
    # For newcomers contact hardly pays on average, and the agent costs.
    assert arms["other", "new"] in {"none", None}
    for cell in told.cells:
        lows = {arm: gain.low or 0.0 for arm, gain in cell.gains.items()}
        highs = [gain.high or 0.0 for gain in cell.gains.values()]
        assert (cell.arm in lows) == (max(lows.values()) > 0)
        assert (cell.arm == "none") == (max(highs) < 0)
        for arm, gain in cell.gains.items():
            assert (gain.low or 0) <= (gain.point or 0) <= (gain.high or 0), arm


def test_a_cell_of_few_customers_is_not_told() -> None:
    told = _map(300, 27)
    assert any(cell.reason and not cell.gains for cell in told.cells)
    assert all(cell.arm is None for cell in told.cells if not cell.gains)


def test_a_level_of_few_customers_is_not_named_in_the_map() -> None:
    found = drawn(HARMED, np.random.default_rng(26), 2_000)
    held = held_out(found)
    codes = np.where(np.arange(2_000) < 9, 1, np.where(np.arange(2_000) < 19, 2, 0)).astype(np.int32)
    column = Text(codes=codes, levels=("usual", "the nine", "the ten"))
    setting = Setting.of(held, spending(HARMED), _who(2_000), (), seed=1)
    told = map_of({"home": column}, everyone(held, _who(2_000)), setting, 0.05)
    assert told is not None
    assert {cell.row for cell in told.cells} == {"usual", "the ten"}


def test_homes_count_as_one_in_groups() -> None:
    found = drawn(HARMED_HOMES, np.random.default_rng(28), 4_000)
    held = held_out(found)
    side = everyone(held, _who(4_000))
    segments = {"all": Text(codes=np.zeros(4_000, dtype=np.int32), levels=("yes",))}
    ses = []
    for rows in (held.rows, replace(held.rows, clusters={})):
        setting = Setting.of(replace(held, rows=rows), spending(HARMED), _who(4_000), (), seed=1)
        (_, agent) = group_effects(list(declared_groups(segments, side)), side, setting, 0.05, declared=True)
        ses.append(agent.gain.se or 0.0)
    assert ses[0] > 1.15 * ses[1]


def test_free_arms_have_no_frontier() -> None:
    found = drawn(NULLS[3], np.random.default_rng(29), 2_000)
    result = policy_of(held_out(found), Spending(cost=np.zeros(2)), found.rules, Question())
    assert result.frontier == ()
    assert not result.targeting


def test_more_budget_never_buys_fewer_contacts_and_the_last_point_is_the_rule_by_value() -> None:
    found = drawn(HARMED, np.random.default_rng(30), 6_000)
    result = policy_of(held_out(found), spending(HARMED), found.rules, Question())
    contacted = [point.contacted for point in result.frontier]
    assert contacted == sorted(contacted)
    value = next(each for each in result.policies if each.name == "value")
    assert result.frontier[-1].gain.point == pytest.approx(value.gain.point, abs=1e-6)
    assert result.break_even_budget == pytest.approx(result.frontier[-1].budget, abs=1e-9)
    for point in result.frontier:
        difference = (point.gain.point or 0.0) - (point.untargeted.point or 0.0)
        assert point.beyond.point == pytest.approx(difference, abs=1e-9)
