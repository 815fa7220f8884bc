"""Adjusted rows beside unadjusted ones: which leads, what they hold, and why some are missing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import Analysis
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.estimators.ols import Ols
from cxcausal.stats.multiplicity import benjamini_hochberg, holm
from tests.estimators.plans import CHURN, SPEND, compared, draw, one, plan, table
from tests.regression_twins import interacted, same_slopes
from tests.twins import Rows

TOLERANCE = 1e-9
ARMS = ("none", "gig", "agent")
BEFORE: dict[str, Any] = {"covariates": ["before"]}


def customers(seed: int = 1, n: int = 900, arms: tuple[str, ...] = ("none", "gig")) -> Rows:
    """Return rows with two covariates that tell much of the spend."""
    rng, rows = np.random.default_rng(seed + 100), draw(seed, n, arms)
    before = rng.gamma(2.0, 10.0, n)
    spend = rows.columns["spend"] + 1.5 * before
    return Rows(columns={**rows.columns, "before": before, "visits": rng.poisson(3.0, n) + 0.0, "spend": spend})


def test_the_adjusted_row_leads_and_the_unadjusted_one_stands_beside_it() -> None:
    rows = table(plan(**BEFORE), customers())
    adjusted, plain = one(rows, adjustment="covariates"), one(rows, adjustment="none")
    assert (adjusted.headline, plain.headline) == (True, False)
    assert (adjusted.method, plain.method) == ("lin", "difference_in_means")
    assert (adjusted.n_treated, adjusted.n_control) == (plain.n_treated, plain.n_control)
    assert plain == replace(one(table(plan(), customers())), headline=False)
    assert adjusted.se is not None
    assert plain.se is not None
    assert adjusted.se < 0.7 * plain.se


def test_the_numbers_are_those_of_one_interacted_regression_over_all_arms() -> None:
    rows, data = table(plan(arms=ARMS, covariates=["before", "visits"]), customers(arms=ARMS)), customers(arms=ARMS)
    z = np.column_stack([data.columns["before"], data.columns["visits"]])
    twin = interacted(data.columns["spend"], data.columns["arm"], z, list(ARMS))
    for place, arm in ((1, "gig"), (2, "agent")):
        row = one(rows, arm=arm, adjustment="covariates")
        apart = twin.beta[3 + 2 * place : 5 + 2 * place] - twin.beta[3:5]
        variance = twin.covariance[place, place] + twin.covariance[0, 0] + apart @ np.cov(z, rowvar=False) @ apart / 900
        assert row.point == pytest.approx(twin.beta[place] - twin.beta[0], rel=TOLERANCE)
        assert row.se == pytest.approx(variance**0.5, rel=TOLERANCE)
        assert (row.mean_treated, row.mean_control) == pytest.approx((twin.beta[place], twin.beta[0]), rel=TOLERANCE)


def test_relative_rows_exclude_zero_exactly_when_absolute_ones_do() -> None:
    for seed in range(30):
        rows = table(plan(**BEFORE), customers(seed, 120))
        absolute, relative = (one(rows, adjustment="covariates", scale=s) for s in ("absolute", "relative"))
        assert absolute.mean_control is not None
        assert relative.point == pytest.approx(absolute.point / absolute.mean_control)  # type: ignore[operator]
        assert (relative.low > 0 or relative.high < 0) == (absolute.low > 0 or absolute.high < 0)  # type: ignore[operator]


def test_holm_counts_every_metric_and_arm_once() -> None:
    spec = plan({"success": [SPEND, CHURN]}, arms=ARMS, **BEFORE)
    rows = apply_multiplicity(compared(spec, customers(arms=ARMS)), Analysis())
    lead = [one(rows, metric=m, arm=a, adjustment="covariates") for m in ("spend", "churn") for a in ("gig", "agent")]
    expected = holm([row.p or 0.0 for row in lead], 0.05)
    assert [row.p_adjusted for row in lead] == pytest.approx(expected.p)
    for row, alpha in zip(lead, expected.alpha, strict=True):
        plain = one(rows, metric=row.metric, arm=row.arm, adjustment="none")
        assert (plain.p_adjusted, plain.headline) == (None, False)
        assert (row.level, plain.level) == pytest.approx((1 - alpha, 1 - alpha))


def test_segments_form_their_family_with_the_adjusted_row_where_there_is_one() -> None:
    data = customers(n=1200)
    tier = np.where(np.arange(1200) < 38, "few", data.columns["tier"])
    spec = plan(segments=["tier"], covariates=["before", "visits"])
    rows = apply_multiplicity(compared(spec, Rows(columns={**data.columns, "tier": tier})), Analysis())
    wanted = {"tier=basic": "covariates", "tier=few": "none", "tier=plus": "covariates"}
    lead = [one(rows, population=population, adjustment=how) for population, how in wanted.items()]
    expected = benjamini_hochberg([row.p or 0.0 for row in lead], 0.05)
    assert [row.p_adjusted for row in lead] == pytest.approx(expected.p)
    small = one(rows, population="tier=few", adjustment="covariates")
    assert (small.status, small.point) == ("not_computed", None)
    assert "fewer than 20 customers with a value per covariate column (2 of them)" in str(small.reason)


def test_guardrails_are_judged_on_adjusted_means() -> None:
    guard = {**SPEND, "name": "guard", "margin": {"relative": 0.1}}
    spec = plan({"success": [CHURN], "guardrails": [guard]}, **BEFORE)
    rows = table(spec, customers())
    found = one(rows, metric="guard", adjustment="covariates")
    assert found.headline
    assert found.level == pytest.approx(0.9)
    assert found.p is not None
    assert found.p < (one(rows, metric="guard", adjustment="none").p or 0.0)


def test_a_metrics_own_covariate_adjusts_that_metric_alone() -> None:
    spec = plan({"success": [{**SPEND, "covariate": "before"}], "secondary": [CHURN]})
    rows = table(spec, customers())
    assert one(rows, metric="spend", adjustment="covariates").status == "ok"
    assert {row.adjustment for row in rows if row.metric == "churn"} == {"none"}
    assert one(rows, metric="churn").headline


RATIO = {**SPEND, "type": "ratio", "numerator": "spend", "denominator": "orders"}
del RATIO["column"]
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "ratio with clusters": (
        {"metrics": {"success": [RATIO]}, "data": {"cluster": ["household"]}},
        "where customers share a fate (household), this version does not adjust ratios of means",
    ),
    "weights with clusters": (
        {"data": {"cluster": ["household"], "weight": "w"}},
        "where customers share a fate (household), this version does not adjust weighted means",
    ),
    "too few clusters": (
        {"data": {"cluster": ["team"]}},
        "1 covariate column needs at least 10 clusters, there are 9",
    ),
    "few events in clusters": (
        {"metrics": {"success": [{**CHURN, "column": "rare"}]}, "data": {"cluster": ["household"]}},
        "too few events",
    ),
    "few events": ({"metrics": {"success": [{**CHURN, "column": "rare"}]}}, "too few events"),
    "one value": ({"metrics": {"success": [{**SPEND, "column": "constant"}]}}, "does not vary"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_adjusted_keeps_its_unadjusted_headline(case: str) -> None:
    changes, words = CASES[case]
    data = customers()
    columns = {**data.columns, "rare": (np.arange(900) % 60 == 0).astype(float), "constant": np.ones(900)}
    columns["team"] = np.arange(900) % 9
    rows = table(plan(**{**BEFORE, **changes}), Rows(columns=columns))
    adjusted, plain = one(rows, adjustment="covariates"), one(rows, adjustment="none")
    assert (adjusted.status, adjusted.point, adjusted.headline) == ("not_computed", None, False)
    assert words in str(adjusted.reason)
    assert plain.headline


def test_unadjusted_comparisons_stay_confirmatory_where_nothing_is_adjusted() -> None:
    spec = plan(data={"weight": "w", "cluster": ["household"]}, **BEFORE)
    confirmatory = [found for found in compared(spec, customers()) if found.confirmatory]
    assert [(found.at(0.05).adjustment, found.at(0.05).scale) for found in confirmatory] == [
        ("none", "absolute"),
        ("none", "relative"),
    ]


def _ols(spec: Any, data: Rows) -> list[Estimate]:
    metric = spec.metrics.success[0]
    answers = data.answers(Ols().queries(spec, metric, {}))
    return [found.at(0.05) for found in Ols().compare(spec, metric, {}, answers)]


def test_ols_has_slopes_common_to_two_arms() -> None:
    data = customers()
    rows = _ols(plan(**BEFORE), data)
    treated = (data.columns["arm"] == "gig").astype(float)
    twin = same_slopes(data.columns["spend"], treated, data.columns["before"][:, None])
    row = one(rows, adjustment="covariates")
    assert (row.method, row.headline, row.df) == ("ols", True, 897.0)
    assert (row.point, row.se) == pytest.approx((twin.beta[1], twin.covariance[1, 1] ** 0.5), rel=TOLERANCE)
    assert "no relative effect" in str(one(rows, adjustment="covariates", scale="relative").reason)


def test_ols_without_covariates_is_the_difference_in_means() -> None:
    assert _ols(plan(), customers()) == table(plan(), customers())


def test_what_is_never_adjusted_says_so_once_and_not_in_every_segment() -> None:
    shared = {"source": "x.parquet", "cluster": ["household"], "weight": "w"}
    rows = table(plan(segments=["tier"], data=shared, **BEFORE), customers())
    missing = [row for row in rows if row.adjustment == "covariates"]
    assert {(row.population, row.scale) for row in missing} == {("all", "absolute"), ("all", "relative")}
    assert all("does not adjust weighted means" in str(row.reason) for row in missing)
    assert {row.population for row in rows} > {"all"}
