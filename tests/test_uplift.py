"""The notebook API: it finds who responds, whom to contact, and says plainly what it is not told."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cxcausal import UpliftModel, UpliftPolicy
from cxcausal.core.errors import DataError, UsageError

N = 2_000
SHARES = {"none": 0.5, "call": 0.25, "mail": 0.25}
LEARNERS = ("t",)


def customers(n: int = N, seed: int = 1) -> tuple[pd.DataFrame, npt.NDArray[Any], npt.NDArray[np.float64]]:
    """A call gains 1 for plan b and loses 1 for plan a; a mail gains nothing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"tenure": rng.normal(size=n), "plan": rng.choice(["a", "b"], n), "web": rng.random(n) < 0.5},
        index=[f"c{place:05d}" for place in range(n)],
    )
    frame.loc[frame.index[::50], "tenure"] = np.nan
    arm = rng.choice(list(SHARES), n, p=list(SHARES.values()))
    gain = np.where(frame["plan"] == "b", 1.0, -1.0) * (arm == "call")
    return frame, arm, rng.normal(size=n) + gain


def at(told: pd.DataFrame, row: str | None, column: str) -> float:
    value: float = told.to_dict("index")[row][column]
    return value


@pytest.fixture(scope="module")
def model() -> UpliftModel:
    frame, arm, y = customers()
    return UpliftModel(learners=LEARNERS).fit(frame, arm, y, control="none", shares=SHARES)


@pytest.fixture(scope="module")
def policy(model: UpliftModel) -> UpliftPolicy:
    return model.policy()


def test_it_predicts_who_gains_and_by_how_much(model: UpliftModel) -> None:
    fresh, _, _ = customers(500, seed=2)
    gains = model.predict(fresh)
    assert list(gains.columns) == ["call", "mail"]
    assert gains.index.equals(fresh.index)
    by_plan = gains.groupby(fresh["plan"]).mean()
    assert by_plan["call"].to_dict() == pytest.approx({"a": -1, "b": 1}, abs=0.3)
    assert by_plan["mail"].to_dict() == pytest.approx({"a": 0, "b": 0}, abs=0.25)
    ends = model.predict_interval(fresh)
    assert list(ends) == [("call", "low"), ("call", "high"), ("mail", "low"), ("mail", "high")]
    assert (ends["call", "low"] < gains["call"]).all()
    assert (ends["call", "high"] > gains["call"]).all()


def test_it_finds_that_calls_differ_and_mails_do_not(model: UpliftModel) -> None:
    told = model.to_frame().set_index("arm")
    assert told["found"].to_dict() == {"call": True, "mail": False}
    assert at(told, "call", "slope") == pytest.approx(1, abs=0.2)
    assert model.leaderboard_["name"][0] == "constant"
    assert all(name.startswith("t") for name in model.leaderboard_["name"][1:])
    assert model.leaderboard_["weight"].sum() == pytest.approx(1)
    assert model.plot().svg.count("<circle") == 10


def test_it_says_whom_to_contact_and_what_that_is_worth(model: UpliftModel, policy: UpliftPolicy) -> None:
    frame, _, _ = customers(500, seed=3)
    told = policy.to_frame().set_index("policy")
    assert policy.result.targeting
    assert at(told, policy.result.recommended, "gain") == pytest.approx(0.5, abs=0.15)
    assert at(told, "everybody:call", "gain") == pytest.approx(0, abs=0.15)
    assert told["recommended"].sum() == 1
    assigned = policy.assign(frame)
    assert assigned.index.equals(frame.index)
    assert (assigned[frame["plan"] == "b"] == "call").mean() > 0.95
    assert (assigned[frame["plan"] == "a"] == "call").mean() < 0.05
    assert "everybody:call" in policy.plot().svg


def test_a_budget_is_kept_and_todays_rule_is_valued(model: UpliftModel) -> None:
    frame, _, _ = customers()
    current = np.where(frame["tenure"] > 0, "call", "none")
    told = model.policy(budget=0.2, current=current).to_frame().set_index("policy")
    assert 0.05 < at(told, "limited", "cost") < 0.23
    assert at(told, "limited", "gain") == pytest.approx(at(told, "limited", "cost"), abs=0.1)
    assert at(told, "current_rule", "gain") == pytest.approx(0, abs=0.15)
    assert at(told, "current_rule", "share_call") == pytest.approx((current == "call").mean(), abs=0.03)


def test_costs_come_off_the_gains(model: UpliftModel) -> None:
    frame, arm, y = customers()
    dear = UpliftModel(cost={"call": 3.0}, learners=LEARNERS).fit(frame, arm, y, control="none", shares=SHARES)
    difference = model.predict(frame) - dear.predict(frame)
    np.testing.assert_allclose(difference["call"], 3, atol=1e-9)
    np.testing.assert_allclose(difference["mail"], 0, atol=1e-9)
    assert dear.policy().result.recommended == "nobody"


def test_neither_the_order_of_rows_nor_of_columns_nor_extra_columns_matter(model: UpliftModel) -> None:
    frame, arm, y = customers()
    order = np.random.default_rng(4).permutation(N)
    turned = frame.iloc[order, ::-1]
    again = UpliftModel(learners=LEARNERS).fit(
        turned[frame.columns], arm[order], y[order], control="none", shares=SHARES
    )
    first = model.predict(frame)
    pd.testing.assert_frame_equal(again.predict(frame), first, check_exact=True)
    pd.testing.assert_frame_equal(model.predict(turned.assign(more=1.0)).loc[frame.index], first, check_exact=True)


def test_clusters_widen_intervals_as_if_the_second_of_a_pair_told_nothing() -> None:
    frame, arm, y = customers(600)
    twice = pd.concat([frame, frame.set_axis([f"{name}x" for name in frame.index])])
    paired = UpliftModel(learners=LEARNERS).fit(
        twice, np.tile(arm, 2), np.tile(y, 2), control="none", shares=SHARES, cluster=np.tile(frame.index, 2)
    )
    told = paired.to_frame().set_index("arm")
    scores = np.concatenate([turn.judged.scores for turn in paired.held_.turns])
    gain = scores[:, 1] - scores[:, 0]
    alone = 2 * 1.96 * gain.std() / np.sqrt(len(gain))
    width = at(told, "call", "average_high") - at(told, "call", "average_low")
    assert width == pytest.approx(np.sqrt(2) * alone, rel=0.1)


def test_weights_move_the_average_to_those_who_count_more() -> None:
    frame, arm, y = customers()
    heavy = np.where(frame["plan"] == "b", 9.0, 1.0)
    told = UpliftModel(learners=LEARNERS).fit(frame, arm, y, control="none", shares=SHARES, sample_weight=heavy)
    assert at(told.to_frame().set_index("arm"), "call", "average") == pytest.approx(0.8, abs=0.2)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"control": "nobody"}, "no customer has the arm 'nobody'"),
        ({"shares": {"none": 0.5, "call": 0.5}}, "the arm 'mail' has no share"),
        ({"shares": {**SHARES, "fax": 0.1}}, "there is no arm 'fax'"),
        ({"sample_weight": [1.0]}, "it has 1 values for 300 rows"),
    ],
)
def test_what_has_no_meaning_is_refused(change: dict[str, Any], told: str) -> None:
    frame, arm, y = customers(300)
    given: dict[str, Any] = {"control": "none", "shares": SHARES, **change}
    with pytest.raises(UsageError, match=told):
        UpliftModel().fit(frame, arm, y, **given)


def test_what_was_not_fitted_or_given_is_said(model: UpliftModel) -> None:
    frame, _, _ = customers(10)
    new = UpliftModel()
    asked: tuple[Callable[[], object], ...] = (lambda: new.predict(frame), new.policy, new.to_frame, new.plot)
    for ask in asked:
        with pytest.raises(UsageError, match="call fit"):
            ask()
    with pytest.raises(DataError, match="plan"):
        model.predict(frame.drop(columns="plan"))
    with pytest.raises(UsageError, match="there is no arm 'fax'"):
        model.policy(current=np.full(N, "fax"))


def test_a_budget_is_dealt_out_to_the_customer(model: UpliftModel) -> None:
    chosen = model.policy(budget=0.2, capacity={"call": 0.15})
    fresh, _, _ = customers(400, seed=4)
    arms = chosen.under_budget(fresh)
    counts = arms.value_counts()
    assert counts["call"] == 60  # as many as there are places, as more would gain
    assert counts.drop("none").sum() <= 80
    shuffled = fresh.sample(frac=1, random_state=1)
    assert chosen.under_budget(shuffled).loc[fresh.index].equals(arms)
    assert set(chosen.under_budget(fresh, budget=0)) == {"none"}
