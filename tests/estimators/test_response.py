"""The companion of surveys: which rows there are, on what level, and why some are not computed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from cxcausal.core.answers import Nonresponse
from cxcausal.core.protocols import Comparison
from cxcausal.core.queries import MomentQuery, NonresponseQuery, Query, RegressionQuery
from cxcausal.core.registry import Registry
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.response import Response
from cxcausal.estimators.response_safety import with_warnings
from cxcausal.stats.identified import identified
from tests.estimators.plans import CHURN, plan
from tests.twins import Values, moments_of
from tests.validation.surveys import CSAT, MOODS, Survey, effects, nonresponse_of
from tests.validation.surveys import plan as survey_plan

GUARD = {**CSAT, "name": "guard", "margin": {"absolute": 0.3}}
METHODS = ("difference_in_means", "response_aipw", "lee_bounds", "worst_case_bounds")


def rows_of(
    spec: ExperimentSpec, arms: Mapping[str, Values], segments: Mapping[str, tuple[str, ...]] | None = None
) -> list[Estimate]:
    """Return the companions of every metric, of arms given as answers (nan: none)."""
    found: list[Comparison] = []
    for _, metric in spec.metrics.with_roles():
        queries = Response().queries(spec, metric, segments or {})
        answers: dict[Any, Any] = {query: _answer(query, arms) for query in queries}
        found += Response().compare(spec, metric, segments or {}, answers)
    return [one.at(0.05) for one in found]


def _answer(query: Query, arms: Mapping[str, Values]) -> object:
    if isinstance(query, NonresponseQuery):
        treated, control = arms[query.treated], arms[query.control]
        few = min(np.sum(~np.isnan(arm)) for arm in (treated, control)) < 2
        nothing = Nonresponse(
            units=(len(treated), len(control)),
            answers=(int(np.sum(~np.isnan(treated))), int(np.sum(~np.isnan(control)))),
            lee=None,
            worst_case=None,
            support=None,
        )
        return nothing if few else nonresponse_of(treated, control)
    assert isinstance(query, MomentQuery)
    answered = query.measure.transform == "answered"
    told = {arm: (~np.isnan(y)).astype(float) if answered else y for arm, y in arms.items()}
    return {(arm, ()): moments_of(y[~np.isnan(y)]) for arm, y in told.items() if np.sum(~np.isnan(y))}


def drawn(*shares: float, n: int = 300) -> list[Values]:
    rng = np.random.default_rng(4)
    return [np.where(rng.random(n) < share, rng.integers(1, 6, n).astype(float), np.nan) for share in shares]


def test_metrics_without_a_response_have_no_companions() -> None:
    spec = plan({"success": [CHURN]})
    assert Response().queries(spec, spec.metrics.success[0], {}) == ()
    assert Response().compare(spec, spec.metrics.success[0], {}, {}) == ()
    assert "response" in Registry(kind="companions").names()


def test_every_contrast_has_four_rows_over_everybody() -> None:
    arms = dict(zip(("none", "gig", "agent"), drawn(0.3, 0.5, 0.4), strict=True))
    spec = plan({"success": [CSAT]}, arms=tuple(arms), contrasts=[["gig", "agent"]], segments=["tier"])
    rows = rows_of(spec, arms, {"tier": ("basic", "plus")})
    assert [(row.arm, row.control) for row in rows[::4]] == [("gig", "none"), ("agent", "none"), ("gig", "agent")]
    assert [row.method for row in rows] == [*METHODS] * 3
    assert [row.metric for row in rows[:4]] == ["y.response", "y", "y", "y"]
    assert {row.population for row in rows} == {"all"}
    assert all(row.companion and not row.headline for row in rows)
    assert [row.unit for row in rows[:4]] == ["share of customers", "points", "points", "points"]
    rate = rows[0]
    assert (rate.n_treated, rate.n_control, rate.role) == (300, 300, "exploratory")
    assert rate.mean_treated == np.mean(~np.isnan(arms["gig"]))


def test_the_set_stands_in_the_row_and_its_interval_around_it() -> None:
    treated, control = drawn(0.6, 0.3)
    rows = {row.method: row for row in rows_of(plan({"success": [CSAT]}), {"none": control, "gig": treated})}
    found = nonresponse_of(treated, control)
    for method, ends in (("lee_bounds", found.lee), ("worst_case_bounds", found.worst_case)):
        assert ends is not None
        row, told = rows[method], identified(ends)
        limits = told.interval(0.95)
        assert (row.set_low, row.set_high, row.low, row.high) == pytest.approx(
            (told.low.point, told.high.point, limits.low, limits.high)
        )
        assert (row.point, row.p, row.se, row.level) == (None, None, None, 0.95)


def test_guardrails_have_one_sided_levels() -> None:
    treated, control = drawn(0.6, 0.3)
    spec = plan({"success": [CHURN], "guardrails": [GUARD]})
    rows = rows_of(spec, {"none": control, "gig": treated})
    assert [(row.metric, row.level) for row in rows if row.status == "ok"] == [
        ("guard.response", 0.95),
        ("guard", 0.9),
        ("guard", 0.9),
    ]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"covariates": []}, "the plan names no covariates"),
        ({"data": {"cluster": "household"}, "covariates": ["age"]}, "share a fate (household)"),
        ({"data": {"weight": "w"}, "covariates": ["age"]}, "weighted means"),
    ],
)
def test_adjustment_says_why_it_is_not_told(changes: dict[str, Any], part: str) -> None:
    spec = plan({"success": [CSAT]}, **changes)
    (metric,) = spec.metrics.success
    assert not any(isinstance(query, RegressionQuery) for query in Response().queries(spec, metric, {}))
    treated, control = drawn(0.6, 0.3)
    if not spec.clusters and spec.data.weight is None:
        rows = rows_of(spec, {"none": control, "gig": treated})
        assert part in str(rows[1].reason)
        assert (rows[1].status, rows[1].n_treated) == ("not_computed", np.sum(~np.isnan(treated)))


@pytest.mark.parametrize("answers", [0, 1])
def test_an_arm_with_too_few_answers_has_reasons(answers: int) -> None:
    (control,) = drawn(0.3)
    treated = np.full(300, np.nan)
    treated[:answers] = 3.0
    rows = rows_of(plan({"success": [CSAT]}), {"none": control, "gig": treated})
    assert (rows[0].method, rows[0].status) == ("newcombe", "ok")
    assert [row.status for row in rows[1:]] == ["not_computed"] * 3
    assert {row.reason for row in rows[2:]} == {"fewer than 2 customers in arm 'gig' answered"}


@pytest.mark.parametrize(("share", "reason"), [(0.0, "nobody answered"), (1.1, "everybody answered")])
def test_where_nobody_or_everybody_answers_there_is_no_rate_to_compare(share: float, reason: str) -> None:
    treated, control = drawn(share, share)
    rows = rows_of(plan({"success": [CSAT]}), {"none": control, "gig": treated})
    assert (rows[0].status, rows[0].reason) == ("not_computed", reason)
    if share:
        assert rows[2].set_low == pytest.approx(rows[2].set_high)
        assert rows[2].set_low == pytest.approx(treated.mean() - control.mean())


def test_constant_answers_say_so() -> None:
    treated, control = (np.where(np.isnan(arm), np.nan, 3.0) for arm in drawn(0.6, 0.3))
    rows = rows_of(plan({"success": [CSAT]}), {"none": control, "gig": treated})
    assert {row.reason for row in rows[2:]} == {"the outcome does not vary within the arms"}


@pytest.mark.parametrize(("kind", "extra"), [("mean", {}), ("count", {})])
def test_unbounded_answers_have_no_worst_case(kind: str, extra: dict[str, Any]) -> None:
    treated, control = drawn(0.6, 0.3)
    rows = rows_of(plan({"success": [{**CSAT, "type": kind, **extra}]}), {"none": control, "gig": treated})
    assert rows[2].status == "ok"
    assert "no known limits" in str(rows[3].reason)


def test_ratios_say_that_they_are_not_looked_at() -> None:
    ratio = {"name": "aov", "type": "ratio", "numerator": "y", "denominator": "d", "response": "a"}
    spec = plan({"success": [{**ratio, "desired_direction": "increase"}]})
    rows = rows_of(spec, {"none": np.ones(2), "gig": np.ones(2)})
    assert [row.status for row in rows] == ["not_computed"] * 4
    assert {row.reason for row in rows} == {"for a ratio this version does not look at who did not answer"}


def test_own_rows_are_called_unsafe_and_companions_are_not() -> None:
    found = effects(survey_plan(), MOODS.draw(np.random.default_rng(1)))
    own = [row for row in found if not row.companion]
    assert all("unsafe: the contact changed who answers (" in str(row.reason) for row in own)
    assert not any("unsafe" in str(row.reason) for row in found if row.companion)


def test_equal_shares_are_not_called_unsafe() -> None:
    rng = np.random.default_rng(1)
    score, treated = rng.normal(size=2000), (np.arange(2000) % 2).astype(float)
    told = np.where(np.arange(2000) % 4 < 2, score, np.nan)
    survey = Survey(treated=treated, answers=told, before=np.ones((2000, 1)))
    assert not any("unsafe" in str(row.reason) for row in effects(survey_plan(), survey))


def row(metric: str, method: str, **more: Any) -> Estimate:
    names = {"metric": metric, "role": "success", "arm": "t", "control": "c", "estimand": "itt", "method": method}
    return Estimate(**{**names, **more})


def test_a_set_that_holds_zero_makes_a_clear_effect_unsafe_even_if_shares_are_alike() -> None:
    own = row("y", "lin", low=0.1, high=0.5, point=0.3, reason="a note")
    lee = row("y", "lee_bounds", companion=True, set_low=-0.1, set_high=0.7, low=-0.2, high=0.8)
    rate = row("y.response", "difference_in_means", companion=True, low=-0.1, high=0.1, mean_treated=0.3)
    marked = with_warnings(survey_plan(), (own, lee, rate))
    assert str(marked[0].reason).startswith("a note; unsafe: those who answered may not be alike")
    assert marked[1:] == (lee, rate)
    inside = with_warnings(survey_plan(), (own, row("y", "lee_bounds", companion=True, set_low=0.05, set_high=0.7)))
    assert inside[0] == own
