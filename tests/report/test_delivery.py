"""What the page says of delivery, of the effect on those reached, of contact cost and of waiting; numbers by key."""

import re
from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.results import Estimate, Information, Range, RunResult
from cxcausal.report import render_report
from cxcausal.report.blocks import Bullets, Table
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_delivery import DeliverySection
from cxcausal.report.sections.change import ChangeSection
from cxcausal.report.sections.decision import DecisionSection
from cxcausal.report.sentences.contact_cost import contact_cost_sentences
from cxcausal.report.sentences.delivery import DELIVERY, delivery_sentence
from cxcausal.report.sentences.information import information_sentence, waiting_sentence
from cxcausal.report.text import FIXED_PHRASES, MISSING, Sentence, plain
from tests.report import worlds
from tests.report.reader import read
from tests.report.situations import SITUATIONS, null_without
from tests.report.test_golden import BANNED
from tests.report.test_numbers import agrees, quoted, recomputed

SHARE = Estimate(
    metric=DELIVERY, role="exploratory", arm="gig", control="none", estimand="itt", method="newcombe", point=0.618,
    low=0.61, high=0.626, level=0.95, se=0.004, p=0.0, n_treated=15031, n_control=14987, mean_treated=0.618,
    mean_control=0.0, unit="share of customers", companion=True,
)  # fmt: skip
EFFECT = replace(
    SHARE, metric="churn_90d", role="success", estimand="late", method="wald", point=-0.0196, low=-0.0313, high=-0.0079,
    se=0.006, mean_treated=0.13, mean_control=0.143,
)  # fmt: skip
KNOWING = Information(customers=9000, perfect=12345.0, doubled=2900.0, four_weeks=2345.0)


def text(sentence: Sentence | None) -> str:
    assert sentence is not None
    return plain(sentence).replace("\N{NO-BREAK SPACE}", " ")


def delivered(result: RunResult | None = None, *rows: Estimate, **money: Any) -> RunResult:
    """Return the outreach trial with what was delivered beside it, and more about the money of the expert."""
    base = result or worlds.outreach()
    value = base.value
    if value is not None and money:
        arms = tuple(replace(arm, **money) if arm.arm == "gig" else arm for arm in value.arms)
        value = replace(value, arms=arms)
    return replace(base, effects=(*base.effects, *(rows or (SHARE, EFFECT))), value=value)


def said(result: RunResult) -> str:
    return text(delivery_sentence(Facts(result)))


def test_one_sentence_tells_who_was_reached_and_what_it_did() -> None:
    assert said(delivered()) == (
        "Of those assigned to “Customer expert calls”, 62 % were reached; for customers who were reached because they "
        "were assigned, about 20 fewer in 1,000 leave within 90 days (95 % range: 8 to 31 fewer). "
        "We know nothing about the others. The verdict and the money count everybody assigned, reached or not."
    )


def test_a_control_that_was_reached_too_is_told() -> None:
    assert "(with “Business as usual”: 4.1 %); for" in said(delivered(None, replace(SHARE, mean_control=0.041), EFFECT))


def test_an_effect_that_is_not_clear_is_not_told_as_one() -> None:
    around = replace(EFFECT, point=-0.004, low=-0.02, high=0.012)
    assert (
        "there is no clear change in “Customers who leave within 90 days” (95 % range: 20 fewer to 12 more in 1,000)"
        in (said(delivered(None, SHARE, around)))
    )


def test_where_the_effect_of_being_assigned_is_not_clear_neither_is_that_on_those_reached() -> None:
    words = said(delivered(null_without()))
    assert (
        "no clear change in “Customers who leave within 90 days” (95 % range, not widened for several questions: "
        in words
    )


def test_a_mean_is_told_in_its_own_unit() -> None:
    margin = replace(EFFECT, metric="margin_90d", point=3.1, low=0.5, high=5.7, unit="per customer")
    words = said(delivered(SITUATIONS["mean_only"](), SHARE, margin))
    assert "is about" in words
    assert "EUR 3.10 higher (95 % range: EUR 0.50 to 5.70 higher). We know nothing about the others." in words


def test_where_all_were_reached_nothing_is_told_twice() -> None:
    words = said(delivered(None, replace(SHARE, mean_treated=1.0, point=1.0), EFFECT))
    assert words.endswith("100 % were reached, so the effects on this page are those of the contact itself.")
    assert "others" in said(delivered(None, replace(SHARE, mean_treated=1.0, mean_control=0.02), EFFECT))


def test_a_withheld_effect_says_why() -> None:
    blank = dict.fromkeys(("point", "low", "high", "se", "p", "level"))
    row = replace(EFFECT, status="not_computed", reason="delivery hardly moved", **blank)  # type: ignore[arg-type]
    assert said(delivered(None, SHARE, row)).endswith(
        "were reached. What the contact did to those it reached cannot be told: delivery hardly moved."
    )
    assert said(delivered(None, SHARE)).endswith("62 % were reached.")


def test_it_stands_on_page_one_and_the_table_in_the_appendix() -> None:
    facts = Facts(delivered())
    blocks = ChangeSection().build(facts).blocks
    assert said(facts.result) in [text(line) for block in blocks if isinstance(block, Bullets) for line in block.items]
    section = DeliverySection().build(facts)
    assert section is not None
    assert [getattr(block, "name", "") for block in section.blocks] == ["delivery-table", "complier-table", ""]


def test_nothing_is_said_where_no_delivery_was_recorded() -> None:
    facts = Facts(worlds.outreach())
    assert delivery_sentence(facts) is None
    assert DeliverySection().build(facts) is None


def test_behind_a_failed_gate_page_one_is_silent_and_the_appendix_warns() -> None:
    result = delivered(worlds.failed_gate(), information=KNOWING)
    html = render_report(result, ledger_head=None)
    before, _, appendix = html.partition('class="appendix"')
    assert "were reached" not in before
    assert "perfect answer" not in before
    assert appendix.count("must not be used") == 3


COSTS = {
    "share_delivered": 0.618,
    "cost_per_assigned": 2.472,
    "cost_per_delivered": 4.0,
    "cost_per_event_metric": "churn_90d",
    "cost_per_event": Range(point=204.3, low=122.0, high=620.4),
}


def costs(**money: Any) -> list[str]:
    result = delivered(None, **{**COSTS, **money})
    facts = Facts(result)
    found = facts.money_of("gig")
    assert found is not None
    return [text(words) for words in contact_cost_sentences(facts, *found)]


def test_costs_are_told_per_contact_and_per_customer_kept() -> None:
    first, second = costs()
    assert first == (
        "62 % of the customers assigned got the contact: EUR 4.00 per delivered contact, EUR 2.47 per assigned "
        "customer."
    )
    assert second == (
        "Spread over the customers who, because of it, do not leave within 90 days, contact costs EUR 200 each "
        "(range: 120 to 620)."
    )


def test_a_cost_without_an_upper_end_says_so() -> None:
    (_, words) = costs(cost_per_event=None, cost_per_event_reason="the data do not tell the benefit from none")
    assert words == (
        "What contact costs for each of the customers who, because of it, do not leave within 90 days cannot be told: "
        "the data do not tell the benefit from none."
    )
    assert len(costs(cost_per_event=None)) == 1
    assert costs(cost_per_event_metric=None, cost_per_delivered=None) == []


def test_costs_are_not_told_twice_nor_spread_over_customers_who_were_lost() -> None:
    assert costs(cost_per_customer=2.472)[0].endswith("got the contact: EUR 4.00 per delivered contact.")
    assert len(costs(share_delivered=1.0)) == 1
    harm = delivered(
        SITUATIONS["stop_harmed"](), cost_per_event_reason="no benefit", **{**COSTS, "cost_per_event": None}
    )
    facts = Facts(harm)
    found = facts.money_of("gig")
    assert found is not None
    assert len(list(contact_cost_sentences(facts, *found))) == 1


def knowing(information: Information | None, result: RunResult | None = None) -> Facts:
    return Facts(delivered(result, information=information))


def test_a_perfect_answer_and_four_more_weeks() -> None:
    assert text(information_sentence(knowing(KNOWING), "gig")) == (
        "A perfect answer about “Customer expert calls” would be worth at most EUR 12,000 for the 9,000 customers of "
        "the roll-out; four more weeks of enrolment about EUR 2,300 of that. This weighs it against “Business as "
        "usual” alone, at central assumptions, from these data only."
    )
    again = text(information_sentence(knowing(replace(KNOWING, four_weeks=None)), "gig"))
    assert "; as many customers again in the test about EUR 2,900 of that." in again
    assert information_sentence(knowing(None), "gig") is None


def test_what_no_data_can_change_is_said() -> None:
    words = text(information_sentence(knowing(replace(KNOWING, perfect=0.2)), "gig"))
    assert words.startswith(
        "As far as money goes, more data would hardly change the choice about “Customer expert calls”: even a perfect"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (KNOWING, "Waiting four more weeks, with enrolment at its pace, is worth about EUR 2,300 in a better choice"),
        (replace(KNOWING, four_weeks=None), "As many customers again in the test are worth about EUR 2,900"),
        (
            replace(KNOWING, four_weeks=0.00001),
            "Waiting four more weeks, with enrolment at its pace, is worth less than one",
        ),
        (replace(KNOWING, perfect=0.2), "More data are worth next to nothing here"),
    ],
)
def test_a_hold_says_whether_to_wait(told: Information, words: str) -> None:
    facts = knowing(told, null_without())
    assert text(waiting_sentence(facts)).startswith(words)
    (terms,) = DecisionSection().build(facts).blocks
    assert "Waiting" in [plain(name) for name, _ in getattr(terms, "items", ())]
    assert waiting_sentence(knowing(told)) is None


def test_with_the_pace_known_an_open_answer_says_what_four_weeks_would_show() -> None:
    result = null_without()
    known = replace(result, data=replace(result.data, four_weeks=0.5))
    page = " ".join(" ".join(read(render_report(known, ledger_head=None)).page_one).split())
    assert "; four more weeks of enrolment would bring this to" in page


def full() -> RunResult:
    money = {**COSTS, "information": KNOWING}
    result = delivered(None, SHARE, EFFECT, replace(SHARE, arm="agent", mean_control=0.012), **money)
    return replace(result, data=replace(result.data, four_weeks=0.5))


@pytest.mark.parametrize("build", [full, lambda: delivered(null_without(), SHARE, EFFECT, information=KNOWING)])
def test_every_number_has_its_key_and_no_banned_word_is_used(build: Any) -> None:

    result = build()
    page, tree = read(render_report(result, ledger_head=worlds.HASH)), {**result.to_dict(), "ledger_head": worlds.HASH}
    for mark in page.numbers:
        assert agrees(mark, recomputed(tree, mark.attributes["data-key"])), mark
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []
    words = " ".join(page.page_one).replace("Data up to", "")
    assert [word for word in BANNED if re.search(word, words, re.IGNORECASE)] == []


def test_an_arm_without_money_has_dashes_for_its_costs() -> None:
    section = DeliverySection().build(Facts(replace(delivered(), value=None)))
    assert section is not None
    table = section.blocks[0]
    assert isinstance(table, Table)
    (row,) = table.rows
    assert [plain(cell.words) for cell in row[-2:]] == [MISSING, MISSING]
