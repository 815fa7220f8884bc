"""Who responds and whom to contact where numbers are missing, words are hostile, or rules disagree."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import pytest

from cxcausal.core.results import RunResult
from cxcausal.core.whom import ArmHeterogeneity, CurvePoint, PolicyResult, PredictedGroup, Told
from cxcausal.report import render_report
from cxcausal.report.charts.curves import Axes, Curve, Single, Spot, Tick, curves
from cxcausal.report.facts import Facts
from cxcausal.report.sentences.targeting import claim_sentence, targeting_sentences
from cxcausal.report.text import FIXED_PHRASES, plain
from tests.report.reader import read
from tests.report.test_escaping import HOSTILE
from tests.report.test_honesty import table, words
from tests.report.test_numbers import agrees, quoted, recomputed
from tests.report.worlds_whom import in_people, pays, refused, told

Change = Callable[[Any], Any]


def policy_of(result: RunResult) -> PolicyResult:
    assert result.policy is not None
    return result.policy


def mapped(value: Any, change: Change) -> Any:
    """Return a record with every record, text and number inside it passed through a change, innermost first."""
    if isinstance(value, tuple):
        return tuple(mapped(one, change) for one in value)
    if isinstance(value, dict):
        return {change(name): mapped(one, change) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return change(
            replace(value, **{item.name: mapped(getattr(value, item.name), change) for item in fields(value)})
        )
    return change(value)


def changed(result: RunResult, change: Change) -> RunResult:
    return replace(result, policy=mapped(result.policy, change), heterogeneity=mapped(result.heterogeneity, change))


def blank(value: Any) -> Any:
    return Told() if isinstance(value, Told) else value


def bare(value: Any) -> Any:
    return Told(point=value.point) if isinstance(value, Told) else value


def flat(value: Any) -> Any:
    return Told(point=0.0, low=0.0, high=0.0) if isinstance(value, Told) else value


def huge(value: Any) -> Any:
    if isinstance(value, PredictedGroup):
        return replace(value, predicted=9e11)
    return told(1e12, 3e10) if isinstance(value, Told) else value


def without_curves(value: Any) -> Any:
    if isinstance(value, ArmHeterogeneity):
        return replace(value, uplift=(CurvePoint(share=1.0, gain=None),), groups=value.groups[:3], p_adjusted=None)
    return value


@pytest.mark.parametrize("build", [pays, in_people])
@pytest.mark.parametrize("change", [blank, bare, flat, huge, without_curves])
def test_numbers_that_are_missing_flat_or_huge_leave_a_page_whose_every_number_has_its_key(
    build: Callable[[], RunResult], change: Change
) -> None:
    result = changed(build(), change)
    page, tree = read(render_report(result, ledger_head=None)), {**result.to_dict(), "ledger_head": None}
    rest = "\n".join(page.rest)
    for phrase in FIXED_PHRASES:
        rest = rest.replace(phrase, "")
    assert re.findall(r".*\d.*", rest) == []
    assert [m for m in page.numbers if not agrees(m, recomputed(tree, m.attributes["data-key"]))] == []
    assert "nan" not in " ".join(a for _, tag in page.tags for a in tag.values())


def hostile(text: str) -> RunResult:
    """Return a result with hostile words in every place that data, columns and other engineers' reasons fill."""
    names = {"billing", "basic", "age_band", "65+", "tier: premium", "dr", "tree", "intent"}
    arms = {"none", "bot", "gig", "agent"}

    def swap(value: Any) -> Any:
        if not isinstance(value, str) or value in {"ok", "not_computed", "net_value", "churn_90d", "value", *arms}:
            return value
        return f"{text}{value}" if value in names else f"{text} {value}"

    result = changed(pays(), swap)
    policy = policy_of(result)
    rules = tuple(
        replace(rule, name=before.name) if before.name.startswith(("everybody", "nobody", "best", "current")) else rule
        for rule, before in zip(policy.policies, policy_of(pays()).policies, strict=True)
    )
    aims = tuple(
        replace(aim, aim=before.aim) for aim, before in zip(result.heterogeneity, pays().heterogeneity, strict=True)
    )
    return replace(
        result, policy=replace(policy, policies=rules, recommended="value", aim="net_value"), heterogeneity=aims
    )


@pytest.mark.parametrize("name", ["script", "image", "right_to_left", "control", "path"])
def test_hostile_words_add_no_element_and_arrive_as_they_are(name: str) -> None:
    tame = read(render_report(hostile("tame"), ledger_head=None))
    result = hostile(HOSTILE[name])
    page, tree = read(render_report(result, ledger_head=None)), {**result.to_dict(), "ledger_head": None}
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in tame.tags]
    assert [mark for mark in page.quotes if not quoted(tree, mark)] == []
    assert [m for m in page.numbers if not agrees(m, recomputed(tree, m.attributes["data-key"]))] == []


def test_a_range_above_zero_that_tries_do_not_bear_is_not_claimed() -> None:
    policy = policy_of(pays())
    said = plain(claim_sentence(Facts(replace(pays(), policy=replace(policy, targeting=False)))) or ())
    assert "is not shown to gain more" in said
    assert said.endswith("before the number of rules that were compared is allowed for.")


def test_targeting_that_pays_by_another_rule_than_the_recommended_is_told_of_that_rule() -> None:
    policy = policy_of(pays())
    swapped = replace(policy, recommended="current_rule")
    said = [plain(line) for line in targeting_sentences(Facts(replace(pays(), policy=swapped)))]
    assert "contacting those whose predicted gain is above zero gains" in said[0]
    assert said[1].startswith("The rule in use gains")
    assert not any(line.startswith("It gains") for line in said)


def test_without_a_rule_by_prediction_nothing_is_claimed() -> None:
    policy = policy_of(refused())
    simple = tuple(rule for rule in policy.policies if rule.name not in {"value", "tree", "limited"})
    said = [
        plain(line) for line in targeting_sentences(Facts(replace(refused(), policy=replace(policy, policies=simple))))
    ]
    assert claim_sentence(Facts(replace(refused(), policy=replace(policy, policies=simple)))) is None
    assert said[0].startswith("Giving everybody “Customer expert calls” gains")


def test_the_table_of_rules_tells_each_with_its_ranges_and_marks_the_recommended() -> None:
    html = render_report(pays(), ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")
    head, *rows = table(html, "rules-table")
    assert head == [
        *("Rule", "Against nobody", "Against the best single arm", "Against the rule in use", "Contacts", "Cost"),
        "Regret",
    ]
    assert rows[6] == [
        "All whose predicted gain is above zero (recommended)",
        *("+4.20 (+3.42 to +4.98)", "+1.90 (+0.92 to +2.88)", "+3.10 (+2.24 to +3.96)"),
        *("41 % “Customer expert calls”, 19 % “Agent calls”", "EUR 2.19", "0"),
    ]
    assert rows[7][1] == "not computed, because: the plan names no risk"
    assert len({len(row) for row in rows}) == 1


def test_who_responds_has_tests_a_board_and_what_it_rests_on() -> None:
    html = render_report(pays(), ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")
    first = table(html, "responders-table-aim0")[1]
    assert first[:5] == [
        *("Customer expert calls", "45,037", "+2.00 (+1.22 to +2.78)", "0.80 (0.51 to 1.09)", "+6.40 (+4.64 to +8.16)"),
    ]
    assert first[-2:] == ["&lt; 0.001", "0.001"]
    assert table(html, "effect-learners-table-aim0")[2] == ["DR learner", "−0.41 %", "60 %"]
    assert table(html, "drivers-table-aim0")[1] == ["intent", "61 %"]
    said = words(html)
    assert (
        "“Customer expert calls”: customers respond differently, and predictions tell who (adjusted p 0.001)." in said
    )
    assert "“Agent calls”: predictions are not shown to tell who responds more (adjusted p 0.820)." in said


def spoken(result: RunResult) -> list[str]:
    html = render_report(result, ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")
    return [tag["aria-label"] for name, tag in read(html).tags if name == "svg" and tag.get("role") == "img"]


def test_a_screen_reader_hears_budgets_groups_and_uplift() -> None:
    heard = "\n".join(spoken(pays()))
    assert "a budget of 1.1 gains +2.97 by prediction and +1.00 by lot" in heard
    assert "Most promising fifth, predicted +6.00, +4.02 to +6.38" in heard
    assert "50 % contacted gain +2.00" in heard


@pytest.mark.parametrize("term", ["Held-out", "RATE", "Qini", "AUUC", "GATES", "Policy value", "Regret", "Frontier"])
def test_the_words_are_in_the_glossary_where_they_are_used(term: str) -> None:
    assert f"<dt>{term}</dt>" in render_report(pays(), ledger_head=None)


def spots(*heights: float, half: float = 1.0) -> tuple[Spot, ...]:
    return tuple(Spot(x=at, y=y, low=y - half, high=y + half) for at, y in enumerate(heights))


def chart(*lines: Curve, singles: tuple[Single, ...] = ()) -> str:
    ticks = tuple(Tick(at=at, words=(f"t{at}",)) for at in range(40))
    return curves(
        lines, singles, Axes(across=("x",), upwards=("y",), x=ticks, y=(Tick(at=3.0, words=("top",)),)), "said"
    )


def path(svg: str, name: str) -> list[tuple[float, float]]:
    (found,) = re.findall(rf'<path d="([^"]*)" class="{name}"', svg)
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", found)]


def test_the_band_holds_its_line_and_all_stay_within_the_frame() -> None:
    svg = chart(
        Curve(name=("a",), spots=spots(0.0, 2.0, 3.0)), Curve(name=("b",), spots=spots(0.0, 1.0, 2.0), dashed=True)
    )
    line, band = path(svg, "line"), path(svg, "band")
    highs, lows = band[:3], band[:2:-1]
    assert [x for x, _ in highs] == [x for x, _ in line] == [x for x, _ in lows]
    assert all(high < y < low for (_, high), (_, y), (_, low) in zip(highs, line, lows, strict=True))
    assert all(66 <= x <= 336 and 20 <= y <= 210 for x, y in (*line, *band, *path(svg, "dashed")))
    steps = [b[1] - a[1] for a, b in pairwise(line)]
    assert steps[0] == pytest.approx(2 * steps[1], abs=0.2)


def test_names_of_lines_that_end_together_and_ticks_that_crowd_stay_apart() -> None:
    svg = chart(Curve(name=("a",), spots=spots(0.0, 2.0)), Curve(name=("b",), spots=spots(0.0, 2.0), dashed=True))
    names = [float(y) for y in re.findall(r'<text x="344" y="([\d.]+)" class="row-label"', svg)]
    assert abs(names[0] - names[1]) >= 15
    ticks = sorted(float(x) for x in re.findall(r'<text x="([\d.]+)" y="226"', svg))
    assert len(ticks) > 1
    assert min(b - a for a, b in pairwise(ticks)) >= 52


def test_a_line_without_ranges_has_no_band_and_a_single_point_its_whisker() -> None:
    bare_spots = tuple(Spot(x=at, y=float(at)) for at in range(3))
    single = Single(name=("now",), spot=Spot(x=1.0, y=1.0, low=0.5, high=1.5))
    svg = chart(Curve(name=("a",), spots=bare_spots), singles=(single,))
    assert 'class="band"' not in svg
    assert svg.count('class="whisker"') == svg.count('class="spot"') == 1


def test_where_the_plan_knows_no_costs_budgets_are_contacts() -> None:
    result = in_people()
    treatment = result.plan["design"]["treatment"]
    arms = {name: {"label": arm["label"]} for name, arm in treatment["arms"].items()}
    plan = {**result.plan, "design": {**result.plan["design"], "treatment": {**treatment, "arms": arms}}}
    costless = render_report(replace(result, plan=plan), ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")
    priced = render_report(result, ledger_head=None).replace("\N{NO-BREAK SPACE}", " ")
    assert "budget per customer, in contacts" in costless
    assert [row[0] for row in table(costless, "frontier-table")[1:3]] == ["0", "0.55"]
    assert "budget per customer, in EUR" in priced
    assert [row[0] for row in table(priced, "frontier-table")[1:3]] == ["EUR 0", "EUR 0.55"]
