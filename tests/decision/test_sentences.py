"""Effects and what a study could have detected, in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cxcausal.core.results import Estimate, Range
from cxcausal.core.spec.models import ExperimentSpec, Metric
from cxcausal.decision.evidence import evidence_of
from cxcausal.decision.sentences import detectable_text, effect_text, money_text
from tests.decision.worlds import CHURN, MINUTES, plan, row

RELATIVE = "fraction of the control's mean"
COULD = " The study could only detect a change of 5.6 per 1,000 customers or more"


def told(found: Estimate, metric: Mapping[str, Any] = CHURN) -> str:
    return effect_text(Metric.model_validate(metric), found)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (row("churn", -0.01, 0.01), "0 more per 1,000 customers (plausible range: 10 fewer to 10 more)"),
        (row("churn", 0.0, 0.01), "5 more per 1,000 customers (plausible range: 0 to 10 more)"),
        (row("churn", -0.01, 0.0), "5 fewer per 1,000 customers (plausible range: 0 to 10 fewer)"),
        (
            row("churn", -0.01, -0.002, unit="share of respondents"),
            "6 fewer per 1,000 respondents (plausible range: 2 to 10 fewer)",
        ),
    ],
)
def test_shares_are_told_per_thousand(found: Estimate, text: str) -> None:
    assert told(found) == f"'churn' shows {text}"


def test_means_are_told_in_their_unit_and_relative_rows_in_percent() -> None:
    assert told(row("minutes", -0.4, 0.2), MINUTES) == (
        "'Handling time' is 0.1 min per customer lower (plausible range: 0.4 lower to 0.2 higher)"
    )
    unnamed = told(row("minutes", 1.0, 3.0, unit=""), MINUTES)
    assert unnamed == "'Handling time' is 2 higher (plausible range: 1 to 3 higher)"
    assert told(row("churn", 0.01, 0.03, scale="relative", unit=RELATIVE)) == (
        "'churn' is 2 % higher (plausible range: 1 % to 3 % higher)"
    )


def detected(spec: ExperimentSpec, found: Estimate) -> str:
    return detectable_text(evidence_of(spec, "gig", [found], (), None), spec.metrics.success[0], found)


def planned(**mde: float) -> ExperimentSpec:
    return plan(metrics={"success": [{**CHURN, "mde": mde or None}]})


def test_a_relative_plan_is_told_on_the_control_s_level() -> None:
    # 0.02 of 143 in 1,000 is 2.86; units grow by (5.6 / 2.86)²
    assert detected(planned(relative=0.02), row("churn", -0.007, 0.001)) == (
        f"{COULD}; about 58,000 units in these two arms instead of 15,000 would bring this to the planned 2.86."
    )


def test_without_a_planned_effect_the_worthwhile_one_counts_if_it_is_this_metric_s() -> None:
    found = row("churn", -0.007, 0.001)
    assert detected(planned(), found) == f"{COULD}."
    worthwhile = {"minimum_worthwhile_effect": {"metric": "churn", "absolute": 0.0028}}
    spec = plan(metrics={"success": [{**CHURN, "mde": None}]}, decision=worthwhile)
    assert detected(spec, found) == (
        f"{COULD}; about 60,000 units in these two arms instead of 15,000 would bring this to the planned 2.8."
    )
    other = plan(
        metrics={"success": [{**CHURN, "mde": None}], "secondary": [{**CHURN, "name": "late"}]},
        decision={"minimum_worthwhile_effect": {"metric": "late", "absolute": 0.001}},
    )
    assert detected(other, found) == f"{COULD}."


def test_one_look_promises_no_size_of_the_whole_study() -> None:
    found = replace(row("churn", -0.007, 0.001), look_level=0.999)
    told = detected(planned(), found)
    assert told.endswith(" per 1,000 customers or more at this reading.")
    assert "units in these two arms" not in told


def test_a_quantile_says_its_size_before_its_place() -> None:
    spend = {"name": "spend", "type": "quantile", "column": "spend", "q": 0.9, "desired_direction": "increase"}
    found = replace(row("minutes", 12.0, 20.0), unit="EUR at the 90th percentile")
    assert told(found, spend) == ("'spend' is 16 EUR higher at the 90th percentile (plausible range: 12 to 20 higher)")


def test_a_stricter_level_and_more_power_need_a_larger_effect() -> None:
    strict = row("churn", -0.007, 0.001, level=0.975)
    assert "detect a change of 6.17 per" in detected(planned(), strict)
    powered = plan(metrics={"success": [{**CHURN, "mde": None}]}, analysis={"power": 0.9})
    assert "detect a change of 6.48 per" in detected(powered, row("churn", -0.007, 0.001))


def test_without_a_standard_error_nothing_is_said() -> None:
    assert detected(planned(), row("churn", -0.007, 0.001, se=None)) == ""


def test_money_without_an_interval_is_told_alone() -> None:
    assert money_text(plan(), Range(point=-2.5)) == "EUR \N{MINUS SIGN}2.5 per customer after costs"


def test_what_is_counted_is_called_as_the_plan_calls_it() -> None:
    spec = plan(data={"source": "x.parquet", "unit": "person_id"})
    found = evidence_of(spec, "gig", [row("churn", -0.01, 0.01)], (), None)
    known = found.row(spec.metrics.success[0])
    assert known is not None
    assert "0 more per 1,000 people" in effect_text(spec.metrics.success[0], known)
    assert " per person after costs" in money_text(spec, Range(point=1.0, low=0.5, high=1.5))
