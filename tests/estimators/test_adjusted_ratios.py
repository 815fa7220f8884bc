"""Adjusted ratios of means, weighted means and strata: rows against twins on raw rows, and what each metric is."""

from typing import Any

import numpy as np
import pytest

from cxcausal.core.results import Estimate
from cxcausal.core.spec.models import ExperimentSpec
from cxcausal.estimators.ols import Ols
from tests.estimators.plans import CHURN, SPEND, one, plan, table
from tests.regression_twins import least_squares
from tests.twins import Rows, Values
from tests.validation.ratios import linearised, post_stratified

TOLERANCE = 1e-9
AOV = {"name": "aov", "type": "ratio", "numerator": "spend", "denominator": "orders", "desired_direction": "increase"}
BEFORE: dict[str, Any] = {"covariates": ["before", "visits"]}


def customers(seed: int = 1, n: int = 1200) -> Rows:
    """Return rows whose orders, spend and answers go with what was known before, in strata of unlike size."""
    rng = np.random.default_rng(seed)
    before, tier = rng.gamma(2.0, 10.0, n), rng.choice(["basic", "gold", "plus"], n, p=[0.5, 0.2, 0.3])
    treated = rng.random(n) < 0.4
    orders = rng.poisson(1 + before / 20 + 0.5 * treated) + 1.0
    level = np.select([tier == "gold", tier == "plus"], [40.0, 15.0], 0.0)
    return Rows(
        columns={
            "arm": np.where(treated, "gig", "none"),
            "tier": tier,
            "region": rng.choice(["north", "south"], n, p=[0.7, 0.3]),
            "before": before,
            "visits": rng.poisson(3.0, n) + 0.0,
            "w": np.exp(rng.normal(0, 0.4, n) + before / 60),
            "orders": orders,
            "spend": level + orders * (5 + before / 5 + treated) + rng.normal(0, 4, n),
            "churned": (rng.random(n) < 0.3 - before / 200).astype(float),
            "csat": np.clip(np.round(3 + before / 40 + rng.normal(size=n)), 1, 5),
            "nps": np.clip(np.round(6 + before / 20 + 2 * rng.normal(size=n)), 0, 10),
            "answered": (rng.random(n) < 0.7).astype(float),
        }
    )


def adjusted(spec: ExperimentSpec, rows: Rows, **keys: str) -> Estimate:
    return one(table(spec, rows), adjustment="covariates", **keys)


def expect(row: Estimate, y: Values, rows: Rows, z: Values) -> None:
    """Hold a row of a ratio to whole matrices on linearised rows."""
    treated = (rows.columns["arm"] == "gig").astype(float)
    gig, none = linearised(y, treated, z)
    apart = gig.slopes - none.slopes
    drawn = apart @ np.atleast_2d(np.cov(z, rowvar=False)) @ apart / len(y)
    assert row.point == pytest.approx(gig.value - none.value, rel=TOLERANCE)
    assert row.se == pytest.approx((gig.variance + none.variance + drawn) ** 0.5, rel=TOLERANCE)
    assert (row.mean_treated, row.mean_control) == pytest.approx((gig.value, none.value), rel=TOLERANCE)


def known(rows: Rows, *names: str) -> Values:
    return np.column_stack([rows.columns[name] for name in names])


def test_a_ratio_is_that_of_two_regressions_on_the_same_columns() -> None:
    rows, spec = customers(), plan({"success": [AOV]}, **BEFORE)
    row = adjusted(spec, rows)
    expect(row, known(rows, "spend", "orders"), rows, known(rows, "before", "visits"))
    assert (row.method, row.headline, row.status) == ("lin", True, "ok")
    assert row.se < (one(table(spec, rows), adjustment="none").se or 0.0)  # type: ignore[operator]


def test_a_weighted_mean_is_that_of_weighted_values_and_weights() -> None:
    rows, spec = customers(), plan(data={"weight": "w"}, **BEFORE)
    w, y = rows.columns["w"], rows.columns["spend"]
    expect(adjusted(spec, rows), np.column_stack([w * y, w]), rows, known(rows, "before", "visits"))


def test_a_weighted_ratio_weighs_numerator_and_denominator() -> None:
    rows, spec = customers(), plan({"success": [AOV]}, data={"weight": "w"}, **BEFORE)
    y = known(rows, "spend", "orders") * rows.columns["w"][:, None]
    expect(adjusted(spec, rows), y, rows, known(rows, "before", "visits"))


def test_equal_weights_are_no_weights() -> None:
    rows = customers()
    rows = Rows(columns={**rows.columns, "w": np.full(1200, 0.3)})
    weighted, plain = adjusted(plan(data={"weight": "w"}, **BEFORE), rows), adjusted(plan(**BEFORE), rows)
    for name in ("point", "low", "high", "se", "p", "df"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name), rel=TOLERANCE)


def test_relative_rows_of_a_ratio_exclude_zero_exactly_when_absolute_ones_do() -> None:
    for seed in range(30):
        rows = table(plan({"success": [AOV]}, covariates=["before"]), customers(seed, 120))
        absolute, relative = (one(rows, adjustment="covariates", scale=s) for s in ("absolute", "relative"))
        assert relative.point == pytest.approx(absolute.point / absolute.mean_control)  # type: ignore[operator]
        assert (relative.low > 0 or relative.high < 0) == (absolute.low > 0 or absolute.high < 0)  # type: ignore[operator]


def test_common_slopes_adjust_no_ratios_and_no_weighted_means() -> None:
    for spec in (plan({"success": [AOV]}, **BEFORE), plan(data={"weight": "w"}, **BEFORE)):
        metric, rows = spec.metrics.success[0], customers()
        answers = rows.answers(Ols().queries(spec, metric, {}))
        found = [row.at(0.05) for row in Ols().compare(spec, metric, {}, answers)]
        refused, plain = (one(found, adjustment=name) for name in ("covariates", "none"))
        assert (refused.status, plain.headline) == ("not_computed", True)
        assert "neither ratios of means nor weighted means" in str(refused.reason)


def stratified(*strata: str, **more: Any) -> ExperimentSpec:
    spec = plan(**more)
    return spec.model_copy(update={"design": spec.design.model_copy(update={"strata": strata})})


def test_strata_alone_give_the_textbooks_post_stratified_effect() -> None:
    rows, spec = customers(), stratified("tier")
    treated = (rows.columns["arm"] == "gig").astype(float)
    effect, variance = post_stratified(rows.columns["spend"], treated, rows.columns["tier"])
    row = adjusted(spec, rows)
    assert (row.method, row.headline) == ("lin", True)
    assert row.point == pytest.approx(effect, rel=TOLERANCE)
    assert row.se == pytest.approx(variance**0.5, rel=TOLERANCE)


def test_two_strata_count_by_their_combinations() -> None:
    rows, spec = customers(), stratified("tier", "region")
    treated = (rows.columns["arm"] == "gig").astype(float)
    cells = np.char.add(rows.columns["tier"], rows.columns["region"])
    effect, variance = post_stratified(rows.columns["spend"], treated, cells)
    row = adjusted(spec, rows)
    assert (row.point, row.se) == pytest.approx((effect, variance**0.5), rel=TOLERANCE)


def test_strata_come_before_covariates_and_both_adjust() -> None:
    rows, spec = customers(), stratified("tier", covariates=["before"])
    tier, treated = rows.columns["tier"], rows.columns["arm"] == "gig"
    z = np.column_stack([tier == "gold", tier == "plus", rows.columns["before"]]).astype(float)
    z -= z.mean(axis=0)
    fits = [
        least_squares(np.column_stack([np.ones(own.sum()), z[own]]), rows.columns["spend"][own])
        for own in (treated, ~treated)
    ]
    assert adjusted(spec, rows).point == pytest.approx(fits[0].beta[0] - fits[1].beta[0], rel=TOLERANCE)


def test_within_a_value_of_the_only_stratum_nothing_is_left_to_adjust_for() -> None:
    rows = table(stratified("tier", segments=["tier"]), customers())
    inside = {row.adjustment for row in rows if row.population != "all"}
    assert inside == {"none"}
    assert one(rows, adjustment="covariates").headline


def test_within_a_value_of_one_stratum_the_other_adjusts() -> None:
    data = customers()
    row = adjusted(stratified("tier", "region", segments=["tier"]), data, population="tier=basic")
    own = data.columns["tier"] == "basic"
    spend, arm, region = (data.columns[name][own] for name in ("spend", "arm", "region"))
    effect, variance = post_stratified(spend, (arm == "gig").astype(float), region)
    assert (row.point, row.se) == pytest.approx((effect, variance**0.5), rel=TOLERANCE)


OWN: dict[str, dict[str, Any]] = {
    "mean": SPEND,
    "count": {**SPEND, "type": "count", "column": "orders"},
    "ratio": AOV,
    "proportion": CHURN,
    "ordinal": {**SPEND, "type": "ordinal", "column": "csat", "response": "answered"},
    "nps": {**SPEND, "type": "nps", "column": "nps", "response": "answered"},
    "top_box": {**SPEND, "type": "top_box", "column": "csat", "at_least": 4},
}


@pytest.mark.parametrize("kind", OWN)
def test_a_metrics_own_covariate_alone_adjusts_it_everywhere(kind: str) -> None:
    metric = {**OWN[kind], "name": "m", "covariate": "before"}
    rows = table(plan({"success": [metric], "secondary": [{**SPEND, "name": "other"}]}, segments=["tier"]), customers())
    mine = [row for row in rows if row.metric == "m" and row.adjustment == "covariates" and row.scale == "absolute"]
    assert {row.population for row in mine} == {"all", "tier=basic", "tier=gold", "tier=plus"}
    for row in mine:
        plain = one(rows, metric="m", population=row.population, adjustment="none")
        assert (row.status, row.method, plain.headline) == ("ok", "lin", False)
        assert row.se != plain.se
    assert mine[0].se < (one(rows, metric="m", adjustment="none").se or 0.0)  # type: ignore[operator]
    assert {row.adjustment for row in rows if row.metric == "other"} == {"none"}


def test_a_denominator_that_adjustment_turns_around_is_told() -> None:
    """Treated customers were quieter before: at the average of all, their line of the denominator is below zero."""
    rng, n = np.random.default_rng(3), 400
    treated = np.arange(n) % 2 == 1
    before = np.where(treated, -10.0, 10.0) + rng.normal(size=n)
    below = np.where(treated, -before - 9.0, 3.0) + rng.normal(0, 0.1, n)
    columns = {"arm": np.where(treated, "gig", "none"), "before": before, "spend": rng.gamma(2.0, 1.0, n)}
    rows = table(plan({"success": [AOV]}, covariates=["before"]), Rows(columns={**columns, "orders": below}))
    refused, plain = (one(rows, adjustment=name) for name in ("covariates", "none"))
    assert (refused.status, plain.status, plain.headline) == ("not_computed", "ok", True)
    assert refused.reason == "the adjusted denominator of arm 'gig' is zero, or on the other side of zero"


def test_a_numerator_that_is_the_denominator_times_a_constant_does_not_vary() -> None:
    data = customers()
    columns = {**data.columns, "spend": 0.3 * data.columns["orders"]}
    rows = table(plan({"success": [AOV]}, **BEFORE), Rows(columns=columns))
    assert {row.status for row in rows} == {"not_computed"}
