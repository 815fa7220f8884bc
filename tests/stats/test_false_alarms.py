"""Alarm rates, uniformity and the effect in sight, against other implementations."""

import numpy as np
import pytest
from scipy.stats import kstest, nct, t
from statsmodels.stats.proportion import proportion_confint

from cxcausal.stats.false_alarms import CONFIDENCE, judged, rate_limits, smallest_in_sight, uniform_p

NEAR = 1e-9


@pytest.mark.parametrize(("alarms", "tosses"), [(0, 10), (25, 500), (3, 2000), (500, 500)])
def test_limits_are_wilsons(alarms: int, tosses: int) -> None:
    low, high = proportion_confint(alarms, tosses, alpha=1 - CONFIDENCE, method="wilson")
    assert rate_limits(alarms, tosses) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("shape", [1.0, 0.8])
def test_uniformity_is_kolmogorovs(shape: float) -> None:
    p = np.random.default_rng(5).random(700) ** shape
    assert uniform_p(p.tolist()) == pytest.approx(kstest(p, "uniform", method="asymp").pvalue, rel=NEAR)


@pytest.mark.parametrize(("df", "sides"), [(7.5, 2), (400.0, 2), (60.0, 1)])
def test_the_smallest_effect_in_sight_is_found_with_the_power_asked_for(df: float, sides: int) -> None:
    size = smallest_in_sight(2.0, df, 0.05, 0.8, sides=2 if sides == 2 else 1)
    assert nct.sf(t.ppf(1 - 0.05 / sides, df), df, size / 2.0) == pytest.approx(0.8, rel=1e-8)


@pytest.mark.parametrize(
    ("alarms", "tosses", "verdict"),
    [(25, 500, "as_promised"), (0, 500, "as_promised"), (36, 500, "too_few_to_tell"), (41, 500, "too_many"),
     (0, 50, "too_few_to_tell"), (10, 50, "too_many")],
)  # fmt: skip
def test_a_verdict_needs_the_whole_interval(alarms: int, tosses: int, verdict: str) -> None:
    assert judged(alarms, tosses, 0.05) == verdict
