"""Agreement: judged by the standard error of the difference, and only where the distance matters."""

from typing import Any

import pytest

from cxcausal.checks.agreement import Agreement
from cxcausal.core.opinions import opinion_queries
from cxcausal.core.results import CheckResult
from cxcausal.core.score_answers import Opinion, OpinionAnswer
from cxcausal.core.spec.models import ExperimentSpec
from tests.checks.worlds import CHURN, SPEND, plan

NEAR = Opinion(point=-0.012, se=0.004, gap=0.0005, gap_se=0.001, scores_se=0.004)
FAR = Opinion(point=-0.002, se=0.004, gap=0.0105, gap_se=0.002, scores_se=0.004)
SURE = Opinion(point=-0.0124, se=0.004, gap=0.0005, gap_se=0.0001, scores_se=0.004)
NONE = Opinion(reason="there is no covariate to match on")


def adjusted(metric: dict[str, Any] = CHURN, *also: str) -> ExperimentSpec:
    treatment = {"column": "arm", "control": "none", "arms": {"none": {"label": "Nobody"}, "gig": {"label": "Expert"}}}
    return plan(
        unit="customer_id",
        design={"type": "observational", "treatment": treatment, "confounders": ["age"]},
        metrics={"success": [metric]},
        estimation={"also": list(also)},
    )


def judged(spec: ExperimentSpec, *opinions: Opinion, **options: Any) -> CheckResult:
    (metric,) = spec.metrics.success
    queries = opinion_queries(spec, metric).values()
    answers = {
        query: OpinionAnswer(opinions={("gig", "none"): opinion})
        for query, opinion in zip(queries, opinions, strict=True)
    }
    return Agreement(**options).judge(spec, answers)  # type: ignore[arg-type] # the union of answers grows


def test_a_plan_that_names_no_other_method_still_hears_one() -> None:
    spec = adjusted()
    (query,) = Agreement().queries(spec)
    assert query.method == "overlap_weighting"  # type: ignore[union-attr] # of the union of queries
    found = judged(spec, NEAR)
    assert found.verdict == "pass"
    assert found.value == pytest.approx(0.5)
    assert found.text == (
        "'churn', 'Expert' against 'Nobody': one other method, overlap weighting, gives 12 fewer per 1,000 customers; "
        "the largest distance from our own effect on the same customers is 0.5 standard errors of the "
        "difference (limit: 3)."
    )


@pytest.mark.parametrize(("on_breach", "verdict"), [("warn", "warn"), ("fail", "fail")])
def test_a_method_that_is_far_away_breaches(on_breach: str, verdict: str) -> None:
    found = judged(adjusted(CHURN, "matching", "overlap_weighting"), NEAR, FAR, on_breach=on_breach)
    assert found.verdict == verdict
    assert found.value == pytest.approx(5.25)
    assert "two other methods give between 2 and 12 fewer per 1,000 customers" in found.text
    assert "do not agree" in found.text
    assert judged(adjusted(CHURN, "matching", "overlap_weighting"), NEAR, FAR, max_gap_in_se=6.0).verdict == "pass"


def test_a_sure_distance_that_is_too_small_to_matter_is_none() -> None:
    found = judged(adjusted(CHURN, "linear_dml"), SURE)
    assert found.verdict == "pass"
    assert found.value == pytest.approx(5.0)
    assert "too small" in found.text


def test_what_breaches_is_told_before_what_is_farther_and_does_not_matter() -> None:
    found = judged(adjusted(CHURN, "linear_dml", "matching"), SURE, Opinion(**{**vars(FAR), "gap_se": 0.0025}))
    assert found.value == pytest.approx(4.2)
    assert found.verdict == "warn"


def test_a_method_without_an_answer_says_why() -> None:
    found = judged(adjusted(CHURN, "matching", "overlap_weighting"), NONE, NEAR)
    assert found.verdict == "pass"
    assert found.text.endswith("No answer from matching: there is no covariate to match on.")
    alone = judged(adjusted(CHURN, "matching"), NONE)
    assert alone.verdict == "could_not_run"
    assert alone.value is None


def test_effects_of_either_sign_and_amounts_are_told_in_their_unit() -> None:
    up, down = (Opinion(point=point, se=1.0, gap=0.1, gap_se=1.0, scores_se=1.0) for point in (3.0, -1.0))
    text = judged(adjusted(SPEND, "matching", "overlap_weighting"), up, down).text
    assert "two other methods give between 1 less and 3 more per customer" in text


def test_where_a_coin_decided_nobody_else_is_asked() -> None:
    spec = plan(estimation={"also": ["matching"]})
    assert Agreement().queries(spec) == ()
    assert Agreement().judge(spec, {}).verdict == "info"


def test_methods_about_different_customers_are_said_to_be() -> None:
    spec = adjusted(CHURN, "overlap_weighting", "matching")
    one, other = (Opinion(**{**vars(NEAR), "target": target}) for target in ("ato", "ate"))
    assert "not all about the same customers" in judged(spec, one, other).text
    assert "not all about the same customers" not in judged(spec, one, one).text
