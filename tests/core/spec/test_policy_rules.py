"""What a plan may say about whom to contact, and what is noted where something of it will not be used."""

from collections.abc import Callable

import pytest

from cxcausal.core.adjusting import modifiers_of
from cxcausal.core.spec.resolve import Resolved

Load = Callable[..., Resolved]
Told = Callable[..., list[tuple[str, str]]]

PLAN = """schema_version: 1
id: x
question: Whom to call?
owner: me@example.com
data: {source: data/x.csv, unit: customer}
design:
  type: randomized
  treatment:
    column: took
    control: none
    arms: {none: {share: 1/2}, call: {share: 1/2, unit_cost: 3}}
covariates: [tier, age]
metrics:
  success: [{name: churn, type: proportion, column: churned, desired_direction: decrease}]
"""
ANSWERED = """schema_version: 1
id: x
question: Why?
owner: me@example.com
data: {source: data/x.csv, unit: customer}
design:
  type: randomized
  treatment: {column: took, control: 0, arms: {}, received: reached}
metrics:
  success: [{name: csat, type: mean, column: score, response: answered, desired_direction: increase}]
  secondary: [{name: worth, type: ratio, numerator: paid, denominator: orders, desired_direction: increase}]
"""
OBSERVED = PLAN.replace("type: randomized", "type: observational\n  confounders: [tier]")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("policy: {eligible: churned == 0}\n", "P310"),
        ('policy: {eligible: took == "call"}\n', "P311"),
        ("policy: {current_rule: took}\n", "P311"),
        ("policy: {current_rule: churned}\n", "P310"),
        ("policy: {protected: [churned]}\n", "P310"),
        ("policy: {protected: [age, age]}\n", "P314"),
        ("policy: {protected: [age]}\neffect_modifiers: [tier, age]\n", "P393"),
        ("effect_modifiers: [tier, customer]\n", "P394"),
        ("policy: {protected: [age, customer]}\n", "P395"),
    ],
)
def test_what_nobody_knows_or_may_look_at_makes_no_rule(told: Told, more: str, code: str) -> None:
    assert [found for found, _ in told(PLAN + more)] == [code]


def test_the_control_serves_whoever_is_left(told: Told) -> None:
    with_capacity = PLAN.replace("none: {share: 1/2}", "none: {share: 1/2, capacity: 50}")
    assert [found for found, _ in told(with_capacity)] == ["P396"]
    assert told(PLAN.replace("unit_cost: 3", "unit_cost: 3, capacity: 50")) == []


@pytest.mark.parametrize("policy", ["eligible: {} == 0", "current_rule: {}", "protected: [age, {}]"])
@pytest.mark.parametrize(
    ("name", "code"), [("took", "P311"), ("score", "P310"), ("answered", "P310"), ("paid", "P310"), ("reached", "P312")]
)
def test_a_policy_looks_at_nothing_that_comes_later(told: Told, policy: str, name: str, code: str) -> None:
    def codes(column: str) -> list[str]:
        return [found for found, _ in told(ANSWERED + "policy: {" + policy.format(column) + "}\n")]

    assert codes("tier") == []
    assert codes(name) == [code]


def test_where_nobody_tossed_a_coin_the_treatment_is_what_the_rule_in_use_did(told: Told) -> None:
    assert told(OBSERVED + "policy: {current_rule: took}\n") == []


def test_no_rule_looks_at_a_protected_column(load: Load) -> None:
    resolved = load(PLAN + "policy: {protected: [age]}\n")
    assert modifiers_of(resolved.spec) == ("tier",)
    assert any("'age', which is protected" in note for note in resolved.notes)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PLAN.replace("covariates: [tier, age]\n", ""), "add effect_modifiers"),
        (PLAN.replace("[tier, age]", "[age]"), "add effect_modifiers"),
        (PLAN.replace(", unit_cost: 3", ""), "no arm has a unit_cost"),
    ],
)
def test_what_will_not_be_used_is_noted_before_the_data(load: Load, plan: str, said: str) -> None:
    notes = load(plan + "policy: {budget: 9, protected: [age]}\n").notes
    assert any(said in note for note in notes)


def test_an_empty_policy_asks_as_well(load: Load) -> None:
    plan = PLAN.replace("covariates: [tier, age]\n", "")
    assert any("add effect_modifiers" in note for note in load(plan + "policy: {}\n").notes)


def test_a_plan_that_asks_nothing_is_told_nothing(load: Load) -> None:
    assert not [note for note in load(PLAN).notes if "contact" in note]


@pytest.mark.parametrize("policy", ["eligible: mood == 0", "current_rule: mood", "protected: [mood]"])
def test_a_policy_looks_at_no_drawn_consequence_of_the_treatment(told: Told, policy: str) -> None:
    drawn = OBSERVED.replace("confounders: [tier]", "confounders: [tier]\n  graph: graphs/g.dot")
    dot = "digraph { tier -> took; tier -> churned; took -> mood; mood -> churned; age -> churned }"
    assert [found for found, _ in told(drawn + f"policy: {{{policy}}}\n", {"graphs/g.dot": dot})] == ["P385"]
    assert told(drawn + "policy: {protected: [age]}\n", {"graphs/g.dot": dot}) == []


def test_a_roll_out_reaches_somebody(told: Told) -> None:
    assert [code for code, _ in told(f"{PLAN}value: {{population: 0}}\n")] == ["P204"]
    assert told(f"{PLAN}value: {{population: 1}}\n") == []
