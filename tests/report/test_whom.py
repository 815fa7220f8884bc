"""Whom to contact on page one and on the terminal: claimed only where shown, refused in plain words, withheld whole."""

import json
from copy import deepcopy
from dataclasses import replace

import pytest

from cxcausal.core.canonical import canonical_json
from cxcausal.core.results import RunResult
from cxcausal.core.stored import record_from
from cxcausal.core.whom import Moment, PolicyResult
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from cxcausal.report.gains import in_money
from cxcausal.report.sentences.briefly import caveat_texts
from cxcausal.report.sentences.harm import harmed_by_prediction
from cxcausal.report.sentences.targeting import claim_sentence, protected_sentences
from cxcausal.report.text import plain
from tests.report import worlds
from tests.report.reader import read
from tests.report.test_honesty import table, words
from tests.report.worlds_whom import (
    GROUPS,
    PROTECTED,
    WHOM,
    behind_a_gate,
    in_people,
    loses,
    moments,
    nobody,
    observed,
    pays,
    readable,
    refused,
    told,
    waiting,
)


def page(result: RunResult) -> str:
    return render_report(result, ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")


def page_one(result: RunResult) -> str:
    return " ".join("".join(read(page(result)).page_one).split())


def policy_of(result: RunResult) -> PolicyResult:
    assert result.policy is not None
    return result.policy


def with_policy(result: RunResult, **change: object) -> RunResult:
    return replace(result, policy=replace(policy_of(result), **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", WHOM)
def test_what_is_stored_is_read_as_it_was(name: str) -> None:
    result = WHOM[name]()
    stored = json.loads(canonical_json(result.to_dict()))
    again = record_from(RunResult, stored)
    assert again.policy == result.policy
    assert again.heterogeneity == result.heterogeneity


def test_results_of_before_there_were_policies_are_still_read() -> None:
    old = json.loads(canonical_json(worlds.outreach().to_dict()))
    del old["heterogeneity"]
    old["policy"] = None
    again = record_from(RunResult, old)
    assert again.policy is None
    assert again.heterogeneity == ()
    assert "this run valued none" in words(page(again))


def test_a_gain_is_claimed_only_where_the_result_says_so() -> None:
    assert "more than giving everybody “Customer expert calls”" in plain(claim_sentence(Facts(pays())) or ())
    flat = with_policy(pays(), targeting=False)
    assert "is not shown to gain more than" in plain(claim_sentence(Facts(flat)) or ())
    assert "is not shown to gain more than giving everybody “Customer expert calls”" in page_one(refused())


def test_a_rule_that_loses_is_said_to_lose_against_as_many_by_lot() -> None:
    said = plain(claim_sentence(Facts(loses())) or ())
    assert "gains less than giving “Customer expert calls” by lot to as many as budget and capacity allow" in said


def test_readable_rules_stand_on_page_one_and_an_arm_that_stops_is_not_passed_over() -> None:
    said = page_one(readable())
    assert "contacting by a few readable rules gains EUR 1,200" in said
    assert "“Agent calls” where intent is billing or complaint and tier is not basic (21 %)" in said
    assert "The recommended rule contacts with “Agent calls”, whose verdict for everybody is STOP: A guardrail" in said
    assert "whose verdict for everybody is STOP" not in page_one(pays())
    assert "Beyond a budget of EUR 1.87 per customer" in page_one(pays())


def test_contacting_nobody_is_recommended_with_what_the_best_arm_could_gain() -> None:
    said = page_one(nobody())
    assert "Giving everybody “Customer expert calls” is not shown to gain anything (from EUR −600 to +1,000" in said
    policy = policy_of(nobody())
    none = tuple(replace(rule, share={"gig": 0.0}) if rule.name == "best_arm" else rule for rule in policy.policies)
    assert "No arm seems to gain anything" in page_one(with_policy(nobody(), policies=none))


def test_no_sign_of_a_claim_is_lost_by_an_arm_that_turns_disagree_about() -> None:
    policy = policy_of(refused())
    mixed = tuple(
        replace(rule, share={"gig": 0.6, "agent": 0.4}) if rule.name == "best_arm" else rule for rule in policy.policies
    )
    said = plain(claim_sentence(Facts(with_policy(refused(), policies=mixed))) or ())
    assert "giving everybody the best single arm" in said


@pytest.mark.parametrize("build", [behind_a_gate, waiting])
def test_everything_is_withheld_with_the_verdict(build: object) -> None:
    result = behind_a_gate() if build is behind_a_gate else waiting()
    before = page(result).partition('class="appendix"')[0]
    assert ("policy.policies" in page(result)) is result.verdict.startswith("no_")
    assert "policy." not in before.split("</style>")[1]
    assert "heterogeneity." not in before.split("</style>")[1]
    assert not [text for text in caveat_texts(result) if "prediction" in text or "predicted" in text]


def test_the_map_names_the_best_arm_in_words_and_says_where_nothing_is_reliable() -> None:
    head, *rows = table(page(pays()), "moments-map")
    assert head == ["intent", "basic", "plus", "premium"]
    assert rows[0][:3] == [
        "billing",
        "“Customer expert calls” +2.80 (+1.23 to +4.37)",
        "“Agent calls” +7.40 (+4.26 to +10.54)",
    ]
    assert rows[0][3].startswith("no reliable difference; “Agent calls” +0.40 (−3.72 to +4.52)")
    assert rows[2][1].startswith("“Business as usual”: all else loses")
    assert rows[3][3] == "– nobody"
    assert rows[4][1] == "too few customers to tell"
    assert "after contact costs" in words(page(pays()).split('id="moments-map-caption">')[1].split("</caption>")[0])


def test_one_segment_makes_a_list_and_of_many_rows_only_what_is_reliable_is_shown() -> None:
    cells = tuple(
        Moment(row=f"branch {at}", column="", n=400, arm="gig" if at == 7 else None, gains={"gig": told(9.0, 2.0)})
        for at in range(40)
    )
    single = replace(moments(), rows="branch", columns="", cells=cells)
    head, *rows = table(page(with_policy(pays(), moments=single)), "moments-map")
    assert head == ["branch", "Best arm, and its gain"]
    assert [row[0] for row in rows] == ["branch 7"]
    assert "Everywhere else no arm makes a reliable difference" in page_one(with_policy(pays(), moments=single))


def test_the_harmed_are_named_once_and_what_the_data_found_is_said_to_be_found() -> None:
    twice = (replace(GROUPS[0], arm="gig"), *GROUPS[1:])
    said = page_one(with_policy(pays(), groups=twice))
    assert said.count("Harmed: tier is premium") == 1
    assert "The data named this group, not the plan." in said
    assert "tier: premium" not in said
    assert "Harmed: tier is premium (20 % of these customers) with “Bot message”" in page_one(pays())
    assert "basic" not in said.partition("The best arm by")[0].rpartition("Harmed:")[2]


def test_a_loss_no_larger_than_the_cost_of_contact_is_no_harm() -> None:
    """“Bot message” costs 0.10, and “Customer expert calls” 4.00: what lies above minus that may be the cost alone."""
    lines = [plain(line) for line in harmed_by_prediction(Facts(pays()), frozenset())]
    assert [line.partition(":")[0] for line in lines] == ["Harmed", "Loses money"]
    deep = (*GROUPS[:1], *(replace(one, gain=told(-9.0, 1.0)) for one in GROUPS[1:] if one.harmed))
    lines = [plain(line) for line in harmed_by_prediction(Facts(with_policy(pays(), groups=deep)), frozenset())]
    assert [line.partition(":")[0] for line in lines] == ["Harmed", "Harmed"]


def test_a_group_that_several_arms_harm_is_one_line() -> None:
    both = (*GROUPS, replace(GROUPS[0], arm="agent", gain=told(-5.0, 1.0)))
    lines = [plain(line) for line in harmed_by_prediction(Facts(with_policy(pays(), groups=both)), frozenset())]
    assert len(lines) == 2
    assert "with “Bot message”: EUR" in lines[0]
    assert "with “Agent calls”: EUR" in lines[0]


def test_protected_groups_have_a_line_only_where_they_are_contacted_differently() -> None:
    (line,) = protected_sentences(Facts(pays()))
    assert "“age_band”: 78\N{NO-BREAK SPACE}% of “65+”, 44\N{NO-BREAK SPACE}% of “18-34”" in plain(line)
    assert "does not contact all alike" in plain(line)
    close = tuple(replace(one, contacted=0.7 + 0.02 * at) for at, one in enumerate(PROTECTED[:3]))
    (line,) = protected_sentences(Facts(with_policy(pays(), protected=close)))
    assert plain(line).startswith("The recommended rule contacts about alike by “age_band”: 74")
    alike = tuple(one for one in PROTECTED if one.column == "region")
    assert list(protected_sentences(Facts(with_policy(pays(), protected=alike)))) == []


def test_the_terminal_has_one_line_about_targeting_and_one_where_the_verdict_needs_it() -> None:
    *_, claim, apart = caveat_texts(refused())
    assert [text for text in caveat_texts(refused()) if "by prediction" in text] == [claim]
    assert apart.startswith("Verdict and rule both say")
    assert "by prediction" in caveat_texts(with_policy(refused(), groups=()))[-1]
    assert not [text for text in caveat_texts(worlds.outreach()) if "prediction" in text]


def test_gains_in_customers_say_which_way_is_better() -> None:
    assert "In “Customers who leave within 90 days”, of which fewer is better" in page_one(in_people())


def test_a_comparison_without_a_coin_says_that_it_is_no_test() -> None:
    assert "by comparing similar ones: it was not a randomised test" in " ".join(page_one(observed()).split())


def test_who_stops_reading_at_the_answer_learns_that_choosing_pays_and_whom_an_arm_loses_money_on() -> None:
    answer = page_one(pays()).partition("What changed for")[0]
    assert "that gains EUR 1,900 per 1,000 customers more than “Customer expert calls” for everybody" in answer
    assert "reliably harms: tier is premium (20 % of these customers); and it reliably loses money on: ten" in answer
    flat = page_one(with_policy(pays(), targeting=False)).partition("What changed for")[0]
    assert "more than “Customer expert calls” for everybody" not in flat
    assert "gains EUR 4,200 per 1,000 customers more than no contact" in flat


def test_where_effects_are_of_some_gains_are_said_to_be_of_all_who_may_be_contacted() -> None:
    line = "gain is of all customers who may be contacted, and not only of those for whom"
    assert line in page_one(observed())
    assert line not in page_one(pays())


def test_budgets_are_contacts_where_the_resolved_plan_says_that_every_arm_costs_nothing() -> None:
    result = with_policy(pays(), priced=False)
    design = deepcopy(result.plan["design"])
    for arm in design["treatment"]["arms"].values():
        arm["unit_cost"] = 0.0
    free = replace(result, plan={**result.plan, "design": design})
    assert (in_money(Facts(result)), in_money(Facts(free))) == (True, False)
