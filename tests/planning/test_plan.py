"""What planning asks of every comparison, and when it says that the question can't be answered."""

from typing import Any

import pytest

from cxcausal.core.errors import PlanError, UsageError
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.planning.assumptions import Assumptions, check
from cxcausal.planning.moments import stated_bases, whole_cluster
from cxcausal.planning.plan import compute, horizon_of, refuse_unplannable
from cxcausal.planning.result import PlanResult, PowerRow
from cxcausal.stats.power import Setting, Test, power
from tests.planning.plans import CHURN, CSAT, MARGIN, plan

KNOWN: dict[str, Any] = {"base": {"churn": 0.14, "csat": 3.8}, "sd": {"csat": 1.2, "margin": 60.0}}


def _planned(spec: ExperimentSpec, **stated: Any) -> PlanResult:
    names = {metric.name for _, metric in spec.metrics.with_roles()}
    known = {option: {name: x for name, x in by.items() if name in names} for option, by in KNOWN.items()}
    assumptions = Assumptions(**{**known, **stated})
    check(assumptions, spec)
    return compute(spec, "h", stated_bases(spec, assumptions), horizon_of(spec, assumptions, None))


def _row(result: PlanResult, metric: str, arm: str = "gig") -> PowerRow:
    return next(row for row in result.rows if (row.metric, row.arm) == (metric, arm))


def test_success_is_tested_at_holms_first_step_and_guardrails_at_their_part_of_beta() -> None:
    result = _planned(plan(), units=26_000)
    churn, csat, margin = (_row(result, name) for name in ("churn", "csat", "margin"))
    assert (churn.alpha, churn.sides, churn.power_asked) == (0.025, 2, 0.8)
    assert (csat.alpha, csat.sides) == (0.05, 1)
    assert csat.power_asked == pytest.approx(0.9)
    assert (margin.alpha, margin.sides, margin.power_asked, margin.power) == (0.05, 2, 0.8, None)
    setting = Setting(base=0.14, variance=0.1204, binary=True, treated=0.25, control=0.5)
    assert churn.power == pytest.approx(power(setting, Test(alpha=0.025), 26_000, -0.015), abs=1e-12)
    assert [row.role for row in result.rows] == ["success"] * 2 + ["guardrail"] * 2 + ["secondary"] * 2


def test_without_holm_every_test_stands_at_alpha() -> None:
    assert _row(_planned(plan(analysis={"multiplicity": "none"}), units=10), "churn").alpha == 0.05


def test_an_answerable_question() -> None:
    result = _planned(plan(), units=60_000, units_per_week=2_000.0)
    assert result.answer == "answerable"
    churn = _row(result, "churn")
    assert churn.units_needed is not None
    assert churn.weeks_needed == -(-churn.units_needed // 2_000) + 13
    needed = max(row.units_needed or 0 for row in result.rows)
    assert result.sentence.startswith(f"This experiment can answer the question: {needed:,} units")
    assert result.reasons == ()


def test_a_question_that_can_not_be_answered_says_why_once_for_arms_alike() -> None:
    result = _planned(plan(), units=4_000)
    assert result.answer == "cannot_answer"
    assert result.sentence.startswith("This experiment cannot answer the question, because with 4,000 units a change ")
    assert [("'gig' and 'agent'" in reason, "churn" in reason) for reason in result.reasons] == [
        (True, True),
        (True, False),
    ]


def test_a_guardrail_alone_can_forbid_the_answer() -> None:
    result = _planned(plan(), units=60_000, response={"csat": 0.01})
    assert result.answer == "cannot_answer"
    assert len(result.reasons) == 1
    assert "a loss of 0.1 in 'csat'" in result.reasons[0]
    assert _row(result, "csat").share_with_value == 0.01


def test_an_effect_larger_than_its_base_is_out_of_reach() -> None:
    result = _planned(plan(), base={"churn": 0.01}, units=10**6)
    assert result.answer == "cannot_answer"
    assert "out of reach" in result.sentence
    assert _row(result, "churn").units_needed is None


def test_what_is_missing_is_named_and_is_no_answer() -> None:
    result = _planned(plan(), sd={}, units=10**6)
    assert result.answer == "not_known"
    assert "state --sd csat=…" in result.sentence
    assert (_row(result, "csat").status, _row(result, "churn").status) == ("not_computed", "ok")
    assert _planned(plan()).answer == "not_known", "nobody said how many units there are"


def test_success_without_a_size_is_not_known() -> None:
    result = _planned(plan(metrics={"success": [CHURN]}), units=10**6)
    assert result.answer == "not_known"
    assert "mde" in result.sentence


def test_the_worthwhile_effect_stands_in_for_the_mde() -> None:
    worthwhile = {"minimum_worthwhile_effect": {"metric": "churn", "relative": 0.1}}
    row = _row(_planned(plan(metrics={"success": [CHURN]}, decision=worthwhile), units=10), "churn")
    assert row.size == pytest.approx(0.014)
    assert row.size_from == "minimum_worthwhile_effect"


def test_relative_margins_scale_with_the_base() -> None:
    guards = [{**CSAT, "margin": {"relative": 0.05}}]
    spec = plan(metrics={"success": [CHURN], "guardrails": guards})
    row = _row(_planned(spec, units=8_000), "csat")
    assert row.size == pytest.approx(0.19)
    setting = Setting(base=3.8, variance=1.44, treated=0.25, control=0.5)
    assert row.power == pytest.approx(power(setting, Test(alpha=0.05, sides=1, ratio=0.95), 8_000, 0.19), abs=1e-12)
    unknown = _row(_planned(spec, base={"churn": 0.1}, units=8_000), "csat")
    assert unknown.status == "not_computed"


def test_households_need_their_correlation() -> None:
    spec = plan(data={"source": "x.csv", "unit": "customer_id", "randomization_unit": "household_id"})
    assert whole_cluster(spec) == "household_id"
    assert "--icc" in str(_row(_planned(spec, units=10**6), "churn").reason)
    row = _row(_planned(spec, units=10**6, icc={"": 0.02}, cluster_size=2.1), "churn")
    assert row.design_effect == pytest.approx(1 + 1.1 * 0.02)
    assert whole_cluster(plan(data={"source": "x.csv", "unit": "id", "cluster": "agent_id"})) is None


def test_a_covariate_helps_and_a_note_says_what_it_takes() -> None:
    plain, helped = _planned(plan(), units=9_000), _planned(plan(), units=9_000, rho={"margin": 0.6})
    before, after = _row(plain, "margin").smallest, _row(helped, "margin").smallest
    assert before is not None
    assert after == pytest.approx(0.8 * before, rel=1e-3)
    assert plain.notes == ()
    assert "adjusted" in helped.notes[0]


@pytest.mark.parametrize(
    ("stated", "horizon", "units", "source"),
    [
        ({"units": 5}, {"units": 7}, 5, "stated"),
        ({}, {"units": 7}, 7, "analysis.horizon"),
        ({"units_per_week": 10.0, "weeks": 3}, None, 30, "units per week × weeks"),
        ({}, None, 99, "as many as in the past data"),
    ],
)
def test_where_the_planned_units_come_from(stated: Any, horizon: Any, units: int, source: str) -> None:
    spec = plan(analysis={"horizon": horizon} if horizon else {})
    found = horizon_of(spec, Assumptions(**stated), 99)
    assert (found.units, found.units_from, found.window_days) == (units, source, 90)


def test_stated_numbers_are_checked_together() -> None:
    wrong = Assumptions(base={"churm": 0.1, "churn": 14.0}, icc={"": 2.0}, cluster_size=0.5)
    with pytest.raises(UsageError) as told:
        check(wrong, plan())
    assert [problem.where for problem in told.value.problems] == ["--base", "--icc", "--cluster-size", "--base"]
    assert "did you mean 'churn'?" in told.value.problems[0].mend


def test_designs_without_power_are_refused() -> None:
    spec = plan()
    threshold = spec.model_copy(update={"design": spec.design.model_copy(update={"type": "threshold"})})
    with pytest.raises(PlanError, match="threshold"):
        refuse_unplannable(threshold)
    refuse_unplannable(spec)


def test_curves_reach_beyond_what_is_needed_and_rise() -> None:
    result = _planned(plan(), units=26_000)
    assert {(curve.metric, curve.arm) for curve in result.curves} == {
        (metric, arm) for metric in ("churn", "csat") for arm in ("gig", "agent")
    }
    for curve in result.curves:
        assert list(curve.power) == sorted(curve.power)
        assert curve.units[-1] >= 2 * 26_000
    assert MARGIN["name"] not in {curve.metric for curve in result.curves}
