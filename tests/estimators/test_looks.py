"""Rows at one of several looks: the interval at the nominal level, the guaranteed level, and the sequential p."""

import numpy as np
import pytest
from scipy import stats

from cxcausal.core.results import Estimate, Role
from cxcausal.core.spec.models import Analysis, Metric
from cxcausal.decision.sentences import detectable_effect
from cxcausal.estimators.comparison import Comparison
from cxcausal.estimators.multiplicity import apply_multiplicity
from cxcausal.stats.difference import Difference
from cxcausal.stats.sequential import AlwaysValid, GroupSequential

SECOND = GroupSequential(spent=(0.25, 0.5), information=(1.0, 2.0))
SECOND_OF_FOUR = 2.963131597680629
"""The Lan–DeMets boundary, held to published tables and the joint normal in tests/stats."""
DF = 1e7


def comparison(point: float, role: Role = "success", name: str = "m", *, confirmatory: bool = True) -> Comparison:
    keys = {"name": name, "type": "mean", "column": name, "desired_direction": "increase"}
    metric = Metric.model_validate({**keys, **({"margin": {"absolute": 1.0}} if role == "guardrail" else {})})
    row = Estimate(metric=name, role=role, arm="t", control="c", estimand="itt", method="difference_in_means")
    effect = Difference(mean_treated=10.0 + point, mean_control=10.0, var_treated=0.5, var_control=0.5, df=DF)
    return Comparison(row=row, metric=metric, effect=effect, confirmatory=confirmatory and role == "success")


def test_an_interval_reaches_as_far_as_the_boundary_and_keeps_its_level() -> None:
    (row,) = apply_multiplicity([comparison(2.0)], Analysis(), SECOND)
    assert (row.low, row.high) == pytest.approx((2 - SECOND_OF_FOUR, 2 + SECOND_OF_FOUR), abs=1e-5)
    assert row.level == 0.95
    assert row.look_level == pytest.approx(1 - 2 * stats.norm.sf(SECOND_OF_FOUR), abs=1e-9)
    assert row.p is not None
    assert row.p > 2 * stats.norm.sf(2.0)


@pytest.mark.parametrize("reading", [SECOND, AlwaysValid(units=4000, tuned=10_000)])
@pytest.mark.parametrize("shift", [-1e-4, 1e-4])
def test_the_p_falls_below_alpha_exactly_when_the_interval_leaves_zero(
    reading: GroupSequential | AlwaysValid, shift: float
) -> None:
    edge = stats.norm.isf(reading.nominal(0.05) / 2)
    (row,) = apply_multiplicity([comparison(edge + shift)], Analysis(), reading)
    assert row.p is not None
    assert row.low is not None
    assert (row.low > 0, row.p < 0.05) == (shift > 0, shift > 0)


def test_a_guardrail_spends_alpha_on_the_side_of_harm() -> None:
    (row,) = apply_multiplicity([comparison(2.0, "guardrail")], Analysis(), SECOND)
    both = 2 * stats.norm.sf(2.0 + 1.0)
    bound = stats.norm.isf(SECOND.nominal(0.1) / 2)
    assert row.level == pytest.approx(0.9)
    assert row.low == pytest.approx(2 - bound, abs=1e-5)
    assert row.p == pytest.approx(SECOND.honest_p(both) / 2, rel=1e-5)


def test_holm_takes_the_sequential_p_values_and_every_interval_agrees_with_it() -> None:
    points = (4.2, 3.3, 0.4)
    rows = apply_multiplicity([comparison(at, name=f"m{k}") for k, at in enumerate(points)], Analysis(), SECOND)
    honest = np.array([SECOND.honest_p(2 * stats.norm.sf(at)) for at in points])
    assert [row.p for row in rows] == pytest.approx(honest, rel=1e-4)
    scaled = np.maximum.accumulate(honest * [3, 2, 1])
    assert [row.p_adjusted for row in rows] == pytest.approx(np.minimum(scaled, 1), rel=1e-4)
    for row in rows:
        assert row.p_adjusted is not None
        assert row.low is not None
        assert (row.p_adjusted < 0.05) == (row.low > 0)


def test_the_smallest_effect_to_be_seen_is_told_for_this_look() -> None:
    (row,) = apply_multiplicity([comparison(0.0)], Analysis(), SECOND)
    assert detectable_effect(row, 0.8) == pytest.approx(SECOND_OF_FOUR + stats.norm.ppf(0.8), abs=1e-6)


def test_rows_without_numbers_stay_as_they_are() -> None:
    empty = Comparison(
        row=Estimate(metric="m", role="success", arm="t", control="c", estimand="itt", method="x",
                     status="not_computed", reason="nothing"),
        metric=comparison(0.0).metric,
        confirmatory=True,
    )  # fmt: skip
    assert apply_multiplicity([empty], Analysis(), SECOND)[0] == empty.row
