"""What a hostile reader would catch: numbers that don't add up, arms that look alike, losses told as gains."""

import re
from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.people import people_of
from cxcausal.core.results import Estimate, RunResult
from cxcausal.core.wording import number
from cxcausal.report import render_report, summary_text
from cxcausal.report.facts import Facts
from cxcausal.report.keys import evaluate
from cxcausal.report.rounding import Style, format_number
from cxcausal.report.sentences.caveats import beside_the_answer, unknowns
from cxcausal.report.sentences.money import money_sentence
from cxcausal.report.text import plain
from tests.report import worlds
from tests.report.reader import read
from tests.report.situations import SITUATIONS, hold_may_not_pay, stop_harmed
from tests.report.worlds import CHURN, Case, estimate, one_arm, outreach, with_rows
from tests.report.worlds_plan import metric
from tests.report.worlds_plan import plan as plan_of_outreach

FULL_SIZE = 600_000


def page(result: RunResult) -> str:
    return render_report(result, ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def table(html: str, name: str) -> list[list[str]]:
    inner = html.split(f'{name}">')[1].split("</table>", maxsplit=1)[0]
    inner = re.sub(r'<span class="cell-head".*?</span>(?=<span class="cell">)', "", inner, flags=re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", inner, flags=re.DOTALL)
    return [[words(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.DOTALL)] for r in rows]


def amount(text: str) -> float:
    number = re.search(r"(−?)(\d[\d,]*(?:\.\d+)?)", text)
    assert number is not None, text
    return float(number[2].replace(",", "")) * (-1 if number[1] else 1)


def priced(result: RunResult, **change: Any) -> RunResult:
    assert result.value is not None
    arms = tuple(replace(arm, **change) if arm.arm == "gig" else arm for arm in result.value.arms)
    return replace(result, value=replace(result.value, arms=arms))


@pytest.mark.parametrize("rate", [0.1444, 0.14449, 0.0062, 0.1250])
@pytest.mark.parametrize("change", [-0.01968, -0.0106, 0.0045])
def test_every_line_of_the_table_adds_up_as_printed(rate: float, change: float) -> None:
    html = page(with_rows(one_arm(outreach()), churn_90d=replace(CHURN, control=rate, point=change)))
    for _, _, without, with_, difference, _ in table(html, "change-table")[1:]:
        assert amount(without) + amount(difference) == pytest.approx(amount(with_), abs=1e-9)


def test_the_dots_and_the_table_say_the_same_number_of_customers() -> None:
    html = page(with_rows(one_arm(outreach()), churn_90d=replace(CHURN, control=0.1444, point=-0.01968)))
    assert "124 do with “Customer expert calls”" in words(html)
    assert table(html, "change-table")[1][2:5] == ["144", "124", "−20"]


def test_arms_whose_labels_begin_alike_are_told_apart() -> None:
    result = outreach()
    plan = plan_of_outreach()
    for name, arm in plan["design"]["treatment"]["arms"].items():
        arm["label"] = f"{'A person who knows the whole history of the household calls ' * 2}({name})"
    rows = table(page(replace(result, plan=plan)), "change-table")[1:4]
    assert [row[1][-5:] for row in rows] == ["(bot)", "(gig)", "gent)"]
    for arm in plan["design"]["treatment"]["arms"].values():
        arm["label"] = "Somebody calls"
    rows = table(page(replace(result, plan=plan)), "change-table")[1:4]
    assert [row[1] for row in rows] == ["bot", "gig", "agent"]


def test_a_loss_is_never_said_to_pay() -> None:
    """Savings on the control's cost bear some harm, and no more: they don't make a harmful arm pay."""
    result = priced(one_arm(outreach()), break_even=-0.0081)
    said = plain(money_sentence(Facts(result), "gig"))
    assert "pays as long as no more than 8.1 more customers in 1,000 leave within 90 days" in said
    assert "even without" not in said


def test_a_range_of_money_that_spans_zero_says_so_in_the_answer() -> None:
    said = [plain(line) for line in beside_the_answer(Facts(hold_may_not_pay()))]
    assert any("The range includes a loss." in line for line in said)
    assert not any("includes a" in plain(line) for line in beside_the_answer(Facts(outreach())))


@pytest.mark.parametrize(("cost", "said"), [(1.98, "2.0 more"), (-1.98, "2.0 less"), (0.0, "costs no more than")])
def test_contact_that_saves_money_is_not_said_to_cost(cost: float, said: str) -> None:
    html = words(page(priced(one_arm(outreach()), cost_per_customer=cost)))
    expected = said.replace("2.0", "EUR 1.98")
    assert expected in html
    assert "EUR −1.98" not in html


def test_the_return_has_its_range() -> None:
    found = evaluate({"a": {"low": 1.0, "cost": 4.0}}, "derived:percent_ratio(a.low,a.cost)")
    assert found == 25.0
    assert re.search(r"Return on contact cost: -?\d+ % \(range: \d+ % to \d+ %\)", words(page(outreach())))


def test_the_answer_names_whom_the_recommended_arm_harms() -> None:
    said = [plain(line) for line in beside_the_answer(Facts(outreach()))]
    assert any("reliably harms: tier is premium (20\N{NO-BREAK SPACE}% of these customers)" in line for line in said)


def test_every_other_arm_has_its_verdict_beside_the_answer_and_its_harm() -> None:
    result = outreach()
    harmful = tuple(
        replace(row, point=0.009, low=0.001, high=0.017)
        if (row.metric, row.arm, row.population, row.scale) == ("churn_90d", "bot", "all", "absolute")
        else row
        for row in result.effects
    )
    said = "\n".join(plain(line) for line in beside_the_answer(Facts(replace(result, effects=harmful))))
    assert "“Agent calls”: HOLD." in said
    assert "“Bot message”: HOLD." in said
    assert "about 9 more leave within 90 days with “Bot message”" in said


def test_a_null_comes_with_its_whole_range() -> None:
    for name in ("null_without_information", "stop_not_worthwhile"):
        answer = summary_text(SITUATIONS[name]()).splitlines()[1]
        assert re.search(r"plausible range: \d+ fewer to \d+ more per 1,000 customers", answer), answer


def test_a_guardrail_that_holds_an_arm_back_stands_beside_the_answer() -> None:
    said = "\n".join(plain(line) for line in beside_the_answer(Facts(SITUATIONS["guardrail_open"]())))
    assert "It is open whether “Customers who complain within 30 days”" in said


def test_what_nobody_looked_at_is_not_known() -> None:
    said = "\n".join(plain(line) for line in unknowns(Facts(outreach())))
    assert "What those who did not answer would say: “Satisfaction score (1-5)”" in said
    assert "Whether another way to analyse the same data would agree" in said
    tried = outreach(checks=(*worlds.CHECKS, worlds.check("agreement", "pass", "Two methods agree.")))
    assert "Whether another way" not in "\n".join(plain(line) for line in unknowns(Facts(tried)))


def test_money_that_nobody_approved_is_not_known() -> None:
    result = outreach()
    assert result.value is not None
    bare = replace(result, value=replace(result.value, approved_by=None, example_assumptions=False))
    assert any("nobody is on record" in plain(line) for line in unknowns(Facts(bare)))


@pytest.mark.parametrize(
    ("unit", "label", "noun"),
    [
        ("customer_id", "Customers who leave", "customers"),
        ("household_id", "Customers who leave", "households"),
        ("VOTER_ID", "Turnout", "voters"),
        (None, "People who give", "people"),
        (None, "Calls that were answered", "units"),
        ("rownames", "Reading score", "units"),
    ],
)
def test_the_page_counts_what_the_plan_counts(unit: str | None, label: str, noun: str) -> None:
    assert people_of({"data": {"unit": unit}, "metrics": {"success": [{"label": label}]}}).many == noun


def test_voters_are_not_called_customers() -> None:
    plan = plan_of_outreach()
    plan["data"] = {**plan["data"], "unit": "voter_id"}
    html = page(replace(outreach(), plan=plan))
    before = words(html.split('class="appendix"')[0].split("</style>")[1])
    ours = re.sub(r"“[^”]*”|Should we.*?\?", "", before)
    assert "Out of 1,000 voters" in before
    assert "What changed for voters" in before
    assert re.findall(r"\d customers|per 1,000 customers|customers analysed", ours) == []


def test_a_metric_that_is_money_has_its_currency() -> None:
    html = words(page(one_arm(outreach())))
    assert "about EUR 1.94 higher" in html
    assert "EUR 0.31 to 3.57 higher" in html
    plan = plan_of_outreach()
    plan["metrics"]["secondary"][0]["money"] = {"per_unit": 0.3}
    assert "about 1.9 higher" in words(page(replace(one_arm(outreach()), plan=plan)))


def test_a_missing_segment_value_is_called_missing() -> None:
    result = outreach()
    rows = tuple(replace(r, population=r.population.replace("tier=premium", "tier=")) for r in result.effects)
    html = page(replace(result, effects=rows))
    assert "Harmed: tier is missing" in words(html)
    appendix = html.split('segments-table">')[1]
    assert "tier</bdi> is missing</td>" in appendix


def many_segments(*, clear: bool) -> RunResult:
    result = one_arm(outreach())
    rows = [row for row in result.effects if row.population == "all"]
    for index in range(40):
        case = replace(CHURN, point=-0.09 if clear and index == 7 else -0.001, se=0.02)
        rows.append(estimate(case, "gig", population=f"city={index}", headline=False))
    return replace(result, effects=tuple(rows))


def test_of_many_segments_page_one_shows_those_that_differ() -> None:
    html = page(many_segments(clear=True))
    assert [row[0] for row in table(html, "segment-map")[1:]] == ["city is 7"]
    assert "In every other segment no arm makes a reliable difference" in words(html)
    assert html.split('segments-table">')[1].count("<tr data-row=") == 40
    none = page(many_segments(clear=False))
    assert "segment-map" not in none.split("</style>")[1]
    assert "In no segment does any arm make a reliable difference" in words(none)


def test_ranges_of_segments_and_of_money_say_their_level() -> None:
    html = words(page(outreach()))
    assert "with its range (96.9 %)" in html
    assert "by assumption, with its 95 % range" in html
    mixed = outreach()
    rows = tuple(replace(r, level=0.99) if r.population == "tier=plus" else r for r in mixed.effects)
    assert "(each at its own level, 96.9 % to 99 %" in words(page(replace(mixed, effects=rows)))


def test_no_check_of_robustness_is_said_in_plain_words() -> None:
    robustness = page(outreach()).split("Robustness</h3>")[1].split("</li>")[0]
    assert "neither for the answer nor against it" in robustness


def test_no_name_of_a_check_stands_in_what_we_do_not_know() -> None:
    said = "\n".join(plain(line) for line in unknowns(Facts(SITUATIONS["pilot_by_cap"]())))
    assert "Could not be checked (whether every window is over)" in said
    assert "maturity”" not in said


def test_the_footer_names_the_command_that_verifies() -> None:
    assert "cxcausal audit verify" in page(outreach())


def big() -> RunResult:
    """Nine metrics, four contrasts, eleven segments, on both scales: as large as the demonstration."""
    result = outreach()
    rows: list[Estimate] = list(result.effects)
    for index in range(9):
        case = Case(metric=f"a_metric_with_a_name_{index}", role="exploratory", control=0.2, point=0.01, se=0.0123456)
        for arm in ("bot", "gig", "agent", "gig"):
            for segment in range(11):
                row = estimate(case, arm, population=f"relationship=quiet_loyal_{segment}", headline=False)
                rows += [row, replace(row, scale="relative")]
    extra = [metric(f"a_metric_with_a_name_{index}", "proportion", "increase") for index in range(9)]
    plan = plan_of_outreach()
    plan["metrics"]["exploratory"] = extra
    return replace(result, effects=tuple(rows), plan=plan)


def test_a_large_report_stays_small_enough_to_mail() -> None:
    html = render_report(big(), ledger_head=worlds.HASH)
    assert html.count("<tr data-row=") > 400
    assert len(html.encode()) < FULL_SIZE


def test_long_tables_leave_their_common_columns_to_the_caption() -> None:
    html = page(one_arm(outreach()))
    caption = words(html.split('id="segments-table-caption">')[1].split("</caption>")[0])
    assert "against: none; scale: absolute; estimand: itt; method: difference_in_means" in caption
    head = table(html, "segments-table")[0]
    assert head[:4] == ["Metric", "Arm", "Population", "Estimate"]
    assert all(len(row) == len(head) for row in table(html, "segments-table"))


def test_a_screen_reader_hears_the_numbers_of_every_picture() -> None:
    pictures = [a["aria-label"] for t, a in read(page(outreach())).tags if t == "svg" and a.get("role") == "img"]
    dots, forest, money = pictures[0], pictures[1], pictures[-1]
    assert "131 do with “Customer expert calls”; 12 fewer than with “Business as usual”" in dots
    assert "Customer expert calls, −22 to −2" in forest
    assert "Net value EUR +35,000" in money


def test_a_harmful_arm_is_not_recommended_in_any_words() -> None:
    said = summary_text(stop_harmed())
    assert "about 12 more leave" in said
    assert "We recommend stopping" in said


def test_what_qualifies_every_interval_stands_on_page_one() -> None:
    narrow = "Intervals leave out the randomisation unit: they are too narrow, unless it plays no part."
    said = [plain(line) for line in unknowns(Facts(outreach(notes=(narrow, "Whom to contact is not valued."))))]
    assert narrow in said
    assert not any(line.startswith("Whom to contact") for line in said)


def test_ties_are_rounded_alike_in_pictures_tables_and_reasons() -> None:
    html = page(with_rows(one_arm(outreach()), churn_90d=replace(CHURN, control=0.262, point=-0.1685)))
    assert "about 169 fewer" in words(html)
    assert "93 do with “Customer expert calls”" in words(html)
    assert table(html, "change-table")[1][2:5] == ["262", "93", "−169"]
    assert number(168.5) == "169"
    assert number(1e40)[:1] == "1"
    assert format_number(-1e40, Style())[:2] == "−1"
