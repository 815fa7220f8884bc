"""The rule as data: written and read, exact on a finished set, and the same whatever the order of customers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxcausal.core.hashing import mixed
from cxcausal.core.rows import Floats
from cxcausal.policy.prices import Prices
from cxcausal.policy.question import Question
from cxcausal.policy.rule import PolicyModel, model_of
from cxcausal.stats.allotting import Limits, allotted
from tests.policy.test_prices import _best_total, _spending
from tests.validation.policy_worlds import HARMED, MODIFIERS, drawn, held_out, spending

MODEL = PolicyModel(name="value", arms=("none", "bot", "agent"), cost=(0.0, 0.25, 1.0))


def _gains(seed: int, n: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.column_stack([np.zeros(n), rng.normal(0.3, 1, n), rng.normal(0.5, 1.5, n)])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 300),
    budget=st.one_of(st.none(), st.floats(0.0, 1.0)),
    bot=st.floats(0.0, 1.2),
    agent=st.floats(0.0, 1.2),
    alike=st.booleans(),
)
def test_no_limit_is_exceeded_and_little_is_lost(
    seed: int,
    n: int,
    budget: float | None,
    bot: float,
    agent: float,
    alike: bool,  # noqa: FBT001 - drawn
) -> None:
    gains = np.round(_gains(seed, n), 0 if alike else 6)
    arms = MODEL.under_budget(gains, budget, {"bot": bot, "agent": agent}, n)
    counts = np.bincount(arms, minlength=3)
    assert counts[1] <= bot * n * (1 + 1e-9)
    assert counts[2] <= agent * n * (1 + 1e-9)
    if budget is not None:
        assert counts @ [0.0, 0.25, 1.0] <= budget * n * (1 + 1e-9)
    most = _best_total(gains, _spending(budget, bot, agent))
    assert gains[np.arange(n), arms].mean() >= most - 6 * max(gains.max(), 0.0) / n - 1e-9


def test_a_budget_is_spent_where_customers_gain() -> None:
    gains = np.column_stack([np.zeros(1_000), np.full(1_000, -1.0), np.full(1_000, 2.0)])
    assert np.bincount(MODEL.under_budget(gains, 0.3, {}, 1_000)).tolist() == [700, 0, 300]
    assert np.bincount(MODEL.under_budget(gains, 0.3, {}, 2_000)).tolist() == [400, 0, 600]
    assert np.bincount(MODEL.under_budget(gains, None, {"agent": 0.25}, 1_000)).tolist() == [750, 0, 250]


def test_the_order_of_customers_does_not_matter() -> None:
    gains, keys = np.round(_gains(3, 2_000)), mixed(np.arange(2_000, dtype=np.uint64))
    order = np.random.default_rng(1).permutation(2_000)
    one = MODEL.under_budget(gains, 0.2, {"agent": 0.1}, 2_000, keys=keys)
    other = MODEL.under_budget(gains[order], 0.2, {"agent": 0.1}, 2_000, keys=keys[order])
    assert one[order].tolist() == other.tolist()


@pytest.mark.parametrize("name", ["value", "limited"])
def test_it_is_the_allotment_of_score_to_the_customer(name: str) -> None:
    gains, keys = np.round(_gains(3, 2_000), 1), mixed(np.arange(2_000, dtype=np.uint64))
    model = replace(MODEL, name=name, prices=Prices(budget=0.8, capacity=(0.0, 0.1, 0.2)))
    limits = Limits(cost=(0.25, 1.0), budget=400.0, places=(None, 200))
    expected = allotted(gains[:, 1:], limits, keys)
    assert model.under_budget(gains, 0.2, {"agent": 0.1}, 2_000, keys=keys).tolist() == expected.tolist()


def test_each_customer_is_assigned_by_themselves() -> None:
    gains, keys = _gains(4, 500), mixed(np.arange(500, dtype=np.uint64))
    for model in (
        MODEL,
        replace(MODEL, name="nobody"),
        replace(MODEL, name="best_arm", arm=2, share=0.3),
        replace(MODEL, name="limited", prices=Prices(budget=0.8, capacity=(0.0, 0.1, 0.2))),
    ):
        bare = model.assign(gains)
        assert bare.tolist() == [*model.assign(gains[:100]), *model.assign(gains[100:])]
        whole = model.assign(gains, keys)
        assert whole.tolist() == [*model.assign(gains[:100], keys[:100]), *model.assign(gains[100:], keys[100:])]


def test_a_share_by_lot_is_about_that_share() -> None:
    keys = mixed(np.arange(20_000, dtype=np.uint64))
    arms = replace(MODEL, name="best_arm", arm=2, share=0.3).assign(_gains(5, 20_000), keys)
    assert np.mean(arms == 2) == pytest.approx(0.3, abs=0.013)
    assert np.mean(arms == 0) == pytest.approx(0.7, abs=0.013)


@pytest.mark.parametrize("name", ["nobody", "best_arm", "value", "limited", "tree"])
def test_what_is_written_is_read(name: str) -> None:
    found = drawn(HARMED, np.random.default_rng(8), 6_000)
    held = held_out(found)
    costs = spending(HARMED, 0.2, (("agent", 0.1),))
    model = model_of(held, costs, found.rules, Question(modifiers=MODIFIERS), name=name)
    again = PolicyModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    columns = {"tenure": found.rows.numbers["tenure"], "risk": found.rows.numbers["risk"],
               "intent": np.array(found.rows.texts["intent"].levels, dtype=object)[found.rows.texts["intent"].codes],
               "age": found.rows.numbers["age"]}  # fmt: skip
    gains = found.gains
    arms = model.assign(gains, columns=columns)
    assert again.assign(gains, columns=columns).tolist() == arms.tolist()
    counts = np.bincount(again.under_budget(gains, 0.1, {"agent": 0.05}, len(gains), columns=columns), minlength=3)
    assert counts @ costs.cost <= 0.1 * len(gains)
    assert counts[2] <= 0.05 * len(gains)
    assert (counts[1:].sum() > 0) == (name != "nobody")
    if name == "limited":
        seen = held.turns[-1].judged
        shares = np.bincount(model.assign(seen.gains, mixed(seen.units.astype(np.uint64))), minlength=3) / len(
            seen.units
        )
        assert shares @ costs.cost == pytest.approx(0.2, abs=0.001)
        assert shares[2] <= 0.1 + 0.001


def test_a_tree_asks_for_its_columns() -> None:
    found = drawn(HARMED, np.random.default_rng(8), 6_000)
    model = model_of(held_out(found), spending(HARMED), found.rules, Question(modifiers=MODIFIERS), name="tree")
    assert model.columns
    with pytest.raises(ValueError, match="asks for columns"):
        model.assign(found.gains)
