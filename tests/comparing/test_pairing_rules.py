"""Whom to contact in two runs: told where it changed, in words, and part of the decision where it is acted on."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.results import RunResult
from cxcausal.reviewing.moving import flipped
from cxcausal.reviewing.pairing_rules import whom_pair
from tests.e2e.project import Project
from tests.report.worlds import outreach
from tests.report.worlds_whom import behind_a_gate, held, in_people, not_valued, pays, refused, waiting


def stored(result: RunResult) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(canonical_json(result.to_dict()))
    return read


def asked(result: RunResult) -> RunResult:
    return replace(result, plan={**result.plan, "policy": {"budget": 100}})


def test_another_recommended_rule_is_told_with_what_both_gain() -> None:
    pair = whom_pair(stored(pays()), stored(refused()))
    assert pair is not None
    assert pair.changed
    assert (pair.first.recommended, pair.second.recommended) == ("value", "best_arm")
    assert pair.sentence.startswith(
        "Whom to contact is another answer: “By predicted value” before, “The best single arm” now, gaining EUR 4,200 "
        "before and EUR 2,300 now per 1,000 customers against contacting nobody. A gain from targeting is no longer"
    )
    value = next(rule for rule in pair.rules if rule.name == "value")
    assert value.difference == pytest.approx(-1.8)
    assert value.low == pytest.approx(-1.8 - 1.959964 * 0.4 * 2**0.5)
    assert value.beyond
    (risk,) = (rule for rule in pair.rules if rule.name == "top_risk")
    assert (risk.difference, risk.reason) == (None, "the plan names no risk")


def test_the_same_rule_says_whether_its_gain_moved_by_more_than_chance() -> None:
    same = whom_pair(stored(pays()), stored(pays()))
    assert same is not None
    assert not same.changed
    assert same.sentence == (
        "Whom to contact is the same, gaining EUR 4,200 before and EUR 4,200 now per 1,000 customers against "
        "contacting nobody, which chance explains."
    )


def test_groups_that_only_one_run_finds_harmed_are_named_with_their_arm() -> None:
    policy = pays().policy
    assert policy is not None
    fewer = replace(pays(), policy=replace(policy, groups=policy.groups[1:]))
    pair, back = whom_pair(stored(pays()), stored(fewer)), whom_pair(stored(fewer), stored(pays()))
    assert pair is not None
    assert back is not None
    assert pair.no_longer_harmed == ("tier is premium (with “Bot message”)",)
    assert "No longer found to be harmed: tier is premium (with “Bot message”)." in pair.sentence
    assert "Newly found to be harmed: tier is premium (with “Bot message”)." in back.sentence


def test_rules_of_another_aim_have_no_difference() -> None:
    pair = whom_pair(stored(pays()), stored(in_people()))
    assert pair is not None
    assert {rule.difference for rule in pair.rules} == {None}
    assert "gaining" not in pair.sentence


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (behind_a_gate(), "withheld with the verdict"),
        (waiting(), "nothing is told before the experiment may be read"),
        (not_valued(), "too few customers for turns"),
        (outreach(), "the run was not asked"),
    ],
)
def test_nothing_is_told_of_a_run_that_withholds_it(result: RunResult, why: str) -> None:
    pair = whom_pair(stored(result), stored(pays()))
    assert pair is not None
    assert pair.first.reason == why
    assert not pair.changed
    assert pair.first.recommended is None
    assert pair.sentence == f"Whom to contact is told by one run alone, this one; of the other: {why}."
    assert {rule.first.point for rule in pair.rules} == {None}
    assert whom_pair(stored(outreach()), stored(outreach())) is None


def test_another_rule_is_another_decision_where_the_plan_asks_and_the_verdict_lets_an_arm_go_ahead() -> None:
    pair = whom_pair(stored(pays()), stored(refused()))
    now = asked(refused())
    assert flipped("ship", "gig", now, pair)
    assert not flipped("ship", "gig", now, whom_pair(stored(pays()), stored(pays())))
    assert not flipped("ship", "gig", replace(now, plan={**now.plan, "policy": None}), pair)
    hold = asked(replace(refused(), verdict="hold"))
    assert not flipped("hold", "gig", hold, whom_pair(stored(held()), stored(hold)))
    assert flipped("ship", "gig", hold, pair)


def customers(n: int, *, spared: bool, seed: int) -> pd.DataFrame:
    """Return customers of whom those under sixty are kept by a call; others leave for it, unless spared."""
    rng = np.random.default_rng(seed)
    age, call = rng.uniform(20, 100, n), rng.integers(0, 2, n)
    effect = np.where(age < 60, -0.25, -0.25 if spared else 0.12)
    churned = rng.uniform(size=n) < 0.4 + call * effect
    return pd.DataFrame(
        {
            "customer_id": [f"c{seed}-{at}" for at in range(n)],
            "arm": np.where(call == 1, "call", "none"),
            "age": age,
            "churned": churned.astype(int),
        }
    )


def test_a_rerun_with_another_rule_exits_with_8_and_says_so(project: Project) -> None:
    plan = project.plan(
        policy={"eligible": "age >= 0"}, effect_modifiers=["age"], estimation={"nuisance": {"outcome": "linear"}}
    )
    project.data(customers(3000, spared=False, seed=1))
    first = project.cx("run", plan, "--json")
    assert first.code == 0, first.err
    project.data(customers(3000, spared=True, seed=2))
    again = project.cx("rerun", "callback")
    assert again.code == 8, again.out + again.err
    assert "Whom to contact is another answer: “By predicted value” before, “The best single arm" in again.out
    compared = project.cx("compare", "callback")
    assert "rule: gain per customer" in compared.out
    assert "A gain from targeting is no longer shown." in compared.out
    page = project.root / "compared.html"
    assert project.cx("compare", "callback", "--html", str(page)).code == 0
    assert "What rules gain" in page.read_text(encoding="utf-8")
    report = (project.root / "reports" / "callback").glob("*/index.html")
    told = r"by another rule for whom to contact.*Whom to contact is another"
    assert any(re.search(told, page.read_text(encoding="utf-8"), re.DOTALL) for page in report)
