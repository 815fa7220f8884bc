"""What a plan asks of whom to contact: its aims, costs, limits, rule in use and who may be contacted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxcausal.core.errors import PlanError
from cxcausal.core.held_out import SOME_ARM, Rules
from cxcausal.core.rows import ELIGIBLE, Rows
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.data import open_dataset
from cxcausal.data.kept import keep_units, kept_dataset, read_kept
from cxcausal.pipeline.score_road import BothRoads, wanted
from cxcausal.pipeline.whom import aims_of, eligible_of, noted, rules_of, spending_of, whom_of, withheld_whom
from tests.data.plans import plan, rows

DATA = {"source": "x.parquet", "unit": "customer_id"}
POLICY = {"current_rule": "was_called", "budget": 900.0, "eligible": "opted_out == 0", "protected": ["band"]}
ARMS = {
    "none": {"share": "1/2", "unit_cost": 1.0},
    "gig": {"share": "1/4", "unit_cost": 4.0, "cost_basis": "received", "capacity": 60},
    "agent": {"share": "1/4", "unit_cost": 9.0},
}
TREATMENT = {"column": "arm", "control": "none", "arms": ARMS, "received": "reached"}
PAID = [
    {
        "name": "churn",
        "type": "proportion",
        "column": "churned",
        "desired_direction": "decrease",
        "money": {"per_unit": 180},
    }
]


def spec_of(**changes: Any) -> ExperimentSpec:
    blocks: dict[str, Any] = {
        "policy": POLICY,
        "design": {"type": "randomized", "treatment": TREATMENT},
        "metrics": {"success": PAID},
        **changes,
    }
    return plan(blocks.pop("data", DATA), **blocks)


def rows_of(folder: Path, spec: ExperimentSpec) -> Rows:
    dice = np.random.default_rng(3)
    frame = rows(600).assign(
        opted_out=lambda f: np.where(f.age > 80, 1, 0),
        was_called=dice.integers(0, 2, 600),
        band=lambda f: np.where(f.age < 50, "younger", "older"),
        followed=lambda f: np.where(f.arm == "none", "none", "gig"),
        named=lambda f: np.where(f.age < 50, "agent", "none"),
    )
    frame.to_parquet(folder / "x.parquet")
    with open_dataset(spec, folder) as dataset:
        return dataset.rows(wanted(spec, ()))


def test_money_comes_first_and_then_the_first_success_metric() -> None:
    money, churn = aims_of(spec_of())
    assert (money.name, money.sign, money.costs, money.binary) == ("net_value", 1, True, False)
    assert (churn.name, churn.sign, churn.costs, churn.binary) == ("churn", -1, False, True)
    assert money.measure.terms == (("churned", -180.0),)
    unpaid = {name: value for name, value in PAID[0].items() if name != "money"}
    assert [aim.name for aim in aims_of(spec_of(metrics={"success": [unpaid]}))] == ["churn"]


def test_what_is_no_average_per_customer_is_no_aim() -> None:
    ratio = {"name": "aov", "type": "ratio", "numerator": "revenue", "denominator": "orders"}
    quantile = {"name": "p90", "type": "quantile", "column": "spend", "q": 0.9}
    metrics = {"success": [{**each, "desired_direction": "increase"} for each in (ratio, quantile)]}
    assert aims_of(spec_of(metrics=metrics)) == ()


def test_who_opted_out_may_not_be_contacted_nor_who_is_not_known(tmp_path: Path) -> None:
    spec = spec_of()
    found = rows_of(tmp_path, spec)
    ages = found.numbers["age"]
    assert np.array_equal(eligible_of(found), ages <= 80)
    unknown = rows(600).assign(opted_out=np.nan, was_called=1, band="b")
    unknown.loc[0, "opted_out"] = 0
    unknown.to_parquet(tmp_path / "x.parquet")
    with open_dataset(spec, tmp_path) as dataset:
        assert eligible_of(dataset.rows(wanted(spec, ()))).sum() == 1


def test_a_condition_that_compares_unlike_things_is_told_at_its_key(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"policy\.eligible D132"):
        rows_of(tmp_path, spec_of(policy={"eligible": "band == 0"}))


def test_kept_units_know_who_may_be_contacted(tmp_path: Path) -> None:
    spec = spec_of()
    before = rows_of(tmp_path, spec)
    with open_dataset(spec, tmp_path) as dataset:
        kept = keep_units(dataset, spec, tmp_path / "kept", b"k" * 32, 10_000)
        assert kept.path is not None
        again = kept_dataset(dataset.engine, read_kept(dataset.engine, "old", kept.path, spec), spec, "held")
        after = again.rows(wanted(spec, ()))
    assert after.numbers[ELIGIBLE].sum() == before.numbers[ELIGIBLE].sum()
    assert after.texts["was_called"].levels == before.texts["was_called"].levels


def test_costs_are_beyond_the_controls_and_limits_per_customer_who_may_be_contacted(tmp_path: Path) -> None:
    spec = spec_of()
    found = rows_of(tmp_path, spec)
    may = eligible_of(found)
    spending = spending_of(spec, found, may)
    reached = found.numbers["reached"][may & (found.arm == 1)].mean()
    assert spending.cost == pytest.approx([0.0, 4.0 * reached - 1.0, 8.0])
    assert spending.budget == pytest.approx(900 / may.sum())
    assert dict(spending.capacity) == pytest.approx({"gig": 60 / may.sum()})
    assert spending.priced


def test_without_costs_a_contact_counts_as_one_and_money_sets_no_limit(tmp_path: Path) -> None:
    arms = {arm: {"share": options["share"]} for arm, options in ARMS.items()}
    treatment = {**TREATMENT, "arms": arms}
    spec = spec_of(design={"type": "randomized", "treatment": treatment}, value={"population": 6_000})
    found = rows_of(tmp_path, spec)
    spending = spending_of(spec, found, eligible_of(found))
    assert (list(spending.cost), spending.budget, spending.priced) == ([0.0, 1.0, 1.0], None, False)


def test_a_rule_of_yes_and_no_means_some_arm_where_there_are_several(tmp_path: Path) -> None:
    spec = spec_of()
    found = rows_of(tmp_path, spec)
    rules = rules_of(spec, found, eligible_of(found))
    text = found.texts["was_called"]
    called = np.array([level == "1" for level in text.levels])[text.codes]
    assert rules.current is not None
    assert np.array_equal(rules.current, np.where(called, SOME_ARM, 0))
    two = replace(found, arms=found.arms[:2])
    pair = rules_of(spec, two, eligible_of(found)).current
    assert pair is not None
    assert set(pair.tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("column", "reason"), [("band", "neither 0 and 1 nor names"), ("followed", "depends on the arm")]
)
def test_a_rule_that_says_nothing_or_knows_the_coin_is_not_valued(tmp_path: Path, column: str, reason: str) -> None:
    spec = spec_of(policy={"current_rule": column, "protected": ["band"]})
    found = rows_of(tmp_path, spec)
    rules = rules_of(spec, found, eligible_of(found))
    assert rules.current is None
    assert reason in (rules.reason or "")


def test_a_rule_may_name_arms(tmp_path: Path) -> None:
    spec = spec_of(policy={"current_rule": "named"})
    found = rows_of(tmp_path, spec)
    current = rules_of(spec, found, eligible_of(found)).current
    assert current is not None
    assert np.array_equal(current, np.where(found.numbers["age"] < 50, 2, 0))


def test_what_is_withheld_says_why() -> None:
    found = withheld_whom(spec_of(), "a check failed").policy
    assert found is not None
    assert (found.status, found.reason, found.aim, found.unit) == ("not_computed", "a check failed", "net_value", "EUR")


def test_a_rule_that_is_silent_about_some_says_so(tmp_path: Path) -> None:
    spec = spec_of(policy={"current_rule": "named"})
    found = rows_of(tmp_path, spec)
    text = found.texts["named"]
    codes = text.codes.copy()
    codes[:150] = len(text.levels)
    gaps = replace(found, texts={**found.texts, "named": replace(text, codes=codes, levels=(*text.levels, ""))})
    result = withheld_whom(spec, "").policy
    assert result is not None
    for rows_, share in ((found, 0.0), (gaps, 0.25)):
        rules = rules_of(spec, rows_, eligible_of(rows_))
        assert rules.silent == share
        said = "says nothing about 25 %" in " ".join(noted(spec, rules, result).notes).replace("\xa0", " ")
        assert said == (share > 0)


def test_limits_and_deliveries_are_shares_of_the_population(tmp_path: Path) -> None:
    spec = spec_of(value={"population": 1000})
    found = rows_of(tmp_path, spec)
    eligible, weight = eligible_of(found), 1 + 4 * (found.numbers["reached"] == 1)
    share = np.average(eligible, weights=weight)
    spending = spending_of(spec, found, eligible, weight)
    assert spending.budget == pytest.approx(900 / (1000 * share))
    own = found.units_of("gig") & eligible
    reached = np.average(found.numbers["reached"][own], weights=weight[own])
    assert spending.cost[1] == pytest.approx(4 * reached - 1)


def test_deliveries_that_nobody_knows_are_paid_in_full(tmp_path: Path) -> None:
    spec = spec_of()
    found = rows_of(tmp_path, spec)
    unknown = replace(found, numbers={**found.numbers, "reached": np.full(found.n, np.nan)})
    assert spending_of(spec, unknown, eligible_of(found)).cost[1] == pytest.approx(4 - 1)


def test_too_few_groups_withhold_who_responds_and_nothing_else(tmp_path: Path) -> None:
    spec = spec_of(
        data={**DATA, "cluster": ["store"]},
        design={
            "type": "randomized",
            "treatment": {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}},
        },
        policy={},
        effect_modifiers=["age"],
    )
    some = rows(1600).assign(
        store=lambda f: np.arange(len(f)) % 4, arm=lambda f: np.where(f.arm == "none", "none", "gig")
    )
    some.to_parquet(tmp_path / "x.parquet")
    with open_dataset(spec, tmp_path) as dataset:
        found = whom_of(BothRoads(dataset=dataset, spec=spec).asked())
    assert found.policy is not None
    assert found.heterogeneity == ()
    assert (found.policy.status, found.policy.recommended) == ("not_computed", None)
    assert "too few groups" in (found.policy.reason or "")


def test_gains_of_others_than_the_effects_are_told_apart() -> None:
    treatment = {"column": "arm", "control": "none", "arms": {"none": {}, "gig": {}}}
    seen = {"type": "observational", "confounders": ["age"], "treatment": treatment}
    result = withheld_whom(spec_of(), "").policy
    assert result is not None
    rules = Rules(eligible=np.ones(2, dtype=bool))
    for design, estimand, said in ((seen, {}, True), (seen, {"contrast": "ate"}, False), (None, {}, False)):
        changes = {} if design is None else {"design": design, "estimand": estimand}
        notes = noted(spec_of(policy={"protected": ["band"]}, **changes), rules, result).notes
        assert any("whom the plan's effects are of" in note for note in notes) == said
