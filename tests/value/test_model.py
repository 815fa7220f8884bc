"""Money against a twin on raw rows, its identities, and what is left out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxcausal.core.errors import PlanError
from cxcausal.core.results import ArmValue, Range, ValueResult
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.value.model import value_of, value_queries
from tests.twins import full_cr2
from tests.value.worlds import CHURN, MARGIN, MODEL, Customers, customers, plan

NEAR = 1e-9
SEEDS = range(5)


def valued(spec: ExperimentSpec, rows: Customers) -> ValueResult:
    found = value_of(spec, rows.answers(value_queries(spec)))
    assert found is not None
    return found


def of(found: ValueResult, arm: str = "gig") -> ArmValue:
    return next(value for value in found.arms if value.arm == arm)


def twin(rows: Customers, retained: float = 240.0) -> pd.DataFrame:
    """Return complete customers with their net amount, from the plan's words."""
    frame = pd.DataFrame(rows.columns)
    frame["cost"] = frame["arm"].map({"none": 0.3, "gig": 0.0, "agent": 6.4})
    frame.loc[frame["arm"] == "gig", "cost"] = 4.0 * frame["reached"]
    frame["net"] = 0.5 * frame["margin"] - retained * frame["churned"] - frame["cost"]
    return frame.dropna()


def same(found: Range, point: float, low: float, high: float) -> None:
    assert (found.point, found.low, found.high) == pytest.approx((point, low, high), rel=NEAR, abs=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("arm", ["gig", "agent"])
@pytest.mark.parametrize(("level", "retained"), [("low", 180.0), ("central", 240.0), ("high", 310.0)])
def test_net_value_is_welchs_difference_of_one_amount_per_customer(
    seed: int, arm: str, level: str, retained: float
) -> None:
    rows = customers(seed)
    frame = twin(rows, retained)
    one, two = (frame.loc[frame["arm"] == name, "net"].to_numpy() for name in (arm, "none"))
    welch = stats.ttest_ind(one, two, equal_var=False)
    limits = welch.confidence_interval(0.95)
    value = of(valued(plan(), rows), arm)
    same(value.net_per_customer[level], one.mean() - two.mean(), limits.low, limits.high)
    same(
        value.net_total[level],
        len(one) * (one.mean() - two.mean()),
        len(one) * limits.low,
        len(one) * limits.high,
    )
    assert value.n_treated == len(one)


@pytest.mark.parametrize("seed", SEEDS)
def test_clustered_net_value_is_cr2_of_the_same_amount(seed: int) -> None:
    rows = customers(seed, n=180)
    frame = twin(rows)
    frame = frame[frame["arm"].isin(["gig", "none"])]
    treated = np.where(frame["arm"] == "gig", 1.0, 0.0)
    design = np.column_stack([np.ones_like(treated), treated])
    fit = full_cr2(
        design, frame["net"].to_numpy(dtype=float), frame["household"].to_numpy(dtype=float), np.array([0.0, 1.0])
    )
    half = stats.t.ppf(0.95, fit.df) * np.sqrt(fit.covariance[1, 1])
    spec = plan(data={"randomization_unit": "household"}, analysis={"alpha": 0.1})
    found = valued(spec, rows)
    same(of(found).net_per_customer["central"], fit.beta[1], fit.beta[1] - half, fit.beta[1] + half)
    assert found.level == 0.9


def test_several_clusters_add_and_subtract_their_variances() -> None:
    rows = customers(3, n=240)
    agent = np.random.default_rng(3).integers(0, 25, 240)
    rows.columns["agent"] = agent
    frame = twin(rows)
    frame = frame[frame["arm"].isin(["gig", "none"])]
    treated = np.where(frame["arm"] == "gig", 1.0, 0.0)
    design = np.column_stack([np.ones_like(treated), treated])
    names = {
        "household": frame["household"].to_numpy(dtype=float),
        "agent": frame["agent"].to_numpy(dtype=float),
        "both": frame["household"].to_numpy(dtype=float) * 1000 + frame["agent"].to_numpy(dtype=float),
    }
    contrast = np.array([0.0, 1.0])
    fits = {
        name: full_cr2(design, frame["net"].to_numpy(dtype=float), cluster, contrast) for name, cluster in names.items()
    }
    variance = sum((-1 if name == "both" else 1) * fit.covariance[1, 1] for name, fit in fits.items())
    df = min(fits["household"].df, fits["agent"].df)
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    point = fits["both"].beta[1]
    value = of(valued(plan(data={"cluster": ["household", "agent"]}), rows))
    same(value.net_per_customer["central"], point, point - half, point + half)


def test_weights_weigh_every_part() -> None:
    rows = customers(7)
    frame = twin(rows)
    means = {arm: np.average(own["net"], weights=own["w"]) for arm, own in frame.groupby("arm")}
    value = of(valued(plan(data={"weight": "w"}), rows))
    assert value.net_per_customer["central"].point == pytest.approx(means["gig"] - means["none"], rel=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_bars_sum_to_the_net_value_exactly_and_are_the_metrics_worth(seed: int) -> None:
    rows = customers(seed)
    means = twin(rows).groupby("arm")[["churned", "margin", "cost"]].mean()
    gap = means.loc["gig"] - means.loc["none"]
    value = of(valued(plan(), rows))
    assert [(part.name, part.label) for part in value.parts] == [
        ("churn", "Leavers"),
        ("margin", "margin"),
        ("contact_cost", "Contact cost"),
    ]
    assert [part.per_customer for part in value.parts] == pytest.approx(
        [-240 * gap["churned"], 0.5 * gap["margin"], -gap["cost"]], rel=NEAR
    )
    assert sum(part.per_customer for part in value.parts) == value.net_per_customer["central"].point
    assert value.cost_per_customer == pytest.approx(gap["cost"], rel=NEAR)
    assert value.roi == pytest.approx(value.net_per_customer["central"].point / gap["cost"], rel=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_break_even_solves_to_zero(seed: int) -> None:
    rows = customers(seed)
    value = of(valued(plan(), rows), "agent")
    assert value.break_even_metric == "churn"
    assert value.break_even is not None
    others = sum(part.per_customer for part in value.parts[1:])
    assert 240 * value.break_even + others == pytest.approx(0.0, abs=1e-10)


def test_break_even_is_a_benefit_whatever_the_direction() -> None:
    arms = {"none": {}, "gig": {"unit_cost": 6.0}}
    for metric, rows in ((CHURN, customers(3)), ({**MARGIN, "money": {"per_unit": 240}}, customers(3))):
        value = of(valued(plan(arms, metrics={"success": [metric]}), rows))
        assert value.break_even == pytest.approx(6.0 / 240, rel=NEAR)


def test_break_even_needs_a_worth() -> None:
    free = plan(metrics={"success": [{**MARGIN, "money": {"per_unit": 0}}]})
    assert of(valued(free, customers(1))).break_even is None


def test_received_cost_counts_deliveries_and_assigned_cost_everybody() -> None:
    rows = customers(2)
    reached = twin(rows).query("arm == 'gig'")["reached"].mean()
    assert of(valued(plan(), rows)).cost_per_customer == pytest.approx(4 * reached - 0.3, rel=NEAR)
    assert of(valued(plan(), rows), "agent").cost_per_customer == pytest.approx(6.4 - 0.3, rel=NEAR)


def test_without_costs_there_is_no_bar_and_no_return() -> None:
    value = of(valued(plan({"none": {}, "gig": {}}), customers(2)))
    assert [part.name for part in value.parts] == ["churn", "margin"]
    assert (value.cost_per_customer, value.roi) == (0.0, None)


def test_a_cost_of_cents_has_a_return() -> None:
    value = of(valued(plan({"none": {}, "gig": {"unit_cost": 0.05}}), customers(2)))
    assert value.roi == pytest.approx(value.net_per_customer["central"].point / 0.05, rel=NEAR)


def test_a_cheaper_arm_has_no_return_on_its_cost() -> None:
    value = of(valued(plan({"none": {"unit_cost": 5.0}, "gig": {"unit_cost": 1.0}}), customers(2)))
    assert value.cost_per_customer == pytest.approx(-4.0)
    assert value.roi is None


@pytest.mark.parametrize(
    ("population", "arm", "customers_treated", "limited"),
    [(184000, "gig", 900, True), (900, "gig", 900, False), (500, "gig", 500, False), (184000, "agent", 90000, True)],
)
def test_rollout_is_limited_by_capacity_and_pays_the_fixed_cost_once(
    population: int,
    arm: str,
    customers_treated: int,
    limited: bool,  # noqa: FBT001 - a table's column
) -> None:
    found = valued(plan(value={"population": population, "fixed_cost": 1000}), customers(1))
    value = of(found, arm)
    net = value.net_per_customer["central"]
    assert (value.rollout_customers, value.rollout_limited) == (customers_treated, limited)
    assert value.rollout is not None
    assert net.low is not None
    assert net.high is not None
    same(value.rollout, *(bound * customers_treated - 1000 for bound in (net.point, net.low, net.high)))
    assert found.notes == (
        "The roll-out figure takes its customers to be like those in the test.",
        "The roll-out figure has the one-off cost of EUR 1,000 taken off.",
    )


def test_without_a_population_there_is_no_rollout() -> None:
    found = valued(plan(), customers(1))
    assert (of(found).rollout, of(found).rollout_customers, found.notes) == (None, None, ())
    fixed = valued(plan(value={"fixed_cost": 1000}), customers(1))
    assert fixed.arms == found.arms
    assert fixed.notes == (
        "The one-off cost of EUR 1,000 is in no figure, because the plan names no population for a roll-out.",
    )


def test_without_money_there_is_no_value() -> None:
    spec = plan(metrics={"success": [{**CHURN, "money": None}]})
    assert value_queries(spec) == ()
    assert value_of(spec, {}) is None


def metric(**keys: Any) -> dict[str, Any]:
    return {"desired_direction": "increase", "money": {"per_unit": 1}, **keys}


def test_what_can_not_be_counted_is_named() -> None:
    more = [
        metric(name="aov", type="ratio", numerator="margin", denominator="w"),
        metric(name="csat", label="Satisfaction", type="ordinal", column="w"),
        metric(name="fcr", type="proportion", column="reached", response="w"),
        metric(name="stay", type="proportion", column="churned"),
    ]
    found = valued(plan(metrics={"success": [CHURN], "secondary": [MARGIN, *more]}), customers(1))
    assert found.notes == (
        "Not in the money: 'aov', because a metric of type ratio has no amount per customer.",
        "Not in the money: 'Satisfaction', because a metric of type ordinal has no amount per customer.",
        "Not in the money: 'fcr', because it is known only for those who respond.",
        "Not in the money: 'stay', because its column already counts through 'Leavers'.",
    )
    assert found.arms == valued(plan(), customers(1)).arms


def test_money_on_nothing_countable_is_not_computed() -> None:
    spec = plan(metrics={"success": [metric(name="aov", type="ratio", numerator="margin", denominator="w")]})
    found = value_of(spec, {})
    assert found is not None
    assert value_queries(spec) == ()
    assert {(value.status, value.reason) for value in found.arms} == {
        ("not_computed", "none of the metrics with money has an amount per customer")
    }


def test_an_empty_arm_is_not_computed() -> None:
    rows = customers(1)
    kept = rows.columns["arm"] != "agent"
    found = valued(plan(), Customers(columns={name: column[kept] for name, column in rows.columns.items()}))
    assert of(found).status == "ok"
    assert of(found, "agent").reason == ("fewer than 2 customers of the arm 'agent' have all outcomes that carry money")


def test_two_customers_are_the_fewest() -> None:
    rows = customers(1)
    complete = ~np.isnan(rows.columns["margin"] + rows.columns["churned"])
    gig = np.flatnonzero((rows.columns["arm"] == "gig") & complete)
    for few, status in ((1, "not_computed"), (2, "ok")):
        kept = np.isin(np.arange(len(complete)), gig[:few]) | (rows.columns["arm"] != "gig")
        found = valued(plan(), Customers(columns={name: column[kept] for name, column in rows.columns.items()}))
        assert (of(found).status, of(found).n_treated) == (status, few)


def test_a_single_cluster_is_not_computed() -> None:
    rows = customers(1, n=90)
    rows.columns["household"] = np.where(rows.columns["arm"] == "gig", 0, rows.columns["household"] + 1)
    found = valued(plan(data={"cluster": "household"}), rows)
    assert of(found).reason == "an arm has fewer than two clusters, so their spread is unknown"


def test_amounts_that_do_not_vary_are_not_computed() -> None:
    rows = customers(1)
    rows.columns["margin"] = np.ones_like(rows.columns["margin"])
    spec = plan({"none": {}, "gig": {"unit_cost": 2.0}}, metrics={"success": [MARGIN]})
    assert of(valued(spec, rows)).reason == "the amounts do not vary between customers"
    rows.columns["margin"] = np.zeros_like(rows.columns["margin"])
    free = plan({"none": {}, "gig": {}}, metrics={"success": [MARGIN]})
    assert of(valued(free, rows)).reason == "the amounts do not vary between customers"


def test_assumptions_say_what_they_rest_on() -> None:
    found = valued(plan(), customers(1))
    assert [(one.metric, one.name, one.low, one.central, one.high, one.basis) for one in found.assumptions] == [
        ("churn", "retained", 180.0, 240.0, 310.0, "margin of a year"),
        ("margin", "per_unit", 0.5, 0.5, 0.5, "a number in the plan"),
    ]
    assert (found.approved_by, found.approved_on) == ("finance@example.com", "2026-10-01")
    assert not found.example_assumptions
    own = valued(plan(value={"approved_by": "cfo@example.com"}, value_model={**MODEL, "example": True}), customers(1))
    assert (own.approved_by, own.example_assumptions) == ("cfo@example.com", True)


def test_numbers_in_the_plan_are_the_same_at_every_level() -> None:
    value = of(valued(plan(metrics={"success": [MARGIN]}, value_model=None), customers(4)))
    low, central, high = (value.net_per_customer[level] for level in ("low", "central", "high"))
    assert low == central == high


def test_an_unknown_worth_is_a_plan_error() -> None:
    spec = plan(metrics={"success": [{**CHURN, "money": {"per_unit": "keeper"}}]})
    with pytest.raises(PlanError, match="has no 'keeper' — use one of retained, or a number"):
        value_queries(spec)
