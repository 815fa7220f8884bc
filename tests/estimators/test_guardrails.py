"""Guardrails: one-sided tests of harm at the margin, and bounds that agree with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from cxcausal.core.spec.models import Metric
from cxcausal.estimators.comparison import harm_p
from cxcausal.stats.difference import Difference
from cxcausal.stats.newcombe import RateDifference
from tests.estimators.plans import SPEND, draw, one, plan, table

SIGNS = {"increase": 1, "decrease": -1}


def _metric(direction: str, **margin: float) -> Metric:
    keys = {"name": "m", "type": "mean", "column": "x"}
    return Metric.model_validate({**keys, "desired_direction": direction, "margin": margin or None})


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_an_absolute_margin_is_a_shifted_one_sided_test(direction: str) -> None:
    metric = {**SPEND, "name": "g", "desired_direction": direction, "margin": {"absolute": 1.5}}
    rows = draw(1)
    treated, control = (rows.columns["spend"][rows.columns["arm"] == arm] for arm in ("gig", "none"))
    if direction == "increase":
        expected = reference.ttest_ind(treated + 1.5, control, equal_var=False, alternative="greater").pvalue
    else:
        expected = reference.ttest_ind(treated - 1.5, control, equal_var=False, alternative="less").pvalue
    found = one(table(plan({"success": [SPEND], "guardrails": [metric]}), rows), metric="g")
    assert found.p == pytest.approx(expected, rel=1e-9)
    assert found.level == pytest.approx(0.90)
    assert (found.role, found.headline) == ("guardrail", True)


@given(
    means=st.tuples(st.floats(0.5, 5), st.floats(0.5, 5)),
    ses=st.tuples(st.floats(0.01, 0.2), st.floats(0.01, 0.05)),
    margin=st.floats(0.01, 0.5),
    direction=st.sampled_from(["increase", "decrease"]),
    relative=st.booleans(),
)
def test_the_bound_is_inside_the_margin_exactly_when_p_is_below_alpha(
    means: tuple[float, float], ses: tuple[float, float], margin: float, direction: str, *, relative: bool
) -> None:
    effect = Difference(
        mean_treated=means[0], mean_control=means[1], var_treated=ses[0] ** 2, var_control=ses[1] ** 2, df=30.0
    )
    p = harm_p(effect, _metric(direction, **{"relative" if relative else "absolute": margin}))
    limits = effect.relative(0.9).interval if relative else effect.interval(0.9)
    assert limits is not None
    worst = limits.low if direction == "increase" else -limits.high
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (worst > -margin)


def test_rates_in_small_arms_agree_as_well() -> None:
    effect = RateDifference(events_treated=12, n_treated=400, events_control=10, n_control=390)
    for alpha in (0.01, 0.05, 0.2, 0.4):
        for margin in (0.005, 0.02, 0.04):
            absolute = harm_p(effect, _metric("decrease", absolute=margin))
            assert (absolute < alpha) == (effect.interval(1 - 2 * alpha).high < margin)
            relative = harm_p(effect, _metric("decrease", relative=20 * margin))
            told = effect.relative(1 - 2 * alpha).interval
            assert told is not None
            assert (relative < alpha) == (told.high < 20 * margin)


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_a_harm_beyond_the_margin_is_never_called_safe(direction: str) -> None:
    harm = -SIGNS[direction] * 1.0
    effect = Difference(mean_treated=5 + harm, mean_control=5.0, var_treated=0.01, var_control=0.01, df=100.0)
    assert harm_p(effect, _metric(direction, absolute=0.5)) > 0.99
    assert harm_p(effect, _metric(direction, relative=0.1)) > 0.99
    assert harm_p(effect, _metric(direction, absolute=1.5)) < 0.01
    assert harm_p(effect, _metric(direction)) > 0.99


def test_a_relative_margin_needs_a_base() -> None:
    metric = {**SPEND, "name": "g", "margin": {"relative": 0.1}}
    rows = draw(2)
    rows = type(rows)(columns={**rows.columns, "spend": rows.columns["spend"] - 1000.0})
    found = one(table(plan({"success": [SPEND], "guardrails": [metric]}), rows), metric="g")
    assert (found.status, found.reason) == ("not_computed", "a relative effect needs a control mean above zero")


def test_both_scales_of_a_guardrail_carry_the_plans_test() -> None:
    metric = {**SPEND, "name": "g", "margin": {"relative": 0.1}}
    found = table(plan({"success": [SPEND], "guardrails": [metric]}), draw(3))
    absolute, relative = one(found, metric="g"), one(found, metric="g", scale="relative")
    assert absolute.p == relative.p
    assert np.isclose(absolute.level or 0.0, 0.9)
    assert np.isclose(relative.level or 0.0, 0.9)
