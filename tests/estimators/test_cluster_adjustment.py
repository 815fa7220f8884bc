"""Adjusted rows where customers share a fate: the numbers of whole matrices, in every population and contrast."""

from typing import Any

import numpy as np
import pytest

from cxcausal.core.measures import measure_of
from cxcausal.core.queries import ClusterRegressionQuery, subsets_of
from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.ols import Ols
from tests.cluster_regression_twins import Full, full_common, full_lin, full_multiway
from tests.estimators.plans import CHURN, SPEND, one, plan, table
from tests.estimators.test_adjustment import customers
from tests.twins import Rows

EXACT = 1e-9
ARMS = ("none", "gig", "agent")
COVARIATES = ("before", "visits")
HOUSEHOLDS: dict[str, Any] = {"data": {"cluster": "household"}, "covariates": COVARIATES}


def is_full(row: Estimate, full: Full) -> None:
    assert (row.status, row.adjustment, row.headline) == ("ok", "covariates", row.population == "all")
    assert (row.point, row.se, row.df) == pytest.approx((full.point, full.se, full.df), rel=EXACT)
    assert (row.mean_treated, row.mean_control) == pytest.approx(tuple(full.means), rel=EXACT)


def samples(spec: ExperimentSpec, data: Rows, by: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    measure = measure_of(spec.metrics.success[0])
    queries = {
        names: ClusterRegressionQuery(measure=measure, covariates=COVARIATES, cluster=names, by=by)
        for names in subsets_of(spec.clusters)
    }
    return {names: data.samples(query) for names, query in queries.items()}


def test_the_adjusted_row_leads_with_the_numbers_of_whole_matrices() -> None:
    """Households span the arms, and the covariates are centred at the mean of all three."""
    data, spec = customers(arms=ARMS), plan(arms=ARMS, contrasts=[["agent", "gig"]], **HOUSEHOLDS)
    rows, (groups,) = table(spec, data), samples(spec, data).values()
    for arm, control in (("gig", "none"), ("agent", "none"), ("agent", "gig")):
        row, full = one(rows, arm=arm, control=control, adjustment="covariates"), full_lin(groups[()], arm, control)
        assert (row.point, row.se, row.df) == pytest.approx((full.point, full.se, full.df), rel=EXACT)
        plain = one(rows, arm=arm, control=control, adjustment="none")
        assert row.se is not None
        assert plain.se is not None
        assert row.se < 0.7 * plain.se
        assert (row.headline, plain.headline) == (control == "none", False)


def test_every_segment_is_adjusted_by_itself() -> None:
    data, spec = customers(), plan(segments=["tier"], **HOUSEHOLDS)
    rows, (groups,) = table(spec, data), samples(spec, data, by=("tier",)).values()
    for tier in ("basic", "plus"):
        full = full_lin(groups[(tier,)], "gig", "none")
        is_full(one(rows, population=f"tier={tier}", adjustment="covariates"), full)


def test_names_that_cross() -> None:
    data = customers()
    spec = plan(data={"cluster": ["household", "agent"]}, covariates=COVARIATES)
    fulls = full_multiway({names: groups[()] for names, groups in samples(spec, data).items()}, "gig", "none")
    is_full(one(table(spec, data), adjustment="covariates"), fulls)


def test_a_relative_margin_takes_the_covariance_of_the_means() -> None:
    data = customers()
    guard = {**SPEND, "name": "guard", "margin": {"relative": 0.1}}
    spec = plan({"success": [SPEND], "guardrails": [guard]}, **HOUSEHOLDS)
    row = one(table(spec, data), metric="guard", scale="relative", adjustment="covariates")
    full = full_lin(next(iter(samples(spec, data).values()))[()], "gig", "none")
    ratio = full.means[0] / full.means[1]
    gradient = np.array([1.0, -ratio]) / full.means[1]
    assert row.se == pytest.approx(float(gradient @ full.covariance @ gradient) ** 0.5, rel=EXACT)
    assert row.p is not None
    assert row.p < 0.05


def test_common_slopes_have_cr2_too_and_a_relative_effect() -> None:
    data, spec = customers(), plan(**HOUSEHOLDS)
    metric = spec.metrics.success[0]
    answers = data.answers(Ols().queries(spec, metric, {}))
    rows = [found.at(0.05) for found in Ols().compare(spec, metric, {}, answers)]
    is_full(
        one(rows, adjustment="covariates"),
        full_common(next(iter(samples(spec, data).values()))[()], "gig", "none"),
    )
    assert one(rows, adjustment="covariates").method == "ols"
    assert one(rows, adjustment="covariates", scale="relative").status == "ok"


def test_an_outcome_that_the_covariates_explain_whole_has_no_interval() -> None:
    data = customers()
    same = Rows(columns={**data.columns, "spend": 3 + 2 * data.columns["before"]})
    row = one(table(plan(**HOUSEHOLDS), same), adjustment="covariates")
    assert "leave no variation" in str(row.reason)


def test_an_arm_of_one_cluster_has_the_reason_of_its_unadjusted_row() -> None:
    data = customers()
    cluster = np.where(data.columns["arm"] == "gig", 0, 1 + data.columns["household"])
    rows = table(plan(**HOUSEHOLDS), Rows(columns={**data.columns, "household": cluster}))
    found = {row.adjustment: row.reason for row in rows if row.scale == "absolute"}
    assert found["covariates"] == found["none"]
    assert "fewer than two values of 'household'" in str(found["none"])


def test_rates_with_enough_events_are_adjusted() -> None:
    assert one(table(plan({"success": [CHURN]}, **HOUSEHOLDS), customers()), adjustment="covariates").status == "ok"
