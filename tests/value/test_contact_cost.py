"""What contact costs against raw rows: per customer assigned, per delivered contact, and per event."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxcausal.core.results import ArmValue
from cxcausal.value.contact_cost import NO_SPREAD, NOT_RELIABLE, TOO_FEW
from cxcausal.value.model import value_of, value_queries
from tests.twins import full_cr2
from tests.value.worlds import ARMS, CHURN, MARGIN, Customers, customers, plan

NEAR = 1e-9
COSTS = {"none": 0.3, "gig": 4.0, "agent": 6.4}


def strong(seed: int, n: int = 3000, *, good: str = "decrease") -> Customers:
    """Return customers whom contact changes much, so that one costs something in particular."""
    rows = customers(seed, n)
    rng, treated = np.random.default_rng(seed + 50), rows.columns["arm"] != "none"
    churned = (rng.random(n) < (0.4 - 0.2 * treated if good == "decrease" else 0.2 + 0.2 * treated)).astype(float)
    churned[::17] = np.nan
    return Customers(columns={**rows.columns, "churned": churned})


def valued(rows: Customers, **keys: Any) -> dict[str, ArmValue]:
    spec = plan(**keys)
    found = value_of(spec, rows.answers(value_queries(spec)))
    assert found is not None
    return {arm.arm: arm for arm in found.arms}


def frame_of(rows: Customers) -> pd.DataFrame:
    frame = pd.DataFrame(rows.columns).dropna()
    reached = np.where(frame.arm == "gig", frame.reached, 1.0)
    return frame.assign(cost=frame.arm.map(COSTS).to_numpy(float) * reached)


@pytest.mark.parametrize("arm", ["gig", "agent"])
def test_costs_per_customer_and_per_delivered_contact(arm: str) -> None:
    rows = strong(1)
    own = frame_of(rows).query("arm == @arm")
    found = valued(rows)[arm]
    assert found.cost_per_assigned == pytest.approx(own.cost.mean(), rel=NEAR)
    assert found.share_delivered == pytest.approx(own.reached.mean(), rel=NEAR)
    assert found.cost_per_delivered == pytest.approx(own.cost.sum() / own.reached.sum(), rel=NEAR)


def test_a_cost_that_is_paid_on_delivery_is_the_unit_cost_per_delivered_contact() -> None:
    assert valued(strong(2))["gig"].cost_per_delivered == pytest.approx(4.0, rel=NEAR)


@pytest.mark.parametrize("good", ["decrease", "increase"])
@pytest.mark.parametrize("arm", ["gig", "agent"])
def test_the_cost_of_one_is_the_set_that_a_grid_of_tests_leaves(good: str, arm: str) -> None:
    rows = strong(3, good=good)
    metrics = {"success": [{**CHURN, "desired_direction": good}], "secondary": [MARGIN]}
    found = valued(rows, metrics=metrics)[arm]
    told, frame = found.cost_per_event, frame_of(rows)
    one, two = frame[frame.arm == arm], frame[frame.arm == "none"]
    sign = 1.0 if good == "increase" else -1.0
    benefit = sign * (one.churned.mean() - two.churned.mean())
    assert told is not None
    assert told.point == pytest.approx((one.cost.mean() - two.cost.mean()) / benefit, rel=NEAR)
    bound = stats.t.ppf(0.975, stats.ttest_ind(one.churned, two.churned, equal_var=False).df)

    def t(value: float) -> float:
        sides = [side.cost - value * sign * side.churned for side in (one, two)]
        return float(abs(sides[0].mean() - sides[1].mean()) / sum(s.var(ddof=1) / len(s) for s in sides) ** 0.5)

    assert told.low is not None
    assert told.high is not None
    assert (t(told.low), t(told.high)) == pytest.approx((bound, bound), rel=1e-7)
    assert told.low < told.point < told.high
    assert (found.cost_per_event_metric, found.cost_per_event_reason) == ("churn", None)


def test_households_widen_the_cost_of_one() -> None:
    rows = strong(4)
    found = valued(rows, data={"randomization_unit": "household"})["gig"].cost_per_event
    frame = frame_of(rows).query("arm in ('gig', 'none')")
    treated = (frame.arm == "gig").to_numpy(float)
    design, contrast = np.column_stack([treated, 1 - treated]), np.array([1.0, -1.0])
    assert found is not None
    for end in (found.low, found.high):
        values = (frame.cost + float(end or 0) * frame.churned).to_numpy()
        fit = full_cr2(design, values, frame.household.to_numpy(), contrast)
        t = contrast @ fit.beta / np.sqrt(contrast @ fit.covariance @ contrast)
        assert abs(t) == pytest.approx(stats.t.ppf(0.975, fit.df), rel=1e-6)


def test_where_the_benefit_is_not_told_from_none_no_number_bounds_the_cost_of_one() -> None:
    rows = strong(5)
    flat = (np.random.default_rng(1).random(3000) < 0.3).astype(float)
    found = valued(Customers(columns={**rows.columns, "churned": flat}))["gig"]
    assert (found.cost_per_event, found.cost_per_event_reason) == (None, NOT_RELIABLE)
    harmed = valued(strong(5, good="increase"))["gig"]
    assert (harmed.cost_per_event, harmed.cost_per_event_reason) == (None, NOT_RELIABLE)


def test_rare_events_and_lone_households_say_why_not() -> None:
    rows = strong(6)
    rare = np.zeros(3000)
    rare[:30] = 1.0
    assert valued(Customers(columns={**rows.columns, "churned": rare}))["gig"].cost_per_event_reason == TOO_FEW
    house = np.where(rows.columns["arm"] == "gig", 1, rows.columns["household"] + 5)
    alone = Customers(columns={**rows.columns, "household": house})
    spec_rows = valued(alone, data={"randomization_unit": "household"})["gig"]
    assert spec_rows.status == "not_computed" or spec_rows.cost_per_event_reason == NO_SPREAD


@pytest.mark.parametrize(
    "keys",
    [
        {"data": {"weight": "w"}},
        {"metrics": {"success": [MARGIN], "secondary": [CHURN]}},
        {"arms": {**ARMS, "none": {"unit_cost": 90.0}}},
        {"arms": {"none": {}, "gig": {}, "agent": {}}},
    ],
    ids=["weights", "no share", "saves", "free"],
)
def test_where_no_customer_is_bought_there_is_neither_a_price_nor_a_reason(keys: dict[str, Any]) -> None:
    found = valued(strong(7), **keys)["gig"]
    assert found.status == "ok"
    assert (found.cost_per_event, found.cost_per_event_reason) == (None, None)
    free = keys.get("arms", {}).get("gig") == {}
    assert (found.cost_per_assigned is None) == free


def test_nobody_reached_costs_nothing_per_delivered_contact() -> None:
    rows = strong(8)
    nobody = Customers(columns={**rows.columns, "reached": np.zeros(3000)})
    found = valued(nobody)["gig"]
    assert (found.share_delivered, found.cost_per_delivered) == (0.0, None)
