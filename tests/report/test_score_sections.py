"""The appendix of an observational run: pictures from the numbers of the result, and none where there are none."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.registry import Registry
from cxcausal.core.results import RunResult
from cxcausal.core.score_facts import BenchmarkFact, ScoreFacts, SensitivityFact
from cxcausal.report import render_report
from cxcausal.report.blocks import Block, Figure, Paragraph, SectionView, Table
from cxcausal.report.facts import Facts
from cxcausal.report.sections.appendix_balance import MOST
from cxcausal.report.text import plain
from tests.report import test_page as page_rules
from tests.report import worlds
from tests.report.reader import read
from tests.report.test_escaping import HOSTILE
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds_observed import OBSERVED, observed, scores, withheld

NAMES = (
    "appendix_design",
    "appendix_overlap",
    "appendix_balance",
    "appendix_opinions",
    "appendix_sensitivity",
    "appendix_refuters",
    "appendix_nuisances",
)
OF_EFFECTS = {"appendix_opinions", "appendix_sensitivity", "appendix_refuters", "appendix_nuisances"}
RULES: tuple[Callable[[str], None], ...] = (
    page_rules.test_nothing_can_run_or_load,
    page_rules.test_the_policy_allows_this_stylesheet_and_nothing_else,
    page_rules.test_headings_step_down_one_by_one_and_stand_in_the_agreed_order,
    page_rules.test_landmarks_language_and_one_id_each,
    page_rules.test_tables_have_captions_and_scopes_and_pictures_have_names,
)


def built(name: str, result: RunResult) -> SectionView | None:
    found: SectionView | None = Registry(kind="sections").load(name)().build(Facts(result))
    return found


def blocks(name: str, result: RunResult | None = None) -> tuple[Block, ...]:
    view = built(name, result or observed())
    assert view is not None
    return view.blocks


def lines(name: str, table: str, result: RunResult | None = None) -> list[list[str]]:
    (found,) = [one for one in blocks(name, result) if isinstance(one, Table) and one.name.startswith(table)]
    return [[plain(cell.words).replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in found.rows]


def pictures(name: str, result: RunResult | None = None) -> list[str]:
    return [one.picture for one in blocks(name, result) if isinstance(one, Figure)]


def with_scores(**change: Any) -> RunResult:
    return observed(scores=replace(scores(), **change))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", OBSERVED)
def test_the_page_keeps_the_rules_of_every_page(name: str, rule: Callable[[str], None]) -> None:
    rule(render_report(OBSERVED[name](), ledger_head=worlds.HASH))


@pytest.mark.parametrize("name", NAMES)
def test_a_randomised_run_has_none_of_these(name: str) -> None:
    assert built(name, worlds.outreach()) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_kept_nothing_of_scores_has_only_its_design_and_its_rows(name: str) -> None:
    view = built(name, observed(scores=None))
    assert (view is not None) == (name in {"appendix_design", "appendix_opinions"})


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_asked_is_left_out(name: str) -> None:
    nothing = ScoreFacts(target="ato", adjusted_for=(), folds=5, repeats=3)
    view = built(name, observed(scores=nothing, effects=()))
    assert (view is not None) == (name in {"appendix_design", "appendix_opinions"})


@pytest.mark.parametrize("name", NAMES)
def test_behind_a_failed_gate_what_tells_an_effect_says_that_it_must_not_be_used(name: str) -> None:
    said = " ".join(plain(one.words) for one in blocks(name, withheld()) if isinstance(one, Paragraph))
    assert ("must not be used" in said) == (name in OF_EFFECTS)


def test_the_design_says_what_was_allowed_for_and_whom_the_effect_is_of() -> None:
    words = plain_design("ato")
    assert "Allowed for “trouble”, “tenure_months”, “channel”" in words
    assert "No number of heads can be given" in words
    assert "closes every way from trouble" in words
    assert "customers of “Handed over to a person” count fully" in plain_design("att")
    assert "everybody who was analysed" in plain_design("ate")


def plain_design(target: str) -> str:
    page = render_report(observed(target), ledger_head=None).split('id="h-appendix_design"')[1].split("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("“ ", "“").replace(" ”", "”")


def test_the_design_names_what_is_never_allowed_for_and_the_graph() -> None:
    result = observed()
    more = {"never_adjust": ["minutes"], "negative_controls": {"outcomes": ["before"]}, "graph": "graphs/x.dot"}
    plan = {**result.plan, "design": {**result.plan["design"], **more}}
    words = render_report(replace(result, plan=plan), ledger_head=None).split('id="h-appendix_design"')[1]
    for said in ("minutes", "before", "graphs/x.dot"):
        assert said in words.split("</section>")[0]


def test_both_groups_bars_are_shares_of_their_own_and_have_one_scale() -> None:
    (picture,) = pictures("appendix_overlap")
    heights = {
        name: [float(h) for h in re.findall(rf'height="([\d.]+)" class="{name}"', picture)]
        for name in ("own", "others")
    }
    facts = scores().overlap
    assert facts is not None
    treated = facts.arms[1]
    for name, arm in (("own", "gig"), ("others", "none")):
        counts = [count for count in treated.histogram[arm] if count]
        assert len(heights[name]) == len(counts)
        ratio = heights[name][0] / heights[name][3]
        assert ratio == pytest.approx(counts[0] / counts[3], rel=0.02) or min(heights[name]) == 0.75
    assert max(*heights["own"], *heights["others"]) == pytest.approx(84.0)
    assert "In some parts only one of the groups is found." in picture


def test_the_overlap_tables_have_every_arm() -> None:
    assert lines("appendix_overlap", "overlap-table") == [
        ["Bot goes on", "14,987", "8,751", "211", "187", "fewer than ten", "74 %"],
        ["Handed over to a person", "15,031", "9,120", "211", "187", "fewer than ten", "74 %"],
    ]
    assert lines("appendix_overlap", "chances-table")[1][:4] == ["Handed over to a person", "2.0 %", "6.0 %", "21.0 %"]


def test_an_arm_without_counts_is_not_drawn() -> None:
    found = scores().overlap
    assert found is not None
    bare = replace(found, arms=tuple(replace(arm, histogram={}) for arm in found.arms))
    assert pictures("appendix_overlap", with_scores(overlap=bare)) == []


def test_the_columns_furthest_apart_come_first_and_no_more_than_agreed() -> None:
    rows = lines("appendix_balance", "balance-table")
    assert len(rows) == MOST
    assert [row[0] for row in rows[:4]] == ["trouble", "channel is phone", "tenure_months", "c29"]
    assert rows[0][2:] == ["0.620", "0.030", "0.011"]
    (picture,) = pictures("appendix_balance")
    assert picture.count('class="before"') == MOST
    assert picture.count('class="limit"') == 1
    assert "Beyond the limit after weights: none." in picture


def test_a_column_still_too_far_apart_has_another_shape() -> None:
    first, *others = scores().balance
    (picture,) = pictures("appendix_balance", with_scores(balance=(replace(first, after=0.4), *others)))
    assert picture.count('class="beyond"') == 1
    assert "Beyond the limit after weights: trouble." in picture


def test_second_opinions_stand_beside_ours_and_the_naive_difference_is_called_naive() -> None:
    rows = {(row[0], row[1]): row[2:] for row in lines("appendix_opinions", "opinions-table")}
    assert rows["The plan's own", "those with either chance"] == ["−12", "−22 to −2", "–"]
    assert rows["Naive difference", "the arms as they are"][0] == "41"
    assert rows["Overlap weighting", "those with either chance"] == ["−11", "−20 to −3", "0.8"]
    assert rows["Matching", "those who got it"][:2] == ["not computed", "it has no effect on the overlap"]
    assert rows["linear learners", "those with either chance"][0] == "−13"
    assert {whose for name, whose in rows if name == "The same method"} == {"those who got it", "everybody"}
    (picture,) = pictures("appendix_opinions")
    assert picture.count('class="interval') == 7


def test_a_range_of_another_method_is_its_point_and_its_standard_error() -> None:
    page = read(render_report(observed(), ledger_head=None))
    keys = [mark.attributes["data-key"] for mark in page.numbers]
    assert any(key.startswith("derived:normal_low_per_thousand(scores.opinions.0.point") for key in keys)


def test_strengths_are_told_in_percent_and_a_cause_of_known_strength_is_a_landmark() -> None:
    (row,) = lines("appendix_sensitivity", "sensitivity-table")
    assert row[1:] == ["4.0 %", "1.3 %", "1.41", "1.17"]
    assert lines("appendix_sensitivity", "benchmarks-table")[0][2:] == ["2.1 %", "1.6 %"]
    assert [row[1:] for row in lines("appendix_sensitivity", "simulated-table")] == [
        ["1.0", "−10"],
        ["2.0", "−7"],
        ["3.0", "−5"],
    ]
    (picture,) = pictures("appendix_sensitivity")
    assert picture.count('class="landmark"') == 2
    assert "somewhere within the picture nothing is left" in picture


def test_a_line_where_nothing_is_left_is_drawn_only_where_there_is_one() -> None:
    weak = replace(scores().sensitivity[0], bound=tuple((-0.01,) * 13 for _ in range(13)))
    (picture,) = pictures("appendix_sensitivity", with_scores(sensitivity=(weak,)))
    assert picture.count('class="none"') == 1
    assert "in all of the picture some is left" in picture


@pytest.mark.parametrize(
    "one",
    [
        SensitivityFact(metric="churn_90d", arm="gig", control="none", reason="the effect was not computed"),
        replace(scores().sensitivity[0], grid=(), bound=()),
        replace(scores().sensitivity[0], bound=tuple((None,) * 13 for _ in range(13))),
    ],
)
def test_what_cannot_be_drawn_is_not(one: SensitivityFact) -> None:
    result = with_scores(sensitivity=(one,))
    assert pictures("appendix_sensitivity", result) == []
    assert len(lines("appendix_sensitivity", "sensitivity-table", result)) == 1


def test_refuters_say_what_ought_to_come_out_and_what_did() -> None:
    first, second = lines("appendix_refuters", "refuters-table")
    assert first == [
        "Arms dealt anew by chance",
        "“Customers who leave within 90 days”, “Handed over to a person”, customers per 1,000",
        *("0", "0.4", "0.1", "100", "again", "0.910"),
    ]
    assert second[2:] == ["−12", "−12", "0.5", "100", "not again", "–"]


def test_learners_tell_how_much_of_a_constants_loss_is_left_and_of_what_they_are_made() -> None:
    first, *others = lines("appendix_nuisances", "learners-table")
    assert first[:3] == ["who got which arm", "stacked", "31 % logistic, 69 % lightgbm"]
    assert first[5:] == ["81 %", "0.970"]
    assert len(others) == 4
    assert others[0][0] == "“Customers who leave within 90 days” with “Bot goes on”"
    splits = lines("appendix_nuisances", "splits-table")
    assert splits[0][2:] == ["−12", "0.70", "17 % of one"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_names_of_columns_methods_and_learners_stay_words(text: str) -> None:
    result = observed()
    kept = scores()
    assert result.scores is not None
    hostile = replace(
        kept,
        adjusted_for=(text, *kept.adjusted_for[1:]),
        balance=(replace(kept.balance[0], column=text, level=text), *kept.balance[1:]),
        nuisances=(replace(kept.nuisances[0], learner=text, weights={text: 1.0}), *kept.nuisances[1:]),
        opinions=(replace(kept.opinions[0], name=text), replace(kept.opinions[1], reason=text)),
        specification=(replace(kept.specification[0], name=text),),
        sensitivity=(
            replace(kept.sensitivity[0], benchmarks=(BenchmarkFact(column=text, outcome=0.1, treatment=0.1),)),
        ),
        refutation=(replace(kept.refutation[0], name=text),),
    )
    result = replace(result, scores=hostile)
    html = render_report(result, ledger_head=worlds.HASH)
    page_rules.test_nothing_can_run_or_load(html)
    page_rules.test_landmarks_language_and_one_id_each(html)
    tree = {**result.to_dict(), "ledger_head": worlds.HASH}
    page = read(html)
    assert [mark for mark in page.numbers if not agrees(mark, recomputed(tree, mark.attributes["data-key"]))] == []
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []


def test_every_arm_has_its_pictures_and_its_table() -> None:
    result = OBSERVED["observed_arms"]()
    assert [len(pictures(name, result)) for name in ("appendix_overlap", "appendix_balance", "appendix_opinions")] == [
        *(2, 2, 2)
    ]
    tables = [one.name for one in blocks("appendix_opinions", result) if isinstance(one, Table)]
    assert len(set(tables)) == 2


def test_members_of_no_weight_to_speak_of_are_not_listed() -> None:
    told = scores()
    first, *others = told.nuisances
    weights = {"logistic": 0.31, "stumps": 0.0, "lightgbm": 0.686, "splines": 0.004}
    result = replace(observed(), scores=replace(told, nuisances=(replace(first, weights=weights), *others)))
    assert lines("appendix_nuisances", "learners-table", result)[0][2] == "31 % logistic, 69 % lightgbm"
