"""Page one of an observational run: never dressed as a trial, its population beside every number, its strength told."""

import re
from dataclasses import replace

import pytest

from cxcausal.core.registry import BUILT_IN
from cxcausal.core.results import RunResult
from cxcausal.report import render_report, summary_text
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_opinions import METHODS
from cxcausal.report.sentences.briefly import caveat_texts
from cxcausal.report.sentences.caveats import beside_the_answer, unknowns
from cxcausal.report.text import FIXED_PHRASES, plain
from tests.report import worlds
from tests.report.reader import read
from tests.report.test_golden import BANNED
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds import check
from tests.report.worlds_observed import (
    APART,
    CAP,
    CHECKS,
    NO_TOTAL,
    OBSERVED,
    STRENGTH,
    far_apart,
    late,
    observed,
    withheld,
)

POSSIBLE = "customers for whom either was a real possibility"


def words(result: RunResult) -> str:
    page = " ".join(read(render_report(result, ledger_head=None)).page_one).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", page).replace("“ ", "“").replace(" ”", "”").replace(" ,", ",")


def beside(result: RunResult) -> list[str]:
    return [plain(line).replace("\N{NO-BREAK SPACE}", " ") for line in beside_the_answer(Facts(result))]


@pytest.mark.parametrize("name", OBSERVED)
def test_every_digit_has_its_key_and_every_quote_its_path(name: str) -> None:
    result = OBSERVED[name]()
    page = read(render_report(result, ledger_head=worlds.HASH))
    tree = {**result.to_dict(), "ledger_head": worlds.HASH}
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []
    assert [mark for mark in page.numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []


@pytest.mark.parametrize("name", OBSERVED)
def test_page_one_has_no_banned_word_and_is_never_dressed_as_a_trial(name: str) -> None:
    page = words(OBSERVED[name]()).replace("Data up to", "")
    assert [word for word in BANNED if re.search(word, page, re.IGNORECASE)] == []
    assert "not a randomised test" in page
    for trial in ("customers in the test", "again in the test", "arm in the test", "per assigned", "randomised,"):
        assert trial not in page


def test_the_summary_says_whom_it_is_of_what_it_is_not_and_how_strong_a_doubt_must_be() -> None:
    said = summary_text(observed()).splitlines()[1]
    assert f"Out of 1,000 {POSSIBLE}, about 12 fewer leave" in said
    assert "This compares customers of “Handed over to a person” with similar ones of “Bot goes on”." in said
    assert "It was not a randomised test." in said
    assert said.endswith(STRENGTH)
    assert "not a randomised test" not in summary_text(worlds.outreach())


def test_a_long_sentence_of_strength_stands_beside_the_answer_and_not_in_it() -> None:
    long = (
        f"{STRENGTH[:-1]} on “Customers who leave within 90 days”, of “Handed over to a person” against “Bot goes on”."
    )
    checks = tuple(replace(one, text=long) if one.name == "sensitivity" else one for one in CHECKS)
    result = observed(checks=checks)
    assert "unmeasured" not in summary_text(result)
    assert beside(result)[0] == long
    assert STRENGTH not in beside(observed())


@pytest.mark.parametrize(
    ("target", "whom"),
    [("ato", f"{POSSIBLE},"), ("att", "customers of “Handed over to a person”,"), ("ate", "customers, about")],
)
def test_every_target_population_is_named_beside_its_number(target: str, whom: str) -> None:
    assert f"Out of 1,000 {whom}" in summary_text(observed(target))
    page = words(observed(target))
    rest = "of all customers analysed, whichever arm they got" if target == "ate" else "among"
    assert f"All averages, differences and ranges above are those {rest}" in page
    assert page.count("for whom either was a real possibility") >= (8 if target == "ato" else 0)


def test_the_naive_difference_stands_on_page_one_and_is_called_naive() -> None:
    naive = beside(observed())[0]
    assert naive.startswith("Compared naively, it would seem that 41 more customers in 1,000 leave within 90 days with")
    assert naive.endswith(f"after allowing for what is known about them, it is 12 fewer among {POSSIBLE}.")
    without = replace(observed(), effects=tuple(row for row in observed().effects if not row.companion))
    assert "naively" not in " ".join(beside(without))


def test_a_naive_difference_of_a_mean_is_told_in_its_unit() -> None:
    result = observed()
    metrics = {**result.plan["metrics"], "success": result.plan["metrics"]["secondary"], "secondary": []}
    naive = beside(replace(result, plan={**result.plan, "metrics": metrics}))[0]
    assert "“Contribution margin per customer, 90 days” would seem to be EUR 3.90 lower with" in naive
    assert "it is EUR 1.94 higher" in naive


def test_an_adjusted_difference_that_may_be_none_is_not_told_as_one() -> None:
    assert any("4 fewer" in line and "its range includes no change" in line for line in beside(OBSERVED_UNCLEAR()))


OBSERVED_UNCLEAR = OBSERVED["observed_unclear"]


def test_how_far_apart_the_groups_are_stands_on_page_one_where_that_is_too_far() -> None:
    assert APART in beside(far_apart())
    assert APART not in " ".join(beside(observed("att")))
    assert APART in summary_text(withheld())
    assert APART not in beside(withheld())
    assert APART in beside(late())
    assert "lies 4 days later" in summary_text(late())


def test_behind_a_failed_gate_no_effect_no_money_and_no_strength_is_told() -> None:
    for result in (withheld(), late()):
        before, _, appendix = render_report(result, ledger_head=None).partition('class="appendix"')
        keys = re.findall(r'data-(?:key|row)="([^"]+)"', before)
        told = ("effects.", "value.", "scores.opinions", "scores.sensitivity", "scores.refutation", "scores.spec")
        assert not [key for key in keys if any(one in key for one in told)]
        assert "naively" not in before
        assert "must not be used" in appendix
        assert STRENGTH not in summary_text(result)
        for text in (STRENGTH, "11 fewer per 1,000", "between 10 and 13 fewer"):
            assert text not in before
            assert text in appendix
        assert "What this tells of the effect is withheld" in before


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("overlap", "the question is narrowed to those for whom either was a real possibility"),
        ("time_zero", "time zero is the moment at which both choices were open"),
        ("identification", "what opens the other way is known"),
        ("negative_controls", "what else differs between the groups is known"),
    ],
)
def test_what_would_help_depends_on_what_failed(name: str, advice: str) -> None:
    checks = tuple(replace(one, verdict="fail" if one.name == name else one.verdict) for one in CHECKS)
    assert advice in summary_text(replace(withheld(), checks=checks)).splitlines()[2]
    assert "the data are whole" in summary_text(worlds.failed_gate()).splitlines()[2]


def test_the_gate_that_causes_the_others_leads() -> None:
    late_gates = ("balance", "leakage", "negative_controls")
    texts = {name: f"This is what failed in {name}." for name in late_gates}
    broken = tuple(check(name, "fail", texts[name]) for name in ("balance", "negative_controls", "leakage"))
    others = tuple(one for one in CHECKS if one.name not in {*late_gates, "overlap"})
    result = replace(withheld(), checks=(*broken, *others))
    lines = summary_text(result).splitlines()
    assert texts["leakage"] in lines[1]
    assert "what was only known afterwards is no longer allowed for" in lines[2]
    assert texts["leakage"] in words(result)[:900]


def test_a_cap_says_how_far_the_design_can_go_and_not_that_registering_would_do() -> None:
    lines = [line for line in beside(replace(observed(), registered=False)) if "capped" in line]
    assert lines == [f"This design can reach PILOT at most, whatever the numbers say. The verdict is capped: {CAP}."]


def test_the_verdict_bar_says_grade_c() -> None:
    assert "C, adjusted" in words(observed())


def test_the_lights_ask_why_some_were_treated_instead_of_how_a_coin_fell() -> None:
    page = render_report(observed(), ledger_head=None)
    lights = page.split('id="h-trust"')[1].split("</section>")[0]
    assert re.findall(r"<h3[^>]*>(?:<svg.*?</svg>)?\s*([A-Z][a-z ]+?)\s*</h3>", lights)[:4] == [
        "Why some were treated",
        "Comparability",
        "Completeness",
        "Robustness",
    ]
    assert "Assignment" in render_report(worlds.outreach(), ledger_head=None).split('id="h-trust"')[1]


def test_nothing_is_said_of_checks_that_did_not_run() -> None:
    result = OBSERVED["observed_without_scores"]()
    assert "unmeasured difference twice" not in words(result)
    assert "none was tried" in " ".join(map(plain, unknowns(Facts(result))))
    assert "naively" in words(result)


def test_what_nobody_measured_is_not_known() -> None:
    said = [plain(line) for line in unknowns(Facts(observed()))]
    assert said[0].startswith("Whether something that nobody measured both led to “Handed over to a person”")
    assert not any("nobody measured" in plain(line) for line in unknowns(Facts(worlds.outreach())))


@pytest.mark.parametrize(
    ("target", "said", "unsaid"),
    [
        (
            "ato",
            f"Per customer{POSSIBLE.removeprefix('customers')}, “Handed over to a person” is worth EUR 2.30",
            "000",
        ),
        ("att", "For the 15,031 customers who got “Handed over to a person” this is worth EUR 35,000", "Per customer"),
        ("ate", "Had all 30,018 customers got “Handed over to a person”, that would be worth EUR 70,000", "For the"),
    ],
)
def test_money_is_of_those_whom_the_effect_is_of(target: str, said: str, unsaid: str) -> None:
    page = words(observed(target)).split("What it is worth")[1].split("Can we trust it?")[0]
    lead = page.split("after costs")[0]
    assert said in lead
    assert unsaid not in lead
    assert (NO_TOTAL in page) == (target == "ato")
    waterfall = "per customer for whom either was a real possibility" if target == "ato" else "customers analysed"
    assert waterfall in page


def test_terms_are_explained_as_they_are_meant_without_a_coin() -> None:
    page = render_report(observed(), ledger_head=None).split('id="h-appendix_glossary"')[1]
    assert "Naive difference" in page
    assert "there by chance before the contact" not in page
    assert "Sample ratio" not in page
    assert "Sample ratio" in render_report(worlds.outreach(), ledger_head=None)


def test_what_is_left_to_say_on_a_terminal_begins_with_the_naive_difference() -> None:
    assert caveat_texts(observed())[0].startswith("Compared naively")


@pytest.mark.parametrize(("share", "told"), [(None, 0), (0.04, 0), (0.123, 1)])
def test_missing_values_of_what_is_allowed_for_are_not_known_where_they_are_many(
    share: float | None, told: int
) -> None:
    base = observed()
    assert base.scores is not None
    result = replace(base, scores=replace(base.scores, incomplete=share))
    lines = [plain(line).replace("\N{NO-BREAK SPACE}", " ") for line in unknowns(Facts(result))]
    wanted = (
        "What was not recorded: for 12 % of these customers at least one of the things that are allowed for is "
        "missing, and only that it is could be allowed for."
    )
    assert lines.count(wanted) == told
    assert sum("not recorded" in line for line in lines) == told
    page = read(render_report(result, ledger_head=worlds.HASH))
    tree = {**result.to_dict(), "ledger_head": worlds.HASH}
    assert [mark for mark in page.numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []


def test_of_several_arms_the_answer_tells_the_strength_of_its_own_effect() -> None:
    effect = "explain the effect of '{}' on 'Customers who leave within 90 days'."
    gig = "An unmeasured difference twice as strong as 'trouble' would be enough to " + effect
    agent = "Even an unmeasured difference ten times as strong as 'trouble' would not " + effect
    mine = gig.format("Handed over to a person")
    text = f"{agent.format('Handed over with the whole story')} {mine}"
    checks = tuple(replace(one, text=text) if one.name == "sensitivity" else one for one in CHECKS)
    result = replace(OBSERVED["observed_arms"](), checks=checks)
    own = "An unmeasured difference twice as strong as 'trouble' would be enough to explain it."
    assert summary_text(result).splitlines()[1].endswith(own)
    assert agent.format("Handed over with the whole story") in beside(result)
    assert not [line for line in beside(result) if mine in line]
    page = read(render_report(result, ledger_head=worlds.HASH))
    tree = {**result.to_dict(), "ledger_head": worlds.HASH}
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    alone = observed(checks=tuple(replace(one, text=mine) if one.name == "sensitivity" else one for one in CHECKS))
    assert summary_text(alone).splitlines()[1].endswith(own)
    assert not [line for line in beside(alone) if "unmeasured" in line]


@pytest.mark.parametrize("method", sorted(BUILT_IN["opinions"]))
def test_every_second_opinion_has_a_name_and_a_meaning(method: str) -> None:
    base = observed()
    row = replace(base.effects[0], method=method, companion=True, headline=False)
    page = render_report(replace(base, effects=(*base.effects, row)), ledger_head=None)
    assert METHODS[method] in page.partition("Glossary")[2]
