"""Surveys whose bounds leave open what the answers seem to say: at most a pilot, and the arm's reason says why."""

from typing import Any

import pytest

from cxcausal.core.results import Estimate
from cxcausal.decision.verdict import Decision, decide
from tests.decision.worlds import CHURN, CSAT, plan, row

MOOD = {**CSAT, "name": "mood", "response": "answered", "margin": None}
GUARD = {**CSAT, "response": "answered"}


def lee(metric: str, low: float, high: float, **more: Any) -> Estimate:
    ends = {"point": None, "set_low": low, "set_high": high}
    names = {"method": "lee_bounds", "companion": True, "headline": False}
    return row(metric, low - 0.1, high + 0.1, **{**ends, **names, **more})


def decided(*rows: Estimate, success: Any = (MOOD,), guardrails: Any = (), registered: bool = True) -> Decision:
    spec = plan(metrics={"success": list(success), "guardrails": list(guardrails)})
    return decide(spec, rows, (), None, registered=registered, design_grade="A")


def mood(low: float, high: float, **more: Any) -> Estimate:
    return row("mood", low, high, role="success", headline=True, **more)


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [((0.05, 0.5), "ship"), ((0.0, 0.5), "pilot"), ((-0.2, 0.5), "pilot"), ((-0.5, -0.1), "pilot")],
)
def test_a_set_that_does_not_bear_the_effect_caps_the_verdict(ends: tuple[float, float], verdict: str) -> None:
    found = decided(mood(0.1, 0.4), lee("mood", *ends))
    assert found.verdict == verdict
    capped = verdict == "pilot"
    assert (found.capped_by is not None) == capped
    assert ("those who answered may not be alike: the bounds of 'mood'" in found.arms["gig"].reason) == capped
    assert found.arms["gig"].capped_from == ("ship" if capped else None)


def test_a_metric_that_is_better_when_it_falls_is_read_the_same_way() -> None:
    churn = {**CHURN, "response": "answered"}
    rows = (row("churn", -0.3, -0.1, headline=True), lee("churn", -0.4, 0.1))
    assert decided(*rows, success=[churn]).verdict == "pilot"
    assert decided(rows[0], lee("churn", -0.4, -0.05), success=[churn]).verdict == "ship"


@pytest.mark.parametrize(("worst", "verdict"), [(-0.04, "ship"), (-0.05, "pilot"), (-0.3, "pilot")])
def test_a_guardrail_inside_its_margin_whose_set_reaches_it_caps_too(worst: float, verdict: str) -> None:
    rows = (row("churn", -0.3, -0.1, headline=True), row("csat", -0.02, 0.1), lee("csat", worst, 0.2))
    assert decided(*rows, success=[CHURN], guardrails=[GUARD]).verdict == verdict


def test_a_relative_margin_is_taken_of_the_controls_mean() -> None:
    guard = {**GUARD, "margin": {"relative": 0.1}}
    rows = [row("churn", -0.3, -0.1, headline=True), row("csat", -0.2, 0.1, mean_control=4.0)]
    rows.append(row("csat", -0.05, 0.02, scale="relative", mean_control=4.0))
    for worst, verdict in ((-0.39, "ship"), (-0.41, "pilot")):
        assert decided(*rows, lee("csat", worst, 0.2), success=[CHURN], guardrails=[guard]).verdict == verdict


def test_only_that_arm_is_capped() -> None:
    rows = [mood(0.1, 0.4), lee("mood", -0.2, 0.5)]
    rows += [mood(0.1, 0.3, arm="agent"), lee("mood", 0.05, 0.5, arm="agent")]
    found = decided(*rows)
    assert (found.arms["gig"].verdict, found.arms["agent"].verdict) == ("pilot", "ship")
    assert (found.recommended_arm, found.capped_by) == ("agent", None)


def test_both_reasons_are_told_where_the_plan_was_late_as_well() -> None:
    found = decided(mood(0.1, 0.4), lee("mood", -0.2, 0.5), registered=False)
    assert "not registered before the data; also, those who answered may not be alike" in str(found.capped_by)


def test_without_a_response_or_a_set_nothing_is_capped() -> None:
    assert decided(mood(0.1, 0.4), lee("mood", -0.2, 0.5), success=[{**MOOD, "response": None}]).verdict == "ship"
    unknown = lee("mood", -0.2, 0.5, set_low=None, set_high=None, status="not_computed")
    assert decided(mood(0.1, 0.4), unknown).verdict == "ship"


def test_within_epochs_where_no_bounds_are_told_a_survey_bears_no_more_than_a_pilot() -> None:
    shares = {"none": "1/2", "gig": "1/4", "agent": "1/4"}
    ramp = {"epochs": [{"from": "2026-01-01", "shares": shares}, {"from": "2026-02-01", "shares": shares}]}
    spec = plan(metrics={"success": [MOOD]})
    ramped = spec.model_copy(update={"design": type(spec.design).model_validate({**spec.design.model_dump(), **ramp})})
    rows = (mood(0.1, 0.4),)
    verdicts = [decide(each, rows, (), None, registered=True, design_grade="A").arms["gig"] for each in (spec, ramped)]
    assert [found.verdict for found in verdicts] == ["ship", "pilot"]
    assert "who answered 'mood' is not told apart from when customers were enrolled" in verdicts[1].reason


def test_a_verdict_that_is_no_better_than_the_cap_stays() -> None:
    found = decided(mood(-0.1, 0.4), lee("mood", -0.2, 0.5))
    assert (found.verdict, found.capped_by) == ("hold", None)
