"""What the page and the terminal say where worths are left out, nothing is chosen, or nothing could be valued."""

from dataclasses import replace

from cxcausal.core.results import RunResult
from cxcausal.report import render_report
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.briefly import caveat_texts
from cxcausal.report.sentences.money import NOT_IN_MONEY
from cxcausal.report.sentences.targeting import claim_sentence
from cxcausal.report.text import plain
from tests.report.reader import read
from tests.report.test_whom_edges import flat, mapped
from tests.report.worlds_whom import nobody, not_valued, pays

NOTE = f"{NOT_IN_MONEY}'Margin', because it is known only for those who respond."


def left_out() -> RunResult:
    result = pays()
    assert result.value is not None
    return replace(result, value=replace(result.value, notes=(*result.value.notes, NOTE)))


def test_a_worth_that_is_not_counted_stands_beside_the_money_the_rule_and_the_terminal() -> None:
    page = "".join(read(render_report(left_out(), ledger_head=None)).page_one)
    assert page.count(NOTE) == 2
    assert caveat_texts(left_out())[-1] == NOTE
    assert NOT_IN_MONEY not in "".join(read(render_report(pays(), ledger_head=None)).page_one)


def test_a_rule_that_is_the_single_arm_gains_nothing_more_and_has_no_range() -> None:
    result = nobody()
    same = replace(result, policy=mapped(result.policy, flat))
    claim = claim_sentence(Facts(same))
    assert claim is not None
    assert "comes to the same as" in plain(claim)
    assert "could be from" not in plain(claim)


def test_the_terminal_says_that_whom_to_contact_could_not_be_valued() -> None:
    said = "Whom to contact could not be valued: too few customers for turns."
    assert caveat_texts(not_valued())[-1] == said


def test_a_roll_out_says_which_limits_of_the_policy_it_does_not_keep() -> None:
    def told(**policy: object) -> str:
        result = pays()
        plan = {**result.plan, "policy": policy or None}
        return render_report(replace(result, plan=plan), ledger_head=None)

    said = "It takes no account of"
    assert f"{said} who may be contacted or of the budget: “Whom to contact” does." in told(
        eligible="opted_out == 0", budget=9.0
    )
    assert f"{said} the budget: “Whom to contact” does." in told(budget=9.0)
    assert said not in told()
