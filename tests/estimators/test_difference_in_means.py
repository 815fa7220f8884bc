"""Rows of the effects table against raw rows: every metric type, population, cluster and reason."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats as reference

from tests.estimators.plans import CHURN, draw, one, plan, table
from tests.twins import Rows, Values, full_cr2

EXACT = 1e-9
CONTRAST = np.array([1.0, -1.0])


def _split(rows: Rows, column: str, own: Values | None = None) -> tuple[Values, Values]:
    arm, values = rows.columns["arm"], rows.columns[column]
    keep = np.ones(len(arm), dtype=bool) if own is None else own
    return values[keep & (arm == "gig")], values[keep & (arm == "none")]


def test_a_mean_is_welchs_test() -> None:
    rows = draw(1)
    treated, control = _split(rows, "spend")
    expected = reference.ttest_ind(treated, control, equal_var=False)
    limits = expected.confidence_interval(0.95)
    found = one(table(plan(), rows))
    assert found.point == pytest.approx(treated.mean() - control.mean(), rel=EXACT)
    assert (found.low, found.high, found.p) == pytest.approx((limits.low, limits.high, expected.pvalue), rel=EXACT)
    assert (found.n_treated, found.n_control, found.level) == (len(treated), len(control), 0.95)
    assert (found.mean_treated, found.mean_control) == pytest.approx((treated.mean(), control.mean()), rel=EXACT)
    assert (found.method, found.estimand, found.unit) == ("difference_in_means", "itt", "per customer")
    assert found.headline


def test_the_relative_row_is_a_fraction_of_the_control() -> None:
    found = table(plan(), draw(2))
    absolute, relative = one(found), one(found, scale="relative")
    assert absolute.point is not None
    assert absolute.mean_control is not None
    assert relative.point == pytest.approx(absolute.point / absolute.mean_control, rel=EXACT)
    assert relative.p == absolute.p
    assert not relative.headline


def test_only_the_scales_asked_for() -> None:
    assert {row.scale for row in table(plan(analysis={"effect_scale": ["absolute"]}), draw(2))} == {"absolute"}


@pytest.mark.parametrize(
    ("metric", "value", "unit"),
    [
        ({"type": "ordinal", "column": "csat"}, lambda c: c["csat"], "points"),
        ({"type": "top_box", "column": "csat", "at_least": 4}, lambda c: c["csat"] >= 4, "share of respondents"),
        ({"type": "nps", "column": "nps"}, lambda c: 100.0 * (c["nps"] >= 9) - 100.0 * (c["nps"] <= 6), "points"),
    ],
)
def test_survey_metrics_count_respondents_only(metric: dict[str, Any], value: Callable[[Any], Any], unit: str) -> None:
    rows = draw(3)
    spec = plan({"success": [{"name": "m", "desired_direction": "increase", "response": "answered", **metric}]})
    rows = Rows(columns={**rows.columns, "value": value(rows.columns).astype(float)})
    treated, control = _split(rows, "value", rows.columns["answered"] == 1)
    found = one(table(spec, rows))
    assert found.p == pytest.approx(reference.ttest_ind(treated, control, equal_var=False).pvalue, rel=EXACT)
    assert (found.n_treated, found.unit) == (len(treated), unit)


def test_missing_values_do_not_count() -> None:
    rows = draw(4)
    spend = rows.columns["spend"].copy()
    spend[::7] = np.nan
    treated, control = _split(Rows(columns={**rows.columns, "spend": spend}), "spend")
    found = one(table(plan(), Rows(columns={**rows.columns, "spend": spend})))
    assert found.n_treated == int((~np.isnan(treated)).sum())
    assert found.point == pytest.approx(np.nanmean(treated) - np.nanmean(control), rel=EXACT)


def test_a_weighted_mean_is_a_ratio_of_sums() -> None:
    rows = draw(5)
    (treated, control), (w1, w0) = _split(rows, "spend"), _split(rows, "w")
    means = [np.average(y, weights=w) for y, w in ((treated, w1), (control, w0))]
    influence = [w * (y - m) / w.mean() for y, w, m in ((treated, w1, means[0]), (control, w0, means[1]))]
    found = one(table(plan(data={"weight": "w"}), rows))
    assert found.point == pytest.approx(means[0] - means[1], rel=EXACT)
    assert found.se == pytest.approx(sum(z.var(ddof=1) / len(z) for z in influence) ** 0.5, rel=EXACT)


def test_a_ratio_metric_is_the_delta_method() -> None:
    rows = draw(6)
    keys = {"type": "ratio", "numerator": "spend", "denominator": "orders"}
    (y1, y0), (d1, d0) = _split(rows, "spend"), _split(rows, "orders")
    ratios = y1.mean() / d1.mean(), y0.mean() / d0.mean()
    z1, z0 = (y1 - ratios[0] * d1) / d1.mean(), (y0 - ratios[1] * d0) / d0.mean()
    found = one(table(plan({"success": [{"name": "aov", "desired_direction": "increase", **keys}]}), rows))
    assert found.point == pytest.approx(ratios[0] - ratios[1], rel=EXACT)
    assert found.se == pytest.approx((z1.var(ddof=1) / len(z1) + z0.var(ddof=1) / len(z0)) ** 0.5, rel=EXACT)
    assert found.unit == "spend per orders"


def _full(rows: Rows, cluster: str, own: Values) -> tuple[Any, ...]:
    treated = (rows.columns["arm"][own] == "gig").astype(float)
    design = np.column_stack([treated, 1 - treated])
    full = full_cr2(design, rows.columns["spend"][own], rows.columns[cluster][own], CONTRAST)
    return CONTRAST @ full.beta, (CONTRAST @ full.covariance @ CONTRAST) ** 0.5, full.df


@pytest.mark.parametrize("key", [{"randomization_unit": "household"}, {"cluster": "household"}])
def test_shared_fates_take_cr2(key: dict[str, str]) -> None:
    rows = draw(7)
    found = one(table(plan(data=key), rows))
    expected = _full(rows, "household", np.ones(400, dtype=bool))
    assert (found.point, found.se, found.df) == pytest.approx(expected, rel=EXACT)


def test_clusters_within_a_segment() -> None:
    rows = draw(8)
    spec = plan(data={"cluster": "household"}, segments=["tier"])
    found = one(table(spec, rows), population="tier=plus")
    expected = _full(rows, "household", rows.columns["tier"] == "plus")
    assert (found.point, found.se, found.df) == pytest.approx(expected, rel=EXACT)


def test_several_cluster_names_are_all_asked_for() -> None:
    rows = draw(9)
    spec = plan(data={"cluster": ["household", "agent"]})
    found = one(table(spec, rows))
    everybody = np.ones(400, dtype=bool)
    both = Rows(columns={**rows.columns, "both": rows.columns["household"] * 100 + rows.columns["agent"]})
    (_, one_way, df1), (_, other, df2), (_, cross, _) = (
        _full(both, name, everybody) for name in ("household", "agent", "both")
    )
    assert found.se == pytest.approx((one_way**2 + other**2 - cross**2) ** 0.5, rel=EXACT)
    assert found.df == pytest.approx(min(df1, df2), rel=EXACT)


def test_segments_and_further_contrasts() -> None:
    arms = ("none", "gig", "agent")
    rows = draw(10, 600, arms)
    found = table(plan(arms=arms, contrasts=[["gig", "agent"]], segments=["tier"]), rows)
    assert len(found) == 3 * 3 * 2
    c = rows.columns
    own = c["tier"] == "basic"
    gig, agent = c["spend"][own & (c["arm"] == "gig")], c["spend"][own & (c["arm"] == "agent")]
    row = one(found, arm="gig", control="agent", population="tier=basic")
    assert row.p == pytest.approx(reference.ttest_ind(gig, agent, equal_var=False).pvalue, rel=EXACT)
    assert {(row.arm, row.control) for row in found if row.headline} == {("gig", "none"), ("agent", "none")}


def test_small_rates_take_newcombe_and_large_ones_do_not() -> None:
    rows = draw(11)
    rare = Rows(columns={**rows.columns, "churned": (np.arange(400) % 40 == 0).astype(float)})
    spec = plan({"success": [CHURN]})
    small, large = one(table(spec, rare)), one(table(spec, rows))
    assert (small.method, large.method) == ("newcombe", "difference_in_means")
    assert small.df is None
    assert small.p is not None
    limits = one(table(spec, rare, alpha=small.p))
    assert min(abs(limits.low or 0.0), abs(limits.high or 0.0)) < 1e-9


def test_rates_of_clusters_never_take_newcombe() -> None:
    rows = draw(11)
    rare = Rows(columns={**rows.columns, "churned": (np.arange(400) % 40 == 0).astype(float)})
    found = one(table(plan({"success": [CHURN]}, data={"cluster": "household"}), rare))
    assert found.method == "difference_in_means"


def _with(rows: Rows, **columns: Values) -> Rows:
    return Rows(columns={**rows.columns, **columns})


def _reasons(rows: Rows, **keys: Any) -> set[str | None]:
    found = table(plan(**keys), rows)
    assert {row.status for row in found} == {"not_computed"}
    assert {row.point for row in found} == {None}
    return {row.reason for row in found}


def test_every_row_that_cannot_be_computed_says_why() -> None:
    rows = draw(12)
    n = len(rows.columns["arm"])
    none = np.full(n, "none")
    single = none.copy()
    single[0] = "gig"
    binary = (rows.columns["arm"] == "gig").astype(float)
    aov = {"name": "a", "type": "ratio", "numerator": "spend", "denominator": "orders", "desired_direction": "increase"}
    assert _reasons(_with(rows, arm=none)) == {"no customer in arm 'gig' has a value"}
    assert _reasons(_with(rows, arm=single)) == {
        "arm 'gig' has a single customer with a value, so its spread is unknown"
    }
    assert _reasons(_with(rows, spend=np.full(n, 0.1))) == {"the outcome does not vary"}
    assert _reasons(_with(rows, churned=np.zeros(n)), metrics={"success": [CHURN]}) == {"the outcome does not vary"}
    assert _reasons(_with(rows, spend=binary)) == {"the outcome does not vary within the arms"}
    assert _reasons(_with(rows, orders=np.zeros(n)), metrics={"success": [aov]}) == {
        "the denominator is zero on average in arm 'gig'"
    }
    assert _reasons(_with(rows, agent=1 + binary), data={"cluster": "agent"}) == {
        "an arm has fewer than two values of 'agent', so their spread is unknown"
    }


def test_small_segments_are_suppressed_with_their_counts() -> None:
    rows = draw(14)
    tier = np.where(np.arange(400) < 12, "vip", "basic")
    found = one(table(plan(segments=["tier"]), _with(rows, tier=tier)), population="tier=vip")
    assert found.reason == "fewer than 10 customers of this segment in an arm: not shown"
    assert (found.n_treated, found.mean_treated, found.mean_control) == (None, None, None)


def test_missing_segment_values_have_a_name() -> None:
    rows = draw(15)
    tier = np.where(np.arange(400) % 2 == 0, "", "basic")
    assert one(table(plan(segments=["tier"]), _with(rows, tier=tier)), population="tier=(missing)").status == "ok"


def test_relative_effects_without_a_base_say_so() -> None:
    rows = draw(16)
    found = table(plan(), _with(rows, spend=rows.columns["spend"] - 1000))
    assert one(found).status == "ok"
    assert one(found, scale="relative").reason == "a relative effect needs a control mean above zero"


@pytest.mark.parametrize("arms", [("none", "gig"), ("zero", "gig"), ("a", "gig")])
def test_arm_names_do_not_matter(arms: tuple[str, str]) -> None:
    rows = draw(17)
    renamed = _with(rows, arm=np.where(rows.columns["arm"] == "gig", "gig", arms[0]))
    assert one(table(plan(arms=arms), renamed)).point == one(table(plan(), rows)).point


def test_row_order_does_not_matter() -> None:
    rows = draw(18)
    order = np.random.default_rng(19).permutation(400)
    spec = plan(data={"cluster": "household"})
    plain = one(table(spec, rows))
    shuffled = one(table(spec, Rows(columns={name: values[order] for name, values in rows.columns.items()})))
    assert (plain.point, plain.se, plain.df) == pytest.approx((shuffled.point, shuffled.se, shuffled.df), rel=1e-10)


def test_units_times_hundred_scale_the_absolute_row_and_not_the_relative() -> None:
    rows = draw(20)
    plain, hundred = table(plan(), rows), table(plan(), _with(rows, spend=rows.columns["spend"] * 100))
    assert one(hundred).low == pytest.approx(100 * (one(plain).low or 0.0), rel=1e-10)
    small, large = one(plain, scale="relative"), one(hundred, scale="relative")
    assert (small.low, small.high, small.p) == pytest.approx((large.low, large.high, large.p), rel=1e-10)
