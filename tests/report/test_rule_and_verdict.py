"""The verdict of an arm and the rule for whom to contact: neither may be read without what it makes of the other."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from cxcausal.core.results import RunResult
from cxcausal.core.whom import Told
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.briefly import caveat_texts
from cxcausal.report.sentences.rule_and_verdict import apart_sentence, whom_terms
from cxcausal.report.sentences.whom_briefly import whom_in_answer
from cxcausal.report.text import on_terminal
from tests.report import worlds
from tests.report.reader import read
from tests.report.worlds_whom import (
    WHOM,
    behind_a_gate,
    harmful,
    held,
    in_use,
    left_out,
    loses,
    nobody,
    not_valued,
    observed,
    of_another_arm,
    pays,
    readable,
    refused,
    stopped,
    stopped_though_it_pays,
    within_budget,
)

_GO = {"ship", "ship_with_monitoring", "pilot"}
_GOING = r"[Gg]o ahead with|Not everybody, but|Keep the rule|In the pilot, try|rule both say “|say the same: “"
Build = Callable[[], RunResult]


def terms(result: RunResult) -> dict[str, str]:
    return {on_terminal(term): on_terminal(words) for term, words in whom_terms(Facts(result))}


def without_groups(result: RunResult) -> RunResult:
    assert result.policy is not None
    return replace(result, policy=replace(result.policy, groups=()))


def decision(result: RunResult) -> str:
    page = " ".join("".join(read(render_report(result, ledger_head=None)).page_one).split())
    return page.replace("\N{NO-BREAK SPACE}", " ").rpartition("Decision asked")[2]


def test_the_decision_asks_about_the_rule_as_well_as_the_arm() -> None:
    told = decision(pays())
    assert "Not everybody, but by a rule. In net value after contact costs, contacting those whose predicted" in told
    assert "gains EUR 1,900 per 1,000 customers more than giving everybody “Customer expert calls”" in told
    assert "(range: +3,400 to +5,000) against contacting nobody; it contacts 41 % with “Customer expert calls”" in told
    assert "but only for whom the rule gives it (41 % of customers)" in told
    assert "Whom to contact" not in decision(worlds.outreach())
    assert "Whom to contact" not in decision(behind_a_gate())


def test_no_gain_from_targeting_is_said_where_the_decision_is_asked() -> None:
    told = terms(refused())["Whom to contact"]
    assert told.startswith("No reliable gain from targeting.")
    assert "the difference could be from EUR −900 to +1,100" in told
    assert "gains EUR 2,300 per 1,000 customers (range: +1,500 to +3,100) against contacting nobody" in told
    same = "Verdict and rule say the same: “Customer expert calls” for everybody who may be contacted"
    assert terms(without_groups(refused()))["Arm and rule"].startswith(same)
    assert apart_sentence(Facts(without_groups(refused()))) is None
    assert "the groups that it reliably harms is a decision of its own" in terms(refused())["Arm and rule"]
    assert terms(not_valued()) == {
        "Whom to contact": "Not known: too few customers for turns. The decision is of the arm alone."
    }


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (held, "The verdict decides: “Customer expert calls” is on hold, and no rule goes live."),
        (stopped, "The verdict decides: stop “Customer expert calls” for everybody. The rule gains because it does"),
        (harmful, "and by rule as well: whether the harm spares those whom the rule contacts was not tested."),
        (stopped_though_it_pays, "gains in net value does not settle the reason above."),
        (nobody, "there no arm is shown to gain: that is less to go by, not a stop."),
        (of_another_arm, "but the rule gives it to nobody. The verdict decides what may go ahead: test the rule"),
        (readable, "with “Agent calls”, which is to be stopped because it harms: leave it out;"),
        (within_budget, "is shown to gain more than as many contacts by lot."),
    ],
)
def test_where_one_alone_would_mislead_answer_decision_and_terminal_explain(build: Build, said: str) -> None:
    result = build()
    assert said in terms(result)["Arm and rule"]
    assert said in caveat_texts(result)[-1]


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (
            pays,
            (
                "Contact by a rule, not all customers: 41 % with “Customer expert calls”, and in a pilot at most 19 % "
                "with “Agent calls”. In net value after contact costs, that gains EUR 1,900 per 1,000 customers more "
                "than “Customer expert calls” for everybody (range: +900 to +2,900). Not everybody gains: “Customer "
                "expert calls” reliably harms: tier is premium (20 % of these customers); and it reliably loses money"
            ),
        ),
        (within_budget, "more than “Customer expert calls” by lot (range: +600 to +2,200)."),
        (refused, "“Customer expert calls” for everybody: no rule is shown to gain more."),
        (loses, "“Customer expert calls” by lot, as far as budget and capacity go: no rule is shown to gain more."),
        (nobody, "The verdict is for “Customer expert calls”, though no arm is shown to gain where rules were judged."),
        (of_another_arm, "but the rule gives it to nobody: test the rule before it is used."),
        (in_use, "Keep the rule in use, which contacts 33 % with “Customer expert calls”."),
        (observed, "In the pilot, contact by a rule, not all customers: 60 % with “Handed over to a person”."),
        (observed, "that seems to gain EUR 1,900 per 1,000 customers more than"),
        (held, "Contact nobody outside a test while the verdict is HOLD, though a rule that leaves some out gains."),
        (stopped, "Contact nobody outside a test while the verdict is STOP, though a rule that leaves some out gains."),
        (stopped_though_it_pays, "while the verdict is STOP, though one arm gains for everybody."),
        (readable, "Don't use the rule as it is: it gives “Agent calls”, which must be stopped because it harms."),
    ],
)
def test_the_answer_says_what_to_do_what_it_gains_and_whom_it_harms(build: Build, said: str) -> None:
    assert said in on_terminal(whom_in_answer(Facts(build())) or ())


@pytest.mark.parametrize("name", WHOM)
def test_the_answer_has_three_sentences_on_whom_to_contact_at_most(name: str) -> None:
    result = WHOM[name]()
    told = on_terminal(whom_in_answer(Facts(result)) or ())
    assert len(re.findall(r"[.:] [A-Z“]|\.$", told.replace("gains: “", "gains “"))) <= 3
    whole = " ".join("".join(read(render_report(result, ledger_head=None)).page_one).split())
    answer = whole.partition("What changes")[0]
    assert answer.count("Not everybody gains") <= 1


def test_an_arm_that_was_left_out_is_named_with_its_reason() -> None:
    said = "No rule gives “Bot message”, which must be stopped because it harms."
    assert terms(left_out())["Arm and rule"].endswith(said)
    assert said not in terms(pays())["Arm and rule"]
    page = " ".join("".join(read(render_report(left_out(), ledger_head=None)).page_one).split())
    assert "No rule gives “Bot message”: it was left out before any rule was learned. Harm beyond the agreed" in page


def test_a_rule_in_use_that_gives_an_arm_which_harms_is_not_to_be_kept() -> None:
    result = in_use()
    arms = {**result.arms, "bot": replace(result.arms["bot"], verdict="stop", rule=2)}
    assert result.policy is not None
    shares = tuple(
        replace(one, share={"gig": 0.2, "bot": 0.1}) if one.name == "current_rule" else one
        for one in result.policy.policies
    )
    told = terms(replace(result, arms=arms, policy=replace(result.policy, policies=shares, left_out=("bot",))))
    assert "Keep the rule in use" not in told["Whom to contact"]
    assert told["Whom to contact"].startswith("No reliable gain from targeting.")


def test_a_rule_that_is_not_shown_to_gain_more_than_the_one_in_use_says_so() -> None:
    policy = pays().policy
    assert policy is not None
    close = tuple(replace(one, over_current=Told(point=1.4, low=-0.2, high=3.0)) for one in policy.policies)
    said = "It is not shown to gain more than the rule in use (from EUR −200 to +3,000 per 1,000 customers)."
    assert said in terms(replace(pays(), policy=replace(policy, policies=close)))["Whom to contact"]
    assert "rule in use" not in terms(pays())["Whom to contact"]


def test_the_verdict_bar_is_not_read_as_one_for_everybody_where_a_rule_gains_more() -> None:
    def bar(result: RunResult) -> str:
        page = " ".join("".join(read(render_report(result, ledger_head=None)).page_one).split())
        return page.partition("Evidence grade")[0]

    said = "But contact by a rule, not everybody: see “Decision asked”."
    assert said in bar(pays())
    assert not [build for build in (refused, held, stopped, nobody, behind_a_gate) if said in bar(build())]


def test_a_rule_in_use_that_gains_more_is_to_be_kept() -> None:
    told = terms(in_use())
    assert told["Whom to contact"].startswith(
        "Keep the rule in use. Giving everybody “Customer expert calls” gains reliably less (from EUR −3,000 to −1,000"
    )
    assert "It gains EUR 1,100" in told["Whom to contact"]
    assert "Go ahead with “Customer expert calls”, but only for whom the rule gives it (33 %" in told["Arm and rule"]


@pytest.mark.parametrize("name", [name for name in WHOM if name not in {"whom_no_decision", "whom_waiting"}])
@pytest.mark.parametrize("verdict", ["ship", "ship_with_monitoring", "pilot", "hold", "stop"])
def test_no_verdict_below_going_ahead_is_told_to_go_ahead(name: str, verdict: str) -> None:
    result = WHOM[name]()
    lead = result.recommended_arm
    assert lead is not None
    arms = {**result.arms, lead: replace(result.arms[lead], verdict=verdict)}  # type: ignore[arg-type]
    told = " ".join(terms(replace(result, verdict=verdict, arms=arms)).values())  # type: ignore[arg-type]
    assert told
    if verdict not in _GO:
        assert not re.search(_GOING, told)
        assert "Verdict and rule" not in told or "contact nobody" in told
