"""Checks on outcomes: maturity, missing values, and arms too small for averages."""

import numpy as np
import pytest

from cxcausal.checks.differential_missingness import DifferentialMissingness
from cxcausal.checks.maturity import Maturity
from cxcausal.checks.missing_outcome import MissingOutcome
from cxcausal.checks.tiny_arm import TinyArm
from cxcausal.core.answers import Array, Moments
from cxcausal.core.queries import FlowQuery, MissingQuery, MomentQuery, Query
from cxcausal.core.results import CheckResult, CheckVerdict, OnBreach
from cxcausal.core.spec.models import ExperimentSpec
from tests.checks.worlds import CHURN, CSAT, SPEND, flow, moments, plan, rate, told

BREACHES: list[tuple[OnBreach, CheckVerdict]] = [("fail", "fail"), ("warn", "warn"), ("skip", "info")]
WINDOWED = {"success": [{**CHURN, "window": {"start": "0d", "end": "90d"}}]}
TIMES = {"time_zero": "assigned_at", "observed_until": "extracted_at"}
WAITING = flow(
    400,
    25,
    enrolled=600,
    immature=175,
    immature_by_arm={"none": 100, "gig": 75},
    matures_on="2026-12-20",
)


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_maturity_breaches_where_too_few_remain(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    spec = plan(metrics=WINDOWED, data=TIMES)
    found = Maturity(on_breach=on_breach).judge(spec, told({FlowQuery(): WAITING}))
    assert (found.verdict, found.value, found.threshold) == (verdict, 25.0, 30.0)
    assert found.text == (
        "175 of 600 units have not completed their observation window and are left out; the smallest arm among theirs, "
        "'Expert calls', keeps 25 (needed: 30). The last will be complete on 2026-12-20."
    )
    assert Maturity(min_units=25).judge(spec, told({FlowQuery(): WAITING})).verdict == "pass"


def test_maturity_passes() -> None:
    spec = plan(metrics=WINDOWED, data=TIMES)
    assert Maturity().queries(spec) == (FlowQuery(),)
    assert Maturity().queries(plan()) == ()
    assert Maturity().judge(plan(), {}).verdict == "pass"
    unnamed = flow(400, 5, immature_by_arm={}, analysed_by_arm={})
    assert Maturity().judge(spec, told({FlowQuery(): unnamed})).verdict == "pass"
    nobody = flow(400, 0, immature=9, immature_by_arm={"gig": 9}, analysed_by_arm={"none": 400})
    assert Maturity(min_units=1).judge(spec, told({FlowQuery(): nobody})).value == 0.0
    complete = Maturity().judge(spec, told({FlowQuery(): flow(400, 5)}))
    assert (complete.verdict, complete.text) == ("pass", "All 405 units completed their observation window.")


@pytest.mark.parametrize("given", [{}, {"time_zero": "assigned_at"}, {"observed_until": "2026-11-01"}])
def test_maturity_could_not_run_without_times(given: dict[str, str]) -> None:
    found = Maturity().judge(plan(metrics=WINDOWED, data=given), told({FlowQuery(): flow()}))
    assert found.verdict == "could_not_run"
    assert found.text.startswith("The plan doesn't say when units entered")


def test_maturity_could_not_run_where_the_data_do_not_tell() -> None:
    answers = told({FlowQuery(): flow(maturity_known=False)})
    assert Maturity().judge(plan(metrics=WINDOWED, data=TIMES), answers).verdict == "could_not_run"


SURVEYED = {"success": [CHURN, SPEND], "guardrails": [CSAT]}


def missing(check: MissingOutcome | DifferentialMissingness, **counts: dict[str, tuple[int, int]]) -> CheckResult:
    spec = plan(metrics=SURVEYED)
    usual = {"none": (1000, 0), "gig": (1000, 0)}
    asked = [query for query in check.queries(spec) if isinstance(query, MissingQuery)]
    return check.judge(spec, told({query: counts.get(query.measure.name, usual) for query in asked}))


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_missing_outcome_names_metric_arm_and_share(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = missing(
        MissingOutcome(on_breach=on_breach),
        churn={"none": (1000, 100), "gig": (1000, 0)},
        spend={"none": (1000, 40), "gig": (1000, 251)},
    )
    assert (found.verdict, found.value, found.threshold) == (verdict, 0.251, 0.2)
    assert found.text == "At most 25.1 % of the values are missing: 'Spend' in the arm 'Expert calls' (limit: 20 %)."


def test_missing_outcome_passes_at_the_limit_and_leaves_surveys_out() -> None:
    assert missing(MissingOutcome(), spend={"none": (10, 2), "gig": (10, 0)}).verdict == "pass"
    assert missing(MissingOutcome(), csat={"none": (10, 9), "gig": (10, 9)}).text == "No outcome value is missing."
    asked = MissingOutcome().queries(plan(metrics=SURVEYED))
    assert [query.measure.name for query in asked if isinstance(query, MissingQuery)] == ["churn", "spend"]


def test_missing_outcome_could_not_run_without_units() -> None:
    empty = {"none": (0, 0), "gig": (0, 0)}
    assert missing(MissingOutcome(), churn=empty, spend=empty).verdict == "could_not_run"


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_differential_missingness_sees_who_answers(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    check = DifferentialMissingness(on_breach=on_breach)
    found = missing(check, csat={"none": (1000, 700), "gig": (1000, 600)})
    assert found.verdict == verdict
    # χ² = 2 · 50² / (1000 · .65 · .35) = 21.978, its p-value 2.7577e-6, three metrics
    assert found.p == pytest.approx(3 * 2.7577e-6, rel=1e-3)
    assert found.text == (
        "'csat' is unknown for 70 % of 'none', 60 % of 'Expert calls'. Chance makes the arms differ this much "
        "about once in 120,000 times, so those whose answer is known may not be alike."
    )


def test_differential_missingness_passes() -> None:
    for same in ({"none": (1000, 700), "gig": (500, 350)}, {"none": (9, 9), "gig": (9, 9)}):
        found = missing(DifferentialMissingness(), csat=same)
        assert (found.verdict, found.p) == ("pass", 1.0)
    assert (
        missing(DifferentialMissingness(alpha=1e-6), csat={"none": (1000, 700), "gig": (1000, 600)}).verdict == "pass"
    )


def test_differential_missingness_could_not_run_with_one_arm() -> None:
    one = {"none": (1000, 10), "gig": (0, 0)}
    assert missing(DifferentialMissingness(), churn=one, spend=one, csat=one).verdict == "could_not_run"


def tiny(
    *, churn: tuple[Moments, Moments] | None = None, check: TinyArm | None = None, arms: tuple[int, int] = (500, 500)
) -> CheckResult:
    cells = churn or (rate(500, 70), rate(500, 60))
    return _tiny(plan(), {"churn": cells}, check=check or TinyArm(), arms=arms)


def _tiny(
    spec: ExperimentSpec, cells: dict[str, tuple[Moments, Moments]], *, check: TinyArm, arms: tuple[int, int]
) -> CheckResult:
    answers: dict[Query, object] = {FlowQuery(): flow(*arms)}
    for query in check.queries(spec):
        if isinstance(query, MomentQuery):
            none, gig = cells[query.measure.name]
            answers[query] = {("none", ()): none, ("gig", ()): gig}
    return check.judge(spec, told(answers))


def test_tiny_arm_passes() -> None:
    found = tiny(arms=(500, 450))
    assert (found.verdict, found.value, found.threshold) == ("pass", 450.0, 30.0)
    assert found.text == "Every arm is large enough; the smallest has 450 units."
    assert tiny(arms=(30, 500)).verdict == "pass"
    assert tiny(churn=(rate(500, 5), rate(500, 495))).verdict == "pass"


@pytest.mark.parametrize(("on_breach", "verdict"), BREACHES)
def test_tiny_arm_needs_units(on_breach: OnBreach, verdict: CheckVerdict) -> None:
    found = tiny(arms=(500, 29), check=TinyArm(on_breach=on_breach))
    assert (found.verdict, found.value, found.threshold) == (verdict, 29.0, 30.0)
    assert found.text == "Too little to trust averages: the arm 'Expert calls' has 29 units (needed: 30)."


def test_tiny_arm_needs_events_and_non_events() -> None:
    events = tiny(churn=(rate(500, 70), rate(500, 4)))
    assert (events.verdict, events.value, events.threshold) == ("fail", 4.0, 5.0)
    assert events.text == ("Too little to trust averages: 'churn' is true for 4 units of 'Expert calls' (needed: 5).")
    others = tiny(churn=(rate(500, 496), rate(500, 70)))
    assert others.text == "Too little to trust averages: 'churn' is not true for 4 units of 'none' (needed: 5)."
    assert tiny(churn=(rate(500, 70), rate(500, 4)), check=TinyArm(min_events=4)).verdict == "pass"


def test_tiny_arm_counts_buyers_of_spend_but_not_zeros_of_scores() -> None:
    spec = plan(metrics={"success": [SPEND], "guardrails": [{**CSAT, "response": None}]})
    cells = {"spend": (moments(500, 2, 1, 4), moments(500, 2, 1)), "csat": (moments(500, 4, 1, 0), moments(90, 4, 1))}
    found = _tiny(spec, cells, check=TinyArm(), arms=(500, 500))
    assert found.text == ("Too little to trust averages: 'Spend' is other than zero for 4 units of 'none' (needed: 5).")


def test_tiny_arm_sees_an_outcome_that_does_not_vary() -> None:
    spec = plan(metrics={"success": [SPEND]})
    same = _tiny(spec, {"spend": (moments(500, 2, 0), moments(500, 3, 0))}, check=TinyArm(), arms=(500, 500))
    assert (same.verdict, same.text) == ("fail", "Too little to trust averages: 'Spend' does not vary within any arm.")
    one = _tiny(spec, {"spend": (moments(500, 2, 0), moments(500, 3, 1))}, check=TinyArm(), arms=(500, 500))
    assert one.verdict == "pass"


def test_tiny_arm_sees_a_ratio_that_does_not_vary() -> None:
    ratio = {"name": "aov", "type": "ratio", "numerator": "r", "denominator": "d", "desired_direction": "increase"}
    orders = np.array([1.0, 2.0, 3.0, 4.0] * 25)

    def cell(revenue: Array) -> Moments:
        rows = np.column_stack([revenue, orders])
        away = rows - rows.mean(axis=0)
        return Moments(n=100, mean=rows.mean(axis=0), m2=away.T @ away, events=100)

    constant, varying = cell(7.1 * orders), cell(7.1 * orders + np.tile([0.1, -0.1], 50))
    spec = plan(metrics={"success": [ratio]})
    minute = cell(1e-9 * (orders + np.tile([0.1, -0.1], 50)))
    assert _tiny(spec, {"aov": (minute, minute)}, check=TinyArm(), arms=(100, 100)).verdict == "pass"
    assert _tiny(spec, {"aov": (constant, constant)}, check=TinyArm(), arms=(100, 100)).verdict == "fail"
    assert _tiny(spec, {"aov": (constant, varying)}, check=TinyArm(), arms=(100, 100)).verdict == "pass"


def test_tiny_arm_names_three_shortages_and_counts_the_rest() -> None:
    spec = plan(metrics={"success": [CHURN, SPEND]})
    cells = {"churn": (rate(20, 1), rate(20, 19)), "spend": (moments(20, 0, 0, 0), moments(20, 1, 1, 2))}
    found = _tiny(spec, cells, check=TinyArm(), arms=(20, 20))
    assert found.text.endswith("'churn' is true for 1 unit of 'none' (needed: 5) and 3 more shortages.")
    assert found.value == 20.0
    three = {"churn": (rate(20, 10), rate(20, 2)), "spend": (moments(20, 1, 1), moments(20, 1, 1))}
    few = _tiny(spec, three, check=TinyArm(), arms=(20, 20))
    assert few.text.endswith("(needed: 30) and 'churn' is true for 2 units of 'Expert calls' (needed: 5).")


def test_tiny_arm_counts_the_units_behind_a_quantile() -> None:
    quantile = {"name": "p90", "type": "quantile", "q": 0.9, "column": "spend", "desired_direction": "increase"}
    spec = plan(metrics={"success": [CHURN, quantile]})
    assert [type(query) for query in TinyArm().queries(spec)] == [FlowQuery, MomentQuery, MomentQuery]
    churn = (rate(100, 50), rate(100, 50))
    few = _tiny(spec, {"churn": churn, "p90": (moments(3, 9, 9), moments(90, 9, 9))}, check=TinyArm(), arms=(100, 100))
    assert few.text.startswith("Too little to trust averages: 'p90' is known for 3 units")
    rare = {"churn": churn, "p90": (moments(90, 9, 9, 1), moments(90, 9, 9, 1))}
    assert _tiny(spec, rare, check=TinyArm(), arms=(100, 100)).verdict == "pass"


def test_tiny_arm_could_not_run_without_units() -> None:
    assert tiny(arms=(0, 0)).verdict == "could_not_run"
